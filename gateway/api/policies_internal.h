#ifndef API_POLICIES_INTERNAL_H
#define API_POLICIES_INTERNAL_H

/* Which policy a call is about: the files it sends, a version that was published, or the one in
 * force. Filled on the loop, looked up by the reader, compiled by a worker. */

#include "api/api_internal.h"
#include "operations/policy_operations.h"

struct policy_choice {
    bool is_sent;
    const char *files;   /* canonical JSON {name: text} */
    const char *version; /* NULL: the one in force */
    struct policy *policy;
};
/* INVALID `ambiguous_policy` when both members are there. */
bool api_take_policy(struct api_call *call, const struct json *body, struct policy_choice *out,
                     struct error *error) MUST_CHECK;
bool api_look_policy(struct api_call *call, struct policy_choice *choice,
                     struct error *error) MUST_CHECK;
/* INVALID `policy_invalid`, with file, line and column in its message. */
bool api_compile_policy(struct api_call *call, struct policy_choice *choice,
                        struct error *error) MUST_CHECK;

#endif
