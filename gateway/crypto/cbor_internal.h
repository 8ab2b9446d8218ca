#ifndef CRYPTO_CBOR_INTERNAL_H
#define CRYPTO_CBOR_INTERNAL_H

/*
 * Reads as much of CBOR (RFC 8949) as authenticators write, in the form that CTAP2 demands of them:
 * definite lengths, every length and number in its shortest form, at most CBOR_DEPTH_MAX levels.
 * Nothing is copied: texts and byte strings are lent from the input. A reader that failed stays
 * failed, so a caller checks once at the end. Tags, floats and indefinite lengths are refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CBOR_DEPTH_MAX = 8, CBOR_ITEMS_MAX = 256 };

struct cbor {
    const unsigned char *bytes;
    size_t length;
    size_t at;    /* never past length */
    size_t items; /* read so far: CBOR_ITEMS_MAX is the bound of every loop */
    bool has_failed;
};

struct cbor_bytes {
    const unsigned char *bytes; /* NULL when absent */
    size_t length;
};

void cbor_begin(struct cbor *reader, const void *bytes, size_t length);
/* The number of pairs; 0 also when it is no map. */
size_t cbor_read_map(struct cbor *reader);
/* Of either sign; 0 when it is none or beyond int64_t. */
int64_t cbor_read_integer(struct cbor *reader);
struct cbor_bytes cbor_read_byte_string(struct cbor *reader);
struct cbor_bytes cbor_read_text(struct cbor *reader);
/* Passes over one item, whatever it is. */
void cbor_skip(struct cbor *reader);
/* Marks the input as not of the form wanted. */
void cbor_fail(struct cbor *reader);
/* Nothing failed and nothing is left over. */
bool cbor_is_done(const struct cbor *reader);

#endif
