#include "base/clock.h"
#include "ledger/entry_data.h"
#include "operations/history_internal.h"
#include "operations/ledger_internal.h"

static bool record_detail(struct operation *operation, enum ledger_entry_type type,
                          const char *detail, struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_detail(&data, detail);
    struct record record = {.type = type, .tenant = "", .data = &data, .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

/* The mark exists before the first entry does: a store with entries and no mark was rolled back. */
static bool write_first_mark(struct operations *operations, int64_t now, struct error *error)
{
    struct tree empty;
    tree_init(&empty);
    struct store_mark mark = {.epoch = 1, .root = tree_root(&empty), .wall_at = now};
    return store_mark_write(operations->options.mark_file, &mark, error);
}

static bool note_started(struct operations *operations, struct store *store, int64_t now,
                         bool is_first, struct error *error)
{
    struct turn turn;
    if (!turn_begin(&turn, operations, store, now, error)) {
        return false;
    }
    bool ok = (!is_first || begin_first_epoch(&turn.operation, error)) &&
              record_detail(&turn.operation, LEDGER_GATEWAY_STARTED, COUNTERSIGN_VERSION, error);
    return turn_end(&turn, ok, true, error) && ledger_write_mark(operations, error);
}

static bool clear_after_rollback(struct operations *operations, struct store *store, int64_t now,
                                 bool is_behind, struct error *error)
{
    if (is_behind && !begin_epoch_after_rollback(operations, store, now, error)) {
        return false;
    }
    bool has_more = true;
    while (has_more) {
        if (!rollback_step(operations, store, now, &has_more, error)) {
            return false;
        }
    }
    return true;
}

/* Before anything else happens: what follows counts on from here. */
static bool read_freezes(struct operations *operations, struct store *store, struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct freeze_row *freezes;
    size_t count;
    if (!store_list_freezes(store, true, 0, scratch, &freezes, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        operations->place.is_frozen_by_rollback |= is_rollback_freeze(&freezes[i]);
    }
    operations->place.freeze_count = (int64_t)count;
    return true;
}

static bool read_pending(struct operations *operations, struct store *store, struct error *error)
{
    int64_t due_at;
    int64_t pending_count;
    if (!store_next_due_at(store, &due_at, error) ||
        !store_count_pending(store, OPERATIONS_DEFAULT_TENANT, NULL, &pending_count, error)) {
        return false;
    }
    atomic_store(&operations->next_due_at, due_at);
    operations->place.pending_count = pending_count;
    metrics_set(operations->options.metrics, METRIC_REQUESTS_PENDING, pending_count);
    return true;
}

bool operations_start(struct operations *operations, struct store *store, int64_t now,
                      bool *out_rolled_back, struct error *error)
{
    enum ledger_standing standing;
    atomic_store(&operations->boot_ms, clock_boot_ms());
    if (!load_ledger(operations, store, error) || !read_freezes(operations, store, error) ||
        !load_history(operations, store, error) ||
        !judge_standing(operations, store, &standing, error)) {
        return false;
    }
    bool is_first = standing == LEDGER_STANDING_FIRST;
    bool is_behind = standing == LEDGER_STANDING_BEHIND;
    if ((is_first && !write_first_mark(operations, now, error)) ||
        !clear_after_rollback(operations, store, now, is_behind, error) ||
        !note_started(operations, store, now, is_first, error) ||
        !read_pending(operations, store, error)) {
        return false;
    }
    *out_rolled_back = atomic_load(&operations->is_frozen_by_rollback);
    atomic_store(&operations->is_started, true);
    return true;
}

bool operations_stop(struct operations *operations, struct store *store, int64_t now,
                     struct error *error)
{
    if (!atomic_exchange(&operations->is_started, false)) {
        return true;
    }
    struct turn turn;
    if (!turn_begin(&turn, operations, store, now, error)) {
        return false;
    }
    bool ok = record_detail(&turn.operation, LEDGER_GATEWAY_STOPPED, COUNTERSIGN_VERSION, error);
    return turn_end(&turn, ok, true, error) && ledger_write_mark(operations, error);
}
