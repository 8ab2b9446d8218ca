#include "operations/edit_operations.h"
#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static char request[ID_BYTES];
static struct edit_result edited;
static struct vote_result voted;

#define ARGS(args) "{\"args\":" args "}"

static void set_up(void)
{
    scenario_start(&s, NULL);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void ask(const char *action)
{
    struct submit_result result =
        submit(&s, RUNNER,
               ASK(.action = action,
                   .args = ARGS("{\"amount\":100,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}")));
    memcpy(request, result.request, sizeof request);
}

static bool try_edit_of(enum cast who, int revision, const struct sha256 *digest, const char *args)
{
    struct edit_input input = {.request = request,
                               .revision = revision,
                               .digest = *digest,
                               .arguments = args,
                               .reason = "less"};
    return scenario_settle(
        &s, operation_edit_request(scenario_begin(&s, who), &input, &edited, &s.error));
}

static bool try_edit(enum cast who, const char *args)
{
    struct request_view view = look(&s, request);
    return try_edit_of(who, view.request.revision, &view.request.digest, args);
}

static void edit(enum cast who, const char *args)
{
    ck_assert_msg(try_edit(who, args), "%s: %s", s.error.code, s.error.message);
}

static void expect_refused(enum cast who, const char *args, enum error_kind kind, const char *code)
{
    ck_assert(!try_edit(who, args));
    ck_assert_str_eq(s.error.code, code);
    ck_assert_int_eq(s.error.kind, kind);
}

static void expect_vote_refused(enum cast who, enum error_kind kind, const char *code)
{
    ck_assert(!try_vote(&s, who, request, true, &voted));
    ck_assert_str_eq(s.error.code, code);
    ck_assert_int_eq(s.error.kind, kind);
}

START_TEST(edit__makes_a_new_revision_with_a_salt_and_digest_of_its_own)
{
    ask("two.go");
    struct request_view before = look(&s, request);
    edit(DANA, "{\"amount\":50,\"to\":[\"a\"],\"z\":true}");
    struct request_view after = look(&s, request);
    ck_assert_int_eq(after.request.revision, 2);
    ck_assert_int_eq(edited.revision, 2);
    ck_assert_mem_eq(edited.digest.bytes, after.request.digest.bytes, SHA256_BYTES);
    ck_assert_str_ne(after.request.salt, before.request.salt);
    ck_assert_mem_ne(after.request.digest.bytes, before.request.digest.bytes, SHA256_BYTES);
    ck_assert_mem_ne(after.request.effect_key.bytes, before.request.effect_key.bytes, SHA256_BYTES);
    ck_assert_mem_eq(after.request.match_key.bytes, before.request.match_key.bytes, SHA256_BYTES);
    ck_assert_str_eq(after.request.action, "{\"name\":\"two.go\",\"properties\":{\"args\":{"
                                           "\"amount\":50,\"to\":[\"a\"],\"z\":true}}}");
    ck_assert_int_eq(after.request.state, REQUEST_PENDING);
    ck_assert_str_eq(after.request.resource, before.request.resource);
}
END_TEST

START_TEST(edit__says_what_changed_field_by_field_and_by_whom)
{
    ask("two.go");
    edit(DANA, "{\"amount\":50,\"to\":[\"a\"],\"x\":{\"y\":2},\"z\":true}");
    const char *changes = "[{\"from\":100,\"path\":\"/amount\",\"to\":50},"
                          "{\"from\":\"b\",\"path\":\"/to/1\"},"
                          "{\"from\":1,\"path\":\"/x/y\",\"to\":2},"
                          "{\"path\":\"/z\",\"to\":true}]";
    ck_assert_str_eq(edited.changes, changes);
    struct request_view view;
    ck_assert(try_read(&s, RUNNER, request, false, &view));
    ck_assert_uint_eq(view.edit_count, 1);
    ck_assert_str_eq(view.edits[0].changes, changes);
    ck_assert_str_eq(view.edits[0].person_name, "dana");
    ck_assert_str_eq(view.edits[0].reason, "less");
    ck_assert_int_eq(view.edits[0].revision, 2);
    ck_assert_int_eq(view.news, 1);
    ck_assert_uint_eq(count_entries(&s, "\"changed\":[\"/amount\",\"/to/1\",\"/x/y\",\"/z\"]"), 1);
    ck_assert_uint_eq(count_entries(&s, "\"cause\":\"edited\""), 1);
}
END_TEST

START_TEST(edit__never_tells_the_ledger_a_value)
{
    ask("two.go");
    edit(DANA, "{\"amount\":\"a secret amount\"}");
    ck_assert_uint_eq(count_entries(&s, "a secret amount"), 0);
}
END_TEST

START_TEST(edit__the_deadline_stays)
{
    ask("two.go");
    int64_t timeout_at = look(&s, request).request.timeout_at;
    pass(&s, 10 * MINUTE);
    edit(DANA, "{}");
    ck_assert_int_eq(look(&s, request).request.timeout_at, timeout_at);
    pass(&s, 20 * MINUTE);
    escalate(&s);
    ck_assert_int_eq(look(&s, request).request.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(edit__votes_start_again)
{
    ask("two.go");
    vote(&s, DANA, request, true);
    edit(ERIN, "{}");
    ck_assert_uint_eq(look(&s, request).missing, 2);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__a_denial_does_not_carry_over_either)
{
    ask("veto.go");
    vote(&s, DANA, request, false);
    edit(ERIN, "{}");
    ck_assert_int_eq(vote(&s, FRED, request, false).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, DANA, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(edit__a_vote_for_what_was_shown_before_is_refused_and_told_the_difference)
{
    ask("two.go");
    struct request_view before = look(&s, request);
    edit(DANA, "{\"amount\":1,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}");
    struct vote_input input = {
        .request = request, .revision = 1, .digest = before.request.digest, .approves = true};
    ck_assert(!scenario_settle(
        &s, operation_cast_vote(scenario_begin(&s, ERIN), &input, &voted, &s.error)));
    ck_assert_str_eq(s.error.code, "digest_mismatch");
    ck_assert_ptr_nonnull(strstr(s.error.message, "revision is 2"));
    ck_assert_ptr_nonnull(strstr(s.error.message, "/amount"));
}
END_TEST

START_TEST(edit__two_edits_of_one_revision_do_not_both_stand)
{
    ask("two.go");
    struct request_view before = look(&s, request);
    edit(DANA, "{\"amount\":1}");
    ck_assert(!try_edit_of(ERIN, 1, &before.request.digest, "{\"amount\":2}"));
    ck_assert_str_eq(s.error.code, "digest_mismatch");
}
END_TEST

START_TEST(edit__the_grant_is_for_the_edited_action_and_for_no_other)
{
    ask("ops.run");
    edit(DANA, "{\"amount\":1}");
    vote(&s, ERIN, request, true);
    struct grant_claims claims = mint(&s, request);
    struct redeem_result result =
        redeem(&s, RUNNER, &claims,
               ASK(.args = ARGS("{\"amount\":100,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}")));
    ck_assert_int_eq(result.refusal, GRANT_REFUSED_ARGS_MISMATCH);
    result = redeem(&s, RUNNER, &claims, ASK(.args = ARGS("{\"amount\":1}")));
    ck_assert_int_eq(result.refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(edit__a_retry_of_what_was_asked_finds_the_edited_request)
{
    ask("two.go");
    edit(DANA, "{}");
    struct submit_result again =
        submit(&s, RUNNER,
               ASK(.action = "two.go",
                   .args = ARGS("{\"amount\":100,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}")));
    ck_assert_int_eq(again.outcome, SUBMIT_ATTACHED);
    ck_assert_str_eq(again.request, request);
}
END_TEST

START_TEST(edit__what_was_edited_and_denied_is_denied_when_asked_for_again)
{
    ask("ops.run");
    edit(DANA, "{\"amount\":1}");
    vote(&s, DANA, request, false);
    struct submit_result again = submit(&s, RUNNER, ASK(.args = ARGS("{\"amount\":1}")));
    ck_assert_int_eq(look(&s, again.request).request.reason, REASON_RECENTLY_DENIED);
    again = submit(&s, RUNNER,
                   ASK(.args = ARGS("{\"amount\":100,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}")));
    ck_assert_int_eq(look(&s, again.request).request.reason, REASON_RECENTLY_DENIED);
    again = submit(&s, RUNNER, ASK(.args = ARGS("{\"amount\":2}")));
    ck_assert_int_eq(look(&s, again.request).request.near_denials, 1);
}
END_TEST

START_TEST(edit__only_who_may_approve_edits)
{
    ask("ops.run");
    expect_refused(RUNNER, "{}", ERROR_FORBIDDEN, "not_allowed");
    expect_refused(ADA, "{}", ERROR_FORBIDDEN, "not_eligible");
    expect_refused(AUDREY, "{}", ERROR_FORBIDDEN, "not_eligible");
    expect_refused(OLGA, "{}", ERROR_FORBIDDEN, "separation_of_duties");
    expect_refused(NORA, "{}", ERROR_NOT_FOUND, "not_found");
    expect_refused(GINA, "{}", ERROR_NOT_FOUND, "not_found");
}
END_TEST

START_TEST(edit__the_same_arguments_are_no_edit)
{
    ask("ops.run");
    expect_refused(DANA, "{\"amount\":100,\"to\":[\"a\",\"b\"],\"x\":{\"y\":1}}", ERROR_INVALID,
                   "nothing_changed");
}
END_TEST

START_TEST(edit__five_times_at_most)
{
    ask("ops.run");
    for (int i = 0; i < REQUEST_EDITS_MAX; i++) {
        edit(i % 2 == 0 ? DANA : ERIN, arena_printf(s.arena, "{\"amount\":%d}", i));
    }
    struct request_view view;
    ck_assert(try_read(&s, DANA, request, false, &view));
    ck_assert(!view.may_edit);
    expect_refused(DANA, "{}", ERROR_LIMIT, "too_many_edits");
    vote(&s, FRED, request, true);
    ck_assert_int_eq(look(&s, request).request.state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__not_while_frozen_and_not_after_the_end)
{
    ask("ops.run");
    struct freeze_row row = freeze(&s, FREEZE_EVERYTHING, "");
    expect_refused(DANA, "{}", ERROR_CONFLICT, "frozen");
    ck_assert(try_thaw(&s, ADA, row.id));
    vote(&s, DANA, request, false);
    expect_refused(DANA, "{}", ERROR_CONFLICT, "already_ended");
}
END_TEST

static const char risky[] = "version: 1\n"
                            "defaults:\n"
                            "  verdict: require_approval\n"
                            "  approval: { groups: [ops], timeout: 1h }\n"
                            "rules:\n"
                            "  - name: risky\n"
                            "    match: { action: \"risky.*\" }\n"
                            "    verdict: require_approval\n"
                            "    risk: high\n"
                            "    approval: { groups: [ops], timeout: 1h }\n"
                            "  - name: pair\n"
                            "    match: { action: \"pair.*\" }\n"
                            "    verdict: require_approval\n"
                            "    risk: high\n"
                            "    approval: { groups: [ops], quorum: 2, timeout: 1h }\n";

START_TEST(edit__who_edits_a_risky_request_is_not_its_only_approver)
{
    scenario_publish(&s, risky);
    ask("risky.go");
    edit(DANA, "{}");
    struct request_view view;
    ck_assert(try_read(&s, DANA, request, false, &view));
    ck_assert(!view.may_approve);
    ck_assert(view.may_deny);
    ck_assert(view.may_edit);
    expect_vote_refused(DANA, ERROR_FORBIDDEN, "editor_alone");
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__the_next_editor_frees_the_former)
{
    scenario_publish(&s, risky);
    ask("risky.go");
    edit(DANA, "{}");
    edit(ERIN, "{\"amount\":1}");
    expect_vote_refused(ERIN, ERROR_FORBIDDEN, "editor_alone");
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__beside_another_the_editor_of_a_risky_request_counts)
{
    scenario_publish(&s, risky);
    ask("pair.go");
    edit(DANA, "{}");
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__at_lower_risk_the_editor_may_approve_alone)
{
    ask("ops.run");
    edit(DANA, "{}");
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

static const char by_amount[] =
    "version: 1\n"
    "defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"
    "tools:\n"
    "  pay.out: { args: { amount: number, to: string }, show: [to, amount], challenge: to }\n"
    "rules:\n"
    "  - { name: tiny, match: { action: pay.out }, when: args.amount <= 10.0, verdict: allow }\n"
    "  - name: small\n"
    "    match: { action: pay.out }\n"
    "    when: args.amount > 10.0\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h }\n"
    "  - name: large\n"
    "    match: { action: pay.out }\n"
    "    when: args.amount > 100.0\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [finance], timeout: 1h }\n"
    "  - name: huge\n"
    "    match: { action: pay.out }\n"
    "    when: args.amount > 1000.0\n"
    "    verdict: deny\n"
    "    message: Nobody pays that much.\n";

static void ask_to_pay(const char *amount)
{
    scenario_publish(&s, by_amount);
    struct submit_result result = submit(
        &s, RUNNER,
        ASK(.action = "pay.out",
            .args = arena_printf(s.arena, "{\"args\":{\"amount\":%s,\"to\":\"a\"}}", amount)));
    memcpy(request, result.request, sizeof request);
}

START_TEST(edit__what_the_rules_deny_is_refused_and_changes_nothing)
{
    ask_to_pay("50");
    expect_refused(DANA, "{\"amount\":2000,\"to\":\"a\"}", ERROR_CONFLICT, "edit_denied");
    ck_assert_ptr_nonnull(strstr(s.error.message, "Nobody pays that much."));
    ck_assert_int_eq(look(&s, request).request.revision, 1);
    ck_assert_uint_eq(look(&s, request).edit_count, 0);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__what_the_tool_does_not_take_is_refused)
{
    ask_to_pay("50");
    expect_refused(DANA, "{\"amount\":\"many\",\"to\":\"a\"}", ERROR_CONFLICT, "edit_denied");
    expect_refused(DANA, "{\"to\":\"a\"}", ERROR_CONFLICT, "edit_denied");
}
END_TEST

START_TEST(edit__rules_that_match_now_add_what_they_ask_for)
{
    ask_to_pay("50");
    edit(DANA, "{\"amount\":150,\"to\":\"a\"}");
    ck_assert_uint_eq(look(&s, request).requirement_count, 2);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, GINA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__rules_that_no_longer_match_take_nothing_away)
{
    ask_to_pay("150");
    edit(DANA, "{\"amount\":50,\"to\":\"a\"}");
    ck_assert_uint_eq(look(&s, request).requirement_count, 2);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_PENDING);
    ck_assert_int_eq(vote(&s, GINA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__to_what_would_be_allowed_still_needs_its_votes)
{
    ask_to_pay("50");
    edit(DANA, "{\"amount\":5,\"to\":\"a\"}");
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.state, REQUEST_PENDING);
    ck_assert_uint_eq(view.missing, 1);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
    struct grant_claims claims = mint(&s, request);
    struct redeem_result result = redeem(
        &s, RUNNER, &claims, ASK(.action = "pay.out", .args = ARGS("{\"amount\":5,\"to\":\"a\"}")));
    ck_assert_int_eq(result.refusal, GRANT_ACCEPTED);
}
END_TEST

START_TEST(edit__what_the_tool_shows_and_has_retyped_stays_with_the_request)
{
    ask_to_pay("50");
    ck_assert_str_eq(look(&s, request).request.show, "[\"to\",\"amount\"]");
    ck_assert_str_eq(look(&s, request).request.challenge, "[\"to\"]");
    edit(DANA, "{\"amount\":60,\"to\":\"b\"}");
    ck_assert_str_eq(look(&s, request).request.challenge, "[\"to\"]");
}
END_TEST

START_TEST(edit__rungs_that_were_reached_stay_reached)
{
    ask("ladder.go");
    pass(&s, 11 * MINUTE);
    escalate(&s);
    edit(HANK, "{}");
    ck_assert_int_eq(vote(&s, HANK, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(edit__survives_a_restart)
{
    ask("two.go");
    edit(DANA, "{\"amount\":1}");
    scenario_restart(&s);
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.revision, 2);
    ck_assert_uint_eq(view.edit_count, 1);
    vote(&s, DANA, request, true);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: edit");
    TCase *tests = tcase_create("edit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, edit__makes_a_new_revision_with_a_salt_and_digest_of_its_own);
    tcase_add_test(tests, edit__says_what_changed_field_by_field_and_by_whom);
    tcase_add_test(tests, edit__never_tells_the_ledger_a_value);
    tcase_add_test(tests, edit__the_deadline_stays);
    tcase_add_test(tests, edit__votes_start_again);
    tcase_add_test(tests, edit__a_denial_does_not_carry_over_either);
    tcase_add_test(tests,
                   edit__a_vote_for_what_was_shown_before_is_refused_and_told_the_difference);
    tcase_add_test(tests, edit__two_edits_of_one_revision_do_not_both_stand);
    tcase_add_test(tests, edit__the_grant_is_for_the_edited_action_and_for_no_other);
    tcase_add_test(tests, edit__a_retry_of_what_was_asked_finds_the_edited_request);
    tcase_add_test(tests, edit__what_was_edited_and_denied_is_denied_when_asked_for_again);
    tcase_add_test(tests, edit__only_who_may_approve_edits);
    tcase_add_test(tests, edit__the_same_arguments_are_no_edit);
    tcase_add_test(tests, edit__five_times_at_most);
    tcase_add_test(tests, edit__not_while_frozen_and_not_after_the_end);
    tcase_add_test(tests, edit__who_edits_a_risky_request_is_not_its_only_approver);
    tcase_add_test(tests, edit__the_next_editor_frees_the_former);
    tcase_add_test(tests, edit__beside_another_the_editor_of_a_risky_request_counts);
    tcase_add_test(tests, edit__at_lower_risk_the_editor_may_approve_alone);
    tcase_add_test(tests, edit__what_the_rules_deny_is_refused_and_changes_nothing);
    tcase_add_test(tests, edit__what_the_tool_does_not_take_is_refused);
    tcase_add_test(tests, edit__rules_that_match_now_add_what_they_ask_for);
    tcase_add_test(tests, edit__rules_that_no_longer_match_take_nothing_away);
    tcase_add_test(tests, edit__to_what_would_be_allowed_still_needs_its_votes);
    tcase_add_test(tests, edit__what_the_tool_shows_and_has_retyped_stays_with_the_request);
    tcase_add_test(tests, edit__rungs_that_were_reached_stay_reached);
    tcase_add_test(tests, edit__survives_a_restart);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
