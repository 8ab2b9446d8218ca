#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

/* Hashes, random bytes, constant-time compare, ids. Algorithms are fetched once (crypto_start).
 * Only crypto/ includes OpenSSL and libsodium, with one exception written down in docs/decisions:
 * loop/tls.c, which needs OpenSSL's SSL_*. */

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { SHA1_BYTES = 20, SHA256_BYTES = 32, ID_BYTES = 32, SECRET_TEXT_BYTES = 64 };

struct sha256 {
    unsigned char bytes[SHA256_BYTES];
};

/* Call once before threads start; fetches algorithms. Aborts when the library cannot do SHA-256. */
void crypto_start(void);

struct sha256 crypto_sha256(const void *bytes, size_t length);
/* Proves nothing any more: only where a protocol asks for it (RFC 6455 section 4.2.2). */
void crypto_sha1(const void *bytes, size_t length, unsigned char out[SHA1_BYTES]);
/* SHA-256 of two pieces one after the other, and of a prefix byte with two pieces (RFC 6962 nodes).
 */
struct sha256 crypto_sha256_prefixed(unsigned char prefix, const void *first, size_t first_length,
                                     const void *second, size_t second_length);
struct sha256 crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes,
                                 size_t length);
bool crypto_equal(const void *left, const void *right, size_t length); /* constant time */
void crypto_random(void *out, size_t length); /* aborts when the system has no randomness */
void crypto_wipe(void *bytes, size_t length);

/* `req_` + 26 characters of Crockford base32, lower case: 48 bits of `now`, 80 random bits. Ids
 * made by one process within one millisecond still sort in the order they were made. `prefix` is
 * "req", "grt"…; out holds ID_BYTES. Thread-safe. */
void crypto_make_id(const char *prefix, int64_t now, char out[ID_BYTES]);
/* What sorts before every id made at `at` or after, and after those made before it. */
void crypto_first_id(const char *prefix, int64_t at, char out[ID_BYTES]);

/* A bearer secret `<prefix>_<43 characters>` of 256 random bits, e.g. an API key: shown once,
 * stored as its SHA-256. */
void crypto_make_secret(const char *prefix, char out[SECRET_TEXT_BYTES]);

#endif
