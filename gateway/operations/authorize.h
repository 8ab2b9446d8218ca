#ifndef OPERATIONS_AUTHORIZE_H
#define OPERATIONS_AUTHORIZE_H

/*
 * The one place that decides who may do what. Every operation asks here before it changes or shows
 * anything; doors never check. The answer depends on the principal and on what the principal is to
 * the thing, never on what a client says about itself. What a stolen session could make worse than
 * it is also needs a step-up: a proof beyond the cookie, given a moment ago. Who comes by an
 * account at a chat service votes, and does nothing else.
 */

#include "operations/operation.h"

/* Every operation. One that is added here does not compile until authorize.c decides about it. */
enum operation_kind {
    OPERATION_SUBMIT_REQUEST,
    OPERATION_READ_REQUEST, /* also its timeline */
    OPERATION_LIST_REQUESTS,
    OPERATION_CAST_VOTE,
    OPERATION_EDIT_REQUEST,
    OPERATION_COMMENT_REQUEST,
    OPERATION_VIEW_REQUEST,
    OPERATION_WATCH_REQUEST,
    OPERATION_READ_INSIGHTS, /* one's own; all of them for who reads all */
    OPERATION_CANCEL_REQUEST,
    OPERATION_ESCALATE_DUE,
    OPERATION_EVALUATE,
    OPERATION_REDEEM_GRANT,
    OPERATION_REPORT_EFFECT,
    OPERATION_RESOLVE_EFFECT,
    OPERATION_REVOKE_GRANT,
    OPERATION_FREEZE,
    OPERATION_FREEZE_EVERYTHING,
    OPERATION_THAW,
    OPERATION_THAW_EVERYTHING,
    OPERATION_LIST_FREEZES,
    OPERATION_PUBLISH_POLICY,
    OPERATION_ROLL_BACK_POLICY,
    OPERATION_READ_POLICY, /* versions and their files; check, simulate, replay */
    OPERATION_RECOVER,
    OPERATION_NOTE_REFUSALS,
    OPERATION_DELIVER_NOTICES,
    OPERATION_LIST_NOTICES,
    OPERATION_RESEND_NOTICE,
    OPERATION_READ_LEDGER,   /* head, consistency, export */
    OPERATION_READ_RECEIPT,  /* also for the holder: `is_own` */
    OPERATION_CHANGE_PEOPLE, /* people, roles, groups */
    OPERATION_LIST_PEOPLE,
    OPERATION_CHANGE_AGENTS,
    OPERATION_LIST_AGENTS,
    OPERATION_CHANGE_CALLERS,
    OPERATION_LIST_CALLERS,
    OPERATION_CHANGE_CREDENTIALS,
    OPERATION_LIST_CREDENTIALS,
    OPERATION_ROTATE_KEYS, /* of the issuer */
    OPERATION_INTROSPECT_TOKEN,
    OPERATION_DESCRIBE_SELF,
    OPERATION_READ_SETUP,    /* whether there is an admin who can sign in */
    OPERATION_BEGIN_SESSION, /* by nobody yet: the password says who */
    OPERATION_READ_SESSION,
    OPERATION_END_SESSION,
    OPERATION_SET_PASSWORD, /* one's own, knowing the former */
    OPERATION_MAKE_SETUP_LINK,
    OPERATION_MAKE_ENROLMENT_LINK,
    OPERATION_USE_LINK, /* by nobody yet: the link says who */
    OPERATION_STEP_UP,
    OPERATION_ADD_PASSKEY,
    OPERATION_LIST_OWN, /* one's own passkeys, sessions and tokens */
    OPERATION_RENAME_PASSKEY,
    OPERATION_REMOVE_PASSKEY,
    OPERATION_CONFIRM_PASSKEY,
    OPERATION_MAKE_STATEMENT,
    OPERATION_PROVE_VOTE,
    OPERATION_CHANGE_TOTP,
    OPERATION_ADD_OWN_TOKEN,
    OPERATION_TAKE_BACK_OWN,   /* one's own sessions, tokens and linked chat accounts */
    OPERATION_CHOOSE_CHANNELS, /* of the operator's, which tell oneself */
    OPERATION_MAKE_CHAT_CODE,
    OPERATION_NOTE_CONVERSATION, /* where a bot reaches one; what the service itself says */
    OPERATION_LINK_CHAT, /* by an account that is nobody's: the code says whose it will be */
    OPERATION_PROPOSE_CHANGE,
    OPERATION_LIST_PROPOSALS,
    OPERATION_WITHDRAW_PROPOSAL,
    OPERATION_ADD_TENANT,
    OPERATION_LIST_TENANTS,
};

/* What the principal is to the thing it names. The zero value is a stranger. */
struct authorize_facts {
    const char *tenant; /* of the thing; NULL: the principal's own. Another tenant's is hidden */
    bool is_own;        /* a caller: its request, its grant, the grant it redeemed */
    bool is_known;      /* a caller: may know of it, though another acts on it */
    bool is_involved;   /* a person: asked, voted, subject or owner of the agent */
    bool is_relied_on;  /* a person: the grant rests on their vote */
};

/* True only for a clear yes. Else FORBIDDEN `not_allowed`, `step_up_needed` or
 * `second_admin_needed`, or NOT_FOUND `not_found` about `subject` (may be NULL) where the thing's
 * existence must not show. `facts` may be NULL: a stranger. */
bool authorize(const struct operation *operation, enum operation_kind kind,
               const struct authorize_facts *facts, const char *subject,
               struct error *error) MUST_CHECK;

/* What the session proved beyond its cookie, as long as that lasts. */
enum step_up authorize_step_up(const struct operation *operation);
/* FORBIDDEN `step_up_needed`, and how to. Returns false. */
bool authorize_step_up_needed(const struct operation *operation, const char *subject,
                              struct error *error);
/* When that is over; meaningless for STEP_UP_NONE. */
int64_t authorize_step_up_end(const struct operation *operation);

/* The one answer for what does not exist and for what may not be known. */
bool authorize_not_found(struct error *error, const char *subject);
/* The store's error of a look-up that failed, as that answer when nothing was found. */
bool hide_missing(const struct error *missing, const char *subject, struct error *error);

#endif
