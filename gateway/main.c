#include "api/api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "courier/courier.h"
#include "crypto/crypto.h"
#include "crypto/keyring.h"
#include "crypto/secret.h"
#include "crypto/signer.h"
#include "live/live.h"
#include "loop/http.h"
#include "loop/loop.h"
#include "loop/workers.h"
#include "metrics/metrics.h"
#include "operations/operations.h"
#include "store/store.h"
#include "store/writer.h"
#include "trust/trust.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* countersignd: read options, open, wire, run, close in reverse. */

enum {
    HOST_LISTENER = 1000,
    TICK_MS = 50,
    DRAIN_MS = 10000,
    FAREWELL_MS = 2000,
    MATCH_SECRET_BYTES = 32,
    WORKER_THREADS = 2,
    WORKER_QUEUED_MAX = 64, /* passwords that wait: some seconds' work */
    VERIFIER_THREADS = 1,
    VERIFIER_QUEUED_MAX = 2048, /* signatures that wait: a fifth of a second's work */
};

/* sysexits: what to do about it, for the service manager and for people. */
enum { EXIT_USAGE = 64, EXIT_CONFIGURATION = 78, EXIT_CANNOT_START = 75 };

struct gateway {
    struct arena *arena;
    const struct config *config;
    struct metrics *metrics;
    struct keyring *issuer_keys;
    struct signer *ledger_signer;
    struct secret *match_secret;
    struct store_mark_file *mark_file;
    struct store_mark mark;
    bool mark_found;
    struct store *store;
    struct operations *operations;
    struct loop *loop;
    struct loop_timer *tick;
    struct store_writer *writer;
    struct store_reader *reader;
    struct workers *workers;
    struct workers *verifiers; /* signatures of others must not wait for passwords */
    struct trust *trust;
    enum api_reach reaches[CONFIG_LISTENERS_MAX];
    struct http_server *server;
    struct api *api;
    struct live *live;
    struct courier *courier;
    bool publishes_policy; /* whatever a rollback chose */
    bool is_stopping;
    int64_t drained_at; /* 0 before */
};

static const char usage[] = "countersignd: the Countersign gateway\n"
                            "\n"
                            "  countersignd --config FILE                 run\n"
                            "  countersignd --config FILE --check-config  read the configuration "
                            "and the policy, say what is wrong, end\n"
                            "  countersignd --config FILE --publish-policy  run, and put the "
                            "policy folder in force whatever a rollback chose\n"
                            "  countersignd --version\n"
                            "\n"
                            "Every key of FILE is described in docs/configuration.md. SIGTERM "
                            "drains and stops, SIGHUP reloads the policy\n"
                            "and the certificates.\n";

struct options {
    const char *config;
    bool only_checks;
    bool publishes_policy;
};

/* False when the process should end now, with *out_status. */
static bool read_options(int count, char **words, struct options *out, int *out_status)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--version") == 0) {
            printf("countersignd %s\n", COUNTERSIGN_VERSION);
            *out_status = 0;
            return false;
        }
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) {
            fputs(usage, stdout);
            *out_status = 0;
            return false;
        }
        if (strcmp(words[i], "--check-config") == 0) {
            out->only_checks = true;
        } else if (strcmp(words[i], "--publish-policy") == 0) {
            out->publishes_policy = true;
        } else if (strcmp(words[i], "--config") == 0 && i + 1 < count) {
            out->config = words[++i];
        } else {
            fprintf(stderr, "countersignd: `%s` is not an option\n\n%s", words[i], usage);
            *out_status = EXIT_USAGE;
            return false;
        }
    }
    if (out->config == NULL) {
        fputs(usage, stderr);
        *out_status = EXIT_USAGE;
        return false;
    }
    return true;
}

/* A human at a terminal or in a service log: place first, then what to change. */
static void say_error(const char *doing, const struct error *error)
{
    if (error->line > 0) {
        fprintf(stderr, "countersignd: %s: %s:%d:%d: %s\n", doing, error->subject, error->line,
                error->column, error->message);
    } else {
        fprintf(stderr, "countersignd: %s: %s\n", doing, error->message);
    }
}

/* Descriptors 0 to 2 must never become the store's: a stray print would write into it. */
static void fill_standard_descriptors(void)
{
    int descriptor;
    do {
        descriptor = open("/dev/null", O_RDWR);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO) {
        close(descriptor);
    }
}

/* The line that is wrong and a caret under it, for whoever reads the log. */
static void show_place(const struct policy_file *files, size_t count, const struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    policy_append_error(&text, files, count, error);
    LOG(LOG_LEVEL_ERROR, "policy_refused", LOG_TEXT("message", error->message),
        LOG_TEXT("shown", text.bytes));
}

static struct policy *load_policy(void *context, struct arena *arena, const char **out_files,
                                  struct error *error)
{
    const struct gateway *gateway = context;
    struct policy_file *files = NULL;
    size_t count = 0;
    if (!config_read_policy(gateway->config->policy_folder, arena, &files, &count, out_files,
                            error)) {
        return NULL;
    }
    struct policy *policy = policy_compile(files, count, error);
    if (policy == NULL) {
        show_place(files, count, error);
    }
    return policy;
}

/* ---- opening, in the order things depend on each other ---- */

static bool make_data_folder(const struct config *config, struct error *error)
{
    if (mkdir(config->data_folder, 0700) != 0 && errno != EEXIST) {
        return error_set(error, ERROR_INVALID, "data_folder", config->data_folder,
                         "the data folder `%s` cannot be made: %s", config->data_folder,
                         strerror(errno));
    }
    if (access(config->data_folder, R_OK | W_OK | X_OK) != 0) {
        return error_set(error, ERROR_INVALID, "data_folder", config->data_folder,
                         "the data folder `%s` cannot be written by this user: %s",
                         config->data_folder, strerror(errno));
    }
    return true;
}

/* Only where an audience takes nothing else is there a first RSA key. */
static bool make_rsa_key(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    bool is_needed = false;
    for (size_t i = 0; i < config->exchange_count; i++) {
        is_needed = is_needed || config->exchange[i].is_rs256;
    }
    if (!is_needed || keyring_signer(gateway->issuer_keys, SIGNER_RS256, 0) != NULL) {
        return true;
    }
    struct keyring_draft *draft = keyring_make_draft(gateway->issuer_keys, SIGNER_RS256, 0, error);
    return draft != NULL && keyring_take_draft(gateway->issuer_keys, draft, error);
}

static bool open_keys(struct gateway *gateway, struct error *error)
{
    struct arena *arena = gateway->arena;
    const char *data = gateway->config->data_folder;
    const char *grant_path = arena_printf(arena, "%s/grant-key.pem", data);
    const char *ring_path = arena_printf(arena, "%s/issuer-keys", data);
    const char *ledger_path = arena_printf(arena, "%s/ledger-key.pem", data);
    const char *match_path = arena_printf(arena, "%s/match-secret", data);
    gateway->issuer_keys = keyring_open(ring_path, grant_path, error);
    gateway->ledger_signer = gateway->issuer_keys == NULL || !make_rsa_key(gateway, error)
                                 ? NULL
                                 : signer_open(ledger_path, SIGNER_ED25519, true, error);
    gateway->match_secret = gateway->ledger_signer == NULL
                                ? NULL
                                : secret_open(match_path, MATCH_SECRET_BYTES, true, error);
    return gateway->match_secret != NULL;
}

static struct store_options store_options_of(const struct gateway *gateway)
{
    return (struct store_options){.path = gateway->config->store_file,
                                  .ballast_path = gateway->config->ballast_file,
                                  .ballast_bytes = gateway->config->ballast_bytes,
                                  .metrics = gateway->metrics};
}

static bool open_store(struct gateway *gateway, struct error *error)
{
    struct store_options options = store_options_of(gateway);
    gateway->store = store_open(&options, error);
    if (gateway->store == NULL) {
        return false;
    }
    gateway->mark_file =
        store_mark_open(gateway->config->mark_file, &gateway->mark, &gateway->mark_found, error);
    return gateway->mark_file != NULL;
}

static bool publish_at_start(struct gateway *gateway, int64_t now, struct error *error);

static bool start_operations(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    bool rolled_back = false;
    int64_t now = clock_wall_ms();
    gateway->operations = operations_create(&(struct operations_options){
        .metrics = gateway->metrics,
        .ledger_signer = gateway->ledger_signer,
        .match_secret = gateway->match_secret,
        .mark_file = gateway->mark_file,
        .mark = gateway->mark,
        .mark_found = gateway->mark_found,
        .issuer = config->issuer,
        .origin = config->origin,
        .uncounted_context = config->uncounted_context,
        .channels = config->told,
        .channel_count = config->channel_count,
        .repeat_denial_window_ms = config->repeat_denial_window_ms,
        .near_window_ms = config->near_window_ms,
        .effect_due_ms = config->effect_due_ms,
        .pending_per_caller_max = config->pending_per_caller_max,
        .idempotency_keep_ms = 24LL * 3600 * 1000,
        .session_idle_ms = config->session_idle_ms,
        .session_longest_ms = config->session_longest_ms,
        .dwell_ms = {config->dwell_ms[0], config->dwell_ms[1], config->dwell_ms[2],
                     config->dwell_ms[3]},
        .watch_ms = config->watch_ms,
        .votes_per_hour = config->votes_per_hour == 0 ? -1 : config->votes_per_hour,
        .rp_id = config->rp_id,
        .passkey_origin = config->passkey_origin,
        .one_admin_suffices = config->one_admin_suffices,
        .step_up_ms = config->step_up_ms,
        .passkey_trust_after_ms = config->passkey_trust_after_ms});
    if (!operations_start(gateway->operations, gateway->store, now, &rolled_back, error)) {
        return false;
    }
    if (rolled_back) {
        LOG(LOG_LEVEL_ERROR, "store_rolled_back", LOG_TEXT("store", config->store_file),
            LOG_TEXT("mark", config->mark_file),
            LOG_TEXT("message", "this store is older than its mark: a copy was put back. Every "
                                "grant is revoked, pending "
                                "requests are cancelled, credentials are disabled and everything "
                                "is frozen. When you know "
                                "why, run `countersign recover` on this host"));
    }
    return publish_at_start(gateway, now, error);
}

static void on_wake(void *context)
{
    struct gateway *gateway = context;
    store_writer_deliver(gateway->writer);
    if (gateway->courier != NULL) {
        courier_look(gateway->courier);
    }
    store_reader_deliver(gateway->reader);
    workers_deliver(gateway->workers);
    workers_deliver(gateway->verifiers);
    if (gateway->api != NULL) {
        api_run_envelopes(gateway->api);
    }
}

static void wake_loop(void *context)
{
    struct gateway *gateway = context;
    loop_wake(gateway->loop);
}

static bool start_threads(struct gateway *gateway, struct error *error)
{
    struct store_options store_options = store_options_of(gateway);
    struct store_writer_options writer = {.store = gateway->store, .metrics = gateway->metrics};
    operations_fill_hooks(gateway->operations, &writer);
    writer.wake = wake_loop;
    writer.wake_context = gateway;
    gateway->writer = store_writer_start(&writer, error);
    if (gateway->writer == NULL) {
        return false;
    }
    gateway->reader = store_reader_start(&store_options, wake_loop, gateway, error);
    gateway->workers =
        gateway->reader == NULL
            ? NULL
            : workers_start(&(struct workers_options){.thread_count = WORKER_THREADS,
                                                      .queued_max = WORKER_QUEUED_MAX,
                                                      .wake = wake_loop,
                                                      .context = gateway},
                            error);
    gateway->verifiers =
        gateway->workers == NULL
            ? NULL
            : workers_start(&(struct workers_options){.thread_count = VERIFIER_THREADS,
                                                      .queued_max = VERIFIER_QUEUED_MAX,
                                                      .wake = wake_loop,
                                                      .context = gateway},
                            error);
    return gateway->verifiers != NULL;
}

static void on_signal(void *context, enum loop_signal signal);
static void stop_when_told(struct gateway *gateway);

static void on_tick(void *context)
{
    struct gateway *gateway = context;
    api_tick(gateway->api, loop_wall(gateway->loop));
    stop_when_told(gateway);
    loop_timer_arm(gateway->tick, loop_now(gateway->loop) + TICK_MS);
}

static void on_http_note(void *context, const struct http_note *note)
{
    static const char *const names[] = {"http_refused", "http_shed", "out_of_descriptors",
                                        "tls_failed"};
    (void)context;
    enum log_level level = note->kind == HTTP_NOTE_DESCRIPTORS ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG;
    LOG(level, names[note->kind], LOG_NUMBER("status", note->status), LOG_TEXT("peer", note->peer),
        LOG_TEXT("detail", note->detail));
}

static bool say(void *context, const char *channel, const struct notifier_word *word)
{
    struct gateway *gateway = context;
    return gateway->courier != NULL && courier_say(gateway->courier, channel, word);
}

static void acknowledge(void *context, const char *channel, const char *id, const char *response)
{
    struct gateway *gateway = context;
    if (gateway->courier != NULL) {
        courier_acknowledge(gateway->courier, channel, id, response);
    }
}

static void find(void *context, const char *channel, const struct notifier_inquiry *inquiry,
                 int64_t age_ms, int64_t asked_tick, struct notifier_standing *out)
{
    struct gateway *gateway = context;
    *out = (struct notifier_standing){.known = NOTIFIER_UNANSWERED};
    if (gateway->courier != NULL) {
        courier_find(gateway->courier, channel, inquiry, age_ms, asked_tick, out);
    }
}

static bool take_envelope(void *context, const char *channel, const char *id, const char *payload,
                          size_t length)
{
    struct gateway *gateway = context;
    return api_take_envelope(gateway->api, channel, id, payload, length);
}

static void create_server(struct gateway *gateway)
{
    const struct config *config = gateway->config;
    for (size_t i = 0; i < config->listener_count; i++) {
        gateway->reaches[i] = config->listeners[i].reach;
    }
    gateway->api =
        api_create(&(struct api_options){.loop = gateway->loop,
                                         .operations = gateway->operations,
                                         .writer = gateway->writer,
                                         .reader = gateway->reader,
                                         .workers = gateway->workers,
                                         .verifiers = gateway->verifiers,
                                         .trust = gateway->trust,
                                         .issuer = config->issuer,
                                         .reaches = gateway->reaches,
                                         .listener_count = config->listener_count,
                                         .metrics = gateway->metrics,
                                         .issuer_keys = gateway->issuer_keys,
                                         .exchange = config->exchange,
                                         .exchange_count = config->exchange_count,
                                         .uncounted_context = config->uncounted_context,
                                         .wait_max_ms = config->wait_max_ms,
                                         .dpop_nonces = config->dpop_nonces,
                                         .requests_per_second_max = config->requests_per_second_max,
                                         .failures_per_minute_max = config->failures_per_minute_max,
                                         .host_listener = HOST_LISTENER,
                                         .load_policy = load_policy,
                                         .context = gateway,
                                         .live = {.context = gateway->live,
                                                  .accepts = live_accepts,
                                                  .adopt = live_adopt,
                                                  .tell_changes = live_tell_changes,
                                                  .tell = live_tell},
                                         .chat = {.context = gateway,
                                                  .say = say,
                                                  .acknowledge = acknowledge,
                                                  .find = find,
                                                  .slack_apps = config->slack_apps,
                                                  .slack_app_count = config->slack_app_count,
                                                  .teams_bots = config->teams_bots,
                                                  .teams_bot_count = config->teams_bot_count}});
    gateway->server = http_server_create(&(struct http_server_options){.loop = gateway->loop,
                                                                       .metrics = gateway->metrics,
                                                                       .limits = config->http,
                                                                       .on_note = on_http_note});
    gateway->tick = loop_timer_create(gateway->loop, on_tick, gateway);
    loop_timer_arm(gateway->tick, loop_now(gateway->loop) + TICK_MS);
}

static bool listen_all(struct gateway *gateway, struct error *error)
{
    const struct config *config = gateway->config;
    struct http_listener_options host = {.id = HOST_LISTENER,
                                         .socket_path = config->admin_socket,
                                         .on_request = api_handle,
                                         .context = gateway->api};
    if (!http_listen(gateway->server, &host, NULL, error)) {
        return false;
    }
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct config_listener *listener = &config->listeners[i];
        struct http_listener_options options = {
            .id = (int)i,
            .address = listener->address,
            .port = listener->port,
            .host_names = listener->host_names,
            .certificate_file = listener->certificate_file,
            .key_file = listener->key_file,
            .client_ca_file = listener->client_ca_file,
            .client_certificate_required = listener->client_certificate_required,
            .takes_unverified_certificates = listener->takes_svids,
            .on_request = api_handle,
            .context = gateway->api};
        uint16_t port = 0;
        if (!http_listen(gateway->server, &options, &port, error)) {
            return false;
        }
        LOG(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", listener->address),
            LOG_NUMBER("port", port),
            LOG_TEXT("tls", listener->certificate_file == NULL ? "no" : "yes"));
    }
    return true;
}

/* The policy in the folder is put in force before anyone can ask, unless a rollback chose another.
 */
static bool publish_at_start(struct gateway *gateway, int64_t now, struct error *error)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct start_policy start = {.forgets_choice = gateway->publishes_policy};
    char kept[POLICY_VERSION_BYTES];
    start.policy_take = load_policy(gateway, arena, &start.files, error);
    if (start.policy_take == NULL ||
        !operations_publish_at_start(gateway->operations, gateway->store, now, &start, kept,
                                     error)) {
        return false;
    }
    if (kept[0] != '\0') {
        LOG(LOG_LEVEL_WARN, "policy_rollback_kept", LOG_TEXT("version", kept),
            LOG_TEXT("folder", gateway->config->policy_folder),
            LOG_TEXT("message", "the policy folder holds another version than the one that a "
                                "rollback chose; the chosen one stays in force until the next "
                                "`countersign policy publish`"));
    }
    return true;
}

/* ---- running and stopping ---- */

/* Dashboards are told to come back before the loop ends: the tick looks whether they have been. */
static void on_drained(void *context)
{
    struct gateway *gateway = context;
    gateway->drained_at = loop_now(gateway->loop);
}

static void stop_when_told(struct gateway *gateway)
{
    int64_t now = loop_now(gateway->loop);
    if (gateway->drained_at != 0 &&
        (live_is_empty(gateway->live) || now - gateway->drained_at >= FAREWELL_MS)) {
        loop_stop(gateway->loop);
    }
}

static void on_idle(void *context)
{
    struct gateway *gateway = context;
    http_drain(gateway->server, DRAIN_MS, on_drained, gateway);
}

static void on_signal(void *context, enum loop_signal signal)
{
    struct gateway *gateway = context;
    struct error error = {0};
    if (signal == LOOP_SIGNAL_RELOAD) {
        api_reload_policy(gateway->api);
        courier_reread(gateway->courier);
        if (!http_reload_certificates(gateway->server, &error)) {
            log_error(LOG_LEVEL_ERROR, "certificate_reload_failed", &error);
        }
        return;
    }
    if (gateway->is_stopping) {
        return;
    }
    gateway->is_stopping = true;
    LOG(LOG_LEVEL_INFO, "stopping");
    live_close_all(gateway->live);
    api_drain(gateway->api, on_idle, gateway);
}

static bool open_gateway(struct gateway *gateway, struct error *error)
{
    gateway->metrics = metrics_create();
    gateway->loop =
        loop_create(&(struct loop_options){.on_signal = on_signal, .context = gateway}, error);
    if (gateway->loop != NULL) {
        gateway->trust = trust_create(&gateway->config->trust, error);
    }
    if (gateway->trust == NULL || !make_data_folder(gateway->config, error) ||
        !open_keys(gateway, error) || !open_store(gateway, error) ||
        !start_operations(gateway, error)) {
        return false;
    }
    loop_on_wake(gateway->loop, on_wake, gateway);
    if (!start_threads(gateway, error)) {
        return false;
    }
    gateway->live = live_create(&(struct live_options){.loop = gateway->loop,
                                                       .operations = gateway->operations,
                                                       .reader = gateway->reader},
                                error);
    if (gateway->live == NULL) {
        return false;
    }
    create_server(gateway);
    gateway->courier =
        courier_start(&(struct courier_options){.operations = gateway->operations,
                                                .writer = gateway->writer,
                                                .channels = gateway->config->channels,
                                                .channel_count = gateway->config->channel_count,
                                                .trust = gateway->trust,
                                                .sources = gateway->config->sources,
                                                .take_envelope = take_envelope,
                                                .on_standing = wake_loop,
                                                .context = gateway},
                      error);
    if (gateway->courier == NULL) {
        return false;
    }
    return listen_all(gateway, error);
}

/* Everything in reverse; what was never opened is NULL. Returns false when the last words could not
 * be written. */
static bool close_gateway(struct gateway *gateway, bool was_running)
{
    struct error error = {0};
    bool ok = true;
    loop_timer_destroy(gateway->tick);
    http_server_destroy(gateway->server);
    if (gateway->courier != NULL) {
        courier_stop(gateway->courier);
    }
    if (gateway->workers != NULL) {
        workers_stop(gateway->workers);
        workers_deliver(gateway->workers);
    }
    if (gateway->verifiers != NULL) {
        workers_stop(gateway->verifiers);
        workers_deliver(gateway->verifiers);
    }
    if (gateway->reader != NULL) {
        store_reader_stop(gateway->reader);
    }
    if (gateway->writer != NULL) {
        store_writer_stop(gateway->writer);
        store_writer_deliver(gateway->writer);
    }
    if (gateway->reader != NULL) {
        store_reader_deliver(gateway->reader);
    }
    courier_destroy(gateway->courier);
    gateway->courier = NULL; /* the live door's end may turn the loop once more */
    live_destroy(gateway->live);
    api_destroy(gateway->api);
    if (was_running &&
        !operations_stop(gateway->operations, gateway->store, clock_wall_ms(), &error)) {
        log_error(LOG_LEVEL_ERROR, "stop_not_noted", &error);
        ok = false;
    }
    workers_destroy(gateway->workers);
    workers_destroy(gateway->verifiers);
    trust_destroy(gateway->trust);
    store_reader_destroy(gateway->reader);
    store_writer_destroy(gateway->writer);
    operations_destroy(gateway->operations);
    store_mark_close(gateway->mark_file);
    store_close(gateway->store);
    loop_destroy(gateway->loop);
    secret_destroy(gateway->match_secret);
    signer_close(gateway->ledger_signer);
    keyring_close(gateway->issuer_keys);
    metrics_destroy(gateway->metrics);
    return ok;
}

static int check_only(struct gateway *gateway)
{
    struct error error = {0};
    const char *files = NULL;
    struct policy *policy = load_policy(gateway, gateway->arena, &files, &error);
    if (policy == NULL) {
        say_error("policy", &error);
        return EXIT_CONFIGURATION;
    }
    struct trust *trust = trust_create(&gateway->config->trust, &error);
    if (trust == NULL) {
        policy_destroy(policy);
        say_error("configuration", &error);
        return EXIT_CONFIGURATION;
    }
    trust_destroy(trust);
    printf("configuration and policy are fine: %zu rules, version %s\n", policy_rule_count(policy),
           policy_version(policy));
    policy_destroy(policy);
    return 0;
}

static int run(struct gateway *gateway)
{
    struct error error = {0};
    bool is_open = open_gateway(gateway, &error);
    if (is_open) {
        LOG(LOG_LEVEL_INFO, "started", LOG_TEXT("version", COUNTERSIGN_VERSION),
            LOG_TEXT("store", gateway->config->store_file),
            LOG_TEXT("admin_socket", gateway->config->admin_socket));
        loop_run(gateway->loop);
    } else {
        say_error("cannot start", &error);
    }
    bool is_closed = close_gateway(gateway, is_open);
    if (is_open && is_closed) {
        LOG(LOG_LEVEL_INFO, "stopped");
        return 0;
    }
    return error.kind == ERROR_INVALID ? EXIT_CONFIGURATION : EXIT_CANNOT_START;
}

int main(int count, char **words)
{
    struct options options = {0};
    struct error error = {0};
    int status = 0;
    if (!read_options(count, words, &options, &status)) {
        return status;
    }
    fill_standard_descriptors();
    umask(0077);
    crypto_start();
    struct arena *arena ARENA_SCOPE = arena_create();
    struct gateway gateway = {.arena = arena, .publishes_policy = options.publishes_policy};
    gateway.config = config_load(options.config, arena, &error);
    if (gateway.config == NULL) {
        say_error("configuration", &error);
        return EXIT_CONFIGURATION;
    }
    log_set_level(gateway.config->log_level);
    return options.only_checks ? check_only(&gateway) : run(&gateway);
}
