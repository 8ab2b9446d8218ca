/* What owners of accounts are told by: browsers they signed in with, and their former addresses. */

#include "store/owner_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column browser_columns[] = {
    COLUMN(struct browser_row, NAME, "tenant", tenant),
    COLUMN(struct browser_row, ID, "person", person),
    COLUMN(struct browser_row, HASH, "hash", hash),
    COLUMN(struct browser_row, INT64, "seen_at", seen_at),
};
static const struct shape browser_shape = SHAPE(struct browser_row, browser_columns);

static const struct column address_columns[] = {
    COLUMN(struct former_address_row, NAME, "tenant", tenant),
    COLUMN(struct former_address_row, ID, "person", person),
    COLUMN(struct former_address_row, TEXT, "kind", kind),
    COLUMN(struct former_address_row, TEXT, "address", address),
    COLUMN(struct former_address_row, INT64, "replaced_at", replaced_at),
};
static const struct shape address_shape = SHAPE(struct former_address_row, address_columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_BROWSER_PUT,
     .shape = &browser_shape,
     .sql = "INSERT INTO browsers (tenant, person, hash, seen_at) VALUES (:tenant, :person, :hash, "
            ":seen_at) ON CONFLICT (person, hash) DO UPDATE SET seen_at = excluded.seen_at"},
    {.name = STATEMENT_BROWSER_COUNT,
     .sql = "SELECT count(*) FROM browsers WHERE hash = :hash AND seen_at > :since AND "
            "(:of_person IS NULL OR person = :of_person)"},
    {.name = STATEMENT_BROWSER_TRIM,
     .sql = "DELETE FROM browsers WHERE person = :of_person AND row_id NOT IN (SELECT row_id FROM "
            "browsers WHERE person = :of_person ORDER BY seen_at DESC, row_id DESC LIMIT :keep)"},
    {.name = STATEMENT_FORMER_ADDRESS_INSERT,
     .shape = &address_shape,
     .sql = "INSERT INTO former_addresses (tenant, person, kind, address, replaced_at) VALUES "
            "(:tenant, :person, :kind, :address, :replaced_at)"},
    {.name = STATEMENT_FORMER_ADDRESS_LIST,
     .shape = &address_shape,
     .sql = "SELECT tenant, person, kind, address, replaced_at FROM former_addresses "
            "WHERE person = :of_person AND kind = :of_kind AND replaced_at > :since "
            "ORDER BY row_id LIMIT :limit"},
};
const struct statement_list owner_statements = STATEMENT_LIST(texts);

bool store_put_browser(struct store *store, const struct browser_row *browser, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_BROWSER_PUT);
    statement_row(statement, browser);
    return statement_run(store, statement, NULL, error);
}

bool store_knows_browser(struct store *store, const char *person, const struct sha256 *hash,
                         int64_t since, bool *out_known, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_BROWSER_COUNT);
    int64_t count = 0;
    statement_text(statement, ":of_person", person);
    statement_hash(statement, ":hash", hash);
    statement_number(statement, ":since", since);
    if (!statement_count(store, statement, &count, error)) {
        return false;
    }
    *out_known = count > 0;
    return true;
}

bool store_trim_browsers(struct store *store, const char *person, int64_t keep, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_BROWSER_TRIM);
    statement_text(statement, ":of_person", person);
    statement_number(statement, ":keep", keep);
    return statement_run(store, statement, NULL, error);
}

bool store_insert_former_address(struct store *store, const struct former_address_row *address,
                                 struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_FORMER_ADDRESS_INSERT);
    statement_row(statement, address);
    return statement_run(store, statement, NULL, error);
}

bool store_list_former_addresses(struct store *store, const char *person, const char *kind,
                                 int64_t since, size_t limit, struct arena *arena,
                                 struct former_address_row **out, size_t *out_count,
                                 struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_FORMER_ADDRESS_LIST);
    statement_text(statement, ":of_person", person);
    statement_text(statement, ":of_kind", kind);
    statement_number(statement, ":since", since);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}
