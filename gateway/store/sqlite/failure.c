/* What SQLite's answers mean to the caller. */

#include "store/sqlite/driver_internal.h"

#include "base/memory.h"
#include <errno.h>

static enum store_trouble trouble_of(const struct store *store, int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return STORE_TROUBLE_FULL;
    case SQLITE_READONLY:
        return STORE_TROUBLE_READ_ONLY;
    case SQLITE_BUSY:
        return STORE_TROUBLE_BUSY;
    case SQLITE_IOERR: {
        int cause = sqlite3_system_errno(store->database);
        return cause == ENOSPC || cause == EDQUOT ? STORE_TROUBLE_FULL : STORE_TROUBLE_FAILED;
    }
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return STORE_TROUBLE_FAILED;
    default:
        return STORE_TROUBLE_NONE;
    }
}

static bool set_trouble(struct store *store, struct error *error)
{
    switch (store->trouble) {
    case STORE_TROUBLE_FULL:
        return error_set(error, ERROR_RETRY_LATER, "store_full", NULL,
                         "nothing happened; the store's disk is full, make room on it");
    case STORE_TROUBLE_READ_ONLY:
        return error_set(error, ERROR_RETRY_LATER, "store_read_only", NULL,
                         "nothing happened; the store refuses writes, check its mount and its "
                         "permissions");
    case STORE_TROUBLE_BUSY:
        return error_set(error, ERROR_RETRY_LATER, "store_busy", NULL,
                         "nothing happened; another process holds the store, which only this "
                         "gateway may write");
    case STORE_TROUBLE_FAILED:
    case STORE_TROUBLE_NONE:
        break;
    }
    return error_set(error, ERROR_RETRY_LATER, "store_failed", NULL,
                     "nothing happened; the store could not be read or written: %s",
                     sqlite3_errmsg(store->database));
}

static bool set_other(struct store *store, struct error *error)
{
    const char *said = sqlite3_errmsg(store->database);
    switch (store->failure & 0xff) {
    case SQLITE_NOMEM:
        memory_exhausted(0);
    case SQLITE_INTERRUPT:
        return error_set(error, ERROR_RETRY_LATER, "interrupted", NULL,
                         "nothing happened; the gateway is stopping");
    case SQLITE_TOOBIG:
        return error_set(error, ERROR_INVALID, "too_large", NULL,
                         "a text is larger than the store takes");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(error, ERROR_CORRUPT, "store_corrupt", NULL,
                         "the store is damaged, restore it from a copy: %s", said);
    default:
        /* A check or a trigger of the schema: a rule in C let something through. */
        return error_set(error, ERROR_INTERNAL, "store_refused", NULL, "the store refused: %s",
                         said);
    }
}

bool store_failed(struct store *store, struct error *error)
{
    store->failure = sqlite3_extended_errcode(store->database);
    enum store_trouble trouble = trouble_of(store, store->failure);
    if (trouble == STORE_TROUBLE_NONE) {
        return set_other(store, error);
    }
    store->trouble = trouble;
    return set_trouble(store, error);
}
