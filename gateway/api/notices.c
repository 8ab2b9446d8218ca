#include "api/api_internal.h"

#include "operations/notice_operations.h"
#include <string.h>

/* The outbox as people see it: what was told, what waits, what is dead and may be sent again. */

static const char *const parameters[] = {"state", "channel", "request", "after", "limit", NULL};

struct notices_input {
    struct notice_filter filter;
};
struct notices_answer {
    struct notice_row *rows;
    size_t count;
};

static bool is_state(const char *text)
{
    static const char *const states[] = {"waiting", "sent", "dead", "stale", "gathered"};
    bool is_one = text == NULL;
    for (size_t i = 0; i < sizeof states / sizeof states[0] && !is_one; i++) {
        is_one = strcmp(states[i], text) == 0;
    }
    return is_one;
}

bool api_read_notices(struct api_call *call, struct error *error)
{
    struct notices_input *input = ARENA_NEW(call->arena, struct notices_input);
    call->input = input;
    if (!api_only_parameters(call, parameters, error) ||
        !api_take_parameter(call, "state", &input->filter.state, error) ||
        !api_take_parameter(call, "channel", &input->filter.channel, error) ||
        !api_take_parameter(call, "request", &input->filter.request, error) ||
        !api_take_parameter(call, "after", &input->filter.before_id, error) ||
        !api_take_limit(call, &input->filter.limit, error)) {
        return false;
    }
    return is_state(input->filter.state) ||
           error_set(error, ERROR_INVALID, "bad_parameter", "state",
                     "`state` must be waiting, sent, dead, stale or gathered");
}

bool api_run_list_notices(struct api_call *call, struct error *error)
{
    const struct notices_input *input = call->input;
    struct notices_answer *answer = ARENA_NEW(call->arena, struct notices_answer);
    call->result = answer;
    return operation_list_notices(&call->operation, &input->filter, &answer->rows, &answer->count,
                                  error);
}

static void write_notice(struct canonical_writer *writer, const struct notice_row *notice)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "answer", notice->answer);
    canonical_member_integer(writer, "attempts", notice->attempts);
    canonical_member_text(writer, "channel", notice->channel);
    api_write_time(writer, "created_at", notice->created_at);
    api_write_time(writer, "due_at", strcmp(notice->state, "waiting") == 0 ? notice->due_at : 0);
    canonical_member_text(writer, "event", notice->event);
    canonical_member_text(writer, "id", notice->id);
    canonical_member_text(writer, "last_error", notice->last_error);
    canonical_member_text(writer, "recipient",
                          notice->recipient[0] == '\0' ? NULL : notice->recipient);
    canonical_member_text(writer, "request", notice->request);
    canonical_member_text(writer, "roundup", notice->roundup);
    api_write_time(writer, "settled_at", notice->settled_at);
    canonical_member_text(writer, "state", notice->state);
    canonical_close_object(writer);
}

void api_answer_notices(struct api_call *call)
{
    const struct notices_input *input = call->input;
    const struct notices_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "next",
                          answer->count == input->filter.limit ? answer->rows[answer->count - 1].id
                                                               : NULL);
    canonical_name(&writer, "notices");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_notice(&writer, &answer->rows[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_run_read_notice(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct notice_row);
    return operation_read_notice(&call->operation, call->path_values[0], call->result, error);
}

bool api_run_replay_notice(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct notice_row);
    return operation_replay_notice(&call->operation, call->path_values[0], call->result, error);
}

bool api_run_resend(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct notice_row);
    return operation_resend_notice(&call->operation, call->path_values[0], call->result, error);
}

void api_answer_notice(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    write_notice(&writer, call->result);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
