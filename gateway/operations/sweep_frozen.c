/* Unredeemed grants that a freeze covers are revoked in batches, so that a freeze of a million
 * grants takes effect at once (redemption asks for freezes) and is carried out soon after. */

#include "operations/grant_operations.h"
#include "operations/issue_grant.h"
#include "operations/operations_internal.h"

bool find_grant_freezes(struct operation *operation, const struct grant_row *grant,
                        const char *action, bool *out_is_frozen, struct error *error)
{
    struct freeze_target target = {
        .tenant = grant->tenant, .agent = grant->agent, .action = action};
    struct freeze_row *freezes;
    size_t count;
    if (!find_freezes(operation, &target, grant->issued_at, &freezes, &count, error)) {
        return false;
    }
    *out_is_frozen = count > 0;
    return true;
}

static bool sweep_one(struct operation *operation, struct grant_row *grant, struct error *error)
{
    struct request_row request;
    bool is_frozen;
    if (!store_read_request(operation->store, grant->tenant, grant->request, operation->arena,
                            &request, error) ||
        !find_grant_freezes(operation, grant, request.action_name, &is_frozen, error)) {
        return false;
    }
    return !is_frozen || revoke_issued_grant(operation, grant, "frozen", error);
}

bool sweep_frozen_grants(struct operation *operation, size_t limit, size_t *out_done,
                         bool *out_has_more, struct error *error)
{
    int64_t is_sweeping;
    char *cursor;
    struct grant_row *grants;
    size_t count;
    *out_done = 0;
    *out_has_more = false;
    if (!store_get_number(operation->store, "freeze_sweeping", &is_sweeping, error)) {
        return false;
    }
    if (is_sweeping == 0) {
        return true;
    }
    if (!store_get_text(operation->store, "freeze_cursor", operation->arena, &cursor, error) ||
        !store_list_issued_grants(operation->store, NULL, cursor == NULL ? "" : cursor, limit,
                                  operation->arena, &grants, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!sweep_one(operation, &grants[i], error)) {
            return false;
        }
    }
    *out_done = count;
    *out_has_more = count == limit;
    if (*out_has_more) {
        return store_set_text(operation->store, "freeze_cursor", grants[count - 1].id, error);
    }
    return store_set_number(operation->store, "freeze_sweeping", 0, error);
}
