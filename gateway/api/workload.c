#include "api/api_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/confirmation.h"
#include "trust/trust.h"
#include <string.h>

/*
 * Callers by token or client certificate, and DPoP proofs (RFC 9449). What is known already is
 * taken at once; what costs a signature goes to a worker first; then the credential is settled.
 * Whoever fails is answered as for a key nobody knows: which of the rules it broke is told to the
 * operator, in the log and the ledger, and to nobody else.
 */

struct api_verification {
    struct worker_job job; /* first */
    struct api_call *call;
    const char *token; /* a JWT still to be checked; NULL: none */
    const unsigned char *chain;
    size_t chain_length;
    const char *possession; /* a DPoP proof still to be checked; NULL: none */
    struct dpop_terms terms;
    struct dpop_proof possessed;
    bool has_possessed;
    unsigned char peer_hash[32]; /* of the client certificate, also beside a token */
    bool has_peer;
    int64_t now;
    struct error error;
    bool ok;
};

static bool refuse_uniformly(struct error *error)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "bad_credential", NULL,
                     "the key or token is not known, or is disabled or expired");
}

bool api_refuse_workload(struct api_call *call, const struct error *reason, struct error *error)
{
    LOG(LOG_LEVEL_WARN, "caller_refused", LOG_TEXT("reason", reason->code),
        LOG_TEXT("message", reason->message), LOG_TEXT("peer", api_peer(call)));
    api_noise_note(call->api, api_peer(call), reason->code);
    return refuse_uniformly(error);
}

static struct api_verification *begin(struct api_call *call)
{
    if (call->verification == NULL) {
        call->verification = ARENA_NEW(call->arena, struct api_verification);
        call->verification->call = call;
        call->verification->now = clock_wall_ms();
    }
    return call->verification;
}

static struct proof *new_proof(struct api_call *call)
{
    if (call->proof == NULL) {
        call->proof = ARENA_NEW(call->arena, struct proof);
    }
    return call->proof;
}

/* Remembers what was presented beside the credential, while the request's head is there. */
static void note_peer(struct api_call *call)
{
    const struct http_certificate *peer = http_peer_certificate(call->exchange);
    if (peer != NULL) {
        struct api_verification *verification = begin(call);
        memcpy(verification->peer_hash, peer->sha256, sizeof verification->peer_hash);
        verification->has_peer = true;
    }
}

bool api_see_token(struct api_call *call, const char *token, struct error *error)
{
    struct error reason = {0};
    size_t length = strlen(token);
    note_peer(call);
    switch (trust_look_token(call->api->options.trust, token, length, clock_wall_ms(),
                             clock_boot_ms(), new_proof(call), &reason)) {
    case TRUST_PROVEN:
        return true;
    case TRUST_ASKS:
        begin(call)->token = arena_copy(call->arena, token, length);
        return true;
    case TRUST_REFUSED:
        break;
    }
    return api_refuse_workload(call, &reason, error);
}

bool api_see_certificate(struct api_call *call, const struct http_certificate *peer,
                         struct error *error)
{
    struct error reason = {0};
    note_peer(call);
    switch (trust_look_chain(call->api->options.trust, peer->chain, peer->chain_length,
                             clock_wall_ms(), new_proof(call), &reason)) {
    case TRUST_PROVEN:
        return true;
    case TRUST_ASKS:
        begin(call)->chain = (const unsigned char *)arena_copy(
            call->arena, (const char *)peer->chain, peer->chain_length);
        begin(call)->chain_length = peer->chain_length;
        return true;
    case TRUST_REFUSED:
        break;
    }
    return api_refuse_workload(call, &reason, error);
}

/* RFC 9449 section 4.3: exactly one. Only callers hold grants. */
bool api_see_possession(struct api_call *call, const char *authorization, struct error *error)
{
    const char *proof = NULL;
    if (!http_header(call->exchange, "dpop", &proof, error)) {
        return false;
    }
    if (proof == NULL || (call->proof == NULL && !identity_is_callers(call->credential.kind))) {
        return true;
    }
    struct api_verification *verification = begin(call);
    const char *space = authorization == NULL ? NULL : strchr(authorization, ' ');
    verification->possession = arena_text(call->arena, proof);
    verification->terms = (struct dpop_terms){
        .method = http_method_text(call->exchange),
        .url =
            arena_printf(call->arena, "%s%s", call->api->options.issuer, http_path(call->exchange)),
        .token = space == NULL ? NULL : arena_text(call->arena, space + 1),
        .leeway_ms = trust_leeway_ms(call->api->options.trust),
    };
    return true;
}

/* ---- on a worker ---- */

static struct api_verification *verification_of(struct worker_job *job)
{
    return (struct api_verification *)job;
}

static void run_verification(struct worker_job *job)
{
    struct api_verification *verification = verification_of(job);
    struct api_call *call = verification->call;
    struct trust *trust = call->api->options.trust;
    verification->ok = true;
    if (verification->token != NULL) {
        verification->ok = trust_check_token(trust, verification->token,
                                             strlen(verification->token), verification->now,
                                             clock_boot_ms(), call->proof, &verification->error);
    } else if (verification->chain != NULL) {
        verification->ok = trust_check_chain(trust, verification->chain, verification->chain_length,
                                             verification->now, call->proof, &verification->error);
    }
    if (verification->ok && verification->possession != NULL) {
        verification->ok = dpop_judge(verification->possession, strlen(verification->possession),
                                      &verification->terms, verification->now,
                                      &verification->possessed, &verification->error);
        verification->has_possessed = verification->ok;
    }
}

bool api_needs_verification(const struct api_call *call)
{
    const struct api_verification *verification = call->verification;
    return verification != NULL && (verification->token != NULL || verification->chain != NULL ||
                                    verification->possession != NULL);
}

bool api_verify(struct api_call *call, void (*done)(struct worker_job *job), struct error *error)
{
    call->verification->job.run = run_verification;
    call->verification->job.done = done;
    return workers_submit(call->api->options.verifiers, &call->verification->job, error);
}

struct api_call *api_verified_call(struct worker_job *job)
{
    return verification_of(job)->call;
}

/* ---- what it came to ---- */

static bool is_dpop_error(const struct error *error)
{
    return error->code != NULL && (strcmp(error->code, "invalid_dpop_proof") == 0 ||
                                   strcmp(error->code, "too_many_proofs") == 0);
}

/* A token that is bound to a key is good for nothing without it (RFC 7800 section 3). */
static bool is_bound_key_shown(const struct api_call *call, struct error *reason)
{
    const struct api_verification *verification = call->verification;
    const char *bound = call->proof->confirmation;
    char shown[CONFIRMATION_BYTES] = "";
    if (bound[0] == '\0' || call->proof->kind == CREDENTIAL_SVID) {
        return true;
    }
    if (strncmp(bound, "jkt:", 4) == 0) {
        if (verification != NULL && verification->has_possessed &&
            strcmp(verification->possessed.confirmation, bound) == 0) {
            return true;
        }
    } else if (verification != NULL && verification->has_peer) {
        struct sha256 hash;
        memcpy(hash.bytes, verification->peer_hash, sizeof hash.bytes);
        confirmation_of_certificate(&hash, shown);
    }
    return strcmp(shown, bound) == 0 ||
           error_set(reason, ERROR_UNAUTHENTICATED, "key_not_shown", NULL,
                     "the token is bound to a key (`cnf`) that came neither as DPoP proof nor as "
                     "client certificate");
}

static void take_proof(struct api_call *call)
{
    const struct proof *proof = call->proof;
    struct credential *credential = &call->credential;
    *credential = (struct credential){
        .kind = proof->kind, .hash = crypto_sha256(proof->id, strlen(proof->id)), .proof = proof};
    memcpy(credential->caller, proof->caller, sizeof credential->caller);
    memcpy(credential->confirmation, proof->confirmation, sizeof credential->confirmation);
}

bool api_settle_credential(struct api_call *call, struct error *error)
{
    struct api_verification *verification = call->verification;
    struct error reason = {0};
    bool was_asked = api_needs_verification(call);
    if (was_asked && !verification->ok && !is_dpop_error(&verification->error)) {
        return api_refuse_workload(call, &verification->error, error);
    }
    bool has_possessed = verification != NULL && verification->has_possessed;
    /* Before it counts as used, and no guess: the client does not know the nonce yet. */
    if (has_possessed && !api_check_nonce(call, verification->possessed.nonce, error)) {
        return false;
    }
    if ((was_asked && !verification->ok) ||
        (has_possessed && !trust_use_once(call->api->options.trust, &verification->possessed,
                                          verification->now, &verification->error))) {
        api_noise_note(call->api, api_peer(call), verification->error.code);
        return error_set(error, verification->error.kind, verification->error.code, "DPoP", "%s",
                         verification->error.message);
    }
    if (call->proof != NULL) {
        if (!is_bound_key_shown(call, &reason)) {
            return api_refuse_workload(call, &reason, error);
        }
        take_proof(call);
    }
    if (has_possessed) {
        memcpy(call->credential.confirmation, verification->possessed.confirmation,
               sizeof call->credential.confirmation);
    }
    return true;
}

/* ---- the holder, as a redeemer passes it on ---- */

struct api_holder {
    struct worker_job job; /* first */
    struct api_call *call;
    const char *proof;
    struct dpop_terms terms;
    struct dpop_proof shown;
    const char **out;
    int64_t now;
    bool ok;
    void (*done)(struct api_call *call);
};

void api_want_holder(struct api_call *call, const char *proof, const struct dpop_terms *terms,
                     const char **out)
{
    call->holder = ARENA_NEW(call->arena, struct api_holder);
    *call->holder = (struct api_holder){
        .call = call, .proof = proof, .terms = *terms, .out = out, .now = clock_wall_ms()};
}

static void run_holder(struct worker_job *job)
{
    struct api_holder *holder = (struct api_holder *)job;
    struct error ignored = {0};
    holder->ok = dpop_judge(holder->proof, strlen(holder->proof), &holder->terms, holder->now,
                            &holder->shown, &ignored);
}

/* A proof that is no good proves nobody: the operation refuses for want of one, and notes it. */
static void finish_holder(struct worker_job *job)
{
    struct api_holder *holder = (struct api_holder *)job;
    struct error ignored = {0};
    if (holder->ok &&
        trust_use_once(holder->call->api->options.trust, &holder->shown, holder->now, &ignored)) {
        *holder->out = holder->shown.confirmation;
    }
    holder->done(holder->call);
}

bool api_verify_holder(struct api_call *call, void (*done)(struct api_call *call),
                       struct error *error)
{
    call->holder->done = done;
    call->holder->job.run = run_holder;
    call->holder->job.done = finish_holder;
    return workers_submit(call->api->options.verifiers, &call->holder->job, error);
}
