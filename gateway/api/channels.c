#include "api/api_internal.h"

#include "operations/notice_operations.h"
#include <string.h>

/* /v1/channels, and at which addresses people are told. */

static const char *const test_members[] = {"to", NULL};
static const char *const address_members[] = {"address", "kind", NULL};

enum { ADDRESS_BYTES_MAX = 254, KIND_BYTES_MAX = 32 };

struct channels_answer {
    const struct operations_channel *channels;
    struct operations_channel_state *states;
    size_t count;
};

bool api_run_list_channels(struct api_call *call, struct error *error)
{
    struct channels_answer *answer = ARENA_NEW(call->arena, struct channels_answer);
    call->result = answer;
    return operation_list_channels(&call->operation, &answer->channels, &answer->states,
                                   &answer->count, error);
}

static void write_texts(struct canonical_writer *writer, const char *name, const char *const *texts,
                        size_t count)
{
    if (count == 0) {
        return;
    }
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        canonical_string(writer, texts[i]);
    }
    canonical_close_array(writer);
}

static void write_tell(struct canonical_writer *writer, const struct operations_channel *channel)
{
    canonical_name(writer, "tell");
    canonical_open_array(writer);
    for (enum card_moment moment = CARD_ASKED; moment <= CARD_ENDED; moment++) {
        if (channel->tells == 0 || (channel->tells & (1u << moment)) != 0) {
            canonical_string(writer, moment == CARD_ENDED ? "decided" : card_moment_name(moment));
        }
    }
    canonical_close_array(writer);
}

/* Never an address or a secret: those are the operator's. */
static void write_channel(struct canonical_writer *writer, const struct operations_channel *channel,
                          const struct operations_channel_state *state)
{
    canonical_open_object(writer);
    canonical_member_bool(writer, "answers", state->open_until == 0 && state->problem == NULL);
    canonical_member_bool(writer, "decides", channel->notifier->decides);
    write_texts(writer, "events", channel->events, channel->event_count);
    canonical_member_integer(writer, "failures", state->failures);
    write_texts(writer, "groups", channel->groups, channel->group_count);
    canonical_member_integer(writer, "held", state->held);
    canonical_member_integer(writer, "in_flight", state->in_flight);
    canonical_member_text(writer, "kind", channel->notifier->kind);
    if (channel->notifier->asks_people || channel->tells_accounts) {
        canonical_member_integer(writer, "muted", state->muted);
    }
    canonical_member_text(writer, "name", channel->name);
    write_texts(writer, "people", channel->people, channel->person_count);
    canonical_member_text(writer, "problem", state->problem);
    if (channel->roundup.over != 0) {
        canonical_name(writer, "roundup");
        canonical_open_object(writer);
        canonical_member_integer(writer, "over", channel->roundup.over);
        canonical_member_integer(writer, "within_ms", channel->roundup.within_ms);
        canonical_close_object(writer);
    }
    if (channel->notifier->shows_cards) {
        write_tell(writer, channel);
    }
    api_write_time(writer, "tried_again_at", state->open_until);
    if (channel->tells_accounts) {
        canonical_member_integer(writer, "unlinked", state->unlinked);
    }
    canonical_close_object(writer);
}

void api_answer_channels(struct api_call *call)
{
    const struct channels_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "channels");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        write_channel(&writer, &answer->channels[i], &answer->states[i]);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}

bool api_read_test_channel(struct api_call *call, struct error *error)
{
    size_t length;
    const char *to = NULL;
    http_body(call->exchange, &length);
    if (length == 0) {
        return api_read_nothing(call, error); /* to the whole channel */
    }
    const struct json *body = api_read_body(call, test_members, error);
    if (body == NULL || !api_take_text(call, body, "to", false, ADDRESS_BYTES_MAX, &to, error)) {
        return false;
    }
    call->input = (void *)(uintptr_t)to;
    return true;
}

bool api_run_test_channel(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct notice_row);
    return operation_test_channel(&call->operation, call->path_values[0], call->input, call->result,
                                  error);
}

/* ---- addresses ---- */

struct addresses_answer {
    struct address_row *rows;
    size_t count;
};

bool api_read_address(struct api_call *call, struct error *error)
{
    struct address_row *input = ARENA_NEW(call->arena, struct address_row);
    const struct json *body = api_read_body(call, address_members, error);
    call->input = input;
    return body != NULL &&
           api_take_text(call, body, "kind", true, KIND_BYTES_MAX, &input->kind, error) &&
           api_take_text(call, body, "address", true, ADDRESS_BYTES_MAX, &input->address, error);
}

bool api_run_list_addresses(struct api_call *call, struct error *error)
{
    struct addresses_answer *answer = ARENA_NEW(call->arena, struct addresses_answer);
    call->result = answer;
    return operation_list_addresses(&call->operation, call->path_values[0], &answer->rows,
                                    &answer->count, error);
}

bool api_run_set_address(struct api_call *call, struct error *error)
{
    const struct address_row *input = call->input;
    return operation_set_address(&call->operation, call->path_values[0], input->kind,
                                 input->address, error) &&
           api_run_list_addresses(call, error);
}

void api_answer_addresses(struct api_call *call)
{
    const struct addresses_answer *answer = call->result;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_name(&writer, "addresses");
    canonical_open_array(&writer);
    for (size_t i = 0; i < answer->count; i++) {
        canonical_open_object(&writer);
        canonical_member_text(&writer, "address", answer->rows[i].address);
        canonical_member_text(&writer, "kind", answer->rows[i].kind);
        canonical_close_object(&writer);
    }
    canonical_close_array(&writer);
    canonical_close_object(&writer);
    api_answer_json(call, 200, &body, NULL, 0);
    api_end_call(call);
}
