#include "api/api_internal.h"

#include "operations/account_operations.h"
#include <string.h>

/* One's own sessions and tokens, and one-time codes. */

static const char *const totp_members[] = {"code", NULL};

/* ---- sessions ---- */

struct session_list {
    struct session_row *rows;
    size_t count;
};

bool api_run_list_sessions(struct api_call *call, struct error *error)
{
    struct session_list *list = ARENA_NEW(call->arena, struct session_list);
    call->result = list;
    return operation_list_sessions(&call->operation, &list->rows, &list->count, error);
}

void api_answer_sessions(struct api_call *call)
{
    const struct session_list *list = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "sessions");
    canonical_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        const struct session_row *row = &list->rows[i];
        canonical_open_object(&writer);
        api_write_time(&writer, "created_at", row->created_at);
        canonical_member_bool(&writer, "current", strcmp(row->id, call->operation.session.id) == 0);
        api_write_time(&writer, "expires_at", row->expires_at);
        canonical_member_text(&writer, "id", row->id);
        api_write_time(&writer, "seen_at", row->seen_at);
        canonical_close_object(&writer);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_end_session(struct api_call *call, struct error *error)
{
    return operation_end_own_session(&call->operation, call->path_values[0], error);
}

/* ---- one-time codes ---- */

static struct totp_view *new_totp(struct api_call *call)
{
    call->result = ARENA_NEW(call->arena, struct totp_view);
    return call->result;
}

bool api_read_totp_code(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, totp_members, error);
    const char *code = NULL;
    bool ok = body != NULL &&
              api_take_text(call, body, "code", true, API_CODE_BYTES_MAX, &code, error) &&
              api_take_session_attempt(call, error);
    call->input = (void *)(uintptr_t)code;
    return ok;
}

bool api_run_begin_totp(struct api_call *call, struct error *error)
{
    return operation_begin_totp(&call->operation, new_totp(call), error);
}

bool api_run_confirm_totp(struct api_call *call, struct error *error)
{
    return operation_confirm_totp(&call->operation, call->input, new_totp(call), error);
}

bool api_run_read_totp(struct api_call *call, struct error *error)
{
    return operation_read_totp(&call->operation, new_totp(call), error);
}

bool api_run_remove_totp(struct api_call *call, struct error *error)
{
    return operation_remove_totp(&call->operation, error);
}

/* Secrets are told once: their copies here are wiped. */
static void answer_secret(struct api_call *call, struct builder *body)
{
    api_answer_json(call, 200, body, NULL, 0);
    crypto_wipe(body->bytes, body->length);
    api_end_call(call);
}

void api_answer_begin_totp(struct api_call *call)
{
    const struct totp_view *view = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "secret", view->secret);
    canonical_member_text(&writer, "uri", view->uri);
    canonical_close_object(&writer);
    answer_secret(call, &body);
}

void api_answer_totp(struct api_call *call)
{
    const struct totp_view *view = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "enabled", view->is_enabled);
    if (view->recovery_codes != NULL) {
        api_write_texts(&writer, "recovery_codes", view->recovery_codes, RECOVERY_CODES);
    }
    canonical_member_integer(&writer, "recovery_codes_left", view->recovery_codes_left);
    canonical_close_object(&writer);
    answer_secret(call, &body);
}
