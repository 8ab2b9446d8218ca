#include "policy/decide_internal.h"

#include <string.h>

/* What a deny that no rule asked for tells its reader. */
static const char *const messages[] = {
    [REASON_RULES_MATCHED] = NULL,
    [REASON_NO_RULE_MATCHED] = NULL,
    [REASON_TEXT_TOO_LONG] =
        "The tenant, subject, agent, action or resource is longer than rules can judge.",
    [REASON_ARGUMENTS] = "The arguments are not readable.",
    [REASON_TOO_MANY_REQUIREMENTS] = "More rules require approval than people could answer.",
    [REASON_NO_COMMON_AUDIENCE] = "The matching rules allow no common audience.",
};

static struct span span_of(const char *text)
{
    return text == NULL ? (struct span){"", 0} : (struct span){text, strlen(text)};
}

static void fill_texts(const struct policy_input *input, struct span texts[FIELD_COUNT])
{
    texts[FIELD_ACTION] = span_of(input->action);
    texts[FIELD_RESOURCE] = span_of(input->resource);
    texts[FIELD_SUBJECT] = span_of(input->subject);
    texts[FIELD_AGENT] = span_of(input->agent);
    texts[FIELD_TENANT] = span_of(input->tenant);
}

static bool fits_field(const struct rule *rule, enum field field, struct span text)
{
    const struct rule_field *patterns = &rule->fields[field];
    for (size_t i = 0; i < patterns->count; i++) {
        if (pattern_matches(&patterns->patterns[i], text, field_separators[field])) {
            return true;
        }
    }
    return patterns->count == 0;
}

/* FIELD_COUNT when every field fits. */
static enum field first_mismatch(const struct rule *rule, const struct span texts[FIELD_COUNT])
{
    enum field field = FIELD_ACTION;
    while (field < FIELD_COUNT && fits_field(rule, field, texts[field])) {
        field++;
    }
    return field;
}

/* The rules whose match fits, grouped by verdict, the strictest first. */
static void find_rules(struct trial *trial)
{
    uint32_t *numbers;
    size_t count = index_find(trial->policy->index, trial->texts, trial->arena, &numbers);
    size_t by_verdict[POLICY_ALLOW + 1] = {0};
    size_t fitting = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = &trial->policy->rules[numbers[i]];
        if (first_mismatch(rule, trial->texts) == FIELD_COUNT) {
            numbers[fitting++] = numbers[i];
            by_verdict[rule->verdict]++;
        }
    }
    trial->attempts = arena_array(trial->arena, fitting, sizeof *trial->attempts);
    trial->attempt_count = fitting;
    size_t next[POLICY_ALLOW + 1] = {0};
    next[POLICY_REQUIRE_APPROVAL] = by_verdict[POLICY_DENY];
    next[POLICY_ALLOW] = by_verdict[POLICY_DENY] + by_verdict[POLICY_REQUIRE_APPROVAL];
    for (size_t i = 0; i < fitting; i++) {
        const struct rule *rule = &trial->policy->rules[numbers[i]];
        trial->attempts[next[rule->verdict]++].rule = rule;
    }
}

/* Anything but a clear true or false is a match where that is the stricter answer. */
static void try_condition(struct trial *trial, struct attempt *attempt)
{
    struct cel_result result;
    facts_evaluate(&trial->facts, attempt->rule->when.program, &result);
    attempt->cost = result.cost;
    if (result.outcome == CEL_OUTCOME_VALUE && result.value.kind == CEL_BOOL) {
        attempt->result = result.value.as.boolean ? RESULT_TRUE : RESULT_FALSE;
        attempt->has_matched = result.value.as.boolean;
        return;
    }
    attempt->result = result.outcome == CEL_OUTCOME_STOPPED ? RESULT_STOPPED : RESULT_ERROR;
    attempt->problem = result.outcome == CEL_OUTCOME_VALUE ? "the condition is not true or false"
                                                           : result.problem.message;
    attempt->has_matched = attempt->rule->verdict != POLICY_ALLOW;
}

static void try_rules(struct trial *trial)
{
    find_rules(trial);
    trial->matched = arena_array(trial->arena, trial->attempt_count, sizeof(void *));
    for (size_t i = 0; i < trial->attempt_count; i++) {
        struct attempt *attempt = &trial->attempts[i];
        const struct rule *rule = attempt->rule;
        attempt->has_matched = true;
        if (rule->when.program != NULL) {
            try_condition(trial, attempt);
        }
        if (attempt->has_matched) {
            trial->matched[trial->matched_count++] = rule;
            trial->count_by_verdict[rule->verdict]++;
        }
    }
}

/* The strictest rules come first, so the first rule's verdict is the policy's. */
static void take_verdict(struct trial *trial, struct policy_decision *decision)
{
    decision->verdict = trial->matched[0]->verdict;
    decision->risk = trial->matched[0]->risk;
    for (size_t i = 0; i < trial->matched_count; i++) {
        const struct rule *rule = trial->matched[i];
        if (rule->risk > decision->risk) {
            decision->risk = rule->risk;
        }
        if (decision->message == NULL && rule->verdict == decision->verdict) {
            decision->message = rule->message;
        }
    }
}

static void deny_because(struct trial *trial, enum reason reason, struct policy_decision *decision)
{
    trial->reason = reason;
    decision->verdict = POLICY_DENY;
    decision->message = messages[reason];
}

static void keep_common_audiences(struct policy_grant *grant, const struct policy_grant *other)
{
    size_t kept = 0;
    for (size_t i = 0; i < grant->audience_count; i++) {
        if (has_text(other->audiences, other->audience_count, grant->audiences[i])) {
            grant->audiences[kept++] = grant->audiences[i];
        }
    }
    grant->audience_count = kept;
}

/* The strictest terms of all rules that matched. A rule without audiences leaves them to others. */
static struct policy_grant combine_grants(const struct trial *trial)
{
    struct policy_grant grant = trial->matched[0]->grant;
    grant.audiences = NULL;
    for (size_t i = 0; i < trial->matched_count; i++) {
        const struct policy_grant *other = &trial->matched[i]->grant;
        grant.ttl_ms = other->ttl_ms < grant.ttl_ms ? other->ttl_ms : grant.ttl_ms;
        if (other->claim_within_ms < grant.claim_within_ms) {
            grant.claim_within_ms = other->claim_within_ms;
        }
        grant.allows_bearer = grant.allows_bearer && other->allows_bearer;
        if (other->audiences != NULL && grant.audiences == NULL) {
            grant.audiences = copy_texts(trial->arena, other->audiences, other->audience_count);
            grant.audience_count = other->audience_count;
        } else if (other->audiences != NULL) {
            keep_common_audiences(&grant, other);
        }
    }
    return grant;
}

static void combine_requirements(const struct trial *trial, struct policy_decision *decision)
{
    size_t count = trial->count_by_verdict[POLICY_REQUIRE_APPROVAL];
    decision->requirements = arena_array(trial->arena, count, sizeof *decision->requirements);
    decision->requirement_count = count;
    for (size_t i = 0; i < count; i++) {
        copy_requirement(trial->arena, &trial->matched[i]->requirement, &decision->requirements[i]);
    }
    level_requirements(decision->requirements, count);
}

static void decide_by_rules(struct trial *trial, struct policy_decision *decision)
{
    trial->reason = REASON_RULES_MATCHED;
    take_verdict(trial, decision);
    if (decision->verdict == POLICY_DENY) {
        return;
    }
    if (trial->count_by_verdict[POLICY_REQUIRE_APPROVAL] > POLICY_REQUIREMENTS_MAX) {
        deny_because(trial, REASON_TOO_MANY_REQUIREMENTS, decision);
        return;
    }
    struct policy_grant grant = combine_grants(trial);
    if (grant.audiences != NULL && grant.audience_count == 0) {
        deny_because(trial, REASON_NO_COMMON_AUDIENCE, decision);
        return;
    }
    decision->grant = grant;
    combine_requirements(trial, decision);
}

static void decide_by_default(struct trial *trial, struct policy_decision *decision)
{
    const struct policy *policy = trial->policy;
    trial->reason = REASON_NO_RULE_MATCHED;
    decision->verdict = policy->default_verdict;
    decision->risk = policy->default_risk;
    if (decision->verdict == POLICY_DENY) {
        return;
    }
    decision->grant = grant_defaults;
    if (decision->verdict == POLICY_REQUIRE_APPROVAL) {
        decision->requirements = ARENA_NEW(trial->arena, struct policy_requirement);
        decision->requirement_count = 1;
        copy_requirement(trial->arena, policy->default_requirement, decision->requirements);
    }
}

static int64_t shortest_timeout(const struct policy_decision *decision)
{
    int64_t shortest = 0;
    for (size_t i = 0; i < decision->requirement_count; i++) {
        int64_t timeout = decision->requirements[i].timeout_ms;
        shortest = i == 0 || timeout < shortest ? timeout : shortest;
    }
    return shortest;
}

static bool has_overlong_text(const struct span texts[FIELD_COUNT])
{
    for (enum field field = FIELD_ACTION; field < FIELD_COUNT; field++) {
        if (texts[field].length > POLICY_TEXT_BYTES_MAX) {
            return true;
        }
    }
    return false;
}

/* Types are checked before any rule runs. */
static bool check_arguments(struct trial *trial, struct policy_decision *decision)
{
    struct cel_value args;
    const char *problem;
    const struct tool *tool = trial->tool;
    if (tool == NULL) {
        return true;
    }
    if (!facts_args(&trial->facts, &args)) {
        deny_because(trial, REASON_ARGUMENTS, decision);
        return false;
    }
    if (!arguments_fit(tool, args, trial->arena, &problem)) {
        deny_because(trial, REASON_ARGUMENTS, decision);
        decision->message = problem;
        return false;
    }
    return true;
}

/* What the approver sees first, and what is retyped. */
static void take_tool(const struct trial *trial, struct policy_decision *decision)
{
    const struct tool *tool = trial->tool;
    if (tool != NULL) {
        decision->show = copy_texts(trial->arena, tool->show, tool->show_count);
        decision->show_count = tool->show_count;
        decision->challenge = copy_texts(trial->arena, tool->challenge, tool->challenge_count);
        decision->challenge_count = tool->challenge_count;
    }
}

static void decide(struct trial *trial, struct policy_decision *decision)
{
    if (has_overlong_text(trial->texts)) {
        deny_because(trial, REASON_TEXT_TOO_LONG, decision);
        return;
    }
    if (trial->policy->env != NULL || trial->tool != NULL) {
        facts_init(&trial->facts, trial->policy, trial->input, trial->arena);
    }
    if (!check_arguments(trial, decision)) {
        return;
    }
    try_rules(trial);
    if (trial->matched_count > 0) {
        decide_by_rules(trial, decision);
    } else {
        decide_by_default(trial, decision);
    }
    take_tool(trial, decision);
}

void policy_decide(const struct policy *policy, const struct policy_input *input,
                   struct arena *arena, policy_trace trace, void *context,
                   struct policy_decision *out_decision)
{
    struct trial trial = {
        .policy = policy, .input = input, .arena = arena, .tool = find_tool(policy, input->action)};
    struct policy_decision decision = {.verdict = POLICY_DENY, .risk = policy->default_risk};
    fill_texts(input, trial.texts);
    decide(&trial, &decision);
    for (size_t i = 0; trace != NULL && i < trial.attempt_count; i++) {
        trace(context, trial.attempts[i].rule->name, trial.attempts[i].has_matched);
    }
    decision.timeout_ms = shortest_timeout(&decision);
    explain(&trial, &decision);
    decision.message = arena_text(arena, decision.message);
    *out_decision = decision;
}

bool policy_first_mismatch(const struct policy *policy, const char *rule,
                           const struct policy_input *input, const char **out_field)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        if (strcmp(policy->rules[i].name, rule) == 0) {
            struct span texts[FIELD_COUNT];
            fill_texts(input, texts);
            enum field field = first_mismatch(&policy->rules[i], texts);
            *out_field = field == FIELD_COUNT ? NULL : field_names[field];
            return true;
        }
    }
    return false;
}
