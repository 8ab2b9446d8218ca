#include "operations/ledger_internal.h"

#include "operations/operations.h"

bool operations_publish_at_start(struct operations *operations, struct store *store, int64_t now,
                                 struct policy *policy_take, const char *files, struct error *error)
{
    struct turn turn;
    bool changed = false;
    if (!turn_begin(&turn, operations, store, now, error)) {
        policy_destroy(policy_take);
        return false;
    }
    bool ok = operation_publish_policy(&turn.operation, policy_take, files, &changed, error);
    return turn_end(&turn, ok, changed, error);
}
