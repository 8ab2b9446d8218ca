#include "notifiers/roundup.h"
#include "tests/support/run_suite.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static const int64_t now = INT64_C(1790000000000);
static const struct roundup_rule rule = {.over = 5, .within_ms = MINUTE};
static int64_t until;

#define FACTS(...) ((struct roundup_facts){__VA_ARGS__})

/* Unless said otherwise, one prompt of low risk with a long time to decide, the only one due. */
static enum roundup_step judge(struct roundup_facts facts)
{
    until = 0;
    facts.due = facts.due == 0 ? 1 : facts.due;
    facts.timeout_at = facts.timeout_at == 0 ? now + HOUR : facts.timeout_at;
    return roundup_judge(&rule, &facts, now, &until);
}

START_TEST(roundup__nothing_is_gathered_unless_configured)
{
    struct roundup_rule never = {.within_ms = MINUTE};
    struct roundup_facts facts = FACTS(.told = 100, .due = 100, .was_gathering = true);
    ck_assert_int_eq(roundup_judge(&never, &facts, now, &until), ROUNDUP_ALONE);
}
END_TEST

START_TEST(roundup__the_first_few_leave_on_their_own)
{
    for (int told = 0; told < 5; told++) {
        ck_assert_int_eq(judge(FACTS(.told = told)), ROUNDUP_ALONE);
    }
    ck_assert_int_eq(judge(FACTS(.due = 5)), ROUNDUP_ALONE);
    ck_assert_int_eq(judge(FACTS(.told = 3, .due = 2)), ROUNDUP_ALONE);
}
END_TEST

START_TEST(roundup__those_beyond_wait_until_the_time_is_over)
{
    ck_assert_int_eq(judge(FACTS(.told = 5)), ROUNDUP_WAIT);
    ck_assert_int_eq(until, now + MINUTE);
    ck_assert_int_eq(judge(FACTS(.told = 3, .due = 3)), ROUNDUP_WAIT);
}
END_TEST

START_TEST(roundup__who_comes_later_joins_those_who_wait_and_does_not_make_them_wait_longer)
{
    ck_assert_int_eq(judge(FACTS(.gathering_until = now + 7000)), ROUNDUP_WAIT);
    ck_assert_int_eq(until, now + 7000);
}
END_TEST

START_TEST(roundup__what_was_gathered_leaves_when_its_time_is_over)
{
    ck_assert_int_eq(judge(FACTS(.told = 5, .was_gathering = true)), ROUNDUP_LEAVE);
}
END_TEST

START_TEST(roundup__what_comes_due_all_at_once_leaves_at_once)
{
    ck_assert_int_eq(judge(FACTS(.due = 6)), ROUNDUP_LEAVE);
    ck_assert_int_eq(judge(FACTS(.due = 400)), ROUNDUP_LEAVE);
}
END_TEST

START_TEST(roundup__one_round_up_is_followed_by_the_next_after_the_time_and_not_before)
{
    ck_assert_int_eq(judge(FACTS(.roundups = 1)), ROUNDUP_WAIT);
    ck_assert_int_eq(until, now + MINUTE);
    ck_assert_int_eq(judge(FACTS(.roundups = 1, .due = 400)), ROUNDUP_WAIT);
}
END_TEST

START_TEST(roundup__high_risk_leaves_on_its_own_whatever_else_there_is)
{
    ck_assert_int_eq(judge(FACTS(.is_risky = true, .told = 500)), ROUNDUP_ALONE);
    ck_assert_int_eq(judge(FACTS(.is_risky = true, .due = 500)), ROUNDUP_ALONE);
    ck_assert_int_eq(judge(FACTS(.is_risky = true, .gathering_until = now + 1)), ROUNDUP_ALONE);
    ck_assert_int_eq(judge(FACTS(.is_risky = true, .was_gathering = true)), ROUNDUP_ALONE);
}
END_TEST

START_TEST(roundup__nobody_waits_longer_than_a_quarter_of_the_time_to_decide)
{
    ck_assert_int_eq(judge(FACTS(.told = 5, .timeout_at = now + MINUTE)), ROUNDUP_WAIT);
    ck_assert_int_eq(until, now + MINUTE / 4);
    ck_assert_int_eq(judge(FACTS(.gathering_until = now + MINUTE, .timeout_at = now + 8000)),
                     ROUNDUP_WAIT);
    ck_assert_int_eq(until, now + 2000);
    ck_assert_int_eq(judge(FACTS(.told = 5, .timeout_at = now)), ROUNDUP_LEAVE);
    ck_assert_int_eq(judge(FACTS(.told = 5, .timeout_at = now - HOUR)), ROUNDUP_LEAVE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roundup");
    TCase *tests = tcase_create("judge");
    tcase_add_test(tests, roundup__nothing_is_gathered_unless_configured);
    tcase_add_test(tests, roundup__the_first_few_leave_on_their_own);
    tcase_add_test(tests, roundup__those_beyond_wait_until_the_time_is_over);
    tcase_add_test(
        tests, roundup__who_comes_later_joins_those_who_wait_and_does_not_make_them_wait_longer);
    tcase_add_test(tests, roundup__what_was_gathered_leaves_when_its_time_is_over);
    tcase_add_test(tests, roundup__what_comes_due_all_at_once_leaves_at_once);
    tcase_add_test(tests,
                   roundup__one_round_up_is_followed_by_the_next_after_the_time_and_not_before);
    tcase_add_test(tests, roundup__high_risk_leaves_on_its_own_whatever_else_there_is);
    tcase_add_test(tests, roundup__nobody_waits_longer_than_a_quarter_of_the_time_to_decide);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
