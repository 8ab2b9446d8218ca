#ifndef NOTIFIERS_TEAMS_ADDRESS_H
#define NOTIFIERS_TEAMS_ADDRESS_H

/* Where a message of the bot's stands, or is to: what is kept of a card, and where an answer goes.
 */

#include "base/arena.h"
#include "base/error.h"

struct teams_address {
    const char *service;
    const char *conversation;
    const char *activity; /* NULL: a new message */
};

/* JSON {"activity","conversation","service"}, the first where there is one. CORRUPT `bad_address`.
 */
bool teams_address_read(const char *text, struct arena *arena, struct teams_address *out,
                        struct error *error) MUST_CHECK;
const char *teams_address_write(const struct teams_address *address, struct arena *arena);
/* Of the Bot Connector: what is posted there is a new message, what is put there takes the place of
 * the activity. */
const char *teams_address_url(const struct teams_address *address, struct arena *arena);

#endif
