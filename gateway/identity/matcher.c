#include "identity/matcher.h"

#include "formats/text.h"
#include <stdio.h>
#include <string.h>

static bool matches_text(const struct matcher_claim *claim, const char *text)
{
    for (size_t i = 0; i < claim->value_count && i < MATCHER_VALUES_MAX; i++) {
        const char *value = claim->values[i];
        bool is_glob = strchr(value, '*') != NULL;
        if (is_glob ? text_matches_glob(value, text, '/') : strcmp(value, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool matches_scalar(const struct matcher_claim *claim, const struct json *value)
{
    char number[32];
    int64_t integer;
    switch (json_type(value)) {
    case JSON_TYPE_STRING:
        /* A NUL inside would end the comparison early. */
        return strlen(json_text(value)) == json_text_length(value) &&
               matches_text(claim, json_text(value));
    case JSON_TYPE_TRUE:
        return matches_text(claim, "true");
    case JSON_TYPE_FALSE:
        return matches_text(claim, "false");
    case JSON_TYPE_NUMBER:
        if (!json_integer(value, &integer)) {
            return false;
        }
        snprintf(number, sizeof number, "%lld", (long long)integer);
        return matches_text(claim, number);
    case JSON_TYPE_ABSENT:
    case JSON_TYPE_NULL:
    case JSON_TYPE_ARRAY:
    case JSON_TYPE_OBJECT:
        break;
    }
    return false;
}

/* One token of a pointer, unescaped: ~1 is '/', ~0 is '~'. */
static size_t read_step(const char *pointer, char out[256])
{
    size_t length = 0;
    size_t i = 1;
    for (; pointer[i] != '\0' && pointer[i] != '/' && length < 255; i++) {
        bool is_escape = pointer[i] == '~' && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
        out[length++] = is_escape ? (pointer[i + 1] == '0' ? '~' : '/') : pointer[i];
        i += is_escape ? 1 : 0;
    }
    out[length] = '\0';
    return i;
}

static const struct json *find_claim(const struct json *claims, const char *name)
{
    if (name[0] != '/') {
        return json_member(claims, name);
    }
    const struct json *at = claims;
    for (int depth = 0; name[0] == '/' && depth < JSON_DEPTH_MAX; depth++) {
        char step[256];
        name += read_step(name, step);
        at = json_member(at, step);
    }
    return name[0] == '\0' ? at : NULL;
}

static bool matches_claim(const struct matcher_claim *claim, const struct json *claims)
{
    const struct json *value = find_claim(claims, claim->claim);
    if (json_type(value) != JSON_TYPE_ARRAY) {
        return matches_scalar(claim, value);
    }
    for (size_t i = 0; i < json_count(value) && i < MATCHER_ELEMENTS_MAX; i++) {
        if (matches_scalar(claim, json_element(value, i))) {
            return true;
        }
    }
    return false;
}

const struct matcher *matcher_find(const struct matcher *matchers, size_t count,
                                   const struct json *claims)
{
    for (size_t i = 0; i < count; i++) {
        size_t met = 0;
        while (met < matchers[i].claim_count && matches_claim(&matchers[i].claims[met], claims)) {
            met++;
        }
        if (met > 0 && met == matchers[i].claim_count) {
            return &matchers[i];
        }
    }
    return NULL;
}

static bool matches_spiffe(const struct matcher_claim *claim, const char *id, const char *path)
{
    if (strcmp(claim->claim, "sub") == 0) {
        return matches_text(claim, id);
    }
    return strcmp(claim->claim, "path") == 0 && matches_text(claim, path);
}

const struct matcher *matcher_find_spiffe(const struct matcher *matchers, size_t count,
                                          const char *id, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        size_t met = 0;
        while (met < matchers[i].claim_count &&
               matches_spiffe(&matchers[i].claims[met], id, path)) {
            met++;
        }
        if (met > 0 && met == matchers[i].claim_count) {
            return &matchers[i];
        }
    }
    return NULL;
}
