#ifndef NOTIFIERS_SLACK_INTERNAL_H
#define NOTIFIERS_SLACK_INTERNAL_H

/* Shared by the files of this folder only. */

#include "base/builder.h"
#include "notifiers/account_notice.h"
#include "notifiers/notifier.h"

/* slack.c: a call of the Web API with this body. */
void slack_call(const struct notifier_channel *channel, const char *method, const char *type,
                const struct builder *body, struct arena *arena, struct notifier_message *out);
/* Whether another attempt may mend what Slack calls so. */
bool slack_is_passing(const char *code);
/* slack_callback.c: upper-case letters and digits, 1 to 40. */
bool slack_is_id(const char *text);

/* slack_account.c: chat.postMessage's body that tells the owner of an account. */
void slack_account_append(struct builder *out, const struct account_notice *notice,
                          const char *channel, struct arena *arena);

/* slack_inquiries.c: the hooks of struct notifier. */
size_t slack_list_inquiries(const struct notifier_channel *channel,
                            const struct notifier_notice *notice, struct arena *arena,
                            struct notifier_inquiry out[NOTIFIER_INQUIRIES_MAX]);
bool slack_compose_inquiry(const struct notifier_channel *channel,
                           const struct notifier_inquiry *inquiry, const char *token,
                           struct arena *arena, struct notifier_message *out,
                           struct error *error) MUST_CHECK;
void slack_read_answer(const struct notifier_channel *channel,
                       const struct notifier_inquiry *inquiry, const struct notifier_reply *reply,
                       struct notifier_standing *out);

#endif
