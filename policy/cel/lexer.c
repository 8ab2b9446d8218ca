#include "policy/cel/ast.h"

#include <stdarg.h>
#include <stdio.h>

/* Tokens by length, never by a NUL: a source may hold one. */

bool cel_refuse(struct cel_source *source, uint32_t offset, const char *code, const char *format,
                ...)
{
    int line = 1;
    int column = 1;
    for (uint32_t i = 0; i < offset && i < source->length; i++) {
        if (source->bytes[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)source->bytes[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    /* A message cut short must not end within a character. */
    size_t length = strlen(message);
    while (length > 0 && !cel_utf8_is_valid(message, length)) {
        message[--length] = '\0';
    }
    if (source->error != NULL && source->error->kind == ERROR_NONE) {
        source->error_offset = offset;
    }
    return error_set_at(source->error, ERROR_INVALID, code, NULL, line, column, "%s", message);
}

static bool is_name_start(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(unsigned char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static unsigned char byte_at(const struct cel_source *source, size_t offset)
{
    return offset < source->length ? (unsigned char)source->bytes[offset] : 0;
}

static uint32_t skip_space(const struct cel_source *source, uint32_t offset)
{
    while (offset < source->length) {
        char byte = source->bytes[offset];
        if (byte == '/' && byte_at(source, offset + 1) == '/') {
            while (offset < source->length && source->bytes[offset] != '\n') {
                offset++;
            }
        } else if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\f') {
            offset++;
        } else {
            break;
        }
    }
    return offset;
}

static struct cel_token finish(const struct cel_source *source, struct cel_token token,
                               uint32_t end)
{
    token.text = (struct cel_text){source->bytes + token.offset, end - token.offset};
    return token;
}

static struct cel_token lex_number(struct cel_source *source, struct cel_token token)
{
    uint32_t at = token.offset;
    token.kind = CEL_TOKEN_INT;
    if (byte_at(source, at) == '0' &&
        (byte_at(source, at + 1) == 'x' || byte_at(source, at + 1) == 'X')) {
        for (at += 2; is_hex(byte_at(source, at)); at++) {
        }
    } else {
        for (; is_digit(byte_at(source, at)); at++) {
        }
        if (byte_at(source, at) == '.' && is_digit(byte_at(source, at + 1))) {
            token.kind = CEL_TOKEN_DOUBLE;
            for (at++; is_digit(byte_at(source, at)); at++) {
            }
        }
        if (byte_at(source, at) == 'e' || byte_at(source, at) == 'E') {
            uint32_t power = at + 1;
            power += byte_at(source, power) == '+' || byte_at(source, power) == '-';
            if (is_digit(byte_at(source, power))) {
                token.kind = CEL_TOKEN_DOUBLE;
                for (at = power; is_digit(byte_at(source, at)); at++) {
                }
            }
        }
    }
    if (token.kind == CEL_TOKEN_INT && (byte_at(source, at) == 'u' || byte_at(source, at) == 'U')) {
        token.kind = CEL_TOKEN_UINT;
        at++;
    }
    if (is_name_start(byte_at(source, at))) {
        cel_refuse(source, token.offset, "bad_number",
                   "`%.*s` is not a number: write digits, with `u` at the end for uint",
                   (int)(at + 1 - token.offset), source->bytes + token.offset);
        token.kind = CEL_TOKEN_BAD;
    }
    return finish(source, token, at);
}

/* Finds the end of a string that opens at `quote`. */
static struct cel_token lex_string(struct cel_source *source, struct cel_token token,
                                   uint32_t quote, bool is_raw, bool is_bytes)
{
    char mark = source->bytes[quote];
    bool is_triple = byte_at(source, quote + 1) == (unsigned char)mark &&
                     byte_at(source, quote + 2) == (unsigned char)mark;
    uint32_t at = quote + (is_triple ? 3 : 1);
    token.kind = is_bytes ? CEL_TOKEN_BYTES : CEL_TOKEN_STRING;
    while (at < source->length) {
        char byte = source->bytes[at];
        if (byte == '\\' && !is_raw) {
            at += 2;
        } else if (!is_triple && (byte == '\n' || byte == '\r')) {
            break;
        } else if (byte == mark && !is_triple) {
            return finish(source, token, at + 1);
        } else if (byte == mark && byte_at(source, at + 1) == (unsigned char)mark &&
                   byte_at(source, at + 2) == (unsigned char)mark) {
            return finish(source, token, at + 3);
        } else {
            at++;
        }
    }
    cel_refuse(source, token.offset, "open_string",
               "this string has no end: close it with %s%c%s before the %s", is_triple ? "`" : "`",
               mark, is_triple ? "` three times" : "`", is_triple ? "end" : "end of the line");
    token.kind = CEL_TOKEN_BAD;
    return finish(source, token, quote + 1);
}

/* A prefix of r, b, rb or br before a quote; true when there is a string here. */
static bool find_quote(const struct cel_source *source, uint32_t offset, uint32_t *out_quote,
                       bool *out_raw, bool *out_bytes)
{
    uint32_t at = offset;
    *out_raw = false;
    *out_bytes = false;
    for (int i = 0; i < 2; i++) {
        unsigned char byte = byte_at(source, at);
        if ((byte == 'r' || byte == 'R') && !*out_raw) {
            *out_raw = true;
        } else if ((byte == 'b' || byte == 'B') && !*out_bytes) {
            *out_bytes = true;
        } else {
            break;
        }
        at++;
    }
    *out_quote = at;
    return byte_at(source, at) == '"' || byte_at(source, at) == '\'';
}

static struct cel_token lex_quoted_name(struct cel_source *source, struct cel_token token)
{
    uint32_t at = token.offset + 1;
    while (at < source->length && source->bytes[at] != '`' && source->bytes[at] != '\n') {
        at++;
    }
    if (byte_at(source, at) != '`' || at == token.offset + 1) {
        cel_refuse(source, token.offset, "bad_name",
                   "a name in back ticks ends with a back tick on the same line");
        token.kind = CEL_TOKEN_BAD;
        return finish(source, token, at);
    }
    token.kind = CEL_TOKEN_QUOTED_NAME;
    token.text = (struct cel_text){source->bytes + token.offset + 1, at - token.offset - 1};
    return token;
}

static int find_pair(unsigned char first, unsigned char second)
{
    static const struct {
        char bytes[3];
        int pair;
    } pairs[] = {{"==", CEL_PAIR_EQUAL},      {"!=", CEL_PAIR_UNEQUAL},
                 {"<=", CEL_PAIR_LESS_EQUAL}, {">=", CEL_PAIR_GREATER_EQUAL},
                 {"&&", CEL_PAIR_AND},        {"||", CEL_PAIR_OR}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].bytes[0] == (char)first && pairs[i].bytes[1] == (char)second) {
            return pairs[i].pair;
        }
    }
    return 0;
}

static struct cel_token lex_punctuation(struct cel_source *source, struct cel_token token)
{
    unsigned char byte = byte_at(source, token.offset);
    int pair = find_pair(byte, byte_at(source, token.offset + 1));
    token.kind = CEL_TOKEN_PUNCTUATION;
    if (pair != 0) {
        token.what = pair;
        return finish(source, token, token.offset + 2);
    }
    if (byte != 0 && strchr("()[]{}.,:?!-+*/%<>", byte) != NULL) {
        token.what = byte;
        return finish(source, token, token.offset + 1);
    }
    const char *instead = byte == '='   ? "; write `==` to compare"
                          : byte == '&' ? "; write `&&`"
                          : byte == '|' ? "; write `||`"
                          : byte == ';' ? "; a condition is one expression"
                                        : "";
    if (byte < 0x20 || byte == 0x7F) {
        cel_refuse(source, token.offset, "bad_character", "byte 0x%02x does not belong here", byte);
    } else {
        const char *cursor = source->bytes + token.offset;
        const char *start = cursor;
        cel_utf8_next(&cursor, source->bytes + source->length);
        cel_refuse(source, token.offset, "bad_character", "`%.*s` does not belong here%s",
                   (int)(cursor - start), start, instead);
    }
    token.kind = CEL_TOKEN_BAD;
    return finish(source, token, token.offset + 1);
}

struct cel_token cel_next_token(struct cel_source *source, uint32_t offset)
{
    struct cel_token token = {.offset = skip_space(source, offset)};
    if (token.offset >= source->length) {
        return finish(source, token, token.offset);
    }
    unsigned char byte = byte_at(source, token.offset);
    uint32_t quote;
    bool is_raw;
    bool is_bytes;
    if (find_quote(source, token.offset, &quote, &is_raw, &is_bytes)) {
        return lex_string(source, token, quote, is_raw, is_bytes);
    }
    if (is_name_start(byte)) {
        uint32_t at = token.offset + 1;
        while (is_name_start(byte_at(source, at)) || is_digit(byte_at(source, at))) {
            at++;
        }
        token.kind = CEL_TOKEN_NAME;
        return finish(source, token, at);
    }
    if (is_digit(byte) || (byte == '.' && is_digit(byte_at(source, token.offset + 1)))) {
        return lex_number(source, token);
    }
    return byte == '`' ? lex_quoted_name(source, token) : lex_punctuation(source, token);
}
