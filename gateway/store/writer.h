#ifndef STORE_WRITER_H
#define STORE_WRITER_H

/*
 * The store thread. A batch is whatever has queued while the last one committed (up to
 * STORE_BATCH_MAX): BEGIN IMMEDIATE, one SAVEPOINT per job, `finish` (ledger tree and checkpoint),
 * COMMIT (fsync), then the results are handed back. It never lingers.
 *
 * A job whose run() returns false is rolled back to its savepoint alone. SQLITE_FULL before commit
 * rolls the batch back: its jobs end in RETRY_LATER, the ballast is given up, and until room
 * returns only essential jobs run. Any other error at COMMIT is ambiguous: the process exits with
 * status 70 and reads the truth at the next start. When idle the thread checkpoints the WAL.
 */

#include "store/store.h"
#include <stdbool.h>
#include <stdint.h>

enum { STORE_BATCH_MAX = 512, STORE_QUEUE_MAX = 100000, STORE_EXIT_AMBIGUOUS = 70 };

struct store_job {
    struct store_job *next; /* the queue's */
    /* On the store thread, inside the job's savepoint. `now` is the batch's time. */
    bool (*run)(struct store_job *job, struct store *store, int64_t now, struct error *error);
    /* On the thread that calls store_writer_deliver, after the commit (or the refusal). Owns the
     * job again. */
    void (*done)(struct store_job *job, bool ok, const struct error *error);
    bool is_essential; /* may run while the disk is full: deny, cancel, revoke, freeze, effect
                          report */
    bool needs_mark; /* set by run(): the answer must wait until the mark is durable (redemption) */
    bool ok;         /* the writer's */
    struct error error;
};

struct store_writer_options {
    struct store *store;
    struct metrics *metrics;
    void *context;
    /* `now` for a batch: wall time never before the highest seen; called once per batch on the
     * store thread. */
    int64_t (*read_now)(void *context, struct store *store);
    void (*begin)(void *context, struct store *store,
                  int64_t now); /* after BEGIN: remember what abort must restore */
    bool (*finish)(void *context, struct store *store, int64_t now,
                   struct error *error); /* before COMMIT: append to the tree, checkpoint */
    void (*abort)(void *context);        /* the batch was rolled back */
    void (*savepoint)(void *context);    /* before each job */
    void (*rollback)(void *context);     /* that job alone was rolled back */
    bool (*write_mark)(void *context,
                       struct error *error); /* after COMMIT when a job needs it, and every second
                                                otherwise when something changed */
    /* Results wait: call store_writer_deliver on your thread. Gets wake_context, not context. */
    void (*wake)(void *wake_context);
    void *wake_context;
    void (*idle)(void *context, struct store *store,
                 int64_t now); /* may be NULL; at most every 100 ms while the queue is empty;
                                  outside any transaction */
};

struct store_writer;

struct store_writer *store_writer_start(const struct store_writer_options *options,
                                        struct error *error) MUST_CHECK;
/* Any thread. False (LIMIT) when the queue is full or the writer is stopping: nothing happened and
 * done() will not be called. */
bool store_writer_submit(struct store_writer *writer, struct store_job *job,
                         struct error *error) MUST_CHECK;
/* Calls done() of every finished job. One thread only. */
void store_writer_deliver(struct store_writer *writer);
/* Runs what is queued, commits, stops. Results still wait for store_writer_deliver. */
void store_writer_stop(struct store_writer *writer);
void store_writer_destroy(struct store_writer *writer);
/* Whether writes are refused for want of room, for /readyz. */
bool store_writer_is_full(const struct store_writer *writer);

/* The reader thread: the same jobs, each in a read transaction of its own on a read-only
 * connection; run() must not write. */
struct store_reader;
struct store_reader *store_reader_start(const struct store_options *options,
                                        void (*wake)(void *context), void *context,
                                        struct error *error) MUST_CHECK;
bool store_reader_submit(struct store_reader *reader, struct store_job *job,
                         struct error *error) MUST_CHECK;
void store_reader_deliver(struct store_reader *reader);
/* What runs is interrupted, what is queued is refused: RETRY_LATER. */
void store_reader_stop(struct store_reader *reader);
void store_reader_destroy(struct store_reader *reader);

#endif
