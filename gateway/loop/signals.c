#include "loop/loop_internal.h"

#include <signal.h>

/* The one place where signals become loop events. libev's handler only writes to the loop's own
 * descriptor, so the callback below is ordinary code on the loop thread. */

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
    (void)ev, (void)events;
    struct loop *loop = LOOP_OF(watcher);
    loop->on_signal(loop->signal_context,
                    watcher->signum == SIGHUP ? LOOP_SIGNAL_RELOAD : LOOP_SIGNAL_STOP);
}

void loop_signals_start(struct loop *loop)
{
    static const int numbers[LOOP_SIGNAL_WATCHERS] = {SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    if (loop->on_signal == NULL) {
        return;
    }
    for (int i = 0; i < LOOP_SIGNAL_WATCHERS; i++) {
        LOOP_INIT(&loop->signals[i], on_signal, loop);
        ev_signal_set(&loop->signals[i], numbers[i]);
        ev_signal_start(loop->ev, &loop->signals[i]);
    }
}

void loop_signals_stop(struct loop *loop)
{
    if (loop->on_signal == NULL) {
        return;
    }
    for (int i = 0; i < LOOP_SIGNAL_WATCHERS; i++) {
        ev_signal_stop(loop->ev, &loop->signals[i]);
    }
}
