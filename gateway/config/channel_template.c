#include "config/channel_internal.h"

#include "crypto/crypto.h"
#include <string.h>

enum { OPTION_BYTES_MAX = 500 };

static bool read_option(const struct channel_reading *reading, const struct yaml_node *options,
                        size_t index)
{
    struct notifier_channel *channel = &reading->out->channel;
    struct template_option *option = &channel->options[channel->option_count];
    const char *name = options->keys[index]->text;
    const char *value = NULL;
    size_t length = strlen(name);
    if (!yaml_read_text(reading->file, options->items[index], &value, reading->error)) {
        return false;
    }
    if (length > 5 && strcmp(name + length - 5, "_file") == 0) {
        name = arena_copy(reading->arena, name, length - 5);
        if (!channel_read_secret_line(reading, options->items[index], value, &value)) {
            return false;
        }
    }
    if (strlen(value) > OPTION_BYTES_MAX) {
        return yaml_fail(reading->file, options->items[index], reading->error, "too_long",
                         "an option has at most %d bytes", OPTION_BYTES_MAX);
    }
    *option = (struct template_option){name, value};
    channel->option_count++;
    return true;
}

/* `options: {topic: deploys, routing_key_file: /etc/…}`: a name that ends in `_file` is read from
 * there. */
static bool read_options(const struct channel_reading *reading)
{
    const struct yaml_node *options = yaml_member(reading->node, "options");
    if (options == NULL) {
        return true;
    }
    if (options->type != YAML_MAPPING || options->count > TEMPLATE_OPTIONS_MAX) {
        return yaml_fail(reading->file, options, reading->error, "wrong_type",
                         "`options` must be a mapping of at most %d texts", TEMPLATE_OPTIONS_MAX);
    }
    for (size_t i = 0; i < options->count; i++) {
        if (!read_option(reading, options, i)) {
            return false;
        }
    }
    return true;
}

/* A template is filled once, so that what is wrong with it is said now and not when it is needed.
 */
static bool check_template(const struct channel_reading *reading, const struct yaml_node *node)
{
    static const char sample[] =
        "{\"action\":\"a\",\"agent\":\"a\",\"digest\":\"0\",\"link\":\"https://a/\",\"moment\":"
        "\"test\",\"request\":\"r\",\"resource\":\"r\",\"revision\":1,\"risk\":\"low\",\"state\":"
        "\"pending\",\"subject\":\"s\"}";
    const struct notifier_channel *channel = &reading->out->channel;
    struct builder filled BUILDER_SCOPE;
    struct card card;
    struct error cause = {0};
    builder_init(&filled, 0);
    return (card_read(sample, sizeof sample - 1, reading->arena, &card, &cause) &&
            template_append(&filled, channel->template, channel->template_length, &card,
                            channel->options, channel->option_count, reading->arena, &cause)) ||
           yaml_fail(reading->file, node, reading->error, "bad_template", "%s", cause.message);
}

static bool read_template(const struct channel_reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    const struct yaml_node *shipped = yaml_member(reading->node, "template");
    const struct yaml_node *own = yaml_member(reading->node, "template_file");
    const char *text = NULL;
    char *bytes = NULL;
    struct error cause = {0};
    if ((shipped == NULL) == (own == NULL)) {
        return channel_missing(reading,
                               "write `template: ntfy` (or pagerduty, mattermost, discord, "
                               "google-chat), or `template_file` with one of your own");
    }
    if (!yaml_read_text(reading->file, shipped != NULL ? shipped : own, &text, reading->error)) {
        return false;
    }
    if (shipped != NULL) {
        channel->template = template_shipped(text);
        if (channel->template == NULL) {
            return yaml_fail(reading->file, shipped, reading->error, "unknown_value",
                             "no template is called `%s`: ntfy, pagerduty, mattermost, discord, "
                             "google-chat",
                             text);
        }
        channel->template_length = strlen(channel->template);
    } else if (config_read_file(text, TEMPLATE_BYTES_MAX, reading->arena, &bytes,
                                &channel->template_length, &cause)) {
        channel->template = bytes;
    } else {
        return yaml_fail(reading->file, own, reading->error, "template_file", "%s", cause.message);
    }
    return channel_read_url(reading) && read_options(reading) &&
           channel_read_secret(reading, "authorization_file", &channel->secret) &&
           check_template(reading, shipped != NULL ? shipped : own);
}

static const char *const template_keys[] = {
    "url",           "url_file", "allow_http",         "template",
    "template_file", "options",  "authorization_file", NULL};

const struct channel_kind channel_template = {"template", template_keys, read_template};
