#include "identity/confirmation.h"

#include "formats/text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const kinds[] = {"jkt", "x5t#S256"};
enum { KINDS = 2, HASH_CHARACTERS = 43, URL_BYTES_MAX = 2048 };

static bool is_hash(const char *text)
{
    struct sha256 hash;
    size_t length;
    return text != NULL && strlen(text) == HASH_CHARACTERS &&
           text_read_base64url(text, HASH_CHARACTERS, hash.bytes, sizeof hash.bytes, &length) &&
           length == sizeof hash.bytes;
}

bool confirmation_read(const struct json *cnf, char out[CONFIRMATION_BYTES], struct error *error)
{
    if (cnf == NULL) {
        out[0] = '\0';
        return true;
    }
    for (size_t i = 0; i < KINDS; i++) {
        const char *hash = json_text(json_member(cnf, kinds[i]));
        if (json_count(cnf) == 1 && is_hash(hash)) {
            snprintf(out, CONFIRMATION_BYTES, "%s:%s", kinds[i], hash);
            return true;
        }
    }
    return error_set(error, ERROR_UNAUTHENTICATED, "unknown_confirmation", NULL,
                     "the token's `cnf` must be exactly one of `jkt` and `x5t#S256`");
}

void confirmation_of_key(const struct jwk *key, char out[CONFIRMATION_BYTES])
{
    char thumbprint[JWK_THUMBPRINT_BYTES];
    jwk_thumbprint(key, thumbprint);
    snprintf(out, CONFIRMATION_BYTES, "jkt:%s", thumbprint);
}

void confirmation_of_certificate(const struct sha256 *hash, char out[CONFIRMATION_BYTES])
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, hash->bytes, sizeof hash->bytes);
    snprintf(out, CONFIRMATION_BYTES, "x5t#S256:%s", text.bytes);
}

const char *confirmation_name(const char *confirmation, const char **out_hash)
{
    for (size_t i = 0; i < KINDS; i++) {
        size_t length = strlen(kinds[i]);
        if (strncmp(confirmation, kinds[i], length) == 0 && confirmation[length] == ':' &&
            is_hash(confirmation + length + 1)) {
            *out_hash = confirmation + length + 1;
            return kinds[i];
        }
    }
    return NULL;
}

bool confirmation_is(const char *text)
{
    const char *hash;
    return confirmation_name(text, &hash) != NULL;
}

/* ---- DPoP ---- */

static bool refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "invalid_dpop_proof", NULL,
                     "the DPoP proof is refused: %s", what);
}

static const char *text_of(const struct jwt *jwt, const char *name)
{
    const struct json *value = json_member(jwt->claims, name);
    const char *text = json_text(value);
    return text != NULL && strlen(text) == json_text_length(value) ? text : NULL;
}

/* Scheme and authority end here: the first '/' after "://", or the end. */
static size_t authority_end(const char *url)
{
    const char *mark = strstr(url, "://");
    return mark == NULL ? 0 : (size_t)(mark + 3 - url) + strcspn(mark + 3, "/?#");
}

/* Without the port its scheme has anyway (RFC 3986 section 6.2.3). */
static size_t without_default_port(const char *url, size_t end)
{
    bool is_https = strncasecmp(url, "https:", 6) == 0;
    const char *port = is_https ? ":443" : ":80";
    size_t length = strlen(port);
    return end > length && strncmp(url + end - length, port, length) == 0 ? end - length : end;
}

/* RFC 9449 section 4.3: compared without query and fragment, after normalisation: case of scheme
 * and host, the default port, an empty path. */
static bool is_same_url(const char *left, const char *right)
{
    size_t left_end = authority_end(left);
    size_t right_end = authority_end(right);
    size_t left_authority = without_default_port(left, left_end);
    size_t right_authority = without_default_port(right, right_end);
    const char *left_path = left + left_end;
    const char *right_path = right + right_end;
    size_t left_length = strcspn(left_path, "?#");
    size_t right_length = strcspn(right_path, "?#");
    left_length = left_length == 1 && left_path[0] == '/' ? 0 : left_length;
    right_length = right_length == 1 && right_path[0] == '/' ? 0 : right_length;
    return left_end > 0 && left_authority == right_authority &&
           strncasecmp(left, right, left_authority) == 0 && left_length == right_length &&
           memcmp(left_path, right_path, left_length) == 0;
}

static bool judge_token_hash(const struct jwt *jwt, const struct dpop_terms *terms,
                             struct error *error)
{
    const char *given = text_of(jwt, "ath");
    bool is_absent = json_member(jwt->claims, "ath") == NULL;
    if (is_absent) {
        return !terms->needs_token_hash ||
               refuse(error, "it has no `ath`, the hash of the token it is for");
    }
    if (terms->token == NULL || given == NULL) {
        return refuse(error, "its `ath` is for a token that is not presented");
    }
    struct sha256 hash = crypto_sha256(terms->token, strlen(terms->token));
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, hash.bytes, sizeof hash.bytes);
    return strcmp(given, text.bytes) == 0 || refuse(error, "its `ath` is of another token");
}

static bool judge_claims(const struct jwt *jwt, const struct dpop_terms *terms, int64_t now,
                         struct error *error)
{
    const char *method = text_of(jwt, "htm");
    const char *url = text_of(jwt, "htu");
    const char *once = text_of(jwt, "jti");
    int64_t issued;
    if (strcmp(jwt->type, "dpop+jwt") != 0) {
        return refuse(error, "its `typ` is not dpop+jwt");
    }
    if (once == NULL || once[0] == '\0' || strlen(once) > DPOP_JTI_BYTES_MAX) {
        return refuse(error, "it needs a `jti` of at most 256 bytes");
    }
    if (method == NULL || strcmp(method, terms->method) != 0) {
        return refuse(error, "its `htm` is of another method");
    }
    if (url == NULL || strlen(url) > URL_BYTES_MAX || !is_same_url(url, terms->url)) {
        return refuse(error, "its `htu` is of another address");
    }
    if (!json_integer(json_member(jwt->claims, "iat"), &issued) || issued < 0 ||
        issued > INT64_C(253402300799) || issued * 1000 > now + terms->leeway_ms ||
        issued * 1000 < now - DPOP_WINDOW_MS - terms->leeway_ms) {
        return refuse(error, "its `iat` is not of the last minute");
    }
    return judge_token_hash(jwt, terms, error);
}

/* One key may not use a `jti` twice; another's `jti` is nobody's business. */
static struct sha256 hash_once(const char *confirmation, const char *once)
{
    return crypto_sha256_prefixed('d', confirmation, strlen(confirmation), once, strlen(once));
}

static void take_nonce(const char *nonce, char out[DPOP_NONCE_BYTES])
{
    size_t length = nonce == NULL ? 0 : strlen(nonce);
    memset(out, 0, DPOP_NONCE_BYTES);
    if (length < DPOP_NONCE_BYTES) {
        memcpy(out, nonce == NULL ? "" : nonce, length);
    }
}

bool dpop_judge(const char *proof, size_t length, const struct dpop_terms *terms, int64_t now,
                struct dpop_proof *out, struct error *error)
{
    struct error cause = {0};
    struct jwt jwt JWT_SCOPE = {0};
    if (!jwt_read(proof, length, true, &jwt, &cause)) {
        return refuse(error, cause.message);
    }
    if (!judge_claims(&jwt, terms, now, error)) {
        return false;
    }
    struct jwk *key = jwk_read(jwt.key, &cause);
    bool is_signed = key != NULL && jwt_is_signed_by(&jwt, key);
    if (is_signed) {
        confirmation_of_key(key, out->confirmation);
        out->once = hash_once(out->confirmation, text_of(&jwt, "jti"));
        out->until_at = now + DPOP_WINDOW_MS + 2 * terms->leeway_ms;
        take_nonce(text_of(&jwt, "nonce"), out->nonce);
    }
    jwk_destroy(key);
    return is_signed || refuse(error, "its signature is not of the key it brings");
}
