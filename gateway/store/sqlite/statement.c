/* Preparing, binding and running statements. */

#include "store/sqlite/driver_internal.h"

#include "base/check.h"
#include <string.h>

static const struct statement_list *const lists[] = {
    &transaction_statements, &value_statements,   &request_statements,    &vote_statements,
    &repeat_statements,      &grant_statements,   &effect_statements,     &person_statements,
    &agent_statements,       &caller_statements,  &credential_statements, &session_statements,
    &owner_statements,       &passkey_statements, &proposal_statements,   &tenant_statements,
    &freeze_statements,      &entry_statements,   &checkpoint_statements, &policy_statements,
    &notice_statements,      &history_statements, &edit_statements,       &attention_statements,
    &insight_statements,     &access_statements,  &comment_statements,    &card_statements,
    &roundup_statements,     &choice_statements,  &chat_statements,
};

/* Column number + 1; 0 when the shape has no such column. */
static unsigned char find_column(const struct shape *shape, const char *name)
{
    for (size_t i = 0; shape != NULL && i < shape->column_count; i++) {
        if (strcmp(shape->columns[i].name, name) == 0) {
            return (unsigned char)(i + 1);
        }
    }
    return 0;
}

static void match_columns(struct statement *statement)
{
    int parameters = sqlite3_bind_parameter_count(statement->handle);
    int results = sqlite3_column_count(statement->handle);
    CHECK(parameters < STATEMENT_COLUMNS_MAX && results < STATEMENT_COLUMNS_MAX);
    statement->parameter_count = (unsigned char)parameters;
    statement->result_count = (unsigned char)results;
    for (int i = 0; i < parameters; i++) {
        const char *name = sqlite3_bind_parameter_name(statement->handle, i + 1);
        CHECK(name != NULL && name[0] == ':');
        statement->parameter_columns[i] = find_column(statement->text->shape, name + 1);
    }
    for (int i = 0; statement->text->shape != NULL && i < results; i++) {
        const char *name = sqlite3_column_name(statement->handle, i);
        statement->result_columns[i] = find_column(statement->text->shape, name);
        CHECK(statement->result_columns[i] != 0);
    }
}

static bool prepare(struct store *store, const struct statement_text *text, struct error *error)
{
    struct statement *statement = &store->statements[text->name];
    CHECK(statement->handle == NULL);
    statement->text = text;
    if (sqlite3_prepare_v3(store->database, text->sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &statement->handle, NULL) != SQLITE_OK) {
        return error_set(error, ERROR_INTERNAL, "bad_statement", NULL,
                         "the store's schema does not fit this binary: %s",
                         sqlite3_errmsg(store->database));
    }
    match_columns(statement);
    return true;
}

bool store_prepare_statements(struct store *store, struct error *error)
{
    size_t prepared = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            if (!prepare(store, &lists[i]->texts[j], error)) {
                return false;
            }
            prepared++;
        }
    }
    CHECK(prepared == STATEMENT_COUNT);
    return true;
}

void store_finish_statements(struct store *store)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i].handle);
        store->statements[i].handle = NULL;
    }
}

struct statement *statement_of(struct store *store, enum statement_name name)
{
    return &store->statements[name];
}

void statement_reset(struct statement **statement)
{
    /* What went wrong was told when it was stepped. */
    (void)sqlite3_reset((*statement)->handle);
    (void)sqlite3_clear_bindings((*statement)->handle);
    (*statement)->bound = 0;
}

/* Binding can fail only for want of memory, or for a text of more than a gigabyte. */
static void check_bound(struct statement *statement, int parameter, int code)
{
    CHECK(code == SQLITE_OK);
    statement->bound |= UINT64_C(1) << (parameter - 1);
}

static int parameter_of(const struct statement *statement, const char *name)
{
    int parameter = sqlite3_bind_parameter_index(statement->handle, name);
    CHECK(parameter > 0);
    return parameter;
}

static void bind_text(struct statement *statement, int parameter, const char *text, size_t length)
{
    int code = text == NULL ? sqlite3_bind_null(statement->handle, parameter)
                            : sqlite3_bind_text64(statement->handle, parameter, text, length,
                                                  SQLITE_STATIC, SQLITE_UTF8);
    check_bound(statement, parameter, code);
}

void statement_text(struct statement *statement, const char *parameter, const char *text)
{
    bind_text(statement, parameter_of(statement, parameter), text, text == NULL ? 0 : strlen(text));
}

void statement_bytes(struct statement *statement, const char *parameter, const char *text,
                     size_t length)
{
    bind_text(statement, parameter_of(statement, parameter), text, length);
}

void statement_number(struct statement *statement, const char *parameter, int64_t number)
{
    int place = parameter_of(statement, parameter);
    check_bound(statement, place, sqlite3_bind_int64(statement->handle, place, number));
}

void statement_blob(struct statement *statement, const char *parameter, const char *bytes,
                    size_t length)
{
    int place = parameter_of(statement, parameter);
    check_bound(statement, place,
                sqlite3_bind_blob64(statement->handle, place, bytes, length, SQLITE_STATIC));
}

static void bind_hash(struct statement *statement, int parameter, const struct sha256 *hash)
{
    check_bound(
        statement, parameter,
        sqlite3_bind_blob(statement->handle, parameter, hash->bytes, SHA256_BYTES, SQLITE_STATIC));
}

void statement_hash(struct statement *statement, const char *parameter, const struct sha256 *hash)
{
    bind_hash(statement, parameter_of(statement, parameter), hash);
}

static void bind_number(struct statement *statement, int parameter, int64_t number)
{
    check_bound(statement, parameter, sqlite3_bind_int64(statement->handle, parameter, number));
}

static int64_t load_int(const unsigned char *member)
{
    int value;
    memcpy(&value, member, sizeof value);
    return value;
}

static int64_t load_int64(const unsigned char *member)
{
    int64_t value;
    memcpy(&value, member, sizeof value);
    return value;
}

static const char *load_text(const unsigned char *member)
{
    const char *text;
    memcpy(&text, member, sizeof text);
    return text;
}

static void bind_array(struct statement *statement, int parameter, const unsigned char *member,
                       size_t size)
{
    size_t length = strnlen((const char *)member, size);
    CHECK(length < size);
    bind_text(statement, parameter, (const char *)member, length);
}

static void bind_member(struct statement *statement, int parameter, const struct column *column,
                        const unsigned char *member)
{
    switch (column->kind) {
    case COLUMN_TEXT: {
        const char *text = load_text(member);
        bind_text(statement, parameter, text, text == NULL ? 0 : strlen(text));
        return;
    }
    case COLUMN_ID:
        bind_array(statement, parameter, member, ID_BYTES);
        return;
    case COLUMN_NAME:
        bind_array(statement, parameter, member, NAME_BYTES);
        return;
    case COLUMN_INT:
        bind_number(statement, parameter, load_int(member));
        return;
    case COLUMN_INT64:
        bind_number(statement, parameter, load_int64(member));
        return;
    case COLUMN_BOOL:
        bind_number(statement, parameter, *(const bool *)member);
        return;
    case COLUMN_HASH:
        bind_hash(statement, parameter, (const struct sha256 *)(const void *)member);
        return;
    }
    CHECK(!"a column of no kind");
}

void statement_row(struct statement *statement, const void *row)
{
    for (int i = 0; i < statement->parameter_count; i++) {
        if (statement->parameter_columns[i] == 0) {
            continue;
        }
        const struct column *column =
            &statement->text->shape->columns[statement->parameter_columns[i] - 1];
        bind_member(statement, i + 1, column, (const unsigned char *)row + column->offset);
    }
}

static void check_complete(const struct statement *statement)
{
    CHECK(statement->bound == (UINT64_C(1) << statement->parameter_count) - 1);
}

static bool is_uniqueness(int code)
{
    return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
           code == SQLITE_CONSTRAINT_ROWID;
}

static bool fail(struct store *store, const struct statement *statement, struct error *error)
{
    if (is_uniqueness(sqlite3_extended_errcode(store->database))) {
        const struct statement_text *text = statement->text;
        return error_set(error, ERROR_CONFLICT,
                         text->conflict_code == NULL ? "exists" : text->conflict_code, NULL, "%s",
                         text->conflict_message == NULL ? "the store already holds this"
                                                        : text->conflict_message);
    }
    return store_failed(store, error);
}

bool statement_run(struct store *store, struct statement *statement, int64_t *out_changed,
                   struct error *error)
{
    check_complete(statement);
    if (sqlite3_step(statement->handle) != SQLITE_DONE) {
        return fail(store, statement, error);
    }
    if (out_changed != NULL) {
        *out_changed = sqlite3_changes(store->database);
    }
    return true;
}

bool statement_next(struct store *store, struct statement *statement, bool *out_found,
                    struct error *error)
{
    check_complete(statement);
    int code = sqlite3_step(statement->handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return fail(store, statement, error);
    }
    *out_found = code == SQLITE_ROW;
    return true;
}
