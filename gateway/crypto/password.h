#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

/*
 * Passwords as argon2id hashes (RFC 9106; libsodium's text form, parameters and salt inside): 3
 * passes over 64 MiB, between libsodium's `interactive` and `moderate`. One call costs a few
 * hundred milliseconds of CPU and the 64 MiB, so it belongs on a worker (loop/workers.h), never on
 * the loop or the store thread.
 */

#include "base/error.h"
#include <stddef.h>

enum { PASSWORD_BYTES_MIN = 12, PASSWORD_BYTES_MAX = 256, PASSWORD_HASH_BYTES = 128 };

/* RETRY_LATER `no_memory` when the 64 MiB are not to be had. */
bool password_hash(const char *password, size_t length, char out[PASSWORD_HASH_BYTES],
                   struct error *error) MUST_CHECK;
/* Whether the password is the one hashed; a text that is no argon2id hash matches none. RETRY_LATER
 * `no_memory`. */
bool password_verify(const char *hash, const char *password, size_t length, bool *out_matches,
                     struct error *error) MUST_CHECK;
/* Made with other parameters than password_hash uses now: hash again when the password is at hand.
 */
bool password_is_outdated(const char *hash);
/* The hash of a password nobody knows, made with the same parameters: verified in place of one that
 * does not exist, so that both cost the same. */
const char *password_dummy_hash(void);

#endif
