#include "api/api_internal.h"

#include "formats/text.h"
#include "operations/edit_operations.h"
#include <string.h>

/* POST /v1/requests/{id}/edits */

static const char *const edit_members[] = {"args", "digest", "reason", "revision", NULL};

bool api_take_shown(struct api_call *call, const struct json *body, int *out_revision,
                    struct sha256 *out_digest, struct error *error)
{
    const char *digest;
    int64_t revision = 0;
    size_t length;
    if (!api_take_integer(body, "revision", true, 1, 1000, &revision, error) ||
        !api_take_text(call, body, "digest", true, 64, &digest, error)) {
        return false;
    }
    *out_revision = (int)revision;
    return (text_read_hex(digest, strlen(digest), out_digest->bytes, SHA256_BYTES, &length) &&
            length == SHA256_BYTES) ||
           error_set(error, ERROR_INVALID, "wrong_type", "/digest",
                     "`digest` must be the request's digest as shown: 64 hexadecimal digits");
}

bool api_read_edit(struct api_call *call, struct error *error)
{
    struct edit_input *input = ARENA_NEW(call->arena, struct edit_input);
    const struct json *body = api_read_body(call, edit_members, error);
    const struct json *arguments;
    if (body == NULL || !api_take_shown(call, body, &input->revision, &input->digest, error) ||
        !api_take_object(call, body, "args", true, &input->arguments, &arguments, error) ||
        !api_take_text(call, body, "reason", false, API_TEXT_BYTES_MAX, &input->reason, error)) {
        return false;
    }
    input->request = call->path_values[0];
    call->input = input;
    return true;
}

bool api_run_edit(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct edit_result);
    return operation_edit_request(&call->operation, call->input, call->result, error);
}

void api_answer_edit(struct api_call *call)
{
    const struct edit_result *result = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_raw(&writer, "changes", result->changes, strlen(result->changes));
    api_write_hex(&writer, "digest", &result->digest);
    canonical_member_text(&writer, "request", call->path_values[0]);
    canonical_member_integer(&writer, "revision", result->revision);
    canonical_close_object(&writer);
    api_answer_json(call, 201, &body, NULL, 0);
    api_end_call(call);
}
