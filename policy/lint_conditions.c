#include "policy/lint_internal.h"

#include <ctype.h>
#include <string.h>

/* A condition being looked at. */
struct look {
    struct lint *lint;
    const struct condition *condition;
    const char *name; /* of the rule or variable */
    bool is_allow;
};

enum { PATTERN_BYTES = 96 };

static struct lint_place place_of(const struct condition *condition)
{
    return (struct lint_place){condition->file, condition->line, condition->column};
}

static void lint_text(struct look *look)
{
    const struct condition *condition = look->condition;
    if (condition->has_comment) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place_of(condition), "cut_short",
                 "the condition of `%s` ends before ` #`, where YAML begins a comment; write `|` "
                 "and the condition on the next line",
                 look->name);
    }
    if (condition->is_double_quoted && strstr(condition->text, "matches") != NULL) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place_of(condition), "double_quoted",
                 "in the double quotes around `%s`, backslashes are YAML's before they are the "
                 "regular expression's; write `|` and the condition on the next line, with r'...'",
                 look->name);
    }
}

/* Whether `^` and `$` hold the whole pattern: not `^a|b$`. */
static bool is_anchored(const char *pattern, size_t length)
{
    bool begins = length > 0 && (pattern[0] == '^' || strncmp(pattern, "\\A", 2) == 0);
    bool ends =
        length > 1 && (pattern[length - 1] == '$' || strcmp(pattern + length - 2, "\\z") == 0);
    return begins && ends;
}

static bool has_loose_choice(const char *pattern, size_t length)
{
    int depth = 0;
    bool is_in_class = false;
    for (size_t i = 0; i < length; i++) {
        char character = pattern[i];
        if (character == '\\') {
            i++;
        } else if (is_in_class || character == '[') {
            is_in_class = character != ']';
        } else if (character == '|' && depth == 0) {
            return true;
        } else {
            depth += character == '(' ? 1 : character == ')' ? -1 : 0;
        }
    }
    return false;
}

/* `example.com`: a dot between letters is likely meant as one. */
static bool has_loose_dot(const char *pattern, size_t length)
{
    for (size_t i = 1; i + 1 < length; i++) {
        if (pattern[i] == '.' && isalnum((unsigned char)pattern[i - 1]) &&
            isalpha((unsigned char)pattern[i + 1]) && (i < 2 || pattern[i - 2] != '\\')) {
            return true;
        }
    }
    return false;
}

static void lint_regex(struct look *look, const char *pattern, size_t length)
{
    struct lint_place place = place_of(look->condition);
    bool is_anchored_whole = is_anchored(pattern, length);
    if (look->is_allow && !is_anchored_whole) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place, "regex_unanchored",
                 "`%s` allows wherever `%s` is found inside the text; write ^ and $ around it",
                 look->name, pattern);
    }
    if (is_anchored_whole && has_loose_choice(pattern, length)) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place, "regex_choice",
                 "in `%s` of `%s`, ^ and $ hold only the first and last choice; write ^(a|b)$",
                 pattern, look->name);
    }
    if (has_loose_dot(pattern, length)) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place, "regex_dot",
                 "in `%s` of `%s`, a dot fits any character; write \\. for a dot", pattern,
                 look->name);
    }
}

static bool visit_matches(void *context, const struct cel_value *args, size_t count,
                          uint32_t offset)
{
    struct look *look = context;
    const struct cel_value *pattern = count == 0 ? NULL : &args[count - 1];
    (void)offset;
    if (pattern == NULL || pattern->kind != CEL_STRING) {
        lint_add(look->lint, POLICY_FINDING_WARNING, place_of(look->condition), "regex_computed",
                 "`%s` takes a regular expression from the request, so whoever asks chooses it; "
                 "write the pattern out",
                 look->name);
        return true;
    }
    char text[PATTERN_BYTES];
    size_t length = pattern->length < sizeof text ? pattern->length : sizeof text - 1;
    memcpy(text, pattern->as.bytes, length);
    text[length] = '\0';
    if (length == pattern->length) {
        lint_regex(look, text, length);
    }
    return true;
}

static bool reads_anything(const struct policy *policy, const struct cel_program *program)
{
    for (size_t slot = 0; slot < SLOT_COUNT + policy->variable_count; slot++) {
        if (cel_program_reads(program, (uint32_t)slot)) {
            return true;
        }
    }
    return false;
}

/* What reads nothing of the request always gives the same. */
static void lint_constant(struct look *look)
{
    const struct condition *condition = look->condition;
    struct cel_result result;
    if (reads_anything(look->lint->policy, condition->program)) {
        return;
    }
    cel_evaluate(condition->program, NULL, NULL, CEL_COST_MAX, look->lint->arena, &result);
    bool is_true = result.outcome == CEL_OUTCOME_VALUE && result.value.as.boolean;
    bool is_error = result.outcome != CEL_OUTCOME_VALUE;
    lint_add(look->lint, POLICY_FINDING_WARNING, place_of(condition),
             is_true || is_error ? "constant_condition" : "never_matches",
             is_true    ? "the condition of `%s` is always true; remove it"
             : is_error ? "the condition of `%s` always fails; it reads nothing of the request"
                        : "the condition of `%s` is always false: the rule never matches",
             look->name);
}

static bool has_schema(const struct policy *policy, const struct rule *rule)
{
    const struct rule_field *actions = &rule->fields[FIELD_ACTION];
    for (size_t i = 0; i < actions->count; i++) {
        const struct pattern *pattern = &actions->patterns[i];
        if (pattern->kind != PATTERN_EXACT || find_tool(policy, pattern->text.bytes) == NULL) {
            return false;
        }
    }
    return actions->count > 0;
}

void lint_condition(struct lint *lint, const struct rule *rule)
{
    struct look look = {lint, &rule->when, rule->name, rule->verdict == POLICY_ALLOW};
    lint_text(&look);
    lint_constant(&look);
    (void)cel_program_each_call(rule->when.program, "matches", visit_matches, &look);
    if (cel_program_reads(rule->when.program, SLOT_ARGS) && !has_schema(lint->policy, rule)) {
        lint_add(lint, POLICY_FINDING_NOTE, place_of(&rule->when), "untyped_arguments",
                 "`%s` reads arguments whose types are not known: whoever asks may send a text for "
                 "a list; name its actions in full and give them schemas in `tools`",
                 rule->name);
    }
}

static bool is_read(const struct policy *policy, uint32_t slot)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct cel_program *program = policy->rules[i].when.program;
        if (program != NULL && cel_program_reads(program, slot)) {
            return true;
        }
    }
    for (size_t i = 0; i < policy->variable_count; i++) {
        if (cel_program_reads(policy->variables[i].value.program, slot)) {
            return true;
        }
    }
    return false;
}

void lint_variables(struct lint *lint)
{
    const struct policy *policy = lint->policy;
    for (size_t i = 0; i < policy->variable_count; i++) {
        const struct variable *variable = &policy->variables[i];
        struct look look = {lint, &variable->value, variable->name, false};
        lint_text(&look);
        (void)cel_program_each_call(variable->value.program, "matches", visit_matches, &look);
        if (!is_read(policy, (uint32_t)(SLOT_COUNT + i))) {
            lint_add(lint, POLICY_FINDING_WARNING, place_of(&variable->value), "unused_variable",
                     "no condition reads `variables.%s`; remove it", variable->name);
        }
    }
}
