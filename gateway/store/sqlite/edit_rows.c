/* Edits. */

#include "store/edit_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct edit_row, ID, "request", request),
    COLUMN(struct edit_row, INT, "revision", revision),
    COLUMN(struct edit_row, ID, "person", person),
    COLUMN(struct edit_row, NAME, "person_name", person_name),
    COLUMN(struct edit_row, TEXT, "reason", reason),
    COLUMN(struct edit_row, TEXT, "changes", changes),
    COLUMN(struct edit_row, TEXT, "former_action", former_action),
    COLUMN(struct edit_row, TEXT, "former_salt", former_salt),
    COLUMN(struct edit_row, HASH, "former_digest", former_digest),
    COLUMN(struct edit_row, HASH, "digest", digest),
    COLUMN(struct edit_row, INT64, "at", at),
};
static const struct shape edit_shape = SHAPE(struct edit_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_EDIT_INSERT,
     .shape = &edit_shape,
     .sql = "INSERT INTO edits (tenant, request, revision, person, person_name, reason, changes, "
            "former_action, former_salt, former_digest, digest, at) "
            "VALUES (:of_tenant, :request, :revision, :person, :person_name, :reason, :changes, "
            ":former_action, :former_salt, :former_digest, :digest, :at)",
     .conflict_code = "edited_already",
     .conflict_message = "the request has that revision already"},
    {.name = STATEMENT_EDIT_LIST,
     .shape = &edit_shape,
     .sql = "SELECT request, revision, person, person_name, reason, changes, former_action, "
            "former_salt, former_digest, digest, at FROM edits "
            "WHERE tenant = :of_tenant AND request = :request ORDER BY revision"},
};
const struct statement_list edit_statements = STATEMENT_LIST(texts);

bool store_insert_edit(struct store *store, const char *tenant, const struct edit_row *edit,
                       struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EDIT_INSERT);
    statement_row(statement, edit);
    statement_text(statement, ":of_tenant", tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_list_edits(struct store *store, const char *tenant, const char *request,
                      struct arena *arena, struct edit_row **out, size_t *out_count,
                      struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_EDIT_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":request", request);
    return statement_collect(store, statement, arena, out, out_count, error);
}
