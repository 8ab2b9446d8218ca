#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

/*
 * What vouches for workloads, as it is now: trust bundles of SPIFFE trust domains and key sets of
 * token issuers, read from files or fetched by the courier; what was proven a moment ago; and the
 * DPoP proofs that were used. It decides nothing about what a proven caller may do, opens no
 * connection and logs nothing.
 *
 *   door:    look (cheap: remembered, or refused without a signature check)
 *              TRUST_ASKS -> check on a worker (signature or certificate path)
 *   courier: next_fetch -> GET -> take_keys | fetch_failed;  reread_file every few seconds
 *
 * A key that is not known asks for a fetch, at most one each TRUST_REFETCH_MS (or as the issuer
 * says): a flood of made-up key ids costs nobody a connection. Keys that could not be fetched anew
 * stay good for `stale_max_ms`, then vouch for nobody. A file that cannot be read leaves what was
 * read before.
 *
 * Every refusal is UNAUTHENTICATED and its code names the reason for the operator: those of
 * crypto/jwt.h, identity/token_rules.h and identity/spiffe.h, and
 *   unknown_issuer, unknown_trust_domain, unknown_key, keys_missing, keys_stale, bad_signature,
 *   not_endorsed
 *
 * Any thread; one lock, held for moments, never while a signature is checked.
 */

#include "crypto/x509.h"
#include "identity/confirmation.h"
#include "identity/token_rules.h"

enum {
    TRUST_ISSUERS_MAX = 32,
    TRUST_DOMAINS_MAX = 32,
    TRUST_REFETCH_MS = 30 * 1000,
    TRUST_RETRY_MS = 5 * 1000,           /* after a fetch that failed, doubled up to a minute */
    TRUST_KEYS_TRIED_MAX = 8,            /* of those that fit a token without key id */
    TRUST_REMEMBERED = 2048,             /* proofs */
    TRUST_CHAIN_GOOD_MS = 5 * 60 * 1000, /* a chain's path is looked at again */
    TRUST_PROOFS_ONCE_MAX = 64 * 1024,   /* DPoP proofs of the last minutes */
};

/* A token issuer. One that `is_service` signs what a chat service posts here and vouches for no
 * caller: of its terms only the issuer is read, and its claims are judged where they are understood
 * (notifiers/teams/teams_token.h). */
struct trust_issuer {
    const char *name;         /* for the log */
    struct token_terms terms; /* terms.issuer is what `iss` must be, byte for byte */
    const char *keys_file;    /* one of the three */
    const char *keys_url;
    const char *metadata_url; /* OpenID metadata, whose `jwks_uri` is of the same origin */
    int64_t refresh_ms;       /* of a URL */
    int64_t stale_max_ms;     /* of a URL */
    int64_t refetch_ms;       /* of an unknown key; 0: TRUST_REFETCH_MS */
    bool is_service;
};

struct trust_domain {
    const char *name;
    const char *bundle_file; /* PEM certificates, or a SPIFFE bundle in JSON */
    const struct matcher *matchers;
    size_t matcher_count;
};

struct trust_options {
    const struct trust_issuer *issuers; /* borrowed, as all below, until trust_destroy */
    size_t issuer_count;
    const struct trust_domain *domains;
    size_t domain_count;
    const char *const *audiences; /* of JWT-SVIDs; NULL-terminated */
    int64_t leeway_ms;
    int64_t svid_lifetime_max_ms; /* of JWT-SVIDs */
};

struct trust;

/* Reads every file once. NULL with INVALID and the file as subject. */
struct trust *trust_create(const struct trust_options *options, struct error *error) MUST_CHECK;
void trust_destroy(struct trust *trust);            /* accepts NULL */
bool trust_takes_tokens(const struct trust *trust); /* something is configured */
bool trust_takes_certificates(const struct trust *trust);
int64_t trust_leeway_ms(const struct trust *trust);

/* ---- the doors ---- */

enum trust_answer {
    TRUST_REFUSED = 0, /* error is set */
    TRUST_PROVEN,      /* out is filled */
    TRUST_ASKS,        /* nothing speaks against it yet: check it where CPU may be spent */
};

/* `now` is wall time, `tick` the boot clock. */
enum trust_answer trust_look_token(struct trust *trust, const char *token, size_t length,
                                   int64_t now, int64_t tick, struct proof *out,
                                   struct error *error) MUST_CHECK;
bool trust_check_token(struct trust *trust, const char *token, size_t length, int64_t now,
                       int64_t tick, struct proof *out, struct error *error) MUST_CHECK;
/* `chain` is DER, the leaf first, of a peer whose handshake is over. */
enum trust_answer trust_look_chain(struct trust *trust, const unsigned char *chain, size_t length,
                                   int64_t now, struct proof *out, struct error *error) MUST_CHECK;
bool trust_check_chain(struct trust *trust, const unsigned char *chain, size_t length, int64_t now,
                       struct proof *out, struct error *error) MUST_CHECK;
/* The same for a certificate as PEM, remembered nowhere: to explain it. */
bool trust_explain_pem(struct trust *trust, const char *pem, size_t length, int64_t now,
                       struct proof *out, struct error *error) MUST_CHECK;

/* The keys of a service, of which one at least has the token's `kid` and is for its `alg`; a
 * counted reference. NULL when none is. Cheap: nothing is checked yet. */
struct jwk_set *trust_look_service(struct trust *trust, const char *name, const struct jwt *jwt,
                                   int64_t tick, struct error *error) MUST_CHECK;
/* Whether one of those keys made the signature, and endorses this channel of the service. Costs
 * CPU. */
bool trust_check_service(const struct jwk_set *keys, const struct jwt *jwt, const char *channel,
                         struct error *error) MUST_CHECK;

/* Takes a DPoP proof for used. UNAUTHENTICATED `invalid_dpop_proof` when it was used before; LIMIT
 * `too_many_proofs` when no more can be remembered: forgetting one would let it be replayed. */
bool trust_use_once(struct trust *trust, const struct dpop_proof *proof, int64_t now,
                    struct error *error) MUST_CHECK;

/* ---- the courier ---- */

/* An issuer whose keys are due; it is then being fetched until one of the next two is called. */
bool trust_next_fetch(struct trust *trust, int64_t tick, size_t *out_issuer);
/* Where: its metadata, or its keys. Lent until the next of these calls; the courier's thread. */
const char *trust_fetch_url(const struct trust *trust, size_t issuer);
/* What came: keys, or the metadata that says where they are, which are then due at once. */
bool trust_take_keys(struct trust *trust, size_t issuer, const char *bytes, size_t length,
                     int64_t tick, struct error *error) MUST_CHECK; /* INVALID: kept the old ones */
void trust_fetch_failed(struct trust *trust, size_t issuer, int64_t tick);

enum trust_file { TRUST_FILE_SAME = 0, TRUST_FILE_READ, TRUST_FILE_BAD };
/* Files are numbered from 0, domains first; READ when it had changed and was taken. BAD sets
 * INVALID with the file as subject, once for each state the file is in. */
size_t trust_file_count(const struct trust *trust);
enum trust_file trust_reread_file(struct trust *trust, size_t file, bool whatever_its_time,
                                  const char **out_path, struct error *error) MUST_CHECK;

#endif
