#ifndef NOTIFIERS_TEAMS_CARD_H
#define NOTIFIERS_TEAMS_CARD_H

/*
 * A card as an Adaptive Card 1.4 for Microsoft Teams. What came from outside stands only in TextRun
 * elements of a RichTextBlock, which Teams does not read as Markdown; TextBlocks hold words of our
 * own. A Workflows webhook takes 28 KB in all and can only link; a bot's card has Action.Execute
 * buttons and can be changed later.
 */

#include "notifiers/card.h"

enum { TEAMS_MESSAGE_BYTES_MAX = 28 * 1024 };

/* Appends the AdaptiveCard object. `has_buttons`: of a bot, where people may decide. */
void teams_card_append(struct builder *out, const struct card *card, bool has_buttons,
                       struct arena *arena);
/* The whole message: {"attachments":[{…}],"type":"message"}; of a bot with a `summary` of our own
 * words, which stands in what Teams notifies people with. */
void teams_message_append(struct builder *out, const struct card *card, bool has_buttons,
                          struct arena *arena);

#endif
