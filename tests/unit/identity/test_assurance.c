#include "identity/assurance.h"

#include <check.h>
#include <stdlib.h>

START_TEST(assurance__what_a_vote_proves_is_ordered)
{
    ck_assert_int_lt(ASSURANCE_NONE, ASSURANCE_CHAT);
    ck_assert_int_lt(ASSURANCE_CHAT, ASSURANCE_SESSION);
    ck_assert_int_lt(ASSURANCE_SESSION, ASSURANCE_PASSKEY);
}
END_TEST

START_TEST(assurance__every_name_reads_back)
{
    for (enum assurance each = ASSURANCE_CHAT; each <= ASSURANCE_PASSKEY; each++) {
        enum assurance read = ASSURANCE_NONE;
        ck_assert(assurance_read(assurance_name(each), &read));
        ck_assert_int_eq(read, each);
    }
    ck_assert_str_eq(assurance_name(ASSURANCE_CHAT), "chat");
    ck_assert_str_eq(assurance_name(ASSURANCE_SESSION), "session");
    ck_assert_str_eq(assurance_name(ASSURANCE_PASSKEY), "passkey");
}
END_TEST

START_TEST(assurance__nobody_may_ask_for_a_vote_that_proves_nothing)
{
    enum assurance read = ASSURANCE_PASSKEY;
    ck_assert(!assurance_read("none", &read));
    ck_assert(!assurance_read("", &read));
    ck_assert(!assurance_read(NULL, &read));
    ck_assert(!assurance_read("Passkey", &read));
    ck_assert_int_eq(read, ASSURANCE_PASSKEY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity/assurance");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, assurance__what_a_vote_proves_is_ordered);
    tcase_add_test(tests, assurance__every_name_reads_back);
    tcase_add_test(tests, assurance__nobody_may_ask_for_a_vote_that_proves_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
