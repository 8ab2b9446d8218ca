#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static struct submit_result got;

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void expect_refused(enum error_kind kind, const char *code)
{
    ck_assert_int_eq(s.error.kind, kind);
    ck_assert_str_eq(s.error.code, code);
}

START_TEST(submit__what_policy_allows_is_approved_with_a_grant_at_once)
{
    got = submit(&s, RUNNER, ASK(.action = "free.read"));
    ck_assert_int_eq(got.outcome, SUBMIT_CREATED);
    ck_assert_int_eq(got.state, REQUEST_APPROVED);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.reason, REASON_POLICY_ALLOW);
    ck_assert_int_eq(view.request.ended_at, s.now);
    ck_assert(view.has_grant);
    ck_assert_int_eq(view.grant.state, GRANT_ISSUED);
    ck_assert_int_eq(view.grant.claim_until, s.now + 15 * MINUTE);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.submitted\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"policy.decided\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"policy_allow\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.issued\""), 1);
}
END_TEST

START_TEST(submit__what_policy_denies_is_denied_with_its_message)
{
    got = submit(&s, RUNNER, ASK(.action = "never.ever"));
    ck_assert_int_eq(got.state, REQUEST_DENIED);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.reason, REASON_POLICY_DENY);
    ck_assert_str_eq(view.request.message, "People only.");
    ck_assert(!view.has_grant);
    ck_assert_ptr_null(view.request.grant_settings);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"grant.issued\""), 0);
}
END_TEST

START_TEST(submit__what_needs_people_is_pending_until_its_timeout)
{
    got = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert_int_eq(got.state, REQUEST_PENDING);
    ck_assert(!got.nobody_can_approve);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.timeout_at, s.now + 30 * MINUTE);
    ck_assert_int_eq(view.missing, 2);
    ck_assert_uint_eq(view.requirement_count, 1);
    ck_assert_str_eq(view.asked_groups[0], "ops");
    ck_assert_int_eq(view.request.ended_at, 0);
    ck_assert_int_eq(atomic_load(&s.rig.operations->next_due_at), s.now + 30 * MINUTE);
}
END_TEST

START_TEST(submit__expires_in_shortens_and_never_prolongs)
{
    got = submit(&s, RUNNER, ASK(.action = "two.go", .expires_in_ms = 5 * MINUTE));
    ck_assert_int_eq(look(&s, got.request).request.timeout_at, s.now + 5 * MINUTE);
    got = submit(&s, RUNNER, ASK(.action = "two.stay", .expires_in_ms = 5 * HOUR));
    ck_assert_int_eq(look(&s, got.request).request.timeout_at, s.now + 30 * MINUTE);
}
END_TEST

START_TEST(submit__only_callers_submit)
{
    ck_assert(!try_submit(&s, DANA, ASK(.action = "free.read"), &got));
    expect_refused(ERROR_FORBIDDEN, "not_allowed");
    ck_assert(!try_submit(&s, ADA, ASK(.action = "free.read"), &got));
    expect_refused(ERROR_FORBIDDEN, "not_allowed");
    ck_assert(!try_submit(&s, HOST, ASK(.action = "free.read"), &got));
    expect_refused(ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

START_TEST(submit__a_caller_speaks_only_for_its_agents)
{
    ck_assert(!try_submit(&s, RUNNER, ASK(.agent = "crane"), &got));
    expect_refused(ERROR_FORBIDDEN, "agent_not_registered");
    ck_assert(!try_submit(&s, RUNNER, ASK(.agent = "nobody-knows"), &got));
    expect_refused(ERROR_FORBIDDEN, "agent_not_registered");
    ck_assert(!try_submit(&s, PAYMENTS, ASK(.action = NULL), &got));
    expect_refused(ERROR_FORBIDDEN, "agent_not_registered");
    ck_assert(try_submit(&s, OTHER, ASK(.agent = "crane"), &got));
}
END_TEST

START_TEST(submit__a_caller_of_several_agents_names_one)
{
    ck_assert(!try_submit(&s, OTHER, ASK(.action = "free.read"), &got));
    expect_refused(ERROR_INVALID, "agent_ambiguous");
}
END_TEST

START_TEST(submit__a_disabled_agent_asks_for_nothing)
{
    struct agent_row agent;
    ck_assert(operation_enable_agent(scenario_begin(&s, HOST), "bot", false, &agent, &s.error));
    scenario_commit(&s);
    ck_assert(!try_submit(&s, RUNNER, ASK(.action = "free.read"), &got));
    expect_refused(ERROR_FORBIDDEN, "agent_not_registered");
}
END_TEST

START_TEST(submit__a_caller_acts_only_for_its_subjects)
{
    struct operation *operation = scenario_begin(&s, RUNNER);
    struct submit_input input = {.subject = "{\"id\":\"db\",\"type\":\"service\"}",
                                 .subject_key = "service/db",
                                 .action = "{\"name\":\"free.read\"}",
                                 .action_name = "free.read",
                                 .resource = "{\"id\":\"1\",\"type\":\"order\"}",
                                 .resource_key = "order/1",
                                 .context = "{}"};
    bool ok = operation_submit_request(operation, &input, &got, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    expect_refused(ERROR_FORBIDDEN, "subject_not_registered");
}
END_TEST

START_TEST(submit__an_audience_must_be_one_the_rules_allow)
{
    ck_assert(!try_submit(&s, RUNNER, ASK(.action = "pay.refund", .audience = "else"), &got));
    expect_refused(ERROR_FORBIDDEN, "audience_not_allowed");
    ck_assert(
        !try_submit(&s, RUNNER, ASK(.action = "free.read", .audience = "payments-api"), &got));
    expect_refused(ERROR_FORBIDDEN, "audience_not_allowed");
    ck_assert(
        try_submit(&s, RUNNER, ASK(.action = "pay.refund", .audience = "payments-api"), &got));
    ck_assert(!try_submit(&s, RUNNER, ASK(.action = "ops.run", .audience = "payments-api"),
                          &(struct submit_result){0}));
    expect_refused(ERROR_FORBIDDEN, "audience_not_allowed");
    struct request_view view = look(&s, got.request);
    ck_assert_str_eq(view.grant.audience, "payments-api");
    ck_assert(view.grant.is_bearer);
    ck_assert_int_eq(view.grant.ttl_ms, 60 * SECOND);
    ck_assert_int_eq(view.grant.claim_until, s.now + 10 * MINUTE);
}
END_TEST

START_TEST(submit__rules_that_name_audiences_bind_the_caller_too)
{
    ck_assert(!try_submit(&s, RUNNER, ASK(.action = "pay.refund"), &got));
    expect_refused(ERROR_FORBIDDEN, "audience_not_allowed");
    ck_assert(try_submit(&s, OTHER, ASK(.action = "pay.refund", .agent = "bot"), &got));
    ck_assert(!look(&s, got.request).grant.is_bearer);
}
END_TEST

START_TEST(submit__where_rules_forbid_bearer_only_the_holder_may_redeem)
{
    ck_assert(
        !try_submit(&s, RUNNER, ASK(.action = "strict.pay", .audience = "payments-api"), &got));
    expect_refused(ERROR_FORBIDDEN, "audience_not_allowed");
    ck_assert(try_submit(
        &s, OTHER, ASK(.action = "strict.pay", .agent = "bot", .audience = "payments-api"), &got));
    ck_assert(!look(&s, got.request).grant.is_bearer);
}
END_TEST

START_TEST(submit__the_same_key_and_body_is_the_same_request)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.key = "k1"));
    got = submit(&s, RUNNER, ASK(.key = "k1"));
    ck_assert_int_eq(got.outcome, SUBMIT_REPLAYED);
    ck_assert_str_eq(got.request, first.request);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.submitted\""), 1);
    vote(&s, DANA, first.request, true);
    got = submit(&s, RUNNER, ASK(.key = "k1"));
    ck_assert_int_eq(got.state, REQUEST_APPROVED);
    ck_assert_str_eq(got.request, first.request);
}
END_TEST

START_TEST(submit__the_same_key_with_another_body_is_refused)
{
    submit(&s, RUNNER, ASK(.key = "k1"));
    ck_assert(!try_submit(&s, RUNNER, ASK(.key = "k1", .args = "{\"n\":2}"), &got));
    expect_refused(ERROR_CONFLICT, "idempotency_mismatch");
}
END_TEST

START_TEST(submit__keys_are_each_callers_own)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.key = "k1"));
    got = submit(&s, OTHER, ASK(.key = "k1", .agent = "bot"));
    ck_assert_int_eq(got.outcome, SUBMIT_CREATED);
    ck_assert_str_ne(got.request, first.request);
}
END_TEST

START_TEST(submit__a_replay_tells_that_time_ran_out)
{
    submit(&s, RUNNER, ASK(.key = "k1"));
    pass(&s, 2 * HOUR);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.key = "k1")).state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(submit__a_retry_without_a_key_attaches_to_what_is_pending)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.args = "{\"n\":1}"));
    got = submit(&s, RUNNER, ASK(.args = "{\"n\":1}"));
    ck_assert_int_eq(got.outcome, SUBMIT_ATTACHED);
    ck_assert_str_eq(got.request, first.request);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.args = "{\"n\":2}")).outcome, SUBMIT_CREATED);
    ck_assert_int_eq(submit(&s, OTHER, ASK(.args = "{\"n\":1}", .agent = "bot")).outcome,
                     SUBMIT_CREATED);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.args = "{\"n\":1}", .subject = "tom")).outcome,
                     SUBMIT_CREATED);
}
END_TEST

START_TEST(submit__nothing_attaches_to_what_has_ended)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.action = "ops.run"));
    pass(&s, HOUR);
    got = submit(&s, RUNNER, ASK(.action = "ops.run"));
    ck_assert_int_eq(got.outcome, SUBMIT_CREATED);
    ck_assert_int_eq(look(&s, first.request).request.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(submit__a_retry_attaches_after_a_restart)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.action = "two.go"));
    vote(&s, DANA, first.request, true);
    scenario_restart(&s);
    got = submit(&s, RUNNER, ASK(.action = "two.go"));
    ck_assert_int_eq(got.outcome, SUBMIT_ATTACHED);
    ck_assert_str_eq(got.request, first.request);
    ck_assert_int_eq(look(&s, first.request).missing, 1);
    ck_assert_int_eq(vote(&s, ERIN, first.request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(submit__asking_again_after_a_person_said_no_is_refused_for_a_while)
{
    struct submit_result first = submit(&s, RUNNER, ASK(.action = "ops.run"));
    vote(&s, DANA, first.request, false);
    pass(&s, 10 * MINUTE);
    got = submit(&s, RUNNER, ASK(.action = "ops.run"));
    ck_assert_int_eq(got.state, REQUEST_DENIED);
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.reason, REASON_RECENTLY_DENIED);
    ck_assert_ptr_nonnull(strstr(view.request.explanation, first.request));
    pass(&s, 1);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "ops.run")).state, REQUEST_PENDING);
}
END_TEST

START_TEST(submit__near_repeats_of_denials_are_counted_for_the_approver)
{
    vote(&s, DANA, submit(&s, RUNNER, ASK(.args = "{\"n\":1}")).request, false);
    vote(&s, DANA, submit(&s, RUNNER, ASK(.args = "{\"n\":2}")).request, false);
    got = submit(&s, RUNNER, ASK(.args = "{\"n\":3}"));
    ck_assert_int_eq(got.state, REQUEST_PENDING);
    ck_assert_int_eq(look(&s, got.request).request.near_denials, 2);
    got = submit(&s, RUNNER, ASK(.action = "ops.other"));
    ck_assert_int_eq(look(&s, got.request).request.near_denials, 0);
}
END_TEST

START_TEST(submit__a_timeout_is_no_denial_by_a_person)
{
    submit(&s, RUNNER, ASK(.action = "ops.run"));
    pass(&s, HOUR);
    escalate(&s);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "ops.run")).state, REQUEST_PENDING);
}
END_TEST

START_TEST(submit__more_pending_than_one_caller_may_have_are_refused)
{
    s.rig.operations->options.pending_per_caller_max = 2;
    submit(&s, RUNNER, ASK(.args = "{\"n\":1}"));
    got = submit(&s, RUNNER, ASK(.args = "{\"n\":2}"));
    struct submit_result third;
    ck_assert(!try_submit(&s, RUNNER, ASK(.args = "{\"n\":3}"), &third));
    expect_refused(ERROR_LIMIT, "too_many_pending");
    ck_assert(try_submit(&s, RUNNER, ASK(.args = "{\"n\":2}"), &third));
    ck_assert(try_submit(&s, RUNNER, ASK(.action = "free.read"), &third));
    ck_assert(try_submit(&s, OTHER, ASK(.agent = "bot"), &third));
    vote(&s, DANA, got.request, false);
    ck_assert(try_submit(&s, RUNNER, ASK(.args = "{\"n\":3}"), &third));
}
END_TEST

START_TEST(submit__what_was_rolled_back_does_not_count_as_pending)
{
    s.rig.operations->options.pending_per_caller_max = 2;
    submit(&s, RUNNER, ASK(.args = "{\"n\":1}"));
    struct operation *operation = scenario_begin(&s, RUNNER);
    struct submit_input input = {.subject = "{\"id\":\"sam\",\"type\":\"user\"}",
                                 .subject_key = "user/sam",
                                 .action = "{\"name\":\"ops.run\"}",
                                 .action_name = "ops.run",
                                 .resource = "{\"id\":\"1\",\"type\":\"order\"}",
                                 .resource_key = "order/1",
                                 .context = "{}"};
    ck_assert(operation_submit_request(operation, &input, &got, &s.error));
    s.rig.hooks.rollback(s.rig.hooks.context);
    scenario_undo(&s);
    ck_assert_int_eq(s.rig.operations->place.pending_count, 1);
    submit(&s, RUNNER, ASK(.args = "{\"n\":2}"));
    ck_assert(!try_submit(&s, RUNNER, ASK(.args = "{\"n\":3}"), &got));
    expect_refused(ERROR_LIMIT, "too_many_pending");
    scenario_restart(&s);
    s.rig.operations->options.pending_per_caller_max = 2;
    ck_assert_int_eq(s.rig.operations->place.pending_count, 2);
    ck_assert(!try_submit(&s, RUNNER, ASK(.args = "{\"n\":3}"), &got));
    expect_refused(ERROR_LIMIT, "too_many_pending");
}
END_TEST

START_TEST(submit__what_nobody_can_approve_says_so_at_once)
{
    got = submit(&s, RUNNER, ASK(.action = "empty.box"));
    ck_assert_int_eq(got.state, REQUEST_PENDING);
    ck_assert(got.nobody_can_approve);
    ck_assert(look(&s, got.request).nobody_can_approve);
}
END_TEST

START_TEST(submit__people_who_may_not_approve_do_not_count_as_able_to)
{
    /* Two of ops are needed; with fred and erin gone only dana and the owner olga are left. */
    got = submit(&s, RUNNER, ASK(.action = "two.go"));
    set_enabled(&s, FRED, false);
    ck_assert(!look(&s, got.request).nobody_can_approve);
    set_enabled(&s, ERIN, false);
    ck_assert(look(&s, got.request).nobody_can_approve);
    set_enabled(&s, ERIN, true);
    ck_assert(!look(&s, got.request).nobody_can_approve);
    ck_assert(submit(&s, RUNNER, ASK(.action = "both.go", .subject = "gina")).nobody_can_approve);
    ck_assert(!submit(&s, RUNNER, ASK(.action = "self.go", .subject = "dana")).nobody_can_approve);
}
END_TEST

START_TEST(submit__whoever_is_yet_to_be_asked_counts_as_able_to)
{
    ck_assert(!submit(&s, RUNNER, ASK(.action = "late.go")).nobody_can_approve);
    ck_assert(!submit(&s, RUNNER, ASK(.action = "ops.run", .subject = "dana")).nobody_can_approve);
    set_enabled(&s, DANA, false);
    ck_assert(!submit(&s, RUNNER, ASK(.action = "ops.run")).nobody_can_approve);
}
END_TEST

START_TEST(submit__names_its_parties_in_the_ledger)
{
    got = submit(&s, RUNNER, ASK(.action = "two.go", .subject = "DANA"));
    struct request_view view = look(&s, got.request);
    char *both = arena_printf(s.arena, "%s %s", person_id(&s, DANA), person_id(&s, OLGA));
    ck_assert_str_eq(view.request.parties, both);
    char *listed = arena_printf(s.arena, "\"parties\":[\"%s\",\"%s\"]", person_id(&s, DANA),
                                person_id(&s, OLGA));
    ck_assert_uint_eq(count_entries(&s, listed), 1);
}
END_TEST

START_TEST(submit__arguments_stay_out_of_the_ledger)
{
    submit(&s, RUNNER, ASK(.args = "{\"secret\":\"swordfish\"}"));
    submit(&s, RUNNER, ASK(.action = "free.read", .args = "{\"secret\":\"swordfish\"}"));
    ck_assert_uint_eq(count_entries(&s, "swordfish"), 0);
}
END_TEST

START_TEST(submit__an_unfinished_run_of_the_same_makes_it_need_a_person)
{
    got = submit(&s, RUNNER, ASK(.action = "free.run"));
    struct grant_claims token = mint(&s, got.request);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, ASK(.action = "free.run")).refusal, GRANT_ACCEPTED);
    struct submit_result again = submit(&s, OTHER, ASK(.action = "free.run", .agent = "crane"));
    ck_assert_int_eq(again.state, REQUEST_PENDING);
    struct request_view view = look(&s, again.request);
    ck_assert_str_eq(view.requirements[0].rule, "default");
    ck_assert_str_eq(view.open_effect_of, token.grant);
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "free.run", .args = "{\"n\":2}")).state,
                     REQUEST_APPROVED);
    struct effect_result effect;
    ck_assert(try_effect(&s, RUNNER, token.grant, GRANT_REPORT_SUCCEEDED, &effect));
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "free.run")).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(submit__an_unfinished_run_denies_where_no_rule_can_ask_a_person)
{
    scenario_publish(&s, "version: 1\n"
                         "defaults: { verdict: deny }\n"
                         "rules:\n"
                         "  - { name: free, match: { action: \"free.*\" }, verdict: allow }\n");
    struct grant_claims token = mint(&s, submit(&s, RUNNER, ASK(.action = "free.run")).request);
    redeem(&s, RUNNER, &token, ASK(.action = "free.run"));
    got = submit(&s, RUNNER, ASK(.action = "free.run"));
    ck_assert_int_eq(got.state, REQUEST_DENIED);
    ck_assert_int_eq(look(&s, got.request).request.reason, REASON_POLICY_DENY);
}
END_TEST

START_TEST(submit__what_is_rolled_back_leaves_nothing)
{
    size_t before = count_entries(&s, "");
    struct operation *operation = scenario_begin(&s, RUNNER);
    struct submit_input input = {.subject = "{\"id\":\"sam\",\"type\":\"user\"}",
                                 .subject_key = "user/sam",
                                 .action = "{\"name\":\"ops.run\"}",
                                 .action_name = "ops.run",
                                 .resource = "{\"id\":\"1\",\"type\":\"order\"}",
                                 .resource_key = "order/1",
                                 .context = "{}"};
    ck_assert(operation_submit_request(operation, &input, &got, &s.error));
    scenario_undo(&s);
    ck_assert_uint_eq(count_entries(&s, ""), before);
    struct request_view view;
    ck_assert(!try_read(&s, HOST, got.request, false, &view));
    expect_refused(ERROR_NOT_FOUND, "not_found");
    ck_assert_int_eq(submit(&s, RUNNER, ASK(.action = "ops.run")).outcome, SUBMIT_CREATED);
}
END_TEST

START_TEST(submit__each_change_is_told_once_with_its_newest_state)
{
    struct operation *operation = scenario_begin(&s, RUNNER);
    struct submit_input input = {.subject = "{\"id\":\"sam\",\"type\":\"user\"}",
                                 .subject_key = "user/sam",
                                 .action = "{\"name\":\"free.run\"}",
                                 .action_name = "free.run",
                                 .resource = "{\"id\":\"1\",\"type\":\"order\"}",
                                 .resource_key = "order/1",
                                 .context = "{}"};
    ck_assert(operation_submit_request(operation, &input, &got, &s.error));
    ck_assert_ptr_nonnull(operation->changes);
    ck_assert_str_eq(operation->changes->request, got.request);
    ck_assert_int_eq(operation->changes->state, REQUEST_APPROVED);
    ck_assert_ptr_null(operation->changes->next);
    scenario_commit(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: submit");
    TCase *cases = tcase_create("submit");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, submit__what_policy_allows_is_approved_with_a_grant_at_once);
    tcase_add_test(cases, submit__what_policy_denies_is_denied_with_its_message);
    tcase_add_test(cases, submit__what_needs_people_is_pending_until_its_timeout);
    tcase_add_test(cases, submit__expires_in_shortens_and_never_prolongs);
    tcase_add_test(cases, submit__only_callers_submit);
    tcase_add_test(cases, submit__a_caller_speaks_only_for_its_agents);
    tcase_add_test(cases, submit__a_caller_of_several_agents_names_one);
    tcase_add_test(cases, submit__a_disabled_agent_asks_for_nothing);
    tcase_add_test(cases, submit__a_caller_acts_only_for_its_subjects);
    tcase_add_test(cases, submit__an_audience_must_be_one_the_rules_allow);
    tcase_add_test(cases, submit__rules_that_name_audiences_bind_the_caller_too);
    tcase_add_test(cases, submit__where_rules_forbid_bearer_only_the_holder_may_redeem);
    tcase_add_test(cases, submit__the_same_key_and_body_is_the_same_request);
    tcase_add_test(cases, submit__the_same_key_with_another_body_is_refused);
    tcase_add_test(cases, submit__keys_are_each_callers_own);
    tcase_add_test(cases, submit__a_replay_tells_that_time_ran_out);
    tcase_add_test(cases, submit__a_retry_without_a_key_attaches_to_what_is_pending);
    tcase_add_test(cases, submit__nothing_attaches_to_what_has_ended);
    tcase_add_test(cases, submit__a_retry_attaches_after_a_restart);
    tcase_add_test(cases, submit__asking_again_after_a_person_said_no_is_refused_for_a_while);
    tcase_add_test(cases, submit__near_repeats_of_denials_are_counted_for_the_approver);
    tcase_add_test(cases, submit__a_timeout_is_no_denial_by_a_person);
    tcase_add_test(cases, submit__more_pending_than_one_caller_may_have_are_refused);
    tcase_add_test(cases, submit__what_was_rolled_back_does_not_count_as_pending);
    tcase_add_test(cases, submit__what_nobody_can_approve_says_so_at_once);
    tcase_add_test(cases, submit__people_who_may_not_approve_do_not_count_as_able_to);
    tcase_add_test(cases, submit__whoever_is_yet_to_be_asked_counts_as_able_to);
    tcase_add_test(cases, submit__names_its_parties_in_the_ledger);
    tcase_add_test(cases, submit__arguments_stay_out_of_the_ledger);
    tcase_add_test(cases, submit__an_unfinished_run_of_the_same_makes_it_need_a_person);
    tcase_add_test(cases, submit__an_unfinished_run_denies_where_no_rule_can_ask_a_person);
    tcase_add_test(cases, submit__what_is_rolled_back_leaves_nothing);
    tcase_add_test(cases, submit__each_change_is_told_once_with_its_newest_state);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
