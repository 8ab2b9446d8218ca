#ifndef OPERATIONS_NOTICE_INTERNAL_H
#define OPERATIONS_NOTICE_INTERNAL_H

/* Shared by the files of this room only. */

#include "operations/notice_operations.h"
#include "operations/request_internal.h"
#include "store/roundup_rows.h"

/* The event of a notice about several requests. */
#define NOTICE_ROUNDUP_EVENT "requests.roundup"

/* NULL when no channel has this name any more. */
const struct operations_channel *find_channel(const struct operations *operations,
                                              const char *name);
/* Whether anybody of these groups is told through this channel. */
bool channel_serves(const struct operations_channel *channel, const char *const *groups,
                    size_t count);
/* addresses.c: whether each person who is asked is told at an address of their own, and which it is
 * on this channel: what an admin wrote down, or an account they linked. NULL when there is none. */
bool channel_asks_people(const struct operations_channel *channel);
bool find_told_address(struct operation *operation, const struct operations_channel *channel,
                       const char *tenant, const char *person, const char **out,
                       struct error *error) MUST_CHECK;
/* addresses.c: how many of those who may be asked there have none. */
bool count_unlinked(struct operation *operation, const struct operations_channel *channel, int *out,
                    struct error *error) MUST_CHECK;
/* route_cards.c: whether this person is among those the channel is for. */
bool channel_is_for(const struct operations_channel *channel, const struct person_row *person);
/* notices.c: whether this channel tells anything of this tenant. */
bool channel_is_of(const struct operations_channel *channel, const char *tenant);
/* task_callbacks.c: whether this channel may be told there, as configured now. */
bool task_callback_leads(const struct operations_channel *channel, const char *endpoint);
/* notices.c: a notice that is due at once or at its `due_at`; fills id, tenant and times. */
bool insert_notice(struct operation *operation, const char *tenant, struct notice_row *notice,
                   struct error *error) MUST_CHECK;
/* Any thread: something in the outbox is due then. */
void note_notice_due(struct operations *operations, int64_t due_at);
/* settle_notice.c: notice.* about it. */
bool record_notice(struct operation *operation, const struct notice_row *notice,
                   enum ledger_entry_type type, const char *reason, struct error *error) MUST_CHECK;
/* route_cards.c: the notices about this moment to the cards of one channel. */
bool tell_cards(struct operation *operation, const struct operations_channel *channel,
                const struct request_row *request, const char *event, enum card_moment moment,
                struct error *error) MUST_CHECK;
/* What has happened, for cards; 0: nothing that they show. */
enum card_moment moment_of_event(const char *event);

/* chat_conversations.c: where the channel's bot is to send, as was said last; `*out_service_url`
 * stays as it is for a channel that is no bot's, and when nothing was said. */
bool find_conversation(struct operation *operation, const struct operations_channel *channel,
                       const char **out_service_url, struct error *error) MUST_CHECK;

/* choices.c: whether what a person chose lets this channel tell them of such a risk. */
bool choice_lets_tell(struct operation *operation, const struct operations_channel *channel,
                      const struct person_row *person, int risk, bool *out,
                      struct error *error) MUST_CHECK;
/* When it is no longer quiet on this channel, nor for the person that is told; now when it is not.
 */
bool choice_quiet_until(struct operation *operation, const struct operations_channel *channel,
                        const char *tenant, const char *recipient, int64_t *out,
                        struct error *error) MUST_CHECK;

/* gather_cards.c: round-ups (notifiers/roundup.h). What becomes of a prompt that may leave now:
 * `out_is_gone` when it was left for later, or went in a round-up. */
bool gather_card(struct operation *operation, const struct operations_channel *channel,
                 const struct request_row *request, struct notice_row *notice, bool *out_is_gone,
                 struct error *error) MUST_CHECK;
/* Something about one of the requests of a round-up has changed: it is changed where it stands, or
 * closed when nothing of it waits any more. */
bool tell_roundup(struct operation *operation, const struct operations_channel *channel,
                  const struct request_row *request, const char *roundup,
                  struct error *error) MUST_CHECK;
/* Composes a round-up as it is now; `*out_stale` says why there is nothing to tell. It comes in
 * with why its reader is told nothing new, NULL when they are: what can be changed is, all the
 * same. */
bool lease_roundup(struct operation *operation, const struct operations_channel *channel,
                   struct notice_lease *lease, const char **out_stale,
                   struct error *error) MUST_CHECK;
/* What stands there now. */
bool settle_roundup(struct operation *operation, const struct notice_lease *notice,
                    const struct notice_settlement *settlement, struct error *error) MUST_CHECK;
/* compose_roundup.c: as a card of moment `roundup`, and how many of its requests still wait. */
bool compose_roundup(struct operation *operation, const struct roundup_row *roundup,
                     const char **out, int *out_pending, struct error *error) MUST_CHECK;

struct card_reader {
    const char *recipient;
    bool is_stranger; /* learns how it stands: no arguments, no questions, no buttons */
    bool is_bare;     /* buttons follow once it is known where the card stands */
};
/* compose_card.c: the `card` JSON of the request as it is now (notifiers/card.h). */
bool compose_card(struct operation *operation, const struct operations_channel *channel,
                  const struct request_row *request, const struct card_reader *reader,
                  enum card_moment moment, const char **out, struct error *error) MUST_CHECK;
const char *compose_test_card(struct operation *operation);
/* What the buttons of this card carry: nobody can guess it, and an edit makes another. */
const char *card_nonce(struct operation *operation, const struct request_row *request,
                       const char *channel, const char *recipient);

#endif
