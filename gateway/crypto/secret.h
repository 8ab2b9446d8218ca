#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

/* A secret held in memory: wiped on destroy, compared in constant time, not printable by accident
 * (opaque). */

#include "crypto/crypto.h"

struct secret;

struct secret *secret_create(const void *bytes, size_t length);
/* Reads the file, or makes it with `length` random bytes (0600, fsynced) when absent and allowed.
 * Refuses a file others can read. */
struct secret *secret_open(const char *path, size_t length, bool create_if_absent,
                           struct error *error) MUST_CHECK;
void secret_destroy(struct secret *secret); /* accepts NULL */
bool secret_equals(const struct secret *secret, const void *bytes, size_t length) MUST_CHECK;
struct sha256 secret_hmac(const struct secret *key, const void *bytes, size_t length);

#endif
