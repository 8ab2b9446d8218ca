#include "operations/authorize.h"
#include "operations/people_internal.h"
#include <string.h>

bool operation_may_explain(struct operation *operation, struct error *error)
{
    return authorize(operation, OPERATION_LIST_CALLERS, NULL, NULL, error);
}

static bool is_registered_for(const struct caller_row *caller, const char *agent)
{
    for (size_t i = 0; i < caller->agent_count; i++) {
        if (strcmp(caller->agents[i], agent) == 0) {
            return true;
        }
    }
    return false;
}

/* False only when the store failed; what is missing is an answer. */
static bool judge_agent(struct operation *operation, const struct caller_row *caller,
                        const char *name, const char **out_code, struct error *error)
{
    struct agent_row agent;
    struct error missing = {0};
    if (!store_read_agent(operation->store, caller->tenant, name, operation->arena, &agent,
                          &missing)) {
        *out_code = "agent_unknown";
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    *out_code = !agent.is_enabled                      ? "agent_disabled"
                : !is_registered_for(caller, agent.id) ? "agent_not_registered"
                                                       : NULL;
    return true;
}

bool operation_explain_caller(struct operation *operation, const char *name, const char *agent,
                              const char **out_code, struct error *error)
{
    struct caller_row caller;
    struct error missing = {0};
    if (!operation_may_explain(operation, error)) {
        return false;
    }
    if (!store_read_caller(operation->store, operation->principal.tenant, name, operation->arena,
                           &caller, &missing)) {
        *out_code = "caller_not_registered";
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    *out_code = caller.is_enabled ? NULL : "caller_disabled";
    return *out_code != NULL || agent[0] == '\0' ||
           judge_agent(operation, &caller, agent, out_code, error);
}
