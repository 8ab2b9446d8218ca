#include "api/api_internal.h"

#include "crypto/crypto.h"
#include "formats/text.h"
#include "operations/passkey_operations.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const submit_members[] = {
    "subject", "agent", "action", "resource", "context", "reason", "audience", "expires_in", NULL};
static const char *const vote_members[] = {"vote",    "revision", "digest", "reason",
                                           "passkey", "retyped",  NULL};
static const char *const no_members[] = {NULL};
static const char *const read_parameters[] = {"seen", NULL};
static const char *const list_parameters[] = {"state", "agent", "inbox", "after", "limit", NULL};

/* ---- Prefer: wait=N (RFC 7240 section 4.3) ---- */

/* The seconds after `wait=` in one preference, -1 when it is another one. */
static long read_wait(const char *preference)
{
    preference += strspn(preference, " \t");
    if (strncasecmp(preference, "wait", 4) != 0) {
        return -1;
    }
    preference += 4;
    preference += strspn(preference, " \t");
    if (*preference++ != '=') {
        return -1;
    }
    preference += strspn(preference, " \t");
    size_t digits = strspn(preference, "0123456789");
    return digits == 0 || digits > 6 ? -1 : strtol(preference, NULL, 10);
}

/* Preferences that are not understood are ignored, as the RFC demands; the wait is capped. */
static void take_wait(struct api_call *call)
{
    size_t cursor = 0;
    for (const char *value = http_header_next(call->exchange, "prefer", &cursor, NULL);
         value != NULL; value = http_header_next(call->exchange, "prefer", &cursor, NULL)) {
        for (const char *at = value; at != NULL; at = strchr(at, ',')) {
            at += *at == ',';
            long seconds = read_wait(at);
            if (seconds >= 0 && call->wait_ms == 0) {
                int64_t wait_ms = (int64_t)seconds * 1000;
                int64_t most = call->api->options.wait_max_ms;
                call->wait_ms = wait_ms < most ? wait_ms : most;
            }
        }
    }
}

/* `Idempotency-Key: "abc"` (a structured-field string) or bare;
 * draft-ietf-httpapi-idempotency-key-header-07. */
bool api_take_idempotency_key(struct api_call *call, const char **out, struct error *error)
{
    const char *given = NULL;
    *out = NULL;
    if (!http_header(call->exchange, "idempotency-key", &given, error)) {
        return false;
    }
    if (given == NULL) {
        return true;
    }
    size_t length = strlen(given);
    if (length >= 2 && given[0] == '"' && given[length - 1] == '"') {
        given++;
        length -= 2;
    }
    if (length == 0 || length > API_KEY_BYTES_MAX || memchr(given, '"', length) != NULL ||
        memchr(given, '\\', length) != NULL) {
        return error_set(
            error, ERROR_INVALID, "bad_idempotency_key", NULL,
            "Idempotency-Key must have 1 to %d characters without quotes or backslashes "
            "inside; a UUID is fine",
            API_KEY_BYTES_MAX);
    }
    *out = arena_copy(call->arena, given, length);
    return true;
}

static bool take_trace(struct api_call *call, const char **out, struct error *error)
{
    const char *given = NULL;
    *out = NULL;
    if (!http_header(call->exchange, "traceparent", &given, error)) {
        return false;
    }
    /* W3C Trace Context section 3.2: anything else is ignored, not an error. */
    if (given != NULL && strlen(given) == 55 && strspn(given, "0123456789abcdef-") == 55) {
        *out = arena_text(call->arena, given);
    }
    return true;
}

/* ---- submit ---- */

bool api_read_submit(struct api_call *call, struct error *error)
{
    struct submit_input *input = ARENA_NEW(call->arena, struct submit_input);
    const struct json *body = api_read_body(call, submit_members, error);
    if (body == NULL ||
        !api_take_text(call, body, "agent", false, NAME_BYTES - 1, &input->agent, error) ||
        !api_take_entity(call, body, "subject", true, &input->subject, &input->subject_key,
                         error) ||
        !api_take_action(call, body, &input->action, &input->action_name, error) ||
        !api_take_entity(call, body, "resource", true, &input->resource, &input->resource_key,
                         error) ||
        !api_take_context(call, body, true, &input->context, error) ||
        !api_take_text(call, body, "audience", false, 256, &input->audience, error) ||
        !api_take_text(call, body, "reason", false, API_WHY_BYTES_MAX, &input->why, error) ||
        !api_take_duration(call, body, "expires_in", &input->expires_in_ms, error) ||
        !api_take_idempotency_key(call, &input->idempotency_key, error) ||
        !take_trace(call, &input->trace, error)) {
        return false;
    }
    size_t length;
    const char *bytes = http_body(call->exchange, &length);
    input->body = crypto_sha256(bytes, length);
    input->mints = true;
    take_wait(call);
    call->input = input;
    return true;
}

struct submit_answer {
    struct submit_result result;
    struct request_view view;
};

bool api_run_submit(struct api_call *call, struct error *error)
{
    struct submit_answer *answer = ARENA_NEW(call->arena, struct submit_answer);
    call->result = answer;
    return operation_submit_request(&call->operation, call->input, &answer->result, error) &&
           operation_read_submitted(&call->operation, &answer->result, &answer->view, error);
}

static void answer_view(struct api_call *call, int status, const struct request_view *view,
                        bool is_replay)
{
    struct http_field fields[4];
    size_t count = 0;
    char location[ID_BYTES + 16];
    struct builder token BUILDER_SCOPE;
    struct builder body BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&token, 0);
    builder_init(&body, 0);
    if (view->has_token &&
        !api_sign_token(call->api, GRANT_TOKEN_TYP, &view->token, &token, &error)) {
        api_answer_error(call, &error);
        return;
    }
    struct canonical_writer writer;
    canonical_begin(&writer, &body);
    api_write_request(&writer, view, token.length > 0 ? token.bytes : NULL);
    snprintf(location, sizeof location, "/v1/requests/%s", view->request.id);
    fields[count++] = (struct http_field){"Location", location};
    if (call->wait_ms > 0) {
        fields[count++] = (struct http_field){"Preference-Applied", "wait"};
    }
    if (is_replay) {
        fields[count++] = (struct http_field){"Idempotent-Replayed", "true"};
    }
    if (view->request.state == REQUEST_PENDING) {
        fields[count++] = (struct http_field){"Retry-After", "1"};
    }
    api_answer_json(call, status, &body, fields, count);
    crypto_wipe(token.bytes, token.length);
}

void api_answer_submit(struct api_call *call)
{
    const struct submit_answer *answer = call->result;
    bool is_pending = answer->view.request.state == REQUEST_PENDING;
    if (is_pending && call->wait_ms > 0 && !call->api->is_draining) {
        api_park(call, answer->view.request.id);
        return;
    }
    answer_view(call, is_pending ? 202 : 201, &answer->view,
                answer->result.outcome == SUBMIT_REPLAYED);
    api_end_call(call);
}

/* ---- read ---- */

/* `seen=N`: how many news of the request the caller knows of. With more, a wait is over at once, so
 * that nothing is missed between two waits. */
static bool take_seen(struct api_call *call, struct error *error)
{
    const char *text;
    call->seen = -1;
    if (!api_only_parameters(call, read_parameters, error) ||
        !api_take_parameter(call, "seen", &text, error)) {
        return false;
    }
    if (text == NULL) {
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    call->seen = strtol(text, NULL, 10);
    return (digits >= 1 && digits <= 6 && text[digits] == '\0') ||
           error_set(error, ERROR_INVALID, "bad_parameter", "seen",
                     "`seen` must be the `news` of an answer before");
}

bool api_read_request_get(struct api_call *call, struct error *error)
{
    bool has_body = http_method(call->exchange) != HTTP_HEAD;
    if (has_body) {
        take_wait(call);
    }
    /* A caller's read may mint a token, and a wait must not miss a change: both go through the
     * writer. HEAD shows no token, so it must not make the last one void. */
    if (!has_body || (call->wait_ms == 0 && !identity_is_callers(call->credential.kind))) {
        call->thread = API_ON_READER;
    }
    size_t length;
    http_body(call->exchange, &length);
    return take_seen(call, error) &&
           (length == 0 || api_read_body(call, no_members, error) != NULL);
}

bool api_run_request_get(struct api_call *call, struct error *error)
{
    struct request_view *view = ARENA_NEW(call->arena, struct request_view);
    call->result = view;
    return operation_read_request(&call->operation, call->path_values[0],
                                  call->thread == API_ON_WRITER, view, error);
}

void api_answer_request(struct api_call *call)
{
    const struct request_view *view = call->result;
    bool is_pending = view->request.state == REQUEST_PENDING;
    bool has_news = call->seen >= 0 && view->news > call->seen;
    if (is_pending && call->wait_ms > 0 && !has_news && !call->is_waiter &&
        !call->api->is_draining) {
        api_park(call, view->request.id);
        return;
    }
    answer_view(call, is_pending && call->wait_ms > 0 ? 202 : 200, view, false);
    api_end_call(call);
}

/* ---- list ---- */

struct list_answer {
    struct request_view *views;
    size_t count;
    const char *next;
    struct view_budget budget;
};

static bool read_state(const char *text, int *out, struct error *error)
{
    for (int state = REQUEST_PENDING; state < REQUEST_STATE_COUNT; state++) {
        if (strcmp(text, request_state_name((enum request_state)state)) == 0) {
            *out = state;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "bad_parameter", "state",
                     "`state` must be pending, approved, denied, expired or cancelled");
}

bool api_read_list(struct api_call *call, struct error *error)
{
    struct list_input *input = ARENA_NEW(call->arena, struct list_input);
    const char *state;
    const char *inbox;
    const char *after;
    input->state = -1;
    if (!api_only_parameters(call, list_parameters, error) ||
        !api_take_parameter(call, "state", &state, error) ||
        !api_take_parameter(call, "agent", &input->agent, error) ||
        !api_take_parameter(call, "inbox", &inbox, error) ||
        !api_take_parameter(call, "after", &after, error) ||
        !api_take_limit(call, &input->limit, error)) {
        return false;
    }
    if (state != NULL && !read_state(state, &input->state, error)) {
        return false;
    }
    if (inbox != NULL && strcmp(inbox, "true") != 0 && strcmp(inbox, "false") != 0) {
        return error_set(error, ERROR_INVALID, "bad_parameter", "inbox",
                         "`inbox` must be true or false");
    }
    input->only_mine_to_decide = inbox != NULL && strcmp(inbox, "true") == 0;
    if (input->only_mine_to_decide && state != NULL && input->state != REQUEST_PENDING) {
        return error_set(error, ERROR_INVALID, "bad_parameter", "state",
                         "`inbox=true` lists what is pending: leave `state` out");
    }
    if (after != NULL && (strncmp(after, "req_", 4) != 0 || strlen(after) >= ID_BYTES)) {
        return error_set(error, ERROR_INVALID, "bad_parameter", "after",
                         "`after` must be the `next` of the page before");
    }
    input->before_id = after == NULL ? "" : after;
    call->input = input;
    return true;
}

bool api_run_list(struct api_call *call, struct error *error)
{
    struct list_answer *answer = ARENA_NEW(call->arena, struct list_answer);
    call->result = answer;
    return operation_list_requests(&call->operation, call->input, &answer->views, &answer->count,
                                   &answer->next, error) &&
           operation_read_budget(&call->operation, &answer->budget, error);
}

void api_answer_list(struct api_call *call)
{
    const struct list_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_budget(&writer, &answer->budget);
    canonical_member_text(&writer, "next", answer->next);
    canonical_name(&writer, "requests");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        api_write_request(&writer, &answer->views[i], NULL);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- vote ---- */

bool api_read_vote_word(const char *word, bool *out_approves, struct error *error)
{
    *out_approves = strcmp(word, "approve") == 0;
    return *out_approves || strcmp(word, "deny") == 0 ||
           error_set(error, ERROR_INVALID, "wrong_type", "/vote", "`vote` must be approve or deny");
}

/* What signed the vote, where something did. */
static bool take_passkey(struct api_call *call, const struct json *body, struct vote_input *input,
                         struct error *error)
{
    const struct json *object;
    const char *canonical;
    if (!api_take_object(call, body, "passkey", false, &canonical, &object, error)) {
        return false;
    }
    if (object == NULL) {
        return true;
    }
    struct passkey_answer *answer = ARENA_NEW(call->arena, struct passkey_answer);
    input->passkey = answer;
    return api_take_passkey(call, object, "passkey", true, answer, error);
}

bool api_read_vote(struct api_call *call, struct error *error)
{
    struct vote_input *input = ARENA_NEW(call->arena, struct vote_input);
    const struct json *body = api_read_body(call, vote_members, error);
    const char *word;
    if (body == NULL || !api_take_text(call, body, "vote", true, 16, &word, error) ||
        !api_read_vote_word(word, &input->approves, error) ||
        !api_take_shown(call, body, &input->revision, &input->digest, error) ||
        !api_take_text(call, body, "reason", false, API_TEXT_BYTES_MAX, &input->reason, error) ||
        !take_passkey(call, body, input, error)) {
        return false;
    }
    const struct json *retyped;
    if (!api_take_object(call, body, "retyped", false, &input->retyped, &retyped, error)) {
        return false;
    }
    input->request = call->path_values[0];
    call->input = input;
    call->job.is_essential = !input->approves; /* a deny must get through a full disk */
    return true;
}

bool api_run_vote(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct vote_result);
    return operation_cast_vote(&call->operation, call->input, call->result, error);
}

void api_answer_vote(struct api_call *call)
{
    static const char *const outcomes[] = {"none", "counted", "unchanged", "late"};
    const struct vote_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_integer(&writer, "missing", result->missing);
    canonical_member_text(&writer, "outcome", outcomes[result->outcome]);
    canonical_member_text(&writer, "reason",
                          result->reason == REASON_NONE ? NULL
                                                        : request_reason_name(result->reason));
    canonical_member_text(&writer, "request", call->path_values[0]);
    canonical_member_text(&writer, "state", request_state_name(result->state));
    canonical_member_text(&writer, "vote", result->vote[0] == '\0' ? NULL : result->vote);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- cancel ---- */

bool api_read_cancel(struct api_call *call, struct error *error)
{
    const char *why;
    bool ok = api_read_why(call, &why, error);
    call->input = (void *)(uintptr_t)why;
    return ok;
}

bool api_run_cancel(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct cancel_result);
    return operation_cancel_request(&call->operation, call->path_values[0], call->input,
                                    call->result, error);
}

void api_answer_cancel(struct api_call *call)
{
    const struct cancel_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "cancelled", result->did_cancel);
    canonical_member_text(&writer, "reason", request_reason_name(result->reason));
    canonical_member_text(&writer, "request", call->path_values[0]);
    canonical_member_text(&writer, "state", request_state_name(result->state));
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
