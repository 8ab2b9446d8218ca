#ifndef OPERATIONS_POLICY_OPERATIONS_H
#define OPERATIONS_POLICY_OPERATIONS_H

/* Versions of the policy, and what another one would decide. Nothing here changes anything; all but
 * operations_compile_policy serve from a read-only store. For auditors, admins and the host. */

#include "operations/operations.h"
#include "store/request_rows.h"

/* stored_policy.c: compiles files as the store and the API hold them: canonical JSON {name: text}.
 * Any thread. INVALID as policy_compile's, or `bad_files`. */
struct policy *operations_compile_policy(const char *files, struct arena *arena,
                                         struct error *error) MUST_CHECK;

/* policy_versions.c */
struct policy_versions {
    struct policy_row *rows; /* newest publication first; without files */
    size_t count;
    int64_t next;         /* `before` of the next page; 0: none */
    const char *in_force; /* version; "" before the first publication */
    const char *chosen;   /* by a rollback; NULL when the folder decides */
};
bool operation_list_policies(struct operation *operation, int64_t before, size_t limit,
                             struct policy_versions *out, struct error *error) MUST_CHECK;
/* `version` NULL: the one in force. NOT_FOUND. */
bool operation_read_policy(struct operation *operation, const char *version, struct policy_row *out,
                           struct error *error) MUST_CHECK;
/* FORBIDDEN for who may not read policies. */
bool operation_may_read_policies(struct operation *operation, struct error *error) MUST_CHECK;
/* The stored request and what rules look at in it, without history; the texts live in the
 * operation's arena. */
bool operation_read_past_request(struct operation *operation, const char *id,
                                 struct request_row *out, struct policy_input *out_input,
                                 struct error *error) MUST_CHECK;

/*
 * replay_policy.c: what another policy would have decided about stored requests, oldest first, in
 * bounded steps. Compares with what was decided when each was asked. Where its rules read history,
 * that is counted from the requests before, beginning as far back as the widest window reaches;
 * where that does not fit into memory it is not known, rules that read it err on the strict side,
 * and such decisions are counted.
 */
enum {
    REPLAY_KEPT_MAX = 1000 /* changed decisions listed for each direction; the rest are counted */
};

enum replay_change { REPLAY_LOOSENED, REPLAY_TIGHTENED, REPLAY_CHANGE_COUNT };
struct replay_decision {
    char request[ID_BYTES];
    int64_t at;
    const char *agent;
    const char *action;
    const char *resource;
    enum policy_verdict was, is;
    enum policy_risk was_risk, is_risk;
    int64_t was_people, is_people; /* how many must approve */
    const char *rules;             /* that match now: canonical JSON list of names */
};
struct past_counts;
struct replay {
    const struct policy *policy; /* outlives it */
    int64_t since_at;
    /* The replay's: */
    struct arena *arena;        /* of what is kept */
    struct past_counts *counts; /* NULL: no rule reads history */
    char after_id[ID_BYTES];
    int64_t reached_at; /* time of the newest request looked at */
    int64_t looked_at;
    int64_t unjudged; /* refused before policy was asked: frozen, recently denied */
    int64_t without_history;
    int64_t changed[REPLAY_CHANGE_COUNT];
    struct replay_decision *kept[REPLAY_CHANGE_COUNT];
    size_t kept_count[REPLAY_CHANGE_COUNT];
};
void replay_begin(struct replay *replay, const struct policy *policy, int64_t since_at);
void replay_end(struct replay *replay); /* accepts zeroed */
/* Looks at the next requests of the principal's tenant. */
bool operation_replay_policy(struct operation *operation, struct replay *replay, bool *out_done,
                             struct error *error) MUST_CHECK;

#endif
