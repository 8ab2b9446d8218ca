#include "config/config.h"

#include "config/config_internal.h"

#include "formats/text.h"
#include "formats/yaml.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What a reader of one section needs. */
struct reader {
    const char *file;
    struct arena *arena;
    struct config *config;
    struct error *error;
};

static const char *const top_keys[] = {
    "version", "listeners",  "admin_socket",      "data",     "store",    "mark",      "policy",
    "issuer",  "origin",     "uncounted_context", "limits",   "timing",   "log_level", "channels",
    "proxy",   "proxy_file", "no_proxy",          "identity", "passkeys", "exchange",  NULL};
static const char *const listener_keys[] = {"address",    "port", "reached_by",
                                            "host_names", "tls",  NULL};
static const char *const tls_keys[] = {"certificate", "key", "client_ca", "client_certificate",
                                       NULL};
static const char *const store_keys[] = {"file", "ballast_mib", NULL};
static const char *const timing_keys[] = {"repeat_denial_window",
                                          "near_repeat_window",
                                          "effect_due",
                                          "wait_max",
                                          "session_idle",
                                          "session_longest",
                                          "dwell_low",
                                          "dwell_medium",
                                          "dwell_high",
                                          "dwell_critical",
                                          "watch",
                                          "head",
                                          "body",
                                          "idle",
                                          "write",
                                          NULL};
static const char *const limit_keys[] = {
    "pending_per_caller", "votes_per_hour", "requests_per_second",     "failures_per_minute",
    "body_kib",           "connections",    "connections_per_address", NULL};

static bool read_text_key(struct reader *reader, const struct yaml_node *mapping, const char *key,
                          const char **out)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_text(reader->file, node, out, reader->error);
}

static bool read_number_key(struct reader *reader, const struct yaml_node *mapping, const char *key,
                            int64_t least, int64_t most, int64_t *out)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_integer(reader->file, node, least, most, out, reader->error);
}

static bool read_duration_key(struct reader *reader, const struct yaml_node *mapping,
                              const char *key, int64_t least_ms, int64_t most_ms, int64_t *out_ms)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL ||
           yaml_read_duration(reader->file, node, least_ms, most_ms, out_ms, reader->error);
}

/* A NULL-terminated list of texts. */
static bool read_list_key(struct reader *reader, const struct yaml_node *mapping, const char *key,
                          const char ***out)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    const char **texts;
    size_t count;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(reader->file, node, false, reader->arena, &texts, &count, reader->error)) {
        return false;
    }
    const char **list = arena_array(reader->arena, count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = texts[i];
    }
    *out = list;
    return true;
}

static bool is_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool read_tls(struct reader *reader, const struct yaml_node *tls,
                     struct config_listener *listener)
{
    const char *demand = NULL;
    if (!yaml_only_keys(reader->file, tls, tls_keys, reader->error) ||
        !read_text_key(reader, tls, "certificate", &listener->certificate_file) ||
        !read_text_key(reader, tls, "key", &listener->key_file) ||
        !read_text_key(reader, tls, "client_ca", &listener->client_ca_file) ||
        !read_text_key(reader, tls, "client_certificate", &demand)) {
        return false;
    }
    if (listener->certificate_file == NULL || listener->key_file == NULL) {
        return yaml_fail(reader->file, tls, reader->error, "tls_incomplete",
                         "`tls` needs both `certificate` and `key` (PEM files)");
    }
    if (demand == NULL) {
        return true;
    }
    listener->client_certificate_required = strcmp(demand, "required") == 0;
    if (!listener->client_certificate_required && strcmp(demand, "optional") != 0) {
        return yaml_fail(reader->file, yaml_member(tls, "client_certificate"), reader->error,
                         "unknown_value", "write `optional` or `required`");
    }
    listener->takes_svids = listener->client_ca_file == NULL;
    if (listener->takes_svids && reader->config->trust.domain_count == 0) {
        return yaml_fail(reader->file, tls, reader->error, "tls_incomplete",
                         "`client_certificate` needs `client_ca`, the PEM file to verify against, "
                         "or trust domains in `identity`");
    }
    return true;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* What the address cannot tell: a proxy in front that ends TLS, or a container's port that is
 * published on this machine alone. */
static bool read_reach(struct reader *reader, const struct yaml_node *node,
                       struct config_listener *listener)
{
    const char *word = NULL;
    if (!read_text_key(reader, node, "reached_by", &word)) {
        return false;
    }
    if (word == NULL) {
        listener->reach = is_loopback(listener->address) ? API_REACH_LOOPBACK : API_REACH_NETWORK;
        return true;
    }
    bool is_proxy = strcmp(word, "tls_proxy") == 0;
    if ((!is_proxy && strcmp(word, "this_machine") != 0) || yaml_member(node, "tls") != NULL) {
        return yaml_fail(reader->file, yaml_member(node, "reached_by"), reader->error,
                         "unknown_value",
                         "write `tls_proxy` (a proxy in front ends TLS) or `this_machine` (a port "
                         "published on loopback), and only without `tls`");
    }
    listener->reach = is_proxy ? API_REACH_TLS_PROXY : API_REACH_LOOPBACK;
    return true;
}

static bool read_listener(struct reader *reader, const struct yaml_node *node,
                          struct config_listener *listener)
{
    int64_t port = -1;
    const char **host_names = NULL;
    if (!yaml_only_keys(reader->file, node, listener_keys, reader->error) ||
        !read_text_key(reader, node, "address", &listener->address) ||
        !read_number_key(reader, node, "port", 0, 65535, &port) ||
        !read_list_key(reader, node, "host_names", &host_names)) {
        return false;
    }
    if (listener->address == NULL || !is_address(listener->address)) {
        return yaml_fail(reader->file, node, reader->error, "bad_address",
                         "a listener needs `address: 127.0.0.1` (a numeric IPv4 or IPv6 address)");
    }
    if (port < 0) {
        return yaml_fail(reader->file, node, reader->error, "bad_port",
                         "a listener needs `port: 8443` (0 lets the kernel choose)");
    }
    listener->port = (uint16_t)port;
    listener->host_names = host_names;
    const struct yaml_node *tls = yaml_member(node, "tls");
    return read_reach(reader, node, listener) && (tls == NULL || read_tls(reader, tls, listener));
}

static bool read_listeners(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_member(root, "listeners");
    if (list == NULL || list->type != YAML_SEQUENCE || list->count == 0 ||
        list->count > CONFIG_LISTENERS_MAX) {
        return yaml_fail(reader->file, list == NULL ? root : list, reader->error, "no_listener",
                         "write `listeners:` with 1 to %d items such as "
                         "`- { address: 127.0.0.1, port: 8080 }`",
                         CONFIG_LISTENERS_MAX);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!read_listener(reader, list->items[i], &reader->config->listeners[i])) {
            return false;
        }
    }
    reader->config->listener_count = list->count;
    return true;
}

static bool read_store(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *store = yaml_member(root, "store");
    int64_t ballast_mib = reader->config->ballast_bytes >> 20;
    if (store == NULL) {
        return true;
    }
    if (!yaml_only_keys(reader->file, store, store_keys, reader->error) ||
        !read_text_key(reader, store, "file", &reader->config->store_file) ||
        !read_number_key(reader, store, "ballast_mib", 0, 65536, &ballast_mib)) {
        return false;
    }
    reader->config->ballast_bytes = ballast_mib << 20;
    return true;
}

/* How long an approver looks before an approval is not too quick, by risk. */
static bool read_dwell(struct reader *reader, const struct yaml_node *timing)
{
    static const char *const names[OPERATIONS_RISKS] = {"dwell_low", "dwell_medium", "dwell_high",
                                                        "dwell_critical"};
    for (size_t i = 0; i < OPERATIONS_RISKS; i++) {
        if (!read_duration_key(reader, timing, names[i], 1, 10 * MINUTE,
                               &reader->config->dwell_ms[i])) {
            return false;
        }
    }
    return true;
}

static bool read_timing(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *timing = yaml_member(root, "timing");
    struct config *config = reader->config;
    if (timing == NULL) {
        return true;
    }
    return yaml_only_keys(reader->file, timing, timing_keys, reader->error) &&
           read_duration_key(reader, timing, "repeat_denial_window", 0, 7 * DAY,
                             &config->repeat_denial_window_ms) &&
           read_duration_key(reader, timing, "near_repeat_window", 0, 7 * DAY,
                             &config->near_window_ms) &&
           read_duration_key(reader, timing, "effect_due", 5 * SECOND, 7 * DAY,
                             &config->effect_due_ms) &&
           read_duration_key(reader, timing, "wait_max", SECOND, HOUR, &config->wait_max_ms) &&
           read_duration_key(reader, timing, "session_idle", 2 * MINUTE, DAY,
                             &config->session_idle_ms) &&
           read_duration_key(reader, timing, "session_longest", 2 * MINUTE, 7 * DAY,
                             &config->session_longest_ms) &&
           read_dwell(reader, timing) &&
           read_duration_key(reader, timing, "watch", 10 * SECOND, DAY, &config->watch_ms) &&
           read_duration_key(reader, timing, "head", 100, MINUTE, &config->http.head_ms) &&
           read_duration_key(reader, timing, "body", 100, 10 * MINUTE, &config->http.body_ms) &&
           read_duration_key(reader, timing, "idle", 100, HOUR, &config->http.idle_ms) &&
           read_duration_key(reader, timing, "write", 100, 10 * MINUTE, &config->http.write_ms);
}

static bool read_limits(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *limits = yaml_member(root, "limits");
    struct config *config = reader->config;
    int64_t body_kib = 256;
    int64_t connections = 0;
    int64_t per_address = 0;
    if (limits != NULL &&
        (!yaml_only_keys(reader->file, limits, limit_keys, reader->error) ||
         !read_number_key(reader, limits, "pending_per_caller", 1, 10000000,
                          &config->pending_per_caller_max) ||
         !read_number_key(reader, limits, "votes_per_hour", 0, 100000, &config->votes_per_hour) ||
         !read_number_key(reader, limits, "requests_per_second", 0, 10000000,
                          &config->requests_per_second_max) ||
         !read_number_key(reader, limits, "failures_per_minute", 1, 10000000,
                          &config->failures_per_minute_max) ||
         !read_number_key(reader, limits, "body_kib", 1, 4096, &body_kib) ||
         !read_number_key(reader, limits, "connections", 16, 1000000, &connections) ||
         !read_number_key(reader, limits, "connections_per_address", 1, 1000000, &per_address))) {
        return false;
    }
    config->http.body_bytes_max = (size_t)body_kib * 1024;
    config->http.connections_max = (int)connections;
    config->http.connections_per_address_max = (int)per_address;
    return true;
}

static bool read_log_level(const char *text, enum log_level *out)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool read_root(struct reader *reader, const struct yaml_node *root)
{
    struct config *config = reader->config;
    const char *level = NULL;
    int64_t version = 0;
    if (!yaml_only_keys(reader->file, root, top_keys, reader->error) ||
        !read_number_key(reader, root, "version", 1, 1, &version)) {
        return false;
    }
    if (version != 1) {
        return yaml_fail(reader->file, root, reader->error, "no_version",
                         "the file must say `version: 1`");
    }
    if (!config_read_identity(reader->file, yaml_member(root, "identity"), reader->arena, config,
                              reader->error) ||
        !config_read_channels(reader->file, yaml_member(root, "channels"), reader->arena, config,
                              reader->error) ||
        !config_read_proxy(reader->file, root, reader->arena, config, reader->error) ||
        !config_read_passkeys(reader->file, yaml_member(root, "passkeys"), config, reader->error) ||
        !config_read_exchange(reader->file, yaml_member(root, "exchange"), config, reader->error) ||
        !read_listeners(reader, root) || !read_store(reader, root) || !read_timing(reader, root) ||
        !read_limits(reader, root) ||
        !read_text_key(reader, root, "admin_socket", &config->admin_socket) ||
        !read_text_key(reader, root, "data", &config->data_folder) ||
        !read_text_key(reader, root, "mark", &config->mark_file) ||
        !read_text_key(reader, root, "policy", &config->policy_folder) ||
        !read_text_key(reader, root, "issuer", &config->issuer) ||
        !read_text_key(reader, root, "origin", &config->origin) ||
        !read_list_key(reader, root, "uncounted_context", &config->uncounted_context) ||
        !read_text_key(reader, root, "log_level", &level)) {
        return false;
    }
    if (level != NULL && !read_log_level(level, &config->log_level)) {
        return yaml_fail(reader->file, yaml_member(root, "log_level"), reader->error,
                         "unknown_value", "write `debug`, `info`, `warn` or `error`");
    }
    return true;
}

/* `127.0.0.1:8080` or `[::1]:8080` replaces all listeners by one plain one. */
static bool override_listen(struct reader *reader, const char *listen)
{
    const char *colon = strrchr(listen, ':');
    char *end = NULL;
    long port = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
    if (port < 0 || port > 65535 || end == colon + 1 || *end != '\0') {
        return error_set(reader->error, ERROR_INVALID, "bad_listen", "COUNTERSIGN_LISTEN",
                         "COUNTERSIGN_LISTEN must be `address:port`, such as 127.0.0.1:8080");
    }
    size_t length = (size_t)(colon - listen);
    if (length >= 2 && listen[0] == '[' && listen[length - 1] == ']') {
        listen++;
        length -= 2;
    }
    const char *address = arena_copy(reader->arena, listen, length);
    if (!is_address(address)) {
        return error_set(reader->error, ERROR_INVALID, "bad_listen", "COUNTERSIGN_LISTEN",
                         "COUNTERSIGN_LISTEN must begin with a numeric address, not `%s`", address);
    }
    reader->config->listeners[0] = (struct config_listener){
        .address = address,
        .port = (uint16_t)port,
        .reach = is_loopback(address) ? API_REACH_LOOPBACK : API_REACH_NETWORK};
    reader->config->listener_count = 1;
    return true;
}

static bool read_environment(struct reader *reader)
{
    struct config *config = reader->config;
    const struct {
        const char *name;
        const char **value;
    } texts[] = {{"COUNTERSIGN_DATA", &config->data_folder},
                 {"COUNTERSIGN_POLICY", &config->policy_folder},
                 {"COUNTERSIGN_ISSUER", &config->issuer},
                 {"COUNTERSIGN_ADMIN_SOCKET", &config->admin_socket}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = getenv(texts[i].name);
        if (value != NULL && value[0] != '\0') {
            *texts[i].value = arena_text(reader->arena, value);
        }
    }
    const char *level = getenv("COUNTERSIGN_LOG_LEVEL");
    if (level != NULL && level[0] != '\0' && !read_log_level(level, &config->log_level)) {
        return error_set(reader->error, ERROR_INVALID, "unknown_value", "COUNTERSIGN_LOG_LEVEL",
                         "COUNTERSIGN_LOG_LEVEL must be debug, info, warn or error");
    }
    const char *listen = getenv("COUNTERSIGN_LISTEN");
    return listen == NULL || listen[0] == '\0' || override_listen(reader, listen);
}

/* What was not said follows from the data folder. */
static bool fill_in(struct reader *reader)
{
    struct config *config = reader->config;
    struct arena *arena = reader->arena;
    if (config->data_folder == NULL || config->policy_folder == NULL) {
        return error_set(reader->error, ERROR_INVALID, "missing_key", reader->file,
                         "`%s` must be set, in the file or as %s",
                         config->data_folder == NULL ? "data" : "policy",
                         config->data_folder == NULL ? "COUNTERSIGN_DATA" : "COUNTERSIGN_POLICY");
    }
    const char *data = config->data_folder;
    if (config->store_file == NULL) {
        config->store_file = arena_printf(arena, "%s/countersign.db", data);
    }
    if (config->mark_file == NULL) {
        config->mark_file = arena_printf(arena, "%s/mark", data);
    }
    if (config->admin_socket == NULL) {
        config->admin_socket = arena_printf(arena, "%s/admin.sock", data);
    }
    config->ballast_file = arena_printf(arena, "%s.ballast", config->store_file);
    if (config->issuer == NULL) {
        config->issuer = "http://localhost:8080";
    }
    if (config->origin == NULL) {
        config->origin = "countersign.local/ledger";
    }
    if (strlen(config->issuer) > 255 || strlen(config->origin) > 200 ||
        strpbrk(config->origin, " +\t\n") != NULL || config->origin[0] == '\0') {
        return error_set(reader->error, ERROR_INVALID, "bad_name", reader->file,
                         "`issuer` may have 255 bytes; `origin` 200, without spaces or `+` "
                         "(such as gate.example.com/ledger)");
    }
    return config_settle_passkeys(reader->file, arena, config, reader->error);
}

const struct config *config_load(const char *path, struct arena *arena, struct error *error)
{
    static const char *no_uncounted[] = {NULL};
    struct config *config = ARENA_NEW(arena, struct config);
    *config = (struct config){.file = path,
                              .ballast_bytes = 64LL << 20,
                              .uncounted_context = no_uncounted,
                              .repeat_denial_window_ms = 10 * MINUTE,
                              .near_window_ms = HOUR,
                              .effect_due_ms = 15 * MINUTE,
                              .wait_max_ms = 300 * SECOND,
                              .session_idle_ms = 30 * MINUTE,
                              .session_longest_ms = 12 * HOUR,
                              .step_up_ms = 5 * MINUTE,
                              .passkey_trust_after_ms = DAY,
                              .dwell_ms = {400, 800, 2 * SECOND, 4 * SECOND},
                              .watch_ms = 10 * MINUTE,
                              .votes_per_hour = 6,
                              .pending_per_caller_max = 10000,
                              .requests_per_second_max = 1000,
                              .failures_per_minute_max = 60,
                              .log_level = LOG_LEVEL_INFO};
    struct reader reader = {.file = path, .arena = arena, .config = config, .error = error};
    char *bytes;
    size_t length;
    if (!config_read_file(path, YAML_BYTES_MAX, arena, &bytes, &length, error)) {
        return NULL;
    }
    const struct yaml_node *root = yaml_parse(path, bytes, length, arena, error);
    if (root == NULL || !read_root(&reader, root) || !read_environment(&reader) ||
        !fill_in(&reader)) {
        return NULL;
    }
    return config;
}
