#include "operations/authorize.h"
#include "operations/ledger_internal.h"
#include "operations/policy_operations.h"
#include "operations/request_internal.h"

bool operation_may_read_policies(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_READ_POLICY, NULL, NULL, error);
}

static bool read_standing(struct operation *operation, struct policy_versions *out,
                          struct error *error)
{
    struct policy_row current;
    bool is_found;
    char *chosen;
    if (!store_current_policy(operation->store, operation->arena, &current, &is_found, error) ||
        !store_get_text(operation->store, POLICY_CHOICE, operation->arena, &chosen, error)) {
        return false;
    }
    out->in_force = is_found ? current.version : "";
    out->chosen = chosen == NULL || chosen[0] == '\0' ? NULL : chosen;
    return true;
}

bool operation_list_policies(struct operation *operation, int64_t before, size_t limit,
                             struct policy_versions *out, struct error *error)
{
    *out = (struct policy_versions){0};
    limit = limit > STORE_PAGE_MAX ? STORE_PAGE_MAX : limit;
    if (!operation_may_read_policies(operation, error) || !read_standing(operation, out, error) ||
        !store_list_policies(operation->store, before, limit, operation->arena, &out->rows,
                             &out->count, error)) {
        return false;
    }
    bool is_full = out->count > 0 && out->count == limit;
    out->next = is_full ? out->rows[out->count - 1].publication : 0;
    return true;
}

bool operation_read_policy(struct operation *operation, const char *version, struct policy_row *out,
                           struct error *error)
{
    struct error missing = {0};
    bool is_found = false;
    if (!operation_may_read_policies(operation, error)) {
        return false;
    }
    if (version != NULL) {
        return store_read_policy(operation->store, version, operation->arena, out, &missing) ||
               hide_missing(&missing, version, error);
    }
    if (!store_current_policy(operation->store, operation->arena, out, &is_found, error)) {
        return false;
    }
    return is_found || authorize_not_found(error, NULL);
}

bool operation_read_past_request(struct operation *operation, const char *id,
                                 struct request_row *out, struct policy_input *out_input,
                                 struct error *error)
{
    struct error missing = {0};
    if (!operation_may_read_policies(operation, error)) {
        return false;
    }
    if (!store_read_request(operation->store, operation->principal.tenant, id, operation->arena,
                            out, &missing)) {
        return hide_missing(&missing, id, error);
    }
    *out_input = policy_input_of(out);
    return true;
}
