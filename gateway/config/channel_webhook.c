#include "config/channel_internal.h"

#include "crypto/crypto.h"
#include "notifiers/webhook/task_callback.h"
#include <string.h>

/* What is signed with secrets shared with the receiver: webhooks, and the callbacks of tasks. */

/* One signing secret a line, the newest first; a second one while receivers change over. */
static bool read_signing_secrets(const struct channel_reading *reading)
{
    const struct yaml_node *node = yaml_member(reading->node, "secret_file");
    struct notifier_channel *channel = &reading->out->channel;
    const char *path = NULL;
    char *bytes = NULL;
    size_t length = 0;
    struct error cause = {0};
    if (node == NULL) {
        return channel_missing(reading, "`secret_file` is needed: a file with the signing secret");
    }
    if (!yaml_read_text(reading->file, node, &path, reading->error) ||
        !channel_read_secret_file(reading, node, path, &bytes, &length)) {
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

static bool read_webhook(const struct channel_reading *reading)
{
    return channel_read_url(reading) && read_signing_secrets(reading) &&
           channel_read_list(reading, "events", &reading->who->events, &reading->who->event_count);
}

static bool check_hosts(const struct channel_reading *reading)
{
    const struct operations_channel *who = reading->who;
    if (who->caller_count == 0 || who->host_count == 0) {
        return channel_missing(reading,
                               "a callback channel needs `callers`, whose tasks may have one, and "
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

static bool read_task_callback(const struct channel_reading *reading)
{
    struct operations_channel *who = reading->who;
    if (who->group_count > 0 || who->person_count > 0 || who->tells != 0 ||
        yaml_member(reading->node, "quiet_hours") != NULL) {
        return yaml_fail(reading->file, reading->node, reading->error, "unknown_key",
                         "a callback channel tells who asked: leave out `groups`, `people`, `tell` "
                         "and `quiet_hours`");
    }
    if (!channel_read_allowance(reading, "allow_http") || !read_signing_secrets(reading) ||
        !channel_read_list(reading, "callers", &who->callers, &who->caller_count) ||
        !channel_read_list(reading, "hosts", &who->hosts, &who->host_count)) {
        return false;
    }
    who->allows_http = reading->out->allows_http;
    return check_hosts(reading);
}

static const char *const webhook_keys[] = {"url",         "url_file", "allow_http",
                                           "secret_file", "events",   NULL};
static const char *const task_callback_keys[] = {"callers", "hosts", "allow_http", "secret_file",
                                                 NULL};

const struct channel_kind channel_webhook = {"webhook", webhook_keys, read_webhook};
const struct channel_kind channel_callback = {"callback", task_callback_keys, read_task_callback};
