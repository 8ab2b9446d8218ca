#ifndef TESTS_SUPPORT_SCENARIO_H
#define TESTS_SUPPORT_SCENARIO_H

/*
 * A gateway without its doors whose time is scripted, with a cast of people and callers under one
 * policy:
 *
 *   dana, erin, fred   group ops          gina   group finance      hank   group leads
 *   olga   owns the agent `bot`, also in ops                        nora   in no group
 *   ada    admin, in no group             audrey auditor
 *   runner     caller: agent bot, subjects user/ *, no audience
 *   payments   caller: no agent, audience payments-api
 *   other      caller: agents bot and crane, subjects user/ *, audience payments-api
 *
 * Each step that must not fail aborts with the error; try_* return it in `error`, undone. At the
 * end the whole ledger goes through the offline verifier: a test whose entries do not hold up
 * aborts.
 */

#include "operations/grant_operations.h"
#include "operations/request_operations.h"
#include "tests/support/rig.h"

enum cast { DANA, ERIN, FRED, GINA, HANK, OLGA, NORA, ADA, AUDREY, RUNNER, PAYMENTS, OTHER, HOST };
enum { CAST_COUNT = HOST + 1 };
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

extern const char scenario_policy[];

struct scenario {
    struct rig rig;
    struct credential cast[CAST_COUNT];
    int64_t now;
    int64_t boot;
    struct arena *arena; /* of results, until the scenario ends */
    struct operation operation;
    struct error error; /* of the last try_* */
};

void scenario_start(struct scenario *scenario, const char *yaml); /* NULL: scenario_policy */
void scenario_end(struct scenario *scenario);
/* Verifies the ledger; aborts on a finding. */
void scenario_verify(struct scenario *scenario);
void scenario_restart(struct scenario *scenario);
void scenario_publish(struct scenario *scenario, const char *yaml);
void pass(struct scenario *scenario, int64_t ms); /* both clocks */

/* One batch of one operation. */
struct operation *scenario_begin(struct scenario *scenario, enum cast who);
struct operation *scenario_begin_system(struct scenario *scenario);
void scenario_commit(struct scenario *scenario);
void scenario_undo(struct scenario *scenario);
/* Commits or undoes; returns `ok`. */
bool scenario_settle(struct scenario *scenario, bool ok);
const char *person_id(struct scenario *scenario, enum cast who);

struct ask {
    const char *action;  /* name; "ops.run" when NULL */
    const char *args;    /* canonical JSON object of properties; NULL none */
    const char *subject; /* "sam" when NULL */
    const char *agent;
    const char *audience;
    const char *key; /* idempotency */
    const char *context;
    int64_t expires_in_ms;
};
#define ASK(...) (&(struct ask){__VA_ARGS__})
bool try_submit(struct scenario *scenario, enum cast who, const struct ask *ask,
                struct submit_result *out);
struct submit_result submit(struct scenario *scenario, enum cast who, const struct ask *ask);
/* As the host sees it; texts stay until the scenario ends. */
struct request_view look(struct scenario *scenario, const char *request);
bool try_read(struct scenario *scenario, enum cast who, const char *request, bool mints,
              struct request_view *out);
/* The holder's reading, with its token. */
struct grant_claims mint(struct scenario *scenario, const char *request);
bool try_vote(struct scenario *scenario, enum cast who, const char *request, bool approves,
              struct vote_result *out);
struct vote_result vote(struct scenario *scenario, enum cast who, const char *request,
                        bool approves);
bool try_cancel(struct scenario *scenario, enum cast who, const char *request,
                struct cancel_result *out);
/* Redeems with what `ask` says is about to run. */
struct redeem_result redeem(struct scenario *scenario, enum cast who,
                            const struct grant_claims *claims, const struct ask *ask);
bool try_effect(struct scenario *scenario, enum cast who, const char *grant,
                enum grant_event report, struct effect_result *out);
bool try_revoke(struct scenario *scenario, enum cast who, const char *grant,
                enum grant_state *out_state);
bool try_freeze(struct scenario *scenario, enum cast who, enum freeze_scope scope,
                const char *target, struct freeze_row *out);
struct freeze_row freeze(struct scenario *scenario, enum freeze_scope scope, const char *target);
bool try_thaw(struct scenario *scenario, enum cast who, const char *freeze);
/* Runs due work until nothing more is due now; returns the next deadline. */
int64_t escalate(struct scenario *scenario);
void set_enabled(struct scenario *scenario, enum cast who, bool is_enabled);
void set_member(struct scenario *scenario, enum cast who, const char *group, bool is_member);

/* Entries whose bytes hold the text. */
size_t count_entries(struct scenario *scenario, const char *text);

#endif
