#include "policy/cel/code.h"

/* The macros' loops. Their costs are those of the comprehensions cel-go expands them to: what its
 * accumulator, condition and step would charge, unit by unit, also after an error. */

/* What is gone over: a list's elements, or a map's entries in order of making. */
struct range {
    const struct cel_value *items;
    const struct cel_entry *entries;
    size_t count;
};

static bool read_range(struct cel_value value, struct range *out)
{
    *out = (struct range){0};
    if (value.kind == CEL_LIST) {
        out->items = value.as.items;
        out->count = value.length;
        return true;
    }
    if (value.kind == CEL_MAP) {
        out->entries = value.as.map->entries;
        out->count = value.as.map->count;
        return true;
    }
    return false;
}

static void set_variables(struct cel_run *run, const struct cel_code *code,
                          const struct range *range, size_t i)
{
    struct cel_value *locals = &run->locals[code->index];
    run->lazy[code->index] = NULL;
    if (range->items != NULL) {
        locals[0] = code->has_two ? cel_int((int64_t)i) : range->items[i];
    } else {
        locals[0] = range->entries[i].key;
    }
    if (code->has_two) {
        run->lazy[code->index + 1] = NULL;
        locals[1] = range->items != NULL ? range->items[i] : range->entries[i].value;
    }
}

static struct cel_value not_bool(struct cel_run *run, const struct cel_code *code,
                                 struct cel_value value, const char *who)
{
    run->at = code;
    return cel_is_error(value) ? value : cel_no_overload(run, who, &value, 1);
}

/* `all` ends at the first false, `exists` at the first true; until then errors wait. */
static struct cel_value decide(struct cel_run *run, const struct cel_code *code,
                               const struct range *range)
{
    bool decider = code->what == CEL_LOOP_EXISTS;
    int64_t condition_cost = decider ? 3 : 2;
    struct cel_value state = cel_bool(!decider);
    for (size_t i = 0; i < range->count; i++) {
        if (!cel_charge_inline(run, condition_cost + 1)) {
            return cel_stopped(run);
        }
        set_variables(run, code, range, i);
        struct cel_value value = cel_eval(run, code->args[0]);
        if (run->is_stopped) {
            return cel_stopped(run);
        }
        if (value.kind == CEL_BOOL && value.as.boolean == decider) {
            state = value;
            cel_charge_inline(run, i + 1 < range->count ? condition_cost : 0);
            break;
        }
        if (value.kind != CEL_BOOL && !cel_is_error(state)) {
            state = not_bool(run, code->args[0], value, decider ? "exists" : "all");
        }
    }
    return cel_charge_inline(run, 1) ? state : cel_stopped(run);
}

static struct cel_value count_one(struct cel_run *run, const struct cel_code *code,
                                  const struct range *range)
{
    size_t count = 0;
    struct cel_value error = {.kind = CEL_NULL};
    for (size_t i = 0; i < range->count; i++) {
        set_variables(run, code, range, i);
        struct cel_value value = cel_eval(run, code->args[0]);
        if (run->is_stopped) {
            return cel_stopped(run);
        }
        if (value.kind != CEL_BOOL) {
            error = not_bool(run, code->args[0], value, "exists_one");
        } else if (value.as.boolean) {
            count++;
            if (!cel_charge_inline(run, cel_is_error(error) ? 1 : 2)) {
                return cel_stopped(run);
            }
        }
    }
    if (!cel_charge_inline(run, cel_is_error(error) ? 1 : 2)) {
        return cel_stopped(run);
    }
    return cel_is_error(error) ? error : cel_bool(count == 1);
}

/* A list or map that grows. */
struct gathering {
    struct cel_value *items;
    struct cel_entry *entries;
    size_t count;
    size_t capacity;
    bool is_paid; /* cel-go makes the empty one when it first reads it */
    struct cel_value error;
};

static bool make_room(struct cel_run *run, struct gathering *gathering, bool is_list, size_t first)
{
    if (gathering->count < gathering->capacity) {
        return true;
    }
    size_t capacity = gathering->capacity == 0 ? (first < 4 ? 4 : first) : gathering->capacity * 2;
    size_t each = is_list ? sizeof *gathering->items : sizeof *gathering->entries;
    void *memory = cel_alloc(run, capacity * each);
    if (memory == NULL) {
        return false;
    }
    const void *before =
        is_list ? (const void *)gathering->items : (const void *)gathering->entries;
    if (gathering->count > 0) {
        memcpy(memory, before, gathering->count * each);
    }
    if (is_list) {
        gathering->items = memory;
    } else {
        gathering->entries = memory;
    }
    gathering->capacity = capacity;
    return true;
}

/* Reading the accumulator: one unit, and what making it costs the first time. */
static bool pay(struct cel_run *run, struct gathering *gathering, int64_t units, bool is_list)
{
    if (!gathering->is_paid && !cel_is_error(gathering->error)) {
        gathering->is_paid = true;
        units += is_list ? 10 : 30;
    }
    return cel_charge_inline(run, units);
}

static void add_value(struct cel_run *run, const struct cel_code *code, struct gathering *gathering,
                      struct cel_value value, size_t first)
{
    if (cel_is_error(value)) {
        gathering->error = value;
    } else if (code->what == CEL_LOOP_LIST) {
        if (make_room(run, gathering, true, first)) {
            gathering->items[gathering->count++] = value;
        }
    } else if (code->what == CEL_LOOP_MAP) {
        if (make_room(run, gathering, false, first)) {
            gathering->entries[gathering->count++] =
                (struct cel_entry){run->locals[code->index], value};
        }
    } else if (value.kind != CEL_MAP) {
        run->at = code;
        gathering->error = cel_no_overload(run, "transformMapEntry", &value, 1);
    } else {
        for (size_t i = 0; i < value.as.map->count; i++) {
            if (make_room(run, gathering, false, first)) {
                gathering->entries[gathering->count++] = value.as.map->entries[i];
            }
        }
    }
}

/* One element; false to go no further because the run was stopped. */
static bool gather_one(struct cel_run *run, const struct cel_code *code,
                       struct gathering *gathering, size_t first)
{
    bool is_list = code->what == CEL_LOOP_LIST;
    if (code->filter != NULL) {
        struct cel_value condition = cel_eval(run, code->filter);
        if (condition.kind != CEL_BOOL) {
            gathering->error = not_bool(run, code->filter, condition, "a filter");
            return !run->is_stopped;
        }
        if (!condition.as.boolean) {
            return pay(run, gathering, 0, is_list);
        }
    }
    if (cel_is_error(gathering->error)) {
        return cel_charge_inline(run, 1);
    }
    if (!pay(run, gathering, 1, is_list)) {
        return false;
    }
    /* `accumulator + [value]`, `mapInsert(accumulator, key, value)`, `mapInsert(accumulator, map)`
     */
    int64_t cost = is_list ? 11 : code->what == CEL_LOOP_MAP ? 2 : 1;
    if (!cel_charge_inline(run, cost)) {
        return false;
    }
    add_value(run, code, gathering, cel_eval(run, code->args[0]), first);
    return !run->is_stopped;
}

static struct cel_value gather(struct cel_run *run, const struct cel_code *code,
                               const struct range *range)
{
    struct gathering gathering = {.error = {.kind = CEL_NULL}};
    bool is_list = code->what == CEL_LOOP_LIST;
    for (size_t i = 0; i < range->count; i++) {
        set_variables(run, code, range, i);
        if (!gather_one(run, code, &gathering, code->filter == NULL ? range->count : 4)) {
            return cel_stopped(run);
        }
    }
    if (!pay(run, &gathering, 1, is_list)) {
        return cel_stopped(run);
    }
    if (cel_is_error(gathering.error)) {
        return gathering.error;
    }
    run->at = code;
    return is_list ? cel_make_list(gathering.items, gathering.count)
                   : cel_build_map(run, gathering.entries, gathering.count);
}

struct cel_value cel_eval_loop(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value target = cel_eval(run, code->target);
    struct range range;
    if (cel_is_error(target)) {
        return target;
    }
    if (!read_range(target, &range)) {
        run->at = code;
        return cel_fail(run, "this goes over a list or a map, not %s", cel_kind_name(target.kind));
    }
    switch ((enum cel_loop)code->what) {
    case CEL_LOOP_ALL:
    case CEL_LOOP_EXISTS:
        return decide(run, code, &range);
    case CEL_LOOP_EXISTS_ONE:
        return count_one(run, code, &range);
    case CEL_LOOP_LIST:
    case CEL_LOOP_MAP:
    case CEL_LOOP_MAP_ENTRY:
        break;
    }
    return gather(run, code, &range);
}
