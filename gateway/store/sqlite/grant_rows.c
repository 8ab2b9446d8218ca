/* Grants and their one redemption. */

#include "store/grant_rows.h"

#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct grant_row, ID, "id", id),
    COLUMN(struct grant_row, NAME, "tenant", tenant),
    COLUMN(struct grant_row, ID, "request", request),
    COLUMN(struct grant_row, ID, "caller", caller),
    COLUMN(struct grant_row, ID, "agent", agent),
    COLUMN(struct grant_row, INT, "state", state),
    COLUMN(struct grant_row, INT64, "version", version),
    COLUMN(struct grant_row, INT64, "epoch", epoch),
    COLUMN(struct grant_row, HASH, "digest", digest),
    COLUMN(struct grant_row, HASH, "effect_key", effect_key),
    COLUMN(struct grant_row, TEXT, "audience", audience),
    COLUMN(struct grant_row, BOOL, "is_bearer", is_bearer),
    COLUMN(struct grant_row, INT64, "ttl_ms", ttl_ms),
    COLUMN(struct grant_row, INT64, "issued_at", issued_at),
    COLUMN(struct grant_row, INT64, "claim_until", claim_until),
    COLUMN(struct grant_row, INT, "mint_count", mint_count),
    COLUMN(struct grant_row, ID, "token", token),
    COLUMN(struct grant_row, INT64, "token_issued_at", token_issued_at),
    COLUMN(struct grant_row, INT64, "token_expires_at", token_expires_at),
    COLUMN(struct grant_row, INT64, "redeemed_at", redeemed_at),
    COLUMN(struct grant_row, ID, "redeemer", redeemer),
    COLUMN(struct grant_row, INT64, "fence", fence),
    COLUMN(struct grant_row, INT64, "effect_due_at", effect_due_at),
    COLUMN(struct grant_row, INT64, "effect_at", effect_at),
    COLUMN(struct grant_row, TEXT, "effect_summary", effect_summary),
    COLUMN(struct grant_row, TEXT, "effect_digest", effect_digest),
    COLUMN(struct grant_row, ID, "resolved_by", resolved_by),
    COLUMN(struct grant_row, INT64, "ended_at", ended_at),
    COLUMN(struct grant_row, TEXT, "ended_reason", ended_reason),
    COLUMN(struct grant_row, INT64, "due_at", due_at),
    COLUMN(struct grant_row, TEXT, "confirmation", confirmation),
};
static const struct shape grant_shape = SHAPE(struct grant_row, columns);

#define SELECT_GRANT                                                                               \
    "SELECT id, tenant, request, caller, agent, state, version, epoch, digest, effect_key, "       \
    "audience, is_bearer, ttl_ms, issued_at, claim_until, mint_count, token, token_issued_at, "    \
    "token_expires_at, redeemed_at, redeemer, fence, effect_due_at, effect_at, effect_summary, "   \
    "effect_digest, resolved_by, ended_at, ended_reason, due_at, confirmation FROM "               \
    "grants "

static const struct statement_text texts[] = {
    {.name = STATEMENT_GRANT_INSERT,
     .shape = &grant_shape,
     .sql = "INSERT INTO grants (id, tenant, request, caller, agent, state, version, epoch, "
            "digest, effect_key, audience, is_bearer, ttl_ms, issued_at, claim_until, mint_count, "
            "token, token_issued_at, token_expires_at, redeemed_at, redeemer, fence, "
            "effect_due_at, effect_at, effect_summary, effect_digest, resolved_by, ended_at, "
            "ended_reason, due_at, confirmation) "
            "VALUES (:id, :tenant, :request, :caller, :agent, :state, :version, :epoch, :digest, "
            ":effect_key, :audience, :is_bearer, :ttl_ms, :issued_at, :claim_until, :mint_count, "
            ":token, :token_issued_at, :token_expires_at, :redeemed_at, :redeemer, :fence, "
            ":effect_due_at, :effect_at, :effect_summary, :effect_digest, :resolved_by, :ended_at, "
            ":ended_reason, :due_at, coalesce(:confirmation, ''))"},
    {.name = STATEMENT_GRANT_READ,
     .shape = &grant_shape,
     .sql = SELECT_GRANT "WHERE tenant = :tenant AND id = :id"},
    {.name = STATEMENT_GRANT_UPDATE,
     .shape = &grant_shape,
     .sql = "UPDATE grants SET state = :state, version = :version + 1, mint_count = :mint_count, "
            "token = :token, token_issued_at = :token_issued_at, "
            "token_expires_at = :token_expires_at, redeemed_at = :redeemed_at, "
            "redeemer = :redeemer, fence = :fence, effect_due_at = :effect_due_at, "
            "effect_at = :effect_at, effect_summary = :effect_summary, "
            "effect_digest = :effect_digest, resolved_by = :resolved_by, ended_at = :ended_at, "
            "ended_reason = :ended_reason, due_at = :due_at, confirmation = "
            "coalesce(:confirmation, '') "
            "WHERE tenant = :tenant AND id = :id AND version = :version"},
    {.name = STATEMENT_REDEMPTION_INSERT,
     .sql = "INSERT INTO redemptions (fence, grant_id, at) VALUES (:fence, :grant_id, :at)",
     .conflict_code = "already_redeemed",
     .conflict_message = "the grant is already redeemed, or the fence already handed out"},
    {.name = STATEMENT_GRANT_LIST_DUE,
     .shape = &grant_shape,
     .sql = SELECT_GRANT "INDEXED BY grants_due WHERE due_at > 0 AND due_at <= :now "
                         "ORDER BY due_at LIMIT :limit"},
    {.name = STATEMENT_GRANT_LIST_ISSUED,
     .shape = &grant_shape,
     .sql = SELECT_GRANT "INDEXED BY grants_issued WHERE state = 1 AND id > :after_id "
                         "AND (:only_tenant IS NULL OR tenant = :only_tenant) "
                         "ORDER BY id LIMIT :limit"},
    /* Issued grants are few; what a person ever approved is not. */
    {.name = STATEMENT_GRANT_LIST_ISSUED_RESTING_ON,
     .shape = &grant_shape,
     .sql = SELECT_GRANT "INDEXED BY grants_issued WHERE state = 1 AND EXISTS "
                         "(SELECT 1 FROM grant_approvers WHERE grant_approvers.grant_id = "
                         "grants.id AND grant_approvers.person = :person) ORDER BY id"},
    {.name = STATEMENT_GRANT_APPROVER_INSERT,
     .sql = "INSERT INTO grant_approvers (grant_id, person) VALUES (:grant_id, :person)"},
    {.name = STATEMENT_GRANT_APPROVER_COUNT,
     .sql = "SELECT count(*) FROM grant_approvers WHERE grant_id = :grant_id "
            "AND person = :person"},
};
const struct statement_list grant_statements = STATEMENT_LIST(texts);

bool store_insert_grant(struct store *store, const struct grant_row *grant, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_INSERT);
    statement_row(statement, grant);
    return statement_run(store, statement, NULL, error);
}

bool store_read_grant(struct store *store, const char *tenant, const char *id, struct arena *arena,
                      struct grant_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_READ);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":id", id);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_update_grant(struct store *store, struct grant_row *grant, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_UPDATE);
    int64_t changed = 0;
    statement_row(statement, grant);
    if (!statement_run(store, statement, &changed, error) ||
        !store_must_change_one(changed, "changed", grant->id, error)) {
        return false;
    }
    grant->version++;
    return true;
}

bool store_insert_redemption(struct store *store, const char *grant, int64_t fence, int64_t at,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REDEMPTION_INSERT);
    statement_text(statement, ":grant_id", grant);
    statement_number(statement, ":fence", fence);
    statement_number(statement, ":at", at);
    return statement_run(store, statement, NULL, error);
}

bool store_list_due_grants(struct store *store, int64_t now, size_t limit, struct arena *arena,
                           struct grant_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_LIST_DUE);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_issued_grants(struct store *store, const char *tenant, const char *after_id,
                              size_t limit, struct arena *arena, struct grant_row **out,
                              size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_GRANT_LIST_ISSUED);
    statement_text(statement, ":only_tenant", tenant);
    statement_text(statement, ":after_id", after_id == NULL ? "" : after_id);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_insert_grant_approver(struct store *store, const char *grant, const char *person,
                                 struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_GRANT_APPROVER_INSERT);
    statement_text(statement, ":grant_id", grant);
    statement_text(statement, ":person", person);
    return statement_run(store, statement, NULL, error);
}

bool store_grant_rests_on(struct store *store, const char *grant, const char *person,
                          bool *out_rests, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_GRANT_APPROVER_COUNT);
    int64_t count;
    statement_text(statement, ":grant_id", grant);
    statement_text(statement, ":person", person);
    if (!statement_count(store, statement, &count, error)) {
        return false;
    }
    *out_rests = count > 0;
    return true;
}

bool store_list_issued_grants_resting_on(struct store *store, const char *person,
                                         struct arena *arena, struct grant_row **out,
                                         size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_GRANT_LIST_ISSUED_RESTING_ON);
    statement_text(statement, ":person", person);
    return statement_collect(store, statement, arena, out, out_count, error);
}
