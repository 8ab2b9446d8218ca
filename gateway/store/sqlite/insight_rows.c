/* What figures are made of. */

#include "store/insight_rows.h"
#include "crypto/crypto.h"
#include "store/sqlite/driver_internal.h"

static const struct column vote_columns[] = {
    COLUMN(struct vote_figure, ID, "person", person),
    COLUMN(struct vote_figure, NAME, "person_name", person_name),
    COLUMN(struct vote_figure, BOOL, "approves", approves),
    COLUMN(struct vote_figure, BOOL, "is_quick", is_quick),
    COLUMN(struct vote_figure, BOOL, "is_retyped", is_retyped),
    COLUMN(struct vote_figure, BOOL, "is_over_budget", is_over_budget),
    COLUMN(struct vote_figure, INT64, "dwell_ms", dwell_ms),
};
static const struct shape vote_shape = SHAPE(struct vote_figure, vote_columns);

static const struct column request_columns[] = {
    COLUMN(struct request_figures, INT64, "asked", asked),
    COLUMN(struct request_figures, INT64, "pending", pending),
    COLUMN(struct request_figures, INT64, "approved", approved),
    COLUMN(struct request_figures, INT64, "denied", denied),
    COLUMN(struct request_figures, INT64, "expired", expired),
    COLUMN(struct request_figures, INT64, "cancelled", cancelled),
    COLUMN(struct request_figures, INT64, "edited", edited),
    COLUMN(struct request_figures, INT64, "stranded", stranded),
};
static const struct shape request_shape = SHAPE(struct request_figures, request_columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_VOTE_FIGURES,
     .shape = &vote_shape,
     .sql = "SELECT votes.person AS person, votes.person_name AS person_name, "
            "votes.approves AS approves, votes.is_quick AS is_quick, "
            "votes.is_retyped AS is_retyped, votes.is_over_budget AS is_over_budget, "
            "votes.dwell_ms AS dwell_ms FROM votes INDEXED BY votes_by_time "
            "JOIN requests ON requests.tenant = votes.tenant AND requests.id = votes.request "
            "WHERE votes.tenant = :of_tenant AND votes.at >= :since AND votes.is_late = 0 "
            "AND (:only_person IS NULL OR votes.person = :only_person) "
            "AND NOT (requests.state = 1 AND requests.risk = 4) "
            "ORDER BY votes.at LIMIT :limit"},
    {.name = STATEMENT_REQUEST_FIGURES,
     .shape = &request_shape,
     .sql = "SELECT count(*) AS asked, ifnull(sum(state = 1), 0) AS pending, "
            "ifnull(sum(state = 2), 0) AS approved, ifnull(sum(state = 3), 0) AS denied, "
            "ifnull(sum(state = 4), 0) AS expired, ifnull(sum(state = 5), 0) AS cancelled, "
            "ifnull(sum(editor <> ''), 0) AS edited, "
            "ifnull(sum(state = 1 AND is_stranded), 0) AS stranded FROM requests "
            "WHERE tenant = :of_tenant AND id >= :first AND requirements IS NOT NULL"},
};
const struct statement_list insight_statements = STATEMENT_LIST(texts);

bool store_list_vote_figures(struct store *store, const char *tenant, const char *person,
                             int64_t since, size_t limit, struct arena *arena,
                             struct vote_figure **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VOTE_FIGURES);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":only_person", person);
    statement_number(statement, ":since", since);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_count_asked(struct store *store, const char *tenant, int64_t since,
                       struct request_figures *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_FIGURES);
    char first[ID_BYTES];
    crypto_first_id("req", since, first);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":first", first);
    return statement_get(store, statement, tenant, NULL, out, error);
}
