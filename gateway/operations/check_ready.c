#include "operations/gateway_time.h"

bool operations_is_ready(const struct operations *operations, const char **out_why)
{
    if (!atomic_load(&operations->is_started)) {
        *out_why = "not started, or stopping";
        return false;
    }
    if (atomic_load(&operations->is_frozen_by_rollback)) {
        *out_why = "the store was rolled back and everything is frozen: run `countersign recover` "
                   "on the host";
        return false;
    }
    if (atomic_load(&operations->is_damaged)) {
        *out_why = operations->check.damage;
        return false;
    }
    if (!atomic_load(&operations->has_policy)) {
        *out_why = "no policy is in force yet";
        return false;
    }
    *out_why = NULL;
    return true;
}

int64_t operations_next_due_at(const struct operations *operations)
{
    int64_t due_at = atomic_load(&operations->next_due_at);
    int64_t checkpoint_due_at = atomic_load(&operations->checkpoint_due_at);
    if (due_at == 0 || (checkpoint_due_at != 0 && checkpoint_due_at < due_at)) {
        due_at = checkpoint_due_at;
    }
    return gateway_time_in_wall(operations, due_at);
}
