#ifndef NOTIFIERS_TEAMS_WORDS_H
#define NOTIFIERS_TEAMS_WORDS_H

/*
 * What somebody who pressed a button, or wrote to the bot, is told. A press (an invoke) is answered
 * in the body of its own answer: with a card that takes the place of the one pressed, for whoever
 * pressed it, or with a line of text that leaves it as it is. Texts are plain; those that are not
 * ours alone stand in TextRun elements, where Markdown is not read.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "notifiers/card.h"

/* {"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":text} */
void teams_answer_text_append(struct builder *out, const char *text);
/* The same with a card: of a request, with its buttons. */
void teams_answer_card_append(struct builder *out, const struct card *card, struct arena *arena);
/* With a card of one sentence and a link to the dashboard. */
void teams_answer_note_append(struct builder *out, const char *text, const char *link);
/* With the form that links an account. `request` and `nonce` are of the card whose place it takes;
 * NULL: of none. */
void teams_answer_form_append(struct builder *out, const char *text, const char *link,
                              const char *request, const char *nonce);
/* {"statusCode":400,…}: what no person is shown. Words of our own. */
void teams_answer_error_append(struct builder *out, const char *code, const char *message);

/* The message activity with which the bot answers whoever writes to it: the form. */
void teams_help_append(struct builder *out, const char *link);

#endif
