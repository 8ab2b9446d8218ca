/* Agents. */

#include "store/people_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct agent_row, ID, "id", id),
    COLUMN(struct agent_row, NAME, "tenant", tenant),
    COLUMN(struct agent_row, NAME, "name", name),
    COLUMN(struct agent_row, ID, "owner", owner),
    COLUMN(struct agent_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct agent_row, INT64, "created_at", created_at),
};
static const struct shape agent_shape = SHAPE(struct agent_row, columns);

#define SELECT_AGENT "SELECT id, tenant, name, owner, is_enabled, created_at FROM agents "

static const struct statement_text texts[] = {
    {.name = STATEMENT_AGENT_INSERT,
     .shape = &agent_shape,
     .sql = "INSERT INTO agents (id, tenant, name, owner, is_enabled, created_at) "
            "VALUES (:id, :tenant, :name, :owner, :is_enabled, :created_at)",
     .conflict_code = "name_taken",
     .conflict_message = "another agent of the tenant has this name"},
    {.name = STATEMENT_AGENT_BY_ID,
     .shape = &agent_shape,
     .sql = SELECT_AGENT "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_AGENT_BY_NAME,
     .shape = &agent_shape,
     .sql = SELECT_AGENT "WHERE tenant = :tenant AND name = :name"},
    {.name = STATEMENT_AGENT_UPDATE,
     .shape = &agent_shape,
     .sql = "UPDATE agents SET owner = :owner, is_enabled = :is_enabled "
            "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_AGENT_LIST,
     .shape = &agent_shape,
     .sql =
         SELECT_AGENT "WHERE tenant = :tenant AND name > :after_name ORDER BY name LIMIT :limit"},
};
const struct statement_list agent_statements = STATEMENT_LIST(texts);

bool store_insert_agent(struct store *store, const struct agent_row *agent, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_AGENT_INSERT);
    statement_row(statement, agent);
    return statement_run(store, statement, NULL, error);
}

bool store_read_agent(struct store *store, const char *tenant, const char *name_or_id,
                      struct arena *arena, struct agent_row *out, struct error *error)
{
    return statement_get_named(store, STATEMENT_AGENT_BY_ID, STATEMENT_AGENT_BY_NAME, tenant,
                               name_or_id, arena, out, error);
}

bool store_update_agent(struct store *store, const struct agent_row *agent, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_AGENT_UPDATE);
    int64_t changed = 0;
    statement_row(statement, agent);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, agent->id, error);
}

bool store_list_agents(struct store *store, const char *tenant, const char *after_name,
                       size_t limit, struct arena *arena, struct agent_row **out, size_t *out_count,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_AGENT_LIST);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":after_name", after_name == NULL ? "" : after_name);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}
