#ifndef NOTIFIERS_SLACK_WORDS_H
#define NOTIFIERS_SLACK_WORDS_H

/* What is said to one person who pressed something: modals, answers within them, and messages that
 * only they see. All text stands in plain_text. */

#include "base/arena.h"
#include "base/builder.h"

/* views.open's body: the modal that asks for the code of the dashboard. `why`: a sentence above it;
 * NULL when they asked for it themselves. */
void slack_link_modal_append(struct builder *out, const char *trigger, const char *why);
/* The answer to a submitted modal whose `block` holds something that will not do. */
void slack_modal_error_append(struct builder *out, const char *block, const char *text);
/* The answer to one that did. */
void slack_modal_done_append(struct builder *out, const char *text);
/* chat.postEphemeral's body. */
void slack_ephemeral_append(struct builder *out, const char *channel, const char *user,
                            const char *text);

#endif
