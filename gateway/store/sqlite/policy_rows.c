/* Policy versions. */

#include "store/ledger_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct policy_row, INT64, "publication", publication),
    COLUMN(struct policy_row, TEXT, "version", version),
    COLUMN(struct policy_row, TEXT, "files", files),
    COLUMN(struct policy_row, INT64, "published_at", published_at),
    COLUMN(struct policy_row, TEXT, "published_by", published_by),
};
static const struct shape policy_shape = SHAPE(struct policy_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_POLICY_INSERT,
     .shape = &policy_shape,
     .sql = "INSERT INTO policies (publication, version, files, published_at, published_by) "
            "VALUES ((SELECT ifnull(max(publication), 0) + 1 FROM policies), :version, :files, "
            ":published_at, :published_by) ON CONFLICT (version) DO UPDATE SET "
            "publication = excluded.publication, published_at = excluded.published_at, "
            "published_by = excluded.published_by"},
    {.name = STATEMENT_POLICY_CURRENT,
     .shape = &policy_shape,
     .sql = "SELECT publication, version, files, published_at, published_by FROM policies "
            "ORDER BY publication DESC LIMIT 1"},
    {.name = STATEMENT_POLICY_READ,
     .shape = &policy_shape,
     .sql = "SELECT publication, version, files, published_at, published_by FROM policies "
            "WHERE version = :version"},
    {.name = STATEMENT_POLICY_LIST,
     .shape = &policy_shape,
     .sql = "SELECT publication, version, published_at, published_by FROM policies "
            "WHERE publication < :before ORDER BY publication DESC LIMIT :limit"},
};
const struct statement_list policy_statements = STATEMENT_LIST(texts);

bool store_insert_policy(struct store *store, const struct policy_row *policy, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_POLICY_INSERT);
    statement_row(statement, policy);
    return statement_run(store, statement, NULL, error);
}

bool store_current_policy(struct store *store, struct arena *arena, struct policy_row *out,
                          bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_POLICY_CURRENT);
    return statement_find(store, statement, arena, out, out_found, error);
}

bool store_read_policy(struct store *store, const char *version, struct arena *arena,
                       struct policy_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_POLICY_READ);
    statement_text(statement, ":version", version);
    return statement_get(store, statement, version, arena, out, error);
}

bool store_list_policies(struct store *store, int64_t before, size_t limit, struct arena *arena,
                         struct policy_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_POLICY_LIST);
    statement_number(statement, ":before", before == 0 ? INT64_MAX : before);
    statement_number(statement, ":limit", statement_page_limit(limit));
    return statement_collect(store, statement, arena, out, out_count, error);
}
