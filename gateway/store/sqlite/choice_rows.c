/* What people chose about being told. */

#include "store/choice_rows.h"
#include "store/sqlite/driver_internal.h"
#include <stdio.h>

static const struct column columns[] = {
    COLUMN(struct choice_row, NAME, "tenant", tenant),
    COLUMN(struct choice_row, ID, "person", person),
    COLUMN(struct choice_row, TEXT, "quiet_hours", quiet_hours),
    COLUMN(struct choice_row, TEXT, "muted", muted),
    COLUMN(struct choice_row, INT, "accepts_silence", accepts_silence),
    COLUMN(struct choice_row, INT64, "changed_at", changed_at),
};
static const struct shape choice_shape = SHAPE(struct choice_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_CHOICE_PUT,
     .shape = &choice_shape,
     .sql = "INSERT INTO choices (tenant, person, quiet_hours, muted, accepts_silence, changed_at) "
            "VALUES (:tenant, :person, :quiet_hours, :muted, :accepts_silence, :changed_at) "
            "ON CONFLICT (tenant, person) DO UPDATE SET quiet_hours = excluded.quiet_hours, "
            "muted = excluded.muted, accepts_silence = excluded.accepts_silence, "
            "changed_at = excluded.changed_at"},
    {.name = STATEMENT_CHOICE_FIND,
     .shape = &choice_shape,
     .sql = "SELECT tenant, person, quiet_hours, muted, accepts_silence, changed_at FROM choices "
            "WHERE tenant = :of_tenant AND person = :of_person"},
    {.name = STATEMENT_CHOICE_COUNT_MUTED,
     .sql = "SELECT count(*) FROM choices WHERE tenant = :of_tenant AND "
            "instr(muted, ' ' || :of_channel || ' ') > 0"},
};
const struct statement_list choice_statements = STATEMENT_LIST(texts);

bool store_put_choice(struct store *store, const struct choice_row *choice, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHOICE_PUT);
    statement_row(statement, choice);
    return statement_run(store, statement, NULL, error);
}

bool store_read_choice(struct store *store, const char *tenant, const char *person,
                       struct arena *arena, struct choice_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHOICE_FIND);
    bool is_found = false;
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_person", person);
    if (!statement_find(store, statement, arena, out, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        *out = (struct choice_row){.quiet_hours = "", .muted = ""};
        snprintf(out->tenant, sizeof out->tenant, "%s", tenant);
        snprintf(out->person, sizeof out->person, "%s", person);
    }
    return true;
}

bool store_count_muted(struct store *store, const char *tenant, const char *channel, int64_t *out,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_CHOICE_COUNT_MUTED);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":of_channel", channel);
    return statement_count(store, statement, out, error);
}
