#ifndef STORE_CHANNEL_INTERNAL_H
#define STORE_CHANNEL_INTERNAL_H

/* How jobs go to a store thread and come back: a queue in, a list of done ones out. Many threads
 * submit, one takes, one delivers. Jobs leave in the order in which they came. */

#include "store/writer.h"
#include <pthread.h>

struct job_list {
    struct store_job *first;
    struct store_job *last;
    size_t count;
};
void job_list_append(struct job_list *list, struct store_job *job);
struct store_job *job_list_pop(struct job_list *list); /* NULL when empty */

struct channel {
    pthread_mutex_t mutex;
    pthread_cond_t has_work; /* on CLOCK_MONOTONIC */
    struct job_list queued;
    struct job_list done;
    bool is_stopping;
    void (*wake)(void *context);
    void *context;
};

void channel_init(struct channel *channel, void (*wake)(void *context), void *context);
void channel_finish(struct channel *channel);

bool channel_submit(struct channel *channel, struct store_job *job, struct error *error) MUST_CHECK;
/* Waits until there is work, the channel stops, or `until` (nanoseconds of CLOCK_MONOTONIC; 0: no
 * end) has come; then takes up to `limit` jobs. False once it is stopping and empty. */
bool channel_take(struct channel *channel, size_t limit, int64_t until,
                  struct job_list *out) MUST_CHECK;
/* Hands jobs back, and wakes who delivers unless jobs wait for it already. Empties `jobs`. */
void channel_return(struct channel *channel, struct job_list *jobs);
void channel_deliver(struct channel *channel);
void channel_stop(struct channel *channel); /* nothing more is submitted; what is queued stays */

/* Real elapsed time, for the thread's own cadence: no rule depends on it. */
int64_t channel_monotonic_ns(void);

/* A thread that gets no signals, so that they all reach the event loop. */
bool channel_start_thread(pthread_t *out_thread, void *(*run)(void *), void *argument,
                          struct error *error) MUST_CHECK;

#endif
