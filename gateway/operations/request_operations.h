#ifndef OPERATIONS_REQUEST_OPERATIONS_H
#define OPERATIONS_REQUEST_OPERATIONS_H

/* Submit, read, list, vote, cancel, and what time brings. Each function is one operation (see
 * operation.h). */

#include "grants/grant.h"
#include "operations/operation.h"
#include "policy/policy.h"
#include "store/attention_rows.h"
#include "store/comment_rows.h"
#include "store/edit_rows.h"
#include "store/grant_rows.h"
#include "store/request_rows.h"

/* submit_request.c: what the door has read and bounded. Texts canonical where said. */
struct submit_input {
    const char *agent;       /* name; NULL: the caller's only agent */
    const char *subject;     /* canonical JSON object */
    const char *subject_key; /* type/id */
    const char *action;      /* canonical JSON object */
    const char *action_name;
    const char *resource; /* canonical JSON object */
    const char *resource_key;
    const char *context;  /* canonical JSON object, members that do not count already left out */
    const char *audience; /* NULL: the caller itself */
    const char *why;      /* NULL when not given */
    const char *trace;    /* NULL when not given */
    const char *idempotency_key; /* NULL when not given */
    struct sha256 body;          /* of the request body, to tell a reused key */
    int64_t expires_in_ms;       /* 0: as the rules say; it can only shorten */
    bool mints;                  /* the answer carries a token when policy allows it at once */
};
enum submit_outcome { SUBMIT_NONE = 0, SUBMIT_CREATED, SUBMIT_ATTACHED, SUBMIT_REPLAYED };
struct submit_result {
    enum submit_outcome outcome;
    char request[ID_BYTES];
    enum request_state state;
    bool nobody_can_approve; /* pending, but no enabled person could meet what is required */
    const struct request_row *allowed; /* as stored, when policy allowed it at once; else NULL */
    const struct grant_row *grant;     /* its grant */
};
/* FORBIDDEN `agent_not_registered`, `subject_not_registered`, `audience_not_allowed`; INVALID
 * `agent_ambiguous`; CONFLICT `idempotency_mismatch`; LIMIT `too_many_pending`. A freeze or a
 * denial is a result, not an error. */
bool operation_submit_request(struct operation *operation, const struct submit_input *input,
                              struct submit_result *out, struct error *error) MUST_CHECK;

/* read_request.c: one request as this principal may see it. The one projection of requests for
 * every surface. */
struct view_rung {
    const char *rule;
    const char *const *groups;
    size_t group_count;
    int64_t at; /* asked since, or to be asked */
    bool is_reached;
};
/* Votes within the hour, and how many a person can give well. */
struct view_budget {
    bool has_one; /* a person, and there is a limit */
    int64_t used;
    int64_t limit;
};
struct request_view {
    struct request_row request;
    struct policy_requirement *requirements;
    size_t requirement_count;
    unsigned *approved; /* per requirement, people counted */
    unsigned missing;
    struct vote_row *votes; /* visible ones, in order */
    size_t vote_count;
    const char **asked_groups; /* asked so far */
    size_t asked_group_count;
    struct edit_row *edits; /* what approvers changed, in order */
    size_t edit_count;
    /* While pending: */
    struct view_rung *rungs; /* who was asked since when, and who will be, by requirement */
    size_t rung_count;
    int64_t next_rung_at; /* 0: none before the timeout, or the clock is stopped */
    struct watch_row *watches;
    size_t watch_count;
    const char *group_key; /* the same for requests that repeat this one; NULL when ended */
    int64_t repeats;       /* pending ones of that group, this included */
    bool has_dwell;        /* a person reads it: */
    int64_t dwell_needed_ms;
    int64_t viewed_at;         /* when this revision was first shown to them; 0 never */
    struct view_budget budget; /* only by operation_read_request */
    bool has_question;
    struct comment_row question; /* the one that waits for the agent's answer */
    int64_t news;                /* edits and questions so far: more of them end a wait early */
    bool may_approve, may_deny, may_edit; /* this principal, now */
    bool needs_passkey;                   /* it may approve, but only with a passkey's signature */
    bool is_frozen;
    bool nobody_can_approve; /* pending, but no enabled person could meet what is required */
    bool has_grant;
    struct grant_row grant;
    bool has_token; /* the holder reads an approval: claims for a fresh token, to be signed by the
                       door */
    struct grant_claims token;
    const char *open_effect_of; /* grant whose effect is not known, which made this need a person;
                                   NULL when none */
};
/* `mints`: make a fresh token when the principal is the holder and the grant is issued (writes;
 * store thread). Without it nothing is written and a read-only store serves. NOT_FOUND for everyone
 * who may not know of it. */
bool operation_read_request(struct operation *operation, const char *id, bool mints,
                            struct request_view *out, struct error *error) MUST_CHECK;

/* The same for what was submitted in the same job, for who submitted it; with a token, which
 * submit_input.mints made where policy allowed it at once. */
bool operation_read_submitted(struct operation *operation, const struct submit_result *submitted,
                              struct request_view *out, struct error *error) MUST_CHECK;

struct list_input {
    int state;                /* enum request_state, -1 any */
    bool only_mine_to_decide; /* pending and this person may vote now */
    const char *agent;        /* NULL any */
    const char *before_id;    /* "" newest */
    size_t limit;             /* 1..200 */
};
/* What this principal may see: a caller its own, a person what they were or are asked, auditors and
 * admins the tenant. Without tokens. `out_next` is the before_id of the next page, NULL when there
 * is none; a page may be short, since only so many rows are looked at for one. */
bool operation_list_requests(struct operation *operation, const struct list_input *input,
                             struct request_view **out, size_t *out_count, const char **out_next,
                             struct error *error) MUST_CHECK;
/* Of the principal, for the head of a list. */
bool operation_read_budget(struct operation *operation, struct view_budget *out,
                           struct error *error) MUST_CHECK;

/* cast_vote.c */
struct passkey_answer;
struct vote_input {
    const char *request;
    int revision;
    struct sha256 digest; /* of what was shown; another one is CONFLICT `digest_mismatch` */
    bool approves;
    const char *reason; /* NULL when none */
    const struct passkey_answer
        *passkey;        /* what signed it; NULL: it proves what the credential does */
    const char *retyped; /* canonical JSON object {name: text}: the challenge; NULL when none */
};
enum vote_outcome { VOTE_NONE = 0, VOTE_COUNTED, VOTE_UNCHANGED, VOTE_LATE };
struct vote_result {
    enum vote_outcome outcome;
    enum request_state state; /* after it */
    enum request_reason reason;
    char vote[ID_BYTES];
    unsigned missing; /* people still needed */
};
bool operation_cast_vote(struct operation *operation, const struct vote_input *input,
                         struct vote_result *out, struct error *error) MUST_CHECK;

/* cancel_request.c: by its caller (withdrawn) or an admin. Already ended: a result with the state
 * it has. */
struct cancel_result {
    bool did_cancel;
    enum request_state state;
    enum request_reason reason;
};
bool operation_cancel_request(struct operation *operation, const char *id, const char *why,
                              struct cancel_result *out, struct error *error) MUST_CHECK;

/* escalate_due.c: rungs, timeouts, lapses, overdue effects; at most `limit` rows; the system's.
 * `out_next_due_at` 0 when nothing waits. */
bool operation_escalate_due(struct operation *operation, size_t limit, size_t *out_done,
                            int64_t *out_next_due_at, struct error *error) MUST_CHECK;

#endif
