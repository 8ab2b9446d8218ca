#include "crypto/crypto.h"
#include "operations/minted_tokens.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct minted_tokens *minted;

static void set_up(void)
{
    crypto_start();
    minted = minted_tokens_create();
}

static void tear_down(void)
{
    minted_tokens_destroy(minted);
}

START_TEST(minted__knows_how_long_ago)
{
    minted_tokens_remember(minted, "jti_a", 1000);
    minted_tokens_remember(minted, "jti_b", 4000);
    ck_assert_int_eq(minted_tokens_elapsed(minted, "jti_a", 5000), 4000);
    ck_assert_int_eq(minted_tokens_elapsed(minted, "jti_b", 5000), 1000);
    ck_assert_int_eq(minted_tokens_elapsed(minted, "jti_b", 3000), 0);
}
END_TEST

START_TEST(minted__does_not_know_what_it_did_not_mint)
{
    ck_assert_int_eq(minted_tokens_elapsed(minted, "jti_a", 5000), -1);
}
END_TEST

START_TEST(minted__grows_and_forgets_what_has_run_out)
{
    char token[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(token, sizeof token, "jti_%d", i);
        minted_tokens_remember(minted, token, i);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(token, sizeof token, "jti_%d", i);
        ck_assert_int_eq(minted_tokens_elapsed(minted, token, 5000), 5000 - i);
    }
    int64_t later = 16 * 60 * 1000;
    for (int i = 0; i < 20000; i++) {
        snprintf(token, sizeof token, "new_%d", i);
        minted_tokens_remember(minted, token, later);
    }
    ck_assert_int_eq(minted_tokens_elapsed(minted, "jti_7", later), -1);
    ck_assert_int_eq(minted_tokens_elapsed(minted, "new_7", later + 5), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: minted tokens");
    TCase *cases = tcase_create("minted");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, minted__knows_how_long_ago);
    tcase_add_test(cases, minted__does_not_know_what_it_did_not_mint);
    tcase_add_test(cases, minted__grows_and_forgets_what_has_run_out);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
