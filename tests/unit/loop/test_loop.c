#include "loop/loop.h"

#include "base/clock.h"
#include "loop/addresses.h"
#include "loop/heap.h"
#include "tests/support/chance.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 500, TIMERS = 200, WAKES = 10000 };

struct log {
    struct loop *loop;
    int order[TIMERS];
    int count;
    int wanted;
};

struct numbered {
    struct log *log;
    int number;
    struct loop_timer *timer;
};

static void on_due(void *context)
{
    struct numbered *numbered = context;
    struct log *log = numbered->log;
    log->order[log->count++] = numbered->number;
    if (log->count == log->wanted) {
        loop_stop(log->loop);
    }
}

static struct loop *create(const struct loop_options *options)
{
    struct error error = {0};
    struct loop *loop = loop_create(options, &error);
    ck_assert_msg(loop != NULL, "%s", error.message);
    return loop;
}

START_TEST(heap__always_gives_the_earliest)
{
    struct chance chance = {.state = 3};
    struct heap heap = {0};
    static struct heap_node nodes[NODES];
    bool is_in[NODES] = {false};
    for (int step = 0; step < 20000; step++) {
        unsigned i = chance_below(&chance, NODES);
        if (chance_below(&chance, 3) == 0) {
            heap_remove(&heap, &nodes[i]);
            is_in[i] = false;
        } else {
            heap_set(&heap, &nodes[i], chance_below(&chance, 1000));
            is_in[i] = true;
        }
        const struct heap_node *first = heap_first(&heap);
        int64_t earliest = INT64_MAX;
        size_t count = 0;
        for (size_t j = 0; j < NODES; j++) {
            count += is_in[j];
            if (is_in[j] && nodes[j].due < earliest) {
                earliest = nodes[j].due;
            }
        }
        ck_assert_uint_eq(heap.count, count);
        ck_assert(count == 0 ? first == NULL : first->due == earliest);
    }
    heap_finish(&heap);
}
END_TEST

START_TEST(timers__run_in_order_of_due_time)
{
    struct loop_options options = {0};
    struct loop *loop = create(&options);
    struct log log = {.loop = loop, .wanted = TIMERS};
    struct numbered numbered[TIMERS];
    for (int i = 0; i < TIMERS; i++) {
        numbered[i] = (struct numbered){.log = &log, .number = (i * 7) % TIMERS};
        numbered[i].timer = loop_timer_create(loop, on_due, &numbered[i]);
        loop_timer_arm(numbered[i].timer, loop_now(loop) + 5 + numbered[i].number);
    }
    int64_t started = clock_boot_ms();
    loop_run(loop);
    ck_assert_int_ge(clock_boot_ms() - started, TIMERS + 3);
    for (int i = 0; i < TIMERS; i++) {
        ck_assert_int_eq(log.order[i], i);
        loop_timer_destroy(numbered[i].timer);
    }
    loop_destroy(loop);
}
END_TEST

START_TEST(timers__disarmed_and_moved_ones_keep_to_it)
{
    struct loop_options options = {0};
    struct loop *loop = create(&options);
    struct log log = {.loop = loop, .wanted = 2};
    struct numbered numbered[3];
    for (int i = 0; i < 3; i++) {
        numbered[i] = (struct numbered){.log = &log, .number = i};
        numbered[i].timer = loop_timer_create(loop, on_due, &numbered[i]);
        loop_timer_arm(numbered[i].timer, loop_now(loop) + 10 + i);
    }
    loop_timer_disarm(numbered[1].timer);
    loop_timer_arm(numbered[0].timer, loop_now(loop) + 30);
    loop_run(loop);
    ck_assert_int_eq(log.order[0], 2);
    ck_assert_int_eq(log.order[1], 0);
    for (int i = 0; i < 3; i++) {
        loop_timer_destroy(numbered[i].timer);
    }
    loop_destroy(loop);
}
END_TEST

static void arm_again_for_the_past(void *context)
{
    struct numbered *numbered = context;
    if (++numbered->number == 5) {
        loop_stop(numbered->log->loop);
    }
    loop_timer_arm(numbered->timer, loop_now(numbered->log->loop) - 1);
}

START_TEST(timers__one_that_is_always_due_does_not_hold_the_turn)
{
    struct loop_options options = {0};
    struct loop *loop = create(&options);
    struct log log = {.loop = loop};
    struct numbered numbered = {.log = &log};
    numbered.timer = loop_timer_create(loop, arm_again_for_the_past, &numbered);
    loop_timer_arm(numbered.timer, loop_now(loop));
    loop_run(loop);
    ck_assert_int_ge(numbered.number, 5);
    loop_timer_destroy(numbered.timer);
    loop_destroy(loop);
}
END_TEST

struct wakes {
    struct loop *loop;
    int asked;
    int seen;
    int calls;
    pthread_mutex_t lock;
};

static void *ask_often(void *context)
{
    struct wakes *wakes = context;
    for (int i = 0; i < WAKES; i++) {
        pthread_mutex_lock(&wakes->lock);
        wakes->asked++;
        pthread_mutex_unlock(&wakes->lock);
        loop_wake(wakes->loop);
    }
    return NULL;
}

static void on_wake(void *context)
{
    struct wakes *wakes = context;
    pthread_mutex_lock(&wakes->lock);
    wakes->seen = wakes->asked;
    pthread_mutex_unlock(&wakes->lock);
    wakes->calls++;
    if (wakes->seen == 2 * WAKES) {
        loop_stop(wakes->loop);
    }
}

START_TEST(wake__loses_nothing_and_is_coalesced)
{
    struct loop_options options = {0};
    struct wakes wakes = {.loop = create(&options), .lock = PTHREAD_MUTEX_INITIALIZER};
    loop_on_wake(wakes.loop, on_wake, &wakes);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, &wakes), 0);
    }
    loop_run(wakes.loop);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(wakes.seen, 2 * WAKES);
    ck_assert_int_le(wakes.calls, 2 * WAKES);
    loop_destroy(wakes.loop);
}
END_TEST

static void *stop_it(void *context)
{
    loop_stop(context);
    return NULL;
}

START_TEST(stop__from_another_thread_ends_the_run)
{
    struct loop_options options = {0};
    struct loop *loop = create(&options);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, stop_it, loop), 0);
        loop_run(loop);
        pthread_join(thread, NULL);
    }
    loop_destroy(loop);
}
END_TEST

struct work {
    struct loop *loop;
    struct loop_deferred first;
    struct loop_deferred second;
    struct loop_deferred cancelled;
    int first_runs;
    int second_runs;
    int cancelled_runs;
};

static void run_second(void *context)
{
    struct work *work = context;
    if (++work->second_runs == 3) {
        loop_stop(work->loop);
    }
    loop_defer(work->loop, &work->second);
}

static void run_first(void *context)
{
    struct work *work = context;
    work->first_runs++;
    loop_defer_cancel(work->loop, &work->cancelled);
    loop_defer(work->loop, &work->second);
}

static void run_cancelled(void *context)
{
    struct work *work = context;
    work->cancelled_runs++;
}

START_TEST(deferred__runs_once_a_turn_and_can_be_cancelled_within_the_pass)
{
    struct loop_options options = {.sleep_ms_max = 60000}; /* a sleep would time the test out */
    struct work work = {.loop = create(&options)};
    work.first = (struct loop_deferred){.run = run_first, .context = &work};
    work.second = (struct loop_deferred){.run = run_second, .context = &work};
    work.cancelled = (struct loop_deferred){.run = run_cancelled, .context = &work};
    loop_defer(work.loop, &work.first);
    loop_defer(work.loop, &work.first);
    loop_defer(work.loop, &work.cancelled);
    loop_run(work.loop);
    ck_assert_int_eq(work.first_runs, 1);
    ck_assert_int_eq(work.cancelled_runs, 0);
    ck_assert_int_ge(work.second_runs, 3);
    loop_defer_cancel(work.loop, &work.second);
    loop_destroy(work.loop);
}
END_TEST

struct signals {
    struct loop *loop;
    int stops;
    int reloads;
};

static void on_signal(void *context, enum loop_signal signal)
{
    struct signals *signals = context;
    signals->stops += signal == LOOP_SIGNAL_STOP;
    signals->reloads += signal == LOOP_SIGNAL_RELOAD;
    if (signals->stops == 2) {
        loop_stop(signals->loop);
    } else {
        raise(signals->reloads == 0 ? SIGHUP : signals->stops == 0 ? SIGTERM : SIGINT);
    }
}

START_TEST(signals__become_calls_on_the_loop)
{
    struct signals signals = {0};
    struct loop_options options = {.on_signal = on_signal, .context = &signals};
    signals.loop = create(&options);
    raise(SIGHUP);
    loop_run(signals.loop);
    ck_assert_int_eq(signals.reloads, 1);
    ck_assert_int_eq(signals.stops, 2);
    loop_destroy(signals.loop);
}
END_TEST

START_TEST(addresses__count_hosts_not_ports)
{
    static struct addresses addresses = {.seed = 5};
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    inet_pton(AF_INET, "192.0.2.1", &ipv4.sin_addr);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &ipv6.sin6_addr);
    uint64_t mapped = addresses_key((const struct sockaddr *)&ipv6);
    uint64_t plain = addresses_key((const struct sockaddr *)&ipv4);
    ck_assert_uint_eq(mapped, plain);
    inet_pton(AF_INET6, "2001:db8:1:2::3", &ipv6.sin6_addr);
    uint64_t one = addresses_key((const struct sockaddr *)&ipv6);
    inet_pton(AF_INET6, "2001:db8:1:2:ffff::4", &ipv6.sin6_addr);
    ck_assert_uint_eq(addresses_key((const struct sockaddr *)&ipv6), one);
    inet_pton(AF_INET6, "2001:db8:1:3::3", &ipv6.sin6_addr);
    ck_assert_uint_ne(addresses_key((const struct sockaddr *)&ipv6), one);
    struct sockaddr unix_address = {.sa_family = AF_UNIX};
    ck_assert_uint_eq(addresses_key(&unix_address), 0);

    ck_assert(addresses_enter(&addresses, plain, 2));
    ck_assert(addresses_enter(&addresses, plain, 2));
    ck_assert(!addresses_enter(&addresses, plain, 2));
    ck_assert(addresses_enter(&addresses, one, 2));
    ck_assert(addresses_enter(&addresses, 0, 0));
    addresses_leave(&addresses, plain);
    ck_assert(addresses_enter(&addresses, plain, 2));
    addresses_leave(&addresses, plain);
    addresses_leave(&addresses, plain);
    addresses_leave(&addresses, one);
    addresses_leave(&addresses, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, heap__always_gives_the_earliest);
    tcase_add_test(tests, timers__run_in_order_of_due_time);
    tcase_add_test(tests, timers__disarmed_and_moved_ones_keep_to_it);
    tcase_add_test(tests, timers__one_that_is_always_due_does_not_hold_the_turn);
    tcase_add_test(tests, wake__loses_nothing_and_is_coalesced);
    tcase_add_test(tests, stop__from_another_thread_ends_the_run);
    tcase_add_test(tests, deferred__runs_once_a_turn_and_can_be_cancelled_within_the_pass);
    tcase_add_test(tests, signals__become_calls_on_the_loop);
    tcase_add_test(tests, addresses__count_hosts_not_ports);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
