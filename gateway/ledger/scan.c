#include "ledger/scan_internal.h"

#include "base/check.h"
#include "formats/text.h"
#include <string.h>

enum { INTEGER_DIGITS_MAX = 16, TIME_LENGTH = TIME_TEXT_BYTES - 1, HASH_LENGTH = 64 };
#define INTEGER_MAX ((int64_t)1 << 53) /* exclusive: RFC 7493 section 2.2 */

static const char *scan_string(const char *at, const char *end);

static bool is_lower_hex(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f');
}

/* Behind the backslash: only the escapes of RFC 8785 section 3.2.2.2, each where it must be. */
static const char *scan_escape(const char *at, const char *end)
{
    if (at == end) {
        return NULL;
    }
    if (*at != 'u') {
        return strchr("\"\\bfnrt", *at) == NULL || *at == '\0' ? NULL : at + 1;
    }
    if (end - at < 5 || at[1] != '0' || at[2] != '0' || (at[3] != '0' && at[3] != '1') ||
        !is_lower_hex(at[4])) {
        return NULL;
    }
    bool has_short_form = at[3] == '0' && strchr("89acd", at[4]) != NULL;
    return has_short_form ? NULL : at + 5;
}

/* One character beyond ASCII in well-formed UTF-8 (Unicode table 3-7). */
static const char *scan_wide(const char *at, const char *end)
{
    unsigned char lead = (unsigned char)at[0];
    size_t left = (size_t)(end - at);
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < length) {
        return NULL;
    }
    unsigned char second = (unsigned char)at[1];
    unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) {
        return NULL;
    }
    for (size_t i = 2; i < length; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) {
            return NULL;
        }
    }
    return at + length;
}

/* What stands plainly in a string: everything but controls, quote, backslash and beyond ASCII. */
static const bool PLAIN[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true};

static const char *scan_string(const char *at, const char *end)
{
    if (at == end || *at != '"') {
        return NULL;
    }
    at++;
    while (at != NULL && at < end) {
        unsigned char byte = (unsigned char)*at;
        if (PLAIN[byte]) {
            at++;
        } else if (byte == '"') {
            return at + 1;
        } else if (byte == '\\') {
            at = scan_escape(at + 1, end);
        } else {
            at = byte < 0x80 ? NULL : scan_wide(at, end);
        }
    }
    return NULL;
}

/* Digits from `at` on; a number that ECMAScript writes as an integer within +-(2^53-1). */
static const char *scan_number(const char *at, const char *end)
{
    bool is_negative = at < end && *at == '-';
    const char *first = at + is_negative;
    int64_t number = 0;
    const char *digit = first;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
        if (digit - first == INTEGER_DIGITS_MAX) {
            return NULL;
        }
        number = number * 10 + (*digit - '0');
    }
    bool is_padded = digit > first && *first == '0' && (digit - first > 1 || is_negative);
    return digit == first || is_padded || number >= INTEGER_MAX ? NULL : digit;
}

static const char *scan_word(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0 ? at + length : NULL;
}

static int compare(struct span left, struct span right)
{
    size_t common = left.length < right.length ? left.length : right.length;
    int order = memcmp(left.bytes, right.bytes, common);
    return order != 0 ? order : (left.length > right.length) - (left.length < right.length);
}

/* A name with its colon. ASCII without escapes sorts by bytes as it does by UTF-16 units. */
static const char *scan_name(const char *at, const char *end, struct span *out_name)
{
    const char *start = at + 1;
    if (at == end || *at != '"') {
        return NULL;
    }
    for (at = start; at < end && *at != '"'; at++) {
        if (*at < ' ' || *at > '~' || *at == '\\') {
            return NULL;
        }
    }
    *out_name = (struct span){.bytes = start, .length = (size_t)(at - start)};
    return end - at < 2 || at[1] != ':' ? NULL : at + 2;
}

/* Behind a value in a container: past the comma, or at the closing bracket. */
static const char *scan_separator(const char *at, const char *end, char closing, bool *out_is_last)
{
    if (at == NULL || at == end || (*at != ',' && *at != closing)) {
        return NULL;
    }
    *out_is_last = *at == closing;
    return at + 1;
}

static const char *scan_object(const char *at, const char *end, unsigned depth_max)
{
    at++;
    if (at < end && *at == '}') {
        return at + 1;
    }
    struct span last = {0};
    for (bool is_last = false; at != NULL && !is_last;) {
        struct span name;
        at = scan_name(at, end, &name);
        if (at == NULL || (last.bytes != NULL && compare(last, name) >= 0)) {
            return NULL;
        }
        last = name;
        at = scan_separator(scan_value(at, end, depth_max), end, '}', &is_last);
    }
    return at;
}

static const char *scan_array(const char *at, const char *end, unsigned depth_max)
{
    at++;
    if (at < end && *at == ']') {
        return at + 1;
    }
    for (bool is_last = false; at != NULL && !is_last;) {
        at = scan_separator(scan_value(at, end, depth_max), end, ']', &is_last);
    }
    return at;
}

const char *scan_value(const char *at, const char *end, unsigned depth_max)
{
    if (at == end) {
        return NULL;
    }
    switch (*at) {
    case '"':
        return scan_string(at, end);
    case '{':
        return depth_max == 0 ? NULL : scan_object(at, end, depth_max - 1);
    case '[':
        return depth_max == 0 ? NULL : scan_array(at, end, depth_max - 1);
    case 't':
        return scan_word(at, end, "true");
    case 'f':
        return scan_word(at, end, "false");
    case 'n':
        return scan_word(at, end, "null");
    default:
        return scan_number(at, end);
    }
}

bool scan_is_object(struct span text, unsigned depth_max)
{
    const char *end = text.bytes + text.length;
    return text.length > 0 && text.bytes[0] == '{' && scan_value(text.bytes, end, depth_max) == end;
}

/* The end of a string that was accepted before. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
    }
    return at + 1;
}

static const char *skip_value(const char *at)
{
    size_t depth = 0;
    do {
        switch (*at) {
        case '"':
            at = skip_string(at);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            depth--;
            break;
        default:
            break;
        }
        at++;
    } while (depth > 0 || (*at != ',' && *at != '}' && *at != ']' && *at != ':'));
    return at;
}

struct scan_walk scan_enter(struct span container)
{
    return (struct scan_walk){.at = container.bytes + 1};
}

bool scan_next_element(struct scan_walk *walk, struct span *out_value)
{
    const char *at = walk->at;
    if (*at == ']' || *at == '}') {
        return false;
    }
    const char *end = skip_value(at);
    *out_value = (struct span){.bytes = at, .length = (size_t)(end - at)};
    walk->at = *end == ',' ? end + 1 : end;
    return true;
}

bool scan_next_member(struct scan_walk *walk, struct span *out_name, struct span *out_value)
{
    const char *at = walk->at;
    if (*at == '}') {
        return false;
    }
    const char *colon = skip_string(at);
    *out_name = (struct span){.bytes = at + 1, .length = (size_t)(colon - at) - 2};
    walk->at = colon + 1;
    return scan_next_element(walk, out_value);
}

struct span scan_member(struct span object, const char *name)
{
    if (object.bytes == NULL || object.bytes[0] != '{') {
        return (struct span){0};
    }
    struct scan_walk walk = scan_enter(object);
    struct span found;
    struct span value;
    while (scan_next_member(&walk, &found, &value)) {
        if (span_is(found, name)) {
            return value;
        }
    }
    return (struct span){0};
}

struct span scan_text(struct span value)
{
    if (value.bytes == NULL || value.bytes[0] != '"') {
        return (struct span){0};
    }
    return (struct span){.bytes = value.bytes + 1, .length = value.length - 2};
}

struct span scan_text_member(struct span object, const char *name)
{
    return scan_text(scan_member(object, name));
}

bool scan_integer(struct span value, int64_t *out_integer)
{
    if (value.bytes == NULL || strchr("-0123456789", value.bytes[0]) == NULL) {
        return false;
    }
    bool is_negative = value.bytes[0] == '-';
    int64_t number = 0;
    for (size_t i = is_negative; i < value.length; i++) {
        number = number * 10 + (value.bytes[i] - '0');
    }
    *out_integer = is_negative ? -number : number;
    return true;
}

bool scan_integer_member(struct span object, const char *name, int64_t least, int64_t *out_integer)
{
    return scan_integer(scan_member(object, name), out_integer) && *out_integer >= least;
}

bool scan_bool_member(struct span object, const char *name, bool *out_value)
{
    struct span value = scan_member(object, name);
    *out_value = span_is(value, "true");
    return *out_value || span_is(value, "false");
}

bool scan_is_array(struct span value)
{
    return value.bytes != NULL && value.bytes[0] == '[';
}

bool span_equals(struct span left, struct span right)
{
    return left.length == right.length && left.bytes != NULL && right.bytes != NULL &&
           memcmp(left.bytes, right.bytes, left.length) == 0;
}

bool span_is(struct span span, const char *text)
{
    return span_equals(span, (struct span){.bytes = text, .length = strlen(text)});
}

bool scan_is_time(struct span text)
{
    if (text.length != TIME_LENGTH) {
        return false;
    }
    char copy[TIME_TEXT_BYTES];
    memcpy(copy, text.bytes, TIME_LENGTH);
    copy[TIME_LENGTH] = '\0';
    int64_t wall_ms;
    if (!text_read_time(copy, &wall_ms)) {
        return false;
    }
    char again[TIME_TEXT_BYTES];
    text_write_time(wall_ms, again);
    return memcmp(copy, again, TIME_LENGTH) == 0;
}

bool scan_is_hash(struct span text)
{
    if (text.length != HASH_LENGTH) {
        return false;
    }
    for (size_t i = 0; i < HASH_LENGTH; i++) {
        if (!is_lower_hex(text.bytes[i])) {
            return false;
        }
    }
    return true;
}
