#ifndef LEDGER_CHAIN_INTERNAL_H
#define LEDGER_CHAIN_INTERNAL_H

/* Replays the entries of a log against the order of entry_data.h: one table of rows {type, states
 * it may come in, check, next state}. A pair that is not in the table is a finding. */

#include "ledger/entry_internal.h"
#include "ledger/finding_internal.h"
#include "ledger/life_internal.h"
#include "ledger/passkeys_internal.h"

struct chain {
    struct lives lives;
    struct passkeys passkeys;
    bool begins_midway; /* older requests may be unknown: their entries are counted, not judged */
    int64_t fence;      /* highest seen */
    uint64_t request_count;
    uint64_t grant_count;
    uint64_t unjudged_count;
};

void chain_init(struct chain *chain);
void chain_finish(struct chain *chain);
bool chain_apply(struct chain *chain, const struct entry_view *entry, struct finding *finding);

/* approval.c: what is required, who voted, whether that suffices. */
bool approval_require(struct life *life, const struct entry_view *entry, bool must_cover,
                      struct finding *finding);
bool approval_add_rung(struct life *life, const struct entry_view *entry, struct finding *finding);
bool approval_add_vote(struct life *life, const struct entry_view *entry, struct finding *finding);
bool approval_uncount(struct life *life, const struct entry_view *entry, struct finding *finding);
/* The assignment recorded in request.approved holds. */
bool approval_check(const struct life *life, const struct entry_view *entry,
                    struct finding *finding);
int64_t approval_count_denies(const struct life *life);

#endif
