#ifndef OPERATIONS_SECOND_FACTOR_INTERNAL_H
#define OPERATIONS_SECOND_FACTOR_INTERNAL_H

/* What signing in and stepping up by password ask of one-time codes (totp.c). */

#include "operations/people_internal.h"
#include "store/passkey_rows.h"

bool has_second_factor(struct operation *operation, const char *person, bool *out_has,
                       struct error *error) MUST_CHECK;
/* True where the person has none. Else the code is used up: `code_needed` (NULL), `wrong_code`, of
 * the given kind. */
bool check_second_factor(struct operation *operation, const char *person, const char *code,
                         enum error_kind kind, bool *out_used_recovery,
                         struct error *error) MUST_CHECK;
/* By the person: one of the few was used. */
bool note_recovery_code(struct operation *operation, struct error *error) MUST_CHECK;

#endif
