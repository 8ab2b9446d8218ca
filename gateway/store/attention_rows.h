#ifndef STORE_ATTENTION_ROWS_H
#define STORE_ATTENTION_ROWS_H

/* How people look at requests: what was shown to whom, who is at it. */

#include "identity/principal.h"
#include "requests/binding.h"
#include "store/store.h"

/* When this revision was first shown to the person; 0 when never. */
bool store_find_view(struct store *store, const char *tenant, const char *request, int revision,
                     const char *person, int64_t *out_at, struct error *error) MUST_CHECK;
/* Once per person and revision: CONFLICT after that. */
bool store_insert_view(struct store *store, const char *tenant, const char *request, int revision,
                       const char *person, int64_t at, struct error *error) MUST_CHECK;

struct watch_row {
    char request[ID_BYTES];
    char person[ID_BYTES];
    char person_name[NAME_BYTES];
    int64_t since_at;
    int64_t until_at;
    int64_t times; /* how often it was begun, prolonged or ended */
};
/* One per person and request; a new one replaces it. */
bool store_put_watch(struct store *store, const char *tenant, const struct watch_row *watch,
                     struct error *error) MUST_CHECK;
/* This person's, also when it is over. */
bool store_find_watch(struct store *store, const char *tenant, const char *request,
                      const char *person, struct arena *arena, struct watch_row *out,
                      bool *out_found, struct error *error) MUST_CHECK;
/* Those that last beyond `now`, in order of beginning. */
bool store_list_watches(struct store *store, const char *tenant, const char *request, int64_t now,
                        struct arena *arena, struct watch_row **out, size_t *out_count,
                        struct error *error) MUST_CHECK;

/* Votes in time by this person at or after `since`. */
bool store_count_votes_of(struct store *store, const char *tenant, const char *person,
                          int64_t since, int64_t *out_count, struct error *error) MUST_CHECK;
/* Pending requests of one near key that ask the same of people. */
bool store_count_near_pending(struct store *store, const char *tenant,
                              const struct sha256 *near_key, const char *requirements,
                              int64_t *out_count, struct error *error) MUST_CHECK;

#endif
