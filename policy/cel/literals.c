#include "policy/cel/ast.h"

#include <math.h>
#include <stdlib.h>

/* The values of number, string and bytes tokens. */

static bool read_natural(const char *digits, size_t length, uint64_t *out)
{
    unsigned base = length > 2 && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    uint64_t natural = 0;
    if (length == 2 && (digits[1] == 'x' || digits[1] == 'X')) {
        return false;
    }
    for (size_t i = base == 16 ? 2 : 0; i < length; i++) {
        char byte = digits[i];
        unsigned digit =
            byte <= '9' ? (unsigned)(byte - '0') : (unsigned)((byte | 0x20) - 'a') + 10;
        if (__builtin_mul_overflow(natural, (uint64_t)base, &natural) ||
            __builtin_add_overflow(natural, (uint64_t)digit, &natural)) {
            return false;
        }
    }
    *out = natural;
    return true;
}

static bool read_number(struct cel_source *source, const struct cel_token *token, bool is_negative,
                        struct cel_value *out)
{
    uint64_t natural;
    struct cel_text text = token->text;
    if (token->kind == CEL_TOKEN_DOUBLE) {
        char *copy = arena_copy(source->arena, text.bytes, text.length);
        double real = strtod(copy, NULL);
        if (isinf(real)) {
            return cel_refuse(source, token->offset, "bad_number",
                              "`%.*s` is too large for a double",
                              (int)(text.length < 100 ? text.length : 100), text.bytes);
        }
        *out = cel_double(is_negative ? -real : real);
        return true;
    }
    if (token->kind == CEL_TOKEN_UINT) {
        if (is_negative) {
            return cel_refuse(source, token->offset, "bad_number",
                              "`-%.*s` is no uint: a uint has no sign", (int)text.length,
                              text.bytes);
        }
        if (!read_natural(text.bytes, text.length - 1, &natural)) {
            return cel_refuse(source, token->offset, "bad_number",
                              "`%.*s` is not a uint of 64 bits", (int)text.length, text.bytes);
        }
        *out = cel_uint(natural);
        return true;
    }
    if (!read_natural(text.bytes, text.length, &natural) ||
        natural > (uint64_t)INT64_MAX + (is_negative ? 1 : 0)) {
        return cel_refuse(source, token->offset, "bad_number",
                          "`%s%.*s` is not an int of 64 bits; write it as a uint (`u`) or a double "
                          "(`.0`)",
                          is_negative ? "-" : "", (int)text.length, text.bytes);
    }
    *out = cel_int(is_negative ? (int64_t)(0 - natural) : (int64_t)natural);
    return true;
}

static bool read_digits(const char *bytes, size_t available, size_t count, unsigned base,
                        uint32_t *out)
{
    uint32_t code = 0;
    if (available < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        unsigned digit = byte >= '0' && byte <= '9' ? (unsigned)(byte - '0')
                         : (byte | 0x20) >= 'a'     ? (unsigned)((byte | 0x20) - 'a') + 10
                                                    : 99;
        if (digit >= base) {
            return false;
        }
        code = code * base + digit;
    }
    *out = code;
    return true;
}

/* One escape after its backslash; returns the bytes it takes, 0 when it is none. */
static size_t read_escape(const char *bytes, size_t available, bool is_bytes, uint32_t *out_code,
                          bool *out_octet)
{
    static const char plain[] = "\\\\??\"\"''``a\ab\bf\fn\nr\rt\tv\v";
    *out_octet = false;
    for (size_t i = 0; available > 0 && i + 1 < sizeof plain; i += 2) {
        if (bytes[0] == plain[i]) {
            *out_code = (unsigned char)plain[i + 1];
            return 1;
        }
    }
    if (available == 0) {
        return 0;
    }
    switch (bytes[0]) {
    case 'x':
    case 'X':
        *out_octet = is_bytes;
        return read_digits(bytes + 1, available - 1, 2, 16, out_code) ? 3 : 0;
    case 'u':
        return !is_bytes && read_digits(bytes + 1, available - 1, 4, 16, out_code) ? 5 : 0;
    case 'U':
        return !is_bytes && read_digits(bytes + 1, available - 1, 8, 16, out_code) ? 9 : 0;
    case '0':
    case '1':
    case '2':
    case '3':
        *out_octet = is_bytes;
        return read_digits(bytes, available, 3, 8, out_code) ? 3 : 0;
    default:
        return 0;
    }
}

static bool unescape(struct cel_source *source, struct cel_text inside, bool is_bytes,
                     struct cel_value *out)
{
    char *copy = arena_alloc(source->arena, inside.length + 4);
    size_t length = 0;
    for (size_t i = 0; i < inside.length;) {
        if (inside.bytes[i] != '\\') {
            copy[length++] = inside.bytes[i++];
            continue;
        }
        uint32_t code = 0;
        bool is_octet;
        size_t taken =
            read_escape(inside.bytes + i + 1, inside.length - i - 1, is_bytes, &code, &is_octet);
        if (taken == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            uint32_t offset = (uint32_t)(inside.bytes + i - source->bytes);
            return cel_refuse(source, offset, "bad_escape",
                              "this escape is none of CEL's; write `\\\\` for a backslash, or put "
                              "`r` before the string");
        }
        if (is_octet) {
            copy[length++] = (char)code;
        } else {
            length += cel_utf8_write(copy + length, code);
        }
        i += taken + 1;
    }
    *out = cel_string(copy, length);
    return true;
}

bool cel_read_literal(struct cel_source *source, const struct cel_token *token, bool is_negative,
                      struct cel_value *out)
{
    if (token->kind != CEL_TOKEN_STRING && token->kind != CEL_TOKEN_BYTES) {
        return read_number(source, token, is_negative, out);
    }
    struct cel_text inside = token->text;
    bool is_raw = false;
    for (; inside.bytes[0] != '"' && inside.bytes[0] != '\''; inside.bytes++, inside.length--) {
        is_raw |= inside.bytes[0] == 'r' || inside.bytes[0] == 'R';
    }
    size_t quotes = inside.length >= 6 && inside.bytes[1] == inside.bytes[0] &&
                            inside.bytes[2] == inside.bytes[0]
                        ? 3
                        : 1;
    inside.bytes += quotes;
    inside.length -= 2 * quotes;
    bool is_bytes = token->kind == CEL_TOKEN_BYTES;
    if (is_raw) {
        *out = cel_string(arena_copy(source->arena, inside.bytes, inside.length), inside.length);
    } else if (!unescape(source, inside, is_bytes, out)) {
        return false;
    }
    out->kind = is_bytes ? CEL_BYTES : CEL_STRING;
    return true;
}
