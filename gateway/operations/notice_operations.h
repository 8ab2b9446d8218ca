#ifndef OPERATIONS_NOTICE_OPERATIONS_H
#define OPERATIONS_NOTICE_OPERATIONS_H

/* The outbox: notices are written in the transaction of what they tell (tell_outside), leased by
 * the courier, and settled with an entry. */

#include "operations/operation.h"
#include "store/ledger_rows.h"

enum { NOTICE_LEASE_MS = 60 * 1000, NOTICES_LEASED_MAX = 32 };

/* The system's. Leases what is due; what is stale (a retried prompt about a request that ended) is
 * settled dead here and not returned. */
bool operation_lease_notices(struct operation *operation, struct notice_row **out,
                             size_t *out_count, struct error *error) MUST_CHECK;

enum notice_outcome { NOTICE_RETRY = 0, NOTICE_SENT, NOTICE_DEAD };
struct notice_settlement {
    enum notice_outcome outcome;
    const char *reason;     /* of a failure: short, without secrets; NULL when sent */
    int64_t retry_after_ms; /* of a retry */
};
/* The system's. CONFLICT `lease_over` when another settled it meanwhile. `notice` as leased. */
bool operation_settle_notice(struct operation *operation, struct notice_row *notice,
                             const struct notice_settlement *settlement,
                             struct error *error) MUST_CHECK;

/* Admins, auditors and the host. `state` NULL: any. */
bool operation_list_notices(struct operation *operation, const char *state, const char *before_id,
                            size_t limit, struct notice_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK;
/* Admins and the host: a dead notice is due at once again, with its attempts counted anew. CONFLICT
 * `not_dead`. */
bool operation_resend_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error) MUST_CHECK;

/* Earliest due notice known, 0 none. Any thread. */
int64_t operations_notices_due_at(const struct operations *operations);

#endif
