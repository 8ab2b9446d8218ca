/* Counts that rules read, and the past they are made from. */

#include "store/history_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column kind_columns[] = {
    COLUMN(struct history_kind_row, INT64, "parts", parts),
    COLUMN(struct history_kind_row, INT64, "since_at", since_at),
    COLUMN(struct history_kind_row, INT64, "cursor", cursor),
};
static const struct shape kind_shape = SHAPE(struct history_kind_row, kind_columns);

static const struct column past_columns[] = {
    COLUMN(struct past_row, INT64, "row_id", row),
    COLUMN(struct past_row, ID, "id", id),
    COLUMN(struct past_row, NAME, "tenant", tenant),
    COLUMN(struct past_row, NAME, "agent_name", agent_name),
    COLUMN(struct past_row, TEXT, "action_name", action_name),
    COLUMN(struct past_row, TEXT, "resource_key", resource_key),
    COLUMN(struct past_row, TEXT, "subject_key", subject_key),
    COLUMN(struct past_row, HASH, "match_key", match_key),
    COLUMN(struct past_row, INT, "state", state),
    COLUMN(struct past_row, INT64, "created_at", created_at),
    COLUMN(struct past_row, INT64, "ended_at", ended_at),
    COLUMN(struct past_row, INT, "grant_state", grant_state),
    COLUMN(struct past_row, INT64, "redeemed_at", redeemed_at),
    COLUMN(struct past_row, INT64, "effect_at", effect_at),
};
static const struct shape past_shape = SHAPE(struct past_row, past_columns);

#define SELECT_PAST                                                                                \
    "SELECT requests.row_id, requests.id, requests.tenant, agent_name, action_name, "              \
    "resource_key, subject_key, match_key, requests.state, created_at, requests.ended_at, "        \
    "ifnull(grants.state, 0) AS grant_state, ifnull(redeemed_at, 0) AS redeemed_at, "              \
    "ifnull(effect_at, 0) AS effect_at FROM requests LEFT JOIN grants "                            \
    "ON grants.tenant = requests.tenant AND grants.id = requests.grant_id "

static const struct statement_text texts[] = {
    {.name = STATEMENT_HISTORY_READ,
     .sql = "SELECT row_id, at, counts FROM history WHERE series = :series"},
    {.name = STATEMENT_HISTORY_INSERT,
     .sql = "INSERT INTO history (series, at, counts) VALUES (:series, :at, :counts)"},
    {.name = STATEMENT_HISTORY_UPDATE,
     .sql = "UPDATE history SET at = :at, counts = :counts WHERE row_id = :row_id"},
    /* The last of the next :limit rows, from where the former call stopped. */
    {.name = STATEMENT_HISTORY_LOOK_OVER,
     .sql = "SELECT max(row_id) FROM (SELECT row_id FROM history WHERE row_id > :after_row "
            "ORDER BY row_id LIMIT :limit)"},
    {.name = STATEMENT_HISTORY_PURGE,
     .sql = "DELETE FROM history WHERE row_id > :after_row AND row_id <= :last_row "
            "AND at < :before"},
    {.name = STATEMENT_HISTORY_KIND_PUT,
     .shape = &kind_shape,
     .sql = "INSERT INTO history_kinds (parts, since_at, cursor) "
            "VALUES (:parts, :since_at, :cursor) ON CONFLICT (parts) DO UPDATE SET "
            "since_at = excluded.since_at, cursor = excluded.cursor"},
    {.name = STATEMENT_HISTORY_KIND_DROP, .sql = "DELETE FROM history_kinds WHERE parts = :parts"},
    {.name = STATEMENT_HISTORY_KIND_LIST,
     .shape = &kind_shape,
     .sql = "SELECT parts, since_at, cursor FROM history_kinds ORDER BY parts"},
    {.name = STATEMENT_PAST_LIST,
     .shape = &past_shape,
     .sql = SELECT_PAST "WHERE requests.row_id < :before ORDER BY requests.row_id DESC "
                        "LIMIT :limit"},
    {.name = STATEMENT_PAST_LIST_AFTER,
     .shape = &past_shape,
     .sql = SELECT_PAST "WHERE requests.tenant = :tenant AND requests.id > :after "
                        "ORDER BY requests.id LIMIT :limit"},
    {.name = STATEMENT_REQUEST_NEWEST, .sql = "SELECT max(row_id) FROM requests"},
};
const struct statement_list history_statements = STATEMENT_LIST(texts);

enum { COLUMN_ROW, COLUMN_AT, COLUMN_COUNTS };

bool store_read_history(struct store *store, const struct sha256 *series, struct arena *arena,
                        struct history_row *out, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_READ);
    statement_hash(statement, ":series", series);
    if (!statement_next(store, statement, out_found, error)) {
        return false;
    }
    *out = (struct history_row){.series = *series};
    if (*out_found) {
        out->row = sqlite3_column_int64(statement->handle, COLUMN_ROW);
        out->at = sqlite3_column_int64(statement->handle, COLUMN_AT);
        out->counts = statement_column_blob(statement, COLUMN_COUNTS, arena, &out->length);
    }
    return true;
}

bool store_put_history(struct store *store, struct history_row *row, struct error *error)
{
    bool is_new = row->row == 0;
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, is_new ? STATEMENT_HISTORY_INSERT : STATEMENT_HISTORY_UPDATE);
    if (is_new) {
        statement_hash(statement, ":series", &row->series);
    } else {
        statement_number(statement, ":row_id", row->row);
    }
    statement_number(statement, ":at", row->at);
    statement_blob(statement, ":counts", row->counts, row->length);
    if (!statement_run(store, statement, NULL, error)) {
        return false;
    }
    if (is_new) {
        row->row = sqlite3_last_insert_rowid(store->database);
    }
    return true;
}

bool store_purge_history(struct store *store, int64_t before, size_t limit, int64_t *out_purged,
                         struct error *error)
{
    struct statement *look STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_LOOK_OVER);
    int64_t last = 0;
    statement_number(look, ":after_row", store->history_cursor);
    statement_number(look, ":limit", (int64_t)limit);
    if (!statement_count(store, look, &last, error)) {
        return false;
    }
    struct statement *purge STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_PURGE);
    statement_number(purge, ":after_row", store->history_cursor);
    statement_number(purge, ":last_row", last);
    statement_number(purge, ":before", before);
    if (!statement_run(store, purge, out_purged, error)) {
        return false;
    }
    store->history_cursor = last;
    return true;
}

bool store_put_history_kind(struct store *store, const struct history_kind_row *kind,
                            struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_KIND_PUT);
    statement_row(statement, kind);
    return statement_run(store, statement, NULL, error);
}

bool store_drop_history_kind(struct store *store, int64_t parts, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_KIND_DROP);
    statement_number(statement, ":parts", parts);
    return statement_run(store, statement, NULL, error);
}

bool store_list_history_kinds(struct store *store, struct arena *arena,
                              struct history_kind_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_HISTORY_KIND_LIST);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_past(struct store *store, int64_t before, size_t limit, struct arena *arena,
                     struct past_row **out, size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PAST_LIST);
    statement_number(statement, ":before", before);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_list_past_after(struct store *store, const char *tenant, const char *after_id,
                           size_t limit, struct arena *arena, struct past_row **out,
                           size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_PAST_LIST_AFTER);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":after", after_id);
    statement_number(statement, ":limit", (int64_t)limit);
    return statement_collect(store, statement, arena, out, out_count, error);
}

bool store_newest_request(struct store *store, int64_t *out_row, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_REQUEST_NEWEST);
    return statement_count(store, statement, out_row, error);
}
