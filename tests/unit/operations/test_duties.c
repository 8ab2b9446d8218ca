#include "operations/edit_operations.h"
#include "operations/operations_internal.h"
#include "operations/people_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Who may decide, by what they are to the request: each relation, both directions, and what it is
 * called when it is refused. And what is said when nobody may. */

static struct scenario s;
static char request[ID_BYTES];
static struct vote_result voted;

static const char rules[] =
    "version: 1\n"
    "defaults:\n"
    "  verdict: require_approval\n"
    "  approval: { groups: [ops], timeout: 1h, deny_quorum: 1 }\n"
    "rules:\n"
    "  - name: self\n"
    "    match: { action: [\"self.*\", \"half.*\"] }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h, self_approval: true }\n"
    "  - name: half\n"
    "    match: { action: \"half.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h }\n"
    "  - name: one-of-each-finance\n"
    "    match: { action: \"each.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [finance], timeout: 1h }\n"
    "  - name: one-of-each-ops\n"
    "    match: { action: \"each.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [ops], timeout: 1h }\n"
    "  - name: leads-only\n"
    "    match: { action: \"leads.*\" }\n"
    "    verdict: require_approval\n"
    "    approval: { groups: [leads], timeout: 1h }\n"
    "  - name: later\n"
    "    match: { action: \"later.*\" }\n"
    "    verdict: require_approval\n"
    "    approval:\n"
    "      groups: [ops]\n"
    "      timeout: 1h\n"
    "      ladder: [{ after: 0s, to: [ops] }, { after: 10m, to: [leads] }]\n";

static void set_up(void)
{
    scenario_start(&s, rules);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static void ask_for(const char *action, const char *subject)
{
    static int serial;
    struct submit_result result =
        submit(&s, RUNNER,
               ASK(.action = action, .subject = subject,
                   .args = arena_printf(s.arena, "{\"args\":{\"n\":%d}}", serial++)));
    memcpy(request, result.request, sizeof request);
}

struct duty {
    const char *who_is;
    enum cast who;
    const char *action;
    const char *subject;
    const char *approve; /* NULL: may; else the code of the refusal */
    const char *deny;
};
static const struct duty duties[] = {
    {"asked", DANA, "ops.run", "sam", NULL, NULL},
    {"the subject, asked too", DANA, "ops.run", "dana", "separation_of_duties", NULL},
    {"the subject, not asked", GINA, "ops.run", "gina", "separation_of_duties", NULL},
    {"the agent's owner, asked too", OLGA, "ops.run", "sam", "separation_of_duties", NULL},
    {"the agent's owner, not asked", OLGA, "leads.go", "sam", "separation_of_duties", NULL},
    {"the subject where every rule allows it", DANA, "self.go", "dana", NULL, NULL},
    {"the owner where every rule allows it", OLGA, "self.go", "sam", NULL, NULL},
    {"the subject where one of two rules allows it", DANA, "half.go", "dana",
     "separation_of_duties", NULL},
    {"in another group", GINA, "ops.run", "sam", "not_found", "not_found"},
    {"in a group of a later rung", HANK, "later.go", "sam", "not_found", "not_found"},
    {"an admin who was not asked", ADA, "ops.run", "sam", "not_eligible", "not_eligible"},
    {"an auditor who was not asked", AUDREY, "ops.run", "sam", "not_eligible", "not_eligible"},
    {"an admin who is the subject", ADA, "ops.run", "ada", "separation_of_duties", NULL},
    {"in no group", NORA, "ops.run", "sam", "not_found", "not_found"},
    {"who submitted it", RUNNER, "ops.run", "sam", "not_allowed", "not_allowed"},
    {"another caller", OTHER, "ops.run", "sam", "not_found", "not_found"},
    {"the host", HOST, "ops.run", "sam", "not_allowed", "not_allowed"},
};

static void check_duty(const struct duty *duty, bool approves)
{
    const char *expected = approves ? duty->approve : duty->deny;
    ask_for(duty->action, duty->subject);
    bool may = try_vote(&s, duty->who, request, approves, &voted);
    ck_assert_msg(may == (expected == NULL), "%s, who %s: %s", duty->who_is,
                  approves ? "approves" : "denies", may ? "may" : s.error.code);
    ck_assert_msg(may || strcmp(s.error.code, expected) == 0, "%s: %s, expected %s", duty->who_is,
                  s.error.code, expected);
    struct request_view view;
    if (try_read(&s, duty->who, request, false, &view) && view.request.state == REQUEST_PENDING) {
        ck_assert_msg((approves ? view.may_approve : view.may_deny) == may || view.vote_count > 0,
                      "%s is told another thing than what holds", duty->who_is);
    }
}

START_TEST(duties__are_as_the_table_says)
{
    for (size_t i = 0; i < sizeof duties / sizeof *duties; i++) {
        check_duty(&duties[i], true);
        check_duty(&duties[i], false);
    }
}
END_TEST

START_TEST(duties__an_admin_in_the_group_is_a_person_like_others)
{
    set_member(&s, ADA, "ops", true);
    ask_for("ops.run", "ada");
    ck_assert(!try_vote(&s, ADA, request, true, &voted));
    ck_assert_str_eq(s.error.code, "separation_of_duties");
    ask_for("ops.run", "sam");
    ck_assert_int_eq(vote(&s, ADA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(duties__one_of_each_needs_two_people_whoever_is_in_both)
{
    set_member(&s, DANA, "finance", true);
    set_member(&s, GINA, "ops", true);
    ask_for("each.go", "sam");
    ck_assert_int_eq(vote(&s, DANA, request, true).missing, 1);
    ck_assert_int_eq(vote(&s, GINA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(duties__who_comes_into_the_group_while_it_waits_may_decide)
{
    ask_for("ops.run", "sam");
    set_member(&s, NORA, "ops", true);
    ck_assert_int_eq(vote(&s, NORA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(duties__who_becomes_the_subject_while_it_waits_is_one)
{
    ask_for("ops.run", "carol");
    struct operation *operation = scenario_begin(&s, HOST);
    ck_assert(scenario_settle(&s, store_insert_person_subject(operation->store, "default",
                                                              person_id(&s, DANA), "user/carol",
                                                              &s.error)));
    ck_assert(!try_vote(&s, DANA, request, true, &voted));
    ck_assert_str_eq(s.error.code, "separation_of_duties");
}
END_TEST

/* ---- when nobody may ---- */

static bool is_stranded(void)
{
    return look(&s, request).nobody_can_approve;
}

static size_t said(bool stranded)
{
    return count_entries(&s, stranded ? "\"stranded\":true" : "\"stranded\":false");
}

START_TEST(stranded__a_request_that_nobody_may_approve_says_so_when_it_is_submitted)
{
    set_member(&s, HANK, "leads", false);
    ask_for("leads.go", "sam");
    ck_assert(is_stranded());
    ck_assert_uint_eq(said(true), 1);
}
END_TEST

START_TEST(stranded__emptying_its_group_says_so_at_once)
{
    ask_for("leads.go", "sam");
    ck_assert(!is_stranded());
    set_member(&s, HANK, "leads", false);
    ck_assert(is_stranded());
    ck_assert_uint_eq(said(true), 1);
    ck_assert_int_eq(look(&s, request).request.state, REQUEST_PENDING);
}
END_TEST

START_TEST(stranded__disabling_the_last_who_may_says_so_at_once)
{
    ask_for("leads.go", "sam");
    set_enabled(&s, HANK, false);
    ck_assert(is_stranded());
    set_enabled(&s, HANK, true);
    ck_assert(!is_stranded());
    ck_assert_uint_eq(said(true), 1);
    ck_assert_uint_eq(said(false), 1);
}
END_TEST

START_TEST(stranded__somebody_who_joins_the_group_may_decide_it)
{
    set_member(&s, HANK, "leads", false);
    ask_for("leads.go", "sam");
    set_member(&s, NORA, "leads", true);
    ck_assert(!is_stranded());
    ck_assert_uint_eq(said(false), 1);
    ck_assert_int_eq(vote(&s, NORA, request, true).state, REQUEST_APPROVED);
}
END_TEST

START_TEST(stranded__who_edited_it_alone_is_nobody_else)
{
    scenario_publish(&s, "version: 1\n"
                         "defaults: { verdict: require_approval, risk: high, approval: { groups: "
                         "[ops], timeout: 1h } }\n");
    ask_for("ops.run", "sam");
    struct request_view view = look(&s, request);
    struct edit_input input = {.request = request,
                               .revision = 1,
                               .digest = view.request.digest,
                               .arguments = "{\"edited\":true}"};
    struct edit_result edited;
    ck_assert(scenario_settle(
        &s, operation_edit_request(scenario_begin(&s, DANA), &input, &edited, &s.error)));
    ck_assert(!is_stranded());
    set_member(&s, ERIN, "ops", false);
    set_member(&s, FRED, "ops", false);
    ck_assert(is_stranded());
}
END_TEST

START_TEST(stranded__a_group_of_parties_is_as_good_as_empty)
{
    ask_for("leads.go", "hank");
    ck_assert(is_stranded());
    ck_assert_int_eq(vote(&s, HANK, request, false).state, REQUEST_DENIED);
}
END_TEST

START_TEST(stranded__it_is_in_lists_and_told_to_dashboards)
{
    ask_for("leads.go", "sam");
    struct operation *operation = scenario_begin(&s, HOST);
    ck_assert(operation_join_group(operation, "leads", "hank", false, &s.error));
    bool was_told = false;
    for (const struct operation_change *change = operation->changes; change != NULL;
         change = change->next) {
        was_told = was_told || (strcmp(change->request, request) == 0 && change->was_asked);
    }
    ck_assert(scenario_settle(&s, true));
    ck_assert(was_told);
    struct list_input input = {.state = -1, .before_id = "", .limit = 10};
    struct request_view *views;
    size_t count;
    const char *next;
    ck_assert(scenario_settle(&s, operation_list_requests(scenario_begin(&s, ADA), &input, &views,
                                                          &count, &next, &s.error)));
    ck_assert_uint_eq(count, 1);
    ck_assert(views[0].nobody_can_approve);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: duties");
    TCase *tests = tcase_create("duties");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, duties__are_as_the_table_says);
    tcase_add_test(tests, duties__an_admin_in_the_group_is_a_person_like_others);
    tcase_add_test(tests, duties__one_of_each_needs_two_people_whoever_is_in_both);
    tcase_add_test(tests, duties__who_comes_into_the_group_while_it_waits_may_decide);
    tcase_add_test(tests, duties__who_becomes_the_subject_while_it_waits_is_one);
    tcase_add_test(tests, stranded__a_request_that_nobody_may_approve_says_so_when_it_is_submitted);
    tcase_add_test(tests, stranded__emptying_its_group_says_so_at_once);
    tcase_add_test(tests, stranded__disabling_the_last_who_may_says_so_at_once);
    tcase_add_test(tests, stranded__somebody_who_joins_the_group_may_decide_it);
    tcase_add_test(tests, stranded__who_edited_it_alone_is_nobody_else);
    tcase_add_test(tests, stranded__a_group_of_parties_is_as_good_as_empty);
    tcase_add_test(tests, stranded__it_is_in_lists_and_told_to_dashboards);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
