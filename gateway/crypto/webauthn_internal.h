#ifndef CRYPTO_WEBAUTHN_INTERNAL_H
#define CRYPTO_WEBAUTHN_INTERNAL_H

/* The key of a passkey, shared by the two files that read and use it. */

#include "crypto/webauthn.h"
#include <openssl/evp.h>

/* The OpenSSL key of a COSE key (RFC 9053 section 7); NULL with INVALID `passkey_key`. Free with
 * EVP_PKEY_free. */
EVP_PKEY *webauthn_make_key(struct webauthn_bytes key, enum webauthn_algorithm *out_algorithm,
                            struct error *error) MUST_CHECK;
/* How many bytes of `bytes` the CBOR item at its beginning takes; 0 when there is none. */
size_t webauthn_item_length(struct webauthn_bytes bytes);

#endif
