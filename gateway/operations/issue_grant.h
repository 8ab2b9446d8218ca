#ifndef OPERATIONS_ISSUE_GRANT_H
#define OPERATIONS_ISSUE_GRANT_H

/* The grant of an approved request, in the transaction that approves it. */

#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/operations_internal.h"
#include "policy/policy.h"

/* The request's row names the grant's id. It rests on the people assigned; none when policy alone
 * allowed it. `mints`: with its first token, for the holder who is being answered. */
bool issue_grant(struct operation *operation, const struct request_row *request,
                 const struct policy_grant *terms, const struct ledger_assigned *assigned,
                 size_t assigned_count, bool mints, struct grant_row *out,
                 struct error *error) MUST_CHECK;
/* Makes the newest token, the only one that redeems, and its entry. The row is changed, not yet
 * written. */
bool mint_token(struct operation *operation, struct grant_row *grant, int64_t expires_at,
                struct error *error) MUST_CHECK;

/* An entry about a grant; `data` may be NULL. With the digest when `has_digest`. */
bool record_grant(struct operation *operation, enum ledger_entry_type type,
                  const struct grant_row *grant, const struct builder *data, bool has_digest,
                  bool is_by_gateway, struct error *error) MUST_CHECK;
/* A grant of the principal's tenant (of any, for host and system: the default's) and what the
 * principal is to it: holder, or a person on whom it rests. NOT_FOUND as for one that may not be
 * known. */
bool find_grant(struct operation *operation, const char *id, struct grant_row *out,
                struct authorize_facts *out_facts, struct error *error) MUST_CHECK;
/* A freeze covers it now, or began after it was issued. sweep_frozen.c */
bool find_grant_freezes(struct operation *operation, const struct grant_row *grant,
                        const char *action, bool *out_is_frozen, struct error *error) MUST_CHECK;
/* What a token of this grant says; issued and expiring as its row does. */
void fill_claims(const struct operation *operation, const struct request_row *request,
                 const struct grant_row *grant, struct grant_claims *out);
/* The next state; INTERNAL `refused_transition` when the table has no such pair. */
bool apply_grant_event(struct grant_row *grant, enum grant_event event,
                       struct error *error) MUST_CHECK;

#endif
