#ifndef STORE_SQLITE_DRIVER_INTERNAL_H
#define STORE_SQLITE_DRIVER_INTERNAL_H

/*
 * How the row files speak SQL. Each row struct has one shape: its columns with their place in the
 * struct. Each statement is a constant text that names its parameters; when it is prepared (at
 * open) parameters and result columns are matched to the shape by name, so that a wrong name stops
 * the start, and running it costs no look-ups. A parameter that the shape does not know is bound by
 * name, with statement_text and its like.
 */

#include "identity/principal.h"
#include "store/engine_internal.h"
#include "store/sqlite/statements_internal.h"
#include "store/store.h"
#include <sqlite3.h>
#include <stddef.h>

struct embedded_file {
    const char *name;
    const char *text;
};
extern const struct embedded_file store_sqlite_migrations[]; /* ends with a NULL name */

enum column_kind {
    COLUMN_TEXT = 1, /* const char *; NULL is SQL NULL; read into the arena */
    COLUMN_ID,       /* char[ID_BYTES] */
    COLUMN_NAME,     /* char[NAME_BYTES] */
    COLUMN_INT,      /* int or enum */
    COLUMN_INT64,
    COLUMN_BOOL,
    COLUMN_HASH, /* struct sha256 */
};

struct column {
    const char *name;
    enum column_kind kind;
    size_t offset;
};

struct shape {
    const struct column *columns;
    size_t column_count;
    size_t row_bytes;
};

#define COLUMN(row_type, kind_word, column_name, member)                                           \
    {                                                                                              \
        .name = (column_name), .kind = COLUMN_##kind_word, .offset = offsetof(row_type, member)    \
    }
#define SHAPE(row_type, columns_array)                                                             \
    {                                                                                              \
        .columns = (columns_array),                                                                \
        .column_count = sizeof(columns_array) / sizeof *(columns_array),                           \
        .row_bytes = sizeof(row_type)                                                              \
    }

struct statement_text {
    enum statement_name name;
    const char *sql;
    const struct shape *shape; /* NULL when every parameter and column is handled by hand */
    const char *conflict_code; /* what a broken uniqueness means; NULL: "exists" */
    const char *conflict_message;
};

struct statement_list {
    const struct statement_text *texts;
    size_t count;
};
#define STATEMENT_LIST(texts_array)                                                                \
    {                                                                                              \
        .texts = (texts_array), .count = sizeof(texts_array) / sizeof *(texts_array)               \
    }

/* One list a row file. */
extern const struct statement_list transaction_statements, value_statements, request_statements,
    vote_statements, repeat_statements, grant_statements, effect_statements, person_statements,
    agent_statements, caller_statements, credential_statements, session_statements,
    owner_statements, passkey_statements, proposal_statements, freeze_statements, entry_statements,
    checkpoint_statements, policy_statements, notice_statements, history_statements,
    edit_statements, attention_statements, insight_statements, access_statements,
    comment_statements, card_statements, roundup_statements, choice_statements, chat_statements,
    tenant_statements;

enum { STATEMENT_COLUMNS_MAX = 64 };

struct statement {
    sqlite3_stmt *handle;
    const struct statement_text *text;
    uint64_t bound; /* bit n: parameter n + 1 has its value */
    unsigned char parameter_count;
    unsigned char result_count;
    unsigned char parameter_columns[STATEMENT_COLUMNS_MAX]; /* column number + 1; 0: by hand */
    unsigned char result_columns[STATEMENT_COLUMNS_MAX];
};

struct store {
    sqlite3 *database;
    int lock_fd; /* -1 for readers */
    bool is_reader;
    bool is_sealed; /* the authorizer refuses what only opening may do */
    int schema_version;
    enum store_trouble trouble;
    int failure;            /* extended SQLite code of the last thing that failed */
    int64_t log_pages;      /* in the write-ahead log since it was last reset */
    int64_t log_pages_done; /* of them already checkpointed */
    bool (*must_stop)(void *context);
    void *must_stop_context;
    int64_t idempotency_cursor; /* last idempotency row looked over by store_purge_expired */
    int64_t history_cursor;     /* the same of store_purge_history */
    struct store_ballast ballast;
    struct statement statements[STATEMENT_COUNT];
};

bool store_prepare_statements(struct store *store, struct error *error) MUST_CHECK;
void store_finish_statements(struct store *store);
bool store_migrate(struct store *store, struct error *error) MUST_CHECK;
void store_seal(struct store *store); /* from here on the authorizer decides */

/* Sets `error` from the connection's last failure and remembers trouble. Returns false. */
bool store_failed(struct store *store, struct error *error);

/* The statement, ready to bind. For `struct statement *s STATEMENT_SCOPE = …`: reset at scope end.
 */
struct statement *statement_of(struct store *store, enum statement_name name);
void statement_reset(struct statement **statement);
#define STATEMENT_SCOPE __attribute__((cleanup(statement_reset)))

/* Of a notice: it asks somebody. */
#define NOTICE_IS_PROMPT "event IN ('request.pending', 'request.escalated', 'request.edited') "

/* Texts are lent until the statement is reset. */
void statement_text(struct statement *statement, const char *parameter, const char *text);
void statement_number(struct statement *statement, const char *parameter, int64_t number);
void statement_bytes(struct statement *statement, const char *parameter, const char *text,
                     size_t length); /* text of known length */
void statement_blob(struct statement *statement, const char *parameter, const char *bytes,
                    size_t length);
void statement_hash(struct statement *statement, const char *parameter, const struct sha256 *hash);
void statement_row(struct statement *statement, const void *row); /* all parameters of the shape */

/* Runs a statement that returns nothing; `out_changed` (may be NULL) is how many rows it changed.
 */
bool statement_run(struct store *store, struct statement *statement, int64_t *out_changed,
                   struct error *error) MUST_CHECK;
/* One more row: true and out_found. */
bool statement_next(struct store *store, struct statement *statement, bool *out_found,
                    struct error *error) MUST_CHECK;
/* The row at hand. CORRUPT when a value does not fit its column. */
bool statement_read(struct statement *statement, struct arena *arena, void *out_row,
                    struct error *error) MUST_CHECK;

/* First row, or out_found false. */
bool statement_find(struct store *store, struct statement *statement, struct arena *arena,
                    void *out_row, bool *out_found, struct error *error) MUST_CHECK;
/* First row, or NOT_FOUND for `subject`. */
bool statement_get(struct store *store, struct statement *statement, const char *subject,
                   struct arena *arena, void *out_row, struct error *error) MUST_CHECK;
/* All rows as an array in the arena; `out_rows` is a pointer to a pointer of the row type. */
bool statement_collect(struct store *store, struct statement *statement, struct arena *arena,
                       void *out_rows, size_t *out_count, struct error *error) MUST_CHECK;
/* First column of all rows as texts in the arena. */
bool statement_collect_texts(struct store *store, struct statement *statement, struct arena *arena,
                             const char ***out, size_t *out_count, struct error *error) MUST_CHECK;
/* The row of a tenant by its id, else by its name. */
bool statement_get_named(struct store *store, enum statement_name by_id,
                         enum statement_name by_name, const char *tenant, const char *name_or_id,
                         struct arena *arena, void *out_row, struct error *error) MUST_CHECK;
/* First column of the first row as a number; 0 when there is no row or it is NULL. */
bool statement_count(struct store *store, struct statement *statement, int64_t *out_number,
                     struct error *error) MUST_CHECK;
/* First column of the first row as an id; "" when there is no row. */
bool statement_find_id(struct store *store, struct statement *statement, char out_id[ID_BYTES],
                       struct error *error) MUST_CHECK;

/* Text of a result column of the row at hand, lent until the statement moves; NULL when SQL NULL.
 */
const char *statement_column_text(const struct statement *statement, int column);
/* Bytes of a result column, copied into the arena. */
const char *statement_column_blob(const struct statement *statement, int column,
                                  struct arena *arena, size_t *out_length);
bool statement_column_hash(const struct statement *statement, int column, struct sha256 *out,
                           struct error *error) MUST_CHECK;

/* An array that grows in an arena. */
struct statement_rows {
    struct arena *arena;
    size_t row_bytes;
    void *rows;
    size_t count;
    size_t capacity;
};
void *statement_rows_add(struct statement_rows *rows); /* a zeroed row at the end */

/* Keyset pages: what sorts after every id when no id is given, and a limit within STORE_PAGE_MAX.
 */
const char *statement_before(const char *before_id);
int64_t statement_page_limit(size_t limit);

/* CONFLICT `code` unless exactly one row changed. */
bool store_must_change_one(int64_t changed, const char *code, const char *subject,
                           struct error *error) MUST_CHECK;

/* NOT_FOUND for `subject` when no row changed. */
bool store_must_find_one(int64_t changed, const char *subject, struct error *error) MUST_CHECK;

/* epoch * 2^40 + number, how entries and checkpoints are numbered. */
enum { POSITION_BITS = 40 };
int64_t store_position(int64_t epoch, int64_t number);

#endif
