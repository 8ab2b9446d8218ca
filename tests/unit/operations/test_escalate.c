#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

START_TEST(escalate__expires_what_nobody_answered)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    pass(&s, 30 * MINUTE - 1);
    ck_assert_int_eq(escalate(&s), s.now + 1);
    ck_assert_int_eq(look(&s, got.request).request.state, REQUEST_PENDING);
    pass(&s, 1);
    ck_assert_int_eq(escalate(&s), 0);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.state, REQUEST_EXPIRED);
    ck_assert_int_eq(view.request.reason, REASON_TIMED_OUT);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.expired\""), 1);
}
END_TEST

START_TEST(escalate__a_rung_names_who_is_asked_since_when)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ladder.go"));
    ck_assert_int_eq(escalate(&s), s.now + 10 * MINUTE);
    pass(&s, 10 * MINUTE);
    ck_assert_int_eq(escalate(&s), s.now + 20 * MINUTE);
    ck_assert_uint_eq(
        count_entries(&s, "\"data\":{\"groups\":[\"leads\"],\"requirement\":0,\"rung\":1}"), 1);
    escalate(&s);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"rung.reached\""), 1);
    struct request_view view = look(&s, got.request);
    ck_assert_uint_eq(view.asked_group_count, 2);
    ck_assert_str_eq(view.asked_groups[1], "leads");
}
END_TEST

START_TEST(escalate__rungs_missed_while_down_are_reached_late)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ladder.go"));
    pass(&s, 25 * MINUTE);
    scenario_restart(&s);
    escalate(&s);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"rung.reached\""), 1);
    ck_assert_int_eq(vote(&s, HANK, got.request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(escalate__the_escalation_group_is_asked_at_half_time)
{
    set_member(&s, HANK, "escalation", true);
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ops.run"));
    struct vote_result voted;
    ck_assert_int_eq(escalate(&s), s.now + 30 * MINUTE);
    pass(&s, 30 * MINUTE - 1);
    ck_assert(!try_vote(&s, HANK, got.request, true, &voted));
    ck_assert_str_eq(s.error.code, "not_found");
    pass(&s, 1);
    ck_assert_int_eq(vote(&s, HANK, got.request, true).state, REQUEST_APPROVED);
    ck_assert_uint_eq(count_entries(&s, "\"groups\":[\"escalation\"]"), 1);
}
END_TEST

START_TEST(escalate__half_time_is_of_the_time_the_request_has)
{
    set_member(&s, HANK, "escalation", true);
    submit(&s, RUNNER, ASK(.action = "ops.run", .expires_in_ms = 10 * MINUTE));
    ck_assert_int_eq(escalate(&s), s.now + 5 * MINUTE);
}
END_TEST

START_TEST(escalate__a_ladder_of_its_own_needs_no_escalation_group)
{
    set_member(&s, NORA, "escalation", true);
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ladder.go"));
    pass(&s, 29 * MINUTE);
    escalate(&s);
    struct vote_result voted;
    ck_assert(!try_vote(&s, NORA, got.request, true, &voted));
    ck_assert_uint_eq(count_entries(&s, "\"groups\":[\"escalation\"]"), 0);
}
END_TEST

START_TEST(escalate__an_escalation_group_without_members_is_not_asked)
{
    submit(&s, RUNNER, ASK(.action = "ops.run"));
    ck_assert_int_eq(escalate(&s), s.now + HOUR);
}
END_TEST

START_TEST(escalate__grants_lapse_and_effects_become_unknown)
{
    struct ask run = {.action = "free.run"};
    struct submit_result idle = submit(&s, RUNNER, ASK(.action = "free.idle"));
    struct submit_result used = submit(&s, RUNNER, &run);
    struct grant_claims token = mint(&s, used.request);
    redeem(&s, RUNNER, &token, &run);
    pass(&s, 15 * MINUTE);
    ck_assert_int_eq(escalate(&s), 0);
    ck_assert_int_eq(look(&s, idle.request).grant.state, GRANT_LAPSED);
    ck_assert_int_eq(look(&s, used.request).grant.state, GRANT_UNKNOWN);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.lapsed\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"effect.unknown\""), 1);
}
END_TEST

START_TEST(escalate__works_in_bounded_pieces)
{
    size_t done;
    int64_t next;
    for (int i = 0; i < 7; i++) {
        submit(&s, RUNNER, ASK(.args = arena_printf(s.arena, "{\"n\":%d}", i)));
    }
    pass(&s, HOUR);
    for (int left = 7; left > 0; left -= 3) {
        ck_assert(operation_escalate_due(scenario_begin_system(&s), 3, &done, &next, &s.error));
        scenario_commit(&s);
        ck_assert_uint_eq(done, left > 3 ? 3 : (size_t)left);
        ck_assert_int_eq(next, left >= 3 ? s.now : 0);
    }
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.expired\""), 7);
}
END_TEST

START_TEST(escalate__is_the_gateways_own)
{
    size_t done;
    int64_t next;
    bool ok = operation_escalate_due(scenario_begin(&s, ADA), 3, &done, &next, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_str_eq(s.error.code, "not_allowed");
}
END_TEST

START_TEST(escalate__tells_waiters_of_every_request_it_ended)
{
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "two.go"));
    size_t done;
    int64_t next;
    pass(&s, HOUR);
    struct operation *operation = scenario_begin_system(&s);
    ck_assert(operation_escalate_due(operation, 10, &done, &next, &s.error));
    ck_assert_str_eq(operation->changes->request, got.request);
    ck_assert_int_eq(operation->changes->state, REQUEST_EXPIRED);
    scenario_commit(&s);
}
END_TEST

START_TEST(escalate__a_rolled_back_turn_is_looked_at_again)
{
    size_t done;
    int64_t next;
    submit(&s, RUNNER, ASK(.action = "two.go"));
    pass(&s, HOUR);
    ck_assert(operation_escalate_due(scenario_begin_system(&s), 10, &done, &next, &s.error));
    scenario_undo(&s);
    int64_t due_at = atomic_load(&s.rig.operations->next_due_at);
    ck_assert(due_at > 0 && due_at <= s.now);
    escalate(&s);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.expired\""), 1);
}
END_TEST

START_TEST(cancel__a_caller_withdraws_its_own)
{
    struct cancel_result got;
    struct submit_result asked = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert(!try_cancel(&s, OTHER, asked.request, &got));
    ck_assert_str_eq(s.error.code, "not_found");
    ck_assert(try_cancel(&s, RUNNER, asked.request, &got));
    ck_assert(got.did_cancel);
    ck_assert_int_eq(got.state, REQUEST_CANCELLED);
    ck_assert_int_eq(got.reason, REASON_WITHDRAWN);
    ck_assert(try_cancel(&s, RUNNER, asked.request, &got));
    ck_assert(!got.did_cancel);
    ck_assert_int_eq(got.reason, REASON_WITHDRAWN);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.cancelled\""), 1);
}
END_TEST

START_TEST(cancel__admins_and_the_host_cancel_anything_of_the_tenant)
{
    struct cancel_result got;
    struct submit_result asked = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert(try_cancel(&s, ADA, asked.request, &got));
    ck_assert_int_eq(got.reason, REASON_CANCELLED_BY_ADMIN);
    asked = submit(&s, RUNNER, ASK(.action = "ops.run"));
    ck_assert(try_cancel(&s, HOST, asked.request, &got));
    ck_assert_int_eq(got.reason, REASON_CANCELLED_BY_ADMIN);
}
END_TEST

START_TEST(cancel__approvers_and_auditors_may_not)
{
    struct cancel_result got;
    struct submit_result asked = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert(!try_cancel(&s, DANA, asked.request, &got));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(!try_cancel(&s, AUDREY, asked.request, &got));
    ck_assert_str_eq(s.error.code, "not_allowed");
    ck_assert(!try_cancel(&s, NORA, asked.request, &got));
    ck_assert_str_eq(s.error.code, "not_found");
}
END_TEST

START_TEST(cancel__what_has_ended_keeps_its_end)
{
    struct cancel_result got;
    struct submit_result asked = submit(&s, RUNNER, ASK(.action = "free.run"));
    ck_assert(try_cancel(&s, RUNNER, asked.request, &got));
    ck_assert(!got.did_cancel);
    ck_assert_int_eq(got.state, REQUEST_APPROVED);
    asked = submit(&s, RUNNER, ASK(.action = "two.go"));
    pass(&s, HOUR);
    ck_assert(try_cancel(&s, RUNNER, asked.request, &got));
    ck_assert(!got.did_cancel);
    ck_assert_int_eq(got.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(cancel__keeps_the_words_out_of_the_ledger)
{
    struct cancel_result got;
    struct submit_result asked = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert(operation_cancel_request(scenario_begin(&s, RUNNER), asked.request, "changed my mind",
                                       &got, &s.error));
    scenario_commit(&s);
    ck_assert_str_eq(look(&s, asked.request).request.message, "changed my mind");
    ck_assert_uint_eq(count_entries(&s, "changed my mind"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: escalate");
    TCase *cases = tcase_create("escalate");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, escalate__expires_what_nobody_answered);
    tcase_add_test(cases, escalate__a_rung_names_who_is_asked_since_when);
    tcase_add_test(cases, escalate__rungs_missed_while_down_are_reached_late);
    tcase_add_test(cases, escalate__the_escalation_group_is_asked_at_half_time);
    tcase_add_test(cases, escalate__half_time_is_of_the_time_the_request_has);
    tcase_add_test(cases, escalate__a_ladder_of_its_own_needs_no_escalation_group);
    tcase_add_test(cases, escalate__an_escalation_group_without_members_is_not_asked);
    tcase_add_test(cases, escalate__grants_lapse_and_effects_become_unknown);
    tcase_add_test(cases, escalate__works_in_bounded_pieces);
    tcase_add_test(cases, escalate__is_the_gateways_own);
    tcase_add_test(cases, escalate__tells_waiters_of_every_request_it_ended);
    tcase_add_test(cases, escalate__a_rolled_back_turn_is_looked_at_again);
    tcase_add_test(cases, cancel__a_caller_withdraws_its_own);
    tcase_add_test(cases, cancel__admins_and_the_host_cancel_anything_of_the_tenant);
    tcase_add_test(cases, cancel__approvers_and_auditors_may_not);
    tcase_add_test(cases, cancel__what_has_ended_keeps_its_end);
    tcase_add_test(cases, cancel__keeps_the_words_out_of_the_ledger);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
