#include "operations/authorize.h"
#include "operations/people_internal.h"
#include <string.h>

static bool find_caller(struct operation *operation, const char *name, struct caller_row *out,
                        struct error *error)
{
    struct error missing = {0};
    if (store_read_caller(operation->store, operation->principal.tenant, name, operation->arena,
                          out, &missing)) {
        return true;
    }
    if (missing.kind != ERROR_NOT_FOUND) {
        return error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    return error_set(error, ERROR_NOT_FOUND, "unknown_caller", name,
                     "there is no caller `%.64s`; add the caller first", name);
}

static bool refuse_taken_name(struct operation *operation, const char *name, struct error *error)
{
    struct caller_row caller;
    struct error missing = {0};
    if (!find_caller(operation, name, &caller, &missing)) {
        return missing.kind == ERROR_NOT_FOUND ||
               error_set(error, missing.kind, missing.code, name, "%s", missing.message);
    }
    return error_set(error, ERROR_CONFLICT, "name_taken", name,
                     "there is already a caller `%s`%s; choose another name", name,
                     caller.is_enabled ? "" : ", which is disabled: enable that one");
}

static bool copy_texts(struct operation *operation, const char *const *texts, size_t count,
                       const char *what, const char ***out, struct error *error)
{
    if (!check_count(count, PEOPLE_CALLER_LIST_MAX, what, error)) {
        return false;
    }
    const char **copies = arena_array(operation->arena, count, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        if (!check_text(texts[i], SUBJECT_BYTES - 1, what, "bad_text", error)) {
            return false;
        }
        copies[i] = arena_text(operation->arena, texts[i]);
    }
    *out = copies;
    return true;
}

/* Names of agents become their ids. */
static bool find_agents(struct operation *operation, const struct caller_input *input,
                        struct caller_row *out, struct error *error)
{
    if (!check_count(input->agent_count, PEOPLE_CALLER_LIST_MAX, "agents", error)) {
        return false;
    }
    out->agents = arena_array(operation->arena, input->agent_count, sizeof *out->agents);
    out->agent_count = input->agent_count;
    for (size_t i = 0; i < input->agent_count; i++) {
        struct agent_row agent;
        struct error missing = {0};
        if (!store_read_agent(operation->store, operation->principal.tenant, input->agents[i],
                              operation->arena, &agent, &missing)) {
            return missing.kind == ERROR_NOT_FOUND
                       ? error_set(error, ERROR_INVALID, "unknown_agent", input->agents[i],
                                   "there is no agent `%.64s`; add the agent first",
                                   input->agents[i])
                       : error_set(error, missing.kind, missing.code, NULL, "%s", missing.message);
        }
        out->agents[i] = arena_text(operation->arena, agent.id);
    }
    return true;
}

static bool fill_lists(struct operation *operation, const struct caller_input *input,
                       struct caller_row *out, struct error *error)
{
    if (!find_agents(operation, input, out, error) ||
        !copy_texts(operation, input->subjects, input->subject_count, "subjects", &out->subjects,
                    error) ||
        !copy_texts(operation, input->audiences, input->audience_count, "audiences",
                    &out->audiences, error)) {
        return false;
    }
    out->keeps_unverified = input->keeps_unverified;
    out->subject_count = input->subject_count;
    out->audience_count = input->audience_count;
    return true;
}

static bool note_caller(struct operation *operation, enum ledger_entry_type type,
                        const struct caller_row *caller, struct error *error)
{
    bool is_added = type == LEDGER_CALLER_ADDED;
    struct change change = {
        .type = type,
        .id = caller->id,
        .changed = {"agents", "audiences", is_added ? "name" : NULL, "subjects", "unverified"},
    };
    return note_change(operation, &change, error);
}

bool operation_add_caller(struct operation *operation, const struct caller_input *input,
                          struct caller_row *out, struct error *error)
{
    struct caller_row caller = {.is_enabled = true, .created_at = operation->now};
    if (!authorize(operation, OPERATION_CHANGE_CALLERS, NULL, input->name, error) ||
        !check_name(input->name, "a caller", error) ||
        !refuse_taken_name(operation, input->name, error) ||
        !fill_lists(operation, input, &caller, error)) {
        return false;
    }
    crypto_make_id("cal", operation->now, caller.id);
    memcpy(caller.tenant, operation->principal.tenant, sizeof caller.tenant);
    memcpy(caller.name, input->name, strlen(input->name) + 1);
    if (!store_insert_caller(operation->store, &caller, error) ||
        !note_caller(operation, LEDGER_CALLER_ADDED, &caller, error)) {
        return false;
    }
    *out = caller;
    return true;
}

bool operation_change_caller(struct operation *operation, const struct caller_input *input,
                             struct caller_row *out, struct error *error)
{
    struct caller_row caller;
    if (!authorize(operation, OPERATION_CHANGE_CALLERS, NULL, input->name, error) ||
        !find_caller(operation, input->name, &caller, error) ||
        !fill_lists(operation, input, &caller, error) ||
        !store_update_caller(operation->store, &caller, error) ||
        !note_caller(operation, LEDGER_CALLER_CHANGED, &caller, error)) {
        return false;
    }
    *out = caller;
    return true;
}

bool operation_enable_caller(struct operation *operation, const char *name, bool is_enabled,
                             struct caller_row *out, struct error *error)
{
    struct caller_row caller;
    if (!authorize(operation, OPERATION_CHANGE_CALLERS, NULL, name, error) ||
        !find_caller(operation, name, &caller, error)) {
        return false;
    }
    if (caller.is_enabled != is_enabled) {
        caller.is_enabled = is_enabled;
        struct change change = {
            .type = is_enabled ? LEDGER_CALLER_CHANGED : LEDGER_CALLER_DISABLED,
            .id = caller.id,
            .changed = {is_enabled ? "enabled" : NULL},
        };
        if (!store_update_caller(operation->store, &caller, error) ||
            !note_change(operation, &change, error)) {
            return false;
        }
    }
    *out = caller;
    return true;
}

bool operation_list_callers(struct operation *operation, const char *after_name, size_t limit,
                            struct caller_row **out, size_t *out_count, struct error *error)
{
    return authorize(operation, OPERATION_LIST_CALLERS, NULL, NULL, error) &&
           store_list_callers(operation->store, operation->principal.tenant, after_name,
                              page_size(limit), operation->arena, out, out_count, error);
}
