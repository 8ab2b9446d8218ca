/* Opening and closing a store. */

#include "base/memory.h"
#include "store/sqlite/driver_internal.h"
#include "store/sqlite/pragma_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 1129531220, /* "CSGT", set by the first migration */
    BUSY_TIMEOUT_MS = 5000,      /* only a foreign process can make the writer wait */
    /* A quick_check reads the whole file, about 64 MB in 0.1 s when cached and far longer when not.
     * Larger stores rely on the ledger's own check, which does not grow with the file. */
    QUICK_CHECK_BYTES_MAX = 64 << 20,
};

/* WAL with a sync at every commit is what makes an answer durable. The writer checkpoints itself:
 * SQLite before 3.51.3 can corrupt a store when two connections do. The journal limit gives space
 * back after a burst. Replaced rows fire delete triggers too. */
static const char writer_pragmas[] = "PRAGMA synchronous = FULL;"
                                     "PRAGMA wal_autocheckpoint = 0;"
                                     "PRAGMA journal_size_limit = 67108864;"
                                     "PRAGMA cache_size = -65536;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA mmap_size = 0;"
                                     "PRAGMA cell_size_check = ON;"
                                     "PRAGMA recursive_triggers = ON;"
                                     "PRAGMA foreign_keys = ON;";
static const char reader_pragmas[] = "PRAGMA query_only = ON;"
                                     "PRAGMA wal_autocheckpoint = 0;"
                                     "PRAGMA cache_size = -16384;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA mmap_size = 0;"
                                     "PRAGMA cell_size_check = ON;";

bool store_read_pragma(struct store *store, const char *sql, int64_t *out_number,
                       struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        return store_failed(store, error);
    }
    int code = sqlite3_step(statement);
    bool is_read = code == SQLITE_ROW || code == SQLITE_DONE || store_failed(store, error);
    if (is_read) {
        *out_number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement);
    return is_read;
}

/* A lock file of its own: a lock on the store's file would be lost with the first close() of any
 * descriptor on it (fcntl locks), SQLite's locks among them. */
static bool take_lock(struct store *store, const char *path, struct error *error)
{
    size_t bytes = strlen(path) + sizeof ".lock";
    char *lock_path MEMORY_SCOPE = memory_zeroed(bytes, 1);
    memcpy(lock_path, path, bytes - sizeof ".lock");
    memcpy(lock_path + bytes - sizeof ".lock", ".lock", sizeof ".lock");
    store->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0) {
        return error_set(error, ERROR_INVALID, "store_not_writable", lock_path,
                         "cannot make the lock file `%s`: %s", lock_path, strerror(errno));
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return error_set(error, ERROR_CONFLICT, "store_in_use", path,
                         "another countersignd has the store `%s` open", path);
    }
    return true;
}

/* Made before SQLite would make it readable for others; its log and index inherit the mode. Never
 * opened here when it exists: closing it again would drop SQLite's locks. */
static void make_private(const char *path)
{
    int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made >= 0) {
        (void)close(made);
    }
}

static bool open_database(struct store *store, const char *path, struct error *error)
{
    int flags =
        SQLITE_OPEN_NOMUTEX | (store->is_reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int code = sqlite3_open_v2(path, &store->database, flags, NULL);
    if (store->database == NULL) {
        memory_exhausted(0);
    }
    if (code != SQLITE_OK) {
        return error_set(error, ERROR_INVALID, "store_not_opened", path,
                         "cannot open the store `%s`: %s", path, sqlite3_errmsg(store->database));
    }
    if (!store->is_reader && sqlite3_db_readonly(store->database, "main") != 0) {
        return error_set(error, ERROR_INVALID, "store_not_writable", path,
                         "the store `%s` cannot be written: check its permissions and its mount",
                         path);
    }
    return true;
}

static void harden(struct store *store)
{
    sqlite3 *database = store->database;
    (void)sqlite3_extended_result_codes(database, 1);
    (void)sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (store->is_reader) {
        (void)sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
}

/* Text of a PRAGMA's first row compared with what it should be. */
static bool pragma_says(struct store *store, const char *sql, const char *expected, bool *out_says,
                        struct error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        return store_failed(store, error);
    }
    bool is_read = sqlite3_step(statement) == SQLITE_ROW || store_failed(store, error);
    if (is_read) {
        const char *said = (const char *)sqlite3_column_text(statement, 0);
        *out_says = said != NULL && strcmp(said, expected) == 0;
    }
    (void)sqlite3_finalize(statement);
    return is_read;
}

static bool use_wal(struct store *store, const char *path, struct error *error)
{
    bool is_wal = false;
    if (!pragma_says(store, "PRAGMA journal_mode = WAL", "wal", &is_wal, error)) {
        return false;
    }
    if (!is_wal) {
        return error_set(error, ERROR_INVALID, "store_not_opened", path,
                         "the file system of `%s` cannot keep a write-ahead log: use a local disk",
                         path);
    }
    return true;
}

static bool configure(struct store *store, const char *path, struct error *error)
{
    if (!store->is_reader && !use_wal(store, path, error)) {
        return false;
    }
    const char *pragmas = store->is_reader ? reader_pragmas : writer_pragmas;
    return sqlite3_exec(store->database, pragmas, NULL, NULL, NULL) == SQLITE_OK ||
           store_failed(store, error);
}

static bool is_ours(struct store *store, const char *path, struct error *error)
{
    int64_t application = 0;
    int64_t tables = 0;
    if (!store_read_pragma(store, "PRAGMA application_id", &application, error) ||
        !store_read_pragma(store, "SELECT count(*) FROM sqlite_schema", &tables, error)) {
        return false;
    }
    if (application != APPLICATION_ID && (tables > 0 || store->is_reader)) {
        return error_set(error, ERROR_INVALID, "not_a_store", path,
                         "`%s` is a database of another program", path);
    }
    return true;
}

static bool check_quickly(struct store *store, const char *path, struct error *error)
{
    int64_t bytes = 0;
    bool is_sound = true;
    if (!store_read_pragma(store,
                           "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                           &bytes, error)) {
        return false;
    }
    if (bytes <= QUICK_CHECK_BYTES_MAX &&
        !pragma_says(store, "PRAGMA quick_check(1)", "ok", &is_sound, error)) {
        return false;
    }
    if (!is_sound) {
        return error_set(error, ERROR_CORRUPT, "store_corrupt", path,
                         "the store `%s` is damaged: restore it from a copy", path);
    }
    return true;
}

static int count_log_pages(void *context, sqlite3 *database, const char *name, int pages)
{
    struct store *store = context;
    (void)database;
    (void)name;
    /* Fewer pages than were moved: the log began anew. */
    if (pages < store->log_pages_done) {
        store->log_pages_done = 0;
    }
    store->log_pages = pages;
    return SQLITE_OK;
}

static bool prepare(struct store *store, const char *path, struct error *error)
{
    if (!open_database(store, path, error)) {
        return false;
    }
    harden(store);
    /* Before anything is written: another program's file stays as it is. */
    if (!is_ours(store, path, error) || !configure(store, path, error)) {
        return false;
    }
    if (!store->is_reader && !check_quickly(store, path, error)) {
        return false;
    }
    if (!store_migrate(store, error)) {
        return false;
    }
    if (!store->is_reader) {
        (void)sqlite3_wal_hook(store->database, count_log_pages, store);
    }
    store_seal(store);
    return store_prepare_statements(store, error);
}

/* The writer starts in distress when there is no room for it; anything else is a mistake in the
 * configuration. */
static bool make_ballast(struct store *store, const struct store_options *options,
                         struct error *error)
{
    struct error refusal = {0};
    store->ballast.store_path = memory_text(options->path);
    store->ballast.path = options->ballast_bytes > 0 ? memory_text(options->ballast_path) : NULL;
    store->ballast.bytes = store->ballast.path == NULL ? 0 : options->ballast_bytes;
    if (store_ballast_ensure(&store->ballast, &refusal) || refusal.kind == ERROR_RETRY_LATER) {
        return true;
    }
    return error_set(error, refusal.kind, refusal.code, refusal.subject, "%s", refusal.message);
}

/* Statistics nobody reads cost a lock at every allocation, a tenth of a submission. Refused without
 * harm when SQLite is in use already. */
static void spare_statistics(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct store *store_open(const struct store_options *options, struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, spare_statistics);
    struct store *store = memory_zeroed(1, sizeof *store);
    store->lock_fd = -1;
    if (!take_lock(store, options->path, error)) {
        store_close(store);
        return NULL;
    }
    make_private(options->path);
    if (!prepare(store, options->path, error) || !make_ballast(store, options, error)) {
        store_close(store);
        return NULL;
    }
    return store;
}

struct store *store_open_reader(const struct store_options *options, struct error *error)
{
    struct store *store = memory_zeroed(1, sizeof *store);
    store->lock_fd = -1;
    store->is_reader = true;
    if (!prepare(store, options->path, error)) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    store_finish_statements(store);
    (void)sqlite3_close(store->database);
    if (store->lock_fd >= 0) {
        (void)close(store->lock_fd);
    }
    free(store->ballast.store_path);
    free(store->ballast.path);
    free(store);
}

int store_schema_version(const struct store *store)
{
    return store->schema_version;
}

const struct store_ballast *store_ballast(const struct store *store)
{
    return &store->ballast;
}
