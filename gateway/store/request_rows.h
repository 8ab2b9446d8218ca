#ifndef STORE_REQUEST_ROWS_H
#define STORE_REQUEST_ROWS_H

/* Requests, votes, denials, idempotency keys. */

#include "identity/assurance.h"
#include "identity/principal.h"
#include "requests/request.h"
#include "store/store.h"

struct request_row {
    int64_t row; /* the store's own number, for joins */
    char id[ID_BYTES];
    char tenant[NAME_BYTES];
    char caller[ID_BYTES];
    char caller_name[NAME_BYTES];
    char agent[ID_BYTES];
    char agent_name[NAME_BYTES];
    enum request_state state;
    enum request_reason reason;
    int64_t version; /* compare-and-set */
    int revision;
    int risk;                /* enum policy_risk */
    int verdict;             /* enum policy_verdict at submission */
    const char *subject;     /* canonical JSON */
    const char *subject_key; /* type/id */
    const char *action;      /* canonical JSON, arguments included; NULL once erased */
    const char *action_name;
    const char *resource; /* canonical JSON */
    const char *resource_key;
    const char *context;  /* canonical JSON, members that count */
    const char *audience; /* "" when none was asked */
    const char *why;      /* the agent's stated reason; untrusted text; may be NULL */
    const char *trace;    /* traceparent; may be NULL */
    const char *salt;     /* NULL once erased */
    struct sha256 digest;
    struct sha256 match_key;
    struct sha256 effect_key;
    struct sha256 near_key;
    const char *requirements;   /* policy_requirements_append text; NULL when none */
    const char *grant_settings; /* policy_grant_append text */
    const char *explanation;    /* canonical JSON */
    const char *message;        /* the deciding rule's message; may be NULL */
    const char *policy;         /* version, hex */
    bool allows_self_approval;
    const char *parties; /* who may not approve (subject, agent's owner) as of submission: ids with
                            one space between, "" when none */
    int near_denials;    /* near-repeats counted at submission, shown to the approver */
    int64_t created_at;
    int64_t asked_at;         /* rung times count from here; moves by frozen time */
    int64_t settled_at;       /* request_clock */
    int64_t timeout_at;       /* 0 when not pending */
    int64_t due_at;           /* next rung or timeout; 0 when nothing is due */
    int64_t ended_at;         /* 0 while pending */
    const char *ended_by;     /* per_… or "" */
    char grant[ID_BYTES];     /* "" when none */
    const char *show;         /* canonical JSON array: names of arguments shown first; NULL none */
    const char *challenge;    /* the same, of those to be retyped when critical; NULL none */
    bool is_stranded;         /* pending, and nobody may approve it */
    int comment_count;        /* of both sides */
    int question_count;       /* of people */
    const char *history_read; /* what rules read of history when it was asked; NULL: nothing */
    char question[ID_BYTES];  /* the comment that waits for an answer; "" when none */
    char editor[ID_BYTES];    /* who made the current revision; "" as submitted */
    const char *identity;     /* what the caller proved to be; "" with an API key */
    const char *act;          /* canonical JSON list of who acts for whom, "" when none */
    const char *unverified;   /* of `agent` and `subject` those it is not registered for, "" none */
    const char *confirmation; /* the key the caller showed (identity/confirmation.h), "" none */
};

bool store_insert_request(struct store *store, struct request_row *request,
                          struct error *error) MUST_CHECK; /* sets row */
/* False with NOT_FOUND. Tenant is part of every lookup. */
bool store_read_request(struct store *store, const char *tenant, const char *id,
                        struct arena *arena, struct request_row *out,
                        struct error *error) MUST_CHECK;
/* Writes every member that may change after insertion (state, reason, revision, requirements,
 * policy, clock, end, grant…) where the stored version is `request->version`, then raises it.
 * CONFLICT when it is not. */
bool store_update_request(struct store *store, struct request_row *request,
                          struct error *error) MUST_CHECK;
/* The pending request of the same caller with this match key; `out_id` empty when none. */
bool store_find_pending(struct store *store, const char *tenant, const char *caller,
                        const struct sha256 *match_key, char out_id[ID_BYTES],
                        struct error *error) MUST_CHECK;
/* Up to `limit` ids of pending requests due by `now`, earliest first (tenant beside each). */
struct request_reference {
    char tenant[NAME_BYTES];
    char id[ID_BYTES];
};
bool store_list_due_requests(struct store *store, int64_t now, size_t limit, struct arena *arena,
                             struct request_reference **out, size_t *out_count,
                             struct error *error) MUST_CHECK;
bool store_next_due_at(struct store *store, int64_t *out_due_at, struct error *error)
    MUST_CHECK; /* of requests and grants; 0 when nothing is */
/* Pending requests after `after_row`, for evaluation on publication, freezes and rollbacks; bounded
 * batches. */
bool store_list_pending(struct store *store, const char *tenant, int64_t after_row, size_t limit,
                        struct arena *arena, struct request_row **out, size_t *out_count,
                        struct error *error) MUST_CHECK; /* tenant NULL: all */
/* Paused clocks become due at once, so that they are settled after a thaw. */
bool store_wake_stopped_requests(struct store *store, int64_t now, struct error *error) MUST_CHECK;
bool store_count_pending(struct store *store, const char *tenant, const char *caller,
                         int64_t *out_count, struct error *error) MUST_CHECK; /* caller NULL: all */

/* Keyset pages, newest first: rows before `before_id` ("" for the newest). Filters NULL or -1 are
 * not applied. */
struct request_filter {
    const char *tenant; /* never NULL */
    const char *caller;
    const char *agent;
    int state; /* -1 any */
    const char *before_id;
    size_t limit; /* at most STORE_PAGE_MAX */
};
bool store_list_requests(struct store *store, const struct request_filter *filter,
                         struct arena *arena, struct request_row **out, size_t *out_count,
                         struct error *error) MUST_CHECK;

/* Requests of one tenant after `after_id`, oldest first; at most STORE_PAGE_MAX. */
bool store_list_requests_after(struct store *store, const char *tenant, const char *after_id,
                               size_t limit, struct arena *arena, struct request_row **out,
                               size_t *out_count, struct error *error) MUST_CHECK;

/* Votes are append-only: the current vote of a person on a revision is the newest. */
struct vote_row {
    char id[ID_BYTES];
    char request[ID_BYTES];
    char person[ID_BYTES];
    char person_name[NAME_BYTES];
    int revision;
    struct sha256 digest;
    bool approves;
    bool is_late;
    enum assurance assurance;
    const char *via;    /* "token", "session"… */
    const char *reason; /* may be NULL */
    int64_t at;
    int64_t dwell_ms;    /* since its person saw the revision; -1: never said so */
    bool is_quick;       /* an approval, faster than its risk allows */
    bool is_retyped;     /* the challenge was retyped */
    bool is_over_budget; /* more than an hour's */
};
bool store_insert_vote(struct store *store, const char *tenant, const struct vote_row *vote,
                       struct error *error) MUST_CHECK;
/* All votes of a request in order; the caller picks the newest per person. */
bool store_list_votes(struct store *store, const char *tenant, const char *request,
                      struct arena *arena, struct vote_row **out, size_t *out_count,
                      struct error *error) MUST_CHECK;

/* Denials by people, for nagging and near-repeats. One at `since` counts. */
bool store_insert_denial(struct store *store, const char *tenant, const struct sha256 *match_key,
                         const struct sha256 *near_key, const char *request, int64_t at,
                         struct error *error) MUST_CHECK;
bool store_find_denial(struct store *store, const char *tenant, const struct sha256 *match_key,
                       int64_t since, char out_request[ID_BYTES],
                       struct error *error) MUST_CHECK; /* "" when none */
bool store_count_near_denials(struct store *store, const char *tenant,
                              const struct sha256 *near_key, int64_t since, int64_t *out_count,
                              struct error *error) MUST_CHECK;

/* Idempotency keys, scoped to (tenant, caller); kept until 24 h after the request ended. Denials
 * are kept longer than any window that looks back on them. */
enum { STORE_IDEMPOTENCY_KEEP_MS = 24 * 3600 * 1000, STORE_DENIAL_KEEP_MS = 7 * 24 * 3600 * 1000 };
struct idempotency_row {
    char request[ID_BYTES];
    struct sha256 body;
};
bool store_insert_idempotency(struct store *store, const char *tenant, const char *caller,
                              const char *key, const struct idempotency_row *row, int64_t at,
                              struct error *error) MUST_CHECK;
bool store_find_idempotency(struct store *store, const char *tenant, const char *caller,
                            const char *key, struct idempotency_row *out, bool *out_found,
                            struct error *error) MUST_CHECK;
/* Forgets keys and denials that are over; looks over at most `limit` of each, in turn from call to
 * call, so that nothing went now says nothing about the next call; says how many went. */
bool store_purge_expired(struct store *store, int64_t now, size_t limit, int64_t *out_purged,
                         struct error *error) MUST_CHECK;

#endif
