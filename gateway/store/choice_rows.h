#ifndef STORE_CHOICE_ROWS_H
#define STORE_CHOICE_ROWS_H

/* What people chose about being told. */

#include "identity/principal.h"
#include "store/store.h"

struct choice_row {
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    const char *quiet_hours; /* as they wrote it; "" for none */
    const char *muted;   /* names of channels, each between spaces: " mail phone "; "" for none */
    int accepts_silence; /* 1: told of nothing anywhere, critical risk included */
    int64_t changed_at;
};
bool store_put_choice(struct store *store, const struct choice_row *choice,
                      struct error *error) MUST_CHECK;
/* Of who chose nothing: nothing quiet, nothing muted. */
bool store_read_choice(struct store *store, const char *tenant, const char *person,
                       struct arena *arena, struct choice_row *out, struct error *error) MUST_CHECK;
/* How many people of the tenant muted this channel. */
bool store_count_muted(struct store *store, const char *tenant, const char *channel, int64_t *out,
                       struct error *error) MUST_CHECK;

#endif
