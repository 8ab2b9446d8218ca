#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static const struct ask free_run = {.action = "free.run"};

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void thaw(const struct freeze_row *frozen)
{
    ck_assert(try_thaw(&s, ADA, frozen->id));
}

START_TEST(freeze__new_requests_are_denied_as_frozen)
{
    struct freeze_row frozen = freeze(&s, FREEZE_TENANT, NULL);
    struct submit_result got = submit(&s, RUNNER, &free_run);
    ck_assert_int_eq(got.state, REQUEST_DENIED);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.reason, REASON_FROZEN);
    ck_assert_ptr_nonnull(strstr(view.request.explanation, frozen.id));
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"policy.decided\""), 0);
    pass(&s, MINUTE);
    thaw(&frozen);
    ck_assert_int_eq(submit(&s, RUNNER, &free_run).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(freeze__covers_only_its_scope)
{
    freeze(&s, FREEZE_ACTION, "free.*");
    ck_assert_int_eq(submit(&s, RUNNER, &free_run).state, REQUEST_DENIED);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "ops.run")).state, REQUEST_PENDING);
    freeze(&s, FREEZE_AGENT, "crane");
    ck_assert_int_eq(submit(&s, OTHER, ASK(.action = "ops.go", .agent = "crane")).state,
                     REQUEST_DENIED);
    ck_assert_int_eq(submit(&s, OTHER, ASK(.action = "ops.go", .agent = "bot")).state,
                     REQUEST_PENDING);
    freeze(&s, FREEZE_EVERYTHING, NULL);
    ck_assert_int_eq(submit(&s, OTHER, ASK(.action = "ops.else", .agent = "bot")).state,
                     REQUEST_DENIED);
}
END_TEST

START_TEST(freeze__stops_redemption_at_once_and_for_ever)
{
    struct submit_result got = submit(&s, RUNNER, &free_run);
    struct grant_claims token = mint(&s, got.request);
    struct freeze_row frozen = freeze(&s, FREEZE_ACTION, "free.*");
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_REFUSED_FROZEN);
    pass(&s, SECOND);
    thaw(&frozen);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_REFUSED_FROZEN);
    struct request_view view;
    ck_assert(try_read(&s, RUNNER, got.request, true, &view));
    ck_assert(!view.has_token);
    token = mint(&s, submit(&s, RUNNER, &free_run).request);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(freeze__thawed_in_the_same_millisecond_still_counts)
{
    struct grant_claims token = mint(&s, submit(&s, RUNNER, &free_run).request);
    struct freeze_row frozen = freeze(&s, FREEZE_EVERYTHING, NULL);
    thaw(&frozen);
    pass(&s, SECOND);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, &free_run).refusal, GRANT_REFUSED_FROZEN);
}
END_TEST

START_TEST(freeze__unredeemed_grants_in_scope_are_revoked_in_batches)
{
    struct submit_result first = submit(&s, RUNNER, &free_run);
    struct submit_result spared = submit(&s, OTHER, ASK(.action = "pay.refund", .agent = "bot"));
    for (int i = 0; i < OPERATIONS_BATCH_MAX + 10; i++) {
        submit(&s, RUNNER,
               ASK(.action = "free.run", .args = arena_printf(s.arena, "{\"n\":%d}", i)));
    }
    freeze(&s, FREEZE_ACTION, "free.*");
    ck_assert_int_eq(atomic_load(&s.rig.operations->next_due_at), s.now);
    escalate(&s);
    ck_assert_int_eq(look(&s, first.request).grant.state, GRANT_REVOKED);
    ck_assert_str_eq(look(&s, first.request).grant.ended_reason, "frozen");
    ck_assert_int_eq(look(&s, spared.request).grant.state, GRANT_ISSUED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.revoked\""), OPERATIONS_BATCH_MAX + 11);
}
END_TEST

START_TEST(freeze__a_redeemed_grant_may_still_report)
{
    struct effect_result effect;
    struct grant_claims token = mint(&s, submit(&s, RUNNER, &free_run).request);
    redeem(&s, RUNNER, &token, &free_run);
    freeze(&s, FREEZE_EVERYTHING, NULL);
    escalate(&s);
    ck_assert(try_effect(&s, RUNNER, token.grant, GRANT_REPORT_SUCCEEDED, &effect));
    ck_assert_int_eq(effect.state, GRANT_SUCCEEDED);
}
END_TEST

START_TEST(freeze__pending_clocks_stand_still)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    pass(&s, 20 * MINUTE);
    struct freeze_row frozen = freeze(&s, FREEZE_EVERYTHING, NULL);
    pass(&s, 5 * HOUR);
    escalate(&s);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.state, REQUEST_PENDING);
    ck_assert(view.is_frozen);
    thaw(&frozen);
    escalate(&s);
    pass(&s, 10 * MINUTE - 1);
    escalate(&s);
    ck_assert_int_eq(look(&s, got.request).request.state, REQUEST_PENDING);
    pass(&s, 1);
    escalate(&s);
    ck_assert_int_eq(look(&s, got.request).request.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(freeze__a_stopped_clock_runs_on_after_a_restart)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    struct freeze_row frozen = freeze(&s, FREEZE_EVERYTHING, NULL);
    pass(&s, HOUR);
    escalate(&s);
    scenario_restart(&s);
    pass(&s, HOUR);
    thaw(&frozen);
    ck_assert_int_eq(escalate(&s), s.now + 30 * MINUTE);
    ck_assert_int_eq(look(&s, got.request).request.timeout_at, s.now + 30 * MINUTE);
}
END_TEST

START_TEST(freeze__a_rung_waits_for_the_thaw)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ladder.go"));
    pass(&s, 9 * MINUTE);
    struct freeze_row frozen = freeze(&s, FREEZE_ACTION, "ladder.*");
    pass(&s, HOUR);
    escalate(&s);
    struct vote_result voted;
    ck_assert(!try_vote(&s, HANK, got.request, false, &voted));
    ck_assert_str_eq(s.error.code, "not_found");
    thaw(&frozen);
    ck_assert_int_eq(escalate(&s), s.now + MINUTE);
    pass(&s, MINUTE);
    escalate(&s);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"rung.reached\""), 1);
    ck_assert(try_vote(&s, HANK, got.request, false, &voted));
}
END_TEST

START_TEST(freeze__a_timeout_that_had_passed_before_it_holds)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    pass(&s, 31 * MINUTE);
    freeze(&s, FREEZE_EVERYTHING, NULL);
    pass(&s, HOUR);
    escalate(&s);
    ck_assert_int_eq(look(&s, got.request).request.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(freeze__cancelling_still_works)
{
    struct cancel_result cancelled;
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    freeze(&s, FREEZE_EVERYTHING, NULL);
    ck_assert(try_cancel(&s, RUNNER, got.request, &cancelled));
    ck_assert(cancelled.did_cancel);
}
END_TEST

START_TEST(freeze__only_admins_and_the_host_freeze_and_thaw)
{
    struct freeze_row row;
    ck_assert(!try_freeze(&s, DANA, FREEZE_EVERYTHING, NULL, &row));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(!try_freeze(&s, RUNNER, FREEZE_TENANT, NULL, &row));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(try_freeze(&s, HOST, FREEZE_EVERYTHING, NULL, &row));
    ck_assert(!try_thaw(&s, AUDREY, row.id));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(try_thaw(&s, ADA, row.id));
    ck_assert(!try_thaw(&s, ADA, row.id));
    ck_assert_str_eq(s.error.code, "not_found");
}
END_TEST

START_TEST(freeze__of_another_tenant_is_not_an_admins)
{
    struct freeze_row row;
    struct freeze_input input = {.scope = FREEZE_TENANT, .tenant = "elsewhere", .reason = "why"};
    bool ok = operation_freeze(scenario_begin(&s, ADA), &input, &row, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    ok = operation_freeze(scenario_begin(&s, HOST), &input, &row, &s.error);
    ck_assert(scenario_settle(&s, ok));
    ck_assert_int_eq(submit(&s, RUNNER, &free_run).state, REQUEST_APPROVED);
    ck_assert(!try_thaw(&s, ADA, row.id));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(freeze__of_actions_stays_in_its_tenant)
{
    struct freeze_row row;
    struct freeze_input input = {
        .scope = FREEZE_ACTION, .tenant = "elsewhere", .target = "free.*", .reason = "why"};
    bool ok = operation_freeze(scenario_begin(&s, HOST), &input, &row, &s.error);
    ck_assert(scenario_settle(&s, ok));
    ck_assert_int_eq(submit(&s, RUNNER, &free_run).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(freeze__says_what_is_wrong_with_its_input)
{
    struct freeze_row row;
    ck_assert(!try_freeze(&s, ADA, FREEZE_AGENT, NULL, &row));
    ck_assert_str_eq(s.error.code, "target_missing");
    ck_assert(!try_freeze(&s, ADA, FREEZE_ACTION, "", &row));
    ck_assert_str_eq(s.error.code, "target_missing");
    ck_assert(!try_freeze(&s, ADA, FREEZE_AGENT, "nobody", &row));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    ck_assert(!try_freeze(&s, ADA, (enum freeze_scope)0, NULL, &row));
    ck_assert_str_eq(s.error.code, "bad_scope");
    struct freeze_input input = {.scope = FREEZE_TENANT, .reason = ""};
    bool ok = operation_freeze(scenario_begin(&s, ADA), &input, &row, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_str_eq(s.error.code, "reason_missing");
}
END_TEST

START_TEST(freeze__is_listed_while_in_force)
{
    struct freeze_row *freezes;
    size_t count;
    struct freeze_row first = freeze(&s, FREEZE_ACTION, "a.*");
    struct freeze_row second = freeze(&s, FREEZE_EVERYTHING, NULL);
    thaw(&first);
    ck_assert(operation_list_freezes(scenario_begin(&s, DANA), &freezes, &count, &s.error));
    scenario_undo(&s);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(freezes[0].id, second.id);
    ck_assert_str_eq(freezes[0].reason, "a test");
    ck_assert(!operation_list_freezes(scenario_begin(&s, RUNNER), &freezes, &count, &s.error));
    scenario_undo(&s);
}
END_TEST

START_TEST(freeze__of_a_rollback_is_ended_by_recover_only)
{
    struct freeze_row row = {.scope = FREEZE_EVERYTHING, .target = "", .reason = "rolled_back"};
    ck_assert(begin_freeze(scenario_begin_system(&s), &row, &s.error));
    scenario_commit(&s);
    ck_assert(!try_thaw(&s, ADA, row.id));
    ck_assert_str_eq(s.error.code, "recover_needed");
    ck_assert(!try_thaw(&s, HOST, row.id));
    ck_assert_str_eq(s.error.code, "recover_needed");
    ck_assert_int_eq(submit(&s, RUNNER, &free_run).state, REQUEST_DENIED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: freeze");
    TCase *cases = tcase_create("freeze");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, freeze__new_requests_are_denied_as_frozen);
    tcase_add_test(cases, freeze__covers_only_its_scope);
    tcase_add_test(cases, freeze__stops_redemption_at_once_and_for_ever);
    tcase_add_test(cases, freeze__thawed_in_the_same_millisecond_still_counts);
    tcase_add_test(cases, freeze__unredeemed_grants_in_scope_are_revoked_in_batches);
    tcase_add_test(cases, freeze__a_redeemed_grant_may_still_report);
    tcase_add_test(cases, freeze__pending_clocks_stand_still);
    tcase_add_test(cases, freeze__a_stopped_clock_runs_on_after_a_restart);
    tcase_add_test(cases, freeze__a_rung_waits_for_the_thaw);
    tcase_add_test(cases, freeze__a_timeout_that_had_passed_before_it_holds);
    tcase_add_test(cases, freeze__cancelling_still_works);
    tcase_add_test(cases, freeze__only_admins_and_the_host_freeze_and_thaw);
    tcase_add_test(cases, freeze__of_another_tenant_is_not_an_admins);
    tcase_add_test(cases, freeze__of_actions_stays_in_its_tenant);
    tcase_add_test(cases, freeze__says_what_is_wrong_with_its_input);
    tcase_add_test(cases, freeze__is_listed_while_in_force);
    tcase_add_test(cases, freeze__of_a_rollback_is_ended_by_recover_only);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
