#include "operations/notice_internal.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include "ledger/entry_data.h"
#include "operations/gateway_time.h"
#include "store/choice_rows.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- writing them ---- */

static void write_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    if (wall_ms != 0) {
        text_write_time(wall_ms, text);
        canonical_member_text(writer, name, text);
    }
}

/* Thin: what it is about and where to look, never the arguments. */
static void write_data(struct operation *operation, struct canonical_writer *writer,
                       const struct request_row *request)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "action", request->action_name);
    canonical_member_text(writer, "agent", request->agent_name);
    write_time(writer, "created_at", request->created_at);
    canonical_member_text(writer, "digest", operation_hex(operation, &request->digest));
    write_time(writer, "ended_at", request->ended_at);
    canonical_member_text(writer, "link",
                          arena_printf(operation->arena, "%s/requests/%s",
                                       operation->operations->options.issuer, request->id));
    canonical_member_text(writer, "reason",
                          request->reason == REASON_NONE ? NULL
                                                         : request_reason_name(request->reason));
    canonical_member_text(writer, "request", request->id);
    canonical_member_text(writer, "resource", request->resource_key);
    canonical_member_integer(writer, "revision", request->revision);
    canonical_member_text(writer, "risk", policy_risk_name((enum policy_risk)request->risk));
    canonical_member_text(writer, "state", request_state_name(request->state));
    canonical_member_text(writer, "subject", request->subject_key);
    canonical_member_text(writer, "tenant", request->tenant);
    write_time(writer, "timeout_at", request->state == REQUEST_PENDING ? request->timeout_at : 0);
    canonical_close_object(writer);
}

static const char *payload_of(struct operation *operation, const struct request_row *request,
                              const char *event)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_name(&writer, "data");
    write_data(operation, &writer, request);
    write_time(&writer, "timestamp", operation->now);
    canonical_member_text(&writer, "type", event);
    canonical_close_object(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

void note_notice_due(struct operations *operations, int64_t due_at)
{
    int64_t known = atomic_load(&operations->notices_due_at);
    while ((known == 0 || due_at < known) &&
           !atomic_compare_exchange_weak(&operations->notices_due_at, &known, due_at)) {
    }
}

bool insert_notice(struct operation *operation, const char *tenant, struct notice_row *notice,
                   struct error *error)
{
    notice->created_at = operation->now;
    notice->due_at = notice->due_at > operation->now ? notice->due_at : operation->now;
    notice->state = "waiting";
    crypto_make_id("ntc", operation->now, notice->id);
    snprintf(notice->tenant, sizeof notice->tenant, "%s", tenant);
    if (!store_insert_notice(operation->store, notice, error)) {
        return false;
    }
    note_notice_due(operation->operations, notice->due_at);
    return true;
}

bool channel_is_of(const struct operations_channel *channel, const char *tenant)
{
    return strcmp(channel->tenant == NULL ? OPERATIONS_DEFAULT_TENANT : channel->tenant, tenant) ==
           0;
}

static bool takes_event(const struct operations_channel *channel, const char *event)
{
    bool is_taken = channel->event_count == 0;
    for (size_t i = 0; i < channel->event_count && !is_taken; i++) {
        is_taken = text_matches_glob(channel->events[i], event, '.');
    }
    return is_taken;
}

static bool serves(struct operation *operation, const struct operations_channel *channel,
                   const struct request_row *request, bool *out_serves, struct error *error)
{
    struct approvals_case facts = {.asked_at = request->asked_at, .now = operation->now};
    const char **groups;
    size_t count;
    *out_serves = channel->group_count == 0;
    if (*out_serves) {
        return true;
    }
    if (!load_requirements(operation, request, &facts, error)) {
        return false;
    }
    list_asked_groups(operation, &facts, &groups, &count);
    *out_serves = channel_serves(channel, groups, count);
    return true;
}

static bool tell_event(struct operation *operation, const struct operations_channel *channel,
                       const struct request_row *request, const char *event, const char **payload,
                       struct error *error)
{
    bool is_served = false;
    if (!takes_event(channel, event)) {
        return true;
    }
    if (!serves(operation, channel, request, &is_served, error)) {
        return false;
    }
    if (!is_served) {
        return true;
    }
    *payload = *payload != NULL ? *payload : payload_of(operation, request, event);
    struct notice_row notice = {.channel = channel->name,
                                .event = event,
                                .request = request->id,
                                .recipient = "",
                                .line = "",
                                .payload = *payload};
    return insert_notice(operation, request->tenant, &notice, error);
}

bool tell_outside(struct operation *operation, const struct request_row *request, const char *event,
                  struct error *error)
{
    const struct operations_options *options = &operation->operations->options;
    enum card_moment moment = moment_of_event(event);
    const char *payload = NULL;
    if (request->requirements == NULL) {
        return true; /* what people were never asked about is nothing to tell them */
    }
    for (size_t i = 0; i < options->channel_count; i++) {
        const struct operations_channel *channel = &options->channels[i];
        if (channel->notifier->calls_back) {
            continue; /* told of their own task alone: task_callbacks.c */
        }
        bool is_told = !channel_is_of(channel, request->tenant) ? true
                       : !channel->notifier->shows_cards
                           ? tell_event(operation, channel, request, event, &payload, error)
                       : moment != 0 ? tell_cards(operation, channel, request, event, moment, error)
                                     : true;
        if (!is_told) {
            return false;
        }
    }
    return true;
}

int64_t operations_notices_due_at(const struct operations *operations)
{
    return gateway_time_in_wall(operations, atomic_load(&operations->notices_due_at));
}

void operations_look_at_outbox(struct operations *operations)
{
    atomic_store(&operations->notices_due_at, 1);
}

/* ---- for people ---- */

bool operation_list_notices(struct operation *operation, const struct notice_filter *filter,
                            struct notice_row **out, size_t *out_count, struct error *error)
{
    struct notice_filter own = *filter;
    own.tenant = operation->principal.tenant;
    return authorize(operation, OPERATION_LIST_NOTICES, NULL, NULL, error) &&
           store_list_notices(operation->store, &own, operation->arena, out, out_count, error);
}

bool operation_read_notice(struct operation *operation, const char *id, struct notice_row *out,
                           struct error *error)
{
    return authorize(operation, OPERATION_LIST_NOTICES, NULL, NULL, error) &&
           store_read_notice(operation->store, operation->principal.tenant, id, operation->arena,
                             out, error);
}

/* A card that shows all there is already is shown once more. */
static bool forget_shown(struct operation *operation, const struct notice_row *notice,
                         struct error *error)
{
    struct card_row card;
    struct roundup_row roundup;
    bool is_found = false;
    if (notice->roundup != NULL) {
        bool is_read = store_read_roundup(operation->store, notice->tenant, notice->roundup,
                                          operation->arena, &roundup, error);
        roundup.shown = -1;
        return is_read && store_update_roundup(operation->store, &roundup, error);
    }
    if (notice->request == NULL) {
        return true;
    }
    if (!store_find_card(operation->store, notice->tenant, notice->request, notice->channel,
                         notice->recipient, operation->arena, &card, &is_found, error)) {
        return false;
    }
    card.version = -1;
    return !is_found || store_update_card(operation->store, &card, error);
}

static bool record_again(struct operation *operation, const struct notice_row *notice,
                         const char *reason, struct error *error)
{
    if (!forget_shown(operation, notice, error)) {
        return false;
    }
    note_notice_due(operation->operations, operation->now);
    return record_notice(operation, notice, LEDGER_NOTICE_FAILED, reason, error);
}

bool operation_resend_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error)
{
    return authorize(operation, OPERATION_RESEND_NOTICE, NULL, NULL, error) &&
           store_revive_notice(operation->store, operation->principal.tenant, id, operation->now,
                               operation->arena, out, error) &&
           record_again(operation, out, "resent", error);
}

bool operation_replay_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error)
{
    return authorize(operation, OPERATION_RESEND_NOTICE, NULL, NULL, error) &&
           store_replay_notice(operation->store, operation->principal.tenant, id, operation->now,
                               operation->arena, out, error) &&
           record_again(operation, out, "replayed", error);
}

static const char *test_payload(struct operation *operation)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_name(&writer, "data");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "message", "This is a test: nothing has happened.");
    canonical_close_object(&writer);
    write_time(&writer, "timestamp", operation->now);
    canonical_member_text(&writer, "type", NOTICE_TEST_EVENT);
    canonical_close_object(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

bool operation_test_channel(struct operation *operation, const char *channel, const char *to,
                            struct notice_row *out, struct error *error)
{
    const struct operations_channel *found = find_channel(operation->operations, channel);
    if (!authorize(operation, OPERATION_RESEND_NOTICE, NULL, NULL, error)) {
        return false;
    }
    if (found == NULL || !channel_is_of(found, operation->principal.tenant)) {
        return authorize_not_found(error, channel);
    }
    if (to != NULL && !found->notifier->calls_back && !channel_asks_people(found)) {
        return error_set(error, ERROR_INVALID, "no_address", "to",
                         "`%s` has one place where everything is told: leave out `to`",
                         found->name);
    }
    if (found->notifier->calls_back && (to == NULL || !task_callback_leads(found, to))) {
        return error_set(error, ERROR_INVALID, "no_address", "to",
                         "say where the test goes: `to` is a URL of one of the channel's hosts");
    }
    if (channel_asks_people(found) && to == NULL && found->to_count > 0) {
        to = found->to[0];
    }
    if (channel_asks_people(found) && to == NULL && operation->principal.kind != PRINCIPAL_PERSON) {
        return error_set(
            error, ERROR_INVALID, "no_address", "to", "say to whom the test goes: `to` is %s",
            found->tells_accounts ? "an account's id such as `U0123ABCD`" : "an address");
    }
    *out =
        (struct notice_row){.channel = found->name,
                            .event = NOTICE_TEST_EVENT,
                            .recipient = to != NULL ? to
                                         : channel_asks_people(found)
                                             ? arena_text(operation->arena, operation->principal.id)
                                             : "",
                            .line = "",
                            .payload = found->notifier->shows_cards ? compose_test_card(operation)
                                                                    : test_payload(operation)};
    return insert_notice(operation, operation->principal.tenant, out, error);
}

/* ---- how channels fare ---- */

void operations_note_channel(struct operations *operations, size_t index,
                             const struct operations_channel_state *state)
{
    if (index < OPERATIONS_CHANNELS_MAX) {
        atomic_store(&operations->channel_states[index].problem, state->problem);
        atomic_store(&operations->channel_states[index].failures, state->failures);
        atomic_store(&operations->channel_states[index].in_flight, state->in_flight);
        atomic_store(&operations->channel_states[index].held, state->held);
        atomic_store(&operations->channel_states[index].open_until, state->open_until);
        bool fails = state->open_until != 0 || state->problem != NULL;
        bool did_fail = atomic_exchange(&operations->channel_states[index].fails, fails);
        metrics_add(operations->options.metrics, METRIC_CHANNELS_OPEN, fails - did_fail);
    }
}

bool operation_list_channels(struct operation *operation, const struct operations_channel **out,
                             struct operations_channel_state **out_states, size_t *out_count,
                             struct error *error)
{
    struct operations *operations = operation->operations;
    size_t count = operations->options.channel_count;
    if (!authorize(operation, OPERATION_LIST_NOTICES, NULL, NULL, error)) {
        return false;
    }
    struct operations_channel *own = arena_array(operation->arena, count, sizeof *own);
    *out_states = arena_array(operation->arena, count, sizeof **out_states);
    *out_count = 0;
    for (size_t i = 0; i < count && i < OPERATIONS_CHANNELS_MAX; i++) {
        if (!channel_is_of(&operations->options.channels[i], operation->principal.tenant)) {
            continue;
        }
        int unlinked = 0;
        int64_t muted = 0;
        if (!count_unlinked(operation, &operations->options.channels[i], &unlinked, error) ||
            !store_count_muted(operation->store, operation->principal.tenant,
                               operations->options.channels[i].name, &muted, error)) {
            return false;
        }
        own[*out_count] = operations->options.channels[i];
        (*out_states)[(*out_count)++] = (struct operations_channel_state){
            .unlinked = unlinked,
            .muted = muted,
            .problem = atomic_load(&operations->channel_states[i].problem),
            .failures = atomic_load(&operations->channel_states[i].failures),
            .in_flight = atomic_load(&operations->channel_states[i].in_flight),
            .held = atomic_load(&operations->channel_states[i].held),
            .open_until = atomic_load(&operations->channel_states[i].open_until)};
    }
    *out = own;
    return true;
}
