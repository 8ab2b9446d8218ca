/* Votes. */

#include "store/request_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct vote_row, ID, "id", id),
    COLUMN(struct vote_row, ID, "request", request),
    COLUMN(struct vote_row, ID, "person", person),
    COLUMN(struct vote_row, NAME, "person_name", person_name),
    COLUMN(struct vote_row, INT, "revision", revision),
    COLUMN(struct vote_row, HASH, "digest", digest),
    COLUMN(struct vote_row, BOOL, "approves", approves),
    COLUMN(struct vote_row, BOOL, "is_late", is_late),
    COLUMN(struct vote_row, INT, "assurance", assurance),
    COLUMN(struct vote_row, TEXT, "via", via),
    COLUMN(struct vote_row, TEXT, "reason", reason),
    COLUMN(struct vote_row, INT64, "at", at),
    COLUMN(struct vote_row, INT64, "dwell_ms", dwell_ms),
    COLUMN(struct vote_row, BOOL, "is_quick", is_quick),
    COLUMN(struct vote_row, BOOL, "is_retyped", is_retyped),
    COLUMN(struct vote_row, BOOL, "is_over_budget", is_over_budget),
};
static const struct shape vote_shape = SHAPE(struct vote_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_VOTE_INSERT,
     .shape = &vote_shape,
     .sql = "INSERT INTO votes (id, tenant, request, person, person_name, revision, digest, "
            "approves, is_late, assurance, via, reason, at, dwell_ms, is_quick, is_retyped, "
            "is_over_budget) "
            "VALUES (:id, :of_tenant, :request, :person, :person_name, :revision, :digest, "
            ":approves, :is_late, :assurance, :via, :reason, :at, :dwell_ms, :is_quick, "
            ":is_retyped, :is_over_budget)"},
    {.name = STATEMENT_VOTE_LIST,
     .shape = &vote_shape,
     .sql = "SELECT id, request, person, person_name, revision, digest, approves, is_late, "
            "assurance, via, reason, at, dwell_ms, is_quick, is_retyped, is_over_budget FROM votes "
            "WHERE request = :request AND tenant = :of_tenant ORDER BY row_id"},
};
const struct statement_list vote_statements = STATEMENT_LIST(texts);

bool store_insert_vote(struct store *store, const char *tenant, const struct vote_row *vote,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VOTE_INSERT);
    statement_row(statement, vote);
    statement_text(statement, ":of_tenant", tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_list_votes(struct store *store, const char *tenant, const char *request,
                      struct arena *arena, struct vote_row **out, size_t *out_count,
                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VOTE_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":request", request);
    return statement_collect(store, statement, arena, out, out_count, error);
}
