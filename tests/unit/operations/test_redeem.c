#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static struct redeem_result got;
static char request[ID_BYTES];
static const struct ask free_run = {.action = "free.run", .args = "{\"n\":1}"};
static const struct ask ops_run = {.action = "ops.run"};
static const struct ask pay = {.action = "pay.refund", .audience = "payments-api"};

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

/* Approved, and its token in hand. */
static struct grant_claims obtain(const struct ask *ask)
{
    struct submit_result result = submit(&s, RUNNER, ask);
    memcpy(request, result.request, sizeof request);
    if (result.state == REQUEST_PENDING) {
        vote(&s, DANA, request, true);
    }
    return mint(&s, request);
}

static void expect_refusal(enum cast who, const struct grant_claims *token, const struct ask *ask,
                           enum grant_refusal refusal)
{
    size_t before = count_entries(&s, "\"type\":\"grant.refused\"");
    got = redeem(&s, who, token, ask);
    ck_assert_str_eq(grant_refusal_name(got.refusal), grant_refusal_name(refusal));
    ck_assert_int_eq(got.fence, 0);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.refused\""), before + 1);
}

START_TEST(redeem__runs_once_with_a_fence)
{
    struct grant_claims token = obtain(&free_run);
    got = redeem(&s, RUNNER, &token, &free_run);
    ck_assert_int_eq(got.refusal, GRANT_ACCEPTED);
    ck_assert_int_eq(got.fence, (INT64_C(1) << 40) + 1);
    ck_assert_int_eq(got.redeemed_at, s.now);
    ck_assert_int_eq(got.effect_due_at, s.now + 15 * MINUTE);
    ck_assert_str_eq(got.grant, token.grant);
    ck_assert_str_eq(got.request, request);
    ck_assert_str_ne(got.token.token, token.token);
    ck_assert_int_eq(got.token.fence, got.fence);
    ck_assert_int_eq(got.token.expires_at, s.now + 60 * SECOND);
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.grant.state, GRANT_REDEEMED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.redeemed\""), 1);
}
END_TEST

START_TEST(redeem__a_retry_is_told_that_it_happened_before)
{
    struct grant_claims token = obtain(&free_run);
    int64_t fence = redeem(&s, RUNNER, &token, &free_run).fence;
    pass(&s, HOUR);
    got = redeem(&s, RUNNER, &token, &free_run);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_ALREADY_REDEEMED);
    ck_assert(got.is_yours);
    ck_assert_int_eq(got.fence, fence);
    ck_assert_int_eq(got.redeemed_at, s.now - HOUR);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.redeemed\""), 1);
}
END_TEST

START_TEST(redeem__another_party_learns_only_that_it_is_gone)
{
    struct grant_claims token = obtain(&pay);
    redeem(&s, PAYMENTS, &token, &pay);
    got = redeem(&s, OTHER, &token, &pay);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_ALREADY_REDEEMED);
    ck_assert(!got.is_yours);
    ck_assert_int_eq(got.fence, 0);
}
END_TEST

START_TEST(redeem__happens_at_most_once_however_often_it_is_tried)
{
    int64_t last_fence = 0;
    for (int i = 0; i < 20; i++) {
        struct ask each = {.action = "free.run", .args = arena_printf(s.arena, "{\"n\":%d}", i)};
        struct grant_claims token = obtain(&each);
        int accepted = 0;
        for (int j = 0; j < 10; j++) {
            if (j == 5 && i % 10 == 0) {
                scenario_restart(&s);
            }
            got = redeem(&s, RUNNER, &token, &each);
            accepted += got.refusal == GRANT_ACCEPTED ? 1 : 0;
        }
        ck_assert_int_eq(accepted, 1);
        ck_assert_int_gt(got.fence, last_fence);
        last_fence = got.fence;
    }
}
END_TEST

START_TEST(redeem__a_stale_row_does_not_redeem)
{
    struct grant_claims token = obtain(&free_run);
    struct grant_row row;
    scenario_begin(&s, HOST);
    ck_assert(store_read_grant(s.rig.store, "default", token.grant, s.arena, &row, &s.error));
    scenario_undo(&s);
    redeem(&s, RUNNER, &token, &free_run);
    scenario_begin(&s, HOST);
    row.state = GRANT_REDEEMED;
    ck_assert(!store_update_grant(s.rig.store, &row, &s.error));
    ck_assert_int_eq(s.error.kind, ERROR_CONFLICT);
    struct error again = {0};
    ck_assert(!store_insert_redemption(s.rig.store, token.grant, 99, s.now, &again));
    ck_assert_int_eq(again.kind, ERROR_CONFLICT);
    scenario_undo(&s);
}
END_TEST

START_TEST(redeem__what_is_rolled_back_was_not_redeemed)
{
    struct grant_claims token = obtain(&free_run);
    struct redeem_input input = {.claims = token,
                                 .has_claims = true,
                                 .action = "{\"name\":\"free.run\",\"properties\":{\"n\":1}}",
                                 .resource = "{\"id\":\"4711\",\"type\":\"order\"}"};
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    ck_assert_int_eq(got.refusal, GRANT_ACCEPTED);
    scenario_undo(&s);
    int64_t fence = got.fence;
    got = redeem(&s, RUNNER, &token, &free_run);
    ck_assert_int_eq(got.refusal, GRANT_ACCEPTED);
    ck_assert_int_eq(got.fence, fence);
}
END_TEST

START_TEST(redeem__other_arguments_are_another_action)
{
    struct grant_claims token = obtain(&free_run);
    expect_refusal(RUNNER, &token, ASK(.action = "free.run", .args = "{\"n\":2}"),
                   GRANT_REFUSED_ARGS_MISMATCH);
    expect_refusal(RUNNER, &token, ASK(.action = "free.run"), GRANT_REFUSED_ARGS_MISMATCH);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__another_resource_subject_or_context_is_another_action)
{
    struct grant_claims token = obtain(&free_run);
    struct redeem_input input = {.claims = token,
                                 .has_claims = true,
                                 .action = "{\"name\":\"free.run\",\"properties\":{\"n\":1}}",
                                 .resource = "{\"id\":\"4712\",\"type\":\"order\"}"};
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_ARGS_MISMATCH);
    input.resource = "{\"id\":\"4711\",\"type\":\"order\"}";
    input.subject = "{\"id\":\"tom\",\"type\":\"user\"}";
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_ARGS_MISMATCH);
    input.subject = "{\"id\":\"sam\",\"type\":\"user\"}";
    input.context = "{\"a\":1}";
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_ARGS_MISMATCH);
    input.context = "{}";
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(got.refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__a_token_that_did_not_verify_is_of_no_known_grant)
{
    struct redeem_input input = {.action = "{}", .resource = "{}"};
    ck_assert(operation_redeem_grant(scenario_begin(&s, RUNNER), &input, &got, &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(got.refusal, GRANT_REFUSED_UNKNOWN_GRANT);
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"unknown_grant\""), 1);
}
END_TEST

START_TEST(redeem__a_grant_of_nowhere_is_unknown)
{
    struct grant_claims token = obtain(&free_run);
    struct grant_claims foreign = token;
    memcpy(foreign.tenant, "elsewhere", sizeof "elsewhere");
    expect_refusal(RUNNER, &foreign, &free_run, GRANT_REFUSED_UNKNOWN_GRANT);
    foreign = token;
    crypto_make_id("grt", s.now, foreign.grant);
    expect_refusal(RUNNER, &foreign, &free_run, GRANT_REFUSED_UNKNOWN_GRANT);
    foreign = token;
    crypto_make_id("req", s.now, foreign.request);
    expect_refusal(RUNNER, &foreign, &free_run, GRANT_REFUSED_UNKNOWN_GRANT);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__only_the_newest_token_works)
{
    struct grant_claims first = obtain(&free_run);
    struct grant_claims second = mint(&s, request);
    expect_refusal(RUNNER, &first, &free_run, GRANT_REFUSED_SUPERSEDED_TOKEN);
    ck_assert_int_eq(redeem(&s, RUNNER, &second, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__an_expired_token_is_refused_and_a_fresh_one_works)
{
    struct grant_claims token = obtain(&free_run);
    ck_assert_int_eq(token.expires_at, s.now + 60 * SECOND);
    pass(&s, 60 * SECOND);
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_EXPIRED);
    token = mint(&s, request);
    pass(&s, 60 * SECOND - 1);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__a_wall_clock_that_stands_still_does_not_keep_a_token_alive)
{
    struct grant_claims token = obtain(&free_run);
    s.boot += 60 * SECOND;
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_EXPIRED);
}
END_TEST

START_TEST(redeem__after_a_restart_the_wall_clock_alone_judges)
{
    struct grant_claims token = obtain(&free_run);
    scenario_restart(&s);
    pass(&s, 59 * SECOND);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__when_time_was_lost_a_token_of_before_has_expired)
{
    struct grant_claims token = obtain(&free_run);
    scenario_restart(&s);
    s.rig.operations->has_lost_time = true;
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_EXPIRED);
    struct grant_claims fresh = mint(&s, request);
    ck_assert_int_eq(redeem(&s, RUNNER, &fresh, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__a_claim_window_that_is_over_lapses)
{
    struct grant_claims token = obtain(&free_run);
    pass(&s, 15 * MINUTE);
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_LAPSED);
    escalate(&s);
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_LAPSED);
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_LAPSED);
    struct request_view view;
    ck_assert(try_read(&s, RUNNER, request, true, &view));
    ck_assert(!view.has_token);
}
END_TEST

START_TEST(redeem__another_caller_is_not_the_audience)
{
    struct grant_claims token = obtain(&free_run);
    expect_refusal(OTHER, &token, &free_run, GRANT_REFUSED_WRONG_AUDIENCE);
    token = obtain(&pay);
    expect_refusal(RUNNER, &token, &pay, GRANT_REFUSED_WRONG_AUDIENCE);
    ck_assert_int_eq(redeem(&s, PAYMENTS, &token, &pay).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__where_bearer_is_forbidden_only_the_holder_redeems)
{
    struct ask strict = {.action = "strict.pay", .agent = "bot", .audience = "payments-api"};
    struct submit_result result = submit(&s, OTHER, &strict);
    struct grant_claims token = mint(&s, result.request);
    expect_refusal(PAYMENTS, &token, &strict, GRANT_REFUSED_WRONG_HOLDER);
    ck_assert_int_eq(redeem(&s, OTHER, &token, &strict).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__people_do_not_redeem)
{
    struct grant_claims token = obtain(&free_run);
    struct redeem_input input = {.claims = token, .has_claims = true};
    ck_assert(!operation_redeem_grant(scenario_begin(&s, DANA), &input, &got, &s.error));
    scenario_undo(&s);
    ck_assert_str_eq(s.error.code, "not_allowed");
    s.error = (struct error){0};
    ck_assert(!operation_redeem_grant(scenario_begin(&s, HOST), &input, &got, &s.error));
    scenario_undo(&s);
    ck_assert_str_eq(s.error.code, "not_allowed");
}
END_TEST

#define ONE_RULE(verdict)                                                                          \
    "version: 1\n"                                                                                 \
    "defaults: { verdict: " verdict ", approval: { groups: [ops], timeout: 1h } }\n"

START_TEST(redeem__a_policy_that_denies_now_stops_it)
{
    struct grant_claims token = obtain(&free_run);
    scenario_publish(&s, ONE_RULE("deny"));
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_POLICY_CHANGED);
    scenario_publish(&s, scenario_policy);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__what_now_needs_people_is_refused_to_what_needed_none)
{
    struct grant_claims token = obtain(&free_run);
    scenario_publish(&s, ONE_RULE("require_approval"));
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_POLICY_CHANGED);
}
END_TEST

START_TEST(redeem__recorded_votes_that_still_suffice_are_enough)
{
    struct grant_claims token = obtain(&ops_run);
    scenario_publish(&s, ONE_RULE("require_approval"));
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &ops_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__recorded_votes_that_no_longer_suffice_are_not)
{
    struct grant_claims token = obtain(&ops_run);
    scenario_publish(&s, "version: 1\n"
                         "defaults:\n"
                         "  verdict: require_approval\n"
                         "  approval: { groups: [ops], quorum: 2, timeout: 1h }\n");
    expect_refusal(RUNNER, &token, &ops_run, GRANT_REFUSED_POLICY_CHANGED);
}
END_TEST

START_TEST(redeem__a_second_rule_that_nobody_voted_for_stops_it)
{
    struct grant_claims token = obtain(&ops_run);
    scenario_publish(&s, ONE_RULE("deny") "rules:\n"
                                          "  - name: ops\n"
                                          "    match: { action: \"ops.*\" }\n"
                                          "    verdict: require_approval\n"
                                          "  - name: with-money\n"
                                          "    match: { action: \"ops.*\" }\n"
                                          "    verdict: require_approval\n"
                                          "    approval: { groups: [finance] }\n");
    expect_refusal(RUNNER, &token, &ops_run, GRANT_REFUSED_POLICY_CHANGED);
}
END_TEST

START_TEST(redeem__what_people_approved_and_policy_now_allows_is_good)
{
    struct grant_claims token = obtain(&ops_run);
    scenario_publish(&s, ONE_RULE("allow"));
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &ops_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__the_second_of_two_grants_for_the_same_waits_for_the_first_effect)
{
    struct grant_claims first = obtain(&free_run);
    struct grant_claims second = obtain(&free_run);
    redeem(&s, RUNNER, &first, &free_run);
    expect_refusal(RUNNER, &second, &free_run, GRANT_REFUSED_POLICY_CHANGED);
    struct effect_result effect;
    ck_assert(try_effect(&s, RUNNER, first.grant, GRANT_REPORT_FAILED, &effect));
    ck_assert_int_eq(redeem(&s, RUNNER, &second, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__a_disabled_agent_runs_nothing)
{
    struct agent_row agent;
    struct grant_claims token = obtain(&free_run);
    ck_assert(operation_enable_agent(scenario_begin(&s, HOST), "bot", false, &agent, &s.error));
    scenario_commit(&s);
    got = redeem(&s, RUNNER, &token, &free_run);
    ck_assert_int_ne(got.refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__of_a_disabled_holder_is_refused_to_its_audience_too)
{
    struct caller_row caller;
    struct grant_claims token = obtain(&pay);
    ck_assert(
        operation_enable_caller(scenario_begin(&s, HOST), "runner", false, &caller, &s.error));
    scenario_commit(&s);
    got = redeem(&s, PAYMENTS, &token, &pay);
    ck_assert_int_ne(got.refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(redeem__erased_arguments_cannot_be_matched)
{
    struct grant_claims token = obtain(&free_run);
    struct request_row row;
    scenario_begin(&s, HOST);
    ck_assert(store_read_request(s.rig.store, "default", request, s.arena, &row, &s.error));
    row.salt = NULL;
    row.action = NULL;
    ck_assert(store_update_request(s.rig.store, &row, &s.error));
    scenario_commit(&s);
    expect_refusal(RUNNER, &token, &free_run, GRANT_REFUSED_ARGS_MISMATCH);
}
END_TEST

START_TEST(mint__each_reading_of_the_holder_makes_a_fresh_token)
{
    struct grant_claims token = obtain(&free_run);
    ck_assert_str_eq(token.issuer, "https://gate.example");
    ck_assert_str_eq(token.subject, "user/sam");
    ck_assert_str_eq(token.agent, "bot");
    ck_assert_str_eq(token.audience, token.caller);
    ck_assert_int_eq(token.fence, 0);
    struct grant_claims again = mint(&s, request);
    ck_assert_str_ne(token.token, again.token);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.minted\""), 2);
    ck_assert_int_eq(look(&s, request).grant.mint_count, 2);
}
END_TEST

START_TEST(mint__twenty_tokens_are_the_most)
{
    struct request_view view;
    obtain(&free_run);
    for (int i = 1; i < GRANT_MINTS_MAX; i++) {
        mint(&s, request);
    }
    ck_assert(!try_read(&s, RUNNER, request, true, &view));
    ck_assert_int_eq(s.error.kind, ERROR_LIMIT);
    ck_assert_str_eq(s.error.code, "too_many_mints");
    ck_assert(try_read(&s, RUNNER, request, false, &view));
}
END_TEST

START_TEST(mint__a_token_ends_with_the_claim_window)
{
    obtain(&free_run);
    pass(&s, 15 * MINUTE - 5 * SECOND);
    ck_assert_int_eq(mint(&s, request).expires_at, s.now + 5 * SECOND);
}
END_TEST

START_TEST(mint__nobody_but_the_holder_gets_a_token)
{
    struct request_view view;
    obtain(&ops_run);
    ck_assert(try_read(&s, DANA, request, true, &view));
    ck_assert(!view.has_token);
    ck_assert(try_read(&s, HOST, request, true, &view));
    ck_assert(!view.has_token);
    ck_assert(!try_read(&s, OTHER, request, true, &view));
    ck_assert_str_eq(s.error.code, "not_found");
    ck_assert_int_eq(look(&s, request).grant.mint_count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: redeem");
    TCase *cases = tcase_create("redeem");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, redeem__runs_once_with_a_fence);
    tcase_add_test(cases, redeem__a_retry_is_told_that_it_happened_before);
    tcase_add_test(cases, redeem__another_party_learns_only_that_it_is_gone);
    tcase_add_test(cases, redeem__happens_at_most_once_however_often_it_is_tried);
    tcase_add_test(cases, redeem__a_stale_row_does_not_redeem);
    tcase_add_test(cases, redeem__what_is_rolled_back_was_not_redeemed);
    tcase_add_test(cases, redeem__other_arguments_are_another_action);
    tcase_add_test(cases, redeem__another_resource_subject_or_context_is_another_action);
    tcase_add_test(cases, redeem__a_token_that_did_not_verify_is_of_no_known_grant);
    tcase_add_test(cases, redeem__a_grant_of_nowhere_is_unknown);
    tcase_add_test(cases, redeem__only_the_newest_token_works);
    tcase_add_test(cases, redeem__an_expired_token_is_refused_and_a_fresh_one_works);
    tcase_add_test(cases, redeem__a_wall_clock_that_stands_still_does_not_keep_a_token_alive);
    tcase_add_test(cases, redeem__after_a_restart_the_wall_clock_alone_judges);
    tcase_add_test(cases, redeem__when_time_was_lost_a_token_of_before_has_expired);
    tcase_add_test(cases, redeem__a_claim_window_that_is_over_lapses);
    tcase_add_test(cases, redeem__another_caller_is_not_the_audience);
    tcase_add_test(cases, redeem__where_bearer_is_forbidden_only_the_holder_redeems);
    tcase_add_test(cases, redeem__people_do_not_redeem);
    tcase_add_test(cases, redeem__a_policy_that_denies_now_stops_it);
    tcase_add_test(cases, redeem__what_now_needs_people_is_refused_to_what_needed_none);
    tcase_add_test(cases, redeem__recorded_votes_that_still_suffice_are_enough);
    tcase_add_test(cases, redeem__recorded_votes_that_no_longer_suffice_are_not);
    tcase_add_test(cases, redeem__a_second_rule_that_nobody_voted_for_stops_it);
    tcase_add_test(cases, redeem__what_people_approved_and_policy_now_allows_is_good);
    tcase_add_test(cases, redeem__the_second_of_two_grants_for_the_same_waits_for_the_first_effect);
    tcase_add_test(cases, redeem__a_disabled_agent_runs_nothing);
    tcase_add_test(cases, redeem__of_a_disabled_holder_is_refused_to_its_audience_too);
    tcase_add_test(cases, redeem__erased_arguments_cannot_be_matched);
    tcase_add_test(cases, mint__each_reading_of_the_holder_makes_a_fresh_token);
    tcase_add_test(cases, mint__twenty_tokens_are_the_most);
    tcase_add_test(cases, mint__a_token_ends_with_the_claim_window);
    tcase_add_test(cases, mint__nobody_but_the_holder_gets_a_token);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
