#include "base/check.h"
#include "formats/formats_internal.h"
#include "formats/text.h"
#include "formats/yaml.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES_MAX = 40 };

bool yaml_fail(const char *name, const struct yaml_node *node, struct error *error,
               const char *code, const char *format, ...)
{
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set_at(error, ERROR_INVALID, code, name, node == NULL ? 0 : node->line,
                        node == NULL ? 0 : node->column, "%s", message);
}

static bool fail_expected(const char *name, const struct yaml_node *node, struct error *error,
                          const char *expected)
{
    if (node == NULL) {
        return yaml_fail(name, NULL, error, "missing_value", "%s is missing", expected);
    }
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    builder_printf(&message, "%s must stand here, not ", expected);
    if (node->type != YAML_SCALAR) {
        builder_text(&message, node->type == YAML_SEQUENCE ? "a list" : "a mapping");
    } else if (node->length == 0) {
        builder_text(&message, "nothing");
    } else {
        builder_char(&message, '`');
        text_append_visible(&message, node->text, text_cut(node->text, SHOWN_BYTES_MAX));
        builder_char(&message, '`');
        builder_text(&message, node->is_plain ? "" : " in quotes");
    }
    return yaml_fail(name, node, error, "invalid_value", "%s", message.bytes);
}

const struct yaml_node *yaml_member(const struct yaml_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING) {
        return NULL;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->keys[i]->text, key) == 0) {
            return mapping->items[i];
        }
    }
    return NULL;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_key(const char *name, const struct yaml_node *key, const char *const *known,
                       struct error *error)
{
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    builder_text(&message, "unknown key `");
    text_append_visible(&message, key->text, text_cut(key->text, SHOWN_BYTES_MAX));
    builder_text(&message, "`: ");
    const char *nearest = text_nearest_word(key->text, known);
    if (nearest != NULL) {
        builder_printf(&message, "did you mean `%s`?", nearest);
    } else if (known[0] != NULL) {
        builder_text(&message, "known are ");
        formats_list_words(&message, known);
    } else {
        builder_text(&message, "leave it out");
    }
    return yaml_fail(name, key, error, "unknown_key", "%s", message.bytes);
}

bool yaml_only_keys(const char *name, const struct yaml_node *mapping, const char *const *keys,
                    struct error *error)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING) {
        return fail_expected(name, mapping, error, "a mapping (`key: value` lines)");
    }
    for (size_t i = 0; i < mapping->count; i++) {
        if (!is_one_of(mapping->keys[i]->text, keys)) {
            return refuse_key(name, mapping->keys[i], keys, error);
        }
    }
    return true;
}

static bool is_plain_null(const struct yaml_node *scalar)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    return scalar->is_plain && is_one_of(scalar->text, nulls);
}

bool yaml_read_text(const char *name, const struct yaml_node *node, const char **out_text,
                    struct error *error)
{
    if (node == NULL || node->type != YAML_SCALAR) {
        return fail_expected(name, node, error, "a text");
    }
    if (is_plain_null(node)) {
        return yaml_fail(name, node, error, "invalid_value",
                         "a text must stand here: an empty value or `%s` reads as nothing in YAML, "
                         "so put it in quotes if it is meant",
                         node->text);
    }
    *out_text = node->text;
    return true;
}

bool yaml_read_bool(const char *name, const struct yaml_node *node, bool *out_value,
                    struct error *error)
{
    bool is_plain = node != NULL && node->type == YAML_SCALAR && node->is_plain;
    bool is_true = is_plain && strcmp(node->text, "true") == 0;
    if (!is_true && !(is_plain && strcmp(node->text, "false") == 0)) {
        return fail_expected(name, node, error, "`true` or `false`, without quotes,");
    }
    *out_value = is_true;
    return true;
}

static bool read_digits(const char *text, int64_t *out_value)
{
    int64_t value = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value)) {
            return false;
        }
    }
    *out_value = value;
    return *text != '\0';
}

bool yaml_read_integer(const char *name, const struct yaml_node *node, int64_t least, int64_t most,
                       int64_t *out_value, struct error *error)
{
    int64_t value;
    bool is_plain = node != NULL && node->type == YAML_SCALAR && node->is_plain;
    /* Elsewhere a leading zero means octal: refused, so that no two readers disagree. */
    bool is_octal = is_plain && node->text[0] == '0' && node->length > 1;
    if (!is_plain || is_octal || !read_digits(node->text, &value) || value < least ||
        value > most) {
        char expected[120];
        snprintf(expected, sizeof expected,
                 "a whole number from %" PRId64 " to %" PRId64 ", in digits without quotes,", least,
                 most);
        return fail_expected(name, node, error, expected);
    }
    *out_value = value;
    return true;
}

bool yaml_read_duration(const char *name, const struct yaml_node *node, int64_t least_ms,
                        int64_t most_ms, int64_t *out_ms, struct error *error)
{
    int64_t ms;
    if (node == NULL || node->type != YAML_SCALAR || !text_read_duration(node->text, &ms) ||
        ms < least_ms || ms > most_ms) {
        struct builder expected BUILDER_SCOPE;
        builder_init(&expected, 0);
        builder_text(&expected, "a duration from ");
        text_append_duration(&expected, least_ms);
        builder_text(&expected, " to ");
        text_append_duration(&expected, most_ms);
        builder_text(&expected, ", a number and ms, s, m, h or d like `15m`,");
        return fail_expected(name, node, error, expected.bytes);
    }
    *out_ms = ms;
    return true;
}

static size_t span_digits(const char *text)
{
    return strspn(text, "0123456789_");
}

/* What YAML 1.1 (yaml.org/type/int, float) reads as a number: decimal, octal, 0x, 0b, sexagesimal,
 * fractions, exponents, .inf and .nan. */
static bool is_number_like(const char *text)
{
    static const char *const names[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    const char *at = text + (*text == '-' || *text == '+');
    if (is_one_of(at, names)) {
        return true;
    }
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'b' || at[1] == 'o') && at[2] != '\0') {
        return at[2 + strspn(at + 2, "0123456789abcdefABCDEF_")] == '\0';
    }
    size_t whole = *at == '_' ? 0 : span_digits(at);
    at += whole;
    while (whole > 0 && *at == ':' && span_digits(at + 1) > 0) {
        at += 1 + span_digits(at + 1);
    }
    size_t fraction = 0;
    if (*at == '.') {
        fraction = span_digits(at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '-' || at[1] == '+');
        return *at != '\0' && at[span_digits(at)] == '\0';
    }
    return *at == '\0';
}

static bool is_bool_like(const char *text)
{
    static const char *const bools[] = {
        "y",    "Y",     "yes",   "Yes",   "YES", "n",  "N",  "no",  "No",  "NO",  "true", "True",
        "TRUE", "false", "False", "FALSE", "on",  "On", "ON", "off", "Off", "OFF", NULL};
    return is_one_of(text, bools);
}

static bool read_element(const char *name, const struct yaml_node *node, const char **out_text,
                         struct error *error)
{
    if (!yaml_read_text(name, node, out_text, error)) {
        return false;
    }
    if (node->is_plain && (is_bool_like(node->text) || is_number_like(node->text))) {
        struct builder shown BUILDER_SCOPE;
        builder_init(&shown, 0);
        text_append_visible(&shown, node->text, text_cut(node->text, SHOWN_BYTES_MAX));
        return yaml_fail(name, node, error, "invalid_value",
                         "`%s` is a %s in YAML: put it in quotes if the text is meant", shown.bytes,
                         is_bool_like(node->text) ? "truth value" : "number");
    }
    return true;
}

bool yaml_read_texts(const char *name, const struct yaml_node *node, bool accepts_one,
                     struct arena *arena, const char ***out_texts, size_t *out_count,
                     struct error *error)
{
    bool is_one = node != NULL && node->type == YAML_SCALAR && accepts_one;
    if (!is_one && (node == NULL || node->type != YAML_SEQUENCE)) {
        return fail_expected(name, node, error,
                             accepts_one ? "a text or a list of texts" : "a list of texts");
    }
    size_t count = is_one ? 1 : node->count;
    const char **texts = arena_array(arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        if (!read_element(name, is_one ? node : node->items[i], &texts[i], error)) {
            return false;
        }
    }
    *out_texts = texts;
    *out_count = count;
    return true;
}
