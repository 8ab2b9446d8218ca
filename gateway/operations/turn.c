#include "base/clock.h"
#include "operations/gateway_time.h"
#include "operations/ledger_internal.h"

bool turn_begin(struct turn *turn, struct operations *operations, struct store *store, int64_t now,
                struct error *error)
{
    if (!store_begin(store, error)) {
        return false;
    }
    now = gateway_time_advance(operations, now, clock_boot_ms());
    ledger_begin(operations);
    operation_begin_system(&turn->operation, operations, store, arena_create(), now);
    return true;
}

bool turn_end(struct turn *turn, bool ok, bool signs_now, struct error *error)
{
    struct operation *operation = &turn->operation;
    struct store *store = operation->store;
    ok = ok && ledger_finish(operation->operations, store, operation->now, signs_now, error);
    if (!ok) {
        store_roll_back(store);
    }
    ok = ok && store_commit(store, error);
    if (!ok) {
        ledger_abort(operation->operations);
    }
    arena_destroy(operation->arena);
    operation->arena = NULL;
    return ok;
}
