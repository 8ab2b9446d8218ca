#ifndef OPERATIONS_OPERATIONS_INTERNAL_H
#define OPERATIONS_OPERATIONS_INTERNAL_H

/* Shared by the files of this room only. Everything here belongs to the store thread, except the
 * atomics. Operations that only read may also run on the reader thread: they use the store and the
 * options, never the policy or the ledger's place. */

#include "ledger/entry.h"
#include "ledger/tree.h"
#include "operations/minted_tokens.h"
#include "operations/operations.h"
#include "operations/pending_counts.h"
#include "store/grant_rows.h"
#include "store/people_rows.h"
#include "store/request_rows.h"
#include <stdatomic.h>

/* The tenant of the host and of whatever names none. */
#define OPERATIONS_DEFAULT_TENANT "default"

enum {
    OPERATIONS_BATCH_MAX = 200, /* rows that one operation of the gateway's own works through */
    OPERATIONS_TEXT_BYTES_MAX = 1000, /* reasons and summaries: cut at a whole character */
};

/* What a rolled back job or batch must restore: a plain value. */
struct ledger_place {
    uint64_t next_seq;    /* of this epoch; entries recorded but not yet in the tree included */
    int64_t last_at;      /* of the newest entry: `at` never decreases */
    size_t leaf_count;    /* of the pending leaves */
    int64_t fence_number; /* highest handed out; also the store's number "fence_number" */
    int64_t freeze_count; /* in force */
    bool is_frozen_by_rollback;
    int64_t pending_count; /* for the metric */
};

/* What the hooks keep beside the place (sequence_ledger.c). */
struct ledger_watch {
    struct tree tree_at_begin;
    uint64_t covered_size; /* entries under the newest checkpoint of this epoch */
    uint64_t covered_size_at_begin;
    int64_t covered_tick; /* boot clock when it was signed */
    int64_t covered_tick_at_begin;
    int64_t wall_at; /* both clocks as last read, to see a step; 0 before the first reading */
    int64_t wall_tick;
    int64_t step_ms; /* of the wall clock, not yet an entry; 0 none */
    int64_t step_ms_at_begin;
};

/* The whole log as it was at start, read again while nothing else is to be done
 * (load_ledger.c). */
struct ledger_check {
    struct tree tree; /* of what was read so far */
    uint64_t size;
    struct sha256 root;
    char damage[512]; /* what was found; read only when is_damaged */
};

/* What is counted for rules that read `history`: a plain value, like the place. */
struct history_kind {
    unsigned parts;   /* set of enum policy_history_part */
    int64_t since_at; /* what happened from then on was counted as it happened */
    int64_t cursor;   /* older requests below this row are still to be counted; 0: none, -1: not
                         begun */
};
struct history_state {
    struct history_kind kinds[POLICY_HISTORY_KINDS_MAX];
    size_t count;
};

struct operations {
    struct operations_options options; /* texts are copies owned by `memory` */
    struct arena *memory;

    struct policy *policy;              /* in force; NULL before the first publication */
    struct policy *policy_at_savepoint; /* what a rolled back job or batch must restore */
    struct policy *policy_at_begin;

    struct history_state history;
    struct history_state history_at_savepoint;
    struct history_state history_at_begin;

    /* The ledger. record_entry adds a leaf to `leaves`; the hooks append them to the tree. */
    int64_t epoch;
    struct tree tree;
    struct ledger_place place;
    struct ledger_place place_at_savepoint;
    struct ledger_place place_at_begin;
    struct sha256 *leaves; /* of this batch, in order; heap */
    size_t leaf_capacity;
    struct ledger_watch watch;
    struct ledger_check check;

    struct minted_tokens *minted; /* when tokens of this process were made, on the boot clock */
    struct pending_counts *pending_counts;
    int64_t wall_high_water; /* the gateway's time (gateway_time.h) */
    int64_t high_water_tick; /* the boot clock at it */
    bool has_lost_time;      /* how long the machine was down is not known */
    int64_t purge_due_at;    /* keys and denials that are over are forgotten then */

    /* How channels fare; any thread. */
    struct {
        _Atomic int failures, in_flight, held;
        _Atomic(const char *) problem;
        _Atomic bool fails; /* open, or with a problem */
        _Atomic int64_t open_until;
    } channel_states[OPERATIONS_CHANNELS_MAX];

    /* Any thread. */
    _Atomic bool is_started;
    _Atomic bool has_policy;
    _Atomic bool is_frozen_by_rollback;
    _Atomic bool is_damaged;
    _Atomic int64_t next_due_at; /* lowered by operation_note_due, set by operation_escalate_due; a
                                    hook that rolls back must set it to 1, so that what the job
                                    would have done is looked for again */
    _Atomic int64_t boot_ms;     /* the boot clock of this batch, set by read_now */
    _Atomic int64_t ahead_ms;    /* the gateway's time before the wall clock's */
    _Atomic int64_t notices_due_at;    /* earliest notice in the outbox, 0: none */
    _Atomic int64_t checkpoint_due_at; /* 0: every entry is covered */
};

/* record_entry.c: builds, sequences and stores one entry, and remembers its leaf. The one way into
 * the ledger. */
struct record {
    enum ledger_entry_type type;
    const char *tenant;  /* NULL: the principal's; "" for what concerns the whole gateway */
    const char *request; /* NULL when none, as the next three */
    const char *grant;
    const char *policy;
    const struct sha256 *digest;
    const struct builder *data; /* written by ledger/entry_data.h; NULL: {} */
    bool is_by_gateway;         /* the gateway's own doing, whoever's operation it happens in */
};
bool record_entry(struct operation *operation, const struct record *record,
                  struct error *error) MUST_CHECK;
/* How the principal reached us: "api_key", "token", "session", "link", "socket"; NULL for the
 * system. */
const char *operation_via(const struct operation *operation);
/* The digest as hex, in the operation's arena. */
const char *operation_hex(struct operation *operation, const struct sha256 *digest);

/* Something falls due at `due_at` (0: nothing does): the loop's timer must not sleep past it. */
void operation_note_due(struct operation *operation, int64_t due_at);
/* A person's words, bounded: at most OPERATIONS_TEXT_BYTES_MAX, cut at a whole character; NULL
 * stays NULL. In the operation's arena. */
const char *operation_bounded_text(struct operation *operation, const char *text);

/* Notes that this request changed, for waiters and dashboards; the newest state of each. */
void operation_change_note(struct operation *operation, const struct request_row *request);
/* The same for a change that who asked should know of before the end. */
void operation_news_note(struct operation *operation, const struct request_row *request);
/* The same for a vote that ended nothing. */
void operation_vote_note(struct operation *operation, const struct request_row *request);
/* The same for a change of its grant. */
void operation_grant_note(struct operation *operation, const struct grant_row *grant);

/* notices.c: tells each channel that takes it that `event` ("request.pending") happened to this
 * request, if people were asked about it. */
bool tell_outside(struct operation *operation, const struct request_row *request, const char *event,
                  struct error *error) MUST_CHECK;

/* task_callbacks.c: tells those tasks which asked for it that they have ended with this request. */
bool tell_tasks(struct operation *operation, const struct request_row *request,
                struct error *error) MUST_CHECK;

/* revoke_grant.c: revokes one issued grant with its entry; the row is updated. For people.c (a
 * person on whom it rests was disabled), freezes and rollbacks. */
bool revoke_issued_grant(struct operation *operation, struct grant_row *grant, const char *reason,
                         struct error *error) MUST_CHECK;
/* Revokes every issued grant that rests on this person. */
bool revoke_grants_resting_on(struct operation *operation, const char *person, const char *reason,
                              struct error *error) MUST_CHECK;
/* uncount_votes.c: vote.uncounted for those of this person's votes on pending requests that count
 * no more, now that the person is disabled or has left a group; and what nobody may approve without
 * them says so. */
bool uncount_votes_of(struct operation *operation, const char *tenant, const char *person,
                      struct error *error) MUST_CHECK;

/* strand_request.c: somebody gained a group or an account: looks again at what nobody could
 * approve. */
bool free_stranded(struct operation *operation, const char *tenant, struct error *error) MUST_CHECK;

/* end_request.c: ends a pending request with its entry, for REQUEST_STORE_ROLLED_BACK and the like;
 * the row is updated. `by` is a principal's id or "". */
bool end_request(struct operation *operation, struct request_row *request, enum request_event event,
                 const char *by, struct error *error) MUST_CHECK;

/* reevaluate_request.c: one pending request under the policy in force now: deny ends it,
 * requirements only grow. For publish_policy.c, which keeps the cursor. */
bool reevaluate_request(struct operation *operation, struct request_row *request,
                        struct error *error) MUST_CHECK;
/* publish_policy.c: the next of the pending requests that a publication left for later; called by
 * operation_escalate_due. `out_has_more`: come back at once. */
bool reevaluate_more(struct operation *operation, size_t limit, size_t *out_done,
                     bool *out_has_more, struct error *error) MUST_CHECK;

/* freeze.c: puts a freeze in force with its entry, and starts the sweep that revokes what it
 * covers; fills id, since_at and by of the row. `target` of an agent's freeze is its id. */
bool begin_freeze(struct operation *operation, struct freeze_row *freeze,
                  struct error *error) MUST_CHECK;
/* Ends it with its entry and wakes the clocks it stopped. Whoever calls has made sure they may. */
bool end_freeze(struct operation *operation, const struct freeze_row *freeze,
                struct error *error) MUST_CHECK;
/* What a freeze may cover. */
struct freeze_target {
    const char *tenant;
    const char *agent; /* id */
    const char *action;
};
/* Freezes in force, or ended after `since`, that cover the target; newest first. `since` 0: only
 * those in force. */
bool find_freezes(struct operation *operation, const struct freeze_target *target, int64_t since,
                  struct freeze_row **out, size_t *out_count, struct error *error) MUST_CHECK;
bool is_frozen_now(struct operation *operation, const struct request_row *request, bool *out_frozen,
                   struct error *error) MUST_CHECK;
/* The next issued grants that the running sweep looks at; `out_has_more`: come back at once. */
bool sweep_frozen_grants(struct operation *operation, size_t limit, size_t *out_done,
                         bool *out_has_more, struct error *error) MUST_CHECK;

#endif
