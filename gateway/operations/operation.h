#ifndef OPERATIONS_OPERATION_H
#define OPERATIONS_OPERATION_H

/*
 * What the gateway does, one file per verb. An operation runs on the store thread inside a
 * savepoint: it reads state, asks the pure rules, and writes state, ledger entries and outbox rows
 * together, or nothing. Doors make the job, fill the input and answer with the result after the
 * commit. Authority is checked in one place, authorize.c, never in the doors.
 *
 * Results live in the operation's arena. Expected answers ("already redeemed", "late") are results;
 * errors are refusals that changed nothing.
 */

#include "base/arena.h"
#include "base/error.h"
#include "identity/principal.h"
#include "requests/request.h"
#include "store/session_rows.h"
#include "store/store.h"
#include <stdint.h>

struct operations;
struct browser_seen;
struct caller_row;
struct history_series;

/* A request that this operation changed, for waiters and dashboards. Told only after the commit. */
struct operation_change {
    struct operation_change *next;
    char tenant[NAME_BYTES];
    char request[ID_BYTES];
    enum request_state state;
    bool has_news;       /* who asked should know before the end: an edit, a question */
    bool has_blind_vote; /* a vote that not everyone who is asked may know of */
    bool was_asked;      /* people were asked: dashboards want to know */
};

struct operation {
    struct operations *operations;
    struct store *store;
    struct arena *arena;
    int64_t now;  /* the batch's wall time */
    int64_t boot; /* boot clock, for how long a token has lived */
    struct principal principal;
    bool is_only_tenant;                /* a person's tenant has the gateway to itself */
    const struct caller_row *caller;    /* when the principal is one: as the store has it now */
    struct session_row session;         /* when the principal came by one */
    const struct browser_seen *browser; /* that signs in with this call; NULL: not known */
    struct sha256 change;               /* of the call this is: what two admins must both make */
    char proposal[ID_BYTES];            /* of the same change, begun by another admin; else "" */
    const struct proof *proof;          /* of a workload; NULL for others, and for who waited */
    const char *confirmation;         /* the key a caller proved to hold with this call; "" none */
    struct operation_change *changes; /* newest first; in the arena */
    struct history_series *series;    /* what rules read of history, newest first; in the arena */
};

/* Starts an operation of the given credential: finds who it is in this transaction. UNAUTHENTICATED
 * when the credential is unknown, disabled or expired, or its owner is. CREDENTIAL_HOST becomes the
 * host principal, CREDENTIAL_NONE nobody, who may sign in. */
bool operation_begin(struct operation *operation, struct operations *operations,
                     struct store *store, struct arena *arena, int64_t now,
                     const struct credential *credential, struct error *error) MUST_CHECK;
/* Starts one of the gateway's own (due work, publication at start). */
void operation_begin_system(struct operation *operation, struct operations *operations,
                            struct store *store, struct arena *arena, int64_t now);

/* use_key.c: notes an Idempotency-Key of this principal with the call it came with, in the same
 * transaction as what the call does. `out_is_first`: it was not seen before. CONFLICT
 * `idempotency_mismatch` when it came with another call. Kept for a day. */
bool operation_use_key(struct operation *operation, const char *key, const struct sha256 *body,
                       bool *out_is_first, struct error *error) MUST_CHECK;

#endif
