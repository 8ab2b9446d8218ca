/* What the lint points out, each finding reached, and what it leaves alone. */

#include "cases_file.h"
#include "crypto/crypto.h"
#include "policy/lint.h"

struct expectation {
    const char *what;
    const char *members; /* behind the head */
    const char *code;    /* of the only finding; NULL: none */
    enum policy_finding_level level;
    int line;
};

#define RULE(rest) "rules:\n  - {name: r, " rest "}\n"

static const struct expectation expectations[] = {
    {"nothing", RULE("match: {action: a}, verdict: allow"), NULL, 0, 0},
    {"a resource without its type", RULE("match: {resource: order}, verdict: allow"),
     "never_matches", POLICY_FINDING_WARNING, 4},
    {"a star that crosses", RULE("match: {resource: 'order**'}, verdict: allow"), NULL, 0, 0},
    {"a subject that is one star", RULE("match: {subject: '*'}, verdict: deny"), "never_matches",
     POLICY_FINDING_WARNING, 4},
    {"a pattern twice", RULE("match: {action: [b.c, a.b, 'a.*']}, verdict: allow"),
     "shadowed_pattern", POLICY_FINDING_WARNING, 4},
    {"patterns that only look alike",
     RULE("match: {action: [a.b.c, 'a.*', 'b.*.c']}, verdict: allow"), NULL, 0, 0},
    {"all is allowed", RULE("match: all, verdict: allow"), "allows_everything",
     POLICY_FINDING_WARNING, 4},
    {"an allow under a deny",
     "rules:\n  - {name: a, match: {action: 'a.**'}, verdict: deny}\n"
     "  - {name: b, match: {action: [a.b, a.c.d]}, verdict: allow}\n",
     "never_decides", POLICY_FINDING_WARNING, 5},
    {"an allow under an approval",
     "rules:\n  - {name: a, match: {action: 'a.*'}, verdict: require_approval}\n"
     "  - {name: b, match: {action: a.b, resource: x/y}, verdict: allow}\n",
     "never_decides", POLICY_FINDING_WARNING, 5},
    {"an allow under a deny of another resource",
     "rules:\n  - {name: a, match: {action: 'a.*', resource: x/z}, verdict: deny}\n"
     "  - {name: b, match: {action: a.b, resource: x/y}, verdict: allow}\n",
     NULL, 0, 0},
    {"an allow under a deny with a condition",
     "rules:\n  - {name: a, match: {action: a.b}, when: agent.id == 'x', verdict: deny}\n"
     "  - {name: b, match: {action: a.b}, verdict: allow}\n",
     NULL, 0, 0},
    {"two denies of the same",
     "rules:\n  - {name: a, match: {action: a.b}, verdict: deny}\n"
     "  - {name: b, match: {action: a.b}, verdict: deny}\n",
     "never_decides", POLICY_FINDING_WARNING, 5},
    {"a long wait", RULE("match: {action: a}, verdict: require_approval, approval: {timeout: 2d}"),
     "long_timeout", POLICY_FINDING_WARNING, 4},
    {"high risk with the default's wait",
     RULE("match: {action: a}, verdict: require_approval, risk: high"), "timeout_inherited",
     POLICY_FINDING_NOTE, 4},
    {"always true", RULE("match: {action: a}, verdict: deny, when: 1 < 2"), "constant_condition",
     POLICY_FINDING_WARNING, 4},
    {"always false", RULE("match: {action: a}, verdict: deny, when: 1 > 2"), "never_matches",
     POLICY_FINDING_WARNING, 4},
    {"cut short",
     "rules:\n  - name: r\n    match: {action: a}\n    verdict: deny\n"
     "    when: agent.id == 'x' # && caller.id == 'y'\n",
     "cut_short", POLICY_FINDING_WARNING, 7},
    {"double quotes", RULE("match: {action: a}, verdict: deny, when: \"agent.id.matches('^x$')\""),
     "double_quoted", POLICY_FINDING_WARNING, 4},
    {"an allow that finds anywhere",
     RULE("match: {action: a}, verdict: allow, when: agent.id.matches('^x')"), "regex_unanchored",
     POLICY_FINDING_WARNING, 4},
    {"a deny that finds anywhere",
     RULE("match: {action: a}, verdict: deny, when: agent.id.matches('^x')"), NULL, 0, 0},
    {"a loose choice", RULE("match: {action: a}, verdict: deny, when: agent.id.matches('^x|y$')"),
     "regex_choice", POLICY_FINDING_WARNING, 4},
    {"a bracketed choice",
     RULE("match: {action: a}, verdict: deny, when: 'agent.id.matches(\"^(x|[|])$\")'"), NULL, 0,
     0},
    {"a loose dot", RULE("match: {action: a}, verdict: deny, when: agent.id.matches('a.com')"),
     "regex_dot", POLICY_FINDING_WARNING, 4},
    {"a pattern from the request",
     RULE("match: {action: a}, verdict: deny, when: agent.id.matches(caller.id)"), "regex_computed",
     POLICY_FINDING_WARNING, 4},
    {"arguments without types", RULE("match: {action: a}, verdict: deny, when: size(args.to) > 10"),
     "untyped_arguments", POLICY_FINDING_NOTE, 4},
    {"arguments with types",
     "tools: {a: {args: {to: list(string)}}}\n" RULE(
         "match: {action: a}, verdict: deny, when: size(args.to) > 10"),
     NULL, 0, 0},
    {"a variable nobody reads", "variables: {x: agent.id}\n", "unused_variable",
     POLICY_FINDING_WARNING, 3},
    {"a group that is not there",
     RULE("match: {action: a}, verdict: require_approval, approval: {groups: [nobody]}"),
     "unknown_group", POLICY_FINDING_FAULT, 4},
    {"a rung's group that is not there",
     RULE("match: {action: a}, verdict: require_approval, approval: {ladder: [{after: 0s, to: "
          "[g]}, {after: 1m, to: [nobody]}]}"),
     "unknown_group", POLICY_FINDING_FAULT, 4},
};

START_TEST(lint__finds_what_it_should_and_nothing_else)
{
    const struct expectation *each = &expectations[_i];
    static const char *const groups[] = {"g"};
    struct builder text BUILDER_SCOPE;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_finding *findings;
    size_t count;
    builder_init(&text, 0);
    builder_text(&text,
                 "version: 1\ndefaults: {verdict: deny, approval: {groups: [g], timeout: 1h}}\n");
    builder_text(&text, each->members);
    struct policy *policy = compile_text(text.bytes);
    struct policy_lint_options options = {.groups = groups, .group_count = 1};
    policy_lint(policy, &options, arena, &findings, &count);
    const char *first = count == 0 ? "nothing" : findings[0].code;
    ck_assert_msg(count == (each->code == NULL ? 0 : 1), "%s: %zu findings, first %s", each->what,
                  count, first);
    if (each->code != NULL) {
        ck_assert_msg(strcmp(first, each->code) == 0, "%s: expected %s, got %s", each->what,
                      each->code, first);
        ck_assert_msg(findings[0].level == each->level && findings[0].line == each->line,
                      "%s: level %d line %d", each->what, findings[0].level, findings[0].line);
    }
    policy_destroy(policy);
}
END_TEST

START_TEST(lint__a_default_that_allows_is_pointed_out)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_finding *findings;
    size_t count;
    struct policy *policy = compile_text(
        "version: 1\ndefaults: {verdict: allow}\n" RULE("match: {action: a}, verdict: deny"));
    policy_lint(policy, &(struct policy_lint_options){0}, arena, &findings, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(findings[0].code, "default_allow");
    ck_assert_str_eq(policy_finding_level_name(findings[0].level), "warning");
    policy_destroy(policy);
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy lint");
    TCase *tests = tcase_create("lint");
    tcase_add_loop_test(tests, lint__finds_what_it_should_and_nothing_else, 0,
                        (int)(sizeof expectations / sizeof *expectations));
    tcase_add_test(tests, lint__a_default_that_allows_is_pointed_out);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
