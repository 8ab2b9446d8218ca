#include "policy/cel/strings_internal.h"
#include <string.h>

size_t cel_text_find(struct cel_text text, struct cel_text needle, size_t from)
{
    if (needle.length == 0) {
        return from;
    }
    if (from >= text.length) {
        return SIZE_MAX;
    }
    const char *found = memmem(text.bytes + from, text.length - from, needle.bytes, needle.length);
    return found == NULL ? SIZE_MAX : (size_t)(found - text.bytes);
}

/* The White_Space property of Unicode. */
static bool is_space(uint32_t code_point)
{
    return (code_point >= 0x09 && code_point <= 0x0d) || code_point == 0x20 || code_point == 0x85 ||
           code_point == 0xa0 || code_point == 0x1680 ||
           (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x2028 ||
           code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
           code_point == 0x3000;
}

struct cel_text cel_text_trim(struct cel_text text)
{
    const char *start = text.bytes, *end = text.bytes + text.length;
    while (start < end) {
        const char *next = start;
        if (!is_space(cel_utf8_next(&next, end))) {
            break;
        }
        start = next;
    }
    while (end > start) {
        const char *last = end - 1;
        while (last > start && ((unsigned char)*last & 0xc0) == 0x80) {
            last--;
        }
        const char *cursor = last;
        if (!is_space(cel_utf8_next(&cursor, end))) {
            break;
        }
        end = last;
    }
    return (struct cel_text){start, (size_t)(end - start)};
}

static const char *escape_of(char character)
{
    switch (character) {
    case '\a':
        return "\\a";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\v':
        return "\\v";
    case '\\':
        return "\\\\";
    case '"':
        return "\\\"";
    default:
        return NULL;
    }
}

void cel_text_quote(struct builder *out, struct cel_text text)
{
    builder_char(out, '"');
    for (size_t i = 0; i < text.length && !builder_failed(out); i++) {
        const char *escape = escape_of(text.bytes[i]);
        if (escape != NULL) {
            builder_text(out, escape);
        } else {
            builder_append(out, text.bytes + i, 1);
        }
    }
    builder_char(out, '"');
}

void cel_text_reverse(char *out, struct cel_text text)
{
    const char *cursor = text.bytes, *end = text.bytes + text.length;
    out += text.length;
    while (cursor < end) {
        const char *start = cursor;
        (void)cel_utf8_next(&cursor, end);
        out -= cursor - start;
        memcpy(out, start, (size_t)(cursor - start));
    }
}
