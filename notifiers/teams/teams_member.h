#ifndef NOTIFIERS_TEAMS_MEMBER_H
#define NOTIFIERS_TEAMS_MEMBER_H

/*
 * What the Bot Connector is asked about who pressed: whether Teams knows the account in the
 * conversation as a full member of the tenant. That an account became a guest's, or was removed,
 * after it was linked is Teams' alone to say. What it does not say plainly counts as no.
 */

#include "notifiers/notifier.h"
#include "notifiers/teams/teams_callback.h"

/* What NOTIFIER_ASKS_PERSON is about, of a press. */
const char *teams_member_about(const struct teams_activity *activity, struct arena *arena);

/* Hooks of struct notifier. */
bool teams_compose_inquiry(const struct notifier_channel *channel,
                           const struct notifier_inquiry *inquiry, const char *token,
                           struct arena *arena, struct notifier_message *out,
                           struct error *error) MUST_CHECK;
void teams_read_answer(const struct notifier_channel *channel,
                       const struct notifier_inquiry *inquiry, const struct notifier_reply *reply,
                       struct notifier_standing *out);

#endif
