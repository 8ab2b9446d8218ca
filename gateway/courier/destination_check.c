#include "base/log.h"
#include "courier/destination_internal.h"
#include <stdlib.h>

/* What a service is asked before something leaves, and about its channel now and then. */

enum {
    CHECK_MS = 3600 * 1000, /* a channel that asks its service about itself does so again */
    CHECK_AGAIN_MS = 60 * 1000,
};

/* What the operator must mend is in the log when it begins and when it is over. */
static void note_standing(struct destinations *destinations, struct destination *destination,
                          const struct notifier_standing *found)
{
    const char *problem = found->known == NOTIFIER_BAD    ? found->problem
                          : found->known == NOTIFIER_GOOD ? NULL
                                                          : destination->problem;
    const char *name = destination->channel->channel.name;
    if (problem != NULL && problem != destination->problem) {
        LOG(LOG_LEVEL_WARN, "channel_fails", LOG_TEXT("channel", name),
            LOG_TEXT("reason", problem));
    } else if (problem == NULL && destination->problem != NULL) {
        LOG(LOG_LEVEL_INFO, "channel_answers_again", LOG_TEXT("channel", name));
    }
    destination->problem = problem;
    destination_note_state(destinations, destination);
}

/* Whether the first that is held may go, and to where. */
enum notifier_known destination_ask_first(struct destinations *destinations,
                                          struct destination *destination, int64_t tick,
                                          struct notifier_standing *out)
{
    struct delivery *delivery = destination->first;
    struct notifier_notice notice = delivery_notice(delivery);
    delivery->asked_tick = delivery->asked_tick == 0 ? tick : delivery->asked_tick;
    enum notifier_known known = standings_ask_first(destinations->standings, destination->index,
                                                    &notice, delivery->asked_tick, out);
    if (known == NOTIFIER_GOOD && destination->notifier->list_inquiries != NULL) {
        note_standing(destinations, destination, out);
    }
    return known;
}

/* It is tried again: what keeps it back can be mended. */
void destination_refuse_one(struct destinations *destinations, struct delivery *delivery,
                            const struct notifier_standing *found)
{
    struct destination *destination = delivery->destination;
    note_standing(destinations, destination, found);
    if (found->known == NOTIFIER_UNANSWERED) {
        destination_note_failure(destination, found->retry_after_ms, found->reason);
    }
    delivery_fail(destinations, delivery,
                  &(struct notice_settlement){.reason = found->reason,
                                              .retry_after_ms = found->retry_after_ms});
    free(delivery);
}

/* Also where nothing is sent: what stands there has buttons. */
void destination_check(struct destinations *destinations, struct destination *destination,
                       int64_t tick)
{
    struct notifier_standing found;
    if (destination->notifier->list_inquiries == NULL || tick < destination->next_check_tick) {
        return;
    }
    destination->checking_tick =
        destination->checking_tick == 0 ? tick : destination->checking_tick;
    if (standings_ask_first(destinations->standings, destination->index, NULL,
                            destination->checking_tick, &found) == NOTIFIER_UNKNOWN) {
        return;
    }
    note_standing(destinations, destination, &found);
    destination->checking_tick = 0;
    destination->next_check_tick =
        tick + (found.known == NOTIFIER_GOOD ? CHECK_MS : CHECK_AGAIN_MS);
}
