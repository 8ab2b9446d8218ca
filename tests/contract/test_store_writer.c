#include "base/builder.h"
#include "base/memory.h"
#include "tests/support/run_suite.h"
#include "tests/support/writer_fixture.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, JOBS_EACH = 50 };

static struct writer_fixture writer;
static sem_t gate;
static sem_t entered;

static void set_up(void)
{
    writer_fixture_init(&writer);
    sem_init(&gate, 0, 0);
    sem_init(&entered, 0, 0);
}

static void tear_down(void)
{
    writer_fixture_finish(&writer);
}

/* Holds the store thread in a job, so that what is submitted next queues up behind it. */
static void hold(struct test_job *holder)
{
    test_job_init(holder, &writer, "req_holder");
    holder->gate = &gate;
    holder->entered = &entered;
    test_job_submit(holder);
    sem_wait(&entered);
}

static void let_go(void)
{
    sem_post(&gate);
}

static struct test_job *make_jobs(size_t count)
{
    struct test_job *jobs = memory_zeroed(count, sizeof *jobs);
    for (size_t i = 0; i < count; i++) {
        char id[ID_BYTES];
        snprintf(id, sizeof id, "req_%06zu", i);
        test_job_init(&jobs[i], &writer, id);
    }
    return jobs;
}

static void submit_all(struct test_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_job_submit(&jobs[i]);
    }
}

static int64_t count_requests(void)
{
    return store_fixture_number(&writer.base, "SELECT count(*) FROM requests");
}

START_TEST(writer__a_job_is_done_after_its_commit)
{
    struct test_job job;
    writer_fixture_start(&writer);
    test_job_init(&job, &writer, "req_1");
    ck_assert(writer_fixture_run(&writer, &job));
    ck_assert(writer_fixture_holds(&writer, "req_1"));
    ck_assert_int_eq(atomic_load(&writer.begins), 1);
    ck_assert_int_eq(atomic_load(&writer.finishes), 1);
    ck_assert_int_eq(atomic_load(&writer.savepoints), 1);
    ck_assert_int_eq(atomic_load(&writer.rollbacks), 0);
    ck_assert_int_eq(atomic_load(&writer.aborts), 0);
}
END_TEST

START_TEST(writer__a_job_that_fails_changes_nothing_and_others_of_its_batch_commit)
{
    struct test_job holder;
    struct test_job *jobs = make_jobs(3);
    writer_fixture_start(&writer);
    hold(&holder);
    jobs[1].fails = true;
    submit_all(jobs, 3);
    let_go();
    writer_fixture_wait(&writer, 4);
    ck_assert_int_eq(atomic_load(&writer.begins), 2);
    ck_assert(jobs[0].ok);
    ck_assert(!jobs[1].ok);
    ck_assert_int_eq(jobs[1].error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(jobs[1].error.code, "refused");
    ck_assert(jobs[2].ok);
    ck_assert(writer_fixture_holds(&writer, jobs[0].id));
    ck_assert(!writer_fixture_holds(&writer, jobs[1].id));
    ck_assert(writer_fixture_holds(&writer, jobs[2].id));
    ck_assert_int_eq(atomic_load(&writer.rollbacks), 1);
    ck_assert_int_eq(atomic_load(&writer.aborts), 0);
    free(jobs);
}
END_TEST

START_TEST(writer__a_job_that_fails_alone_changes_nothing)
{
    struct test_job job;
    writer_fixture_start(&writer);
    test_job_init(&job, &writer, "req_1");
    job.fails = true;
    ck_assert(!writer_fixture_run(&writer, &job));
    ck_assert_int_eq(count_requests(), 0);
}
END_TEST

START_TEST(writer__a_broken_uniqueness_fails_only_its_job)
{
    struct test_job holder;
    struct test_job *jobs = make_jobs(3);
    writer_fixture_start(&writer);
    hold(&holder);
    strcpy(jobs[1].id, jobs[0].id);
    submit_all(jobs, 3);
    let_go();
    writer_fixture_wait(&writer, 4);
    ck_assert(jobs[0].ok && !jobs[1].ok && jobs[2].ok);
    ck_assert_str_eq(jobs[1].error.code, "exists");
    ck_assert_int_eq(count_requests(), 3);
    free(jobs);
}
END_TEST

START_TEST(writer__a_job_without_a_reason_gets_one)
{
    struct test_job job;
    writer_fixture_start(&writer);
    test_job_init(&job, &writer, "req_1");
    job.fails_silently = true;
    ck_assert(!writer_fixture_run(&writer, &job));
    ck_assert_int_eq(job.error.kind, ERROR_INTERNAL);
    ck_assert_str_eq(job.error.code, "no_reason");
}
END_TEST

START_TEST(writer__when_finish_fails_nothing_of_the_batch_lasts)
{
    struct test_job holder;
    struct test_job *jobs = make_jobs(3);
    writer_fixture_start(&writer);
    hold(&holder);
    jobs[1].fails = true;
    submit_all(jobs, 3);
    atomic_store(&writer.finish_fails, true);
    let_go();
    writer_fixture_wait(&writer, 4);
    ck_assert_int_eq(count_requests(), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert(!jobs[i].ok);
        ck_assert_str_eq(jobs[i].error.code, "finish_failed");
    }
    ck_assert_int_eq(atomic_load(&writer.aborts), 2);
    atomic_store(&writer.finish_fails, false);
    jobs[0].is_done = false;
    ck_assert(writer_fixture_run(&writer, &jobs[0]));
    ck_assert_int_eq(count_requests(), 1);
    free(jobs);
}
END_TEST

START_TEST(writer__a_batch_is_bounded)
{
    enum { JOBS = 2 * STORE_BATCH_MAX + 1 };
    struct test_job holder;
    struct test_job *jobs = make_jobs(JOBS);
    writer_fixture_start(&writer);
    hold(&holder);
    submit_all(jobs, JOBS);
    let_go();
    writer_fixture_wait(&writer, JOBS + 1);
    ck_assert_int_eq(atomic_load(&writer.begins), 4);
    for (size_t i = 0; i < JOBS; i++) {
        ck_assert(jobs[i].ok);
        ck_assert_uint_eq(jobs[i].place, i + 1);
    }
    free(jobs);
}
END_TEST

START_TEST(writer__results_that_wait_wake_once)
{
    struct test_job holder;
    struct test_job *jobs = make_jobs(2 * STORE_BATCH_MAX);
    int waiting = 0;
    writer_fixture_start(&writer);
    hold(&holder);
    submit_all(jobs, 2 * STORE_BATCH_MAX);
    let_go();
    store_writer_stop(writer.writer); /* nothing is delivered meanwhile */
    ck_assert_int_eq(sem_getvalue(&writer.results, &waiting), 0);
    ck_assert_int_eq(waiting, 1);
    ck_assert_uint_eq(writer.done_count, 0);
    store_writer_deliver(writer.writer);
    ck_assert_uint_eq(writer.done_count, 2 * STORE_BATCH_MAX + 1);
    free(jobs);
}
END_TEST

struct submitter {
    pthread_t thread;
    struct test_job *jobs;
};

static void *submit_many(void *argument)
{
    struct submitter *submitter = argument;
    submit_all(submitter->jobs, JOBS_EACH);
    return NULL;
}

START_TEST(writer__many_threads_submit_and_each_ones_order_is_kept)
{
    struct test_job *jobs = make_jobs(THREADS * JOBS_EACH);
    struct submitter submitters[THREADS];
    writer_fixture_start(&writer);
    for (int i = 0; i < THREADS; i++) {
        submitters[i].jobs = &jobs[i * JOBS_EACH];
        ck_assert_int_eq(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]),
                         0);
    }
    writer_fixture_wait(&writer, THREADS * JOBS_EACH);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(submitters[i].thread, NULL), 0);
        for (int j = 0; j < JOBS_EACH; j++) {
            ck_assert(submitters[i].jobs[j].ok);
            ck_assert(j == 0 || submitters[i].jobs[j - 1].place < submitters[i].jobs[j].place);
        }
    }
    ck_assert_int_eq(count_requests(), THREADS * JOBS_EACH);
    free(jobs);
}
END_TEST

START_TEST(writer__rows_are_written_in_the_order_of_delivery)
{
    enum { JOBS = 700 };
    struct test_job *jobs = make_jobs(JOBS);
    writer_fixture_start(&writer);
    submit_all(jobs, JOBS);
    writer_fixture_wait(&writer, JOBS);
    ck_assert_int_eq(store_fixture_number(&writer.base, "SELECT count(*) FROM requests WHERE id <> "
                                                        "printf('req_%06d', row_id - 1)"),
                     0);
    free(jobs);
}
END_TEST

START_TEST(writer__stopping_runs_what_is_queued_and_takes_no_more)
{
    enum { JOBS = 1000 };
    struct test_job holder;
    struct test_job late;
    struct error error = {0};
    struct test_job *jobs = make_jobs(JOBS);
    writer_fixture_start(&writer);
    hold(&holder);
    submit_all(jobs, JOBS);
    let_go();
    store_writer_stop(writer.writer);
    test_job_init(&late, &writer, "req_late");
    ck_assert(!store_writer_submit(writer.writer, &late.job, &error));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    ck_assert_str_eq(error.code, "stopping");
    ck_assert_int_eq(count_requests(), JOBS + 1);
    store_writer_deliver(writer.writer);
    ck_assert_uint_eq(writer.done_count, JOBS + 1);
    free(jobs);
}
END_TEST

START_TEST(writer__a_full_queue_takes_no_more)
{
    struct test_job holder;
    struct error error = {0};
    struct test_job *jobs = make_jobs(STORE_QUEUE_MAX + 1);
    writer_fixture_start(&writer);
    hold(&holder);
    submit_all(jobs, STORE_QUEUE_MAX);
    ck_assert(!store_writer_submit(writer.writer, &jobs[STORE_QUEUE_MAX].job, &error));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    ck_assert_str_eq(error.code, "queue_full");
    let_go();
    writer_fixture_stop(&writer);
    free(jobs);
}
END_TEST

/* When the mark is written the batch is committed, and nothing of it is delivered. */
static bool saw_committed_row;
static void look_at_store(struct writer_fixture *fixture)
{
    saw_committed_row = writer_fixture_holds(fixture, "req_1") && fixture->done_count == 0;
}

START_TEST(mark__is_written_after_the_commit_and_before_the_answer)
{
    struct test_job job;
    writer.on_mark = look_at_store;
    writer_fixture_start(&writer);
    test_job_init(&job, &writer, "req_1");
    job.needs_mark = true;
    ck_assert(writer_fixture_run(&writer, &job));
    ck_assert_int_eq(atomic_load(&writer.marks), 1);
    ck_assert(saw_committed_row);
}
END_TEST

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

START_TEST(mark__is_otherwise_written_at_most_once_a_second)
{
    int64_t began = monotonic_ms();
    struct test_job *jobs = make_jobs(200);
    writer_fixture_start(&writer);
    for (int i = 0; i < 200; i++) {
        ck_assert(writer_fixture_run(&writer, &jobs[i]));
    }
    int marks = atomic_load(&writer.marks);
    ck_assert_int_le(marks, (monotonic_ms() - began) / 1000 + 1);
    writer_fixture_stop(&writer);
    ck_assert_int_ge(atomic_load(&writer.marks), 1);
    free(jobs);
}
END_TEST

START_TEST(mark__a_job_that_failed_needs_none)
{
    struct test_job holder;
    struct test_job job;
    writer_fixture_start(&writer);
    test_job_init(&holder, &writer, "req_first"); /* the first mark is due at once */
    ck_assert(writer_fixture_run(&writer, &holder));
    int marks = atomic_load(&writer.marks);
    int64_t began = monotonic_ms();
    test_job_init(&job, &writer, "req_1");
    job.needs_mark = job.fails = true;
    ck_assert(!writer_fixture_run(&writer, &job));
    ck_assert(atomic_load(&writer.marks) <= marks + 1 + (monotonic_ms() - began) / 1000);
    ck_assert(!job.job.needs_mark);
}
END_TEST

/* Runs the writer in a child with standard error on a pipe; returns its wait status. A connection
 * must not be carried through a fork, so the child opens its own. */
static int run_child(void (*act)(void), char *out_said, size_t out_bytes)
{
    int ends[2];
    int status = 0;
    ck_assert_int_eq(pipe(ends), 0);
    store_fixture_close(&writer.base);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        store_fixture_open(&writer.base);
        act();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got = 1; got > 0 && length < out_bytes - 1; length += (size_t)got) {
        got = read(ends[0], out_said + length, out_bytes - 1 - length);
        ck_assert_int_ge(got, 0);
    }
    out_said[length] = 0;
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void lose_the_mark(void)
{
    struct test_job job;
    writer_fixture_start(&writer);
    atomic_store(&writer.mark_fails, true);
    test_job_init(&job, &writer, "req_1");
    job.needs_mark = true;
    (void)writer_fixture_run(&writer, &job);
}

START_TEST(mark__one_that_an_answer_waits_for_and_cannot_be_written_ends_the_process)
{
    char said[1024];
    int status = run_child(lose_the_mark, said, sizeof said);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), STORE_EXIT_AMBIGUOUS);
    ck_assert_ptr_nonnull(strstr(said, "the mark beside the store could not be written"));
    ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

static void lose_an_unneeded_mark(void)
{
    struct test_job *jobs = make_jobs(2);
    writer_fixture_start(&writer);
    atomic_store(&writer.mark_fails, true);
    if (!writer_fixture_run(&writer, &jobs[0]) || !writer_fixture_run(&writer, &jobs[1])) {
        _exit(1);
    }
}

START_TEST(mark__one_that_nobody_waits_for_is_tried_again)
{
    char said[1024];
    ck_assert_int_eq(run_child(lose_an_unneeded_mark, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(idle__is_called_while_nothing_is_queued_outside_transactions)
{
    writer.has_idle = true;
    writer_fixture_start(&writer);
    for (int i = 0; i < 3; i++) {
        sem_wait(&writer.results);
    }
    ck_assert_int_ge(atomic_load(&writer.idles), 3);
    ck_assert_int_eq(atomic_load(&writer.begins), 0);
}
END_TEST

START_TEST(writer__counts_batches_and_jobs)
{
    struct test_job holder;
    struct builder text BUILDER_SCOPE;
    struct test_job *jobs = make_jobs(5);
    builder_init(&text, 0);
    writer_fixture_start(&writer);
    hold(&holder);
    submit_all(jobs, 5);
    let_go();
    writer_fixture_wait(&writer, 6);
    metrics_append_text(writer.metrics, &text);
    ck_assert_ptr_nonnull(strstr(text.bytes, "store_batches_total 2\n"));
    ck_assert_ptr_nonnull(strstr(text.bytes, "store_jobs_total 6\n"));
    ck_assert_ptr_nonnull(strstr(text.bytes, "store_full 0\n"));
    free(jobs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_writer");
    TCase *tests = tcase_create("writer");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, writer__a_job_is_done_after_its_commit);
    tcase_add_test(tests, writer__a_job_that_fails_changes_nothing_and_others_of_its_batch_commit);
    tcase_add_test(tests, writer__a_job_that_fails_alone_changes_nothing);
    tcase_add_test(tests, writer__a_broken_uniqueness_fails_only_its_job);
    tcase_add_test(tests, writer__a_job_without_a_reason_gets_one);
    tcase_add_test(tests, writer__when_finish_fails_nothing_of_the_batch_lasts);
    tcase_add_test(tests, writer__a_batch_is_bounded);
    tcase_add_test(tests, writer__results_that_wait_wake_once);
    tcase_add_test(tests, writer__many_threads_submit_and_each_ones_order_is_kept);
    tcase_add_test(tests, writer__rows_are_written_in_the_order_of_delivery);
    tcase_add_test(tests, writer__stopping_runs_what_is_queued_and_takes_no_more);
    tcase_add_test(tests, writer__a_full_queue_takes_no_more);
    tcase_add_test(tests, mark__is_written_after_the_commit_and_before_the_answer);
    tcase_add_test(tests, mark__is_otherwise_written_at_most_once_a_second);
    tcase_add_test(tests, mark__a_job_that_failed_needs_none);
    tcase_add_test(tests,
                   mark__one_that_an_answer_waits_for_and_cannot_be_written_ends_the_process);
    tcase_add_test(tests, mark__one_that_nobody_waits_for_is_tried_again);
    tcase_add_test(tests, idle__is_called_while_nothing_is_queued_outside_transactions);
    tcase_add_test(tests, writer__counts_batches_and_jobs);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
