#include "policy/lint_internal.h"

#include <string.h>

/* Pairs of rules looked at for shadows: rules without a condition that deny or ask are few. */
enum { PAIRS_MAX = 4 * 1000 * 1000 };

static struct lint_place place_of(const struct rule *rule)
{
    return (struct lint_place){rule->file, rule->line, rule->column};
}

static bool is_everything(const struct pattern *pattern)
{
    return pattern->text.length == 2 && memcmp(pattern->text.bytes, "**", 2) == 0;
}

static bool begins_with(struct span text, struct span beginning)
{
    return text.length >= beginning.length &&
           memcmp(text.bytes, beginning.bytes, beginning.length) == 0;
}

/* Whether all that `inner` fits surely fits `outer` too. Where it is not easily seen: no. */
static bool covers(const struct pattern *outer, const struct pattern *inner, char separator)
{
    if (outer->text.length == inner->text.length &&
        memcmp(outer->text.bytes, inner->text.bytes, inner->text.length) == 0) {
        return true;
    }
    if (inner->kind == PATTERN_EXACT) {
        return pattern_matches(outer, inner->text, separator);
    }
    bool takes_any_end =
        outer->kind == PATTERN_ONE_STAR && outer->crosses && outer->suffix.length == 0;
    return is_everything(outer) || (takes_any_end && begins_with(inner->prefix, outer->prefix));
}

static bool is_covered(const struct rule_field *outer, const struct pattern *inner, char separator)
{
    for (size_t i = 0; i < outer->count; i++) {
        if (covers(&outer->patterns[i], inner, separator)) {
            return true;
        }
    }
    return false;
}

static bool covers_field(const struct rule_field *outer, const struct rule_field *inner,
                         char separator)
{
    if (outer->count == 0) {
        return true;
    }
    for (size_t i = 0; i < inner->count; i++) {
        if (!is_covered(outer, &inner->patterns[i], separator)) {
            return false;
        }
    }
    return inner->count > 0;
}

static bool covers_match(const struct rule *outer, const struct rule *inner)
{
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        if (!covers_field(&outer->fields[field], &inner->fields[field], field_separators[field])) {
            return false;
        }
    }
    return true;
}

/* Subjects and resources are always type/id. */
static bool can_match(const struct pattern *pattern, enum field field)
{
    bool is_keyed = field == FIELD_RESOURCE || field == FIELD_SUBJECT;
    return !is_keyed || memchr(pattern->text.bytes, '/', pattern->text.length) != NULL ||
           strstr(pattern->text.bytes, "**") != NULL;
}

static void lint_field(struct lint *lint, const struct rule *rule, enum field field)
{
    const struct rule_field *patterns = &rule->fields[field];
    for (size_t i = 0; i < patterns->count; i++) {
        const struct pattern *pattern = &patterns->patterns[i];
        if (!can_match(pattern, field)) {
            lint_add(lint, POLICY_FINDING_WARNING, place_of(rule), "never_matches",
                     "the %s `%s` in `%s` can never match: a %s is type/id; write `%s/*`",
                     field_names[field], pattern->text.bytes, rule->name, field_names[field],
                     pattern->text.bytes);
        }
        for (size_t j = 0; j < patterns->count; j++) {
            const struct pattern *other = &patterns->patterns[j];
            bool is_other = i != j && covers(other, pattern, field_separators[field]) &&
                            (i > j || !covers(pattern, other, field_separators[field]));
            if (is_other) {
                lint_add(lint, POLICY_FINDING_WARNING, place_of(rule), "shadowed_pattern",
                         "in `%s`, `%s` already fits all that `%s` does; remove that one",
                         rule->name, other->text.bytes, pattern->text.bytes);
                break;
            }
        }
    }
}

void lint_patterns(struct lint *lint, const struct rule *rule)
{
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        lint_field(lint, rule, field);
    }
}

/* A rule that always matches where the other could leaves it nothing to decide. */
static void lint_pair(struct lint *lint, const struct rule *outer, const struct rule *inner)
{
    if (outer == inner || !covers_match(outer, inner)) {
        return;
    }
    bool are_twins = outer->verdict == inner->verdict && inner->when.program == NULL &&
                     covers_match(inner, outer);
    if (outer->verdict == POLICY_DENY && (!are_twins || outer < inner)) {
        lint_add(lint, POLICY_FINDING_WARNING, place_of(inner), "never_decides",
                 "`%s` never decides anything: `%s` denies all that it is about", inner->name,
                 outer->name);
    } else if (outer->verdict == POLICY_REQUIRE_APPROVAL && inner->verdict == POLICY_ALLOW) {
        lint_add(lint, POLICY_FINDING_WARNING, place_of(inner), "never_decides",
                 "`%s` allows nothing: `%s` asks for approval of all that it is about", inner->name,
                 outer->name);
    }
}

void lint_shadows(struct lint *lint)
{
    const struct policy *policy = lint->policy;
    size_t pairs = 0;
    for (size_t i = 0; i < policy->rule_count && pairs < PAIRS_MAX; i++) {
        const struct rule *outer = &policy->rules[i];
        if (outer->verdict == POLICY_ALLOW || outer->when.program != NULL) {
            continue;
        }
        pairs += policy->rule_count;
        for (size_t j = 0; j < policy->rule_count; j++) {
            lint_pair(lint, outer, &policy->rules[j]);
        }
    }
}
