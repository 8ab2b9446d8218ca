#ifndef OPERATIONS_OPERATIONS_H
#define OPERATIONS_OPERATIONS_H

/*
 * What all operations share: the policy in force, keys, limits, the ledger's tree and head. Created
 * by main, started on the store before the store thread runs, then touched by the store thread
 * only, except where a function says otherwise.
 */

#include "crypto/secret.h"
#include "crypto/signer.h"
#include "ledger/tree.h"
#include "metrics/metrics.h"
#include "notifiers/notifier.h"
#include "notifiers/quiet_hours.h"
#include "notifiers/roundup.h"
#include "operations/operation.h"
#include "policy/policy.h"
#include "store/ledger_rows.h"
#include "store/store.h"
#include "store/writer.h"

struct teams_bot; /* notifiers/teams/teams_place.h */

/* A destination of notices as operations know it: who is told what through it. How it is reached is
 * the courier's to know. */
struct operations_channel {
    const char *name;
    const char *tenant; /* whose requests are told through it; NULL: the default tenant's */
    const struct notifier *notifier;
    unsigned tells; /* set of 1 << enum card_moment: what a new message is sent for; a card that can
                       be changed is changed for everything */
    const char *const *events; /* of a webhook: globs such as `request.*`; none: all */
    size_t event_count;
    const char *const *groups; /* requests that ask one of these; none, and no people: all */
    size_t group_count;
    const char *const *people; /* the same: names of people who are asked */
    size_t person_count;
    const char *const *to; /* addresses told beside the people */
    size_t to_count;
    bool tells_accounts;      /* each person who is asked, at the account they linked themselves */
    const char *const *teams; /* of which such an account must be */
    size_t team_count;
    /* Prompts of low risk wait while it is quiet. */
    struct quiet_hours quiet;
    struct roundup_rule roundup; /* many prompts at once leave as one message; `over` 0: never */
    const char *const *callers;  /* of callbacks: names of callers whose tasks may have one */
    size_t caller_count;
    const char *const *hosts; /* of callbacks: where they may lead, as task_callback.h says */
    size_t host_count;
    bool allows_http;            /* of callbacks: also without TLS */
    const struct teams_bot *bot; /* that posts through it; NULL: none */
};

/* How a channel fares, as the courier sees it. */
struct operations_channel_state {
    const char *problem; /* what the operator must mend; static; NULL: nothing known */
    int unlinked;       /* of a channel of people's accounts: who is told nothing for want of one */
    int64_t muted;      /* how many people have it leave them alone */
    int failures;       /* one after another */
    int in_flight;      /* messages under way */
    int held;           /* that wait for their turn */
    int64_t open_until; /* nothing is sent before, wall time; 0: it answers */
};

enum { OPERATIONS_RISKS = 4, OPERATIONS_CHANNELS_MAX = 32 };
struct operations_options {
    struct metrics *metrics;
    const struct signer *ledger_signer;
    const struct secret *match_secret;
    struct store_mark_file *mark_file;
    struct store_mark mark; /* as found */
    bool mark_found;
    const char *issuer;                   /* "iss" of grant tokens */
    const char *origin;                   /* name of the log of epoch 1; later epochs add /e2… */
    const char *const *uncounted_context; /* NULL-terminated: context members that do not count */
    int64_t repeat_denial_window_ms;      /* default 10 min */
    int64_t near_window_ms;               /* default 1 h */
    int64_t effect_due_ms;                /* default 15 min */
    int64_t pending_per_caller_max;       /* default 10,000 */
    int64_t idempotency_keep_ms;          /* default 24 h after the end */
    const struct operations_channel *channels; /* borrowed until operations_destroy */
    size_t channel_count;
    int64_t session_idle_ms;        /* unused that long, a session is over: default 30 min */
    int64_t session_longest_ms;     /* however much it is used: default 12 h */
    const char *rp_id;              /* host name passkeys belong to; NULL: there are none */
    const char *passkey_origin;     /* of the page that uses them: https://gate.example */
    bool one_admin_suffices;        /* for what two must agree on where two have passkeys */
    int64_t step_up_ms;             /* how long a step-up lasts: default 5 min */
    int64_t passkey_trust_after_ms; /* until a later passkey serves votes: default 24 h */
    /* By risk, low first: an approval sooner after its person saw the request is noted as quick.
     * Default 0.4, 0.8, 2 and 4 s. */
    int64_t dwell_ms[OPERATIONS_RISKS];
    int64_t votes_per_hour; /* of one person, before it is noted: default 6; negative: no limit */
    int64_t watch_ms;       /* how long "I am on it" lasts: default 10 min */
};

struct operations *operations_create(const struct operations_options *options);
void operations_destroy(struct operations *operations);

/*
 * Before the store thread runs, in its own transactions on `store`: recomputes the ledger head from
 * stored right-edge nodes and the last 10,000 leaves (CORRUPT on mismatch: refuse to start),
 * compares with the mark. A store behind its mark, or without one while it has entries, was rolled
 * back: new epoch and log origin, every grant revoked, pending cancelled (`rolled_back`),
 * credentials disabled, everything frozen until recovered; all entries. Notes `gateway.started`.
 * `out_rolled_back` tells main to say so loudly.
 */
bool operations_start(struct operations *operations, struct store *store, int64_t now,
                      bool *out_rolled_back, struct error *error) MUST_CHECK;
/* Fills the hooks of the writer: begin, finish, abort, savepoint, rollback, write_mark, read_now,
 * idle, context. */
void operations_fill_hooks(struct operations *operations, struct store_writer_options *hooks);
/* After the last batch: notes `gateway.stopped` with a last checkpoint, writes the mark. */
bool operations_stop(struct operations *operations, struct store *store, int64_t now,
                     struct error *error) MUST_CHECK;

/* publish_at_start.c: the same before the store thread runs, in a transaction of its own. A version
 * that a rollback chose stays in force whatever the folder holds, until the next publication:
 * `out_kept` is that version then, else "". INVALID `policy_choice_invalid` when it does not load
 * any more. */
struct start_policy {
    struct policy *policy_take; /* of the folder */
    const char *files;
    bool forgets_choice; /* this start is a publication */
};
bool operations_publish_at_start(struct operations *operations, struct store *store, int64_t now,
                                 const struct start_policy *start,
                                 char out_kept[POLICY_VERSION_BYTES],
                                 struct error *error) MUST_CHECK;

/* publish_policy.c: takes the policy; puts it in force with its files as an entry when its version
 * changed; evaluates pending requests again in bounded batches (the rest through escalate_due).
 * Host, admin or system. `files` is canonical JSON {name: text}. */
bool operation_publish_policy(struct operation *operation, struct policy *policy_take,
                              const char *files, bool *out_changed, struct error *error) MUST_CHECK;
/* The same for a version that was published before, which then stays in force over restarts until
 * the next publication. Host only. */
bool operation_roll_back_policy(struct operation *operation, struct policy *policy_take,
                                const char *files, bool *out_changed,
                                struct error *error) MUST_CHECK;
/* FORBIDDEN before anything is read for a publication. Serves from a read-only store. */
bool operation_may_publish_policy(struct operation *operation, struct error *error) MUST_CHECK;
bool operation_may_roll_back_policy(struct operation *operation, struct error *error) MUST_CHECK;
const char *operations_policy_version(
    const struct operations *operations); /* store thread; "" before the first */

/* recover.c: host only; thaws what a rollback froze. `trusts_credentials` enables again what the
 * rollback disabled. */
bool operation_recover(struct operation *operation, bool trusts_credentials, const char *reason,
                       int64_t *out_enabled, struct error *error) MUST_CHECK;

/* note_refusals.c: unauthenticated noise, aggregated by the door per source and minute before it
 * becomes one entry. */
struct refusal_note {
    const char *source; /* address text */
    const char *kind;   /* "bad_key", "bad_token", "no_credential" */
    int64_t count;
    int64_t since_at;
};
bool operation_note_refusals(struct operation *operation, const struct refusal_note *notes,
                             size_t count, struct error *error) MUST_CHECK;

/* read_ledger.c: for auditors, admins and the host; all but the last serve from a read-only store.
 */
struct ledger_head {
    int64_t epoch;
    const char *origin;
    const char *vkey;
    int64_t size;           /* covered by the checkpoint */
    const char *checkpoint; /* signed note */
    int64_t at;
};
bool operation_read_head(struct operation *operation, struct ledger_head *out,
                         struct error *error) MUST_CHECK;
/* The receipt (tlog-proof) of the entry that redeemed this grant or decided this request; also for
 * its holder. RETRY_LATER until a checkpoint covers it. */
bool operation_read_receipt(struct operation *operation, const char *request_or_grant,
                            const char **out_proof, struct error *error) MUST_CHECK;
/* The body a witness takes (C2SP tlog-witness, add-checkpoint): `old <from_size>`, the hashes in
 * base64, a line each, an empty line, the checkpoint over `to_size`; 0: the newest. NOT_FOUND
 * `no_such_checkpoint` when none was signed over just that many entries. */
bool operation_read_consistency(struct operation *operation, int64_t from_size, int64_t to_size,
                                const char **out_text, struct error *error) MUST_CHECK;
bool operation_read_timeline(struct operation *operation, const char *request,
                             struct entry_row **out, size_t *out_count,
                             struct error *error) MUST_CHECK;
/* Appends the next piece of an export (ledger/export format) to `out`, at most `bytes_max` beyond
 * one line; moves the cursor; `out_done` at the end. The cursor of a resumed export starts at
 * {epoch, seq}. */
struct export_cursor {
    int64_t epoch; /* 0: the first */
    int64_t seq;
    int64_t epoch_max,
        seq_max; /* set on the first call: an export ends where it began to be written */
    bool has_begun;
    int64_t checkpoint_count; /* of the section being written, as is the next */
    int64_t checkpoint_size;
};
bool operation_export_ledger(struct operation *operation, struct export_cursor *cursor,
                             struct builder *out, size_t bytes_max, bool *out_done,
                             struct error *error) MUST_CHECK;

/* check_ready.c: whether this process could decide now; each false says why in `out_why`. Any
 * thread. */
bool operations_is_ready(const struct operations *operations, const char **out_why);
/* Earliest deadline known, 0 none. Any thread. */
int64_t operations_next_due_at(const struct operations *operations);

#endif
