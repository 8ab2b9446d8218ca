#ifndef CRYPTO_WEBAUTHN_H
#define CRYPTO_WEBAUTHN_H

/*
 * Passkeys: what a browser and its authenticator answer, checked as W3C Web Authentication level 2
 * says (sections 7.1 and 7.2), with OpenSSL alone. ES256, EdDSA (Ed25519) and RS256. Pure: whoever
 * calls made the challenge, knows the key, and decides what a yes is worth.
 *
 * It refuses what it does not understand: client data that is not strict JSON (a name twice, text
 * behind it), another type, challenge, origin or RP id, a page embedded in another one, no user
 * present, no user verified, a key that is not exactly of its form, bytes left over anywhere.
 * Attestation is not asked for and its statement is not believed.
 */

#include "base/builder.h"
#include "base/error.h"
#include "crypto/crypto.h"
#include <stddef.h>
#include <stdint.h>

enum {
    WEBAUTHN_ID_BYTES_MAX = 1023, /* of a credential; section 4 */
    WEBAUTHN_KEY_BYTES_MAX = 600, /* a COSE key; RSA of 4096 bits takes 530 */
    WEBAUTHN_CLIENT_DATA_BYTES_MAX = 2048,
    WEBAUTHN_AUTHENTICATOR_DATA_BYTES_MAX = 2048,
    WEBAUTHN_ATTESTATION_BYTES_MAX = 16 * 1024, /* with a chain of certificates nobody reads */
    WEBAUTHN_SIGNATURE_BYTES_MAX = 512,
    WEBAUTHN_AAGUID_BYTES = 16,
};

enum webauthn_algorithm { /* as in the COSE registry */
                          WEBAUTHN_NONE = 0,
                          WEBAUTHN_ES256 = -7,
                          WEBAUTHN_EDDSA = -8,
                          WEBAUTHN_RS256 = -257,
};

struct webauthn_bytes {
    const unsigned char *bytes;
    size_t length;
};

/* What this side expects. All lent. */
struct webauthn_expected {
    const char *rp_id;  /* a host name: "gateway.example" */
    const char *origin; /* "https://gateway.example:8443" */
    struct webauthn_bytes challenge;
};

struct webauthn_passkey {
    unsigned char id[WEBAUTHN_ID_BYTES_MAX];
    size_t id_length;
    unsigned char key[WEBAUTHN_KEY_BYTES_MAX]; /* COSE_Key, as the authenticator wrote it */
    size_t key_length;
    enum webauthn_algorithm algorithm;
    uint32_t sign_count;
    bool is_backup_eligible; /* may be copied to other devices */
    unsigned char aaguid[WEBAUTHN_AAGUID_BYTES];
};

/* Whether this is a key one may register: one of the three algorithms, every member there and of
 * its length, none else, a point on its curve. INVALID `passkey_key`. */
bool webauthn_read_key(struct webauthn_bytes key, enum webauthn_algorithm *out_algorithm,
                       struct error *error) MUST_CHECK;

/* Registration (section 7.1). INVALID `passkey_malformed`, `passkey_key`; FORBIDDEN with the codes
 * of an assertion. */
bool webauthn_verify_registration(const struct webauthn_expected *expected,
                                  struct webauthn_bytes client_data,
                                  struct webauthn_bytes attestation_object,
                                  struct webauthn_passkey *out, struct error *error) MUST_CHECK;

struct webauthn_assertion {
    struct webauthn_bytes client_data;
    struct webauthn_bytes authenticator_data;
    struct webauthn_bytes signature;
};
/* Assertion (section 7.2) by `key`, a COSE key. INVALID `passkey_malformed`; FORBIDDEN
 * `passkey_wrong_type`, `passkey_wrong_challenge`, `passkey_wrong_origin`, `passkey_embedded`,
 * `passkey_wrong_rp`, `passkey_not_present`, `passkey_not_verified`, `passkey_bad_signature`. */
bool webauthn_verify_assertion(const struct webauthn_expected *expected, struct webauthn_bytes key,
                               const struct webauthn_assertion *assertion, uint32_t *out_sign_count,
                               struct error *error) MUST_CHECK;

/* Section 7.2 step 21: whether a counter that was `stored` may be `given` now. Synced passkeys do
 * not count: both stay 0. */
bool webauthn_count_advances(uint32_t stored, uint32_t given);

#endif
