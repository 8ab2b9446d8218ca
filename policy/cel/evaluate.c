#include "policy/cel/code.h"

#include "base/check.h"

/* The walk over the code. Errors are values; `||`, `&&`, `all` and `exists` absorb them. A stop is
 * noted in the run and unwinds as an error that nothing absorbs, for everyone who would asks first.
 */

enum { ARGS_ON_STACK = 8, SLOTS_ON_STACK = 16 };

/* The product zeroes what is on the stack; what is written below before it is read need not be. */
#define UNINITIALIZED __attribute__((uninitialized))

struct cel_value cel_stop(struct cel_run *run, const char *reason)
{
    if (!run->is_stopped) {
        run->is_stopped = true;
        run->stop.message = reason;
        run->stop.offset = run->at == NULL ? 0 : run->at->offset;
    }
    return cel_stopped(run);
}

bool cel_work(struct cel_run *run, size_t steps)
{
    if (steps > run->work_left) {
        run->work_left = 0;
        cel_stop(run, "it compares more elements than its limit allows");
        return false;
    }
    run->work_left -= steps;
    return true;
}

static struct cel_value eval_variable(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value *cached = &run->variables[code->index];
    if (cached->kind == CEL_ERROR && cached->as.problem == NULL) {
        run->at = code;
        *cached = run->find == NULL ? (struct cel_value){0}
                                    : run->find(run, run->program->slots[code->index]);
        if (cached->kind == CEL_ERROR && cached->as.problem == NULL) {
            *cached = cel_fail(run, "a variable has no value");
        }
    }
    return *cached;
}

static struct cel_value eval_local(struct cel_run *run, const struct cel_code *code)
{
    const struct cel_code *lazy = run->lazy[code->index];
    if (__builtin_expect(lazy != NULL, 0)) {
        run->lazy[code->index] = NULL;
        run->locals[code->index] = cel_eval(run, lazy);
    }
    return run->locals[code->index];
}

static struct cel_value not_bool(struct cel_run *run, const struct cel_code *code,
                                 struct cel_value value, const char *who)
{
    run->at = code;
    return cel_no_overload(run, who, &value, 1);
}

/* `decider` is what ends the chain: false for `&&`, true for `||`. */
static struct cel_value eval_chain(struct cel_run *run, const struct cel_code *code, bool decider)
{
    struct cel_value error = cel_bool(!decider);
    for (size_t i = 0; i < code->count; i++) {
        struct cel_value value = cel_eval(run, code->args[i]);
        if (value.kind == CEL_BOOL) {
            if (value.as.boolean == decider) {
                return value;
            }
            continue;
        }
        if (run->is_stopped) {
            return cel_stopped(run);
        }
        if (!cel_is_error(value)) {
            value = not_bool(run, code->args[i], value, decider ? "||" : "&&");
        }
        if (!cel_is_error(error)) {
            error = value;
        }
    }
    return error;
}

static struct cel_value eval_ternary(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value condition = cel_eval(run, code->args[0]);
    if (condition.kind != CEL_BOOL) {
        return cel_is_error(condition) ? condition : not_bool(run, code->args[0], condition, "? :");
    }
    return cel_eval(run, code->args[condition.as.boolean ? 1 : 2]);
}

static struct cel_value eval_not(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value value = cel_eval(run, code->args[0]);
    if (!cel_charge_inline(run, 1)) {
        return cel_stopped(run);
    }
    if (value.kind == CEL_BOOL) {
        return cel_bool(!value.as.boolean);
    }
    return cel_is_error(value) ? value : not_bool(run, code, value, "!");
}

/* The two sides; false when the left is an error, which is then the result at no cost. */
static inline bool eval_sides(struct cel_run *run, const struct cel_code *code,
                              struct cel_value *left, struct cel_value *right)
{
    *left = cel_eval(run, code->args[0]);
    if (cel_is_error(*left)) {
        return false;
    }
    *right = cel_eval(run, code->args[1]);
    return true;
}

static struct cel_value eval_equal(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value left;
    struct cel_value right;
    if (!eval_sides(run, code, &left, &right)) {
        return left;
    }
    if (!cel_charge_inline(run, cel_equal_cost(left, right))) {
        return cel_stopped(run);
    }
    if (cel_is_error(right)) {
        return right;
    }
    bool is_equal;
    if (left.kind == CEL_STRING && right.kind == CEL_STRING) {
        is_equal = left.length == right.length &&
                   (left.length == 0 || memcmp(left.as.bytes, right.as.bytes, left.length) == 0);
    } else {
        is_equal = cel_equal_counted(left, right, &run->work_left);
        if (!cel_work(run, 1)) {
            return cel_stopped(run);
        }
    }
    return cel_bool(is_equal == (code->what == CEL_OP_EQUAL));
}

static struct cel_value eval_binary(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value left;
    struct cel_value right;
    if (!eval_sides(run, code, &left, &right)) {
        return left;
    }
    if (!cel_charge_inline(run, cel_operator_cost(code, left, right))) {
        return cel_stopped(run);
    }
    if (cel_is_error(right)) {
        return right;
    }
    run->at = code;
    switch (code->kind) {
    case CEL_CODE_COMPARE:
        return cel_eval_compare(run, code, left, right);
    case CEL_CODE_IN:
        return cel_eval_in(run, code, left, right);
    default:
        return cel_operate(run, code, left, right);
    }
}

static struct cel_value eval_operator(struct cel_run *run, const struct cel_code *code)
{
    if (code->what != CEL_OP_NEGATE) {
        return eval_binary(run, code);
    }
    struct cel_value value = cel_eval(run, code->args[0]);
    if (!cel_charge_inline(run, 1)) {
        return cel_stopped(run);
    }
    run->at = code;
    return cel_is_error(value) ? value : cel_operate(run, code, value, value);
}

/* A host looks into its own values unasked: no other may pass for one. */
static bool abstract_fits(struct cel_value value, const char *name)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } ours[] = {{"optional_type", CEL_OPTIONAL}, {"net.IP", CEL_IP}, {"net.CIDR", CEL_CIDR}};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcmp(name, ours[i].name) == 0) {
            return value.kind == ours[i].kind;
        }
    }
    return value.kind == CEL_ABSTRACT;
}

/* Whether the arguments are of the kinds a host's signature asks for. */
static bool kind_fits(struct cel_value value, const struct cel_type *type)
{
    switch ((enum cel_type_kind)type->kind) {
    case CEL_TYPE_NULL:
        return value.kind == CEL_NULL;
    case CEL_TYPE_BOOL:
        return value.kind == CEL_BOOL;
    case CEL_TYPE_INT:
        return value.kind == CEL_INT;
    case CEL_TYPE_UINT:
        return value.kind == CEL_UINT;
    case CEL_TYPE_DOUBLE:
        return value.kind == CEL_DOUBLE;
    case CEL_TYPE_NUMBER:
        return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
    case CEL_TYPE_STRING:
        return value.kind == CEL_STRING;
    case CEL_TYPE_BYTES:
        return value.kind == CEL_BYTES;
    case CEL_TYPE_TIMESTAMP:
        return value.kind == CEL_TIMESTAMP;
    case CEL_TYPE_DURATION:
        return value.kind == CEL_DURATION;
    case CEL_TYPE_LIST:
        return value.kind == CEL_LIST;
    case CEL_TYPE_MAP:
    case CEL_TYPE_OBJECT:
        return value.kind == CEL_MAP;
    case CEL_TYPE_TYPE:
        return value.kind == CEL_TYPE;
    case CEL_TYPE_ABSTRACT:
        return abstract_fits(value, type->name);
    case CEL_TYPE_DYN:
    case CEL_TYPE_WRAPPER:
    case CEL_TYPE_PARAMETER:
    case CEL_TYPE_UNKNOWN:
        break;
    }
    return true;
}

static bool host_takes(const struct cel_function_entry *entry, const struct cel_value *args,
                       size_t count)
{
    const struct cel_signature *signature = &entry->signatures[0];
    for (size_t i = 0; i < count; i++) {
        if (!kind_fits(args[i], signature->params[i])) {
            return false;
        }
    }
    return true;
}

/* Each function of that name in turn, until one takes the kinds that are given. */
static struct cel_value call_candidates(struct cel_run *run, const struct cel_code *code,
                                        const struct cel_value *args)
{
    const struct cel_callee *callee = code->callee;
    struct cel_value result = {0};
    for (size_t i = 0; i < callee->count; i++) {
        const struct cel_function_entry *entry = callee->candidates[i];
        run->at = code;
        run->is_no_overload = false;
        result = entry->is_host && !host_takes(entry, args, code->count)
                     ? cel_no_overload(run, entry->name, args, code->count)
                     : entry->row->call(run, args, code->count);
        if (run->is_stopped) {
            return cel_stopped(run);
        }
        if (!cel_is_error(result) || !run->is_no_overload) {
            break;
        }
    }
    if (cel_is_error(result) && result.as.problem == NULL) {
        return cel_fail(run, "`%s` failed", callee->candidates[0]->name);
    }
    return result;
}

/* cel-go evaluates the arguments up to the first error, and charges for the call when that was the
 * last of them. */
static struct cel_value eval_call_with(struct cel_run *run, const struct cel_code *code,
                                       struct cel_value *args)
{
    struct cel_value error = {.kind = CEL_NULL};
    for (size_t i = 0; i < code->count; i++) {
        args[i] = cel_eval(run, code->args[i]);
        if (cel_is_error(args[i])) {
            if (i + 1 < code->count) {
                return args[i];
            }
            error = args[i];
        }
    }
    if (run->is_stopped) {
        return cel_stopped(run);
    }
    struct cel_value result = cel_is_error(error) ? error : call_candidates(run, code, args);
    const struct cel_function_row *row = code->callee->candidates[0]->row;
    int64_t cost =
        row->cost != NULL && code->has_formula ? row->cost(args, code->count, result) : 1;
    return cel_charge_inline(run, cost) && !run->is_stopped ? result : cel_stopped(run);
}

static struct cel_value eval_call(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value args[ARGS_ON_STACK] UNINITIALIZED;
    if (code->count <= ARGS_ON_STACK) {
        return eval_call_with(run, code, args);
    }
    struct cel_value *more = cel_alloc(run, code->count * sizeof *more);
    return more == NULL ? cel_stopped(run) : eval_call_with(run, code, more);
}

/* `or` and `orValue` leave the other side alone when there is a value. */
static struct cel_value eval_or_else(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value optional = cel_eval(run, code->args[0]);
    if (cel_is_error(optional)) {
        return optional;
    }
    if (optional.kind != CEL_OPTIONAL) {
        run->at = code;
        return cel_no_overload(run, code->what ? "or" : "orValue", &optional, 1);
    }
    if (optional.as.items != NULL) {
        return code->what ? optional : optional.as.items[0];
    }
    struct cel_value other = cel_eval(run, code->args[1]);
    if (code->what && other.kind != CEL_OPTIONAL && !cel_is_error(other)) {
        run->at = code;
        return cel_no_overload(run, "or", &other, 1);
    }
    return other;
}

static struct cel_value eval_bind(struct cel_run *run, const struct cel_code *code)
{
    for (size_t i = 0; i + 1 < code->count; i++) {
        run->lazy[code->index + i] = code->args[i];
    }
    return cel_eval(run, code->args[code->count - 1]);
}

static struct cel_value eval_opt_map(struct cel_run *run, const struct cel_code *code)
{
    struct cel_value optional = cel_eval(run, code->args[0]);
    if (!cel_charge_inline(run, 2)) { /* of reading it and of hasValue() */
        return cel_stopped(run);
    }
    if (optional.kind != CEL_OPTIONAL) {
        run->at = code;
        return cel_is_error(optional) ? optional : cel_no_overload(run, "optMap", &optional, 1);
    }
    if (optional.as.items == NULL) {
        return cel_charge_inline(run, 1) ? optional : cel_stopped(run);
    }
    if (!cel_charge_inline(run, 10)) { /* of binding what it holds */
        return cel_stopped(run);
    }
    run->locals[code->index] = optional.as.items[0];
    run->lazy[code->index] = NULL;
    run->lazy[code->index + 1] = code->target;
    struct cel_value value = cel_eval(run, code->args[1]);
    if (cel_is_error(value)) {
        return value;
    }
    if (code->is_optional) {
        run->at = code;
        return value.kind == CEL_OPTIONAL ? value : cel_no_overload(run, "optFlatMap", &value, 1);
    }
    return cel_charge_inline(run, 1) ? cel_make_optional(run, &value) : cel_stopped(run);
}

static struct cel_value eval_fail(struct cel_run *run, const struct cel_code *code)
{
    for (size_t i = 0; i < code->count; i++) {
        struct cel_value value = cel_eval(run, code->args[i]);
        if (cel_is_error(value)) {
            return i + 1 < code->count || cel_charge_inline(run, 1) ? value : cel_stopped(run);
        }
    }
    run->at = code;
    if (code->has_two && !cel_charge_inline(run, 1)) {
        return cel_stopped(run);
    }
    return cel_fail(run, "no %s is named `%.*s`", code->has_two ? "function" : "variable",
                    (int)(code->value.length < 100 ? code->value.length : 100),
                    code->value.as.bytes);
}

struct cel_value cel_eval(struct cel_run *run, const struct cel_code *code)
{
    if (!cel_charge_inline(run, code->cost)) {
        return cel_stopped(run);
    }
    switch ((enum cel_code_kind)code->kind) {
    case CEL_CODE_CONSTANT:
        return code->value;
    case CEL_CODE_VARIABLE:
        return eval_variable(run, code);
    case CEL_CODE_LOCAL:
        return eval_local(run, code);
    case CEL_CODE_SELECT:
        return cel_eval_select(run, code);
    case CEL_CODE_HAS:
        return cel_eval_has(run, code);
    case CEL_CODE_INDEX:
        return cel_eval_index(run, code);
    case CEL_CODE_CALL:
        return eval_call(run, code);
    case CEL_CODE_OR_ELSE:
        return eval_or_else(run, code);
    case CEL_CODE_OPERATOR:
        return eval_operator(run, code);
    case CEL_CODE_EQUAL:
        return eval_equal(run, code);
    case CEL_CODE_COMPARE:
    case CEL_CODE_IN:
        return eval_binary(run, code);
    case CEL_CODE_NOT:
        return eval_not(run, code);
    case CEL_CODE_AND:
        return eval_chain(run, code, false);
    case CEL_CODE_OR:
        return eval_chain(run, code, true);
    case CEL_CODE_TERNARY:
        return eval_ternary(run, code);
    case CEL_CODE_LIST:
        return cel_eval_list(run, code);
    case CEL_CODE_MAP:
        return cel_eval_map(run, code);
    case CEL_CODE_LOOP:
        return cel_eval_loop(run, code);
    case CEL_CODE_BIND:
        return eval_bind(run, code);
    case CEL_CODE_OPT_MAP:
        return eval_opt_map(run, code);
    case CEL_CODE_FAIL:
        return eval_fail(run, code);
    }
    return cel_stop(run, "it is damaged");
}

static void finish(struct cel_run *run, struct cel_value value, struct cel_result *out)
{
    *out = (struct cel_result){.cost = run->cost};
    if (run->is_stopped) {
        out->problem = run->stop;
    } else if (cel_is_error(value)) {
        out->outcome = CEL_OUTCOME_ERROR;
        out->problem = *value.as.problem;
    } else {
        out->outcome = CEL_OUTCOME_VALUE;
        out->value = value;
    }
}

void cel_evaluate(const struct cel_program *program, cel_find find, void *context,
                  int64_t cost_left, struct arena *arena, struct cel_result *out)
{
    struct cel_value variables[SLOTS_ON_STACK] UNINITIALIZED;
    struct cel_value locals[SLOTS_ON_STACK] UNINITIALIZED;
    const struct cel_code *lazy[SLOTS_ON_STACK] UNINITIALIZED;
    const struct cel_limits *limits = &program->env->limits;
    struct cel_run run UNINITIALIZED;
    run.program = program;
    run.arena = arena;
    run.context = context;
    run.find = find;
    run.cost = 0;
    run.cost_max = cost_left >= 0 && cost_left < limits->cost ? cost_left : limits->cost;
    run.memory = 0;
    run.memory_max = limits->memory_bytes;
    run.work_left = CEL_WORK_MAX;
    run.is_stopped = false;
    run.is_no_overload = false;
    run.stop = (struct cel_problem){0};
    run.at = program->root;
    run.variables = variables;
    run.locals = locals;
    run.lazy = lazy;
    if (program->slot_count > SLOTS_ON_STACK) {
        run.variables = arena_array(arena, program->slot_count, sizeof *run.variables);
    }
    if (program->local_count > SLOTS_ON_STACK) {
        run.locals = arena_array(arena, program->local_count, sizeof *run.locals);
        run.lazy = arena_array(arena, program->local_count, sizeof *run.lazy);
    }
    memset(run.variables, 0, program->slot_count * sizeof *run.variables);
    memset(run.lazy, 0, program->local_count * sizeof *run.lazy);
    finish(&run, cel_eval(&run, program->root), out);
}
