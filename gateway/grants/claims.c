#include "grants/grant.h"

#include "formats/canonical.h"
#include "formats/json.h"
#include "identity/confirmation.h"

#include <string.h>

/* The last second of the year 9999, past which RFC 3339 has no text. */
static const int64_t numeric_date_max = INT64_C(253402300799);

static void write_details(struct canonical_writer *writer, const struct grant_claims *claims)
{
    canonical_open_array(writer);
    canonical_open_object(writer);
    canonical_name(writer, "actions");
    canonical_open_array(writer);
    canonical_string(writer, claims->action);
    canonical_close_array(writer);
    canonical_member_text(writer, "identifier", claims->resource);
    canonical_member_text(writer, "type", GRANT_DETAILS_TYPE);
    canonical_close_object(writer);
    canonical_close_array(writer);
}

void grant_append_details(const struct grant_claims *claims, struct builder *out)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    write_details(&writer, claims);
}

/* RFC 7800, RFC 8705 section 3.1, RFC 9449 section 6.1. */
static void write_confirmation(struct canonical_writer *writer, const char *confirmation)
{
    const char *hash;
    const char *name = confirmation_name(confirmation, &hash);
    if (name != NULL) {
        canonical_name(writer, "cnf");
        canonical_open_object(writer);
        canonical_member_text(writer, name, hash);
        canonical_close_object(writer);
    }
}

void grant_append_claims(const struct grant_claims *claims, struct builder *out)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "act");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "sub", claims->agent);
    canonical_close_object(&writer);
    canonical_member_text(&writer, "aud", claims->audience);
    canonical_name(&writer, "authorization_details");
    write_details(&writer, claims);
    canonical_member_bool(&writer, "bearer", claims->is_bearer);
    canonical_member_text(&writer, "binding_hash", claims->binding);
    canonical_member_text(&writer, "client_id", claims->caller);
    write_confirmation(&writer, claims->confirmation);
    canonical_member_text(&writer, "digest", claims->digest);
    canonical_member_integer(&writer, "exp", claims->expires_at / 1000);
    if (claims->fence != 0) {
        canonical_member_integer(&writer, "fence", claims->fence);
    }
    canonical_member_text(&writer, "grant", claims->grant);
    canonical_member_integer(&writer, "iat", claims->issued_at / 1000);
    canonical_member_text(&writer, "iss", claims->issuer);
    canonical_member_text(&writer, "jti", claims->token);
    canonical_member_text(&writer, "policy_version", claims->policy);
    canonical_member_text(&writer, "sub", claims->subject);
    canonical_member_text(&writer, "tenant", claims->tenant);
    canonical_member_text(&writer, "txn", claims->request);
    canonical_close_object(&writer);
}

static bool copy_text(const struct json *value, char *out, size_t out_bytes)
{
    const char *text = json_text(value);
    size_t length = json_text_length(value);
    if (text == NULL || length == 0 || length >= out_bytes || strlen(text) != length) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static bool read_text(const struct json *claims, const char *name, char *out, size_t out_bytes)
{
    return copy_text(json_member(claims, name), out, out_bytes);
}

/* One detail, of our type, with one action: nothing that a reader could take for more. */
static bool read_details(const struct json *claims, struct grant_claims *out)
{
    static const char *const known[] = {"actions", "identifier", "type", NULL};
    const struct json *list = json_member(claims, "authorization_details");
    const struct json *detail = json_element(list, 0);
    const struct json *actions = json_member(detail, "actions");
    const char *type = json_text(json_member(detail, "type"));
    return json_type(list) == JSON_TYPE_ARRAY && json_count(list) == 1 &&
           json_type(detail) == JSON_TYPE_OBJECT && json_only_members(detail, "", known, NULL) &&
           type != NULL && strcmp(type, GRANT_DETAILS_TYPE) == 0 &&
           json_type(actions) == JSON_TYPE_ARRAY && json_count(actions) == 1 &&
           copy_text(json_element(actions, 0), out->action, sizeof out->action) &&
           read_text(detail, "identifier", out->resource, sizeof out->resource);
}

static bool read_names(const struct json *claims, struct grant_claims *out)
{
    return read_text(claims, "iss", out->issuer, sizeof out->issuer) &&
           read_text(claims, "grant", out->grant, sizeof out->grant) &&
           read_text(claims, "txn", out->request, sizeof out->request) &&
           read_text(claims, "tenant", out->tenant, sizeof out->tenant) &&
           read_text(json_member(claims, "act"), "sub", out->agent, sizeof out->agent) &&
           read_text(claims, "sub", out->subject, sizeof out->subject) &&
           read_text(claims, "aud", out->audience, sizeof out->audience) &&
           read_text(claims, "client_id", out->caller, sizeof out->caller) &&
           read_text(claims, "digest", out->digest, sizeof out->digest) &&
           read_text(claims, "binding_hash", out->binding, sizeof out->binding) &&
           read_text(claims, "policy_version", out->policy, sizeof out->policy) &&
           read_details(claims, out) && read_text(claims, "jti", out->token, sizeof out->token);
}

static bool read_seconds(const struct json *claims, const char *name, int64_t *out_ms)
{
    int64_t seconds;
    if (!json_integer(json_member(claims, name), &seconds) || seconds < 0 ||
        seconds > numeric_date_max) {
        return false;
    }
    *out_ms = seconds * 1000;
    return true;
}

static bool read_fence(const struct json *claims, int64_t *out_fence)
{
    const struct json *fence = json_member(claims, "fence");
    return fence == NULL || (json_integer(fence, out_fence) && *out_fence > 0);
}

static bool read_is_bearer(const struct json *claims, bool *out_is_bearer)
{
    enum json_type type = json_type(json_member(claims, "bearer"));
    *out_is_bearer = type == JSON_TYPE_TRUE;
    return type == JSON_TYPE_TRUE || type == JSON_TYPE_FALSE;
}

static bool is_digest(const char *text)
{
    return strlen(text) == 2 * SHA256_BYTES && strspn(text, "0123456789abcdef") == 2 * SHA256_BYTES;
}

static bool read_claims(const struct json *claims, struct grant_claims *out)
{
    static const char *const known[] = {"act",    "aud",          "authorization_details",
                                        "bearer", "binding_hash", "client_id",
                                        "cnf",    "digest",       "exp",
                                        "fence",  "grant",        "iat",
                                        "iss",    "jti",          "policy_version",
                                        "sub",    "tenant",       "txn",
                                        NULL};
    static const char *const known_of_act[] = {"sub", NULL};
    return json_only_members(claims, "", known, NULL) &&
           json_only_members(json_member(claims, "act"), "/act", known_of_act, NULL) &&
           read_names(claims, out) && is_digest(out->digest) && is_digest(out->policy) &&
           strlen(out->binding) == sizeof out->binding - 1 &&
           read_is_bearer(claims, &out->is_bearer) &&
           confirmation_read(json_member(claims, "cnf"), out->confirmation, NULL) &&
           read_seconds(claims, "iat", &out->issued_at) &&
           read_seconds(claims, "exp", &out->expires_at) && out->expires_at > out->issued_at &&
           read_fence(claims, &out->fence);
}

bool grant_read_claims(const char *payload, size_t length, struct grant_claims *out,
                       struct error *error)
{
    struct grant_claims claims = {0};
    struct json_document *document JSON_SCOPE = NULL;
    if (length <= GRANT_CLAIMS_BYTES_MAX) {
        document = json_parse(payload, length, NULL);
    }
    bool is_ours = document != NULL && read_claims(json_root(document), &claims);
    if (!is_ours) {
        return error_set(error, ERROR_UNAUTHENTICATED, "invalid_token", NULL,
                         "the token does not hold the claims of a grant; read the decision again "
                         "for a fresh one");
    }
    *out = claims;
    return true;
}
