#include "api/api_internal.h"

#include "base/log.h"
#include "formats/text.h"
#include "operations/token_operations.h"
#include <string.h>

/* What others need to know of us as an issuer of tokens: keys, and where things are (RFC 8414,
 * OpenID Connect Discovery 1.0 as far as clouds read it). And replacing a key. */

static const char *const rotate_members[] = {"algorithm", "drop_former", "signs_in", NULL};

enum { SIGNS_IN_MS = 10 * 60 * 1000, SIGNS_IN_MOST_MS = 24 * 3600 * 1000 };

void api_answer_jwks(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    keyring_append_jwks(call->api->options.issuer_keys, call->api->wall_now, &body);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- metadata ---- */

static void write_texts(struct canonical_writer *writer, const char *name, const char *first,
                        const char *second)
{
    const char *const texts[] = {first, second};
    api_write_texts(writer, name, texts, second == NULL ? 1 : 2);
}

static bool signs_rs256(const struct api *api)
{
    return keyring_signer(api->options.issuer_keys, SIGNER_RS256, api->wall_now) != NULL;
}

void api_answer_openid_configuration(struct api_call *call)
{
    static const char *const claims[] = {"iss", "sub", "aud", "exp", "iat", "nbf", "jti"};
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_texts(&writer, "claims_supported", claims, sizeof claims / sizeof claims[0]);
    write_texts(&writer, "id_token_signing_alg_values_supported", "ES256",
                signs_rs256(call->api) ? "RS256" : NULL);
    canonical_member_text(&writer, "issuer", call->api->options.issuer);
    api_write_address(call, &writer, "jwks_uri", "/jwks.json");
    write_texts(&writer, "response_types_supported", "id_token", NULL);
    write_texts(&writer, "subject_types_supported", "public", NULL);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

void api_answer_oauth_metadata(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    write_texts(&writer, "authorization_details_types_supported", GRANT_DETAILS_TYPE, NULL);
    write_texts(&writer, "grant_types_supported", "urn:ietf:params:oauth:grant-type:token-exchange",
                NULL);
    api_write_address(call, &writer, "introspection_endpoint", "/oauth/introspect");
    write_texts(&writer, "introspection_endpoint_auth_methods_supported", "client_secret_basic",
                "client_secret_post");
    canonical_member_text(&writer, "issuer", call->api->options.issuer);
    api_write_address(call, &writer, "jwks_uri", "/jwks.json");
    canonical_name(&writer, "response_types_supported");
    canonical_open_array(&writer);
    canonical_close_array(&writer);
    api_write_address(call, &writer, "revocation_endpoint", "/oauth/revoke");
    write_texts(&writer, "revocation_endpoint_auth_methods_supported", "client_secret_basic",
                "client_secret_post");
    api_write_address(call, &writer, "token_endpoint", "/oauth/token");
    write_texts(&writer, "token_endpoint_auth_methods_supported", "client_secret_basic",
                "client_secret_post");
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

/* ---- another key ---- */

struct rotate_input {
    enum signer_kind kind;
    int64_t signs_in_ms;
    bool drops_former;
    int64_t signs_from;
    struct keyring_draft *draft; /* until it is taken */
};

bool api_read_rotate(struct api_call *call, struct error *error)
{
    struct rotate_input *input = ARENA_NEW(call->arena, struct rotate_input);
    const struct json *body = api_read_body(call, rotate_members, error);
    const char *algorithm;
    const char *signs_in;
    call->input = input;
    if (body == NULL || !api_take_text(call, body, "algorithm", true, 16, &algorithm, error) ||
        !api_take_text(call, body, "signs_in", false, 32, &signs_in, error) ||
        !api_take_bool(body, "drop_former", &input->drops_former, error)) {
        return false;
    }
    if (strcmp(algorithm, "ES256") != 0 && strcmp(algorithm, "RS256") != 0) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/algorithm",
                         "`algorithm` must be ES256 or RS256");
    }
    input->kind = strcmp(algorithm, "RS256") == 0 ? SIGNER_RS256 : SIGNER_ES256;
    input->signs_in_ms = input->drops_former ? 0 : SIGNS_IN_MS;
    if (signs_in != NULL && (!text_read_duration(signs_in, &input->signs_in_ms) ||
                             input->signs_in_ms < 0 || input->signs_in_ms > SIGNS_IN_MOST_MS)) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/signs_in",
                         "`signs_in` must be a duration of at most a day, such as \"10m\" or "
                         "\"0s\"");
    }
    input->signs_from = call->api->wall_now + input->signs_in_ms;
    return keyring_has_room(call->api->options.issuer_keys) ||
           error_set(error, ERROR_LIMIT, "too_many_keys", NULL,
                     "there are as many signing keys as there may be: remove the files of those "
                     "that were replaced more than a day ago, and start again");
}

bool api_look_rotate(struct api_call *call, struct error *error)
{
    return operation_may_rotate_keys(&call->operation, error);
}

/* On a worker: an RSA key takes a tenth of a second. */
bool api_work_rotate(struct api_call *call, struct error *error)
{
    struct rotate_input *input = call->input;
    input->draft =
        keyring_make_draft(call->api->options.issuer_keys, input->kind, input->signs_from, error);
    return input->draft != NULL;
}

bool api_run_rotate(struct api_call *call, struct error *error)
{
    struct rotate_input *input = call->input;
    const char *algorithm = input->kind == SIGNER_RS256 ? "RS256" : "ES256";
    return operation_note_signing_key(&call->operation, keyring_draft_key_id(input->draft),
                                      algorithm, input->drops_former, error);
}

/* The entry is there; a key that is not put in force now is a key nobody has. */
void api_answer_rotate(struct api_call *call)
{
    struct rotate_input *input = call->input;
    struct keyring *ring = call->api->options.issuer_keys;
    struct error error = {0};
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "kid", keyring_draft_key_id(input->draft));
    api_write_time(&writer, "signs_from", input->signs_from);
    canonical_close_object(&writer);
    struct keyring_draft *draft = input->draft;
    input->draft = NULL;
    if (!keyring_take_draft(ring, draft, &error) ||
        (input->drops_former && !keyring_drop_former(ring, input->kind, &error))) {
        api_answer_error(call, &error);
    } else {
        LOG(LOG_LEVEL_INFO, "signing_key_added", LOG_TEXT("answer", body.bytes));
        api_answer_json(call, 201, &body, NULL, 0);
    }
    api_end_call(call);
}

void api_drop_rotate(struct api_call *call)
{
    struct rotate_input *input = call->input;
    if (input != NULL) {
        keyring_drop_draft(call->api->options.issuer_keys, input->draft);
    }
}
