#ifndef OPERATIONS_PASSKEY_INTERNAL_H
#define OPERATIONS_PASSKEY_INTERNAL_H

/* What challenges, passkeys and statements share. */

#include "ledger/entry_data.h"
#include "operations/passkey_operations.h"
#include "operations/people_internal.h"
#include "operations/session_internal.h"

enum {
    CHALLENGE_RANDOM_BYTES = 16,
    CHALLENGE_MAC_BYTES = 16,
    CHALLENGE_BYTES = 8 + CHALLENGE_RANDOM_BYTES + CHALLENGE_MAC_BYTES,
    CHALLENGES_PURGED_MAX = 100, /* at each use */
};
#define CHALLENGE_MS (5LL * 60 * 1000)

enum challenge_kind { CHALLENGE_REGISTER = 1, CHALLENGE_SIGN_IN, CHALLENGE_STEP_UP };

/* challenge.c: expiry | random | MAC over kind, tenant, person and what stands before it. `person`
 * "" where nobody is known yet. */
void make_challenge(const struct operation *operation, enum challenge_kind kind, const char *person,
                    struct passkey_question *out);
struct challenge {
    unsigned char bytes[CHALLENGE_BYTES];
    int64_t expires_at;
};
/* FORBIDDEN `challenge_invalid`: not one of ours for this, or too old. */
bool read_challenge(const struct operation *operation, enum challenge_kind kind, const char *person,
                    const char *text, struct challenge *out, struct error *error) MUST_CHECK;
/* CONFLICT `challenge_used`. */
bool use_challenge(struct operation *operation, const void *bytes, size_t length,
                   int64_t expires_at, struct error *error) MUST_CHECK;
/* The MAC that stands in challenges and in the nonce of a statement. */
void challenge_mac(const struct operation *operation, const char *purpose, const void *bytes,
                   size_t length, unsigned char out[CHALLENGE_MAC_BYTES]);

/* passkeys.c */
bool check_passkeys_available(const struct operation *operation, struct error *error) MUST_CHECK;
/* Verifies the answer over `challenge` by a registered passkey, of `person` unless NULL, and notes
 * its use. */
bool check_answer(struct operation *operation, const char *person,
                  const struct passkey_answer *answer, struct webauthn_bytes challenge,
                  struct passkey_row *out, struct error *error) MUST_CHECK;

#endif
