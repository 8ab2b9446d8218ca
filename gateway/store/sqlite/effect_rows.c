/* Effects still open. */

#include "store/grant_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct statement_text texts[] = {
    {.name = STATEMENT_EFFECT_OPEN,
     .sql = "INSERT INTO open_effects (tenant, effect_key, grant_id) "
            "VALUES (:tenant, :effect_key, :grant_id)"},
    {.name = STATEMENT_EFFECT_CLOSE,
     .sql = "DELETE FROM open_effects WHERE grant_id = :grant_id AND tenant = :tenant"},
    {.name = STATEMENT_EFFECT_FIND,
     .sql = "SELECT grant_id FROM open_effects "
            "WHERE tenant = :tenant AND effect_key = :effect_key ORDER BY grant_id LIMIT 1"},
};
const struct statement_list effect_statements = STATEMENT_LIST(texts);

bool store_open_effect(struct store *store, const char *tenant, const struct sha256 *effect_key,
                       const char *grant, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EFFECT_OPEN);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":effect_key", effect_key);
    statement_text(statement, ":grant_id", grant);
    return statement_run(store, statement, NULL, error);
}

bool store_close_effect(struct store *store, const char *tenant, const char *grant,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EFFECT_CLOSE);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":grant_id", grant);
    return statement_run(store, statement, NULL, error);
}

bool store_find_open_effect(struct store *store, const char *tenant,
                            const struct sha256 *effect_key, char out_grant[ID_BYTES],
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EFFECT_FIND);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":effect_key", effect_key);
    return statement_find_id(store, statement, out_grant, error);
}
