/* Reading rows out of statements. */

#include "store/sqlite/driver_internal.h"

#include <limits.h>
#include <string.h>

static bool misfit(const char *column, struct error *error)
{
    return error_set(error, ERROR_CORRUPT, "bad_row", column,
                     "the store holds a value in column `%s` that this gateway never writes; "
                     "restore the store from a copy",
                     column);
}

static bool read_array(sqlite3_stmt *handle, int place, const struct column *column,
                       unsigned char *member, size_t size, struct error *error)
{
    const unsigned char *text = sqlite3_column_text(handle, place);
    size_t length = (size_t)sqlite3_column_bytes(handle, place);
    if (text == NULL || length >= size || memchr(text, 0, length) != NULL) {
        return misfit(column->name, error);
    }
    memcpy(member, text, length);
    member[length] = 0;
    return true;
}

static bool read_int(sqlite3_stmt *handle, int place, const struct column *column,
                     unsigned char *member, struct error *error)
{
    int64_t number = sqlite3_column_int64(handle, place);
    if (number < INT_MIN || number > INT_MAX) {
        return misfit(column->name, error);
    }
    int value = (int)number;
    memcpy(member, &value, sizeof value);
    return true;
}

static void read_text(sqlite3_stmt *handle, int place, struct arena *arena, unsigned char *member)
{
    const char *text = (const char *)sqlite3_column_text(handle, place);
    const char *kept =
        text == NULL ? NULL : arena_copy(arena, text, (size_t)sqlite3_column_bytes(handle, place));
    memcpy(member, &kept, sizeof kept);
}

bool statement_column_hash(const struct statement *statement, int column, struct sha256 *out,
                           struct error *error)
{
    const void *bytes = sqlite3_column_blob(statement->handle, column);
    if (bytes == NULL || sqlite3_column_bytes(statement->handle, column) != SHA256_BYTES) {
        return misfit(sqlite3_column_name(statement->handle, column), error);
    }
    memcpy(out->bytes, bytes, SHA256_BYTES);
    return true;
}

static bool read_member(const struct statement *statement, int place, const struct column *column,
                        struct arena *arena, unsigned char *member, struct error *error)
{
    sqlite3_stmt *handle = statement->handle;
    switch (column->kind) {
    case COLUMN_TEXT:
        read_text(handle, place, arena, member);
        return true;
    case COLUMN_ID:
        return read_array(handle, place, column, member, ID_BYTES, error);
    case COLUMN_NAME:
        return read_array(handle, place, column, member, NAME_BYTES, error);
    case COLUMN_INT:
        return read_int(handle, place, column, member, error);
    case COLUMN_INT64: {
        int64_t number = sqlite3_column_int64(handle, place);
        memcpy(member, &number, sizeof number);
        return true;
    }
    case COLUMN_BOOL:
        *(bool *)member = sqlite3_column_int(handle, place) != 0;
        return true;
    case COLUMN_HASH:
        return statement_column_hash(statement, place, (struct sha256 *)(void *)member, error);
    }
    return misfit(column->name, error);
}

bool statement_read(struct statement *statement, struct arena *arena, void *out_row,
                    struct error *error)
{
    for (int i = 0; i < statement->result_count; i++) {
        const struct column *column =
            &statement->text->shape->columns[statement->result_columns[i] - 1];
        if (!read_member(statement, i, column, arena, (unsigned char *)out_row + column->offset,
                         error)) {
            return false;
        }
    }
    return true;
}

bool statement_find(struct store *store, struct statement *statement, struct arena *arena,
                    void *out_row, bool *out_found, struct error *error)
{
    bool is_found = false;
    if (!statement_next(store, statement, &is_found, error)) {
        return false;
    }
    if (is_found) {
        memset(out_row, 0, statement->text->shape->row_bytes);
        if (!statement_read(statement, arena, out_row, error)) {
            return false;
        }
    }
    *out_found = is_found;
    return true;
}

bool statement_get(struct store *store, struct statement *statement, const char *subject,
                   struct arena *arena, void *out_row, struct error *error)
{
    bool is_found = false;
    if (!statement_find(store, statement, arena, out_row, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, ERROR_NOT_FOUND, "not_found", subject, "there is no such thing");
    }
    return true;
}

static bool find_named(struct store *store, enum statement_name name, const char *parameter,
                       const char *tenant, const char *name_or_id, struct arena *arena,
                       void *out_row, bool *out_found, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, name);
    statement_text(statement, ":tenant", tenant);
    statement_text(statement, parameter, name_or_id);
    return statement_find(store, statement, arena, out_row, out_found, error);
}

bool statement_get_named(struct store *store, enum statement_name by_id,
                         enum statement_name by_name, const char *tenant, const char *name_or_id,
                         struct arena *arena, void *out_row, struct error *error)
{
    bool is_found = false;
    /* Ids hold an underscore and names do not, so this spares a look-up; it decides nothing. */
    if (strchr(name_or_id, '_') != NULL &&
        !find_named(store, by_id, ":id", tenant, name_or_id, arena, out_row, &is_found, error)) {
        return false;
    }
    if (!is_found && !find_named(store, by_name, ":name", tenant, name_or_id, arena, out_row,
                                 &is_found, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, ERROR_NOT_FOUND, "not_found", name_or_id,
                         "nothing is registered under this name or id");
    }
    return true;
}

void *statement_rows_add(struct statement_rows *rows)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 16 : rows->capacity * 2;
        void *grown = arena_array(rows->arena, capacity, rows->row_bytes);
        if (rows->count > 0) {
            memcpy(grown, rows->rows, rows->count * rows->row_bytes);
        }
        rows->rows = grown;
        rows->capacity = capacity;
    }
    return (unsigned char *)rows->rows + rows->count++ * rows->row_bytes;
}

bool statement_collect(struct store *store, struct statement *statement, struct arena *arena,
                       void *out_rows, size_t *out_count, struct error *error)
{
    struct statement_rows rows = {.arena = arena, .row_bytes = statement->text->shape->row_bytes};
    for (;;) {
        bool is_found = false;
        if (!statement_next(store, statement, &is_found, error)) {
            return false;
        }
        if (!is_found) {
            break;
        }
        if (!statement_read(statement, arena, statement_rows_add(&rows), error)) {
            return false;
        }
    }
    memcpy(out_rows, &rows.rows, sizeof rows.rows);
    *out_count = rows.count;
    return true;
}

bool statement_collect_texts(struct store *store, struct statement *statement, struct arena *arena,
                             const char ***out, size_t *out_count, struct error *error)
{
    struct statement_rows rows = {.arena = arena, .row_bytes = sizeof(const char *)};
    for (;;) {
        bool is_found = false;
        if (!statement_next(store, statement, &is_found, error)) {
            return false;
        }
        if (!is_found) {
            break;
        }
        const char **place = statement_rows_add(&rows);
        *place = arena_text(arena, statement_column_text(statement, 0));
    }
    *out = rows.rows;
    *out_count = rows.count;
    return true;
}

const char *statement_column_text(const struct statement *statement, int column)
{
    return (const char *)sqlite3_column_text(statement->handle, column);
}

const char *statement_column_blob(const struct statement *statement, int column,
                                  struct arena *arena, size_t *out_length)
{
    const void *bytes = sqlite3_column_blob(statement->handle, column);
    *out_length = (size_t)sqlite3_column_bytes(statement->handle, column);
    return arena_copy(arena, bytes == NULL ? "" : bytes, *out_length);
}

bool statement_count(struct store *store, struct statement *statement, int64_t *out_number,
                     struct error *error)
{
    bool is_found = false;
    if (!statement_next(store, statement, &is_found, error)) {
        return false;
    }
    *out_number = is_found ? sqlite3_column_int64(statement->handle, 0) : 0;
    return true;
}

bool statement_find_id(struct store *store, struct statement *statement, char out_id[ID_BYTES],
                       struct error *error)
{
    static const struct column id_column = {.name = "id", .kind = COLUMN_ID};
    bool is_found = false;
    if (!statement_next(store, statement, &is_found, error)) {
        return false;
    }
    if (!is_found) {
        out_id[0] = 0;
        return true;
    }
    return read_array(statement->handle, 0, &id_column, (unsigned char *)out_id, ID_BYTES, error);
}

const char *statement_before(const char *before_id)
{
    return before_id == NULL || before_id[0] == 0 ? "~" : before_id;
}

int64_t statement_page_limit(size_t limit)
{
    return limit > STORE_PAGE_MAX ? STORE_PAGE_MAX : (int64_t)limit;
}

bool store_must_change_one(int64_t changed, const char *code, const char *subject,
                           struct error *error)
{
    if (changed == 1) {
        return true;
    }
    return error_set(error, ERROR_CONFLICT, code, subject,
                     "it changed in the meantime: read it again, then decide again");
}

bool store_must_find_one(int64_t changed, const char *subject, struct error *error)
{
    if (changed == 1) {
        return true;
    }
    return error_set(error, ERROR_NOT_FOUND, "not_found", subject, "there is no such thing");
}

int64_t store_position(int64_t epoch, int64_t number)
{
    return (epoch << POSITION_BITS) + number;
}
