#include "store/channel_internal.h"

#include "base/check.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { NS_PER_SECOND = 1000000000 };

void job_list_append(struct job_list *list, struct store_job *job)
{
    job->next = NULL;
    if (list->last == NULL) {
        list->first = job;
    } else {
        list->last->next = job;
    }
    list->last = job;
    list->count++;
}

struct store_job *job_list_pop(struct job_list *list)
{
    struct store_job *job = list->first;
    if (job == NULL) {
        return NULL;
    }
    list->first = job->next;
    if (list->first == NULL) {
        list->last = NULL;
    }
    list->count--;
    job->next = NULL;
    return job;
}

/* All of `from` behind all of `to`. */
static void join(struct job_list *to, struct job_list *from)
{
    if (from->first == NULL) {
        return;
    }
    if (to->last == NULL) {
        to->first = from->first;
    } else {
        to->last->next = from->first;
    }
    to->last = from->last;
    to->count += from->count;
    *from = (struct job_list){0};
}

int64_t channel_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

void channel_init(struct channel *channel, void (*wake)(void *context), void *context)
{
    pthread_condattr_t attributes;
    *channel = (struct channel){.wake = wake, .context = context};
    CHECK(pthread_mutex_init(&channel->mutex, NULL) == 0);
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&channel->has_work, &attributes) == 0);
    CHECK(pthread_condattr_destroy(&attributes) == 0);
}

void channel_finish(struct channel *channel)
{
    CHECK(pthread_cond_destroy(&channel->has_work) == 0);
    CHECK(pthread_mutex_destroy(&channel->mutex) == 0);
}

bool channel_submit(struct channel *channel, struct store_job *job, struct error *error)
{
    bool was_empty = false;
    CHECK(pthread_mutex_lock(&channel->mutex) == 0);
    bool is_stopping = channel->is_stopping;
    bool is_accepted = !is_stopping && channel->queued.count < STORE_QUEUE_MAX;
    if (is_accepted) {
        was_empty = channel->queued.count == 0;
        job_list_append(&channel->queued, job);
    }
    CHECK(pthread_mutex_unlock(&channel->mutex) == 0);
    if (was_empty) {
        CHECK(pthread_cond_signal(&channel->has_work) == 0);
    }
    if (is_accepted) {
        return true;
    }
    return error_set(error, ERROR_LIMIT, is_stopping ? "stopping" : "queue_full", NULL, "%s",
                     is_stopping ? "nothing happened; the gateway is stopping"
                                 : "nothing happened; too much is waiting, try again later");
}

static void wait_for_work(struct channel *channel, int64_t until)
{
    struct timespec end = {.tv_sec = (time_t)(until / NS_PER_SECOND),
                           .tv_nsec = (long)(until % NS_PER_SECOND)};
    while (channel->queued.count == 0 && !channel->is_stopping) {
        int code = until == 0 ? pthread_cond_wait(&channel->has_work, &channel->mutex)
                              : pthread_cond_timedwait(&channel->has_work, &channel->mutex, &end);
        CHECK(code == 0 || code == ETIMEDOUT);
        if (code == ETIMEDOUT) {
            return;
        }
    }
}

bool channel_take(struct channel *channel, size_t limit, int64_t until, struct job_list *out)
{
    CHECK(pthread_mutex_lock(&channel->mutex) == 0);
    wait_for_work(channel, until);
    bool goes_on = !channel->is_stopping || channel->queued.count > 0;
    if (channel->queued.count <= limit) {
        join(out, &channel->queued);
    } else {
        for (size_t i = 0; i < limit; i++) {
            job_list_append(out, job_list_pop(&channel->queued));
        }
    }
    CHECK(pthread_mutex_unlock(&channel->mutex) == 0);
    return goes_on;
}

void channel_return(struct channel *channel, struct job_list *jobs)
{
    if (jobs->count == 0) {
        return;
    }
    CHECK(pthread_mutex_lock(&channel->mutex) == 0);
    bool was_empty = channel->done.count == 0;
    join(&channel->done, jobs);
    CHECK(pthread_mutex_unlock(&channel->mutex) == 0);
    if (was_empty) {
        channel->wake(channel->context);
    }
}

void channel_deliver(struct channel *channel)
{
    struct job_list done = {0};
    CHECK(pthread_mutex_lock(&channel->mutex) == 0);
    join(&done, &channel->done);
    CHECK(pthread_mutex_unlock(&channel->mutex) == 0);
    for (;;) {
        struct store_job *job = job_list_pop(&done);
        if (job == NULL) {
            return;
        }
        job->done(job, job->ok, &job->error);
    }
}

void channel_stop(struct channel *channel)
{
    CHECK(pthread_mutex_lock(&channel->mutex) == 0);
    channel->is_stopping = true;
    CHECK(pthread_mutex_unlock(&channel->mutex) == 0);
    CHECK(pthread_cond_broadcast(&channel->has_work) == 0);
}

bool channel_start_thread(pthread_t *out_thread, void *(*run)(void *), void *argument,
                          struct error *error)
{
    sigset_t all;
    sigset_t former;
    CHECK(sigfillset(&all) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &former) == 0);
    int code = pthread_create(out_thread, NULL, run, argument);
    CHECK(pthread_sigmask(SIG_SETMASK, &former, NULL) == 0);
    if (code != 0) {
        return error_set(error, ERROR_INTERNAL, "thread_not_started", NULL,
                         "cannot start a store thread: %s", strerror(code));
    }
    return true;
}
