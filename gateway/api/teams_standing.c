#include "api/holds_internal.h"
#include "api/teams_internal.h"
#include "base/log.h"

/*
 * Whether who pressed is a full member of the tenant: what Teams alone can say, asked before a vote
 * is counted or an account linked. Teams waits some ten seconds for the answer of a press, which
 * waits here for five at most.
 */

enum { HOLD_MS = 5000, PERSON_AGE_MS = 60 * 1000 };

static const char *nothing_done(const struct teams_press *press)
{
    return press->activity.callback.what == CALLBACK_LINK ? "Nothing was linked"
                                                          : "Nothing was counted";
}

static enum notifier_known give_up(const void *held, const char *reason, struct error *refusal)
{
    const struct teams_press *press = held;
    LOG(LOG_LEVEL_WARN, "standing_unknown", LOG_TEXT("channel", press->channels[0]),
        LOG_TEXT("account", press->activity.callback.account), LOG_TEXT("reason", reason));
    error_set(refusal, ERROR_RETRY_LATER, "standing_unknown", NULL,
              "Teams did not say who you are. %s: try again, or open the dashboard.",
              nothing_done(press));
    return NOTIFIER_UNANSWERED;
}

static enum notifier_known judge(struct api *api, const void *held, int64_t asked_tick,
                                 struct error *refusal)
{
    const struct teams_press *press = held;
    struct notifier_standing member;
    holds_ask(api, press->channels[0], NOTIFIER_ASKS_PERSON, press->member, PERSON_AGE_MS,
              asked_tick, &member);
    if (member.known == NOTIFIER_BAD) {
        error_set(refusal, ERROR_FORBIDDEN, "not_a_member", NULL, "%s %s.", member.reason,
                  nothing_done(press));
    } else if (member.known == NOTIFIER_UNANSWERED) {
        return give_up(press, member.reason, refusal);
    }
    return member.known;
}

static const struct hold_terms terms = {judge, give_up, HOLD_MS};

void teams_hold(struct api *api, const struct teams_press *press,
                void (*go)(void *owner, const struct error *refusal), void *owner)
{
    if (press->activity.kind == TEAMS_PRESS) {
        holds_wait(api, &terms, press, go, owner);
    } else {
        go(owner, NULL);
    }
}
