#ifndef TESTS_SUPPORT_WRITER_FIXTURE_H
#define TESTS_SUPPORT_WRITER_FIXTURE_H

/* A writer over a store_fixture, with hooks that count, and jobs that insert a request. */

#include "store/writer.h"
#include "tests/support/store_fixture.h"
#include <semaphore.h>
#include <stdatomic.h>

struct writer_fixture {
    struct store_fixture base;
    struct metrics *metrics;
    struct store_writer *writer;
    sem_t results;
    int wakes; /* as seen by writer_fixture_wait */
    size_t done_count;
    /* Set on the store thread. */
    atomic_int begins, finishes, aborts, savepoints, rollbacks, marks, idles;
    atomic_bool finish_fails, mark_fails;
    int64_t now;
    bool has_idle;                                  /* before start: with the idle hook */
    void (*on_mark)(struct writer_fixture *writer); /* may be NULL */
};

/* What a job does. */
struct test_job {
    struct store_job job;
    struct writer_fixture *writer;
    char id[ID_BYTES];
    bool fails;          /* after it wrote its row, with CONFLICT `refused` */
    bool fails_silently; /* after it wrote its row, without a reason */
    bool needs_mark;
    sem_t *gate;     /* waited for before anything else; may be NULL */
    sem_t *entered;  /* posted before the gate; may be NULL */
    const char *why; /* the row's `why`; may be NULL */
    /* What came of it. */
    bool is_done;
    size_t place; /* how many were done before */
    bool ok;
    struct error error;
};

void writer_fixture_init(struct writer_fixture *writer); /* opens the store, does not start */
void writer_fixture_init_at(struct writer_fixture *writer, const char *place);
void writer_fixture_start(struct writer_fixture *writer);
void writer_fixture_stop(struct writer_fixture *writer); /* and delivers */
void writer_fixture_finish(struct writer_fixture *writer);

void test_job_init(struct test_job *job, struct writer_fixture *writer, const char *id);
void test_job_submit(struct test_job *job);
/* Delivers until `count` jobs in all are done. */
void writer_fixture_wait(struct writer_fixture *writer, size_t count);
/* One job from submission to delivery. */
bool writer_fixture_run(struct writer_fixture *writer, struct test_job *job);

/* Whether the request is in the store, read through another connection. */
bool writer_fixture_holds(const struct writer_fixture *writer, const char *id);

#endif
