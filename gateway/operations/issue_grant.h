#ifndef OPERATIONS_ISSUE_GRANT_H
#define OPERATIONS_ISSUE_GRANT_H

/* The grant of an approved request, in the transaction that approves it. */

#include "ledger/entry_data.h"
#include "operations/operations_internal.h"
#include "policy/policy.h"

/* The request's row names the grant's id. It rests on the people assigned; none when policy alone
 * allowed it. */
bool issue_grant(struct operation *operation, const struct request_row *request,
                 const struct policy_grant *terms, const struct ledger_assigned *assigned,
                 size_t assigned_count, struct error *error) MUST_CHECK;

/* An entry about a grant; `data` may be NULL. With the digest when `has_digest`. */
bool record_grant(struct operation *operation, enum ledger_entry_type type,
                  const struct grant_row *grant, const struct builder *data, bool has_digest,
                  bool is_by_gateway, struct error *error) MUST_CHECK;
/* The next state; INTERNAL `refused_transition` when the table has no such pair. */
bool apply_grant_event(struct grant_row *grant, enum grant_event event,
                       struct error *error) MUST_CHECK;

#endif
