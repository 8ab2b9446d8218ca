#include "tests/support/writer_fixture.h"

#include "base/check.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int64_t read_now(void *context, struct store *store)
{
    struct writer_fixture *writer = context;
    (void)store;
    return ++writer->now;
}

static void on_begin(void *context, struct store *store, int64_t now)
{
    struct writer_fixture *writer = context;
    (void)store;
    (void)now;
    atomic_fetch_add(&writer->begins, 1);
}

static bool on_finish(void *context, struct store *store, int64_t now, struct error *error)
{
    struct writer_fixture *writer = context;
    atomic_fetch_add(&writer->finishes, 1);
    if (atomic_load(&writer->finish_fails)) {
        return error_set(error, ERROR_INTERNAL, "finish_failed", NULL, "the test asked for it");
    }
    return store_set_number(store, "wall_high_water", now, error);
}

static void on_abort(void *context)
{
    atomic_fetch_add(&((struct writer_fixture *)context)->aborts, 1);
}

static void on_savepoint(void *context)
{
    atomic_fetch_add(&((struct writer_fixture *)context)->savepoints, 1);
}

static void on_rollback(void *context)
{
    atomic_fetch_add(&((struct writer_fixture *)context)->rollbacks, 1);
}

static bool on_write_mark(void *context, struct error *error)
{
    struct writer_fixture *writer = context;
    if (atomic_load(&writer->mark_fails)) {
        return error_set(error, ERROR_INTERNAL, "mark_failed", NULL, "the test asked for it");
    }
    atomic_fetch_add(&writer->marks, 1);
    if (writer->on_mark != NULL) {
        writer->on_mark(writer);
    }
    return true;
}

static void on_wake(void *context)
{
    CHECK(sem_post(&((struct writer_fixture *)context)->results) == 0);
}

static void on_idle(void *context, struct store *store, int64_t now)
{
    struct writer_fixture *writer = context;
    int64_t number;
    (void)now;
    CHECK(store_get_number(store, "wall_high_water", &number, NULL));
    atomic_fetch_add(&writer->idles, 1);
    CHECK(sem_post(&writer->results) == 0);
}

void writer_fixture_init(struct writer_fixture *writer)
{
    writer_fixture_init_at(writer, store_fixture_place());
}

void writer_fixture_init_at(struct writer_fixture *writer, const char *place)
{
    int64_t ballast_bytes = writer->base.ballast_bytes;
    *writer = (struct writer_fixture){.base.ballast_bytes = ballast_bytes};
    store_fixture_init_at(&writer->base, place);
    writer->metrics = metrics_create();
    CHECK(sem_init(&writer->results, 0, 0) == 0);
}

void writer_fixture_start(struct writer_fixture *writer)
{
    struct store_writer_options options = {.store = writer->base.store,
                                           .metrics = writer->metrics,
                                           .context = writer,
                                           .read_now = read_now,
                                           .begin = on_begin,
                                           .finish = on_finish,
                                           .abort = on_abort,
                                           .savepoint = on_savepoint,
                                           .rollback = on_rollback,
                                           .write_mark = on_write_mark,
                                           .wake = on_wake,
                                           .wake_context = writer,
                                           .idle = writer->has_idle ? on_idle : NULL};
    writer->writer = store_writer_start(&options, &writer->base.error);
    CHECK(writer->writer != NULL);
}

void writer_fixture_stop(struct writer_fixture *writer)
{
    if (writer->writer == NULL) {
        return;
    }
    store_writer_stop(writer->writer);
    store_writer_deliver(writer->writer);
    store_writer_destroy(writer->writer);
    writer->writer = NULL;
}

void writer_fixture_finish(struct writer_fixture *writer)
{
    writer_fixture_stop(writer);
    metrics_destroy(writer->metrics);
    store_fixture_finish(&writer->base);
    CHECK(sem_destroy(&writer->results) == 0);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        CHECK(errno == EINTR);
    }
}

static bool run(struct store_job *base, struct store *store, int64_t now, struct error *error)
{
    struct test_job *job = (struct test_job *)(void *)base;
    struct request_row request = sample_request(job->id);
    (void)now;
    if (job->entered != NULL) {
        CHECK(sem_post(job->entered) == 0);
    }
    if (job->gate != NULL) {
        wait_for(job->gate);
    }
    request.why = job->why;
    base->needs_mark = job->needs_mark;
    if (!store_insert_request(store, &request, error)) {
        return false;
    }
    if (job->fails) {
        return error_set(error, ERROR_CONFLICT, "refused", job->id, "the test asked for it");
    }
    return !job->fails_silently;
}

static void done(struct store_job *base, bool ok, const struct error *error)
{
    struct test_job *job = (struct test_job *)(void *)base;
    CHECK(!job->is_done);
    job->is_done = true;
    job->ok = ok;
    job->error = *error;
    job->place = job->writer->done_count++;
}

void test_job_init(struct test_job *job, struct writer_fixture *writer, const char *id)
{
    *job = (struct test_job){.job = {.run = run, .done = done}, .writer = writer};
    snprintf(job->id, sizeof job->id, "%s", id);
}

void test_job_submit(struct test_job *job)
{
    struct error error = {0};
    bool is_accepted = store_writer_submit(job->writer->writer, &job->job, &error);
    CHECK(is_accepted);
}

void writer_fixture_wait(struct writer_fixture *writer, size_t count)
{
    while (writer->done_count < count) {
        wait_for(&writer->results);
        writer->wakes++;
        store_writer_deliver(writer->writer);
    }
}

bool writer_fixture_run(struct writer_fixture *writer, struct test_job *job)
{
    size_t before = writer->done_count;
    test_job_submit(job);
    writer_fixture_wait(writer, before + 1);
    return job->ok;
}

bool writer_fixture_holds(const struct writer_fixture *writer, const char *id)
{
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM requests WHERE id = '%s'", id);
    return store_fixture_number(&writer->base, sql) == 1;
}
