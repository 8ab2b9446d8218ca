#ifndef NOTIFIERS_TEMPLATE_TEMPLATE_H
#define NOTIFIERS_TEMPLATE_TEMPLATE_H

/*
 * A card through a template: a JSON document in whose strings `${name}` stands for a word of the
 * card. Values go in as JSON text, so that none can end its string or become a member. A string
 * that begins with `#` and holds one number's placeholder becomes that number.
 *
 *     "${arguments:code:1200}"   the arguments, their backticks made visible, at most 1200 bytes
 *     "#${priority}"             2 to 5
 *     "${option.topic}"          what the channel's `options` say
 *
 * Names: heading action resource agent subject risk request digest revision link message why
 * outcome facts arguments state severity priority event. `code` is for what stands in a ``` block;
 * a number bounds. Channels made so only tell.
 */

#include "notifiers/card.h"

enum { TEMPLATE_BYTES_MAX = 16 * 1024, TEMPLATE_OPTIONS_MAX = 16 };

struct template_option {
    const char *name, *value;
};

/* Appends the message's body. INVALID `bad_template`: the message names the placeholder and what
 * there is instead. */
bool template_append(struct builder *out, const char *template, size_t length,
                     const struct card *card, const struct template_option *options,
                     size_t option_count, struct arena *arena, struct error *error) MUST_CHECK;
/* A template that comes with the gateway (`ntfy`, `pagerduty`, `mattermost`, `discord`,
 * `google-chat`), or NULL. */
const char *template_shipped(const char *name);

#endif
