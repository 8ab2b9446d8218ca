#ifndef COURIER_INTERNAL_H
#define COURIER_INTERNAL_H

#include "courier/transfer.h"
#include "trust/trust.h"

/* What every transfer's owner begins with. */
struct errand {
    bool is_fetch;
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

#endif
