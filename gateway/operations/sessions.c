#include "crypto/crypto.h"
#include "ledger/entry_data.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/second_factor_internal.h"
#include "operations/session_internal.h"
#include "store/passkey_rows.h"
#include <string.h>

static bool wrong_name_or_password(struct error *error)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "wrong_name_or_password", NULL,
                     "the name or the password is wrong");
}

static bool is_unset(const struct error *error)
{
    return error->kind == ERROR_NOT_FOUND;
}

static bool pass_on(const struct error *cause, struct error *error)
{
    return error_set(error, cause->kind, cause->code, cause->subject, "%s", cause->message);
}

/* Fills `out` from the person's password when there is a usable one; else it stays the dummy. */
static bool take_password(struct operation *operation, const struct person_row *person,
                          struct password_found *out, struct error *error)
{
    struct password_row password;
    struct error missing = {0};
    if (!store_read_password(operation->store, person->id, operation->arena, &password, &missing)) {
        return is_unset(&missing) || pass_on(&missing, error);
    }
    size_t length = strlen(password.hash);
    if (person->is_enabled && password.is_enabled && length < sizeof out->hash) {
        out->exists = true;
        memcpy(out->person, person->id, sizeof out->person);
        memcpy(out->hash, password.hash, length + 1);
    }
    return true;
}

static struct password_found no_password(void)
{
    struct password_found found = {0};
    memcpy(found.hash, password_dummy_hash(), strlen(password_dummy_hash()) + 1);
    return found;
}

bool operation_find_password(struct operation *operation, const char *name,
                             struct password_found *out, struct error *error)
{
    struct person_row person;
    struct error missing = {0};
    *out = no_password();
    if (!authorize(operation, OPERATION_BEGIN_SESSION, NULL, NULL, error)) {
        return false;
    }
    if (!store_read_person(operation->store, operation->principal.tenant, name, operation->arena,
                           &person, &missing)) {
        return is_unset(&missing) || pass_on(&missing, error);
    }
    return take_password(operation, &person, out, error);
}

bool operation_find_own_password(struct operation *operation, struct password_found *out,
                                 struct error *error)
{
    struct person_row person;
    *out = no_password();
    return authorize(operation, OPERATION_SET_PASSWORD, NULL, NULL, error) &&
           find_person(operation, operation->principal.id, &person, error) &&
           take_password(operation, &person, out, error);
}

/* ---- sessions ---- */

static void become_person(struct operation *operation, const struct person_row *person,
                          const struct session_row *session)
{
    struct principal *principal = &operation->principal;
    *principal = (struct principal){.kind = PRINCIPAL_PERSON,
                                    .credential_kind = CREDENTIAL_SESSION,
                                    .assurance = ASSURANCE_SESSION,
                                    .is_admin = person->is_admin,
                                    .is_auditor = person->is_auditor};
    memcpy(principal->id, person->id, sizeof principal->id);
    memcpy(principal->name, person->name, sizeof principal->name);
    memcpy(principal->tenant, person->tenant, sizeof principal->tenant);
    memcpy(principal->credential, session->id, sizeof principal->credential);
    operation->session = *session;
}

static const char *method_name(enum step_up step_up)
{
    switch (step_up) {
    case STEP_UP_PASSKEY:
        return "passkey";
    case STEP_UP_LINK:
        return "link";
    case STEP_UP_PASSWORD:
    case STEP_UP_NONE:
        break;
    }
    return "password";
}

static bool record_sign_in_of(struct operation *operation, const struct session_row *session,
                              const char *outcome, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_signin(&data, method_name(session->step_up), outcome);
    struct record record = {.type = LEDGER_SIGNIN, .data = &data};
    return record_entry(operation, &record, error);
}

static bool record_sign_in(struct operation *operation, const char *outcome, struct error *error)
{
    return record_sign_in_of(operation, &operation->session, outcome, error);
}

static struct session_row make_session(const struct operation *operation,
                                       const struct person_row *person,
                                       char out_secret[SECRET_TEXT_BYTES])
{
    crypto_make_secret("css", out_secret);
    struct session_row session = {
        .hash = crypto_sha256(out_secret, strlen(out_secret)),
        .created_at = operation->now,
        .seen_at = operation->now,
        .expires_at = operation->now + operation->operations->options.session_longest_ms,
    };
    crypto_make_id("ses", operation->now, session.id);
    memcpy(session.tenant, person->tenant, sizeof session.tenant);
    memcpy(session.person, person->id, sizeof session.person);
    return session;
}

static void note_step_up(const struct operation *operation, enum step_up step_up,
                         struct session_row *session)
{
    session->step_up = step_up;
    session->stepped_up_at = step_up == STEP_UP_NONE ? 0 : operation->now;
}

static int64_t stepped_up_until(const struct operation *operation)
{
    return authorize_step_up(operation) == STEP_UP_NONE ? 0 : authorize_step_up_end(operation);
}

bool open_session(struct operation *operation, const struct person_row *person,
                  enum step_up step_up, struct session_view *out, struct error *error)
{
    struct session_view view = {0};
    struct store *store = operation->store;
    view.session = make_session(operation, person, view.secret);
    note_step_up(operation, step_up, &view.session);
    bool ok = store_purge_sessions(store, operation->now, SESSIONS_PURGED_MAX, error) &&
              store_insert_session(store, &view.session, error) &&
              store_trim_sessions(store, person->id, SESSIONS_PER_PERSON_MAX, error) &&
              view_person(operation, person, &view.person, error);
    if (ok) {
        become_person(operation, person, &view.session);
        view.stepped_up_until = stepped_up_until(operation);
        /* Who came by a link has set the password, and the owner is told of that. */
        ok = record_sign_in(operation, "in", error) &&
             note_browser(operation, person, step_up != STEP_UP_LINK, view.browser, error);
    }
    if (ok) {
        *out = view;
    }
    crypto_wipe(view.secret, sizeof view.secret);
    return ok;
}

/* Who has the former cookie has nothing: the session goes on under another id and secret. */
bool step_up_session(struct operation *operation, enum step_up step_up, struct session_view *out,
                     struct error *error)
{
    struct session_view view = {0};
    struct person_row person;
    const struct session_row former = operation->session;
    if (!find_person(operation, operation->principal.id, &person, error)) {
        return false;
    }
    view.session = make_session(operation, &person, view.secret);
    view.session.created_at = former.created_at;
    view.session.expires_at = former.expires_at;
    note_step_up(operation, step_up, &view.session);
    bool ok = store_delete_session(operation->store, former.id, error) &&
              store_insert_session(operation->store, &view.session, error) &&
              view_person(operation, &person, &view.person, error);
    if (ok) {
        become_person(operation, &person, &view.session);
        view.stepped_up_until = stepped_up_until(operation);
        ok = record_sign_in(operation, "stepped_up", error);
    }
    if (ok) {
        *out = view;
    }
    crypto_wipe(view.secret, sizeof view.secret);
    return ok;
}

static bool store_hash(struct operation *operation, const struct person_row *person,
                       const char *hash, struct error *error)
{
    struct password_row password = {.hash = hash, .is_enabled = true, .set_at = operation->now};
    memcpy(password.person, person->id, sizeof password.person);
    memcpy(password.tenant, person->tenant, sizeof password.tenant);
    return store_put_password(operation->store, &password, error);
}

/* A browser has one session: signing in again ends the one it had. */
bool end_former_session(struct operation *operation, const struct credential *former,
                        struct error *error)
{
    struct session_row session;
    struct error missing = {0};
    if (former == NULL) {
        return true;
    }
    if (!store_find_session(operation->store, &former->hash, &session, &missing)) {
        return is_unset(&missing) || pass_on(&missing, error);
    }
    return store_delete_session(operation->store, session.id, error);
}

/* Whether what the password was checked against is what is stored now. */
static bool confirm_verified(struct operation *operation, const struct password_found *verified,
                             struct person_row *out, struct error *error)
{
    struct password_found now = no_password();
    if (!verified->exists) {
        return wrong_name_or_password(error);
    }
    if (!find_person(operation, verified->person, out, error) ||
        !take_password(operation, out, &now, error)) {
        return false;
    }
    return (now.exists && strcmp(now.hash, verified->hash) == 0) || wrong_name_or_password(error);
}

bool operation_begin_session(struct operation *operation, const struct sign_in_input *input,
                             struct session_view *out, struct error *error)
{
    struct person_row person;
    bool used_recovery = false;
    if (!authorize(operation, OPERATION_BEGIN_SESSION, NULL, NULL, error) ||
        !confirm_verified(operation, input->verified, &person, error) ||
        !check_second_factor(operation, person.id, input->code, ERROR_UNAUTHENTICATED,
                             &used_recovery, error) ||
        !end_former_session(operation, input->ended_session, error)) {
        return false;
    }
    if (input->new_hash != NULL && !store_hash(operation, &person, input->new_hash, error)) {
        return false;
    }
    return open_session(operation, &person, STEP_UP_NONE, out, error) &&
           (!used_recovery || note_recovery_code(operation, error));
}

bool operation_read_session(struct operation *operation, struct session_view *out,
                            struct error *error)
{
    struct person_row person;
    struct session_view view = {0};
    if (!authorize(operation, OPERATION_READ_SESSION, NULL, NULL, error) ||
        !find_person(operation, operation->principal.id, &person, error) ||
        !view_person(operation, &person, &view.person, error)) {
        return false;
    }
    view.session = operation->session;
    view.stepped_up_until = stepped_up_until(operation);
    *out = view;
    return true;
}

bool operation_step_up_by_password(struct operation *operation,
                                   const struct password_found *verified, const char *code,
                                   struct session_view *out, struct error *error)
{
    bool used_recovery = false;
    struct person_row person;
    struct passkey_row *passkeys;
    size_t count;
    struct error changed = {0};
    if (!authorize(operation, OPERATION_STEP_UP, NULL, NULL, error) ||
        !store_list_passkeys(operation->store, operation->principal.id, operation->arena, &passkeys,
                             &count, error)) {
        return false;
    }
    if (count > 0) {
        return error_set(error, ERROR_FORBIDDEN, "passkey_needed", "/passkey",
                         "you have a passkey: confirm with it, not with your password");
    }
    if (!confirm_verified(operation, verified, &person, &changed) ||
        strcmp(person.id, operation->principal.id) != 0) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_password", "/password",
                         "that is not your password");
    }
    return check_second_factor(operation, person.id, code, ERROR_FORBIDDEN, &used_recovery,
                               error) &&
           step_up_session(operation, STEP_UP_PASSWORD, out, error) &&
           (!used_recovery || note_recovery_code(operation, error));
}

bool operation_end_session(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_END_SESSION, NULL, NULL, error) &&
           store_delete_session(operation->store, operation->principal.credential, error) &&
           record_sign_in(operation, "out", error);
}

bool end_session(struct operation *operation, const struct session_row *session,
                 struct error *error)
{
    return store_delete_session(operation->store, session->id, error) &&
           record_sign_in_of(operation, session, "out", error);
}

bool operation_touch_session(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_READ_SESSION, NULL, NULL, error) &&
           store_touch_session(operation->store, operation->principal.credential, operation->now,
                               error);
}

/* ---- passwords ---- */

bool put_password(struct operation *operation, const struct person_row *person, const char *hash,
                  struct error *error)
{
    struct change change = {
        .type = LEDGER_PERSON_CHANGED, .id = person->id, .changed = {"password"}};
    struct owner_news news = {.moment = ACCOUNT_PASSWORD_CHANGED};
    return store_hash(operation, person, hash, error) && note_change(operation, &change, error) &&
           tell_owner(operation, person->id, &news, error);
}

bool operation_set_password(struct operation *operation, const struct password_found *verified,
                            const char *new_hash, struct error *error)
{
    struct person_row person;
    struct error changed = {0};
    int64_t ended;
    if (!authorize(operation, OPERATION_SET_PASSWORD, NULL, NULL, error)) {
        return false;
    }
    bool is_same = confirm_verified(operation, verified, &person, &changed);
    if (!is_same && changed.kind != ERROR_UNAUTHENTICATED) {
        return pass_on(&changed, error);
    }
    if (!is_same || strcmp(person.id, operation->principal.id) != 0) {
        return error_set(error, ERROR_CONFLICT, "password_changed", NULL,
                         "your password was changed meanwhile; sign in again");
    }
    return put_password(operation, &person, new_hash, error) &&
           store_delete_sessions(operation->store, person.id, operation->principal.credential,
                                 &ended, error);
}
