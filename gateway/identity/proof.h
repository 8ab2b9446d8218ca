#ifndef IDENTITY_PROOF_H
#define IDENTITY_PROOF_H

/* What a workload's credential was found to prove, before the store is asked whether that caller is
 * registered: plain values, copied between threads. */

#include "identity/principal.h"
#include <stddef.h>
#include <stdint.h>

enum {
    PROOF_ID_BYTES = 512,
    PROOF_ACT_MAX = 4, /* actors in a row (RFC 8693 section 4.1) */
    PROOF_ACT_BYTES = 257,
};

struct proof {
    enum credential_kind kind; /* CREDENTIAL_JWT or CREDENTIAL_SVID; NONE: nothing is proven */
    char caller[NAME_BYTES];   /* name in the registry, as the configuration maps it */
    char agent[NAME_BYTES];    /* the only agent it speaks for; "": those it is registered for */
    char id[PROOF_ID_BYTES];   /* "spiffe://…", or issuer, one space, sub */
    char confirmation[CONFIRMATION_BYTES];    /* the key it holds; "" when it is a bearer's */
    char act[PROOF_ACT_MAX][PROOF_ACT_BYTES]; /* who acts for whom, the current actor first */
    size_t act_count;
    int64_t until_at; /* the proof is over then */
};

#endif
