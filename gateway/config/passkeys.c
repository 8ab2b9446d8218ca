#include "config/config_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

/* Passkeys belong to a host name: that of the issuer, where people reach this gateway. */

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define DAY    (24 * 60 * MINUTE)

static const char *const passkey_keys[] = {"origin",  "rp_id",       "second_admin",
                                           "step_up", "trust_after", NULL};

static bool read_duration(const char *file, const struct yaml_node *node, const char *key,
                          int64_t most_ms, int64_t *out_ms, struct error *error)
{
    const struct yaml_node *value = yaml_member(node, key);
    return value == NULL || yaml_read_duration(file, value, SECOND, most_ms, out_ms, error);
}

static bool read_text(const char *file, const struct yaml_node *node, const char *key,
                      const char **out, struct error *error)
{
    const struct yaml_node *value = yaml_member(node, key);
    return value == NULL || yaml_read_text(file, value, out, error);
}

static bool read_second_admin(const char *file, const struct yaml_node *node, struct config *config,
                              struct error *error)
{
    const struct yaml_node *value = yaml_member(node, "second_admin");
    bool is_needed = true;
    if (value != NULL && !yaml_read_bool(file, value, &is_needed, error)) {
        return false;
    }
    config->one_admin_suffices = !is_needed;
    return true;
}

bool config_read_passkeys(const char *file, const struct yaml_node *node, struct config *config,
                          struct error *error)
{
    return node == NULL ||
           (yaml_only_keys(file, node, passkey_keys, error) &&
            read_text(file, node, "origin", &config->passkey_origin, error) &&
            read_text(file, node, "rp_id", &config->rp_id, error) &&
            read_second_admin(file, node, config, error) &&
            read_duration(file, node, "step_up", 60 * MINUTE, &config->step_up_ms, error) &&
            read_duration(file, node, "trust_after", 30 * DAY, &config->passkey_trust_after_ms,
                          error));
}

/* scheme://host[:port] as RFC 6454 section 6.2 writes it: lower case, without the scheme's own
 * port. NULL when the URL has no host name that passkeys could belong to. */
static const char *origin_of(struct arena *arena, const char *url, const char **out_host)
{
    bool is_https = strncmp(url, "https://", 8) == 0;
    if (!is_https && strncmp(url, "http://", 7) != 0) {
        return NULL;
    }
    const char *host = url + (is_https ? 8 : 7);
    size_t host_length = strcspn(host, ":/?#");
    const char *port = host[host_length] == ':' ? host + host_length : "";
    size_t port_length = strcspn(port, "/?#");
    char *name = arena_copy(arena, host, host_length);
    unsigned char address[sizeof(struct in6_addr)];
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    if (host_length == 0 || host[0] == '[' || inet_pton(AF_INET, name, address) == 1 ||
        strpbrk(name, "@ ") != NULL) {
        return NULL;
    }
    const char *own_port = is_https ? ":443" : ":80";
    if (port_length == strlen(own_port) && strncmp(port, own_port, port_length) == 0) {
        port_length = 0;
    }
    *out_host = name;
    return arena_printf(arena, "%s%s%.*s", is_https ? "https://" : "http://", name,
                        (int)port_length, port);
}

/* WebAuthn section 5.1.2: the host itself or a domain above it. */
static bool is_host_or_above(const char *rp_id, const char *host)
{
    size_t length = strlen(rp_id);
    size_t host_length = strlen(host);
    return strcmp(rp_id, host) == 0 ||
           (length > 0 && host_length > length && host[host_length - length - 1] == '.' &&
            strcmp(host + host_length - length, rp_id) == 0);
}

bool config_settle_passkeys(const char *file, struct arena *arena, struct config *config,
                            struct error *error)
{
    const char *host = NULL;
    const char *said = config->passkey_origin;
    const char *origin = origin_of(arena, said == NULL ? config->issuer : said, &host);
    if (said != NULL && (origin == NULL || strcmp(origin, said) != 0)) {
        return error_set(error, ERROR_INVALID, "bad_origin", file,
                         "`passkeys.origin` must be what the browser shows, such as "
                         "https://gate.example.com, with a host name and no path");
    }
    config->passkey_origin = origin;
    if (origin != NULL && config->rp_id == NULL) {
        config->rp_id = host;
    }
    if (config->rp_id != NULL && (origin == NULL || !is_host_or_above(config->rp_id, host))) {
        return error_set(error, ERROR_INVALID, "bad_rp_id", file,
                         "`passkeys.rp_id` must be the host name of the origin, or a domain above "
                         "it");
    }
    return true;
}
