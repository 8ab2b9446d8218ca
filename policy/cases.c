#include "policy/cases.h"

#include "formats/json.h"
#include "formats/text.h"
#include "policy/policy_internal.h"
#include <string.h>

/* One case being checked. */
struct check {
    const struct policy *policy;
    const char *file;
    const char *name;
    struct arena *arena;
    struct builder *report;
    struct error *error;
    struct policy_decision decision;
    const char **matched; /* rule names, as the trace gave them */
    size_t matched_count;
    bool differs;
};

static void report_difference(struct check *check, const struct yaml_node *node, const char *member,
                              const char *expected, const char *actual)
{
    builder_printf(check->report, "%s:%d: %s: %s: expected %s, got %s\n", check->file, node->line,
                   check->name, member, expected, actual);
    check->differs = true;
}

static bool expect_text(struct check *check, const struct yaml_node *mapping, const char *member,
                        const char *actual)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    const char *expected;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_text(check->file, node, &expected, check->error)) {
        return false;
    }
    if (actual == NULL || strcmp(expected, actual) != 0) {
        report_difference(check, node, member, expected, actual == NULL ? "nothing" : actual);
    }
    return true;
}

static bool expect_duration(struct check *check, const struct yaml_node *mapping,
                            const char *member, int64_t actual_ms)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    int64_t expected_ms;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_duration(check->file, node, 0, INT64_MAX, &expected_ms, check->error)) {
        return false;
    }
    if (expected_ms != actual_ms) {
        struct builder actual BUILDER_SCOPE;
        builder_init(&actual, 0);
        text_append_duration(&actual, actual_ms);
        report_difference(check, node, member, node->text, actual.bytes);
    }
    return true;
}

static bool expect_integer(struct check *check, const struct yaml_node *mapping, const char *member,
                           int64_t actual)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    int64_t expected;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_integer(check->file, node, 0, 1000000, &expected, check->error)) {
        return false;
    }
    if (expected != actual) {
        report_difference(check, node, member, node->text,
                          arena_printf(check->arena, "%lld", (long long)actual));
    }
    return true;
}

static bool expect_bool(struct check *check, const struct yaml_node *mapping, const char *member,
                        bool actual)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    bool expected;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_bool(check->file, node, &expected, check->error)) {
        return false;
    }
    if (expected != actual) {
        report_difference(check, node, member, node->text, actual ? "true" : "false");
    }
    return true;
}

static const char *join(struct arena *arena, const char *const *texts, size_t count)
{
    const char *joined = "[";
    for (size_t i = 0; i < count; i++) {
        joined = arena_printf(arena, "%s%s%s", joined, i == 0 ? "" : ", ", texts[i]);
    }
    return arena_printf(arena, "%s]", joined);
}

/* The same texts in any order. */
static bool expect_texts(struct check *check, const struct yaml_node *mapping, const char *member,
                         const char *const *actual, size_t actual_count)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    const char **expected;
    size_t count;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(check->file, node, true, check->arena, &expected, &count, check->error)) {
        return false;
    }
    bool is_same = count == actual_count;
    for (size_t i = 0; i < count && is_same; i++) {
        is_same =
            has_text(actual, actual_count, expected[i]) && !has_text(expected, i, expected[i]);
    }
    if (!is_same) {
        report_difference(check, node, member, join(check->arena, expected, count),
                          join(check->arena, actual, actual_count));
    }
    return true;
}

static bool expect_ladder(struct check *check, const struct yaml_node *mapping,
                          const struct policy_requirement *actual)
{
    static const char *const keys[] = {"after", "to", NULL};
    const struct yaml_node *node = yaml_member(mapping, "ladder");
    if (node == NULL) {
        return true;
    }
    if (node->type != YAML_SEQUENCE) {
        return yaml_fail(check->file, node, check->error, "invalid_case",
                         "write the ladder as a list of {after, to}");
    }
    if (node->count != actual->rung_count) {
        report_difference(check, node, "ladder",
                          arena_printf(check->arena, "%zu rungs", node->count),
                          arena_printf(check->arena, "%zu", actual->rung_count));
        return true;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct policy_rung *rung = &actual->ladder[i];
        if (!yaml_only_keys(check->file, node->items[i], keys, check->error) ||
            !expect_duration(check, node->items[i], "after", rung->after_ms) ||
            !expect_texts(check, node->items[i], "to", rung->to, rung->to_count)) {
            return false;
        }
    }
    return true;
}

static const struct policy_requirement *find_requirement(const struct policy_decision *decision,
                                                         const char *rule)
{
    for (size_t i = 0; i < decision->requirement_count; i++) {
        if (strcmp(decision->requirements[i].rule, rule) == 0) {
            return &decision->requirements[i];
        }
    }
    return NULL;
}

static bool expect_requirement(struct check *check, const struct yaml_node *node)
{
    static const char *const keys[] = {"rule",    "quorum", "deny_quorum",   "groups", "assurance",
                                       "timeout", "ladder", "self_approval", NULL};
    const char *rule = NULL;
    if (!yaml_only_keys(check->file, node, keys, check->error)) {
        return false;
    }
    const struct yaml_node *rule_node = yaml_member(node, "rule");
    if (rule_node == NULL) {
        return yaml_fail(check->file, node, check->error, "invalid_case",
                         "an expected requirement names its rule; write `rule: name`");
    }
    if (!yaml_read_text(check->file, rule_node, &rule, check->error)) {
        return false;
    }
    const struct policy_requirement *actual = find_requirement(&check->decision, rule);
    if (actual == NULL) {
        report_difference(check, rule_node, "requirements", rule, "none of that rule");
        return true;
    }
    return expect_integer(check, node, "quorum", actual->quorum) &&
           expect_integer(check, node, "deny_quorum", actual->deny_quorum) &&
           expect_texts(check, node, "groups", actual->groups, actual->group_count) &&
           expect_text(check, node, "assurance", assurance_name(actual->assurance)) &&
           expect_duration(check, node, "timeout", actual->timeout_ms) &&
           expect_bool(check, node, "self_approval", actual->allows_self_approval) &&
           expect_ladder(check, node, actual);
}

static bool expect_requirements(struct check *check, const struct yaml_node *mapping)
{
    const struct yaml_node *node = yaml_member(mapping, "requirements");
    if (node == NULL) {
        return true;
    }
    if (node->type != YAML_SEQUENCE) {
        return yaml_fail(check->file, node, check->error, "invalid_case",
                         "write the requirements as a list");
    }
    if (node->count != check->decision.requirement_count) {
        report_difference(check, node, "requirements",
                          arena_printf(check->arena, "%zu of them", node->count),
                          arena_printf(check->arena, "%zu", check->decision.requirement_count));
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!expect_requirement(check, node->items[i])) {
            return false;
        }
    }
    return true;
}

static bool expect_grant(struct check *check, const struct yaml_node *mapping)
{
    static const char *const keys[] = {"ttl", "claim_within", "audience", "bearer", NULL};
    const struct yaml_node *node = yaml_member(mapping, "grant");
    const struct policy_grant *actual = &check->decision.grant;
    if (node == NULL) {
        return true;
    }
    return yaml_only_keys(check->file, node, keys, check->error) &&
           expect_duration(check, node, "ttl", actual->ttl_ms) &&
           expect_duration(check, node, "claim_within", actual->claim_within_ms) &&
           expect_texts(check, node, "audience", actual->audiences, actual->audience_count) &&
           expect_bool(check, node, "bearer", actual->allows_bearer);
}

/* Looks at the explanation, as whoever reads a decision later does. */
static bool has_error(const struct json *explanation, const char *says)
{
    const struct json *rules = json_member(explanation, "rules");
    for (size_t i = 0; i < json_count(rules); i++) {
        const char *error = json_text(json_member(json_element(rules, i), "error"));
        if (error != NULL && strstr(error, says) != NULL) {
            return true;
        }
    }
    return false;
}

static bool expect_explained(struct check *check, const struct yaml_node *mapping)
{
    const struct policy_decision *decision = &check->decision;
    const struct yaml_node *node = yaml_member(mapping, "error");
    const char *says = NULL;
    struct json_document *document JSON_SCOPE =
        json_parse(decision->explanation, decision->explanation_length, check->error);
    const struct json *root = json_root(document);
    if (document == NULL ||
        (node != NULL && !yaml_read_text(check->file, node, &says, check->error))) {
        return false;
    }
    if (says != NULL && !has_error(root, says)) {
        report_difference(check, node, "error", says, decision->explanation);
    }
    return expect_text(check, mapping, "reason", json_text(json_member(root, "reason")));
}

static void collect_rule(void *context, const char *rule, bool has_matched)
{
    struct check *check = context;
    if (has_matched) {
        check->matched[check->matched_count++] = rule;
    }
}

static bool run_case(struct check *check, const struct yaml_node *node)
{
    static const char *const keys[] = {"name",         "input",   "verdict",   "rules", "risk",
                                       "reason",       "message", "error",     "show",  "timeout",
                                       "requirements", "grant",   "challenge", NULL};
    struct policy_input input = {0};
    if (!yaml_only_keys(check->file, node, keys, check->error)) {
        return false;
    }
    const struct yaml_node *name = yaml_member(node, "name");
    const struct yaml_node *input_node = yaml_member(node, "input");
    if (name == NULL || input_node == NULL || yaml_member(node, "verdict") == NULL) {
        return yaml_fail(check->file, node, check->error, "invalid_case",
                         "a case needs `name`, `input` and `verdict`");
    }
    if (!yaml_read_text(check->file, name, &check->name, check->error) ||
        !policy_case_read_input(check->file, input_node, check->arena, &input, check->error)) {
        return false;
    }
    check->matched =
        arena_array(check->arena, policy_rule_count(check->policy), sizeof *check->matched);
    policy_decide(check->policy, &input, check->arena, collect_rule, check, &check->decision);
    const struct policy_decision *decision = &check->decision;
    return expect_text(check, node, "verdict", policy_verdict_name(decision->verdict)) &&
           expect_texts(check, node, "rules", check->matched, check->matched_count) &&
           expect_text(check, node, "risk", policy_risk_name(decision->risk)) &&
           expect_text(check, node, "message", decision->message) &&
           expect_explained(check, node) &&
           expect_texts(check, node, "show", decision->show, decision->show_count) &&
           expect_texts(check, node, "challenge", decision->challenge, decision->challenge_count) &&
           expect_duration(check, node, "timeout", decision->timeout_ms) &&
           expect_requirements(check, node) && expect_grant(check, node);
}

bool policy_cases_run(const struct policy *policy, const char *file, const struct yaml_node *cases,
                      struct builder *report, struct policy_cases_result *out_result,
                      struct error *error)
{
    struct policy_cases_result result = {0};
    if (cases->type != YAML_SEQUENCE) {
        return yaml_fail(file, cases, error, "invalid_case",
                         "cases are a list; begin each with `- name:`");
    }
    for (size_t i = 0; i < cases->count; i++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct check check = {
            .policy = policy, .file = file, .arena = arena, .report = report, .error = error};
        if (!run_case(&check, cases->items[i])) {
            return false;
        }
        result.passed += check.differs ? 0 : 1;
        result.failed += check.differs ? 1 : 0;
    }
    *out_result = result;
    return true;
}
