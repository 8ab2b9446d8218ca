#ifndef NOTIFIERS_SLACK_CARD_H
#define NOTIFIERS_SLACK_CARD_H

/*
 * A card as Slack's Block Kit. What came from outside stands only in plain_text objects and in
 * rich_text_preformatted elements, which interpret nothing; mrkdwn is not used at all. The limits
 * are those of @slack/types 3.2: 150 for a header, ten fields of 2000, 3000 in a text, and about
 * 13,000 characters over all blocks before chat.postMessage answers msg_blocks_too_long.
 */

#include "notifiers/card.h"

/* What a button says it is; its value is `v1.<request>.<nonce>` and only a reference. */
#define SLACK_APPROVE "countersign_approve"
#define SLACK_DENY    "countersign_deny"
#define SLACK_OPEN    "countersign_open"

enum { SLACK_CARD_BYTES = 10000 }; /* of text over all blocks */

/* Appends the members `blocks` and `text`, as an object with `channel` (and `ts` when this changes
 * a card that is there), for chat.postMessage and chat.update. */
void slack_card_append(struct builder *out, const struct card *card, const char *channel,
                       const char *ts, struct arena *arena);
/* The modal that asks why: views.open's body, with the button's value and where the card stands as
 * private_metadata. */
void slack_deny_modal_append(struct builder *out, const char *trigger, const char *value,
                             const char *place, struct arena *arena);

#endif
