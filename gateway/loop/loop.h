#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

/*
 * The event loop: one thread, one libev loop on epoll. It refuses to block and to read a clock
 * more than once a turn. One turn is: wait, read the clocks, due timers, wake-ups, socket events,
 * then the end of the turn, where deferred work runs (what was marked is freed, what changed is
 * pushed). Every function is for the loop thread alone, except loop_stop and loop_wake, which any
 * thread may call. The HTTP front door on this loop is loop/http.h.
 *
 * Loop timers go by the linked clock (base/clock.h), so a scripted clock moves them; limits on
 * connections go by the kernel's monotonic clock, so it does not cut anybody off.
 */

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum { LOOP_SLEEP_MS_MAX = 1000 }; /* default of loop_options.sleep_ms_max */

struct loop;
struct loop_timer;

enum loop_signal {
    LOOP_SIGNAL_STOP,   /* SIGTERM or SIGINT */
    LOOP_SIGNAL_RELOAD, /* SIGHUP */
};

struct loop_options {
    /* SIGTERM, SIGINT and SIGHUP as loop events. NULL leaves the process's signals alone. Only one
     * loop of a process may have it. */
    void (*on_signal)(void *context, enum loop_signal signal);
    void *context;
    /* Longest sleep with nothing due, so that suspend and a stepped scripted clock are noticed.
     * 0: LOOP_SLEEP_MS_MAX. */
    int64_t sleep_ms_max;
};

/* NULL with INTERNAL when epoll is not to be had. SIGPIPE is ignored from here on. */
struct loop *loop_create(const struct loop_options *options, struct error *error) MUST_CHECK;
/* Destroy the servers and timers on it first. Accepts NULL. */
void loop_destroy(struct loop *loop);

/* Runs turns until loop_stop. May be called again afterwards. */
void loop_run(struct loop *loop);
/* Thread-safe. Ends loop_run at the end of the current turn. */
void loop_stop(struct loop *loop);

/* What loop_wake makes happen: `on_wake` is called once in a turn however often it was asked for.
 * Set before other threads know the loop. */
void loop_on_wake(struct loop *loop, void (*on_wake)(void *context), void *context);
/* Thread-safe, coalesced, never blocks. */
void loop_wake(struct loop *loop);

/* Read once per turn: monotonic tick (clock_boot_ms) and wall time (clock_wall_ms). */
int64_t loop_now(const struct loop *loop);
int64_t loop_wall(const struct loop *loop);

/* One-shot timers, cheap in tens of thousands (one heap, one native timer). `on_due` may arm it
 * again or destroy it. Arming an armed timer moves it. */
struct loop_timer *loop_timer_create(struct loop *loop, void (*on_due)(void *context),
                                     void *context);
void loop_timer_destroy(struct loop_timer *timer); /* accepts NULL; disarms */
void loop_timer_arm(struct loop_timer *timer, int64_t due_tick);
void loop_timer_disarm(struct loop_timer *timer);

/* Work for the end of the turn, in the caller's storage: set `run` and `context`, leave the rest
 * zero. Deferring twice before it runs is once; deferred from within the pass, it waits for the
 * end of the next turn, which then does not sleep. `run` may free the storage. */
struct loop_deferred {
    void (*run)(void *context);
    void *context;
    struct loop_deferred *next;
    bool is_pending;
};
void loop_defer(struct loop *loop, struct loop_deferred *deferred);
/* Takes it off again; for destroying its owner early. */
void loop_defer_cancel(struct loop *loop, struct loop_deferred *deferred);

#endif
