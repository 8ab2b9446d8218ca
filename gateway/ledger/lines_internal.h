#ifndef LEDGER_LINES_INTERNAL_H
#define LEDGER_LINES_INTERNAL_H

/* Strict reading of the line forms of notes, checkpoints and receipts. */

#include "crypto/crypto.h"
#include "formats/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SHA256_BASE64_BYTES = 44 };

struct lines {
    const char *at;
    const char *end;
};

/* The next line without its newline; false when no whole line is left. */
static inline bool lines_next(struct lines *lines, const char **out_line, size_t *out_length)
{
    size_t left = (size_t)(lines->end - lines->at);
    const char *newline = left == 0 ? NULL : memchr(lines->at, '\n', left);
    if (newline == NULL) {
        return false;
    }
    *out_line = lines->at;
    *out_length = (size_t)(newline - lines->at);
    lines->at = newline + 1;
    return true;
}

/* Decimal without sign and leading zeros, at most `most`. */
static inline bool lines_read_decimal(const char *text, size_t length, uint64_t most,
                                      uint64_t *out_number)
{
    if (length == 0 || length > 20 || (text[0] == '0' && length > 1)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || number > (most - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    *out_number = number;
    return true;
}

static inline bool lines_read_hash(const char *text, size_t length, struct sha256 *out_hash)
{
    size_t bytes;
    return length == SHA256_BASE64_BYTES &&
           text_read_base64(text, length, out_hash->bytes, SHA256_BYTES, &bytes) &&
           bytes == SHA256_BYTES;
}

#endif
