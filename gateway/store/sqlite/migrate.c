/* Brings a store's schema up to this binary's, one transaction a step. */

#include "store/sqlite/driver_internal.h"

#include "store/sqlite/pragma_internal.h"

static int count_migrations(void)
{
    int count = 0;
    while (store_sqlite_migrations[count].name != NULL) {
        count++;
    }
    return count;
}

static bool execute(struct store *store, const char *sql, struct error *error)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           store_failed(store, error);
}

static bool apply(struct store *store, int version, struct error *error)
{
    const struct embedded_file *file = &store_sqlite_migrations[version - 1];
    int64_t reached = 0;
    if (!execute(store, file->text, error) ||
        !store_read_pragma(store, "PRAGMA user_version", &reached, error)) {
        return false;
    }
    if (reached != version) {
        return error_set(error, ERROR_INTERNAL, "bad_migration", file->name,
                         "the migration must end with user_version %d", version);
    }
    return true;
}

static bool step(struct store *store, int version, struct error *error)
{
    if (!execute(store, "BEGIN IMMEDIATE", error)) {
        return false;
    }
    if (!apply(store, version, error) || !execute(store, "COMMIT", error)) {
        (void)!execute(store, "ROLLBACK", NULL);
        return false;
    }
    store->schema_version = version;
    return true;
}

bool store_migrate(struct store *store, struct error *error)
{
    int64_t version = 0;
    int newest = count_migrations();
    if (!store_read_pragma(store, "PRAGMA user_version", &version, error)) {
        return false;
    }
    if (version < 0 || version > newest) {
        return error_set(error, ERROR_INVALID, "schema_too_new", NULL,
                         "the store has schema %lld and this countersignd knows only up to %d: run "
                         "the newer countersignd, or restore a copy made before it ran",
                         (long long)version, newest);
    }
    store->schema_version = (int)version;
    while (!store->is_reader && store->schema_version < newest) {
        if (!step(store, store->schema_version + 1, error)) {
            return false;
        }
    }
    return true;
}
