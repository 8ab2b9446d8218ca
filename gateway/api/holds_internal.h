#ifndef API_HOLDS_INTERNAL_H
#define API_HOLDS_INTERNAL_H

/*
 * holds.c: presses that wait, in memory and for seconds, until the service they came from has said
 * whether who makes them may. What is killed meanwhile was not answered and did nothing. Loop
 * thread.
 */

#include "api/api_internal.h"

struct hold_terms {
    /* UNKNOWN: wait. Otherwise `refusal` is set unless it is good. */
    enum notifier_known (*judge)(struct api *api, const void *press, int64_t asked_tick,
                                 struct error *refusal);
    /* Sets the refusal of what was not answered; returns UNANSWERED. */
    enum notifier_known (*give_up)(const void *press, const char *reason, struct error *refusal);
    int64_t hold_ms;
};

/* Calls `go` when it is known, at once where it is already: `refusal` says why the press is not
 * carried out, or is NULL. */
void holds_wait(struct api *api, const struct hold_terms *terms, const void *press,
                void (*go)(void *owner, const struct error *refusal), void *owner);
/* Those of which more may be known now. */
void holds_run(struct api *api);
/* What a service says of one channel's question; UNKNOWN while it is being asked. */
void holds_ask(struct api *api, const char *channel, enum notifier_asks asks, const char *about,
               int64_t age_ms, int64_t asked_tick, struct notifier_standing *out);

#endif
