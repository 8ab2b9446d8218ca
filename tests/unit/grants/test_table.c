#include "grants/grant.h"
#include "tests/support/drawing.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] = "docs/grant-life.txt";

/* Written from the description of the life, not from the table: what each event does in each state;
 * "-" is refused. */
static const char *const expected[GRANT_EVENT_COUNT][GRANT_STATE_COUNT] = {
    /* absent, issued, redeemed, succeeded, failed, unknown, lapsed, revoked */
    [GRANT_ISSUE] = {"issued", "-", "-", "-", "-", "-", "-", "-"},
    [GRANT_MINT] = {"-", "issued", "-", "-", "-", "-", "-", "-"},
    [GRANT_REDEEM] = {"-", "redeemed", "-", "-", "-", "-", "-", "-"},
    [GRANT_CLAIM_WINDOW_OVER] = {"-", "lapsed", "-", "-", "-", "-", "-", "-"},
    [GRANT_REVOKE] = {"-", "revoked", "-", "-", "-", "-", "-", "-"},
    [GRANT_REPORT_SUCCEEDED] = {"-", "-", "succeeded", "-", "-", "-", "-", "-"},
    [GRANT_REPORT_FAILED] = {"-", "-", "failed", "-", "-", "-", "-", "-"},
    [GRANT_REPORT_UNKNOWN] = {"-", "-", "unknown", "-", "-", "-", "-", "-"},
    [GRANT_EFFECT_OVERDUE] = {"-", "-", "unknown", "-", "-", "-", "-", "-"},
    [GRANT_RESOLVE_SUCCEEDED] = {"-", "-", "-", "-", "-", "succeeded", "-", "-"},
    [GRANT_RESOLVE_FAILED] = {"-", "-", "-", "-", "-", "failed", "-", "-"},
};

START_TEST(grants__every_pair_of_state_and_event_does_what_is_written)
{
    int wrong = 0;
    for (int event = 0; event < GRANT_EVENT_COUNT; event++) {
        for (int state = 0; state < GRANT_STATE_COUNT; state++) {
            const struct grant_transition *found =
                grant_apply((enum grant_state)state, (enum grant_event)event);
            const char *next = found == NULL ? "-" : grant_state_name(found->next);
            if (strcmp(next, expected[event][state]) != 0) {
                wrong++;
                printf("%s in %s: expected `%s`, found `%s`\n",
                       grant_event_name((enum grant_event)event),
                       grant_state_name((enum grant_state)state), expected[event][state], next);
            }
        }
    }
    fflush(stdout); /* a failed check leaves the forked process without flushing */
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(grants__no_pair_is_in_the_table_twice)
{
    size_t count;
    const struct grant_transition *rows = grant_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(grant_apply(rows[i].state, rows[i].event), &rows[i]);
    }
}
END_TEST

/* Whatever happens in whatever order: once it has left `issued`, no way leads to a redemption. */
START_TEST(grants__no_path_redeems_twice)
{
    size_t count;
    const struct grant_transition *rows = grant_transitions(&count);
    bool is_after[GRANT_STATE_COUNT] = {[GRANT_REDEEMED] = true};
    for (size_t round = 0; round < GRANT_STATE_COUNT; round++) {
        for (size_t i = 0; i < count; i++) {
            is_after[rows[i].next] = is_after[rows[i].next] || is_after[rows[i].state];
        }
    }
    for (int state = 0; state < GRANT_STATE_COUNT; state++) {
        ck_assert(!is_after[state] || grant_apply((enum grant_state)state, GRANT_REDEEM) == NULL);
    }
    ck_assert(!is_after[GRANT_ISSUED]);
}
END_TEST

START_TEST(grants__only_a_person_resolves_unknown)
{
    for (int event = 0; event < GRANT_EVENT_COUNT; event++) {
        bool is_by_person = event == GRANT_RESOLVE_SUCCEEDED || event == GRANT_RESOLVE_FAILED;
        ck_assert_int_eq(grant_apply(GRANT_UNKNOWN, (enum grant_event)event) != NULL, is_by_person);
    }
}
END_TEST

START_TEST(grants__values_outside_the_enums_are_refused)
{
    ck_assert_ptr_null(grant_apply(GRANT_STATE_COUNT, GRANT_REDEEM));
    ck_assert_ptr_null(grant_apply((enum grant_state)99, GRANT_REDEEM));
    ck_assert_ptr_null(grant_apply(GRANT_ISSUED, GRANT_EVENT_COUNT));
    ck_assert_ptr_null(grant_apply(GRANT_ISSUED, (enum grant_event)99));
    ck_assert_str_eq(grant_state_name(GRANT_STATE_COUNT), "absent");
    ck_assert_str_eq(grant_event_name(GRANT_EVENT_COUNT), "");
    ck_assert_str_eq(grant_state_name((enum grant_state)99), "absent");
    ck_assert_str_eq(grant_event_name((enum grant_event)99), "");
}
END_TEST

START_TEST(grants__zeroed_grant_is_not_there)
{
    enum grant_state state = {0};
    ck_assert_str_eq(grant_state_name(state), "absent");
    ck_assert_ptr_null(grant_apply(state, GRANT_REDEEM));
    ck_assert_ptr_null(grant_apply(state, GRANT_MINT));
}
END_TEST

START_TEST(grants__names_are_the_words_of_the_api)
{
    static const char *const states[GRANT_STATE_COUNT] = {
        "absent", "issued", "redeemed", "succeeded", "failed", "unknown", "lapsed", "revoked"};
    for (int i = 0; i < GRANT_STATE_COUNT; i++) {
        ck_assert_str_eq(grant_state_name((enum grant_state)i), states[i]);
    }
    for (int i = 0; i < GRANT_EVENT_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(grant_event_name((enum grant_event)i),
                             grant_event_name((enum grant_event)j));
        }
    }
}
END_TEST

static void draw(struct builder *out)
{
    struct drawing_arrow arrows[GRANT_EVENT_COUNT * GRANT_STATE_COUNT];
    size_t count;
    const struct grant_transition *rows = grant_transitions(&count);
    for (size_t i = 0; i < count; i++) {
        arrows[i] = (struct drawing_arrow){.state = grant_state_name(rows[i].state),
                                           .event = grant_event_name(rows[i].event),
                                           .next = grant_state_name(rows[i].next),
                                           .note = ""};
    }
    builder_text(out, "The life of a grant: state, event, next state.\n"
                      "Printed from gateway/grants/table.c by the test that compares the two:\n"
                      "    build/tests/unit/grants/test_table --draw > docs/grant-life.txt\n"
                      "An event that is not drawn at a state is refused there. Nothing leaves\n"
                      "succeeded, failed, lapsed and revoked.\n");
    drawing_append(out, arrows, count);
}

START_TEST(grants__the_drawing_shows_the_table)
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
    Suite *suite = suite_create("grants/table");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, grants__every_pair_of_state_and_event_does_what_is_written);
    tcase_add_test(tests, grants__no_pair_is_in_the_table_twice);
    tcase_add_test(tests, grants__no_path_redeems_twice);
    tcase_add_test(tests, grants__only_a_person_resolves_unknown);
    tcase_add_test(tests, grants__values_outside_the_enums_are_refused);
    tcase_add_test(tests, grants__zeroed_grant_is_not_there);
    tcase_add_test(tests, grants__names_are_the_words_of_the_api);
    tcase_add_test(tests, grants__the_drawing_shows_the_table);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
