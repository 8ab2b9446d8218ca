#ifndef STORE_ENGINE_INTERNAL_H
#define STORE_ENGINE_INTERNAL_H

/* What the threads of this room (writer.c, reader.c) ask of an engine. One folder beside this file
 * implements it; nothing here names SQLite. A store is used by one thread at a time. */

#include "store/store.h"

/* Why nothing more can be written in this transaction. Stands until the next store_begin. */
enum store_trouble {
    STORE_TROUBLE_NONE = 0,
    STORE_TROUBLE_FULL,      /* no room on the disk or in the quota */
    STORE_TROUBLE_READ_ONLY, /* the file or its disk refuses writes */
    STORE_TROUBLE_BUSY,      /* another process holds the store */
    STORE_TROUBLE_FAILED,    /* an I/O error before COMMIT: nothing of the transaction lasts */
};

/* Zero is the one that must stop the process. */
enum store_outcome { STORE_OUTCOME_UNKNOWN = 0, STORE_COMMITTED, STORE_NOT_COMMITTED };

/* store_begin and store_roll_back are in store.h. */
bool store_begin_reading(struct store *store, struct error *error) MUST_CHECK;
bool store_savepoint(struct store *store, struct error *error) MUST_CHECK;
bool store_release(struct store *store, struct error *error) MUST_CHECK;
/* Undoes to the savepoint and removes it. False when the whole transaction is gone. */
bool store_rollback_savepoint(struct store *store) MUST_CHECK;
enum store_outcome store_try_commit(struct store *store, struct error *error) MUST_CHECK;

enum store_trouble store_trouble(const struct store *store);
int64_t store_changes(const struct store *store); /* rows changed since it was opened */

/* Pages in the write-ahead log that a checkpoint would move. Only the writer may checkpoint. */
int64_t store_log_pages(const struct store *store);
void store_checkpoint(struct store *store); /* never waits for readers */

/* Asked now and then while a statement runs: true ends it with RETRY_LATER `interrupted`. */
void store_set_interrupt(struct store *store, bool (*must_stop)(void *context), void *context);

/* The file given up when the disk is full (ballast.c). */
struct store_ballast {
    char *store_path;
    char *path; /* NULL: none */
    int64_t bytes;
};
const struct store_ballast *store_ballast(const struct store *store);
/* Makes the ballast unless it is there. RETRY_LATER when there is no room, INVALID when its path is
 * of no use. */
bool store_ballast_ensure(const struct store_ballast *ballast, struct error *error) MUST_CHECK;
void store_ballast_release(const struct store_ballast *ballast);
/* Whether the store's disk has room for the ballast and STORE_ROOM_MARGIN_BYTES beside it. */
bool store_ballast_has_room(const struct store_ballast *ballast) MUST_CHECK;

enum { STORE_ROOM_MARGIN_BYTES = 8 << 20 };

#endif
