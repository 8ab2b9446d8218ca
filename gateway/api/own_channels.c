#include "api/api_internal.h"

#include "operations/notice_operations.h"

/* /v1/me/channels: which of the operator's channels tell oneself, and when. */

static const char *const members[] = {"accepts_silence", "muted", "quiet_hours", NULL};

enum { QUIET_BYTES_MAX = 40 };

bool api_read_own_channels(struct api_call *call, struct error *error)
{
    struct channel_choice *input = ARENA_NEW(call->arena, struct channel_choice);
    const struct json *body = api_read_body(call, members, error);
    const char **muted = NULL;
    call->input = input;
    if (body == NULL ||
        !api_take_text(call, body, "quiet_hours", false, QUIET_BYTES_MAX, &input->quiet_hours,
                       error) ||
        !api_take_texts(call, body, "muted", OPERATIONS_CHANNELS_MAX, &muted, &input->muted_count,
                        error) ||
        !api_take_bool(body, "accepts_silence", &input->accepts_silence, error)) {
        return false;
    }
    input->muted = muted;
    input->sets_muted = json_member(body, "muted") != NULL;
    return true;
}

bool api_run_read_own_channels(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct own_channels);
    return operation_read_own_channels(&call->operation, call->result, error);
}

bool api_run_choose_channels(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct own_channels);
    return operation_choose_channels(&call->operation, call->input, call->result, error);
}

/* Never where the channel leads: that is the operator's. */
static void write_channel(struct canonical_writer *writer, const struct own_channel *own)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "kind", own->channel->notifier->kind);
    canonical_member_bool(writer, "muted", own->is_muted);
    canonical_member_text(writer, "name", own->channel->name);
    canonical_member_bool(writer, "reaches", own->reaches);
    canonical_member_bool(writer, "yours", own->is_yours);
    canonical_close_object(writer);
}

void api_answer_own_channels(struct api_call *call)
{
    const struct own_channels *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "accepts_silence", answer->accepts_silence);
    canonical_name(&writer, "channels");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_channel(&writer, &answer->channels[i]);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "quiet_hours", answer->quiet_hours);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
