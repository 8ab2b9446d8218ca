#include "base/memory.h"
#include "identity/spiffe.h"
#include "trust/trust_internal.h"
#include <stdio.h>
#include <string.h>

/* Who is vouched for. */

static bool refuse(struct error *error, const char *code, const char *message)
{
    return error_set(error, ERROR_UNAUTHENTICATED, code, NULL, "%s", message);
}

/* ---- tokens ---- */

/* What vouches for one token: the terms and a counted reference to the keys of this moment. */
struct voucher {
    struct token_terms terms;
    enum jwk_use use;
    struct jwk_set *keys;
    size_t issuer; /* TRUST_ISSUERS_MAX: a trust domain's */
    int64_t generation;
};

static bool take_issuer(struct trust *trust, size_t issuer, int64_t tick, struct voucher *out,
                        struct error *error)
{
    const struct trust_issuer *options = &trust->options.issuers[issuer];
    const struct issuer_state *state = &trust->issuers[issuer];
    pthread_mutex_lock(&trust->mutex);
    bool is_stale = options->keys_file == NULL && tick - state->taken_tick > options->stale_max_ms;
    out->keys = state->keys == NULL || is_stale ? NULL : jwk_set_ref(state->keys);
    out->generation = trust->generation;
    bool is_missing = state->keys == NULL;
    pthread_mutex_unlock(&trust->mutex);
    out->terms = options->terms;
    out->use = JWK_USE_SIGNATURE;
    out->issuer = issuer;
    if (is_missing) {
        return refuse(error, "keys_missing", "the issuer's keys have not been fetched yet");
    }
    return out->keys != NULL ||
           refuse(error, "keys_stale", "the issuer's keys could not be fetched anew for too long");
}

static size_t find_domain(const struct trust *trust, const char *name)
{
    size_t i = 0;
    while (i < trust->options.domain_count && strcmp(trust->options.domains[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* A JWT-SVID: `sub` says which trust domain's keys, whoever `iss` names. */
static bool take_domain(struct trust *trust, const char *subject, struct voucher *out,
                        struct error *error)
{
    struct spiffe_id id;
    if (subject == NULL || !spiffe_read_id(subject, strlen(subject), &id)) {
        return refuse(error, "unknown_issuer", "no issuer is configured for the token's `iss`");
    }
    size_t domain = find_domain(trust, id.trust_domain);
    if (domain == trust->options.domain_count) {
        return refuse(error, "unknown_trust_domain",
                      "no trust domain is configured for the token's `sub`");
    }
    pthread_mutex_lock(&trust->mutex);
    struct jwk_set *keys = trust->domains[domain].keys;
    out->keys = keys == NULL ? NULL : jwk_set_ref(keys);
    out->generation = trust->generation;
    pthread_mutex_unlock(&trust->mutex);
    out->use = JWK_USE_JWT_SVID;
    out->issuer = TRUST_ISSUERS_MAX;
    out->terms = (struct token_terms){
        .audiences = trust->options.audiences,
        .algorithms = TOKEN_SVID_ALGORITHMS,
        .leeway_ms = trust->options.leeway_ms,
        .lifetime_max_ms = trust->options.svid_lifetime_max_ms,
        .matchers = trust->options.domains[domain].matchers,
        .matcher_count = trust->options.domains[domain].matcher_count,
    };
    return out->keys != NULL ||
           refuse(error, "keys_missing",
                  "the trust domain's bundle is PEM and has no keys for JWT-SVIDs");
}

static bool find_voucher(struct trust *trust, const struct jwt *jwt, int64_t tick,
                         struct voucher *out, struct error *error)
{
    const char *issuer = token_text(jwt, "iss");
    for (size_t i = 0; issuer != NULL && i < trust->options.issuer_count; i++) {
        if (!trust->options.issuers[i].is_service &&
            strcmp(trust->options.issuers[i].terms.issuer, issuer) == 0) {
            return take_issuer(trust, i, tick, out, error);
        }
    }
    return take_domain(trust, token_text(jwt, "sub"), out, error);
}

/* An unknown key is perhaps a new one: the keys are fetched, but not for everybody who makes one
 * up. */
static bool refuse_unknown_key(struct trust *trust, const struct voucher *voucher,
                               struct error *error)
{
    if (voucher->issuer < TRUST_ISSUERS_MAX) {
        struct issuer_state *state = &trust->issuers[voucher->issuer];
        pthread_mutex_lock(&trust->mutex);
        int64_t pause = trust->options.issuers[voucher->issuer].refetch_ms;
        int64_t soonest = state->tried_tick + (pause == 0 ? TRUST_REFETCH_MS : pause);
        if (state->failures == 0 && soonest < state->next_tick) {
            state->next_tick = soonest;
        }
        pthread_mutex_unlock(&trust->mutex);
    }
    return refuse(error, "unknown_key", "no key of the issuer fits the token's `kid` and `alg`");
}

static const struct jwk *next_key(const struct voucher *voucher, const struct jwt *jwt,
                                  size_t *cursor)
{
    return jwk_set_next(voucher->keys, voucher->use, jwt->key_id, jwt->algorithm, cursor);
}

/* All but the signature. `out_voucher->keys` is the caller's to unref, also after a refusal. */
static bool weigh_token(struct trust *trust, const struct jwt *jwt, int64_t now, int64_t tick,
                        struct proof *out, struct voucher *out_voucher, struct error *error)
{
    size_t cursor = 0;
    if (!find_voucher(trust, jwt, tick, out_voucher, error) ||
        !token_judge(jwt, &out_voucher->terms, now, out, error)) {
        return false;
    }
    return next_key(out_voucher, jwt, &cursor) != NULL ||
           refuse_unknown_key(trust, out_voucher, error);
}

static bool is_signed(const struct voucher *voucher, const struct jwt *jwt)
{
    size_t cursor = 0;
    const struct jwk *key = next_key(voucher, jwt, &cursor);
    for (int tried = 0; key != NULL && tried < TRUST_KEYS_TRIED_MAX; tried++) {
        if (jwt_is_signed_by(jwt, key)) {
            return true;
        }
        key = next_key(voucher, jwt, &cursor);
    }
    return false;
}

enum trust_answer trust_look_token(struct trust *trust, const char *token, size_t length,
                                   int64_t now, int64_t tick, struct proof *out,
                                   struct error *error)
{
    struct sha256 hash = crypto_sha256(token, length);
    struct jwt jwt JWT_SCOPE = {0};
    struct voucher voucher = {0};
    struct proof *unproven MEMORY_SCOPE = NULL;
    if (trust_recall(trust, &hash, now, out)) {
        return TRUST_PROVEN;
    }
    unproven = memory_zeroed(1, sizeof *unproven);
    bool may_be = jwt_read(token, length, false, &jwt, error) &&
                  weigh_token(trust, &jwt, now, tick, unproven, &voucher, error);
    jwk_set_unref(voucher.keys);
    return may_be ? TRUST_ASKS : TRUST_REFUSED;
}

bool trust_check_token(struct trust *trust, const char *token, size_t length, int64_t now,
                       int64_t tick, struct proof *out, struct error *error)
{
    struct sha256 hash = crypto_sha256(token, length);
    struct jwt jwt JWT_SCOPE = {0};
    struct voucher voucher = {0};
    struct proof proof = {0};
    bool is_good = jwt_read(token, length, false, &jwt, error) &&
                   weigh_token(trust, &jwt, now, tick, &proof, &voucher, error) &&
                   (is_signed(&voucher, &jwt) ||
                    refuse(error, "bad_signature", "the token's signature is not the issuer's"));
    jwk_set_unref(voucher.keys);
    if (is_good) {
        trust_remember(trust, &hash, voucher.generation, &proof);
        *out = proof;
    }
    return is_good;
}

/* ---- services ---- */

struct jwk_set *trust_look_service(struct trust *trust, const char *name, const struct jwt *jwt,
                                   int64_t tick, struct error *error)
{
    struct voucher voucher = {0};
    size_t cursor = 0;
    size_t i = 0;
    while (i < trust->options.issuer_count && (!trust->options.issuers[i].is_service ||
                                               strcmp(trust->options.issuers[i].name, name) != 0)) {
        i++;
    }
    if (i == trust->options.issuer_count) {
        refuse(error, "unknown_issuer", "no such service is configured");
        return NULL;
    }
    bool is_known = take_issuer(trust, i, tick, &voucher, error) &&
                    ((jwt->key_id != NULL && next_key(&voucher, jwt, &cursor) != NULL) ||
                     refuse_unknown_key(trust, &voucher, error));
    if (!is_known) {
        jwk_set_unref(voucher.keys);
        return NULL;
    }
    return voucher.keys;
}

bool trust_check_service(const struct jwk_set *keys, const struct jwt *jwt, const char *channel,
                         struct error *error)
{
    size_t cursor = 0;
    for (int tried = 0; tried < TRUST_KEYS_TRIED_MAX; tried++) {
        const struct jwk *key =
            jwk_set_next(keys, JWK_USE_SIGNATURE, jwt->key_id, jwt->algorithm, &cursor);
        if (key == NULL) {
            break;
        }
        if (jwt_is_signed_by(jwt, key)) {
            return jwk_endorses(key, channel) ||
                   refuse(error, "not_endorsed",
                          "the key that signed does not speak for this channel");
        }
    }
    return refuse(error, "bad_signature", "the token's signature is not the service's");
}

/* ---- certificates ---- */

static bool take_registration(const struct trust_domain *domain, const struct spiffe_id *id,
                              struct proof *out, struct error *error)
{
    const struct matcher *found = matcher_find_spiffe(domain->matchers, domain->matcher_count,
                                                      id->text, id->text + id->path_at);
    if (found == NULL) {
        return refuse(error, "no_registration",
                      "no `callers` entry of this trust domain matches the SPIFFE ID");
    }
    if (strlen(id->text) >= sizeof out->id) {
        return refuse(error, "svid_id", "the SPIFFE ID is longer than 500 bytes");
    }
    memcpy(out->id, id->text, strlen(id->text) + 1);
    snprintf(out->caller, sizeof out->caller, "%s", found->caller);
    snprintf(out->agent, sizeof out->agent, "%s", found->agent == NULL ? "" : found->agent);
    return true;
}

/* The leaf's own rules, its trust domain and who is registered for it: all but the path. */
static bool weigh_chain(struct trust *trust, const struct x509_chain *chain, int64_t now,
                        struct proof *out, size_t *out_domain, struct error *error)
{
    struct x509_facts facts;
    struct spiffe_id id;
    if (!x509_chain_facts(chain, &facts, error) || !spiffe_judge_leaf(&facts, now, &id, error)) {
        return false;
    }
    *out_domain = find_domain(trust, id.trust_domain);
    if (*out_domain == trust->options.domain_count) {
        return refuse(error, "unknown_trust_domain",
                      "no trust domain is configured for the certificate's SPIFFE ID");
    }
    out->kind = CREDENTIAL_SVID;
    out->until_at = facts.not_after_at < now + TRUST_CHAIN_GOOD_MS ? facts.not_after_at
                                                                   : now + TRUST_CHAIN_GOOD_MS;
    confirmation_of_certificate(&facts.hash, out->confirmation);
    return take_registration(&trust->options.domains[*out_domain], &id, out, error);
}

static bool check_path(struct trust *trust, const struct x509_chain *chain, size_t domain,
                       int64_t now, int64_t *out_generation, struct error *error)
{
    pthread_mutex_lock(&trust->mutex);
    struct x509_bundle *bundle = x509_bundle_ref(trust->domains[domain].bundle);
    *out_generation = trust->generation;
    pthread_mutex_unlock(&trust->mutex);
    bool is_trusted = x509_chain_verify(chain, bundle, now, error);
    x509_bundle_unref(bundle);
    return is_trusted;
}

enum trust_answer trust_look_chain(struct trust *trust, const unsigned char *chain, size_t length,
                                   int64_t now, struct proof *out, struct error *error)
{
    struct sha256 hash = crypto_sha256(chain, length);
    (void)error;
    return trust_recall(trust, &hash, now, out) ? TRUST_PROVEN : TRUST_ASKS;
}

static bool check_chain(struct trust *trust, const struct x509_chain *chain, int64_t now,
                        struct proof *out, int64_t *out_generation, struct error *error)
{
    size_t domain = 0;
    return weigh_chain(trust, chain, now, out, &domain, error) &&
           check_path(trust, chain, domain, now, out_generation, error);
}

bool trust_check_chain(struct trust *trust, const unsigned char *chain, size_t length, int64_t now,
                       struct proof *out, struct error *error)
{
    struct sha256 hash = crypto_sha256(chain, length);
    struct proof proof = {0};
    int64_t generation = 0;
    struct x509_chain *certificates = x509_chain_read(chain, length, error);
    bool is_good =
        certificates != NULL && check_chain(trust, certificates, now, &proof, &generation, error);
    x509_chain_destroy(certificates);
    if (is_good) {
        trust_remember(trust, &hash, generation, &proof);
        *out = proof;
    }
    return is_good;
}

bool trust_explain_pem(struct trust *trust, const char *pem, size_t length, int64_t now,
                       struct proof *out, struct error *error)
{
    int64_t generation = 0;
    struct proof proof = {0};
    struct x509_chain *chain = x509_chain_read_pem(pem, length, error);
    bool is_good = chain != NULL && check_chain(trust, chain, now, &proof, &generation, error);
    x509_chain_destroy(chain);
    if (is_good) {
        *out = proof;
    }
    return is_good;
}
