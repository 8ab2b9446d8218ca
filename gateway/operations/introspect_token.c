#include "operations/issue_grant.h"
#include "operations/token_operations.h"

#include <string.h>

static bool serves(const struct caller_row *caller, const char *audience)
{
    for (size_t i = 0; i < caller->audience_count; i++) {
        if (strcmp(caller->audiences[i], audience) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_for(const struct operation *operation, const struct grant_row *grant)
{
    const char *id = operation->principal.id;
    return strcmp(grant->caller, id) == 0 || strcmp(grant->redeemer, id) == 0 ||
           (grant->audience[0] != '\0' && serves(operation->caller, grant->audience));
}

static bool is_good(const struct operation *operation, const struct introspect_input *input,
                    const struct grant_row *grant)
{
    if (operation->now >= input->expires_at) {
        return false;
    }
    switch (input->kind) {
    case TOKEN_OF_GRANT: {
        int64_t elapsed =
            minted_tokens_elapsed(operation->operations->minted, input->token, operation->boot);
        bool has_run_out =
            elapsed >= 0 && elapsed >= grant->token_expires_at - grant->token_issued_at;
        return grant->state == GRANT_ISSUED && strcmp(grant->token, input->token) == 0 &&
               operation->now < grant->claim_until && !has_run_out;
    }
    case TOKEN_OF_REDEMPTION:
        return grant->state == GRANT_REDEEMED;
    case TOKEN_OF_NOBODY:
        break;
    }
    return false;
}

bool operation_introspect_token(struct operation *operation, const struct introspect_input *input,
                                bool *out_is_active, struct error *error)
{
    const char *tenant = operation->principal.tenant;
    struct grant_row grant;
    struct request_row request;
    struct error missing = {0};
    bool is_frozen = false;
    *out_is_active = false;
    if (!authorize(operation, OPERATION_INTROSPECT_TOKEN, NULL, NULL, error)) {
        return false;
    }
    if (input->kind == TOKEN_OF_NOBODY || strcmp(input->tenant, tenant) != 0) {
        return true;
    }
    if (!store_read_grant(operation->store, tenant, input->grant, operation->arena, &grant,
                          &missing)) {
        return missing.kind == ERROR_NOT_FOUND || hide_missing(&missing, input->grant, error);
    }
    if (!is_for(operation, &grant) || !is_good(operation, input, &grant)) {
        return true;
    }
    if (!store_read_request(operation->store, tenant, grant.request, operation->arena, &request,
                            error) ||
        !find_grant_freezes(operation, &grant, request.action_name, &is_frozen, error)) {
        return false;
    }
    *out_is_active = !is_frozen;
    return true;
}
