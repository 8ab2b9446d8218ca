#include "operations/account_operations.h"
#include "operations/authorize.h"
#include "operations/session_internal.h"
#include <string.h>

static bool is_over(const struct operation *operation, const struct session_row *session)
{
    return operation->now >= session->expires_at ||
           operation->now - session->seen_at >= operation->operations->options.session_idle_ms;
}

static bool list_own(struct operation *operation, struct session_row **out, size_t *out_count,
                     struct error *error)
{
    struct session_row *rows;
    size_t count;
    if (!store_list_sessions(operation->store, operation->principal.id, operation->arena, &rows,
                             &count, error)) {
        return false;
    }
    *out = rows;
    *out_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_over(operation, &rows[i])) {
            rows[(*out_count)++] = rows[i];
        }
    }
    return true;
}

bool operation_list_sessions(struct operation *operation, struct session_row **out,
                             size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_OWN, NULL, NULL, error) &&
           list_own(operation, out, out_count, error);
}

bool operation_end_own_session(struct operation *operation, const char *id, struct error *error)
{
    struct session_row *rows;
    size_t count;
    if (!authorize(operation, OPERATION_TAKE_BACK_OWN, NULL, id, error) ||
        !list_own(operation, &rows, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, id) == 0) {
            return end_session(operation, &rows[i], error);
        }
    }
    return authorize_not_found(error, id);
}

bool operation_list_own_tokens(struct operation *operation, struct credential_row **out,
                               size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_OWN, NULL, NULL, error) &&
           store_list_credentials(operation->store, operation->principal.tenant,
                                  operation->principal.id, operation->arena, out, out_count, error);
}
