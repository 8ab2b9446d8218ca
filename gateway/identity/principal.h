#ifndef IDENTITY_PRINCIPAL_H
#define IDENTITY_PRINCIPAL_H

/*
 * Who is asking. A door reads a credential from the wire (bounded, never logged); the operation
 * turns it into a principal from the store's rows, in the transaction that acts on it, so that a
 * key disabled a moment ago is disabled now. Nothing else a client sends says who it is.
 *
 * - API key, csk_…: a caller (the tool runner); speaks only for agents and subjects registered to
 * it
 * - a JWT of a configured issuer, or an X.509-SVID: a caller too, mapped by the configuration
 * (identity/matcher.h) to one that is registered
 * - personal token, cst_…: a person at the command line; assurance `session`
 * - session, css_… in a cookie: a person who signed in (identity/session.h); assurance `session`
 * - an account at Slack or in Teams, by a signed callback: the person it is linked to; assurance `chat`, and
 *   good for votes alone
 * - host socket: the operator on the machine itself (peer credentials); may administer, votes on
 *   nothing
 */

#include "base/error.h"
#include "crypto/crypto.h"
#include "identity/assurance.h"
#include <stdbool.h>
#include <stddef.h>

enum {
    NAME_BYTES = 65,
    SUBJECT_BYTES = 257,
    BEARER_BYTES_MAX = 16 * 1024, /* as much as a head can hold */
    CONFIRMATION_BYTES = 64,      /* identity/confirmation.h */
};

enum credential_kind {
    CREDENTIAL_NONE = 0,
    CREDENTIAL_API_KEY,
    CREDENTIAL_TOKEN,
    CREDENTIAL_HOST,
    CREDENTIAL_SESSION,
    CREDENTIAL_LINK,  /* a set-up or enrolment link, while it is being used */
    CREDENTIAL_JWT,   /* a workload by a token of a configured issuer */
    CREDENTIAL_SVID,  /* a workload by its client certificate, an X.509-SVID */
    CREDENTIAL_SLACK, /* an account at Slack, by a callback that Slack signed */
    CREDENTIAL_TEAMS, /* an account in Teams, by an activity that the Bot Framework signed */
};

struct proof;

struct credential {
    enum credential_kind kind;
    struct sha256 hash; /* of the whole secret text; what the store looks up */
    unsigned host_uid;  /* CREDENTIAL_HOST: the peer's uid */
    char tenant[NAME_BYTES]; /* CREDENTIAL_HOST: where it acts; "": the default tenant */
    struct sha256 csrf; /* CREDENTIAL_SESSION: what proves that a call comes from the page */
    /* CREDENTIAL_JWT and _SVID: the registered caller this was found to be, by the door. */
    char caller[NAME_BYTES];
    /* Of a caller: the key it proved to hold with this call; "" when none. */
    char confirmation[CONFIRMATION_BYTES];
    const struct proof *proof; /* the whole of it, lent; NULL when nobody needs it any more */
};

enum principal_kind {
    PRINCIPAL_NONE = 0,
    PRINCIPAL_CALLER,
    PRINCIPAL_PERSON,
    PRINCIPAL_HOST,
    PRINCIPAL_SYSTEM
};

struct principal {
    enum principal_kind kind;
    char id[ID_BYTES]; /* cal_…, per_…; "host" or "system" */
    char name[NAME_BYTES];
    char tenant[NAME_BYTES];
    char credential[ID_BYTES]; /* key_…, tok_… or ses_…; empty for host and system */
    enum credential_kind credential_kind;
    enum assurance assurance; /* what a vote by this principal proves */
    bool is_admin;            /* people only */
    bool is_auditor;
};

/* Reads an Authorization header value (RFC 6750 section 2.1): `Bearer`, one space, `csk_` or `cst_`
 * and 43 base64url characters, nothing after. UNAUTHENTICATED `no_credential` when it is absent
 * (NULL), `invalid_credential` for every other form; the message never quotes it. */
bool identity_read_bearer(const char *authorization, struct credential *out,
                          struct error *error) MUST_CHECK;

/* Of an Authorization header value that is `Bearer` or `DPoP` (RFC 9449 section 7.1) and something
 * of the form of a JWT: where the token begins, and which scheme; NULL for anything else. */
const char *identity_find_jwt(const char *authorization, bool *out_is_dpop);

/* A name people and configuration use: 1 to 64 of [a-z0-9._-], starting with a letter or digit. */
bool identity_is_name(const char *text);

/* "type/id" of an AuthZEN subject or resource, as rules and registrations write it. False when it
 * does not fit. Neither may be empty or hold control characters; the type may hold no '/', so that
 * the first '/' always ends it. */
bool identity_make_key(const char *type, const char *id, char *out, size_t out_bytes) MUST_CHECK;

/* What a callback's account is looked up by. */
struct sha256 identity_hash_account(const char *service, const char *account);
/* Whether who comes by it is an account at a chat service. */
bool identity_is_chat(enum credential_kind kind);

/* Whether who comes by it is a caller: an API key, or what proves a workload. */
bool identity_is_callers(enum credential_kind kind);

/* "api_key", "token", "socket", "session", "link", "jwt", "svid", "slack", "teams"; "" for none */
const char *identity_via(enum credential_kind kind);

#endif
