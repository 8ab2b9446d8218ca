#ifndef OPERATIONS_PENDING_COUNTS_H
#define OPERATIONS_PENDING_COUNTS_H

/* How many requests of each caller are pending, so that the limit costs the same however many are.
 * Read from the store once, then kept up with what jobs do, and undone with them. */

#include "store/store.h"

struct pending_counts;

struct pending_counts *pending_counts_create(void);
void pending_counts_destroy(struct pending_counts *counts); /* accepts NULL */

bool pending_counts_read(struct pending_counts *counts, struct store *store, const char *tenant,
                         const char *caller, int64_t *out_count, struct error *error) MUST_CHECK;
/* A request of this caller became pending (+1) or ended (-1). */
void pending_counts_change(struct pending_counts *counts, const char *caller, int64_t by);

/* As the writer's hooks: a batch, a job in it, and taking back either. */
void pending_counts_begin(struct pending_counts *counts);
void pending_counts_savepoint(struct pending_counts *counts);
void pending_counts_rollback(struct pending_counts *counts);
void pending_counts_abort(struct pending_counts *counts);

#endif
