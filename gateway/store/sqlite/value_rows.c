/* Small named values. */

#include "store/sqlite/driver_internal.h"

static const struct statement_text texts[] = {
    {.name = STATEMENT_VALUE_GET_NUMBER,
     .sql = "SELECT number FROM named_values WHERE name = :name"},
    {.name = STATEMENT_VALUE_SET_NUMBER,
     .sql = "INSERT INTO named_values (name, number) VALUES (:name, :number) "
            "ON CONFLICT (name) DO UPDATE SET number = excluded.number"},
    {.name = STATEMENT_VALUE_GET_TEXT, .sql = "SELECT text FROM named_values WHERE name = :name"},
    {.name = STATEMENT_VALUE_SET_TEXT,
     .sql = "INSERT INTO named_values (name, text) VALUES (:name, :text) "
            "ON CONFLICT (name) DO UPDATE SET text = excluded.text"},
};
const struct statement_list value_statements = STATEMENT_LIST(texts);

bool store_get_number(struct store *store, const char *name, int64_t *out_number,
                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VALUE_GET_NUMBER);
    statement_text(statement, ":name", name);
    return statement_count(store, statement, out_number, error);
}

bool store_set_number(struct store *store, const char *name, int64_t number, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VALUE_SET_NUMBER);
    statement_text(statement, ":name", name);
    statement_number(statement, ":number", number);
    return statement_run(store, statement, NULL, error);
}

bool store_get_text(struct store *store, const char *name, struct arena *arena, char **out_text,
                    struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VALUE_GET_TEXT);
    statement_text(statement, ":name", name);
    bool is_found = false;
    if (!statement_next(store, statement, &is_found, error)) {
        return false;
    }
    *out_text = is_found ? arena_text(arena, statement_column_text(statement, 0)) : NULL;
    return true;
}

bool store_set_text(struct store *store, const char *name, const char *text, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_VALUE_SET_TEXT);
    statement_text(statement, ":name", name);
    statement_text(statement, ":text", text);
    return statement_run(store, statement, NULL, error);
}
