/* Freezes. */

#include "store/people_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct freeze_row, ID, "id", id),
    COLUMN(struct freeze_row, INT, "scope", scope),
    COLUMN(struct freeze_row, NAME, "tenant", tenant),
    COLUMN(struct freeze_row, TEXT, "target", target),
    COLUMN(struct freeze_row, TEXT, "reason", reason),
    COLUMN(struct freeze_row, TEXT, "frozen_by", by),
    COLUMN(struct freeze_row, INT64, "since_at", since_at),
    COLUMN(struct freeze_row, INT64, "until_at", until_at),
    COLUMN(struct freeze_row, TEXT, "thawed_by", thawed_by),
};
static const struct shape freeze_shape = SHAPE(struct freeze_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_FREEZE_INSERT,
     .shape = &freeze_shape,
     .sql = "INSERT INTO freezes (id, scope, tenant, target, reason, frozen_by, since_at, "
            "until_at, thawed_by) VALUES (:id, :scope, :tenant, :target, :reason, :frozen_by, "
            ":since_at, :until_at, :thawed_by)"},
    {.name = STATEMENT_FREEZE_END,
     .sql = "UPDATE freezes SET until_at = :until_at, thawed_by = :thawed_by "
            "WHERE id = :id AND until_at = 0"},
    {.name = STATEMENT_FREEZE_LIST,
     .shape = &freeze_shape,
     .sql = "SELECT id, scope, tenant, target, reason, frozen_by, since_at, until_at, thawed_by "
            "FROM freezes WHERE until_at = 0 OR (:only_active = 0 AND until_at > :since) "
            "ORDER BY row_id DESC"},
};
const struct statement_list freeze_statements = STATEMENT_LIST(texts);

bool store_insert_freeze(struct store *store, const struct freeze_row *freeze, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_FREEZE_INSERT);
    statement_row(statement, freeze);
    return statement_run(store, statement, NULL, error);
}

bool store_end_freeze(struct store *store, const char *id, int64_t until_at, const char *thawed_by,
                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_FREEZE_END);
    int64_t changed = 0;
    statement_text(statement, ":id", id);
    statement_number(statement, ":until_at", until_at);
    statement_text(statement, ":thawed_by", thawed_by);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "not_in_force", id, error);
}

bool store_list_freezes(struct store *store, bool only_active, int64_t since, struct arena *arena,
                        struct freeze_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_FREEZE_LIST);
    statement_number(statement, ":only_active", only_active);
    statement_number(statement, ":since", since);
    return statement_collect(store, statement, arena, out, out_count, error);
}
