#include "loop/workers.h"

#include "tests/support/run_suite.h"
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { JOBS = 200, QUEUED = 3 };

/* A job that waits until it is let go. */
struct held {
    struct worker_job job; /* first */
    pthread_t ran_on;
    int done_count;
};

static sem_t started, may_end, woken;
static struct error error;
static struct workers *workers;

static void wake(void *context)
{
    ck_assert_ptr_eq(context, &woken);
    sem_post(&woken);
}

static void run_held(struct worker_job *job)
{
    ((struct held *)job)->ran_on = pthread_self();
    sem_post(&started);
    sem_wait(&may_end);
}

static void count_done(struct worker_job *job)
{
    ((struct held *)job)->done_count++;
}

static void run_nothing(struct worker_job *job)
{
    ((struct held *)job)->ran_on = pthread_self();
}

static void set_up(void)
{
    error = (struct error){0};
    sem_init(&started, 0, 0);
    sem_init(&may_end, 0, 0);
    sem_init(&woken, 0, 0);
    workers = workers_start(
        &(struct workers_options){
            .thread_count = 2, .queued_max = QUEUED, .wake = wake, .context = &woken},
        &error);
    ck_assert_ptr_nonnull(workers);
}

static void tear_down(void)
{
    workers_destroy(workers);
}

static bool submit(struct held *held, void (*run)(struct worker_job *))
{
    *held = (struct held){.job = {.run = run, .done = count_done}};
    error = (struct error){0};
    return workers_submit(workers, &held->job, &error);
}

START_TEST(workers__run_elsewhere_and_deliver_here)
{
    struct held held;
    ck_assert(submit(&held, run_nothing));
    sem_wait(&woken);
    ck_assert_int_eq(held.done_count, 0);
    workers_deliver(workers);
    ck_assert_int_eq(held.done_count, 1);
    ck_assert(!pthread_equal(held.ran_on, pthread_self()));
    workers_deliver(workers);
    ck_assert_int_eq(held.done_count, 1);
}
END_TEST

START_TEST(workers__refuse_when_too_much_waits)
{
    struct held running[2], waiting[QUEUED], late;
    for (size_t i = 0; i < 2; i++) {
        ck_assert(submit(&running[i], run_held));
        sem_wait(&started);
    }
    for (size_t i = 0; i < QUEUED; i++) {
        ck_assert(submit(&waiting[i], run_held));
    }
    ck_assert(!submit(&late, run_held));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    ck_assert_str_eq(error.code, "too_busy");
    for (size_t i = 0; i < 2 + QUEUED; i++) {
        sem_post(&may_end);
    }
    workers_stop(workers);
    workers_deliver(workers);
    for (size_t i = 0; i < QUEUED; i++) {
        ck_assert_int_eq(waiting[i].done_count, 1);
    }
    ck_assert_int_eq(late.done_count, 0);
}
END_TEST

START_TEST(workers__stopping_runs_what_is_queued_and_takes_no_more)
{
    struct held first, second, late;
    ck_assert(submit(&first, run_nothing));
    ck_assert(submit(&second, run_nothing));
    workers_stop(workers);
    ck_assert(!submit(&late, run_nothing));
    ck_assert_int_eq(error.kind, ERROR_LIMIT);
    workers_deliver(workers);
    ck_assert_int_eq(first.done_count + second.done_count, 2);
}
END_TEST

START_TEST(workers__wake_once_for_what_is_delivered_at_once)
{
    struct held held[QUEUED];
    int wakes;
    for (size_t i = 0; i < QUEUED; i++) {
        ck_assert(submit(&held[i], run_nothing));
    }
    workers_stop(workers);
    ck_assert_int_eq(sem_getvalue(&woken, &wakes), 0);
    ck_assert_int_eq(wakes, 1);
    workers_deliver(workers);
    for (size_t i = 0; i < QUEUED; i++) {
        ck_assert_int_eq(held[i].done_count, 1);
    }
}
END_TEST

START_TEST(workers__every_job_comes_back_once)
{
    static struct held held[JOBS];
    int delivered = 0;
    for (size_t i = 0; i < JOBS; i++) {
        while (!submit(&held[i], run_nothing)) {
            sem_wait(&woken);
            workers_deliver(workers);
        }
    }
    workers_stop(workers);
    workers_deliver(workers);
    for (size_t i = 0; i < JOBS; i++) {
        ck_assert_int_eq(held[i].done_count, 1);
        delivered += held[i].done_count;
    }
    ck_assert_int_eq(delivered, JOBS);
}
END_TEST

START_TEST(workers__destroy_accepts_nothing)
{
    workers_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop/workers");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, workers__run_elsewhere_and_deliver_here);
    tcase_add_test(tests, workers__refuse_when_too_much_waits);
    tcase_add_test(tests, workers__stopping_runs_what_is_queued_and_takes_no_more);
    tcase_add_test(tests, workers__wake_once_for_what_is_delivered_at_once);
    tcase_add_test(tests, workers__every_job_comes_back_once);
    tcase_add_test(tests, workers__destroy_accepts_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
