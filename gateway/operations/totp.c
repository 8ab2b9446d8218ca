#include "crypto/totp.h"
#include "ledger/entry_data.h"
#include "operations/account_operations.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/second_factor_internal.h"
#include <string.h>

/* One-time codes for people without passkeys. They are a second factor beside the password, for
 * signing in and for stepping up; a vote with them proves `session` and no more. */

static bool read_totp(struct operation *operation, const char *person, struct totp_row *out,
                      bool *out_exists, struct error *error)
{
    struct error missing = {0};
    *out_exists = store_read_totp(operation->store, person, operation->arena, out, &missing);
    return *out_exists || missing.kind == ERROR_NOT_FOUND ||
           error_set(error, missing.kind, missing.code, missing.subject, "%s", missing.message);
}

bool has_second_factor(struct operation *operation, const char *person, bool *out_has,
                       struct error *error)
{
    struct totp_row totp;
    bool exists;
    if (!read_totp(operation, person, &totp, &exists, error)) {
        return false;
    }
    *out_has = exists && totp.is_enabled;
    return true;
}

static bool wrong_code(enum error_kind kind, struct error *error)
{
    return error_set(error, kind, "wrong_code", "/code",
                     "the one-time code is wrong, too old, or was used before");
}

static bool use_recovery_code(struct operation *operation, const char *person, const char *code,
                              enum error_kind kind, struct error *error)
{
    struct sha256 hash = totp_recovery_hash(code);
    struct error missing = {0};
    if (store_use_recovery_code(operation->store, person, &hash, &missing)) {
        return true;
    }
    return missing.kind == ERROR_NOT_FOUND
               ? wrong_code(kind, error)
               : error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
}

bool check_second_factor(struct operation *operation, const char *person, const char *code,
                         enum error_kind kind, bool *out_used_recovery, struct error *error)
{
    struct totp_row totp;
    bool exists;
    *out_used_recovery = false;
    if (!read_totp(operation, person, &totp, &exists, error)) {
        return false;
    }
    if (!exists || !totp.is_enabled) {
        return true;
    }
    if (code == NULL) {
        return error_set(error, kind, "code_needed", "/code",
                         "send also the one-time code of your authenticator app, or a recovery "
                         "code");
    }
    if (totp_matches(totp.secret, code, operation->now, totp.last_step, &totp.last_step)) {
        return store_put_totp(operation->store, &totp, error);
    }
    *out_used_recovery = true;
    return use_recovery_code(operation, person, code, kind, error);
}

static bool note_totp(struct operation *operation, const char *what, enum account_moment moment,
                      struct error *error)
{
    const char *person = operation->principal.id;
    struct change change = {.type = LEDGER_PERSON_CHANGED, .id = person, .changed = {what}};
    struct owner_news news = {.moment = moment};
    return note_change(operation, &change, error) && tell_owner(operation, person, &news, error);
}

bool note_recovery_code(struct operation *operation, struct error *error)
{
    return note_totp(operation, "recovery_code_used", ACCOUNT_RECOVERY_CODE_USED, error);
}

/* ---- enrolling ---- */

bool operation_begin_totp(struct operation *operation, struct totp_view *out, struct error *error)
{
    struct totp_row totp;
    struct person_row person;
    bool exists;
    char secret[TOTP_SECRET_TEXT_BYTES];
    if (!authorize(operation, OPERATION_CHANGE_TOTP, NULL, NULL, error) ||
        !find_person(operation, operation->principal.id, &person, error) ||
        !read_totp(operation, person.id, &totp, &exists, error)) {
        return false;
    }
    if (exists && totp.is_enabled) {
        return error_set(error, ERROR_CONFLICT, "totp_enrolled", NULL,
                         "you have one-time codes; remove them first to set up others");
    }
    totp_make_secret(secret);
    totp = (struct totp_row){.secret = arena_text(operation->arena, secret),
                             .created_at = operation->now};
    crypto_wipe(secret, sizeof secret);
    memcpy(totp.person, person.id, sizeof totp.person);
    memcpy(totp.tenant, person.tenant, sizeof totp.tenant);
    *out = (struct totp_view){
        .secret = totp.secret,
        .uri = arena_printf(operation->arena,
                            "otpauth://totp/Countersign:%s?secret=%s&issuer=Countersign",
                            person.name, totp.secret),
    };
    return store_put_totp(operation->store, &totp, error);
}

static bool make_recovery_codes(struct operation *operation, struct totp_view *out,
                                struct error *error)
{
    const char *person = operation->principal.id;
    const char **codes = arena_array(operation->arena, RECOVERY_CODES, sizeof *codes);
    if (!store_delete_recovery_codes(operation->store, person, error)) {
        return false;
    }
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        char code[RECOVERY_CODE_BYTES];
        totp_make_recovery_code(code);
        struct sha256 hash = totp_recovery_hash(code);
        codes[i] = arena_text(operation->arena, code);
        crypto_wipe(code, sizeof code);
        if (!store_insert_recovery_code(operation->store, person, &hash, error)) {
            return false;
        }
    }
    *out = (struct totp_view){
        .is_enabled = true, .recovery_codes = codes, .recovery_codes_left = RECOVERY_CODES};
    return true;
}

bool operation_confirm_totp(struct operation *operation, const char *code, struct totp_view *out,
                            struct error *error)
{
    struct totp_row totp;
    bool exists;
    if (!authorize(operation, OPERATION_CHANGE_TOTP, NULL, NULL, error) ||
        !read_totp(operation, operation->principal.id, &totp, &exists, error)) {
        return false;
    }
    if (!exists || totp.is_enabled) {
        return error_set(error, ERROR_CONFLICT, "totp_not_begun", NULL,
                         "begin with POST /v1/totp/begin");
    }
    if (!totp_matches(totp.secret, code, operation->now, totp.last_step, &totp.last_step)) {
        return wrong_code(ERROR_FORBIDDEN, error);
    }
    totp.is_enabled = true;
    return store_put_totp(operation->store, &totp, error) &&
           make_recovery_codes(operation, out, error) &&
           note_totp(operation, "totp", ACCOUNT_CODES_ON, error);
}

bool operation_read_totp(struct operation *operation, struct totp_view *out, struct error *error)
{
    *out = (struct totp_view){0};
    return authorize(operation, OPERATION_LIST_OWN, NULL, NULL, error) &&
           has_second_factor(operation, operation->principal.id, &out->is_enabled, error) &&
           store_count_recovery_codes(operation->store, operation->principal.id,
                                      &out->recovery_codes_left, error);
}

bool operation_remove_totp(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_CHANGE_TOTP, NULL, NULL, error) &&
           store_delete_totp(operation->store, operation->principal.id, error) &&
           note_totp(operation, "totp_removed", ACCOUNT_CODES_OFF, error);
}
