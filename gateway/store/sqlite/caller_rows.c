/* Callers and what they may speak for. */

#include "store/people_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct caller_row, ID, "id", id),
    COLUMN(struct caller_row, NAME, "tenant", tenant),
    COLUMN(struct caller_row, NAME, "name", name),
    COLUMN(struct caller_row, BOOL, "is_enabled", is_enabled),
    COLUMN(struct caller_row, INT64, "created_at", created_at),
    COLUMN(struct caller_row, BOOL, "keeps_unverified", keeps_unverified),
};
static const struct shape caller_shape = SHAPE(struct caller_row, columns);

#define SELECT_CALLER                                                                              \
    "SELECT id, tenant, name, is_enabled, created_at, keeps_unverified FROM callers "

static const struct statement_text texts[] = {
    {.name = STATEMENT_CALLER_INSERT,
     .shape = &caller_shape,
     .sql = "INSERT INTO callers (id, tenant, name, is_enabled, created_at, keeps_unverified) "
            "VALUES (:id, :tenant, :name, :is_enabled, :created_at, :keeps_unverified)",
     .conflict_code = "name_taken",
     .conflict_message = "another caller of the tenant has this name"},
    {.name = STATEMENT_CALLER_BY_ID,
     .shape = &caller_shape,
     .sql = SELECT_CALLER "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_CALLER_BY_NAME,
     .shape = &caller_shape,
     .sql = SELECT_CALLER "WHERE tenant = :tenant AND name = :name"},
    {.name = STATEMENT_CALLER_UPDATE,
     .shape = &caller_shape,
     .sql = "UPDATE callers SET is_enabled = :is_enabled, "
            "keeps_unverified = :keeps_unverified WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_CALLER_LIST,
     .shape = &caller_shape,
     .sql =
         SELECT_CALLER "WHERE tenant = :tenant AND name > :after_name ORDER BY name LIMIT :limit"},
    {.name = STATEMENT_CALLER_LIST_INSERT,
     .sql = "INSERT INTO caller_lists (caller, list, place, entry) "
            "VALUES (:caller, :list, :place, :entry)"},
    {.name = STATEMENT_CALLER_LIST_DELETE,
     .sql = "DELETE FROM caller_lists WHERE caller = :caller"},
    {.name = STATEMENT_CALLER_LIST_READ,
     .sql = "SELECT entry FROM caller_lists WHERE caller = :caller AND list = :list "
            "ORDER BY place"},
};
const struct statement_list caller_statements = STATEMENT_LIST(texts);

static bool insert_list(struct store *store, const char *caller, const char *list,
                        const char **entries, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct statement *statement STATEMENT_SCOPE =
            statement_of(store, STATEMENT_CALLER_LIST_INSERT);
        statement_text(statement, ":caller", caller);
        statement_text(statement, ":list", list);
        statement_number(statement, ":place", (int64_t)i);
        statement_text(statement, ":entry", entries[i]);
        if (!statement_run(store, statement, NULL, error)) {
            return false;
        }
    }
    return true;
}

static bool insert_lists(struct store *store, const struct caller_row *caller, struct error *error)
{
    return insert_list(store, caller->id, "agent", caller->agents, caller->agent_count, error) &&
           insert_list(store, caller->id, "subject", caller->subjects, caller->subject_count,
                       error) &&
           insert_list(store, caller->id, "audience", caller->audiences, caller->audience_count,
                       error);
}

bool store_insert_caller(struct store *store, const struct caller_row *caller, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CALLER_INSERT);
    statement_row(statement, caller);
    return statement_run(store, statement, NULL, error) && insert_lists(store, caller, error);
}

static bool read_list(struct store *store, const char *caller, const char *list,
                      struct arena *arena, const char ***out, size_t *out_count,
                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CALLER_LIST_READ);
    statement_text(statement, ":caller", caller);
    statement_text(statement, ":list", list);
    return statement_collect_texts(store, statement, arena, out, out_count, error);
}

static bool read_lists(struct store *store, struct arena *arena, struct caller_row *caller,
                       struct error *error)
{
    return read_list(store, caller->id, "agent", arena, &caller->agents, &caller->agent_count,
                     error) &&
           read_list(store, caller->id, "subject", arena, &caller->subjects, &caller->subject_count,
                     error) &&
           read_list(store, caller->id, "audience", arena, &caller->audiences,
                     &caller->audience_count, error);
}

bool store_read_caller(struct store *store, const char *tenant, const char *name_or_id,
                       struct arena *arena, struct caller_row *out, struct error *error)
{
    struct caller_row caller = {0};
    if (!statement_get_named(store, STATEMENT_CALLER_BY_ID, STATEMENT_CALLER_BY_NAME, tenant,
                             name_or_id, arena, &caller, error) ||
        !read_lists(store, arena, &caller, error)) {
        return false;
    }
    *out = caller;
    return true;
}

static bool delete_lists(struct store *store, const char *caller, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CALLER_LIST_DELETE);
    statement_text(statement, ":caller", caller);
    return statement_run(store, statement, NULL, error);
}

bool store_update_caller(struct store *store, const struct caller_row *caller, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CALLER_UPDATE);
    int64_t changed = 0;
    statement_row(statement, caller);
    return statement_run(store, statement, &changed, error) &&
           store_must_find_one(changed, caller->id, error) &&
           delete_lists(store, caller->id, error) && insert_lists(store, caller, error);
}

bool store_list_callers(struct store *store, const char *tenant, const char *after_name,
                        size_t limit, struct arena *arena, struct caller_row **out,
                        size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CALLER_LIST);
    struct caller_row *callers = NULL;
    size_t count = 0;
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":after_name", after_name == NULL ? "" : after_name);
    statement_number(statement, ":limit", (int64_t)limit);
    if (!statement_collect(store, statement, arena, &callers, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_lists(store, arena, &callers[i], error)) {
            return false;
        }
    }
    *out = callers;
    *out_count = count;
    return true;
}
