#ifndef STORE_ACCESS_ROWS_H
#define STORE_ACCESS_ROWS_H

/* Evaluations that may be asked about (a denial that says so), and the tasks made of them. */

#include "base/arena.h"
#include "crypto/crypto.h"
#include "identity/principal.h"
#include "store/store.h"

/* A requestable denial: what a submission that refers to it must still say. */
struct evaluation_row {
    char id[ID_BYTES]; /* evl_… */
    char tenant[NAME_BYTES];
    char caller[ID_BYTES];
    struct sha256 binding; /* ARAP's binding_hash over what was evaluated */
    const char *members;   /* canonical array: the context members that count */
    int64_t expires_at;
    char task[ID_BYTES]; /* arq_… made of it; "" before */
};
bool store_insert_evaluation(struct store *store, const struct evaluation_row *evaluation,
                             struct error *error) MUST_CHECK;
bool store_find_evaluation(struct store *store, const char *tenant, const char *id,
                           struct arena *arena, struct evaluation_row *out, bool *out_found,
                           struct error *error) MUST_CHECK;
/* CONFLICT `denial_used` when a task was made of it before. */
bool store_use_evaluation(struct store *store, const char *tenant, const char *id, const char *task,
                          struct error *error) MUST_CHECK;
/* Forgets those that ended before, at most `limit`. */
bool store_purge_evaluations(struct store *store, int64_t before, size_t limit, int64_t *out_purged,
                             struct error *error) MUST_CHECK;

/* What was asked for in one submission: one request, or several in order. */
struct task_row {
    char id[ID_BYTES]; /* arq_… */
    char tenant[NAME_BYTES];
    char caller[ID_BYTES];
    bool is_bulk;
    int64_t created_at;
    const char *callback; /* where its end is told; "" nowhere, and the next three do not count */
    const char *callback_channel;
    const char *callback_events; /* ends that are told, each between spaces: ` approved denied ` */
    const char *callback_state;  /* of the caller, given back; NULL when none */
};
enum { TASKS_TOLD_MAX = 100 }; /* of one request */
bool store_insert_task(struct store *store, const struct task_row *task,
                       const char *const *requests, size_t count, struct error *error) MUST_CHECK;
bool store_find_task(struct store *store, const char *tenant, const char *id, struct arena *arena,
                     struct task_row *out, bool *out_found, struct error *error) MUST_CHECK;
/* The tasks with a callback that this request is part of, oldest first, at most TASKS_TOLD_MAX. */
bool store_list_told_tasks(struct store *store, const char *tenant, const char *request,
                           struct arena *arena, struct task_row **out, size_t *out_count,
                           struct error *error) MUST_CHECK;
/* The task of one request that this caller made of it first; "" when none. */
bool store_find_task_of(struct store *store, const char *tenant, const char *caller,
                        const char *request, char out_task[ID_BYTES],
                        struct error *error) MUST_CHECK;
bool store_list_task_requests(struct store *store, const char *tenant, const char *task,
                              struct arena *arena, const char ***out, size_t *out_count,
                              struct error *error) MUST_CHECK;

#endif
