#include "notifiers/notifier.h"
#include "notifiers/teams/teams_card.h"
#include <string.h>

/* A Teams Workflow ("When a Teams webhook request is received"): it posts what it is sent and
 * answers 202 before it has, with no id, so that a card that is there cannot be changed. Its
 * address is its secret, and its query goes out byte for byte. */

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct card card;
    (void)now;
    builder_init(&body, 0);
    if (!card_read(notice->payload, strlen(notice->payload), arena, &card, error)) {
        return false;
    }
    teams_message_append(&body, &card, false, arena);
    *out = (struct notifier_message){
        .url = channel->url,
        .headers = {"Content-Type: application/json", "User-Agent: countersign"},
        .body = arena_copy(arena, body.bytes, body.length),
        .length = body.length};
    return true;
}

const struct notifier teams_notifier = {
    .kind = "teams", .shows_cards = true, .compose = compose, .judge = notifier_judge_by_status};
