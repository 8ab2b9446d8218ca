#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

/*
 * The configuration: one strict YAML file, then the environment, into plain values for main. Every
 * key is described in docs/configuration.md and stands in docs/countersign.example.yaml, which a
 * test loads. Nothing else reads the environment. Errors carry file, line and column and say what
 * to write instead.
 */

#include "api/api.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "courier/courier.h"
#include "grants/exchange.h"
#include "loop/http.h"
#include "policy/policy.h"
#include "trust/trust.h"
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_LISTENERS_MAX = 16, CONFIG_CHANNELS_MAX = 32 };

struct config_listener {
    const char *address;
    uint16_t port;
    enum api_reach reach;          /* how browsers come to it, where it has no TLS of its own */
    const char *const *host_names; /* NULL-terminated; NULL: any well-formed Host */
    const char *certificate_file;  /* NULL: plain HTTP */
    const char *key_file;
    const char *client_ca_file;
    bool client_certificate_required;
    bool takes_svids; /* client certificates are told to trust/, not verified by the handshake */
};

struct config {
    const char *file;
    struct config_listener listeners[CONFIG_LISTENERS_MAX];
    size_t listener_count;
    struct courier_channel channels[CONFIG_CHANNELS_MAX];
    struct operations_channel told[CONFIG_CHANNELS_MAX]; /* who is told, beside each */
    size_t channel_count;
    struct api_slack_app slack_apps[CONFIG_CHANNELS_MAX]; /* of the channels that take callbacks */
    size_t slack_app_count;
    struct api_teams_bot teams_bots[CONFIG_CHANNELS_MAX]; /* the same of Teams */
    size_t teams_bot_count;
    struct trust_options trust;
    struct trust_issuer issuers[TRUST_ISSUERS_MAX];
    struct trust_domain domains[TRUST_DOMAINS_MAX];
    struct courier_source sources[TRUST_ISSUERS_MAX]; /* beside the issuers */
    struct exchange_audience exchange[EXCHANGE_AUDIENCES_MAX];
    size_t exchange_count;
    bool dpop_nonces;
    const char *admin_socket;
    const char *data_folder;
    const char *store_file;
    const char *mark_file;
    const char *ballast_file;
    int64_t ballast_bytes;
    const char *policy_folder;
    const char *issuer;
    const char *origin;
    const char **uncounted_context; /* NULL-terminated */
    int64_t repeat_denial_window_ms;
    int64_t near_window_ms;
    int64_t effect_due_ms;
    int64_t wait_max_ms;
    int64_t session_idle_ms;
    int64_t session_longest_ms;
    const char *passkey_origin; /* NULL: none, since the issuer has no host name */
    const char *rp_id;
    bool one_admin_suffices;
    int64_t step_up_ms;
    int64_t passkey_trust_after_ms;
    int64_t dwell_ms[OPERATIONS_RISKS]; /* by risk, low first */
    int64_t watch_ms;
    int64_t votes_per_hour; /* 0: no limit */
    int64_t pending_per_caller_max;
    int64_t requests_per_second_max; /* per credential; 0: no limit */
    int64_t failures_per_minute_max; /* per source address */
    struct http_limits http;
    enum log_level log_level;
};

/* Reads `path`, then the environment (COUNTERSIGN_DATA, _POLICY, _LISTEN, _ISSUER, _ADMIN_SOCKET,
 * _LOG_LEVEL). NULL with INVALID. Everything lives in `arena`. */
const struct config *config_load(const char *path, struct arena *arena,
                                 struct error *error) MUST_CHECK;

/* The *.yaml files of the policy folder, sorted by name; and their texts as canonical JSON {name:
 * text}. */
bool config_read_policy(const char *folder, struct arena *arena, struct policy_file **out_files,
                        size_t *out_count, const char **out_json, struct error *error) MUST_CHECK;

/* Reads a whole regular file of at most `bytes_max`; NUL-terminated beyond its length. */
bool config_read_file(const char *path, size_t bytes_max, struct arena *arena, char **out_bytes,
                      size_t *out_length, struct error *error) MUST_CHECK;

#endif
