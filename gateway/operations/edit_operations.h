#ifndef OPERATIONS_EDIT_OPERATIONS_H
#define OPERATIONS_EDIT_OPERATIONS_H

/* What an approver may change: the arguments. */

#include "operations/operation.h"

enum { REQUEST_EDITS_MAX = 5 };

/* edit_request.c: exchanges the arguments of a pending request. Who edits must be one who may
 * approve. The edited action goes through policy again: what it denies is refused; what was
 * required stays required, and more may be, so that an edit never approves. A new revision with a
 * salt and digest of its own; earlier votes do not carry over, the deadline stays. */
struct edit_input {
    const char *request;
    int revision;          /* what was shown; as in a vote */
    struct sha256 digest;  /* another one is CONFLICT `digest_mismatch` */
    const char *arguments; /* canonical JSON object: all of them, as they are to be */
    const char *reason;    /* NULL when none */
};
struct edit_result {
    int revision; /* the new one */
    struct sha256 digest;
    const char *changes; /* canonical JSON array of {from?, path, to?} */
};
/* CONFLICT `digest_mismatch`, `already_ended`, `frozen`, `edit_denied`, `erased`; INVALID
 * `nothing_changed`; LIMIT `too_many_edits`; FORBIDDEN as a vote. */
bool operation_edit_request(struct operation *operation, const struct edit_input *input,
                            struct edit_result *out, struct error *error) MUST_CHECK;

#endif
