#include "policy/cel/time_internal.h"
#include "tests/support/chance.h"
#include <check.h>
#include <string.h>
#include <time.h>

static bool reads_timestamp(const char *text, struct cel_value *out)
{
    return cel_time_read_timestamp(text, strlen(text), out);
}

static bool reads_duration(const char *text, struct cel_value *out)
{
    return cel_time_read_duration(text, strlen(text), out);
}

static void check_timestamp(const char *text, int64_t seconds, uint32_t nanos, const char *printed)
{
    struct cel_value value;
    char out[CEL_TIME_TEXT_MAX];
    ck_assert_msg(reads_timestamp(text, &value), "`%s` was refused", text);
    ck_assert_int_eq(value.as.integer, seconds);
    ck_assert_uint_eq(value.length, nanos);
    ck_assert_uint_eq(cel_time_print_timestamp(out, value), strlen(printed));
    ck_assert_str_eq(out, printed);
}

START_TEST(time__timestamps_are_read_and_printed_exactly)
{
    check_timestamp("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z");
    check_timestamp("2009-02-13T23:31:30.50Z", 1234567890, 500000000, "2009-02-13T23:31:30.5Z");
    check_timestamp("2009-02-14T01:31:30+02:00", 1234567890, 0, "2009-02-13T23:31:30Z");
    check_timestamp("2009-02-13T20:01:30-03:30", 1234567890, 0, "2009-02-13T23:31:30Z");
    check_timestamp("1969-12-31T23:59:59.999999999Z", -1, 999999999,
                    "1969-12-31T23:59:59.999999999Z");
    check_timestamp("0001-01-01T00:00:00Z", -62135596800, 0, "0001-01-01T00:00:00Z");
    check_timestamp("9999-12-31T23:59:59.000000001Z", 253402300799, 1,
                    "9999-12-31T23:59:59.000000001Z");
    check_timestamp("2024-02-29T12:00:00Z", 1709208000, 0, "2024-02-29T12:00:00Z");
}
END_TEST

static const char *const no_timestamps[] = {
    "",
    "2009-02-13",
    "2009-02-13T23:31:30",
    "2009-02-13t23:31:30Z",
    "2009-02-13T23:31:30z",
    "2009-02-13 23:31:30Z",
    "2009-2-13T23:31:30Z",
    "2009-02-13T23:31:60Z",
    "2009-02-13T24:00:00Z",
    "2009-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2009-13-01T00:00:00Z",
    "2009-00-01T00:00:00Z",
    "2009-01-00T00:00:00Z",
    "2009-02-13T23:31:30.Z",
    "2009-02-13T23:31:30,5Z",
    "2009-02-13T23:31:30.1234567890Z",
    "2009-02-13T23:31:30+0200",
    "2009-02-13T23:31:30+24:00",
    "2009-02-13T23:31:30+02:60",
    "2009-02-13T23:31:30ZZ",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
};

START_TEST(time__what_is_no_timestamp_is_refused)
{
    struct cel_value value;
    ck_assert_msg(!reads_timestamp(no_timestamps[_i], &value), "`%s` was read", no_timestamps[_i]);
}
END_TEST

static void check_duration(const char *text, int64_t seconds, int32_t nanos, const char *printed)
{
    struct cel_value value;
    char out[CEL_TIME_TEXT_MAX];
    ck_assert_msg(reads_duration(text, &value), "`%s` was refused", text);
    ck_assert_int_eq(value.as.integer, seconds);
    ck_assert_int_eq(cel_time_nanos(value), nanos);
    ck_assert_uint_eq(cel_time_print_duration(out, value), strlen(printed));
    ck_assert_str_eq(out, printed);
}

START_TEST(time__durations_are_read_and_printed_exactly)
{
    check_duration("0", 0, 0, "0s");
    check_duration("1h45m47s", 6347, 0, "6347s");
    check_duration("-1.5h", -5400, 0, "-5400s");
    check_duration("+.5s", 0, 500000000, "0.5s");
    check_duration("5.s", 5, 0, "5s");
    check_duration("-500ms", 0, -500000000, "-0.5s");
    check_duration("1us1\xc2\xb5s1\xce\xbcs1ns", 0, 3001, "0.000003001s");
    check_duration("0.0000000019s", 0, 1, "0.000000001s");
    check_duration("9223372036854775807ns", 9223372036, 854775807, "9223372036.854775807s");
    check_duration("-9223372036854775808ns", -9223372036, -854775808, "-9223372036.854775808s");
    check_duration("0.33333333333333333333333333333h", 1199, 999999999, "1199.999999999s");
}
END_TEST

static const char *const no_durations[] = {
    "",
    "-",
    "1",
    "s",
    ".s",
    "1 s",
    "1d",
    "1S",
    "1h-1m",
    "--1s",
    "1s1",
    "00",
    "1e3s",
    "\xc2s",
    "m1",
    "1.2.3s",
    "320000000000s",
    "9223372036854775808ns",
    "-9223372036854775809ns",
    "99999999999999999999999999999999999999999999h",
};

START_TEST(time__what_is_no_duration_is_refused)
{
    struct cel_value value;
    ck_assert_msg(!reads_duration(no_durations[_i], &value), "`%s` was read", no_durations[_i]);
}
END_TEST

START_TEST(time__nanoseconds_are_carried_and_ranges_kept)
{
    struct cel_value value;
    ck_assert(cel_time_timestamp(0, -1, &value));
    ck_assert_int_eq(value.as.integer, -1);
    ck_assert_uint_eq(value.length, 999999999);
    ck_assert(cel_time_timestamp(10, 2500000000, &value));
    ck_assert_int_eq(value.as.integer, 12);
    ck_assert_uint_eq(value.length, 500000000);
    ck_assert(!cel_time_timestamp(-62135596800, -1, &value));
    ck_assert(!cel_time_timestamp(253402300799, 1000000000, &value));
    ck_assert(!cel_time_timestamp(INT64_MAX, INT64_MAX, &value));
    ck_assert(!cel_time_timestamp(INT64_MIN, INT64_MIN, &value));
    ck_assert(cel_time_duration(1, -1, &value));
    ck_assert_int_eq(value.as.integer, 0);
    ck_assert_int_eq(cel_time_nanos(value), 999999999);
    ck_assert(cel_time_duration(-1, 1, &value));
    ck_assert_int_eq(cel_time_nanos(value), -999999999);
    ck_assert(!cel_time_duration(INT64_MAX, 0, &value));
    ck_assert(!cel_time_duration(INT64_MIN, INT64_MIN, &value));
}
END_TEST

START_TEST(time__the_calendar_is_the_system_s)
{
    struct chance chance = {1};
    for (int i = 0; i < 100000; i++) {
        time_t at = (time_t)(chance_next(&chance) % 315537897600) - 62135596800;
        struct tm expected;
        struct cel_civil civil;
        ck_assert_ptr_nonnull(gmtime_r(&at, &expected));
        cel_time_civil(at, &civil);
        if (civil.year != expected.tm_year + 1900 || civil.month != expected.tm_mon + 1 ||
            civil.day != expected.tm_mday || civil.weekday != expected.tm_wday ||
            civil.day_of_year != expected.tm_yday || civil.hour != expected.tm_hour ||
            civil.minute != expected.tm_min || civil.second != expected.tm_sec) {
            ck_abort_msg("%lld is another day", (long long)at);
        }
        ck_assert_int_eq(cel_time_days(civil.year, civil.month, civil.day) * 86400 +
                             civil.hour * 3600 + civil.minute * 60 + civil.second,
                         at);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("time");
    TCase *tcase = tcase_create("time");
    tcase_add_test(tcase, time__timestamps_are_read_and_printed_exactly);
    tcase_add_loop_test(tcase, time__what_is_no_timestamp_is_refused, 0,
                        sizeof no_timestamps / sizeof *no_timestamps);
    tcase_add_test(tcase, time__durations_are_read_and_printed_exactly);
    tcase_add_loop_test(tcase, time__what_is_no_duration_is_refused, 0,
                        sizeof no_durations / sizeof *no_durations);
    tcase_add_test(tcase, time__nanoseconds_are_carried_and_ranges_kept);
    tcase_add_test(tcase, time__the_calendar_is_the_system_s);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
