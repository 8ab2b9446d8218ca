/* Passkeys, used challenges, one-time codes. */

#include "store/passkey_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column passkey_columns[] = {
    COLUMN(struct passkey_row, ID, "id", id),
    COLUMN(struct passkey_row, NAME, "tenant", tenant),
    COLUMN(struct passkey_row, ID, "person", person),
    COLUMN(struct passkey_row, TEXT, "label", label),
    COLUMN(struct passkey_row, TEXT, "credential", credential),
    COLUMN(struct passkey_row, TEXT, "key", key),
    COLUMN(struct passkey_row, TEXT, "rp_id", rp_id),
    COLUMN(struct passkey_row, INT64, "sign_count", sign_count),
    COLUMN(struct passkey_row, BOOL, "is_synced", is_synced),
    COLUMN(struct passkey_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct passkey_row, INT64, "created_at", created_at),
    COLUMN(struct passkey_row, INT64, "trusted_at", trusted_at),
    COLUMN(struct passkey_row, INT64, "used_at", used_at),
    COLUMN(struct passkey_row, INT64, "removed_at", removed_at),
};
static const struct shape passkey_shape = SHAPE(struct passkey_row, passkey_columns);

static const struct column totp_columns[] = {
    COLUMN(struct totp_row, ID, "person", person),
    COLUMN(struct totp_row, NAME, "tenant", tenant),
    COLUMN(struct totp_row, TEXT, "secret", secret),
    COLUMN(struct totp_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct totp_row, INT64, "last_step", last_step),
    COLUMN(struct totp_row, INT64, "created_at", created_at),
};
static const struct shape totp_shape = SHAPE(struct totp_row, totp_columns);

#define PASSKEY_COLUMNS                                                                            \
    "id, tenant, person, label, credential, key, rp_id, sign_count, is_synced, is_enabled, "       \
    "created_at, trusted_at, used_at, removed_at"

static const struct statement_text texts[] = {
    {.name = STATEMENT_PASSKEY_INSERT,
     .shape = &passkey_shape,
     .sql = "INSERT INTO passkeys (" PASSKEY_COLUMNS ") VALUES (:id, :tenant, :person, :label, "
            ":credential, :key, :rp_id, :sign_count, :is_synced, :is_enabled, :created_at, "
            ":trusted_at, :used_at, :removed_at)",
     .conflict_code = "passkey_known",
     .conflict_message = "this passkey is registered already, or was and is removed; use another"},
    {.name = STATEMENT_PASSKEY_FIND,
     .shape = &passkey_shape,
     .sql = "SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE credential = :credential"},
    {.name = STATEMENT_PASSKEY_READ,
     .shape = &passkey_shape,
     .sql = "SELECT " PASSKEY_COLUMNS " FROM passkeys WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_PASSKEY_LIST,
     .shape = &passkey_shape,
     .sql = "SELECT " PASSKEY_COLUMNS
            " FROM passkeys WHERE person = :person AND removed_at = 0 ORDER BY row_id"},
    {.name = STATEMENT_PASSKEY_UPDATE,
     .shape = &passkey_shape,
     .sql = "UPDATE passkeys SET label = :label, sign_count = :sign_count, trusted_at = "
            ":trusted_at, used_at = :used_at, removed_at = :removed_at WHERE id = :id AND tenant = "
            ":tenant"},
    {.name = STATEMENT_PASSKEY_COUNT_EVER,
     .sql = "SELECT count(*) FROM passkeys WHERE person = :of_person"},
    {.name = STATEMENT_PASSKEY_COUNT_ADMINS,
     .sql = "SELECT count(*) FROM people WHERE tenant = :tenant AND is_admin = 1 AND is_enabled = "
            "1 AND EXISTS (SELECT 1 FROM passkeys WHERE passkeys.person = people.id)"},
    {.name = STATEMENT_PASSKEY_ENABLE_ALL,
     .sql = "UPDATE passkeys SET is_enabled = :wanted WHERE is_enabled <> :wanted"},
    {.name = STATEMENT_CHALLENGE_INSERT,
     .sql = "INSERT INTO used_challenges (hash, expires_at) VALUES (:hash, :expires_at)",
     .conflict_code = "challenge_used",
     .conflict_message = "this was answered before; begin again"},
    {.name = STATEMENT_CHALLENGE_PURGE,
     .sql = "DELETE FROM used_challenges WHERE hash IN (SELECT hash FROM used_challenges "
            "WHERE expires_at <= :now LIMIT :limit)"},
    {.name = STATEMENT_TOTP_PUT,
     .shape = &totp_shape,
     .sql = "INSERT INTO totp (person, tenant, secret, is_enabled, last_step, created_at) VALUES "
            "(:person, :tenant, :secret, :is_enabled, :last_step, :created_at) ON CONFLICT "
            "(person) DO UPDATE SET secret = excluded.secret, is_enabled = excluded.is_enabled, "
            "last_step = excluded.last_step, created_at = excluded.created_at"},
    {.name = STATEMENT_TOTP_READ,
     .shape = &totp_shape,
     .sql = "SELECT person, tenant, secret, is_enabled, last_step, created_at FROM totp "
            "WHERE person = :person"},
    {.name = STATEMENT_TOTP_DELETE, .sql = "DELETE FROM totp WHERE person = :of_person"},
    {.name = STATEMENT_RECOVERY_CODE_INSERT,
     .sql = "INSERT INTO recovery_codes (person, hash) VALUES (:of_person, :hash)"},
    {.name = STATEMENT_RECOVERY_CODE_USE,
     .sql = "DELETE FROM recovery_codes WHERE person = :of_person AND hash = :hash"},
    {.name = STATEMENT_RECOVERY_CODE_DELETE,
     .sql = "DELETE FROM recovery_codes WHERE person = :of_person"},
    {.name = STATEMENT_RECOVERY_CODE_COUNT,
     .sql = "SELECT count(*) FROM recovery_codes WHERE person = :of_person"},
};
const struct statement_list passkey_statements = STATEMENT_LIST(texts);

bool store_insert_passkey(struct store *store, const struct passkey_row *passkey,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_INSERT);
    statement_row(statement, passkey);
    return statement_run(store, statement, NULL, error);
}

bool store_find_passkey(struct store *store, const char *credential, struct arena *arena,
                        struct passkey_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_FIND);
    statement_text(statement, ":credential", credential);
    return statement_get(store, statement, NULL, arena, out, error);
}

bool store_read_passkey(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct passkey_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_READ);
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_list_passkeys(struct store *store, const char *person, struct arena *arena,
                         struct passkey_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_LIST);
    statement_text(statement, ":person", person);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_update_passkey(struct store *store, const struct passkey_row *passkey,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_UPDATE);
    int64_t changed = 0;
    statement_row(statement, passkey);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, passkey->id, error);
}

bool store_count_passkeys_ever(struct store *store, const char *person, int64_t *out_count,
                               struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_COUNT_EVER);
    statement_text(statement, ":of_person", person);
    return statement_count(store, statement, out_count, error);
}

bool store_count_admins_with_passkey(struct store *store, const char *tenant, int64_t *out_count,
                                     struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_PASSKEY_COUNT_ADMINS);
    statement_text(statement, ":tenant", tenant);
    return statement_count(store, statement, out_count, error);
}

bool store_enable_passkeys(struct store *store, bool is_enabled, int64_t *out_count,
                           struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PASSKEY_ENABLE_ALL);
    statement_number(statement, ":wanted", is_enabled ? 1 : 0);
    return statement_run(store, statement, out_count, error);
}

static bool purge_challenges(struct store *store, int64_t now, int64_t limit, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHALLENGE_PURGE);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", limit);
    return statement_run(store, statement, NULL, error);
}

bool store_use_challenge(struct store *store, const struct sha256 *hash, int64_t expires_at,
                         int64_t now, int64_t limit, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHALLENGE_INSERT);
    statement_hash(statement, ":hash", hash);
    statement_number(statement, ":expires_at", expires_at);
    return statement_run(store, statement, NULL, error) &&
           purge_challenges(store, now, limit, error);
}

bool store_put_totp(struct store *store, const struct totp_row *totp, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TOTP_PUT);
    statement_row(statement, totp);
    return statement_run(store, statement, NULL, error);
}

bool store_read_totp(struct store *store, const char *person, struct arena *arena,
                     struct totp_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TOTP_READ);
    statement_text(statement, ":person", person);
    return statement_get(store, statement, person, arena, out, error);
}

bool store_delete_totp(struct store *store, const char *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TOTP_DELETE);
    statement_text(statement, ":of_person", person);
    return statement_run(store, statement, NULL, error) &&
           store_delete_recovery_codes(store, person, error);
}

bool store_insert_recovery_code(struct store *store, const char *person, const struct sha256 *hash,
                                struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_RECOVERY_CODE_INSERT);
    statement_text(statement, ":of_person", person);
    statement_hash(statement, ":hash", hash);
    return statement_run(store, statement, NULL, error);
}

bool store_use_recovery_code(struct store *store, const char *person, const struct sha256 *hash,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_RECOVERY_CODE_USE);
    int64_t changed = 0;
    statement_text(statement, ":of_person", person);
    statement_hash(statement, ":hash", hash);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, NULL, error);
}

bool store_delete_recovery_codes(struct store *store, const char *person, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_RECOVERY_CODE_DELETE);
    statement_text(statement, ":of_person", person);
    return statement_run(store, statement, NULL, error);
}

bool store_count_recovery_codes(struct store *store, const char *person, int64_t *out_count,
                                struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_RECOVERY_CODE_COUNT);
    statement_text(statement, ":of_person", person);
    return statement_count(store, statement, out_count, error);
}
