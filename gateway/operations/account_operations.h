#ifndef OPERATIONS_ACCOUNT_OPERATIONS_H
#define OPERATIONS_ACCOUNT_OPERATIONS_H

/* What people see of their own account and take back: sessions and tokens; and one-time codes. */

#include "operations/people_operations.h"
#include "store/session_rows.h"

/* Those that are not over; `operation->session` tells which is this one. Serves from a read-only
 * store, as do the other lists. */
bool operation_list_sessions(struct operation *operation, struct session_row **out,
                             size_t *out_count, struct error *error) MUST_CHECK;
bool operation_end_own_session(struct operation *operation, const char *id,
                               struct error *error) MUST_CHECK;
bool operation_list_own_tokens(struct operation *operation, struct credential_row **out,
                               size_t *out_count, struct error *error) MUST_CHECK;

enum { RECOVERY_CODES = 10 };
struct totp_view {
    bool is_enabled;
    const char *secret;          /* base32, as is the next: told once, before it is confirmed */
    const char *uri;             /* otpauth://, for a QR code */
    const char **recovery_codes; /* RECOVERY_CODES of them, told once; else NULL */
    int64_t recovery_codes_left;
};
/* CONFLICT `totp_enrolled`. */
bool operation_begin_totp(struct operation *operation, struct totp_view *out,
                          struct error *error) MUST_CHECK;
/* With a code of it, so that nobody locks themselves out. CONFLICT `totp_not_begun`; FORBIDDEN
 * `wrong_code`. */
bool operation_confirm_totp(struct operation *operation, const char *code, struct totp_view *out,
                            struct error *error) MUST_CHECK;
bool operation_read_totp(struct operation *operation, struct totp_view *out,
                         struct error *error) MUST_CHECK;
bool operation_remove_totp(struct operation *operation, struct error *error) MUST_CHECK;

#endif
