#include "base/check.h"
#include "operations/request_internal.h"
#include <string.h>

static struct freeze_target target_of(const struct request_row *request)
{
    return (struct freeze_target){
        .tenant = request->tenant, .agent = request->agent, .action = request->action_name};
}

static struct request_freeze_span *list_spans(struct operation *operation,
                                              const struct freeze_row *freezes, size_t count)
{
    struct request_freeze_span *spans = arena_array(operation->arena, count, sizeof *spans);
    for (size_t i = 0; i < count; i++) {
        spans[i] = (struct request_freeze_span){.since_at = freezes[i].since_at,
                                                .until_at = freezes[i].until_at};
    }
    return spans;
}

bool settle_request(struct operation *operation, struct request_row *request, bool *out_is_frozen,
                    struct error *error)
{
    if (request->state != REQUEST_PENDING) {
        return is_frozen_now(operation, request, out_is_frozen, error);
    }
    struct freeze_target target = target_of(request);
    struct freeze_row *freezes;
    size_t count;
    if (!find_freezes(operation, &target, request->settled_at, &freezes, &count, error)) {
        return false;
    }
    struct request_clock before = {.settled_at = request->settled_at,
                                   .timeout_at = request->timeout_at,
                                   .due_at = request->due_at};
    struct request_clock after =
        request_settle_clock(before, list_spans(operation, freezes, count), count, operation->now);
    request->asked_at += after.timeout_at - before.timeout_at;
    request->settled_at = after.settled_at;
    request->timeout_at = after.timeout_at;
    request->due_at = after.due_at;
    *out_is_frozen = after.is_stopped;
    return true;
}

bool record_rungs(struct operation *operation, const struct request_row *request,
                  const struct policy_requirement *requirements, size_t count, int64_t after_ms,
                  int64_t until_ms, size_t *out_reached, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < requirements[i].rung_count; j++) {
            const struct policy_rung *rung = &requirements[i].ladder[j];
            if (rung->after_ms <= after_ms || rung->after_ms > until_ms) {
                continue;
            }
            struct builder data BUILDER_SCOPE;
            builder_init(&data, 0);
            ledger_data_rung(&data, (int64_t)i, (int64_t)j,
                             (struct ledger_texts){.items = rung->to, .count = rung->to_count});
            struct record record = {.type = LEDGER_RUNG_REACHED,
                                    .tenant = request->tenant,
                                    .request = request->id,
                                    .data = &data,
                                    .is_by_gateway = true};
            if (!record_entry(operation, &record, error)) {
                return false;
            }
            ++*out_reached;
        }
    }
    return true;
}

void plan_request(struct operation *operation, struct request_row *request,
                  const struct policy_requirement *requirements, size_t count, bool is_frozen)
{
    size_t requirement;
    size_t rung;
    int64_t next_rung_at = approvals_next_rung(requirements, count, request->asked_at,
                                               operation->now, &requirement, &rung);
    request->due_at = request->timeout_at;
    if (next_rung_at != 0 && next_rung_at < request->due_at) {
        request->due_at = next_rung_at;
    }
    if (is_frozen) {
        request->due_at = 0;
    }
    operation_note_due(operation, request->due_at);
}

static bool reach_rungs(struct operation *operation, struct request_row *request,
                        int64_t elapsed_before_ms, bool is_frozen, size_t *out_reached,
                        struct error *error)
{
    struct policy_requirement *requirements = NULL;
    size_t count = 0;
    CHECK(request->requirements != NULL);
    if (!policy_requirements_read(request->requirements, strlen(request->requirements),
                                  operation->arena, &requirements, &count, error) ||
        !record_rungs(operation, request, requirements, count, elapsed_before_ms,
                      operation->now - request->asked_at, out_reached, error)) {
        return false;
    }
    plan_request(operation, request, requirements, count, is_frozen);
    return true;
}

bool advance_request(struct operation *operation, struct request_row *request, bool *out_is_frozen,
                     struct error *error)
{
    const struct request_row before = *request;
    if (!settle_request(operation, request, out_is_frozen, error)) {
        return false;
    }
    if (request->state != REQUEST_PENDING) {
        return true;
    }
    if (operation->now >= request->timeout_at) {
        return end_request(operation, request, REQUEST_TIMED_OUT, "", error);
    }
    size_t reached = 0;
    if (!reach_rungs(operation, request, before.settled_at - before.asked_at, *out_is_frozen,
                     &reached, error)) {
        return false;
    }
    if (reached == 0 && request->due_at == before.due_at) {
        return true;
    }
    if (reached > 0) {
        const struct request_transition *transition;
        if (!find_transition(request, REQUEST_RUNG_DUE, &transition, error)) {
            return false;
        }
        apply_transition(operation, request, transition, "");
        operation_change_note(operation, request);
        if (!tell_outside(operation, request, "request.escalated", error)) {
            return false;
        }
    }
    return store_update_request(operation->store, request, error);
}
