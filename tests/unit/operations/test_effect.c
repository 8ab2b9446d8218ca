#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static struct effect_result got;
static char request[ID_BYTES];
static char grant[ID_BYTES];
static const struct ask ops_run = {.action = "ops.run"};

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

/* Approved by dana; redeemed by the runner when `is_redeemed`. */
static void obtain(bool is_redeemed)
{
    memcpy(request, submit(&s, RUNNER, &ops_run).request, sizeof request);
    vote(&s, DANA, request, true);
    struct grant_claims token = mint(&s, request);
    memcpy(grant, token.grant, sizeof grant);
    if (is_redeemed) {
        ck_assert_int_eq(redeem(&s, RUNNER, &token, &ops_run).refusal, GRANT_ACCEPTED);
    }
}

static void expect_refused(enum cast who, enum grant_event report, enum error_kind kind,
                           const char *code)
{
    ck_assert(!try_effect(&s, who, grant, report, &got));
    ck_assert_int_eq(s.error.kind, kind);
    ck_assert_str_eq(s.error.code, code);
}

START_TEST(effect__the_redeemer_reports_what_happened)
{
    obtain(true);
    ck_assert(try_effect(&s, RUNNER, grant, GRANT_REPORT_SUCCEEDED, &got));
    ck_assert_int_eq(got.outcome, EFFECT_RECORDED);
    ck_assert_int_eq(got.state, GRANT_SUCCEEDED);
    struct grant_row row = look(&s, request).grant;
    ck_assert_int_eq(row.effect_at, s.now);
    ck_assert_int_eq(row.due_at, 0);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"effect.reported\""), 1);
}
END_TEST

START_TEST(effect__keeps_a_bounded_summary_and_the_digest_of_the_result)
{
    obtain(true);
    char summary[2 * OPERATIONS_TEXT_BYTES_MAX];
    char digest[65];
    memset(summary, 'x', sizeof summary - 1);
    summary[sizeof summary - 1] = '\0';
    memset(digest, 'a', 64);
    digest[64] = '\0';
    struct effect_input input = {
        .grant = grant, .report = GRANT_REPORT_FAILED, .summary = summary, .result_digest = digest};
    ck_assert(operation_report_effect(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    struct grant_row row = look(&s, request).grant;
    ck_assert_uint_eq(strlen(row.effect_summary), OPERATIONS_TEXT_BYTES_MAX);
    ck_assert_str_eq(row.effect_digest, digest);
    ck_assert_uint_eq(count_entries(&s, "xxxx"), 0);
}
END_TEST

START_TEST(effect__a_digest_must_be_one)
{
    obtain(true);
    struct effect_input input = {
        .grant = grant, .report = GRANT_REPORT_SUCCEEDED, .result_digest = "abc"};
    bool ok = operation_report_effect(scenario_begin(&s, RUNNER), &input, &got, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_str_eq(s.error.code, "bad_digest");
}
END_TEST

START_TEST(effect__other_events_are_no_report)
{
    obtain(true);
    expect_refused(RUNNER, GRANT_EFFECT_OVERDUE, ERROR_INVALID, "bad_outcome");
    expect_refused(RUNNER, GRANT_REVOKE, ERROR_INVALID, "bad_outcome");
}
END_TEST

START_TEST(effect__the_same_report_again_is_harmless)
{
    obtain(true);
    ck_assert(try_effect(&s, RUNNER, grant, GRANT_REPORT_SUCCEEDED, &got));
    ck_assert(try_effect(&s, RUNNER, grant, GRANT_REPORT_SUCCEEDED, &got));
    ck_assert_int_eq(got.outcome, EFFECT_REPEATED);
    ck_assert_int_eq(got.state, GRANT_SUCCEEDED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"effect.reported\""), 1);
    expect_refused(RUNNER, GRANT_REPORT_FAILED, ERROR_CONFLICT, "effect_not_possible");
}
END_TEST

START_TEST(effect__only_the_redeemer_reports)
{
    struct ask pay = {.action = "pay.refund", .audience = "payments-api"};
    memcpy(request, submit(&s, RUNNER, &pay).request, sizeof request);
    struct grant_claims token = mint(&s, request);
    memcpy(grant, token.grant, sizeof grant);
    ck_assert_int_eq(redeem(&s, PAYMENTS, &token, &pay).refusal, GRANT_ACCEPTED);
    expect_refused(RUNNER, GRANT_REPORT_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(OTHER, GRANT_REPORT_SUCCEEDED, ERROR_NOT_FOUND, "not_found");
    expect_refused(ADA, GRANT_REPORT_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    ck_assert(try_effect(&s, PAYMENTS, grant, GRANT_REPORT_SUCCEEDED, &got));
}
END_TEST

START_TEST(effect__nothing_happened_before_redemption)
{
    obtain(false);
    expect_refused(RUNNER, GRANT_REPORT_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(DANA, GRANT_RESOLVE_FAILED, ERROR_CONFLICT, "effect_not_possible");
}
END_TEST

START_TEST(effect__an_unknown_grant_is_not_found)
{
    crypto_make_id("grt", s.now, grant);
    expect_refused(RUNNER, GRANT_REPORT_SUCCEEDED, ERROR_NOT_FOUND, "not_found");
}
END_TEST

START_TEST(effect__no_report_in_time_is_unknown)
{
    obtain(true);
    pass(&s, 15 * MINUTE - 1);
    escalate(&s);
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_REDEEMED);
    pass(&s, 1);
    escalate(&s);
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_UNKNOWN);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"effect.unknown\""), 1);
    expect_refused(RUNNER, GRANT_REPORT_SUCCEEDED, ERROR_CONFLICT, "effect_unknown");
}
END_TEST

START_TEST(effect__only_a_person_involved_or_an_admin_resolves_unknown)
{
    obtain(true);
    ck_assert(try_effect(&s, RUNNER, grant, GRANT_REPORT_UNKNOWN, &got));
    ck_assert_int_eq(got.state, GRANT_UNKNOWN);
    expect_refused(RUNNER, GRANT_RESOLVE_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(HOST, GRANT_RESOLVE_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(AUDREY, GRANT_RESOLVE_SUCCEEDED, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(ERIN, GRANT_RESOLVE_SUCCEEDED, ERROR_NOT_FOUND, "not_found");
    ck_assert(try_effect(&s, DANA, grant, GRANT_RESOLVE_SUCCEEDED, &got));
    ck_assert_int_eq(got.state, GRANT_SUCCEEDED);
    ck_assert_str_eq(look(&s, request).grant.resolved_by, person_id(&s, DANA));
    ck_assert(try_effect(&s, DANA, grant, GRANT_RESOLVE_SUCCEEDED, &got));
    ck_assert_int_eq(got.outcome, EFFECT_REPEATED);
    expect_refused(ADA, GRANT_RESOLVE_FAILED, ERROR_CONFLICT, "effect_not_possible");
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"effect.resolved\""), 1);
}
END_TEST

START_TEST(effect__people_wait_for_the_redeemers_report)
{
    obtain(true);
    expect_refused(ADA, GRANT_RESOLVE_FAILED, ERROR_CONFLICT, "effect_awaited");
}
END_TEST

START_TEST(effect__what_is_unknown_needs_a_person_until_it_is_resolved)
{
    struct ask run = {.action = "free.run"};
    memcpy(request, submit(&s, RUNNER, &run).request, sizeof request);
    struct grant_claims token = mint(&s, request);
    memcpy(grant, token.grant, sizeof grant);
    redeem(&s, RUNNER, &token, &run);
    ck_assert(try_effect(&s, RUNNER, grant, GRANT_REPORT_UNKNOWN, &got));
    ck_assert_int_eq(submit(&s, RUNNER, &run).state, REQUEST_PENDING);
    ck_assert(try_effect(&s, ADA, grant, GRANT_RESOLVE_FAILED, &got));
    ck_assert_int_eq(submit(&s, OTHER, ASK(.action = "free.run", .agent = "bot")).state,
                     REQUEST_APPROVED);
}
END_TEST

START_TEST(revoke__the_holder_gives_its_grant_back)
{
    enum grant_state state;
    obtain(false);
    ck_assert(try_revoke(&s, RUNNER, grant, &state));
    ck_assert_int_eq(state, GRANT_REVOKED);
    ck_assert_str_eq(look(&s, request).grant.ended_reason, "revoked_by_holder: why not");
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"revoked_by_holder\""), 1);
    ck_assert(try_revoke(&s, RUNNER, grant, &state));
    ck_assert_int_eq(state, GRANT_REVOKED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.revoked\""), 1);
}
END_TEST

START_TEST(revoke__an_approver_or_an_admin_takes_it_back)
{
    enum grant_state state;
    obtain(false);
    ck_assert(try_revoke(&s, DANA, grant, &state));
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"revoked_by_approver\""), 1);
    obtain(false);
    ck_assert(try_revoke(&s, ADA, grant, &state));
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"revoked_by_admin\""), 1);
}
END_TEST

START_TEST(revoke__others_may_not)
{
    enum grant_state state;
    obtain(false);
    ck_assert(!try_revoke(&s, AUDREY, grant, &state));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(!try_revoke(&s, ERIN, grant, &state));
    ck_assert_str_eq(s.error.code, "not_found");
    ck_assert(!try_revoke(&s, OTHER, grant, &state));
    ck_assert_str_eq(s.error.code, "not_found");
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_ISSUED);
}
END_TEST

START_TEST(revoke__comes_too_late_after_redemption)
{
    enum grant_state state;
    obtain(true);
    ck_assert(!try_revoke(&s, ADA, grant, &state));
    ck_assert_int_eq(s.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(s.error.code, "already_redeemed");
}
END_TEST

START_TEST(revoke__of_a_lapsed_grant_says_that_it_has_lapsed)
{
    enum grant_state state;
    obtain(false);
    pass(&s, 15 * MINUTE);
    escalate(&s);
    ck_assert(try_revoke(&s, RUNNER, grant, &state));
    ck_assert_int_eq(state, GRANT_LAPSED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: effect");
    TCase *cases = tcase_create("effect");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, effect__the_redeemer_reports_what_happened);
    tcase_add_test(cases, effect__keeps_a_bounded_summary_and_the_digest_of_the_result);
    tcase_add_test(cases, effect__a_digest_must_be_one);
    tcase_add_test(cases, effect__other_events_are_no_report);
    tcase_add_test(cases, effect__the_same_report_again_is_harmless);
    tcase_add_test(cases, effect__only_the_redeemer_reports);
    tcase_add_test(cases, effect__nothing_happened_before_redemption);
    tcase_add_test(cases, effect__an_unknown_grant_is_not_found);
    tcase_add_test(cases, effect__no_report_in_time_is_unknown);
    tcase_add_test(cases, effect__only_a_person_involved_or_an_admin_resolves_unknown);
    tcase_add_test(cases, effect__people_wait_for_the_redeemers_report);
    tcase_add_test(cases, effect__what_is_unknown_needs_a_person_until_it_is_resolved);
    tcase_add_test(cases, revoke__the_holder_gives_its_grant_back);
    tcase_add_test(cases, revoke__an_approver_or_an_admin_takes_it_back);
    tcase_add_test(cases, revoke__others_may_not);
    tcase_add_test(cases, revoke__comes_too_late_after_redemption);
    tcase_add_test(cases, revoke__of_a_lapsed_grant_says_that_it_has_lapsed);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
