#ifndef OPERATIONS_ATTENTION_INTERNAL_H
#define OPERATIONS_ATTENTION_INTERNAL_H

/* Shared by the files of this room only. */

#include "operations/request_internal.h"
#include "store/attention_rows.h"

/* How long somebody must have looked before an approval of this risk is not too quick. */
int64_t dwell_needed_ms(const struct operation *operation, const struct request_row *request);
/* Votes of the principal within the last hour. */
bool count_own_votes(struct operation *operation, int64_t *out_count,
                     struct error *error) MUST_CHECK;
/* Ladder, watches, repeats, and when it was shown to the principal. */
bool view_attention(struct operation *operation, const struct approvals_case *facts,
                    struct request_view *out, struct error *error) MUST_CHECK;
/* How many votes the principal has cast within the hour, and how many are well. */
bool view_budget(struct operation *operation, struct view_budget *out,
                 struct error *error) MUST_CHECK;

/* retype.c: whether what was retyped (canonical JSON object, NULL when nothing was) is what the
 * challenge asks for. INVALID `retype_missing`, `retype_mismatch`. */
bool check_retyped(const struct request_row *request, const char *retyped, bool *out_was_retyped,
                   struct error *error) MUST_CHECK;
/* Names as the store keeps them: a canonical array, NULL for none. */
const char *names_text(struct operation *operation, const char *const *names, size_t count);
/* Those of both, each once, in order. */
const char *names_union(struct operation *operation, const char *stored, const char *const *names,
                        size_t count);

#endif
