#include "courier/courier.h"

#include "base/arena.h"
#include "base/builder.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include "courier/transfer.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is new is seen within a pause. */
enum {
    PAUSE_MS = 50,
    /* Above it nothing is leased: so much that a dozen channels that hang, each with what it may
     * have under way, hold up none that works. */
    TRANSFERS_MAX = 512,
};

struct lease {
    struct store_job job;
    struct courier *courier;
    struct arena *arena;
    struct operation operation;
    const char *skipped;
    struct notice_lease *notices;
    size_t count;
    size_t unsettled;
    struct lease *next; /* handed to the thread */
};

struct settlement {
    struct store_job job;
    struct settlement *next; /* while the store takes no more */
    struct courier *courier;
    struct arena *arena;
    struct operation operation;
    struct lease *lease;
    struct notice_lease notice;
    struct notice_settlement what;
};

struct courier {
    struct courier_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct lease *inbox;        /* leases that the store gave, for the thread */
    struct settlement *waiting; /* for the store to take them: the thread's own */
    bool is_leasing;
    bool is_stopping;
    int jobs;                    /* under way at the store */
    struct transfers *transfers; /* the thread's own */
    struct fetches *fetches;
    struct destinations *destinations;
    struct words *words;
    struct standings *standings;
    struct sockets *sockets;
};

static void end_lease(struct lease *lease)
{
    arena_destroy(lease->arena);
    free(lease);
}

/* ---- jobs at the store; done() comes on the loop thread ---- */

static bool run_lease(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct lease *lease = (struct lease *)job;
    operation_begin_system(&lease->operation, lease->courier->options.operations, store,
                           lease->arena, now);
    return operation_lease_notices(&lease->operation, lease->skipped, &lease->notices,
                                   &lease->count, error);
}

static void finish_lease(struct store_job *job, bool ok, const struct error *error)
{
    struct lease *lease = (struct lease *)job;
    struct courier *courier = lease->courier;
    if (!ok && error->kind != ERROR_RETRY_LATER) {
        log_error(LOG_LEVEL_ERROR, "notices_not_leased", error);
    }
    pthread_mutex_lock(&courier->mutex);
    courier->jobs--;
    courier->is_leasing = false;
    bool is_wanted = ok && lease->count > 0 && !courier->is_stopping;
    if (is_wanted) {
        lease->unsettled = lease->count;
        lease->next = courier->inbox;
        courier->inbox = lease;
    }
    pthread_mutex_unlock(&courier->mutex);
    if (is_wanted) {
        transfers_wake(courier->transfers);
    } else {
        end_lease(lease);
    }
}

static bool run_settlement(struct store_job *job, struct store *store, int64_t now,
                           struct error *error)
{
    struct settlement *settlement = (struct settlement *)job;
    operation_begin_system(&settlement->operation, settlement->courier->options.operations, store,
                           settlement->arena, now);
    return operation_settle_notice(&settlement->operation, &settlement->notice, &settlement->what,
                                   error);
}

static void finish_settlement(struct store_job *job, bool ok, const struct error *error)
{
    struct settlement *settlement = (struct settlement *)job;
    struct courier *courier = settlement->courier;
    if (!ok) {
        /* The lease runs out and it is sent again: at least once. */
        log_error(LOG_LEVEL_WARN, "notice_not_settled", error);
    }
    pthread_mutex_lock(&courier->mutex);
    courier->jobs--;
    bool is_last = --settlement->lease->unsettled == 0;
    pthread_mutex_unlock(&courier->mutex);
    if (is_last) {
        end_lease(settlement->lease);
    }
    arena_destroy(settlement->arena);
    free(settlement);
}

/* Any thread. True when the store has the job. */
static bool submit(struct courier *courier, struct store_job *job)
{
    struct error error = {0};
    pthread_mutex_lock(&courier->mutex);
    courier->jobs++;
    pthread_mutex_unlock(&courier->mutex);
    if (store_writer_submit(courier->options.writer, job, &error)) {
        return true;
    }
    pthread_mutex_lock(&courier->mutex);
    courier->jobs--;
    pthread_mutex_unlock(&courier->mutex);
    return false;
}

/* ---- the thread ---- */

static void forget_unsettled(struct courier *courier, struct lease *lease)
{
    pthread_mutex_lock(&courier->mutex);
    bool is_last = --lease->unsettled == 0;
    pthread_mutex_unlock(&courier->mutex);
    if (is_last) {
        end_lease(lease);
    }
}

/* What the store's queue has no room for waits here: what was sent must not be sent again. */
static void submit_settlements(struct courier *courier)
{
    struct settlement *settlement = courier->waiting;
    courier->waiting = NULL;
    while (settlement != NULL) {
        struct settlement *next = settlement->next;
        if (!submit(courier, &settlement->job)) {
            settlement->next = courier->waiting;
            courier->waiting = settlement;
        }
        settlement = next;
    }
}

static void forget_settlements(struct courier *courier)
{
    while (courier->waiting != NULL) {
        struct settlement *settlement = courier->waiting;
        courier->waiting = settlement->next;
        arena_destroy(settlement->arena);
        forget_unsettled(courier, settlement->lease);
        free(settlement);
    }
}

void courier_settle(struct courier *courier, const struct delivery *delivery,
                    const struct notice_settlement *what)
{
    struct settlement *settlement = memory_zeroed(1, sizeof *settlement);
    settlement->courier = courier;
    settlement->lease = delivery->lease;
    settlement->arena = arena_create();
    settlement->notice = *delivery->notice;
    settlement->what = *what;
    settlement->what.reason = arena_text(settlement->arena, what->reason);
    settlement->what.answer = arena_text(settlement->arena, what->answer);
    settlement->what.address = arena_text(settlement->arena, what->address);
    settlement->job.run = run_settlement;
    settlement->job.done = finish_settlement;
    settlement->next = courier->waiting;
    courier->waiting = settlement;
    submit_settlements(courier);
}

/* What came of one transfer. */
static void on_transferred(void *context, void *owner, const struct transfer_result *result)
{
    struct courier *courier = context;
    struct errand *errand = owner;
    if (errand->kind == ERRAND_FETCH) {
        fetches_take(courier->fetches, errand->issuer, result);
        free(owner);
        return;
    }
    if (errand->kind == ERRAND_WORD) {
        words_finish(errand, result);
        return;
    }
    if (errand->kind == ERRAND_INQUIRY) {
        standings_finish(errand, result);
        return;
    }
    destinations_finish(courier->destinations, errand, result);
}

static struct lease *take_inbox(struct courier *courier, bool *out_is_stopping)
{
    pthread_mutex_lock(&courier->mutex);
    struct lease *lease = courier->inbox;
    courier->inbox = NULL;
    *out_is_stopping = courier->is_stopping;
    pthread_mutex_unlock(&courier->mutex);
    return lease;
}

static void deliver_all(struct courier *courier, struct lease *leases)
{
    while (leases != NULL) {
        struct lease *lease = leases;
        leases = lease->next;
        size_t count = lease->count; /* the lease may be gone after its last row */
        struct notice_lease *notices = lease->notices;
        for (size_t i = 0; i < count; i++) {
            destinations_take(courier->destinations, lease, &notices[i]);
        }
    }
}

static void ask_for_more(struct courier *courier)
{
    pthread_mutex_lock(&courier->mutex);
    bool is_leasing = courier->is_leasing;
    pthread_mutex_unlock(&courier->mutex);
    if (is_leasing || transfers_count(courier->transfers) >= TRANSFERS_MAX) {
        return;
    }
    destinations_look(courier->destinations);
    int64_t due_at = operations_notices_due_at(courier->options.operations);
    if (due_at == 0 || due_at > clock_wall_ms()) {
        return;
    }
    pthread_mutex_lock(&courier->mutex);
    courier->is_leasing = true; /* this thread alone sets it */
    pthread_mutex_unlock(&courier->mutex);
    struct lease *lease = memory_zeroed(1, sizeof *lease);
    lease->courier = courier;
    lease->arena = arena_create();
    lease->skipped = destinations_skipped(courier->destinations, lease->arena);
    lease->job.run = run_lease;
    lease->job.done = finish_lease;
    if (!submit(courier, &lease->job)) {
        end_lease(lease);
        pthread_mutex_lock(&courier->mutex);
        courier->is_leasing = false;
        pthread_mutex_unlock(&courier->mutex);
    }
}

static void *run_thread(void *context)
{
    struct courier *courier = context;
    bool is_stopping = false;
    while (!is_stopping) {
        deliver_all(courier, take_inbox(courier, &is_stopping));
        submit_settlements(courier);
        words_run(courier->words, courier->destinations);
        standings_run(courier->standings, courier->destinations);
        destinations_run(courier->destinations);
        ask_for_more(courier);
        fetches_run(courier->fetches);
        transfers_run(courier->transfers, PAUSE_MS);
    }
    return NULL;
}

/* ---- life ---- */

struct courier *courier_start(const struct courier_options *options, struct error *error)
{
    struct courier *courier = memory_zeroed(1, sizeof *courier);
    courier->options = *options;
    pthread_mutex_init(&courier->mutex, NULL);
    courier->transfers = transfers_create(on_transferred, courier, error);
    if (courier->transfers == NULL) {
        pthread_mutex_destroy(&courier->mutex);
        free(courier);
        return NULL;
    }
    courier->fetches = fetches_create(options->trust, options->sources, courier->transfers);
    courier->standings = standings_create(&courier->options, courier->transfers);
    courier->destinations =
        destinations_create(courier, options, courier->transfers, courier->standings);
    courier->words = words_create(options, courier->transfers);
    if (pthread_create(&courier->thread, NULL, run_thread, courier) != 0) {
        error_set(error, ERROR_INTERNAL, "no_thread", NULL,
                  "the courier's thread cannot be started");
        fetches_destroy(courier->fetches);
        destinations_destroy(courier->destinations, NULL, NULL); /* nothing waits yet */
        words_destroy(courier->words);
        standings_destroy(courier->standings);
        transfers_destroy(courier->transfers, NULL);
        pthread_mutex_destroy(&courier->mutex);
        free(courier);
        return NULL;
    }
    courier->sockets = sockets_start(&courier->options);
    return courier;
}

void courier_reread(struct courier *courier)
{
    fetches_reread(courier->fetches);
    transfers_wake(courier->transfers);
}

void courier_look(struct courier *courier)
{
    int64_t due_at = operations_notices_due_at(courier->options.operations);
    if (due_at != 0 && due_at <= clock_wall_ms()) {
        transfers_wake(courier->transfers);
    }
}

void courier_acknowledge(struct courier *courier, const char *channel, const char *id,
                         const char *response)
{
    sockets_acknowledge(courier->sockets, channel, id, response);
}

bool courier_say(struct courier *courier, const char *channel, const struct notifier_word *word)
{
    return words_take(courier->words, channel, word);
}

void courier_find(struct courier *courier, const char *channel,
                  const struct notifier_inquiry *inquiry, int64_t age_ms, int64_t asked_tick,
                  struct notifier_standing *out)
{
    int64_t since = clock_boot_ms() - age_ms;
    struct standings_age age = {
        .good_since = since, .bad_since = since, .unanswered_since = asked_tick};
    *out = (struct notifier_standing){.known = NOTIFIER_UNANSWERED};
    for (size_t i = 0; i < courier->options.channel_count; i++) {
        const struct notifier_channel *own = &courier->options.channels[i].channel;
        if (strcmp(own->name, channel) == 0 && notifier_find(own->kind)->compose_inquiry != NULL) {
            standings_look(courier->standings, i, inquiry, &age, out);
            return;
        }
    }
}

void courier_stop(struct courier *courier)
{
    pthread_mutex_lock(&courier->mutex);
    courier->is_stopping = true;
    pthread_mutex_unlock(&courier->mutex);
    transfers_wake(courier->transfers);
    pthread_join(courier->thread, NULL);
}

/* A notice that was cut off: its lease runs out, and it is sent again after the restart. */
static void forget_errand(void *context, void *owner)
{
    struct courier *courier = context;
    const struct errand *errand = owner;
    if (errand->kind == ERRAND_DELIVERY) {
        forget_unsettled(courier, ((struct delivery *)owner)->lease);
    }
    if (errand->kind == ERRAND_WORD) {
        words_forget(owner);
        return;
    }
    free(owner);
}

void courier_destroy(struct courier *courier)
{
    if (courier == NULL) {
        return;
    }
    bool ignored;
    sockets_stop(courier->sockets);
    transfers_destroy(courier->transfers, forget_errand);
    destinations_destroy(courier->destinations, forget_errand, courier);
    forget_settlements(courier);
    words_destroy(courier->words);
    standings_destroy(courier->standings);
    for (struct lease *lease = take_inbox(courier, &ignored); lease != NULL;) {
        struct lease *next = lease->next;
        end_lease(lease);
        lease = next;
    }
    pthread_mutex_destroy(&courier->mutex);
    fetches_destroy(courier->fetches);
    free(courier);
}
