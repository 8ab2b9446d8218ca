#include "config/config_internal.h"

#include "crypto/crypto.h"
#include "formats/json.h"
#include "identity/principal.h"
#include "notifiers/mail/mail_letter.h"
#include "notifiers/webhook/task_callback.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Channels: where notices go. What a channel may reach is the operator's to say, here and nowhere
 * else. */

enum {
    SECRET_FILE_BYTES_MAX = 4096,
    IN_FLIGHT_MOST = 64,
    PER_SECOND_MOST = 1000,
    OPTION_BYTES_MAX = 500,
};

/* The one channel being read. */
struct reading {
    const char *file;
    const struct yaml_node *node;
    struct arena *arena;
    struct courier_channel *out;
    struct operations_channel *who;
    struct config *config;
    struct error *error;
};

/* ---- pieces ---- */

static bool read_text(const struct reading *reading, const char *key, const char **out)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    return node == NULL || yaml_read_text(reading->file, node, out, reading->error);
}

/* Absent: `*out` stays NULL. */
static bool read_list(const struct reading *reading, const char *key, const char *const **out,
                      size_t *out_count)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    const char **texts = NULL;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(reading->file, node, true, reading->arena, &texts, out_count,
                         reading->error)) {
        return false;
    }
    *out = texts;
    return true;
}

static bool missing(const struct reading *reading, const char *message)
{
    return yaml_fail(reading->file, reading->node, reading->error, "missing_key", "%s", message);
}

/* What only this process may read. */
static bool read_secret_file(const struct reading *reading, const struct yaml_node *node,
                             const char *path, char **out, size_t *out_length)
{
    struct stat about;
    struct error cause = {0};
    if (!config_read_file(path, SECRET_FILE_BYTES_MAX, reading->arena, out, out_length, &cause)) {
        return yaml_fail(reading->file, node, reading->error, "secret_file", "%s", cause.message);
    }
    if (stat(path, &about) == 0 && (about.st_mode & 077) != 0) {
        return yaml_fail(reading->file, node, reading->error, "secret_file",
                         "others can read `%s`: chmod 600 it", path);
    }
    return true;
}

/* A file of one line: a password, a token, an address that holds one. */
static bool read_secret_line(const struct reading *reading, const struct yaml_node *node,
                             const char *path, const char **out)
{
    char *bytes = NULL;
    size_t length = 0;
    if (!read_secret_file(reading, node, path, &bytes, &length)) {
        return false;
    }
    bytes[strcspn(bytes, "\r\n")] = '\0';
    if (bytes[0] == '\0' || strlen(bytes) + 2 < length) {
        return yaml_fail(reading->file, node, reading->error, "secret_file",
                         "`%s` must hold one line and nothing else", path);
    }
    *out = bytes;
    return true;
}

/* `key` names such a file; absent: `*out` stays NULL. */
static bool read_secret(const struct reading *reading, const char *key, const char **out)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    const char *path = NULL;
    return node == NULL || (yaml_read_text(reading->file, node, &path, reading->error) &&
                            read_secret_line(reading, node, path, out));
}

/* One signing secret a line, the newest first; a second one while receivers change over. */
static bool read_signing_secrets(const struct reading *reading)
{
    const struct yaml_node *node = yaml_member(reading->node, "secret_file");
    struct notifier_channel *channel = &reading->out->channel;
    const char *path = NULL;
    char *bytes = NULL;
    size_t length = 0;
    struct error cause = {0};
    if (node == NULL) {
        return missing(reading, "`secret_file` is needed: a file with the signing secret");
    }
    if (!yaml_read_text(reading->file, node, &path, reading->error) ||
        !read_secret_file(reading, node, path, &bytes, &length)) {
        return false;
    }
    for (char *line = strtok(bytes, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        if (channel->secret_count == NOTIFIER_SECRETS_MAX ||
            !webhook_read_secret(line, strlen(line), &channel->secrets[channel->secret_count],
                                 &cause)) {
            return yaml_fail(reading->file, node, reading->error, "secret_file", "`%s`: %s", path,
                             channel->secret_count == NOTIFIER_SECRETS_MAX
                                 ? "two secrets are the most there may be"
                                 : cause.message);
        }
        channel->secret_count++;
    }
    crypto_wipe(bytes, length);
    return channel->secret_count > 0 || yaml_fail(reading->file, node, reading->error,
                                                  "secret_file", "`%s` holds no secret", path);
}

static bool read_allowance(const struct reading *reading, const char *key)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    return node == NULL ||
           yaml_read_bool(reading->file, node, &reading->out->allows_http, reading->error);
}

/* `url`, or `url_file` where the address itself is a secret. */
static bool read_url(const struct reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    const struct yaml_node *file_node = yaml_member(reading->node, "url_file");
    if (!read_allowance(reading, "allow_http") || !read_text(reading, "url", &channel->url) ||
        !read_secret(reading, "url_file", &channel->url)) {
        return false;
    }
    if (file_node != NULL && yaml_member(reading->node, "url") != NULL) {
        return yaml_fail(reading->file, file_node, reading->error, "bad_url",
                         "write `url` or `url_file`, not both");
    }
    return config_check_url(reading->file, reading->node, reading->out, "url", reading->error);
}

static bool read_option(const struct reading *reading, const struct yaml_node *options,
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
        if (!read_secret_line(reading, options->items[index], value, &value)) {
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
static bool read_options(const struct reading *reading)
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

/* ---- kinds ---- */

static bool read_webhook(const struct reading *reading)
{
    return read_url(reading) && read_signing_secrets(reading) &&
           read_list(reading, "events", &reading->who->events, &reading->who->event_count);
}

static bool check_hosts(const struct reading *reading)
{
    const struct operations_channel *who = reading->who;
    if (who->caller_count == 0 || who->host_count == 0) {
        return missing(reading, "a callback channel needs `callers`, whose tasks may have one, and "
                                "`hosts`, where it may lead");
    }
    for (size_t i = 0; i < who->host_count; i++) {
        if (!task_callback_is_host(who->hosts[i])) {
            return yaml_fail(reading->file, yaml_member(reading->node, "hosts"), reading->error,
                             "bad_host",
                             "`%s` is not a host such as `agents.example.com` or "
                             "`agents.example.com:8443`",
                             who->hosts[i]);
        }
    }
    return true;
}

static bool read_task_callback(const struct reading *reading)
{
    struct operations_channel *who = reading->who;
    if (who->group_count > 0 || who->person_count > 0 || who->tells != 0 ||
        yaml_member(reading->node, "quiet_hours") != NULL) {
        return yaml_fail(reading->file, reading->node, reading->error, "unknown_key",
                         "a callback channel tells who asked: leave out `groups`, `people`, `tell` "
                         "and `quiet_hours`");
    }
    if (!read_allowance(reading, "allow_http") || !read_signing_secrets(reading) ||
        !read_list(reading, "callers", &who->callers, &who->caller_count) ||
        !read_list(reading, "hosts", &who->hosts, &who->host_count)) {
        return false;
    }
    who->allows_http = reading->out->allows_http;
    return check_hosts(reading);
}

static bool check_addresses(const struct reading *reading)
{
    const struct notifier_channel *channel = &reading->out->channel;
    if (channel->from == NULL || !mail_is_address(channel->from)) {
        return missing(reading, "a mail channel needs `from`: a plain address such as "
                                "`countersign@example.com`");
    }
    for (size_t i = 0; i < reading->who->to_count; i++) {
        if (!mail_is_address(reading->who->to[i])) {
            return yaml_fail(reading->file, yaml_member(reading->node, "to"), reading->error,
                             "bad_address", "`%s` is not a plain address", reading->who->to[i]);
        }
    }
    return true;
}

static bool read_mail(const struct reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    if (!read_allowance(reading, "allow_plain") || !read_text(reading, "url", &channel->url) ||
        !read_text(reading, "from", &channel->from) ||
        !read_text(reading, "user", &channel->user) ||
        !read_secret(reading, "secret_file", &channel->secret) ||
        !read_list(reading, "to", &reading->who->to, &reading->who->to_count)) {
        return false;
    }
    const char *url = channel->url;
    if (url == NULL || (strncmp(url, "smtps://", 8) != 0 && strncmp(url, "smtp://", 7) != 0) ||
        strpbrk(url, " \t\r\n@") != NULL || strchr(strstr(url, "://") + 3, '/') != NULL) {
        return yaml_fail(reading->file, reading->node, reading->error, "bad_url",
                         "write `url: smtps://mail.example.com:465`, or `smtp://…:587` for "
                         "STARTTLS");
    }
    if ((channel->user == NULL) != (channel->secret == NULL)) {
        return missing(reading, "`user` and `secret_file` (its password) go together");
    }
    channel->url = arena_printf(reading->arena, "%s/%s", url,
                                channel->from == NULL || strchr(channel->from, '@') == NULL
                                    ? "localhost"
                                    : strchr(channel->from, '@') + 1); /* what EHLO says */
    return check_addresses(reading);
}

/* A template is filled once, so that what is wrong with it is said now and not when it is needed.
 */
static bool check_template(const struct reading *reading, const struct yaml_node *node)
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

static bool read_template(const struct reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    const struct yaml_node *shipped = yaml_member(reading->node, "template");
    const struct yaml_node *own = yaml_member(reading->node, "template_file");
    const char *text = NULL;
    char *bytes = NULL;
    struct error cause = {0};
    if ((shipped == NULL) == (own == NULL)) {
        return missing(reading, "write `template: ntfy` (or pagerduty, mattermost, discord, "
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
    return read_url(reading) && read_options(reading) &&
           read_secret(reading, "authorization_file", &channel->secret) &&
           check_template(reading, shipped != NULL ? shipped : own);
}

/* Ids of Slack's: upper-case letters and digits, beginning with one of `kinds`. */
static bool check_slack_id(const struct reading *reading, const char *key, const char *id,
                           const char *kinds)
{
    size_t length = id == NULL ? 0 : strlen(id);
    return (length > 1 && length <= 40 && strchr(kinds, id[0]) != NULL &&
            strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == length) ||
           yaml_fail(reading->file,
                     yaml_member(reading->node, key) == NULL ? reading->node
                                                             : yaml_member(reading->node, key),
                     reading->error, "bad_id", "`%s` needs an id of Slack's such as `%c0123ABCD`",
                     key, kinds[0]);
}

static bool check_slack_ids(const struct reading *reading, const char *key, const char *kinds,
                            const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_slack_id(reading, key, ids[i], kinds)) {
            return false;
        }
    }
    return true;
}

/* One a line; a second one in the day after Slack made a new one. */
static bool read_slack_secrets(const struct reading *reading, struct api_slack_app *app)
{
    const struct yaml_node *node = yaml_member(reading->node, "signing_secret_file");
    const char *path = NULL;
    char *bytes = NULL;
    size_t length = 0;
    if (node == NULL && reading->out->app_token != NULL) {
        return true; /* nothing comes by HTTP, and nothing that does is taken */
    }
    if (node == NULL) {
        return missing(reading, "a Slack channel needs `signing_secret_file` (the app's signing "
                                "secret, from Basic Information), or `app_token_file` for Socket "
                                "Mode");
    }
    if (!yaml_read_text(reading->file, node, &path, reading->error) ||
        !read_secret_file(reading, node, path, &bytes, &length)) {
        return false;
    }
    for (char *line = strtok(bytes, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        if (app->secret_count == SLACK_SECRETS_MAX || strlen(line) < 16) {
            return yaml_fail(reading->file, node, reading->error, "secret_file",
                             "`%s` must hold one or two signing secrets, one a line", path);
        }
        app->secrets[app->secret_count++] = line;
    }
    return app->secret_count > 0 ||
           yaml_fail(reading->file, node, reading->error, "secret_file", "`%s` is empty", path);
}

static bool read_slack_app(const struct reading *reading)
{
    struct api_slack_app *app = &reading->config->slack_apps[reading->config->slack_app_count];
    struct slack_app *rules = &app->app;
    app->channel = reading->out->channel.name;
    if (!read_text(reading, "app", &rules->app) ||
        !check_slack_id(reading, "app", rules->app, "A") ||
        !read_list(reading, "teams", &rules->teams, &rules->team_count) ||
        !read_list(reading, "enterprises", &rules->enterprises, &rules->enterprise_count) ||
        !check_slack_ids(reading, "teams", "T", rules->teams, rules->team_count) ||
        !check_slack_ids(reading, "enterprises", "E", rules->enterprises,
                         rules->enterprise_count) ||
        !read_slack_secrets(reading, app)) {
        return false;
    }
    if (rules->team_count == 0) {
        return missing(reading, "a Slack channel needs `teams`: the ids (T…) of the workspaces "
                                "whose people may decide");
    }
    reading->config->slack_app_count++;
    return true;
}

static bool read_slack(const struct reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    const char *place = NULL;
    if (!read_allowance(reading, "allow_http") || !read_text(reading, "url", &channel->url) ||
        !read_text(reading, "channel", &place) ||
        !check_slack_id(reading, "channel", place, "CGD") ||
        !read_secret(reading, "token_file", &channel->secret) ||
        !read_secret(reading, "app_token_file", &reading->out->app_token)) {
        return false;
    }
    if (channel->secret == NULL) {
        return missing(reading, "a Slack channel needs `token_file`: the bot token (xoxb-…)");
    }
    channel->url = channel->url == NULL ? "https://slack.com/api/" : channel->url;
    if (channel->url[strlen(channel->url) - 1] != '/') {
        channel->url = arena_printf(reading->arena, "%s/", channel->url);
    }
    channel->options[channel->option_count++] = (struct template_option){"channel", place};
    return config_check_url(reading->file, reading->node, reading->out, "url", reading->error) &&
           read_slack_app(reading);
}

/* What each kind may say beside what all do, and how it is read. */
static const char *const common_keys[] = {"name",  "kind",   "ca",          "allow_networks",
                                          "proxy", "groups", "people",      "limits",
                                          "tell",  "tenant", "quiet_hours", NULL};
static const char *const webhook_keys[] = {"url",         "url_file", "allow_http",
                                           "secret_file", "events",   NULL};
static const char *const mail_keys[] = {"url",  "allow_plain", "from", "to",
                                        "user", "secret_file", NULL};
static const char *const template_keys[] = {
    "url",           "url_file", "allow_http",         "template",
    "template_file", "options",  "authorization_file", NULL};
static const char *const slack_keys[] = {
    "url",   "allow_http",  "channel",        "token_file", "app", "signing_secret_file",
    "teams", "enterprises", "app_token_file", NULL};
static const char *const teams_keys[] = {"url", "url_file", "allow_http", NULL};
static const char *const task_callback_keys[] = {"callers", "hosts", "allow_http", "secret_file",
                                                 NULL};
static const char *const limits_keys[] = {"in_flight", "per_second", NULL};

static const struct channel_kind {
    const char *kind;
    const char *const *keys;
    bool (*read)(const struct reading *reading);
} kinds[] = {
    {"webhook", webhook_keys, read_webhook},
    {"mail", mail_keys, read_mail},
    {"template", template_keys, read_template},
    {"slack", slack_keys, read_slack},
    {"teams", teams_keys, read_url},
    {"callback", task_callback_keys, read_task_callback},
};
enum { KINDS = sizeof kinds / sizeof kinds[0], KEYS_MAX = 32 };

static const struct channel_kind *find_kind(const char *kind)
{
    for (size_t i = 0; kind != NULL && i < KINDS; i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return &kinds[i];
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

static bool check_keys(const struct reading *reading, const struct channel_kind *kind)
{
    const char *keys[KEYS_MAX + 1] = {0};
    add_keys(keys, add_keys(keys, 0, common_keys), kind->keys);
    return yaml_only_keys(reading->file, reading->node, keys, reading->error);
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

/* ---- what all say ---- */

static bool is_known(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->channel_count; i++) {
        if (strcmp(config->channels[i].channel.name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_tell(const struct reading *reading)
{
    /* As people say it; `decided` is what a card calls ended. */
    static const struct {
        const char *word;
        enum card_moment moment;
    } words[] = {{"asked", CARD_ASKED},
                 {"escalated", CARD_ESCALATED},
                 {"edited", CARD_EDITED},
                 {"question", CARD_QUESTION},
                 {"decided", CARD_ENDED}};
    const char *const *texts = NULL;
    size_t count = 0;
    if (!read_list(reading, "tell", &texts, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned moment = 0;
        for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) {
            moment = strcmp(words[j].word, texts[i]) == 0 ? 1u << words[j].moment : moment;
        }
        if (moment == 0) {
            return yaml_fail(reading->file, yaml_member(reading->node, "tell"), reading->error,
                             "unknown_value",
                             "`tell` lists asked, escalated, edited, question, decided; `%s` is "
                             "none of them",
                             texts[i]);
        }
        reading->who->tells |= moment;
    }
    return true;
}

static bool read_limit(const struct reading *reading, const struct yaml_node *limits,
                       const char *key, int64_t most, int *out)
{
    const struct yaml_node *node = yaml_member(limits, key);
    int64_t value = 0;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_integer(reading->file, node, 1, most, &value, reading->error)) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool read_limits(const struct reading *reading)
{
    const struct yaml_node *limits = yaml_member(reading->node, "limits");
    return limits == NULL || (yaml_only_keys(reading->file, limits, limits_keys, reading->error) &&
                              read_limit(reading, limits, "in_flight", IN_FLIGHT_MOST,
                                         &reading->out->in_flight_max) &&
                              read_limit(reading, limits, "per_second", PER_SECOND_MOST,
                                         &reading->out->per_second_max));
}

static bool read_proxy(const struct reading *reading)
{
    const char *proxy = NULL;
    if (!read_text(reading, "proxy", &proxy)) {
        return false;
    }
    if (proxy != NULL && strncmp(proxy, "http://", 7) != 0 && strncmp(proxy, "https://", 8) != 0 &&
        strncmp(proxy, "socks5h://", 10) != 0) {
        return yaml_fail(reading->file, yaml_member(reading->node, "proxy"), reading->error,
                         "bad_url",
                         "write `proxy: http://proxy.example.com:3128`, or https:// or "
                         "socks5h://");
    }
    reading->out->proxy = proxy;
    return true;
}

/* Whose channel it is. That there is such a tenant is not known yet: it may be added later. */
static bool read_tenant(const struct reading *reading)
{
    const char **tenant = &reading->who->tenant;
    return read_text(reading, "tenant", tenant) &&
           (*tenant == NULL || identity_is_name(*tenant) ||
            yaml_fail(reading->file, yaml_member(reading->node, "tenant"), reading->error,
                      "bad_name", "`tenant` is a name: 1 to 64 of a-z 0-9 . _ -"));
}

/* `22:00-07:00`, of UTC, or `22:00-07:00 +02:00`. */
static bool read_quiet_hours(const struct reading *reading)
{
    const char *text = NULL;
    int from_hour = 0, from_minute = 0, to_hour = 0, to_minute = 0, ahead_hour = 0,
        ahead_minute = 0;
    char sign = '+';
    int used = 0;
    if (!read_text(reading, "quiet_hours", &text)) {
        return false;
    }
    if (text == NULL) {
        return true;
    }
    int read = sscanf(text, "%2d:%2d-%2d:%2d%n %c%2d:%2d%n", &from_hour, &from_minute, &to_hour,
                      &to_minute, &used, &sign, &ahead_hour, &ahead_minute, &used);
    bool is_time = from_hour >= 0 && from_hour < 24 && from_minute >= 0 && from_minute < 60 &&
                   to_hour >= 0 && to_hour < 24 && to_minute >= 0 && to_minute < 60 &&
                   ahead_hour >= 0 && ahead_hour <= 14 && ahead_minute >= 0 && ahead_minute < 60;
    if ((read != 4 && read != 7) || text[used] != '\0' || !is_time ||
        (sign != '+' && sign != '-')) {
        return yaml_fail(reading->file, yaml_member(reading->node, "quiet_hours"), reading->error,
                         "bad_time",
                         "write `quiet_hours: \"22:00-07:00\"`, of UTC, or with "
                         "` +02:00` behind");
    }
    int ahead = (ahead_hour * 60 + ahead_minute) * (sign == '-' ? -1 : 1);
    reading->who->quiet_from = (from_hour * 60 + from_minute - ahead + 2 * 1440) % 1440;
    reading->who->quiet_to = (to_hour * 60 + to_minute - ahead + 2 * 1440) % 1440;
    return true;
}

static bool read_common(const struct reading *reading)
{
    return read_text(reading, "ca", &reading->out->ca_file) && read_proxy(reading) &&
           read_tell(reading) && read_limits(reading) && read_tenant(reading) &&
           read_quiet_hours(reading) &&
           read_list(reading, "groups", &reading->who->groups, &reading->who->group_count) &&
           read_list(reading, "people", &reading->who->people, &reading->who->person_count) &&
           config_read_networks(reading->file, yaml_member(reading->node, "allow_networks"),
                                reading->arena, reading->out, reading->error);
}

static bool read_channel(const struct reading *reading, const struct config *config)
{
    struct notifier_channel *channel = &reading->out->channel;
    if (!read_text(reading, "name", &channel->name) ||
        !read_text(reading, "kind", &channel->kind)) {
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
    return check_keys(reading, kind) && read_common(reading) && kind->read(reading);
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
        struct reading reading = {.file = file,
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
