/* API keys and personal tokens. */

#include "store/people_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct credential_row, ID, "id", id),
    COLUMN(struct credential_row, NAME, "tenant", tenant),
    COLUMN(struct credential_row, INT, "kind", kind),
    COLUMN(struct credential_row, ID, "owner", owner),
    COLUMN(struct credential_row, HASH, "hash", hash),
    COLUMN(struct credential_row, TEXT, "label", label),
    COLUMN(struct credential_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct credential_row, TEXT, "disabled_reason", disabled_reason),
    COLUMN(struct credential_row, INT64, "created_at", created_at),
    COLUMN(struct credential_row, INT64, "expires_at", expires_at),
};
static const struct shape credential_shape = SHAPE(struct credential_row, columns);

#define SELECT_CREDENTIAL                                                                          \
    "SELECT id, tenant, kind, owner, hash, label, is_enabled, disabled_reason, created_at, "       \
    "expires_at FROM credentials "

static const struct statement_text texts[] = {
    {.name = STATEMENT_CREDENTIAL_INSERT,
     .shape = &credential_shape,
     .sql = "INSERT INTO credentials (id, tenant, kind, owner, hash, label, is_enabled, "
            "disabled_reason, created_at, expires_at) VALUES (:id, :tenant, :kind, :owner, :hash, "
            ":label, :is_enabled, :disabled_reason, :created_at, :expires_at)"},
    {.name = STATEMENT_CREDENTIAL_FIND,
     .shape = &credential_shape,
     .sql = SELECT_CREDENTIAL "WHERE kind = :kind AND hash = :hash"},
    {.name = STATEMENT_CREDENTIAL_READ,
     .shape = &credential_shape,
     .sql = SELECT_CREDENTIAL "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_CREDENTIAL_UPDATE,
     .shape = &credential_shape,
     .sql = "UPDATE credentials SET is_enabled = :is_enabled, disabled_reason = :disabled_reason "
            "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_CREDENTIAL_DISABLE_ALL,
     .sql = "UPDATE credentials SET is_enabled = 0, disabled_reason = :because "
            "WHERE is_enabled = 1"},
    {.name = STATEMENT_CREDENTIAL_DISABLE_OWNED,
     .sql = "UPDATE credentials SET is_enabled = 0, disabled_reason = :because "
            "WHERE is_enabled = 1 AND owner = :only_owner"},
    {.name = STATEMENT_CREDENTIAL_ENABLE,
     .sql = "UPDATE credentials SET is_enabled = 1, disabled_reason = NULL "
            "WHERE is_enabled = 0 AND disabled_reason = :because"},
    {.name = STATEMENT_CREDENTIAL_LIST,
     .shape = &credential_shape,
     .sql = SELECT_CREDENTIAL "WHERE tenant = :tenant ORDER BY row_id"},
    {.name = STATEMENT_CREDENTIAL_LIST_OWNED,
     .shape = &credential_shape,
     .sql = SELECT_CREDENTIAL "WHERE owner = :owner AND tenant = :tenant ORDER BY row_id"},
};
const struct statement_list credential_statements = STATEMENT_LIST(texts);

bool store_insert_credential(struct store *store, const struct credential_row *credential,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CREDENTIAL_INSERT);
    statement_row(statement, credential);
    return statement_run(store, statement, NULL, error);
}

bool store_find_credential(struct store *store, enum credential_kind kind,
                           const struct sha256 *hash, struct arena *arena,
                           struct credential_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CREDENTIAL_FIND);
    statement_number(statement, ":kind", kind);
    statement_hash(statement, ":hash", hash);
    return statement_get(store, statement, NULL, arena, out, error);
}

bool store_read_credential(struct store *store, const char *tenant, const char *id,
                           struct arena *arena, struct credential_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CREDENTIAL_READ);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":id", id);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_update_credential(struct store *store, const struct credential_row *credential,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CREDENTIAL_UPDATE);
    int64_t changed = 0;
    statement_row(statement, credential);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, credential->id, error);
}

bool store_disable_credentials(struct store *store, const char *owner, const char *reason,
                               int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, owner == NULL ? STATEMENT_CREDENTIAL_DISABLE_ALL
                                          : STATEMENT_CREDENTIAL_DISABLE_OWNED);
    if (owner != NULL) {
        statement_text(statement, ":only_owner", owner);
    }
    statement_text(statement, ":because", reason);
    return statement_run(store, statement, out_count, error);
}

bool store_enable_credentials(struct store *store, const char *disabled_reason, int64_t *out_count,
                              struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CREDENTIAL_ENABLE);
    statement_text(statement, ":because", disabled_reason);
    return statement_run(store, statement, out_count, error);
}

bool store_list_credentials(struct store *store, const char *tenant, const char *owner,
                            struct arena *arena, struct credential_row **out, size_t *out_count,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(
        store, owner == NULL ? STATEMENT_CREDENTIAL_LIST : STATEMENT_CREDENTIAL_LIST_OWNED);
    statement_text(statement, ":tenant", tenant);
    if (owner != NULL) {
        statement_text(statement, ":owner", owner);
    }
    return statement_collect(store, statement, arena, out, out_count, error);
}
