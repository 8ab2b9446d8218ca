#include "operations/evaluate_operations.h"

#include "base/check.h"
#include "operations/request_internal.h"
#include "store/access_rows.h"
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

/* The same order as a submission has: freeze, nagging, policy. */
static bool decide(struct evaluating *evaluating, enum evaluated *out, struct error *error)
{
    struct operation *operation = evaluating->operation;
    struct request_row *request = &evaluating->request;
    struct judgement *judgement = &evaluating->judgement;
    char denied[ID_BYTES];
    bool is_frozen = false;
    if (!is_frozen_now(operation, request, &is_frozen, error) ||
        !look_for_denials(operation, request, denied, error) ||
        !judge_request(operation, request, 0, judgement, error)) {
        return false;
    }
    *out = EVALUATED_POLICY_DENY;
    if (is_frozen || denied[0] != '\0') {
        *out = is_frozen ? EVALUATED_FROZEN : EVALUATED_RECENTLY_DENIED;
        return true;
    }
    switch (judgement->decision.verdict) {
    case POLICY_ALLOW:
        /* Rules that name who may use it mean this caller too. */
        *out = terms_allow_audience(&judgement->decision.grant, request, operation->caller)
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
    name_asker(operation, request, &asked);
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

static enum evaluated refused_because(const struct evaluating *evaluating,
                                      enum grant_refusal refusal)
{
    switch (refusal) {
    case GRANT_ACCEPTED:
        return EVALUATED_YES;
    case GRANT_REFUSED_EXPIRED:
    case GRANT_REFUSED_SUPERSEDED_TOKEN:
    case GRANT_REFUSED_ALREADY_REDEEMED:
    case GRANT_REFUSED_REVOKED:
    case GRANT_REFUSED_LAPSED:
        return EVALUATED_APPROVAL_EXPIRED;
    case GRANT_REFUSED_ARGS_MISMATCH:
        return EVALUATED_OUT_OF_SCOPE;
    case GRANT_REFUSED_POLICY_CHANGED:
        return evaluating->judgement.decision.verdict == POLICY_DENY ? EVALUATED_POLICY_DENY
                                                                     : EVALUATED_APPROVAL_EXPIRED;
    case GRANT_REFUSED_FROZEN:
        return EVALUATED_FROZEN;
    case GRANT_REFUSED_UNKNOWN_GRANT:
    case GRANT_REFUSED_WRONG_AUDIENCE:
    case GRANT_REFUSED_WRONG_HOLDER:
    case GRANT_REFUSAL_COUNT:
        break;
    }
    return EVALUATED_APPROVAL_UNVERIFIABLE;
}

/* What the approval is worth, whatever policy alone would say: one that was used is not good again.
 */
static bool redeem_approval(struct evaluating *evaluating, const char *approval,
                            struct error *error)
{
    struct evaluation *out = evaluating->out;
    const struct request_row *request = &evaluating->request;
    struct redeem_input input = {.action = request->action,
                                 .resource = request->resource,
                                 .subject = request->subject,
                                 .context = request->context,
                                 .approval = approval,
                                 .agent = request->agent};
    if (!operation_redeem_grant(evaluating->operation, &input, &out->redemption, error)) {
        return false;
    }
    out->has_approval = true;
    out->evaluated = refused_because(evaluating, out->redemption.refusal);
    out->approved_until = out->redemption.effect_due_at;
    return true;
}

static bool is_requestable(const struct evaluating *evaluating)
{
    switch (evaluating->out->evaluated) {
    case EVALUATED_APPROVAL_REQUIRED:
    case EVALUATED_APPROVAL_EXPIRED:
    case EVALUATED_OUT_OF_SCOPE:
        return evaluating->judgement.decision.verdict != POLICY_DENY;
    case EVALUATED_NO:
    case EVALUATED_YES:
    case EVALUATED_POLICY_DENY:
    case EVALUATED_FROZEN:
    case EVALUATED_RECENTLY_DENIED:
    case EVALUATED_AUDIENCE_NOT_ALLOWED:
    case EVALUATED_APPROVAL_UNVERIFIABLE:
    case EVALUATED_FAULTY:
    case EVALUATED_COUNT:
        break;
    }
    return false;
}

/* Kept so that a submission can be held against it: ARAP wants the binding verifiable. */
static bool keep_denial(struct evaluating *evaluating, struct error *error)
{
    struct operation *operation = evaluating->operation;
    const struct request_row *request = &evaluating->request;
    struct evaluation *out = evaluating->out;
    struct evaluation_row row = {.expires_at = operation->now + EVALUATION_KEEP_MS};
    struct builder members BUILDER_SCOPE;
    builder_init(&members, 0);
    binding_append_names(request->context, &members);
    memcpy(row.id, out->id, sizeof row.id);
    memcpy(row.tenant, request->tenant, sizeof row.tenant);
    memcpy(row.caller, request->caller, sizeof row.caller);
    row.members = members.bytes;
    row.binding = binding_authzen_hash(request->subject, request->action, request->resource,
                                       request->context, NULL);
    out->is_requestable = true;
    out->expires_at = row.expires_at;
    return store_insert_evaluation(operation->store, &row, error);
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
    if (!decide(&evaluating, &out->evaluated, error) ||
        (item->approval != NULL && !redeem_approval(&evaluating, item->approval, error)) ||
        (is_requestable(&evaluating) && !keep_denial(&evaluating, error))) {
        return false;
    }
    /* The policy's own text, which another policy may replace before the answer is written. */
    out->message = arena_text(operation->arena, evaluating.judgement.decision.message);
    return record_evaluated(&evaluating, error);
}

bool evaluate_has_redeemed(const struct evaluate_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct evaluation *evaluation = &result->evaluations[i];
        if (evaluation->has_approval && evaluation->redemption.refusal == GRANT_ACCEPTED) {
            return true;
        }
    }
    return false;
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
        [EVALUATED_APPROVAL_EXPIRED] = "approval_expired",
        [EVALUATED_OUT_OF_SCOPE] = "out_of_scope",
        [EVALUATED_APPROVAL_UNVERIFIABLE] = "approval_unverifiable",
        [EVALUATED_FAULTY] = "",
    };
    return (unsigned)evaluated < EVALUATED_COUNT ? names[evaluated] : "";
}
