#include "formats/text.h"
#include "operations/authorize.h"
#include "operations/owner_internal.h"
#include "operations/passkey_internal.h"
#include "operations/second_factor_internal.h"
#include <string.h>

bool check_passkeys_available(const struct operation *operation, struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    return options->rp_id != NULL ||
           error_set(
               error, ERROR_CONFLICT, "passkeys_unavailable", NULL,
               "passkeys need an address with a host name: set `issuer` to where people reach "
               "this gateway, such as https://gate.example.com");
}

/* ---- asking ---- */

/* WebAuthn section 14.6.1: a handle that tells nothing about the person. */
static const char *user_handle(struct operation *operation, const struct person_row *person)
{
    const char *text =
        arena_printf(operation->arena, "countersign user 1\n%s\n%s", person->tenant, person->id);
    struct sha256 hash = crypto_sha256(text, strlen(text));
    struct builder handle BUILDER_SCOPE;
    builder_init(&handle, 0);
    text_append_base64url(&handle, hash.bytes, sizeof hash.bytes);
    return arena_copy(operation->arena, handle.bytes, handle.length);
}

static bool ask(struct operation *operation, enum challenge_kind kind, struct passkey_question *out,
                struct error *error)
{
    const struct principal *principal = &operation->principal;
    *out = (struct passkey_question){.rp_id = operation->operations->options.rp_id};
    if (!check_passkeys_available(operation, error)) {
        return false;
    }
    make_challenge(operation, kind, principal->kind == PRINCIPAL_PERSON ? principal->id : "", out);
    return principal->kind != PRINCIPAL_PERSON ||
           (find_person(operation, principal->id, &out->person, error) &&
            store_list_passkeys(operation->store, principal->id, operation->arena, &out->passkeys,
                                &out->passkey_count, error));
}

bool operation_begin_passkey(struct operation *operation, struct passkey_question *out,
                             struct error *error)
{
    if (!authorize(operation, OPERATION_ADD_PASSKEY, NULL, NULL, error) ||
        !ask(operation, CHALLENGE_REGISTER, out, error)) {
        return false;
    }
    out->user = user_handle(operation, &out->person);
    return true;
}

bool operation_begin_passkey_sign_in(struct operation *operation, struct passkey_question *out,
                                     struct error *error)
{
    return authorize(operation, OPERATION_BEGIN_SESSION, NULL, NULL, error) &&
           ask(operation, CHALLENGE_SIGN_IN, out, error);
}

/* Without a passkey there is nothing to ask one: the list is empty, and a password steps up. */
bool operation_begin_step_up(struct operation *operation, struct passkey_question *out,
                             struct error *error)
{
    const char *person = operation->principal.id;
    if (!authorize(operation, OPERATION_STEP_UP, NULL, NULL, error)) {
        return false;
    }
    *out = (struct passkey_question){.expires_at = operation->now + CHALLENGE_MS};
    if (operation->operations->options.rp_id != NULL &&
        !ask(operation, CHALLENGE_STEP_UP, out, error)) {
        return false;
    }
    return has_second_factor(operation, person, &out->needs_code, error);
}

/* ---- registering ---- */

static const char *encode(struct operation *operation, const unsigned char *bytes, size_t length)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, bytes, length);
    return arena_copy(operation->arena, text.bytes, text.length);
}

/* The first one that somebody registers by a link an admin made serves at once; every other one
 * might be a thief's, and waits for its person to notice or another admin to confirm. */
static bool find_trust(struct operation *operation, int64_t *out_trusted_at, struct error *error)
{
    int64_t ever = 0;
    if (!store_count_passkeys_ever(operation->store, operation->principal.id, &ever, error)) {
        return false;
    }
    bool is_first = ever == 0 && operation->session.step_up == STEP_UP_LINK;
    *out_trusted_at =
        operation->now + (is_first ? 0 : operation->operations->options.passkey_trust_after_ms);
    return true;
}

static bool check_passkey_count(struct operation *operation, struct error *error)
{
    struct passkey_row *passkeys;
    size_t count;
    return store_list_passkeys(operation->store, operation->principal.id, operation->arena,
                               &passkeys, &count, error) &&
           check_count(count + 1, PASSKEYS_PER_PERSON_MAX, "passkeys", error);
}

static bool record_passkey(struct operation *operation, const struct passkey_row *passkey,
                           struct error *error)
{
    struct ledger_passkey entry = {.id = passkey->id,
                                   .owner = passkey->person,
                                   .credential = passkey->credential,
                                   .public_key = passkey->key,
                                   .rp_id = passkey->rp_id,
                                   .trusted_at_ms = passkey->trusted_at};
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_passkey(&data, &entry);
    struct record record = {.type = LEDGER_KEY_ADDED, .data = &data};
    return record_entry(operation, &record, error);
}

/* Its name is not told: whoever registers a passkey chooses it. */
static bool tell_of_passkey(struct operation *operation, const struct passkey_row *passkey,
                            enum account_moment moment, struct error *error)
{
    char trusted_at[TIME_TEXT_BYTES];
    struct owner_news news = {.moment = moment, .facts = {{"Passkey", passkey->id}}};
    if (moment == ACCOUNT_PASSKEY_ADDED && passkey->trusted_at > operation->now) {
        text_write_time(passkey->trusted_at, trusted_at);
        news.facts[1] = (struct account_fact){"Signs decisions from", trusted_at};
    }
    return tell_owner(operation, passkey->person, &news, error);
}

static bool insert(struct operation *operation, const struct webauthn_passkey *made,
                   const char *label, struct passkey_row *out, struct error *error)
{
    struct passkey_row row = {
        .label = arena_text(operation->arena, label),
        .credential = encode(operation, made->id, made->id_length),
        .key = encode(operation, made->key, made->key_length),
        .rp_id = operation->operations->options.rp_id,
        .sign_count = made->sign_count,
        .is_synced = made->is_backup_eligible,
        .is_enabled = true,
        .created_at = operation->now,
    };
    crypto_make_id("pky", operation->now, row.id);
    memcpy(row.tenant, operation->principal.tenant, sizeof row.tenant);
    memcpy(row.person, operation->principal.id, sizeof row.person);
    if (!find_trust(operation, &row.trusted_at, error) ||
        !store_insert_passkey(operation->store, &row, error) ||
        !record_passkey(operation, &row, error) ||
        !tell_of_passkey(operation, &row, ACCOUNT_PASSKEY_ADDED, error)) {
        return false;
    }
    *out = row;
    return true;
}

bool operation_add_passkey(struct operation *operation, const struct passkey_registration *input,
                           struct passkey_row *out, struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    struct challenge challenge;
    struct webauthn_passkey made;
    if (!authorize(operation, OPERATION_ADD_PASSKEY, NULL, NULL, error) ||
        !check_passkeys_available(operation, error) ||
        !check_text(input->label, PEOPLE_LABEL_BYTES_MAX, "the name of a passkey", "bad_label",
                    error) ||
        !read_challenge(operation, CHALLENGE_REGISTER, operation->principal.id, input->challenge,
                        &challenge, error)) {
        return false;
    }
    struct webauthn_expected expected = {
        .rp_id = options->rp_id,
        .origin = options->passkey_origin,
        .challenge = {challenge.bytes, sizeof challenge.bytes},
    };
    return webauthn_verify_registration(&expected, input->client_data, input->attestation_object,
                                        &made, error) &&
           use_challenge(operation, challenge.bytes, sizeof challenge.bytes, challenge.expires_at,
                         error) &&
           check_passkey_count(operation, error) &&
           insert(operation, &made, input->label, out, error);
}

/* ---- managing ---- */

bool operation_list_passkeys(struct operation *operation, const char *person,
                             struct passkey_row **out, size_t *out_count, struct error *error)
{
    struct person_row row;
    bool is_own = person == NULL || strcmp(person, operation->principal.id) == 0;
    const char *of = is_own ? operation->principal.id : person;
    return authorize(operation, is_own ? OPERATION_LIST_OWN : OPERATION_LIST_PEOPLE, NULL, person,
                     error) &&
           find_person(operation, of, &row, error) &&
           store_list_passkeys(operation->store, row.id, operation->arena, out, out_count, error);
}

/* Registered, in this tenant. */
static bool find_passkey(struct operation *operation, const char *id, struct passkey_row *out,
                         struct error *error)
{
    struct error missing = {0};
    if (!store_read_passkey(operation->store, operation->principal.tenant, id, operation->arena,
                            out, &missing)) {
        return hide_missing(&missing, id, error);
    }
    return out->removed_at == 0 || authorize_not_found(error, id);
}

/* Another's passkey is not there for who may not manage people. */
static bool authorize_removal(struct operation *operation, const struct passkey_row *passkey,
                              struct error *error)
{
    bool is_own = strcmp(passkey->person, operation->principal.id) == 0;
    bool may_know = operation->principal.is_admin || operation->principal.kind == PRINCIPAL_HOST;
    if (!is_own && !may_know) {
        return authorize_not_found(error, passkey->id);
    }
    return is_own || authorize(operation, OPERATION_CHANGE_PEOPLE, NULL, passkey->id, error);
}

bool operation_rename_passkey(struct operation *operation, const char *id, const char *label,
                              struct passkey_row *out, struct error *error)
{
    if (!authorize(operation, OPERATION_RENAME_PASSKEY, NULL, id, error) ||
        !find_passkey(operation, id, out, error)) {
        return false;
    }
    if (strcmp(out->person, operation->principal.id) != 0) {
        return authorize_not_found(error, id);
    }
    out->label = arena_text(operation->arena, label);
    return check_text(label, PEOPLE_LABEL_BYTES_MAX, "the name of a passkey", "bad_label", error) &&
           store_update_passkey(operation->store, out, error);
}

bool operation_remove_passkey(struct operation *operation, const char *id, struct error *error)
{
    struct passkey_row passkey;
    if (!authorize(operation, OPERATION_REMOVE_PASSKEY, NULL, id, error) ||
        !find_passkey(operation, id, &passkey, error) ||
        !authorize_removal(operation, &passkey, error)) {
        return false;
    }
    passkey.removed_at = operation->now;
    struct change change = {.type = LEDGER_KEY_DISABLED,
                            .id = passkey.id,
                            .owner = passkey.person,
                            .changed = {"passkey"}};
    return store_update_passkey(operation->store, &passkey, error) &&
           note_change(operation, &change, error) &&
           tell_of_passkey(operation, &passkey, ACCOUNT_PASSKEY_REMOVED, error);
}

bool operation_confirm_passkey(struct operation *operation, const char *id, struct passkey_row *out,
                               struct error *error)
{
    if (!authorize(operation, OPERATION_CONFIRM_PASSKEY, NULL, id, error) ||
        !find_passkey(operation, id, out, error)) {
        return false;
    }
    if (strcmp(out->person, operation->principal.id) == 0) {
        return error_set(error, ERROR_FORBIDDEN, "own_passkey", id,
                         "another admin confirms it, or it waits");
    }
    if (out->trusted_at <= operation->now) {
        return true;
    }
    out->trusted_at = operation->now;
    struct change change = {
        .type = LEDGER_KEY_CONFIRMED, .id = out->id, .owner = out->person, .changed = {"passkey"}};
    return store_update_passkey(operation->store, out, error) &&
           note_change(operation, &change, error) &&
           tell_of_passkey(operation, out, ACCOUNT_PASSKEY_CONFIRMED, error);
}

/* ---- its answers ---- */

static bool passkey_unknown(struct error *error)
{
    return error_set(error, ERROR_FORBIDDEN, "passkey_unknown", NULL,
                     "this passkey is not registered for this account");
}

static bool find_answering(struct operation *operation, const char *person, const char *credential,
                           struct passkey_row *out, struct error *error)
{
    struct error missing = {0};
    if (!store_find_passkey(operation->store, credential, operation->arena, out, &missing)) {
        return missing.kind == ERROR_NOT_FOUND
                   ? passkey_unknown(error)
                   : error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
    }
    bool is_nobody_yet = operation->principal.kind == PRINCIPAL_NONE; /* the passkey says who */
    bool is_usable = out->is_enabled && out->removed_at == 0 &&
                     (is_nobody_yet || strcmp(out->tenant, operation->principal.tenant) == 0) &&
                     (person == NULL || strcmp(out->person, person) == 0);
    return is_usable || passkey_unknown(error);
}

/* A counter that went back says that there are two of this passkey. */
static bool note_use(struct operation *operation, struct passkey_row *passkey, uint32_t count,
                     struct error *error)
{
    if (!webauthn_count_advances((uint32_t)passkey->sign_count, count)) {
        return error_set(error, ERROR_FORBIDDEN, "passkey_copied", passkey->id,
                         "this passkey counted backwards: there may be a copy of it. Remove it and "
                         "register another");
    }
    passkey->sign_count = count;
    passkey->used_at = operation->now;
    return store_update_passkey(operation->store, passkey, error);
}

bool check_answer(struct operation *operation, const char *person,
                  const struct passkey_answer *answer, struct webauthn_bytes challenge,
                  struct passkey_row *out, struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    unsigned char key[WEBAUTHN_KEY_BYTES_MAX];
    size_t length = 0;
    uint32_t count = 0;
    if (!check_passkeys_available(operation, error) ||
        !find_answering(operation, person, answer->credential, out, error)) {
        return false;
    }
    if (!text_read_base64url(out->key, strlen(out->key), key, sizeof key, &length)) {
        return error_set(error, ERROR_CORRUPT, "bad_row", out->id,
                         "the stored key of passkey `%s` is no base64url", out->id);
    }
    struct webauthn_expected expected = {
        .rp_id = options->rp_id, .origin = options->passkey_origin, .challenge = challenge};
    return webauthn_verify_assertion(&expected, (struct webauthn_bytes){key, length},
                                     &answer->bytes, &count, error) &&
           note_use(operation, out, count, error);
}
