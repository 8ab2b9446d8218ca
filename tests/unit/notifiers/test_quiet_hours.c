#include "notifiers/quiet_hours.h"
#include "tests/support/run_suite.h"

enum { MINUTE = 60 * 1000 };
#define DAY INT64_C(86400000)

static int64_t at(int hour, int minute)
{
    return 20000 * DAY + (int64_t)(hour * 60 + minute) * MINUTE;
}

START_TEST(quiet_hours__are_read_in_utc_or_with_an_offset)
{
    struct quiet_hours hours;
    ck_assert(quiet_hours_read("22:00-07:00", &hours));
    ck_assert_int_eq(hours.from, 22 * 60);
    ck_assert_int_eq(hours.to, 7 * 60);
    ck_assert(quiet_hours_read("22:00-07:00 +02:30", &hours));
    ck_assert_int_eq(hours.from, 19 * 60 + 30);
    ck_assert(quiet_hours_read("22:00-07:00 -05:00", &hours));
    ck_assert_int_eq(hours.from, 3 * 60);
    ck_assert_int_eq(quiet_hours_minutes(&hours), 9 * 60);
}
END_TEST

static const char *const wrong[] = {"",
                                    "night",
                                    "22-7",
                                    "24:00-07:00",
                                    "22:60-07:00",
                                    "22:00-07:00x",
                                    "22:00-07:00 +15:00",
                                    "22:00-07:00 *02:00",
                                    "-1:00-07:00",
                                    "22:00-07:00 +02"};

START_TEST(quiet_hours__what_is_written_otherwise_is_refused)
{
    struct quiet_hours hours;
    ck_assert_msg(!quiet_hours_read(wrong[_i], &hours), "%s", wrong[_i]);
}
END_TEST

START_TEST(quiet_hours__last_until_their_end_also_over_midnight)
{
    struct quiet_hours hours = {.from = 22 * 60, .to = 7 * 60};
    ck_assert_int_eq(quiet_hours_until(&hours, at(21, 59)), at(21, 59));
    ck_assert_int_eq(quiet_hours_until(&hours, at(22, 0)), at(31, 0));
    ck_assert_int_eq(quiet_hours_until(&hours, at(6, 59)), at(7, 0));
    ck_assert_int_eq(quiet_hours_until(&hours, at(7, 0)), at(7, 0));
}
END_TEST

START_TEST(quiet_hours__of_the_same_time_are_none)
{
    struct quiet_hours hours = {0};
    ck_assert_int_eq(quiet_hours_until(&hours, at(0, 0)), at(0, 0));
    ck_assert_int_eq(quiet_hours_minutes(&hours), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quiet_hours");
    TCase *tests = tcase_create("quiet_hours");
    tcase_add_test(tests, quiet_hours__are_read_in_utc_or_with_an_offset);
    tcase_add_loop_test(tests, quiet_hours__what_is_written_otherwise_is_refused, 0,
                        (int)(sizeof wrong / sizeof wrong[0]));
    tcase_add_test(tests, quiet_hours__last_until_their_end_also_over_midnight);
    tcase_add_test(tests, quiet_hours__of_the_same_time_are_none);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
