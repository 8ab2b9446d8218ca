#include "api/api_internal.h"

#include "crypto/crypto.h"
#include "formats/form.h"
#include "formats/text.h"
#include "operations/grant_operations.h"
#include "operations/token_operations.h"
#include <stddef.h>
#include <string.h>

/* OAuth's endpoints: token exchange (RFC 8693), introspection (RFC 7662), revocation (RFC 7009).
 * Clients are our callers: by their name or id with an API key as secret, in the Authorization
 * header (Basic) or in the form, or by whatever else a caller may come with. */

#define GRANT_TYPE     "urn:ietf:params:oauth:grant-type:token-exchange"
#define TOKEN_TYPE     "urn:ietf:params:oauth:token-type:"
#define TOKEN_TYPE_JWT TOKEN_TYPE "jwt"

enum { TOKEN_BYTES_MAX = 8192, BASIC_BYTES_MAX = 1024 };

/* ---- errors, as RFC 6749 section 5.2 has them ---- */

static const char *oauth_code(const struct error *error)
{
    static const char *const of_oauth[] = {
        "invalid_target",         "unsupported_grant_type",
        "unsupported_token_type", "invalid_authorization_details",
        "invalid_dpop_proof",     API_USE_NONCE};
    for (size_t i = 0; error->code != NULL && i < sizeof of_oauth / sizeof of_oauth[0]; i++) {
        if (strcmp(error->code, of_oauth[i]) == 0) {
            return of_oauth[i];
        }
    }
    switch (error->kind) {
    case ERROR_UNAUTHENTICATED:
        return "invalid_client";
    case ERROR_FORBIDDEN:
        return "unauthorized_client";
    case ERROR_LIMIT:
    case ERROR_RETRY_LATER:
        return "temporarily_unavailable";
    case ERROR_CORRUPT:
    case ERROR_INTERNAL:
        return "server_error";
    case ERROR_NONE:
    case ERROR_INVALID:
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
        break;
    }
    return "invalid_request";
}

/* Its alphabet is printable ASCII without quote and backslash. */
static void write_description(struct canonical_writer *writer, const char *message)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (const char *at = message; *at != '\0'; at++) {
        bool is_taken = *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\';
        builder_char(&text, is_taken ? *at : '?');
    }
    canonical_member_text(writer, "error_description", text.bytes);
}

void api_append_oauth_error(struct builder *out, const struct error *error)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code",
                          error->code == NULL ? error_kind_name(error->kind) : error->code);
    canonical_member_text(&writer, "error", oauth_code(error));
    write_description(&writer, error->kind == ERROR_INTERNAL || error->kind == ERROR_CORRUPT
                                   ? "this is a fault of the gateway; its log has the reason"
                                   : error->message);
    canonical_close_object(&writer);
}

/* RFC 9449 section 5: what is wrong is the request, not the client. */
static bool is_about_proof(const struct error *error)
{
    return error->code != NULL && (strcmp(error->code, "invalid_dpop_proof") == 0 ||
                                   strcmp(error->code, API_USE_NONCE) == 0);
}

int api_oauth_status(const struct error *error)
{
    if (is_about_proof(error)) {
        return 400;
    }
    switch (error->kind) {
    case ERROR_UNAUTHENTICATED:
        return 401;
    case ERROR_LIMIT:
        return 429;
    case ERROR_RETRY_LATER:
        return 503;
    case ERROR_CORRUPT:
    case ERROR_INTERNAL:
        return 500;
    case ERROR_NONE:
    case ERROR_INVALID:
    case ERROR_FORBIDDEN:
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
        break;
    }
    return 400;
}

/* ---- who asks ---- */

static bool invalid_client(struct error *error)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "invalid_credential", NULL,
                     "the client's id and secret are not those of a caller: send its name or id "
                     "and its API key");
}

/* `csk_…`, as everywhere else. */
static bool take_secret(struct api_call *call, const char *secret, struct error *error)
{
    struct error cause = {0};
    const char *header = arena_printf(call->arena, "Bearer %s", secret);
    if (!identity_read_bearer(header, &call->credential, &cause) ||
        call->credential.kind != CREDENTIAL_API_KEY) {
        return invalid_client(error);
    }
    return true;
}

/* RFC 6749 section 2.3.1: both parts form-encoded, then base64 (RFC 7617). */
static bool take_basic(struct api_call *call, const char *encoded, struct error *error)
{
    unsigned char bytes[BASIC_BYTES_MAX];
    size_t length = 0;
    if (!text_read_base64(encoded, strlen(encoded), bytes, sizeof bytes, &length)) {
        return invalid_client(error);
    }
    const char *pair = (const char *)bytes;
    const char *colon = memchr(pair, ':', length);
    const char *id = colon == NULL ? NULL : form_decode(pair, (size_t)(colon - pair), call->arena);
    const char *secret =
        id == NULL ? NULL
                   : form_decode(colon + 1, length - (size_t)(colon + 1 - pair), call->arena);
    crypto_wipe(bytes, sizeof bytes);
    call->client = id;
    return secret == NULL ? invalid_client(error) : take_secret(call, secret, error);
}

static bool read_form(struct api_call *call, struct error *error)
{
    static const char *const none[] = {NULL};
    const char *type = NULL;
    size_t length;
    const char *bytes = http_body(call->exchange, &length);
    call->form = ARENA_NEW(call->arena, struct form);
    if (!http_header(call->exchange, "content-type", &type, error) ||
        !api_only_parameters(call, none, error)) {
        return false;
    }
    if (type == NULL || strncmp(type, "application/x-www-form-urlencoded", 33) != 0 ||
        (type[33] != '\0' && type[33] != ';' && type[33] != ' ')) {
        return error_set(error, ERROR_INVALID, "unsupported_media_type", NULL,
                         "send the form with `Content-Type: application/x-www-form-urlencoded`");
    }
    return form_read(bytes, length, call->arena, call->form, error);
}

bool api_read_client(struct api_call *call, bool *out_is_read, struct error *error)
{
    const char *authorization = NULL;
    *out_is_read = true;
    if (!read_form(call, error) ||
        !http_header(call->exchange, "authorization", &authorization, error)) {
        return false;
    }
    const char *secret = form_value(call->form, "client_secret");
    call->client = form_value(call->form, "client_id");
    if (authorization != NULL && secret != NULL) {
        return error_set(error, ERROR_INVALID, "two_credentials", NULL,
                         "send the client's secret once: in the header or in the form");
    }
    if (authorization != NULL && strncmp(authorization, "Basic ", 6) == 0) {
        return take_basic(call, authorization + 6, error);
    }
    *out_is_read = secret != NULL;
    return secret == NULL || take_secret(call, secret, error);
}

/* Whoever names a client means it: another's key is refused, not used. */
static bool check_client(const struct api_call *call, struct error *error)
{
    const struct principal *principal = &call->operation.principal;
    return call->client == NULL || strcmp(call->client, principal->id) == 0 ||
           strcmp(call->client, principal->name) == 0 || invalid_client(error);
}

/* ---- tokens ---- */

static bool take_token(const struct api_call *call, const char *name, const char **out,
                       struct error *error)
{
    *out = form_value(call->form, name);
    return (*out != NULL && (*out)[0] != '\0' && strlen(*out) <= TOKEN_BYTES_MAX) ||
           error_set(error, ERROR_INVALID, "missing_parameter", name,
                     "`%s` is required, and at most %d bytes long", name, TOKEN_BYTES_MAX);
}

static bool verify(const struct api_call *call, const char *typ, const char *token,
                   struct builder *payload)
{
    struct error ignored = {0};
    return keyring_verify(call->api->options.issuer_keys, call->api->wall_now, typ, token,
                          strlen(token), payload, &ignored);
}

/* ---- exchange ---- */

struct exchange_call {
    struct redeem_input redeem;
    struct redeem_result result;
    const struct exchange_audience *audience;
    const struct signer *signer;
    struct builder token;
    struct error error; /* of signing */
};

/* An authorization_details of one element, `{"type","action","resource"}`: what is about to run,
 * where the client wants it compared. */
static bool take_details(struct api_call *call, struct redeem_input *redeem, struct error *error)
{
    const char *text = form_value(call->form, "authorization_details");
    const char *ignored;
    if (text == NULL) {
        return true;
    }
    struct error cause = {0};
    call->document = json_parse(text, strlen(text), &cause);
    const struct json *list = json_root(call->document);
    const struct json *detail = json_element(list, 0);
    const char *type = json_text(json_member(detail, "type"));
    bool is_ours =
        call->document != NULL && json_type(list) == JSON_TYPE_ARRAY && json_count(list) == 1 &&
        type != NULL && strcmp(type, GRANT_DETAILS_TYPE) == 0 &&
        api_take_action(call, detail, &redeem->action, &ignored, &cause) &&
        api_take_entity(call, detail, "resource", true, &redeem->resource, &ignored, &cause);
    return is_ours || error_set(error, ERROR_INVALID, "invalid_authorization_details", NULL,
                                "authorization_details must be an array of one object with `type` "
                                "urn:countersign:action, `action` and `resource` as about to run");
}

static bool check_types(const struct api_call *call, struct error *error)
{
    const char *grant_type = form_value(call->form, "grant_type");
    const char *subject_type = form_value(call->form, "subject_token_type");
    const char *wanted = form_value(call->form, "requested_token_type");
    if (grant_type == NULL || strcmp(grant_type, GRANT_TYPE) != 0) {
        return error_set(error, ERROR_INVALID, "unsupported_grant_type", NULL,
                         "grant_type must be %s", GRANT_TYPE);
    }
    if (subject_type == NULL || strcmp(subject_type, TOKEN_TYPE_JWT) != 0) {
        return error_set(error, ERROR_INVALID, "missing_parameter", "subject_token_type",
                         "subject_token_type must be %s: the grant's token", TOKEN_TYPE_JWT);
    }
    if (wanted != NULL && strcmp(wanted, TOKEN_TYPE_JWT) != 0 &&
        strcmp(wanted, TOKEN_TYPE "access_token") != 0) {
        return error_set(error, ERROR_INVALID, "unsupported_token_type", NULL,
                         "requested_token_type may be %s or %saccess_token", TOKEN_TYPE_JWT,
                         TOKEN_TYPE);
    }
    return form_value(call->form, "actor_token") == NULL ||
           error_set(error, ERROR_INVALID, "actor_not_taken", NULL,
                     "who acts is the agent the grant was issued for: send no actor_token");
}

/* Which audience; the grant says whether it is for it. */
static bool take_audience(const struct api_call *call, struct exchange_call *exchange,
                          struct error *error)
{
    const struct api_options *options = &call->api->options;
    const char *audience = form_value(call->form, "audience");
    if (audience == NULL || form_value(call->form, "resource") != NULL) {
        return error_set(error, ERROR_INVALID, "invalid_target", NULL,
                         "name one `audience`, as the grant does, and no `resource`");
    }
    exchange->audience = exchange_find(options->exchange, options->exchange_count, audience);
    return exchange->audience != NULL ||
           error_set(error, ERROR_INVALID, "invalid_target", NULL,
                     "no tokens are made for this audience: the operator lists those in "
                     "`exchange`");
}

bool api_read_exchange(struct api_call *call, struct error *error)
{
    struct exchange_call *exchange = ARENA_NEW(call->arena, struct exchange_call);
    struct builder payload BUILDER_SCOPE;
    const char *token;
    builder_init(&payload, GRANT_CLAIMS_BYTES_MAX);
    builder_init(&exchange->token, 0);
    call->input = exchange;
    if (!check_types(call, error) || !take_token(call, "subject_token", &token, error) ||
        !take_audience(call, exchange, error) || !take_details(call, &exchange->redeem, error)) {
        return false;
    }
    struct error ignored = {0};
    exchange->redeem.has_claims =
        verify(call, GRANT_TOKEN_TYP, token, &payload) &&
        grant_read_claims(payload.bytes, payload.length, &exchange->redeem.claims, &ignored);
    exchange->redeem.exchange_for = exchange->audience->audience;
    return true;
}

bool api_run_exchange(struct api_call *call, struct error *error)
{
    struct exchange_call *exchange = call->input;
    if (!check_client(call, error) ||
        !operation_redeem_grant(&call->operation, &exchange->redeem, &exchange->result, error)) {
        return false;
    }
    call->job.needs_mark = exchange->result.refusal == GRANT_ACCEPTED;
    return true;
}

/* RFC 8693 section 2.2.2: a subject token that is no good is an invalid request. */
static const char *refusal_error(enum grant_refusal refusal)
{
    switch (refusal) {
    case GRANT_REFUSED_WRONG_AUDIENCE:
        return "invalid_target";
    case GRANT_REFUSED_ARGS_MISMATCH:
        return "invalid_authorization_details";
    case GRANT_ACCEPTED:
    case GRANT_REFUSED_UNKNOWN_GRANT:
    case GRANT_REFUSED_EXPIRED:
    case GRANT_REFUSED_SUPERSEDED_TOKEN:
    case GRANT_REFUSED_ALREADY_REDEEMED:
    case GRANT_REFUSED_REVOKED:
    case GRANT_REFUSED_LAPSED:
    case GRANT_REFUSED_WRONG_HOLDER:
    case GRANT_REFUSED_POLICY_CHANGED:
    case GRANT_REFUSED_FROZEN:
    case GRANT_REFUSAL_COUNT:
        break;
    }
    return "invalid_request";
}

static void answer_refusal(struct api_call *call, const struct redeem_result *result)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code", grant_refusal_name(result->refusal));
    canonical_member_text(&writer, "error", refusal_error(result->refusal));
    write_description(&writer, api_refusal_detail(result->refusal));
    if (result->is_yours) {
        canonical_member_integer(&writer, "fence", result->fence);
        canonical_member_text(&writer, "grant", result->grant);
    }
    canonical_member_bool(&writer, "yours", result->is_yours);
    canonical_close_object(&writer);
    api_answer_json(call, 400, &body, NULL, 0);
    api_end_call(call);
}

static void write_exchanged(const struct exchange_call *exchange, struct builder *body)
{
    const struct redeem_result *result = &exchange->result;
    bool is_access_token = exchange->audience->target == EXCHANGE_SERVICE;
    struct canonical_writer writer;
    struct builder details BUILDER_SCOPE;
    builder_init(&details, 0);
    grant_append_details(&result->token, &details);
    canonical_begin(&writer, body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "access_token", exchange->token.bytes);
    canonical_member_raw(&writer, "authorization_details", details.bytes, details.length);
    api_write_time(&writer, "effect_due", result->effect_due_at);
    canonical_member_integer(&writer, "expires_in", exchange->audience->lifetime_ms / 1000);
    canonical_member_integer(&writer, "fence", result->fence);
    canonical_member_text(&writer, "grant", result->grant);
    canonical_member_text(&writer, "issued_token_type",
                          is_access_token ? TOKEN_TYPE "access_token" : TOKEN_TYPE_JWT);
    canonical_member_text(&writer, "request", result->request);
    canonical_member_text(&writer, "token_type", is_access_token ? "Bearer" : "N_A");
    canonical_close_object(&writer);
}

static void sign(struct exchange_call *exchange)
{
    struct builder payload BUILDER_SCOPE;
    builder_init(&payload, 0);
    grant_append_exchanged(exchange->audience, &exchange->result.token, &payload);
    if (!jws_sign(exchange->signer, GRANT_EXCHANGED_TYP, payload.bytes, payload.length,
                  &exchange->token, &exchange->error)) {
        builder_clear(&exchange->token);
    }
}

static void answer_exchanged(struct api_call *call)
{
    struct exchange_call *exchange = call->input;
    if (exchange->token.length == 0) {
        api_answer_error(call, &exchange->error);
    } else {
        struct builder body BUILDER_SCOPE;
        builder_init(&body, 0);
        write_exchanged(exchange, &body);
        api_answer_json(call, 200, &body, NULL, 0);
    }
    api_end_call(call);
}

static struct api_call *call_of(struct worker_job *job)
{
    return (struct api_call *)(void *)((char *)job - offsetof(struct api_call, work));
}

static void sign_on_worker(struct worker_job *job)
{
    sign(call_of(job)->input);
}

static void finish_on_worker(struct worker_job *job)
{
    answer_exchanged(call_of(job));
}

/* Redeemed, and committed. RSA is for a worker; where they are all busy the loop does it, since the
 * grant is used and its answer must come. */
void api_answer_exchange(struct api_call *call)
{
    struct exchange_call *exchange = call->input;
    struct error busy = {0};
    if (exchange->result.refusal != GRANT_ACCEPTED) {
        answer_refusal(call, &exchange->result);
        return;
    }
    enum signer_kind kind = exchange->audience->is_rs256 ? SIGNER_RS256 : SIGNER_ES256;
    exchange->signer = keyring_signer(call->api->options.issuer_keys, kind, call->api->wall_now);
    call->work.run = sign_on_worker;
    call->work.done = finish_on_worker;
    if (kind == SIGNER_RS256 && workers_submit(call->api->options.workers, &call->work, &busy)) {
        return;
    }
    sign(exchange);
    answer_exchanged(call);
}

void api_drop_exchange(struct api_call *call)
{
    struct exchange_call *exchange = call->input;
    if (exchange != NULL) {
        crypto_wipe(exchange->token.bytes, exchange->token.length);
        builder_finish(&exchange->token);
    }
}

/* ---- introspect and revoke ---- */

struct token_call {
    struct introspect_input introspect;
    struct json_document *claims;
    bool is_active;
};

static bool read_claims(const struct json *claims, struct introspect_input *out)
{
    int64_t expires_at = 0;
    out->tenant = json_text(json_member(claims, "tenant"));
    out->grant = json_text(json_member(claims, "grant"));
    out->token = json_text(json_member(claims, "jti"));
    bool is_whole = out->tenant != NULL && out->grant != NULL && out->token != NULL &&
                    json_integer(json_member(claims, "exp"), &expires_at);
    out->expires_at = expires_at * 1000;
    return is_whole;
}

/* Which kind of token of ours it is, if any. */
static void read_token(struct api_call *call, const char *token, struct token_call *out)
{
    static const struct {
        const char *typ;
        enum token_kind kind;
    } kinds[] = {{GRANT_TOKEN_TYP, TOKEN_OF_GRANT},
                 {GRANT_REDEEMED_TYP, TOKEN_OF_REDEMPTION},
                 {GRANT_EXCHANGED_TYP, TOKEN_OF_REDEMPTION}};
    struct builder payload BUILDER_SCOPE;
    builder_init(&payload, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (verify(call, kinds[i].typ, token, &payload)) {
            out->claims = json_parse(payload.bytes, payload.length, NULL);
            bool is_whole = read_claims(json_root(out->claims), &out->introspect);
            out->introspect.kind = is_whole ? kinds[i].kind : TOKEN_OF_NOBODY;
            return;
        }
    }
}

bool api_read_introspect(struct api_call *call, struct error *error)
{
    struct token_call *token_call = ARENA_NEW(call->arena, struct token_call);
    const char *token;
    call->input = token_call;
    if (!take_token(call, "token", &token, error)) {
        return false;
    }
    read_token(call, token, token_call);
    return true;
}

bool api_run_introspect(struct api_call *call, struct error *error)
{
    struct token_call *token_call = call->input;
    return check_client(call, error) &&
           operation_introspect_token(&call->operation, &token_call->introspect,
                                      &token_call->is_active, error);
}

/* Whatever the token says, and what it is. */
static void write_active(const struct token_call *token_call, struct builder *body)
{
    struct builder claims BUILDER_SCOPE;
    struct builder text BUILDER_SCOPE;
    bool is_grant = token_call->introspect.kind == TOKEN_OF_GRANT;
    builder_init(&claims, 0);
    builder_init(&text, 0);
    canonical_append(&claims, json_root(token_call->claims));
    builder_printf(&text, "{\"active\":true,\"token_type\":\"%s\",%s", is_grant ? "N_A" : "Bearer",
                   claims.bytes + 1);
    struct json_document *whole JSON_SCOPE = json_parse(text.bytes, text.length, NULL);
    canonical_append(body, json_root(whole));
}

void api_answer_introspect(struct api_call *call)
{
    const struct token_call *token_call = call->input;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (token_call->is_active) {
        write_active(token_call, &body);
    } else {
        builder_text(&body, "{\"active\":false}"); /* and nothing else: RFC 7662 section 2.2 */
    }
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

void api_drop_token(struct api_call *call)
{
    struct token_call *token_call = call->input;
    if (token_call != NULL) {
        json_destroy(token_call->claims);
    }
}

bool api_run_revoke_token(struct api_call *call, struct error *error)
{
    const struct token_call *token_call = call->input;
    enum grant_state state;
    struct error refusal = {0};
    bool is_active = false;
    if (!check_client(call, error) ||
        !operation_introspect_token(&call->operation, &token_call->introspect, &is_active, error)) {
        return false;
    }
    if (!is_active) {
        return true; /* RFC 7009 section 2.2: what is not good is revoked already */
    }
    if (token_call->introspect.kind == TOKEN_OF_REDEMPTION) {
        return error_set(error, ERROR_INVALID, "unsupported_token_type", NULL,
                         "a token of a redeemed grant is not revoked: report the effect, which "
                         "ends it");
    }
    /* Active is said only to whom it is for; who serves its audience may know it, not revoke it. */
    if (!operation_revoke_grant(&call->operation, token_call->introspect.grant, "oauth", &state,
                                &refusal)) {
        return error_set(error, refusal.kind, refusal.code, refusal.subject, "%s", refusal.message);
    }
    return true;
}

void api_answer_revoke_token(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    builder_text(&body, "{}");
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
