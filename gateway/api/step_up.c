#include "api/api_internal.h"

#include "operations/passkey_operations.h"
#include <string.h>

/* Signing in with a passkey, and proving more than a cookie: with a passkey, or where there is none
 * with the password again. */

static const char *const step_up_members[] = {"code", "passkey", "password", NULL};

/* ---- POST /v1/session/passkey ---- */

struct passkey_sign_in {
    struct passkey_answer answer;
    bool has_cookie;
    struct credential cookie; /* of the session the browser had */
};

/* Nobody guesses a signature; what is limited is how much verifying one address may ask for. */
bool api_read_passkey_sign_in(struct api_call *call, struct error *error)
{
    struct passkey_sign_in *input = ARENA_NEW(call->arena, struct passkey_sign_in);
    const struct json *body = api_read_body(call, api_passkey_members, error);
    call->input = input;
    if (body == NULL || !api_check_channel(call, error) ||
        !api_take_passkey(call, body, "", false, &input->answer, error) ||
        !api_attempts_take(call->api, input->answer.credential, api_peer(call), error)) {
        return false;
    }
    input->has_cookie = api_read_former_session(call, &input->cookie);
    api_see_browser(call);
    return true;
}

bool api_run_passkey_sign_in(struct api_call *call, struct error *error)
{
    const struct passkey_sign_in *input = call->input;
    call->result = ARENA_NEW(call->arena, struct session_view);
    return operation_sign_in_by_passkey(&call->operation, &input->answer,
                                        input->has_cookie ? &input->cookie : NULL, call->result,
                                        error);
}

void api_answer_passkey_sign_in(struct api_call *call)
{
    const struct passkey_sign_in *input = call->input;
    api_attempts_succeeded(call->api, input->answer.credential, api_peer(call));
    api_answer_session(call);
}

/* ---- POST /v1/session/step-up ---- */

struct step_up_input {
    bool is_passkey;
    struct passkey_answer answer;
    char *password; /* wiped when it was checked */
    const char *code;
    struct password_found found;
};

bool api_run_begin_step_up(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct passkey_question);
    return operation_begin_step_up(&call->operation, call->result, error);
}

static bool take_password(struct api_call *call, const struct json *body,
                          struct step_up_input *input, struct error *error)
{
    const char *password = NULL;
    if (!api_take_text(call, body, "password", true, PASSWORD_BYTES_MAX, &password, error)) {
        return false;
    }
    input->password = (char *)(uintptr_t)password;
    return true;
}

bool api_read_step_up(struct api_call *call, struct error *error)
{
    struct step_up_input *input = ARENA_NEW(call->arena, struct step_up_input);
    const struct json *body = api_read_body(call, step_up_members, error);
    const struct json *object;
    const char *canonical;
    call->input = input;
    call->result = ARENA_NEW(call->arena, struct session_view);
    if (body == NULL || !api_check_channel(call, error) ||
        !api_take_object(call, body, "passkey", false, &canonical, &object, error)) {
        return false;
    }
    input->is_passkey = object != NULL;
    if (!input->is_passkey && json_member(body, "password") == NULL) {
        return error_set(error, ERROR_INVALID, "proof_missing", "/passkey",
                         "send `passkey`, or `password` where there is no passkey");
    }
    if (input->is_passkey && json_member(body, "password") != NULL) {
        return error_set(error, ERROR_INVALID, "wrong_type", "/password",
                         "send `passkey` or `password`, not both");
    }
    if (!api_take_text(call, body, "code", false, API_CODE_BYTES_MAX, &input->code, error)) {
        return false;
    }
    bool ok = input->is_passkey
                  ? api_take_passkey(call, object, "passkey", false, &input->answer, error)
                  : take_password(call, body, input, error);
    return ok && api_take_session_attempt(call, error);
}

bool api_look_step_up(struct api_call *call, struct error *error)
{
    struct step_up_input *input = call->input;
    return input->is_passkey || operation_find_own_password(&call->operation, &input->found, error);
}

bool api_work_step_up(struct api_call *call, struct error *error)
{
    struct step_up_input *input = call->input;
    bool matches = false;
    if (input->is_passkey) {
        return true;
    }
    metrics_add(call->api->options.metrics, METRIC_PASSWORD_CHECKS, 1);
    bool ok = password_verify(input->found.hash, input->password, strlen(input->password), &matches,
                              error);
    crypto_wipe(input->password, strlen(input->password));
    return ok && ((matches && input->found.exists) ||
                  error_set(error, ERROR_FORBIDDEN, "wrong_password", "/password",
                            "that is not your password"));
}

bool api_run_step_up(struct api_call *call, struct error *error)
{
    const struct step_up_input *input = call->input;
    return input->is_passkey
               ? operation_step_up_by_passkey(&call->operation, &input->answer, call->result, error)
               : operation_step_up_by_password(&call->operation, &input->found, input->code,
                                               call->result, error);
}
