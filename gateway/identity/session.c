#include "identity/session.h"

#include "base/builder.h"
#include "base/check.h"
#include "formats/text.h"
#include <string.h>
#include <strings.h>

enum { COOKIE_PREFIX_BYTES = 4, COOKIE_RANDOM_BYTES = 43 };

const char *identity_cookie_name(bool is_tls)
{
    return is_tls ? "__Host-countersign" : "countersign-dev";
}

static bool has_cookie_form(const char *value, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return length == COOKIE_PREFIX_BYTES + COOKIE_RANDOM_BYTES &&
           strncmp(value, "css_", COOKIE_PREFIX_BYTES) == 0 &&
           strspn(value + COOKIE_PREFIX_BYTES, alphabet) >= COOKIE_RANDOM_BYTES;
}

static struct credential make_credential(const char *secret, size_t length)
{
    static const char purpose[] = "countersign csrf 1";
    return (struct credential){
        .kind = CREDENTIAL_SESSION,
        .hash = crypto_sha256(secret, length),
        .csrf = crypto_hmac_sha256(secret, length, purpose, sizeof purpose - 1),
    };
}

struct credential identity_session_credential(const char *secret)
{
    return make_credential(secret, strlen(secret));
}

/* One `name=value` of the header; `*cursor` moves behind it. */
struct pair {
    const char *name, *value;
    size_t name_length, value_length;
};

static bool next_pair(const char **cursor, struct pair *out)
{
    const char *start = *cursor + strspn(*cursor, " \t;");
    if (*start == '\0') {
        return false;
    }
    size_t length = strcspn(start, ";");
    size_t name_length = strcspn(start, "=;");
    bool has_value = name_length < length;
    *out = (struct pair){.name = start,
                         .name_length = name_length,
                         .value = has_value ? start + name_length + 1 : start + length,
                         .value_length = has_value ? length - name_length - 1 : 0};
    *cursor = start + length;
    return true;
}

bool identity_read_cookie(const char *header, bool is_tls, struct credential *out,
                          struct error *error)
{
    const char *wanted = identity_cookie_name(is_tls);
    struct pair pair;
    struct pair found = {0};
    size_t count = 0;
    for (const char *cursor = header == NULL ? "" : header; next_pair(&cursor, &pair);) {
        if (pair.name_length == strlen(wanted) &&
            strncmp(pair.name, wanted, pair.name_length) == 0) {
            found = pair;
            count++;
        }
    }
    if (count == 0) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_credential", NULL,
                         "sign in, or send an API key or a personal token as `Authorization: "
                         "Bearer ...`");
    }
    if (count > 1 || !has_cookie_form(found.value, found.value_length)) {
        return error_set(error, ERROR_UNAUTHENTICATED, "invalid_credential", NULL,
                         "the session cookie is not one of ours; sign in again");
    }
    *out = make_credential(found.value, found.value_length);
    return true;
}

void identity_csrf_text(const struct credential *credential, char out[CSRF_TEXT_BYTES])
{
    struct builder text BUILDER_SCOPE;
    CHECK(credential->kind == CREDENTIAL_SESSION);
    builder_init(&text, 0);
    text_append_base64url(&text, credential->csrf.bytes, sizeof credential->csrf.bytes);
    CHECK(text.length + 1 == CSRF_TEXT_BYTES);
    memcpy(out, text.bytes, CSRF_TEXT_BYTES);
}

bool identity_csrf_matches(const struct credential *credential, const char *text)
{
    char expected[CSRF_TEXT_BYTES];
    if (credential->kind != CREDENTIAL_SESSION || text == NULL ||
        strnlen(text, CSRF_TEXT_BYTES) != CSRF_TEXT_BYTES - 1) {
        return false;
    }
    identity_csrf_text(credential, expected);
    return crypto_equal(expected, text, CSRF_TEXT_BYTES - 1);
}

bool identity_is_same_origin(const char *origin, bool is_tls, const char *host)
{
    const char *scheme = is_tls ? "https://" : "http://";
    size_t length = strlen(scheme);
    return origin != NULL && host != NULL && host[0] != '\0' &&
           strncmp(origin, scheme, length) == 0 && strcasecmp(origin + length, host) == 0;
}
