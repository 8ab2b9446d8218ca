/* The transaction of a batch and the savepoint of a job. */

#include "store/sqlite/driver_internal.h"

static const struct statement_text texts[] = {
    {.name = STATEMENT_BEGIN, .sql = "BEGIN IMMEDIATE"},
    {.name = STATEMENT_BEGIN_READING, .sql = "BEGIN DEFERRED"},
    {.name = STATEMENT_SAVEPOINT, .sql = "SAVEPOINT job"},
    {.name = STATEMENT_RELEASE, .sql = "RELEASE job"},
    {.name = STATEMENT_ROLLBACK_TO, .sql = "ROLLBACK TO job"},
    {.name = STATEMENT_ROLLBACK, .sql = "ROLLBACK"},
    {.name = STATEMENT_COMMIT, .sql = "COMMIT"},
};
const struct statement_list transaction_statements = STATEMENT_LIST(texts);

static bool run(struct store *store, enum statement_name name, struct error *error)
{
    struct statement *statement STATEMENT_SCOPE = statement_of(store, name);
    return statement_run(store, statement, NULL, error);
}

bool store_begin(struct store *store, struct error *error)
{
    store->trouble = STORE_TROUBLE_NONE;
    return run(store, STATEMENT_BEGIN, error);
}

bool store_begin_reading(struct store *store, struct error *error)
{
    store->trouble = STORE_TROUBLE_NONE;
    return run(store, STATEMENT_BEGIN_READING, error);
}

bool store_savepoint(struct store *store, struct error *error)
{
    return run(store, STATEMENT_SAVEPOINT, error);
}

bool store_release(struct store *store, struct error *error)
{
    return run(store, STATEMENT_RELEASE, error);
}

bool store_rollback_savepoint(struct store *store)
{
    if (sqlite3_get_autocommit(store->database) != 0) {
        return false;
    }
    return run(store, STATEMENT_ROLLBACK_TO, NULL) && run(store, STATEMENT_RELEASE, NULL);
}

void store_roll_back(struct store *store)
{
    if (sqlite3_get_autocommit(store->database) == 0) {
        /* Cannot fail in a way that keeps the transaction: SQLite drops it even when it complains.
         */
        (void)!run(store, STATEMENT_ROLLBACK, NULL);
    }
}

enum store_outcome store_try_commit(struct store *store, struct error *error)
{
    if (run(store, STATEMENT_COMMIT, error)) {
        return STORE_COMMITTED;
    }
    /* SQLITE_FULL means that the commit frame was not written whole, so nothing of it can last.
     * After any other answer it may be on the disk: a failed fsync, for one, says nothing about
     * what the next start will read. */
    bool is_full = (store->failure & 0xff) == SQLITE_FULL;
    store_roll_back(store);
    return is_full && sqlite3_get_autocommit(store->database) != 0 ? STORE_NOT_COMMITTED
                                                                   : STORE_OUTCOME_UNKNOWN;
}

bool store_commit(struct store *store, struct error *error)
{
    return store_try_commit(store, error) == STORE_COMMITTED;
}

enum store_trouble store_trouble(const struct store *store)
{
    return store->trouble;
}

int64_t store_changes(const struct store *store)
{
    return sqlite3_total_changes(store->database);
}

int64_t store_log_pages(const struct store *store)
{
    return store->log_pages - store->log_pages_done;
}

void store_checkpoint(struct store *store)
{
    int pages = 0;
    int done = 0;
    /* A checkpoint that fails leaves everything in the log; the next one starts over. */
    if (sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
                                  &done) == SQLITE_OK &&
        pages >= 0) {
        store->log_pages = pages;
        store->log_pages_done = done;
    }
}

static int ask_to_stop(void *context)
{
    const struct store *store = context;
    return store->must_stop(store->must_stop_context);
}

void store_set_interrupt(struct store *store, bool (*must_stop)(void *context), void *context)
{
    store->must_stop = must_stop;
    store->must_stop_context = context;
    /* About every 10 us of work. */
    sqlite3_progress_handler(store->database, 1000, ask_to_stop, store);
}
