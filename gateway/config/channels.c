#include "config/config_internal.h"

#include "crypto/crypto.h"
#include "identity/principal.h"
#include <string.h>
#include <sys/stat.h>

/* Channels: where notices go. What a channel may reach is the operator's to say, here and nowhere
 * else. */

static const char *const channel_keys[] = {
    "name", "kind", "url", "secret_file", "ca", "allow_http", "allow_networks", NULL};

enum { SECRET_FILE_BYTES_MAX = 1024 };

/* One secret a line, the newest first; a second one while receivers change over. */
static bool read_secrets(const char *file, const struct yaml_node *node, const char *path,
                         struct arena *arena, struct notifier_channel *channel, struct error *error)
{
    char *bytes = NULL;
    size_t length = 0;
    struct stat about;
    struct error cause = {0};
    if (!config_read_file(path, SECRET_FILE_BYTES_MAX, arena, &bytes, &length, &cause)) {
        return yaml_fail(file, node, error, "secret_file", "%s", cause.message);
    }
    if (stat(path, &about) == 0 && (about.st_mode & 077) != 0) {
        return yaml_fail(file, node, error, "secret_file", "others can read `%s`: chmod 600 it",
                         path);
    }
    for (char *line = strtok(bytes, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        if (channel->secret_count == NOTIFIER_SECRETS_MAX ||
            !webhook_read_secret(line, strlen(line), &channel->secrets[channel->secret_count],
                                 &cause)) {
            return yaml_fail(file, node, error, "secret_file", "`%s`: %s", path,
                             channel->secret_count == NOTIFIER_SECRETS_MAX
                                 ? "two secrets are the most there may be"
                                 : cause.message);
        }
        channel->secret_count++;
    }
    crypto_wipe(bytes, length);
    return channel->secret_count > 0 ||
           yaml_fail(file, node, error, "secret_file", "`%s` holds no secret", path);
}

bool config_read_networks(const char *file, const struct yaml_node *node, struct arena *arena,
                          struct courier_channel *out, struct error *error)
{
    const char **texts = NULL;
    size_t count = 0;
    struct error cause = {0};
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(file, node, false, arena, &texts, &count, error)) {
        return false;
    }
    if (count > COURIER_NETWORKS_MAX) {
        return yaml_fail(file, node, error, "too_many", "at most %d networks",
                         COURIER_NETWORKS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        if (!courier_read_network(texts[i], &out->allowed[i], &cause)) {
            return yaml_fail(file, node->items[i], error, "bad_network", "%s", cause.message);
        }
    }
    out->allowed_count = count;
    return true;
}

bool config_check_url(const char *file, const struct yaml_node *node,
                      const struct courier_channel *channel, const char *key, struct error *error)
{
    const char *url = channel->channel.url;
    bool is_https = url != NULL && strncmp(url, "https://", 8) == 0;
    bool is_http = url != NULL && strncmp(url, "http://", 7) == 0;
    if (url == NULL || (!is_https && !is_http) || strpbrk(url, " \t\r\n") != NULL ||
        strlen(url) > 2000) {
        return yaml_fail(file, node, error, "bad_url", "write `%s: https://…`", key);
    }
    return is_https || channel->allows_http ||
           yaml_fail(file, node, error, "bad_url", "a plain http `%s` needs `allow_http: true`",
                     key);
}

static bool is_known(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->channel_count; i++) {
        if (strcmp(config->channel_names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_text(const char *file, const struct yaml_node *mapping, const char *key,
                      const char **out, struct error *error)
{
    const struct yaml_node *node = yaml_member(mapping, key);
    return node == NULL || yaml_read_text(file, node, out, error);
}

static bool read_channel(const char *file, const struct yaml_node *node, struct arena *arena,
                         struct config *config, struct error *error)
{
    struct courier_channel *out = &config->channels[config->channel_count];
    const char *secret_file = NULL;
    const struct yaml_node *allow_http = NULL;
    if (!yaml_only_keys(file, node, channel_keys, error) ||
        !read_text(file, node, "name", &out->channel.name, error) ||
        !read_text(file, node, "kind", &out->channel.kind, error) ||
        !read_text(file, node, "url", &out->channel.url, error) ||
        !read_text(file, node, "ca", &out->ca_file, error) ||
        !read_text(file, node, "secret_file", &secret_file, error)) {
        return false;
    }
    allow_http = yaml_member(node, "allow_http");
    if (allow_http != NULL && !yaml_read_bool(file, allow_http, &out->allows_http, error)) {
        return false;
    }
    if (out->channel.name == NULL || !identity_is_name(out->channel.name) ||
        is_known(config, out->channel.name)) {
        return yaml_fail(file, node, error, "bad_name",
                         "a channel needs a `name` of its own: 1 to 64 of a-z 0-9 . _ -");
    }
    if (out->channel.kind == NULL || notifier_find(out->channel.kind) == NULL) {
        return yaml_fail(file, node, error, "unknown_value",
                         "a channel needs `kind: webhook`; other kinds are not supported yet");
    }
    if (secret_file == NULL) {
        return yaml_fail(file, node, error, "missing_key",
                         "a webhook needs `secret_file`: a file with its signing secret");
    }
    return config_check_url(file, node, out, "url", error) &&
           config_read_networks(file, yaml_member(node, "allow_networks"), arena, out, error) &&
           read_secrets(file, yaml_member(node, "secret_file"), secret_file, arena, &out->channel,
                        error);
}

bool config_read_channels(const char *file, const struct yaml_node *list, struct arena *arena,
                          struct config *config, struct error *error)
{
    if (list == NULL) {
        return true;
    }
    if (list->type != YAML_SEQUENCE || list->count > CONFIG_CHANNELS_MAX) {
        return yaml_fail(file, list, error, "wrong_type",
                         "`channels` must be a list of at most %d channels", CONFIG_CHANNELS_MAX);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!read_channel(file, list->items[i], arena, config, error)) {
            return false;
        }
        config->channel_names[config->channel_count] =
            config->channels[config->channel_count].channel.name;
        config->channel_count++;
    }
    return true;
}
