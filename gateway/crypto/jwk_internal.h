#ifndef CRYPTO_JWK_INTERNAL_H
#define CRYPTO_JWK_INTERNAL_H

#include "crypto/crypto.h"
#include "crypto/jwk.h"
#include <openssl/types.h>

enum jwk_type { JWK_TYPE_RSA = 1, JWK_TYPE_EC, JWK_TYPE_OKP };

struct jwk {
    enum jwk_type type;
    enum jwk_use use;
    enum jwk_algorithm algorithm; /* NONE: any of its type */
    EVP_PKEY *key;                /* read-only after creation; NULL for a certificate alone */
    struct sha256 hash;           /* RFC 7638 */
    unsigned char *certificate;   /* x509-svid: DER */
    size_t certificate_length;
    char *endorsements; /* each in lines of its own, "\nmsteams\nskype\n"; NULL: none */
    char key_id[JWK_KEY_ID_BYTES];
    char curve[8];
};

#endif
