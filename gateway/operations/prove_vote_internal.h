#ifndef OPERATIONS_PROVE_VOTE_INTERNAL_H
#define OPERATIONS_PROVE_VOTE_INTERNAL_H

/* The one place where a vote comes to prove more than its session (statement.c). */

#include "ledger/entry_data.h"
#include "operations/operation.h"
#include "operations/passkey_operations.h"
#include "store/request_rows.h"

/* Verifies that the person's passkey signed a statement of this gateway about this vote on this
 * revision, uses the statement up, and raises what the operation's principal proves to `passkey`.
 * `out` is what the vote's entry keeps of it. FORBIDDEN `statement_invalid`, `statement_expired`,
 * `passkey_too_new`, `passkey_unknown`, `passkey_copied` and the codes of crypto/webauthn.h;
 * CONFLICT `statement_outdated`, `challenge_used`. */
bool prove_vote(struct operation *operation, const struct request_row *request, bool approves,
                const struct passkey_answer *answer, struct ledger_proof *out,
                struct error *error) MUST_CHECK;

#endif
