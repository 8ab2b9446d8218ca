#include "api/api_internal.h"

#include "operations/passkey_operations.h"
#include <string.h>

/*
 * Passkeys, and what they are asked. `public_key` is what the page hands to
 * navigator.credentials.create() or get(), in the JSON form of WebAuthn level 3
 * (PublicKeyCredentialCreationOptionsJSON, …RequestOptionsJSON); what comes back are the parts of
 * the answer that are verified, in base64url.
 */

static const char *const registration_members[] = {"attestation_object", "challenge", "client_data",
                                                   "name", NULL};
static const char *const rename_members[] = {"name", NULL};
static const char *const statement_members[] = {"digest", "revision", "vote", NULL};
static const char *const list_parameters[] = {"person", NULL};
const char *const api_passkey_members[] = {"authenticator_data", "challenge", "client_data",
                                           "credential",         "signature", NULL};
static const char *const vote_passkey_members[] = {
    "authenticator_data", "client_data", "credential", "signature", "statement", NULL};

enum { PASSKEY_NAME_BYTES_MAX = 200, TIMEOUT_MS = 300000 };

/* ---- reading ---- */

bool api_take_passkey(struct api_call *call, const struct json *object, const char *owner,
                      bool is_of_vote, struct passkey_answer *out, struct error *error)
{
    const char *pointer = arena_printf(call->arena, "%s%s", owner[0] == '\0' ? "" : "/", owner);
    struct webauthn_bytes id;
    if (!json_only_members(object, pointer, is_of_vote ? vote_passkey_members : api_passkey_members,
                           error) ||
        !api_take_base64url(call, object, owner, "credential", WEBAUTHN_ID_BYTES_MAX,
                            &out->credential, &id, error) ||
        !api_take_base64url(call, object, owner, "client_data", WEBAUTHN_CLIENT_DATA_BYTES_MAX,
                            &out->client_data, &out->bytes.client_data, error) ||
        !api_take_base64url(call, object, owner, "authenticator_data",
                            WEBAUTHN_AUTHENTICATOR_DATA_BYTES_MAX, &out->authenticator_data,
                            &out->bytes.authenticator_data, error) ||
        !api_take_base64url(call, object, owner, "signature", WEBAUTHN_SIGNATURE_BYTES_MAX,
                            &out->signature, &out->bytes.signature, error)) {
        return false;
    }
    return is_of_vote ? api_take_inner_text(call, object, owner, "statement", STATEMENT_BYTES_MAX,
                                            &out->statement, error)
                      : api_take_inner_text(call, object, owner, "challenge",
                                            CHALLENGE_TEXT_BYTES - 1, &out->challenge, error);
}

bool api_read_add_passkey(struct api_call *call, struct error *error)
{
    struct passkey_registration *input = ARENA_NEW(call->arena, struct passkey_registration);
    const struct json *body = api_read_body(call, registration_members, error);
    const char *text;
    call->input = input;
    return body != NULL &&
           api_take_text(call, body, "challenge", true, CHALLENGE_TEXT_BYTES - 1, &input->challenge,
                         error) &&
           api_take_text(call, body, "name", true, PASSKEY_NAME_BYTES_MAX, &input->label, error) &&
           api_take_base64url(call, body, "", "client_data", WEBAUTHN_CLIENT_DATA_BYTES_MAX, &text,
                              &input->client_data, error) &&
           api_take_base64url(call, body, "", "attestation_object", WEBAUTHN_ATTESTATION_BYTES_MAX,
                              &text, &input->attestation_object, error);
}

bool api_read_rename_passkey(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, rename_members, error);
    const char *name = NULL;
    bool ok = body != NULL &&
              api_take_text(call, body, "name", true, PASSKEY_NAME_BYTES_MAX, &name, error);
    call->input = (void *)(uintptr_t)name;
    return ok;
}

bool api_read_passkeys(struct api_call *call, struct error *error)
{
    const char *person = NULL;
    bool ok = api_only_parameters(call, list_parameters, error) &&
              api_take_parameter(call, "person", &person, error);
    call->input = (void *)(uintptr_t)person;
    return ok;
}

bool api_read_statement(struct api_call *call, struct error *error)
{
    struct statement_input *input = ARENA_NEW(call->arena, struct statement_input);
    const struct json *body = api_read_body(call, statement_members, error);
    const char *word = NULL;
    call->input = input;
    if (body == NULL || !api_take_shown(call, body, &input->revision, &input->digest, error) ||
        !api_take_text(call, body, "vote", false, 16, &word, error)) {
        return false;
    }
    input->request = call->path_values[0];
    input->approves = true;
    return word == NULL || api_read_vote_word(word, &input->approves, error);
}

/* ---- running ---- */

static struct passkey_question *new_question(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct passkey_question);
    return call->result;
}

bool api_run_begin_passkey(struct api_call *call, struct error *error)
{
    return operation_begin_passkey(&call->operation, new_question(call), error);
}

bool api_run_begin_passkey_sign_in(struct api_call *call, struct error *error)
{
    return operation_begin_passkey_sign_in(&call->operation, new_question(call), error);
}

bool api_run_statement(struct api_call *call, struct error *error)
{
    return operation_make_statement(&call->operation, call->input, new_question(call), error);
}

static struct passkey_row *new_passkey(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct passkey_row);
    return call->result;
}

bool api_run_add_passkey(struct api_call *call, struct error *error)
{
    return operation_add_passkey(&call->operation, call->input, new_passkey(call), error);
}

bool api_run_rename_passkey(struct api_call *call, struct error *error)
{
    return operation_rename_passkey(&call->operation, call->path_values[0], call->input,
                                    new_passkey(call), error);
}

bool api_run_confirm_passkey(struct api_call *call, struct error *error)
{
    return operation_confirm_passkey(&call->operation, call->path_values[0], new_passkey(call),
                                     error);
}

bool api_run_remove_passkey(struct api_call *call, struct error *error)
{
    return operation_remove_passkey(&call->operation, call->path_values[0], error);
}

struct passkey_list {
    struct passkey_row *passkeys;
    size_t count;
};

bool api_run_list_passkeys(struct api_call *call, struct error *error)
{
    struct passkey_list *list = ARENA_NEW(call->arena, struct passkey_list);
    call->result = list;
    return operation_list_passkeys(&call->operation, call->input, &list->passkeys, &list->count,
                                   error);
}

/* ---- answering ---- */

static void write_passkey(struct canonical_writer *writer, const struct passkey_row *passkey,
                          int64_t now)
{
    canonical_open_object(writer);
    api_write_time(writer, "created_at", passkey->created_at);
    canonical_member_text(writer, "credential", passkey->credential);
    canonical_member_bool(writer, "enabled", passkey->is_enabled);
    canonical_member_text(writer, "id", passkey->id);
    canonical_member_text(writer, "name", passkey->label);
    canonical_member_text(writer, "person", passkey->person);
    canonical_member_bool(writer, "synced", passkey->is_synced);
    canonical_member_bool(writer, "trusted", passkey->trusted_at <= now);
    api_write_time(writer, "trusted_at", passkey->trusted_at);
    api_write_time(writer, "used_at", passkey->used_at);
    canonical_close_object(writer);
}

static void answer_body(struct api_call *call, int status, const struct builder *body)
{
    api_answer_json(call, status, body, NULL, 0);
    api_end_call(call);
}

void api_answer_passkey(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_passkey(&writer, call->result, call->operation.now);
    answer_body(call, call->route->run == api_run_add_passkey ? 201 : 200, &body);
}

void api_answer_passkeys(struct api_call *call)
{
    const struct passkey_list *list = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "passkeys");
    canonical_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        write_passkey(&writer, &list->passkeys[i], call->operation.now);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    answer_body(call, 200, &body);
}

static void write_descriptors(struct canonical_writer *writer, const char *name,
                              const struct passkey_question *question)
{
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < question->passkey_count; i++) {
        canonical_open_object(writer);
        canonical_member_text(writer, "id", question->passkeys[i].credential);
        canonical_member_text(writer, "type", "public-key");
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

static void write_algorithms(struct canonical_writer *writer)
{
    static const enum webauthn_algorithm algorithms[] = {WEBAUTHN_ES256, WEBAUTHN_EDDSA,
                                                         WEBAUTHN_RS256};
    canonical_name(writer, "pubKeyCredParams");
    canonical_open_array(writer);
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        canonical_open_object(writer);
        canonical_member_integer(writer, "alg", algorithms[i]);
        canonical_member_text(writer, "type", "public-key");
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

/* PublicKeyCredentialCreationOptionsJSON. */
static void write_creation_options(struct canonical_writer *writer,
                                   const struct passkey_question *question)
{
    const struct person_row *person = &question->person;
    canonical_open_object(writer);
    canonical_member_text(writer, "attestation", "none");
    canonical_name(writer, "authenticatorSelection");
    canonical_open_object(writer);
    canonical_member_text(writer, "residentKey", "preferred");
    canonical_member_text(writer, "userVerification", "required");
    canonical_close_object(writer);
    canonical_member_text(writer, "challenge", question->challenge);
    write_descriptors(writer, "excludeCredentials", question);
    write_algorithms(writer);
    canonical_name(writer, "rp");
    canonical_open_object(writer);
    canonical_member_text(writer, "id", question->rp_id);
    canonical_member_text(writer, "name", "Countersign");
    canonical_close_object(writer);
    canonical_member_integer(writer, "timeout", TIMEOUT_MS);
    canonical_name(writer, "user");
    canonical_open_object(writer);
    canonical_member_text(writer, "displayName",
                          person->display == NULL ? person->name : person->display);
    canonical_member_text(writer, "id", question->user);
    canonical_member_text(writer, "name", person->name);
    canonical_close_object(writer);
    canonical_close_object(writer);
}

/* PublicKeyCredentialRequestOptionsJSON. */
static void write_request_options(struct canonical_writer *writer,
                                  const struct passkey_question *question)
{
    canonical_open_object(writer);
    write_descriptors(writer, "allowCredentials", question);
    canonical_member_text(writer, "challenge", question->challenge);
    canonical_member_text(writer, "rpId", question->rp_id);
    canonical_member_integer(writer, "timeout", TIMEOUT_MS);
    canonical_member_text(writer, "userVerification", "required");
    canonical_close_object(writer);
}

static void write_question(struct canonical_writer *writer, const struct passkey_question *question)
{
    canonical_member_text(writer, "challenge", question->challenge);
    api_write_time(writer, "expires_at", question->expires_at);
}

void api_answer_begin_passkey(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    write_question(&writer, call->result);
    canonical_name(&writer, "public_key");
    write_creation_options(&writer, call->result);
    canonical_close_object(&writer);
    answer_body(call, 200, &body);
}

void api_answer_passkey_question(struct api_call *call)
{
    const struct passkey_question *question = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    write_question(&writer, question);
    canonical_name(&writer, "public_key");
    write_request_options(&writer, question);
    canonical_member_text(&writer, "statement", question->statement);
    canonical_close_object(&writer);
    answer_body(call, 200, &body);
}

/* Without a passkey a password does; the page need not ask for what nobody has. */
void api_answer_begin_step_up(struct api_call *call)
{
    const struct passkey_question *question = call->result;
    bool has_passkey = question->passkey_count > 0;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "challenge", has_passkey ? question->challenge : NULL);
    canonical_member_bool(&writer, "code", !has_passkey && question->needs_code);
    api_write_time(&writer, "expires_at", has_passkey ? question->expires_at : 0);
    canonical_member_text(&writer, "method", has_passkey ? "passkey" : "password");
    if (has_passkey) {
        canonical_name(&writer, "public_key");
        write_request_options(&writer, question);
    }
    canonical_close_object(&writer);
    answer_body(call, 200, &body);
}
