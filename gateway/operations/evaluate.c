#include "operations/evaluate_operations.h"

#include "base/check.h"
#include "operations/request_internal.h"
#include <string.h>

/* One item with all it has found out. */
struct evaluating {
    struct operation *operation;
    struct request_row request; /* never stored */
    struct ledger_texts parties;
    struct judgement judgement;
    struct evaluation *out;
};

static bool evaluate(struct operation *operation, const struct evaluate_item *item, bool is_batch,
                     struct evaluation *out, struct error *error);
static bool ends(enum evaluate_semantic semantic, const struct evaluation *evaluation);

bool operation_evaluate(struct operation *operation, const struct evaluate_input *input,
                        struct evaluate_result *out, struct error *error)
{
    CHECK(input->count > 0 && input->count <= EVALUATIONS_MAX);
    if (!authorize(operation, OPERATION_EVALUATE, NULL, NULL, error)) {
        return false;
    }
    if (operation->operations->policy == NULL) {
        return error_set(error, ERROR_RETRY_LATER, "no_policy", NULL,
                         "no policy has been published yet: nothing can be decided");
    }
    *out = (struct evaluate_result){.evaluated_at = operation->now};
    out->evaluations = arena_array(operation->arena, input->count, sizeof *out->evaluations);
    for (size_t i = 0; i < input->count; i++) {
        struct evaluation *evaluation = &out->evaluations[out->count++];
        if (!evaluate(operation, &input->items[i], input->is_batch, evaluation, error)) {
            return false;
        }
        if (ends(input->semantic, evaluation)) {
            break;
        }
    }
    return true;
}

static bool ends(enum evaluate_semantic semantic, const struct evaluation *evaluation)
{
    switch (semantic) {
    case EVALUATE_ALL:
        return false;
    case EVALUATE_DENY_ON_FIRST_DENY:
        return evaluation->evaluated != EVALUATED_YES;
    case EVALUATE_PERMIT_ON_FIRST_PERMIT:
        return evaluation->evaluated == EVALUATED_YES;
    }
    return true;
}

/* What is wrong with the item alone: in a batch its own no. That the store or the gateway failed is
 * never hidden so. */
static bool take_fault(const struct error *fault, bool is_batch, struct evaluation *out,
                       struct error *error)
{
    bool is_of_item = fault->kind == ERROR_INVALID || fault->kind == ERROR_FORBIDDEN;
    if (!is_batch || !is_of_item) {
        return error_set(error, fault->kind, fault->code, fault->subject, "%s", fault->message);
    }
    out->evaluated = EVALUATED_FAULTY;
    out->fault = *fault;
    return true;
}

static bool is_recently_denied(struct evaluating *evaluating, bool *out_is, struct error *error)
{
    struct operation *operation = evaluating->operation;
    struct request_row *request = &evaluating->request;
    const struct operations_options *options = &operation->operations->options;
    char denied[ID_BYTES];
    int64_t near_denials;
    if (!store_find_denial(operation->store, request->tenant, &request->match_key,
                           operation->now - options->repeat_denial_window_ms, denied, error) ||
        !store_count_near_denials(operation->store, request->tenant, &request->near_key,
                                  operation->now - options->near_window_ms, &near_denials, error)) {
        return false;
    }
    request->near_denials = near_denials > INT32_MAX ? INT32_MAX : (int)near_denials;
    *out_is = denied[0] != '\0';
    return true;
}

/* The same order as a submission has: freeze, nagging, policy. */
static bool decide(struct evaluating *evaluating, enum evaluated *out, struct error *error)
{
    struct operation *operation = evaluating->operation;
    const struct request_row *request = &evaluating->request;
    struct judgement *judgement = &evaluating->judgement;
    bool is_frozen = false;
    bool is_denied = false;
    if (!is_frozen_now(operation, request, &is_frozen, error) ||
        !is_recently_denied(evaluating, &is_denied, error) ||
        !judge_request(operation, request, 0, judgement, error)) {
        return false;
    }
    *out = EVALUATED_POLICY_DENY;
    if (is_frozen || is_denied) {
        *out = is_frozen ? EVALUATED_FROZEN : EVALUATED_RECENTLY_DENIED;
        return true;
    }
    switch (judgement->decision.verdict) {
    case POLICY_ALLOW:
        /* Rules that name who may use it mean this caller too. */
        *out =
            terms_allow_audience(&judgement->decision.grant, request->audience, operation->caller)
                ? EVALUATED_YES
                : EVALUATED_AUDIENCE_NOT_ALLOWED;
        return true;
    case POLICY_REQUIRE_APPROVAL:
        *out = EVALUATED_APPROVAL_REQUIRED;
        return true;
    case POLICY_DENY:
        break;
    }
    return true;
}

static bool record_evaluated(struct evaluating *evaluating, struct error *error)
{
    struct operation *operation = evaluating->operation;
    const struct request_row *request = &evaluating->request;
    const struct judgement *judgement = &evaluating->judgement;
    struct ledger_submitted asked = {.action = request->action_name,
                                     .agent = request->agent_name,
                                     .resource = request->resource_key,
                                     .subject = request->subject_key};
    struct ledger_texts rules = {.items = judgement->rules, .count = judgement->rule_count};
    enum policy_verdict verdict = evaluating->out->evaluated == EVALUATED_YES ? POLICY_ALLOW
                                  : evaluating->out->evaluated == EVALUATED_APPROVAL_REQUIRED
                                      ? POLICY_REQUIRE_APPROVAL
                                      : POLICY_DENY;
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_evaluated(&data, evaluating->out->id, &asked, policy_verdict_name(verdict), rules);
    struct record record = {.type = LEDGER_EVALUATED,
                            .policy = policy_version(operation->operations->policy),
                            .data = &data};
    return record_entry(operation, &record, error);
}

static bool evaluate(struct operation *operation, const struct evaluate_item *item, bool is_batch,
                     struct evaluation *out, struct error *error)
{
    struct evaluating evaluating = {.operation = operation, .out = out};
    struct error fault = item->fault;
    if (fault.kind != ERROR_NONE || !prepare_request(operation, &item->asked, &evaluating.request,
                                                     &evaluating.parties, &fault)) {
        return take_fault(&fault, is_batch, out, error);
    }
    crypto_make_id("evl", operation->now, out->id);
    if (!decide(&evaluating, &out->evaluated, error)) {
        return false;
    }
    /* The policy's own text, which another policy may replace before the answer is written. */
    out->message = arena_text(operation->arena, evaluating.judgement.decision.message);
    return record_evaluated(&evaluating, error);
}

const char *evaluated_name(enum evaluated evaluated)
{
    static const char *const names[EVALUATED_COUNT] = {
        [EVALUATED_NO] = "",
        [EVALUATED_YES] = "",
        [EVALUATED_POLICY_DENY] = "policy_denied",
        [EVALUATED_APPROVAL_REQUIRED] = "approval_required",
        [EVALUATED_FROZEN] = "frozen",
        [EVALUATED_RECENTLY_DENIED] = "recently_denied",
        [EVALUATED_AUDIENCE_NOT_ALLOWED] = "audience_not_allowed",
        [EVALUATED_FAULTY] = "",
    };
    return (unsigned)evaluated < EVALUATED_COUNT ? names[evaluated] : "";
}
