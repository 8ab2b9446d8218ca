#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

/* A whole gateway without its doors, in a folder of its own: store, mark, keys, operations. Every
 * step that must not fail aborts with the error, so that tests read as what they are about. */

#include "operations/grant_operations.h"
#include "operations/operations.h"
#include "operations/request_operations.h"
#include "store/writer.h"

struct rig {
    char folder[64];
    char store_path[96];
    char mark_path[96];
    struct metrics *metrics;
    struct signer *ledger_signer;
    struct secret *match_secret;
    struct store *store;
    struct store_mark_file *mark_file;
    struct operations *operations;
    struct store_writer_options hooks;
    bool was_rolled_back; /* as operations_start said */
    /* The operation that runs: */
    struct arena *arena;
    struct operation operation;
    int64_t now;
};

#define RIG_ORIGIN "gate.example/ledger"

/* Everybody votes in group `ops`; `free.*` is allowed, the rest asks for one of `ops`. */
extern const char rig_policy[];

void rig_make(struct rig *rig); /* the folder and the keys; nothing is open yet */
/* Opens and starts. False with the error of operations_start (nothing is open then). */
bool rig_try_open(struct rig *rig, struct error *error) MUST_CHECK;
void rig_open(struct rig *rig);
void rig_close(struct rig *rig); /* as a gateway that stops */
void rig_drop(struct rig *rig);  /* as one that is killed: nothing is written any more */
void rig_remove(struct rig *rig);

/* One batch of one operation. rig_begin_* lends the operation until it is committed or undone. */
struct operation *rig_begin(struct rig *rig, const struct credential *credential);
struct operation *rig_begin_host(struct rig *rig);
struct operation *rig_begin_system(struct rig *rig);
void rig_commit(struct rig *rig);
void rig_undo(struct rig *rig);

/* Puts these rules in force, as one file. */
void rig_publish(struct rig *rig, const char *yaml);
/* A person of group `ops` and a caller that speaks for agent `bot` and everyone, by the host. */
struct credential rig_add_person(struct rig *rig, const char *name, const char *group,
                                 bool is_admin);
/* A browser session of the person, which has stepped up a moment ago. */
struct credential rig_step_up(struct rig *rig, const char *name);
struct credential rig_add_caller(struct rig *rig, const char *name);

/* One request of agent `bot` for user/sam on order/4711, without arguments. */
void rig_submit(struct rig *rig, const struct credential *caller, const char *action,
                char out_request[ID_BYTES]);
void rig_submit_for(struct rig *rig, const struct credential *caller, const char *action,
                    const char *audience, char out_request[ID_BYTES]);
/* One person's vote on what the store holds. */
void rig_vote(struct rig *rig, const struct credential *person, const char *request, bool approves);
/* The holder reads the request: its state, its grant and a fresh token. The texts of the view are
 * gone; its ids, numbers and claims stay. */
struct request_view rig_read(struct rig *rig, const struct credential *caller, const char *request);
struct redeem_result rig_redeem(struct rig *rig, const struct credential *caller,
                                const struct grant_claims *claims, const char *action);

/* Copies the store's files (closed) beside themselves, and puts the copy back. */
void rig_save_copy(struct rig *rig);
void rig_put_copy_back(struct rig *rig);

/* Runs SQL on the closed store as an intruder would, with its triggers gone. */
void rig_tamper(struct rig *rig, const char *sql);

#endif
