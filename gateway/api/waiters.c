#include "api/api_internal.h"

#include "base/check.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/*
 * Those who wait for a request to end. A waiter keeps its parked exchange, who asked and the
 * request's id, and nothing else: nineteen thousand of them must be cheap. They are found by
 * request in a table of chains. When the request ends or is edited, when its approvers ask
 * something, or when the wait is over, a fresh read on the store thread gives each its own answer
 * (the holder's read mints the token).
 */

enum { FIRST_BUCKETS = 1024 };

struct waiter {
    struct waiter *next; /* in its bucket */
    struct api *api;
    struct api_call *call; /* its last read, under way; then it is in no bucket */
    struct http_exchange *exchange;
    struct loop_timer *timer;
    struct credential credential;
    char request[ID_BYTES];
    char trace[API_TRACE_BYTES];
};

struct api_waiters {
    struct api *api;
    struct waiter **buckets;
    size_t bucket_count;
    size_t count;
};

struct api_waiters *api_waiters_create(struct api *api)
{
    struct api_waiters *waiters = memory_zeroed(1, sizeof *waiters);
    waiters->api = api;
    waiters->bucket_count = FIRST_BUCKETS;
    waiters->buckets = memory_zeroed(FIRST_BUCKETS, sizeof *waiters->buckets);
    return waiters;
}

void api_waiters_destroy(struct api_waiters *waiters)
{
    if (waiters == NULL) {
        return;
    }
    CHECK(waiters->count == 0);
    free(waiters->buckets);
    free(waiters);
}

/* Ids are random in their last characters and made by us: nobody outside can aim at one chain. */
static size_t bucket_of(const struct api_waiters *waiters, const char *request)
{
    size_t hash = 1469598103934665603u;
    for (const char *at = request; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    }
    return hash & (waiters->bucket_count - 1);
}

static void grow(struct api_waiters *waiters)
{
    struct waiter **old = waiters->buckets;
    size_t old_count = waiters->bucket_count;
    waiters->bucket_count = old_count * 2;
    waiters->buckets = memory_zeroed(waiters->bucket_count, sizeof *waiters->buckets);
    for (size_t i = 0; i < old_count; i++) {
        for (struct waiter *waiter = old[i]; waiter != NULL;) {
            struct waiter *next = waiter->next;
            size_t bucket = bucket_of(waiters, waiter->request);
            waiter->next = waiters->buckets[bucket];
            waiters->buckets[bucket] = waiter;
            waiter = next;
        }
    }
    free(old);
}

static void unlink_waiter(struct api_waiters *waiters, struct waiter *waiter)
{
    struct waiter **at = &waiters->buckets[bucket_of(waiters, waiter->request)];
    while (*at != waiter) {
        CHECK(*at != NULL);
        at = &(*at)->next;
    }
    *at = waiter->next;
    waiters->count--;
}

static void free_waiter(struct waiter *waiter)
{
    if (waiter == NULL) {
        return;
    }
    loop_timer_destroy(waiter->timer);
    free(waiter);
}

/* The client left: the request goes on without it. A last read under way comes back to nobody. */
static void on_gone(void *context)
{
    struct waiter *waiter = context;
    if (waiter->call != NULL) {
        waiter->call->exchange = NULL;
        waiter->call->waiter = NULL;
    } else {
        unlink_waiter(waiter->api->waiters, waiter);
    }
    free_waiter(waiter);
}

static void settle_answer(struct api_call *call)
{
    if (call->exchange == NULL) {
        api_end_call(call);
        return;
    }
    api_answer_request(call);
}

static bool settle_run(struct api_call *call, struct error *error)
{
    return api_run_request_get(call, error);
}

static const struct api_route settle_route = {.method = HTTP_GET,
                                              .pattern = "",
                                              .thread = API_ON_WRITER,
                                              .is_essential = true,
                                              .run = settle_run,
                                              .answer = settle_answer};

void api_forget_waiter(struct waiter *waiter)
{
    free_waiter(waiter);
}

/* Takes the waiter out and reads its request for it. The waiter stays what on_gone finds. */
static void settle(struct waiter *waiter)
{
    struct api *api = waiter->api;
    struct api_call *call = api_new_call(api, waiter->exchange, &settle_route);
    call->is_waiter = true;
    call->wait_ms = 1; /* says Preference-Applied, and 202 while pending */
    call->credential = waiter->credential;
    call->path_values[0] = arena_text(call->arena, waiter->request);
    memcpy(call->trace, waiter->trace, sizeof call->trace);
    unlink_waiter(api->waiters, waiter);
    loop_timer_disarm(waiter->timer);
    waiter->call = call;
    call->waiter = waiter;
    api_submit(call);
}

static void on_wait_over(void *context)
{
    settle(context);
}

void api_park(struct api_call *call, const char *request)
{
    struct api *api = call->api;
    struct api_waiters *waiters = api->waiters;
    if (waiters->count >= waiters->bucket_count) {
        grow(waiters);
    }
    struct waiter *waiter = memory_zeroed(1, sizeof *waiter);
    waiter->api = api;
    waiter->exchange = call->exchange;
    waiter->credential = call->credential;
    waiter->credential.proof = NULL; /* dies with the call */
    memcpy(waiter->trace, call->trace, sizeof waiter->trace);
    strcpy(waiter->request, request);
    size_t bucket = bucket_of(waiters, request);
    waiter->next = waiters->buckets[bucket];
    waiters->buckets[bucket] = waiter;
    waiters->count++;
    waiter->timer = loop_timer_create(api->options.loop, on_wait_over, waiter);
    loop_timer_arm(waiter->timer, loop_now(api->options.loop) + call->wait_ms);
    http_set_context(call->exchange, waiter);
    api_end_call(call);
    http_park(waiter->exchange, on_gone);
}

void api_tell_changes(struct api *api, const struct operation *operation)
{
    struct api_waiters *waiters = api->waiters;
    if (operation->changes != NULL && api->options.live.tell_changes != NULL) {
        api->options.live.tell_changes(api->options.live.context, operation);
    }
    for (const struct operation_change *change = operation->changes; change != NULL;
         change = change->next) {
        if (!request_is_final(change->state) && !change->has_news) {
            continue;
        }
        for (struct waiter *waiter = waiters->buckets[bucket_of(waiters, change->request)];
             waiter != NULL;) {
            struct waiter *next = waiter->next;
            if (strcmp(waiter->request, change->request) == 0) {
                settle(waiter);
            }
            waiter = next;
        }
    }
}

void api_release_waiters(struct api *api)
{
    struct api_waiters *waiters = api->waiters;
    for (size_t i = 0; i < waiters->bucket_count; i++) {
        while (waiters->buckets[i] != NULL) {
            settle(waiters->buckets[i]);
        }
    }
}
