#include "store/sqlite/driver_internal.h"
#include "store/writer.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <semaphore.h>
#include <string.h>

static struct store_fixture fixture;
static struct store_reader *reader;
static sem_t results;
static sem_t entered;
static size_t done_count;

static void on_wake(void *context)
{
    sem_post(context);
}

static void set_up(void)
{
    store_fixture_init(&fixture);
    sem_init(&results, 0, 0);
    sem_init(&entered, 0, 0);
    struct store_options options = store_fixture_options(&fixture);
    reader = store_reader_start(&options, on_wake, &results, &fixture.error);
    ck_assert_ptr_nonnull(reader);
}

static void tear_down(void)
{
    store_reader_destroy(reader);
    store_fixture_finish(&fixture);
}

struct read_job {
    struct store_job job;
    int64_t now;
    bool is_done;
    bool ok;
    struct error error;
};

static void done(struct store_job *base, bool ok, const struct error *error)
{
    struct read_job *job = (struct read_job *)(void *)base;
    job->is_done = true;
    job->ok = ok;
    job->error = *error;
    done_count++;
}

static bool read_request(struct store_job *base, struct store *store, int64_t now,
                         struct error *error)
{
    struct request_row request;
    struct arena *arena ARENA_SCOPE = arena_create();
    ((struct read_job *)(void *)base)->now = now;
    return store_read_request(store, "main", "req_1", arena, &request, error);
}

static bool write_number(struct store_job *base, struct store *store, int64_t now,
                         struct error *error)
{
    (void)base;
    return store_set_number(store, "n", now, error);
}

/* Would take hours. */
static bool count_forever(struct store_job *base, struct store *store, int64_t now,
                          struct error *error)
{
    static const char sql[] = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
                              "SELECT count(*) FROM n";
    sqlite3_stmt *statement = NULL;
    (void)base;
    (void)now;
    ck_assert_int_eq(sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL), SQLITE_OK);
    sem_post(&entered);
    bool is_counted = sqlite3_step(statement) == SQLITE_ROW || store_failed(store, error);
    sqlite3_finalize(statement);
    return is_counted;
}

static struct read_job job_of(bool (*run)(struct store_job *, struct store *, int64_t,
                                          struct error *))
{
    return (struct read_job){.job = {.run = run, .done = done}};
}

static void submit(struct read_job *job)
{
    ck_assert(store_reader_submit(reader, &job->job, &fixture.error));
}

static void wait_for(size_t count)
{
    while (done_count < count) {
        sem_wait(&results);
        store_reader_deliver(reader);
    }
}

START_TEST(reader__each_job_sees_what_is_committed_then)
{
    struct read_job before = job_of(read_request);
    struct read_job after = job_of(read_request);
    struct request_row request = sample_request("req_1");
    submit(&before);
    wait_for(1);
    ck_assert(!before.ok);
    ck_assert_int_eq(before.error.kind, ERROR_NOT_FOUND);
    ck_assert(store_insert_request(fixture.store, &request, &fixture.error));
    submit(&after);
    wait_for(2);
    ck_assert(after.ok);
    ck_assert_int_gt(after.now, 1600000000000);
}
END_TEST

START_TEST(reader__a_job_cannot_write)
{
    struct read_job job = job_of(write_number);
    submit(&job);
    wait_for(1);
    ck_assert(!job.ok);
    ck_assert_str_eq(job.error.code, "store_read_only");
}
END_TEST

START_TEST(reader__does_not_hold_up_the_writer)
{
    struct read_job job = job_of(count_forever);
    submit(&job);
    sem_wait(&entered);
    ck_assert(store_begin(fixture.store, &fixture.error));
    ck_assert(store_set_number(fixture.store, "n", 1, &fixture.error));
    ck_assert(store_commit(fixture.store, &fixture.error));
    store_reader_stop(reader);
    store_reader_deliver(reader);
}
END_TEST

START_TEST(reader__stopping_interrupts_what_runs_and_refuses_what_is_queued)
{
    struct read_job running = job_of(count_forever);
    struct read_job queued = job_of(count_forever);
    struct read_job late = job_of(read_request);
    struct error error = {0};
    submit(&running);
    submit(&queued);
    sem_wait(&entered);
    store_reader_stop(reader);
    store_reader_deliver(reader);
    ck_assert_uint_eq(done_count, 2);
    ck_assert(!running.ok);
    ck_assert_int_eq(running.error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(running.error.code, "interrupted");
    ck_assert_str_eq(queued.error.code, "interrupted");
    ck_assert(!store_reader_submit(reader, &late.job, &error));
    ck_assert_str_eq(error.code, "stopping");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_reader");
    TCase *tests = tcase_create("reader");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, reader__each_job_sees_what_is_committed_then);
    tcase_add_test(tests, reader__a_job_cannot_write);
    tcase_add_test(tests, reader__does_not_hold_up_the_writer);
    tcase_add_test(tests, reader__stopping_interrupts_what_runs_and_refuses_what_is_queued);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
