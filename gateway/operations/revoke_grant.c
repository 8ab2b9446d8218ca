#include "formats/text.h"
#include "operations/authorize.h"
#include "operations/grant_operations.h"
#include "operations/issue_grant.h"
#include <string.h>

bool revoke_issued_grant(struct operation *operation, struct grant_row *grant, const char *reason,
                         struct error *error)
{
    if (!apply_grant_event(grant, GRANT_REVOKE, error)) {
        return false;
    }
    grant->ended_at = operation->now;
    grant->ended_reason = reason;
    grant->due_at = 0;
    struct builder data BUILDER_SCOPE;
    builder_init(&data, 0);
    /* The reason's first word; what a person wrote behind it stays out of the ledger. */
    ledger_data_reason(&data, arena_copy(operation->arena, reason, strcspn(reason, ":")));
    operation_grant_note(operation, grant);
    return store_update_grant(operation->store, grant, error) &&
           record_grant(operation, LEDGER_GRANT_REVOKED, grant, &data, false, false, error);
}

bool revoke_grants_resting_on(struct operation *operation, const char *person, const char *reason,
                              struct error *error)
{
    struct grant_row *grants;
    size_t count;
    if (!store_list_issued_grants_resting_on(operation->store, person, operation->arena, &grants,
                                             &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!revoke_issued_grant(operation, &grants[i], reason, error)) {
            return false;
        }
    }
    return true;
}

static const char *reason_of(struct operation *operation, const struct authorize_facts *facts,
                             const char *why)
{
    const char *word = facts->is_own         ? "revoked_by_holder"
                       : facts->is_relied_on ? "revoked_by_approver"
                                             : "revoked_by_admin";
    if (why == NULL || why[0] == '\0') {
        return word;
    }
    return arena_printf(operation->arena, "%s: %s", word, operation_bounded_text(operation, why));
}

bool operation_revoke_grant(struct operation *operation, const char *grant, const char *why,
                            enum grant_state *out_state, struct error *error)
{
    struct grant_row row;
    struct authorize_facts facts;
    if (!find_grant(operation, grant, &row, &facts, error) ||
        !authorize(operation, OPERATION_REVOKE_GRANT, &facts, grant, error)) {
        return false;
    }
    if (row.state == GRANT_ISSUED) {
        if (!revoke_issued_grant(operation, &row, reason_of(operation, &facts, why), error)) {
            return false;
        }
    } else if (row.state != GRANT_REVOKED && row.state != GRANT_LAPSED) {
        return error_set(error, ERROR_CONFLICT, "already_redeemed", grant,
                         "the grant was redeemed before; it cannot be taken back");
    }
    *out_state = row.state;
    return true;
}
