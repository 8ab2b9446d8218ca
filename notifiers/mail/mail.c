#include "notifiers/mail/mail_letter.h"
#include "notifiers/notifier.h"
#include <string.h>

/* A card by SMTP: to the people who are asked, each a letter of their own, so that nobody learns
 * the addresses of others. A letter cannot be called back: a change is another one in its thread.
 */

static bool append_card(struct builder *out, const char *payload,
                        const struct mail_envelope *envelope, struct arena *arena,
                        struct error *error)
{
    struct card card;
    return card_read(payload, strlen(payload), arena, &card, error) &&
           mail_append(out, &card, envelope, arena, error);
}

static bool append_account(struct builder *out, const char *payload,
                           const struct mail_envelope *envelope, struct arena *arena,
                           struct error *error)
{
    struct account_notice notice;
    return account_notice_read(payload, strlen(payload), arena, &notice, error) &&
           mail_append_account(out, &notice, envelope, arena, error);
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder letter BUILDER_SCOPE;
    builder_init(&letter, 0);
    struct mail_envelope envelope = {
        .from = channel->from, .to = notice->to, .notice = notice->id, .now = now};
    if (notice->to == NULL) {
        return error_set(error, ERROR_INVALID, "no_address", NULL,
                         "nobody has a mail address to send this to");
    }
    if (!(notice->is_account ? append_account : append_card)(&letter, notice->payload, &envelope,
                                                             arena, error)) {
        return false;
    }
    *out = (struct notifier_message){.url = channel->url,
                                     .is_mail = true,
                                     .from = channel->from,
                                     .to = notice->to,
                                     .user = channel->user,
                                     .secret = channel->secret,
                                     .body = arena_copy(arena, letter.bytes, letter.length),
                                     .length = letter.length};
    return true;
}

/* RFC 5321: 5xx about the mailbox or the message will not become better; one about the sign-in
 * (530, 534, 535) is the operator's to mend, and waits for that. */
static void judge(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out)
{
    (void)channel, (void)notice, (void)arena;
    long status = reply->status;
    bool is_hopeless = status >= 550 && status <= 559;
    out->verdict = status >= 200 && status < 300 ? NOTIFIER_SENT
                   : is_hopeless                 ? NOTIFIER_DEAD
                                                 : NOTIFIER_RETRY;
}

const struct notifier mail_notifier = {.kind = "mail",
                                       .shows_cards = true,
                                       .asks_people = true,
                                       .tells_owners = true,
                                       .compose = compose,
                                       .judge = judge};
