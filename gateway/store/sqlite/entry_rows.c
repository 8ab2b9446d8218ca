/* Ledger entries and the tree's stored nodes. */

#include "store/ledger_rows.h"

#include "base/check.h"
#include "store/sqlite/driver_internal.h"
#include <string.h>

/* A position is made from epoch and seq, so the rows are bound and read by hand. */
static const struct statement_text texts[] = {
    {.name = STATEMENT_ENTRY_INSERT,
     .sql = "INSERT INTO entries (position, at, tenant, type, request, grant_id, leaf, bytes) "
            "VALUES (:position, :at, :tenant, :type, :request, :grant_id, :leaf, :bytes)"},
    {.name = STATEMENT_ENTRY_EACH,
     .sql = "SELECT position, at, tenant, type, request, grant_id, leaf, bytes FROM entries "
            "WHERE position >= :from_position AND position < :end_position "
            "ORDER BY position LIMIT :limit"},
    {.name = STATEMENT_ENTRY_LIST_OF_REQUEST,
     .sql = "SELECT position, at, tenant, type, request, grant_id, leaf, bytes FROM entries "
            "INDEXED BY entries_of_request WHERE tenant = :tenant AND request = :request "
            "AND request IS NOT NULL ORDER BY position LIMIT :limit"},
    {.name = STATEMENT_ENTRY_READ_LEAF,
     .sql = "SELECT leaf FROM entries WHERE position = :position"},
    {.name = STATEMENT_NODE_INSERT,
     .sql = "INSERT INTO nodes (epoch, level, number, hash) "
            "VALUES (:epoch, :level, :number, :hash)"},
    {.name = STATEMENT_NODE_READ,
     .sql = "SELECT hash FROM nodes "
            "WHERE epoch = :epoch AND level = :level AND number = :number"},
};
const struct statement_list entry_statements = STATEMENT_LIST(texts);

enum {
    ENTRY_POSITION,
    ENTRY_AT,
    ENTRY_TENANT,
    ENTRY_TYPE,
    ENTRY_REQUEST,
    ENTRY_GRANT,
    ENTRY_LEAF,
    ENTRY_BYTES
};

bool store_insert_entry(struct store *store, const struct entry_row *entry, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ENTRY_INSERT);
    statement_number(statement, ":position", store_position(entry->epoch, entry->seq));
    statement_number(statement, ":at", entry->at);
    statement_text(statement, ":tenant", entry->tenant);
    statement_text(statement, ":type", entry->type);
    statement_text(statement, ":request", entry->request);
    statement_text(statement, ":grant_id", entry->grant);
    statement_hash(statement, ":leaf", &entry->leaf);
    statement_bytes(statement, ":bytes", entry->bytes, entry->length);
    return statement_run(store, statement, NULL, error);
}

/* Everything in `out` is lent by the statement until it moves. */
static bool read_entry(const struct statement *statement, struct entry_row *out,
                       struct error *error)
{
    sqlite3_stmt *handle = statement->handle;
    int64_t position = sqlite3_column_int64(handle, ENTRY_POSITION);
    struct entry_row entry = {
        .epoch = position >> POSITION_BITS,
        .seq = position & ((INT64_C(1) << POSITION_BITS) - 1),
        .at = sqlite3_column_int64(handle, ENTRY_AT),
        .tenant = statement_column_text(statement, ENTRY_TENANT),
        .type = statement_column_text(statement, ENTRY_TYPE),
        .request = statement_column_text(statement, ENTRY_REQUEST),
        .grant = statement_column_text(statement, ENTRY_GRANT),
        .bytes = statement_column_text(statement, ENTRY_BYTES),
        .length = (size_t)sqlite3_column_bytes(handle, ENTRY_BYTES),
    };
    if (!statement_column_hash(statement, ENTRY_LEAF, &entry.leaf, error)) {
        return false;
    }
    *out = entry;
    return true;
}

bool store_each_entry(struct store *store, int64_t epoch, int64_t from_seq, size_t limit,
                      store_entry_visitor visit, void *context, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ENTRY_EACH);
    statement_number(statement, ":from_position", store_position(epoch, from_seq));
    statement_number(statement, ":end_position", store_position(epoch + 1, 0));
    statement_number(statement, ":limit", (int64_t)limit);
    for (;;) {
        bool is_found = false;
        struct entry_row entry;
        if (!statement_next(store, statement, &is_found, error)) {
            return false;
        }
        if (!is_found) {
            return true;
        }
        if (!read_entry(statement, &entry, error)) {
            return false;
        }
        if (!visit(context, &entry)) {
            return true;
        }
    }
}

static struct entry_row keep_entry(struct arena *arena, struct entry_row entry)
{
    entry.tenant = arena_text(arena, entry.tenant);
    entry.type = arena_text(arena, entry.type);
    entry.request = arena_text(arena, entry.request);
    entry.grant = arena_text(arena, entry.grant);
    entry.bytes = arena_copy(arena, entry.bytes, entry.length);
    return entry;
}

bool store_list_request_entries(struct store *store, const char *tenant, const char *request,
                                size_t limit, struct arena *arena, struct entry_row **out,
                                size_t *out_count, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE =
        statement_of(store, STATEMENT_ENTRY_LIST_OF_REQUEST);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, ":request", request);
    statement_number(statement, ":limit", (int64_t)limit);
    struct statement_rows rows = {.arena = arena, .row_bytes = sizeof(struct entry_row)};
    for (;;) {
        bool is_found = false;
        struct entry_row entry;
        if (!statement_next(store, statement, &is_found, error)) {
            return false;
        }
        if (!is_found) {
            break;
        }
        if (!read_entry(statement, &entry, error)) {
            return false;
        }
        struct entry_row *place = statement_rows_add(&rows);
        *place = keep_entry(arena, entry);
    }
    *out = rows.rows;
    *out_count = rows.count;
    return true;
}

/* The first column of the one row, a hash. */
static bool read_hash(struct store *store, struct statement *statement, struct sha256 *out,
                      struct error *error)
{
    bool is_found = false;
    if (!statement_next(store, statement, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, ERROR_NOT_FOUND, "not_found", NULL,
                         "the ledger holds no such hash");
    }
    return statement_column_hash(statement, 0, out, error);
}

bool store_read_leaf(struct store *store, int64_t epoch, int64_t seq, struct sha256 *out,
                     struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_ENTRY_READ_LEAF);
    statement_number(statement, ":position", store_position(epoch, seq));
    return read_hash(store, statement, out, error);
}

static void bind_node(struct statement *statement, int64_t epoch, int level, int64_t index)
{
    statement_number(statement, ":epoch", epoch);
    statement_number(statement, ":level", level);
    statement_number(statement, ":number", index);
}

bool store_insert_node(struct store *store, int64_t epoch, int level, int64_t index,
                       const struct sha256 *hash, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NODE_INSERT);
    bind_node(statement, epoch, level, index);
    statement_hash(statement, ":hash", hash);
    return statement_run(store, statement, NULL, error);
}

bool store_read_node(struct store *store, int64_t epoch, int level, int64_t index,
                     struct sha256 *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_NODE_READ);
    bind_node(statement, epoch, level, index);
    return read_hash(store, statement, out, error);
}
