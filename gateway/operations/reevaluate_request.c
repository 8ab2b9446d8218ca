#include "operations/attention_internal.h"
#include <string.h>

struct reevaluation {
    struct operation *operation;
    struct request_row *request;
    struct judgement judgement;
    struct growth growth;
};

static int64_t shorter(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static bool deny(struct reevaluation *again, const char *message, struct error *error)
{
    again->judgement.decision.verdict = POLICY_DENY;
    again->request->explanation = again->judgement.decision.explanation;
    again->request->message = message;
    return record_decided(again->operation, again->request, &again->judgement, "published",
                          error) &&
           end_request(again->operation, again->request, REQUEST_POLICY_DENIED, "", error);
}

static bool record_grown(const struct reevaluation *again, struct error *error)
{
    const struct request_row *request = again->request;
    struct ledger_requirements requirements = list_requirements(
        again->operation, request, again->growth.requirements, again->growth.requirement_count);
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_grown(&data, &requirements);
    struct record record = {.type = LEDGER_REQUIREMENTS_GROWN,
                            .tenant = request->tenant,
                            .request = request->id,
                            .policy = request->policy,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(again->operation, &record, error);
}

/* A smaller deny quorum may turn denials that did not suffice into an end, and a shorter timeout
 * may have passed. */
static bool end_if_over(struct reevaluation *again, struct error *error)
{
    struct operation *operation = again->operation;
    struct request_case loaded;
    if (operation->now >= again->request->timeout_at) {
        return end_request(operation, again->request, REQUEST_TIMED_OUT, "", error);
    }
    if (!load_request_case(operation, again->request, NULL, &loaded, error)) {
        return false;
    }
    struct approvals_tally tally = approvals_count(&loaded.facts, operation->arena);
    return tally.outcome != APPROVALS_DENIED ||
           end_request(operation, again->request, REQUEST_DENY_QUORUM_REACHED, "", error);
}

static bool store_growth(struct reevaluation *again, bool is_frozen, struct error *error)
{
    struct operation *operation = again->operation;
    struct request_row *request = again->request;
    const struct request_transition *transition;
    size_t reached = 0;
    bool has_changed;
    if (!find_transition(request, REQUEST_POLICY_GREW, &transition, error)) {
        return false;
    }
    apply_transition(operation, request, transition, "");
    request->allows_self_approval =
        all_allow_self(again->growth.requirements, again->growth.requirement_count);
    request->timeout_at =
        shorter(request->timeout_at, request->asked_at + again->judgement.timeout_ms);
    plan_request(operation, request, again->growth.requirements, again->growth.requirement_count,
                 is_frozen);
    operation_change_note(operation, request);
    /* Who reads the ledger forgets the rungs of the former list; those reached are said again. */
    return store_update_request(operation->store, request, error) && record_grown(again, error) &&
           record_rungs(operation, request, again->growth.requirements,
                        again->growth.requirement_count, 0, operation->now - request->asked_at,
                        &reached, error) &&
           end_if_over(again, error) && settle_stranded(operation, request, &has_changed, error);
}

/* Who is asked by now is told, and what stands on channels says what is needed and how risky it is.
 */
static bool tell_growth(struct reevaluation *again, struct error *error)
{
    return again->request->state != REQUEST_PENDING ||
           tell_outside(again->operation, again->request, "request.escalated", error);
}

static bool grow(struct reevaluation *again, bool is_frozen, struct error *error)
{
    struct operation *operation = again->operation;
    struct request_row *request = again->request;
    const struct policy_decision *decision = &again->judgement.decision;
    const char *requirements =
        requirements_text(operation, again->growth.requirements, again->growth.requirement_count);
    bool has_grown = strcmp(requirements, request->requirements) != 0;
    bool is_riskier = (int)decision->risk > request->risk;
    request->requirements = requirements;
    request->show = names_text(operation, decision->show, decision->show_count);
    request->challenge =
        names_union(operation, request->challenge, decision->challenge, decision->challenge_count);
    request->grant_settings = grant_settings_text(operation, &again->growth.terms);
    if (is_riskier) {
        request->risk = (int)decision->risk;
    }
    if (has_grown) {
        request->explanation = decision->explanation;
        return store_growth(again, is_frozen, error) && tell_growth(again, error);
    }
    return store_update_request(operation->store, request, error) &&
           (!is_riskier || tell_growth(again, error));
}

bool reevaluate_request(struct operation *operation, struct request_row *request,
                        struct error *error)
{
    struct reevaluation again = {.operation = operation, .request = request};
    bool is_frozen;
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
    if (!judge_request(operation, request, timeout_ms, &again.judgement, error)) {
        return false;
    }
    request->policy = arena_text(operation->arena, policy_version(operation->operations->policy));
    if (again.judgement.decision.verdict == POLICY_DENY) {
        return deny(&again, again.judgement.decision.message, error);
    }
    if (again.judgement.decision.verdict == POLICY_ALLOW) {
        again.judgement.timeout_ms = timeout_ms;
    }
    if (!grow_terms(operation, request, &again.judgement.decision, &again.growth, error)) {
        return false;
    }
    return again.growth.refusal == NULL ? grow(&again, is_frozen, error)
                                        : deny(&again, again.growth.refusal, error);
}
