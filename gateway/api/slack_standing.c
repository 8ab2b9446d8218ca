#include "api/holds_internal.h"
#include "api/slack_internal.h"
#include "base/clock.h"
#include "base/log.h"

/*
 * Whether who pressed may decide at all, and where: what Slack alone can say, asked before a vote
 * is counted. Slack wants its acknowledgement within three seconds, and gets it when the press has
 * been carried out or refused: a press waits here for two at most, in memory. What is killed
 * meanwhile was not acknowledged and did nothing; Slack tells the person so, and the button is
 * still good. Deny and the shortcut open a modal, which cannot wait: those look at what is known,
 * and what the modal brings is held.
 */

enum { HOLD_MS = 2000, PERSON_AGE_MS = 60 * 1000, PLACE_AGE_MS = 5 * 60 * 1000 };

/* ---- what Slack says ---- */

static const char *nothing_done(const struct slack_press *press)
{
    return press->callback.what == CALLBACK_LINK ? "Nothing was linked" : "Nothing was counted";
}

static enum notifier_known refuse(const struct slack_press *press, const char *code,
                                  const char *reason, struct error *out)
{
    error_set(out, ERROR_FORBIDDEN, code, NULL, "%s %s.", reason, nothing_done(press));
    return NOTIFIER_BAD;
}

static enum notifier_known give_up(const struct slack_press *press, const char *reason,
                                   struct error *out)
{
    LOG(LOG_LEVEL_WARN, "standing_unknown", LOG_TEXT("channel", press->channels[0]),
        LOG_TEXT("account", press->callback.account), LOG_TEXT("reason", reason));
    error_set(out, ERROR_RETRY_LATER, "standing_unknown", NULL,
              "Slack did not say who you are. %s: try again, or open the dashboard.",
              nothing_done(press));
    return NOTIFIER_UNANSWERED;
}

/* Cards in a conversation with the app are their reader's alone. */
static bool has_place(const struct slack_press *press)
{
    enum callback_what what = press->callback.what;
    return (what == CALLBACK_APPROVE || what == CALLBACK_ASK_REASON || what == CALLBACK_DENY) &&
           press->callback.place != NULL && press->callback.place[0] != 'D';
}

static enum notifier_known judge(struct api *api, const struct slack_press *press,
                                 int64_t asked_tick, struct error *out)
{
    struct notifier_standing person;
    struct notifier_standing place = {.known = NOTIFIER_GOOD};
    holds_ask(api, press->channels[0], NOTIFIER_ASKS_PERSON, press->callback.account, PERSON_AGE_MS,
              asked_tick, &person);
    if (has_place(press)) {
        holds_ask(api, press->channels[0], NOTIFIER_ASKS_PLACE, press->callback.place, PLACE_AGE_MS,
                  asked_tick, &place);
    }
    if (person.known == NOTIFIER_BAD) {
        return refuse(press, "not_a_member", person.reason, out);
    }
    if (place.known == NOTIFIER_BAD) {
        return refuse(
            press, "shared_place",
            "Nothing is decided in this Slack channel: it is shared with others, or Slack "
            "does not say that it is not. Open the dashboard.",
            out);
    }
    if (person.known == NOTIFIER_UNANSWERED || place.known == NOTIFIER_UNANSWERED) {
        return give_up(press, person.known == NOTIFIER_UNANSWERED ? person.reason : place.reason,
                       out);
    }
    return person.known == NOTIFIER_GOOD ? place.known : NOTIFIER_UNKNOWN;
}

/* ---- waiting for it ---- */

static enum notifier_known judge_held(struct api *api, const void *press, int64_t asked_tick,
                                      struct error *out)
{
    return judge(api, press, asked_tick, out);
}

static enum notifier_known give_up_held(const void *press, const char *reason, struct error *out)
{
    return give_up(press, reason, out);
}

static const struct hold_terms terms = {judge_held, give_up_held, HOLD_MS};

/* What opens a modal goes on whatever is not known yet. A shortcut names no place where a refusal
 * could be told: its modal opens, and refuses what is typed. */
static void look(struct api *api, const struct slack_press *press,
                 void (*go)(void *owner, const struct error *refusal), void *owner)
{
    struct error refusal = {0};
    bool is_bad = judge(api, press, clock_boot_ms(), &refusal) == NOTIFIER_BAD &&
                  press->callback.what == CALLBACK_ASK_REASON;
    go(owner, is_bad ? &refusal : NULL);
}

void slack_hold(struct api *api, const struct slack_press *press,
                void (*go)(void *owner, const struct error *refusal), void *owner)
{
    switch (press->callback.what) {
    case CALLBACK_APPROVE:
    case CALLBACK_DENY:
    case CALLBACK_LINK:
        holds_wait(api, &terms, press, go, owner);
        return;
    case CALLBACK_ASK_REASON:
    case CALLBACK_ASK_CODE:
        look(api, press, go, owner);
        return;
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
        break;
    }
    go(owner, NULL);
}
