#include "api/api_internal.h"

#include "operations/live_operations.h"

/* GET /v1/live: who may watch is decided here as for every call; the socket itself is live/'s. */

static const char *const no_parameters[] = {NULL};

bool api_read_live(struct api_call *call, struct error *error)
{
    const struct api_live *live = &call->api->options.live;
    if (!api_only_parameters(call, no_parameters, error)) {
        return false;
    }
    if (live->accepts == NULL) {
        return error_set(error, ERROR_NOT_FOUND, "no_such_path", NULL,
                         "this gateway runs without its live door");
    }
    if (call->credential.kind != CREDENTIAL_SESSION) {
        return error_set(error, ERROR_FORBIDDEN, "not_a_session", NULL,
                         "the live door is for people who are signed in");
    }
    /* SameSite does not protect websockets: another site could open one with our cookie. */
    return api_check_exact_origin(call, error) &&
           live->accepts(live->context, call->exchange, error);
}

bool api_run_live(struct api_call *call, struct error *error)
{
    call->result = ARENA_NEW(call->arena, struct live_viewer);
    return operation_read_viewer(&call->operation, call->result, error);
}

void api_answer_live(struct api_call *call)
{
    const struct api_live *live = &call->api->options.live;
    struct error error = {0};
    if (!live->adopt(live->context, call->exchange, &call->credential, call->result, &error)) {
        api_answer_error(call, &error);
    }
    api_end_call(call);
}

void api_tell_live(struct api *api, const char *kind)
{
    if (api->options.live.tell != NULL) {
        api->options.live.tell(api->options.live.context, kind);
    }
}
