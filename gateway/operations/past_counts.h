#ifndef OPERATIONS_PAST_COUNTS_H
#define OPERATIONS_PAST_COUNTS_H

/*
 * History as it was at a moment of the past, for a replay: requests are added oldest first, each
 * with all that ever became of it, and asked about as of when the next one was asked. In memory of
 * its own, bounded; past the bound nothing is known any more, and what is not known is said.
 */

#include "base/error.h"
#include "policy/history.h"
#include "store/history_rows.h"

enum { PAST_COUNTS_BYTES_MAX = 64 * 1024 * 1024 };

struct past_counts;

struct past_counts *past_counts_create(const unsigned *kinds, size_t kind_count);
void past_counts_destroy(struct past_counts *counts); /* accepts NULL */
bool past_counts_add(struct past_counts *counts, const struct past_row *row,
                     struct error *error) MUST_CHECK;
/* What rules would have read of `row`, which was not added yet. False when that is not known. */
bool past_counts_read(const struct past_counts *counts, const struct past_row *row, unsigned parts,
                      enum policy_past past, int64_t window_ms, int64_t *out_count) MUST_CHECK;

#endif
