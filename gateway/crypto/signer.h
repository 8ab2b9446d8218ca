#ifndef CRYPTO_SIGNER_H
#define CRYPTO_SIGNER_H

/*
 * Private keys are touched only behind this header, so that they can move to another process or an
 * HSM. Kinds: ES256 (ECDSA P-256, grants), Ed25519 (ledger checkpoints) and RS256 (RSA 2048 to
 * 4096, for audiences that take nothing else). A signer's key id is its RFC 7638 thumbprint. Key
 * files are PKCS#8 PEM with mode 0600; a file others can read is refused. Signing and verifying are
 * thread-safe.
 */

#include "base/builder.h"
#include "base/error.h"
#include "crypto/crypto.h"

enum signer_kind { SIGNER_ES256 = 1, SIGNER_ED25519, SIGNER_RS256 };

enum { SIGNER_SIGNATURE_BYTES_MAX = 512 }; /* RSA 4096 */

struct signer;

/* Opens the key at `path`; makes it (0600, fsynced) when absent and `create_if_absent`. NULL with
 * INVALID or INTERNAL. */
struct signer *signer_open(const char *path, enum signer_kind kind, bool create_if_absent,
                           struct error *error) MUST_CHECK;
struct signer *signer_from_seed(enum signer_kind kind,
                                const unsigned char seed[32]); /* Ed25519, tests only */
void signer_close(struct signer *signer);                      /* accepts NULL */

enum signer_kind signer_kind(const struct signer *signer);
const char *signer_algorithm(const struct signer *signer); /* "ES256", "EdDSA", "RS256" */
const char *signer_key_id(const struct signer *signer);
/* Ed25519: 32 raw bytes. ES256: uncompressed point, 65 bytes. RS256: none. */
size_t signer_public_key(const struct signer *signer, unsigned char out[65]);
/* 64 bytes: Ed25519 (RFC 8032) or ES256 as r||s (RFC 7518 section 3.4). Not for RS256. */
bool signer_sign(const struct signer *signer, const void *bytes, size_t length,
                 unsigned char out[64], struct error *error) MUST_CHECK;
bool signer_verify(const struct signer *signer, const void *bytes, size_t length,
                   const unsigned char signature[64]) MUST_CHECK;
/* The same for any kind: as long as the kind makes it. An RS256 signature (RFC 7518 section 3.3)
 * costs a quarter of a millisecond and more: on a worker's thread where it can be. */
bool signer_sign_any(const struct signer *signer, const void *bytes, size_t length,
                     unsigned char out[SIGNER_SIGNATURE_BYTES_MAX], size_t *out_length,
                     struct error *error) MUST_CHECK;
bool signer_verify_any(const struct signer *signer, const void *bytes, size_t length,
                       const unsigned char *signature, size_t signature_length) MUST_CHECK;
/* Verifies with a public key alone (Ed25519 raw 32 bytes): the offline verifier's door. */
bool signer_verify_ed25519(const unsigned char public_key[32], const void *bytes, size_t length,
                           const unsigned char signature[64]) MUST_CHECK;
/* Appends the public key as a JWK object (RFC 7517) with kid, use and alg. */
void signer_append_jwk(const struct signer *signer, struct builder *out);

/* JWS compact serialisation (RFC 7515). The payload is JSON text; the header is exactly
 * {"alg","kid","typ"}. */
bool jws_sign(const struct signer *signer, const char *typ, const char *payload,
              size_t payload_length, struct builder *out, struct error *error) MUST_CHECK;
/* Verifies a compact JWS made by `signer`: header must name its alg, kid and `typ`, nothing
 * critical. On success the payload is appended to out_payload. UNAUTHENTICATED `invalid_token` with
 * a message that does not quote the token. Input is capped at 8 KiB. */
bool jws_verify(const struct signer *signer, const char *typ, const char *token,
                size_t token_length, struct builder *out_payload, struct error *error) MUST_CHECK;

#endif
