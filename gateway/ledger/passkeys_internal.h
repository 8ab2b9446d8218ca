#ifndef LEDGER_PASSKEYS_INTERNAL_H
#define LEDGER_PASSKEYS_INTERNAL_H

/* The passkeys a log registers, and whether a vote that claims one was signed by it. Nothing the
 * gateway says about a signature is believed: it is verified again. */

#include "ledger/entry_internal.h"
#include "ledger/finding_internal.h"
#include <stdbool.h>
#include <stddef.h>

struct passkey_known {
    struct passkey_known *next; /* in its bucket */
    struct span id;             /* copies, as the next six */
    struct span tenant;
    struct span owner;
    struct span credential;
    struct span public_key;
    struct span rp_id;
    struct span trusted_at;
    bool is_removed;
};

enum { PASSKEY_BUCKETS = 1024 };
struct passkeys {
    struct passkey_known *buckets[PASSKEY_BUCKETS];
    struct span policy; /* last published; absent when none was */
};

void passkeys_finish(struct passkeys *passkeys);
/* key.added, key.confirmed, key.disabled, policy.published and epoch.begun; passes over others. */
bool passkeys_note(struct passkeys *passkeys, const struct entry_view *entry,
                   struct finding *finding);
/* A vote has a proof exactly when it claims assurance `passkey`, and the proof is one: a
 * registered, trusted, not removed key of this person signed a statement about exactly this vote.
 * Where the log began before this export (`may_be_unknown`) a key that is not known is taken as the
 * entry gives it, and `out_is_unknown` says so. */
bool passkeys_check_vote(struct passkeys *passkeys, const struct entry_view *entry,
                         bool may_be_unknown, bool *out_is_unknown, struct finding *finding);

#endif
