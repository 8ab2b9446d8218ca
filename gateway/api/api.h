#ifndef API_API_H
#define API_API_H

/*
 * The HTTP door: a table of routes, JSON in and out, status from error kind. It reads and bounds
 * what came in, hands one operation to the store thread (or the reader thread), and answers after
 * the commit. It decides nothing and checks no authority: operations do. It parks those who wait
 * for an end and answers them when the request they wait for ends. Loop thread only.
 *
 *   exchange -> route.read (bounds, pointers) -> job -> route.run (an operation) -> commit ->
 * route.answer
 *                                                                    \-> what changed -> waiters
 */

#include "crypto/keyring.h"
#include "grants/exchange.h"
#include "loop/http.h"
#include "loop/loop.h"
#include "loop/workers.h"
#include "metrics/metrics.h"
#include "notifiers/notifier.h"
#include "notifiers/slack/slack_callback.h"
#include "notifiers/teams/teams_place.h"
#include "operations/live_operations.h"
#include "operations/operations.h"
#include "store/writer.h"

struct api;
struct trust;

/* How browsers come to a listener without TLS of its own; where passwords and cookies could be read
 * on the way nobody signs in. */
enum api_reach {
    API_REACH_NETWORK = 0, /* in the clear */
    API_REACH_LOOPBACK,    /* from this machine alone: for trying things, not for production */
    API_REACH_TLS_PROXY,   /* a proxy in front ends TLS, passes Host on unchanged, and adds the
                              client's address to X-Forwarded-For */
};

/* The live door beside this one (live/live.h), as main wires it; all NULL where there is none. */
struct api_live {
    void *context;
    bool (*accepts)(void *context, const struct http_exchange *exchange, struct error *error);
    bool (*adopt)(void *context, struct http_exchange *exchange,
                  const struct credential *credential, const struct live_viewer *viewer,
                  struct error *error);
    void (*tell_changes)(void *context, const struct operation *operation);
    void (*tell)(void *context, const char *kind);
};

/* A chat app whose callbacks are taken, of one channel. */
struct api_slack_app {
    const char *channel;
    struct slack_app app;
    const char *secrets[SLACK_SECRETS_MAX]; /* signing secrets */
    size_t secret_count;
};

/* A bot whose activities are taken, of one channel. */
struct api_teams_bot {
    const char *channel;
    struct teams_bot bot;
};

/* What is said to one person on a channel; as main wires it. */
struct api_chat {
    void *context;
    bool (*say)(void *context, const char *channel, const struct notifier_word *word);
    void (*acknowledge)(void *context, const char *channel, const char *id, const char *response);
    /* As courier_find. */
    void (*find)(void *context, const char *channel, const struct notifier_inquiry *inquiry,
                 int64_t age_ms, int64_t asked_tick, struct notifier_standing *out);
    const struct api_slack_app *slack_apps;
    size_t slack_app_count;
    const struct api_teams_bot *teams_bots;
    size_t teams_bot_count;
};

struct api_options {
    struct loop *loop;
    struct operations *operations;
    struct store_writer *writer;
    struct store_reader *reader;
    struct workers *workers;   /* for passwords */
    struct workers *verifiers; /* for signatures of others */
    struct trust *trust;       /* what vouches for callers without an API key */
    struct metrics *metrics;
    struct keyring *issuer_keys;
    const struct exchange_audience *exchange; /* audiences a grant can be exchanged for */
    size_t exchange_count;
    const char *const *uncounted_context; /* NULL-terminated context members left out at the door */
    int64_t wait_max_ms;
    int64_t requests_per_second_max; /* per credential, 0: none */
    int64_t failures_per_minute_max; /* per source */
    bool dpop_nonces;                /* proofs for grants and tokens carry a nonce of ours */
    const char *issuer;              /* the gateway's own address, as people are told it */
    const enum api_reach *reaches;   /* by listener id */
    size_t listener_count;
    int host_listener; /* listener id of the host socket: its peers may be the host */
    /* Reloads the policy folder: the policy and its files as canonical JSON, or an error with its
     * place. Called on the loop thread and on a worker's. */
    struct policy *(*load_policy)(void *context, struct arena *arena, const char **out_files,
                                  struct error *error);
    void *context;
    struct api_live live;
    struct api_chat chat;
};

struct api *api_create(const struct api_options *options);
void api_destroy(struct api *api);

/* The handler of every listener; `context` is the api. */
void api_handle(void *context, struct http_exchange *exchange);

/* Loads the policy again and publishes it: SIGHUP and POST /v1/policies/reload. What goes wrong is
 * logged and counted; the old version stays. */
void api_reload_policy(struct api *api);

/* Any thread: a press that Socket Mode brought. False when too many wait. */
bool api_take_envelope(struct api *api, const char *channel, const char *id, const char *payload,
                       size_t length);
/* Works through them, and through presses of which it was asked who makes them; after loop_wake. */
void api_run_envelopes(struct api *api);

/* Due work, noise notes and rate windows; main arms it a few times a second. */
void api_tick(struct api *api, int64_t wall_now);

/* Drains: answers every waiter with where to continue, then calls `on_idle` when no call is under
 * way. */
void api_drain(struct api *api, void (*on_idle)(void *context), void *context);

#endif
