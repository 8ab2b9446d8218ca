#include "policy/policy_internal.h"

#include "formats/json.h"
#include "formats/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Canonical JSON straight into values, in one pass and without a tree: strings without escapes are
 * lent from the text, integers keep every digit (a JSON tree would round them to doubles), and
 * nothing is allocated outside the request's arena. Strictness is the doors' work; here whatever
 * is not canonical JSON only must not be misread, so it is refused.
 */

struct parser {
    const char *at; /* the text ends with a NUL, which no JSON token holds */
    struct arena *arena;
    int depth;
};

static bool read_value(struct parser *parser, struct cel_value *out);

bool value_read(const char *json, struct arena *arena, struct cel_value *out)
{
    struct parser parser = {.at = json, .arena = arena};
    return text_is_utf8(json, strlen(json)) && read_value(&parser, out) && *parser.at == '\0';
}

static bool take(struct parser *parser, char expected)
{
    if (*parser->at != expected) {
        return false;
    }
    parser->at++;
    return true;
}

static bool read_word(struct parser *parser, const char *word, struct cel_value value,
                      struct cel_value *out)
{
    size_t length = strlen(word);
    if (strncmp(parser->at, word, length) != 0) {
        return false;
    }
    parser->at += length;
    *out = value;
    return true;
}

/* No `.eE` and it fits: an int, past that a uint; everything else is a double. */
static bool read_number(struct parser *parser, struct cel_value *out)
{
    const char *start = parser->at;
    char *end;
    size_t length = strspn(start, "-+.0123456789eE");
    size_t whole = strspn(start + (start[0] == '-'), "0123456789") + (start[0] == '-');
    if (whole == (start[0] == '-')) {
        return false;
    }
    parser->at += length;
    if (whole == length) {
        errno = 0;
        int64_t integer = strtoll(start, &end, 10);
        if (errno == 0) {
            *out = cel_int(integer);
            return true;
        }
        errno = 0;
        uint64_t natural = strtoull(start, &end, 10);
        if (errno == 0 && start[0] != '-') {
            *out = cel_uint(natural);
            return true;
        }
    }
    *out = cel_double(strtod(start, &end));
    return end == start + length;
}

static int hex_digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character == '\0' ? NULL : strchr(digits, character);
    return found == NULL ? -1 : (int)(found - digits);
}

/* Canonical text escapes control characters, quotes and backslashes, and nothing else. */
static bool read_escape(struct parser *parser, char *out)
{
    static const char names[] = "\"\\bfnrt";
    static const char meanings[] = "\"\\\b\f\n\r\t";
    char kind = *parser->at++;
    if (kind == 'u') {
        int high = strncmp(parser->at, "00", 2) == 0 ? hex_digit(parser->at[2]) : -1;
        int low = high < 0 ? -1 : hex_digit(parser->at[3]);
        if (low < 0 || high > 1) {
            return false;
        }
        parser->at += 4;
        *out = (char)(high * 16 + low);
        return true;
    }
    const char *name = kind == '\0' ? NULL : strchr(names, kind);
    if (name == NULL) {
        return false;
    }
    *out = meanings[name - names];
    return true;
}

/* `start` is behind the quote, the parser at the first backslash. */
static bool read_escaped(struct parser *parser, const char *start, struct cel_value *out)
{
    const char *end = parser->at;
    while (*end != '"' && *end != '\0') {
        end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
    }
    char *bytes = arena_alloc(parser->arena, (size_t)(end - start) + 1);
    size_t length = (size_t)(parser->at - start);
    memcpy(bytes, start, length);
    while (*parser->at != '"') {
        if (*parser->at == '\0') {
            return false;
        }
        if (!take(parser, '\\')) {
            bytes[length++] = *parser->at++;
        } else if (!read_escape(parser, &bytes[length++])) {
            return false;
        }
    }
    parser->at++;
    *out = cel_string(bytes, length);
    return true;
}

static bool read_string(struct parser *parser, struct cel_value *out)
{
    if (!take(parser, '"')) {
        return false;
    }
    const char *start = parser->at;
    parser->at += strcspn(start, "\"\\");
    if (*parser->at == '\\') {
        return read_escaped(parser, start, out);
    }
    *out = cel_string(start, (size_t)(parser->at - start));
    return take(parser, '"');
}

/* Room for one more of `count` elements. */
static void *grow(struct parser *parser, void *elements, size_t count, size_t *capacity,
                  size_t bytes_each)
{
    if (count < *capacity) {
        return elements;
    }
    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    void *grown = arena_array(parser->arena, *capacity, bytes_each);
    if (count > 0) {
        memcpy(grown, elements, count * bytes_each);
    }
    return grown;
}

static bool read_list(struct parser *parser, struct cel_value *out)
{
    struct cel_value *items = NULL;
    size_t count = 0;
    size_t capacity = 0;
    parser->at++;
    if (*parser->at != ']') {
        do {
            items = grow(parser, items, count, &capacity, sizeof *items);
            if (!read_value(parser, &items[count++])) {
                return false;
            }
        } while (take(parser, ','));
    }
    *out = (struct cel_value){.kind = CEL_LIST, .length = (uint32_t)count, .as.items = items};
    return take(parser, ']');
}

static bool read_map(struct parser *parser, struct cel_value *out)
{
    struct cel_entry *entries = NULL;
    size_t count = 0;
    size_t capacity = 0;
    parser->at++;
    if (*parser->at != '}') {
        do {
            entries = grow(parser, entries, count, &capacity, sizeof *entries);
            struct cel_entry *entry = &entries[count++];
            if (!read_string(parser, &entry->key) || !take(parser, ':') ||
                !read_value(parser, &entry->value)) {
                return false;
            }
        } while (take(parser, ','));
    }
    *out = (struct cel_value){.kind = CEL_MAP};
    out->as.map = cel_map_make(parser->arena, entries, count);
    return take(parser, '}') && out->as.map != NULL;
}

static bool read_value(struct parser *parser, struct cel_value *out)
{
    if (parser->depth == JSON_DEPTH_MAX) {
        return false;
    }
    parser->depth++;
    bool is_read;
    switch (*parser->at) {
    case '{':
        is_read = read_map(parser, out);
        break;
    case '[':
        is_read = read_list(parser, out);
        break;
    case '"':
        is_read = read_string(parser, out);
        break;
    case 't':
        is_read = read_word(parser, "true", cel_bool(true), out);
        break;
    case 'f':
        is_read = read_word(parser, "false", cel_bool(false), out);
        break;
    case 'n':
        is_read = read_word(parser, "null", cel_null(), out);
        break;
    default:
        is_read = read_number(parser, out);
        break;
    }
    parser->depth--;
    return is_read;
}
