#ifndef COURIER_INTERNAL_H
#define COURIER_INTERNAL_H

#include "courier/transfer.h"
#include "operations/notice_operations.h"
#include "trust/trust.h"

enum errand_kind { ERRAND_FETCH = 1, ERRAND_DELIVERY, ERRAND_TOKEN, ERRAND_WORD, ERRAND_INQUIRY };

/* What every transfer's owner begins with. */
struct errand {
    enum errand_kind kind;
    size_t issuer; /* of a fetch */
};

/* fetch.c; on the courier's thread, but for fetches_reread. */
struct fetches;
struct fetches *fetches_create(struct trust *trust, const struct courier_source *sources,
                               struct transfers *transfers);
void fetches_destroy(struct fetches *fetches); /* accepts NULL */
void fetches_run(struct fetches *fetches);
void fetches_take(struct fetches *fetches, size_t issuer, const struct transfer_result *result);
void fetches_reread(struct fetches *fetches);

/* One lease: the notices it got live in its arena until the last of them is settled. */
struct lease;

/* One notice on its way. */
struct delivery {
    struct errand errand; /* first: the owner of a transfer */
    struct delivery *next;
    struct lease *lease;
    struct notice_lease *notice;
    struct destination *destination;
    int64_t leased_tick;
    int64_t asked_tick; /* when its turn came and its inquiries were asked; 0: not yet */
    bool had_bad_token; /* once already */
};

/* courier.c; on the courier's thread. Frees nothing: the delivery is still the caller's. */
void courier_settle(struct courier *courier, const struct delivery *delivery,
                    const struct notice_settlement *settlement);

/* standings.c: what services said when they were asked. */
struct standings;
struct destinations;
/* Whether a place is shared is asked again after this; an address is good for a day longer. */
enum { STANDINGS_GOOD_MS = 5 * 60 * 1000 };
/* Ticks: an answer from before is asked for anew. */
struct standings_age {
    int64_t good_since, bad_since, unanswered_since;
};
struct standings *standings_create(const struct courier_options *options,
                                   struct transfers *transfers);
void standings_destroy(struct standings *standings); /* accepts NULL */
/* Any thread. What is known that is young enough; else it is being asked, and UNKNOWN. */
void standings_look(struct standings *standings, size_t channel,
                    const struct notifier_inquiry *inquiry, const struct standings_age *age,
                    struct notifier_standing *out);
/* On the courier's thread: sends what is to be asked, with a token of `destinations` where the kind
 * needs one. */
void standings_run(struct standings *standings, struct destinations *destinations);
void standings_finish(struct errand *errand, const struct transfer_result *result);
/* Whether this notice (NULL: the channel as such) may leave, with what its turn, which came at
 * `asked_tick`, found out. Asks what is not known. */
enum notifier_known standings_ask_first(struct standings *standings, size_t channel,
                                        const struct notifier_notice *notice, int64_t asked_tick,
                                        struct notifier_standing *out);

/* destination.c and its like: what of each channel is known while the process runs: how much is
 * under way, how it fares, its token, and what waits for its turn. On the courier's thread. */
struct destinations;
struct destinations *destinations_create(struct courier *courier,
                                         const struct courier_options *options,
                                         struct transfers *transfers, struct standings *standings);
/* What waits is given to `on_cut`. */
void destinations_destroy(struct destinations *destinations,
                          void (*on_cut)(void *context, void *owner), void *context);
/* Takes the notice: it is sent when its turn has come. */
void destinations_take(struct destinations *destinations, struct lease *lease,
                       struct notice_lease *notice);
/* Sends what may go now. */
void destinations_run(struct destinations *destinations);
/* Has the outbox looked at again for those that the last lease skipped and that take notices once
 * more. Not while a lease is under way: it would not see what that one leaves. */
void destinations_look(struct destinations *destinations);
/* What came of a delivery or of a token's fetch; frees its owner. */
void destinations_finish(struct destinations *destinations, struct errand *errand,
                         const struct transfer_result *result);
/* The channels that take nothing now, as operation_lease_notices has them; NULL when all do. */
const char *destinations_skipped(struct destinations *destinations, struct arena *arena);

/* Whether there is a token to send with, `*out` (lent until the next call of this room), or the
 * channel's kind needs none; starts to fetch one otherwise. */
bool destinations_token(struct destinations *destinations, const struct courier_channel *channel,
                        const char **out);
/* The service takes it no more: another is fetched when it is needed. */
void destinations_drop_token(struct destinations *destinations,
                             const struct courier_channel *channel);

/* sockets.c: those of Socket Mode, one an app. */
struct sockets;
struct sockets *sockets_start(const struct courier_options *options); /* borrowed */
/* Any thread. */
void sockets_acknowledge(struct sockets *sockets, const char *channel, const char *id,
                         const char *response);
void sockets_stop(struct sockets *sockets); /* accepts NULL */

/* words.c: what is said to one person at once. */
struct words;
struct words *words_create(const struct courier_options *options, struct transfers *transfers);
/* What waits is forgotten: who is told nothing presses again. */
void words_destroy(struct words *words);
/* Any thread. */
bool words_take(struct words *words, const char *channel, const struct notifier_word *word);
/* On the courier's thread: sends what was taken. */
void words_run(struct words *words, struct destinations *destinations);
void words_finish(struct errand *errand, const struct transfer_result *result);
void words_forget(struct errand *errand); /* cut off */

#endif
