/* What a policy file or a request may hold at its worst: refused, or decided within its bounds. How
 * long each took is printed, not asserted: the bounds that make it short are. */

#include "base/check.h"
#include "cases_file.h"
#include "crypto/crypto.h"
#include "policy/cel/cel.h"
#include <time.h>

static const char *const head =
    "version: 1\ndefaults: {verdict: deny, approval: {groups: [g], timeout: 1h}}\n";

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void say(const char *what, double since_ms)
{
    printf("    %-52s %8.3f ms\n", what, now_ms() - since_ms);
}

static void expect_refused(const char *what, const char *text, size_t length, const char *says)
{
    struct error error = {0};
    struct policy_file file = {"policy.yaml", text, length};
    double start = now_ms();
    struct policy *policy = policy_compile(&file, 1, &error);
    say(what, start);
    ck_assert_msg(policy == NULL, "%s: compiled", what);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_msg(strstr(error.message, says) != NULL, "%s: expected to say `%s`, got `%s`", what,
                  says, error.message);
    ck_assert_msg(error.line > 0, "%s: without a place", what);
}

/* The members behind the head, refused with this. */
static void expect_members_refused(const char *what, const char *members, const char *says)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, head);
    builder_text(&text, members);
    expect_refused(what, text.bytes, text.length, says);
}

static void append_repeated(struct builder *out, const char *text, int times)
{
    for (int i = 0; i < times; i++) {
        builder_text(out, text);
    }
}

/* A rule that denies when `condition` does, as literal block. */
static char *write_rule(const char *condition)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%srules:\n  - name: r\n    match: all\n    verdict: deny\n    when: |\n",
                   head);
    builder_printf(&text, "      %s\n", condition);
    return builder_take(&text);
}

static void expect_condition_refused(const char *what, const char *condition, const char *says)
{
    char *text = write_rule(condition);
    expect_refused(what, text, strlen(text), says);
    free(text);
}

/* Decides with one rule that denies; gives the explanation, to be freed. */
static char *decide(const char *what, const char *condition, const char *args)
{
    char *text = write_rule(condition);
    struct policy *policy = compile_text(text);
    struct arena *arena ARENA_SCOPE = arena_create();
    struct builder action BUILDER_SCOPE;
    builder_init(&action, 0);
    builder_printf(&action, "{\"name\":\"a\",\"properties\":{\"args\":");
    builder_text(&action, args);
    builder_text(&action, "}}");
    struct policy_input input = {.action = "a", .action_json = action.bytes};
    struct policy_decision decision;
    double start = now_ms();
    policy_decide(policy, &input, arena, NULL, NULL, &decision);
    say(what, start);
    ck_assert_int_eq(decision.verdict, POLICY_DENY);
    char *explanation = strdup(decision.explanation);
    policy_destroy(policy);
    free(text);
    return explanation;
}

static void expect_explained(const char *what, const char *condition, const char *args,
                             const char *says)
{
    char *explanation = decide(what, condition, args);
    ck_assert_msg(strstr(explanation, says) != NULL, "%s: expected `%s` in %.2000s", what, says,
                  explanation);
    free(explanation);
}

START_TEST(load__what_yaml_can_do_and_a_policy_must_not_is_refused)
{
    struct builder brackets BUILDER_SCOPE;
    builder_init(&brackets, 0);
    builder_text(&brackets, "rules: ");
    append_repeated(&brackets, "[", 40000);
    expect_members_refused("a billion laughs",
                           "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\n"
                           "c: &c [*b, *b, *b, *b, *b, *b, *b]\n",
                           "anchors are refused");
    expect_members_refused("an alias", "rules: *r\n", "aliases are refused");
    expect_members_refused("a tag", "rules: !!python/object:os.system x\n", "YAML tag");
    expect_members_refused("a tag for a condition",
                           "rules:\n  - {name: r, match: all, verdict: deny, when: !args.x }\n",
                           "YAML tag");
    expect_members_refused("a key twice", "rules: []\nrules: []\n", "stands twice");
    expect_members_refused("40,000 open brackets", brackets.bytes, "16 levels");
    expect_members_refused("a second document", "---\nversion: 1\n", "second document");
    expect_members_refused("text that is no UTF-8", "rules: \"\xff\xfe\"\n", "UTF-8");
    expect_members_refused("an escaped NUL",
                           "rules:\n  - {name: r, match: all, verdict: deny, when: \"a\\0b\"}\n",
                           "NUL");
}
END_TEST

START_TEST(load__a_raw_nul_is_refused)
{
    static const char text[] = "version: 1\ndefaults: {verdict: deny}\nrules: x\0y\n";
    expect_refused("a raw NUL", text, sizeof text - 1, "control characters");
}
END_TEST

START_TEST(load__conditions_past_their_bounds_are_refused)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    append_repeated(&text, "(", 1500);
    builder_text(&text, "true");
    append_repeated(&text, ")", 1500);
    expect_condition_refused("1,500 parentheses", text.bytes, "deep");
    builder_clear(&text);
    builder_text(&text, "true");
    append_repeated(&text, "||true", 800);
    expect_condition_refused("5 KB of source", text.bytes, "long");
    builder_clear(&text);
    builder_text(&text, "0");
    append_repeated(&text, "+1", 1500);
    builder_text(&text, ">0");
    expect_condition_refused("3,000 nodes", text.bytes, "");
    builder_clear(&text);
    for (int i = 0; i < 20; i++) {
        builder_printf(&text, "[0,1].all(x%d,", i);
    }
    builder_text(&text, "true");
    append_repeated(&text, ")", 20);
    expect_condition_refused("20 nested all", text.bytes, "");
    expect_condition_refused("an integer past 64 bits", "args.n == 9223372036854775808", "");
    expect_condition_refused("a regular expression that is too large",
                             "args.s.matches(r'((a{1,100}){1,100}){1,100}')", "");
    expect_condition_refused("a regular expression that is none", "args.s.matches(r'(a')", "");
}
END_TEST

START_TEST(load__64_variables_in_the_worst_order)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, head);
    builder_text(&text, "variables:\n");
    /* Chains of eight, each against the order in which they are tried. */
    for (int i = 0; i < 64; i++) {
        if (i % 8 == 7) {
            builder_printf(&text, "  v%d: size(args)\n", i);
        } else {
            builder_printf(&text, "  v%d: variables.v%d + 1\n", i, i + 1);
        }
    }
    double start = now_ms();
    struct policy *policy = compile_text(text.bytes);
    say("64 variables against their order", start);
    policy_destroy(policy);
}
END_TEST

START_TEST(decide__evaluation_is_bounded_and_what_is_stopped_is_strict)
{
    struct builder numbers BUILDER_SCOPE;
    builder_init(&numbers, 0);
    builder_text(&numbers, "{\"l\":[0");
    append_repeated(&numbers, ",1", 999);
    builder_text(&numbers, "]}");
    expect_explained("a thousand elements, three deep",
                     "args.l.all(a, args.l.all(b, args.l.all(c, a + b + c < 9))) && false",
                     numbers.bytes, "\"stopped\":true");
    expect_explained("an overflow", "args.n + 1 > 0", "{\"n\":9223372036854775000}",
                     "\"matched\":true");
    expect_explained("an overflow that is one", "args.n * 10 > 0", "{\"n\":9223372036854775000}",
                     "overflow");
}
END_TEST

START_TEST(decide__long_texts_are_matched_in_linear_time)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"s\":\"");
    append_repeated(&text, "aaaaaaaaaaaaaaaa", 4096);
    builder_text(&text, "!\"}");
    /* 64 KiB cost more than a condition may, so the limit speaks; a shorter text is matched. */
    expect_explained("^(a+)+$ over 64 KiB", "args.s.matches(r'^(a+)+$')", text.bytes,
                     "\"stopped\":true");
    builder_clear(&text);
    builder_text(&text, "{\"s\":\"");
    append_repeated(&text, "aaaaaaaaaaaaaaaa", 512);
    builder_text(&text, "!\"}");
    expect_explained("^(a+)+$ over 8 KiB", "!args.s.matches(r'^(a+)+$')", text.bytes,
                     "\"value\":true");
}
END_TEST

START_TEST(decide__requests_at_their_worst)
{
    struct builder deep BUILDER_SCOPE;
    struct builder wide BUILDER_SCOPE;
    builder_init(&deep, 0);
    builder_init(&wide, 0);
    append_repeated(&deep, "[", 40000);
    expect_explained("JSON of 40,000 levels", "size(args) > 0", deep.bytes, "not readable");
    builder_text(&wide, "{\"l\":[");
    append_repeated(&wide, "[],", 80000);
    builder_text(&wide, "[]]}");
    expect_explained("240 KB of empty lists", "size(args.l) == 80001", wide.bytes,
                     "\"value\":true");
    expect_explained("a NUL in a text", "args.s == \"a\\u0000b\"", "{\"s\":\"a\\u0000b\"}",
                     "\"value\":true");
    expect_explained("JSON that is none", "size(args) == 0", "{\"a\":}", "not readable");
    expect_explained("a member twice", "size(args) == 0", "{\"a\":1,\"a\":2}", "not readable");
}
END_TEST

START_TEST(decide__a_request_of_many_members_is_found_quickly)
{
    struct builder wide BUILDER_SCOPE;
    builder_init(&wide, 0);
    builder_char(&wide, '{');
    for (int i = 0; i < 20000; i++) {
        builder_printf(&wide, "%s\"m%05d\":%d", i == 0 ? "" : ",", i, i);
    }
    builder_char(&wide, '}');
    expect_explained("20,000 members", "args.m19999 == 19999", wide.bytes, "\"value\":true");
}
END_TEST

START_TEST(decide__all_conditions_together_are_bounded)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, head);
    builder_text(&text, "rules:\n");
    for (int i = 0; i < 300; i++) {
        builder_printf(&text,
                       "  - {name: r-%d, match: all, verdict: deny, when: 'args.l.all(a, "
                       "args.l.all(b, a + b < 0 || a + b >= 0))'}\n",
                       i);
    }
    struct policy *policy = compile_text(text.bytes);
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_input input = {
        .action = "a",
        .action_json = "{\"name\":\"a\",\"properties\":{\"args\":{\"l\":[1,2,3,4,5,6,7,8,9,10]}}}"};
    struct policy_decision decision;
    double start = now_ms();
    policy_decide(policy, &input, arena, NULL, NULL, &decision);
    say("300 rules of a thousand units each", start);
    ck_assert_int_eq(decision.verdict, POLICY_DENY);
    ck_assert_ptr_nonnull(strstr(decision.explanation, "\"stopped\":true"));
    ck_assert_ptr_nonnull(strstr(decision.explanation, "\"cost\":100000"));
    policy_destroy(policy);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy bad input");
    TCase *tests = tcase_create("bounds");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, load__what_yaml_can_do_and_a_policy_must_not_is_refused);
    tcase_add_test(tests, load__a_raw_nul_is_refused);
    tcase_add_test(tests, load__conditions_past_their_bounds_are_refused);
    tcase_add_test(tests, load__64_variables_in_the_worst_order);
    tcase_add_test(tests, decide__evaluation_is_bounded_and_what_is_stopped_is_strict);
    tcase_add_test(tests, decide__long_texts_are_matched_in_linear_time);
    tcase_add_test(tests, decide__requests_at_their_worst);
    tcase_add_test(tests, decide__a_request_of_many_members_is_found_quickly);
    tcase_add_test(tests, decide__all_conditions_together_are_bounded);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
