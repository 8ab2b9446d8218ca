#ifndef OPERATIONS_GRANT_OPERATIONS_H
#define OPERATIONS_GRANT_OPERATIONS_H

/* Redeem once, report what happened, revoke; freeze and thaw. */

#include "grants/grant.h"
#include "operations/operation.h"
#include "store/grant_rows.h"
#include "store/people_rows.h"

/* redeem_grant.c: claims come from a token whose signature the door has verified. */
struct redeem_input {
    struct grant_claims claims;
    bool has_claims;      /* false: the token did not verify; refused as unknown_grant and noted */
    const char *action;   /* canonical JSON about to run */
    const char *resource; /* canonical JSON */
    const char *subject;  /* canonical JSON, NULL when the redeemer has none */
    const char *context;  /* canonical JSON without members that do not count, NULL when none */
    const char *shown;    /* the key the holder showed to the redeemer, verified; NULL when none */
    /* An AuthZEN evaluation that carries an approval: the grant's id instead of a token. Then
     * subject and context are needed, are compared as ARAP says, and `agent` (id) must be the
     * grant's. */
    const char *approval;
    const char *agent;
    /* A token exchange: the audience, which must be the grant's. Action and resource may then be
     * NULL: the token that is made says what was approved. */
    const char *exchange_for;
};
struct redeem_result {
    enum grant_refusal refusal; /* GRANT_ACCEPTED: redeemed now, and only now */
    bool is_yours;              /* already_redeemed by this same redeemer */
    char grant[ID_BYTES];
    char request[ID_BYTES];
    int64_t fence;
    int64_t redeemed_at;
    int64_t effect_due_at;
    struct grant_claims
        token; /* accepted: claims of the redeemed token, to be signed by the door */
};
/* Only callers redeem. Every refusal is an entry. On acceptance the job must wait for the mark
 * (store_job.needs_mark). */
bool operation_redeem_grant(struct operation *operation, const struct redeem_input *input,
                            struct redeem_result *out, struct error *error) MUST_CHECK;

/* report_effect.c: by the redeemer. The same report again is a result. */
enum effect_outcome { EFFECT_NONE = 0, EFFECT_RECORDED, EFFECT_REPEATED };
struct effect_input {
    const char *grant;
    enum grant_event report;   /* GRANT_REPORT_* ; GRANT_RESOLVE_* by a person */
    const char *summary;       /* NULL when none; bounded text */
    const char *result_digest; /* NULL when none; 64 hex */
};
struct effect_result {
    enum effect_outcome outcome;
    enum grant_state state;
};
bool operation_report_effect(struct operation *operation, const struct effect_input *input,
                             struct effect_result *out, struct error *error) MUST_CHECK;

/* revoke_grant.c: by holder, an approver it rests on, or an admin. */
bool operation_revoke_grant(struct operation *operation, const char *grant, const char *why,
                            enum grant_state *out_state, struct error *error) MUST_CHECK;

/* freeze.c: any admin (or the host) with a reason. Scope per lifecycle.md. Unredeemed grants in
 * scope are revoked in batches by escalate_due; redemption refuses them at once because the freeze
 * began after they were issued. */
struct freeze_input {
    enum freeze_scope scope;
    const char *tenant; /* NULL: the principal's */
    const char *target; /* agent name or action glob; NULL otherwise */
    const char *reason;
};
bool operation_freeze(struct operation *operation, const struct freeze_input *input,
                      struct freeze_row *out, struct error *error) MUST_CHECK;
bool operation_thaw(struct operation *operation, const char *freeze, struct freeze_row *out,
                    struct error *error) MUST_CHECK;
bool operation_list_freezes(struct operation *operation, struct freeze_row **out, size_t *out_count,
                            struct error *error) MUST_CHECK;

#endif
