#ifndef LEDGER_ENTRY_INTERNAL_H
#define LEDGER_ENTRY_INTERNAL_H

/* An entry read in place: spans into its bytes, the quotes of texts left off. */

#include "ledger/entry.h"
#include "ledger/scan_internal.h"

struct entry_view {
    uint64_t seq;
    enum ledger_entry_type type;
    struct span at;
    struct span tenant;
    struct span request; /* absent when left out, as the next three */
    struct span grant;
    struct span policy;
    struct span digest;
    struct span actor_kind;
    struct span actor_id;
    struct span actor_assurance; /* absent when left out */
    struct span data;
};

/* Checks that the bytes are exactly one canonical entry and every member is of its form. On failure
 * `out_problem` is what to say about it. */
bool entry_read(struct entry_view *out_view, struct span bytes, const char **out_problem);

#endif
