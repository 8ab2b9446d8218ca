#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

/* Files that hold keys; and what a signer remembers. */

#include "base/error.h"
#include "crypto/crypto.h"
#include "crypto/signer.h"
#include <stddef.h>

enum { KEY_FILE_BYTES_MAX = 16 * 1024 };

/* Reads at most KEY_FILE_BYTES_MAX bytes of a regular file that only its owner can read. Sets
 * out_is_absent and fails with INVALID when there is none. Wipe `bytes` after use. */
bool key_file_read(const char *path, unsigned char bytes[KEY_FILE_BYTES_MAX], size_t *out_length,
                   bool *out_is_absent, struct error *error) MUST_CHECK;

/* Makes the file whole and durable (0600, file and folder fsynced) or not at all. One that appeared
 * meanwhile stands: then nothing is written and the caller reads again. */
bool key_file_create(const char *path, const unsigned char *bytes, size_t length,
                     struct error *error) MUST_CHECK;

/* signer.c: texts that this signer made in this process, by their SHA-256. What is remembered was
 * signed by it; what is not may have been. */
void signer_remember(const struct signer *signer, const struct sha256 *hash);
bool signer_remembers(const struct signer *signer, const struct sha256 *hash);

#endif
