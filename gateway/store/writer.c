#include "store/writer.h"

#include "base/check.h"
#include "base/memory.h"
#include "store/channel_internal.h"
#include "store/engine_internal.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    IDLE_LOG_PAGES = 1000, /* 4 MB in the write-ahead log are worth a checkpoint when idle */
    /* 12 MB: between batches even when never idle. Everyone waits for it: at 8000 pages a decision
     * in a hundred took 30 ms instead of 17, for no more decisions a second. */
    BACKSTOP_LOG_PAGES = 3000,
};
static const int64_t mark_every_ns = INT64_C(1000000000);
static const int64_t probe_every_ns = INT64_C(1000000000);
static const int64_t idle_every_ns = INT64_C(100000000);
static const int64_t checkpoint_every_ns = INT64_C(100000000);
/* An empty queue between two batches is not idleness: a checkpoint then makes everyone wait for it,
 * ten times a second, and moves the same pages again and again. */
static const int64_t quiet_ns = INT64_C(20000000);

struct store_writer {
    struct store_writer_options options;
    struct channel channel;
    pthread_t thread;
    bool is_joined;
    atomic_bool is_full;
    /* The thread's own. */
    bool has_unmarked; /* something was committed since the mark was written */
    int64_t marked_at; /* channel_monotonic_ns of the last time */
    int64_t probed_at;
    int64_t idled_at;
    int64_t checkpointed_at;
    int64_t worked_at; /* end of the last batch */
};

static void *run_thread(void *argument);

struct store_writer *store_writer_start(const struct store_writer_options *options,
                                        struct error *error)
{
    struct store_writer *writer = memory_zeroed(1, sizeof *writer);
    writer->options = *options;
    channel_init(&writer->channel, options->wake, options->wake_context);
    /* Without its ballast a store has to be treated as one that is full. */
    atomic_store(&writer->is_full, !store_ballast_ensure(store_ballast(options->store), NULL));
    if (!channel_start_thread(&writer->thread, run_thread, writer, error)) {
        channel_finish(&writer->channel);
        free(writer);
        return NULL;
    }
    return writer;
}

bool store_writer_submit(struct store_writer *writer, struct store_job *job, struct error *error)
{
    return channel_submit(&writer->channel, job, error);
}

void store_writer_deliver(struct store_writer *writer)
{
    channel_deliver(&writer->channel);
}

void store_writer_stop(struct store_writer *writer)
{
    if (writer->is_joined) {
        return;
    }
    channel_stop(&writer->channel);
    CHECK(pthread_join(writer->thread, NULL) == 0);
    writer->is_joined = true;
}

void store_writer_destroy(struct store_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    store_writer_stop(writer);
    channel_finish(&writer->channel);
    free(writer);
}

bool store_writer_is_full(const struct store_writer *writer)
{
    return atomic_load(&writer->is_full);
}

/* What was asked to be written may last or may not; only a fresh start can tell. */
static _Noreturn void stop_process(const char *what, const struct error *error)
{
    fprintf(stderr,
            "countersign: %s (%s: %s); stopping, because whether the last changes last is "
            "unknown: the next start reads what happened\n",
            what, error->code == NULL ? "unknown" : error->code, error->message);
    _exit(STORE_EXIT_AMBIGUOUS);
}

static void count(struct store_writer *writer, enum metric metric, int64_t amount)
{
    if (writer->options.metrics != NULL) {
        metrics_add(writer->options.metrics, metric, amount);
    }
}

static void show_full(struct store_writer *writer, bool is_full)
{
    atomic_store(&writer->is_full, is_full);
    if (writer->options.metrics != NULL) {
        metrics_set(writer->options.metrics, METRIC_STORE_FULL, is_full);
    }
}

/* The ballast's room lets the log be moved into the store, and the next essential job in. */
static void enter_distress(struct store_writer *writer)
{
    show_full(writer, true);
    writer->probed_at = channel_monotonic_ns();
    store_ballast_release(store_ballast(writer->options.store));
    store_checkpoint(writer->options.store);
}

static void leave_distress_when_possible(struct store_writer *writer)
{
    const struct store_ballast *ballast = store_ballast(writer->options.store);
    writer->probed_at = channel_monotonic_ns();
    if (store_ballast_has_room(ballast) && store_ballast_ensure(ballast, NULL)) {
        show_full(writer, false);
    }
}

/* Runs one job in its savepoint. False when the whole batch is lost. */
static bool run_job(struct store_writer *writer, struct store_job *job, int64_t now,
                    struct error *error)
{
    const struct store_writer_options *options = &writer->options;
    if (!store_savepoint(options->store, error)) {
        return false;
    }
    options->savepoint(options->context);
    job->ok = job->run(job, options->store, now, &job->error);
    if (store_trouble(options->store) != STORE_TROUBLE_NONE) {
        *error = job->error;
        return false;
    }
    if (job->ok) {
        return store_release(options->store, error);
    }
    (void)error_set(&job->error, ERROR_INTERNAL, "no_reason", NULL, "the job gave no reason");
    job->needs_mark = false;
    if (!store_rollback_savepoint(options->store)) {
        return error_set(error, ERROR_RETRY_LATER, "store_failed", NULL,
                         "nothing happened; the store could not undo one job alone");
    }
    options->rollback(options->context);
    return true;
}

static bool run_jobs(struct store_writer *writer, const struct job_list *batch, int64_t now,
                     struct error *error)
{
    const struct store_writer_options *options = &writer->options;
    for (struct store_job *job = batch->first; job != NULL; job = job->next) {
        if (!run_job(writer, job, now, error)) {
            return false;
        }
    }
    return options->finish(options->context, options->store, now, error);
}

/* False when nothing of the batch lasts. */
static bool commit(struct store_writer *writer, struct error *error)
{
    int64_t began = channel_monotonic_ns();
    enum store_outcome outcome = store_try_commit(writer->options.store, error);
    if (outcome == STORE_OUTCOME_UNKNOWN) {
        stop_process("the store did not confirm a COMMIT", error);
    }
    if (writer->options.metrics != NULL) {
        metrics_observe_us(writer->options.metrics, METRIC_STORE_COMMIT_SECONDS,
                           (channel_monotonic_ns() - began) / 1000);
    }
    return outcome == STORE_COMMITTED;
}

static bool run_transaction(struct store_writer *writer, const struct job_list *batch,
                            struct error *error)
{
    const struct store_writer_options *options = &writer->options;
    int64_t now = options->read_now(options->context, options->store);
    if (!store_begin(options->store, error)) {
        return false;
    }
    options->begin(options->context, options->store, now);
    if (run_jobs(writer, batch, now, error) && commit(writer, error)) {
        return true;
    }
    store_roll_back(options->store);
    options->abort(options->context);
    return false;
}

static void write_mark(struct store_writer *writer, bool is_awaited)
{
    struct error error = {0};
    writer->marked_at = channel_monotonic_ns();
    if (writer->options.write_mark(writer->options.context, &error)) {
        writer->has_unmarked = false;
    } else if (is_awaited) {
        stop_process("the mark beside the store could not be written", &error);
    }
}

static bool needs_mark(const struct job_list *batch)
{
    for (const struct store_job *job = batch->first; job != NULL; job = job->next) {
        if (job->ok && job->needs_mark) {
            return true;
        }
    }
    return false;
}

/* Every job of a lost batch says so, those that failed by themselves too: what they were refused
 * for may be among what was undone. */
static void refuse_all(struct job_list *batch, const struct error *error)
{
    for (struct store_job *job = batch->first; job != NULL; job = job->next) {
        job->ok = false;
        job->error = *error;
        (void)error_set(&job->error, ERROR_RETRY_LATER, "store_failed", NULL,
                        "nothing happened; the store could not be written");
    }
}

static void run_batch(struct store_writer *writer, struct job_list *batch)
{
    struct error error = {0};
    int64_t changes = store_changes(writer->options.store);
    if (run_transaction(writer, batch, &error)) {
        writer->has_unmarked |= store_changes(writer->options.store) != changes;
        if (needs_mark(batch)) {
            write_mark(writer, true);
        }
    } else {
        refuse_all(batch, &error);
        if (store_trouble(writer->options.store) == STORE_TROUBLE_FULL) {
            enter_distress(writer);
        }
    }
    count(writer, METRIC_STORE_BATCHES, 1);
    count(writer, METRIC_STORE_JOBS, (int64_t)batch->count);
}

/* While the disk is full only essential jobs run. Order stays within each kind. */
static void refuse_what_can_wait(struct job_list *batch, struct job_list *out_refused)
{
    struct job_list essential = {0};
    for (;;) {
        struct store_job *job = job_list_pop(batch);
        if (job == NULL) {
            break;
        }
        job_list_append(job->is_essential ? &essential : out_refused, job);
    }
    struct error error = {0};
    (void)error_set(&error, ERROR_RETRY_LATER, "store_full", NULL,
                    "nothing happened; the store's disk is full, make room on it");
    refuse_all(out_refused, &error);
    *batch = essential;
}

static void reset_jobs(struct job_list *batch)
{
    for (struct store_job *job = batch->first; job != NULL; job = job->next) {
        job->ok = false;
        job->needs_mark = false;
        job->error = (struct error){0};
    }
}

static void run_queued(struct store_writer *writer, struct job_list *batch)
{
    struct job_list refused = {0};
    reset_jobs(batch);
    if (atomic_load(&writer->is_full)) {
        refuse_what_can_wait(batch, &refused);
        channel_return(&writer->channel, &refused);
    }
    if (batch->count > 0) {
        run_batch(writer, batch);
        channel_return(&writer->channel, batch);
        writer->worked_at = channel_monotonic_ns();
    }
    if (store_log_pages(writer->options.store) > BACKSTOP_LOG_PAGES) {
        store_checkpoint(writer->options.store);
    }
}

static bool is_checkpoint_worthwhile(const struct store_writer *writer)
{
    return store_log_pages(writer->options.store) > IDLE_LOG_PAGES;
}

/* Not at once again: a reader may hold back what can be moved. */
static int64_t next_checkpoint_at(const struct store_writer *writer)
{
    int64_t again_at = writer->checkpointed_at + checkpoint_every_ns;
    int64_t quiet_at = writer->worked_at + quiet_ns;
    return again_at > quiet_at ? again_at : quiet_at;
}

static void be_idle(struct store_writer *writer)
{
    const struct store_writer_options *options = &writer->options;
    int64_t now = channel_monotonic_ns();
    if (is_checkpoint_worthwhile(writer) && now >= next_checkpoint_at(writer)) {
        writer->checkpointed_at = now;
        store_checkpoint(options->store);
    }
    if (options->idle != NULL && now - writer->idled_at >= idle_every_ns) {
        writer->idled_at = now;
        options->idle(options->context, options->store,
                      options->read_now(options->context, options->store));
    }
}

static void keep_up(struct store_writer *writer)
{
    int64_t now = channel_monotonic_ns();
    if (writer->has_unmarked && now - writer->marked_at >= mark_every_ns) {
        write_mark(writer, false);
    }
    if (atomic_load(&writer->is_full) && now - writer->probed_at >= probe_every_ns) {
        leave_distress_when_possible(writer);
    }
}

static int64_t earlier(int64_t first, int64_t second)
{
    return first == 0 || second < first ? second : first;
}

/* When the thread has to look up although nothing came; 0: never. */
static int64_t next_wake(const struct store_writer *writer)
{
    int64_t until = 0;
    if (writer->options.idle != NULL) {
        until = earlier(until, writer->idled_at + idle_every_ns);
    }
    if (is_checkpoint_worthwhile(writer)) {
        until = earlier(until, next_checkpoint_at(writer));
    }
    if (writer->has_unmarked) {
        until = earlier(until, writer->marked_at + mark_every_ns);
    }
    if (atomic_load(&writer->is_full)) {
        until = earlier(until, writer->probed_at + probe_every_ns);
    }
    return until;
}

static void *run_thread(void *argument)
{
    struct store_writer *writer = argument;
    struct job_list batch = {0};
    show_full(writer, atomic_load(&writer->is_full));
    while (channel_take(&writer->channel, STORE_BATCH_MAX, next_wake(writer), &batch)) {
        if (batch.count > 0) {
            run_queued(writer, &batch);
        } else {
            be_idle(writer);
        }
        keep_up(writer);
    }
    if (writer->has_unmarked) {
        write_mark(writer, false);
    }
    return NULL;
}
