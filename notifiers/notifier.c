#include "notifiers/notifier.h"

#include <string.h>

static const struct notifier *const notifiers[] = {
    &webhook_notifier, &mail_notifier,      &template_notifier,      &slack_notifier,
    &teams_notifier,   &teams_bot_notifier, &task_callback_notifier,
};
enum { KINDS = sizeof notifiers / sizeof notifiers[0] };

const struct notifier *notifier_find(const char *kind)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(notifiers[i]->kind, kind) == 0) {
            return notifiers[i];
        }
    }
    return NULL;
}

const char *notifier_kind(size_t index)
{
    return index < KINDS ? notifiers[index]->kind : NULL;
}

static int64_t moved(int64_t seconds, unsigned chance)
{
    return seconds * 1000 + seconds * (int64_t)(chance % 1000) / 10;
}

int64_t notifier_retry_after_ms(int attempt, unsigned chance)
{
    /* The schedule that Standard Webhooks recommends; together about three days. */
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    size_t index = (size_t)(attempt < 1 ? 0 : attempt - 1);
    if (index >= sizeof seconds / sizeof seconds[0]) {
        return 0;
    }
    return moved(seconds[index], chance);
}

int64_t notifier_retry_card_after_ms(int attempt, unsigned chance)
{
    static const int64_t seconds[] = {2, 5, 15, 30, 60, 120};
    const int count = sizeof seconds / sizeof seconds[0];
    if (attempt <= count) {
        return moved(seconds[attempt < 1 ? 0 : attempt - 1], chance);
    }
    return notifier_retry_after_ms(attempt - count + 1, chance);
}

const char *notifier_option(const struct notifier_channel *channel, const char *name)
{
    for (size_t i = 0; i < channel->option_count; i++) {
        if (strcmp(channel->options[i].name, name) == 0) {
            return channel->options[i].value;
        }
    }
    return NULL;
}

enum notifier_verdict notifier_judge_status(long status)
{
    static const long hopeless[] = {400, 404, 405, 410, 413, 422};
    if (status >= 200 && status < 300) {
        return NOTIFIER_SENT;
    }
    for (size_t i = 0; i < sizeof hopeless / sizeof hopeless[0]; i++) {
        if (status == hopeless[i]) {
            return NOTIFIER_DEAD;
        }
    }
    return NOTIFIER_RETRY;
}

void notifier_judge_by_status(const struct notifier_channel *channel,
                              const struct notifier_notice *notice,
                              const struct notifier_reply *reply, struct arena *arena,
                              struct notifier_judgement *out)
{
    (void)channel, (void)notice, (void)arena;
    out->verdict = notifier_judge_status(reply->status);
    out->retry_after_ms = reply->retry_after_ms;
}
