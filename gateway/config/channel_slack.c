#include "config/channel_internal.h"

#include <string.h>

/* Ids of Slack's: upper-case letters and digits, beginning with one of `kinds`. */
static bool check_slack_id(const struct channel_reading *reading, const char *key, const char *id,
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

static bool check_slack_ids(const struct channel_reading *reading, const char *key,
                            const char *kinds, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_slack_id(reading, key, ids[i], kinds)) {
            return false;
        }
    }
    return true;
}

/* One a line; a second one in the day after Slack made a new one. */
static bool read_slack_secrets(const struct channel_reading *reading, struct api_slack_app *app)
{
    const struct yaml_node *node = yaml_member(reading->node, "signing_secret_file");
    const char *path = NULL;
    char *bytes = NULL;
    size_t length = 0;
    if (node == NULL && reading->out->app_token != NULL) {
        return true; /* nothing comes by HTTP, and nothing that does is taken */
    }
    if (node == NULL) {
        return channel_missing(reading,
                               "a Slack channel needs `signing_secret_file` (the app's signing "
                               "secret, from Basic Information), or `app_token_file` for Socket "
                               "Mode");
    }
    if (!yaml_read_text(reading->file, node, &path, reading->error) ||
        !channel_read_secret_file(reading, node, path, &bytes, &length)) {
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

static bool read_slack_app(const struct channel_reading *reading, const char *place)
{
    struct api_slack_app *app = &reading->config->slack_apps[reading->config->slack_app_count];
    struct slack_app *rules = &app->app;
    app->channel = reading->out->channel.name;
    rules->place = place;
    if (!channel_read_text(reading, "app", &rules->app) ||
        !check_slack_id(reading, "app", rules->app, "A") ||
        !channel_read_list(reading, "teams", &rules->teams, &rules->team_count) ||
        !channel_read_list(reading, "enterprises", &rules->enterprises, &rules->enterprise_count) ||
        !check_slack_ids(reading, "teams", "T", rules->teams, rules->team_count) ||
        !check_slack_ids(reading, "enterprises", "E", rules->enterprises,
                         rules->enterprise_count) ||
        !read_slack_secrets(reading, app)) {
        return false;
    }
    if (rules->team_count == 0) {
        return channel_missing(reading,
                               "a Slack channel needs `teams`: the ids (T…) of the workspaces "
                               "whose people may decide");
    }
    reading->config->slack_app_count++;
    return true;
}

/* `channel: C…`, or `to: people`: each in a conversation with the app. */
static bool read_where(const struct channel_reading *reading, const char **out_place)
{
    const char *to = NULL;
    if (!channel_read_text(reading, "channel", out_place) ||
        !channel_read_text(reading, "to", &to)) {
        return false;
    }
    if (to == NULL) {
        return check_slack_id(reading, "channel", *out_place, "CG");
    }
    return (strcmp(to, "people") == 0 && *out_place == NULL) ||
           yaml_fail(reading->file, yaml_member(reading->node, "to"), reading->error,
                     "unknown_value",
                     "write `to: people`, who are told in Slack themselves, or `channel: C…`, not "
                     "both");
}

static bool read_slack(const struct channel_reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    struct operations_channel *who = reading->who;
    const char *place = NULL;
    if (!channel_read_allowance(reading, "allow_http") ||
        !channel_read_text(reading, "url", &channel->url) || !read_where(reading, &place) ||
        !channel_read_secret(reading, "token_file", &channel->secret) ||
        !channel_read_secret(reading, "app_token_file", &reading->out->app_token)) {
        return false;
    }
    if (channel->secret == NULL) {
        return channel_missing(reading,
                               "a Slack channel needs `token_file`: the bot token (xoxb-…)");
    }
    channel->url = channel->url == NULL ? "https://slack.com/api/" : channel->url;
    if (channel->url[strlen(channel->url) - 1] != '/') {
        channel->url = arena_printf(reading->arena, "%s/", channel->url);
    }
    if (place != NULL) {
        channel->options[channel->option_count++] = (struct template_option){"channel", place};
    }
    if (!config_check_url(reading->file, reading->node, reading->out, "url", reading->error) ||
        !read_slack_app(reading, place)) {
        return false;
    }
    const struct slack_app *rules =
        &reading->config->slack_apps[reading->config->slack_app_count - 1].app;
    if (rules->enterprise_count > 0) {
        /* A channel shared within the organization is still of one's own house. */
        channel->options[channel->option_count++] = (struct template_option){"enterprises", "own"};
    }
    who->tells_accounts = place == NULL;
    who->teams = rules->teams;
    who->team_count = rules->team_count;
    return true;
}

static const char *const slack_keys[] = {
    "url",   "allow_http",  "channel",        "to", "token_file", "app", "signing_secret_file",
    "teams", "enterprises", "app_token_file", NULL};

const struct channel_kind channel_slack = {"slack", slack_keys, read_slack};
