/* Conditions as a caller sees them: what is read when, what is charged, what an explanation says,
 * and where errors point. What they mean is in tests/cases/policy/. */

#include "base/check.h"
#include "cases_file.h"
#include "crypto/crypto.h"
#include "formats/json.h"

static struct policy_decision decide(const struct policy *policy, const struct policy_input *input,
                                     struct arena *arena)
{
    struct policy_decision decision;
    policy_decide(policy, input, arena, NULL, NULL, &decision);
    return decision;
}

struct counted {
    int asked;
    bool is_known;
    int64_t count;
    unsigned parts;
    enum policy_past past;
    int64_t window_ms;
};

static bool count(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                  int64_t *out_count)
{
    struct counted *counted = context;
    counted->asked++;
    counted->parts = parts;
    counted->past = past;
    counted->window_ms = window_ms;
    *out_count = counted->count;
    return counted->is_known;
}

static const char *const history_policy =
    "version: 1\n"
    "defaults: {verdict: deny}\n"
    "rules:\n"
    "  - {name: r, match: {action: pay}, verdict: allow,\n"
    "     when: 'args.n > 1 && history.of(\"agent\", \"digest\").count(\"90s\", \"failed\") < 3'}\n"
    "  - {name: s, match: {action: other}, verdict: deny, when: 'history.count(\"2h\") > 5'}\n";

START_TEST(history__is_asked_only_when_a_condition_reads_it)
{
    struct policy *policy = compile_text(history_policy);
    struct arena *arena ARENA_SCOPE = arena_create();
    struct counted counted = {.is_known = true, .count = 2};
    struct policy_history history = {.count = count, .context = &counted};
    struct policy_input input = {.action = "pay",
                                 .action_json =
                                     "{\"name\":\"pay\",\"properties\":{\"args\":{\"n\":1}}}",
                                 .history = &history};
    ck_assert_int_eq(decide(policy, &input, arena).verdict, POLICY_DENY);
    ck_assert_int_eq(counted.asked, 0);
    input.action_json = "{\"name\":\"pay\",\"properties\":{\"args\":{\"n\":2}}}";
    ck_assert_int_eq(decide(policy, &input, arena).verdict, POLICY_ALLOW);
    ck_assert_int_eq(counted.asked, 1);
    ck_assert_uint_eq(counted.parts, POLICY_HISTORY_AGENT | POLICY_HISTORY_DIGEST);
    ck_assert_int_eq(counted.past, POLICY_PAST_FAILED);
    ck_assert_int_eq(counted.window_ms, 90000);
    counted.is_known = false;
    ck_assert_int_eq(decide(policy, &input, arena).verdict, POLICY_DENY);
    policy_destroy(policy);
}
END_TEST

START_TEST(history__a_policy_says_which_windows_and_parts_it_counts)
{
    struct policy *policy = compile_text(history_policy);
    size_t window_count;
    size_t kind_count;
    const int64_t *windows = policy_windows(policy, &window_count);
    const unsigned *kinds = policy_history_kinds(policy, &kind_count);
    ck_assert_uint_eq(window_count, 2);
    ck_assert_int_eq(windows[0], 90 * 1000);
    ck_assert_int_eq(windows[1], 2 * 3600 * 1000);
    ck_assert_uint_eq(kind_count, 2);
    ck_assert_uint_eq(kinds[0], POLICY_HISTORY_DEFAULT);
    ck_assert_uint_eq(kinds[1], POLICY_HISTORY_AGENT | POLICY_HISTORY_DIGEST);
    policy_destroy(policy);
}
END_TEST

START_TEST(variables__are_evaluated_once_for_a_request)
{
    struct policy *policy = compile_text(
        "version: 1\n"
        "defaults: {verdict: deny}\n"
        "variables: {seen: 'history.count(\"1h\")', twice: variables.seen * 2}\n"
        "rules:\n"
        "  - {name: a, match: all, verdict: allow, when: variables.seen == 2}\n"
        "  - {name: b, match: all, verdict: allow, when: variables.seen + variables.seen == 4}\n"
        "  - {name: c, match: all, verdict: allow, when: variables.twice == 4}\n");
    struct arena *arena ARENA_SCOPE = arena_create();
    struct counted counted = {.is_known = true, .count = 2};
    struct policy_history history = {.count = count, .context = &counted};
    struct policy_input input = {.action = "pay", .history = &history};
    struct policy_decision decision = decide(policy, &input, arena);
    ck_assert_int_eq(decision.verdict, POLICY_ALLOW);
    ck_assert_int_eq(counted.asked, 1);
    ck_assert_ptr_nonnull(
        strstr(decision.explanation, "\"variables\":{\"seen\":\"2\",\"twice\":\"4\"}"));
    policy_destroy(policy);
}
END_TEST

START_TEST(explanation__names_each_rule_tried_with_value_cost_and_error)
{
    struct policy *policy =
        compile_text("version: 1\n"
                     "defaults: {verdict: allow}\n"
                     "rules:\n"
                     "  - {name: a, match: {action: x}, verdict: allow, when: args.n > 1}\n"
                     "  - {name: b, match: {action: x}, verdict: allow, when: args.n > 9}\n"
                     "  - {name: c, match: {action: x}, verdict: allow, when: args.missing}\n"
                     "  - {name: d, match: {action: x}, verdict: allow}\n"
                     "  - {name: e, match: {action: z}, verdict: deny, when: args.n > 1}\n");
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_input input = {
        .action = "x", .action_json = "{\"name\":\"x\",\"properties\":{\"args\":{\"n\":5}}}"};
    struct policy_decision decision = decide(policy, &input, arena);
    struct error error = {0};
    struct json_document *document JSON_SCOPE =
        json_parse(decision.explanation, decision.explanation_length, &error);
    const struct json *root = json_root(document);
    const struct json *rules = json_member(root, "rules");
    ck_assert_uint_eq(json_count(rules), 4);
    ck_assert_str_eq(json_text(json_member(json_element(rules, 0), "name")), "a");
    ck_assert_int_eq(json_type(json_member(json_element(rules, 0), "value")), JSON_TYPE_TRUE);
    ck_assert_double_eq(json_number(json_member(json_element(rules, 0), "cost")), 3);
    ck_assert_str_eq(json_text(json_member(json_element(rules, 1), "name")), "d");
    ck_assert_ptr_null(json_member(json_element(rules, 1), "cost"));
    ck_assert_str_eq(json_text(json_member(json_element(rules, 2), "name")), "b");
    ck_assert_int_eq(json_type(json_member(json_element(rules, 2), "matched")), JSON_TYPE_FALSE);
    ck_assert_int_eq(json_type(json_member(json_element(rules, 2), "value")), JSON_TYPE_FALSE);
    ck_assert_str_eq(json_text(json_member(json_element(rules, 3), "name")), "c");
    ck_assert_ptr_nonnull(json_text(json_member(json_element(rules, 3), "error")));
    ck_assert_ptr_null(json_member(json_element(rules, 3), "value"));
    ck_assert_double_eq(json_number(json_member(root, "skipped")), 1);
    policy_destroy(policy);
}
END_TEST

START_TEST(explanation__holds_what_is_shown_and_retyped)
{
    struct policy *policy =
        compile_text("version: 1\n"
                     "defaults: {verdict: deny}\n"
                     "tools:\n"
                     "  pay: {args: {to: string, sum: int}, show: [to, sum], challenge: to}\n"
                     "rules: [{name: a, match: all, verdict: allow}]\n");
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_input input = {
        .action = "pay",
        .action_json = "{\"name\":\"pay\",\"properties\":{\"args\":{\"sum\":5,\"to\":\"x\"}}}"};
    struct policy_decision decision = decide(policy, &input, arena);
    ck_assert_int_eq(decision.verdict, POLICY_ALLOW);
    ck_assert_uint_eq(decision.show_count, 2);
    ck_assert_str_eq(decision.challenge[0], "to");
    ck_assert_ptr_nonnull(strstr(decision.explanation, "{\"challenge\":[\"to\"],"));
    ck_assert_ptr_nonnull(strstr(decision.explanation, ",\"show\":[\"to\",\"sum\"],"));
    input.action = "other";
    decision = decide(policy, &input, arena);
    ck_assert_uint_eq(decision.show_count, 0);
    ck_assert_ptr_null(strstr(decision.explanation, "challenge"));
    policy_destroy(policy);
}
END_TEST

/* Unreadable JSON must never come this far; if it does, nothing is allowed by it. */
START_TEST(input__that_is_no_json_is_an_error_in_every_condition_that_reads_it)
{
    static const char *const texts[] = {"",         "{",     "{\"a\"}",          "{\"a\":1,}",
                                        "[1,2",     "1",     "{\"a\":01x}",      "{\"a\":\"\\x\"}",
                                        "nul",      "{} {}", "{\"a\":\"\xff\"}", "{\"a\":\"b",
                                        "{\"a\":-}"};
    struct policy *policy =
        compile_text("version: 1\n"
                     "defaults: {verdict: deny}\n"
                     "rules:\n"
                     "  - {name: a, match: {action: x}, verdict: allow, when: context.a != 7}\n");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct policy_input input = {.action = "x", .context_json = texts[i]};
        ck_assert_msg(decide(policy, &input, arena).verdict == POLICY_DENY, "allowed: %s",
                      texts[i]);
    }
    policy_destroy(policy);
}
END_TEST

START_TEST(input__a_nul_and_escapes_are_characters)
{
    struct policy *policy = compile_text(
        "version: 1\n"
        "defaults: {verdict: deny}\n"
        "rules:\n"
        "  - name: a\n"
        "    match: all\n"
        "    verdict: allow\n"
        "    when: |\n"
        "      context.t == \"a\\u0000b\\n\\t\\\"\\\\\\u001f\" && size(context.t) == 8\n");
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_input input = {.action = "x",
                                 .context_json = "{\"t\":\"a\\u0000b\\n\\t\\\"\\\\\\u001f\"}"};
    struct policy_decision decision = decide(policy, &input, arena);
    ck_assert_msg(decision.verdict == POLICY_ALLOW, "%s", decision.explanation);
    input.context_json = "{\"t\":\"a\"}";
    ck_assert_int_eq(decide(policy, &input, arena).verdict, POLICY_DENY);
    policy_destroy(policy);
}
END_TEST

/* ---- places ---- */

struct placed {
    const char *what;
    const char *when; /* as written behind `when:` in the fourth line, column 11 */
    int line, column;
};

static const struct placed placed[] = {
    {"plain", " agent.id == nope", 6, 23},
    {"single quotes", " 'agent.id == ''x'' || nope'", 6, 33},
    {"double quotes", " \"agent.id == \\\"\\u00e9\\\" || nope\"", 6, 38},
    {"a literal block", " |\n      agent.id == 'x'\n        || nope", 8, 12},
    {"a literal block with an empty line", " |\n      agent.id == 'x'\n\n        || nope", 9, 12},
    {"a folded block", " >-\n      agent.id == 'x'\n      || nope", 8, 10},
    {"a folded block with an empty line", " >-\n      agent.id == 'x'\n\n      || nope", 9, 10},
    {"plain over two lines", " agent.id == 'x'\n      || nope", 7, 10},
    {"characters, not bytes", " |\n      agent.id == 'äöü' || nope", 7, 28},
    {"carriage returns", " |\r\n      agent.id == 'x'\r\n        || nope", 8, 12},
};

START_TEST(errors__point_into_the_yaml_file)
{
    const struct placed *each = &placed[_i];
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text,
                 "version: 1\ndefaults: {verdict: deny}\nrules:\n  - name: r\n    match: all\n"
                 "    when:");
    builder_text(&text, each->when);
    builder_text(&text, "\n    verdict: deny\n");
    struct error error = {0};
    struct policy_file file = {"policy.yaml", text.bytes, text.length};
    ck_assert_ptr_null(policy_compile(&file, 1, &error));
    ck_assert_msg(error.line == each->line && error.column == each->column,
                  "%s: expected %d:%d, got %d:%d (%s)", each->what, each->line, each->column,
                  error.line, error.column, error.message);
}
END_TEST

START_TEST(errors__are_shown_with_their_line_and_a_caret)
{
    static const char text[] = "version: 1\n"
                               "defaults: {verdict: deny}\n"
                               "rules:\n"
                               "  - {name: r, match: all, verdict: deny, when: agnt.id == 'x'}\n";
    struct error error = {0};
    struct builder shown BUILDER_SCOPE;
    struct policy_file file = {"policy.yaml", text, sizeof text - 1};
    builder_init(&shown, 0);
    ck_assert_ptr_null(policy_compile(&file, 1, &error));
    policy_append_error(&shown, &file, 1, &error);
    ck_assert_msg(strncmp(shown.bytes, "policy.yaml:4:48: ", 18) == 0, "%s", shown.bytes);
    ck_assert_ptr_nonnull(strstr(shown.bytes, "`agent`"));
    ck_assert_ptr_nonnull(
        strstr(shown.bytes, "\n      - {name: r, match: all, verdict: deny, when: agnt.id == 'x'}\n"
                            "                                                   ^\n"));
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy conditions");
    TCase *tests = tcase_create("conditions");
    tcase_add_test(tests, history__is_asked_only_when_a_condition_reads_it);
    tcase_add_test(tests, history__a_policy_says_which_windows_and_parts_it_counts);
    tcase_add_test(tests, variables__are_evaluated_once_for_a_request);
    tcase_add_test(tests, explanation__names_each_rule_tried_with_value_cost_and_error);
    tcase_add_test(tests, explanation__holds_what_is_shown_and_retyped);
    tcase_add_test(tests, input__that_is_no_json_is_an_error_in_every_condition_that_reads_it);
    tcase_add_test(tests, input__a_nul_and_escapes_are_characters);
    tcase_add_loop_test(tests, errors__point_into_the_yaml_file, 0,
                        (int)(sizeof placed / sizeof *placed));
    tcase_add_test(tests, errors__are_shown_with_their_line_and_a_caret);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
