#include "notifiers/notifier.h"

#include <string.h>

/* A card through the channel's template, POSTed as JSON. `secret`, where there is one, is the whole
 * value of the Authorization header. */

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct card card;
    (void)now;
    builder_init(&body, 0);
    if (!card_read(notice->payload, strlen(notice->payload), arena, &card, error) ||
        !template_append(&body, channel->template, channel->template_length, &card,
                         channel->options, channel->option_count, arena, error)) {
        return false;
    }
    *out = (struct notifier_message){
        .url = channel->url,
        .headers = {"Content-Type: application/json", "User-Agent: countersign",
                    channel->secret == NULL
                        ? NULL
                        : arena_printf(arena, "Authorization: %s", channel->secret)},
        .body = arena_copy(arena, body.bytes, body.length),
        .length = body.length};
    return true;
}

const struct notifier template_notifier = {
    .kind = "template", .shows_cards = true, .compose = compose, .judge = notifier_judge_by_status};
