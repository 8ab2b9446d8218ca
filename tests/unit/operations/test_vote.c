#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static struct vote_result voted;
static char request[ID_BYTES];

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void ask(const char *action, const char *subject)
{
    struct submit_result result = submit(&s, RUNNER, ASK(.action = action, .subject = subject));
    memcpy(request, result.request, sizeof request);
}

static void expect_refused(enum cast who, bool approves, enum error_kind kind, const char *code)
{
    ck_assert(!try_vote(&s, who, request, approves, &voted));
    ck_assert_int_eq(s.error.kind, kind);
    ck_assert_str_eq(s.error.code, code);
}

START_TEST(vote__one_approval_is_enough_where_one_is_asked)
{
    ask("ops.run", NULL);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.outcome, VOTE_COUNTED);
    ck_assert_int_eq(voted.state, REQUEST_APPROVED);
    ck_assert_int_eq(voted.reason, REASON_APPROVED_BY_PEOPLE);
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.grant.state, GRANT_ISSUED);
    ck_assert_int_eq(view.grant.claim_until, s.now + 15 * MINUTE);
    bool rests;
    ck_assert(
        store_grant_rests_on(s.rig.store, view.grant.id, person_id(&s, DANA), &rests, &s.error));
    ck_assert(rests);
    char *assigned = arena_printf(
        s.arena, "\"assigned\":[{\"group\":\"ops\",\"person\":\"%s\",\"requirement\":0}]",
        person_id(&s, DANA));
    ck_assert_uint_eq(count_entries(&s, assigned), 1);
}
END_TEST

START_TEST(vote__a_quorum_of_two_needs_two_people)
{
    ask("two.go", NULL);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.state, REQUEST_PENDING);
    ck_assert_uint_eq(voted.missing, 1);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.outcome, VOTE_UNCHANGED);
    ck_assert_uint_eq(voted.missing, 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote\""), 1);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__one_person_serves_one_requirement_only)
{
    set_member(&s, DANA, "finance", true);
    ask("both.go", NULL);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.state, REQUEST_PENDING);
    ck_assert_uint_eq(voted.missing, 1);
    ck_assert_int_eq(vote(&s, GINA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__the_shortest_timeout_of_all_rules_holds)
{
    ask("both.go", NULL);
    ck_assert_int_eq(look(&s, request).request.timeout_at, s.now + 40 * MINUTE);
}
END_TEST

START_TEST(vote__one_denial_ends_it)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    voted = vote(&s, ERIN, request, false);
    ck_assert_int_eq(voted.state, REQUEST_DENIED);
    ck_assert_int_eq(voted.reason, REASON_DENIED_BY_PERSON);
    struct request_view view = look(&s, request);
    ck_assert_str_eq(view.request.ended_by, person_id(&s, ERIN));
    ck_assert(!view.has_grant);
}
END_TEST

START_TEST(vote__a_deny_quorum_of_two_needs_two_denials)
{
    ask("veto.go", NULL);
    ck_assert_int_eq(vote(&s, DANA, request, false).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, ERIN, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(vote__a_mind_may_be_changed_before_the_end)
{
    ask("veto.go", NULL);
    vote(&s, DANA, request, true);
    voted = vote(&s, DANA, request, false);
    ck_assert_int_eq(voted.outcome, VOTE_COUNTED);
    ck_assert_uint_eq(voted.missing, 2);
    voted = vote(&s, DANA, request, true);
    ck_assert_uint_eq(voted.missing, 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote\""), 3);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__a_mind_is_not_changed_for_ever)
{
    ask("veto.go", NULL);
    for (int i = 0; i < 20; i++) {
        vote(&s, DANA, request, i % 2 == 0);
    }
    expect_refused(DANA, true, ERROR_LIMIT, "too_many_votes");
}
END_TEST

START_TEST(vote__the_subject_may_not_approve_but_may_deny)
{
    ask("ops.run", "Dana");
    expect_refused(DANA, true, ERROR_FORBIDDEN, "separation_of_duties");
    ck_assert_int_eq(vote(&s, DANA, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(vote__the_agents_owner_may_not_approve)
{
    ask("ops.run", NULL);
    expect_refused(OLGA, true, ERROR_FORBIDDEN, "separation_of_duties");
    ck_assert_int_eq(vote(&s, OLGA, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(vote__who_owned_the_agent_when_it_asked_may_not_approve_later)
{
    ask("ops.run", NULL);
    struct agent_row agent;
    scenario_begin(&s, HOST);
    ck_assert(store_read_agent(s.rig.store, "default", "bot", s.arena, &agent, &s.error));
    agent.owner[0] = '\0';
    ck_assert(store_update_agent(s.rig.store, &agent, &s.error));
    scenario_commit(&s);
    expect_refused(OLGA, true, ERROR_FORBIDDEN, "separation_of_duties");
}
END_TEST

START_TEST(vote__rules_that_all_allow_it_let_a_party_approve)
{
    ask("self.go", "dana");
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__who_was_not_asked_does_not_learn_that_there_is_a_request)
{
    ask("ops.run", NULL);
    expect_refused(NORA, true, ERROR_NOT_FOUND, "not_found");
    expect_refused(GINA, false, ERROR_NOT_FOUND, "not_found");
    struct error known = s.error;
    char missing[ID_BYTES];
    memcpy(missing, request, sizeof missing);
    crypto_make_id("req", s.now, request);
    struct vote_input input = {.request = request, .revision = 1};
    bool ok = operation_cast_vote(scenario_begin(&s, GINA), &input, &voted, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_int_eq(s.error.kind, known.kind);
    ck_assert_str_eq(s.error.code, known.code);
    ck_assert_str_eq(s.error.message, known.message);
}
END_TEST

START_TEST(vote__who_may_read_but_was_not_asked_may_not_vote)
{
    ask("ops.run", NULL);
    expect_refused(AUDREY, true, ERROR_FORBIDDEN, "not_eligible");
    expect_refused(ADA, true, ERROR_FORBIDDEN, "not_eligible");
    expect_refused(ADA, false, ERROR_FORBIDDEN, "not_eligible");
}
END_TEST

START_TEST(vote__callers_and_the_host_never_vote)
{
    ask("ops.run", NULL);
    expect_refused(RUNNER, true, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(HOST, true, ERROR_FORBIDDEN, "not_allowed");
    expect_refused(OTHER, true, ERROR_NOT_FOUND, "not_found");
}
END_TEST

START_TEST(vote__is_for_what_its_person_saw)
{
    ask("ops.run", NULL);
    struct request_view view = look(&s, request);
    struct vote_input input = {
        .request = request, .revision = 2, .digest = view.request.digest, .approves = true};
    bool ok = operation_cast_vote(scenario_begin(&s, DANA), &input, &voted, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_str_eq(s.error.code, "digest_mismatch");
    input.revision = 1;
    input.digest.bytes[31] ^= 1;
    ok = operation_cast_vote(scenario_begin(&s, DANA), &input, &voted, &s.error);
    ck_assert(!scenario_settle(&s, ok));
    ck_assert_int_eq(s.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(s.error.code, "digest_mismatch");
}
END_TEST

START_TEST(vote__at_the_instant_of_the_timeout_comes_late)
{
    ask("ops.run", NULL);
    pass(&s, HOUR);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.outcome, VOTE_LATE);
    ck_assert_int_eq(voted.state, REQUEST_EXPIRED);
    ck_assert_int_eq(voted.reason, REASON_TIMED_OUT);
    ck_assert(!look(&s, request).has_grant);
}
END_TEST

START_TEST(vote__a_millisecond_before_the_timeout_counts)
{
    ask("ops.run", NULL);
    pass(&s, HOUR - 1);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
    pass(&s, 1);
    escalate(&s);
    ck_assert_int_eq(look(&s, request).request.state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__after_the_end_is_recorded_once_and_changes_nothing)
{
    ask("ops.run", NULL);
    vote(&s, DANA, request, true);
    voted = vote(&s, ERIN, request, false);
    ck_assert_int_eq(voted.outcome, VOTE_LATE);
    ck_assert_int_eq(voted.state, REQUEST_APPROVED);
    ck_assert_int_eq(vote(&s, ERIN, request, false).outcome, VOTE_LATE);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote.late\""), 1);
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_ISSUED);
    ck_assert_int_eq(vote(&s, ERIN, request, true).outcome, VOTE_LATE);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote.late\""), 2);
}
END_TEST

START_TEST(vote__the_yes_of_someone_who_left_the_group_does_not_count)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    set_member(&s, DANA, "ops", false);
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"left_groups\""), 1);
    voted = vote(&s, ERIN, request, true);
    ck_assert_int_eq(voted.state, REQUEST_PENDING);
    ck_assert_uint_eq(voted.missing, 1);
    ck_assert_int_eq(vote(&s, FRED, request, true).state, REQUEST_APPROVED);
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"left_groups\""), 1);
}
END_TEST

START_TEST(vote__leaving_one_of_two_groups_that_were_asked_changes_nothing)
{
    set_member(&s, DANA, "finance", true);
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    set_member(&s, DANA, "finance", false);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote.uncounted\""), 0);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__what_was_taken_back_counts_again_only_after_a_new_vote)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    set_enabled(&s, DANA, false);
    set_enabled(&s, DANA, true);
    voted = vote(&s, ERIN, request, true);
    ck_assert_int_eq(voted.state, REQUEST_PENDING);
    ck_assert_uint_eq(voted.missing, 1);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.outcome, VOTE_COUNTED);
    ck_assert_int_eq(voted.state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__taking_votes_back_is_told_to_who_waits)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    struct operation *operation = scenario_begin(&s, HOST);
    ck_assert(operation_join_group(operation, "ops", "dana", false, &s.error));
    ck_assert_ptr_nonnull(operation->changes);
    ck_assert_str_eq(operation->changes->request, request);
    scenario_commit(&s);
}
END_TEST

START_TEST(vote__the_denial_of_someone_disabled_does_not_count)
{
    ask("veto.go", NULL);
    vote(&s, DANA, request, false);
    set_enabled(&s, DANA, false);
    ck_assert_int_eq(vote(&s, ERIN, request, false).state, REQUEST_PENDING);
    vote(&s, ERIN, request, true);
    ck_assert_int_eq(vote(&s, FRED, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(vote__someone_disabled_by_other_means_is_still_found_at_the_end)
{
    /* Straight in the store, as a restored membership might be: nothing told the request. */
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    scenario_begin(&s, HOST);
    ck_assert(store_delete_member(s.rig.store, "default", "ops", person_id(&s, DANA), &s.error));
    scenario_commit(&s);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_PENDING);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote.uncounted\""), 0);
    ck_assert_int_eq(vote(&s, FRED, request, true).state, REQUEST_APPROVED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"vote.uncounted\""), 1);
}
END_TEST

START_TEST(vote__disabling_the_approver_revokes_the_grant)
{
    ask("ops.run", NULL);
    vote(&s, DANA, request, true);
    struct grant_claims token = mint(&s, request);
    set_enabled(&s, DANA, false);
    ck_assert_int_eq(look(&s, request).grant.state, GRANT_REVOKED);
    ck_assert_int_eq(redeem(&s, RUNNER, &token, ASK(.action = "ops.run")).refusal,
                     GRANT_REFUSED_REVOKED);
}
END_TEST

START_TEST(vote__a_later_rung_votes_only_from_its_time_on)
{
    ask("ladder.go", NULL);
    pass(&s, 10 * MINUTE - 1);
    expect_refused(HANK, true, ERROR_NOT_FOUND, "not_found");
    pass(&s, 1);
    ck_assert_int_eq(vote(&s, HANK, request, true).state, REQUEST_APPROVED);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"rung.reached\""), 1);
    ck_assert_uint_eq(count_entries(&s, "\"assigned\":[{\"group\":\"leads\""), 1);
}
END_TEST

START_TEST(vote__too_little_assurance_is_told_what_is_missing)
{
    ask("ops.run", NULL);
    struct request_view view = look(&s, request);
    struct operation *operation = scenario_begin(&s, DANA);
    operation->principal.assurance = ASSURANCE_CHAT;
    struct vote_input input = {
        .request = request, .revision = 1, .digest = view.request.digest, .approves = true};
    ck_assert(!operation_cast_vote(operation, &input, &voted, &s.error));
    ck_assert_str_eq(s.error.code, "assurance_too_low");
    ck_assert_ptr_nonnull(strstr(s.error.message, "`session`"));
    scenario_undo(&s);
    operation = scenario_begin(&s, DANA);
    operation->principal.assurance = ASSURANCE_CHAT;
    input.approves = false;
    ck_assert(operation_cast_vote(operation, &input, &voted, &s.error));
    ck_assert_int_eq(voted.state, REQUEST_DENIED);
    scenario_commit(&s);
}
END_TEST

START_TEST(vote__is_blind_while_a_critical_request_is_pending)
{
    struct request_view view;
    ask("critical.go", NULL);
    vote(&s, DANA, request, true);
    ck_assert(try_read(&s, ERIN, request, false, &view));
    ck_assert_uint_eq(view.vote_count, 0);
    ck_assert_uint_eq(view.missing, 2);
    ck_assert_uint_eq(view.approved[0], 0);
    ck_assert(try_read(&s, RUNNER, request, false, &view));
    ck_assert_uint_eq(view.vote_count, 0);
    ck_assert(try_read(&s, AUDREY, request, false, &view));
    ck_assert_uint_eq(view.vote_count, 1);
    ck_assert(try_read(&s, DANA, request, false, &view));
    ck_assert_uint_eq(view.vote_count, 1);
    ck_assert_uint_eq(view.missing, 1);
    vote(&s, ERIN, request, false);
    ck_assert(try_read(&s, ERIN, request, false, &view));
    ck_assert_uint_eq(view.vote_count, 2);
}
END_TEST

START_TEST(vote__a_denial_of_a_critical_request_stands)
{
    ask("critical.go", NULL);
    vote(&s, DANA, request, false);
    expect_refused(DANA, true, ERROR_CONFLICT, "denial_stands");
    vote(&s, ERIN, request, true);
    ck_assert_int_eq(vote(&s, ERIN, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(vote__a_yes_is_refused_while_frozen_and_a_no_is_not)
{
    ask("veto.go", NULL);
    struct freeze_row frozen = freeze(&s, FREEZE_EVERYTHING, NULL);
    expect_refused(DANA, true, ERROR_CONFLICT, "frozen");
    ck_assert_int_eq(vote(&s, DANA, request, false).outcome, VOTE_COUNTED);
    pass(&s, MINUTE);
    ck_assert(try_thaw(&s, ADA, frozen.id));
    ck_assert_int_eq(vote(&s, DANA, request, true).outcome, VOTE_COUNTED);
}
END_TEST

START_TEST(vote__a_policy_that_denies_now_ends_it_before_the_vote_counts)
{
    ask("ops.run", NULL);
    scenario_begin_system(&s);
    /* Published, but this request was not looked at yet. */
    struct policy_file file = {.name = "p.yaml",
                               .bytes = "version: 1\ndefaults: {verdict: deny}\n"};
    file.length = strlen(file.bytes);
    struct policy *policy = policy_compile(&file, 1, &s.error);
    ck_assert_ptr_nonnull(policy);
    policy_destroy(s.rig.operations->policy);
    s.rig.operations->policy = policy;
    s.rig.operations->policy_at_begin = policy;
    s.rig.operations->policy_at_savepoint = policy;
    scenario_commit(&s);
    voted = vote(&s, DANA, request, true);
    ck_assert_int_eq(voted.outcome, VOTE_LATE);
    ck_assert_int_eq(voted.state, REQUEST_DENIED);
    ck_assert_int_eq(voted.reason, REASON_POLICY_DENY);
}
END_TEST

START_TEST(vote__survives_a_restart)
{
    ask("two.go", NULL);
    vote(&s, DANA, request, true);
    scenario_restart(&s);
    ck_assert_int_eq(vote(&s, DANA, request, true).outcome, VOTE_UNCHANGED);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: vote");
    TCase *cases = tcase_create("vote");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, vote__one_approval_is_enough_where_one_is_asked);
    tcase_add_test(cases, vote__a_quorum_of_two_needs_two_people);
    tcase_add_test(cases, vote__one_person_serves_one_requirement_only);
    tcase_add_test(cases, vote__the_shortest_timeout_of_all_rules_holds);
    tcase_add_test(cases, vote__one_denial_ends_it);
    tcase_add_test(cases, vote__a_deny_quorum_of_two_needs_two_denials);
    tcase_add_test(cases, vote__a_mind_may_be_changed_before_the_end);
    tcase_add_test(cases, vote__a_mind_is_not_changed_for_ever);
    tcase_add_test(cases, vote__the_subject_may_not_approve_but_may_deny);
    tcase_add_test(cases, vote__the_agents_owner_may_not_approve);
    tcase_add_test(cases, vote__who_owned_the_agent_when_it_asked_may_not_approve_later);
    tcase_add_test(cases, vote__rules_that_all_allow_it_let_a_party_approve);
    tcase_add_test(cases, vote__who_was_not_asked_does_not_learn_that_there_is_a_request);
    tcase_add_test(cases, vote__who_may_read_but_was_not_asked_may_not_vote);
    tcase_add_test(cases, vote__callers_and_the_host_never_vote);
    tcase_add_test(cases, vote__is_for_what_its_person_saw);
    tcase_add_test(cases, vote__at_the_instant_of_the_timeout_comes_late);
    tcase_add_test(cases, vote__a_millisecond_before_the_timeout_counts);
    tcase_add_test(cases, vote__after_the_end_is_recorded_once_and_changes_nothing);
    tcase_add_test(cases, vote__the_yes_of_someone_who_left_the_group_does_not_count);
    tcase_add_test(cases, vote__leaving_one_of_two_groups_that_were_asked_changes_nothing);
    tcase_add_test(cases, vote__what_was_taken_back_counts_again_only_after_a_new_vote);
    tcase_add_test(cases, vote__taking_votes_back_is_told_to_who_waits);
    tcase_add_test(cases, vote__the_denial_of_someone_disabled_does_not_count);
    tcase_add_test(cases, vote__someone_disabled_by_other_means_is_still_found_at_the_end);
    tcase_add_test(cases, vote__disabling_the_approver_revokes_the_grant);
    tcase_add_test(cases, vote__a_later_rung_votes_only_from_its_time_on);
    tcase_add_test(cases, vote__too_little_assurance_is_told_what_is_missing);
    tcase_add_test(cases, vote__is_blind_while_a_critical_request_is_pending);
    tcase_add_test(cases, vote__a_denial_of_a_critical_request_stands);
    tcase_add_test(cases, vote__a_yes_is_refused_while_frozen_and_a_no_is_not);
    tcase_add_test(cases, vote__a_policy_that_denies_now_ends_it_before_the_vote_counts);
    tcase_add_test(cases, vote__survives_a_restart);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
