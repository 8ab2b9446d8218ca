#include "api/api_internal.h"

#include "formats/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const entity_members[] = {"type", "id", "properties", NULL};
static const char *const action_members[] = {"name", "properties", NULL};
static const char *const no_names[] = {NULL};

enum { ENTITY_KEY_BYTES_MAX = 256, ACTION_NAME_BYTES_MAX = 200 };

const struct json *api_read_body(struct api_call *call, const char *const *members,
                                 struct error *error)
{
    size_t length;
    const char *bytes = http_body(call->exchange, &length);
    if (!api_only_parameters(call, no_names, error)) {
        return NULL;
    }
    if (length == 0) {
        error_set(error, ERROR_INVALID, "empty_body", "", "send a JSON object as the body");
        return NULL;
    }
    call->document = json_parse(bytes, length, error);
    if (call->document == NULL) {
        return NULL;
    }
    const struct json *body = json_root(call->document);
    if (json_type(body) != JSON_TYPE_OBJECT) {
        error_set(error, ERROR_INVALID, "wrong_type", "", "the body must be a JSON object");
        return NULL;
    }
    return members == NULL || json_only_members(body, "", members, error) ? body : NULL;
}

bool api_read_nothing(struct api_call *call, struct error *error)
{
    size_t length;
    http_body(call->exchange, &length);
    return api_only_parameters(call, no_names, error) &&
           (length == 0 || api_read_body(call, no_names, error) != NULL);
}

bool api_read_why(struct api_call *call, const char **out, struct error *error)
{
    static const char *const members[] = {"reason", NULL};
    size_t length;
    *out = NULL;
    http_body(call->exchange, &length);
    if (length == 0) {
        return api_only_parameters(call, no_names, error);
    }
    const struct json *body = api_read_body(call, members, error);
    return body != NULL &&
           api_take_text(call, body, "reason", false, API_TEXT_BYTES_MAX, out, error);
}

bool api_missing(const char *name, struct error *error)
{
    char pointer[128];
    snprintf(pointer, sizeof pointer, "/%s", name);
    return error_set(error, ERROR_INVALID, "missing_member", pointer, "`%s` is required", name);
}

static bool wrong_type(const char *name, const char *wanted, struct error *error)
{
    char pointer[128];
    snprintf(pointer, sizeof pointer, "/%s", name);
    return error_set(error, ERROR_INVALID, "wrong_type", pointer, "`%s` must be %s", name, wanted);
}

/* Newline and tab are text; other controls are not, and would mislead whoever reads it. */
static bool has_controls(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool check_text(const struct json *value, const char *name, size_t bytes_max,
                       struct error *error)
{
    char pointer[128];
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (json_type(value) != JSON_TYPE_STRING) {
        return wrong_type(name, "a string", error);
    }
    size_t length = json_text_length(value);
    if (length > bytes_max) {
        return error_set(error, ERROR_INVALID, "too_long", pointer,
                         "`%s` has %zu bytes; at most %zu are taken", name, length, bytes_max);
    }
    if (has_controls(json_text(value), length)) {
        return error_set(error, ERROR_INVALID, "control_character", pointer,
                         "`%s` may hold no control characters", name);
    }
    return true;
}

bool api_take_text(struct api_call *call, const struct json *body, const char *name,
                   bool is_required, size_t bytes_max, const char **out, struct error *error)
{
    const struct json *value = json_member(body, name);
    *out = NULL;
    if (value == NULL || (!is_required && json_type(value) == JSON_TYPE_NULL)) {
        return !is_required || api_missing(name, error);
    }
    if (!check_text(value, name, bytes_max, error)) {
        return false;
    }
    *out = arena_copy(call->arena, json_text(value), json_text_length(value));
    return true;
}

bool api_take_bool(const struct json *body, const char *name, bool *out, struct error *error)
{
    const struct json *value = json_member(body, name);
    if (value == NULL) {
        return true;
    }
    enum json_type type = json_type(value);
    if (type != JSON_TYPE_TRUE && type != JSON_TYPE_FALSE) {
        return wrong_type(name, "true or false", error);
    }
    *out = type == JSON_TYPE_TRUE;
    return true;
}

bool api_take_integer(const struct json *body, const char *name, bool is_required, int64_t least,
                      int64_t most, int64_t *out, struct error *error)
{
    const struct json *value = json_member(body, name);
    char wanted[96];
    if (value == NULL) {
        return !is_required || api_missing(name, error);
    }
    int64_t number;
    if (!json_integer(value, &number) || number < least || number > most) {
        snprintf(wanted, sizeof wanted, "an integer from %lld to %lld", (long long)least,
                 (long long)most);
        return wrong_type(name, wanted, error);
    }
    *out = number;
    return true;
}

bool api_take_texts(struct api_call *call, const struct json *body, const char *name,
                    size_t count_max, const char ***out, size_t *out_count, struct error *error)
{
    const struct json *value = json_member(body, name);
    *out = NULL;
    *out_count = 0;
    if (value == NULL) {
        return true;
    }
    size_t count = json_count(value);
    if (json_type(value) != JSON_TYPE_ARRAY || count > count_max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "an array of at most %zu strings", count_max);
        return wrong_type(name, wanted, error);
    }
    const char **texts = arena_array(call->arena, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct json *element = json_element(value, i);
        char place[96];
        snprintf(place, sizeof place, "%s/%zu", name, i);
        if (!check_text(element, place, ENTITY_KEY_BYTES_MAX, error)) {
            return false;
        }
        texts[i] = arena_copy(call->arena, json_text(element), json_text_length(element));
    }
    *out = texts;
    *out_count = count;
    return true;
}

bool api_take_duration(struct api_call *call, const struct json *body, const char *name,
                       int64_t *out_ms, struct error *error)
{
    const char *text;
    if (!api_take_text(call, body, name, false, 32, &text, error)) {
        return false;
    }
    if (text == NULL) {
        return true;
    }
    if (!text_read_duration(text, out_ms) || *out_ms <= 0) {
        return wrong_type(name, "a duration such as \"90s\", \"15m\" or \"2h\"", error);
    }
    return true;
}

static const char *canonical_text(struct api_call *call, const struct json *value)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append(&text, value);
    return arena_copy(call->arena, text.bytes, text.length);
}

bool api_take_object(struct api_call *call, const struct json *body, const char *name,
                     bool is_required, const char **out_canonical, const struct json **out_object,
                     struct error *error)
{
    const struct json *value = json_member(body, name);
    *out_canonical = NULL;
    *out_object = NULL;
    if (value == NULL) {
        return !is_required || api_missing(name, error);
    }
    if (json_type(value) != JSON_TYPE_OBJECT) {
        return wrong_type(name, "an object", error);
    }
    *out_object = value;
    *out_canonical = canonical_text(call, value);
    return true;
}

/* A member of an entity that names it: present, text, bounded, no controls at all. */
static bool take_name(const struct json *object, const char *owner, const char *name,
                      size_t bytes_max, const char **out, struct error *error)
{
    char place[96];
    snprintf(place, sizeof place, "%s/%s", owner, name);
    const struct json *value = json_member(object, name);
    if (value == NULL) {
        return api_missing(place, error);
    }
    if (!check_text(value, place, bytes_max, error)) {
        return false;
    }
    const char *text = json_text(value);
    if (text[0] == '\0' || strpbrk(text, "\n\t") != NULL) {
        return wrong_type(place, "a non-empty text on one line", error);
    }
    *out = text;
    return true;
}

/* `properties`, where present, is an object. */
static bool check_properties(const struct json *object, const char *owner, struct error *error)
{
    char place[96];
    snprintf(place, sizeof place, "%s/properties", owner);
    const struct json *properties = json_member(object, "properties");
    return properties == NULL || json_type(properties) == JSON_TYPE_OBJECT ||
           wrong_type(place, "an object", error);
}

/* Whoever speaks a standard may send members of a later one; they are bound with the rest. */
static bool is_open(const struct api_call *call)
{
    return call->route->dialect != API_DIALECT_OURS;
}

bool api_take_entity(struct api_call *call, const struct json *body, const char *name,
                     bool is_required, const char **out_canonical, const char **out_key,
                     struct error *error)
{
    const struct json *object;
    const char *type = NULL;
    const char *id = NULL;
    char pointer[64];
    char key[SUBJECT_BYTES];
    snprintf(pointer, sizeof pointer, "/%s", name);
    *out_key = NULL;
    if (!api_take_object(call, body, name, is_required, out_canonical, &object, error)) {
        return false;
    }
    if (object == NULL) {
        return true;
    }
    if ((!is_open(call) && !json_only_members(object, pointer, entity_members, error)) ||
        !take_name(object, name, "type", 64, &type, error) ||
        !take_name(object, name, "id", ENTITY_KEY_BYTES_MAX, &id, error) ||
        !check_properties(object, name, error)) {
        return false;
    }
    if (!identity_make_key(type, id, key, sizeof key)) {
        return error_set(error, ERROR_INVALID, "bad_entity", pointer,
                         "`%s` needs a `type` without `/` and an `id`, together at most %d bytes",
                         name, ENTITY_KEY_BYTES_MAX);
    }
    *out_key = arena_text(call->arena, key);
    return true;
}

/* Arguments, where given, are an object: that is what is shown, hashed and run. */
static bool check_arguments(const struct json *action, struct error *error)
{
    const struct json *arguments = json_member(json_member(action, "properties"), "args");
    return arguments == NULL || json_type(arguments) == JSON_TYPE_OBJECT ||
           wrong_type("action/properties/args", "an object", error);
}

bool api_take_action(struct api_call *call, const struct json *body, const char **out_canonical,
                     const char **out_name, struct error *error)
{
    const struct json *action;
    const char *name;
    if (!api_take_object(call, body, "action", true, out_canonical, &action, error) ||
        (!is_open(call) && !json_only_members(action, "/action", action_members, error)) ||
        !take_name(action, "action", "name", ACTION_NAME_BYTES_MAX, &name, error) ||
        !check_properties(action, "action", error) || !check_arguments(action, error)) {
        return false;
    }
    *out_name = arena_text(call->arena, name);
    return true;
}

bool api_take_context(struct api_call *call, const struct json *body, bool is_required,
                      const char **out_canonical, struct error *error)
{
    const struct json *context;
    if (!api_take_object(call, body, "context", false, out_canonical, &context, error)) {
        return false;
    }
    if (context == NULL) {
        *out_canonical = is_required ? "{}" : NULL;
        return true;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append_without(&text, context, call->api->options.uncounted_context);
    *out_canonical = arena_copy(call->arena, text.bytes, text.length);
    return true;
}

/* ---- query parameters ---- */

struct known_names {
    const char *const *names;
    char unknown[64];
};

static bool check_parameter(void *context, const char *name, const char *value)
{
    struct known_names *known = context;
    (void)value;
    for (const char *const *at = known->names; *at != NULL; at++) {
        if (strcmp(*at, name) == 0) {
            return true;
        }
    }
    snprintf(known->unknown, sizeof known->unknown, "%s", name);
    return false;
}

bool api_only_parameters(struct api_call *call, const char *const *names, struct error *error)
{
    struct known_names known = {.names = names};
    if (!http_query_each(call->exchange, check_parameter, &known, error)) {
        return false;
    }
    if (known.unknown[0] != '\0') {
        return error_set(
            error, ERROR_INVALID, "unknown_parameter", known.unknown,
            "`%s` is not a parameter of this path; a typo must not change what is asked",
            known.unknown);
    }
    return true;
}

bool api_take_parameter(struct api_call *call, const char *name, const char **out,
                        struct error *error)
{
    struct builder value BUILDER_SCOPE;
    builder_init(&value, 1024);
    bool is_present = false;
    *out = NULL;
    if (!http_query_value(call->exchange, name, &value, &is_present, error)) {
        return false;
    }
    if (builder_failed(&value)) {
        return error_set(error, ERROR_INVALID, "too_long", name, "`%s` is too long", name);
    }
    if (is_present && !text_is_utf8(value.bytes, value.length)) {
        return error_set(error, ERROR_INVALID, "invalid_parameter", name,
                         "`%s` must be percent-encoded UTF-8", name);
    }
    if (is_present) {
        *out = arena_copy(call->arena, value.bytes, value.length);
    }
    return true;
}

bool api_take_limit(struct api_call *call, size_t *out, struct error *error)
{
    const char *text;
    if (!api_take_parameter(call, "limit", &text, error)) {
        return false;
    }
    *out = 50;
    if (text == NULL) {
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    long limit = digits > 0 && digits < 5 && text[digits] == '\0' ? strtol(text, NULL, 10) : 0;
    if (limit < 1 || limit > 200) {
        return error_set(error, ERROR_INVALID, "bad_parameter", "limit",
                         "`limit` must be a number from 1 to 200");
    }
    *out = (size_t)limit;
    return true;
}

bool api_take_number(struct api_call *call, const char *name, int64_t fallback, int64_t *out,
                     struct error *error)
{
    const char *text;
    if (!api_take_parameter(call, name, &text, error)) {
        return false;
    }
    *out = fallback;
    if (text == NULL) {
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits] != '\0') {
        return error_set(error, ERROR_INVALID, "bad_parameter", name, "`%s` must be a number",
                         name);
    }
    *out = strtoll(text, NULL, 10);
    return true;
}

/* `owner/name` as a place in pointers and messages. */
static bool take_member(const struct json *object, const char *owner, const char *name,
                        size_t bytes_max, char place[96], const struct json **out,
                        struct error *error)
{
    snprintf(place, 96, "%s%s%s", owner, owner[0] == '\0' ? "" : "/", name);
    *out = json_member(object, name);
    if (*out == NULL) {
        return api_missing(place, error);
    }
    return check_text(*out, place, bytes_max, error);
}

bool api_take_inner_text(struct api_call *call, const struct json *object, const char *owner,
                         const char *name, size_t bytes_max, const char **out, struct error *error)
{
    char place[96];
    const struct json *value;
    if (!take_member(object, owner, name, bytes_max, place, &value, error)) {
        return false;
    }
    *out = arena_copy(call->arena, json_text(value), json_text_length(value));
    return true;
}

bool api_take_base64url(struct api_call *call, const struct json *object, const char *owner,
                        const char *name, size_t bytes_max, const char **out_text,
                        struct webauthn_bytes *out_bytes, struct error *error)
{
    char place[96];
    const struct json *value;
    if (!take_member(object, owner, name, (bytes_max * 4 + 2) / 3, place, &value, error)) {
        return false;
    }
    unsigned char *bytes = arena_alloc(call->arena, bytes_max);
    size_t length = 0;
    if (!text_read_base64url(json_text(value), json_text_length(value), bytes, bytes_max,
                             &length)) {
        return wrong_type(place, "base64url without padding", error);
    }
    *out_text = arena_copy(call->arena, json_text(value), json_text_length(value));
    *out_bytes = (struct webauthn_bytes){bytes, length};
    return true;
}
