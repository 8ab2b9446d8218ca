#include <jansson.h>

#include "formats/canonical.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/formats_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_ON_STACK = 24, NUMBER_BYTES = 40 };

struct member {
    const char *name;
    json_t *value;
};

static void append_value(struct builder *out, json_t *value);

/* Order of UTF-16 code units (RFC 8785 section 3.2.3). It is the order of UTF-8 bytes but for the
 * characters past U+FFFF (first byte F0 and above), whose surrogates D800-DFFF come before
 * U+E000-U+FFFF (first byte EE and EF). Two texts first differ in continuation bytes or in first
 * bytes, never in one of each. */
static int compare_names(const char *left, const char *right)
{
    const unsigned char *a = (const unsigned char *)left;
    const unsigned char *b = (const unsigned char *)right;
    while (*a == *b && *a != '\0') {
        a++;
        b++;
    }
    if (*a >= 0xEE && *b >= 0xEE && (*a >= 0xF0) != (*b >= 0xF0)) {
        return *a >= 0xF0 ? -1 : 1;
    }
    return (int)*a - (int)*b;
}

static int compare_members(const void *left, const void *right)
{
    return compare_names(((const struct member *)left)->name, ((const struct member *)right)->name);
}

static bool is_left_out(const char *name, const char *const *left_out)
{
    for (; left_out != NULL && *left_out != NULL; left_out++) {
        if (strcmp(name, *left_out) == 0) {
            return true;
        }
    }
    return false;
}

/* Members often come sorted: then sorting is skipped. */
static size_t collect_members(json_t *object, const char *const *left_out, struct member *members)
{
    size_t count = 0;
    bool is_sorted = true;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        if (is_left_out(name, left_out)) {
            continue;
        }
        members[count] = (struct member){.name = name, .value = json_object_iter_value(at)};
        is_sorted = is_sorted && (count == 0 || compare_names(members[count - 1].name, name) < 0);
        count++;
    }
    if (!is_sorted) {
        qsort(members, count, sizeof members[0], compare_members);
    }
    return count;
}

static void append_object(struct builder *out, json_t *object, const char *const *left_out)
{
    struct member on_stack[MEMBERS_ON_STACK];
    size_t size = json_object_size(object);
    struct member *members =
        size <= MEMBERS_ON_STACK ? on_stack : memory_zeroed(size, sizeof(struct member));
    size_t count = collect_members(object, left_out, members);
    builder_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            builder_char(out, ',');
        }
        canonical_append_string(out, members[i].name, strlen(members[i].name));
        builder_char(out, ':');
        append_value(out, members[i].value);
    }
    builder_char(out, '}');
    if (members != on_stack) {
        free(members);
    }
}

static void append_array(struct builder *out, json_t *array)
{
    builder_char(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0) {
            builder_char(out, ',');
        }
        append_value(out, json_array_get(array, i));
    }
    builder_char(out, ']');
}

/* Recursion is bounded by JSON_DEPTH_MAX, which json_parse enforces. */
static void append_value(struct builder *out, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        append_object(out, value, NULL);
        break;
    case JSON_ARRAY:
        append_array(out, value);
        break;
    case JSON_STRING:
        canonical_append_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        canonical_append_number(out, json_number_value(value));
        break;
    case JSON_TRUE:
        builder_append(out, "true", 4);
        break;
    case JSON_FALSE:
        builder_append(out, "false", 5);
        break;
    case JSON_NULL:
        builder_append(out, "null", 4);
        break;
    }
}

/* jansson reads without writing, but its signatures are not const. */
static json_t *writable(const struct json *value)
{
    union {
        const struct json *lent;
        json_t *own;
    } both = {.lent = value};
    return both.own;
}

void canonical_append(struct builder *out, const struct json *value)
{
    CHECK(value != NULL);
    append_value(out, writable(value));
}

void canonical_append_without(struct builder *out, const struct json *object,
                              const char *const *left_out)
{
    CHECK(json_type_of(object) == JSON_TYPE_OBJECT);
    append_object(out, writable(object), left_out);
}

static void append_escape(struct builder *out, unsigned char character)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                       ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (short_forms[character] != '\0') {
        char escape[2] = {'\\', short_forms[character]};
        builder_append(out, escape, sizeof escape);
        return;
    }
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[character >> 4], hex[character & 15]};
    builder_append(out, escape, sizeof escape);
}

static bool needs_escape(unsigned char character)
{
    return character < 0x20 || character == '"' || character == '\\';
}

/* Sixteen bytes at once, by the compiler's vectors: nearly all bytes of a ledger pass here. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

static bool is_plain(bytes16 bytes)
{
    bytes16 found = (bytes16)((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
    uint64_t halves[2];
    memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* Up to sixteen bytes, filled up with plain ones. */
static bytes16 load(const char *bytes, size_t length)
{
    bytes16 loaded;
    if (length >= sizeof loaded) {
        memcpy(&loaded, bytes, sizeof loaded);
    } else {
        memset(&loaded, 'a', sizeof loaded);
        memcpy(&loaded, bytes, length);
    }
    return loaded;
}

/* How many bytes stand for themselves. Most texts are plain throughout. */
static size_t plain_length(const char *bytes, size_t length)
{
    size_t i = 0;
    while (i < length && is_plain(load(bytes + i, length - i))) {
        i += sizeof(bytes16);
    }
    while (i < length && !needs_escape((unsigned char)bytes[i])) {
        i++;
    }
    return i < length ? i : length;
}

/* Names and values in one piece, since nearly all need no escape. */
static void append_quoted(struct builder *out, const char *plain, size_t length)
{
    char *at = builder_extend(out, length + 2);
    if (at == NULL) {
        return;
    }
    at[0] = '"';
    if (length > 0) {
        memcpy(at + 1, plain, length);
    }
    at[length + 1] = '"';
}

void canonical_append_string(struct builder *out, const char *bytes, size_t length)
{
    if (plain_length(bytes, length) == length) {
        append_quoted(out, bytes, length);
        return;
    }
    builder_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        size_t plain = plain_length(bytes + i, length - i);
        builder_append(out, bytes + i, plain);
        i += plain;
        if (i < length) {
            append_escape(out, (unsigned char)bytes[i]);
        }
    }
    builder_char(out, '"');
}

static void append_zeros(struct builder *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        builder_char(out, '0');
    }
}

/* ECMA-262 Number::toString steps 6 to 10; k is decimal->count, n is decimal->exponent. */
static void append_decimal(struct builder *out, const struct decimal *decimal)
{
    size_t k = (size_t)decimal->count;
    int64_t n = decimal->exponent;
    if (decimal->is_negative) {
        builder_char(out, '-');
    }
    if ((int64_t)k <= n && n <= 21) {
        builder_append(out, decimal->digits, k);
        append_zeros(out, n - (int64_t)k);
    } else if (0 < n && n <= 21) {
        builder_append(out, decimal->digits, (size_t)n);
        builder_char(out, '.');
        builder_append(out, decimal->digits + n, k - (size_t)n);
    } else if (-6 < n && n <= 0) {
        builder_append(out, "0.", 2);
        append_zeros(out, -n);
        builder_append(out, decimal->digits, k);
    } else {
        builder_char(out, decimal->digits[0]);
        if (k > 1) {
            builder_char(out, '.');
            builder_append(out, decimal->digits + 1, k - 1);
        }
        builder_printf(out, "e%+lld", (long long)(n - 1));
    }
}

static void append_integer(struct builder *out, int64_t integer)
{
    char text[NUMBER_BYTES];
    char *at = text + sizeof text;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (integer < 0) {
        *--at = '-';
    }
    builder_append(out, at, (size_t)(text + sizeof text - at));
}

void canonical_append_number(struct builder *out, double number)
{
    CHECK(isfinite(number));
    const double whole_max = 9007199254740992.0; /* 2^53: below it integers are their own digits */
    if (fabs(number) < whole_max && number == trunc(number)) {
        append_integer(out, (int64_t)number);
        return;
    }
    struct decimal decimal;
    formats_shortest_decimal(number, &decimal);
    append_decimal(out, &decimal);
}
