#ifndef CEL_BASE64_INTERNAL_H
#define CEL_BASE64_INTERNAL_H

/* Base64, RFC 4648 section 4. */

#include <stdbool.h>
#include <stddef.h>

static inline size_t cel_base64_encoded_bytes(size_t length)
{
    return (length + 2) / 3 * 4;
}

/* At most; the exact number comes from decoding. */
static inline size_t cel_base64_decoded_bytes(size_t length)
{
    return length / 4 * 3 + length % 4;
}

/* Writes cel_base64_encoded_bytes(length), padded. */
void cel_base64_encode(char *out, const unsigned char *bytes, size_t length);
/* Padding may be left out as a whole. Refused: other characters, line ends among them, and bits
 * that belong to no byte (section 3.5), so that no two spellings are the same bytes but for the
 * padding. */
bool cel_base64_decode(unsigned char *out, const char *text, size_t length, size_t *out_length);

#endif
