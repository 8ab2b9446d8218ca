#include "policy/cel/types.h"

/* Which type fits where, with unknowns bound as they are met: the rules of cel-go's checker, which
 * the specification leaves to it. */

enum { LEVELS_MAX = 64 };

static bool fits(struct cel_unifier *unifier, const struct cel_type *given,
                 const struct cel_type *wanted, int level);

const struct cel_type *cel_unknown_type(struct cel_unifier *unifier)
{
    if (unifier->count == unifier->capacity) {
        size_t capacity = unifier->capacity == 0 ? 64 : unifier->capacity * 2;
        const struct cel_type **found = arena_array(unifier->arena, capacity, sizeof *found);
        for (size_t i = 0; i < unifier->count; i++) {
            found[i] = unifier->found[i];
        }
        unifier->found = found;
        unifier->capacity = capacity;
    }
    struct cel_type *type = ARENA_NEW(unifier->arena, struct cel_type);
    type->kind = CEL_TYPE_UNKNOWN;
    type->name = "dyn";
    type->id = (uint32_t)unifier->count++;
    return type;
}

static void bind(struct cel_unifier *unifier, uint32_t id, const struct cel_type *type)
{
    if (unifier->trail_count == unifier->trail_capacity) {
        size_t capacity = unifier->trail_capacity == 0 ? 64 : unifier->trail_capacity * 2;
        uint32_t *trail = arena_array(unifier->arena, capacity, sizeof *trail);
        const struct cel_type **before = arena_array(unifier->arena, capacity, sizeof *before);
        for (size_t i = 0; i < unifier->trail_count; i++) {
            trail[i] = unifier->trail[i];
            before[i] = unifier->trail_before[i];
        }
        unifier->trail = trail;
        unifier->trail_before = before;
        unifier->trail_capacity = capacity;
    }
    unifier->trail[unifier->trail_count] = id;
    unifier->trail_before[unifier->trail_count++] = unifier->found[id];
    unifier->found[id] = type;
}

void cel_unifier_undo(struct cel_unifier *unifier, size_t mark)
{
    while (unifier->trail_count > mark) {
        unifier->trail_count--;
        unifier->found[unifier->trail[unifier->trail_count]] =
            unifier->trail_before[unifier->trail_count];
    }
}

bool cel_type_same(const struct cel_type *left, const struct cel_type *right)
{
    if (left == right) {
        return true;
    }
    if (left->kind != right->kind || left->count != right->count || left->id != right->id ||
        strcmp(left->name, right->name) != 0) {
        return false;
    }
    for (size_t i = 0; i < left->count; i++) {
        if (!cel_type_same(left->params[i], right->params[i])) {
            return false;
        }
    }
    return true;
}

/* Whether the unknown `id` occurs in `type`, seen through what was found. */
static bool occurs(struct cel_unifier *unifier, uint32_t id, const struct cel_type *type, int level)
{
    if (level > LEVELS_MAX || unifier->steps_left == 0) {
        return true;
    }
    unifier->steps_left--;
    if (type->kind == CEL_TYPE_UNKNOWN) {
        const struct cel_type *found = unifier->found[type->id];
        return type->id == id || (found != NULL && occurs(unifier, id, found, level + 1));
    }
    for (size_t i = 0; i < type->count; i++) {
        if (occurs(unifier, id, type->params[i], level + 1)) {
            return true;
        }
    }
    return false;
}

static bool is_less_specific(const struct cel_type *left, const struct cel_type *right)
{
    if (left->kind == CEL_TYPE_DYN || left->kind == CEL_TYPE_UNKNOWN) {
        return true;
    }
    if (right->kind == CEL_TYPE_DYN || right->kind == CEL_TYPE_UNKNOWN) {
        return false;
    }
    if (left->kind == CEL_TYPE_NUMBER && right->kind >= CEL_TYPE_INT &&
        right->kind <= CEL_TYPE_NUMBER) {
        return true;
    }
    if (left->kind != right->kind || left->count != right->count ||
        strcmp(left->name, right->name) != 0) {
        return right->kind == CEL_TYPE_NULL && left->kind != CEL_TYPE_NULL;
    }
    for (size_t i = 0; i < left->count; i++) {
        if (!is_less_specific(left->params[i], right->params[i])) {
            return false;
        }
    }
    return true;
}

const struct cel_type *cel_type_general(const struct cel_type *left, const struct cel_type *right)
{
    return is_less_specific(left, right) ? left : right;
}

/* Binds the unknown, or checks what it is bound to. `*out_was_bound` says whether it was. */
static bool substitutes(struct cel_unifier *unifier, const struct cel_type *type,
                        const struct cel_type *unknown, bool *out_was_bound, int level)
{
    const struct cel_type *found = unifier->found[unknown->id];
    *out_was_bound = found != NULL;
    if (cel_type_same(type, unknown)) {
        *out_was_bound = true;
        return true;
    }
    if (found == NULL) {
        if (occurs(unifier, unknown->id, type, level + 1)) {
            return false;
        }
        bind(unifier, unknown->id, type);
        return true;
    }
    if (cel_type_same(type, found)) {
        return true;
    }
    if (!fits(unifier, type, found, level + 1)) {
        return false;
    }
    const struct cel_type *general = cel_type_general(type, found);
    if (!occurs(unifier, unknown->id, general, level + 1)) {
        bind(unifier, unknown->id, general);
    }
    return true;
}

static bool is_number(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_INT || type->kind == CEL_TYPE_UINT ||
           type->kind == CEL_TYPE_DOUBLE || type->kind == CEL_TYPE_NUMBER;
}

/* Null may stand for what has no value of its own kind. */
static bool takes_null(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_NULL:
    case CEL_TYPE_TIMESTAMP:
    case CEL_TYPE_DURATION:
    case CEL_TYPE_ABSTRACT:
    case CEL_TYPE_WRAPPER:
        return true;
    default:
        return false;
    }
}

/* An object is a map of strings to values of several types. */
static bool fits_map(struct cel_unifier *unifier, const struct cel_type *map, int level)
{
    if (!fits(unifier, &cel_type_string, map->params[0], level + 1)) {
        return false;
    }
    return fits(unifier, &cel_type_dyn, map->params[1], level + 1);
}

static bool fits_known(struct cel_unifier *unifier, const struct cel_type *given,
                       const struct cel_type *wanted, int level)
{
    if (given->kind == CEL_TYPE_DYN || wanted->kind == CEL_TYPE_DYN) {
        return true;
    }
    if (given->kind == CEL_TYPE_NULL || wanted->kind == CEL_TYPE_NULL) {
        return takes_null(given->kind == CEL_TYPE_NULL ? wanted : given);
    }
    if (given->kind == CEL_TYPE_WRAPPER || wanted->kind == CEL_TYPE_WRAPPER) {
        const struct cel_type *left = given->kind == CEL_TYPE_WRAPPER ? given->params[0] : given;
        const struct cel_type *right =
            wanted->kind == CEL_TYPE_WRAPPER ? wanted->params[0] : wanted;
        return fits(unifier, left, right, level + 1);
    }
    if (given->kind == CEL_TYPE_NUMBER || wanted->kind == CEL_TYPE_NUMBER) {
        return is_number(given) && is_number(wanted);
    }
    if (given->kind == CEL_TYPE_OBJECT && wanted->kind == CEL_TYPE_MAP) {
        return fits_map(unifier, wanted, level);
    }
    if (wanted->kind == CEL_TYPE_OBJECT && given->kind == CEL_TYPE_MAP) {
        return fits_map(unifier, given, level);
    }
    if (given->kind == CEL_TYPE_TYPE && wanted->kind == CEL_TYPE_TYPE) {
        return true;
    }
    if (given->kind != wanted->kind || strcmp(given->name, wanted->name) != 0 ||
        given->count != wanted->count) {
        return false;
    }
    for (size_t i = 0; i < given->count; i++) {
        if (!fits(unifier, given->params[i], wanted->params[i], level + 1)) {
            return false;
        }
    }
    return true;
}

static bool fits(struct cel_unifier *unifier, const struct cel_type *given,
                 const struct cel_type *wanted, int level)
{
    if (level > LEVELS_MAX || unifier->steps_left == 0) {
        return false;
    }
    unifier->steps_left--;
    bool was_bound;
    if (wanted->kind == CEL_TYPE_UNKNOWN) {
        if (substitutes(unifier, given, wanted, &was_bound, level)) {
            return true;
        }
        if (was_bound) {
            return false;
        }
    }
    if (given->kind == CEL_TYPE_UNKNOWN) {
        return substitutes(unifier, wanted, given, &was_bound, level);
    }
    return fits_known(unifier, given, wanted, level);
}

bool cel_type_fits(struct cel_unifier *unifier, const struct cel_type *given,
                   const struct cel_type *wanted)
{
    size_t mark = unifier->trail_count;
    if (fits(unifier, given, wanted, 0)) {
        return true;
    }
    cel_unifier_undo(unifier, mark);
    return false;
}

static const struct cel_type *resolve(struct cel_unifier *unifier, const struct cel_type *type,
                                      bool must_close, int level)
{
    if (level > LEVELS_MAX || unifier->steps_left == 0) {
        return &cel_type_dyn;
    }
    unifier->steps_left--;
    if (type->kind == CEL_TYPE_UNKNOWN) {
        const struct cel_type *found = unifier->found[type->id];
        return found != NULL ? resolve(unifier, found, must_close, level + 1)
               : must_close  ? &cel_type_dyn
                             : type;
    }
    if (type->count == 0) {
        return type;
    }
    const struct cel_type *params[CEL_TYPE_PARAMETERS_MAX];
    bool has_changed = false;
    for (size_t i = 0; i < type->count; i++) {
        params[i] = resolve(unifier, type->params[i], must_close, level + 1);
        has_changed |= params[i] != type->params[i];
    }
    return has_changed ? cel_type_make(unifier->arena, (enum cel_type_kind)type->kind, type->name,
                                       params, type->count)
                       : type;
}

const struct cel_type *cel_type_resolve(struct cel_unifier *unifier, const struct cel_type *type,
                                        bool must_close)
{
    if (unifier->steps_left == 0) {
        return &cel_type_dyn;
    }
    return resolve(unifier, type, must_close, 0);
}
