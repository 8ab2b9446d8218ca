#include "requests/request.h"
#include "tests/support/drawing.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] = "docs/request-life.txt";

/* Written from the description of the life, not from the table: what each event does in each state,
 * `next reason effects`, with g: issues the grant, w: answers waiters, a: tells approvers,
 * r: remembers the denial. "-" is refused. */
#define SAME_WHEN_OVER "approved . .", "denied . .", "expired . .", "cancelled . ."
#define NEVER_AFTER    "-", "-", "-", "-"
static const char *const expected[REQUEST_EVENT_COUNT][REQUEST_STATE_COUNT] = {
    /* absent, pending, approved, denied, expired, cancelled */
    [REQUEST_SUBMIT_ALLOWED] = {"approved policy_allow gw", "-", NEVER_AFTER},
    [REQUEST_SUBMIT_DENIED] = {"denied policy_deny w", "-", NEVER_AFTER},
    [REQUEST_SUBMIT_FROZEN] = {"denied frozen w", "-", NEVER_AFTER},
    [REQUEST_SUBMIT_REPEATED] = {"denied recently_denied w", "-", NEVER_AFTER},
    [REQUEST_SUBMIT_ESCALATED] = {"pending . a", "-", NEVER_AFTER},
    [REQUEST_VOTE_COUNTED] = {"-", "pending . .", NEVER_AFTER},
    [REQUEST_REQUIREMENTS_MET] = {"-", "approved approved_by_people gw", NEVER_AFTER},
    [REQUEST_DENY_QUORUM_REACHED] = {"-", "denied denied_by_person wr", NEVER_AFTER},
    [REQUEST_RUNG_DUE] = {"-", "pending . a", NEVER_AFTER},
    [REQUEST_TIMED_OUT] = {"-", "expired timed_out w", NEVER_AFTER},
    [REQUEST_WITHDRAWN] = {"-", "cancelled withdrawn w", NEVER_AFTER},
    [REQUEST_CANCELLED_BY_ADMIN] = {"-", "cancelled cancelled_by_admin w", NEVER_AFTER},
    [REQUEST_EDITED] = {"-", "pending . a", NEVER_AFTER},
    [REQUEST_POLICY_GREW] = {"-", "pending . a", NEVER_AFTER},
    [REQUEST_POLICY_DENIED] = {"-", "denied policy_deny w", NEVER_AFTER},
    [REQUEST_STORE_ROLLED_BACK] = {"-", "cancelled rolled_back w", NEVER_AFTER},
    [REQUEST_VOTED_LATE] = {"-", "-", SAME_WHEN_OVER},
};

static void describe(const struct request_transition *transition, char *out, size_t out_bytes)
{
    if (transition == NULL) {
        snprintf(out, out_bytes, "-");
        return;
    }
    const char *reason = request_reason_name(transition->reason);
    snprintf(out, out_bytes, "%s %s %s%s%s%s%s", request_state_name(transition->next),
             reason[0] == '\0' ? "." : reason, transition->effects == 0 ? "." : "",
             (transition->effects & REQUEST_ISSUES_GRANT) != 0 ? "g" : "",
             (transition->effects & REQUEST_ANSWERS_WAITERS) != 0 ? "w" : "",
             (transition->effects & REQUEST_TELLS_APPROVERS) != 0 ? "a" : "",
             (transition->effects & REQUEST_REMEMBERS_DENIAL) != 0 ? "r" : "");
}

START_TEST(requests__every_pair_of_state_and_event_does_what_is_written)
{
    int wrong = 0;
    for (int event = 0; event < REQUEST_EVENT_COUNT; event++) {
        for (int state = 0; state < REQUEST_STATE_COUNT; state++) {
            char found[80];
            describe(request_apply((enum request_state)state, (enum request_event)event), found,
                     sizeof found);
            if (strcmp(found, expected[event][state]) != 0) {
                wrong++;
                printf("%s in %s: expected `%s`, found `%s`\n",
                       request_event_name((enum request_event)event),
                       request_state_name((enum request_state)state), expected[event][state],
                       found);
            }
        }
    }
    fflush(stdout); /* a failed check leaves the forked process without flushing */
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(requests__no_pair_is_in_the_table_twice)
{
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(request_apply(rows[i].state, rows[i].event), &rows[i]);
    }
}
END_TEST

START_TEST(requests__an_end_is_final)
{
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        if (request_is_final(rows[i].state)) {
            ck_assert_int_eq(rows[i].next, rows[i].state);
            ck_assert_int_eq(rows[i].reason, REASON_NONE);
            ck_assert_uint_eq(rows[i].effects, 0);
        }
    }
}
END_TEST

START_TEST(requests__every_end_has_a_reason_and_answers_whoever_waits)
{
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        bool ends = request_is_final(rows[i].next) && !request_is_final(rows[i].state);
        ck_assert_int_eq(rows[i].reason != REASON_NONE, ends);
        ck_assert_int_eq((rows[i].effects & REQUEST_ANSWERS_WAITERS) != 0, ends);
    }
}
END_TEST

START_TEST(requests__a_grant_is_issued_exactly_on_approval)
{
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        bool approves = rows[i].next == REQUEST_APPROVED && rows[i].state != REQUEST_APPROVED;
        ck_assert_int_eq((rows[i].effects & REQUEST_ISSUES_GRANT) != 0, approves);
    }
}
END_TEST

START_TEST(requests__only_policy_allow_and_met_requirements_approve)
{
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].next == REQUEST_APPROVED && rows[i].state != REQUEST_APPROVED) {
            bool is_allow =
                rows[i].state == REQUEST_ABSENT && rows[i].event == REQUEST_SUBMIT_ALLOWED;
            bool is_met =
                rows[i].state == REQUEST_PENDING && rows[i].event == REQUEST_REQUIREMENTS_MET;
            ck_assert(is_allow || is_met);
        }
    }
}
END_TEST

START_TEST(requests__a_no_by_a_person_can_be_told_from_nobody_answering)
{
    ck_assert_int_ne(request_apply(REQUEST_PENDING, REQUEST_DENY_QUORUM_REACHED)->next,
                     request_apply(REQUEST_PENDING, REQUEST_TIMED_OUT)->next);
    ck_assert_str_eq(request_reason_name(REASON_DENIED_BY_PERSON), "denied_by_person");
    ck_assert_str_eq(request_reason_name(REASON_TIMED_OUT), "timed_out");
}
END_TEST

START_TEST(requests__values_outside_the_enums_are_refused)
{
    ck_assert_ptr_null(request_apply(REQUEST_STATE_COUNT, REQUEST_SUBMIT_ALLOWED));
    ck_assert_ptr_null(request_apply((enum request_state)99, REQUEST_VOTED_LATE));
    ck_assert_ptr_null(request_apply(REQUEST_PENDING, REQUEST_EVENT_COUNT));
    ck_assert_ptr_null(request_apply(REQUEST_PENDING, (enum request_event)99));
    ck_assert(!request_is_final(REQUEST_STATE_COUNT));
    ck_assert_str_eq(request_state_name(REQUEST_STATE_COUNT), "absent");
    ck_assert_str_eq(request_event_name(REQUEST_EVENT_COUNT), "");
    ck_assert_str_eq(request_reason_name(REASON_COUNT), "");
    ck_assert_str_eq(request_state_name((enum request_state)99), "absent");
    ck_assert_str_eq(request_event_name((enum request_event)99), "");
    ck_assert_str_eq(request_reason_name((enum request_reason)99), "");
}
END_TEST

START_TEST(requests__zeroed_request_is_not_there_and_not_approved)
{
    enum request_state state = {0};
    ck_assert_int_eq(state, REQUEST_ABSENT);
    ck_assert(!request_is_final(state));
    ck_assert_str_eq(request_state_name(state), "absent");
}
END_TEST

START_TEST(requests__names_are_the_words_of_the_api)
{
    static const char *const states[REQUEST_STATE_COUNT] = {"absent", "pending", "approved",
                                                            "denied", "expired", "cancelled"};
    static const char *const reasons[REASON_COUNT] = {"",
                                                      "policy_allow",
                                                      "policy_deny",
                                                      "approved_by_people",
                                                      "denied_by_person",
                                                      "timed_out",
                                                      "withdrawn",
                                                      "cancelled_by_admin",
                                                      "frozen",
                                                      "recently_denied",
                                                      "rolled_back"};
    for (int i = 0; i < REQUEST_STATE_COUNT; i++) {
        ck_assert_str_eq(request_state_name((enum request_state)i), states[i]);
    }
    for (int i = 0; i < REASON_COUNT; i++) {
        ck_assert_str_eq(request_reason_name((enum request_reason)i), reasons[i]);
    }
    for (int i = 0; i < REQUEST_EVENT_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(request_event_name((enum request_event)i),
                             request_event_name((enum request_event)j));
        }
    }
}
END_TEST

static void note(const struct request_transition *row, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s%s%s%s%s", request_reason_name(row->reason),
             (row->effects & REQUEST_ISSUES_GRANT) != 0 ? "; issues the grant" : "",
             (row->effects & REQUEST_REMEMBERS_DENIAL) != 0 ? "; is remembered" : "",
             (row->effects & REQUEST_TELLS_APPROVERS) != 0 ? "approvers are told" : "",
             row->event == REQUEST_VOTED_LATE ? "recorded, changes nothing" : "");
}

static void draw(struct builder *out)
{
    struct drawing_arrow arrows[REQUEST_EVENT_COUNT * REQUEST_STATE_COUNT];
    char notes[REQUEST_EVENT_COUNT * REQUEST_STATE_COUNT][80];
    size_t count;
    const struct request_transition *rows = request_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        note(&rows[i], notes[i], sizeof notes[i]);
        arrows[i] = (struct drawing_arrow){.state = request_state_name(rows[i].state),
                                           .event = request_event_name(rows[i].event),
                                           .next = request_state_name(rows[i].next),
                                           .note = notes[i]};
    }
    builder_text(out, "The life of a request: state, event, next state, reason.\n"
                      "Printed from gateway/requests/table.c by the test that compares the two:\n"
                      "    build/tests/unit/requests/test_table --draw > docs/request-life.txt\n"
                      "An event that is not drawn at a state is refused there.\n");
    drawing_append(out, arrows, count);
}

START_TEST(requests__the_drawing_shows_the_table)
{
    struct builder drawing BUILDER_SCOPE;
    builder_init(&drawing, 0);
    draw(&drawing);
    ck_assert(drawing_is_current(page, drawing.bytes));
}
END_TEST

int main(int argument_count, char **arguments)
{
    if (argument_count == 2 && strcmp(arguments[1], "--draw") == 0) {
        struct builder drawing BUILDER_SCOPE;
        builder_init(&drawing, 0);
        draw(&drawing);
        fputs(drawing.bytes, stdout);
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("requests/table");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, requests__every_pair_of_state_and_event_does_what_is_written);
    tcase_add_test(tests, requests__no_pair_is_in_the_table_twice);
    tcase_add_test(tests, requests__an_end_is_final);
    tcase_add_test(tests, requests__every_end_has_a_reason_and_answers_whoever_waits);
    tcase_add_test(tests, requests__a_grant_is_issued_exactly_on_approval);
    tcase_add_test(tests, requests__only_policy_allow_and_met_requirements_approve);
    tcase_add_test(tests, requests__a_no_by_a_person_can_be_told_from_nobody_answering);
    tcase_add_test(tests, requests__values_outside_the_enums_are_refused);
    tcase_add_test(tests, requests__zeroed_request_is_not_there_and_not_approved);
    tcase_add_test(tests, requests__names_are_the_words_of_the_api);
    tcase_add_test(tests, requests__the_drawing_shows_the_table);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
