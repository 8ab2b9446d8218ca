#include "operations/attention_internal.h"
#include "operations/issue_grant.h"
#include "operations/request_internal.h"
#include <string.h>

static bool is_for_holder(const struct operation *operation, const struct request_view *view)
{
    return operation->principal.kind == PRINCIPAL_CALLER && view->has_grant &&
           view->grant.state == GRANT_ISSUED && !view->is_frozen &&
           strcmp(view->grant.caller, operation->principal.id) == 0;
}

/* Nothing is minted when it could not live a second before the claim window closes. */
static bool mint(struct operation *operation, struct request_view *view, struct error *error)
{
    struct grant_row *grant = &view->grant;
    bool is_frozen;
    if (!find_grant_freezes(operation, grant, view->request.action_name, &is_frozen, error)) {
        return false;
    }
    int64_t expires_at = grant_token_expiry(operation->now, grant->ttl_ms, grant->claim_until);
    if (is_frozen || expires_at == 0) {
        return true;
    }
    if (grant->mint_count >= GRANT_MINTS_MAX) {
        return error_set(error, ERROR_LIMIT, "too_many_mints", grant->id,
                         "%d tokens were made for this grant, the most there may be",
                         GRANT_MINTS_MAX);
    }
    if (!mint_token(operation, grant, expires_at, error) ||
        !store_update_grant(operation->store, grant, error)) {
        return false;
    }
    fill_claims(operation, &view->request, grant, &view->token);
    view->has_token = true;
    return true;
}

/* Allowed at once: it has no requirements and no votes, and nothing has happened to it since. */
static bool view_allowed(struct operation *operation, const struct submit_result *submitted,
                         struct request_view *out, struct error *error)
{
    const struct request_row *request = submitted->allowed;
    struct authorize_facts facts = {.tenant = request->tenant, .is_own = true};
    *out =
        (struct request_view){.request = *request, .has_grant = true, .grant = *submitted->grant};
    if (!authorize(operation, OPERATION_READ_REQUEST, &facts, request->id, error)) {
        return false;
    }
    out->has_token = out->grant.token[0] != '\0';
    if (out->has_token) {
        fill_claims(operation, request, &out->grant, &out->token);
    }
    return true;
}

bool operation_read_submitted(struct operation *operation, const struct submit_result *submitted,
                              struct request_view *out, struct error *error)
{
    return submitted->allowed != NULL
               ? view_allowed(operation, submitted, out, error)
               : operation_read_request(operation, submitted->request, true, out, error);
}

bool operation_read_request(struct operation *operation, const char *id, bool mints,
                            struct request_view *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    if (!find_request(operation, id, &request, &facts, error) ||
        !authorize(operation, OPERATION_READ_REQUEST, &facts, id, error) ||
        !view_request(operation, &request, out, error)) {
        return false;
    }
    if (out->request.state == REQUEST_PENDING) {
        bool can_be = false;
        if (!can_be_approved(operation, &out->request, &can_be, error)) {
            return false;
        }
        out->nobody_can_approve = !can_be;
        if (!view_budget(operation, &out->budget, error)) {
            return false;
        }
    }
    return !mints || !is_for_holder(operation, out) || mint(operation, out, error);
}
