#ifndef OPERATIONS_LEDGER_INTERNAL_H
#define OPERATIONS_LEDGER_INTERNAL_H

/* The ledger's place in the store, for the files of this room that begin, load or read it. */

#include "ledger/checkpoint.h"
#include "operations/operations_internal.h"

enum {
    LEDGER_LOADED_LEAVES = 10000,      /* checked entry by entry at every start */
    LEDGER_CHECKED_AT_ONCE = 256,      /* and of all, while idle, so many at a time */
    LEDGER_CHECKPOINT_EVERY_MS = 1000, /* while entries arrive */
    LEDGER_STEP_NOTED_MS = 60000,      /* a wall clock that jumps by more is an entry */
};

/* What a rollback of the store freezes with; only recover ends such a freeze. */
#define ROLLBACK_REASON "rolled_back"

/* stored_nodes.c: the perfect nodes of one epoch's tree. */
struct stored_nodes {
    struct store *store;
    int64_t epoch;
    struct tree_sparse sparse; /* of tree_read_sparse, its reader this */
};
void stored_nodes_init(struct stored_nodes *nodes, struct store *store, int64_t epoch);
bool stored_tree(struct store *store, int64_t epoch, uint64_t size, struct tree *out,
                 struct error *error) MUST_CHECK;
/* Reads "ledger_head". Epoch 0 when there is none. CORRUPT when it is not of its form. */
struct ledger_head_row {
    int64_t epoch;
    uint64_t size;
    struct sha256 root;
};
bool stored_head(struct store *store, struct ledger_head_row *out, struct error *error) MUST_CHECK;
bool store_head(struct store *store, const struct ledger_head_row *head,
                struct error *error) MUST_CHECK;

/* load_ledger.c: sets epoch, tree and place from the store. CORRUPT when anything does not hold. */
bool load_ledger(struct operations *operations, struct store *store,
                 struct error *error) MUST_CHECK;
/* Reads the next entries of the log as it was at start; notes damage. Nothing when all are read. */
void check_next_entries(struct operations *operations, struct store *store);
/* Whether the store is what the mark last saw, or carried on from it. */
enum ledger_standing { LEDGER_STANDING_BEHIND = 0, LEDGER_STANDING_FIRST, LEDGER_STANDING_CURRENT };
bool judge_standing(struct operations *operations, struct store *store,
                    enum ledger_standing *out_standing, struct error *error) MUST_CHECK;

/* sequence_ledger.c: the hooks, for who runs while no store thread does. */
void ledger_begin(struct operations *operations);
/* `signs_now`: a checkpoint even within a second of the last. */
bool ledger_finish(struct operations *operations, struct store *store, int64_t now, bool signs_now,
                   struct error *error) MUST_CHECK;
void ledger_abort(struct operations *operations);
bool ledger_write_mark(struct operations *operations, struct error *error) MUST_CHECK;

/* turn.c: one transaction of start or stop. Its time is `now`, but never before the highest the
 * store has seen. */
struct turn {
    struct operation operation;
};
bool turn_begin(struct turn *turn, struct operations *operations, struct store *store, int64_t now,
                struct error *error) MUST_CHECK;
/* Commits when `ok`, else rolls back. Returns whether it is durable. */
bool turn_end(struct turn *turn, bool ok, bool signs_now, struct error *error) MUST_CHECK;

/* begin_epoch.c */
bool begin_first_epoch(struct operation *operation, struct error *error) MUST_CHECK;
/* What follows a rollback, one transaction a step, each safe to repeat: first the new epoch with
 * everything frozen, then grants, pending requests and credentials in batches. */
bool begin_epoch_after_rollback(struct operations *operations, struct store *store, int64_t now,
                                struct error *error) MUST_CHECK;
bool rollback_step(struct operations *operations, struct store *store, int64_t now,
                   bool *out_has_more, struct error *error) MUST_CHECK;
bool is_rollback_freeze(const struct freeze_row *freeze);

/* publish_policy.c: the policies that a rolled back job or batch must restore. */
/* The named text that holds the version a rollback chose, "" or absent for none. */
#define POLICY_CHOICE "policy_choice"
/* At start: the version that a rollback chose goes on being in force. Takes the policy. */
bool keep_chosen_policy(struct operation *operation, struct policy *policy_take, const char *files,
                        struct error *error) MUST_CHECK;
void policies_begin(struct operations *operations);
void policies_savepoint(struct operations *operations);
void policies_rollback(struct operations *operations);
void policies_abort(struct operations *operations);
void policies_destroy(struct operations *operations);

#endif
