#include "policy/cel/cel_internal.h"
#include <string.h>

/* Bytes of the sequence that begins with `first`, 0 when none does. RFC 3629 section 4. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (first >= 0xe0 && first <= 0xef) {
        return 3;
    }
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The second byte rules out what is overlong, a surrogate, or past U+10FFFF. */
static bool second_is_valid(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

/* Every size of a text that is charged for is counted, so eight bytes go at a time: the highest bit
 * of a byte that continues is set and the next one is not. */
size_t cel_utf8_count(const char *bytes, size_t length)
{
    size_t count = length, at = 0;
    for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, bytes + at, sizeof eight);
        count -= (size_t)__builtin_popcountll(eight >> 7 & ~(eight >> 6) & 0x0101010101010101);
    }
    for (; at < length; at++) {
        count -= is_continuation((unsigned char)bytes[at]);
    }
    return count;
}

size_t cel_utf8_offset(const char *bytes, size_t length, size_t count)
{
    size_t offset = 0;
    while (offset < length && count > 0) {
        offset++;
        while (offset < length && is_continuation((unsigned char)bytes[offset])) {
            offset++;
        }
        count--;
    }
    return offset;
}

bool cel_utf8_is_valid(const char *bytes, size_t length)
{
    const unsigned char *text = (const unsigned char *)bytes;
    for (size_t i = 0; i < length;) {
        size_t size = sequence_length(text[i]);
        if (size == 0 || size > length - i ||
            (size > 1 && !second_is_valid(text[i], text[i + 1]))) {
            return false;
        }
        for (size_t j = 1; j < size; j++) {
            if (!is_continuation(text[i + j])) {
                return false;
            }
        }
        i += size;
    }
    return true;
}

uint32_t cel_utf8_next(const char **cursor, const char *end)
{
    const unsigned char *text = (const unsigned char *)*cursor;
    size_t size = sequence_length(text[0]);
    if (size == 0 || size > (size_t)(end - *cursor)) {
        *cursor += 1;
        return 0xfffd;
    }
    *cursor += size;
    uint32_t code_point = size == 1 ? text[0] : text[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        code_point = code_point << 6 | (text[i] & 0x3f);
    }
    return code_point;
}

size_t cel_utf8_write(char out[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
