#ifndef IDENTITY_TOKEN_RULES_H
#define IDENTITY_TOKEN_RULES_H

/*
 * The judgement of a JWT's claims (RFC 7519 section 4.1, RFC 8725, JWT-SVID): pure, on claims whose
 * signature is checked beside it (crypto/jwt.h). A judgement is worth nothing without that.
 *
 * Refusals are UNAUTHENTICATED; the code is for the operator, and a caller is never told it:
 *   wrong_type          `typ` is not one the issuer's tokens have: another kind of token
 *   wrong_algorithm     `alg` is not one this issuer is allowed
 *   malformed_claims    a claim has not the form it must have
 *   wrong_issuer        `iss` is another's than the service's
 *   wrong_audience      `aud` does not name this gateway
 *   no_expiry, expired, not_yet_valid, issued_in_future
 *   lives_too_long      from `iat` (or now) to `exp` is longer than the configuration lets be
 *   act_too_deep        more than PROOF_ACT_MAX actors in a row
 *   no_registration     no matcher matches
 */

#include "crypto/jwt.h"
#include "identity/matcher.h"
#include "identity/proof.h"

enum { TOKEN_LEEWAY_MS_MAX = 60 * 1000, TOKEN_SERVICE_LEEWAY_MS_MAX = 300 * 1000 };

struct token_terms {
    const char *issuer;           /* NULL: a JWT-SVID, whose `sub` was looked up instead */
    const char *const *audiences; /* NULL-terminated; any of them */
    const char *const *types;     /* NULL-terminated; NULL: none said, `jwt` and `jose` */
    unsigned algorithms;          /* bits 1 << enum jwk_algorithm */
    int64_t leeway_ms;            /* at most TOKEN_LEEWAY_MS_MAX */
    int64_t lifetime_max_ms;
    const struct matcher *matchers;
    size_t matcher_count;
};

/* JWT-SVID section 3: RS, PS and ES, no EdDSA. */
#define TOKEN_SVID_ALGORITHMS                                                                      \
    (1U << JWK_RS256 | 1U << JWK_RS384 | 1U << JWK_RS512 | 1U << JWK_PS256 | 1U << JWK_PS384 |     \
     1U << JWK_PS512 | 1U << JWK_ES256 | 1U << JWK_ES384 | 1U << JWK_ES512)

/* Fills `out` whole, its kind too. `out->confirmation` is what the token itself is bound to (`cnf`,
 * RFC 7800): the door must see that key proven, or refuse. */
bool token_judge(const struct jwt *jwt, const struct token_terms *terms, int64_t now,
                 struct proof *out, struct error *error) MUST_CHECK;

/* Whose, for whom and when, of a token with which a service signs what it posts here: it names no
 * caller, and of the terms the matchers are not read. The leeway is at most
 * TOKEN_SERVICE_LEEWAY_MS_MAX. */
bool token_judge_service(const struct jwt *jwt, const struct token_terms *terms, int64_t now,
                         struct error *error) MUST_CHECK;

/* `iss` or `sub` when it is a text without NULs, else NULL. */
const char *token_text(const struct jwt *jwt, const char *claim);

#endif
