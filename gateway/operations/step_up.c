#include "operations/authorize.h"
#include "operations/passkey_internal.h"
#include "operations/tenant_operations.h"
#include <string.h>

/* Signing in and stepping up with a passkey. */

/* Guesses are told nothing but that they were wrong. */
static bool as_wrong_passkey(const struct error *cause, struct error *error)
{
    if (cause->kind != ERROR_FORBIDDEN) {
        return error_set(error, cause->kind, cause->code, cause->subject, "%s", cause->message);
    }
    return error_set(error, ERROR_UNAUTHENTICATED, "wrong_passkey", NULL,
                     "this passkey does not sign in here: %s", cause->message);
}

static bool answers(struct operation *operation, enum challenge_kind kind, const char *person,
                    const struct passkey_answer *answer, struct passkey_row *out,
                    struct error *error)
{
    struct challenge challenge;
    return read_challenge(operation, kind, person == NULL ? "" : person, answer->challenge,
                          &challenge, error) &&
           check_answer(operation, person, answer,
                        (struct webauthn_bytes){challenge.bytes, sizeof challenge.bytes}, out,
                        error) &&
           use_challenge(operation, challenge.bytes, sizeof challenge.bytes, challenge.expires_at,
                         error);
}

bool operation_sign_in_by_passkey(struct operation *operation, const struct passkey_answer *answer,
                                  const struct credential *ended_session, struct session_view *out,
                                  struct error *error)
{
    struct passkey_row passkey;
    struct person_row person;
    struct error wrong = {0};
    if (!authorize(operation, OPERATION_BEGIN_SESSION, NULL, NULL, error)) {
        return false;
    }
    if (!answers(operation, CHALLENGE_SIGN_IN, NULL, answer, &passkey, &wrong)) {
        return as_wrong_passkey(&wrong, error);
    }
    operation_enter_tenant(operation, passkey.tenant);
    if (!find_person(operation, passkey.person, &person, error)) {
        return false;
    }
    if (!person.is_enabled) {
        return error_set(error, ERROR_UNAUTHENTICATED, "wrong_passkey", NULL,
                         "this passkey does not sign in here");
    }
    return end_former_session(operation, ended_session, error) &&
           open_session(operation, &person, STEP_UP_PASSKEY, out, error);
}

bool operation_step_up_by_passkey(struct operation *operation, const struct passkey_answer *answer,
                                  struct session_view *out, struct error *error)
{
    struct passkey_row passkey;
    return authorize(operation, OPERATION_STEP_UP, NULL, NULL, error) &&
           answers(operation, CHALLENGE_STEP_UP, operation->principal.id, answer, &passkey,
                   error) &&
           step_up_session(operation, STEP_UP_PASSKEY, out, error);
}
