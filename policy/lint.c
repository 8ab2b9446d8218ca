#include "policy/lint_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 512 };

/* An approval that waits longer than a working day is likely to be forgotten. */
static const int64_t LONG_TIMEOUT_MS = 24 * 3600 * 1000LL;

const char *policy_finding_level_name(enum policy_finding_level level)
{
    static const char *const names[] = {
        [POLICY_FINDING_NOTE] = "note",
        [POLICY_FINDING_WARNING] = "warning",
        [POLICY_FINDING_FAULT] = "error",
    };
    return names[level];
}

void lint_add(struct lint *lint, enum policy_finding_level level, struct lint_place place,
              const char *code, const char *format, ...)
{
    if (lint->count == POLICY_FINDINGS_MAX) {
        return;
    }
    char message[MESSAGE_BYTES];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    lint->findings[lint->count++] = (struct policy_finding){
        level, place.file, place.line, place.column, code, arena_text(lint->arena, message)};
}

static struct lint_place place_of(const struct rule *rule)
{
    return (struct lint_place){rule->file, rule->line, rule->column};
}

static bool is_about_everything(const struct rule *rule)
{
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        if (rule->fields[field].count > 0) {
            return false;
        }
    }
    return rule->when.program == NULL;
}

static void lint_defaults(struct lint *lint)
{
    const struct policy *policy = lint->policy;
    if (policy->default_verdict == POLICY_ALLOW && policy->rule_count > 0) {
        lint_add(lint, POLICY_FINDING_WARNING, place_of(&policy->rules[0]), "default_allow",
                 "defaults allow whatever no rule names, a tool that is new tomorrow included; "
                 "write `defaults: {verdict: deny}` and name what is allowed");
    }
}

static void lint_outcome(struct lint *lint, const struct rule *rule)
{
    if (rule->verdict == POLICY_ALLOW && is_about_everything(rule)) {
        lint_add(lint, POLICY_FINDING_WARNING, place_of(rule), "allows_everything",
                 "`%s` allows everything that no other rule stops; name actions in `match`",
                 rule->name);
    }
    if (rule->verdict == POLICY_REQUIRE_APPROVAL &&
        rule->requirement.timeout_ms > LONG_TIMEOUT_MS) {
        lint_add(lint, POLICY_FINDING_WARNING, place_of(rule), "long_timeout",
                 "`%s` waits %lld hours for an answer; write a shorter `timeout` in its `approval`",
                 rule->name, (long long)(rule->requirement.timeout_ms / 3600000));
    }
    if (rule->verdict == POLICY_REQUIRE_APPROVAL && rule->risk >= POLICY_RISK_HIGH &&
        rule->takes_timeout) {
        lint_add(lint, POLICY_FINDING_NOTE, place_of(rule), "timeout_inherited",
                 "`%s` is of %s risk and names no timeout; that of `defaults` holds", rule->name,
                 policy_risk_name(rule->risk));
    }
}

static void lint_group(struct lint *lint, struct lint_place place, const char *rule,
                       const char *group)
{
    const struct policy_lint_options *options = lint->options;
    if (!has_text(options->groups, options->group_count, group)) {
        lint_add(lint, POLICY_FINDING_FAULT, place, "unknown_group",
                 "`%s` asks the group `%s`, which does not exist: nobody could answer", rule,
                 group);
    }
}

static void lint_groups(struct lint *lint, struct lint_place place,
                        const struct policy_requirement *requirement)
{
    for (size_t i = 0; i < requirement->group_count; i++) {
        lint_group(lint, place, requirement->rule, requirement->groups[i]);
    }
    for (size_t i = 0; i < requirement->rung_count; i++) {
        const struct policy_rung *rung = &requirement->ladder[i];
        for (size_t j = 0; j < rung->to_count; j++) {
            if (!has_text(requirement->groups, requirement->group_count, rung->to[j])) {
                lint_group(lint, place, requirement->rule, rung->to[j]);
            }
        }
    }
}

static void lint_rule(struct lint *lint, const struct rule *rule)
{
    lint_patterns(lint, rule);
    lint_outcome(lint, rule);
    if (rule->when.program != NULL) {
        lint_condition(lint, rule);
    }
    if (rule->verdict == POLICY_REQUIRE_APPROVAL && lint->options->groups != NULL) {
        lint_groups(lint, place_of(rule), &rule->requirement);
    }
}

static int compare_findings(const void *left, const void *right)
{
    const struct policy_finding *a = left;
    const struct policy_finding *b = right;
    int order = strcmp(a->file, b->file);
    order = order != 0 ? order : (a->line > b->line) - (a->line < b->line);
    order = order != 0 ? order : (a->column > b->column) - (a->column < b->column);
    order = order != 0 ? order : strcmp(a->code, b->code);
    return order != 0 ? order : strcmp(a->message, b->message);
}

void policy_lint(const struct policy *policy, const struct policy_lint_options *options,
                 struct arena *arena, struct policy_finding **out_findings, size_t *out_count)
{
    struct lint lint = {.policy = policy, .options = options, .arena = arena};
    lint.findings = arena_array(arena, POLICY_FINDINGS_MAX, sizeof *lint.findings);
    lint_defaults(&lint);
    for (size_t i = 0; i < policy->rule_count; i++) {
        lint_rule(&lint, &policy->rules[i]);
    }
    lint_shadows(&lint);
    lint_variables(&lint);
    qsort(lint.findings, lint.count, sizeof *lint.findings, compare_findings);
    *out_findings = lint.findings;
    *out_count = lint.count;
}
