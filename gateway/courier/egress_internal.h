#ifndef COURIER_EGRESS_INTERNAL_H
#define COURIER_EGRESS_INTERNAL_H

/* What every connection out of here is held to, whatever it carries. */

#include "courier/courier.h"
#include <curl/curl.h>

struct egress {
    const struct courier_channel *channel;
    bool was_denied; /* by courier_may_reach */
};

/* Addresses as courier_may_reach says, certificates, the channel's proxy or none. `egress` outlives
 * the handle. */
void egress_guard(struct egress *egress, CURL *curl);

#endif
