#include "api/api_internal.h"

#include "operations/proposal_operations.h"
#include <string.h>

/* What two admins must both make: the first one's call is answered with what was noted (202), and
 * happens when another admin sends the very same. */

void api_note_change(struct api_call *call)
{
    if (call->credential.kind != CREDENTIAL_SESSION || !call->route->takes_two) {
        return;
    }
    size_t length;
    const char *body = http_body(call->exchange, &length);
    const char *method = http_method_text(call->exchange);
    call->change = ARENA_NEW(call->arena, struct change_call);
    *call->change = (struct change_call){
        .method = arena_text(call->arena, method),
        .path = arena_text(call->arena, http_path(call->exchange)),
        .what = arena_printf(call->arena, "%s %s", method, call->route->pattern),
        .body = arena_copy(call->arena, body == NULL ? "" : body, length),
        .body_length = length,
    };
}

bool api_is_for_two(const struct error *error)
{
    return error->code != NULL && strcmp(error->code, "second_admin_needed") == 0;
}

bool api_propose(struct api_call *call, struct error *error)
{
    call->proposal = ARENA_NEW(call->arena, struct proposal_row);
    return operation_propose_change(&call->operation, call->change, call->proposal, error);
}

static void write_proposal(struct canonical_writer *writer, const struct proposal_row *proposal)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "body", proposal->body);
    api_write_time(writer, "created_at", proposal->created_at);
    api_write_time(writer, "expires_at", proposal->expires_at);
    canonical_member_text(writer, "id", proposal->id);
    canonical_member_text(writer, "method", proposal->method);
    canonical_member_text(writer, "path", proposal->path);
    canonical_member_text(writer, "proposer", proposal->proposer);
    canonical_close_object(writer);
}

void api_answer_proposal(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_proposal(&writer, call->proposal);
    api_answer_json(call, 202, &body, NULL, 0);
    api_end_call(call);
}

struct proposal_list {
    struct proposal_row *rows;
    size_t count;
};

bool api_run_list_proposals(struct api_call *call, struct error *error)
{
    struct proposal_list *list = ARENA_NEW(call->arena, struct proposal_list);
    call->result = list;
    return operation_list_proposals(&call->operation, &list->rows, &list->count, error);
}

void api_answer_proposals(struct api_call *call)
{
    const struct proposal_list *list = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "proposals");
    canonical_open_array(&writer);
    for (size_t i = 0; i < list->count; i++) {
        write_proposal(&writer, &list->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_withdraw_proposal(struct api_call *call, struct error *error)
{
    return operation_withdraw_proposal(&call->operation, call->path_values[0], error);
}
