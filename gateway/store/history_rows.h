#ifndef STORE_HISTORY_ROWS_H
#define STORE_HISTORY_ROWS_H

/* Counts that rules read as `history`, which of them are kept, and the past they are made from. */

#include "grants/grant.h"
#include "identity/principal.h"
#include "requests/request.h"
#include "store/store.h"

struct history_row {
    int64_t row; /* 0: not stored yet */
    struct sha256 series;
    int64_t at; /* when something was last counted; INT64_MAX: not to be purged */
    const char *counts;
    size_t length;
};
bool store_read_history(struct store *store, const struct sha256 *series, struct arena *arena,
                        struct history_row *out, bool *out_found, struct error *error) MUST_CHECK;
/* A row of 0 is inserted and gets its number. */
bool store_put_history(struct store *store, struct history_row *row,
                       struct error *error) MUST_CHECK;
/* Forgets series last counted before `before`; looks over at most `limit`, in turn from call to
 * call. */
bool store_purge_history(struct store *store, int64_t before, size_t limit, int64_t *out_purged,
                         struct error *error) MUST_CHECK;

struct history_kind_row {
    int64_t parts; /* set of enum policy_history_part */
    int64_t since_at;
    int64_t cursor; /* rows of requests below it are still to be counted; 0: none, -1: not begun */
};
bool store_put_history_kind(struct store *store, const struct history_kind_row *kind,
                            struct error *error) MUST_CHECK;
bool store_drop_history_kind(struct store *store, int64_t parts, struct error *error) MUST_CHECK;
bool store_list_history_kinds(struct store *store, struct arena *arena,
                              struct history_kind_row **out, size_t *out_count,
                              struct error *error) MUST_CHECK;

/* What became of a stored request and of its grant. */
struct past_row {
    int64_t row;
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char agent_name[NAME_BYTES];
    const char *action_name;
    const char *resource_key;
    const char *subject_key;
    struct sha256 match_key;
    enum request_state state;
    int64_t created_at;
    int64_t ended_at;    /* 0 while pending */
    int grant_state;     /* enum grant_state; 0: no grant */
    int64_t redeemed_at; /* 0: not, as the next */
    int64_t effect_at;
};
/* Up to `limit` requests of all tenants below row `before`, newest first. */
bool store_list_past(struct store *store, int64_t before, size_t limit, struct arena *arena,
                     struct past_row **out, size_t *out_count, struct error *error) MUST_CHECK;
/* The same of one tenant, after `after_id`, oldest first; beside the requests themselves. */
bool store_list_past_after(struct store *store, const char *tenant, const char *after_id,
                           size_t limit, struct arena *arena, struct past_row **out,
                           size_t *out_count, struct error *error) MUST_CHECK;
/* The highest row of a request; 0 when there is none. */
bool store_newest_request(struct store *store, int64_t *out_row, struct error *error) MUST_CHECK;

#endif
