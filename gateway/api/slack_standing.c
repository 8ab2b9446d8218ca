#include "api/slack_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/*
 * Whether who pressed may decide at all, and where: what Slack alone can say, asked before a vote
 * is counted. Slack wants its acknowledgement within three seconds, and gets it when the press has
 * been carried out or refused: a press waits here for two at most, in memory. What is killed
 * meanwhile was not acknowledged and did nothing; Slack tells the person so, and the button is
 * still good. Deny and the shortcut open a modal, which cannot wait: those look at what is known,
 * and what the modal brings is held.
 */

enum { HOLD_MS = 2000, HOLDS_MAX = 256, PERSON_AGE_MS = 60 * 1000, PLACE_AGE_MS = 5 * 60 * 1000 };

struct hold {
    struct hold *next;
    const struct slack_press *press;
    void (*go)(void *owner, const struct error *refusal);
    void *owner;
    int64_t asked_tick;
};

struct slack_holds {
    struct api *api;
    struct loop_timer *timer;
    struct hold *first, *last; /* in order of coming */
    size_t count;
};

static void on_due(void *context)
{
    struct slack_holds *holds = context;
    slack_run_holds(holds->api);
}

struct slack_holds *slack_holds_create(struct api *api)
{
    struct slack_holds *holds = memory_zeroed(1, sizeof *holds);
    holds->api = api;
    holds->timer = loop_timer_create(api->options.loop, on_due, holds);
    return holds;
}

void slack_holds_destroy(struct slack_holds *holds)
{
    if (holds == NULL) {
        return;
    }
    holds->api->is_draining = true; /* what goes on now is let go */
    while (holds->first != NULL) {
        struct hold *hold = holds->first;
        holds->first = hold->next;
        hold->go(hold->owner, NULL);
        free(hold);
    }
    loop_timer_destroy(holds->timer);
    free(holds);
}

/* ---- what Slack says ---- */

static void ask(struct api *api, const struct slack_press *press, enum notifier_asks asks,
                const char *about, int64_t age_ms, int64_t asked_tick,
                struct notifier_standing *out)
{
    const struct api_chat *chat = &api->options.chat;
    struct notifier_inquiry inquiry = {asks, about};
    *out = (struct notifier_standing){.known = NOTIFIER_UNANSWERED};
    if (chat->find != NULL) {
        chat->find(chat->context, press->channels[0], &inquiry, age_ms, asked_tick, out);
    }
}

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
    ask(api, press, NOTIFIER_ASKS_PERSON, press->callback.account, PERSON_AGE_MS, asked_tick,
        &person);
    if (has_place(press)) {
        ask(api, press, NOTIFIER_ASKS_PLACE, press->callback.place, PLACE_AGE_MS, asked_tick,
            &place);
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

/* True when it went on. */
static bool try(struct api *api, const struct hold *hold)
{
    struct error refusal = {0};
    enum notifier_known known = judge(api, hold->press, hold->asked_tick, &refusal);
    if (known == NOTIFIER_UNKNOWN && loop_now(api->options.loop) - hold->asked_tick >= HOLD_MS) {
        known = give_up(hold->press, "it did not answer in time", &refusal);
    }
    if (known == NOTIFIER_UNKNOWN) {
        return false;
    }
    hold->go(hold->owner, known == NOTIFIER_GOOD ? NULL : &refusal);
    return true;
}

static void append(struct slack_holds *holds, struct hold *hold)
{
    hold->next = NULL;
    if (holds->last != NULL) {
        holds->last->next = hold;
    } else {
        holds->first = hold;
        loop_timer_arm(holds->timer, hold->asked_tick + HOLD_MS);
    }
    holds->last = hold;
    holds->count++;
}

void slack_run_holds(struct api *api)
{
    struct slack_holds *holds = api->holds;
    struct hold *hold = holds->first;
    holds->first = holds->last = NULL;
    holds->count = 0;
    while (hold != NULL) {
        struct hold *next = hold->next;
        if (try(api, hold)) {
            free(hold);
        } else {
            append(holds, hold);
        }
        hold = next;
    }
}

/* What opens a modal goes on whatever is not known yet. */
static void look(struct api *api, const struct hold *hold)
{
    struct error refusal = {0};
    bool is_bad = judge(api, hold->press, hold->asked_tick, &refusal) == NOTIFIER_BAD;
    hold->go(hold->owner, is_bad ? &refusal : NULL);
}

static void hold_until_known(struct api *api, const struct hold *given)
{
    struct error refusal = {0};
    if (try(api, given)) {
        return;
    }
    if (api->holds->count == HOLDS_MAX) {
        (void)give_up(given->press, "too many wait", &refusal);
        given->go(given->owner, &refusal);
        return;
    }
    struct hold *hold = memory_zeroed(1, sizeof *hold);
    *hold = *given;
    append(api->holds, hold);
}

void slack_hold(struct api *api, const struct slack_press *press,
                void (*go)(void *owner, const struct error *refusal), void *owner)
{
    struct hold hold = {.press = press, .go = go, .owner = owner, .asked_tick = clock_boot_ms()};
    switch (press->callback.what) {
    case CALLBACK_APPROVE:
    case CALLBACK_DENY:
    case CALLBACK_LINK:
        hold_until_known(api, &hold);
        return;
    case CALLBACK_ASK_REASON:
    case CALLBACK_ASK_CODE:
        look(api, &hold);
        return;
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
        break;
    }
    go(owner, NULL);
}
