#ifndef STORE_ROUNDUP_ROWS_H
#define STORE_ROUNDUP_ROWS_H

/* Round-ups: several prompts that went to one place as one message. A place is a channel and a
 * recipient of it. Which requests a round-up tells stands with their cards. */

#include "store/card_rows.h"
#include "store/ledger_rows.h"
#include "store/store.h"

struct roundup_row {
    char id[ID_BYTES]; /* rnd_… */
    char tenant[NAME_BYTES];
    const char *channel;
    const char *recipient; /* per_… or an address; "" for the whole channel */
    const char *state;     /* "wanted", "posting" (it may stand there or not), "posted" */
    const char *address;   /* JSON; NULL when it cannot be changed */
    int64_t version;       /* raised when something of it changes; the first is 1 */
    int64_t shown;         /* the version shown last; 0 before it was posted, -1 shows it again */
    int64_t created_at;
    int64_t changed_at; /* when it was posted or changed last; 0 before */
};
bool store_insert_roundup(struct store *store, const struct roundup_row *roundup,
                          struct error *error) MUST_CHECK;
/* State, address, version, shown, changed_at. */
bool store_update_roundup(struct store *store, const struct roundup_row *roundup,
                          struct error *error) MUST_CHECK;
bool store_read_roundup(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct roundup_row *out,
                        struct error *error) MUST_CHECK; /* NOT_FOUND */

struct roundup_place {
    const char *tenant, *channel, *recipient;
};

struct roundup_window {
    int64_t since, now, until;
    int64_t most; /* nothing is counted beyond */
};
/* What leaves for a place: prompts told and round-ups made after `since`, prompts due at `now` that
 * are told nowhere yet, and the earliest time up to `until` of those being gathered, 0 when none
 * are. */
struct roundup_counts {
    int64_t told, roundups, due, gathering_until;
};
bool store_count_place(struct store *store, const struct roundup_place *place,
                       const struct roundup_window *window, struct roundup_counts *out,
                       struct error *error) MUST_CHECK;

/* The notices first of their line whose cards are told nowhere yet, due at `now` or being gathered,
 * earliest first. */
bool store_list_gatherable(struct store *store, const struct roundup_place *place, int64_t now,
                           size_t limit, struct arena *arena, struct notice_row **out,
                           size_t *out_count, struct error *error) MUST_CHECK;

/* How many requests of a round-up are in a state, the riskiest of them and the earliest deadline.
 */
struct roundup_tally {
    int state; /* enum request_state */
    int count;
    int risk; /* enum policy_risk */
    int64_t timeout_at;
};
enum { ROUNDUP_STATES_MAX = 5 };
bool store_tally_roundup(struct store *store, const char *tenant, const char *roundup,
                         struct arena *arena, struct roundup_tally **out, size_t *out_count,
                         struct error *error) MUST_CHECK;
/* The cards of its requests in this state: riskiest first, then the one with least time. */
bool store_list_riskiest(struct store *store, const char *tenant, const char *roundup, int state,
                         size_t limit, struct arena *arena, struct card_row **out,
                         size_t *out_count, struct error *error) MUST_CHECK;
/* Whether one waits in this line that nobody has leased. */
bool store_line_waits(struct store *store, const char *line, bool *out,
                      struct error *error) MUST_CHECK;

#endif
