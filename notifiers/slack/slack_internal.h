#ifndef NOTIFIERS_SLACK_INTERNAL_H
#define NOTIFIERS_SLACK_INTERNAL_H

/* Shared by the files of this folder only. */

#include "base/builder.h"
#include "notifiers/notifier.h"

/* slack.c: a call of the Web API with this body. */
void slack_call(const struct notifier_channel *channel, const char *method, const char *type,
                const struct builder *body, struct arena *arena, struct notifier_message *out);
/* Whether another attempt may mend what Slack calls so. */
bool slack_is_passing(const char *code);
/* slack_callback.c: upper-case letters and digits, 1 to 40. */
bool slack_is_id(const char *text);

/* slack_questions.c: the hooks of struct notifier. */
size_t slack_list_questions(const struct notifier_channel *channel,
                            const struct notifier_notice *notice, struct arena *arena,
                            struct notifier_question out[NOTIFIER_QUESTIONS_MAX]);
bool slack_compose_question(const struct notifier_channel *channel,
                            const struct notifier_question *question, struct arena *arena,
                            struct notifier_message *out, struct error *error) MUST_CHECK;
void slack_read_answer(const struct notifier_channel *channel,
                       const struct notifier_question *question, const struct notifier_reply *reply,
                       struct notifier_finding *out);

#endif
