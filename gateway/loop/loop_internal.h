#ifndef LOOP_LOOP_INTERNAL_H
#define LOOP_LOOP_INTERNAL_H

/* What the files of this room share about the loop. Nobody else sees a type of libev. */

#include "loop/heap.h"
#include "loop/loop.h"
#include <ev.h>
#include <stdatomic.h>

enum { LOOP_SIGNAL_WATCHERS = 3 };

struct loop {
    struct ev_loop *ev;
    ev_check turn_start;
    ev_prepare turn_end;
    ev_idle no_sleep;   /* active while work waits, so that the loop polls without sleeping */
    ev_timer earliest;  /* armed for the first loop timer */
    ev_timer heartbeat; /* the longest sleep */
    ev_async wake;
    ev_async stop;
    atomic_bool is_stop_asked;
    void (*on_wake)(void *context);
    void *wake_context;
    void (*on_signal)(void *context, enum loop_signal signal);
    void *signal_context;
    ev_signal signals[LOOP_SIGNAL_WATCHERS];
    struct heap timers;
    int64_t earliest_due; /* what `earliest` is armed for; INT64_MAX: not armed */
    int64_t now;
    int64_t wall;
    int64_t kernel_ms;              /* CLOCK_MONOTONIC, for limits on connections */
    struct loop_deferred *deferred; /* waiting for the end of this turn, in order */
    struct loop_deferred **deferred_end;
    struct loop_deferred *running; /* rest of the pass under way */
};

void loop_timers_run(struct loop *loop);
void loop_timers_arm(struct loop *loop);

void loop_signals_start(struct loop *loop);
void loop_signals_stop(struct loop *loop);

/* The loop a watcher of this room belongs to. */
#define LOOP_OF(watcher) ((struct loop *)(watcher)->data)

#define LOOP_INIT(watcher, callback, owner)                                                        \
    do {                                                                                           \
        ev_init((watcher), (callback));                                                            \
        (watcher)->data = (owner);                                                                 \
    } while (0)

#endif
