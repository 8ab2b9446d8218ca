#ifndef IDENTITY_CONFIRMATION_H
#define IDENTITY_CONFIRMATION_H

/*
 * Proof of possession: the key a token is bound to, as one text, and the judgement of a DPoP proof
 * (RFC 9449). A confirmation is `jkt:` or `x5t#S256:` and the base64url SHA-256 of the key (RFC
 * 7638) or the certificate (RFC 8705); "" is none: whoever has the token may use it.
 */

#include "crypto/jwt.h"
#include "identity/principal.h"
#include <stdint.h>

enum { DPOP_WINDOW_MS = 60 * 1000, DPOP_JTI_BYTES_MAX = 256, DPOP_NONCE_BYTES = 64 };

/* The `cnf` claim (RFC 7800): absent is ""; exactly one of `jkt` and `x5t#S256`. UNAUTHENTICATED
 * `unknown_confirmation` for any other: a binding that is not understood must not be dropped. */
bool confirmation_read(const struct json *cnf, char out[CONFIRMATION_BYTES],
                       struct error *error) MUST_CHECK;
void confirmation_of_key(const struct jwk *key, char out[CONFIRMATION_BYTES]);
void confirmation_of_certificate(const struct sha256 *hash, char out[CONFIRMATION_BYTES]);
bool confirmation_is(const char *text); /* of the form above, not "" */
/* The name in `cnf` ("jkt"), and where in the text the hash begins. NULL when it is none. */
const char *confirmation_name(const char *confirmation, const char **out_hash);

/* What the proof must be for. */
struct dpop_terms {
    const char *method;    /* htm */
    const char *url;       /* htu, without query and fragment */
    const char *token;     /* whose hash `ath` must be; NULL: none is presented */
    bool needs_token_hash; /* else `ath` may be absent */
    int64_t leeway_ms;
};
struct dpop_proof {
    char confirmation[CONFIRMATION_BYTES]; /* of the key that signed it */
    struct sha256 once;                    /* key and jti: seen again is a replay */
    int64_t until_at;                      /* to be remembered until then */
    char nonce[DPOP_NONCE_BYTES]; /* as it says; "" where it has none, or none that could be ours */
};
/* RFC 9449 section 4.3, the signature included (costs one verification). UNAUTHENTICATED
 * `invalid_dpop_proof`; the message says which check. Replay is the caller's to find out. */
bool dpop_judge(const char *proof, size_t length, const struct dpop_terms *terms, int64_t now,
                struct dpop_proof *out, struct error *error) MUST_CHECK;

#endif
