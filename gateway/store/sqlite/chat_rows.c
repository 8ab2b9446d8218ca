/* Linked chat accounts and the codes that link them. */

#include "store/chat_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column link_columns[] = {
    COLUMN(struct chat_link_row, ID, "id", id),
    COLUMN(struct chat_link_row, NAME, "tenant", tenant),
    COLUMN(struct chat_link_row, ID, "person", person),
    COLUMN(struct chat_link_row, TEXT, "service", service),
    COLUMN(struct chat_link_row, TEXT, "account", account),
    COLUMN(struct chat_link_row, HASH, "hash", hash),
    COLUMN(struct chat_link_row, INT64, "created_at", created_at),
};
static const struct shape link_shape = SHAPE(struct chat_link_row, link_columns);

static const struct column code_columns[] = {
    COLUMN(struct chat_code_row, ID, "person", person),
    COLUMN(struct chat_code_row, NAME, "tenant", tenant),
    COLUMN(struct chat_code_row, HASH, "hash", hash),
    COLUMN(struct chat_code_row, INT64, "expires_at", expires_at),
};
static const struct shape code_shape = SHAPE(struct chat_code_row, code_columns);

static const struct column conversation_columns[] = {
    COLUMN(struct chat_conversation_row, TEXT, "service", service),
    COLUMN(struct chat_conversation_row, TEXT, "app", app),
    COLUMN(struct chat_conversation_row, TEXT, "conversation", conversation),
    COLUMN(struct chat_conversation_row, TEXT, "service_url", service_url),
    COLUMN(struct chat_conversation_row, INT64, "said_at", said_at),
};
static const struct shape conversation_shape =
    SHAPE(struct chat_conversation_row, conversation_columns);

#define OF_CONVERSATION                                                                            \
    "service = :of_service AND app = :of_app AND conversation = :of_conversation"

#define LINK_COLUMNS "id, tenant, person, service, account, hash, created_at"

static const struct statement_text texts[] = {
    {.name = STATEMENT_CHAT_LINK_INSERT,
     .shape = &link_shape,
     .sql = "INSERT INTO chat_links (" LINK_COLUMNS ") VALUES (:id, :tenant, :person, :service, "
            ":account, :hash, :created_at)",
     .conflict_code = "account_linked",
     .conflict_message = "this chat account is linked already: to take it over, whoever it is "
                         "linked to removes the link first"},
    {.name = STATEMENT_CHAT_LINK_FIND,
     .shape = &link_shape,
     .sql = "SELECT " LINK_COLUMNS " FROM chat_links WHERE hash = :hash"},
    {.name = STATEMENT_CHAT_LINK_READ,
     .shape = &link_shape,
     .sql = "SELECT " LINK_COLUMNS " FROM chat_links WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_CHAT_LINK_LIST,
     .shape = &link_shape,
     .sql = "SELECT " LINK_COLUMNS " FROM chat_links WHERE person = :person ORDER BY row_id"},
    {.name = STATEMENT_CHAT_LINK_DELETE, .sql = "DELETE FROM chat_links WHERE id = :of_id"},
    {.name = STATEMENT_CHAT_LINK_DELETE_ALL, .sql = "DELETE FROM chat_links"},
    {.name = STATEMENT_CHAT_CODE_PUT,
     .shape = &code_shape,
     .sql = "INSERT OR REPLACE INTO chat_codes (person, tenant, hash, expires_at) VALUES (:person, "
            ":tenant, :hash, :expires_at)"},
    {.name = STATEMENT_CHAT_CODE_TAKE,
     .shape = &code_shape,
     .sql = "SELECT person, tenant, hash, expires_at FROM chat_codes WHERE hash = :hash"},
    {.name = STATEMENT_CHAT_CODE_DELETE, .sql = "DELETE FROM chat_codes WHERE person = :of_person"},
    {.name = STATEMENT_CHAT_CODE_DELETE_ALL, .sql = "DELETE FROM chat_codes"},
    {.name = STATEMENT_CHAT_CONVERSATION_PUT,
     .shape = &conversation_shape,
     .sql = "INSERT OR REPLACE INTO chat_conversations (service, app, conversation, service_url, "
            "said_at) VALUES (:service, :app, :conversation, :service_url, :said_at)"},
    {.name = STATEMENT_CHAT_CONVERSATION_FIND,
     .shape = &conversation_shape,
     .sql = "SELECT service, app, conversation, service_url, said_at FROM chat_conversations "
            "WHERE " OF_CONVERSATION},
    {.name = STATEMENT_CHAT_CONVERSATION_DELETE,
     .sql = "DELETE FROM chat_conversations WHERE " OF_CONVERSATION},
};
const struct statement_list chat_statements = STATEMENT_LIST(texts);

bool store_insert_chat_link(struct store *store, const struct chat_link_row *link,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_INSERT);
    statement_row(statement, link);
    return statement_run(store, statement, NULL, error);
}

bool store_find_chat_link(struct store *store, const struct sha256 *hash, struct arena *arena,
                          struct chat_link_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_FIND);
    statement_hash(statement, ":hash", hash);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_read_chat_link(struct store *store, const char *tenant, const char *id,
                          struct arena *arena, struct chat_link_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_READ);
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_list_chat_links(struct store *store, const char *person, struct arena *arena,
                           struct chat_link_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_LIST);
    statement_text(statement, ":person", person);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_delete_chat_link(struct store *store, const char *id, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_DELETE);
    int64_t changed = 0;
    statement_text(statement, ":of_id", id);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, id, error);
}

bool store_delete_chat_links(struct store *store, int64_t *out_count, struct error *error)
{
    struct statement *links STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_LINK_DELETE_ALL);
    struct statement *codes STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_CODE_DELETE_ALL);
    return statement_run(store, codes, NULL, error) &&
           statement_run(store, links, out_count, error);
}

bool store_put_chat_code(struct store *store, const struct chat_code_row *code, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_CODE_PUT);
    statement_row(statement, code);
    return statement_run(store, statement, NULL, error);
}

bool store_take_chat_code(struct store *store, const struct sha256 *hash, struct chat_code_row *out,
                          bool *out_found, struct error *error)
{
    struct statement *find STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_CODE_TAKE);
    struct statement *delete STATEMENT_SCOPE = statement_of(store, STATEMENT_CHAT_CODE_DELETE);
    statement_hash(find, ":hash", hash);
    if (!statement_find(store, find, NULL, out, out_found, error)) {
        return false;
    }
    if (!*out_found) {
        return true;
    }
    statement_text(delete, ":of_person", out->person);
    return statement_run(store, delete, NULL, error);
}

bool store_put_chat_conversation(struct store *store, const struct chat_conversation_row *row,
                                 struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_CHAT_CONVERSATION_PUT);
    statement_row(statement, row);
    return statement_run(store, statement, NULL, error);
}

static void name_conversation(struct statement *statement, const char *service, const char *app,
                              const char *conversation)
{
    statement_text(statement, ":of_service", service);
    statement_text(statement, ":of_app", app);
    statement_text(statement, ":of_conversation", conversation);
}

bool store_find_chat_conversation(struct store *store, const char *service, const char *app,
                                  const char *conversation, struct arena *arena,
                                  struct chat_conversation_row *out, bool *out_found,
                                  struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_CHAT_CONVERSATION_FIND);
    name_conversation(statement, service, app, conversation);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_delete_chat_conversation(struct store *store, const char *service, const char *app,
                                    const char *conversation, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_CHAT_CONVERSATION_DELETE);
    name_conversation(statement, service, app, conversation);
    return statement_run(store, statement, NULL, error);
}
