#ifndef STORE_EDIT_ROWS_H
#define STORE_EDIT_ROWS_H

/* Edits of requests. */

#include "identity/principal.h"
#include "store/store.h"

struct edit_row {
    char request[ID_BYTES];
    int revision; /* the one it made */
    char person[ID_BYTES];
    char person_name[NAME_BYTES];
    const char *reason;        /* may be NULL */
    const char *changes;       /* canonical JSON array of {from, path, to}; NULL once erased */
    const char *former_action; /* of the revision before; NULL once erased, as the next */
    const char *former_salt;
    struct sha256 former_digest;
    struct sha256 digest; /* of the revision it made */
    int64_t at;
};
bool store_insert_edit(struct store *store, const char *tenant, const struct edit_row *edit,
                       struct error *error) MUST_CHECK;
/* All edits of a request, in order of their revisions. */
bool store_list_edits(struct store *store, const char *tenant, const char *request,
                      struct arena *arena, struct edit_row **out, size_t *out_count,
                      struct error *error) MUST_CHECK;

#endif
