#include "policy/cel/network_internal.h"
#include "policy/cel/strings_internal.h"
#include "policy/cel/time_internal.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 6, WHOLE_TEXT_MAX = 66, DIGITS_MOST = 17 };

struct formatting {
    struct builder *out;
    char *problem;
};

static bool fail(const struct formatting *formatting, const char *text, const char *given)
{
    snprintf(formatting->problem, CEL_FORMAT_PROBLEM_BYTES, "%s%s", text, given);
    return false;
}

/* printf writes the decimal point of the host's locale, of which CEL knows nothing. */
static void append_number(struct builder *out, const char *text)
{
    bool was_foreign = false;
    for (; *text != '\0'; text++) {
        bool is_foreign = strchr("0123456789+-e", *text) == NULL;
        if (!is_foreign || !was_foreign) {
            builder_char(out, is_foreign ? '.' : *text);
        }
        was_foreign = is_foreign;
    }
}

/* NaN and the infinities; false for what has digits. */
static bool append_special(struct builder *out, double real)
{
    if (isfinite(real)) {
        return false;
    }
    builder_text(out, isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
    return true;
}

/* "d.ddde-xx" of the fewest digits that read back as the number; returns how many. What 15 digits
 * tell is told by them without their last zeros, except below DBL_MIN where precision is lost. */
static int shortest_digits(char *text, size_t size, double real)
{
    int digits = fabs(real) < DBL_MIN ? 1 : DBL_DIG;
    do {
        snprintf(text, size, "%.*e", digits - 1, real);
    } while (strtod(text, NULL) != real && digits++ < DIGITS_MOST);
    const char *last = strchr(text, 'e') - 1;
    while (digits > 1 && *last == '0') {
        last--;
        digits--;
    }
    return digits;
}

void cel_text_double(struct builder *out, double real)
{
    char text[512]; /* DBL_MAX has 309 digits, the least number 17 after 323 zeros */
    if (append_special(out, real)) {
        return;
    }
    int digits = shortest_digits(text, sizeof text, real);
    int exponent = atoi(strchr(text, 'e') + 1);
    int decimals = digits - 1 - exponent;
    if (decimals >= 0) {
        snprintf(text, sizeof text, "%.*f", decimals, real);
        append_number(out, text);
        return;
    }
    /* The digits that tell it, then zeros: `%.0f` would go on with those of the binary number. */
    for (const char *at = text; *at != 'e' && digits > 0; at++) {
        if (*at == '-' || (*at >= '0' && *at <= '9')) {
            builder_char(out, *at);
            digits -= *at != '-';
        }
    }
    for (; decimals < 0; decimals++) {
        builder_char(out, '0');
    }
}

static bool append_value(const struct formatting *formatting, struct cel_value value, int depth);

static bool append_list(const struct formatting *formatting, struct cel_value list, int depth)
{
    builder_char(formatting->out, '[');
    for (size_t i = 0; i < list.length; i++) {
        if (i > 0) {
            builder_text(formatting->out, ", ");
        }
        if (builder_failed(formatting->out) ||
            !append_value(formatting, list.as.items[i], depth + 1)) {
            return false;
        }
    }
    builder_char(formatting->out, ']');
    return true;
}

/* The text of a map's key, as it is sorted by. */
struct key_text {
    const struct cel_entry *entry;
    const char *bytes;
    size_t length;
    char digits[24];
};

static int compare_keys(const void *left_pointer, const void *right_pointer)
{
    const struct key_text *left = left_pointer, *right = right_pointer;
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = shorter == 0 ? 0 : memcmp(left->bytes, right->bytes, shorter);
    if (order != 0) {
        return order;
    }
    if (left->length != right->length) {
        return left->length < right->length ? -1 : 1;
    }
    return left->entry < right->entry ? -1 : left->entry > right->entry;
}

static void read_key(struct key_text *out, const struct cel_entry *entry)
{
    struct cel_value key = entry->key;
    out->entry = entry;
    if (key.kind == CEL_STRING) {
        out->bytes = key.as.bytes;
        out->length = key.length;
        return;
    }
    int length =
        key.kind == CEL_BOOL
            ? snprintf(out->digits, sizeof out->digits, "%s", key.as.boolean ? "true" : "false")
        : key.kind == CEL_INT
            ? snprintf(out->digits, sizeof out->digits, "%lld", (long long)key.as.integer)
            : snprintf(out->digits, sizeof out->digits, "%llu", (unsigned long long)key.as.natural);
    out->bytes = NULL; /* qsort moves it */
    out->length = (size_t)length;
}

static bool append_entries(const struct formatting *formatting, struct key_text *keys, size_t count,
                           int depth)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            builder_text(formatting->out, ", ");
        }
        builder_append(formatting->out, keys[i].bytes, keys[i].length);
        builder_text(formatting->out, ": ");
        if (builder_failed(formatting->out) ||
            !append_value(formatting, keys[i].entry->value, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool append_map(const struct formatting *formatting, const struct cel_map *map, int depth)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct key_text *keys = arena_array(scratch, map->count + 1, sizeof *keys);
    for (size_t i = 0; i < map->count; i++) {
        read_key(&keys[i], &map->entries[i]);
    }
    for (size_t i = 0; i < map->count; i++) {
        if (keys[i].bytes == NULL) {
            keys[i].bytes = arena_copy(scratch, keys[i].digits, keys[i].length);
        }
    }
    qsort(keys, map->count, sizeof *keys, compare_keys);
    builder_char(formatting->out, '{');
    bool is_fine = append_entries(formatting, keys, map->count, depth);
    builder_char(formatting->out, '}');
    return is_fine;
}

static bool append_value(const struct formatting *formatting, struct cel_value value, int depth)
{
    struct builder *out = formatting->out;
    char text[CEL_NETWORK_TEXT_MAX];
    if (depth > CEL_DEPTH_MAX) {
        return fail(formatting, "values are nested too deeply", "");
    }
    switch ((enum cel_kind)value.kind) {
    case CEL_NULL:
        builder_text(out, "null");
        return true;
    case CEL_BOOL:
        builder_text(out, value.as.boolean ? "true" : "false");
        return true;
    case CEL_INT:
        builder_printf(out, "%lld", (long long)value.as.integer);
        return true;
    case CEL_UINT:
        builder_printf(out, "%llu", (unsigned long long)value.as.natural);
        return true;
    case CEL_DOUBLE:
        cel_text_double(out, value.as.real);
        return true;
    case CEL_BYTES:
        if (!cel_utf8_is_valid(value.as.bytes, value.length)) {
            return fail(formatting, "the bytes are not UTF-8 text", "");
        }
        builder_append(out, value.as.bytes, value.length);
        return true;
    case CEL_STRING:
        builder_append(out, value.as.bytes, value.length);
        return true;
    case CEL_LIST:
        return append_list(formatting, value, depth);
    case CEL_MAP:
        return append_map(formatting, value.as.map, depth);
    case CEL_TIMESTAMP:
        builder_append(out, text, cel_time_print_timestamp(text, value));
        return true;
    case CEL_DURATION:
        builder_append(out, text, cel_time_print_duration(text, value));
        return true;
    case CEL_TYPE:
        builder_text(out, value.as.type_name);
        return true;
    case CEL_IP:
        builder_append(out, text, cel_network_print_ip(text, value.as.network));
        return true;
    case CEL_CIDR:
        builder_append(out, text, cel_network_print_cidr(text, value.as.network));
        return true;
    case CEL_OPTIONAL:
    case CEL_ABSTRACT:
    case CEL_ERROR:
        break;
    }
    return fail(formatting,
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, "
                "lists, types, durations and timestamps, was given ",
                cel_kind_name(value.kind));
}

static bool append_decimal(const struct formatting *formatting, struct cel_value value)
{
    if (value.kind != CEL_INT && value.kind != CEL_UINT && value.kind != CEL_DOUBLE) {
        return fail(formatting, "decimal clause can only be used on numbers, was given ",
                    cel_kind_name(value.kind));
    }
    return append_value(formatting, value, 0);
}

/* `%f` and `%e`. */
static bool append_real(const struct formatting *formatting, struct cel_value value, int precision,
                        bool is_scientific)
{
    if (value.kind != CEL_INT && value.kind != CEL_UINT && value.kind != CEL_DOUBLE) {
        return fail(formatting,
                    is_scientific ? "scientific clause can only be used on numbers, was given "
                                  : "fixed-point clause can only be used on numbers, was given ",
                    cel_kind_name(value.kind));
    }
    double real = value.kind == CEL_INT    ? (double)value.as.integer
                  : value.kind == CEL_UINT ? (double)value.as.natural
                                           : value.as.real;
    char text[512]; /* 309 digits, CEL_FORMAT_PRECISION_MAX decimals */
    if (!append_special(formatting->out, real)) {
        snprintf(text, sizeof text, is_scientific ? "%.*e" : "%.*f", precision, real);
        append_number(formatting->out, text);
    }
    return true;
}

static void append_digits(struct builder *out, uint64_t magnitude, bool is_negative, unsigned base,
                          const char *digits)
{
    char text[WHOLE_TEXT_MAX], *at = text + sizeof text;
    do {
        *--at = digits[magnitude % base];
        magnitude /= base;
    } while (magnitude > 0);
    if (is_negative) {
        *--at = '-';
    }
    builder_append(out, at, (size_t)(text + sizeof text - at));
}

/* A whole number in base 2, 8 or 16; false for other kinds. */
static bool append_whole(const struct formatting *formatting, struct cel_value value, unsigned base,
                         const char *digits)
{
    bool is_negative = value.kind == CEL_INT && value.as.integer < 0;
    uint64_t magnitude = is_negative ? 0 - value.as.natural : value.as.natural;
    if (value.kind != CEL_INT && value.kind != CEL_UINT) {
        return false;
    }
    append_digits(formatting->out, magnitude, is_negative, base, digits);
    return true;
}

static bool append_binary(const struct formatting *formatting, struct cel_value value)
{
    if (value.kind == CEL_BOOL) {
        builder_char(formatting->out, value.as.boolean ? '1' : '0');
        return true;
    }
    return append_whole(formatting, value, 2, "01") ||
           fail(formatting, "only integers and bools can be formatted as binary, was given ",
                cel_kind_name(value.kind));
}

static bool append_octal(const struct formatting *formatting, struct cel_value value)
{
    return append_whole(formatting, value, 8, "01234567") ||
           fail(formatting, "octal clause can only be used on integers, was given ",
                cel_kind_name(value.kind));
}

static bool append_hex(const struct formatting *formatting, struct cel_value value,
                       const char *digits)
{
    if (value.kind == CEL_STRING || value.kind == CEL_BYTES) {
        for (size_t i = 0; i < value.length && !builder_failed(formatting->out); i++) {
            unsigned char byte = (unsigned char)value.as.bytes[i];
            builder_char(formatting->out, digits[byte >> 4]);
            builder_char(formatting->out, digits[byte & 15]);
        }
        return true;
    }
    return append_whole(formatting, value, 16, digits) ||
           fail(formatting,
                "only integers, byte buffers, and strings can be formatted as hex, was given ",
                cel_kind_name(value.kind));
}

static bool append_clause(const struct formatting *formatting, char verb, int precision,
                          struct cel_value value)
{
    switch (verb) {
    case 's':
        return append_value(formatting, value, 0);
    case 'd':
        return append_decimal(formatting, value);
    case 'f':
        return append_real(formatting, value, precision, false);
    case 'e':
        return append_real(formatting, value, precision, true);
    case 'b':
        return append_binary(formatting, value);
    case 'o':
        return append_octal(formatting, value);
    case 'x':
        return append_hex(formatting, value, "0123456789abcdef");
    default: /* 'X', read_clause let nothing else pass */
        return append_hex(formatting, value, "0123456789ABCDEF");
    }
}

/* Reads what follows a `%`: an optional ".precision" and the verb. */
static bool read_clause(const struct formatting *formatting, struct cel_text format, size_t *at,
                        int *out_precision, char *out_verb)
{
    *out_precision = PRECISION;
    if (*at < format.length && format.bytes[*at] == '.') {
        size_t start = ++*at;
        for (*out_precision = 0;
             *at < format.length && format.bytes[*at] >= '0' && format.bytes[*at] <= '9' &&
             *out_precision <= CEL_FORMAT_PRECISION_MAX;
             ++*at) {
            *out_precision = *out_precision * 10 + format.bytes[*at] - '0';
        }
        if (*at == start || *out_precision > CEL_FORMAT_PRECISION_MAX) {
            return fail(formatting, "a precision is a number from 0 to 100", "");
        }
    }
    if (*at == format.length) {
        return fail(formatting, "unexpected end of the format: a `%` without a clause", "");
    }
    *out_verb = format.bytes[(*at)++];
    if (*out_verb == '\0' || strchr("sdfeboxX", *out_verb) == NULL) {
        char shown[] = {'`', *out_verb >= ' ' && *out_verb < 0x7f ? *out_verb : '?', '`', '\0'};
        return fail(formatting, "unrecognized formatting clause ", shown);
    }
    return true;
}

bool cel_text_format(struct builder *out, struct cel_text format, const struct cel_value *args,
                     size_t count, char problem[CEL_FORMAT_PROBLEM_BYTES])
{
    struct formatting formatting = {out, problem};
    size_t used = 0;
    problem[0] = '\0';
    for (size_t at = 0; at < format.length && !builder_failed(out);) {
        if (format.bytes[at] != '%') {
            builder_append(out, format.bytes + at++, 1);
            continue;
        }
        at++;
        if (at < format.length && format.bytes[at] == '%') {
            builder_char(out, '%');
            at++;
            continue;
        }
        int precision;
        char verb;
        if (!read_clause(&formatting, format, &at, &precision, &verb)) {
            return false;
        }
        if (used == count) {
            snprintf(problem, CEL_FORMAT_PROBLEM_BYTES, "index %zu out of range", used);
            return false;
        }
        if (!append_clause(&formatting, verb, precision, args[used++])) {
            return false;
        }
    }
    return !builder_failed(out);
}
