#include "policy/cel/code.h"

#include <math.h>

/* Members, elements, presence, and making lists and maps. An optional that holds nothing is passed
 * on, at no cost. */

static struct cel_value no_such_key(struct cel_run *run, struct cel_value key)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 120);
    cel_print(&text, key);
    return cel_fail(run, "no such key: %s", builder_failed(&text) ? "…" : text.bytes);
}

/* Whether an index is a place in a list; numbers of any kind may be. */
static bool read_place(struct cel_value key, size_t count, size_t *out)
{
    if (key.kind == CEL_INT) {
        *out = (size_t)key.as.integer;
        return key.as.integer >= 0 && (uint64_t)key.as.integer < count;
    }
    if (key.kind == CEL_UINT) {
        *out = (size_t)key.as.natural;
        return key.as.natural < count;
    }
    *out = 0;
    if (key.kind != CEL_DOUBLE || !(key.as.real >= 0) || key.as.real >= (double)count ||
        floor(key.as.real) != key.as.real) {
        return false;
    }
    *out = (size_t)key.as.real;
    return true;
}

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

/* The element, or NULL: then whether it is missing, or cannot be asked for at all. */
static const struct cel_value *find(struct cel_value target, struct cel_value key,
                                    bool *out_missing)
{
    *out_missing = true;
    if (target.kind == CEL_MAP) {
        return cel_map_find(target.as.map, key);
    }
    size_t place;
    if (target.kind == CEL_LIST && is_number(key)) {
        return read_place(key, target.length, &place) ? &target.as.items[place] : NULL;
    }
    *out_missing = false;
    return NULL;
}

static struct cel_value refuse_access(struct cel_run *run, const struct cel_code *code,
                                      struct cel_value target, struct cel_value key,
                                      bool is_missing)
{
    run->at = code;
    if (!is_missing) {
        return cel_fail(run, "%s has no %s", cel_kind_name(target.kind),
                        code->kind == CEL_CODE_INDEX ? "elements of that kind" : "members");
    }
    return target.kind == CEL_LIST ? cel_fail(run, "the list has no such element")
                                   : no_such_key(run, key);
}

/* `target.key` or `target[key]`, optional or not. */
static struct cel_value access(struct cel_run *run, const struct cel_code *code,
                               struct cel_value target, struct cel_value key, int64_t cost)
{
    bool is_chained = target.kind == CEL_OPTIONAL;
    if (is_chained) {
        if (target.as.items == NULL) {
            return target;
        }
        target = *target.as.items;
    }
    bool is_missing;
    const struct cel_value *value = find(target, key, &is_missing);
    bool is_optional = is_chained || code->is_optional;
    if (value != NULL || !is_optional) {
        if (!cel_charge_inline(run, cost)) {
            return cel_stopped(run);
        }
    }
    if (value == NULL) {
        return is_optional && is_missing ? (struct cel_value){.kind = CEL_OPTIONAL}
                                         : refuse_access(run, code, target, key, is_missing);
    }
    return is_optional ? cel_make_optional(run, value) : *value;
}

struct cel_value cel_eval_select(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value target = cel_eval(run, code->target);
    if (cel_is_error(target)) {
        return target;
    }
    return access(run, code, target, code->value, 1);
}

struct cel_value cel_eval_index(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value target = cel_eval(run, code->target);
    if (cel_is_error(target)) {
        return target;
    }
    if (target.kind == CEL_OPTIONAL && target.as.items == NULL) {
        return target;
    }
    struct cel_value key = cel_eval(run, code->args[0]);
    if (cel_is_error(key)) {
        return key;
    }
    return access(run, code, target, key, code->has_two ? 0 : 1);
}

struct cel_value cel_eval_has(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value target = cel_eval(run, code->target);
    if (cel_is_error(target)) {
        return target;
    }
    bool is_chained = target.kind == CEL_OPTIONAL;
    if (is_chained) {
        if (target.as.items == NULL) {
            return cel_bool(false);
        }
        target = *target.as.items;
    }
    bool is_present = target.kind == CEL_MAP && cel_map_find(target.as.map, code->value) != NULL;
    if ((is_present || !is_chained) && !cel_charge_inline(run, 1)) {
        return cel_stopped(run);
    }
    if (target.kind != CEL_MAP) {
        run->at = code;
        return cel_fail(run, "%s has no members to ask for", cel_kind_name(target.kind));
    }
    return cel_bool(is_present);
}

/* What `?x` adds: what the optional holds, or nothing. */
static bool unwrap(struct cel_run *run, const struct cel_code *code, struct cel_value *value,
                   bool *out_present)
{
    *out_present = true;
    if (value->kind != CEL_OPTIONAL) {
        run->at = code;
        *value = cel_is_error(*value) ? *value : cel_no_overload(run, "?", value, 1);
        return false;
    }
    *out_present = value->as.items != NULL;
    *value = *out_present ? *value->as.items : *value;
    return true;
}

struct cel_value cel_eval_list(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value *items = cel_alloc(run, code->count * sizeof *items);
    size_t count = 0;
    for (size_t i = 0; items != NULL && i < code->count; i++) {
        struct cel_value value = cel_eval(run, code->args[i]);
        bool is_present = true;
        if (code->are_optional != NULL && code->are_optional[i] &&
            !unwrap(run, code->args[i], &value, &is_present)) {
            return value;
        }
        if (cel_is_error(value)) {
            return value;
        }
        if (is_present) {
            items[count++] = value;
        }
    }
    return items == NULL ? cel_stopped(run) : cel_make_list(items, count);
}

struct cel_value cel_eval_map(struct cel_run *run, const struct cel_code *code)
{
    struct cel_entry *entries = cel_alloc(run, code->count / 2 * sizeof *entries);
    size_t count = 0;
    for (size_t i = 0; entries != NULL && i < code->count; i += 2) {
        struct cel_entry entry = {.key = cel_eval(run, code->args[i])};
        if (cel_is_error(entry.key)) {
            return entry.key;
        }
        entry.value = cel_eval(run, code->args[i + 1]);
        bool is_present = true;
        if (code->are_optional != NULL && code->are_optional[i] &&
            !unwrap(run, code->args[i + 1], &entry.value, &is_present)) {
            return entry.value;
        }
        if (cel_is_error(entry.value)) {
            return entry.value;
        }
        if (is_present) {
            entries[count++] = entry;
        }
    }
    run->at = code;
    return entries == NULL ? cel_stopped(run) : cel_build_map(run, entries, count);
}
