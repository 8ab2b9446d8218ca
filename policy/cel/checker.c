#include "policy/cel/checker.h"

#include <stdarg.h>
#include <stdio.h>

/* Names, overloads and types, in one walk from the leaves up. Without strictness the walk finds out
 * the same names, and every type is dyn where it does not fit. */

enum { STEPS_MAX = 400000 };

bool cel_mismatch(struct cel_checker *checker, struct cel_node *node, const char *format, ...)
{
    node->type = &cel_type_dyn;
    if (!checker->is_strict) {
        return true;
    }
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return cel_refuse(checker->source, node->offset, "bad_type", "%s", message);
}

static const struct cel_type *resolved(struct cel_checker *checker, const struct cel_type *type)
{
    while (type->kind == CEL_TYPE_UNKNOWN && checker->unifier.found[type->id] != NULL) {
        type = checker->unifier.found[type->id];
    }
    return type;
}

static bool is_open(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_DYN || type->kind == CEL_TYPE_UNKNOWN;
}

static bool is_optional_type(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_ABSTRACT && type->count == 1 &&
           strcmp(type->name, "optional_type") == 0;
}

static const struct cel_type *make_type(struct cel_checker *checker, enum cel_type_kind kind,
                                        const char *name, const struct cel_type *first,
                                        const struct cel_type *second)
{
    const struct cel_type *params[] = {first, second};
    return cel_type_make(checker->source->arena, kind, name, params, second == NULL ? 1 : 2);
}

static const struct cel_type *optional_of(struct cel_checker *checker, const struct cel_type *type)
{
    return make_type(checker, CEL_TYPE_ABSTRACT, "optional_type", type, NULL);
}

static const struct cel_type *literal_type(uint8_t kind)
{
    switch (kind) {
    case CEL_NULL:
        return &cel_type_null;
    case CEL_BOOL:
        return &cel_type_bool;
    case CEL_INT:
        return &cel_type_int;
    case CEL_UINT:
        return &cel_type_uint;
    case CEL_DOUBLE:
        return &cel_type_double;
    case CEL_STRING:
        return &cel_type_string;
    case CEL_BYTES:
        return &cel_type_bytes;
    default:
        return &cel_type_dyn;
    }
}

static bool check_all(struct cel_checker *checker, struct cel_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (!cel_check_node(checker, node->args[i])) {
            return false;
        }
    }
    return true;
}

static bool check_name(struct cel_checker *checker, struct cel_node *node)
{
    if (cel_resolve_name(checker, node)) {
        return true;
    }
    if (checker->is_strict) {
        return cel_refuse_name(checker, node);
    }
    node->reference = CEL_REFERENCE_UNKNOWN;
    node->type = &cel_type_dyn;
    return true;
}

static const struct cel_field *find_field(const struct cel_type *type, struct cel_text name)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (cel_text_is(name, type->fields[i].name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static bool refuse_field(struct cel_checker *checker, struct cel_node *node,
                         const struct cel_type *type)
{
    struct cel_nearest nearest = {.word = node->name.bytes, .length = node->name.length};
    for (size_t i = 0; i < type->field_count; i++) {
        cel_nearest_offer(&nearest, type->fields[i].name, strlen(type->fields[i].name));
    }
    return cel_mismatch(checker, node,
                        nearest.best != NULL ? "`%s` has no member `%.*s`; did you mean `%s`?"
                                             : "`%s` has no member `%.*s`%s",
                        type->name, (int)(node->name.length < 100 ? node->name.length : 100),
                        node->name.bytes, nearest.best != NULL ? nearest.best : "");
}

/* The type of `target.name`, before optionality; NULL after an error. */
static const struct cel_type *member_type(struct cel_checker *checker, struct cel_node *node,
                                          const struct cel_type *target)
{
    if (is_open(target)) {
        return &cel_type_dyn;
    }
    if (target->kind == CEL_TYPE_OBJECT) {
        const struct cel_field *field = find_field(target, node->name);
        if (field != NULL) {
            return field->type;
        }
        return refuse_field(checker, node, target) ? &cel_type_dyn : NULL;
    }
    if (target->kind == CEL_TYPE_MAP &&
        cel_type_fits(&checker->unifier, &cel_type_string, target->params[0])) {
        return target->params[1];
    }
    return cel_mismatch(checker, node, "%s has no members, so no `.%.*s`",
                        cel_type_text(checker, target),
                        (int)(node->name.length < 100 ? node->name.length : 100), node->name.bytes)
               ? &cel_type_dyn
               : NULL;
}

static bool check_select(struct cel_checker *checker, struct cel_node *node)
{
    if (cel_resolve_name(checker, node)) {
        return true;
    }
    if (!cel_check_node(checker, node->target)) {
        return false;
    }
    const struct cel_type *target = resolved(checker, node->target->type);
    bool is_optional = is_optional_type(target);
    const struct cel_type *type =
        member_type(checker, node, is_optional ? resolved(checker, target->params[0]) : target);
    if (type == NULL) {
        return false;
    }
    node->type = node->is_test                      ? &cel_type_bool
                 : is_optional || node->is_optional ? optional_of(checker, type)
                                                    : type;
    return true;
}

static const struct cel_type *element_type(struct cel_checker *checker, struct cel_node *node,
                                           const struct cel_type *target)
{
    const struct cel_type *key = node->args[0]->type;
    if (is_open(target)) {
        return target->kind == CEL_TYPE_DYN ? target : cel_unknown_type(&checker->unifier);
    }
    if (target->kind == CEL_TYPE_OBJECT &&
        cel_type_fits(&checker->unifier, key, &cel_type_string)) {
        const struct cel_node *literal = node->args[0];
        const struct cel_field *field = NULL;
        if (literal->kind == CEL_NODE_LITERAL && literal->literal.kind == CEL_STRING) {
            node->name = (struct cel_text){literal->literal.as.bytes, literal->literal.length};
            field = find_field(target, node->name);
            if (field == NULL && !refuse_field(checker, node, target)) {
                return NULL;
            }
        }
        return field == NULL ? &cel_type_dyn : field->type;
    }
    if (target->kind == CEL_TYPE_LIST && cel_type_fits(&checker->unifier, key, &cel_type_int)) {
        return target->params[0];
    }
    if (target->kind == CEL_TYPE_MAP && cel_type_fits(&checker->unifier, key, target->params[0])) {
        return target->params[1];
    }
    return cel_mismatch(checker, node, "%s cannot be indexed with %s",
                        cel_type_text(checker, target), cel_type_text(checker, key))
               ? &cel_type_dyn
               : NULL;
}

static bool check_index(struct cel_checker *checker, struct cel_node *node)
{
    if (!cel_check_node(checker, node->target) || !check_all(checker, node)) {
        return false;
    }
    const struct cel_type *target = resolved(checker, node->target->type);
    bool is_optional = is_optional_type(target);
    const struct cel_type *type =
        element_type(checker, node, is_optional ? resolved(checker, target->params[0]) : target);
    if (type == NULL) {
        return false;
    }
    node->type = is_optional || node->is_optional ? optional_of(checker, type) : type;
    return true;
}

static bool check_call(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_function_entry *first = cel_resolve_function(checker, node);
    if (first == NULL && checker->is_strict) {
        return cel_refuse_function(checker, node);
    }
    if (!check_all(checker, node)) {
        return false;
    }
    if (first != NULL) {
        return cel_check_call(checker, node, first);
    }
    node->type = &cel_type_dyn;
    return true;
}

static bool wants_bool(struct cel_checker *checker, struct cel_node *node, const char *who)
{
    if (cel_type_fits(&checker->unifier, node->type, &cel_type_bool)) {
        return true;
    }
    const struct cel_type *kept = node->type;
    bool is_well = cel_mismatch(checker, node,
                                "%s wants true or false, and this is %s; compare it: "
                                "`… == …`",
                                who, cel_type_text(checker, kept));
    node->type = kept;
    return is_well;
}

static bool check_logic(struct cel_checker *checker, struct cel_node *node)
{
    if (!check_all(checker, node)) {
        return false;
    }
    node->type = &cel_type_bool;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!wants_bool(checker, node->args[i], node->kind == CEL_NODE_OR ? "`||`" : "`&&`")) {
            return false;
        }
    }
    return true;
}

static bool check_ternary(struct cel_checker *checker, struct cel_node *node)
{
    if (!check_all(checker, node) || !wants_bool(checker, node->args[0], "`? :`")) {
        return false;
    }
    const struct cel_type *left = node->args[1]->type;
    const struct cel_type *right = node->args[2]->type;
    if (!cel_type_fits(&checker->unifier, left, right)) {
        return cel_mismatch(checker, node,
                            "the two sides of `:` must be of one type, and these are %s and %s",
                            cel_type_text(checker, left), cel_type_text(checker, right));
    }
    node->type = cel_type_general(cel_type_resolve(&checker->unifier, left, false),
                                  cel_type_resolve(&checker->unifier, right, false));
    return true;
}

/* The type of elements so far and one more. */
static const struct cel_type *join(struct cel_checker *checker, const struct cel_type *before,
                                   const struct cel_type *type)
{
    if (before == NULL) {
        return type;
    }
    if (!cel_type_fits(&checker->unifier, before, type)) {
        return &cel_type_dyn;
    }
    return cel_type_general(cel_type_resolve(&checker->unifier, before, false),
                            cel_type_resolve(&checker->unifier, type, false));
}

/* `?x` gives what the optional holds. */
static bool unwrap(struct cel_checker *checker, struct cel_node *node, const struct cel_type **out)
{
    const struct cel_type *type = resolved(checker, node->type);
    *out = is_optional_type(type) ? type->params[0] : &cel_type_dyn;
    return is_optional_type(type) || is_open(type) ||
           cel_mismatch(checker, node, "after `?` stands an optional, and this is %s",
                        cel_type_text(checker, type));
}

static bool join_argument(struct cel_checker *checker, struct cel_node *node, uint32_t i,
                          const struct cel_type **type)
{
    const struct cel_type *given = node->args[i]->type;
    bool is_key = node->kind == CEL_NODE_MAP && i % 2 == 0;
    if (node->are_optional != NULL && node->are_optional[i] && !is_key &&
        !unwrap(checker, node->args[i], &given)) {
        return false;
    }
    *type = join(checker, *type, given);
    return true;
}

static bool check_list(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_type *type = NULL;
    if (!check_all(checker, node)) {
        return false;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (!join_argument(checker, node, i, &type)) {
            return false;
        }
    }
    type = type == NULL ? cel_unknown_type(&checker->unifier) : type;
    node->type = make_type(checker, CEL_TYPE_LIST, "list", type, NULL);
    return true;
}

static bool is_key_type(const struct cel_type *type)
{
    return is_open(type) || type->kind == CEL_TYPE_BOOL || type->kind == CEL_TYPE_INT ||
           type->kind == CEL_TYPE_UINT || type->kind == CEL_TYPE_STRING ||
           type->kind == CEL_TYPE_NUMBER;
}

static bool check_map(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_type *types[2] = {NULL, NULL};
    if (!check_all(checker, node)) {
        return false;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if (!join_argument(checker, node, i, &types[i % 2])) {
            return false;
        }
        const struct cel_type *key = resolved(checker, node->args[i]->type);
        if (i % 2 == 0 && !is_key_type(key) &&
            !cel_mismatch(checker, node->args[i],
                          "a map's key is a string, an int, a uint or a bool, not %s",
                          cel_type_text(checker, key))) {
            return false;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        types[i] = types[i] == NULL ? cel_unknown_type(&checker->unifier) : types[i];
    }
    node->type = make_type(checker, CEL_TYPE_MAP, "map", types[0], types[1]);
    return true;
}

/* Each variable has a place of its own, never one that another had before: a binding is evaluated
 * where it is first read, while the variables of loops around that reading live. */
static void enter(struct cel_checker *checker, struct cel_local *local, struct cel_text name,
                  const struct cel_type *type)
{
    *local = (struct cel_local){name, type, checker->local_count++, checker->locals};
    checker->locals = local;
}

/* The types of key (or index) and value of what a loop goes over. */
static bool range_types(struct cel_checker *checker, struct cel_node *node,
                        const struct cel_type **key, const struct cel_type **value)
{
    const struct cel_type *range = resolved(checker, node->target->type);
    *key = &cel_type_dyn;
    *value = &cel_type_dyn;
    if (range->kind == CEL_TYPE_LIST) {
        *key = &cel_type_int;
        *value = range->params[0];
    } else if (range->kind == CEL_TYPE_MAP) {
        *key = range->params[0];
        *value = range->params[1];
    } else if (range->kind == CEL_TYPE_OBJECT) {
        *key = &cel_type_string;
    } else if (!is_open(range)) {
        return cel_mismatch(checker, node, "this goes over a list or a map, not %s",
                            cel_type_text(checker, range));
    }
    return true;
}

static bool loop_type(struct cel_checker *checker, struct cel_node *node,
                      const struct cel_type *key)
{
    struct cel_node *step = node->args[0];
    const struct cel_type *type;
    switch ((enum cel_loop)node->what) {
    case CEL_LOOP_LIST:
        node->type = make_type(checker, CEL_TYPE_LIST, "list", step->type, NULL);
        return true;
    case CEL_LOOP_MAP:
        node->type = make_type(checker, CEL_TYPE_MAP, "map", key, step->type);
        return true;
    case CEL_LOOP_MAP_ENTRY:
        type = resolved(checker, step->type);
        node->type = type->kind == CEL_TYPE_MAP ? type : &cel_type_dyn;
        return type->kind == CEL_TYPE_MAP || is_open(type) ||
               cel_mismatch(checker, step, "`transformMapEntry` makes maps: `{key: value}`");
    case CEL_LOOP_ALL:
    case CEL_LOOP_EXISTS:
    case CEL_LOOP_EXISTS_ONE:
        break;
    }
    node->type = &cel_type_bool;
    return wants_bool(checker, step, "a condition over elements");
}

static bool check_loop_inside(struct cel_checker *checker, struct cel_node *node,
                              const struct cel_type *key)
{
    if (node->filter != NULL && (!cel_check_node(checker, node->filter) ||
                                 !wants_bool(checker, node->filter, "a filter"))) {
        return false;
    }
    return cel_check_node(checker, node->args[0]) && loop_type(checker, node, key);
}

static bool check_loop(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_type *key;
    const struct cel_type *value;
    if (!cel_check_node(checker, node->target) || !range_types(checker, node, &key, &value)) {
        return false;
    }
    if (checker->loop_depth == checker->env->limits.nesting) {
        return cel_refuse(checker->source, node->offset, "too_deep",
                          "more than %zu loops within one another: their cost multiplies",
                          checker->env->limits.nesting);
    }
    const struct cel_local *outer = checker->locals;
    bool has_two = node->other_name.length > 0;
    bool is_map = resolved(checker, node->target->type)->kind == CEL_TYPE_MAP ||
                  resolved(checker, node->target->type)->kind == CEL_TYPE_OBJECT;
    struct cel_local first;
    struct cel_local second;
    node->index = checker->local_count;
    enter(checker, &first, node->name, has_two || is_map ? key : value);
    if (has_two) {
        enter(checker, &second, node->other_name, value);
    }
    checker->loop_depth++;
    bool is_well = check_loop_inside(checker, node, key);
    checker->loop_depth--;
    checker->locals = outer;
    return is_well;
}

static bool check_bind(struct cel_checker *checker, struct cel_node *node)
{
    if (!cel_check_node(checker, node->args[0])) {
        return false;
    }
    const struct cel_local *outer = checker->locals;
    struct cel_local local;
    node->index = checker->local_count;
    enter(checker, &local, node->name, node->args[0]->type);
    bool is_well = cel_check_node(checker, node->args[1]);
    checker->locals = outer;
    node->type = node->args[1]->type;
    return is_well;
}

static bool check_opt_map(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_type *type;
    if (!cel_check_node(checker, node->args[0]) || !unwrap(checker, node->args[0], &type)) {
        return false;
    }
    const struct cel_local *outer = checker->locals;
    struct cel_local hidden; /* what the optional holds, until the variable is read */
    struct cel_local local;
    node->index = checker->local_count;
    enter(checker, &hidden, (struct cel_text){"@target", 7}, type);
    enter(checker, &local, node->name, type);
    bool is_well = cel_check_node(checker, node->args[1]);
    checker->locals = outer;
    if (!is_well || (node->is_optional && !unwrap(checker, node->args[1], &type))) {
        return false;
    }
    node->type =
        node->is_optional ? node->args[1]->type : optional_of(checker, node->args[1]->type);
    return true;
}

static bool check_block(struct cel_checker *checker, struct cel_node *node)
{
    const struct cel_local *outer = checker->locals;
    struct cel_local *locals = arena_array(checker->source->arena, node->count, sizeof *locals);
    node->index = checker->local_count;
    checker->local_count += node->count - 1; /* one after the other */
    bool is_well = true;
    for (uint32_t i = 0; is_well && i < node->count; i++) {
        const char *name = arena_printf(checker->source->arena, "@index%u", (unsigned)i);
        is_well = cel_check_node(checker, node->args[i]);
        locals[i] = (struct cel_local){
            {name, strlen(name)}, &cel_type_dyn, node->index + i, checker->locals};
        checker->locals = &locals[i];
    }
    checker->locals = outer;
    node->type = node->args[node->count - 1]->type;
    return is_well;
}

bool cel_check_node(struct cel_checker *checker, struct cel_node *node)
{
    switch ((enum cel_node_kind)node->kind) {
    case CEL_NODE_LITERAL:
        node->type = literal_type(node->literal.kind);
        return true;
    case CEL_NODE_NAME:
        return check_name(checker, node);
    case CEL_NODE_SELECT:
        return check_select(checker, node);
    case CEL_NODE_INDEX:
        return check_index(checker, node);
    case CEL_NODE_CALL:
        return check_call(checker, node);
    case CEL_NODE_OPERATOR:
        return check_all(checker, node) && cel_check_operator(checker, node);
    case CEL_NODE_AND:
    case CEL_NODE_OR:
        return check_logic(checker, node);
    case CEL_NODE_TERNARY:
        return check_ternary(checker, node);
    case CEL_NODE_LIST:
        return check_list(checker, node);
    case CEL_NODE_MAP:
        return check_map(checker, node);
    case CEL_NODE_LOOP:
        return check_loop(checker, node);
    case CEL_NODE_BIND:
        return check_bind(checker, node);
    case CEL_NODE_OPT_MAP:
        return check_opt_map(checker, node);
    case CEL_NODE_BLOCK:
        return check_block(checker, node);
    }
    return false;
}

bool cel_check(const struct cel_env *env, struct cel_source *source, struct cel_node *root,
               bool is_strict, struct cel_checked *out)
{
    struct cel_checker checker = {
        .env = env,
        .source = source,
        .unifier = {.arena = source->arena, .steps_left = STEPS_MAX},
        .is_strict = is_strict,
    };
    if (!cel_check_node(&checker, root)) {
        return false;
    }
    if (checker.unifier.steps_left == 0) {
        return cel_refuse(source, root->offset, "too_long",
                          "its types take too long to find out: split it");
    }
    out->type = cel_type_resolve(&checker.unifier, root->type, true);
    out->local_count = checker.local_count;
    return true;
}
