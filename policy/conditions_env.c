#include "policy/policy_internal.h"

#include "base/check.h"
#include <string.h>

/* What conditions may name: each with its type, so that a slip is an error at load. Slots follow
 * the order of declaration. */

static bool declare(struct cel_env *env, const char *name, const struct cel_type *type,
                    uint32_t slot, struct error *error)
{
    uint32_t given;
    if (type == NULL || !cel_env_declare(env, name, type, &given, error)) {
        return false;
    }
    CHECK(given == slot);
    return true;
}

/* type, id and perhaps properties, as AuthZEN has subjects and resources. */
static const struct cel_type *entity_type(struct cel_env *env, const char *name,
                                          struct error *error)
{
    const struct cel_type *text = cel_type_read(env, "string", error);
    const struct cel_type *open = cel_type_read(env, "map(string, dyn)", error);
    if (text == NULL || open == NULL) {
        return NULL;
    }
    const struct cel_field fields[] = {
        {"type", text, false}, {"id", text, false}, {"properties", open, true}};
    return cel_type_object(env, name, fields, 3);
}

static const struct cel_type *action_type(struct cel_env *env, struct error *error)
{
    const struct cel_type *text = cel_type_read(env, "string", error);
    const struct cel_type *open = cel_type_read(env, "map(string, dyn)", error);
    if (text == NULL || open == NULL) {
        return NULL;
    }
    const struct cel_field fields[] = {{"name", text, false}, {"properties", open, true}};
    return cel_type_object(env, "action", fields, 2);
}

static const struct cel_type *named_type(struct cel_env *env, const char *name, struct error *error)
{
    const struct cel_type *text = cel_type_read(env, "string", error);
    const struct cel_field field = {"id", text, false};
    return text == NULL ? NULL : cel_type_object(env, name, &field, 1);
}

static const struct cel_type *args_type(struct cel_env *env, const struct tool *tool,
                                        struct arena *scratch, struct error *error)
{
    return tool == NULL ? cel_type_read(env, "map(string, dyn)", error)
                        : schema_type(env, tool->args, scratch, error);
}

static bool declare_all(struct cel_env *env, const struct tool *tool, struct arena *scratch,
                        struct error *error)
{
    return declare(env, "subject", entity_type(env, "subject", error), SLOT_SUBJECT, error) &&
           declare(env, "agent", named_type(env, "agent", error), SLOT_AGENT, error) &&
           declare(env, "caller", named_type(env, "caller", error), SLOT_CALLER, error) &&
           declare(env, "action", action_type(env, error), SLOT_ACTION, error) &&
           declare(env, "resource", entity_type(env, "resource", error), SLOT_RESOURCE, error) &&
           declare(env, "args", args_type(env, tool, scratch, error), SLOT_ARGS, error) &&
           declare(env, "context", cel_type_read(env, "map(string, dyn)", error), SLOT_CONTEXT,
                   error) &&
           declare(env, "now", cel_type_read(env, "google.protobuf.Timestamp", error), SLOT_NOW,
                   error) &&
           add_history(env, error) &&
           declare(env, "history", cel_type_read(env, "history", error), SLOT_HISTORY, error);
}

struct cel_env *make_env(const struct policy *policy, const struct tool *tool,
                         struct arena *scratch, struct error *error)
{
    struct cel_env *env = cel_env_create(NULL);
    bool is_made = declare_all(env, tool, scratch, error);
    for (size_t i = 0; is_made && i < policy->variable_count; i++) {
        is_made = declare_variable(env, &policy->variables[i], i, error);
    }
    if (!is_made) {
        cel_env_destroy(env);
        return NULL;
    }
    return env;
}

bool declare_variable(struct cel_env *env, const struct variable *variable, size_t number,
                      struct error *error)
{
    struct builder name BUILDER_SCOPE;
    builder_init(&name, 0);
    builder_printf(&name, "variables.%s", variable->name);
    return declare(env, name.bytes, cel_type_read(env, variable->type, error),
                   (uint32_t)(SLOT_COUNT + number), error);
}
