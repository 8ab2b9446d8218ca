#include "crypto/jwt.h"

#include "formats/text.h"
#include <string.h>

static bool refuse(struct error *error, const char *code, const char *message)
{
    return error_set(error, ERROR_UNAUTHENTICATED, code, NULL, "%s", message);
}

static bool refuse_form(struct error *error)
{
    return refuse(error, "malformed_token",
                  "the token is not a compact JWS of three base64url parts around strict JSON");
}

/* The parsed object of one encoded part; NULL when it is none. */
static struct json_document *read_part(const char *text, size_t length)
{
    unsigned char bytes[JWT_BYTES_MAX];
    size_t decoded = 0;
    if (!text_read_base64url(text, length, bytes, sizeof bytes, &decoded)) {
        return NULL;
    }
    struct json_document *document = json_parse((const char *)bytes, decoded, NULL);
    if (document != NULL && json_type(json_root(document)) != JSON_TYPE_OBJECT) {
        json_destroy(document);
        return NULL;
    }
    return document;
}

static bool split(const char *token, size_t length, struct jwt *out)
{
    const char *end = token + length;
    const char *first = memchr(token, '.', length);
    const char *second = first == NULL ? NULL : memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL ||
        !text_read_base64url(second + 1, (size_t)(end - second - 1), out->signature,
                             sizeof out->signature, &out->signature_length)) {
        return false;
    }
    out->signed_bytes = token;
    out->signed_length = (size_t)(second - token);
    out->header_document = read_part(token, (size_t)(first - token));
    out->claims_document =
        out->header_document == NULL ? NULL : read_part(first + 1, (size_t)(second - first - 1));
    return out->claims_document != NULL;
}

/* A text member without NULs; false when it is there and is something else. */
static bool take_text(const struct json *header, const char *name, const char **out)
{
    const struct json *value = json_member(header, name);
    *out = json_text(value);
    return value == NULL || (*out != NULL && strlen(*out) == json_text_length(value));
}

/* RFC 7515 section 4.1.9: a media type, compared without case, "application/" may be left out. */
static bool read_type(const struct json *header, struct jwt *out)
{
    static const char prefix[] = "application/";
    const char *type;
    if (!take_text(header, "typ", &type)) {
        return false;
    }
    size_t length = type == NULL ? 0 : strlen(type);
    if (length >= sizeof out->type) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_upper = type[i] >= 'A' && type[i] <= 'Z';
        out->type[i] = (char)(is_upper ? type[i] - 'A' + 'a' : type[i]);
    }
    out->type[length] = '\0';
    size_t skipped = sizeof prefix - 1;
    if (strncmp(out->type, prefix, skipped) == 0) {
        memmove(out->type, out->type + skipped, length - skipped + 1);
    }
    return true;
}

static bool read_header(const struct json *header, bool brings_key, struct jwt *out,
                        struct error *error)
{
    const char *algorithm;
    if (!take_text(header, "alg", &algorithm) || !take_text(header, "kid", &out->key_id) ||
        !read_type(header, out)) {
        return refuse_form(error);
    }
    out->algorithm = jwk_algorithm_find(algorithm);
    if (out->algorithm == JWK_ALGORITHM_NONE) {
        return refuse(error, "algorithm_refused",
                      "the token names no signature algorithm that is accepted");
    }
    if (json_member(header, "crit") != NULL) {
        return refuse(error, "critical_header",
                      "the token has `crit` in its header, and no extension is understood");
    }
    if (json_member(header, "jku") != NULL || json_member(header, "x5u") != NULL ||
        (json_member(header, "jwk") != NULL && !brings_key)) {
        return refuse(error, "embedded_key",
                      "the token brings its own key (`jku`, `x5u` or `jwk`), which is not read");
    }
    out->key = json_member(header, "jwk");
    return !brings_key || out->key != NULL || refuse_form(error);
}

bool jwt_read(const char *token, size_t length, bool brings_key, struct jwt *out,
              struct error *error)
{
    *out = (struct jwt){0};
    if (length > JWT_BYTES_MAX) {
        return refuse(error, "token_too_long", "the token is longer than 8 KiB");
    }
    if (!split(token, length, out)) {
        return refuse_form(error);
    }
    out->claims = json_root(out->claims_document);
    return read_header(json_root(out->header_document), brings_key, out, error);
}

void jwt_finish(struct jwt *jwt)
{
    json_destroy(jwt->header_document);
    json_destroy(jwt->claims_document);
    *jwt = (struct jwt){0};
}

bool jwt_is_signed_by(const struct jwt *jwt, const struct jwk *key)
{
    return jwk_verify(key, jwt->algorithm, jwt->signed_bytes, jwt->signed_length, jwt->signature,
                      jwt->signature_length);
}
