#include "operations/history_internal.h"
#include "operations/issue_grant.h"
#include "operations/request_internal.h"
#include <string.h>

enum { PURGE_EVERY_MS = 60 * 1000 };

/* How much of the limit is left, and whether anything waits although its time has come. */
struct due_work {
    struct operation *operation;
    size_t limit;
    size_t done;
    bool has_more;
};

static size_t left(const struct due_work *work)
{
    return work->limit - work->done;
}

static void count_done(struct due_work *work, size_t done, bool has_more)
{
    work->done += done;
    work->has_more = work->has_more || has_more;
}

static bool advance_due(struct due_work *work, struct error *error)
{
    struct operation *operation = work->operation;
    struct request_reference *due;
    size_t count;
    if (!store_list_due_requests(operation->store, operation->now, left(work), operation->arena,
                                 &due, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct request_row request;
        bool is_frozen;
        if (!store_read_request(operation->store, due[i].tenant, due[i].id, operation->arena,
                                &request, error) ||
            !advance_request(operation, &request, &is_frozen, error)) {
            return false;
        }
    }
    count_done(work, count, count == left(work));
    return true;
}

static bool lapse(struct operation *operation, struct grant_row *grant, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_reason(&data, "lapsed");
    grant->ended_at = operation->now;
    grant->ended_reason = "lapsed";
    grant->due_at = 0;
    return apply_grant_event(grant, GRANT_CLAIM_WINDOW_OVER, error) &&
           store_update_grant(operation->store, grant, error) &&
           record_grant(operation, LEDGER_GRANT_LAPSED, grant, &data, false, true, error);
}

/* Nobody said what happened: the effect stays open, and the same action needs a person. */
static bool give_up_on_effect(struct operation *operation, struct grant_row *grant,
                              struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_effect(&data, "unknown", NULL);
    grant->due_at = 0;
    metrics_add(operation->operations->options.metrics, METRIC_EFFECTS_UNKNOWN, 1);
    return apply_grant_event(grant, GRANT_EFFECT_OVERDUE, error) &&
           store_update_grant(operation->store, grant, error) &&
           record_grant(operation, LEDGER_EFFECT_UNKNOWN, grant, &data, false, true, error);
}

static bool settle_grants(struct due_work *work, struct error *error)
{
    struct operation *operation = work->operation;
    struct grant_row *grants;
    size_t count;
    if (!store_list_due_grants(operation->store, operation->now, left(work), operation->arena,
                               &grants, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool ok = grants[i].state == GRANT_ISSUED ? lapse(operation, &grants[i], error)
                                                  : give_up_on_effect(operation, &grants[i], error);
        if (!ok) {
            return false;
        }
        operation_grant_note(operation, &grants[i]);
    }
    count_done(work, count, count == left(work));
    return true;
}

static bool sweep(struct due_work *work, struct error *error)
{
    size_t done = 0;
    bool has_more = false;
    if (!sweep_frozen_grants(work->operation, left(work), &done, &has_more, error)) {
        return false;
    }
    count_done(work, done, has_more);
    return true;
}

static bool reevaluate(struct due_work *work, struct error *error)
{
    size_t done = 0;
    bool has_more = false;
    if (!reevaluate_more(work->operation, left(work), &done, &has_more, error)) {
        return false;
    }
    count_done(work, done, has_more);
    return true;
}

static bool count_past(struct due_work *work, struct error *error)
{
    bool has_more = false;
    if (!count_past_history(work->operation, &has_more, error)) {
        return false;
    }
    count_done(work, 0, has_more);
    return true;
}

static bool purge(struct due_work *work, struct error *error)
{
    struct operation *operation = work->operation;
    int64_t purged;
    if (operation->now < operation->operations->purge_due_at) {
        return true;
    }
    operation->operations->purge_due_at = operation->now + PURGE_EVERY_MS;
    return store_purge_expired(operation->store, operation->now, OPERATIONS_BATCH_MAX, &purged,
                               error) &&
           purge_history(operation, error);
}

bool operation_escalate_due(struct operation *operation, size_t limit, size_t *out_done,
                            int64_t *out_next_due_at, struct error *error)
{
    static bool (*const steps[])(struct due_work *, struct error *) = {
        advance_due, settle_grants, sweep, reevaluate, count_past};
    struct due_work work = {.operation = operation,
                            .limit = limit > OPERATIONS_BATCH_MAX ? OPERATIONS_BATCH_MAX : limit};
    int64_t next_due_at;
    if (!authorize(operation, OPERATION_ESCALATE_DUE, NULL, NULL, error)) {
        return false;
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (left(&work) == 0) {
            work.has_more = true;
        } else if (!steps[i](&work, error)) {
            return false;
        }
    }
    if (!purge(&work, error) || !store_next_due_at(operation->store, &next_due_at, error)) {
        return false;
    }
    *out_done = work.done;
    *out_next_due_at = work.has_more ? operation->now : next_due_at;
    atomic_store(&operation->operations->next_due_at, *out_next_due_at);
    return true;
}
