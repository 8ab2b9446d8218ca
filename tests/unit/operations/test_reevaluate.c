#include "operations/operations_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static char request[ID_BYTES];

static const char one_of_ops[] =
    "version: 1\n"
    "defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"
    "rules:\n"
    "  - name: ops\n"
    "    match: { action: \"ops.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h, deny_quorum: 2 }\n";

static void set_up(void)
{
    scenario_start(&s, one_of_ops);
    memcpy(request, submit(&s, RUNNER, ASK(.action = "ops.run")).request, sizeof request);
}

static void tear_down(void)
{
    scenario_end(&s);
}

#define OPS_RULE(verdict, approval)                                                                \
    "version: 1\n"                                                                                 \
    "defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"                      \
    "rules:\n"                                                                                     \
    "  - name: ops\n"                                                                              \
    "    match: { action: \"ops.*\" }\n"                                                           \
    "    verdict: " verdict "\n" approval

START_TEST(publication__that_denies_ends_what_is_pending)
{
    scenario_publish(&s, "version: 1\ndefaults: { verdict: deny }\n");
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.state, REQUEST_DENIED);
    ck_assert_int_eq(view.request.reason, REASON_POLICY_DENY);
    ck_assert_uint_eq(count_entries(&s, "\"cause\":\"published\""), 1);
}
END_TEST

START_TEST(publication__that_allows_takes_nothing_back)
{
    scenario_publish(&s, OPS_RULE("allow", ""));
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.state, REQUEST_PENDING);
    ck_assert_uint_eq(view.requirement_count, 1);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"requirements.grown\""), 0);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(publication__that_asks_for_more_grows_what_is_required)
{
    vote(&s, DANA, request, true);
    memcpy(request, submit(&s, RUNNER, ASK(.action = "ops.go")).request, sizeof request);
    scenario_publish(&s, OPS_RULE("require_approval",
                                  "    approval: { groups: [ops], quorum: 2, timeout: 1h }\n"
                                  "  - name: money\n"
                                  "    match: { action: \"ops.*\" }\n"
                                  "    verdict: require_approval\n"
                                  "    risk: high\n"
                                  "    approval: { groups: [finance], timeout: 20m }\n"));
    struct request_view view = look(&s, request);
    ck_assert_uint_eq(view.requirement_count, 2);
    ck_assert_int_eq(view.requirements[0].quorum, 2);
    ck_assert_int_eq(view.requirements[0].deny_quorum, 1);
    ck_assert_int_eq(view.request.risk, POLICY_RISK_HIGH);
    ck_assert_int_eq(view.request.timeout_at, s.now + 20 * MINUTE);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"requirements.grown\""), 1);
    vote(&s, DANA, request, true);
    vote(&s, GINA, request, true);
    ck_assert_int_eq(vote(&s, ERIN, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(publication__that_asks_for_less_leaves_what_was_asked)
{
    scenario_publish(&s, OPS_RULE("require_approval",
                                  "    approval: { groups: [ops], quorum: 2, timeout: 1h }\n"));
    scenario_publish(&s, one_of_ops);
    ck_assert_int_eq(look(&s, request).requirements[0].quorum, 2);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_PENDING);
}
END_TEST

START_TEST(publication__keeps_votes_that_were_cast)
{
    scenario_publish(&s, OPS_RULE("require_approval",
                                  "    approval: { groups: [ops], quorum: 2, timeout: 1h }\n"));
    vote(&s, DANA, request, true);
    scenario_publish(&s, OPS_RULE("require_approval",
                                  "    approval: { groups: [ops], quorum: 3, timeout: 1h }\n"));
    ck_assert_uint_eq(look(&s, request).missing, 2);
    vote(&s, ERIN, request, true);
    ck_assert_int_eq(vote(&s, FRED, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(publication__a_smaller_deny_quorum_counts_denials_there_are)
{
    ck_assert_int_eq(vote(&s, DANA, request, false).state, REQUEST_PENDING);
    scenario_publish(
        &s, OPS_RULE("require_approval", "    approval: { groups: [ops], timeout: 1h }\n"));
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.state, REQUEST_DENIED);
    ck_assert_int_eq(view.request.reason, REASON_DENIED_BY_PERSON);
}
END_TEST

START_TEST(publication__a_shorter_timeout_that_has_passed_ends_it)
{
    pass(&s, 30 * MINUTE);
    scenario_publish(
        &s, OPS_RULE("require_approval", "    approval: { groups: [ops], timeout: 10m }\n"));
    ck_assert_int_eq(look(&s, request).request.state, REQUEST_EXPIRED);
}
END_TEST

START_TEST(publication__rungs_that_have_passed_are_asked_at_once)
{
    pass(&s, 10 * MINUTE);
    scenario_publish(
        &s, OPS_RULE("require_approval",
                     "    approval: { groups: [ops], timeout: 1h }\n"
                     "  - name: money\n"
                     "    match: { action: \"ops.*\" }\n"
                     "    verdict: require_approval\n"
                     "    approval:\n"
                     "      groups: [finance]\n"
                     "      timeout: 1h\n"
                     "      ladder: [{ after: 0s, to: [finance] }, { after: 5m, to: [leads] }]\n"));
    vote(&s, HANK, request, true);
    ck_assert_int_eq(vote(&s, DANA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(publication__of_the_same_requirements_makes_no_entry)
{
    scenario_publish(&s,
                     OPS_RULE("require_approval",
                              "    message: Please.\n"
                              "    approval: { groups: [ops], timeout: 1h, deny_quorum: 2 }\n"));
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"requirements.grown\""), 0);
    ck_assert_str_eq(look(&s, request).request.policy, operations_policy_version(s.rig.operations));
}
END_TEST

START_TEST(publication__a_request_nobody_could_use_any_more_is_denied)
{
    struct submit_result got = submit(&s, OTHER, ASK(.action = "ops.pay", .agent = "bot"));
    scenario_publish(&s,
                     OPS_RULE("require_approval", "    approval: { groups: [ops], timeout: 1h }\n"
                                                  "    grant: { audience: [elsewhere] }\n"));
    struct request_view view = look(&s, got.request);
    ck_assert_int_eq(view.request.state, REQUEST_DENIED);
    ck_assert_int_eq(view.request.reason, REASON_POLICY_DENY);
    ck_assert_ptr_nonnull(strstr(view.request.message, "nobody"));
}
END_TEST

START_TEST(publication__shortens_the_terms_of_the_grant_to_come)
{
    scenario_publish(&s,
                     OPS_RULE("require_approval", "    approval: { groups: [ops], timeout: 1h }\n"
                                                  "    grant: { ttl: 20s, claim_within: 2m }\n"));
    vote(&s, DANA, request, true);
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.grant.ttl_ms, 20 * SECOND);
    ck_assert_int_eq(view.grant.claim_until, s.now + 2 * MINUTE);
}
END_TEST

START_TEST(publication__takes_back_that_a_party_may_approve)
{
    struct vote_result voted;
    scenario_publish(
        &s, OPS_RULE("require_approval",
                     "    approval: { groups: [ops], timeout: 1h, self_approval: true }\n"));
    struct submit_result got = submit(&s, RUNNER, ASK(.action = "ops.own", .subject = "dana"));
    ck_assert(look(&s, got.request).request.allows_self_approval);
    scenario_publish(
        &s, OPS_RULE("require_approval", "    approval: { groups: [ops], timeout: 1h }\n"));
    ck_assert(!look(&s, got.request).request.allows_self_approval);
    ck_assert(!try_vote(&s, DANA, got.request, true, &voted));
    ck_assert_str_eq(s.error.code, "separation_of_duties");
    ck_assert_int_eq(vote(&s, ERIN, got.request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(publication__reaches_more_pending_requests_than_one_piece)
{
    for (int i = 0; i < OPERATIONS_BATCH_MAX + 20; i++) {
        submit(&s, RUNNER, ASK(.args = arena_printf(s.arena, "{\"n\":%d}", i)));
    }
    scenario_publish(&s, "version: 1\ndefaults: { verdict: deny }\n");
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"policy_deny\""), OPERATIONS_BATCH_MAX);
    escalate(&s);
    ck_assert_uint_eq(count_entries(&s, "\"reason\":\"policy_deny\""), OPERATIONS_BATCH_MAX + 21);
}
END_TEST

START_TEST(publication__leaves_a_stopped_clock_stopped)
{
    freeze(&s, FREEZE_EVERYTHING, NULL);
    pass(&s, 30 * MINUTE);
    scenario_publish(&s, OPS_RULE("require_approval",
                                  "    approval: { groups: [ops], quorum: 2, timeout: 10m }\n"));
    struct request_view view = look(&s, request);
    ck_assert_int_eq(view.request.state, REQUEST_PENDING);
    ck_assert_int_eq(view.request.timeout_at, s.now + 10 * MINUTE);
    ck_assert_int_eq(view.request.due_at, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: reevaluate");
    TCase *cases = tcase_create("reevaluate");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, publication__that_denies_ends_what_is_pending);
    tcase_add_test(cases, publication__that_allows_takes_nothing_back);
    tcase_add_test(cases, publication__that_asks_for_more_grows_what_is_required);
    tcase_add_test(cases, publication__that_asks_for_less_leaves_what_was_asked);
    tcase_add_test(cases, publication__keeps_votes_that_were_cast);
    tcase_add_test(cases, publication__a_smaller_deny_quorum_counts_denials_there_are);
    tcase_add_test(cases, publication__a_shorter_timeout_that_has_passed_ends_it);
    tcase_add_test(cases, publication__rungs_that_have_passed_are_asked_at_once);
    tcase_add_test(cases, publication__of_the_same_requirements_makes_no_entry);
    tcase_add_test(cases, publication__a_request_nobody_could_use_any_more_is_denied);
    tcase_add_test(cases, publication__shortens_the_terms_of_the_grant_to_come);
    tcase_add_test(cases, publication__takes_back_that_a_party_may_approve);
    tcase_add_test(cases, publication__reaches_more_pending_requests_than_one_piece);
    tcase_add_test(cases, publication__leaves_a_stopped_clock_stopped);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
