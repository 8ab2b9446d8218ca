#include "operations/authorize.h"
#include "operations/people_internal.h"
#include <string.h>

static bool find_agent(struct operation *operation, const char *name, struct agent_row *out,
                       struct error *error)
{
    struct error missing = {0};
    if (store_read_agent(operation->store, operation->principal.tenant, name, operation->arena, out,
                         &missing)) {
        return true;
    }
    if (missing.kind != ERROR_NOT_FOUND) {
        return error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    return error_set(error, ERROR_NOT_FOUND, "unknown_agent", name,
                     "there is no agent `%.64s`; add the agent first", name);
}

static bool refuse_taken_name(struct operation *operation, const char *name, struct error *error)
{
    struct agent_row agent;
    struct error missing = {0};
    if (!find_agent(operation, name, &agent, &missing)) {
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    return error_set(error, ERROR_CONFLICT, "name_taken", name,
                     "there is already an agent `%s`%s; choose another name", name,
                     agent.is_enabled ? "" : ", which is disabled: enable that one");
}

static bool insert_agent(struct operation *operation, const char *name,
                         const struct person_row *owner, struct agent_row *out, struct error *error)
{
    struct agent_row agent = {.is_enabled = true, .created_at = operation->now};
    crypto_make_id("agt", operation->now, agent.id);
    memcpy(agent.tenant, operation->principal.tenant, sizeof agent.tenant);
    memcpy(agent.name, name, strlen(name) + 1);
    memcpy(agent.owner, owner->id, sizeof agent.owner);
    struct change change = {
        .type = LEDGER_AGENT_ADDED,
        .id = agent.id,
        .owner = owner->id[0] == '\0' ? NULL : owner->id,
        .changed = {"name", owner->id[0] == '\0' ? NULL : "owner"},
    };
    *out = agent;
    return store_insert_agent(operation->store, &agent, error) &&
           note_change(operation, &change, error);
}

bool operation_add_agent(struct operation *operation, const char *name, const char *owner,
                         struct agent_row *out, struct error *error)
{
    struct person_row person = {0};
    return authorize(operation, OPERATION_CHANGE_AGENTS, NULL, name, error) &&
           check_name(name, "an agent", error) && refuse_taken_name(operation, name, error) &&
           (owner == NULL || find_person(operation, owner, &person, error)) &&
           insert_agent(operation, name, &person, out, error);
}

bool operation_enable_agent(struct operation *operation, const char *name, bool is_enabled,
                            struct agent_row *out, struct error *error)
{
    struct agent_row agent;
    if (!authorize(operation, OPERATION_CHANGE_AGENTS, NULL, name, error) ||
        !find_agent(operation, name, &agent, error)) {
        return false;
    }
    if (agent.is_enabled != is_enabled) {
        agent.is_enabled = is_enabled;
        struct change change = {
            .type = is_enabled ? LEDGER_AGENT_CHANGED : LEDGER_AGENT_DISABLED,
            .id = agent.id,
            .owner = agent.owner[0] == '\0' ? NULL : agent.owner,
            .changed = {is_enabled ? "enabled" : NULL},
        };
        if (!store_update_agent(operation->store, &agent, error) ||
            !note_change(operation, &change, error)) {
            return false;
        }
    }
    *out = agent;
    return true;
}

bool operation_list_agents(struct operation *operation, const char *after_name, size_t limit,
                           struct agent_row **out, size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_AGENTS, NULL, NULL, error) &&
           store_list_agents(operation->store, operation->principal.tenant, after_name,
                             page_size(limit), operation->arena, out, out_count, error);
}
