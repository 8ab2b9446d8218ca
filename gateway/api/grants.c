#include "api/api_internal.h"

#include "base/log.h"
#include "formats/text.h"
#include "identity/confirmation.h"
#include "operations/grant_operations.h"
#include "trust/trust.h"
#include <stdio.h>
#include <string.h>

static const char *const redeem_members[] = {"token",   "action",       "resource", "subject",
                                             "context", "holder_proof", NULL};
static const char *const effect_members[] = {"effect", "summary", "result_digest", NULL};
static const char *const resolve_members[] = {"effect", "summary", NULL};

enum { TOKEN_BYTES_MAX = 8192 };

/* ---- redeem ---- */

static const char *const holder_members[] = {"proof", "htm", "htu", "x5t#S256", NULL};

enum { PROOF_BYTES_MAX = 8192, URL_BYTES_MAX = 2048 };

/* A DPoP proof that the holder sent the redeemer, checked by a worker before the operation. */
static bool read_dpop(struct api_call *call, const struct json *holder, const char *token,
                      struct redeem_input *input, struct error *error)
{
    const char *proof = NULL;
    const char *method = NULL;
    const char *url = NULL;
    if (!api_take_text(call, holder, "proof", false, PROOF_BYTES_MAX, &proof, error) ||
        !api_take_text(call, holder, "htm", false, 16, &method, error) ||
        !api_take_text(call, holder, "htu", false, URL_BYTES_MAX, &url, error)) {
        return false;
    }
    if (proof != NULL) {
        struct dpop_terms terms = {
            .method = method == NULL ? "POST" : method,
            .url = url != NULL ? url
                               : arena_printf(call->arena, "%s/v1/grants/redeem",
                                              call->api->options.issuer),
            .token = token,
            .needs_token_hash = true,
            .leeway_ms = trust_leeway_ms(call->api->options.trust),
        };
        api_want_holder(call, proof, &terms, &input->shown);
    }
    return true;
}

/* How the redeemer knows the holder: it passes a DPoP proof on, or names the client certificate
 * that the holder's own connection to it proved (RFC 8705 section 3). */
static bool read_holder(struct api_call *call, const struct json *body, const char *token,
                        struct redeem_input *input, struct error *error)
{
    const struct json *holder = json_member(body, "holder_proof");
    const char *certificate = NULL;
    if (holder == NULL) {
        return true;
    }
    if (json_type(holder) != JSON_TYPE_OBJECT) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/holder_proof",
                         "`holder_proof` must be an object with `proof`, or with `x5t#S256`");
    }
    if (!json_only_members(holder, "/holder_proof", holder_members, error) ||
        !api_take_text(call, holder, "x5t#S256", false, 64, &certificate, error) ||
        !read_dpop(call, holder, token, input, error)) {
        return false;
    }
    if (certificate != NULL) {
        input->shown = arena_printf(call->arena, "x5t#S256:%s", certificate);
    }
    return true;
}

/* A token that is not ours, or was changed, leaves has_claims false: the operation refuses and
 * notes it. */
static void verify_token(struct api_call *call, const char *token, struct redeem_input *input)
{
    struct error ignored = {0};
    struct builder payload BUILDER_SCOPE;
    builder_init(&payload, GRANT_CLAIMS_BYTES_MAX);
    input->has_claims = keyring_verify(call->api->options.issuer_keys, call->api->wall_now,
                                       GRANT_TOKEN_TYP, token, strlen(token), &payload, &ignored) &&
                        grant_read_claims(payload.bytes, payload.length, &input->claims, &ignored);
}

bool api_read_redeem(struct api_call *call, struct error *error)
{
    struct redeem_input *input = ARENA_NEW(call->arena, struct redeem_input);
    const struct json *body = api_read_body(call, redeem_members, error);
    const char *token;
    const char *name;
    const char *key;
    if (body == NULL || !api_take_text(call, body, "token", true, TOKEN_BYTES_MAX, &token, error) ||
        !api_take_action(call, body, &input->action, &name, error) ||
        !api_take_entity(call, body, "resource", true, &input->resource, &key, error) ||
        !api_take_entity(call, body, "subject", false, &input->subject, &key, error) ||
        !api_take_context(call, body, false, &input->context, error) ||
        !read_holder(call, body, token, input, error)) {
        return false;
    }
    verify_token(call, token, input);
    call->input = input;
    return true;
}

bool api_run_redeem(struct api_call *call, struct error *error)
{
    struct redeem_result *result = ARENA_NEW(call->arena, struct redeem_result);
    call->result = result;
    if (!operation_redeem_grant(&call->operation, call->input, result, error)) {
        return false;
    }
    call->job.needs_mark = result->refusal == GRANT_ACCEPTED;
    return true;
}

/* 403 what will never do, 409 what is no longer so, 404 what is not known. */
static int refusal_status(enum grant_refusal refusal)
{
    switch (refusal) {
    case GRANT_ACCEPTED:
        return 200;
    case GRANT_REFUSED_UNKNOWN_GRANT:
        return 404;
    case GRANT_REFUSED_ARGS_MISMATCH:
    case GRANT_REFUSED_WRONG_AUDIENCE:
    case GRANT_REFUSED_WRONG_HOLDER:
    case GRANT_REFUSED_POLICY_CHANGED:
    case GRANT_REFUSED_FROZEN:
        return 403;
    case GRANT_REFUSED_EXPIRED:
    case GRANT_REFUSED_SUPERSEDED_TOKEN:
    case GRANT_REFUSED_ALREADY_REDEEMED:
    case GRANT_REFUSED_REVOKED:
    case GRANT_REFUSED_LAPSED:
        return 409;
    case GRANT_REFUSAL_COUNT:
        break;
    }
    return 403;
}

const char *api_refusal_detail(enum grant_refusal refusal)
{
    switch (refusal) {
    case GRANT_REFUSED_UNKNOWN_GRANT:
        return "This is no grant token of this gateway. Read the request again for a fresh one.";
    case GRANT_REFUSED_EXPIRED:
        return "The token is too old. Read the request again for a fresh one while the grant can "
               "be claimed.";
    case GRANT_REFUSED_SUPERSEDED_TOKEN:
        return "A newer token was minted; only the newest redeems. Read the request again.";
    case GRANT_REFUSED_ALREADY_REDEEMED:
        return "The grant was redeemed before. It is good once; do not run the action again.";
    case GRANT_REFUSED_REVOKED:
        return "The grant was revoked. Submit a new request.";
    case GRANT_REFUSED_LAPSED:
        return "The grant was not claimed in time. Submit a new request.";
    case GRANT_REFUSED_ARGS_MISMATCH:
        return "What is about to run is not what was approved. Run exactly the approved action, or "
               "submit a new request.";
    case GRANT_REFUSED_WRONG_AUDIENCE:
        return "This caller is not registered for the grant's audience.";
    case GRANT_REFUSED_WRONG_HOLDER:
        return "This caller is not the holder of the grant.";
    case GRANT_REFUSED_POLICY_CHANGED:
        return "The policy in force now does not permit this action as it was approved. Submit a "
               "new request.";
    case GRANT_REFUSED_FROZEN:
        return "A freeze covers this action or began after the grant was issued, so this grant is "
               "not good "
               "any more. Submit a new request once it is thawed.";
    case GRANT_ACCEPTED:
    case GRANT_REFUSAL_COUNT:
        break;
    }
    return "Refused.";
}

static void answer_refusal(struct api_call *call, const struct redeem_result *result)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    int status = refusal_status(result->refusal);
    char type[96];
    builder_init(&body, 0);
    snprintf(type, sizeof type, "urn:countersign:problem:%s", grant_refusal_name(result->refusal));
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code", grant_refusal_name(result->refusal));
    canonical_member_text(&writer, "detail", api_refusal_detail(result->refusal));
    if (result->is_yours) {
        canonical_member_integer(&writer, "fence", result->fence);
        canonical_member_text(&writer, "grant", result->grant);
    }
    canonical_member_text(&writer, "instance", call->trace);
    if (result->is_yours) {
        api_write_time(&writer, "redeemed_at", result->redeemed_at);
    }
    canonical_member_integer(&writer, "status", status);
    canonical_member_text(&writer, "title", "The grant does not redeem");
    canonical_member_text(&writer, "type", type);
    canonical_member_bool(&writer, "yours", result->is_yours);
    canonical_close_object(&writer);
    api_answer_text(call, status, "application/problem+json", body.bytes, body.length);
}

static bool write_redeemed(struct api_call *call, const struct redeem_result *result,
                           struct builder *body, struct error *error)
{
    struct builder token BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&token, 0);
    if (!api_sign_token(call->api, GRANT_REDEEMED_TYP, &result->token, &token, error)) {
        return false;
    }
    canonical_begin(&writer, body);
    canonical_open_object(&writer);
    api_write_time(&writer, "effect_due", result->effect_due_at);
    canonical_member_integer(&writer, "fence", result->fence);
    canonical_member_text(&writer, "grant", result->grant);
    api_write_time(&writer, "redeemed_at", result->redeemed_at);
    canonical_member_text(&writer, "request", result->request);
    canonical_member_text(&writer, "token", token.bytes);
    canonical_close_object(&writer);
    return true;
}

void api_answer_redeem(struct api_call *call)
{
    const struct redeem_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&body, 0);
    if (result->refusal != GRANT_ACCEPTED) {
        answer_refusal(call, result);
    } else if (write_redeemed(call, result, &body, &error)) {
        api_answer_json(call, 200, &body, NULL, 0);
    } else {
        api_answer_error(call, &error);
    }
    api_end_call(call);
}

/* ---- effect and resolve ---- */

static bool read_effect_word(const char *word, bool is_resolution, enum grant_event *out,
                             struct error *error)
{
    if (strcmp(word, "succeeded") == 0) {
        *out = is_resolution ? GRANT_RESOLVE_SUCCEEDED : GRANT_REPORT_SUCCEEDED;
        return true;
    }
    if (strcmp(word, "failed") == 0) {
        *out = is_resolution ? GRANT_RESOLVE_FAILED : GRANT_REPORT_FAILED;
        return true;
    }
    if (!is_resolution && strcmp(word, "unknown") == 0) {
        *out = GRANT_REPORT_UNKNOWN;
        return true;
    }
    return error_set(error, ERROR_INVALID, "wrong_type", "/effect",
                     is_resolution ? "`effect` must be succeeded or failed"
                                   : "`effect` must be succeeded, failed or unknown");
}

static bool check_result_digest(const char *digest, struct error *error)
{
    unsigned char bytes[SHA256_BYTES];
    size_t length;
    return digest == NULL ||
           (text_read_hex(digest, strlen(digest), bytes, sizeof bytes, &length) &&
            length == sizeof bytes) ||
           error_set(error, ERROR_INVALID, "wrong_type", "/result_digest",
                     "`result_digest` must be a SHA-256 as 64 hexadecimal digits");
}

static bool read_effect(struct api_call *call, const char *const *members, bool is_resolution,
                        struct error *error)
{
    struct effect_input *input = ARENA_NEW(call->arena, struct effect_input);
    const struct json *body = api_read_body(call, members, error);
    const char *word;
    if (body == NULL || !api_take_text(call, body, "effect", true, 16, &word, error) ||
        !read_effect_word(word, is_resolution, &input->report, error) ||
        !api_take_text(call, body, "summary", false, API_TEXT_BYTES_MAX, &input->summary, error) ||
        !api_take_text(call, body, "result_digest", false, 64, &input->result_digest, error) ||
        !check_result_digest(input->result_digest, error)) {
        return false;
    }
    input->grant = call->path_values[0];
    call->input = input;
    return true;
}

bool api_read_effect(struct api_call *call, struct error *error)
{
    return read_effect(call, effect_members, false, error);
}

bool api_read_resolve(struct api_call *call, struct error *error)
{
    return read_effect(call, resolve_members, true, error);
}

bool api_run_effect(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct effect_result);
    return operation_report_effect(&call->operation, call->input, call->result, error);
}

void api_answer_effect(struct api_call *call)
{
    const struct effect_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "grant", call->path_values[0]);
    canonical_member_text(&writer, "outcome",
                          result->outcome == EFFECT_REPEATED ? "repeated" : "recorded");
    canonical_member_text(&writer, "state", grant_state_name(result->state));
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- revoke ---- */

bool api_read_revoke(struct api_call *call, struct error *error)
{
    const char *why;
    bool ok = api_read_why(call, &why, error);
    call->input = (void *)(uintptr_t)why;
    return ok;
}

bool api_run_revoke(struct api_call *call, struct error *error)
{
    enum grant_state *state = ARENA_NEW(call->arena, enum grant_state);
    call->result = state;
    return operation_revoke_grant(&call->operation, call->path_values[0], call->input, state,
                                  error);
}

void api_answer_revoke(struct api_call *call)
{
    const enum grant_state *state = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "grant", call->path_values[0]);
    canonical_member_text(&writer, "state", grant_state_name(*state));
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
