#ifndef GRANTS_GRANT_H
#define GRANTS_GRANT_H

/*
 * The one-use permission. A grant token confers nothing until redeemed. Only the newest token
 * redeems; at most GRANT_MINTS_MAX are made. The rules are one table {state, event, next}; a pair
 * not in it is refused.
 *
 * The drawing of the table is printed by tests/unit/grants/test_table.c and must match
 * docs/grant-life.txt.
 */

#include "base/builder.h"
#include "base/error.h"
#include "crypto/crypto.h"
#include "identity/principal.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRANT_MINTS_MAX = 20, GRANT_CLAIMS_BYTES_MAX = 4096 };

#define GRANT_DETAILS_TYPE "urn:countersign:action" /* of authorization_details */
#define GRANT_TOKEN_TYP "countersign-grant+jwt" /* confers nothing; redeem it */
#define GRANT_REDEEMED_TYP                                                                         \
    "countersign-redeemed+jwt" /* what redemption returns; for APIs that verify offline */

enum grant_state {
    GRANT_ABSENT = 0,
    GRANT_ISSUED,
    GRANT_REDEEMED,
    GRANT_SUCCEEDED,
    GRANT_FAILED,
    GRANT_UNKNOWN,
    GRANT_LAPSED,
    GRANT_REVOKED,
    GRANT_STATE_COUNT
};

enum grant_event {
    GRANT_ISSUE = 0,
    GRANT_MINT,
    GRANT_REDEEM,
    GRANT_CLAIM_WINDOW_OVER,
    GRANT_REVOKE,
    GRANT_REPORT_SUCCEEDED,
    GRANT_REPORT_FAILED,
    GRANT_REPORT_UNKNOWN,
    GRANT_EFFECT_OVERDUE,
    GRANT_RESOLVE_SUCCEEDED, /* by a person, from unknown */
    GRANT_RESOLVE_FAILED,
    GRANT_EVENT_COUNT
};

struct grant_transition {
    enum grant_state state;
    enum grant_event event;
    enum grant_state next;
};

/* The transition for this pair, lent; NULL when the pair is refused. */
const struct grant_transition *grant_apply(enum grant_state state,
                                           enum grant_event event) MUST_CHECK;
const struct grant_transition *grant_transitions(size_t *out_count);
const char *grant_state_name(enum grant_state state);
const char *grant_event_name(enum grant_event event);

/* Claims of a grant token. Times in milliseconds here, NumericDate seconds on the wire (RFC 7519
 * section 4.1). */
struct grant_claims {
    char issuer[256];
    char grant[ID_BYTES];   /* "grant" */
    char request[ID_BYTES]; /* "txn" */
    char tenant[65];
    char agent[65];        /* "act": {"sub"} */
    char subject[257];     /* "sub": type/id */
    char audience[257];    /* "aud": the audience, or the caller's id when none was asked */
    char caller[ID_BYTES]; /* "client_id": the holder */
    char digest[65];       /* "digest": hex */
    char binding[44];      /* "binding_hash": ARAP's, for those who know neither salt nor agent */
    char action[201];      /* "authorization_details" (RFC 9396): its only action */
    char resource[257];    /* its identifier: type/id */
    char policy[65];       /* "policy_version": what decided, hex */
    char token[ID_BYTES];  /* "jti": only the newest redeems */
    bool is_bearer;        /* "bearer": holder cannot be proved */
    char confirmation[CONFIRMATION_BYTES]; /* "cnf": the key its holder must show, "" none */
    int64_t issued_at;
    int64_t expires_at;
    int64_t fence; /* redeemed tokens only, else 0 */
};

/* Appends the payload as canonical JSON; a time is rounded down to its second. */
void grant_append_claims(const struct grant_claims *claims, struct builder *out);
/* Appends authorization_details: what the token is for, without its arguments. */
void grant_append_details(const struct grant_claims *claims, struct builder *out);
/* Reads a payload whose signature was verified: every member of the right form, none missing (but
 * fence), none else. UNAUTHENTICATED `invalid_token` otherwise. */
bool grant_read_claims(const char *payload, size_t length, struct grant_claims *out,
                       struct error *error) MUST_CHECK;

/* When a token minted now expires: min(now + ttl, claim_until), rounded down to the second. 0 when
 * that is not after now: too late, nothing may be minted. */
int64_t grant_token_expiry(int64_t now, int64_t ttl_ms, int64_t claim_until);

/* Why a redemption is refused. GRANT_ACCEPTED is the only yes; the zero value is a refusal. */
enum grant_refusal {
    GRANT_REFUSED_UNKNOWN_GRANT = 0,
    GRANT_ACCEPTED,
    GRANT_REFUSED_EXPIRED,
    GRANT_REFUSED_SUPERSEDED_TOKEN,
    GRANT_REFUSED_ALREADY_REDEEMED,
    GRANT_REFUSED_REVOKED,
    GRANT_REFUSED_LAPSED,
    GRANT_REFUSED_ARGS_MISMATCH,
    GRANT_REFUSED_WRONG_AUDIENCE,
    GRANT_REFUSED_WRONG_HOLDER,
    GRANT_REFUSED_POLICY_CHANGED,
    GRANT_REFUSED_FROZEN,
    GRANT_REFUSAL_COUNT
};
const char *grant_refusal_name(enum grant_refusal refusal); /* "args_mismatch"; "" for accepted */

/* Everything a redemption depends on, gathered in its transaction. */
struct grant_redemption {
    enum grant_state state;
    int64_t claim_until;
    int64_t now;              /* wall time, never before the highest the store has seen */
    int64_t token_expires_at; /* from the verified token */
    int64_t elapsed_ms; /* boot clock since the token was minted; -1 when this process did not mint
                           it, and then the wall clock alone decides */
    int64_t ttl_ms;     /* what that token was minted for */
    const char *token;  /* jti presented */
    const char *newest_token;      /* jti stored */
    const char *redeemer;          /* caller id of who presents it */
    const char *holder;            /* caller id of who asked */
    const char *audience;          /* stored; "" when the caller itself */
    bool redeemer_serves_audience; /* registered for it */
    bool is_bearer;
    const char *confirmation; /* the key its holder must show; NULL or "": none */
    const char *shown;        /* the key that was shown; NULL or "": none */
    bool digest_matches;
    bool policy_still_permits; /* not deny, no error, recorded votes still meet its requirements */
    bool is_frozen;            /* a freeze covers it now, or began after it was issued */
};
/* The first refusal in the order the table in redeem.c gives (and gives reasons for), so that the
 * same facts give the same answer: unknown_grant, wrong_audience, wrong_holder, already_redeemed,
 * frozen, revoked, lapsed, superseded_token, expired, args_mismatch, policy_changed. */
enum grant_refusal grant_check_redemption(const struct grant_redemption *facts) MUST_CHECK;

/* fence = epoch * 2^40 + n; only grows. CHECKed: n below 2^40, epoch below 2^13 (so that a fence is
 * exact as a JSON number), not both 0 (0 is no fence). */
int64_t grant_fence(int64_t epoch, int64_t number);

#endif
