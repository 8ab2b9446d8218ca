#ifndef OPERATIONS_HISTORY_INTERNAL_H
#define OPERATIONS_HISTORY_INTERNAL_H

/*
 * What rules read as `history`: counted in the transaction in which it happens, for those sets of
 * parts alone that the rules in force read. A set that rules begin to read is counted from the
 * stored requests, in bounded steps; until that is done it is not known, and a rule that reads it
 * errs on the strict side.
 */

#include "operations/operations_internal.h"
#include "requests/history.h"

bool load_history(struct operations *operations, struct store *store,
                  struct error *error) MUST_CHECK;
/* Counts what this policy reads, and nothing else any more. */
bool follow_history(struct operation *operation, const struct policy *policy,
                    struct error *error) MUST_CHECK;

/* A request was stored for the first time, in whatever state. */
bool note_submitted(struct operation *operation, const struct request_row *request,
                    struct error *error) MUST_CHECK;
/* A request that was pending ended. */
bool note_ended(struct operation *operation, const struct request_row *request,
                struct error *error) MUST_CHECK;
/* Its grant was redeemed, or what came of that was reported. */
bool note_past(struct operation *operation, const struct request_row *request,
               enum policy_past past, struct error *error) MUST_CHECK;

/* The next stored requests of the first set that is not counted yet. `out_has_more`: come back at
 * once. */
bool count_past_history(struct operation *operation, bool *out_has_more,
                        struct error *error) MUST_CHECK;
bool purge_history(struct operation *operation, struct error *error) MUST_CHECK;

/* What one request's rules read. Lent to policy as `history` between open and close. */
struct history_reader {
    struct policy_history history;
    struct operation *operation;
    const struct request_row *request;
    struct request_history *counts; /* of the set read last */
    unsigned parts;                 /* that set; 0: none yet */
    bool has_failed;
    struct error error;
    struct builder read; /* what was asked and answered, as the request keeps it */
    size_t read_count;
};
void open_history(struct history_reader *reader, struct operation *operation,
                  const struct request_row *request);
/* False when the store failed while rules read: what was decided does not hold. `out_read` is what
 * a request that is asked now keeps of it (history_read), in the operation's arena; NULL: nothing.
 */
bool close_history(struct history_reader *reader, const char **out_read,
                   struct error *error) MUST_CHECK;

#endif
