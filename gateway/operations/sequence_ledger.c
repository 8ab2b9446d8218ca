/* The writer's hooks: entries get their seq when they are recorded, and the tree grows by a batch's
 * leaves at once, in the transaction that stores them. A rolled back job or batch leaves nothing
 * behind. */

#include "base/check.h"
#include "base/clock.h"
#include "ledger/entry_data.h"
#include "operations/gateway_time.h"
#include "operations/ledger_internal.h"
#include <stdlib.h>

void ledger_begin(struct operations *operations)
{
    CHECK(operations->place.leaf_count == 0);
    CHECK(operations->place.next_seq == operations->tree.size);
    struct ledger_watch *watch = &operations->watch;
    operations->place_at_begin = operations->place;
    operations->place_at_savepoint = operations->place;
    operations->history_at_begin = operations->history;
    operations->history_at_savepoint = operations->history;
    watch->tree_at_begin = operations->tree;
    watch->covered_size_at_begin = watch->covered_size;
    watch->covered_tick_at_begin = watch->covered_tick;
    watch->step_ms_at_begin = watch->step_ms;
    policies_begin(operations);
    pending_counts_begin(operations->pending_counts);
}

/* What other threads may ask. */
static void publish_facts(struct operations *operations)
{
    atomic_store(&operations->is_frozen_by_rollback, operations->place.is_frozen_by_rollback);
    atomic_store(&operations->has_policy, operations->policy != NULL);
    metrics_set(operations->options.metrics, METRIC_LEDGER_ENTRIES, (int64_t)operations->tree.size);
    metrics_set(operations->options.metrics, METRIC_REQUESTS_PENDING,
                operations->place.pending_count);
    metrics_set(operations->options.metrics, METRIC_FROZEN, operations->place.freeze_count);
}

void ledger_abort(struct operations *operations)
{
    struct ledger_watch *watch = &operations->watch;
    operations->place = operations->place_at_begin;
    operations->history = operations->history_at_begin;
    operations->tree = watch->tree_at_begin;
    watch->covered_size = watch->covered_size_at_begin;
    watch->covered_tick = watch->covered_tick_at_begin;
    watch->step_ms = watch->step_ms_at_begin;
    policies_abort(operations);
    pending_counts_abort(operations->pending_counts);
    publish_facts(operations);
    atomic_store(&operations->next_due_at, 1);
}

struct growth {
    struct operations *operations;
    struct store *store;
    struct error *error;
    bool ok;
};

static void keep_node(void *context, unsigned level, uint64_t index, const struct sha256 *hash)
{
    struct growth *growth = context;
    if (growth->ok && level > 0 && level % TREE_LEVELS_KEPT == 0) {
        growth->ok = store_insert_node(growth->store, growth->operations->epoch, (int)level,
                                       (int64_t)index, hash, growth->error);
    }
}

static bool append_leaves(struct operations *operations, struct store *store, struct error *error)
{
    struct growth growth = {.operations = operations, .store = store, .error = error, .ok = true};
    for (size_t i = 0; i < operations->place.leaf_count && growth.ok; i++) {
        tree_append(&operations->tree, &operations->leaves[i], keep_node, &growth);
    }
    operations->place.leaf_count = 0;
    return growth.ok;
}

static bool sign_head(struct operations *operations, struct store *store, int64_t now,
                      const struct sha256 *root, struct error *error)
{
    struct checkpoint checkpoint = {.size = operations->tree.size, .root = *root};
    struct builder note BUILDER_SCOPE;
    builder_init(&note, 0);
    if (!checkpoint_origin(checkpoint.origin, operations->options.origin, operations->epoch,
                           error) ||
        !checkpoint_sign(&note, &checkpoint, operations->options.ledger_signer, error)) {
        return false;
    }
    struct checkpoint_row row = {.epoch = operations->epoch,
                                 .size = (int64_t)checkpoint.size,
                                 .at = now,
                                 .root = *root,
                                 .note = note.bytes};
    if (!store_insert_checkpoint(store, &row, error)) {
        return false;
    }
    operations->watch.covered_size = checkpoint.size;
    operations->watch.covered_tick = clock_boot_ms();
    return true;
}

static bool note_step(struct operations *operations, struct store *store, int64_t now,
                      struct error *error)
{
    struct arena *scratch ARENA_SCOPE = arena_create();
    struct operation operation;
    operation_begin_system(&operation, operations, store, scratch, now);
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_stepped(&data, operations->watch.step_ms);
    struct record record = {
        .type = LEDGER_CLOCK_STEPPED, .tenant = "", .data = &data, .is_by_gateway = true};
    if (!record_entry(&operation, &record, error)) {
        return false;
    }
    operations->watch.step_ms = 0;
    return true;
}

/* When due work must come by, so that the newest entries are covered within a second even when
 * nothing more arrives. */
static void set_checkpoint_due(struct operations *operations)
{
    const struct ledger_watch *watch = &operations->watch;
    int64_t due_at = 0;
    if (operations->tree.size > watch->covered_size) {
        due_at = operations->wall_high_water + watch->covered_tick + LEDGER_CHECKPOINT_EVERY_MS -
                 operations->high_water_tick;
    }
    atomic_store(&operations->checkpoint_due_at, due_at);
}

bool ledger_finish(struct operations *operations, struct store *store, int64_t now, bool signs_now,
                   struct error *error)
{
    struct ledger_watch *watch = &operations->watch;
    if (watch->step_ms != 0 && !note_step(operations, store, now, error)) {
        return false;
    }
    bool has_grown = operations->place.leaf_count > 0;
    if (!append_leaves(operations, store, error)) {
        return false;
    }
    int64_t tick = clock_boot_ms();
    bool signs = operations->tree.size > watch->covered_size &&
                 (signs_now || tick - watch->covered_tick >= LEDGER_CHECKPOINT_EVERY_MS);
    if (has_grown || signs) {
        struct ledger_head_row head = {.epoch = operations->epoch,
                                       .size = operations->tree.size,
                                       .root = tree_root(&operations->tree)};
        if ((signs && !sign_head(operations, store, now, &head.root, error)) ||
            !store_head(store, &head, error) ||
            !gateway_time_store(operations, store, now, error)) {
            return false;
        }
    }
    if (operations->place.fence_number != operations->place_at_begin.fence_number &&
        !store_set_number(store, "fence_number", operations->place.fence_number, error)) {
        return false;
    }
    set_checkpoint_due(operations);
    publish_facts(operations);
    return true;
}

bool ledger_write_mark(struct operations *operations, struct error *error)
{
    struct store_mark mark = {.epoch = operations->epoch,
                              .entries = (int64_t)operations->tree.size,
                              .root = tree_root(&operations->tree),
                              .fence_number = operations->place.fence_number,
                              .wall_at = operations->wall_high_water};
    return store_mark_write(operations->options.mark_file, &mark, error);
}

/* A step of the wall clock either way is seen against the boot clock and becomes an entry of the
 * batch. */
static int64_t on_read_now(void *context, struct store *store)
{
    (void)store;
    struct operations *operations = context;
    struct ledger_watch *watch = &operations->watch;
    int64_t wall = clock_wall_ms();
    int64_t tick = clock_boot_ms();
    if (watch->wall_at != 0) {
        int64_t step = (wall - watch->wall_at) - (tick - watch->wall_tick);
        if (llabs(step) > LEDGER_STEP_NOTED_MS) {
            watch->step_ms += step;
        }
    }
    atomic_store(&operations->boot_ms, tick);
    watch->wall_at = wall;
    watch->wall_tick = tick;
    return gateway_time_advance(operations, wall, tick);
}

static void on_begin(void *context, struct store *store, int64_t now)
{
    (void)store;
    (void)now;
    ledger_begin(context);
}

static bool on_finish(void *context, struct store *store, int64_t now, struct error *error)
{
    return ledger_finish(context, store, now, false, error);
}

static void on_abort(void *context)
{
    ledger_abort(context);
}

static void on_savepoint(void *context)
{
    struct operations *operations = context;
    operations->place_at_savepoint = operations->place;
    operations->history_at_savepoint = operations->history;
    policies_savepoint(operations);
    pending_counts_savepoint(operations->pending_counts);
}

static void on_rollback(void *context)
{
    struct operations *operations = context;
    operations->place = operations->place_at_savepoint;
    operations->history = operations->history_at_savepoint;
    policies_rollback(operations);
    pending_counts_rollback(operations->pending_counts);
    atomic_store(&operations->next_due_at, 1);
}

static bool on_write_mark(void *context, struct error *error)
{
    return ledger_write_mark(context, error);
}

static void on_idle(void *context, struct store *store, int64_t now)
{
    (void)now;
    check_next_entries(context, store);
}

void operations_fill_hooks(struct operations *operations, struct store_writer_options *hooks)
{
    hooks->context = operations;
    hooks->read_now = on_read_now;
    hooks->begin = on_begin;
    hooks->finish = on_finish;
    hooks->abort = on_abort;
    hooks->savepoint = on_savepoint;
    hooks->rollback = on_rollback;
    hooks->write_mark = on_write_mark;
    hooks->idle = on_idle;
}
