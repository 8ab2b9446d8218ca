/* Tenants. */

#include "store/tenant_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct tenant_row, NAME, "name", name),
    COLUMN(struct tenant_row, INT64, "created_at", created_at),
};
static const struct shape tenant_shape = SHAPE(struct tenant_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_TENANT_INSERT,
     .shape = &tenant_shape,
     .sql = "INSERT INTO tenants (name, created_at) VALUES (:name, :created_at)",
     .conflict_code = "name_taken",
     .conflict_message = "there is a tenant of this name already"},
    {.name = STATEMENT_TENANT_FIND, .sql = "SELECT count(*) FROM tenants WHERE name = :name"},
    {.name = STATEMENT_TENANT_COUNT, .sql = "SELECT count(*) FROM tenants"},
    {.name = STATEMENT_TENANT_LIST,
     .shape = &tenant_shape,
     .sql = "SELECT name, created_at FROM tenants ORDER BY name"},
};
const struct statement_list tenant_statements = STATEMENT_LIST(texts);

bool store_insert_tenant(struct store *store, const struct tenant_row *tenant, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TENANT_INSERT);
    statement_row(statement, tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_find_tenant(struct store *store, const char *name, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TENANT_FIND);
    int64_t count = 0;
    statement_text(statement, ":name", name);
    if (!statement_count(store, statement, &count, error)) {
        return false;
    }
    *out_found = count > 0;
    return true;
}

bool store_count_tenants(struct store *store, int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TENANT_COUNT);
    return statement_count(store, statement, out_count, error);
}

bool store_list_tenants(struct store *store, struct arena *arena, struct tenant_row **out,
                        size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TENANT_LIST);
    return statement_collect(store, statement, arena, out, out_count, error);
}
