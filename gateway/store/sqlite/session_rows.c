/* Passwords, sessions, links. */

#include "store/session_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column password_columns[] = {
    COLUMN(struct password_row, ID, "person", person),
    COLUMN(struct password_row, NAME, "tenant", tenant),
    COLUMN(struct password_row, TEXT, "hash", hash),
    COLUMN(struct password_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct password_row, INT64, "set_at", set_at),
};
static const struct shape password_shape = SHAPE(struct password_row, password_columns);

static const struct column session_columns[] = {
    COLUMN(struct session_row, ID, "id", id),
    COLUMN(struct session_row, NAME, "tenant", tenant),
    COLUMN(struct session_row, ID, "person", person),
    COLUMN(struct session_row, HASH, "hash", hash),
    COLUMN(struct session_row, INT64, "created_at", created_at),
    COLUMN(struct session_row, INT64, "seen_at", seen_at),
    COLUMN(struct session_row, INT64, "expires_at", expires_at),
    COLUMN(struct session_row, INT, "step_up", step_up),
    COLUMN(struct session_row, INT64, "stepped_up_at", stepped_up_at),
};
static const struct shape session_shape = SHAPE(struct session_row, session_columns);

static const struct column link_columns[] = {
    COLUMN(struct link_row, ID, "id", id),
    COLUMN(struct link_row, NAME, "tenant", tenant),
    COLUMN(struct link_row, INT, "kind", kind),
    COLUMN(struct link_row, ID, "person", person),
    COLUMN(struct link_row, HASH, "hash", hash),
    COLUMN(struct link_row, INT64, "created_at", created_at),
    COLUMN(struct link_row, INT64, "expires_at", expires_at),
};
static const struct shape link_shape = SHAPE(struct link_row, link_columns);

#define SESSION_COLUMNS                                                                            \
    "id, tenant, person, hash, created_at, seen_at, expires_at, step_up, stepped_up_at"

static const struct statement_text texts[] = {
    {.name = STATEMENT_PASSWORD_PUT,
     .shape = &password_shape,
     .sql = "INSERT INTO passwords (person, tenant, hash, is_enabled, set_at) VALUES (:person, "
            ":tenant, :hash, :is_enabled, :set_at) ON CONFLICT (person) DO UPDATE SET "
            "hash = excluded.hash, is_enabled = excluded.is_enabled, set_at = excluded.set_at"},
    {.name = STATEMENT_PASSWORD_READ,
     .shape = &password_shape,
     .sql = "SELECT person, tenant, hash, is_enabled, set_at FROM passwords "
            "WHERE person = :person"},
    {.name = STATEMENT_PASSWORD_ENABLE_ALL,
     .sql = "UPDATE passwords SET is_enabled = :wanted WHERE is_enabled <> :wanted"},
    {.name = STATEMENT_PASSWORD_COUNT_ADMINS,
     .sql = "SELECT count(*) FROM people JOIN passwords ON passwords.person = people.id "
            "WHERE people.tenant = :tenant AND people.is_admin = 1 AND people.is_enabled = 1 "
            "AND passwords.is_enabled = 1"},
    {.name = STATEMENT_SESSION_INSERT,
     .shape = &session_shape,
     .sql = "INSERT INTO sessions (" SESSION_COLUMNS ") VALUES (:id, :tenant, :person, :hash, "
            ":created_at, :seen_at, :expires_at, :step_up, :stepped_up_at)"},
    {.name = STATEMENT_SESSION_FIND,
     .shape = &session_shape,
     .sql = "SELECT " SESSION_COLUMNS " FROM sessions WHERE hash = :hash"},
    {.name = STATEMENT_SESSION_LIST,
     .shape = &session_shape,
     .sql = "SELECT " SESSION_COLUMNS " FROM sessions WHERE person = :person ORDER BY row_id"},
    {.name = STATEMENT_SESSION_TOUCH,
     .sql = "UPDATE sessions SET seen_at = :at WHERE id = :session AND seen_at < :at"},
    {.name = STATEMENT_SESSION_DELETE, .sql = "DELETE FROM sessions WHERE id = :session"},
    {.name = STATEMENT_SESSION_DELETE_ALL, .sql = "DELETE FROM sessions WHERE id <> :keep"},
    {.name = STATEMENT_SESSION_DELETE_OF_PERSON,
     .sql = "DELETE FROM sessions WHERE person = :of_person AND id <> :keep"},
    {.name = STATEMENT_SESSION_TRIM,
     .sql = "DELETE FROM sessions WHERE person = :of_person AND row_id NOT IN (SELECT row_id FROM "
            "sessions WHERE person = :of_person ORDER BY row_id DESC LIMIT :keep)"},
    {.name = STATEMENT_SESSION_PURGE,
     .sql = "DELETE FROM sessions WHERE row_id IN (SELECT row_id FROM sessions "
            "WHERE expires_at <= :now LIMIT :limit)"},
    {.name = STATEMENT_LINK_PUT,
     .shape = &link_shape,
     .sql = "INSERT INTO links (id, tenant, kind, person, hash, created_at, expires_at) VALUES "
            "(:id, :tenant, :kind, :person, :hash, :created_at, :expires_at) "
            "ON CONFLICT (tenant, kind, person) DO UPDATE SET id = excluded.id, "
            "hash = excluded.hash, created_at = excluded.created_at, "
            "expires_at = excluded.expires_at"},
    {.name = STATEMENT_LINK_FIND,
     .shape = &link_shape,
     .sql = "SELECT id, tenant, kind, person, hash, created_at, expires_at FROM links "
            "WHERE kind = :kind AND hash = :hash"},
    {.name = STATEMENT_LINK_DELETE, .sql = "DELETE FROM links WHERE id = :link"},
    {.name = STATEMENT_LINK_DELETE_ALL, .sql = "DELETE FROM links"},
};
const struct statement_list session_statements = STATEMENT_LIST(texts);

bool store_put_password(struct store *store, const struct password_row *password,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSWORD_PUT);
    statement_row(statement, password);
    return statement_run(store, statement, NULL, error);
}

bool store_read_password(struct store *store, const char *person, struct arena *arena,
                         struct password_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSWORD_READ);
    statement_text(statement, ":person", person);
    return statement_get(store, statement, person, arena, out, error);
}

bool store_enable_passwords(struct store *store, bool is_enabled, int64_t *out_count,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_PASSWORD_ENABLE_ALL);
    statement_number(statement, ":wanted", is_enabled ? 1 : 0);
    return statement_run(store, statement, out_count, error);
}

bool store_count_admins_with_password(struct store *store, const char *tenant, int64_t *out_count,
                                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_PASSWORD_COUNT_ADMINS);
    statement_text(statement, ":tenant", tenant);
    return statement_count(store, statement, out_count, error);
}

bool store_insert_session(struct store *store, const struct session_row *session,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_INSERT);
    statement_row(statement, session);
    return statement_run(store, statement, NULL, error);
}

bool store_find_session(struct store *store, const struct sha256 *hash, struct session_row *out,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_FIND);
    statement_hash(statement, ":hash", hash);
    return statement_get(store, statement, NULL, NULL, out, error);
}

bool store_list_sessions(struct store *store, const char *person, struct arena *arena,
                         struct session_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_LIST);
    statement_text(statement, ":person", person);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_touch_session(struct store *store, const char *id, int64_t seen_at, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_TOUCH);
    statement_text(statement, ":session", id);
    statement_number(statement, ":at", seen_at);
    return statement_run(store, statement, NULL, error);
}

bool store_delete_sessions(struct store *store, const char *person, const char *keep_id,
                           int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(
        store, person == NULL ? STATEMENT_SESSION_DELETE_ALL : STATEMENT_SESSION_DELETE_OF_PERSON);
    if (person != NULL) {
        statement_text(statement, ":of_person", person);
    }
    statement_text(statement, ":keep", keep_id == NULL ? "" : keep_id);
    return statement_run(store, statement, out_count, error);
}

bool store_delete_session(struct store *store, const char *id, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_DELETE);
    statement_text(statement, ":session", id);
    return statement_run(store, statement, NULL, error);
}

bool store_trim_sessions(struct store *store, const char *person, int64_t keep, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_TRIM);
    statement_text(statement, ":of_person", person);
    statement_number(statement, ":keep", keep);
    return statement_run(store, statement, NULL, error);
}

bool store_purge_sessions(struct store *store, int64_t now, int64_t limit, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_SESSION_PURGE);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", limit);
    return statement_run(store, statement, NULL, error);
}

bool store_put_link(struct store *store, const struct link_row *link, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_LINK_PUT);
    statement_row(statement, link);
    return statement_run(store, statement, NULL, error);
}

bool store_find_link(struct store *store, enum link_kind kind, const struct sha256 *hash,
                     struct link_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_LINK_FIND);
    statement_number(statement, ":kind", kind);
    statement_hash(statement, ":hash", hash);
    return statement_get(store, statement, NULL, NULL, out, error);
}

bool store_delete_link(struct store *store, const char *id, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_LINK_DELETE);
    int64_t changed = 0;
    statement_text(statement, ":link", id);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, id, error);
}

bool store_delete_links(struct store *store, int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_LINK_DELETE_ALL);
    return statement_run(store, statement, out_count, error);
}
