/* Comments. */

#include "store/comment_rows.h"
#include "store/sqlite/driver_internal.h"

static const struct column columns[] = {
    COLUMN(struct comment_row, ID, "id", id),
    COLUMN(struct comment_row, ID, "request", request),
    COLUMN(struct comment_row, INT, "revision", revision),
    COLUMN(struct comment_row, ID, "author", author),
    COLUMN(struct comment_row, NAME, "author_name", author_name),
    COLUMN(struct comment_row, TEXT, "text", text),
    COLUMN(struct comment_row, INT64, "at", at),
};
static const struct shape comment_shape = SHAPE(struct comment_row, columns);

static const struct statement_text texts[] = {
    {.name = STATEMENT_COMMENT_INSERT,
     .shape = &comment_shape,
     .sql = "INSERT INTO comments (id, tenant, request, revision, author, author_name, text, at) "
            "VALUES (:id, :of_tenant, :request, :revision, :author, :author_name, :text, :at)"},
    {.name = STATEMENT_COMMENT_READ,
     .shape = &comment_shape,
     .sql = "SELECT id, request, revision, author, author_name, text, at FROM comments "
            "WHERE tenant = :of_tenant AND id = :id"},
    {.name = STATEMENT_COMMENT_LIST,
     .shape = &comment_shape,
     .sql = "SELECT id, request, revision, author, author_name, text, at FROM comments "
            "INDEXED BY comments_of_request WHERE tenant = :of_tenant AND request = :request "
            "ORDER BY row_id"},
};
const struct statement_list comment_statements = STATEMENT_LIST(texts);

bool store_insert_comment(struct store *store, const char *tenant,
                          const struct comment_row *comment, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_COMMENT_INSERT);
    statement_row(statement, comment);
    statement_text(statement, ":of_tenant", tenant);
    return statement_run(store, statement, NULL, error);
}

bool store_read_comment(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct comment_row *out, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_COMMENT_READ);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":id", id);
    return statement_get(store, statement, id, arena, out, error);
}

bool store_list_comments(struct store *store, const char *tenant, const char *request,
                         struct arena *arena, struct comment_row **out, size_t *out_count,
                         struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, STATEMENT_COMMENT_LIST);
    statement_text(statement, ":of_tenant", tenant);
    statement_text(statement, ":request", request);
    return statement_collect(store, statement, arena, out, out_count, error);
}
