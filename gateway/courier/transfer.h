#ifndef COURIER_TRANSFER_H
#define COURIER_TRANSFER_H

/* Messages on their way: libcurl's multi interface on the courier's thread. Only transfers_wake may
 * be called from another. */

#include "courier/courier.h"

struct transfers;

struct transfer_result {
    long status;            /* 0: no answer came */
    int64_t retry_after_ms; /* 0: none was given */
    const char *failure;    /* when status is 0; without secrets */
    bool was_sent;          /* it may have arrived, answered or not */
    const char *body;       /* never NULL; lent for the call */
    size_t length;
    const char *scopes; /* what X-OAuth-Scopes says; NULL when there is none; lent */
};

/* `on_done` gets the owner each transfer was given, once. NULL with INTERNAL. */
struct transfers *transfers_create(void (*on_done)(void *context, void *owner,
                                                   const struct transfer_result *result),
                                   void *context, struct error *error) MUST_CHECK;
/* Cuts what is under way; `on_cut` (may be NULL) gets each owner. */
void transfers_destroy(struct transfers *transfers, void (*on_cut)(void *context, void *owner));
/* False when it cannot be started; the owner stays the caller's. The message is copied. */
bool transfers_add(struct transfers *transfers, const struct courier_channel *channel,
                   const struct notifier_message *message, void *owner);
/* A GET whose answer is kept, up to 512 KiB. */
bool transfers_fetch(struct transfers *transfers, const struct courier_source *source,
                     const char *url, void *owner);
/* Works until something happens or `pause_ms` is over. */
void transfers_run(struct transfers *transfers, int pause_ms);
void transfers_wake(struct transfers *transfers);
int transfers_count(const struct transfers *transfers);

#endif
