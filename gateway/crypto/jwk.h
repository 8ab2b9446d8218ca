#ifndef CRYPTO_JWK_H
#define CRYPTO_JWK_H

/*
 * Public keys of others: JWK and JWK sets (RFC 7517, RFC 7518 section 6, RFC 8037), SPIFFE bundles
 * in JSON, and signatures checked with them. Which algorithm may be used is the key's and the
 * configuration's to say, never the token's alone: jwk_verify refuses what the key is not for.
 *
 * Refused as a key: private or symmetric members, RSA below 2048 or above 8192 bits, points that
 * are not on their curve, coordinates of a wrong length. In a set such keys, and those whose `kty`,
 * `use`, `key_ops` or `alg` is not for checking signatures, are left out and counted; a set that is
 * not one is refused whole.
 *
 * Immutable once made: sets are counted references and may be used by several threads.
 */

#include "base/error.h"
#include "formats/json.h"
#include <stddef.h>
#include <stdint.h>

enum {
    JWK_SET_BYTES_MAX = 512 * 1024,
    JWK_SET_KEYS_MAX = 100,
    JWK_KEY_ID_BYTES = 256,
    JWK_THUMBPRINT_BYTES = 44, /* 43 characters and NUL */
    JWK_SIGNATURE_BYTES_MAX = 1024,
    JWK_ENDORSEMENTS_MAX = 200,
    JWK_ENDORSEMENT_BYTES_MAX = 64,
};

enum jwk_algorithm {
    JWK_ALGORITHM_NONE = 0, /* also what a token's `none` becomes */
    JWK_RS256,
    JWK_RS384,
    JWK_RS512,
    JWK_PS256,
    JWK_PS384,
    JWK_PS512,
    JWK_ES256,
    JWK_ES384,
    JWK_ES512,
    JWK_EDDSA, /* Ed25519; `Ed25519` of RFC 9864 is the same */
    JWK_ALGORITHM_COUNT,
};

/* NONE for what is not one of the above, whatever its case. */
enum jwk_algorithm jwk_algorithm_find(const char *name);
const char *jwk_algorithm_name(enum jwk_algorithm algorithm); /* "RS256"; "none" */

enum jwk_use {
    JWK_USE_SIGNATURE = 1, /* `sig`, or none said */
    JWK_USE_JWT_SVID,      /* `jwt-svid`, of a SPIFFE bundle */
    JWK_USE_X509_SVID,     /* `x509-svid`: a certificate and no key */
};

struct jwk;

/* Reads one public key. NULL with INVALID `bad_key`. Destroy with jwk_destroy. */
struct jwk *jwk_read(const struct json *object, struct error *error) MUST_CHECK;
void jwk_destroy(struct jwk *key);             /* accepts NULL */
const char *jwk_key_id(const struct jwk *key); /* "" when it has none */
enum jwk_use jwk_use(const struct jwk *key);
/* RFC 7638 with SHA-256, base64url: computed, whatever the key calls itself. */
void jwk_thumbprint(const struct jwk *key, char out[JWK_THUMBPRINT_BYTES]);
bool jwk_is_for(const struct jwk *key, enum jwk_algorithm algorithm);
/* Whether the key's `endorsements`, a member that keys of the Bot Framework have, name this
 * channel.
 */
bool jwk_endorses(const struct jwk *key, const char *channel);
/* Whether the signature (JWS form, RFC 7518 section 3) over the bytes is this key's. */
bool jwk_verify(const struct jwk *key, enum jwk_algorithm algorithm, const void *bytes,
                size_t length, const unsigned char *signature, size_t signature_length) MUST_CHECK;

struct jwk_set;

/* Parses {"keys":[...]}. NULL with INVALID `bad_key_set`. An empty list is a set: it ends all
 * trust. One reference is the caller's. */
struct jwk_set *jwk_set_parse(const char *bytes, size_t length, struct error *error) MUST_CHECK;
struct jwk_set *jwk_set_ref(struct jwk_set *set);
void jwk_set_unref(struct jwk_set *set);         /* accepts NULL */
size_t jwk_set_count(const struct jwk_set *set); /* keys that can be used */
size_t jwk_set_left_out(const struct jwk_set *set);
int64_t jwk_set_sequence(const struct jwk_set *set); /* `spiffe_sequence`, 0 when absent */
/* The next key of this use that is for the algorithm and has this id (NULL: any id), from *cursor
 * (begin with 0) on; lent; NULL when there is no other. */
const struct jwk *jwk_set_next(const struct jwk_set *set, enum jwk_use use, const char *key_id,
                               enum jwk_algorithm algorithm, size_t *cursor);
/* The certificate (DER, lent) of the x509-svid key at `index` among all; NULL when it is none. */
const unsigned char *jwk_set_certificate(const struct jwk_set *set, size_t index,
                                         size_t *out_length);

#endif
