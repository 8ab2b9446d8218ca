#include "api/api_internal.h"

#include "operations/comment_operations.h"
#include <string.h>

/* /v1/requests/{id}/comments */

static const char *const comment_members[] = {"text", NULL};

void api_write_comment(struct canonical_writer *writer, const struct comment_row *comment)
{
    bool is_agent = strncmp(comment->author, "cal_", 4) == 0;
    canonical_open_object(writer);
    api_write_time(writer, "at", comment->at);
    canonical_member_text(writer, "by", is_agent ? "agent" : "person");
    canonical_member_text(writer, "id", comment->id);
    canonical_member_text(writer, "name", comment->author_name);
    canonical_member_integer(writer, "revision", comment->revision);
    canonical_member_text(writer, "text", comment->text);
    canonical_close_object(writer);
}

bool api_read_comment(struct api_call *call, struct error *error)
{
    const struct json *body = api_read_body(call, comment_members, error);
    const char *text;
    if (body == NULL || !api_take_text(call, body, "text", true, COMMENT_BYTES_MAX, &text, error)) {
        return false;
    }
    call->input = (void *)(uintptr_t)text;
    return true;
}

bool api_run_comment(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct comment_row);
    return operation_comment_request(&call->operation, call->path_values[0], call->input,
                                     call->result, error);
}

void api_answer_comment(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    api_write_comment(&writer, call->result);
    api_answer_json(call, 201, &body, NULL, 0);
    api_end_call(call);
}

struct comments_answer {
    struct comment_row *comments;
    size_t count;
};

bool api_run_list_comments(struct api_call *call, struct error *error)
{
    struct comments_answer *answer = ARENA_NEW(call->arena, struct comments_answer);
    call->result = answer;
    return operation_list_comments(&call->operation, call->path_values[0], &answer->comments,
                                   &answer->count, error);
}

void api_answer_comments(struct api_call *call)
{
    const struct comments_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "comments");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        api_write_comment(&writer, &answer->comments[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
