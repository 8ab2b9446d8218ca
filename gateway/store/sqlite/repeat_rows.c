/* What recognises a repeat: denials by people, idempotency keys, and forgetting both. */

#include "base/check.h"
#include "store/access_rows.h"
#include "store/request_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct idempotency_row, ID, "request", request),
    COLUMN(struct idempotency_row, HASH, "body", body),
};
static const struct shape idempotency_shape = SHAPE(struct idempotency_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_DENIAL_INSERT,
     .sql = "INSERT INTO denials (tenant, match_key, near_key, request, at) "
            "VALUES (:tenant, :match_key, :near_key, :request, :at)"},
    {.name = STATEMENT_DENIAL_FIND,
     .sql = "SELECT request FROM denials INDEXED BY denials_match WHERE tenant = :tenant "
            "AND match_key = :match_key AND at >= :since ORDER BY at DESC LIMIT 1"},
    {.name = STATEMENT_DENIAL_COUNT_NEAR,
     /* Each submission asks, and nearly always there are none: counting what is distinct makes a
      * table for it even then. */
     .sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM denials INDEXED BY denials_near "
            "WHERE tenant = :tenant AND near_key = :near_key AND at >= :since) "
            "THEN (SELECT count(DISTINCT request) FROM denials INDEXED BY denials_near "
            "WHERE tenant = :tenant AND near_key = :near_key AND at >= :since) ELSE 0 END"},
    {.name = STATEMENT_DENIAL_PURGE,
     .sql = "DELETE FROM denials WHERE at < :before AND row_id IN "
            "(SELECT row_id FROM denials ORDER BY row_id LIMIT :limit)"},
    {.name = STATEMENT_IDEMPOTENCY_INSERT,
     .shape = &idempotency_shape,
     .sql = "INSERT INTO idempotency_keys (tenant, caller, name, request, body, at) "
            "VALUES (:tenant, :caller, :name, :request, :body, :at)",
     .conflict_code = "key_taken",
     .conflict_message = "the idempotency key is already used"},
    {.name = STATEMENT_IDEMPOTENCY_FIND,
     .shape = &idempotency_shape,
     .sql = "SELECT request, body FROM idempotency_keys "
            "WHERE tenant = :tenant AND caller = :caller AND name = :name"},
    /* The last of the next :limit rows, from where the former call stopped. */
    {.name = STATEMENT_IDEMPOTENCY_LOOK_OVER,
     .sql = "SELECT max(row_id) FROM (SELECT row_id FROM idempotency_keys "
            "WHERE row_id > :after_row ORDER BY row_id LIMIT :limit)"},
    {.name = STATEMENT_IDEMPOTENCY_PURGE,
     .sql = "DELETE FROM idempotency_keys WHERE row_id > :after_row AND row_id <= :last_row "
            "AND at < :before AND NOT EXISTS (SELECT 1 FROM requests "
            "WHERE requests.tenant = idempotency_keys.tenant "
            "AND requests.id = idempotency_keys.request "
            "AND (requests.ended_at = 0 OR requests.ended_at >= :before)) "
            "AND NOT EXISTS (SELECT 1 FROM task_requests JOIN requests "
            "ON requests.id = task_requests.request "
            "WHERE task_requests.task = idempotency_keys.request "
            "AND (requests.ended_at = 0 OR requests.ended_at >= :before))"},
};
const struct statement_list repeat_statements = STATEMENT_LIST(texts);

bool store_insert_denial(struct store *store, const char *tenant, const struct sha256 *match_key,
                         const struct sha256 *near_key, const char *request, int64_t at,
                         struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_DENIAL_INSERT);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":match_key", match_key);
    statement_hash(statement, ":near_key", near_key);
    statement_text(statement, ":request", request);
    statement_number(statement, ":at", at);
    return statement_run(store, statement, NULL, error);
}

bool store_find_denial(struct store *store, const char *tenant, const struct sha256 *match_key,
                       int64_t since, char out_request[ID_BYTES], struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_DENIAL_FIND);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":match_key", match_key);
    statement_number(statement, ":since", since);
    return statement_find_id(store, statement, out_request, error);
}

bool store_count_near_denials(struct store *store, const char *tenant,
                              const struct sha256 *near_key, int64_t since, int64_t *out_count,
                              struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_DENIAL_COUNT_NEAR);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":near_key", near_key);
    statement_number(statement, ":since", since);
    return statement_count(store, statement, out_count, error);
}

bool store_insert_idempotency(struct store *store, const char *tenant, const char *caller,
                              const char *key, const struct idempotency_row *row, int64_t at,
                              struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_IDEMPOTENCY_INSERT);
    statement_row(statement, row);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":caller", caller);
    statement_text(statement, ":name", key);
    statement_number(statement, ":at", at);
    return statement_run(store, statement, NULL, error);
}

bool store_find_idempotency(struct store *store, const char *tenant, const char *caller,
                            const char *key, struct idempotency_row *out, bool *out_found,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_IDEMPOTENCY_FIND);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":caller", caller);
    statement_text(statement, ":name", key);
    return statement_find(store, statement, NULL, out, out_found, error);
}

static bool purge_denials(struct store *store, int64_t now, size_t limit, int64_t *out_purged,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_DENIAL_PURGE);
    statement_number(statement, ":before", now - STORE_DENIAL_KEEP_MS);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_run(store, statement, out_purged, error);
}

/* Keys of requests that still live stay among those that are over, so the rows are looked over in
 * turn, a bounded stretch a call, from the front again after the last. */
static bool purge_idempotency(struct store *store, int64_t now, size_t limit, int64_t *out_purged,
                              struct error *error)
{
    struct statement *look STATEMENT_SCOPE = statement_of(store, STATEMENT_IDEMPOTENCY_LOOK_OVER);
    int64_t last = 0;
    statement_number(look, ":after_row", store->idempotency_cursor);
    statement_number(look, ":limit", (int64_t)limit);
    if (!statement_count(store, look, &last, error)) {
        return false;
    }
    struct statement *purge STATEMENT_SCOPE = statement_of(store, STATEMENT_IDEMPOTENCY_PURGE);
    statement_number(purge, ":after_row", store->idempotency_cursor);
    statement_number(purge, ":last_row", last);
    statement_number(purge, ":before", now - STORE_IDEMPOTENCY_KEEP_MS);
    if (!statement_run(store, purge, out_purged, error)) {
        return false;
    }
    store->idempotency_cursor = last;
    return true;
}

bool store_purge_expired(struct store *store, int64_t now, size_t limit, int64_t *out_purged,
                         struct error *error)
{
    int64_t denials = 0;
    int64_t keys = 0;
    int64_t evaluations = 0;
    if (!purge_denials(store, now, limit, &denials, error) ||
        !purge_idempotency(store, now, limit, &keys, error) ||
        !store_purge_evaluations(store, now - STORE_IDEMPOTENCY_KEEP_MS, limit, &evaluations,
                                 error)) {
        return false;
    }
    *out_purged = denials + keys + evaluations;
    return true;
}
