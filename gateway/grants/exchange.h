#ifndef GRANTS_EXCHANGE_H
#define GRANTS_EXCHANGE_H

/*
 * Tokens for other parties, made when a grant is exchanged (RFC 8693): another type than a grant's
 * and another life, good for one audience, and narrowed to the action that was approved by claims
 * that the other side can hold its own rules against. None of them is good here.
 */

#include "grants/grant.h"

#define GRANT_EXCHANGED_TYP "countersign-exchange+jwt"

enum {
    EXCHANGE_AUDIENCES_MAX = 64,
    EXCHANGE_BACKDATED_MS = 5000, /* of iat and nbf: the other side's clock may be behind */
};

/* Whose claims the audience reads; the zero value is a service of one's own. */
enum exchange_target {
    EXCHANGE_SERVICE = 0,
    EXCHANGE_AWS,   /* session tags and source identity */
    EXCHANGE_GCP,   /* attribute mapping reads any claim */
    EXCHANGE_AZURE, /* reads iss, sub and aud alone */
    EXCHANGE_VAULT, /* bound_claims read any claim */
    EXCHANGE_TARGET_COUNT
};
/* What `sub` is. Clouds want few and constant ones. */
enum exchange_subject {
    EXCHANGE_SUBJECT_PRINCIPAL = 0, /* type/id of the subject */
    EXCHANGE_SUBJECT_AGENT,         /* agent:TENANT:NAME */
    EXCHANGE_SUBJECT_AGENT_ACTION,  /* agent:TENANT:NAME:ACTION, for who reads nothing else */
    EXCHANGE_SUBJECT_COUNT
};

/* One audience, as configured. */
struct exchange_audience {
    const char *audience;
    enum exchange_target target;
    enum exchange_subject subject;
    bool is_rs256; /* else ES256 */
    int64_t lifetime_ms;
};

bool exchange_target_read(const char *name, enum exchange_target *out) MUST_CHECK;
bool exchange_subject_read(const char *name, enum exchange_subject *out) MUST_CHECK;
/* The audience of that name; NULL when it is not configured. */
const struct exchange_audience *exchange_find(const struct exchange_audience *audiences,
                                              size_t count, const char *audience);

/* Appends the payload as canonical JSON: `claims` as redemption made them, issued now and living as
 * long as the audience's tokens do. */
void grant_append_exchanged(const struct exchange_audience *audience,
                            const struct grant_claims *claims, struct builder *out);

#endif
