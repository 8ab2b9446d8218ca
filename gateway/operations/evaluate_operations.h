#ifndef OPERATIONS_EVALUATE_OPERATIONS_H
#define OPERATIONS_EVALUATE_OPERATIONS_H

/*
 * AuthZEN evaluations (OpenID AuthZEN Authorization API 1.0): what policy says of an action now.
 * Each is an entry, committed before it is answered. An evaluation makes no request and consumes
 * nothing, so that the same one again has the same answer. What needs a person is a no that may be
 * asked about: `is_requestable`. One that carries an approval redeems its grant.
 *
 * Tasks (AuthZEN Access Request and Approval Profile, draft 1): asking for what was denied so. A
 * task is one request of ours, or several.
 */

#include "grants/grant.h"
#include "operations/grant_operations.h"
#include "operations/operation.h"
#include "operations/request_operations.h"

enum {
    EVALUATIONS_MAX = 100,              /* in one call */
    TASK_ITEMS_MAX = 50,                /* in one submission */
    EVALUATION_KEEP_MS = 15 * 60 * 1000 /* how long a denial may be asked about */
};

/* Why it is no; EVALUATED_NO is a no without a word, EVALUATED_YES the only yes. */
enum evaluated {
    EVALUATED_NO = 0,
    EVALUATED_YES,
    EVALUATED_POLICY_DENY,
    EVALUATED_APPROVAL_REQUIRED,
    EVALUATED_FROZEN,
    EVALUATED_RECENTLY_DENIED,
    EVALUATED_AUDIENCE_NOT_ALLOWED,
    EVALUATED_APPROVAL_EXPIRED,      /* used, revoked, too late, or not enough any more */
    EVALUATED_OUT_OF_SCOPE,          /* the approval is for something else */
    EVALUATED_APPROVAL_UNVERIFIABLE, /* there is no such approval for this caller */
    EVALUATED_FAULTY,                /* it could not be evaluated: `fault` says why */
    EVALUATED_COUNT
};
const char *evaluated_name(enum evaluated evaluated); /* "approval_required"; "" for yes and no */

/* One evaluation asked for: as a submission, of which only who asks for whom to do what counts. */
struct evaluate_item {
    struct submit_input asked;
    const char *approval; /* id of the approval it carries; NULL when none */
    struct error fault;   /* what the door found wrong with it; it is not evaluated */
};

enum evaluate_semantic {
    EVALUATE_ALL = 0,
    EVALUATE_DENY_ON_FIRST_DENY,
    EVALUATE_PERMIT_ON_FIRST_PERMIT
};

struct evaluate_input {
    const struct evaluate_item *items;
    size_t count; /* 1..EVALUATIONS_MAX */
    enum evaluate_semantic semantic;
    bool is_batch; /* a fault is then that item's no, and not the whole call's error */
};

struct evaluation {
    enum evaluated evaluated;
    char id[ID_BYTES];   /* evl_…, as in its entry */
    const char *message; /* of the deciding rule; NULL when it has none */
    struct error fault;
    bool has_approval;   /* it carried one */
    bool is_requestable; /* a no that may be asked about, until expires_at */
    int64_t expires_at;
    struct redeem_result redemption; /* the approval was good: redeemed now, and only now */
    int64_t approved_until;
};
struct evaluate_result {
    struct evaluation *evaluations; /* in the order asked, cut after the one that ends the call */
    size_t count;
    int64_t evaluated_at;
};

/* evaluate.c. FORBIDDEN `agent_not_registered`, `subject_not_registered`; INVALID
 * `agent_ambiguous`; RETRY_LATER `no_policy`. */
bool operation_evaluate(struct operation *operation, const struct evaluate_input *input,
                        struct evaluate_result *out, struct error *error) MUST_CHECK;
/* Whether one of them redeemed: then the job must wait for the mark. */
bool evaluate_has_redeemed(const struct evaluate_result *result);

/* One thing asked for: the denial it refers to, and what was evaluated, with the whole context sent
 * now. */
struct task_item {
    struct submit_input asked;
    const char *evaluation; /* evl_… */
};
/* Where the end of a task is to be told. */
struct task_callback {
    const char *endpoint; /* NULL: nowhere */
    const char *events;   /* ends that are told, each between spaces: ` approved denied ` */
    const char *state;    /* given back; NULL when none */
};
enum { TASK_CALLBACK_STATE_BYTES_MAX = 1000 };
struct task_input {
    const struct task_item *items;
    size_t count; /* 1..TASK_ITEMS_MAX */
    bool is_bulk;
    struct task_callback callback;
    const char *idempotency_key; /* NULL when not given */
    struct sha256 body;          /* of the canonical body */
};
enum task_state {
    TASK_NONE = 0,
    TASK_PENDING,
    TASK_APPROVED,
    TASK_DENIED,
    TASK_EXPIRED,
    TASK_CANCELLED,
    TASK_PARTIAL, /* of several: all ended, differently */
    TASK_STATE_COUNT
};
const char *task_state_name(enum task_state state);
struct task_view {
    char id[ID_BYTES];
    bool is_bulk;
    bool was_known; /* submitted before: nothing new was made */
    enum task_state state;
    int64_t expires_at; /* when the last of it is over */
    struct request_view *items;
    size_t count;
};
enum task_state task_state_of(const struct request_row *request);

/* tasks.c. INVALID `invalid_denial_binding`, `callback_not_offered`; CONFLICT `expired_denial`,
 * `duplicate_request`, `invalid_task_state`; NOT_FOUND `unknown_task`; and what
 * operation_submit_request says. */
bool operation_submit_task(struct operation *operation, const struct task_input *input,
                           struct task_view *out, struct error *error) MUST_CHECK;
bool operation_read_task(struct operation *operation, const char *id, struct task_view *out,
                         struct error *error) MUST_CHECK;
bool operation_cancel_task(struct operation *operation, const char *id, const char *why,
                           struct task_view *out, struct error *error) MUST_CHECK;

#endif
