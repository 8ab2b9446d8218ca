#include "operations/history_internal.h"
#include "operations/request_internal.h"
#include <stdlib.h>
#include <string.h>

struct matched {
    const char **rules;
    size_t count;
};

static void note_rule(void *context, const char *rule, bool has_matched)
{
    struct matched *matched = context;
    if (has_matched && matched->count < POLICY_EXPLAINED_MAX) {
        matched->rules[matched->count++] = rule;
    }
}

static int by_text(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

struct policy_input policy_input_of(const struct request_row *request)
{
    return (struct policy_input){
        .tenant = request->tenant,
        .subject = request->subject_key,
        .agent = request->agent_name,
        .caller = request->caller_name,
        .action = request->action_name,
        .resource = request->resource_key,
        .now = request->created_at,
        .subject_json = request->subject,
        .action_json = request->action,
        .resource_json = request->resource,
        .context_json = request->context,
    };
}

static bool decide(struct operation *operation, const struct request_row *request,
                   struct judgement *out, struct error *error)
{
    struct history_reader reader;
    open_history(&reader, operation, request);
    struct policy_input input = policy_input_of(request);
    input.now = operation->now;
    input.history = &reader.history;
    struct matched matched = {
        .rules = arena_array(operation->arena, POLICY_EXPLAINED_MAX, sizeof *matched.rules)};
    policy_decide(operation->operations->policy, &input, operation->arena, note_rule, &matched,
                  &out->decision);
    qsort(matched.rules, matched.count, sizeof *matched.rules, by_text);
    out->rules = matched.rules;
    out->rule_count = matched.count;
    return close_history(&reader, &out->history_read, error);
}

/* A person must look, and where no rule can ask one the answer is no. */
static void raise_to_people(struct operation *operation, struct policy_decision *decision,
                            const char *message)
{
    const struct policy *policy = operation->operations->policy;
    const struct policy_requirement *requirement = policy_default_requirement(policy);
    decision->message = message;
    if (requirement == NULL) {
        decision->verdict = POLICY_DENY;
        decision->grant = (struct policy_grant){0};
        return;
    }
    decision->verdict = POLICY_REQUIRE_APPROVAL;
    decision->requirements = ARENA_NEW(operation->arena, struct policy_requirement);
    *decision->requirements = *requirement;
    decision->requirement_count = 1;
    decision->timeout_ms = requirement->timeout_ms;
}

static bool has_group(const struct policy_requirement *requirement, const char *group)
{
    for (size_t i = 0; i < requirement->group_count; i++) {
        if (strcmp(requirement->groups[i], group) == 0) {
            return true;
        }
    }
    return false;
}

static bool lacks_ladder(const struct policy_requirement *requirement)
{
    return requirement->rung_count <= 1 && !has_group(requirement, ESCALATION_GROUP);
}

static void add_escalation(struct operation *operation, struct policy_requirement *requirement,
                           int64_t after_ms)
{
    struct policy_rung *ladder =
        arena_array(operation->arena, requirement->rung_count + 1, sizeof *ladder);
    if (requirement->rung_count > 0) {
        memcpy(ladder, requirement->ladder, requirement->rung_count * sizeof *ladder);
    }
    const char **to = ARENA_NEW(operation->arena, const char *);
    *to = ESCALATION_GROUP;
    ladder[requirement->rung_count++] =
        (struct policy_rung){.after_ms = after_ms, .to = to, .to_count = 1};
    requirement->ladder = ladder;
}

static bool escalate(struct operation *operation, const char *tenant, struct judgement *judgement,
                     struct error *error)
{
    struct policy_decision *decision = &judgement->decision;
    bool is_wanted = false;
    for (size_t i = 0; i < decision->requirement_count; i++) {
        is_wanted = is_wanted || lacks_ladder(&decision->requirements[i]);
    }
    if (!is_wanted || judgement->timeout_ms < 2) {
        return true;
    }
    struct person_row *members;
    size_t member_count;
    if (!store_list_members(operation->store, tenant, ESCALATION_GROUP, operation->arena, &members,
                            &member_count, error)) {
        return false;
    }
    for (size_t i = 0; member_count > 0 && i < decision->requirement_count; i++) {
        if (lacks_ladder(&decision->requirements[i])) {
            add_escalation(operation, &decision->requirements[i], judgement->timeout_ms / 2);
        }
    }
    return true;
}

bool judge_request(struct operation *operation, const struct request_row *request,
                   int64_t timeout_max_ms, struct judgement *out, struct error *error)
{
    if (operation->operations->policy == NULL) {
        return error_set(error, ERROR_RETRY_LATER, "no_policy", NULL,
                         "no policy has been published yet: nothing can be decided");
    }
    *out = (struct judgement){0};
    char open_grant[ID_BYTES];
    if (!decide(operation, request, out, error) ||
        !store_find_open_effect(operation->store, request->tenant, &request->effect_key, open_grant,
                                error)) {
        return false;
    }
    /* Rules name agents and subjects; one that is only claimed opens nothing by itself. */
    if (request->unverified != NULL && request->unverified[0] != '\0' &&
        out->decision.verdict == POLICY_ALLOW) {
        raise_to_people(operation, &out->decision,
                        "the agent or the subject is claimed by a caller not registered for it");
    }
    if (open_grant[0] != '\0' && out->decision.verdict == POLICY_ALLOW) {
        /* Until it is known what an earlier run did, a blind retry could run it twice. */
        raise_to_people(operation, &out->decision,
                        "an earlier run of the same action has not reported what happened");
    }
    if (out->decision.verdict != POLICY_REQUIRE_APPROVAL) {
        return true;
    }
    out->timeout_ms = out->decision.timeout_ms;
    if (timeout_max_ms > 0 && timeout_max_ms < out->timeout_ms) {
        out->timeout_ms = timeout_max_ms;
    }
    return escalate(operation, request->tenant, out, error);
}

bool all_allow_self(const struct policy_requirement *requirements, size_t count)
{
    bool all_allow = count > 0;
    for (size_t i = 0; i < count; i++) {
        all_allow = all_allow && requirements[i].allows_self_approval;
    }
    return all_allow;
}

static int64_t smallest_deny_quorum(const struct policy_requirement *requirements, size_t count)
{
    int64_t smallest = count == 0 ? 1 : requirements[0].deny_quorum;
    for (size_t i = 1; i < count; i++) {
        smallest = requirements[i].deny_quorum < smallest ? requirements[i].deny_quorum : smallest;
    }
    return smallest < 1 ? 1 : smallest;
}

struct ledger_requirements list_requirements(struct operation *operation,
                                             const struct request_row *request,
                                             const struct policy_requirement *requirements,
                                             size_t count)
{
    struct ledger_requirement *items = arena_array(operation->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        size_t group_count;
        const char **groups =
            approvals_groups_asked(&requirements[i], 0, 0, operation->arena, &group_count);
        items[i] = (struct ledger_requirement){
            .rule = requirements[i].rule,
            .assurance = assurance_name(requirements[i].assurance),
            .quorum = requirements[i].quorum,
            .groups = {.items = groups, .count = group_count},
        };
    }
    return (struct ledger_requirements){
        .items = items,
        .count = count,
        .deny_quorum = smallest_deny_quorum(requirements, count),
        .timeout_at_ms = request->timeout_at,
        .allows_self = request->allows_self_approval,
    };
}

bool record_decided(struct operation *operation, const struct request_row *request,
                    const struct judgement *judgement, const char *cause, struct error *error)
{
    const struct policy_decision *decision = &judgement->decision;
    struct ledger_decided decided = {
        .revision = request->revision,
        .verdict = policy_verdict_name(decision->verdict),
        .risk = policy_risk_name(decision->risk),
        .cause = cause,
        .rules = {.items = judgement->rules, .count = judgement->rule_count},
    };
    if (decision->verdict == POLICY_REQUIRE_APPROVAL) {
        decided.requirements = list_requirements(operation, request, decision->requirements,
                                                 decision->requirement_count);
    }
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_decided(&data, &decided);
    struct record record = {
        .type = LEDGER_POLICY_DECIDED,
        .tenant = request->tenant,
        .request = request->id,
        .policy = request->policy,
        .digest = &request->digest,
        .data = &data,
        .is_by_gateway = true,
    };
    return record_entry(operation, &record, error);
}

const char *requirements_text(struct operation *operation,
                              const struct policy_requirement *requirements, size_t count)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    policy_requirements_append(&text, requirements, count);
    return arena_copy(operation->arena, text.bytes, text.length);
}

const char *grant_settings_text(struct operation *operation, const struct policy_grant *settings)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    policy_grant_append(&text, settings);
    return arena_copy(operation->arena, text.bytes, text.length);
}

static bool lists(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool terms_allow_audience(const struct policy_grant *terms, const struct request_row *request,
                          const struct caller_row *caller)
{
    const char *audience = request->audience;
    bool shows_key = request->confirmation[0] != '\0';
    if (audience[0] != '\0') {
        bool is_reachable = terms->allows_bearer || shows_key ||
                            lists(caller->audiences, caller->audience_count, audience);
        return is_reachable && lists(terms->audiences, terms->audience_count, audience);
    }
    /* Nobody else is named, so the caller redeems: fine, unless the rules name who may. */
    bool may = terms->audiences == NULL;
    for (size_t i = 0; i < terms->audience_count; i++) {
        may = may || lists(caller->audiences, caller->audience_count, terms->audiences[i]);
    }
    return may;
}
