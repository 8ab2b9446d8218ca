#include "loop/loop_internal.h"

#include "base/memory.h"
#include <stdlib.h>

struct loop_timer {
    struct heap_node node; /* first: the heap's node is the timer */
    struct loop *loop;
    void (*on_due)(void *context);
    void *context;
};

struct loop_timer *loop_timer_create(struct loop *loop, void (*on_due)(void *context),
                                     void *context)
{
    struct loop_timer *timer = memory_zeroed(1, sizeof(*timer));
    timer->loop = loop;
    timer->on_due = on_due;
    timer->context = context;
    return timer;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (timer == NULL) {
        return;
    }
    loop_timer_disarm(timer);
    free(timer);
}

void loop_timer_arm(struct loop_timer *timer, int64_t due_tick)
{
    heap_set(&timer->loop->timers, &timer->node, due_tick);
}

void loop_timer_disarm(struct loop_timer *timer)
{
    heap_remove(&timer->loop->timers, &timer->node);
}

/* At most as many as were armed at the start: a timer that arms itself for a time already past
 * waits for the next turn instead of holding this one. */
void loop_timers_run(struct loop *loop)
{
    for (size_t left = loop->timers.count; left > 0; left--) {
        struct heap_node *node = heap_first(&loop->timers);
        if (node == NULL || node->due > loop->now) {
            return;
        }
        struct loop_timer *timer = (struct loop_timer *)node;
        loop_timer_disarm(timer);
        timer->on_due(timer->context);
    }
}

/* Called at the end of each turn; touches libev only when the earliest due time has changed. */
void loop_timers_arm(struct loop *loop)
{
    struct heap_node *node = heap_first(&loop->timers);
    int64_t due = node == NULL ? INT64_MAX : node->due;
    if (due == loop->earliest_due) {
        return;
    }
    loop->earliest_due = due;
    ev_timer_stop(loop->ev, &loop->earliest);
    if (node != NULL) {
        int64_t wait_ms = due > loop->now ? due - loop->now : 0;
        ev_now_update(loop->ev);
        ev_timer_set(&loop->earliest, (double)wait_ms / 1000.0, 0.0);
        ev_timer_start(loop->ev, &loop->earliest);
    }
}
