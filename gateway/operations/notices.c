#include "operations/notice_operations.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include "ledger/entry_data.h"
#include "operations/gateway_time.h"
#include "operations/request_internal.h"
#include <stdatomic.h>
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

static void note_due(struct operations *operations, int64_t due_at)
{
    int64_t known = atomic_load(&operations->notices_due_at);
    while ((known == 0 || due_at < known) &&
           !atomic_compare_exchange_weak(&operations->notices_due_at, &known, due_at)) {
    }
}

bool tell_outside(struct operation *operation, const struct request_row *request, const char *event,
                  struct error *error)
{
    struct operations *operations = operation->operations;
    const struct operations_options *options = &operations->options;
    if (options->channel_count == 0 || request->requirements == NULL) {
        return true; /* what people were never asked about is nothing to tell them */
    }
    const char *payload = payload_of(operation, request, event);
    for (size_t i = 0; i < options->channel_count; i++) {
        struct notice_row notice = {.channel = options->channels[i],
                                    .event = event,
                                    .request = request->id,
                                    .payload = payload,
                                    .created_at = operation->now,
                                    .due_at = operation->now,
                                    .state = "waiting"};
        crypto_make_id("ntc", operation->now, notice.id);
        memcpy(notice.tenant, request->tenant, sizeof notice.tenant);
        if (!store_insert_notice(operation->store, &notice, error)) {
            return false;
        }
    }
    note_due(operations, operation->now);
    return true;
}

int64_t operations_notices_due_at(const struct operations *operations)
{
    return gateway_time_in_wall(operations, atomic_load(&operations->notices_due_at));
}

/* ---- settling them ---- */

static bool record_notice(struct operation *operation, const struct notice_row *notice,
                          enum ledger_entry_type type, const char *reason, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_notice(&data, &(struct ledger_notice){.notice = notice->id,
                                                      .channel = notice->channel,
                                                      .purpose = notice->event,
                                                      .reason = reason,
                                                      .attempt = notice->attempts});
    struct record record = {.type = type,
                            .tenant = notice->tenant,
                            .request = notice->request,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

bool operation_settle_notice(struct operation *operation, struct notice_row *notice,
                             const struct notice_settlement *settlement, struct error *error)
{
    static const enum ledger_entry_type types[] = {LEDGER_NOTICE_FAILED, LEDGER_NOTICE_SENT,
                                                   LEDGER_NOTICE_DEAD};
    static const char *const states[] = {"waiting", "sent", "dead"};
    struct metrics *metrics = operation->operations->options.metrics;
    notice->attempts++;
    notice->state = states[settlement->outcome];
    notice->last_error = settlement->reason;
    notice->due_at =
        operation->now + (settlement->outcome == NOTICE_RETRY ? settlement->retry_after_ms : 0);
    if (!store_settle_notice(operation->store, notice, error) ||
        !record_notice(operation, notice, types[settlement->outcome], settlement->reason, error)) {
        return false;
    }
    if (settlement->outcome == NOTICE_RETRY) {
        note_due(operation->operations, notice->due_at);
    } else {
        metrics_add(metrics,
                    settlement->outcome == NOTICE_SENT ? METRIC_NOTICES_SENT : METRIC_NOTICES_DEAD,
                    1);
    }
    return true;
}

static bool is_prompt(const char *event)
{
    return strcmp(event, "request.pending") == 0 || strcmp(event, "request.escalated") == 0 ||
           strcmp(event, "request.edited") == 0;
}

/* A prompt that could not be delivered in time asks nobody for anything any more. */
static bool is_stale(struct operation *operation, const struct notice_row *notice,
                     bool *out_is_stale, struct error *error)
{
    struct request_row request;
    *out_is_stale = false;
    if (notice->attempts == 0 || notice->request == NULL || !is_prompt(notice->event)) {
        return true;
    }
    if (!store_read_request(operation->store, notice->tenant, notice->request, operation->arena,
                            &request, error)) {
        return false;
    }
    *out_is_stale = request.state != REQUEST_PENDING;
    return true;
}

bool operation_lease_notices(struct operation *operation, struct notice_row **out,
                             size_t *out_count, struct error *error)
{
    struct notice_row *rows = NULL;
    size_t count = 0;
    size_t kept = 0;
    int64_t next = 0;
    if (!authorize(operation, OPERATION_DELIVER_NOTICES, NULL, NULL, error) ||
        !store_lease_notices(operation->store, operation->now, NOTICE_LEASE_MS, NOTICES_LEASED_MAX,
                             operation->arena, &rows, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool stale = false;
        if (!is_stale(operation, &rows[i], &stale, error)) {
            return false;
        }
        if (!stale) {
            rows[kept++] = rows[i];
        } else if (!operation_settle_notice(operation, &rows[i],
                                            &(struct notice_settlement){.outcome = NOTICE_DEAD,
                                                                        .reason = "request_ended"},
                                            error)) {
            return false;
        }
    }
    if (!store_next_notice_at(operation->store, &next, error)) {
        return false;
    }
    /* A full page may have more behind it that is due now. */
    atomic_store(&operation->operations->notices_due_at,
                 count == NOTICES_LEASED_MAX ? operation->now : next);
    *out = rows;
    *out_count = kept;
    return true;
}

/* ---- for people ---- */

bool operation_list_notices(struct operation *operation, const char *state, const char *before_id,
                            size_t limit, struct notice_row **out, size_t *out_count,
                            struct error *error)
{
    return authorize(operation, OPERATION_LIST_NOTICES, NULL, NULL, error) &&
           store_list_notices(operation->store, operation->principal.tenant, state, before_id,
                              limit, operation->arena, out, out_count, error);
}

bool operation_resend_notice(struct operation *operation, const char *id, struct notice_row *out,
                             struct error *error)
{
    if (!authorize(operation, OPERATION_RESEND_NOTICE, NULL, NULL, error) ||
        !store_revive_notice(operation->store, operation->principal.tenant, id, operation->now,
                             operation->arena, out, error)) {
        return false;
    }
    note_due(operation->operations, operation->now);
    return record_notice(operation, out, LEDGER_NOTICE_FAILED, "resent", error);
}
