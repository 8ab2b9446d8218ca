#ifndef LOOP_WORKERS_H
#define LOOP_WORKERS_H

/*
 * A few threads for what burns CPU, so that neither the loop nor the store waits for it. Jobs go in
 * by a bounded queue and come back on the thread that delivers, in the order in which they were
 * done. A full queue refuses: whoever floods it is told so, and the rest of the gateway does not
 * notice.
 */

#include "base/error.h"
#include <stddef.h>

enum { WORKERS_MAX = 16 };

struct workers;

struct worker_job {
    struct worker_job *next;              /* the queue's */
    void (*run)(struct worker_job *job);  /* on a worker */
    void (*done)(struct worker_job *job); /* on the thread that delivers; owns the job again */
};

struct workers_options {
    size_t thread_count; /* 1 to WORKERS_MAX */
    size_t queued_max;   /* waiting, not yet running */
    /* Something is done: call workers_deliver on your thread. Any thread; coalesced. */
    void (*wake)(void *context);
    void *context;
};

/* NULL with INTERNAL `thread_not_started`. */
struct workers *workers_start(const struct workers_options *options,
                              struct error *error) MUST_CHECK;
/* False (LIMIT `too_busy`) when the queue is full or the workers are stopping: nothing happened and
 * done() will not be called. */
bool workers_submit(struct workers *workers, struct worker_job *job,
                    struct error *error) MUST_CHECK;
/* Calls done() of every finished job. */
void workers_deliver(struct workers *workers);
/* Runs what is queued, ends the threads. Results still wait for workers_deliver. */
void workers_stop(struct workers *workers);
void workers_destroy(struct workers *workers); /* accepts NULL */

#endif
