#include "api/api_internal.h"

#include "operations/attention_operations.h"

/* POST /v1/requests/{id}/views, POST and DELETE /v1/requests/{id}/watch */

static const char *const view_members[] = {"digest", "revision", NULL};

bool api_read_view(struct api_call *call, struct error *error)
{
    struct view_input *input = ARENA_NEW(call->arena, struct view_input);
    const struct json *body = api_read_body(call, view_members, error);
    input->request = call->path_values[0];
    call->input = input;
    return body != NULL && api_take_shown(call, body, &input->revision, &input->digest, error);
}

bool api_run_view(struct api_call *call, struct error *error)
{
    int64_t *at = ARENA_NEW(call->arena, int64_t);
    call->result = at;
    return operation_note_view(&call->operation, call->input, at, error);
}

void api_answer_view(struct api_call *call)
{
    const int64_t *at = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_time(&writer, "viewed_at", *at);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

static bool run_watch(struct api_call *call, bool watches, struct error *error)
{
    int64_t *until = ARENA_NEW(call->arena, int64_t);
    call->result = until;
    return operation_watch_request(&call->operation, call->path_values[0], watches, until, error);
}

bool api_run_watch(struct api_call *call, struct error *error)
{
    return run_watch(call, true, error);
}

bool api_run_unwatch(struct api_call *call, struct error *error)
{
    return run_watch(call, false, error);
}

void api_answer_watch(struct api_call *call)
{
    const int64_t *until = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    api_write_time(&writer, "until", *until);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
