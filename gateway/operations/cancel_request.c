#include "operations/request_internal.h"

static enum request_event event_of(const struct operation *operation)
{
    return operation->principal.kind == PRINCIPAL_CALLER ? REQUEST_WITHDRAWN
                                                         : REQUEST_CANCELLED_BY_ADMIN;
}

bool operation_cancel_request(struct operation *operation, const char *id, const char *why,
                              struct cancel_result *out, struct error *error)
{
    struct request_row request;
    struct authorize_facts facts;
    bool is_frozen;
    *out = (struct cancel_result){0};
    if (!find_request(operation, id, &request, &facts, error) ||
        !authorize(operation, OPERATION_CANCEL_REQUEST, &facts, id, error) ||
        !advance_request(operation, &request, &is_frozen, error)) {
        return false;
    }
    if (request.state == REQUEST_PENDING) {
        if (why != NULL) {
            request.message = operation_bounded_text(operation, why);
        }
        if (!end_request(operation, &request, event_of(operation), operation->principal.id,
                         error)) {
            return false;
        }
        out->did_cancel = true;
    }
    out->state = request.state;
    out->reason = request.reason;
    return true;
}
