#include "api/holds_internal.h"
#include "base/clock.h"
#include "base/memory.h"
#include <stdlib.h>

enum { HOLDS_MAX = 256 };

struct hold {
    struct hold *next;
    const struct hold_terms *terms;
    const void *press;
    void (*go)(void *owner, const struct error *refusal);
    void *owner;
    int64_t asked_tick;
};

struct api_holds {
    struct api *api;
    struct loop_timer *timer;
    struct hold *first, *last; /* in order of coming */
    size_t count;
    int64_t due_tick; /* of the timer, while there are some */
};

static void on_due(void *context)
{
    struct api_holds *holds = context;
    holds_run(holds->api);
}

struct api_holds *api_holds_create(struct api *api)
{
    struct api_holds *holds = memory_zeroed(1, sizeof *holds);
    holds->api = api;
    holds->timer = loop_timer_create(api->options.loop, on_due, holds);
    return holds;
}

void api_holds_destroy(struct api_holds *holds)
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

void holds_ask(struct api *api, const char *channel, enum notifier_asks asks, const char *about,
               int64_t age_ms, int64_t asked_tick, struct notifier_standing *out)
{
    const struct api_chat *chat = &api->options.chat;
    struct notifier_inquiry inquiry = {asks, about};
    *out = (struct notifier_standing){.known = NOTIFIER_UNANSWERED};
    if (chat->find != NULL) {
        chat->find(chat->context, channel, &inquiry, age_ms, asked_tick, out);
    }
}

static int64_t until(const struct hold *hold)
{
    return hold->asked_tick + hold->terms->hold_ms;
}

/* True when it went on. */
static bool try(struct api *api, const struct hold *hold)
{
    struct error refusal = {0};
    enum notifier_known known = hold->terms->judge(api, hold->press, hold->asked_tick, &refusal);
    if (known == NOTIFIER_UNKNOWN && loop_now(api->options.loop) >= until(hold)) {
        known = hold->terms->give_up(hold->press, "it did not answer in time", &refusal);
    }
    if (known == NOTIFIER_UNKNOWN) {
        return false;
    }
    hold->go(hold->owner, known == NOTIFIER_GOOD ? NULL : &refusal);
    return true;
}

static void append(struct api_holds *holds, struct hold *hold)
{
    hold->next = NULL;
    if (holds->last != NULL) {
        holds->last->next = hold;
    } else {
        holds->first = hold;
    }
    if (holds->count == 0 || until(hold) < holds->due_tick) {
        holds->due_tick = until(hold);
        loop_timer_arm(holds->timer, holds->due_tick);
    }
    holds->last = hold;
    holds->count++;
}

void holds_run(struct api *api)
{
    struct api_holds *holds = api->holds;
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

void holds_wait(struct api *api, const struct hold_terms *terms, const void *press,
                void (*go)(void *owner, const struct error *refusal), void *owner)
{
    struct error refusal = {0};
    struct hold given = {
        .terms = terms, .press = press, .go = go, .owner = owner, .asked_tick = clock_boot_ms()};
    if (try(api, &given)) {
        return;
    }
    if (api->holds->count == HOLDS_MAX) {
        (void)terms->give_up(press, "too many wait", &refusal);
        go(owner, &refusal);
        return;
    }
    struct hold *hold = memory_zeroed(1, sizeof *hold);
    *hold = given;
    append(api->holds, hold);
}
