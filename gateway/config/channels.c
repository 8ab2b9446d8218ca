#include "config/channel_internal.h"

#include "identity/principal.h"
#include <string.h>

/* Channels: where notices go. What a channel may reach is the operator's to say, here and nowhere
 * else. What each kind may say stands in its own file. */

static const struct channel_kind *const kinds[] = {&channel_webhook,  &channel_mail,
                                                   &channel_template, &channel_slack,
                                                   &channel_teams,    &channel_callback};
enum { KINDS = sizeof kinds / sizeof kinds[0], KEYS_MAX = 32 };

static bool is_known(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->channel_count; i++) {
        if (strcmp(config->channels[i].channel.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct channel_kind *find_kind(const char *kind)
{
    for (size_t i = 0; kind != NULL && i < KINDS; i++) {
        if (strcmp(kinds[i]->kind, kind) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

static size_t add_keys(const char **out, size_t count, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL && count < KEYS_MAX; i++) {
        out[count++] = keys[i];
    }
    return count;
}

static bool check_keys(const struct channel_reading *reading, const struct channel_kind *kind)
{
    const char *keys[KEYS_MAX + 1] = {0};
    add_keys(keys, add_keys(keys, 0, channel_common_keys), kind->keys);
    return yaml_only_keys(reading->file, reading->node, keys, reading->error);
}

static bool read_channel(const struct channel_reading *reading, const struct config *config)
{
    struct notifier_channel *channel = &reading->out->channel;
    if (!channel_read_text(reading, "name", &channel->name) ||
        !channel_read_text(reading, "kind", &channel->kind)) {
        return false;
    }
    if (channel->name == NULL || !identity_is_name(channel->name) ||
        is_known(config, channel->name)) {
        return yaml_fail(reading->file, reading->node, reading->error, "bad_name",
                         "a channel needs a `name` of its own: 1 to 64 of a-z 0-9 . _ -");
    }
    const struct channel_kind *kind = find_kind(channel->kind);
    if (kind == NULL) {
        return yaml_fail(reading->file, reading->node, reading->error, "unknown_value",
                         "a channel needs a `kind`: webhook, mail, template, slack, teams or "
                         "callback%s",
                         channel->kind == NULL ? "" : "; others are not supported yet");
    }
    reading->who->name = channel->name;
    reading->who->notifier = notifier_find(channel->kind);
    return check_keys(reading, kind) && channel_read_common(reading) && kind->read(reading);
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
        struct channel_reading reading = {.file = file,
                                          .node = list->items[i],
                                          .arena = arena,
                                          .out = &config->channels[config->channel_count],
                                          .who = &config->told[config->channel_count],
                                          .config = config,
                                          .error = error};
        if (list->items[i]->type != YAML_MAPPING) {
            return yaml_fail(file, list->items[i], error, "wrong_type",
                             "a channel is a mapping: `- name: …`");
        }
        if (!read_channel(&reading, config)) {
            return false;
        }
        config->channel_count++;
    }
    return true;
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
