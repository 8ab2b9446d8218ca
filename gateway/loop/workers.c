#include "loop/workers.h"

#include "base/check.h"
#include "base/memory.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct job_queue {
    struct worker_job *first;
    struct worker_job **end;
    size_t count;
};

struct workers {
    struct workers_options options;
    pthread_mutex_t mutex;
    pthread_cond_t has_work;
    struct job_queue queued;
    struct job_queue done;
    bool is_stopping;
    size_t started_count;
    pthread_t threads[WORKERS_MAX];
};

static void queue_init(struct job_queue *queue)
{
    *queue = (struct job_queue){.end = &queue->first};
}

static void queue_append(struct job_queue *queue, struct worker_job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
    queue->count++;
}

static struct worker_job *queue_pop(struct job_queue *queue)
{
    struct worker_job *job = queue->first;
    if (job == NULL) {
        return NULL;
    }
    queue->first = job->next;
    queue->end = queue->first == NULL ? &queue->first : queue->end;
    queue->count--;
    job->next = NULL;
    return job;
}

static void lock(struct workers *workers)
{
    CHECK(pthread_mutex_lock(&workers->mutex) == 0);
}

static void unlock(struct workers *workers)
{
    CHECK(pthread_mutex_unlock(&workers->mutex) == 0);
}

/* The next job, or NULL once it is stopping and nothing is left. */
static struct worker_job *take(struct workers *workers)
{
    lock(workers);
    while (workers->queued.count == 0 && !workers->is_stopping) {
        CHECK(pthread_cond_wait(&workers->has_work, &workers->mutex) == 0);
    }
    struct worker_job *job = queue_pop(&workers->queued);
    unlock(workers);
    return job;
}

static void give_back(struct workers *workers, struct worker_job *job)
{
    lock(workers);
    bool was_empty = workers->done.count == 0;
    queue_append(&workers->done, job);
    unlock(workers);
    if (was_empty) {
        workers->options.wake(workers->options.context);
    }
}

static void *run_thread(void *argument)
{
    struct workers *workers = argument;
    for (struct worker_job *job = take(workers); job != NULL; job = take(workers)) {
        job->run(job);
        give_back(workers, job);
    }
    return NULL;
}

/* Signals all go to the event loop. */
static bool start_threads(struct workers *workers, struct error *error)
{
    sigset_t all;
    sigset_t former;
    int code = 0;
    CHECK(sigfillset(&all) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &former) == 0);
    while (code == 0 && workers->started_count < workers->options.thread_count) {
        code = pthread_create(&workers->threads[workers->started_count], NULL, run_thread, workers);
        workers->started_count += code == 0 ? 1 : 0;
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &former, NULL) == 0);
    return code == 0 || error_set(error, ERROR_INTERNAL, "thread_not_started", NULL,
                                  "cannot start a worker thread: %s", strerror(code));
}

struct workers *workers_start(const struct workers_options *options, struct error *error)
{
    CHECK(options->thread_count > 0 && options->thread_count <= WORKERS_MAX);
    CHECK(options->queued_max > 0 && options->wake != NULL);
    struct workers *workers = memory_zeroed(1, sizeof *workers);
    workers->options = *options;
    queue_init(&workers->queued);
    queue_init(&workers->done);
    CHECK(pthread_mutex_init(&workers->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&workers->has_work, NULL) == 0);
    if (!start_threads(workers, error)) {
        workers_destroy(workers);
        return NULL;
    }
    return workers;
}

bool workers_submit(struct workers *workers, struct worker_job *job, struct error *error)
{
    lock(workers);
    bool is_taken = !workers->is_stopping && workers->queued.count < workers->options.queued_max;
    if (is_taken) {
        queue_append(&workers->queued, job);
        CHECK(pthread_cond_signal(&workers->has_work) == 0);
    }
    unlock(workers);
    return is_taken || error_set(error, ERROR_LIMIT, "too_busy", NULL,
                                 "nothing happened; too many passwords are being checked, try "
                                 "again in a moment");
}

void workers_deliver(struct workers *workers)
{
    lock(workers);
    struct worker_job *job = workers->done.first;
    queue_init(&workers->done);
    unlock(workers);
    while (job != NULL) {
        struct worker_job *next = job->next;
        job->next = NULL;
        job->done(job);
        job = next;
    }
}

void workers_stop(struct workers *workers)
{
    lock(workers);
    workers->is_stopping = true;
    CHECK(pthread_cond_broadcast(&workers->has_work) == 0);
    unlock(workers);
    for (size_t i = 0; i < workers->started_count; i++) {
        CHECK(pthread_join(workers->threads[i], NULL) == 0);
    }
    workers->started_count = 0;
}

void workers_destroy(struct workers *workers)
{
    if (workers == NULL) {
        return;
    }
    workers_stop(workers);
    CHECK(pthread_cond_destroy(&workers->has_work) == 0);
    CHECK(pthread_mutex_destroy(&workers->mutex) == 0);
    free(workers);
}
