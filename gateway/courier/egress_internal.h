#ifndef COURIER_EGRESS_INTERNAL_H
#define COURIER_EGRESS_INTERNAL_H

/* What every connection out of here is held to, whatever it carries. */

#include "courier/courier.h"
#include <curl/curl.h>
#include <stdatomic.h>

/* The longest pause that another side is believed to want. */
enum { EGRESS_PAUSE_MS_MAX = 24 * 3600 * 1000 };

struct egress {
    const struct courier_channel *channel;
    bool is_proxied;
    bool was_denied; /* by courier_may_reach */
};

/* Addresses as courier_may_reach says, certificates, the proxy that `url` is reached through or
 * none. `egress` outlives the handle. */
void egress_guard(struct egress *egress, CURL *curl, const char *url);
/* For a handle on a thread of its own: gives up soon after `*must_stop`, which outlives it. */
void egress_stop_when(CURL *curl, const atomic_bool *must_stop);
/* Of an answer's Retry-After; 0 when there is none, or one longer than EGRESS_PAUSE_MS_MAX. */
int64_t egress_pause_ms(CURL *curl);

#endif
