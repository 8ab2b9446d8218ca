#ifndef COURIER_DESTINATION_INTERNAL_H
#define COURIER_DESTINATION_INTERNAL_H

/* Shared by destination.c, circuit.c, destination_token.c and destination_check.c; on the courier's
 * thread. */

#include "courier/courier_internal.h"

enum { DESTINATION_FAILURES_TO_OPEN = 5 };

struct destination {
    size_t index;
    const struct courier_channel *channel;
    const struct notifier *notifier;
    int in_flight;
    int failures;      /* one after another */
    int64_t open_tick; /* open until then; 0: closed */
    int64_t next_tick; /* nothing is sent before: the rate */
    char *token;
    int64_t token_until_tick;
    bool is_fetching_token;
    struct delivery *first, *last; /* held */
    int held;
    const char *problem;   /* what the service says that the operator must mend; static */
    int64_t checking_tick; /* since when the channel itself is asked about; 0: it is not */
    int64_t next_check_tick;
    bool was_skipped; /* by the last lease: what is due for it must be looked for again */
};

struct destinations {
    struct courier *courier;
    struct operations *operations;
    struct transfers *transfers;
    struct standings *standings;
    struct destination *items;
    size_t count;
};

/* circuit.c. `asked_ms`: how long the other side wants to be left alone; 0: it does not say. */
bool destination_is_open(const struct destination *destination, int64_t tick);
bool destination_is_half_open(const struct destination *destination, int64_t tick);
void destination_note_success(struct destination *destination);
void destination_note_failure(struct destination *destination, int64_t asked_ms,
                              const char *reason);

/* destination.c */
void destination_note_state(struct destinations *destinations,
                            const struct destination *destination);
void destination_hold(struct destination *destination, struct delivery *delivery);
struct delivery *destination_take_held(struct destination *destination);
bool delivery_is_test(const struct delivery *delivery);
struct notifier_notice delivery_notice(const struct delivery *delivery);
/* To be tried again, or dead; the delivery stays the caller's. */
void delivery_fail(struct destinations *destinations, const struct delivery *delivery,
                   struct notice_settlement *settlement);

/* destination_token.c */
void destination_forget_token(struct destination *destination);
/* Whether there is a token, or none is needed; starts to fetch one otherwise. */
bool destination_has_token(struct destinations *destinations, struct destination *destination,
                           int64_t tick);
/* Frees the errand. */
void destination_finish_token(struct destinations *destinations, struct errand *errand,
                              const struct transfer_result *result);

/* destination_check.c: whether the first that is held may go, and to where. */
enum notifier_known destination_ask_first(struct destinations *destinations,
                                          struct destination *destination, int64_t tick,
                                          struct notifier_standing *out);
/* Frees the delivery. */
void destination_refuse_one(struct destinations *destinations, struct delivery *delivery,
                            const struct notifier_standing *found);
void destination_check(struct destinations *destinations, struct destination *destination,
                       int64_t tick);

#endif
