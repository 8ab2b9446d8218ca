#include "config/channel_internal.h"

#include "notifiers/mail/mail_letter.h"
#include <string.h>

static bool check_addresses(const struct channel_reading *reading)
{
    const struct notifier_channel *channel = &reading->out->channel;
    if (channel->from == NULL || !mail_is_address(channel->from)) {
        return channel_missing(reading, "a mail channel needs `from`: a plain address such as "
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

static bool read_mail(const struct channel_reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    if (!channel_read_allowance(reading, "allow_plain") ||
        !channel_read_text(reading, "url", &channel->url) ||
        !channel_read_text(reading, "from", &channel->from) ||
        !channel_read_text(reading, "user", &channel->user) ||
        !channel_read_secret(reading, "secret_file", &channel->secret) ||
        !channel_read_list(reading, "to", &reading->who->to, &reading->who->to_count)) {
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
        return channel_missing(reading, "`user` and `secret_file` (its password) go together");
    }
    channel->url = arena_printf(reading->arena, "%s/%s", url,
                                channel->from == NULL || strchr(channel->from, '@') == NULL
                                    ? "localhost"
                                    : strchr(channel->from, '@') + 1); /* what EHLO says */
    return check_addresses(reading);
}

static const char *const mail_keys[] = {"url",  "allow_plain", "from", "to",
                                        "user", "secret_file", NULL};

const struct channel_kind channel_mail = {"mail", mail_keys, read_mail};
