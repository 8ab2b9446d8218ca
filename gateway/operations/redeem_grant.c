#include "operations/grant_operations.h"
#include "operations/history_internal.h"
#include "operations/issue_grant.h"
#include "operations/request_internal.h"
#include <string.h>

struct redeeming {
    struct operation *operation;
    const struct redeem_input *input;
    bool is_known;
    struct grant_row grant;
    struct request_row request;
    struct grant_redemption facts;
    struct redeem_result *out;
};

static bool find(struct redeeming *redeeming, struct error *error);
static bool gather(struct redeeming *redeeming, struct error *error);
static bool ask_policy(struct redeeming *redeeming, struct error *error);
static bool refuse(struct redeeming *redeeming, enum grant_refusal refusal, struct error *error);
static bool redeem(struct redeeming *redeeming, struct error *error);

bool operation_redeem_grant(struct operation *operation, const struct redeem_input *input,
                            struct redeem_result *out, struct error *error)
{
    struct redeeming redeeming = {.operation = operation, .input = input, .out = out};
    *out = (struct redeem_result){0};
    if (!authorize(operation, OPERATION_REDEEM_GRANT, NULL, NULL, error) ||
        !find(&redeeming, error)) {
        return false;
    }
    if (!redeeming.is_known) {
        return refuse(&redeeming, GRANT_REFUSED_UNKNOWN_GRANT, error);
    }
    if (!gather(&redeeming, error)) {
        return false;
    }
    /* Policy is asked only of one who otherwise might redeem; nothing but its yes opens. */
    redeeming.facts.policy_still_permits = true;
    enum grant_refusal refusal = grant_check_redemption(&redeeming.facts);
    redeeming.facts.policy_still_permits = false;
    if (refusal != GRANT_ACCEPTED) {
        return refuse(&redeeming, refusal, error);
    }
    if (!ask_policy(&redeeming, error)) {
        return false;
    }
    refusal = grant_check_redemption(&redeeming.facts);
    return refusal == GRANT_ACCEPTED ? redeem(&redeeming, error)
                                     : refuse(&redeeming, refusal, error);
}

/* The grant that the token, or the approval, is about; NULL when it is of no grant here. */
static const char *named_grant(const struct redeeming *redeeming)
{
    const struct redeem_input *input = redeeming->input;
    if (input->approval != NULL) {
        return input->approval;
    }
    bool is_here = input->has_claims &&
                   strcmp(input->claims.tenant, redeeming->operation->principal.tenant) == 0;
    return is_here ? input->claims.grant : NULL;
}

static bool find(struct redeeming *redeeming, struct error *error)
{
    struct operation *operation = redeeming->operation;
    const char *tenant = operation->principal.tenant;
    const char *named = named_grant(redeeming);
    struct error missing = {0};
    if (named == NULL) {
        return true;
    }
    if (!store_read_grant(operation->store, tenant, named, operation->arena, &redeeming->grant,
                          &missing)) {
        return missing.kind == ERROR_NOT_FOUND || hide_missing(&missing, named, error);
    }
    if (!store_read_request(operation->store, tenant, redeeming->grant.request, operation->arena,
                            &redeeming->request, error)) {
        return false;
    }
    redeeming->is_known = (redeeming->input->approval != NULL ||
                           strcmp(redeeming->input->claims.request, redeeming->request.id) == 0) &&
                          strcmp(redeeming->request.grant, redeeming->grant.id) == 0;
    return true;
}

static const char *given_or(const char *given, const char *stored)
{
    return given == NULL ? stored : given;
}

/* ARAP's exact match: without `act`, of the context only what was evaluated before. The agent is
 * compared by who it is. */
static bool approval_matches(const struct redeeming *redeeming)
{
    const struct redeem_input *input = redeeming->input;
    const struct request_row *request = &redeeming->request;
    struct builder members BUILDER_SCOPE;
    builder_init(&members, 0);
    if (request->salt == NULL || request->context == NULL || input->agent == NULL ||
        strcmp(input->agent, redeeming->grant.agent) != 0) {
        return false;
    }
    binding_append_names(request->context, &members);
    struct sha256 asked = binding_authzen_hash(input->subject, input->action, input->resource,
                                               input->context, members.bytes);
    struct sha256 approved = binding_authzen_hash(request->subject, request->action,
                                                  request->resource, request->context, NULL);
    struct binding binding = bind_stored(request);
    struct sha256 digest = binding_digest(&binding, request->salt);
    return crypto_equal(asked.bytes, approved.bytes, SHA256_BYTES) &&
           crypto_equal(digest.bytes, redeeming->grant.digest.bytes, SHA256_BYTES);
}

/* What is about to run against what was decided: the digest over what is presented, with the salt
 * that only the store still has to have. */
static bool digest_matches(const struct redeeming *redeeming)
{
    const struct redeem_input *input = redeeming->input;
    const struct request_row *request = &redeeming->request;
    if (input->approval != NULL) {
        return approval_matches(redeeming);
    }
    bool is_stated =
        input->exchange_for != NULL || (input->action != NULL && input->resource != NULL);
    if (request->salt == NULL || request->context == NULL || !is_stated) {
        return false;
    }
    struct binding binding = bind_stored(request);
    binding.action = given_or(input->action, request->action);
    binding.resource = given_or(input->resource, request->resource);
    binding.subject = given_or(input->subject, request->subject);
    binding.context = given_or(input->context, request->context);
    struct sha256 digest = binding_digest(&binding, request->salt);
    return crypto_equal(digest.bytes, redeeming->grant.digest.bytes, SHA256_BYTES) &&
           crypto_equal(digest.bytes, request->digest.bytes, SHA256_BYTES);
}

static bool serves(const struct caller_row *caller, const char *audience)
{
    for (size_t i = 0; i < caller->audience_count; i++) {
        if (strcmp(caller->audiences[i], audience) == 0) {
            return true;
        }
    }
    return false;
}

/* How long the token has lived, -1 when only the wall clock can tell. */
static int64_t elapsed_of(const struct operation *operation, const char *token)
{
    const struct operations *operations = operation->operations;
    int64_t elapsed = minted_tokens_elapsed(operations->minted, token, operation->boot);
    return elapsed < 0 && operations->has_lost_time ? INT64_MAX : elapsed;
}

/* An approval is looked up, not carried in a token: there is none that could be old. */
static void take_approval(struct grant_redemption *facts)
{
    facts->token = "approval";
    facts->newest_token = "approval";
    facts->token_expires_at = INT64_MAX;
    facts->elapsed_ms = -1;
}

/* What the holder showed the redeemer; the caller itself shows it with the call. */
static const char *shown_key(const struct redeeming *redeeming)
{
    const struct operation *operation = redeeming->operation;
    bool is_caller = strcmp(operation->principal.id, redeeming->grant.caller) == 0;
    const char *shown = redeeming->input->shown;
    return shown == NULL && is_caller ? operation->confirmation : shown;
}

static const char *holder_word(const struct redeeming *redeeming)
{
    const struct grant_row *grant = &redeeming->grant;
    if (grant->confirmation[0] != '\0') {
        return strncmp(grant->confirmation, "jkt:", 4) == 0 ? "key" : "certificate";
    }
    bool is_caller = strcmp(redeeming->operation->principal.id, grant->caller) == 0;
    return is_caller ? "caller" : "bearer";
}

static bool gather(struct redeeming *redeeming, struct error *error)
{
    struct operation *operation = redeeming->operation;
    const struct grant_row *grant = &redeeming->grant;
    const struct grant_claims *claims = &redeeming->input->claims;
    bool is_frozen;
    if (!find_grant_freezes(operation, grant, redeeming->request.action_name, &is_frozen, error)) {
        return false;
    }
    redeeming->facts = (struct grant_redemption){
        .state = grant->state,
        .claim_until = grant->claim_until,
        .now = operation->now,
        .token_expires_at = claims->expires_at,
        .elapsed_ms = elapsed_of(operation, claims->token),
        .ttl_ms = grant->token_expires_at - grant->token_issued_at,
        .token = claims->token,
        .newest_token = grant->token,
        .redeemer = operation->principal.id,
        .holder = grant->caller,
        .audience = grant->audience,
        .redeemer_serves_audience = serves(operation->caller, grant->audience),
        .is_bearer = grant->is_bearer,
        .confirmation = grant->confirmation,
        .shown = shown_key(redeeming),
        .digest_matches = digest_matches(redeeming),
        .is_frozen = is_frozen,
    };
    if (redeeming->input->approval != NULL) {
        take_approval(&redeeming->facts);
    }
    const char *exchange_for = redeeming->input->exchange_for;
    if (exchange_for != NULL && strcmp(exchange_for, grant->audience) != 0) {
        redeeming->facts.audience = NULL; /* nobody's */
    }
    return true;
}

/* The recorded votes against what policy asks for now; nobody joins by time that passed since. */
static bool votes_still_suffice(struct redeeming *redeeming, const struct judgement *judgement,
                                bool *out_suffice, struct error *error)
{
    struct request_case loaded;
    if (!load_request_case(redeeming->operation, &redeeming->request, NULL, &loaded, error)) {
        return false;
    }
    const struct policy_decision *decision = &judgement->decision;
    loaded.facts.requirements = decision->requirements;
    loaded.facts.requirement_count = decision->requirement_count;
    loaded.facts.allows_self_approval =
        all_allow_self(decision->requirements, decision->requirement_count);
    *out_suffice = approvals_still_met(&loaded.facts, redeeming->operation->arena);
    return true;
}

/* Who asked and for whom must still be let: a disabled agent or caller runs nothing. */
static bool parties_stand(struct redeeming *redeeming, bool *out_stand, struct error *error)
{
    struct operation *operation = redeeming->operation;
    const struct grant_row *grant = &redeeming->grant;
    struct agent_row agent;
    struct caller_row holder = *operation->caller;
    bool is_holder = strcmp(holder.id, grant->caller) == 0;
    if (!store_read_agent(operation->store, grant->tenant, grant->agent, operation->arena, &agent,
                          error) ||
        (!is_holder && !store_read_caller(operation->store, grant->tenant, grant->caller,
                                          operation->arena, &holder, error))) {
        return false;
    }
    *out_stand = agent.is_enabled && holder.is_enabled;
    return true;
}

static bool ask_policy(struct redeeming *redeeming, struct error *error)
{
    struct operation *operation = redeeming->operation;
    struct judgement judgement;
    bool stand;
    if (!parties_stand(redeeming, &stand, error) ||
        !judge_request(operation, &redeeming->request, 0, &judgement, error)) {
        return false;
    }
    switch (judgement.decision.verdict) {
    case POLICY_ALLOW:
        redeeming->facts.policy_still_permits = stand;
        return true;
    case POLICY_REQUIRE_APPROVAL:
        /* An open effect also asks for a person: one who approved is one. */
        return !stand || votes_still_suffice(redeeming, &judgement,
                                             &redeeming->facts.policy_still_permits, error);
    case POLICY_DENY:
        break;
    }
    return true;
}

static void tell_former_redemption(struct redeeming *redeeming)
{
    const struct grant_row *grant = &redeeming->grant;
    struct redeem_result *out = redeeming->out;
    out->is_yours = strcmp(grant->redeemer, redeeming->operation->principal.id) == 0;
    if (out->is_yours) {
        out->fence = grant->fence;
        out->redeemed_at = grant->redeemed_at;
        out->effect_due_at = grant->effect_due_at;
    }
}

static bool refuse(struct redeeming *redeeming, enum grant_refusal refusal, struct error *error)
{
    struct operation *operation = redeeming->operation;
    struct redeem_result *out = redeeming->out;
    struct record record = {.type = LEDGER_GRANT_REFUSED};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_reason(&data, grant_refusal_name(refusal));
    record.data = &data;
    out->refusal = refusal;
    if (redeeming->is_known) {
        memcpy(out->grant, redeeming->grant.id, sizeof out->grant);
        memcpy(out->request, redeeming->request.id, sizeof out->request);
        record.grant = redeeming->grant.id;
        record.request = redeeming->request.id;
    }
    if (refusal == GRANT_REFUSED_ALREADY_REDEEMED) {
        tell_former_redemption(redeeming);
    }
    metrics_add(operation->operations->options.metrics, METRIC_GRANTS_REFUSED, 1);
    return record_entry(operation, &record, error);
}

/* Stored with the batch, and by the mark before anyone is answered. */
static int64_t take_fence(struct operations *operations)
{
    operations->place.fence_number++;
    return grant_fence(operations->epoch, operations->place.fence_number);
}

static const char *how(const struct redeem_input *input)
{
    return input->approval != NULL       ? "evaluation"
           : input->exchange_for != NULL ? "exchange"
                                         : "redeem";
}

static bool record_redeemed(const struct redeeming *redeeming, struct error *error)
{
    struct operation *operation = redeeming->operation;
    const struct grant_row *grant = &redeeming->grant;
    bool is_evaluation = redeeming->input->approval != NULL;
    struct ledger_redeemed redeemed = {.mint = is_evaluation ? 0 : grant->mint_count,
                                       .fence = grant->fence,
                                       .effect_due_ms = grant->effect_due_at,
                                       .holder = holder_word(redeeming),
                                       .how = how(redeeming->input)};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_redeemed(&data, &redeemed);
    return record_grant(operation, LEDGER_GRANT_REDEEMED, grant, &data, true, false, error);
}

/* The token for services that verify offline: its own type, its own short life. */
static void make_redeemed_token(struct redeeming *redeeming)
{
    struct operation *operation = redeeming->operation;
    const struct grant_row *grant = &redeeming->grant;
    struct grant_claims *token = &redeeming->out->token;
    fill_claims(operation, &redeeming->request, grant, token);
    crypto_make_id("jti", operation->now, token->token);
    token->issued_at = operation->now;
    token->expires_at = grant_token_expiry(operation->now, grant->ttl_ms, INT64_MAX);
    token->fence = grant->fence;
}

static bool redeem(struct redeeming *redeeming, struct error *error)
{
    struct operation *operation = redeeming->operation;
    struct grant_row *grant = &redeeming->grant;
    struct redeem_result *out = redeeming->out;
    if (!apply_grant_event(grant, GRANT_REDEEM, error)) {
        return false;
    }
    grant->fence = take_fence(operation->operations);
    grant->redeemed_at = operation->now;
    memcpy(grant->redeemer, operation->principal.id, sizeof grant->redeemer);
    grant->effect_due_at = operation->now + operation->operations->options.effect_due_ms;
    grant->due_at = grant->effect_due_at;
    if (!store_update_grant(operation->store, grant, error) ||
        !store_insert_redemption(operation->store, grant->id, grant->fence, operation->now,
                                 error) ||
        !store_open_effect(operation->store, grant->tenant, &grant->effect_key, grant->id, error) ||
        !record_redeemed(redeeming, error) ||
        !note_past(operation, &redeeming->request, POLICY_PAST_REDEEMED, error)) {
        return false;
    }
    operation_grant_note(operation, grant);
    operation_note_due(operation, grant->due_at);
    metrics_add(operation->operations->options.metrics, METRIC_GRANTS_REDEEMED, 1);
    memcpy(out->grant, grant->id, sizeof out->grant);
    memcpy(out->request, redeeming->request.id, sizeof out->request);
    out->fence = grant->fence;
    out->redeemed_at = grant->redeemed_at;
    out->effect_due_at = grant->effect_due_at;
    make_redeemed_token(redeeming);
    out->refusal = GRANT_ACCEPTED;
    return true;
}
