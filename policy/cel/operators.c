#include "policy/cel/code.h"

#include "policy/cel/time_internal.h"

/* Arithmetic, order and membership. Numbers never convert; every overflow is an error. */

static struct cel_value overflow(struct cel_run *run, const char *kind)
{
    return cel_fail(run, "%s overflow", kind);
}

static struct cel_value no_overload(struct cel_run *run, const struct cel_code *code,
                                    struct cel_value left, struct cel_value right)
{
    struct cel_value both[2] = {left, right};
    return cel_no_overload(run, cel_operator_name((enum cel_operator)code->what), both,
                           code->what == CEL_OP_NEGATE || code->what == CEL_OP_NOT ? 1 : 2);
}

static struct cel_value of_ints(struct cel_run *run, const struct cel_code *code, int64_t left,
                                int64_t right)
{
    int64_t result = 0;
    bool has_overflown = false;
    switch (code->what) {
    case CEL_OP_ADD:
        has_overflown = __builtin_add_overflow(left, right, &result);
        break;
    case CEL_OP_SUBTRACT:
        has_overflown = __builtin_sub_overflow(left, right, &result);
        break;
    case CEL_OP_MULTIPLY:
        has_overflown = __builtin_mul_overflow(left, right, &result);
        break;
    case CEL_OP_NEGATE:
        has_overflown = __builtin_sub_overflow((int64_t)0, left, &result);
        break;
    default:
        if (right == 0) {
            return cel_fail(run,
                            code->what == CEL_OP_DIVIDE ? "divide by zero" : "modulus by zero");
        }
        has_overflown = left == INT64_MIN && right == -1;
        if (!has_overflown) {
            result = code->what == CEL_OP_DIVIDE ? left / right : left % right;
        }
        break;
    }
    return has_overflown ? overflow(run, "int") : cel_int(result);
}

static struct cel_value of_uints(struct cel_run *run, const struct cel_code *code, uint64_t left,
                                 uint64_t right)
{
    uint64_t result = 0;
    bool has_overflown = false;
    switch (code->what) {
    case CEL_OP_ADD:
        has_overflown = __builtin_add_overflow(left, right, &result);
        break;
    case CEL_OP_SUBTRACT:
        has_overflown = __builtin_sub_overflow(left, right, &result);
        break;
    case CEL_OP_MULTIPLY:
        has_overflown = __builtin_mul_overflow(left, right, &result);
        break;
    case CEL_OP_NEGATE:
        return no_overload(run, code, cel_uint(left), cel_uint(left));
    default:
        if (right == 0) {
            return cel_fail(run,
                            code->what == CEL_OP_DIVIDE ? "divide by zero" : "modulus by zero");
        }
        result = code->what == CEL_OP_DIVIDE ? left / right : left % right;
        break;
    }
    return has_overflown ? overflow(run, "uint") : cel_uint(result);
}

__attribute__((no_sanitize("float-divide-by-zero"))) static struct cel_value
of_doubles(struct cel_run *run, const struct cel_code *code, double left, double right)
{
    switch (code->what) {
    case CEL_OP_ADD:
        return cel_double(left + right);
    case CEL_OP_SUBTRACT:
        return cel_double(left - right);
    case CEL_OP_MULTIPLY:
        return cel_double(left * right);
    case CEL_OP_DIVIDE:
        return cel_double(left / right);
    case CEL_OP_NEGATE:
        return cel_double(-left);
    default:
        return no_overload(run, code, cel_double(left), cel_double(right));
    }
}

static struct cel_value concatenate(struct cel_run *run, struct cel_value left,
                                    struct cel_value right)
{
    size_t length = (size_t)left.length + right.length;
    if (length > UINT32_MAX) {
        return cel_stop(run, "it needs more memory than its limit allows");
    }
    size_t each = left.kind == CEL_LIST ? sizeof(struct cel_value) : 1;
    char *joined = cel_alloc(run, length * each + 1);
    if (joined == NULL) {
        return cel_stopped(run);
    }
    if (left.length > 0) {
        memcpy(joined, left.as.bytes, left.length * each);
    }
    if (right.length > 0) {
        memcpy(joined + left.length * each, right.as.bytes, right.length * each);
    }
    left.length = (uint32_t)length;
    left.as.bytes = joined;
    return left;
}

/* Seconds and nanoseconds of a time, added or subtracted. */
static struct cel_value of_times(struct cel_run *run, struct cel_value left, struct cel_value right,
                                 bool is_difference, bool is_timestamp)
{
    int64_t seconds;
    int64_t left_nanos = left.kind == CEL_TIMESTAMP ? (int64_t)left.length : cel_time_nanos(left);
    int64_t right_nanos =
        right.kind == CEL_TIMESTAMP ? (int64_t)right.length : cel_time_nanos(right);
    if (is_difference ? __builtin_sub_overflow(left.as.integer, right.as.integer, &seconds)
                      : __builtin_add_overflow(left.as.integer, right.as.integer, &seconds)) {
        return overflow(run, is_timestamp ? "timestamp" : "duration");
    }
    int64_t nanos = is_difference ? left_nanos - right_nanos : left_nanos + right_nanos;
    return is_timestamp ? cel_make_timestamp(run, seconds, nanos)
                        : cel_make_duration(run, seconds, nanos);
}

static struct cel_value add(struct cel_run *run, const struct cel_code *code, struct cel_value left,
                            struct cel_value right)
{
    if (left.kind == right.kind &&
        (left.kind == CEL_STRING || left.kind == CEL_BYTES || left.kind == CEL_LIST)) {
        return concatenate(run, left, right);
    }
    if (right.kind == CEL_DURATION && (left.kind == CEL_TIMESTAMP || left.kind == CEL_DURATION)) {
        return of_times(run, left, right, false, left.kind == CEL_TIMESTAMP);
    }
    if (left.kind == CEL_DURATION && right.kind == CEL_TIMESTAMP) {
        return of_times(run, right, left, false, true);
    }
    return no_overload(run, code, left, right);
}

static struct cel_value subtract(struct cel_run *run, const struct cel_code *code,
                                 struct cel_value left, struct cel_value right)
{
    bool is_time = left.kind == CEL_TIMESTAMP || left.kind == CEL_DURATION;
    if (is_time && right.kind == CEL_DURATION) {
        return of_times(run, left, right, true, left.kind == CEL_TIMESTAMP);
    }
    if (left.kind == CEL_TIMESTAMP && right.kind == CEL_TIMESTAMP) {
        return of_times(run, left, right, true, false);
    }
    return no_overload(run, code, left, right);
}

struct cel_value cel_operate(struct cel_run *run, const struct cel_code *code,
                             struct cel_value left, struct cel_value right)
{
    if (left.kind == CEL_INT && right.kind == CEL_INT) {
        return of_ints(run, code, left.as.integer, right.as.integer);
    }
    if (left.kind == CEL_UINT && right.kind == CEL_UINT) {
        return of_uints(run, code, left.as.natural, right.as.natural);
    }
    if (left.kind == CEL_DOUBLE && right.kind == CEL_DOUBLE) {
        return of_doubles(run, code, left.as.real, right.as.real);
    }
    if (code->what == CEL_OP_ADD) {
        return add(run, code, left, right);
    }
    return code->what == CEL_OP_SUBTRACT ? subtract(run, code, left, right)
                                         : no_overload(run, code, left, right);
}

static int compare_bytes(struct cel_value left, struct cel_value right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order = shorter == 0 ? 0 : memcmp(left.as.bytes, right.as.bytes, shorter);
    return order != 0 ? order : (left.length > right.length) - (left.length < right.length);
}

static int compare_times(struct cel_value left, struct cel_value right)
{
    if (left.as.integer != right.as.integer) {
        return left.as.integer < right.as.integer ? -1 : 1;
    }
    int64_t left_nanos = left.kind == CEL_TIMESTAMP ? (int64_t)left.length : cel_time_nanos(left);
    int64_t right_nanos =
        right.kind == CEL_TIMESTAMP ? (int64_t)right.length : cel_time_nanos(right);
    return (left_nanos > right_nanos) - (left_nanos < right_nanos);
}

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

/* -1, 0, 1; 2 unordered; 3 not comparable. */
static int compare(struct cel_value left, struct cel_value right)
{
    if (is_number(left) && is_number(right)) {
        return cel_compare_numbers(left, right);
    }
    if (left.kind != right.kind) {
        return 3;
    }
    switch (left.kind) {
    case CEL_BOOL:
        return left.as.boolean - right.as.boolean;
    case CEL_STRING:
    case CEL_BYTES:
        return compare_bytes(left, right);
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return compare_times(left, right);
    default:
        return 3;
    }
}

struct cel_value cel_eval_compare(struct cel_run *run, const struct cel_code *code,
                                  struct cel_value left, struct cel_value right)
{
    int order = compare(left, right);
    if (order == 3) {
        return no_overload(run, code, left, right);
    }
    if (order == 2) {
        return cel_bool(false);
    }
    switch (code->what) {
    case CEL_OP_LESS:
        return cel_bool(order < 0);
    case CEL_OP_LESS_EQUAL:
        return cel_bool(order <= 0);
    case CEL_OP_GREATER:
        return cel_bool(order > 0);
    default:
        return cel_bool(order >= 0);
    }
}

static struct cel_value in_list(struct cel_run *run, struct cel_value wanted, struct cel_value list)
{
    for (size_t i = 0; i < list.length; i++) {
        const struct cel_value *item = &list.as.items[i];
        if (wanted.kind == CEL_STRING &&
            (item->kind != CEL_STRING || item->length != wanted.length)) {
            continue;
        }
        if (cel_equal_counted(wanted, *item, &run->work_left)) {
            return cel_bool(true);
        }
    }
    return cel_work(run, 1 + list.length / 16) ? cel_bool(false) : cel_stopped(run);
}

struct cel_value cel_eval_in(struct cel_run *run, const struct cel_code *code,
                             struct cel_value left, struct cel_value right)
{
    if (right.kind == CEL_LIST) {
        return in_list(run, left, right);
    }
    if (right.kind == CEL_MAP) {
        return cel_bool(cel_map_find(right.as.map, left) != NULL);
    }
    return no_overload(run, code, left, right);
}
