#include "policy/decide_internal.h"

#include "formats/canonical.h"
#include <math.h>
#include <string.h>

/* The explanation of a decision, as canonical JSON: names in ascending order throughout. */

enum {
    PROBLEM_BYTES_MAX = 300,
    VALUE_BYTES_MAX = 120,
    NUMBER_BYTES = 20,
    FIXED_BYTES = 360,
    ATTEMPT_BYTES = 130
};

#define ADD(out, literal) builder_append((out), "" literal, sizeof(literal) - 1)

static const char *const reason_names[] = {
    [REASON_RULES_MATCHED] = "rules_matched",
    [REASON_NO_RULE_MATCHED] = "no_rule_matched",
    [REASON_TEXT_TOO_LONG] = "text_too_long",
    [REASON_ARGUMENTS] = "arguments_do_not_fit",
    [REASON_TOO_MANY_REQUIREMENTS] = "too_many_requirements",
    [REASON_NO_COMMON_AUDIENCE] = "no_common_audience",
};

/* Explanations are made for every decision, and printf costs more than the rest of them. */
static void append_number(struct builder *out, uint64_t number)
{
    char digits[NUMBER_BYTES];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    builder_append(out, digits + at, sizeof digits - at);
}

static void append_string(struct builder *out, const char *text, size_t bytes_max)
{
    size_t length = strnlen(text, bytes_max + 1);
    if (length > bytes_max) {
        length = bytes_max;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    canonical_append_string(out, text, length);
}

static void append_attempt(struct builder *out, const struct attempt *attempt)
{
    const struct rule *rule = attempt->rule;
    builder_append(out, rule->explained_head.bytes, rule->explained_head.length);
    if (attempt->result != RESULT_NO_CONDITION) {
        ADD(out, ",\"cost\":");
        append_number(out, (uint64_t)attempt->cost);
    }
    if (attempt->problem != NULL) {
        ADD(out, ",\"error\":");
        append_string(out, attempt->problem, PROBLEM_BYTES_MAX);
    }
    builder_text(out, attempt->has_matched ? ",\"matched\":true" : ",\"matched\":false");
    builder_append(out, rule->explained_tail.bytes, rule->explained_tail.length);
    switch (attempt->result) {
    case RESULT_NO_CONDITION:
    case RESULT_ERROR:
        break;
    case RESULT_STOPPED:
        ADD(out, ",\"stopped\":true");
        break;
    case RESULT_FALSE:
        ADD(out, ",\"value\":false");
        break;
    case RESULT_TRUE:
        ADD(out, ",\"value\":true");
        break;
    }
    builder_char(out, '}');
}

/* Those that matched first: they say most when not all can be listed. */
static size_t append_rules(struct builder *out, const struct trial *trial)
{
    size_t listed = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < trial->attempt_count && listed < POLICY_EXPLAINED_MAX; i++) {
            if (trial->attempts[i].has_matched == (pass == 0)) {
                builder_text(out, listed == 0 ? "" : ",");
                append_attempt(out, &trial->attempts[i]);
                listed++;
            }
        }
    }
    return listed;
}

/* As CEL would write it, in a JSON string. */
static void append_value(struct builder *out, struct cel_value value)
{
    if (value.kind == CEL_DOUBLE && isfinite(value.as.real)) {
        size_t start = out->length + 1;
        builder_char(out, '"');
        canonical_append_number(out, value.as.real);
        builder_text(out, strpbrk(out->bytes + start, ".e") == NULL ? ".0\"" : "\"");
        return;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, VALUE_BYTES_MAX * 4);
    cel_print(&text, value);
    append_string(out, text.bytes, VALUE_BYTES_MAX);
}

static void append_variable(struct builder *out, const struct variable *variable,
                            const struct fact *fact)
{
    canonical_append_string(out, variable->name, strlen(variable->name));
    builder_char(out, ':');
    if (fact->state == FACT_KNOWN) {
        append_value(out, fact->value);
    } else {
        append_string(out, fact->problem, PROBLEM_BYTES_MAX);
    }
}

struct named {
    const struct variable *variable;
    const struct fact *fact;
};

/* The variables that conditions read, by name. */
static size_t list_read(const struct trial *trial, struct named list[VARIABLES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; trial->facts.facts != NULL && i < trial->policy->variable_count; i++) {
        const struct named named = {&trial->policy->variables[i],
                                    &trial->facts.facts[SLOT_COUNT + i]};
        if (named.fact->state == FACT_UNREAD) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && strcmp(list[at - 1].variable->name, named.variable->name) > 0; at--) {
            list[at] = list[at - 1];
        }
        list[at] = named;
    }
    return count;
}

static void append_variables(struct builder *out, const struct trial *trial)
{
    struct named list[VARIABLES_MAX];
    size_t count = list_read(trial, list);
    for (size_t i = 0; i < count; i++) {
        builder_text(out, i == 0 ? ",\"variables\":{" : ",");
        append_variable(out, list[i].variable, list[i].fact);
    }
    builder_text(out, count == 0 ? "" : "}");
}

/* The member with a comma behind it; nothing when the tool names none. */
static void append_names(struct builder *out, const char *member, const char *const *names,
                         size_t count)
{
    if (count == 0) {
        return;
    }
    builder_char(out, '"');
    builder_text(out, member);
    ADD(out, "\":[");
    for (size_t i = 0; i < count; i++) {
        builder_text(out, i == 0 ? "" : ",");
        canonical_append_string(out, names[i], strlen(names[i]));
    }
    ADD(out, "],");
}

static void append_all(struct builder *out, const struct trial *trial,
                       const struct policy_decision *decision)
{
    bool has_conditions = trial->facts.facts != NULL;
    append_names(out, "challenge", decision->challenge, decision->challenge_count);
    if (has_conditions) {
        ADD(out, "\"cost\":");
        append_number(out, (uint64_t)(POLICY_COST_MAX - trial->facts.cost_left));
        builder_char(out, ',');
    }
    if (decision->message != NULL) {
        ADD(out, "\"message\":");
        canonical_append_string(out, decision->message, strlen(decision->message));
        builder_char(out, ',');
    }
    ADD(out, "\"policy\":\"");
    builder_text(out, trial->policy->version);
    ADD(out, "\",\"reason\":\"");
    builder_text(out, reason_names[trial->reason]);
    ADD(out, "\",\"risk\":\"");
    builder_text(out, policy_risk_name(decision->risk));
    ADD(out, "\",\"rules\":[");
    size_t listed = append_rules(out, trial);
    ADD(out, "],");
    append_names(out, "show", decision->show, decision->show_count);
    ADD(out, "\"skipped\":");
    append_number(out, trial->policy->rule_count - trial->attempt_count);
    if (listed < trial->attempt_count) {
        ADD(out, ",\"unlisted\":");
        append_number(out, trial->attempt_count - listed);
    }
    append_variables(out, trial);
    ADD(out, ",\"verdict\":\"");
    builder_text(out, policy_verdict_name(decision->verdict));
    builder_char(out, '"');
}

void explain(const struct trial *trial, struct policy_decision *decision)
{
    size_t listed =
        trial->attempt_count < POLICY_EXPLAINED_MAX ? trial->attempt_count : POLICY_EXPLAINED_MAX;
    struct builder out BUILDER_SCOPE;
    builder_init_sized(&out, FIXED_BYTES + ATTEMPT_BYTES * listed);
    builder_char(&out, '{');
    append_all(&out, trial, decision);
    builder_char(&out, '}');
    decision->explanation = arena_copy(trial->arena, out.bytes, out.length);
    decision->explanation_length = out.length;
}
