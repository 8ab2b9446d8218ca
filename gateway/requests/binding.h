#ifndef REQUESTS_BINDING_H
#define REQUESTS_BINDING_H

/*
 * What is bound: digest = SHA-256(JCS({v, salt, tenant, agent, subject, action, resource, audience,
 * context})). One digest serves votes, grant, redemption and ledger. The salt is 128 random bits
 * per revision, as base64url text. `context` counts whole, except the members that configuration
 * names as not counting (trace ids, timestamps).
 *
 * The text always has all nine members, so that whoever recomputes it has no case to forget:
 * `audience` is "" when none was asked (no audience can have that name), `context` is {} when there
 * is none. A worked example with its digest is in tests/unit/requests/test_binding.c.
 */

#include "base/builder.h"
#include "base/error.h"
#include "crypto/secret.h"
#include "formats/json.h"
#include "policy/history.h"

enum { SALT_TEXT_BYTES = 23, BINDING_VERSION = 1 };

/* Canonical JSON texts of the bound members; agent, tenant and audience as plain text. Lent by
 * whoever holds the request. */
struct binding {
    const char *tenant;
    const char *agent;
    const char *subject;  /* canonical JSON object {id,type,properties?} */
    const char *action;   /* canonical JSON object {name,properties?} */
    const char *resource; /* canonical JSON object */
    const char
        *context; /* canonical JSON object without the members that do not count; "{}" when none */
    const char *audience; /* "" when none was asked: the caller itself */
};

struct sha256 binding_digest(const struct binding *binding, const char *salt);
/* The three keys below never leave the store; each is an HMAC over canonical JSON that also names
 * its use, so that one kind is never taken for another.
 * Finds repeats: over the same members without salt, and the caller. */
struct sha256 binding_match_key(const struct binding *binding, const char *caller,
                                const struct secret *key);
/* What an unfinished effect blocks, whichever agent asks: over tenant, subject, action (arguments
 * included) and resource. */
struct sha256 binding_effect_key(const struct binding *binding, const struct secret *key);
/* Near-repeats: over tenant, agent, action name and resource key. */
struct sha256 binding_near_key(const char *tenant, const char *agent, const char *action_name,
                               const char *resource_key, const struct secret *key);
/* One series of counts (history.h): over those of the members that `parts`, a set of enum
 * policy_history_part, names, the tenant, and since when it is counted, so that a series that was
 * given up is never taken up again. */
struct binding_history {
    unsigned parts;
    int64_t since_at;
    const char *tenant;
    const char *agent; /* name */
    const char *action_name;
    const char *resource_key;
    const char *subject_key;
    const struct sha256 *match_key;
};
struct sha256 binding_history_key(const struct binding_history *history, const struct secret *key);
void binding_make_salt(char out[SALT_TEXT_BYTES]);
/* Appends the canonical text whose SHA-256 is the digest: what a caller or an approver recomputes.
 */
void binding_append_text(const struct binding *binding, const char *salt, struct builder *out);

#endif
