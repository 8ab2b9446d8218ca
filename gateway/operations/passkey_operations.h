#ifndef OPERATIONS_PASSKEY_OPERATIONS_H
#define OPERATIONS_PASSKEY_OPERATIONS_H

/*
 * Passkeys: registering them, signing in and stepping up with them, and the statement a vote signs.
 * What a passkey must answer is made by the gateway and authenticated, not stored: a challenge
 * says until when it is good and carries a MAC over its purpose and its person. It is used once.
 * A stolen session adds no passkey: the first one needs a link that an admin made, a later one an
 * assertion of one there is, and waits until votes may rest on it.
 */

#include "crypto/webauthn.h"
#include "operations/session_operations.h"
#include "store/passkey_rows.h"

enum { CHALLENGE_TEXT_BYTES = 64, STATEMENT_BYTES_MAX = 2048, PASSKEYS_PER_PERSON_MAX = 20 };

/* What the page needs to ask a passkey. `rp_id` and texts are lent by the operation. */
struct passkey_question {
    char challenge[CHALLENGE_TEXT_BYTES]; /* base64url: given back with the answer */
    const char *statement;                /* of a vote; its SHA-256 is the challenge. Else NULL */
    int64_t expires_at;
    const char *rp_id;
    const char *user; /* base64url, of a registration: the person, opaque */
    struct person_row person;
    struct passkey_row *passkeys; /* registered: to use, or not to register twice */
    size_t passkey_count;
    bool needs_code; /* of a step-up by password */
};
/* What it answered, as sent; bounded and decoded by the door. */
struct passkey_answer {
    const char *challenge;  /* not of a vote */
    const char *statement;  /* of a vote */
    const char *credential; /* base64url, as are the next three */
    const char *client_data, *authenticator_data, *signature;
    struct webauthn_assertion bytes; /* the same, decoded */
};

/* CONFLICT `passkeys_unavailable` where the gateway's address has no host name. Serves from a
 * read-only store, as do the next two. */
bool operation_begin_passkey(struct operation *operation, struct passkey_question *out,
                             struct error *error) MUST_CHECK;
bool operation_begin_passkey_sign_in(struct operation *operation, struct passkey_question *out,
                                     struct error *error) MUST_CHECK;
bool operation_begin_step_up(struct operation *operation, struct passkey_question *out,
                             struct error *error) MUST_CHECK;

struct passkey_registration {
    const char *challenge;
    const char *label;
    struct webauthn_bytes client_data;
    struct webauthn_bytes attestation_object;
};
bool operation_add_passkey(struct operation *operation, const struct passkey_registration *input,
                           struct passkey_row *out, struct error *error) MUST_CHECK;
/* `person` NULL: one's own; another's for who may list people. */
bool operation_list_passkeys(struct operation *operation, const char *person,
                             struct passkey_row **out, size_t *out_count,
                             struct error *error) MUST_CHECK;
bool operation_rename_passkey(struct operation *operation, const char *id, const char *label,
                              struct passkey_row *out, struct error *error) MUST_CHECK;
/* By its person, or an admin. */
bool operation_remove_passkey(struct operation *operation, const char *id,
                              struct error *error) MUST_CHECK;
/* By an admin who is another: it serves votes from now on. */
bool operation_confirm_passkey(struct operation *operation, const char *id, struct passkey_row *out,
                               struct error *error) MUST_CHECK;

/* UNAUTHENTICATED `wrong_passkey` for every passkey that is not one to sign in with. The operation
 * goes on as the person, who has stepped up. */
bool operation_sign_in_by_passkey(struct operation *operation, const struct passkey_answer *answer,
                                  const struct credential *ended_session, struct session_view *out,
                                  struct error *error) MUST_CHECK;
/* The session goes on under another secret, stepped up. FORBIDDEN with the codes of
 * crypto/webauthn.h, `passkey_unknown`, `passkey_copied`, `challenge_invalid`. */
bool operation_step_up_by_passkey(struct operation *operation, const struct passkey_answer *answer,
                                  struct session_view *out, struct error *error) MUST_CHECK;

/* The statement that an approval of this revision would sign. CONFLICT `digest_mismatch`. */
struct statement_input {
    const char *request;
    int revision;
    struct sha256 digest;
    bool approves;
};
bool operation_make_statement(struct operation *operation, const struct statement_input *input,
                              struct passkey_question *out, struct error *error) MUST_CHECK;

#endif
