#ifndef STORE_COMMENT_ROWS_H
#define STORE_COMMENT_ROWS_H

/* Comments on requests. */

#include "identity/principal.h"
#include "store/store.h"

struct comment_row {
    char id[ID_BYTES];
    char request[ID_BYTES];
    int revision;
    char author[ID_BYTES]; /* per_… or cal_… */
    char author_name[NAME_BYTES];
    const char *text; /* NULL once erased */
    int64_t at;
};
bool store_insert_comment(struct store *store, const char *tenant,
                          const struct comment_row *comment, struct error *error) MUST_CHECK;
/* NOT_FOUND. */
bool store_read_comment(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct comment_row *out,
                        struct error *error) MUST_CHECK;
/* All of a request, in order. */
bool store_list_comments(struct store *store, const char *tenant, const char *request,
                         struct arena *arena, struct comment_row **out, size_t *out_count,
                         struct error *error) MUST_CHECK;

#endif
