#ifndef STORE_CHAT_ROWS_H
#define STORE_CHAT_ROWS_H

/* Which accounts at chat services are whose, and the codes by which they are linked. */

#include "identity/principal.h"
#include "store/store.h"

struct chat_link_row {
    char id[ID_BYTES]; /* chl_… */
    char tenant[NAME_BYTES];
    char person[ID_BYTES];
    const char *service; /* "slack", "teams" */
    const char *account; /* as the service's ids write it: "E…/T…/U…" */
    struct sha256 hash;  /* of both: what a callback is looked up by */
    int64_t created_at;
};
/* CONFLICT `account_linked` when it is anybody's already. */
bool store_insert_chat_link(struct store *store, const struct chat_link_row *link,
                            struct error *error) MUST_CHECK;
bool store_find_chat_link(struct store *store, const struct sha256 *hash, struct arena *arena,
                          struct chat_link_row *out, bool *out_found,
                          struct error *error) MUST_CHECK;
bool store_read_chat_link(struct store *store, const char *tenant, const char *id,
                          struct arena *arena, struct chat_link_row *out,
                          struct error *error) MUST_CHECK; /* NOT_FOUND */
/* In order of making. */
bool store_list_chat_links(struct store *store, const char *person, struct arena *arena,
                           struct chat_link_row **out, size_t *out_count,
                           struct error *error) MUST_CHECK;
bool store_delete_chat_link(struct store *store, const char *id,
                            struct error *error) MUST_CHECK; /* NOT_FOUND */
/* All links and codes there are: after a store was put back. */
bool store_delete_chat_links(struct store *store, int64_t *out_count,
                             struct error *error) MUST_CHECK;

struct chat_code_row {
    char person[ID_BYTES];
    char tenant[NAME_BYTES];
    struct sha256 hash;
    int64_t expires_at;
};
/* Takes the place of the person's former one. */
bool store_put_chat_code(struct store *store, const struct chat_code_row *code,
                         struct error *error) MUST_CHECK;
/* Finds it and uses it up, whether it is over or not. */
bool store_take_chat_code(struct store *store, const struct sha256 *hash, struct chat_code_row *out,
                          bool *out_found, struct error *error) MUST_CHECK;

/* Where a bot reaches a conversation, as its service said last. */
struct chat_conversation_row {
    const char *service; /* "teams" */
    const char *app;     /* which bot */
    const char *conversation;
    const char *service_url;
    int64_t said_at;
};
/* Takes the place of what was said before. */
bool store_put_chat_conversation(struct store *store, const struct chat_conversation_row *row,
                                 struct error *error) MUST_CHECK;
bool store_find_chat_conversation(struct store *store, const char *service, const char *app,
                                  const char *conversation, struct arena *arena,
                                  struct chat_conversation_row *out, bool *out_found,
                                  struct error *error) MUST_CHECK;
/* Also when there is none. */
bool store_delete_chat_conversation(struct store *store, const char *service, const char *app,
                                    const char *conversation, struct error *error) MUST_CHECK;

#endif
