#ifndef CRYPTO_SIGNER_INTERNAL_H
#define CRYPTO_SIGNER_INTERNAL_H

/* What a signer is, for its two files; RSA is in signer_rsa.c. */

#include "crypto/crypto.h"
#include "crypto/signer.h"
#include <openssl/evp.h>
#include <pthread.h>

enum { POINT_BYTES = 65, KEY_ID_BYTES_OF_SIGNER = 44, RSA_BITS = 2048, RSA_BITS_MAX = 4096 };

/* Setting up an operation costs a third of a signature: kept for the next one. One at a time. */
struct signer_operations {
    pthread_mutex_t mutex;
    EVP_PKEY_CTX *signing; /* ES256 only; NULL before the first and after a failure */
    EVP_PKEY_CTX *verifying;
    struct made_token *made; /* TOKENS_REMEMBERED of them; NULL before the first */
};

/* Half of a token's SHA-256: what nobody finds a second text for. */
struct made_token {
    unsigned char hash[SHA256_BYTES / 2];
};

struct signer {
    enum signer_kind kind;
    EVP_PKEY *key; /* read-only after creation: OpenSSL may then share it between threads */
    struct signer_operations *operations;
    unsigned char public_key[POINT_BYTES];
    size_t public_key_length;
    char key_id[KEY_ID_BYTES_OF_SIGNER];
};

/* RSA of 2048 to 4096 bits. */
bool signer_is_rsa(const EVP_PKEY *key);
/* `"e":…,` of the key, then `"n":…` behind what stands between: RFC 7638 wants e, kty, n. */
bool signer_append_rsa(const struct signer *signer, const char *between, struct builder *out);
bool signer_sign_rsa(const struct signer *signer, const void *bytes, size_t length,
                     unsigned char out[SIGNER_SIGNATURE_BYTES_MAX], size_t *out_length);
bool signer_verify_rsa(const struct signer *signer, const void *bytes, size_t length,
                       const unsigned char *signature, size_t signature_length);

#endif
