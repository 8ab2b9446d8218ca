#include "config/channel_internal.h"

#include "notifiers/teams/teams_callback.h"
#include "notifiers/teams/teams_place.h"
#include <string.h>

/* Teams: by a Workflow, an address that is a secret, and nothing comes back; or by a bot: which
 * application it is, of which Entra tenant, and in which conversation its cards stand. */

static bool fail_at(const struct channel_reading *reading, const char *key, const char *code,
                    const char *message)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    return yaml_fail(reading->file, node == NULL ? reading->node : node, reading->error, code, "%s",
                     message);
}

static bool read_guid(const struct channel_reading *reading, const char *key, const char **out)
{
    static const char form[] = "00000000-0000-0000-0000-000000000000";
    if (!channel_read_text(reading, key, out)) {
        return false;
    }
    bool is_guid = *out != NULL && strlen(*out) == sizeof form - 1;
    for (size_t i = 0; is_guid && i < sizeof form - 1; i++) {
        is_guid = form[i] == '-' ? (*out)[i] == '-' : strchr("0123456789abcdef", (*out)[i]) != NULL;
    }
    return is_guid || fail_at(reading, key, "bad_id",
                              "a Teams bot needs `app_id` and `tenant_id`: ids such as "
                              "`1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f`, in lower case");
}

static bool read_conversation(const struct channel_reading *reading, const char **out)
{
    return channel_read_text(reading, "conversation", out) &&
           ((*out != NULL && teams_is_conversation(*out)) ||
            fail_at(reading, "conversation", "bad_id",
                    "a Teams bot needs `conversation`: the id of the channel or chat where its "
                    "cards stand, such as `19:…@thread.tacv2`, with nothing percent-encoded"));
}

/* An address that only tests and other clouds write. */
static bool read_address(const struct channel_reading *reading, const char *key, const char *usual,
                         const char **out)
{
    struct courier_channel checked = {.allows_http = reading->out->allows_http};
    *out = usual;
    if (!channel_read_text(reading, key, out)) {
        return false;
    }
    checked.channel.url = *out;
    return config_check_url(reading->file, reading->node, &checked, key, reading->error);
}

/* One that others are put together from. */
static bool read_base(const struct channel_reading *reading, const char *key, const char *usual,
                      const char **out)
{
    if (!read_address(reading, key, usual, out)) {
        return false;
    }
    if ((*out)[strlen(*out) - 1] != '/') {
        *out = arena_printf(reading->arena, "%s/", *out);
    }
    return teams_may_serve(*out, *out) ||
           fail_at(reading, key, "bad_url",
                   "write scheme, host and a plain path: no user, query or fragment");
}

/* Teams takes 60 messages in 30 seconds for one conversation. */
enum { PER_SECOND = 2 };

/* What its notifier is told: the secret and the addresses beside what says which bot it is. */
static void set_up(const struct channel_reading *reading, const struct teams_bot *bot,
                   const char *login)
{
    struct notifier_channel *channel = &reading->out->channel;
    const struct template_option options[] = {{"conversation", bot->conversation},
                                              {"app_id", bot->app_id},
                                              {"tenant_id", bot->tenant_id},
                                              {"login_url", login}};
    memcpy(channel->options, options, sizeof options);
    channel->option_count = sizeof options / sizeof options[0];
    channel->url = bot->service_url;
    channel->kind = "teams-bot";
    if (reading->out->per_second_max == 0) {
        reading->out->per_second_max = PER_SECOND;
    }
    reading->who->notifier = notifier_find(channel->kind);
    reading->who->bot = bot;
}

/* Who signs what comes in, once for all bots that name the same metadata. It is reached as the
 * first of them is. */
static bool add_signer(const struct channel_reading *reading, const struct teams_bot *bot)
{
    static const int64_t hour = 3600 * 1000;
    struct config *config = reading->config;
    size_t count = config->trust.issuer_count;
    for (size_t i = 0; i < count; i++) {
        if (config->issuers[i].is_service &&
            strcmp(config->issuers[i].name, bot->openid_url) == 0) {
            return true;
        }
    }
    if (count == TRUST_ISSUERS_MAX) {
        return fail_at(reading, "openid_url", "too_many",
                       "32 issuers are the most there may be, the Bot Framework among them");
    }
    config->issuers[count] = (struct trust_issuer){.name = bot->openid_url,
                                                   .terms = {.issuer = TEAMS_ISSUER},
                                                   .metadata_url = bot->openid_url,
                                                   .refresh_ms = 20 * hour,
                                                   .stale_max_ms = 24 * hour,
                                                   .refetch_ms = hour,
                                                   .is_service = true};
    config->sources[count].reach = *reading->out;
    config->sources[count].reach.channel =
        (struct notifier_channel){.name = bot->openid_url, .url = bot->openid_url};
    config->trust.issuer_count = count + 1;
    return true;
}

static const char *const bot_keys[] = {"app_id",    "tenant_id",   "secret_file", "conversation",
                                       "login_url", "service_url", "openid_url",  NULL};

static bool read_bot(const struct channel_reading *reading)
{
    struct config *config = reading->config;
    struct api_teams_bot *app = &config->teams_bots[config->teams_bot_count];
    struct notifier_channel *channel = &reading->out->channel;
    const char *login = NULL;
    app->channel = channel->name;
    if (!yaml_only_keys(reading->file, reading->node, bot_keys, reading->error) ||
        !read_guid(reading, "app_id", &app->bot.app_id) ||
        !read_guid(reading, "tenant_id", &app->bot.tenant_id) ||
        !read_conversation(reading, &app->bot.conversation) ||
        !channel_read_secret(reading, "secret_file", &channel->secret) ||
        !read_base(reading, "service_url", TEAMS_SERVICE_URL, &app->bot.service_url) ||
        !read_base(reading, "login_url", TEAMS_LOGIN_URL, &login) ||
        !read_address(reading, "openid_url", TEAMS_OPENID_URL, &app->bot.openid_url)) {
        return false;
    }
    if (channel->secret == NULL) {
        return channel_missing(reading, "a Teams bot needs `secret_file`: a file with a client "
                                        "secret of its application");
    }
    set_up(reading, &app->bot, login);
    config->teams_bot_count++;
    return add_signer(reading, &app->bot);
}

static bool read_teams(const struct channel_reading *reading)
{
    struct channel_reading section = *reading;
    section.node = yaml_member(reading->node, "bot");
    if (section.node == NULL) {
        return channel_read_url(reading);
    }
    if (yaml_member(reading->node, "url") != NULL ||
        yaml_member(reading->node, "url_file") != NULL) {
        return yaml_fail(reading->file, section.node, reading->error, "bad_url",
                         "write `bot`, or the `url` of a Workflow, not both");
    }
    return channel_read_allowance(reading, "allow_http") && read_bot(&section);
}

static const char *const teams_keys[] = {"url", "url_file", "allow_http", "bot", NULL};

const struct channel_kind channel_teams = {"teams", teams_keys, read_teams};
