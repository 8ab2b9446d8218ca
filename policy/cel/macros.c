#include "policy/cel/ast.h"

/* Macros: calls whose arguments are names or are read more than once. */

enum macro {
    MACRO_HAS,
    MACRO_LOOP,
    MACRO_FILTER,
    MACRO_MAP, /* map: an element and, before the step, perhaps a condition */
    MACRO_BIND,
    MACRO_OPT_MAP,
    MACRO_BLOCK,
    MACRO_INDEX,
    MACRO_LOOP_NAME,
};

static const struct macro_row {
    const char *name;
    const char *receiver; /* a name the receiver must have, or NULL */
    bool is_member;
    uint8_t count; /* of arguments without the receiver */
    uint8_t names; /* of these the first ones are variables */
    enum macro macro;
    enum cel_loop loop;
} rows[] = {
    {"has", NULL, false, 1, 0, MACRO_HAS, 0},
    {"all", NULL, true, 2, 1, MACRO_LOOP, CEL_LOOP_ALL},
    {"all", NULL, true, 3, 2, MACRO_LOOP, CEL_LOOP_ALL},
    {"exists", NULL, true, 2, 1, MACRO_LOOP, CEL_LOOP_EXISTS},
    {"exists", NULL, true, 3, 2, MACRO_LOOP, CEL_LOOP_EXISTS},
    {"exists_one", NULL, true, 2, 1, MACRO_LOOP, CEL_LOOP_EXISTS_ONE},
    {"existsOne", NULL, true, 2, 1, MACRO_LOOP, CEL_LOOP_EXISTS_ONE},
    {"existsOne", NULL, true, 3, 2, MACRO_LOOP, CEL_LOOP_EXISTS_ONE},
    {"filter", NULL, true, 2, 1, MACRO_FILTER, CEL_LOOP_LIST},
    {"map", NULL, true, 2, 1, MACRO_MAP, CEL_LOOP_LIST},
    {"map", NULL, true, 3, 1, MACRO_MAP, CEL_LOOP_LIST},
    {"transformList", NULL, true, 3, 2, MACRO_MAP, CEL_LOOP_LIST},
    {"transformList", NULL, true, 4, 2, MACRO_MAP, CEL_LOOP_LIST},
    {"transformMap", NULL, true, 3, 2, MACRO_MAP, CEL_LOOP_MAP},
    {"transformMap", NULL, true, 4, 2, MACRO_MAP, CEL_LOOP_MAP},
    {"transformMapEntry", NULL, true, 3, 2, MACRO_MAP, CEL_LOOP_MAP_ENTRY},
    {"transformMapEntry", NULL, true, 4, 2, MACRO_MAP, CEL_LOOP_MAP_ENTRY},
    {"bind", "cel", true, 3, 1, MACRO_BIND, 0},
    {"optMap", NULL, true, 2, 1, MACRO_OPT_MAP, 0},
    {"optFlatMap", NULL, true, 2, 1, MACRO_OPT_MAP, 0},
    {"block", "cel", true, 2, 0, MACRO_BLOCK, 0},
    {"index", "cel", true, 1, 0, MACRO_INDEX, 0},
    {"iterVar", "cel", true, 2, 0, MACRO_LOOP_NAME, 0},
};

static const struct macro_row *find_row(const struct cel_node *call)
{
    size_t count = call->count - (call->is_member ? 1 : 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct macro_row *row = &rows[i];
        if (row->is_member != call->is_member || row->count != count ||
            !cel_text_is(call->name, row->name)) {
            continue;
        }
        const struct cel_node *receiver = call->args[0];
        if (row->receiver == NULL ||
            (receiver->kind == CEL_NODE_NAME && cel_text_is(receiver->name, row->receiver))) {
            return row;
        }
    }
    return NULL;
}

static struct cel_node *expand_has(struct cel_source *source, struct cel_node *call)
{
    struct cel_node *operand = call->args[0];
    if (operand->kind != CEL_NODE_SELECT || operand->is_optional || operand->is_test) {
        return CEL_REFUSE(source, operand->offset, "bad_has",
                          "`has()` asks for a member: write `has(value.member)`");
    }
    operand->is_test = true;
    return operand;
}

/* A variable of a macro: a plain name. */
static bool read_name(struct cel_source *source, const struct cel_node *call,
                      const struct cel_node *node, struct cel_text *out)
{
    if (node->kind != CEL_NODE_NAME || node->is_absolute) {
        while (node->kind == CEL_NODE_SELECT || node->kind == CEL_NODE_INDEX) {
            node = node->target;
        }
        return cel_refuse(source, node->offset, "bad_variable",
                          "`%.*s` wants a plain name here for its variable", (int)call->name.length,
                          call->name.bytes);
    }
    *out = node->name;
    return true;
}

static struct cel_node *copy_name(struct cel_source *source, const struct cel_node *call,
                                  struct cel_text name)
{
    struct cel_node *node = cel_node_new(source, CEL_NODE_NAME, call->offset);
    if (node != NULL) {
        node->name = name;
    }
    return node;
}

static struct cel_node *expand_loop(struct cel_source *source, struct cel_node *call,
                                    const struct macro_row *row)
{
    struct cel_node *loop = cel_node_new(source, CEL_NODE_LOOP, call->offset);
    if (loop == NULL || !read_name(source, call, call->args[1], &loop->name) ||
        (row->names == 2 && !read_name(source, call, call->args[2], &loop->other_name))) {
        return NULL;
    }
    if (row->names == 2 && cel_text_equal(loop->name, loop->other_name)) {
        return CEL_REFUSE(source, call->args[2]->offset, "bad_variable",
                          "the two variables of `%s` must have different names", row->name);
    }
    struct cel_node *step = call->args[call->count - 1];
    loop->what = (uint8_t)row->loop;
    loop->target = call->args[0];
    if (row->macro == MACRO_FILTER) {
        loop->filter = step;
        step = copy_name(source, call, loop->name);
    } else if (row->macro == MACRO_MAP && row->count == row->names + 2) {
        loop->filter = call->args[call->count - 2];
    }
    return step == NULL ? NULL : cel_node_with(source, loop, &step, 1);
}

static struct cel_node *expand_bind(struct cel_source *source, struct cel_node *call)
{
    struct cel_node *bind = cel_node_new(source, CEL_NODE_BIND, call->offset);
    if (bind == NULL || !read_name(source, call, call->args[1], &bind->name)) {
        return NULL;
    }
    return cel_node_with(source, bind, call->args + 2, 2);
}

static struct cel_node *expand_opt_map(struct cel_source *source, struct cel_node *call)
{
    struct cel_node *map = cel_node_new(source, CEL_NODE_OPT_MAP, call->offset);
    if (map == NULL || !read_name(source, call, call->args[1], &map->name)) {
        return NULL;
    }
    map->is_optional = cel_text_is(call->name, "optFlatMap");
    struct cel_node *args[2] = {call->args[0], call->args[2]};
    return cel_node_with(source, map, args, 2);
}

/* cel.block([a, b], c): b may read a as cel.index(0), c both. Made by optimisers. */
static struct cel_node *expand_block(struct cel_source *source, struct cel_node *call)
{
    struct cel_node *slots = call->args[1];
    if (slots->kind != CEL_NODE_LIST || slots->are_optional != NULL) {
        return CEL_REFUSE(source, slots->offset, "bad_block", "`cel.block` wants a list first");
    }
    struct cel_node *block = cel_node_new(source, CEL_NODE_BLOCK, call->offset);
    struct cel_node **args = arena_array(source->arena, slots->count + 1, sizeof(void *));
    if (slots->count > 0) {
        memcpy(args, slots->args, slots->count * sizeof *args);
    }
    args[slots->count] = call->args[2];
    return cel_node_with(source, block, args, slots->count + 1);
}

/* cel.index(0) and cel.iterVar(0, 1) are names no one can write: `@index0`, `@it:0:1`. */
static struct cel_node *expand_name(struct cel_source *source, struct cel_node *call,
                                    const char *prefix)
{
    struct builder name BUILDER_SCOPE;
    builder_init(&name, 0);
    builder_text(&name, prefix);
    for (size_t i = 1; i < call->count; i++) {
        const struct cel_node *arg = call->args[i];
        if (arg->kind != CEL_NODE_LITERAL || arg->literal.kind != CEL_INT ||
            arg->literal.as.integer < 0) {
            return CEL_REFUSE(source, arg->offset, "bad_index", "`cel.%.*s` wants plain numbers",
                              (int)call->name.length, call->name.bytes);
        }
        builder_printf(&name, "%s%lld", i > 1 ? ":" : "", (long long)arg->literal.as.integer);
    }
    struct cel_text text = {arena_copy(source->arena, name.bytes, name.length), name.length};
    return copy_name(source, call, text);
}

struct cel_node *cel_expand_macro(struct cel_source *source, struct cel_node *call)
{
    const struct macro_row *row = find_row(call);
    if (row == NULL) {
        return call;
    }
    switch (row->macro) {
    case MACRO_HAS:
        return expand_has(source, call);
    case MACRO_LOOP:
    case MACRO_FILTER:
    case MACRO_MAP:
        return expand_loop(source, call, row);
    case MACRO_BIND:
        return expand_bind(source, call);
    case MACRO_OPT_MAP:
        return expand_opt_map(source, call);
    case MACRO_BLOCK:
        return expand_block(source, call);
    case MACRO_INDEX:
        return expand_name(source, call, "@index");
    case MACRO_LOOP_NAME:
        return expand_name(source, call, "@it:");
    }
    return call;
}
