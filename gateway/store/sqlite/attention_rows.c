/* How people look at requests. */

#include "store/attention_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct watch_row, ID, "request", request),
    COLUMN(struct watch_row, ID, "person", person),
    COLUMN(struct watch_row, NAME, "person_name", person_name),
    COLUMN(struct watch_row, INT64, "since_at", since_at),
    COLUMN(struct watch_row, INT64, "until_at", until_at),
    COLUMN(struct watch_row, INT64, "times", times),
};
static const struct shape watch_shape = SHAPE(struct watch_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_VIEW_FIND,
     .sql = "SELECT ifnull(max(at), 0) FROM views WHERE tenant = :tenant AND request = :request "
            "AND revision = :revision AND person = :person"},
    {.name = STATEMENT_VIEW_INSERT,
     .sql = "INSERT INTO views (tenant, request, revision, person, at) "
            "VALUES (:tenant, :request, :revision, :person, :at)",
     .conflict_code = "seen_already",
     .conflict_message = "this revision was shown to this person before"},
    {.name = STATEMENT_WATCH_PUT,
     .shape = &watch_shape,
     .sql = "INSERT OR REPLACE INTO watches (tenant, request, person, person_name, since_at, "
            "until_at, times) VALUES (:of_tenant, :request, :person, :person_name, :since_at, "
            ":until_at, :times)"},
    {.name = STATEMENT_WATCH_FIND,
     .shape = &watch_shape,
     .sql = "SELECT request, person, person_name, since_at, until_at, times FROM watches "
            "WHERE tenant = :of_tenant AND request = :of_request AND person = :of_person"},
    {.name = STATEMENT_WATCH_LIST,
     .shape = &watch_shape,
     .sql = "SELECT request, person, person_name, since_at, until_at, times FROM watches "
            "WHERE tenant = :of_tenant AND request = :request AND until_at > :now ORDER BY row_id"},
    {.name = STATEMENT_VOTE_COUNT_OF_PERSON,
     .sql = "SELECT count(*) FROM votes INDEXED BY votes_of_person WHERE tenant = :tenant "
            "AND person = :person AND at >= :since AND is_late = 0"},
    {.name = STATEMENT_REQUEST_COUNT_NEAR,
     .sql = "SELECT count(*) FROM requests INDEXED BY requests_near WHERE state = 1 "
            "AND tenant = :tenant AND near_key = :near_key AND requirements IS :requirements"},
};
const struct statement_list attention_statements = STATEMENT_LIST(texts);

static void bind_view(struct statement *statement, const char *tenant, const char *request,
                      int revision, const char *person)
{
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":request", request);
    statement_number(statement, ":revision", revision);
    statement_text(statement, ":person", person);
}

bool store_find_view(struct store *store, const char *tenant, const char *request, int revision,
                     const char *person, int64_t *out_at, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VIEW_FIND);
    bind_view(statement, tenant, request, revision, person);
    return statement_count(store, statement, out_at, error);
}

bool store_insert_view(struct store *store, const char *tenant, const char *request, int revision,
                       const char *person, int64_t at, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VIEW_INSERT);
    bind_view(statement, tenant, request, revision, person);
    statement_number(statement, ":at", at);
    return statement_run(store, statement, NULL, error);
}

bool store_put_watch(struct store *store, const char *tenant, const struct watch_row *watch,
                     struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_WATCH_PUT);
    statement_row(statement, watch);
    statement_text(statement, ":of_tenant", tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_find_watch(struct store *store, const char *tenant, const char *request,
                      const char *person, struct arena *arena, struct watch_row *out,
                      bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_WATCH_FIND);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_request", request);
    statement_text(statement, ":of_person", person);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_list_watches(struct store *store, const char *tenant, const char *request, int64_t now,
                        struct arena *arena, struct watch_row **out, size_t *out_count,
                        struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_WATCH_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":request", request);
    statement_number(statement, ":now", now);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_count_votes_of(struct store *store, const char *tenant, const char *person,
                          int64_t since, int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_VOTE_COUNT_OF_PERSON);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":person", person);
    statement_number(statement, ":since", since);
    return statement_count(store, statement, out_count, error);
}

bool store_count_near_pending(struct store *store, const char *tenant,
                              const struct sha256 *near_key, const char *requirements,
                              int64_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_COUNT_NEAR);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":near_key", near_key);
    statement_text(statement, ":requirements", requirements);
    return statement_count(store, statement, out_count, error);
}
