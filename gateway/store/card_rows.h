#ifndef STORE_CARD_ROWS_H
#define STORE_CARD_ROWS_H

/* What stands on channels about requests, and at which addresses people are told. */

#include "identity/principal.h"
#include "store/store.h"

struct card_row {
    char tenant[NAME_BYTES];
    char request[ID_BYTES];
    const char *channel;
    const char *recipient; /* per_… or an address; "" for the whole channel */
    const char *state;     /* "wanted", "posting" (it may stand there or not), "posted" */
    const char *address;   /* JSON; NULL when it cannot be changed */
    int revision;          /* shown last */
    int64_t version;       /* of the request as shown last; -1 shows it again */
    const char *moment;
    int64_t changed_at;
    int64_t told_at;     /* when it was first sent on its own; 0 before */
    const char *roundup; /* rnd_…: it stands in that message; NULL: on its own */
};
bool store_insert_card(struct store *store, const struct card_row *card,
                       struct error *error) MUST_CHECK; /* CONFLICT when there is one */
/* All but what says which card it is. */
bool store_update_card(struct store *store, const struct card_row *card,
                       struct error *error) MUST_CHECK;
bool store_find_card(struct store *store, const char *tenant, const char *request,
                     const char *channel, const char *recipient, struct arena *arena,
                     struct card_row *out, bool *out_found, struct error *error) MUST_CHECK;
/* Of one request, in order of making; `channel` NULL: on any. */
bool store_list_cards(struct store *store, const char *tenant, const char *request,
                      const char *channel, struct arena *arena, struct card_row **out,
                      size_t *out_count, struct error *error) MUST_CHECK;

/* At which address of a kind of channel ("mail") a person is told; one each. */
struct address_row {
    char person[ID_BYTES];
    const char *kind;
    const char *address;
};
/* Replaces the former. CONFLICT `address_taken` when it is another person's. */
bool store_put_address(struct store *store, const char *tenant, const struct address_row *address,
                       struct error *error) MUST_CHECK;
/* Nothing when there is none. */
bool store_delete_address(struct store *store, const char *tenant, const char *person,
                          const char *kind, struct error *error) MUST_CHECK;
/* NULL when none. */
bool store_find_address(struct store *store, const char *tenant, const char *person,
                        const char *kind, struct arena *arena, const char **out_address,
                        struct error *error) MUST_CHECK;
bool store_list_addresses(struct store *store, const char *tenant, const char *person,
                          struct arena *arena, struct address_row **out, size_t *out_count,
                          struct error *error) MUST_CHECK;
/* Whose it is; "" when nobody's. */
bool store_find_person_by_address(struct store *store, const char *tenant, const char *kind,
                                  const char *address, char out_person[ID_BYTES],
                                  struct error *error) MUST_CHECK;

#endif
