#include "formats/text.h"
#include "operations/attention_internal.h"
#include "operations/history_internal.h"
#include <string.h>

/* Everything one submission has found out so far. */
struct submission {
    struct operation *operation;
    const struct submit_input *input;
    struct caller_row caller;
    struct request_row request; /* being made */
    struct ledger_texts parties;
    struct submit_result *out;
};

static bool replay(struct submission *submission, bool *out_is_done, struct error *error);
static bool bind_request(struct submission *submission, struct error *error);
static bool attach(struct submission *submission, bool *out_is_done, struct error *error);
static bool decide(struct submission *submission, struct error *error);

bool operation_submit_request(struct operation *operation, const struct submit_input *input,
                              struct submit_result *out, struct error *error)
{
    struct submission submission = {.operation = operation, .input = input, .out = out};
    bool is_done = false;
    *out = (struct submit_result){0};
    if (!authorize(operation, OPERATION_SUBMIT_REQUEST, NULL, NULL, error) ||
        !replay(&submission, &is_done, error)) {
        return false;
    }
    if (is_done) {
        return true;
    }
    submission.caller = *operation->caller;
    if (!find_parties_of_call(operation, input, &submission.request, error) ||
        !bind_request(&submission, error) || !attach(&submission, &is_done, error)) {
        return false;
    }
    return is_done || decide(&submission, error);
}

bool prepare_request(struct operation *operation, const struct submit_input *input,
                     struct request_row *out, struct ledger_texts *out_parties, struct error *error)
{
    struct submission submission = {
        .operation = operation, .input = input, .caller = *operation->caller};
    if (!find_parties_of_call(operation, input, &submission.request, error) ||
        !bind_request(&submission, error)) {
        return false;
    }
    *out = submission.request;
    *out_parties = submission.parties;
    return true;
}

static bool is_keyed(const struct submission *submission)
{
    return submission->input->idempotency_key != NULL;
}

/* A key that was used before: the same body is the same request, whatever became of it. */
static bool replay(struct submission *submission, bool *out_is_done, struct error *error)
{
    struct operation *operation = submission->operation;
    const struct principal *principal = &operation->principal;
    struct idempotency_row known;
    struct request_row request;
    bool is_known = false;
    if (!is_keyed(submission)) {
        return true;
    }
    if (!store_find_idempotency(operation->store, principal->tenant, principal->id,
                                submission->input->idempotency_key, &known, &is_known, error)) {
        return false;
    }
    if (!is_known) {
        return true;
    }
    if (memcmp(known.body.bytes, submission->input->body.bytes, SHA256_BYTES) != 0) {
        return error_set(error, ERROR_CONFLICT, "idempotency_mismatch", "Idempotency-Key",
                         "this key was used before with another body: use a new key");
    }
    if (!store_read_request(operation->store, principal->tenant, known.request, operation->arena,
                            &request, error)) {
        return false;
    }
    bool is_frozen;
    if (request.state == REQUEST_PENDING &&
        !advance_request(operation, &request, &is_frozen, error)) {
        return false;
    }
    memcpy(submission->out->request, request.id, sizeof request.id);
    submission->out->outcome = SUBMIT_REPLAYED;
    submission->out->state = request.state;
    *out_is_done = true;
    return true;
}

static const char *copy_or(struct operation *operation, const char *text, const char *otherwise)
{
    return arena_text(operation->arena, text == NULL ? otherwise : text);
}

static void take_texts(struct submission *submission)
{
    struct operation *operation = submission->operation;
    const struct submit_input *input = submission->input;
    const struct caller_row *caller = &submission->caller;
    struct request_row *request = &submission->request;
    memcpy(request->tenant, caller->tenant, sizeof request->tenant);
    memcpy(request->caller, caller->id, sizeof request->caller);
    memcpy(request->caller_name, caller->name, sizeof request->caller_name);
    request->subject = input->subject;
    request->subject_key = input->subject_key;
    request->action = input->action;
    request->action_name = input->action_name;
    request->resource = input->resource;
    request->resource_key = input->resource_key;
    request->context = copy_or(operation, input->context, "{}");
    request->audience = copy_or(operation, input->audience, "");
    request->why = arena_text(operation->arena, input->why); /* the door bounds it */
    request->trace = input->trace;
    request->ended_by = "";
    request->created_at = operation->now;
    request->asked_at = operation->now;
    request->settled_at = operation->now;
}

/* Who may not approve, as the store keeps it. */
static bool name_parties(struct submission *submission, struct error *error)
{
    const struct ledger_texts *parties = &submission->parties;
    if (!find_parties(submission->operation, &submission->request, &submission->parties, error)) {
        return false;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (size_t i = 0; i < parties->count; i++) {
        builder_printf(&text, "%s%s", i == 0 ? "" : " ", parties->items[i]);
    }
    submission->request.parties = arena_copy(submission->operation->arena, text.bytes, text.length);
    return true;
}

static bool bind_request(struct submission *submission, struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    const struct secret *secret = operation->operations->options.match_secret;
    char salt[SALT_TEXT_BYTES];
    take_texts(submission);
    struct binding binding = bind_stored(request);
    binding_make_salt(salt);
    request->salt = arena_text(operation->arena, salt);
    request->digest = binding_digest(&binding, salt);
    request->match_key = binding_match_key(&binding, request->caller, secret);
    request->effect_key = binding_effect_key(&binding, secret);
    request->near_key = binding_near_key(request->tenant, request->agent, request->action_name,
                                         request->resource_key, secret);
    return name_parties(submission, error);
}

/* Without a key, what is already pending is what was asked again: a retry finds it. */
static bool attach(struct submission *submission, bool *out_is_done, struct error *error)
{
    struct operation *operation = submission->operation;
    const struct request_row *request = &submission->request;
    char id[ID_BYTES];
    struct request_row pending;
    bool is_frozen;
    if (is_keyed(submission)) {
        return true;
    }
    if (!store_find_pending(operation->store, request->tenant, request->caller, &request->match_key,
                            id, error)) {
        return false;
    }
    if (id[0] == '\0') {
        return true;
    }
    if (!store_read_request(operation->store, request->tenant, id, operation->arena, &pending,
                            error) ||
        !advance_request(operation, &pending, &is_frozen, error)) {
        return false;
    }
    if (pending.state != REQUEST_PENDING) {
        return true;
    }
    memcpy(submission->out->request, id, sizeof id);
    submission->out->outcome = SUBMIT_ATTACHED;
    submission->out->state = pending.state;
    *out_is_done = true;
    return true;
}

static bool record_submitted(struct submission *submission, struct error *error)
{
    const struct request_row *request = &submission->request;
    struct ledger_submitted submitted = {
        .action = request->action_name,
        .agent = request->agent_name,
        .resource = request->resource_key,
        .subject = request->subject_key,
        .audience = request->audience[0] == '\0' ? NULL : request->audience,
        .parties = submission->parties,
    };
    name_asker(submission->operation, request, &submitted);
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_submitted(&data, &submitted);
    struct record record = {
        .type = LEDGER_REQUEST_SUBMITTED,
        .request = request->id,
        .digest = &request->digest,
        .data = &data,
    };
    return record_entry(submission->operation, &record, error);
}

/* What every outcome begins with: an id, the key, the first entry. */
static bool begin_request(struct submission *submission, struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    crypto_make_id("req", operation->now, request->id);
    request->revision = 1;
    metrics_add(operation->operations->options.metrics, METRIC_REQUESTS_SUBMITTED, 1);
    if (is_keyed(submission)) {
        struct idempotency_row row = {.body = submission->input->body};
        memcpy(row.request, request->id, sizeof row.request);
        if (!store_insert_idempotency(operation->store, request->tenant, request->caller,
                                      submission->input->idempotency_key, &row, operation->now,
                                      error)) {
            return false;
        }
    }
    return record_submitted(submission, error);
}

static void answer(struct submission *submission)
{
    memcpy(submission->out->request, submission->request.id, sizeof submission->out->request);
    submission->out->outcome = SUBMIT_CREATED;
    submission->out->state = submission->request.state;
    operation_change_note(submission->operation, &submission->request);
}

static bool insert_ended(struct submission *submission, enum request_event event,
                         struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    const struct request_transition *transition;
    if (!find_transition(request, event, &transition, error)) {
        return false;
    }
    apply_transition(operation, request, transition, "");
    return store_insert_request(operation->store, request, error) &&
           record_end(operation, request, true, error);
}

/* Refused before policy is asked; the explanation says by what. */
static bool refuse(struct submission *submission, enum request_event event, const char *member,
                   const char *id, const char *message, struct error *error)
{
    struct request_row *request = &submission->request;
    const struct request_transition *transition;
    struct arena *arena = submission->operation->arena;
    if (!find_transition(request, event, &transition, error)) {
        return false;
    }
    /* `freeze` and `request` sort around `reason`. */
    const char *reason = request_reason_name(transition->reason);
    request->explanation =
        strcmp(member, "reason") < 0
            ? arena_printf(arena, "{\"%s\":\"%s\",\"reason\":\"%s\"}", member, id, reason)
            : arena_printf(arena, "{\"reason\":\"%s\",\"%s\":\"%s\"}", reason, member, id);
    request->message = message;
    request->verdict = POLICY_DENY;
    request->risk = (int)policy_default_risk(submission->operation->operations->policy);
    request->policy = policy_version(submission->operation->operations->policy);
    if (!begin_request(submission, error) || !insert_ended(submission, event, error) ||
        !note_submitted(submission->operation, request, error)) {
        return false;
    }
    answer(submission);
    return true;
}

static bool refuse_if_frozen(struct submission *submission, struct error *error)
{
    struct operation *operation = submission->operation;
    const struct request_row *request = &submission->request;
    struct freeze_target target = {
        .tenant = request->tenant, .agent = request->agent, .action = request->action_name};
    struct freeze_row *freezes;
    size_t count;
    if (!find_freezes(operation, &target, 0, &freezes, &count, error)) {
        return false;
    }
    return count == 0 || refuse(submission, REQUEST_SUBMIT_FROZEN, "freeze", freezes[0].id,
                                "this is frozen: nothing of the kind may run now", error);
}

bool look_for_denials(struct operation *operation, struct request_row *request,
                      char out_denied[ID_BYTES], struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    int64_t near_denials;
    if (!store_find_denial(operation->store, request->tenant, &request->match_key,
                           operation->now - options->repeat_denial_window_ms, out_denied, error) ||
        !store_count_near_denials(operation->store, request->tenant, &request->near_key,
                                  operation->now - options->near_window_ms, &near_denials, error)) {
        return false;
    }
    request->near_denials = near_denials > INT32_MAX ? INT32_MAX : (int)near_denials;
    return true;
}

/* A person said no to exactly this a moment ago: asking again until somebody gives in is what an
 * agent must not do. */
static bool refuse_if_repeated(struct submission *submission, struct error *error)
{
    char denied[ID_BYTES];
    if (!look_for_denials(submission->operation, &submission->request, denied, error)) {
        return false;
    }
    return denied[0] == '\0' || refuse(submission, REQUEST_SUBMIT_REPEATED, "request", denied,
                                       "a person denied the same a moment ago", error);
}

static bool check_audience(const struct submission *submission, const struct policy_grant *terms,
                           struct error *error)
{
    const char *audience = submission->request.audience;
    if (terms_allow_audience(terms, &submission->request, &submission->caller)) {
        return true;
    }
    return error_set(error, ERROR_FORBIDDEN, "audience_not_allowed", "/audience",
                     "the rules do not let `%.256s` use a grant for this action; name an audience "
                     "that they allow",
                     audience[0] == '\0' ? submission->caller.name : audience);
}

static void take_judgement(struct submission *submission, const struct judgement *judgement)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    const struct policy_decision *decision = &judgement->decision;
    request->verdict = (int)decision->verdict;
    request->risk = (int)decision->risk;
    request->explanation = decision->explanation;
    request->message = decision->message;
    request->history_read = judgement->history_read;
    request->policy = arena_text(operation->arena, policy_version(operation->operations->policy));
    if (decision->verdict == POLICY_DENY) {
        return;
    }
    request->show = names_text(operation, decision->show, decision->show_count);
    request->challenge = names_text(operation, decision->challenge, decision->challenge_count);
    request->grant_settings = grant_settings_text(operation, &decision->grant);
    if (decision->verdict == POLICY_REQUIRE_APPROVAL) {
        request->requirements =
            requirements_text(operation, decision->requirements, decision->requirement_count);
        request->allows_self_approval =
            all_allow_self(decision->requirements, decision->requirement_count);
        request->timeout_at = operation->now + judgement->timeout_ms;
    }
}

static bool check_room(const struct submission *submission, struct error *error)
{
    const struct operation *operation = submission->operation;
    int64_t most = operation->operations->options.pending_per_caller_max;
    int64_t pending;
    if (!pending_counts_read(operation->operations->pending_counts, operation->store,
                             submission->request.tenant, submission->request.caller, &pending,
                             error)) {
        return false;
    }
    return pending < most || error_set(error, ERROR_LIMIT, "too_many_pending", NULL,
                                       "%lld requests of this caller are pending, the most there "
                                       "may be: wait until some have ended, or cancel them",
                                       (long long)pending);
}

static bool ask_people(struct submission *submission, const struct judgement *judgement,
                       struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    const struct request_transition *transition;
    bool can_be;
    if (!check_room(submission, error) ||
        !find_transition(request, REQUEST_SUBMIT_ESCALATED, &transition, error)) {
        return false;
    }
    plan_request(operation, request, judgement->decision.requirements,
                 judgement->decision.requirement_count, false);
    if (!can_be_approved(operation, request, &can_be, error)) {
        return false;
    }
    submission->out->nobody_can_approve = !can_be;
    request->is_stranded = !can_be;
    apply_transition(operation, request, transition, "");
    return begin_request(submission, error) &&
           store_insert_request(operation->store, request, error) &&
           record_decided(operation, request, judgement, "submitted", error) &&
           tell_outside(operation, request, "request.pending", error) &&
           (can_be || say_stranded(operation, request, error));
}

/* For the answer, so that it is not read back. The message is the policy's own text, which another
 * policy may replace before the answer is written. */
static void keep_allowed(struct submission *submission, const struct grant_row *grant)
{
    struct arena *arena = submission->operation->arena;
    struct request_row *row = ARENA_NEW(arena, struct request_row);
    *row = submission->request;
    row->message = arena_text(arena, row->message);
    submission->out->allowed = row;
    submission->out->grant = grant;
}

static bool allow(struct submission *submission, const struct judgement *judgement,
                  struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    const struct policy_grant *terms = &judgement->decision.grant;
    struct grant_row *grant = ARENA_NEW(operation->arena, struct grant_row);
    if (!check_audience(submission, terms, error) || !begin_request(submission, error) ||
        !record_decided(operation, request, judgement, "submitted", error) ||
        !approve_request(operation, request, REQUEST_SUBMIT_ALLOWED, NULL, 0, terms,
                         submission->input->mints, grant, error)) {
        return false;
    }
    keep_allowed(submission, grant);
    return true;
}

static bool decide_by_policy(struct submission *submission, struct error *error)
{
    struct operation *operation = submission->operation;
    struct request_row *request = &submission->request;
    struct judgement judgement;
    if (!judge_request(operation, request, submission->input->expires_in_ms, &judgement, error)) {
        return false;
    }
    const struct policy_grant *terms = &judgement.decision.grant;
    take_judgement(submission, &judgement);
    switch (judgement.decision.verdict) {
    case POLICY_ALLOW:
        return allow(submission, &judgement, error);
    case POLICY_REQUIRE_APPROVAL:
        return check_audience(submission, terms, error) &&
               ask_people(submission, &judgement, error);
    case POLICY_DENY:
        break;
    }
    return begin_request(submission, error) &&
           record_decided(operation, request, &judgement, "submitted", error) &&
           insert_ended(submission, REQUEST_SUBMIT_DENIED, error);
}

static bool decide(struct submission *submission, struct error *error)
{
    if (submission->operation->operations->policy == NULL) {
        return error_set(error, ERROR_RETRY_LATER, "no_policy", NULL,
                         "no policy has been published yet: nothing can be decided");
    }
    if (!refuse_if_frozen(submission, error)) {
        return false;
    }
    if (submission->out->outcome == SUBMIT_NONE && !refuse_if_repeated(submission, error)) {
        return false;
    }
    if (submission->out->outcome != SUBMIT_NONE) {
        return true;
    }
    if (!decide_by_policy(submission, error) ||
        !note_submitted(submission->operation, &submission->request, error)) {
        return false;
    }
    answer(submission);
    return true;
}
