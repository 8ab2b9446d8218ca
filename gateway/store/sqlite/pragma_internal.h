#ifndef STORE_SQLITE_PRAGMA_INTERNAL_H
#define STORE_SQLITE_PRAGMA_INTERNAL_H

/* While a store opens: the first column of the first row of `sql`, as a number. */

#include "store/sqlite/driver_internal.h"

bool store_read_pragma(struct store *store, const char *sql, int64_t *out_number,
                       struct error *error) MUST_CHECK;

#endif
