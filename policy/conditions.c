#include "policy/policy_internal.h"

#include <string.h>

/*
 * `when` and `variables`, compiled at load. An error points into the YAML file. A condition of a
 * rule for tools with schemas is compiled once more for each, with the types of its arguments, so
 * that a slip is found at load; what is kept is the program that fits any arguments.
 */

/* An expression that is being compiled. */
struct source {
    const struct yaml_node *node;
    const char *file;
    const struct policy_file *bytes;
};

/* Moves what `found` says to its place in the file. `about` (may be NULL) says for which tool. */
static bool fail_at(struct reader *reader, const struct source *source, uint32_t offset,
                    const struct error *found, const char *about)
{
    int line, column;
    place_find(source->bytes->bytes, source->bytes->length, source->node, offset, &line, &column);
    return error_set_at(reader->error, ERROR_INVALID, found->code, source->file, line, column,
                        "%s%s%s", found->message, about == NULL ? "" : " (where args are those of ",
                        about == NULL ? "" : arena_printf(reader->scratch, "`%.100s`)", about));
}

static struct cel_program *compile(struct reader *reader, const struct cel_env *env,
                                   const struct source *source, const char *wants,
                                   const char *about)
{
    struct error found = {0};
    uint32_t offset = 0;
    struct cel_program *program =
        cel_compile(env, source->node->text, source->node->length, wants, &offset, &found);
    if (program == NULL) {
        (void)fail_at(reader, source, offset, &found, about);
    }
    return program;
}

static bool check_node(struct reader *reader, const struct yaml_node *node)
{
    const char *text;
    if (node->type != YAML_SCALAR) {
        return yaml_fail(reader->file, node, reader->error, "invalid_condition",
                         "a condition is one text; write `|` here and the condition on the next "
                         "line, further in");
    }
    if (!read_text(reader, node, &text)) {
        return false;
    }
    return text[strspn(text, " \t\r\n")] != '\0' ||
           yaml_fail(reader->file, node, reader->error, "empty_condition",
                     "a condition cannot be empty; leave the member out where there is none");
}

static struct condition keep(struct reader *reader, const struct source *source,
                             struct cel_program *program)
{
    const struct yaml_node *node = source->node;
    return (struct condition){.program = program,
                              .file = source->file,
                              .line = node->line,
                              .column = node->column,
                              .text = arena_copy(reader->policy->arena, node->text, node->length),
                              .has_comment = node->has_comment,
                              .is_double_quoted = node->is_double_quoted};
}

/* Notes what it asks history for; frees the program when that cannot be. */
static bool take_history(struct reader *reader, const struct source *source,
                         struct cel_program *program)
{
    struct error found = {0};
    struct reader inner = *reader;
    uint32_t offset = 0;
    inner.error = &found;
    if (note_history(&inner, program, &offset)) {
        return true;
    }
    cel_program_destroy(program);
    return fail_at(reader, source, offset, &found, NULL);
}

static bool need_env(struct reader *reader)
{
    struct policy *policy = reader->policy;
    if (policy->env == NULL) {
        policy->env = make_env(policy, NULL, reader->scratch, reader->error);
    }
    return policy->env != NULL;
}

/* ---- variables ---- */

static bool is_variable_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= POLICY_NAME_BYTES_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length &&
           !(text[0] >= '0' && text[0] <= '9');
}

static bool check_variable_name(struct reader *reader, const struct yaml_node *key,
                                const struct variable_nodes *nodes)
{
    if (!is_variable_name(key->text) || strlen(key->text) != key->length) {
        return yaml_fail(
            reader->file, key, reader->error, "invalid_name",
            "`%.80s` cannot be a variable's name; write 1 to 64 of a-z 0-9 _, no digit "
            "first",
            key->text);
    }
    for (size_t i = 0; i < nodes->count; i++) {
        if (strcmp(nodes->keys[i]->text, key->text) == 0) {
            return yaml_fail(reader->file, key, reader->error, "duplicate_name",
                             "`%s` is also the variable at `%.100s` line %d; write another name",
                             key->text, nodes->files[i], nodes->keys[i]->line);
        }
    }
    return nodes->count < VARIABLES_MAX ||
           yaml_fail(reader->file, key, reader->error, "too_many_variables",
                     "a policy has at most %d variables; write the expression into the condition",
                     VARIABLES_MAX);
}

bool note_variables(struct reader *reader, const struct yaml_node *node,
                    struct variable_nodes *nodes)
{
    if (node->type != YAML_MAPPING) {
        return yaml_fail(reader->file, node, reader->error, "invalid_variables",
                         "variables are `name: expression`, one a line");
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!check_variable_name(reader, node->keys[i], nodes) ||
            !check_node(reader, node->items[i])) {
            return false;
        }
        nodes->keys[nodes->count] = node->keys[i];
        nodes->values[nodes->count] = node->items[i];
        nodes->files[nodes->count] = reader->file;
        nodes->sources[nodes->count++] = reader->source;
    }
    return true;
}

static struct source source_of(const struct variable_nodes *nodes, size_t number)
{
    return (struct source){nodes->values[number], nodes->files[number], nodes->sources[number]};
}

static int depth_of(const struct policy *policy, const struct cel_program *program)
{
    int deepest = 0;
    for (size_t i = 0; i < policy->variable_count; i++) {
        if (cel_program_reads(program, (uint32_t)(SLOT_COUNT + i)) &&
            policy->variables[i].depth > deepest) {
            deepest = policy->variables[i].depth;
        }
    }
    return deepest + 1;
}

static bool add_variable(struct reader *reader, const struct variable_nodes *nodes, size_t number,
                         struct cel_program *program)
{
    struct policy *policy = reader->policy;
    struct source source = source_of(nodes, number);
    if (!take_history(reader, &source, program)) {
        return false;
    }
    struct variable *variable = &policy->variables[policy->variable_count];
    variable->name = arena_text(policy->arena, nodes->keys[number]->text);
    variable->type = cel_program_type(program);
    variable->depth = depth_of(policy, program);
    variable->value = keep(reader, &source, program);
    policy->variable_count++;
    if (variable->depth > VARIABLE_DEPTH_MAX) {
        return yaml_fail(source.file, source.node, reader->error, "too_deep",
                         "variables go through each other at most %d times; write this one out",
                         VARIABLE_DEPTH_MAX);
    }
    return declare_variable(policy->env, variable, policy->variable_count - 1, reader->error);
}

/* The variable `text` names and that is not compiled yet. */
static const char *find_circle(const struct variable_nodes *nodes, const bool *is_done,
                               const char *text, struct arena *scratch)
{
    for (size_t i = 0; i < nodes->count; i++) {
        const char *name = arena_printf(scratch, "variables.%s", nodes->keys[i]->text);
        if (!is_done[i] && strstr(text, name) != NULL) {
            return name;
        }
    }
    return NULL;
}

static bool fail_variable(struct reader *reader, const struct variable_nodes *nodes,
                          const bool *is_done)
{
    size_t first = 0;
    const char *circle = NULL;
    /* Who names none that is left has an error of its own, which the others only inherit. */
    for (size_t i = nodes->count; i-- > 0;) {
        const char *named =
            is_done[i] ? "" : find_circle(nodes, is_done, nodes->values[i]->text, reader->scratch);
        if (!is_done[i] && (named == NULL || first == 0 || circle != NULL)) {
            first = i;
            circle = named;
        }
        if (!is_done[i] && named == NULL) {
            break;
        }
    }
    struct source source = source_of(nodes, first);
    if (circle != NULL) {
        return yaml_fail(source.file, nodes->keys[first], reader->error, "circular_variables",
                         "`variables.%s` needs `%.80s`, which needs it in turn; write one of them "
                         "without the other",
                         nodes->keys[first]->text, circle);
    }
    cel_program_destroy(compile(reader, reader->policy->env, &source, NULL, NULL));
    return false;
}

/* A variable may name any other, in whatever order they stand: those that compile are declared, and
 * the rest is tried again. */
bool compile_variables(struct reader *reader, struct variable_nodes *nodes)
{
    struct policy *policy = reader->policy;
    bool is_done[VARIABLES_MAX] = {false};
    policy->variables = arena_array(policy->arena, nodes->count, sizeof *policy->variables);
    if (nodes->count > 0 && !need_env(reader)) {
        return false;
    }
    for (size_t before = SIZE_MAX; before != policy->variable_count;) {
        before = policy->variable_count;
        for (size_t i = 0; i < nodes->count; i++) {
            struct error ignored = {0};
            struct cel_program *program =
                is_done[i] ? NULL
                           : cel_compile(policy->env, nodes->values[i]->text,
                                         nodes->values[i]->length, NULL, NULL, &ignored);
            if (program != NULL) {
                is_done[i] = true;
                if (!add_variable(reader, nodes, i, program)) {
                    return false;
                }
            }
        }
    }
    return policy->variable_count == nodes->count || fail_variable(reader, nodes, is_done);
}

/* ---- conditions ---- */

static struct tool *find_typed_tool(struct reader *reader, const struct pattern *pattern)
{
    const struct policy *policy = reader->policy;
    const struct tool *found =
        pattern->kind == PATTERN_EXACT ? find_tool(policy, pattern->text.bytes) : NULL;
    return found == NULL ? NULL : &policy->tools[found - policy->tools];
}

static bool need_tool_env(struct reader *reader, struct tool *tool)
{
    if (tool->env == NULL) {
        tool->env = make_env(reader->policy, tool, reader->scratch, reader->error);
        tool->has_checked =
            arena_array(reader->scratch, reader->policy->variable_count, sizeof(bool));
    }
    return tool->env != NULL;
}

/* The variables it reads, with this tool's arguments. Those they read in turn came first. */
static bool check_variables(struct reader *reader, struct tool *tool,
                            const struct cel_program *program, const struct variable_nodes *nodes)
{
    const struct policy *policy = reader->policy;
    for (size_t i = 0; i < policy->variable_count; i++) {
        if (tool->has_checked[i] || !cel_program_reads(program, (uint32_t)(SLOT_COUNT + i))) {
            continue;
        }
        tool->has_checked[i] = true;
        const struct variable *variable = &policy->variables[i];
        size_t number = 0;
        while (strcmp(nodes->keys[number]->text, variable->name) != 0) {
            number++;
        }
        struct source source = source_of(nodes, number);
        struct cel_program *checked = compile(reader, tool->env, &source, NULL, tool->name);
        bool is_fine =
            checked != NULL && check_variables(reader, tool, variable->value.program, nodes);
        cel_program_destroy(checked);
        if (!is_fine) {
            return false;
        }
    }
    return true;
}

static bool check_tool(struct reader *reader, struct tool *tool, const struct source *source,
                       const struct cel_program *program)
{
    if (!need_tool_env(reader, tool)) {
        return false;
    }
    struct cel_program *checked = compile(reader, tool->env, source, "bool", tool->name);
    cel_program_destroy(checked);
    return checked != NULL && check_variables(reader, tool, program, reader->variables);
}

bool compile_when(struct reader *reader, const struct yaml_node *node, struct rule *rule)
{
    struct source source = {node, reader->file, reader->source};
    if (!check_node(reader, node) || !need_env(reader)) {
        return false;
    }
    struct cel_program *program = compile(reader, reader->policy->env, &source, "bool", NULL);
    if (program == NULL || !take_history(reader, &source, program)) {
        return false;
    }
    rule->when = keep(reader, &source, program);
    const struct rule_field *actions = &rule->fields[FIELD_ACTION];
    for (size_t i = 0; i < actions->count; i++) {
        struct tool *tool = find_typed_tool(reader, &actions->patterns[i]);
        if (tool != NULL && !check_tool(reader, tool, &source, program)) {
            return false;
        }
    }
    return true;
}

void conditions_finish_loading(struct policy *policy)
{
    for (size_t i = 0; i < policy->tool_count; i++) {
        cel_env_destroy(policy->tools[i].env);
        policy->tools[i].env = NULL;
        policy->tools[i].has_checked = NULL;
    }
}

void conditions_destroy(struct policy *policy)
{
    conditions_finish_loading(policy);
    for (size_t i = 0; i < policy->rule_capacity; i++) {
        cel_program_destroy(policy->rules[i].when.program);
    }
    for (size_t i = 0; i < policy->variable_count; i++) {
        cel_program_destroy(policy->variables[i].value.program);
    }
    cel_env_destroy(policy->env);
}
