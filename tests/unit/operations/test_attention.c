#include "operations/attention_operations.h"
#include "operations/insight_operations.h"
#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static char request[ID_BYTES];
static struct vote_result voted;

static const char rules[] =
    "version: 1\n"
    "defaults:\n"
    "  verdict: require_approval\n"
    "  approval: { groups: [ops], timeout: 1h }\n"
    "rules:\n"
    "  - name: pay\n"
    "    match: { action: \"pay.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: critical\n"
    "    approval: { groups: [ops], assurance: session, timeout: 1h }\n"
    "  - name: ladder\n"
    "    match: { action: \"ladder.*\" }\n"
    "    verdict: require_approval\n"
    "    approval:\n"
    "      groups: [finance]\n"
    "      timeout: 30m\n"
    "      ladder: [{ after: 0s, to: [finance] }, { after: 10m, to: [leads] }]\n";

static void set_up(void)
{
    scenario_start(&s, rules);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void ask(const char *action, const char *args)
{
    struct submit_result result = submit(&s, RUNNER, ASK(.action = action, .args = args));
    memcpy(request, result.request, sizeof request);
}

/* As a tool's description names them. */
static void ask_challenged(const char *action, const char *args)
{
    struct request_row row;
    ask(action, args);
    struct operation *operation = scenario_begin(&s, HOST);
    bool ok =
        store_read_request(operation->store, "default", request, operation->arena, &row, &s.error);
    row.show = "[\"to\",\"amount\"]";
    row.challenge = "[\"to\",\"amount\"]";
    ck_assert(scenario_settle(&s, ok && store_update_request(operation->store, &row, &s.error)));
}

static struct request_view read_as(enum cast who)
{
    struct request_view view;
    ck_assert(try_read(&s, who, request, false, &view));
    return view;
}

static bool try_look(enum cast who, int64_t *out_at)
{
    struct request_view view = look(&s, request);
    struct view_input input = {
        .request = request, .revision = view.request.revision, .digest = view.request.digest};
    return scenario_settle(&s,
                           operation_note_view(scenario_begin(&s, who), &input, out_at, &s.error));
}

static bool try_watch(enum cast who, bool watches, int64_t *out_until)
{
    return scenario_settle(&s, operation_watch_request(scenario_begin(&s, who), request, watches,
                                                       out_until, &s.error));
}

static bool try_retyped(enum cast who, bool approves, const char *retyped)
{
    struct request_view view = look(&s, request);
    struct vote_input input = {.request = request,
                               .revision = view.request.revision,
                               .digest = view.request.digest,
                               .approves = approves,
                               .retyped = retyped};
    return scenario_settle(&s,
                           operation_cast_vote(scenario_begin(&s, who), &input, &voted, &s.error));
}

static const struct vote_row *only_vote(void)
{
    struct request_view view = look(&s, request);
    ck_assert_uint_eq(view.vote_count, 1);
    return &view.votes[0];
}

/* ---- looking ---- */

START_TEST(view__the_first_time_counts_and_is_an_entry_once)
{
    int64_t first;
    int64_t again;
    ask("ops.run", NULL);
    ck_assert(try_look(DANA, &first));
    pass(&s, 5 * SECOND);
    ck_assert(try_look(DANA, &again));
    ck_assert_int_eq(first, again);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.viewed\""), 1);
    ck_assert_int_eq(read_as(DANA).viewed_at, first);
    ck_assert_int_eq(read_as(ERIN).viewed_at, 0);
}
END_TEST

START_TEST(view__a_vote_says_how_long_its_person_looked)
{
    int64_t at;
    ask("ops.run", NULL);
    ck_assert(try_look(DANA, &at));
    pass(&s, 5 * SECOND);
    vote(&s, DANA, request, true);
    ck_assert_int_eq(only_vote()->dwell_ms, 5 * SECOND);
    ck_assert(!only_vote()->is_quick);
    ck_assert_uint_eq(count_entries(&s, "\"dwell_ms\":5000"), 1);
    ck_assert_uint_eq(count_entries(&s, "\"quick\":true"), 0);
}
END_TEST

START_TEST(view__an_approval_sooner_than_its_risk_allows_is_quick)
{
    int64_t at;
    ask("ops.run", NULL);
    ck_assert(try_look(DANA, &at));
    pass(&s, read_as(DANA).dwell_needed_ms - 1);
    vote(&s, DANA, request, true);
    ck_assert(only_vote()->is_quick);
    ck_assert_uint_eq(count_entries(&s, "\"quick\":true"), 1);
}
END_TEST

START_TEST(view__an_approval_of_what_was_never_shown_is_quick_and_a_denial_is_not)
{
    ask("ops.run", NULL);
    vote(&s, DANA, request, true);
    ck_assert(only_vote()->is_quick);
    ck_assert_int_eq(only_vote()->dwell_ms, -1);
    ck_assert_uint_eq(count_entries(&s, "dwell_ms"), 0);
    ask("ops.walk", NULL);
    vote(&s, DANA, request, false);
    ck_assert(!only_vote()->is_quick);
}
END_TEST

START_TEST(view__higher_risk_needs_longer)
{
    ask("ops.run", NULL);
    int64_t low = read_as(DANA).dwell_needed_ms;
    ask("pay.out", NULL);
    ck_assert_int_lt(low, read_as(DANA).dwell_needed_ms);
}
END_TEST

START_TEST(view__what_was_shown_is_the_revision_that_is_there)
{
    int64_t at;
    struct view_input input = {.request = request, .revision = 2};
    ask("ops.run", NULL);
    ck_assert(
        !scenario_settle(&s, operation_note_view(scenario_begin(&s, DANA), &input, &at, &s.error)));
    ck_assert_str_eq(s.error.code, "digest_mismatch");
    ck_assert(!try_look(NORA, &at));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    ck_assert(!try_look(RUNNER, &at));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
}
END_TEST

START_TEST(view__after_the_end_nothing_is_noted)
{
    int64_t at;
    ask("ops.run", NULL);
    vote(&s, DANA, request, false);
    ck_assert(try_look(ERIN, &at));
    ck_assert_int_eq(at, 0);
    ck_assert_uint_eq(count_entries(&s, "request.viewed"), 0);
}
END_TEST

/* ---- "I am on it" ---- */

START_TEST(watch__others_see_it_until_it_is_over)
{
    int64_t until;
    ask("two.go", NULL);
    ck_assert(try_watch(DANA, true, &until));
    ck_assert_int_eq(until, s.now + 10 * MINUTE);
    struct request_view view = read_as(ERIN);
    ck_assert_uint_eq(view.watch_count, 1);
    ck_assert_str_eq(view.watches[0].person_name, "dana");
    ck_assert_uint_eq(read_as(RUNNER).watch_count, 0);
    pass(&s, 10 * MINUTE);
    ck_assert_uint_eq(read_as(ERIN).watch_count, 0);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.watched\""), 1);
}
END_TEST

START_TEST(watch__said_again_it_lasts_longer_and_is_said_in_the_ledger_when_that_matters)
{
    int64_t until;
    ask("two.go", NULL);
    ck_assert(try_watch(DANA, true, &until));
    int64_t since = s.now;
    pass(&s, MINUTE);
    ck_assert(try_watch(DANA, true, &until));
    ck_assert_int_eq(until, since + 10 * MINUTE);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.watched\""), 1);
    pass(&s, 5 * MINUTE);
    ck_assert(try_watch(DANA, true, &until));
    ck_assert_int_eq(until, since + 16 * MINUTE);
    ck_assert_int_eq(read_as(ERIN).watches[0].since_at, since);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.watched\""), 2);
}
END_TEST

START_TEST(watch__can_be_taken_back)
{
    int64_t until;
    ask("two.go", NULL);
    ck_assert(try_watch(DANA, true, &until));
    ck_assert(try_watch(DANA, false, &until));
    ck_assert_int_eq(until, 0);
    ck_assert_uint_eq(read_as(ERIN).watch_count, 0);
    ck_assert(try_watch(DANA, false, &until));
}
END_TEST

START_TEST(watch__is_not_said_for_ever)
{
    int64_t until;
    ask("two.go", NULL);
    for (int i = 0; i < 25; i++) {
        ck_assert(try_watch(DANA, true, &until));
        pass(&s, SECOND);
        ck_assert(try_watch(DANA, false, &until));
    }
    ck_assert(!try_watch(DANA, true, &until));
    ck_assert_str_eq(s.error.code, "too_many_watches");
    ck_assert(try_watch(ERIN, true, &until));
}
END_TEST

START_TEST(watch__is_for_people_who_are_asked_or_involved)
{
    int64_t until;
    ask("ops.run", NULL);
    ck_assert(try_watch(OLGA, true, &until));
    ck_assert(!try_watch(ADA, true, &until));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
    ck_assert(!try_watch(NORA, true, &until));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    vote(&s, DANA, request, false);
    ck_assert(!try_watch(DANA, true, &until));
    ck_assert_str_eq(s.error.code, "already_ended");
}
END_TEST

/* ---- the ladder ---- */

START_TEST(ladder__says_who_was_asked_since_when_and_who_is_next)
{
    ask("ladder.go", NULL);
    struct request_view view = read_as(GINA);
    ck_assert_uint_eq(view.rung_count, 2);
    ck_assert_str_eq(view.rungs[0].groups[0], "finance");
    ck_assert_int_eq(view.rungs[0].at, s.now);
    ck_assert(view.rungs[0].is_reached);
    ck_assert_str_eq(view.rungs[1].groups[0], "leads");
    ck_assert(!view.rungs[1].is_reached);
    ck_assert_int_eq(view.next_rung_at, s.now + 10 * MINUTE);
    pass(&s, 11 * MINUTE);
    escalate(&s);
    view = read_as(GINA);
    ck_assert(view.rungs[1].is_reached);
    ck_assert_int_eq(view.next_rung_at, 0);
}
END_TEST

START_TEST(ladder__has_no_next_while_the_clock_is_stopped)
{
    ask("ladder.go", NULL);
    struct freeze_row row = freeze(&s, FREEZE_EVERYTHING, "");
    ck_assert_int_eq(read_as(GINA).next_rung_at, 0);
    pass(&s, 5 * MINUTE);
    ck_assert(try_thaw(&s, ADA, row.id));
    ck_assert_int_eq(read_as(GINA).next_rung_at, s.now + 10 * MINUTE);
}
END_TEST

/* ---- repeats and the budget ---- */

START_TEST(group__repeats_share_a_key_and_are_counted_while_pending)
{
    ask("ops.run", "{\"args\":{\"n\":1}}");
    ask("ops.run", "{\"args\":{\"n\":2}}");
    struct request_view one = read_as(DANA);
    ck_assert_int_eq(one.repeats, 2);
    vote(&s, DANA, request, false);
    ask("ops.run", "{\"args\":{\"n\":3}}");
    struct request_view other = read_as(DANA);
    ck_assert_str_eq(one.group_key, other.group_key);
    ck_assert_int_eq(other.repeats, 2);
    ask("ladder.go", NULL);
    ck_assert_str_ne(read_as(GINA).group_key, one.group_key);
}
END_TEST

START_TEST(budget__votes_beyond_an_hours_are_noted_and_not_refused)
{
    for (int i = 0; i < 7; i++) {
        ask("ops.run", arena_printf(s.arena, "{\"args\":{\"n\":%d}}", i));
        ck_assert_int_eq(read_as(DANA).budget.used, i);
        vote(&s, DANA, request, true);
        ck_assert_int_eq(only_vote()->is_over_budget, i == 6);
    }
    ck_assert_uint_eq(count_entries(&s, "\"over_budget\":true"), 1);
    pass(&s, HOUR + SECOND);
    ask("ops.run", NULL);
    ck_assert_int_eq(read_as(DANA).budget.used, 0);
    ck_assert_int_eq(read_as(DANA).budget.limit, 6);
    ck_assert(!read_as(RUNNER).budget.has_one);
}
END_TEST

/* ---- the challenge ---- */

#define PAYMENT "{\"args\":{\"amount\":125.5,\"to\":\"acct-4471\"}}"

static void expect_challenge(const char *retyped, const char *code)
{
    ck_assert(!try_retyped(DANA, true, retyped));
    ck_assert_str_eq(s.error.code, code);
    ck_assert_int_eq(s.error.kind, ERROR_INVALID);
}

START_TEST(challenge__who_approves_a_critical_request_retypes_what_the_tool_names)
{
    ask_challenged("pay.out", PAYMENT);
    ck_assert_str_eq(read_as(DANA).request.show, "[\"to\",\"amount\"]");
    ck_assert_str_eq(read_as(DANA).request.challenge, "[\"to\",\"amount\"]");
    expect_challenge(NULL, "retype_missing");
    expect_challenge("{\"to\":\"acct-4471\"}", "retype_missing");
    expect_challenge("{\"amount\":125.5,\"to\":\"acct-4471\"}", "retype_missing");
    expect_challenge("{\"amount\":\"125.50\",\"to\":\"acct-4471\"}", "retype_mismatch");
    expect_challenge("{\"amount\":\"125.5\",\"to\":\"ACCT-4471\"}", "retype_mismatch");
    ck_assert(try_retyped(DANA, true, "{\"amount\":\"125.5\",\"to\":\"acct-4471\"}"));
    ck_assert(only_vote()->is_retyped);
    ck_assert_int_eq(voted.state, REQUEST_APPROVED);
    ck_assert_uint_eq(count_entries(&s, "\"retyped\":true"), 1);
}
END_TEST

START_TEST(challenge__a_letter_that_only_looks_the_same_is_told_apart)
{
    ask_challenged("pay.out", "{\"args\":{\"amount\":1,\"to\":\"p\\u0430ypal\"}}");
    expect_challenge("{\"amount\":\"1\",\"to\":\"paypal\"}", "retype_mismatch");
    ck_assert_ptr_nonnull(strstr(s.error.message, "from byte 2 on"));
}
END_TEST

START_TEST(challenge__a_denial_and_a_lower_risk_need_none)
{
    ask_challenged("pay.out", PAYMENT);
    ck_assert(try_retyped(DANA, false, NULL));
    ask_challenged("ops.run", PAYMENT);
    ck_assert(try_retyped(DANA, true, NULL));
    ck_assert(!only_vote()->is_retyped);
}
END_TEST

START_TEST(challenge__what_the_request_goes_without_is_not_asked_for)
{
    ask_challenged("pay.out", "{\"args\":{\"to\":\"a\"}}");
    ck_assert(try_retyped(DANA, true, "{\"to\":\"a\"}"));
}
END_TEST

/* ---- figures ---- */

static struct insights read_insights(enum cast who)
{
    struct insights insights;
    ck_assert(scenario_settle(
        &s, operation_read_insights(scenario_begin(&s, who), 7, &insights, &s.error)));
    return insights;
}

static void decide_after(enum cast who, bool approves, int64_t ms)
{
    static int serial;
    int64_t at;
    ask("ops.run", arena_printf(s.arena, "{\"args\":{\"serial\":%d}}", serial++));
    ck_assert(try_look(who, &at));
    pass(&s, ms);
    vote(&s, who, request, approves);
}

START_TEST(insights__say_how_each_decided)
{
    for (int i = 1; i <= 10; i++) {
        decide_after(DANA, true, i * SECOND);
    }
    decide_after(ERIN, false, SECOND);
    ask("ops.run", NULL);
    vote(&s, ERIN, request, true);
    struct insights all = read_insights(AUDREY);
    ck_assert_uint_eq(all.person_count, 2);
    const struct person_insight *dana = &all.people[0];
    ck_assert_str_eq(dana->name, "dana");
    ck_assert_int_eq(dana->approvals, 10);
    ck_assert_int_eq(dana->dwell_p10_ms, SECOND);
    ck_assert_int_eq(dana->dwell_p50_ms, 5 * SECOND);
    ck_assert_int_eq(dana->over_budget, 4);
    ck_assert_int_eq(dana->quick, 0);
    const struct person_insight *erin = &all.people[1];
    ck_assert_int_eq(erin->denials, 1);
    ck_assert_int_eq(erin->quick, 1);
    ck_assert_int_eq(erin->unseen, 1);
    ck_assert(!erin->has_dwell);
    ck_assert_int_eq(all.asked, 12);
    ck_assert_int_eq(all.approved, 11);
    ck_assert_int_eq(all.denied, 1);
}
END_TEST

START_TEST(insights__of_others_are_for_auditors_admins_and_the_host)
{
    decide_after(DANA, true, SECOND);
    decide_after(ERIN, true, SECOND);
    ck_assert_uint_eq(read_insights(ADA).person_count, 2);
    ck_assert_uint_eq(read_insights(HOST).person_count, 2);
    struct insights own = read_insights(ERIN);
    ck_assert_uint_eq(own.person_count, 1);
    ck_assert_str_eq(own.people[0].name, "erin");
    ck_assert(!own.has_requests);
    struct insights none;
    ck_assert(!scenario_settle(
        &s, operation_read_insights(scenario_begin(&s, RUNNER), 7, &none, &s.error)));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
}
END_TEST

START_TEST(insights__count_nothing_that_is_hidden_from_somebody)
{
    scenario_publish(&s,
                     "version: 1\n"
                     "defaults: { verdict: require_approval, risk: critical, approval: { groups: "
                     "[ops], quorum: 2, assurance: session, timeout: 1h } }\n");
    ask("ops.run", NULL);
    vote(&s, DANA, request, true);
    ck_assert_uint_eq(read_insights(AUDREY).person_count, 0);
    vote(&s, ERIN, request, true);
    ck_assert_uint_eq(read_insights(AUDREY).person_count, 2);
}
END_TEST

START_TEST(insights__look_back_as_far_as_is_asked)
{
    decide_after(DANA, true, SECOND);
    pass(&s, INT64_C(8) * 24 * HOUR);
    struct insights all = read_insights(AUDREY);
    ck_assert_uint_eq(all.person_count, 0);
    ck_assert_int_eq(all.asked, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: attention");
    TCase *tests = tcase_create("attention");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, view__the_first_time_counts_and_is_an_entry_once);
    tcase_add_test(tests, view__a_vote_says_how_long_its_person_looked);
    tcase_add_test(tests, view__an_approval_sooner_than_its_risk_allows_is_quick);
    tcase_add_test(tests, view__an_approval_of_what_was_never_shown_is_quick_and_a_denial_is_not);
    tcase_add_test(tests, view__higher_risk_needs_longer);
    tcase_add_test(tests, view__what_was_shown_is_the_revision_that_is_there);
    tcase_add_test(tests, view__after_the_end_nothing_is_noted);
    tcase_add_test(tests, watch__others_see_it_until_it_is_over);
    tcase_add_test(tests,
                   watch__said_again_it_lasts_longer_and_is_said_in_the_ledger_when_that_matters);
    tcase_add_test(tests, watch__can_be_taken_back);
    tcase_add_test(tests, watch__is_not_said_for_ever);
    tcase_add_test(tests, watch__is_for_people_who_are_asked_or_involved);
    tcase_add_test(tests, ladder__says_who_was_asked_since_when_and_who_is_next);
    tcase_add_test(tests, ladder__has_no_next_while_the_clock_is_stopped);
    tcase_add_test(tests, group__repeats_share_a_key_and_are_counted_while_pending);
    tcase_add_test(tests, budget__votes_beyond_an_hours_are_noted_and_not_refused);
    tcase_add_test(tests, challenge__who_approves_a_critical_request_retypes_what_the_tool_names);
    tcase_add_test(tests, challenge__a_letter_that_only_looks_the_same_is_told_apart);
    tcase_add_test(tests, challenge__a_denial_and_a_lower_risk_need_none);
    tcase_add_test(tests, challenge__what_the_request_goes_without_is_not_asked_for);
    tcase_add_test(tests, insights__say_how_each_decided);
    tcase_add_test(tests, insights__of_others_are_for_auditors_admins_and_the_host);
    tcase_add_test(tests, insights__count_nothing_that_is_hidden_from_somebody);
    tcase_add_test(tests, insights__look_back_as_far_as_is_asked);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
