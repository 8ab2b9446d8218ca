#ifndef STORE_INSIGHT_ROWS_H
#define STORE_INSIGHT_ROWS_H

/* What figures are made of. */

#include "identity/principal.h"
#include "store/store.h"

struct vote_figure {
    char person[ID_BYTES];
    char person_name[NAME_BYTES];
    bool approves;
    bool is_quick;
    bool is_retyped;
    bool is_over_budget;
    int64_t dwell_ms; /* -1: it was never said to be shown */
};
/* Votes in time at or after `since`, oldest first, of one person (NULL: of all); not those on
 * critical requests that are pending, which are hidden from somebody. */
bool store_list_vote_figures(struct store *store, const char *tenant, const char *person,
                             int64_t since, size_t limit, struct arena *arena,
                             struct vote_figure **out, size_t *out_count,
                             struct error *error) MUST_CHECK;

struct request_figures {
    int64_t asked; /* people were asked about it */
    int64_t pending, approved, denied, expired, cancelled;
    int64_t edited, stranded;
};
/* Of requests submitted at or after `since`. */
bool store_count_asked(struct store *store, const char *tenant, int64_t since,
                       struct request_figures *out, struct error *error) MUST_CHECK;

#endif
