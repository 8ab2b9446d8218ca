#ifndef OPERATIONS_ATTENTION_OPERATIONS_H
#define OPERATIONS_ATTENTION_OPERATIONS_H

/*
 * How people look at requests: that a revision was shown to them, and that they are at it. Neither
 * carries authority: no rule reads them, and a vote is taken without either. What they say goes
 * into the entry of a vote, where a reviewer finds it.
 */

#include "operations/operation.h"

/* attend_request.c: this revision was shown to the person; the first time counts, and is an entry.
 * `out_at` 0: the request had ended, nothing was noted. CONFLICT `digest_mismatch`. */
struct view_input {
    const char *request;
    int revision;
    struct sha256 digest;
};
bool operation_note_view(struct operation *operation, const struct view_input *input,
                         int64_t *out_at, struct error *error) MUST_CHECK;

/* A person says they are at it, for others to see, or no longer. It ends by itself; saying it again
 * prolongs it. `out_until` 0 when it ended. CONFLICT `already_ended`. */
bool operation_watch_request(struct operation *operation, const char *request, bool watches,
                             int64_t *out_until, struct error *error) MUST_CHECK;

#endif
