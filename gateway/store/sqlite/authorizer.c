/* What a connection may do once it is open: read, insert, change what may change. No schema, no
 * PRAGMA, no other file; entries and votes cannot be changed even where a trigger was dropped. */

#include "store/sqlite/driver_internal.h"

#include <string.h>

static bool is_append_only(const char *table)
{
    static const char *const tables[] = {"votes", "entries", "nodes", "checkpoints", "redemptions"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (sqlite3_stricmp(table, tables[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_schema(const char *table)
{
    return sqlite3_strnicmp(table, "sqlite_", 7) == 0;
}

static bool may(const struct store *store, int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return true;
    case SQLITE_FUNCTION:
        return strcmp(second, "load_extension") != 0;
    case SQLITE_INSERT:
        return !is_schema(first);
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
        return !is_schema(first) && !is_append_only(first);
    default:
        return !store->is_sealed;
    }
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *cause)
{
    (void)database;
    (void)cause;
    return may(context, action, first, second) ? SQLITE_OK : SQLITE_DENY;
}

void store_seal(struct store *store)
{
    store->is_sealed = true;
    sqlite3_set_authorizer(store->database, authorize, store);
}
