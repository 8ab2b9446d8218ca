#include "formats/text.h"

#include "formats/formats_internal.h"
#include <string.h>

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char standard_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void append_base64(struct builder *out, const unsigned char *bytes, size_t length,
                          const char *alphabet, bool is_padded)
{
    size_t left = length % 3;
    size_t whole = length - left;
    char *at = builder_extend(out, whole / 3 * 4 + (left == 0 ? 0 : is_padded ? 4 : left + 1));
    if (at == NULL) {
        return;
    }
    for (size_t i = 0; i < whole; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        *at++ = alphabet[group >> 18];
        *at++ = alphabet[group >> 12 & 63];
        *at++ = alphabet[group >> 6 & 63];
        *at++ = alphabet[group & 63];
    }
    if (left > 0) {
        uint32_t group =
            (uint32_t)bytes[whole] << 16 | (left > 1 ? (uint32_t)bytes[whole + 1] << 8 : 0);
        char quad[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=', '='};
        memcpy(at, quad, is_padded ? 4 : left + 1);
    }
}

void text_append_base64url(struct builder *out, const unsigned char *bytes, size_t length)
{
    append_base64(out, bytes, length, url_alphabet, false);
}

void text_append_base64(struct builder *out, const unsigned char *bytes, size_t length)
{
    append_base64(out, bytes, length, standard_alphabet, true);
}

void text_append_hex(struct builder *out, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *at = builder_extend(out, length * 2);
    for (size_t i = 0; at != NULL && i < length; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
}

static int sextet(char character, bool is_url)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == (is_url ? '-' : '+')) {
        return 62;
    }
    return character == (is_url ? '_' : '/') ? 63 : -1;
}

/* Unpadded text. The bits behind the last byte must be zero, else two texts would name the same
 * bytes (RFC 4648 section 3.5). */
static bool read_sextets(const char *text, size_t length, bool is_url, unsigned char *bytes,
                         size_t bytes_max, size_t *out_length)
{
    if (length % 4 == 1 || length / 4 * 3 + length % 4 * 3 / 4 > bytes_max) {
        return false;
    }
    uint32_t group = 0;
    unsigned bits = 0;
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        int value = sextet(text[i], is_url);
        if (value < 0) {
            return false;
        }
        group = (group << 6 | (uint32_t)value) & 0xFFFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[written++] = (unsigned char)(group >> bits);
        }
    }
    if ((group & ((1U << bits) - 1)) != 0) {
        return false;
    }
    *out_length = written;
    return true;
}

bool text_read_base64url(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                         size_t *out_length)
{
    return read_sextets(text, length, true, bytes, bytes_max, out_length);
}

bool text_read_base64(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                      size_t *out_length)
{
    if (length % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=') {
        padding++;
    }
    return read_sextets(text, length - padding, false, bytes, bytes_max, out_length);
}

static int hex_value(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool text_read_hex(const char *text, size_t length, unsigned char *bytes, size_t bytes_max,
                   size_t *out_length)
{
    if (length % 2 != 0 || length / 2 > bytes_max) {
        return false;
    }
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_value(text[i]);
        int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i / 2] = (unsigned char)(high << 4 | low);
    }
    *out_length = length / 2;
    return true;
}

bool text_is_utf8(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = at + length;
    while (at < end) {
        uint64_t word;
        if (end - at >= 8 && (memcpy(&word, at, 8), (word & 0x8080808080808080) == 0)) {
            at += 8;
            continue;
        }
        uint32_t point;
        size_t taken = formats_read_utf8(at, (size_t)(end - at), &point);
        if (taken == 0) {
            return false;
        }
        at += taken;
    }
    return true;
}

size_t text_cut(const char *text, size_t bytes_max)
{
    size_t length = strnlen(text, bytes_max + 1);
    if (length <= bytes_max) {
        return length;
    }
    length = bytes_max;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) {
        length--;
    }
    return length;
}
