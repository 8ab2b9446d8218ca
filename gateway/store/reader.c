#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "store/channel_internal.h"
#include "store/engine_internal.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { READER_BATCH_MAX = 1 }; /* each job sees the newest state, and stopping waits for one */

struct store_reader {
    struct store *store;
    struct channel channel;
    pthread_t thread;
    bool is_joined;
    atomic_bool is_stopping;
};

static bool must_stop(void *context)
{
    struct store_reader *reader = context;
    return atomic_load(&reader->is_stopping);
}

static bool read_in_transaction(struct store_reader *reader, struct store_job *job)
{
    if (must_stop(reader)) {
        return error_set(&job->error, ERROR_RETRY_LATER, "interrupted", NULL,
                         "nothing happened; the gateway is stopping");
    }
    if (!store_begin_reading(reader->store, &job->error)) {
        return false;
    }
    bool is_read = job->run(job, reader->store, clock_wall_ms(), &job->error);
    /* Nothing was written: this only lets go of the snapshot. */
    store_roll_back(reader->store);
    return is_read ||
           error_set(&job->error, ERROR_INTERNAL, "no_reason", NULL, "the job gave no reason");
}

static void *run_thread(void *argument)
{
    struct store_reader *reader = argument;
    struct job_list jobs = {0};
    while (channel_take(&reader->channel, READER_BATCH_MAX, 0, &jobs)) {
        for (struct store_job *job = jobs.first; job != NULL; job = job->next) {
            job->error = (struct error){0};
            job->ok = read_in_transaction(reader, job);
        }
        channel_return(&reader->channel, &jobs);
    }
    return NULL;
}

struct store_reader *store_reader_start(const struct store_options *options,
                                        void (*wake)(void *context), void *context,
                                        struct error *error)
{
    struct store *store = store_open_reader(options, error);
    if (store == NULL) {
        return NULL;
    }
    struct store_reader *reader = memory_zeroed(1, sizeof *reader);
    reader->store = store;
    store_set_interrupt(store, must_stop, reader);
    channel_init(&reader->channel, wake, context);
    if (!channel_start_thread(&reader->thread, run_thread, reader, error)) {
        channel_finish(&reader->channel);
        store_close(store);
        free(reader);
        return NULL;
    }
    return reader;
}

bool store_reader_submit(struct store_reader *reader, struct store_job *job, struct error *error)
{
    return channel_submit(&reader->channel, job, error);
}

void store_reader_deliver(struct store_reader *reader)
{
    channel_deliver(&reader->channel);
}

void store_reader_stop(struct store_reader *reader)
{
    if (reader->is_joined) {
        return;
    }
    atomic_store(&reader->is_stopping, true);
    channel_stop(&reader->channel);
    CHECK(pthread_join(reader->thread, NULL) == 0);
    reader->is_joined = true;
}

void store_reader_destroy(struct store_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    store_reader_stop(reader);
    channel_finish(&reader->channel);
    store_close(reader->store);
    free(reader);
}
