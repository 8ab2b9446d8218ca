#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

/*
 * JSON Web Tokens made by others (RFC 7519, compact JWS of RFC 7515): taken apart within bounds,
 * and their signature checked with a key that was known before. Nothing here believes a claim:
 * identity/token_rules.h judges them, after the signature was found good.
 *
 * Refused while reading, with the reason as the error's code (kind UNAUTHENTICATED, messages never
 * quote the token):
 *   token_too_long     more than JWT_BYTES_MAX bytes
 *   malformed_token    not three parts of base64url, or not strict JSON objects
 *   algorithm_refused  `alg` is none, symmetric, unknown, or missing
 *   critical_header    `crit` is there: we understand no extension (RFC 7515 section 4.1.11)
 *   embedded_key       `jku`, `x5u` or `jwk` is there: a token does not bring its own key
 */

#include "crypto/jwk.h"
#include "formats/json.h"

enum { JWT_BYTES_MAX = 8 * 1024, JWT_TYPE_BYTES = 64 };

struct jwt {
    enum jwk_algorithm algorithm;
    char type[JWT_TYPE_BYTES]; /* `typ` in lower case, without "application/"; "" when absent */
    const char *key_id;        /* `kid`; NULL when absent */
    const struct json *claims; /* an object; unverified */
    const struct json *key;    /* `jwk` of a DPoP proof, else NULL */
    const char *signed_bytes;  /* lent from the token */
    size_t signed_length;
    unsigned char signature[JWK_SIGNATURE_BYTES_MAX];
    size_t signature_length;
    struct json_document *header_document, *claims_document; /* owned */
};

/* Takes a token apart; `token` must outlive `out`. `brings_key`: a DPoP proof (RFC 9449 section
 * 4.2), whose header must have `jwk`. jwt_finish in any case. */
bool jwt_read(const char *token, size_t length, bool brings_key, struct jwt *out,
              struct error *error) MUST_CHECK;
void jwt_finish(struct jwt *jwt); /* accepts zeroed */
/* For `struct jwt jwt JWT_SCOPE = {0};` */
#define JWT_SCOPE __attribute__((cleanup(jwt_finish)))

/* Whether `key` made the token's signature. */
bool jwt_is_signed_by(const struct jwt *jwt, const struct jwk *key) MUST_CHECK;

#endif
