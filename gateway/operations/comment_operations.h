#ifndef OPERATIONS_COMMENT_OPERATIONS_H
#define OPERATIONS_COMMENT_OPERATIONS_H

/*
 * What approvers ask before they decide, and what the agent answers. Words, never authority: no
 * rule reads them. A person's comment is a question to the agent, whose wait it ends; the agent may
 * answer while a question is open, and not otherwise, so that it cannot talk people into anything
 * unasked.
 */

#include "operations/operation.h"
#include "store/comment_rows.h"

enum {
    COMMENT_BYTES_MAX = 2000,
    COMMENTS_OF_SIDE_MAX = 50, /* of one request: by people, and by its caller */
};

/* comment_request.c. `text` as given, bounded by the door. CONFLICT `already_ended`, `no_question`
 * (a caller's, where none is open); LIMIT `too_many_comments`; INVALID `empty_comment`. */
bool operation_comment_request(struct operation *operation, const char *request, const char *text,
                               struct comment_row *out, struct error *error) MUST_CHECK;
/* Everyone who may read the request. */
bool operation_list_comments(struct operation *operation, const char *request,
                             struct comment_row **out, size_t *out_count,
                             struct error *error) MUST_CHECK;

#endif
