/* Evaluations that may be asked about, and tasks. */

#include "store/access_rows.h"

#include "store/sqlite/driver_internal.h"

static const struct column evaluation_columns[] = {
    COLUMN(struct evaluation_row, ID, "id", id),
    COLUMN(struct evaluation_row, NAME, "tenant", tenant),
    COLUMN(struct evaluation_row, ID, "caller", caller),
    COLUMN(struct evaluation_row, HASH, "binding", binding),
    COLUMN(struct evaluation_row, TEXT, "members", members),
    COLUMN(struct evaluation_row, INT64, "expires_at", expires_at),
    COLUMN(struct evaluation_row, ID, "task", task),
};
static const struct shape evaluation_shape = SHAPE(struct evaluation_row, evaluation_columns);

static const struct column task_columns[] = {
    COLUMN(struct task_row, ID, "id", id),
    COLUMN(struct task_row, NAME, "tenant", tenant),
    COLUMN(struct task_row, ID, "caller", caller),
    COLUMN(struct task_row, BOOL, "is_bulk", is_bulk),
    COLUMN(struct task_row, INT64, "created_at", created_at),
    COLUMN(struct task_row, TEXT, "callback", callback),
    COLUMN(struct task_row, TEXT, "callback_channel", callback_channel),
    COLUMN(struct task_row, TEXT, "callback_events", callback_events),
    COLUMN(struct task_row, TEXT, "callback_state", callback_state),
};
static const struct shape task_shape = SHAPE(struct task_row, task_columns);

#define TASK_CALLBACK "callback, callback_channel, callback_events, callback_state"

static const struct statement_text texts[] = {
    {.name = STATEMENT_EVALUATION_INSERT,
     .shape = &evaluation_shape,
     .sql = "INSERT INTO evaluations (id, tenant, caller, binding, members, expires_at, task) "
            "VALUES (:id, :tenant, :caller, :binding, :members, :expires_at, :task)"},
    {.name = STATEMENT_EVALUATION_FIND,
     .shape = &evaluation_shape,
     .sql = "SELECT id, tenant, caller, binding, members, expires_at, task FROM evaluations "
            "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_EVALUATION_USE,
     .sql = "UPDATE evaluations SET task = :task WHERE id = :id AND tenant = :tenant "
            "AND task = ''"},
    {.name = STATEMENT_EVALUATION_PURGE,
     .sql = "DELETE FROM evaluations WHERE row_id IN (SELECT row_id FROM evaluations INDEXED BY "
            "evaluations_by_end WHERE expires_at < :before ORDER BY expires_at LIMIT :limit)"},
    {.name = STATEMENT_TASK_INSERT,
     .shape = &task_shape,
     .sql = "INSERT INTO tasks (id, tenant, caller, is_bulk, created_at, " TASK_CALLBACK ") "
            "VALUES (:id, :tenant, :caller, :is_bulk, :created_at, :callback, "
            ":callback_channel, :callback_events, :callback_state)"},
    {.name = STATEMENT_TASK_FIND,
     .shape = &task_shape,
     .sql = "SELECT id, tenant, caller, is_bulk, created_at, " TASK_CALLBACK " FROM tasks "
            "WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_TASK_LIST_TOLD,
     .shape = &task_shape,
     .sql = "SELECT id, tenant, caller, is_bulk, created_at, " TASK_CALLBACK " FROM tasks "
            "WHERE tenant = :tenant AND callback <> '' AND id IN (SELECT task FROM task_requests "
            "WHERE request = :request) ORDER BY row_id LIMIT :limit"},
    {.name = STATEMENT_TASK_FIND_OF,
     .sql = "SELECT tasks.id FROM task_requests JOIN tasks ON tasks.id = task_requests.task "
            "WHERE task_requests.request = :request AND tasks.tenant = :tenant "
            "AND tasks.caller = :caller AND tasks.is_bulk = 0 ORDER BY tasks.row_id LIMIT 1"},
    {.name = STATEMENT_TASK_REQUEST_INSERT,
     .sql = "INSERT INTO task_requests (task, tenant, number, request) "
            "VALUES (:task, :tenant, :number, :request)"},
    {.name = STATEMENT_TASK_REQUEST_LIST,
     .sql = "SELECT request FROM task_requests WHERE task = :task AND tenant = :tenant "
            "ORDER BY number"},
};
const struct statement_list access_statements = STATEMENT_LIST(texts);

bool store_insert_evaluation(struct store *store, const struct evaluation_row *evaluation,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EVALUATION_INSERT);
    statement_row(statement, evaluation);
    return statement_run(store, statement, NULL, error);
}

bool store_find_evaluation(struct store *store, const char *tenant, const char *id,
                           struct arena *arena, struct evaluation_row *out, bool *out_found,
                           struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EVALUATION_FIND);
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_use_evaluation(struct store *store, const char *tenant, const char *id, const char *task,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EVALUATION_USE);
    int64_t changed = 0;
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":task", task);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "denial_used", id, error);
}

bool store_purge_evaluations(struct store *store, int64_t before, size_t limit, int64_t *out_purged,
                             struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EVALUATION_PURGE);
    statement_number(statement, ":before", before);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_run(store, statement, out_purged, error);
}

static bool insert_request(struct store *store, const struct task_row *task, size_t number,
                           const char *request, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_TASK_REQUEST_INSERT);
    statement_text(statement, ":task", task->id);
    statement_text(statement, ":tenant", task->tenant);
    statement_number(statement, ":number", (int64_t)number);
    statement_text(statement, ":request", request);
    return statement_run(store, statement, NULL, error);
}

bool store_insert_task(struct store *store, const struct task_row *task,
                       const char *const *requests, size_t count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TASK_INSERT);
    statement_row(statement, task);
    bool ok = statement_run(store, statement, NULL, error);
    for (size_t i = 0; ok && i < count; i++) {
        ok = insert_request(store, task, i, requests[i], error);
    }
    return ok;
}

bool store_find_task(struct store *store, const char *tenant, const char *id, struct arena *arena,
                     struct task_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TASK_FIND);
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_find_task_of(struct store *store, const char *tenant, const char *caller,
                        const char *request, char out_task[ID_BYTES], struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TASK_FIND_OF);
    statement_text(statement, ":request", request);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":caller", caller);
    return statement_find_id(store, statement, out_task, error);
}

bool store_list_task_requests(struct store *store, const char *tenant, const char *task,
                              struct arena *arena, const char ***out, size_t *out_count,
                              struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TASK_REQUEST_LIST);
    statement_text(statement, ":task", task);
    statement_text(statement, ":tenant", tenant);
    return statement_collect_texts(store, statement, arena, out, out_count, error);
}

bool store_list_told_tasks(struct store *store, const char *tenant, const char *request,
                           struct arena *arena, struct task_row **out, size_t *out_count,
                           struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_TASK_LIST_TOLD);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":request", request);
    statement_number(statement, ":limit", TASKS_TOLD_MAX);
    return statement_collect(store, statement, arena, out, out_count, error);
}
