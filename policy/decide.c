#include "policy/policy_internal.h"

#include "formats/canonical.h"
#include <string.h>

/* Why the verdict is what it is; part of every explanation. */
enum reason {
    REASON_RULES_MATCHED,
    REASON_NO_RULE_MATCHED,
    REASON_TEXT_TOO_LONG,
    REASON_TOO_MANY_REQUIREMENTS,
    REASON_NO_COMMON_AUDIENCE,
};

static const struct {
    const char *name;
    const char *message; /* what a deny that no rule asked for tells its reader */
} reasons[] = {
    [REASON_RULES_MATCHED] = {"rules_matched", NULL},
    [REASON_NO_RULE_MATCHED] = {"no_rule_matched", NULL},
    [REASON_TEXT_TOO_LONG] = {"text_too_long",
                              "The tenant, subject, agent, action or resource is longer than rules "
                              "can judge."},
    [REASON_TOO_MANY_REQUIREMENTS] = {"too_many_requirements",
                                      "More rules require approval than people could answer."},
    [REASON_NO_COMMON_AUDIENCE] = {"no_common_audience",
                                   "The matching rules allow no common audience."},
};

struct trial {
    const struct policy *policy;
    struct arena *arena;
    struct span texts[FIELD_COUNT];
    const struct rule **matched; /* strictest verdict first, then by name */
    size_t matched_count;
    size_t count_by_verdict[POLICY_ALLOW + 1];
    enum reason reason;
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

/* Keeps the rules whose match fits, grouped by verdict. */
static void try_rules(struct trial *trial)
{
    uint32_t *numbers;
    size_t count = index_find(trial->policy->index, trial->texts, trial->arena, &numbers);
    size_t fitting = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = &trial->policy->rules[numbers[i]];
        if (first_mismatch(rule, trial->texts) == FIELD_COUNT) {
            numbers[fitting++] = numbers[i];
            trial->count_by_verdict[rule->verdict]++;
        }
    }
    trial->matched = arena_array(trial->arena, fitting, sizeof(void *));
    size_t next[POLICY_ALLOW + 1] = {0};
    next[POLICY_REQUIRE_APPROVAL] = trial->count_by_verdict[POLICY_DENY];
    next[POLICY_ALLOW] =
        next[POLICY_REQUIRE_APPROVAL] + trial->count_by_verdict[POLICY_REQUIRE_APPROVAL];
    for (size_t i = 0; i < fitting; i++) {
        const struct rule *rule = &trial->policy->rules[numbers[i]];
        trial->matched[next[rule->verdict]++] = rule;
    }
    trial->matched_count = fitting;
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
    decision->message = reasons[reason].message;
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

/* The rules' objects were written at load; here they are only put together. */
static void append_rules(struct builder *out, const struct trial *trial, size_t listed)
{
    for (size_t i = 0; i < listed; i++) {
        if (i > 0) {
            builder_char(out, ',');
        }
        builder_append(out, trial->matched[i]->explained.bytes,
                       trial->matched[i]->explained.length);
    }
}

/* Members in ascending order, as canonical JSON wants them. */
static void explain(const struct trial *trial, struct policy_decision *decision)
{
    size_t listed =
        trial->matched_count > POLICY_EXPLAINED_MAX ? POLICY_EXPLAINED_MAX : trial->matched_count;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    builder_char(&out, '{');
    if (decision->message != NULL) {
        builder_text(&out, "\"message\":");
        canonical_append_string(&out, decision->message, strlen(decision->message));
        builder_char(&out, ',');
    }
    builder_text(&out, "\"policy\":\"");
    builder_text(&out, trial->policy->version);
    builder_text(&out, "\",\"reason\":\"");
    builder_text(&out, reasons[trial->reason].name);
    builder_text(&out, "\",\"risk\":\"");
    builder_text(&out, policy_risk_name(decision->risk));
    builder_text(&out, "\",\"rules\":[");
    append_rules(&out, trial, listed);
    builder_printf(&out, "],\"skipped\":%zu", trial->policy->rule_count - trial->matched_count);
    if (listed < trial->matched_count) {
        builder_printf(&out, ",\"unlisted\":%zu", trial->matched_count - listed);
    }
    builder_text(&out, ",\"verdict\":\"");
    builder_text(&out, policy_verdict_name(decision->verdict));
    builder_text(&out, "\"}");
    decision->explanation = arena_copy(trial->arena, out.bytes, out.length);
    decision->explanation_length = out.length;
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

void policy_decide(const struct policy *policy, const struct policy_input *input,
                   struct arena *arena, policy_trace trace, void *context,
                   struct policy_decision *out_decision)
{
    struct trial trial = {.policy = policy, .arena = arena};
    struct policy_decision decision = {.verdict = POLICY_DENY, .risk = policy->default_risk};
    fill_texts(input, trial.texts);
    if (has_overlong_text(trial.texts)) {
        deny_because(&trial, REASON_TEXT_TOO_LONG, &decision);
    } else {
        try_rules(&trial);
        if (trial.matched_count > 0) {
            decide_by_rules(&trial, &decision);
        } else {
            decide_by_default(&trial, &decision);
        }
    }
    for (size_t i = 0; trace != NULL && i < trial.matched_count; i++) {
        trace(context, trial.matched[i]->name, true);
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
