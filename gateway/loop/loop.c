#include "loop/loop_internal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include <stdlib.h>
#include <time.h>

static void read_clocks(struct loop *loop)
{
    struct timespec monotonic;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    loop->kernel_ms = (int64_t)monotonic.tv_sec * 1000 + monotonic.tv_nsec / 1000000;
    loop->now = clock_boot_ms();
    loop->wall = clock_wall_ms();
}

static void on_turn_start(struct ev_loop *ev, ev_check *watcher, int events)
{
    (void)ev, (void)events;
    struct loop *loop = LOOP_OF(watcher);
    read_clocks(loop);
    loop_timers_run(loop);
}

static void run_deferred(struct loop *loop)
{
    loop->running = loop->deferred;
    loop->deferred = NULL;
    loop->deferred_end = &loop->deferred;
    while (loop->running != NULL) {
        struct loop_deferred *deferred = loop->running;
        loop->running = deferred->next;
        deferred->next = NULL;
        deferred->is_pending = false;
        deferred->run(deferred->context);
    }
}

static void on_turn_end(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    (void)events;
    struct loop *loop = LOOP_OF(watcher);
    run_deferred(loop);
    if (loop->deferred != NULL) {
        ev_idle_start(ev, &loop->no_sleep);
    } else {
        ev_idle_stop(ev, &loop->no_sleep);
    }
    loop_timers_arm(loop);
}

/* Watchers that only have to end the wait. */
static void on_idle(struct ev_loop *ev, ev_idle *watcher, int events)
{
    (void)ev, (void)watcher, (void)events;
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev, (void)events;
    struct loop *loop = LOOP_OF(watcher);
    if (watcher == &loop->earliest) {
        loop->earliest_due = INT64_MAX; /* fired: loop_timers_arm has to arm it again */
    }
}

static void on_wake_asked(struct ev_loop *ev, ev_async *watcher, int events)
{
    (void)ev, (void)events;
    struct loop *loop = LOOP_OF(watcher);
    if (loop->on_wake != NULL) {
        loop->on_wake(loop->wake_context);
    }
}

static void on_stop_asked(struct ev_loop *ev, ev_async *watcher, int events)
{
    (void)events;
    struct loop *loop = LOOP_OF(watcher);
    if (atomic_exchange(&loop->is_stop_asked, false)) {
        ev_break(ev, EVBREAK_ALL);
    }
}

static void start_watchers(struct loop *loop, int64_t sleep_ms_max)
{
    LOOP_INIT(&loop->turn_start, on_turn_start, loop);
    ev_set_priority(&loop->turn_start, EV_MAXPRI);
    ev_check_start(loop->ev, &loop->turn_start);
    LOOP_INIT(&loop->turn_end, on_turn_end, loop);
    ev_prepare_start(loop->ev, &loop->turn_end);
    LOOP_INIT(&loop->no_sleep, on_idle, loop);
    LOOP_INIT(&loop->earliest, on_timer, loop);
    LOOP_INIT(&loop->heartbeat, on_timer, loop);
    loop->heartbeat.repeat = (double)sleep_ms_max / 1000.0;
    ev_timer_again(loop->ev, &loop->heartbeat);
    LOOP_INIT(&loop->wake, on_wake_asked, loop);
    ev_async_start(loop->ev, &loop->wake);
    LOOP_INIT(&loop->stop, on_stop_asked, loop);
    ev_async_start(loop->ev, &loop->stop);
}

struct loop *loop_create(const struct loop_options *options, struct error *error)
{
    struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (ev == NULL) {
        error_set(error, ERROR_INTERNAL, "no_epoll", NULL,
                  "the event loop cannot get an epoll descriptor: raise the descriptor limit");
        return NULL;
    }
    struct loop *loop = memory_zeroed(1, sizeof(*loop));
    loop->ev = ev;
    loop->deferred_end = &loop->deferred;
    loop->earliest_due = INT64_MAX;
    loop->on_signal = options->on_signal;
    loop->signal_context = options->context;
    atomic_init(&loop->is_stop_asked, false);
    start_watchers(loop, options->sleep_ms_max > 0 ? options->sleep_ms_max : LOOP_SLEEP_MS_MAX);
    loop_signals_start(loop);
    read_clocks(loop);
    return loop;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    CHECK(loop->timers.count == 0);
    loop_signals_stop(loop);
    ev_loop_destroy(loop->ev);
    heap_finish(&loop->timers);
    free(loop);
}

void loop_run(struct loop *loop)
{
    read_clocks(loop);
    ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stop_asked, true);
    ev_async_send(loop->ev, &loop->stop);
}

void loop_on_wake(struct loop *loop, void (*on_wake)(void *context), void *context)
{
    loop->on_wake = on_wake;
    loop->wake_context = context;
}

void loop_wake(struct loop *loop)
{
    ev_async_send(loop->ev, &loop->wake);
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

int64_t loop_wall(const struct loop *loop)
{
    return loop->wall;
}

void loop_defer(struct loop *loop, struct loop_deferred *deferred)
{
    if (deferred->is_pending) {
        return;
    }
    deferred->is_pending = true;
    deferred->next = NULL;
    *loop->deferred_end = deferred;
    loop->deferred_end = &deferred->next;
}

static bool unlink_deferred(struct loop_deferred **list, struct loop_deferred *deferred)
{
    for (struct loop_deferred **place = list; *place != NULL; place = &(*place)->next) {
        if (*place == deferred) {
            *place = deferred->next;
            return true;
        }
    }
    return false;
}

void loop_defer_cancel(struct loop *loop, struct loop_deferred *deferred)
{
    if (!deferred->is_pending) {
        return;
    }
    deferred->is_pending = false;
    if (unlink_deferred(&loop->running, deferred)) {
        return;
    }
    (void)unlink_deferred(&loop->deferred, deferred);
    loop->deferred_end = &loop->deferred;
    while (*loop->deferred_end != NULL) {
        loop->deferred_end = &(*loop->deferred_end)->next;
    }
}
