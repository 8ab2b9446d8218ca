#include "operations/comment_operations.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scenario s;
static char request[ID_BYTES];
static struct comment_row said;

static void set_up(void)
{
    scenario_start(&s, NULL);
    struct submit_result result = submit(&s, RUNNER, ASK(.action = "two.go"));
    memcpy(request, result.request, sizeof request);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static bool try_say(enum cast who, const char *text)
{
    return scenario_settle(
        &s, operation_comment_request(scenario_begin(&s, who), request, text, &said, &s.error));
}

static void say(enum cast who, const char *text)
{
    ck_assert_msg(try_say(who, text), "%s: %s", s.error.code, s.error.message);
}

static void expect_refused(enum cast who, const char *text, enum error_kind kind, const char *code)
{
    ck_assert(!try_say(who, text));
    ck_assert_str_eq(s.error.code, code);
    ck_assert_int_eq(s.error.kind, kind);
}

static struct request_view read_as(enum cast who)
{
    struct request_view view;
    ck_assert(try_read(&s, who, request, false, &view));
    return view;
}

START_TEST(comment__a_question_is_read_by_the_agent_and_answered)
{
    say(DANA, "which ticket?");
    struct request_view view = read_as(RUNNER);
    ck_assert(view.has_question);
    ck_assert_str_eq(view.question.text, "which ticket?");
    ck_assert_str_eq(view.question.author_name, "dana");
    ck_assert_int_eq(view.news, 1);
    say(RUNNER, "T-1");
    ck_assert_str_eq(said.author_name, "bot");
    view = read_as(DANA);
    ck_assert(!view.has_question);
    ck_assert_int_eq(view.request.comment_count, 2);
    ck_assert_int_eq(view.news, 1);
}
END_TEST

START_TEST(comment__everyone_who_may_read_the_request_reads_them_in_order)
{
    static const enum cast readers[] = {DANA, ERIN, OLGA, RUNNER, AUDREY, ADA, HOST};
    say(DANA, "one?");
    say(ERIN, "two?");
    say(RUNNER, "three");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        struct comment_row *comments;
        size_t count;
        ck_assert(
            scenario_settle(&s, operation_list_comments(scenario_begin(&s, readers[i]), request,
                                                        &comments, &count, &s.error)));
        ck_assert_uint_eq(count, 3);
        ck_assert_str_eq(comments[0].text, "one?");
        ck_assert_str_eq(comments[2].text, "three");
    }
    struct comment_row *comments;
    size_t count;
    ck_assert(!scenario_settle(&s, operation_list_comments(scenario_begin(&s, NORA), request,
                                                           &comments, &count, &s.error)));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
}
END_TEST

START_TEST(comment__only_who_is_asked_or_involved_asks)
{
    say(OLGA, "I own the bot; what is this?");
    expect_refused(ADA, "x", ERROR_FORBIDDEN, "not_allowed");
    expect_refused(AUDREY, "x", ERROR_FORBIDDEN, "not_allowed");
    expect_refused(NORA, "x", ERROR_NOT_FOUND, "not_found");
    expect_refused(OTHER, "x", ERROR_NOT_FOUND, "not_found");
}
END_TEST

START_TEST(comment__an_agent_speaks_when_it_is_asked)
{
    expect_refused(RUNNER, "please!", ERROR_CONFLICT, "no_question");
    say(DANA, "why?");
    say(RUNNER, "because");
    expect_refused(RUNNER, "please!", ERROR_CONFLICT, "no_question");
}
END_TEST

START_TEST(comment__nothing_is_no_comment)
{
    expect_refused(DANA, " \n\t", ERROR_INVALID, "empty_comment");
}
END_TEST

START_TEST(comment__fifty_of_each_side_at_most)
{
    for (int i = 0; i < COMMENTS_OF_SIDE_MAX; i++) {
        say(i % 2 == 0 ? DANA : ERIN, "and?");
        say(RUNNER, "well");
    }
    expect_refused(DANA, "and?", ERROR_LIMIT, "too_many_comments");
    expect_refused(RUNNER, "well", ERROR_CONFLICT, "no_question");
}
END_TEST

START_TEST(comment__not_after_the_end)
{
    say(DANA, "why?");
    vote(&s, DANA, request, false);
    expect_refused(DANA, "why?", ERROR_CONFLICT, "already_ended");
    expect_refused(RUNNER, "because", ERROR_CONFLICT, "already_ended");
    ck_assert(!read_as(RUNNER).has_question);
}
END_TEST

START_TEST(comment__the_ledger_keeps_its_digest_and_not_its_words)
{
    say(DANA, "a very particular question");
    ck_assert_uint_eq(count_entries(&s, "particular"), 0);
    ck_assert_uint_eq(count_entries(&s, "\"type\":\"request.commented\""), 1);
    ck_assert_uint_eq(count_entries(&s, "comment_digest"), 1);
}
END_TEST

START_TEST(comment__decides_nothing)
{
    say(DANA, "approve");
    say(RUNNER, "{\"vote\":\"approve\"}");
    ck_assert_uint_eq(look(&s, request).missing, 2);
    ck_assert_int_eq(look(&s, request).request.revision, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations: comment");
    TCase *tests = tcase_create("comment");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, comment__a_question_is_read_by_the_agent_and_answered);
    tcase_add_test(tests, comment__everyone_who_may_read_the_request_reads_them_in_order);
    tcase_add_test(tests, comment__only_who_is_asked_or_involved_asks);
    tcase_add_test(tests, comment__an_agent_speaks_when_it_is_asked);
    tcase_add_test(tests, comment__nothing_is_no_comment);
    tcase_add_test(tests, comment__fifty_of_each_side_at_most);
    tcase_add_test(tests, comment__not_after_the_end);
    tcase_add_test(tests, comment__the_ledger_keeps_its_digest_and_not_its_words);
    tcase_add_test(tests, comment__decides_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
