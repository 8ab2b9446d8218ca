#include "identity/principal.h"

#include "base/builder.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SECRET_PREFIX_BYTES = 4, SECRET_RANDOM_BYTES = 43 };

static enum credential_kind read_kind(const char *secret)
{
    if (strncmp(secret, "csk_", SECRET_PREFIX_BYTES) == 0) {
        return CREDENTIAL_API_KEY;
    }
    if (strncmp(secret, "cst_", SECRET_PREFIX_BYTES) == 0) {
        return CREDENTIAL_TOKEN;
    }
    return CREDENTIAL_NONE;
}

/* Not isalnum(): what a locale calls a letter must not decide what a credential is. */
static bool is_base64url(char character)
{
    return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_';
}

static bool has_secret_form(const char *secret, size_t length)
{
    if (length != SECRET_PREFIX_BYTES + SECRET_RANDOM_BYTES) {
        return false;
    }
    for (size_t i = SECRET_PREFIX_BYTES; i < length; i++) {
        if (!is_base64url(secret[i])) {
            return false;
        }
    }
    return read_kind(secret) != CREDENTIAL_NONE;
}

bool identity_read_bearer(const char *authorization, struct credential *out, struct error *error)
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_credential", NULL,
                         "send an API key or a personal token as `Authorization: Bearer ...`");
    }
    size_t length = strnlen(authorization, BEARER_BYTES_MAX);
    size_t skipped = sizeof scheme - 1;
    /* RFC 9110 section 11.1: the name of a scheme is compared without case. */
    if (length <= skipped || strncasecmp(authorization, scheme, skipped) != 0 ||
        !has_secret_form(authorization + skipped, length - skipped)) {
        return error_set(error, ERROR_UNAUTHENTICATED, "invalid_credential", NULL,
                         "the Authorization header holds no API key (`csk_` and 43 characters) and "
                         "no personal token (`cst_` and 43 characters)");
    }
    *out = (struct credential){
        .kind = read_kind(authorization + skipped),
        .hash = crypto_sha256(authorization + skipped, length - skipped),
    };
    return true;
}

const char *identity_find_jwt(const char *authorization, bool *out_is_dpop)
{
    if (authorization == NULL || strnlen(authorization, BEARER_BYTES_MAX) == BEARER_BYTES_MAX) {
        return NULL;
    }
    *out_is_dpop = strncasecmp(authorization, "DPoP ", 5) == 0;
    size_t skipped = *out_is_dpop ? 5 : strncasecmp(authorization, "Bearer ", 7) == 0 ? 7 : 0;
    const char *token = authorization + skipped;
    const char *first = strchr(token, '.');
    return skipped > 0 && first != NULL && strchr(first + 1, '.') != NULL ? token : NULL;
}

static bool is_name_start(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

bool identity_is_name(const char *text)
{
    if (text == NULL || !is_name_start(text[0])) {
        return false;
    }
    size_t length = strnlen(text, NAME_BYTES);
    for (size_t i = 1; i < length; i++) {
        if (!is_name_start(text[i]) && text[i] != '.' && text[i] != '_' && text[i] != '-') {
            return false;
        }
    }
    return length < NAME_BYTES;
}

/* C0, DEL, and C1 in its UTF-8 form (0xC2 0x80 to 0xC2 0x9F): none may end up in a log line, a
 * terminal or a rule. */
static bool has_control(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; bytes[i] != '\0'; i++) {
        bool is_c1 = bytes[i] == 0xC2 && bytes[i + 1] <= 0x9F;
        if (bytes[i] < 0x20 || bytes[i] == 0x7F || is_c1) {
            return true;
        }
    }
    return false;
}

bool identity_make_key(const char *type, const char *id, char *out, size_t out_bytes)
{
    if (type == NULL || id == NULL || out_bytes == 0) {
        return false;
    }
    size_t type_length = strnlen(type, out_bytes);
    size_t id_length = strnlen(id, out_bytes);
    if (type_length == 0 || id_length == 0 || type_length + 1 + id_length >= out_bytes) {
        return false;
    }
    if (strchr(type, '/') != NULL || has_control(type) || has_control(id)) {
        return false;
    }
    snprintf(out, out_bytes, "%s/%s", type, id);
    return true;
}

bool identity_is_callers(enum credential_kind kind)
{
    return kind == CREDENTIAL_API_KEY || kind == CREDENTIAL_JWT || kind == CREDENTIAL_SVID;
}

struct sha256 identity_hash_account(const char *service, const char *account)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "chat account\n%s\n%s", service, account);
    return crypto_sha256(text.bytes, text.length);
}

bool identity_is_chat(enum credential_kind kind)
{
    return kind == CREDENTIAL_SLACK || kind == CREDENTIAL_TEAMS;
}

const char *identity_via(enum credential_kind kind)
{
    switch (kind) {
    case CREDENTIAL_API_KEY:
        return "api_key";
    case CREDENTIAL_TOKEN:
        return "token";
    case CREDENTIAL_HOST:
        return "socket";
    case CREDENTIAL_SESSION:
        return "session";
    case CREDENTIAL_LINK:
        return "link";
    case CREDENTIAL_JWT:
        return "jwt";
    case CREDENTIAL_SVID:
        return "svid";
    case CREDENTIAL_SLACK:
        return "slack";
    case CREDENTIAL_TEAMS:
        return "teams";
    case CREDENTIAL_NONE:
        break;
    }
    return "";
}
