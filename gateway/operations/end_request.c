#include "base/check.h"
#include "operations/history_internal.h"
#include "operations/issue_grant.h"
#include "operations/request_internal.h"
#include <string.h>

bool find_transition(const struct request_row *request, enum request_event event,
                     const struct request_transition **out, struct error *error)
{
    const struct request_transition *transition = request_apply(request->state, event);
    if (transition == NULL) {
        return error_set(error, ERROR_INTERNAL, "refused_transition", request->id,
                         "a request that is %s cannot take the event %s",
                         request_state_name(request->state), request_event_name(event));
    }
    *out = transition;
    return true;
}

static void count_end(struct metrics *metrics, const struct request_row *request)
{
    switch (request->state) {
    case REQUEST_APPROVED:
        metrics_add(metrics,
                    request->reason == REASON_POLICY_ALLOW ? METRIC_REQUESTS_ALLOWED
                                                           : METRIC_REQUESTS_APPROVED,
                    1);
        return;
    case REQUEST_DENIED:
        metrics_add(metrics, METRIC_REQUESTS_DENIED, 1);
        return;
    case REQUEST_EXPIRED:
        metrics_add(metrics, METRIC_REQUESTS_EXPIRED, 1);
        return;
    case REQUEST_CANCELLED:
        metrics_add(metrics, METRIC_REQUESTS_CANCELLED, 1);
        return;
    case REQUEST_ABSENT:
    case REQUEST_PENDING:
    case REQUEST_STATE_COUNT:
        return;
    }
}

void apply_transition(struct operation *operation, struct request_row *request,
                      const struct request_transition *transition, const char *by)
{
    struct operations *operations = operation->operations;
    int64_t change =
        (transition->next == REQUEST_PENDING ? 1 : 0) - (request->state == REQUEST_PENDING ? 1 : 0);
    operations->place.pending_count += change;
    if (change != 0) {
        pending_counts_change(operations->pending_counts, request->caller, change);
    }
    request->state = transition->next;
    if (!request_is_final(transition->next)) {
        return;
    }
    request->reason = transition->reason;
    request->ended_at = operation->now;
    request->ended_by = arena_text(operation->arena, by);
    request->timeout_at = 0;
    request->due_at = 0;
    count_end(operations->options.metrics, request);
}

static enum ledger_entry_type entry_of_end(enum request_state state)
{
    switch (state) {
    case REQUEST_DENIED:
        return LEDGER_REQUEST_DENIED;
    case REQUEST_EXPIRED:
        return LEDGER_REQUEST_EXPIRED;
    case REQUEST_CANCELLED:
        return LEDGER_REQUEST_CANCELLED;
    case REQUEST_APPROVED: /* approve_request: its entry says who */
    case REQUEST_ABSENT:
    case REQUEST_PENDING:
    case REQUEST_STATE_COUNT:
        break;
    }
    return LEDGER_ENTRY_TYPE_NONE;
}

bool record_end(struct operation *operation, const struct request_row *request, bool is_by_gateway,
                struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_ended(&data, request->revision, request_reason_name(request->reason));
    struct record record = {
        .type = entry_of_end(request->state),
        .tenant = request->tenant,
        .request = request->id,
        .policy = request->state == REQUEST_DENIED ? request->policy : NULL,
        .digest = &request->digest,
        .data = &data,
        .is_by_gateway = is_by_gateway,
    };
    const char *event =
        arena_printf(operation->arena, "request.%s", request_state_name(request->state));
    return record_entry(operation, &record, error) &&
           tell_outside(operation, request, event, error) && tell_tasks(operation, request, error);
}

/* What was asked for, and what an edit had made of it: a person said no to both. */
static bool remember_denial(struct operation *operation, const struct request_row *request,
                            struct error *error)
{
    struct binding binding = bind_stored(request);
    if (!store_insert_denial(operation->store, request->tenant, &request->match_key,
                             &request->near_key, request->id, operation->now, error)) {
        return false;
    }
    if (request->revision == 1) {
        return true;
    }
    struct sha256 edited =
        binding_match_key(&binding, request->caller, operation->operations->options.match_secret);
    return store_insert_denial(operation->store, request->tenant, &edited, &request->near_key,
                               request->id, operation->now, error);
}

/* Where a principal ended it, the entry names them; everything else follows from rules. */
static bool is_by_principal(enum request_event event)
{
    return event == REQUEST_WITHDRAWN || event == REQUEST_CANCELLED_BY_ADMIN;
}

bool end_request(struct operation *operation, struct request_row *request, enum request_event event,
                 const char *by, struct error *error)
{
    const struct request_transition *transition;
    if (!find_transition(request, event, &transition, error)) {
        return false;
    }
    CHECK(request_is_final(transition->next) && transition->next != REQUEST_APPROVED);
    apply_transition(operation, request, transition, by);
    if (!store_update_request(operation->store, request, error) ||
        !record_end(operation, request, !is_by_principal(event), error) ||
        !note_ended(operation, request, error)) {
        return false;
    }
    operation_change_note(operation, request);
    return (transition->effects & REQUEST_REMEMBERS_DENIAL) == 0 ||
           remember_denial(operation, request, error);
}

static bool record_approved(struct operation *operation, const struct request_row *request,
                            const struct ledger_approved *approved, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_approved(&data, approved);
    struct record record = {
        .type = LEDGER_REQUEST_APPROVED,
        .tenant = request->tenant,
        .request = request->id,
        .policy = request->policy,
        .digest = &request->digest,
        .data = &data,
        .is_by_gateway = true,
    };
    return record_entry(operation, &record, error) &&
           tell_outside(operation, request, "request.approved", error) &&
           tell_tasks(operation, request, error);
}

bool approve_request(struct operation *operation, struct request_row *request,
                     enum request_event event, const struct ledger_assigned *assigned,
                     size_t assigned_count, const struct policy_grant *terms, bool mints,
                     struct grant_row *out_grant, struct error *error)
{
    bool is_new = request->state == REQUEST_ABSENT;
    const struct request_transition *transition;
    if (!find_transition(request, event, &transition, error)) {
        return false;
    }
    CHECK(transition->next == REQUEST_APPROVED);
    CHECK((transition->effects & REQUEST_ISSUES_GRANT) != 0);
    apply_transition(operation, request, transition, "");
    crypto_make_id("grt", operation->now, request->grant);
    struct ledger_approved approved = {.reason = request_reason_name(request->reason),
                                       .revision = request->revision,
                                       .assigned = assigned,
                                       .assigned_count = assigned_count};
    bool ok = is_new ? store_insert_request(operation->store, request, error)
                     : store_update_request(operation->store, request, error) &&
                           note_ended(operation, request, error);
    operation_change_note(operation, request);
    return ok && record_approved(operation, request, &approved, error) &&
           issue_grant(operation, request, terms, assigned, assigned_count, mints, out_grant,
                       error);
}
