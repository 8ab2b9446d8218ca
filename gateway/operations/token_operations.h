#ifndef OPERATIONS_TOKEN_OPERATIONS_H
#define OPERATIONS_TOKEN_OPERATIONS_H

/* Keys that tokens are signed with, and what a token is worth now (RFC 7662). */

#include "operations/operation.h"

/* signing_keys.c: admins and the host. FORBIDDEN before anything is made. Serves from a read-only
 * store. */
bool operation_may_rotate_keys(struct operation *operation, struct error *error) MUST_CHECK;
/* key.added of the key that will sign; `drops_former`: those before it are void at once. */
bool operation_note_signing_key(struct operation *operation, const char *key_id,
                                const char *algorithm, bool drops_former,
                                struct error *error) MUST_CHECK;

/* introspect_token.c: a token whose signature was verified. */
enum token_kind {
    TOKEN_OF_NOBODY = 0, /* not ours, or changed */
    TOKEN_OF_GRANT,      /* confers nothing; active while it redeems */
    TOKEN_OF_REDEMPTION, /* redeemed or exchanged: active until it expires, its effect is reported,
                            or a freeze */
};
struct introspect_input {
    enum token_kind kind;
    const char *tenant;
    const char *grant;
    const char *token; /* jti */
    int64_t expires_at;
};
/* Consumes nothing and records nothing. Not active for everyone whom the grant is not for: its
 * holder, its redeemer, and who serves its audience. */
bool operation_introspect_token(struct operation *operation, const struct introspect_input *input,
                                bool *out_is_active, struct error *error) MUST_CHECK;

#endif
