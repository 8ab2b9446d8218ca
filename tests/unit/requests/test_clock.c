#include "requests/request.h"
#include "tests/support/chance.h"

#include <check.h>
#include <stdlib.h>

#define SPANS(spans) (spans), sizeof(spans) / sizeof((spans)[0])

static const struct request_clock fresh = {.settled_at = 1000, .timeout_at = 9000, .due_at = 5000};

START_TEST(clock__without_freezes_nothing_moves)
{
    struct request_clock settled = request_settle_clock(fresh, NULL, 0, 3000);
    ck_assert_int_eq(settled.timeout_at, 9000);
    ck_assert_int_eq(settled.due_at, 5000);
    ck_assert_int_eq(settled.settled_at, 3000);
    ck_assert(!settled.is_stopped);
}
END_TEST

START_TEST(clock__deadlines_move_by_the_time_a_freeze_covered)
{
    struct request_freeze_span spans[] = {{.since_at = 2000, .until_at = 2700}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 3000);
    ck_assert_int_eq(settled.timeout_at, 9700);
    ck_assert_int_eq(settled.due_at, 5700);
    ck_assert(!settled.is_stopped);
}
END_TEST

START_TEST(clock__time_that_several_freezes_cover_counts_once)
{
    struct request_freeze_span spans[] = {
        {.since_at = 2500, .until_at = 3500}, /* overlaps the next */
        {.since_at = 2000, .until_at = 3000}, {.since_at = 2600, .until_at = 2700}, /* inside */
        {.since_at = 3500, .until_at = 3600},                                       /* touches */
        {.since_at = 4000, .until_at = 4100},                                       /* apart */
        {.since_at = 2000, .until_at = 3000}, /* the same again */
    };
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 4500);
    ck_assert_int_eq(settled.timeout_at, 9000 + 1600 + 100);
}
END_TEST

START_TEST(clock__freeze_in_force_stops_it)
{
    struct request_freeze_span spans[] = {{.since_at = 2000, .until_at = 0}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 3000);
    ck_assert(settled.is_stopped);
    ck_assert_int_eq(settled.timeout_at, 10000);
    ck_assert_int_eq(settled.settled_at, 3000);
}
END_TEST

START_TEST(clock__does_not_run_out_while_a_freeze_lasts)
{
    struct request_freeze_span spans[] = {{.since_at = 8999, .until_at = 0}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 1000000);
    ck_assert_int_eq(settled.timeout_at - 1000000, 1);
}
END_TEST

START_TEST(clock__runs_again_after_the_last_freeze_ended)
{
    struct request_freeze_span both[] = {{.since_at = 2000, .until_at = 2500},
                                         {.since_at = 2200, .until_at = 0}};
    ck_assert(request_settle_clock(fresh, SPANS(both), 3000).is_stopped);
    both[1].until_at = 3000;
    ck_assert(!request_settle_clock(fresh, SPANS(both), 3000).is_stopped);
    ck_assert(request_settle_clock(fresh, SPANS(both), 2999).is_stopped);
}
END_TEST

START_TEST(clock__frozen_time_is_accounted_for_once)
{
    struct request_freeze_span spans[] = {{.since_at = 2000, .until_at = 2700}};
    struct request_clock once = request_settle_clock(fresh, SPANS(spans), 3000);
    struct request_clock twice = request_settle_clock(once, SPANS(spans), 4000);
    ck_assert_int_eq(twice.timeout_at, 9700);
}
END_TEST

START_TEST(clock__freeze_before_the_request_does_not_move_it)
{
    struct request_freeze_span spans[] = {{.since_at = 100, .until_at = 1000},
                                          {.since_at = 500, .until_at = 1200}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 3000);
    ck_assert_int_eq(settled.timeout_at, 9200);
}
END_TEST

START_TEST(clock__deadline_that_is_not_set_stays_so)
{
    struct request_freeze_span spans[] = {{.since_at = 2000, .until_at = 2700}};
    struct request_clock none = {.settled_at = 1000};
    struct request_clock settled = request_settle_clock(none, SPANS(spans), 3000);
    ck_assert_int_eq(settled.timeout_at, 0);
    ck_assert_int_eq(settled.due_at, 0);
}
END_TEST

START_TEST(clock__wall_clock_that_stepped_back_moves_nothing)
{
    struct request_freeze_span spans[] = {{.since_at = 200, .until_at = 700}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 900);
    ck_assert_int_eq(settled.timeout_at, 9000);
    ck_assert_int_eq(settled.settled_at, 1000);
}
END_TEST

START_TEST(clock__freeze_that_seems_to_begin_later_still_stops_it)
{
    struct request_freeze_span spans[] = {{.since_at = 5000, .until_at = 0}};
    struct request_clock settled = request_settle_clock(fresh, SPANS(spans), 3000);
    ck_assert(settled.is_stopped);
    ck_assert_int_eq(settled.timeout_at, 9000);
}
END_TEST

START_TEST(clock__deadline_never_wraps_around)
{
    struct request_clock last = {.settled_at = 0, .timeout_at = INT64_MAX - 5, .due_at = INT64_MAX};
    struct request_freeze_span spans[] = {{.since_at = 10, .until_at = 100}};
    struct request_clock settled = request_settle_clock(last, SPANS(spans), 200);
    ck_assert_int_eq(settled.timeout_at, INT64_MAX);
    ck_assert_int_eq(settled.due_at, INT64_MAX);
}
END_TEST

enum { SPANS_MAX = 6, SPAN_TIME_MAX = 60 };

static size_t make_spans(struct chance *chance, struct request_freeze_span spans[SPANS_MAX])
{
    size_t count = chance_below(chance, SPANS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        spans[i].since_at = 1 + chance_below(chance, SPAN_TIME_MAX);
        bool lasts = chance_below(chance, 4) == 0;
        spans[i].until_at = lasts ? 0 : spans[i].since_at + chance_below(chance, 20);
    }
    return count;
}

/* Counts one by one the milliseconds [t, t+1) that some freeze covers. */
static int64_t count_frozen(const struct request_freeze_span *spans, size_t count, int64_t from,
                            int64_t to)
{
    int64_t frozen = 0;
    for (int64_t t = from; t < to; t++) {
        bool is_covered = false;
        for (size_t i = 0; i < count; i++) {
            is_covered = is_covered || (spans[i].since_at <= t &&
                                        (spans[i].until_at == 0 || t < spans[i].until_at));
        }
        frozen += is_covered ? 1 : 0;
    }
    return frozen;
}

START_TEST(clock__agrees_with_counting_every_millisecond)
{
    struct chance chance = {.state = 1};
    for (int round = 0; round < 20000; round++) {
        struct request_freeze_span spans[SPANS_MAX];
        size_t count = make_spans(&chance, spans);
        int64_t from = chance_below(&chance, 40);
        int64_t now = from + chance_below(&chance, 60);
        struct request_clock clock = {.settled_at = from, .timeout_at = 500, .due_at = 300};
        int64_t frozen = count_frozen(spans, count, from, now);
        struct request_clock settled = request_settle_clock(clock, spans, count, now);
        ck_assert_int_eq(settled.timeout_at, 500 + frozen);
        ck_assert_int_eq(settled.due_at, 300 + frozen);
        chance_shuffle(&chance, spans, count, sizeof spans[0]);
        struct request_clock shuffled = request_settle_clock(clock, spans, count, now);
        ck_assert_int_eq(shuffled.timeout_at, settled.timeout_at);
        ck_assert_int_eq(shuffled.is_stopped, settled.is_stopped);
    }
}
END_TEST

/* The freezes as they are known at `now`: begun, and ended only if that has happened. */
static size_t known_at(const struct request_freeze_span *spans, size_t count, int64_t now,
                       struct request_freeze_span known[SPANS_MAX])
{
    size_t known_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (spans[i].since_at <= now) {
            known[known_count] = spans[i];
            if (known[known_count].until_at > now) {
                known[known_count].until_at = 0;
            }
            known_count++;
        }
    }
    return known_count;
}

START_TEST(clock__settling_often_and_settling_late_come_to_the_same)
{
    struct chance chance = {.state = 2};
    for (int round = 0; round < 20000; round++) {
        struct request_freeze_span spans[SPANS_MAX];
        struct request_freeze_span known[SPANS_MAX];
        size_t count = make_spans(&chance, spans);
        struct request_clock often = {.settled_at = 0, .timeout_at = 500, .due_at = 300};
        struct request_clock late = often;
        int64_t now = 0;
        while (now < 90) {
            now += 1 + chance_below(&chance, 25);
            size_t known_count = known_at(spans, count, now, known);
            often = request_settle_clock(often, known, known_count, now);
        }
        late = request_settle_clock(late, known, known_at(spans, count, now, known), now);
        ck_assert_int_eq(often.timeout_at, late.timeout_at);
        ck_assert_int_eq(often.is_stopped, late.is_stopped);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("requests/clock");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, clock__without_freezes_nothing_moves);
    tcase_add_test(tests, clock__deadlines_move_by_the_time_a_freeze_covered);
    tcase_add_test(tests, clock__time_that_several_freezes_cover_counts_once);
    tcase_add_test(tests, clock__freeze_in_force_stops_it);
    tcase_add_test(tests, clock__does_not_run_out_while_a_freeze_lasts);
    tcase_add_test(tests, clock__runs_again_after_the_last_freeze_ended);
    tcase_add_test(tests, clock__frozen_time_is_accounted_for_once);
    tcase_add_test(tests, clock__freeze_before_the_request_does_not_move_it);
    tcase_add_test(tests, clock__deadline_that_is_not_set_stays_so);
    tcase_add_test(tests, clock__wall_clock_that_stepped_back_moves_nothing);
    tcase_add_test(tests, clock__freeze_that_seems_to_begin_later_still_stops_it);
    tcase_add_test(tests, clock__deadline_never_wraps_around);
    tcase_add_test(tests, clock__agrees_with_counting_every_millisecond);
    tcase_add_test(tests, clock__settling_often_and_settling_late_come_to_the_same);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
