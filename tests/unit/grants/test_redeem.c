#include "grants/grant.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A redemption by its own caller that is accepted; each test spoils some of it. */
static struct grant_redemption good(void)
{
    return (struct grant_redemption){
        .state = GRANT_ISSUED,
        .claim_until = 100000,
        .now = 50000,
        .token_expires_at = 60000,
        .elapsed_ms = 30000,
        .ttl_ms = 60000,
        .token = "jti_2",
        .newest_token = "jti_2",
        .redeemer = "cal_1",
        .holder = "cal_1",
        .audience = "",
        .digest_matches = true,
        .policy_still_permits = true,
    };
}

/* The same for a service that serves the audience the grant is for. */
static struct grant_redemption good_for_service(void)
{
    struct grant_redemption facts = good();
    facts.redeemer = "cal_service";
    facts.audience = "payments-api";
    facts.redeemer_serves_audience = true;
    facts.is_bearer = true;
    return facts;
}

#define assert_answer(facts, refusal)                                                              \
    ck_assert_str_eq(grant_refusal_name(grant_check_redemption(&(facts))),                         \
                     grant_refusal_name(refusal))

START_TEST(redeem__own_grant_with_everything_right_is_accepted)
{
    struct grant_redemption facts = good();
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts = good_for_service();
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
}
END_TEST

/* A grant that is bound to a key is good with that key alone, whoever redeems it. */
START_TEST(redeem__a_bound_grant_needs_its_key)
{
    static const char *const wrong[] = {NULL, "", "jkt:b", "x5t#S256:a", "jkt:"};
    struct grant_redemption each[] = {good(), good_for_service()};
    for (size_t i = 0; i < 2; i++) {
        struct grant_redemption facts = each[i];
        facts.confirmation = "jkt:a";
        facts.shown = "jkt:a";
        ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            facts.shown = wrong[j];
            assert_answer(facts, GRANT_REFUSED_WRONG_HOLDER);
        }
    }
}
END_TEST

START_TEST(redeem__a_key_nobody_asked_for_changes_nothing)
{
    struct grant_redemption facts = good_for_service();
    facts.is_bearer = false;
    facts.shown = "jkt:a";
    assert_answer(facts, GRANT_REFUSED_WRONG_HOLDER);
    facts = good();
    facts.confirmation = "";
    facts.shown = "jkt:a";
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__zeroed_facts_are_refused)
{
    struct grant_redemption facts = {0};
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_REFUSED_UNKNOWN_GRANT);
    ck_assert_int_ne((enum grant_refusal){0}, GRANT_ACCEPTED);
    facts.state = GRANT_ISSUED;
    ck_assert_int_ne(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts = good();
    facts.state = GRANT_STATE_COUNT;
    assert_answer(facts, GRANT_REFUSED_UNKNOWN_GRANT);
    facts.state = (enum grant_state)99;
    assert_answer(facts, GRANT_REFUSED_UNKNOWN_GRANT);
}
END_TEST

/* Forget any one fact, as a caller of this function might: never accepted. */
START_TEST(redeem__any_forgotten_fact_refuses)
{
    struct grant_redemption facts;
#define FORGET(member, refusal)                                                                    \
    facts = good();                                                                                \
    memset(&facts.member, 0, sizeof facts.member);                                                 \
    assert_answer(facts, refusal)
    FORGET(state, GRANT_REFUSED_UNKNOWN_GRANT);
    FORGET(claim_until, GRANT_REFUSED_LAPSED);
    FORGET(token_expires_at, GRANT_REFUSED_EXPIRED);
    FORGET(ttl_ms, GRANT_REFUSED_EXPIRED);
    FORGET(token, GRANT_REFUSED_SUPERSEDED_TOKEN);
    FORGET(newest_token, GRANT_REFUSED_SUPERSEDED_TOKEN);
    FORGET(redeemer, GRANT_REFUSED_WRONG_AUDIENCE);
    FORGET(holder, GRANT_REFUSED_WRONG_AUDIENCE);
    FORGET(audience, GRANT_REFUSED_WRONG_AUDIENCE);
    FORGET(digest_matches, GRANT_REFUSED_ARGS_MISMATCH);
    FORGET(policy_still_permits, GRANT_REFUSED_POLICY_CHANGED);
#undef FORGET
    facts = good();
    facts.token = facts.newest_token = "";
    assert_answer(facts, GRANT_REFUSED_SUPERSEDED_TOKEN);
    facts = good();
    facts.redeemer = facts.holder = "";
    assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
}
END_TEST

START_TEST(redeem__each_single_fault_has_its_own_answer)
{
    struct grant_redemption facts = good();
    facts.state = GRANT_REVOKED;
    assert_answer(facts, GRANT_REFUSED_REVOKED);
    facts = good();
    facts.state = GRANT_LAPSED;
    assert_answer(facts, GRANT_REFUSED_LAPSED);
    facts = good();
    facts.is_frozen = true;
    assert_answer(facts, GRANT_REFUSED_FROZEN);
    facts = good();
    facts.token = "jti_1";
    assert_answer(facts, GRANT_REFUSED_SUPERSEDED_TOKEN);
    facts = good();
    facts.digest_matches = false;
    assert_answer(facts, GRANT_REFUSED_ARGS_MISMATCH);
    facts = good();
    facts.policy_still_permits = false;
    assert_answer(facts, GRANT_REFUSED_POLICY_CHANGED);
}
END_TEST

START_TEST(redeem__grant_without_audience_is_for_the_caller_alone)
{
    struct grant_redemption facts = good();
    facts.redeemer = "cal_2";
    assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
    facts.redeemer_serves_audience = true;
    facts.is_bearer = true;
    assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
}
END_TEST

START_TEST(redeem__redeemer_must_be_registered_for_the_audience)
{
    struct grant_redemption facts = good_for_service();
    facts.redeemer_serves_audience = false;
    assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
    /* Not even the caller itself: the audience narrows. */
    facts.redeemer = facts.holder;
    facts.is_bearer = false;
    assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
    facts.redeemer_serves_audience = true;
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__another_than_the_holder_needs_a_bearer_grant)
{
    struct grant_redemption facts = good_for_service();
    facts.is_bearer = false;
    assert_answer(facts, GRANT_REFUSED_WRONG_HOLDER);
}
END_TEST

START_TEST(redeem__wrong_party_learns_nothing_about_the_grant)
{
    static const enum grant_state states[] = {GRANT_ISSUED, GRANT_REDEEMED, GRANT_SUCCEEDED,
                                              GRANT_FAILED, GRANT_UNKNOWN,  GRANT_LAPSED,
                                              GRANT_REVOKED};
    for (unsigned bits = 0; bits < 64; bits++) {
        struct grant_redemption facts = good_for_service();
        facts.state = states[bits % 7];
        facts.is_frozen = (bits & 1) != 0;
        facts.digest_matches = (bits & 2) != 0;
        facts.policy_still_permits = (bits & 4) != 0;
        facts.token = (bits & 8) != 0 ? "jti_1" : "jti_2";
        facts.now = (bits & 16) != 0 ? 70000 : 50000;
        facts.claim_until = (bits & 32) != 0 ? 100000 : 40000;
        facts.is_bearer = false;
        assert_answer(facts, GRANT_REFUSED_WRONG_HOLDER);
        facts.redeemer_serves_audience = false;
        assert_answer(facts, GRANT_REFUSED_WRONG_AUDIENCE);
    }
}
END_TEST

START_TEST(redeem__retry_learns_that_it_was_redeemed_whatever_happened_since)
{
    static const enum grant_state states[] = {GRANT_REDEEMED, GRANT_SUCCEEDED, GRANT_FAILED,
                                              GRANT_UNKNOWN};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct grant_redemption facts = good();
        facts.state = states[i];
        assert_answer(facts, GRANT_REFUSED_ALREADY_REDEEMED);
        facts.now = 70000;
        facts.claim_until = 60000;
        facts.elapsed_ms = 90000;
        facts.token = "jti_1";
        facts.is_frozen = true;
        facts.digest_matches = false;
        facts.policy_still_permits = false;
        assert_answer(facts, GRANT_REFUSED_ALREADY_REDEEMED);
    }
}
END_TEST

START_TEST(redeem__freeze_is_the_answer_before_and_after_its_batch_revoked_the_grant)
{
    struct grant_redemption facts = good();
    facts.is_frozen = true;
    assert_answer(facts, GRANT_REFUSED_FROZEN);
    facts.state = GRANT_REVOKED;
    assert_answer(facts, GRANT_REFUSED_FROZEN);
    facts.state = GRANT_LAPSED;
    assert_answer(facts, GRANT_REFUSED_FROZEN);
}
END_TEST

START_TEST(redeem__claim_window_is_over_at_its_end)
{
    struct grant_redemption facts = good();
    facts.token_expires_at = 200000;
    facts.now = 99999;
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts.now = 100000;
    assert_answer(facts, GRANT_REFUSED_LAPSED);
}
END_TEST

START_TEST(redeem__token_expires_by_the_wall_clock)
{
    struct grant_redemption facts = good();
    facts.now = 59999;
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts.now = 60000;
    assert_answer(facts, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__token_expires_by_the_boot_clock)
{
    struct grant_redemption facts = good();
    facts.elapsed_ms = 59999;
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts.elapsed_ms = 60000;
    assert_answer(facts, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__wall_clock_that_stepped_back_never_revives_a_token)
{
    struct grant_redemption facts = good();
    facts.elapsed_ms = 60000;
    facts.now = 1;
    assert_answer(facts, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__after_a_restart_the_wall_clock_decides)
{
    struct grant_redemption facts = good();
    facts.elapsed_ms = -1;
    ck_assert_int_eq(grant_check_redemption(&facts), GRANT_ACCEPTED);
    facts.now = 60000;
    assert_answer(facts, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__boot_clock_that_ran_backwards_is_not_believed)
{
    struct grant_redemption facts = good();
    facts.elapsed_ms = -2;
    assert_answer(facts, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__superseded_token_is_told_so_even_when_it_expired)
{
    struct grant_redemption facts = good();
    facts.token = "jti_1";
    facts.now = 70000;
    assert_answer(facts, GRANT_REFUSED_SUPERSEDED_TOKEN);
}
END_TEST

/* All facts at once, all combinations: accepted exactly when every one of them is right, and
 * otherwise for a reason that is true. */
START_TEST(redeem__is_accepted_exactly_when_every_fact_is_right)
{
    int accepted = 0;
    for (unsigned bits = 0; bits < 1U << 14; bits++) {
        enum grant_state state = (enum grant_state)(bits & 7);
        bool has_audience = (bits & 1U << 3) != 0;
        bool serves = (bits & 1U << 4) != 0;
        bool is_holder = (bits & 1U << 5) != 0;
        bool is_bearer = (bits & 1U << 6) != 0;
        bool is_frozen = (bits & 1U << 7) != 0;
        bool is_in_window = (bits & 1U << 8) != 0;
        bool is_newest = (bits & 1U << 9) != 0;
        bool is_wall_good = (bits & 1U << 10) != 0;
        bool is_boot_good = (bits & 1U << 11) != 0;
        bool is_same_action = (bits & 1U << 12) != 0;
        bool is_permitted = (bits & 1U << 13) != 0;
        struct grant_redemption facts = good();
        facts.state = state;
        facts.audience = has_audience ? "payments-api" : "";
        facts.redeemer_serves_audience = serves;
        facts.redeemer = is_holder ? "cal_1" : "cal_2";
        facts.is_bearer = is_bearer;
        facts.is_frozen = is_frozen;
        facts.claim_until = is_in_window ? 100000 : 50000;
        facts.token = is_newest ? "jti_2" : "jti_1";
        facts.token_expires_at = is_wall_good ? 60000 : 50000;
        facts.elapsed_ms = is_boot_good ? 30000 : 60000;
        facts.digest_matches = is_same_action;
        facts.policy_still_permits = is_permitted;
        bool reaches = has_audience ? serves : is_holder;
        bool is_right = state == GRANT_ISSUED && reaches && (is_holder || is_bearer) &&
                        !is_frozen && is_in_window && is_newest && is_wall_good && is_boot_good &&
                        is_same_action && is_permitted;
        bool is_true[GRANT_REFUSAL_COUNT] = {
            [GRANT_ACCEPTED] = is_right,
            [GRANT_REFUSED_UNKNOWN_GRANT] = state == GRANT_ABSENT,
            [GRANT_REFUSED_EXPIRED] = !is_wall_good || !is_boot_good,
            [GRANT_REFUSED_SUPERSEDED_TOKEN] = !is_newest,
            [GRANT_REFUSED_ALREADY_REDEEMED] = state == GRANT_REDEEMED ||
                                               state == GRANT_SUCCEEDED || state == GRANT_FAILED ||
                                               state == GRANT_UNKNOWN,
            [GRANT_REFUSED_REVOKED] = state == GRANT_REVOKED,
            [GRANT_REFUSED_LAPSED] = state == GRANT_LAPSED || !is_in_window,
            [GRANT_REFUSED_ARGS_MISMATCH] = !is_same_action,
            [GRANT_REFUSED_WRONG_AUDIENCE] = !reaches,
            [GRANT_REFUSED_WRONG_HOLDER] = !is_holder && !is_bearer,
            [GRANT_REFUSED_POLICY_CHANGED] = !is_permitted,
            [GRANT_REFUSED_FROZEN] = is_frozen,
        };
        enum grant_refusal answer = grant_check_redemption(&facts);
        ck_assert_msg(is_true[answer], "facts %#x: %d is not true", bits, (int)answer);
        ck_assert_int_eq(answer == GRANT_ACCEPTED, is_right);
        accepted += answer == GRANT_ACCEPTED ? 1 : 0;
    }
    /* No audience, the holder: any of serves and bearer (4). Audience served: holder or bearer (3).
     */
    ck_assert_int_eq(accepted, 7);
}
END_TEST

START_TEST(redeem__refusals_have_the_names_of_the_api)
{
    static const char *const names[GRANT_REFUSAL_COUNT] = {
        "unknown_grant",  "",       "expired",       "superseded_token", "already_redeemed",
        "revoked",        "lapsed", "args_mismatch", "wrong_audience",   "wrong_holder",
        "policy_changed", "frozen"};
    for (int i = 0; i < GRANT_REFUSAL_COUNT; i++) {
        ck_assert_str_eq(grant_refusal_name((enum grant_refusal)i), names[i]);
    }
    ck_assert_str_eq(grant_refusal_name(GRANT_REFUSAL_COUNT), "unknown_grant");
    ck_assert_str_eq(grant_refusal_name((enum grant_refusal)99), "unknown_grant");
}
END_TEST

START_TEST(expiry__token_lives_for_its_ttl)
{
    ck_assert_int_eq(grant_token_expiry(50000, 60000, 900000), 110000);
}
END_TEST

START_TEST(expiry__token_never_outlives_the_claim_window)
{
    ck_assert_int_eq(grant_token_expiry(50000, 60000, 90000), 90000);
    ck_assert_int_eq(grant_token_expiry(50000, INT64_MAX, 90000), 90000);
}
END_TEST

START_TEST(expiry__is_rounded_down_to_the_second)
{
    ck_assert_int_eq(grant_token_expiry(50999, 60000, 900000), 110000);
    ck_assert_int_eq(grant_token_expiry(50000, 60000, 90999), 90000);
}
END_TEST

START_TEST(expiry__too_late_is_zero)
{
    ck_assert_int_eq(grant_token_expiry(90000, 60000, 90000), 0);
    ck_assert_int_eq(grant_token_expiry(90001, 60000, 90000), 0);
    ck_assert_int_eq(grant_token_expiry(50000, 0, 90000), 0);
    ck_assert_int_eq(grant_token_expiry(50000, -1, 90000), 0);
    ck_assert_int_eq(grant_token_expiry(0, 0, 0), 0);
    ck_assert_int_eq(grant_token_expiry(-5000, 60000, 90000), 0);
    ck_assert_int_eq(grant_token_expiry(50000, 500, 90000), 0);
    /* Less than a second is left, and the second has begun. */
    ck_assert_int_eq(grant_token_expiry(90100, 60000, 90900), 0);
    ck_assert_int_eq(grant_token_expiry(89100, 60000, 90900), 90000);
}
END_TEST

START_TEST(fence__only_grows)
{
    ck_assert_int_eq(grant_fence(1, 0), INT64_C(1) << 40);
    ck_assert_int_eq(grant_fence(0, 1), 1);
    ck_assert_int_eq(grant_fence(3, 7), 3 * (INT64_C(1) << 40) + 7);
    ck_assert_int_lt(grant_fence(1, (INT64_C(1) << 40) - 1), grant_fence(2, 0));
}
END_TEST

START_TEST(fence__largest_is_exact_as_a_json_number)
{
    ck_assert_int_eq(grant_fence((1 << 13) - 1, (INT64_C(1) << 40) - 1), (INT64_C(1) << 53) - 1);
}
END_TEST

START_TEST(fence__epoch_past_the_last_is_a_mistake_of_ours)
{
    (void)grant_fence(1 << 13, 0);
}
END_TEST

START_TEST(fence__number_that_would_reach_the_next_epoch_is_a_mistake_of_ours)
{
    (void)grant_fence(1, INT64_C(1) << 40);
}
END_TEST

START_TEST(fence__zero_is_no_fence)
{
    (void)grant_fence(0, 0);
}
END_TEST

static void add_redeem_tests(TCase *tests)
{
    tcase_add_test(tests, redeem__own_grant_with_everything_right_is_accepted);
    tcase_add_test(tests, redeem__zeroed_facts_are_refused);
    tcase_add_test(tests, redeem__a_bound_grant_needs_its_key);
    tcase_add_test(tests, redeem__a_key_nobody_asked_for_changes_nothing);
    tcase_add_test(tests, redeem__any_forgotten_fact_refuses);
    tcase_add_test(tests, redeem__each_single_fault_has_its_own_answer);
    tcase_add_test(tests, redeem__grant_without_audience_is_for_the_caller_alone);
    tcase_add_test(tests, redeem__redeemer_must_be_registered_for_the_audience);
    tcase_add_test(tests, redeem__another_than_the_holder_needs_a_bearer_grant);
    tcase_add_test(tests, redeem__wrong_party_learns_nothing_about_the_grant);
    tcase_add_test(tests, redeem__retry_learns_that_it_was_redeemed_whatever_happened_since);
    tcase_add_test(tests,
                   redeem__freeze_is_the_answer_before_and_after_its_batch_revoked_the_grant);
    tcase_add_test(tests, redeem__claim_window_is_over_at_its_end);
    tcase_add_test(tests, redeem__token_expires_by_the_wall_clock);
    tcase_add_test(tests, redeem__token_expires_by_the_boot_clock);
    tcase_add_test(tests, redeem__wall_clock_that_stepped_back_never_revives_a_token);
    tcase_add_test(tests, redeem__after_a_restart_the_wall_clock_decides);
    tcase_add_test(tests, redeem__boot_clock_that_ran_backwards_is_not_believed);
    tcase_add_test(tests, redeem__superseded_token_is_told_so_even_when_it_expired);
    tcase_add_test(tests, redeem__is_accepted_exactly_when_every_fact_is_right);
    tcase_add_test(tests, redeem__refusals_have_the_names_of_the_api);
}

int main(void)
{
    Suite *suite = suite_create("grants/redeem");
    TCase *tests = tcase_create("all");
    add_redeem_tests(tests);
    tcase_add_test(tests, expiry__token_lives_for_its_ttl);
    tcase_add_test(tests, expiry__token_never_outlives_the_claim_window);
    tcase_add_test(tests, expiry__is_rounded_down_to_the_second);
    tcase_add_test(tests, expiry__too_late_is_zero);
    tcase_add_test(tests, fence__only_grows);
    tcase_add_test(tests, fence__largest_is_exact_as_a_json_number);
    tcase_add_test_raise_signal(tests, fence__epoch_past_the_last_is_a_mistake_of_ours, SIGABRT);
    tcase_add_test_raise_signal(
        tests, fence__number_that_would_reach_the_next_epoch_is_a_mistake_of_ours, SIGABRT);
    tcase_add_test_raise_signal(tests, fence__zero_is_no_fence, SIGABRT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
