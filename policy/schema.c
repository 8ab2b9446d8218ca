#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * Argument schemas: `amount: number`, `memo: string?`, `tags: list(string)`, an object as a
 * mapping, a list of objects as `[{…}]`, a choice as a list of strings. A `?` behind a type's name,
 * or behind the member's, makes it optional.
 */

enum { SCHEMA_DEPTH_MAX = 6, MEMBERS_MAX = 64, CHOICES_MAX = 64 };

static const char *const type_names[] = {
    [SCHEMA_ANY] = "any", [SCHEMA_STRING] = "string", [SCHEMA_NUMBER] = "number",
    [SCHEMA_INT] = "int", [SCHEMA_BOOL] = "bool",
};

static const char advice[] =
    "is no type; write string, number, int, bool, any, list(T), map(T), a mapping for an object, a "
    "list of strings for a choice, or a list of one mapping for a list of objects";

static struct schema *make_schema(struct reader *reader, enum schema_kind kind)
{
    struct schema *schema = ARENA_NEW(reader->policy->arena, struct schema);
    schema->kind = kind;
    return schema;
}

/* list(T) and map(T): what stands between the brackets. */
static struct span inner_of(struct span text, const char *opening)
{
    size_t length = strlen(opening);
    bool fits = text.length > length + 1 && strncmp(text.bytes, opening, length) == 0 &&
                text.bytes[text.length - 1] == ')';
    return fits ? (struct span){text.bytes + length, text.length - length - 1}
                : (struct span){NULL, 0};
}

static const struct schema *read_type(struct reader *reader, struct span text, int depth)
{
    for (size_t kind = 0; kind < sizeof type_names / sizeof *type_names; kind++) {
        if (strlen(type_names[kind]) == text.length &&
            strncmp(text.bytes, type_names[kind], text.length) == 0) {
            return make_schema(reader, (enum schema_kind)kind);
        }
    }
    struct span list = inner_of(text, "list(");
    struct span map = inner_of(text, "map(");
    if (depth == SCHEMA_DEPTH_MAX || (list.bytes == NULL && map.bytes == NULL)) {
        return NULL;
    }
    struct schema *schema = make_schema(reader, list.bytes != NULL ? SCHEMA_LIST : SCHEMA_MAP);
    schema->element = read_type(reader, list.bytes != NULL ? list : map, depth + 1);
    return schema->element == NULL ? NULL : schema;
}

static bool read_schema(struct reader *reader, const struct yaml_node *node, int depth,
                        const struct schema **out, bool *out_is_optional);

static bool read_member(struct reader *reader, const struct yaml_node *key,
                        const struct yaml_node *node, int depth, struct schema_member *member)
{
    size_t length = key->length;
    bool is_optional = length > 1 && key->text[length - 1] == '?';
    length -= is_optional ? 1 : 0;
    if (strlen(key->text) != key->length || length > POLICY_NAME_BYTES_MAX * 2) {
        return yaml_fail(reader->file, key, reader->error, "invalid_name",
                         "an argument's name has 1 to %d bytes", POLICY_NAME_BYTES_MAX * 2);
    }
    member->name = arena_copy(reader->policy->arena, key->text, length);
    if (!read_schema(reader, node, depth + 1, &member->schema, &member->is_optional)) {
        return false;
    }
    member->is_optional = member->is_optional || is_optional;
    return true;
}

static const struct schema_member *find_member(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->member_count; i++) {
        if (strcmp(schema->members[i].name, name) == 0) {
            return &schema->members[i];
        }
    }
    return NULL;
}

static bool read_object(struct reader *reader, const struct yaml_node *node, int depth,
                        const struct schema **out)
{
    if (node->count > MEMBERS_MAX || depth > SCHEMA_DEPTH_MAX) {
        return yaml_fail(reader->file, node, reader->error, "too_large",
                         "an object has at most %d members, %d levels deep", MEMBERS_MAX,
                         SCHEMA_DEPTH_MAX);
    }
    struct schema *schema = make_schema(reader, SCHEMA_OBJECT);
    schema->members = arena_array(reader->policy->arena, node->count, sizeof *schema->members);
    for (size_t i = 0; i < node->count; i++) {
        struct schema_member member = {0};
        if (!read_member(reader, node->keys[i], node->items[i], depth, &member)) {
            return false;
        }
        if (find_member(schema, member.name) != NULL) {
            return yaml_fail(reader->file, node->keys[i], reader->error, "duplicate_name",
                             "`%s` is there twice; keep one", member.name);
        }
        schema->members[schema->member_count++] = member;
    }
    *out = schema;
    return true;
}

static bool read_choice(struct reader *reader, const struct yaml_node *node,
                        const struct schema **out)
{
    struct schema *schema = make_schema(reader, SCHEMA_CHOICE);
    size_t count;
    const char **choices;
    if (!read_names(reader, node, CHOICES_MAX, &choices, &count)) {
        return false;
    }
    schema->choices = arena_array(reader->policy->arena, count + 1, sizeof *schema->choices);
    memcpy(schema->choices, choices, count * sizeof *choices);
    *out = schema;
    return true;
}

static bool read_sequence(struct reader *reader, const struct yaml_node *node, int depth,
                          const struct schema **out)
{
    if (node->count != 1 || node->items[0]->type != YAML_MAPPING) {
        return read_choice(reader, node, out);
    }
    struct schema *schema = make_schema(reader, SCHEMA_LIST);
    *out = schema;
    return read_object(reader, node->items[0], depth + 1, &schema->element);
}

static bool read_schema(struct reader *reader, const struct yaml_node *node, int depth,
                        const struct schema **out, bool *out_is_optional)
{
    *out_is_optional = false;
    if (node->type == YAML_MAPPING) {
        return read_object(reader, node, depth, out);
    }
    if (node->type == YAML_SEQUENCE) {
        return read_sequence(reader, node, depth, out);
    }
    const char *text;
    if (!read_text(reader, node, &text)) {
        return false;
    }
    struct span name = {text, node->length};
    *out_is_optional = name.length > 1 && text[name.length - 1] == '?';
    name.length -= *out_is_optional ? 1 : 0;
    *out = read_type(reader, name, depth);
    return *out != NULL ||
           yaml_fail(reader->file, node, reader->error, "unknown_type", "`%.64s` %s", text, advice);
}

/* `show` and `challenge` name arguments of the first level. */
static bool read_argument_names(struct reader *reader, const struct yaml_node *node,
                                const struct tool *tool, const char ***out_names, size_t *out_count)
{
    if (node == NULL) {
        return true;
    }
    if (!read_names(reader, node, MEMBERS_MAX, out_names, out_count)) {
        return false;
    }
    for (size_t i = 0; i < *out_count; i++) {
        if (find_member(tool->args, (*out_names)[i]) == NULL) {
            return yaml_fail(reader->file, node->type == YAML_SEQUENCE ? node->items[i] : node,
                             reader->error, "unknown_argument",
                             "`%.64s` is no argument of `%.64s`; write one that `args` names",
                             (*out_names)[i], tool->name);
        }
    }
    return true;
}

static bool read_extra(struct reader *reader, const struct yaml_node *node, bool *out_is_open)
{
    const char *text = "deny";
    if (node != NULL && !read_text(reader, node, &text)) {
        return false;
    }
    *out_is_open = strcmp(text, "allow") == 0;
    return *out_is_open || strcmp(text, "deny") == 0 ||
           yaml_fail(reader->file, node, reader->error, "invalid_extra",
                     "`extra` says what happens to arguments that `args` does not name; write "
                     "allow or deny");
}

static bool read_tool(struct reader *reader, const struct yaml_node *key,
                      const struct yaml_node *node, struct tool *tool)
{
    static const char *const keys[] = {"args", "show", "challenge", "extra", NULL};
    const struct schema *args;
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *args_node = yaml_member(node, "args");
    if (args_node == NULL || args_node->type != YAML_MAPPING) {
        return yaml_fail(reader->file, args_node == NULL ? node : args_node, reader->error,
                         "missing_member",
                         "a tool has the types of its arguments; write `args: {amount: number}`, "
                         "or `args: {}` when it takes none");
    }
    *tool = (struct tool){.name = arena_text(reader->policy->arena, key->text),
                          .file = reader->file,
                          .line = key->line,
                          .column = key->column};
    if (!read_object(reader, args_node, 0, &args)) {
        return false;
    }
    struct schema *own = ARENA_NEW(reader->policy->arena, struct schema);
    *own = *args;
    tool->args = own;
    return read_extra(reader, yaml_member(node, "extra"), &own->is_open) &&
           read_argument_names(reader, yaml_member(node, "show"), tool, &tool->show,
                               &tool->show_count) &&
           read_argument_names(reader, yaml_member(node, "challenge"), tool, &tool->challenge,
                               &tool->challenge_count);
}

bool read_tools(struct reader *reader, const struct yaml_node *node)
{
    struct policy *policy = reader->policy;
    if (node->type != YAML_MAPPING) {
        return yaml_fail(reader->file, node, reader->error, "invalid_tools",
                         "tools are `name: {args: {argument: type}}`, one for each action");
    }
    if (policy->tool_count + node->count > TOOLS_MAX) {
        return yaml_fail(reader->file, node, reader->error, "too_many_tools",
                         "a policy has at most %d tools", TOOLS_MAX);
    }
    struct tool *tools =
        arena_array(policy->arena, policy->tool_count + node->count, sizeof *tools);
    if (policy->tool_count > 0) {
        memcpy(tools, policy->tools, policy->tool_count * sizeof *tools);
    }
    policy->tools = tools;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->keys[i];
        if (strlen(key->text) != key->length || strchr(key->text, '*') != NULL) {
            return yaml_fail(reader->file, key, reader->error, "invalid_name",
                             "a tool is named as its action is, in full");
        }
        if (!read_tool(reader, key, node->items[i], &tools[policy->tool_count])) {
            return false;
        }
        policy->tool_count++;
    }
    return true;
}

static int compare_tools(const void *left, const void *right)
{
    const struct tool *a = left;
    const struct tool *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : strcmp(a->file, b->file);
}

bool sort_tools(struct reader *reader)
{
    struct policy *policy = reader->policy;
    if (policy->tool_count > 0) {
        qsort(policy->tools, policy->tool_count, sizeof *policy->tools, compare_tools);
    }
    for (size_t i = 1; i < policy->tool_count; i++) {
        const struct tool *first = &policy->tools[i - 1];
        const struct tool *second = &policy->tools[i];
        if (strcmp(first->name, second->name) == 0) {
            return error_set_at(reader->error, ERROR_INVALID, "duplicate_name", second->file,
                                second->line, second->column,
                                "`%.100s` also stands at `%.100s` line %d; keep one", second->name,
                                first->file, first->line);
        }
    }
    return true;
}

const struct tool *find_tool(const struct policy *policy, const char *name)
{
    size_t low = 0;
    size_t high = name == NULL ? 0 : policy->tool_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, policy->tools[middle].name);
        if (order == 0) {
            return &policy->tools[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}

/* ---- as a type of conditions ---- */

/* Objects are told apart by where they are: args.items, args.to.address. */
static const char *type_text(struct cel_env *env, const struct schema *schema, const char *path,
                             struct arena *scratch, struct error *error);

static const struct cel_type *object_type(struct cel_env *env, const struct schema *schema,
                                          const char *path, struct arena *scratch,
                                          struct error *error)
{
    struct cel_field *fields = arena_array(scratch, schema->member_count, sizeof *fields);
    for (size_t i = 0; i < schema->member_count; i++) {
        const struct schema_member *member = &schema->members[i];
        const char *text = type_text(env, member->schema, arena_printf(scratch, "%s_%zu", path, i),
                                     scratch, error);
        const struct cel_type *type = text == NULL ? NULL : cel_type_read(env, text, error);
        if (type == NULL) {
            return NULL;
        }
        fields[i] = (struct cel_field){member->name, type, member->is_optional};
    }
    return cel_type_object(env, path, fields, schema->member_count);
}

static const char *type_text(struct cel_env *env, const struct schema *schema, const char *path,
                             struct arena *scratch, struct error *error)
{
    const char *element = NULL;
    switch (schema->kind) {
    case SCHEMA_ANY:
        return "dyn";
    case SCHEMA_STRING:
    case SCHEMA_CHOICE:
        return "string";
    case SCHEMA_NUMBER:
        return "number";
    case SCHEMA_INT:
        return "int";
    case SCHEMA_BOOL:
        return "bool";
    case SCHEMA_LIST:
        element = type_text(env, schema->element, path, scratch, error);
        return element == NULL ? NULL : arena_printf(scratch, "list(%s)", element);
    case SCHEMA_MAP:
        element = type_text(env, schema->element, path, scratch, error);
        return element == NULL ? NULL : arena_printf(scratch, "map(string, %s)", element);
    case SCHEMA_OBJECT:
        if (schema->is_open) {
            return "map(string, dyn)";
        }
        return object_type(env, schema, path, scratch, error) == NULL ? NULL : path;
    }
    return NULL;
}

const struct cel_type *schema_type(struct cel_env *env, const struct schema *schema,
                                   struct arena *scratch, struct error *error)
{
    const char *text = type_text(env, schema, "args", scratch, error);
    return text == NULL ? NULL : cel_type_read(env, text, error);
}
