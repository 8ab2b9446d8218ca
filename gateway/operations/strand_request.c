#include "operations/request_internal.h"

/*
 * A pending request that nobody may approve any more says so at once: in its view, in the ledger,
 * to dashboards and channels. It stays pending: it can be denied, and somebody may join the group.
 */

static bool record_stranded(struct operation *operation, const struct request_row *request,
                            struct error *error)
{
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    ledger_data_stranded(&data, request->is_stranded);
    struct record record = {.type = LEDGER_REQUEST_STRANDED,
                            .tenant = request->tenant,
                            .request = request->id,
                            .data = &data,
                            .is_by_gateway = true};
    return record_entry(operation, &record, error);
}

bool say_stranded(struct operation *operation, const struct request_row *request,
                  struct error *error)
{
    return record_stranded(operation, request, error) &&
           (!request->is_stranded || tell_outside(operation, request, "request.stranded", error));
}

bool settle_stranded(struct operation *operation, struct request_row *request, bool *out_changed,
                     struct error *error)
{
    bool can_be = true;
    *out_changed = false;
    if (request->state != REQUEST_PENDING) {
        return true;
    }
    if (!can_be_approved(operation, request, &can_be, error)) {
        return false;
    }
    if (request->is_stranded == !can_be) {
        return true;
    }
    *out_changed = true;
    request->is_stranded = !can_be;
    return store_update_request(operation->store, request, error) &&
           say_stranded(operation, request, error);
}

static bool look_at(struct operation *operation, struct arena *scratch, struct request_row *request,
                    struct error *error)
{
    struct operation aside = *operation;
    bool is_frozen;
    bool has_changed = false;
    aside.arena = scratch;
    if (!request->is_stranded) {
        return true;
    }
    if (!settle_request(&aside, request, &is_frozen, error) ||
        !settle_stranded(&aside, request, &has_changed, error)) {
        return false;
    }
    if (has_changed) {
        operation_change_note(operation, request);
    }
    return true;
}

bool free_stranded(struct operation *operation, const char *tenant, struct error *error)
{
    int64_t after_row = 0;
    for (size_t count = OPERATIONS_BATCH_MAX; count == OPERATIONS_BATCH_MAX;) {
        struct arena *scratch ARENA_SCOPE = arena_create();
        struct request_row *requests;
        if (!store_list_pending(operation->store, tenant, after_row, OPERATIONS_BATCH_MAX, scratch,
                                &requests, &count, error)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            after_row = requests[i].row;
            if (!look_at(operation, scratch, &requests[i], error)) {
                return false;
            }
        }
    }
    return true;
}
