#include "policy/cel/checker.h"

/* Which signatures a call can mean. */

enum { PARAMETERS_MAX = 8 };

struct substitution {
    const char *names[PARAMETERS_MAX];
    const struct cel_type *types[PARAMETERS_MAX];
    size_t count;
};

/* A signature's type with its parameters replaced by unknowns of this call. */
static const struct cel_type *instantiate(struct cel_checker *checker,
                                          struct substitution *substitution,
                                          const struct cel_type *type)
{
    if (type->kind == CEL_TYPE_PARAMETER) {
        for (size_t i = 0; i < substitution->count; i++) {
            if (strcmp(substitution->names[i], type->name) == 0) {
                return substitution->types[i];
            }
        }
        const struct cel_type *unknown = cel_unknown_type(&checker->unifier);
        if (substitution->count < PARAMETERS_MAX) {
            substitution->names[substitution->count] = type->name;
            substitution->types[substitution->count++] = unknown;
        }
        return unknown;
    }
    if (type->count == 0) {
        return type;
    }
    const struct cel_type *params[CEL_TYPE_PARAMETERS_MAX];
    bool has_changed = false;
    for (size_t i = 0; i < type->count; i++) {
        params[i] = instantiate(checker, substitution, type->params[i]);
        has_changed |= params[i] != type->params[i];
    }
    return has_changed ? cel_type_make(checker->source->arena, (enum cel_type_kind)type->kind,
                                       type->name, params, type->count)
                       : type;
}

/* The result's type when the arguments fit, else NULL. */
static const struct cel_type *try_signature(struct cel_checker *checker,
                                            const struct cel_node *node,
                                            const struct cel_signature *signature)
{
    if (signature->count > node->count ||
        (signature->count < node->count && !signature->does_repeat)) {
        return NULL;
    }
    struct substitution substitution = {.count = 0};
    size_t mark = checker->unifier.trail_count;
    for (uint32_t i = 0; i < node->count; i++) {
        size_t place = i < signature->count ? i : (size_t)signature->count - 1;
        const struct cel_type *wanted =
            instantiate(checker, &substitution, signature->params[place]);
        if (!cel_type_fits(&checker->unifier, node->args[i]->type, wanted)) {
            cel_unifier_undo(&checker->unifier, mark);
            return NULL;
        }
    }
    return cel_type_resolve(&checker->unifier,
                            instantiate(checker, &substitution, signature->result), false);
}

static bool is_number(const struct cel_type *type)
{
    return type->kind >= CEL_TYPE_INT && type->kind <= CEL_TYPE_NUMBER;
}

/* What a call gives that may mean either. */
static const struct cel_type *either(const struct cel_type *one, const struct cel_type *other)
{
    if (one == NULL || cel_type_same(one, other)) {
        return other;
    }
    return is_number(one) && is_number(other) ? &cel_type_number : &cel_type_dyn;
}

const char *cel_type_text(struct cel_checker *checker, const struct cel_type *type)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 200);
    cel_type_print(&text, cel_type_resolve(&checker->unifier, type, true));
    return arena_copy(checker->source->arena, text.bytes, text.length);
}

static void print_arguments(struct cel_checker *checker, struct builder *out,
                            const struct cel_node *node, bool is_member)
{
    if (is_member) {
        builder_text(out, cel_type_text(checker, node->args[0]->type));
        builder_text(out, ".");
    }
    builder_text(out, "(");
    for (uint32_t i = is_member ? 1 : 0; i < node->count; i++) {
        builder_text(out, i > (is_member ? 1 : 0) ? ", " : "");
        builder_text(out, cel_type_text(checker, node->args[i]->type));
    }
    builder_text(out, ")");
}

static bool refuse_call(struct cel_checker *checker, struct cel_node *node,
                        const struct cel_function_entry *first)
{
    struct builder given BUILDER_SCOPE;
    struct builder wanted BUILDER_SCOPE;
    builder_init(&given, 0);
    builder_init(&wanted, 0);
    print_arguments(checker, &given, node, node->is_member);
    size_t count = 0;
    for (const struct cel_function_entry *entry = first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->name, first->name) != 0 || entry->row->signatures == NULL) {
            continue;
        }
        for (size_t i = 0; entry->row->signatures[i] != NULL && count < 4; i++, count++) {
            builder_printf(&wanted, "%s`%s`", count == 0 ? "" : " or ", entry->row->signatures[i]);
        }
    }
    return cel_mismatch(checker, node, "`%s` does not take `%s`; it takes %s", first->name,
                        given.bytes, count == 0 ? "other arguments" : wanted.bytes);
}

/* Whether a type is exactly known: then a signature of `number` adds nothing to one of `int`. */
static bool is_exact(const struct cel_type *type)
{
    if (type->kind == CEL_TYPE_DYN || type->kind == CEL_TYPE_NUMBER ||
        type->kind == CEL_TYPE_UNKNOWN) {
        return false;
    }
    for (size_t i = 0; i < type->count; i++) {
        if (!is_exact(type->params[i])) {
            return false;
        }
    }
    return true;
}

static bool are_exact(const struct cel_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (!is_exact(node->args[i]->type)) {
            return false;
        }
    }
    return true;
}

static bool has_shape(const struct cel_node *node, const struct cel_function_row *row)
{
    return (row->style == CEL_MEMBER) == node->is_member && (int)node->count >= row->args_least &&
           (int)node->count <= row->args_most;
}

bool cel_check_call(struct cel_checker *checker, struct cel_node *node,
                    const struct cel_function_entry *first)
{
    size_t matches = 0;
    for (const struct cel_function_entry *entry = first; entry != NULL; entry = entry->next) {
        if (strcmp(entry->name, first->name) != 0 || !has_shape(node, entry->row) ||
            node->candidate_count == CEL_CANDIDATES_MAX) {
            continue;
        }
        size_t before = matches;
        for (size_t i = 0; i < entry->signature_count && checker->is_strict; i++) {
            const struct cel_type *result = try_signature(checker, node, &entry->signatures[i]);
            if (result != NULL &&
                !(matches > before && result->kind == CEL_TYPE_NUMBER && are_exact(node))) {
                node->type = either(node->type, result);
                matches++;
            }
        }
        if (entry->signature_count == 0 || !checker->is_strict) {
            node->type = &cel_type_dyn;
            matches++;
        }
        if (matches > before) {
            node->candidates[node->candidate_count++] = entry;
        }
    }
    node->is_one_overload = matches == 1 && checker->is_strict;
    return node->candidate_count > 0 || refuse_call(checker, node, first);
}

/* What to write when an operator is given these. */
static const char *advise(const struct cel_node *node)
{
    const struct cel_type *left = node->args[0]->type;
    const struct cel_type *right = node->count > 1 ? node->args[1]->type : left;
    if (node->what == CEL_OP_IN) {
        return "; the right side is a list or a map of such values";
    }
    if (is_number(left) && is_number(right)) {
        return "; turn one into the other with `double()`, `int()` or `uint()`";
    }
    if (node->what == CEL_OP_ADD &&
        (left->kind == CEL_TYPE_STRING || right->kind == CEL_TYPE_STRING)) {
        return "; turn the other into text with `string()`";
    }
    return "";
}

bool cel_check_operator(struct cel_checker *checker, struct cel_node *node)
{
    size_t matches = 0;
    if (!checker->is_strict) {
        node->type = &cel_type_dyn;
        return true;
    }
    for (size_t i = 0; i < checker->env->operator_counts[node->what]; i++) {
        const struct cel_type *result =
            try_signature(checker, node, &checker->env->operators[node->what][i]);
        if (result != NULL) {
            node->type = either(node->type, result);
            matches++;
        }
    }
    node->is_one_overload = matches == 1;
    if (matches > 0) {
        return true;
    }
    const char *left = cel_type_text(checker, node->args[0]->type);
    const char *name = cel_operator_name((enum cel_operator)node->what);
    return node->count == 1
               ? cel_mismatch(checker, node, "`%s` does not go with %s", name, left)
               : cel_mismatch(checker, node, "`%s` does not go between %s and %s%s", name, left,
                              cel_type_text(checker, node->args[1]->type), advise(node));
}
