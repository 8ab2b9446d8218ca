/* Proposals. */

#include "store/proposal_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct proposal_row, ID, "id", id),
    COLUMN(struct proposal_row, NAME, "tenant", tenant),
    COLUMN(struct proposal_row, ID, "proposer", proposer),
    COLUMN(struct proposal_row, TEXT, "method", method),
    COLUMN(struct proposal_row, TEXT, "path", path),
    COLUMN(struct proposal_row, TEXT, "what", what),
    COLUMN(struct proposal_row, TEXT, "body", body),
    COLUMN(struct proposal_row, HASH, "hash", hash),
    COLUMN(struct proposal_row, INT, "state", state),
    COLUMN(struct proposal_row, INT64, "created_at", created_at),
    COLUMN(struct proposal_row, INT64, "expires_at", expires_at),
    COLUMN(struct proposal_row, TEXT, "decided_by", decided_by),
};
static const struct shape proposal_shape = SHAPE(struct proposal_row, columns);

/* Who may change nothing any more has begun nothing. */
#define PROPOSER_MAY                                                                               \
    "EXISTS (SELECT 1 FROM people WHERE people.id = proposals.proposer AND people.is_admin = 1 "   \
    "AND people.is_enabled = 1) "

#define PROPOSAL_COLUMNS                                                                           \
    "id, tenant, proposer, method, path, what, body, hash, state, created_at, expires_at, "        \
    "decided_by"

static const struct statement_text texts[] = {
    {.name = STATEMENT_PROPOSAL_INSERT,
     .shape = &proposal_shape,
     .sql = "INSERT INTO proposals (" PROPOSAL_COLUMNS ") VALUES (:id, :tenant, :proposer, "
            ":method, :path, :what, :body, :hash, :state, :created_at, :expires_at, :decided_by)"},
    {.name = STATEMENT_PROPOSAL_READ,
     .shape = &proposal_shape,
     .sql = "SELECT " PROPOSAL_COLUMNS " FROM proposals WHERE id = :id AND tenant = :tenant"},
    {.name = STATEMENT_PROPOSAL_FIND,
     .shape = &proposal_shape,
     .sql = "SELECT " PROPOSAL_COLUMNS " FROM proposals WHERE tenant = :tenant AND hash = :hash "
            "AND state = 1 AND expires_at > :now AND proposer <> :other_than AND " PROPOSER_MAY
            "ORDER BY row_id"},
    {.name = STATEMENT_PROPOSAL_DECIDE,
     .shape = &proposal_shape,
     .sql = "UPDATE proposals SET state = :state, decided_by = :decided_by WHERE id = :id AND "
            "tenant = :tenant AND state = 1"},
    {.name = STATEMENT_PROPOSAL_LIST,
     .shape = &proposal_shape,
     .sql = "SELECT " PROPOSAL_COLUMNS " FROM proposals WHERE tenant = :tenant AND state = 1 AND "
            "expires_at > :now AND " PROPOSER_MAY "ORDER BY row_id LIMIT :limit"},
};
const struct statement_list proposal_statements = STATEMENT_LIST(texts);

bool store_insert_proposal(struct store *store, const struct proposal_row *proposal,
                           struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PROPOSAL_INSERT);
    statement_row(statement, proposal);
    return statement_run(store, statement, NULL, error);
}

bool store_read_proposal(struct store *store, const char *tenant, const char *id,
                         struct arena *arena, struct proposal_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PROPOSAL_READ);
    statement_text(statement, ":id", id);
    statement_text(statement, ":tenant", tenant);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_find_proposal(struct store *store, const char *tenant, const struct sha256 *hash,
                         const char *other_than, int64_t now, struct arena *arena,
                         struct proposal_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PROPOSAL_FIND);
    statement_text(statement, ":tenant", tenant);
    statement_hash(statement, ":hash", hash);
    statement_number(statement, ":now", now);
    statement_text(statement, ":other_than", other_than == NULL ? "" : other_than);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_decide_proposal(struct store *store, const struct proposal_row *proposal,
                           struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PROPOSAL_DECIDE);
    int64_t changed = 0;
    statement_row(statement, proposal);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "proposal_decided", proposal->id, error);
}

bool store_list_proposals(struct store *store, const char *tenant, int64_t now, int64_t limit,
                          struct arena *arena, struct proposal_row **out, size_t *out_count,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PROPOSAL_LIST);
    statement_text(statement, ":tenant", tenant);
    statement_number(statement, ":now", now);
    statement_number(statement, ":limit", limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}
