#include "requests/history.h"
#include "tests/support/chance.h"

#include <check.h>
#include <stdlib.h>

/* Counts against a model that keeps every moment. */
enum { MOMENTS_MAX = 20000 };

#define SECOND 1000LL
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

static struct request_history history;
static struct error error;

struct moment {
    enum policy_past past;
    int64_t at;
};
static struct moment moments[MOMENTS_MAX];
static size_t moment_count;

static const int64_t start = 1700000000000;

static void set_up(void)
{
    history = (struct request_history){0};
    error = (struct error){0};
    moment_count = 0;
}

static void happen(enum policy_past past, int64_t at, int64_t now)
{
    request_history_note(&history, past, at, now);
    moments[moment_count++] = (struct moment){past, at};
}

static int64_t exact(enum policy_past past, int64_t from_at, int64_t to_at)
{
    int64_t count = 0;
    for (size_t i = 0; i < moment_count; i++) {
        count += moments[i].past == past && moments[i].at >= from_at && moments[i].at <= to_at;
    }
    return count;
}

static int64_t slack(int64_t age)
{
    return age / REQUEST_HISTORY_SHARE > SECOND ? age / REQUEST_HISTORY_SHARE : SECOND;
}

/* Never too low, and no more than a window wider by an eighth and a second holds. */
static void check_window(enum policy_past past, int64_t window, int64_t to_at, int64_t now)
{
    int64_t from_at = to_at - window;
    int64_t count = request_history_count(&history, past, from_at, to_at, 0);
    ck_assert_int_ge(count, exact(past, from_at, to_at));
    ck_assert_int_le(count,
                     exact(past, from_at - slack(now - from_at), to_at + slack(now - to_at)));
}

static const int64_t windows[] = {SECOND,   10 * SECOND, 60 * SECOND, 600 * SECOND, HOUR,
                                  6 * HOUR, DAY,         7 * DAY,     30 * DAY,     90 * DAY};
enum { WINDOWS = sizeof windows / sizeof *windows };

static void check_all(int64_t now, struct chance *chance)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        enum policy_past past =
            chance_below(chance, 2) == 0 ? POLICY_PAST_ANY : POLICY_PAST_REDEEMED;
        check_window(past, windows[i], now, now);
        check_window(past, windows[i], now - (int64_t)chance_below(chance, 7200) * SECOND, now);
    }
}

static void go_round(void)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    request_history_append(&history, &text);
    struct request_history again;
    ck_assert_msg(request_history_read(text.bytes, text.length, &again, &error), "%s",
                  error.message);
    ck_assert_int_eq(again.pending, history.pending);
    ck_assert_uint_eq(again.span_count, history.span_count);
    for (size_t i = 0; i < history.span_count; i++) {
        ck_assert_mem_eq(&again.spans[i], &history.spans[i], sizeof again.spans[i]);
    }
}

/* A pause between events: bursts within a millisecond up to days of silence. */
static int64_t pause_of(struct chance *chance)
{
    static const unsigned most[] = {1, 50, 2000, 60000, 3600000};
    int64_t pause = chance_below(chance, most[chance_below(chance, 5)] + 1);
    return chance_below(chance, 400) == 0 ? pause + 2 * DAY : pause;
}

START_TEST(history__random_events_are_never_counted_too_low_and_never_far_too_high)
{
    struct chance chance = {.state = 20261125 + (uint64_t)_i};
    int64_t now = start;
    for (size_t i = 0; i < 3000; i++) {
        now += pause_of(&chance);
        happen(chance_below(&chance, 3) == 0 ? POLICY_PAST_REDEEMED : POLICY_PAST_ANY, now, now);
        ck_assert_uint_le(history.span_count, 252);
        if (i % 50 == 0) {
            check_all(now + pause_of(&chance), &chance);
            go_round();
        }
    }
}
END_TEST

START_TEST(history__what_is_counted_later_and_backwards_is_not_counted_too_low)
{
    struct chance chance = {.state = 7 + (uint64_t)_i};
    int64_t now = start + 60 * DAY;
    int64_t at = now;
    for (size_t i = 0; i < 3000 && at > start; i++) {
        at -= pause_of(&chance);
        happen(POLICY_PAST_ANY, at, now);
        if (i % 7 == 0) {
            now += pause_of(&chance);
            happen(POLICY_PAST_REDEEMED, now, now);
        }
        if (i % 100 == 0) {
            check_all(now, &chance);
        }
    }
    ck_assert_uint_le(history.span_count, 252);
}
END_TEST

START_TEST(history__steady_traffic_for_ninety_days_stays_small)
{
    int64_t now = start;
    for (size_t i = 0; i < 400000; i++) {
        now += 20 * SECOND;
        request_history_note(&history, POLICY_PAST_ANY, now, now);
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    request_history_append(&history, &text);
    ck_assert_uint_le(history.span_count, 252);
    ck_assert_uint_le(text.length, 2048);
    int64_t count = request_history_count(&history, POLICY_PAST_ANY, now - HOUR, now, 0);
    ck_assert_int_ge(count, 180);
    ck_assert_int_le(count, 180 * 9 / 8 + 2);
}
END_TEST

START_TEST(history__the_window_holds_its_first_moment)
{
    happen(POLICY_PAST_ANY, start, start);
    ck_assert_int_eq(request_history_count(&history, POLICY_PAST_ANY, start, start + HOUR, 0), 1);
    ck_assert_int_eq(request_history_count(&history, POLICY_PAST_ANY, start + 1, start + HOUR, 0),
                     0);
}
END_TEST

START_TEST(history__the_request_itself_is_left_out_wherever_its_span_is_counted)
{
    happen(POLICY_PAST_ANY, start, start);
    happen(POLICY_PAST_ANY, start + 10, start + 10);
    happen(POLICY_PAST_DENIED, start + 20, start + 20);
    int64_t to_at = start + HOUR;
    ck_assert_int_eq(request_history_count(&history, POLICY_PAST_ANY, start, to_at, start + 10), 1);
    ck_assert_int_eq(request_history_count(&history, POLICY_PAST_DENIED, start, to_at, start + 20),
                     0);
    /* Not in the window, not taken off. */
    ck_assert_int_eq(request_history_count(&history, POLICY_PAST_ANY, start, to_at, start - HOUR),
                     2);
}
END_TEST

START_TEST(history__what_no_window_reaches_is_forgotten)
{
    happen(POLICY_PAST_ANY, start, start);
    request_history_note(&history, POLICY_PAST_ANY, start + 91 * DAY, start + 91 * DAY);
    ck_assert_uint_eq(history.span_count, 1);
}
END_TEST

/* A clock that jumps about makes counts higher, never lower, and never leaves the array. */
START_TEST(history__a_clock_that_steps_back_loses_nothing)
{
    struct chance chance = {.state = 99};
    for (size_t i = 0; i < 5000; i++) {
        int64_t at = start + (int64_t)chance_below(&chance, 3000000) * SECOND;
        request_history_note(&history, POLICY_PAST_ANY, at, start);
        ck_assert_uint_le(history.span_count, REQUEST_HISTORY_SPANS_MAX);
    }
    ck_assert_int_eq(
        request_history_count(&history, POLICY_PAST_ANY, start, start + 3000000 * SECOND, 0), 5000);
}
END_TEST

START_TEST(history__below_zero_pending_survives_storing)
{
    history.pending = -3;
    go_round();
}
END_TEST

START_TEST(history__bytes_cut_short_or_changed_are_refused_or_read_within_bounds)
{
    for (int64_t i = 0; i < 40; i++) {
        happen(POLICY_PAST_ANY, start + i * HOUR, start + i * HOUR);
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    request_history_append(&history, &text);
    struct request_history again;
    for (size_t length = 0; length < text.length; length++) {
        error = (struct error){0};
        ck_assert(!request_history_read(text.bytes, length, &again, &error));
        ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    }
    struct chance chance = {.state = 5};
    for (size_t i = 0; i < 20000; i++) {
        size_t place = chance_below(&chance, (unsigned)text.length);
        char former = text.bytes[place];
        text.bytes[place] = (char)chance_below(&chance, 256);
        error = (struct error){0};
        if (request_history_read(text.bytes, text.length, &again, &error)) {
            ck_assert_uint_le(again.span_count, REQUEST_HISTORY_SPANS_MAX);
        }
        text.bytes[place] = former;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *cases = tcase_create("history");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_loop_test(
        cases, history__random_events_are_never_counted_too_low_and_never_far_too_high, 0, 20);
    tcase_add_loop_test(cases, history__what_is_counted_later_and_backwards_is_not_counted_too_low,
                        0, 20);
    tcase_add_test(cases, history__steady_traffic_for_ninety_days_stays_small);
    tcase_add_test(cases, history__the_window_holds_its_first_moment);
    tcase_add_test(cases, history__the_request_itself_is_left_out_wherever_its_span_is_counted);
    tcase_add_test(cases, history__what_no_window_reaches_is_forgotten);
    tcase_add_test(cases, history__a_clock_that_steps_back_loses_nothing);
    tcase_add_test(cases, history__below_zero_pending_survives_storing);
    tcase_add_test(cases, history__bytes_cut_short_or_changed_are_refused_or_read_within_bounds);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
