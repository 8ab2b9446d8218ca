#include "identity/session.h"

#include "base/builder.h"
#include "base/check.h"
#include "formats/text.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { COOKIE_PREFIX_BYTES = 4, COOKIE_RANDOM_BYTES = 43 };

const char *identity_cookie_name(bool is_tls)
{
    return is_tls ? "__Host-countersign" : "countersign-dev";
}

const char *identity_browser_cookie_name(bool is_tls)
{
    return is_tls ? "__Host-countersign-browser" : "countersign-browser-dev";
}

static bool has_cookie_form(const char *value, size_t length, const char *prefix)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return length == COOKIE_PREFIX_BYTES + COOKIE_RANDOM_BYTES &&
           strncmp(value, prefix, COOKIE_PREFIX_BYTES) == 0 &&
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

/* The last cookie of this name, and how many there are. */
static size_t find_cookie(const char *header, const char *wanted, struct pair *out)
{
    struct pair pair;
    size_t count = 0;
    for (const char *cursor = header == NULL ? "" : header; next_pair(&cursor, &pair);) {
        if (pair.name_length == strlen(wanted) &&
            strncmp(pair.name, wanted, pair.name_length) == 0) {
            *out = pair;
            count++;
        }
    }
    return count;
}

bool identity_read_cookie(const char *header, bool is_tls, struct credential *out,
                          struct error *error)
{
    struct pair found = {0};
    size_t count = find_cookie(header, identity_cookie_name(is_tls), &found);
    if (count == 0) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_credential", NULL,
                         "sign in, or send an API key or a personal token as `Authorization: "
                         "Bearer ...`");
    }
    if (count > 1 || !has_cookie_form(found.value, found.value_length, "css_")) {
        return error_set(error, ERROR_UNAUTHENTICATED, "invalid_credential", NULL,
                         "the session cookie is not one of ours; sign in again");
    }
    *out = make_credential(found.value, found.value_length);
    return true;
}

bool identity_read_browser(const char *header, bool is_tls, struct sha256 *out_hash)
{
    struct pair found = {0};
    if (find_cookie(header, identity_browser_cookie_name(is_tls), &found) != 1 ||
        !has_cookie_form(found.value, found.value_length, "csb_")) {
        return false;
    }
    *out_hash = crypto_sha256(found.value, found.value_length);
    return true;
}

struct known_word {
    const char *sign, *word;
};

static const char *find_word(const char *text, const struct known_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, words[i].sign) != NULL) {
            return words[i].word;
        }
    }
    return NULL;
}

void identity_name_browser(const char *user_agent, char out[BROWSER_NAME_BYTES])
{
    /* In this order: most say that they are what others are as well. */
    static const struct known_word browsers[] = {
        {"Edg/", "Edge"},          {"OPR/", "Opera"},     {"Firefox/", "Firefox"},
        {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
    };
    static const struct known_word systems[] = {
        {"Android", "Android"}, {"iPhone", "iOS"},    {"iPad", "iOS"},    {"Windows", "Windows"},
        {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
    };
    const char *text = user_agent == NULL ? "" : user_agent;
    const char *browser = find_word(text, browsers, sizeof browsers / sizeof browsers[0]);
    const char *system = find_word(text, systems, sizeof systems / sizeof systems[0]);
    snprintf(out, BROWSER_NAME_BYTES, "%s%s%s", browser == NULL ? "a browser" : browser,
             system == NULL ? "" : " on ", system == NULL ? "" : system);
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
