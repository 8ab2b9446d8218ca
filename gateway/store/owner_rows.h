#ifndef STORE_OWNER_ROWS_H
#define STORE_OWNER_ROWS_H

/* What the owner of an account is told by: the browsers they have signed in with, and the addresses
 * they were told at before. */

#include "identity/principal.h"
#include "store/store.h"

/* A browser in which a person has signed in: known by a cookie of its own, which lets nobody in. */
struct browser_row {
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    struct sha256 hash; /* of the whole cookie */
    int64_t seen_at;
};
/* Inserts, or moves `seen_at`. */
bool store_put_browser(struct store *store, const struct browser_row *browser,
                       struct error *error) MUST_CHECK;
/* Whether the person (NULL: anybody) signed in with it after `since`. */
bool store_knows_browser(struct store *store, const char *person, const struct sha256 *hash,
                         int64_t since, bool *out_known, struct error *error) MUST_CHECK;
/* Leaves the person those `keep` that were seen last. */
bool store_trim_browsers(struct store *store, const char *person, int64_t keep,
                         struct error *error) MUST_CHECK;

struct former_address_row {
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    const char *kind;
    const char *address;
    int64_t replaced_at;
};
bool store_insert_former_address(struct store *store, const struct former_address_row *address,
                                 struct error *error) MUST_CHECK;
/* Those replaced after `since`, the earliest first: who replaces one after the other must not push
 * out the one that was there before them. */
bool store_list_former_addresses(struct store *store, const char *person, const char *kind,
                                 int64_t since, size_t limit, struct arena *arena,
                                 struct former_address_row **out, size_t *out_count,
                                 struct error *error) MUST_CHECK;

#endif
