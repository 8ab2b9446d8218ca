#ifndef OPERATIONS_PROPOSAL_OPERATIONS_H
#define OPERATIONS_PROPOSAL_OPERATIONS_H

/*
 * Changes that two admins must both make. The first one's call is refused by authorize with
 * `second_admin_needed`; the door then notes it as a proposal. The change happens when another
 * admin makes the very same call within a day: nobody's words are taken for another's.
 */

#include "operations/operation.h"
#include "store/proposal_rows.h"

/* The call this operation is: sets operation->change, and operation->proposal when another admin
 * began the same. Serves from a read-only store. */
struct change_call {
    const char *method;
    const char *path;
    const char *what; /* the route, a literal */
    const char *body; /* as sent; NULL none */
    size_t body_length;
};
bool operation_note_call(struct operation *operation, const struct change_call *call,
                         struct error *error) MUST_CHECK;
/* After a change that another had begun was made: it is confirmed, with its entry. Nothing when
 * none was. */
bool operation_settle_call(struct operation *operation, struct error *error) MUST_CHECK;

/* The same admin's proposal again is the one there is. */
bool operation_propose_change(struct operation *operation, const struct change_call *call,
                              struct proposal_row *out, struct error *error) MUST_CHECK;
bool operation_list_proposals(struct operation *operation, struct proposal_row **out,
                              size_t *out_count, struct error *error) MUST_CHECK;
bool operation_withdraw_proposal(struct operation *operation, const char *id,
                                 struct error *error) MUST_CHECK;

#endif
