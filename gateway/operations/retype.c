#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include "operations/attention_internal.h"
#include <stdio.h>
#include <string.h>

/*
 * The approver of a critical request retypes what matters most, as the tool's description names it.
 * What was typed must be the text itself, so that a letter that only looks the same does not pass.
 */

enum { NAMES_MAX = 32 };

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

const char *names_text(struct operation *operation, const char *const *names, size_t count)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    if (count == 0) {
        return NULL;
    }
    canonical_begin(&writer, &text);
    canonical_open_array(&writer);
    for (size_t i = 0; i < count; i++) {
        canonical_string(&writer, names[i]);
    }
    canonical_close_array(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

const char *names_union(struct operation *operation, const char *stored, const char *const *names,
                        size_t count)
{
    const char *both[NAMES_MAX];
    size_t total = 0;
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE =
        stored == NULL ? NULL : json_parse(stored, strlen(stored), &ignored);
    const struct json *list = document == NULL ? NULL : json_root(document);
    for (size_t i = 0; i < json_count(list) && total < NAMES_MAX; i++) {
        both[total++] = json_text(json_element(list, i));
    }
    for (size_t i = 0; i < count && total < NAMES_MAX; i++) {
        if (!has_name(both, total, names[i])) {
            both[total++] = names[i];
        }
    }
    return names_text(operation, both, total);
}

/* The text of a string, else the canonical text of the value. */
static void append_plain(struct builder *out, const struct json *value)
{
    if (json_type(value) == JSON_TYPE_STRING) {
        builder_append(out, json_text(value), json_text_length(value));
    } else {
        canonical_append(out, value);
    }
}

static bool refuse_mismatch(const char *name, const struct builder *wanted, const char *typed,
                            struct error *error)
{
    size_t same = 0;
    while (typed[same] != '\0' && same < wanted->length && typed[same] == wanted->bytes[same]) {
        same++;
    }
    while (same > 0 && ((unsigned char)wanted->bytes[same] & 0xC0) == 0x80) {
        same--;
    }
    struct builder rest BUILDER_SCOPE;
    builder_init(&rest, 0);
    text_append_visible(&rest, wanted->bytes + same, text_cut(wanted->bytes + same, 8));
    return error_set(error, ERROR_INVALID, "retype_mismatch", name,
                     "what you typed for `%.64s` is not what would run: they differ from byte %zu "
                     "on, where the request has `%s`",
                     name, same + 1, rest.bytes);
}

static bool check_name(const struct json *arguments, const struct json *typed, const char *name,
                       bool *out_was_retyped, struct error *error)
{
    const struct json *value = json_member(arguments, name);
    const struct json *given = json_member(typed, name);
    const char *text = json_text(given);
    struct builder wanted BUILDER_SCOPE;
    builder_init(&wanted, 0);
    if (value == NULL) {
        return true; /* the tool may go without it */
    }
    if (text == NULL) {
        return error_set(error, ERROR_INVALID, "retype_missing", name,
                         "retype `%.64s`: who approves a critical request types what it is about",
                         name);
    }
    append_plain(&wanted, value);
    *out_was_retyped = true;
    return (wanted.length == json_text_length(given) &&
            memcmp(wanted.bytes, text, wanted.length) == 0) ||
           refuse_mismatch(name, &wanted, text, error);
}

bool check_retyped(const struct request_row *request, const char *retyped, bool *out_was_retyped,
                   struct error *error)
{
    static const char nothing[] = "{}";
    *out_was_retyped = false;
    if (request->challenge == NULL || request->risk != POLICY_RISK_CRITICAL ||
        request->action == NULL) {
        return true;
    }
    const char *typed_text = retyped == NULL ? nothing : retyped;
    struct json_document *names JSON_SCOPE =
        json_parse(request->challenge, strlen(request->challenge), error);
    struct json_document *action JSON_SCOPE =
        json_parse(request->action, strlen(request->action), error);
    struct json_document *typed JSON_SCOPE = json_parse(typed_text, strlen(typed_text), error);
    if (names == NULL || action == NULL || typed == NULL) {
        return false;
    }
    const struct json *arguments =
        json_member(json_member(json_root(action), "properties"), "args");
    const struct json *list = json_root(names);
    for (size_t i = 0; i < json_count(list); i++) {
        if (!check_name(arguments, json_root(typed), json_text(json_element(list, i)),
                        out_was_retyped, error)) {
            return false;
        }
    }
    return true;
}
