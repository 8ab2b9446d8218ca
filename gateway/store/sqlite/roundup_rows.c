/* Round-ups, and what leaves for one place. */

#include "store/roundup_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct roundup_row, ID, "id", id),
    COLUMN(struct roundup_row, NAME, "tenant", tenant),
    COLUMN(struct roundup_row, TEXT, "channel", channel),
    COLUMN(struct roundup_row, TEXT, "recipient", recipient),
    COLUMN(struct roundup_row, TEXT, "state", state),
    COLUMN(struct roundup_row, TEXT, "address", address),
    COLUMN(struct roundup_row, INT64, "version", version),
    COLUMN(struct roundup_row, INT64, "shown", shown),
    COLUMN(struct roundup_row, INT64, "created_at", created_at),
    COLUMN(struct roundup_row, INT64, "changed_at", changed_at),
};
static const struct shape roundup_shape = SHAPE(struct roundup_row, columns);

static const struct column count_columns[] = {
    COLUMN(struct roundup_counts, INT64, "told", told),
    COLUMN(struct roundup_counts, INT64, "roundups", roundups),
    COLUMN(struct roundup_counts, INT64, "due", due),
    COLUMN(struct roundup_counts, INT64, "gathering_until", gathering_until),
};
static const struct shape count_shape = SHAPE(struct roundup_counts, count_columns);

static const struct column tally_columns[] = {
    COLUMN(struct roundup_tally, INT, "state", state),
    COLUMN(struct roundup_tally, INT, "count", count),
    COLUMN(struct roundup_tally, INT, "risk", risk),
    COLUMN(struct roundup_tally, INT64, "timeout_at", timeout_at),
};
static const struct shape tally_shape = SHAPE(struct roundup_tally, tally_columns);

#define OF_PLACE "tenant = :of_tenant AND channel = :of_channel AND recipient = :of_recipient "

static const struct statement_text texts[] = {
    {.name = STATEMENT_ROUNDUP_INSERT,
     .shape = &roundup_shape,
     .sql = "INSERT INTO roundups (id, tenant, channel, recipient, state, address, version, shown, "
            "created_at, changed_at) VALUES (:id, :tenant, :channel, :recipient, :state, :address, "
            ":version, :shown, :created_at, :changed_at)"},
    {.name = STATEMENT_ROUNDUP_UPDATE,
     .shape = &roundup_shape,
     .sql = "UPDATE roundups SET state = :state, address = :address, version = :version, "
            "shown = :shown, changed_at = :changed_at WHERE tenant = :tenant AND id = :id"},
    {.name = STATEMENT_ROUNDUP_READ,
     .shape = &roundup_shape,
     .sql = "SELECT id, tenant, channel, recipient, state, address, version, shown, created_at, "
            "changed_at FROM roundups WHERE tenant = :of_tenant AND id = :of_id"},
    {.name = STATEMENT_ROUNDUP_PLACE,
     .shape = &count_shape,
     .sql = "SELECT (SELECT count(*) FROM (SELECT 1 FROM cards INDEXED BY cards_told WHERE "
            "told_at > 0 AND " OF_PLACE "AND told_at > :since LIMIT :most)) AS told, "
            "(SELECT count(*) FROM (SELECT 1 FROM roundups INDEXED BY roundups_of_place "
            "WHERE " OF_PLACE "AND created_at > :since LIMIT :most)) AS roundups, "
            "(SELECT count(*) FROM (SELECT 1 FROM notices INDEXED BY notices_place WHERE "
            "state = 'waiting' AND is_behind = 0 AND " OF_PLACE
            "AND due_at <= :now AND " NOTICE_IS_PROMPT "AND EXISTS "
            "(SELECT 1 FROM cards WHERE cards.tenant = notices.tenant AND cards.request = "
            "notices.request AND cards.channel = notices.channel AND cards.recipient = "
            "notices.recipient AND cards.state = 'wanted' AND cards.roundup IS NULL) "
            "LIMIT :most)) AS due, "
            "ifnull((SELECT due_at FROM notices INDEXED BY notices_place WHERE "
            "state = 'waiting' AND is_behind = 0 AND " OF_PLACE "AND due_at > :now AND "
            "due_at <= :until AND gathering = 1 ORDER BY due_at LIMIT 1), 0) AS gathering_until"},
    {.name = STATEMENT_ROUNDUP_TALLY,
     .shape = &tally_shape,
     .sql = "SELECT requests.state AS state, count(*) AS count, max(requests.risk) AS risk, "
            "min(requests.timeout_at) AS timeout_at FROM cards INDEXED BY cards_of_roundup "
            "CROSS JOIN requests ON requests.tenant = cards.tenant AND requests.id = cards.request "
            "WHERE cards.tenant = :of_tenant AND cards.roundup = :of_roundup "
            "GROUP BY requests.state"},
};
const struct statement_list roundup_statements = STATEMENT_LIST(texts);

bool store_insert_roundup(struct store *store, const struct roundup_row *roundup,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ROUNDUP_INSERT);
    statement_row(statement, roundup);
    return statement_run(store, statement, NULL, error);
}

bool store_update_roundup(struct store *store, const struct roundup_row *roundup,
                          struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ROUNDUP_UPDATE);
    int64_t changed = 0;
    statement_row(statement, roundup);
    return statement_run(store, statement, &changed, error) &&
           store_must_change_one(changed, "changed", roundup->id, error);
}

bool store_read_roundup(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct roundup_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ROUNDUP_READ);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_id", id);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_count_place(struct store *store, const struct roundup_place *place,
                       const struct roundup_window *window, struct roundup_counts *out,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ROUNDUP_PLACE);
    statement_text(statement, ":of_tenant", place->tenant);
    statement_text(statement, ":of_channel", place->channel);
    statement_text(statement, ":of_recipient", place->recipient);
    statement_number(statement, ":since", window->since);
    statement_number(statement, ":now", window->now);
    statement_number(statement, ":until", window->until);
    statement_number(statement, ":most", window->most);
    return statement_get(store, statement, place->channel, NULL, out, error);
}

bool store_tally_roundup(struct store *store, const char *tenant, const char *roundup,
                         struct arena *arena, struct roundup_tally **out, size_t *out_count,
                         struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ROUNDUP_TALLY);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_roundup", roundup);
    return statement_collect(store, statement, arena, out, out_count, error);
}
