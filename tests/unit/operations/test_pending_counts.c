#include "operations/pending_counts.h"
#include "store/request_rows.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* On a store in which nothing is pending: what is read first is 0, the rest is what was changed. */
static struct scenario s;
static struct pending_counts *counts;

static void set_up(void)
{
    scenario_start(&s, NULL);
    counts = pending_counts_create();
    pending_counts_begin(counts);
}

static void tear_down(void)
{
    pending_counts_destroy(counts);
    scenario_end(&s);
}

static int64_t count_of(const char *caller)
{
    int64_t count;
    ck_assert(pending_counts_read(counts, s.rig.store, "default", caller, &count, &s.error));
    return count;
}

START_TEST(pending_counts__follow_what_is_changed)
{
    ck_assert_int_eq(count_of("cal_a"), 0);
    pending_counts_change(counts, "cal_a", 1);
    pending_counts_change(counts, "cal_a", 1);
    pending_counts_change(counts, "cal_b", 1); /* not known: the store will say */
    ck_assert_int_eq(count_of("cal_a"), 2);
    ck_assert_int_eq(count_of("cal_b"), 0);
}
END_TEST

START_TEST(pending_counts__a_job_taken_back_takes_its_changes_along)
{
    count_of("cal_a");
    pending_counts_change(counts, "cal_a", 1);
    pending_counts_savepoint(counts);
    pending_counts_change(counts, "cal_a", 1);
    pending_counts_change(counts, "cal_a", -1);
    pending_counts_change(counts, "cal_a", 1);
    pending_counts_rollback(counts);
    ck_assert_int_eq(count_of("cal_a"), 1);
}
END_TEST

START_TEST(pending_counts__a_batch_taken_back_is_read_again)
{
    count_of("cal_a");
    pending_counts_begin(counts);
    pending_counts_change(counts, "cal_a", 1);
    count_of("cal_b");
    pending_counts_savepoint(counts);
    pending_counts_change(counts, "cal_b", 1);
    pending_counts_abort(counts);
    ck_assert_int_eq(count_of("cal_a"), 0);
    ck_assert_int_eq(count_of("cal_b"), 0);
}
END_TEST

START_TEST(pending_counts__grow_with_callers)
{
    char caller[ID_BYTES];
    for (int i = 0; i < 1000; i++) {
        snprintf(caller, sizeof caller, "cal_%d", i);
        count_of(caller);
        pending_counts_change(counts, caller, i);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(caller, sizeof caller, "cal_%d", i);
        ck_assert_int_eq(count_of(caller), i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: pending counts");
    TCase *cases = tcase_create("pending_counts");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, pending_counts__follow_what_is_changed);
    tcase_add_test(cases, pending_counts__a_job_taken_back_takes_its_changes_along);
    tcase_add_test(cases, pending_counts__a_batch_taken_back_is_read_again);
    tcase_add_test(cases, pending_counts__grow_with_callers);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
