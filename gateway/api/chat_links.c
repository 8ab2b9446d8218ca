#include "api/api_internal.h"

#include "operations/chat_operations.h"

/* One's own accounts at chat services. */

struct link_list {
    struct chat_link_row *rows;
    size_t count;
};

bool api_run_make_chat_code(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct chat_code);
    return operation_make_chat_code(&call->operation, call->result, error);
}

/* The code is told once: its copies here are wiped. */
void api_answer_chat_code(struct api_call *call)
{
    struct chat_code *code = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code", code->text);
    api_write_time(&writer, "expires_at", code->expires_at);
    canonical_close_object(&writer);
    crypto_wipe(code->text, sizeof code->text);
    api_answer_json(call, 201, &body, NULL, 0);
    crypto_wipe(body.bytes, body.length);
    api_end_call(call);
}

bool api_run_list_chat_links(struct api_call *call, struct error *error)
{
    struct link_list *list = ARENA_NEW(call->arena, struct link_list);
    call->result = list;
    return operation_list_chat_links(&call->operation, &list->rows, &list->count, error);
}

void api_answer_chat_links(struct api_call *call)
{
    const struct link_list *list = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "links");
    canonical_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        canonical_open_object(&writer);
        canonical_member_text(&writer, "account", list->rows[i].account);
        api_write_time(&writer, "created_at", list->rows[i].created_at);
        canonical_member_text(&writer, "id", list->rows[i].id);
        canonical_member_text(&writer, "service", list->rows[i].service);
        canonical_close_object(&writer);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_remove_chat_link(struct api_call *call, struct error *error)
{
    return operation_remove_chat_link(&call->operation, call->path_values[0], error);
}
