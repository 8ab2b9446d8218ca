#include "operations/request_internal.h"
#include <string.h>

/* What the request asks for and what policy asks for now. */
struct growth {
    struct operation *operation;
    struct request_row *request;
    struct judgement judgement;
    struct policy_requirement *old;
    size_t old_count;
    struct policy_requirement *merged;
    size_t merged_count;
    struct policy_grant terms;
};

static int64_t shorter(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static bool is_listed(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* The strictest of both, like the terms of several rules. */
static struct policy_grant stricter_terms(struct arena *arena, const struct policy_grant *old,
                                          const struct policy_grant *new)
{
    struct policy_grant terms = {
        .ttl_ms = shorter(old->ttl_ms, new->ttl_ms),
        .claim_within_ms = shorter(old->claim_within_ms, new->claim_within_ms),
        .allows_bearer = old->allows_bearer && new->allows_bearer,
        .audiences = old->audiences == NULL ? new->audiences : old->audiences,
        .audience_count = old->audiences == NULL ? new->audience_count : old->audience_count,
    };
    if (old->audiences == NULL || new->audiences == NULL) {
        return terms;
    }
    terms.audiences = arena_array(arena, old->audience_count, sizeof *terms.audiences);
    terms.audience_count = 0;
    for (size_t i = 0; i < old->audience_count; i++) {
        if (is_listed(new->audiences, new->audience_count, old->audiences[i])) {
            terms.audiences[terms.audience_count++] = old->audiences[i];
        }
    }
    return terms;
}

static bool deny(struct growth *growth, const char *message, struct error *error)
{
    growth->judgement.decision.verdict = POLICY_DENY;
    growth->request->explanation = growth->judgement.decision.explanation;
    growth->request->message = message;
    return record_decided(growth->operation, growth->request, &growth->judgement, "published",
                          error) &&
           end_request(growth->operation, growth->request, REQUEST_POLICY_DENIED, "", error);
}

static bool merge(struct growth *growth, bool *out_fits, struct error *error)
{
    const struct policy_decision *decision = &growth->judgement.decision;
    struct error refused = {0};
    *out_fits = policy_requirements_merge(growth->operation->arena, growth->old, growth->old_count,
                                          decision->requirements, decision->requirement_count,
                                          &growth->merged, &growth->merged_count, &refused);
    return *out_fits || refused.kind == ERROR_LIMIT ||
           error_set(error, refused.kind, refused.code, growth->request->id, "%s", refused.message);
}

static bool record_grown(const struct growth *growth, struct error *error)
{
    const struct request_row *request = growth->request;
    struct ledger_requirements requirements =
        list_requirements(growth->operation, request, growth->merged, growth->merged_count);
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_grown(&data, &requirements);
    struct record record = {.type = LEDGER_REQUIREMENTS_GROWN,
                            .tenant = request->tenant,
                            .request = request->id,
                            .policy = request->policy,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(growth->operation, &record, error);
}

/* A smaller deny quorum may turn denials that did not suffice into an end, and a shorter timeout
 * may have passed. */
static bool end_if_over(struct growth *growth, struct error *error)
{
    struct operation *operation = growth->operation;
    struct request_case loaded;
    if (operation->now >= growth->request->timeout_at) {
        return end_request(operation, growth->request, REQUEST_TIMED_OUT, "", error);
    }
    if (!load_request_case(operation, growth->request, NULL, &loaded, error)) {
        return false;
    }
    struct approvals_tally tally = approvals_count(&loaded.facts, operation->arena);
    return tally.outcome != APPROVALS_DENIED ||
           end_request(operation, growth->request, REQUEST_DENY_QUORUM_REACHED, "", error);
}

static bool store_growth(struct growth *growth, bool is_frozen, struct error *error)
{
    struct operation *operation = growth->operation;
    struct request_row *request = growth->request;
    const struct request_transition *transition;
    size_t reached = 0;
    if (!find_transition(request, REQUEST_POLICY_GREW, &transition, error)) {
        return false;
    }
    apply_transition(operation, request, transition, "");
    request->allows_self_approval = all_allow_self(growth->merged, growth->merged_count);
    request->timeout_at =
        shorter(request->timeout_at, request->asked_at + growth->judgement.timeout_ms);
    plan_request(operation, request, growth->merged, growth->merged_count, is_frozen);
    operation_change_note(operation, request);
    /* Who reads the ledger forgets the rungs of the former list; those reached are said again. */
    return store_update_request(operation->store, request, error) && record_grown(growth, error) &&
           record_rungs(operation, request, growth->merged, growth->merged_count, 0,
                        operation->now - request->asked_at, &reached, error) &&
           end_if_over(growth, error);
}

static bool grow(struct growth *growth, bool is_frozen, struct error *error)
{
    struct operation *operation = growth->operation;
    struct request_row *request = growth->request;
    const struct policy_decision *decision = &growth->judgement.decision;
    const char *requirements = requirements_text(operation, growth->merged, growth->merged_count);
    bool has_grown = strcmp(requirements, request->requirements) != 0;
    request->requirements = requirements;
    request->grant_settings = grant_settings_text(operation, &growth->terms);
    if ((int)decision->risk > request->risk) {
        request->risk = (int)decision->risk;
    }
    if (has_grown) {
        request->explanation = decision->explanation;
        return store_growth(growth, is_frozen, error);
    }
    return store_update_request(operation->store, request, error);
}

static bool load_terms(struct growth *growth, struct error *error)
{
    struct operation *operation = growth->operation;
    const struct request_row *request = growth->request;
    struct policy_grant stored;
    struct approvals_case facts = {0};
    if (!load_requirements(operation, request, &facts, error) ||
        !policy_grant_read(request->grant_settings, strlen(request->grant_settings),
                           operation->arena, &stored, error)) {
        return false;
    }
    growth->old_count = facts.requirement_count;
    growth->old = arena_array(operation->arena, growth->old_count, sizeof *growth->old);
    for (size_t i = 0; i < growth->old_count; i++) {
        growth->old[i] = facts.requirements[i];
    }
    growth->terms = stricter_terms(operation->arena, &stored, &growth->judgement.decision.grant);
    return true;
}

static bool may_be_used(struct growth *growth, bool *out_may, struct error *error)
{
    const struct request_row *request = growth->request;
    struct caller_row caller;
    if (!store_read_caller(growth->operation->store, request->tenant, request->caller,
                           growth->operation->arena, &caller, error)) {
        return false;
    }
    *out_may = terms_allow_audience(&growth->terms, request->audience, &caller);
    return true;
}

bool reevaluate_request(struct operation *operation, struct request_row *request,
                        struct error *error)
{
    struct growth growth = {.operation = operation, .request = request};
    bool is_frozen;
    bool may = false;
    bool fits = false;
    if (request->state != REQUEST_PENDING || operation->operations->policy == NULL ||
        strcmp(request->policy, policy_version(operation->operations->policy)) == 0) {
        return true;
    }
    if (!advance_request(operation, request, &is_frozen, error)) {
        return false;
    }
    if (request->state != REQUEST_PENDING) {
        return true;
    }
    int64_t timeout_ms = request->timeout_at - request->asked_at;
    if (!judge_request(operation, request, timeout_ms, &growth.judgement, error)) {
        return false;
    }
    request->policy = arena_text(operation->arena, policy_version(operation->operations->policy));
    if (growth.judgement.decision.verdict == POLICY_DENY) {
        return deny(&growth, growth.judgement.decision.message, error);
    }
    if (growth.judgement.decision.verdict == POLICY_ALLOW) {
        growth.judgement.timeout_ms = timeout_ms;
    }
    if (!load_terms(&growth, error) || !may_be_used(&growth, &may, error) ||
        !merge(&growth, &fits, error)) {
        return false;
    }
    if (!may || !fits) {
        return deny(&growth,
                    may ? "the rules ask for more people than one request can"
                        : "the rules now let nobody use what this request would be granted",
                    error);
    }
    return grow(&growth, is_frozen, error);
}
