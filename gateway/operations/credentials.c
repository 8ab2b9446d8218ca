#include "formats/text.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/people_internal.h"
#include <string.h>

#define EXPIRES_IN_MS_MAX (10LL * 366 * 24 * 60 * 60 * 1000)

struct owner {
    char id[ID_BYTES];
    bool is_enabled;
};

static bool is_unset(const struct error *error)
{
    return error->kind == ERROR_NOT_FOUND;
}

/* `out->id` stays empty when there is none of this name. */
static bool find_owner(struct operation *operation, enum credential_kind kind, const char *name,
                       struct owner *out, struct error *error)
{
    const char *tenant = operation->principal.tenant;
    struct error missing = {0};
    *out = (struct owner){0};
    if (kind == CREDENTIAL_API_KEY) {
        struct caller_row caller;
        if (store_read_caller(operation->store, tenant, name, operation->arena, &caller,
                              &missing)) {
            memcpy(out->id, caller.id, sizeof out->id);
            out->is_enabled = caller.is_enabled;
        }
    } else {
        struct person_row person;
        if (store_read_person(operation->store, tenant, name, operation->arena, &person,
                              &missing)) {
            memcpy(out->id, person.id, sizeof out->id);
            out->is_enabled = person.is_enabled;
        }
    }
    return out->id[0] != '\0' || is_unset(&missing) ||
           error_set(error, missing.kind, missing.code, name, "%s", missing.message);
}

static bool check_owner(const struct credential_input *input, const struct owner *owner,
                        struct error *error)
{
    bool is_key = input->kind == CREDENTIAL_API_KEY;
    if (owner->id[0] == '\0') {
        return error_set(error, ERROR_NOT_FOUND, is_key ? "unknown_caller" : "unknown_person",
                         input->owner, "there is no %s `%.64s`", is_key ? "caller" : "person",
                         input->owner);
    }
    return owner->is_enabled || error_set(error, ERROR_CONFLICT, "owner_disabled", input->owner,
                                          "`%.64s` is disabled; enable the %s first", input->owner,
                                          is_key ? "caller" : "person");
}

static bool check_credential(const struct credential_input *input, struct error *error)
{
    if (input->kind != CREDENTIAL_API_KEY && input->kind != CREDENTIAL_TOKEN) {
        return error_set(error, ERROR_INVALID, "bad_kind", NULL,
                         "a credential is an API key of a caller or a token of a person");
    }
    if (input->expires_in_ms < 0 || input->expires_in_ms > EXPIRES_IN_MS_MAX) {
        return error_set(error, ERROR_INVALID, "bad_expiry", NULL,
                         "a credential may live up to ten years, or for ever (0)");
    }
    return check_text(input->label, PEOPLE_LABEL_BYTES_MAX, "a label", "bad_label", error);
}

/* Its label is not told: whoever makes a token chooses it. */
static bool tell_of_token(struct operation *operation, const struct credential_row *token,
                          struct error *error)
{
    char expires_at[TIME_TEXT_BYTES];
    struct owner_news news = {.moment = ACCOUNT_TOKEN_MADE,
                              .facts = {{"Token", token->id}, {"Good until", "it is taken back"}}};
    if (token->expires_at != 0) {
        text_write_time(token->expires_at, expires_at);
        news.facts[1].value = expires_at;
    }
    return token->kind != CREDENTIAL_TOKEN || tell_owner(operation, token->owner, &news, error);
}

bool operation_add_credential(struct operation *operation, const struct credential_input *input,
                              struct credential_row *out, char out_secret[SECRET_TEXT_BYTES],
                              struct error *error)
{
    struct owner owner;
    const struct principal *principal = &operation->principal;
    bool is_own =
        principal->kind == PRINCIPAL_PERSON && input->kind == CREDENTIAL_TOKEN &&
        (strcmp(input->owner, principal->name) == 0 || strcmp(input->owner, principal->id) == 0);
    if (!authorize(operation, is_own ? OPERATION_ADD_OWN_TOKEN : OPERATION_CHANGE_CREDENTIALS, NULL,
                   input->owner, error) ||
        !check_credential(input, error) ||
        !find_owner(operation, input->kind, input->owner, &owner, error) ||
        !check_owner(input, &owner, error)) {
        return false;
    }
    bool is_key = input->kind == CREDENTIAL_API_KEY;
    char secret[SECRET_TEXT_BYTES];
    crypto_make_secret(is_key ? "csk" : "cst", secret);
    struct credential_row row = {
        .kind = input->kind,
        .hash = crypto_sha256(secret, strlen(secret)),
        .label = arena_text(operation->arena, input->label),
        .is_enabled = true,
        .created_at = operation->now,
        .expires_at = input->expires_in_ms == 0 ? 0 : operation->now + input->expires_in_ms,
    };
    crypto_make_id(is_key ? "key" : "tok", operation->now, row.id);
    memcpy(row.tenant, operation->principal.tenant, sizeof row.tenant);
    memcpy(row.owner, owner.id, sizeof row.owner);
    struct change change = {
        .type = is_key ? LEDGER_KEY_ADDED : LEDGER_TOKEN_ADDED, .id = row.id, .owner = row.owner};
    bool ok = store_insert_credential(operation->store, &row, error) &&
              note_change(operation, &change, error) && tell_of_token(operation, &row, error);
    if (ok) {
        memcpy(out_secret, secret, sizeof secret);
        *out = row;
    }
    crypto_wipe(secret, sizeof secret);
    return ok;
}

bool disable_credential(struct operation *operation, struct credential_row *credential,
                        const char *reason, struct error *error)
{
    credential->is_enabled = false;
    credential->disabled_reason = reason;
    struct change change = {
        .type =
            credential->kind == CREDENTIAL_API_KEY ? LEDGER_KEY_DISABLED : LEDGER_TOKEN_DISABLED,
        .id = credential->id,
        .owner = credential->owner,
    };
    return store_update_credential(operation->store, credential, error) &&
           note_change(operation, &change, error);
}

bool disable_credentials_of(struct operation *operation, const char *owner, const char *reason,
                            struct error *error)
{
    struct credential_row *rows;
    size_t count;
    if (!store_list_credentials(operation->store, operation->principal.tenant, owner,
                                operation->arena, &rows, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].is_enabled && !disable_credential(operation, &rows[i], reason, error)) {
            return false;
        }
    }
    return true;
}

bool operation_disable_credential(struct operation *operation, const char *id,
                                  struct credential_row *out, struct error *error)
{
    struct credential_row row;
    struct error missing = {0};
    bool is_found = store_read_credential(operation->store, operation->principal.tenant, id,
                                          operation->arena, &row, &missing);
    bool is_own = is_found && operation->principal.kind == PRINCIPAL_PERSON &&
                  strcmp(row.owner, operation->principal.id) == 0;
    if (!authorize(operation, is_own ? OPERATION_TAKE_BACK_OWN : OPERATION_CHANGE_CREDENTIALS, NULL,
                   id, error)) {
        return false;
    }
    if (!is_found) {
        return error_set(error, missing.kind, missing.code, id, "%s", missing.message);
    }
    if ((row.is_enabled && !disable_credential(operation, &row, "disabled", error))) {
        return false;
    }
    *out = row;
    return true;
}

static bool append_of(struct operation *operation, enum credential_kind kind, const char *name,
                      struct credential_row **rows, size_t *count, bool *out_known,
                      struct error *error)
{
    struct owner owner;
    struct credential_row *found;
    size_t found_count;
    if (!find_owner(operation, kind, name, &owner, error)) {
        return false;
    }
    if (owner.id[0] == '\0') {
        return true;
    }
    *out_known = true;
    if (!store_list_credentials(operation->store, operation->principal.tenant, owner.id,
                                operation->arena, &found, &found_count, error)) {
        return false;
    }
    struct credential_row *all = arena_array(operation->arena, *count + found_count, sizeof *all);
    if (*count > 0) {
        memcpy(all, *rows, *count * sizeof *all);
    }
    if (found_count > 0) {
        memcpy(all + *count, found, found_count * sizeof *all);
    }
    *rows = all;
    *count += found_count;
    return true;
}

/* A caller and a person may share a name: both are meant then. */
bool operation_list_credentials(struct operation *operation, const char *owner,
                                struct credential_row **out, size_t *out_count, struct error *error)
{
    if (!authorize(operation, OPERATION_LIST_CREDENTIALS, NULL, owner, error)) {
        return false;
    }
    if (owner == NULL) {
        return store_list_credentials(operation->store, operation->principal.tenant, NULL,
                                      operation->arena, out, out_count, error);
    }
    struct credential_row *rows = NULL;
    size_t count = 0;
    bool is_known = false;
    if (!append_of(operation, CREDENTIAL_API_KEY, owner, &rows, &count, &is_known, error) ||
        !append_of(operation, CREDENTIAL_TOKEN, owner, &rows, &count, &is_known, error)) {
        return false;
    }
    if (!is_known) {
        return error_set(error, ERROR_NOT_FOUND, "unknown_owner", owner,
                         "there is no caller and no person `%.64s`", owner);
    }
    *out = rows;
    *out_count = count;
    return true;
}
