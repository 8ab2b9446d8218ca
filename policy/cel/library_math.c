#include "policy/cel/library_internal.h"
#include <math.h>

/* As many as the suite's parser must take and a row can say. */
enum { NUMBERS_MAX = 32, LIST_COST = 10, FREE_ITEMS = 100 };

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

/* The greatest (sign 1) or least (sign -1) of the arguments, or of one list; the first of equals.
 */
static struct cel_value extreme(struct cel_run *run, const struct cel_value *args, size_t count,
                                int sign, const char *name)
{
    const struct cel_value *numbers = args;
    size_t total = count;
    if (count == 1 && args[0].kind == CEL_LIST) {
        numbers = args[0].as.items;
        total = args[0].length;
        if (total == 0) {
            return cel_fail(run, "`%s` of an empty list", name);
        }
    }
    const struct cel_value *best = &numbers[0];
    for (size_t i = 0; i < total; i++) {
        if (!is_number(numbers[i])) {
            return cel_no_overload(run, name, args, count);
        }
        if (cel_compare_numbers(numbers[i], *best) == sign) {
            best = &numbers[i];
        }
    }
    return *best;
}

static struct cel_value greatest(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return extreme(run, args, count, 1, "math.greatest");
}

static struct cel_value least(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return extreme(run, args, count, -1, "math.least");
}

static int64_t list_cost(const struct cel_value *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (items[i].kind != items[0].kind) {
            return 1 + (int64_t)count / FREE_ITEMS;
        }
    }
    return 1 + (int64_t)count;
}

/* cel-go makes a list of three arguments or more, and pays for its items when they are of one
 * type. A list of several types is free there however long; here it is not past a hundred. */
static int64_t extreme_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)result;
    if (count > 2) {
        return LIST_COST + list_cost(args, count);
    }
    return count == 1 && args[0].kind == CEL_LIST ? list_cost(args[0].as.items, args[0].length) : 1;
}

#define DOUBLE_FUNCTION(function, name, answer)                                                    \
    static struct cel_value function(struct cel_run *run, const struct cel_value *args,            \
                                     size_t count)                                                 \
    {                                                                                              \
        double x = args[0].kind == CEL_DOUBLE ? args[0].as.real : 0;                               \
        return args[0].kind == CEL_DOUBLE ? answer : cel_no_overload(run, name, args, count);      \
    }

DOUBLE_FUNCTION(ceiling, "math.ceil", cel_double(ceil(x)))
DOUBLE_FUNCTION(flooring, "math.floor", cel_double(floor(x)))
DOUBLE_FUNCTION(rounding, "math.round", cel_double(round(x)))
DOUBLE_FUNCTION(truncating, "math.trunc", cel_double(trunc(x)))
DOUBLE_FUNCTION(is_nan, "math.isNaN", cel_bool(isnan(x)))
DOUBLE_FUNCTION(is_infinite, "math.isInf", cel_bool(isinf(x)))
DOUBLE_FUNCTION(is_finite, "math.isFinite", cel_bool(isfinite(x)))

static struct cel_value absolute(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind == CEL_INT) {
        int64_t integer = args[0].as.integer;
        return integer == INT64_MIN ? cel_fail(run, "integer overflow: `math.abs`")
                                    : cel_int(integer < 0 ? -integer : integer);
    }
    if (args[0].kind == CEL_DOUBLE) {
        return cel_double(fabs(args[0].as.real));
    }
    return args[0].kind == CEL_UINT ? args[0] : cel_no_overload(run, "math.abs", args, count);
}

static struct cel_value sign_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind == CEL_INT) {
        return cel_int((args[0].as.integer > 0) - (args[0].as.integer < 0));
    }
    if (args[0].kind == CEL_UINT) {
        return cel_uint(args[0].as.natural > 0);
    }
    if (args[0].kind == CEL_DOUBLE) {
        double real = args[0].as.real;
        return isnan(real) ? args[0] : cel_double((real > 0) - (real < 0));
    }
    return cel_no_overload(run, "math.sign", args, count);
}

static struct cel_value square_root(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!is_number(args[0])) {
        return cel_no_overload(run, "math.sqrt", args, count);
    }
    return cel_double(sqrt(args[0].kind == CEL_INT    ? (double)args[0].as.integer
                           : args[0].kind == CEL_UINT ? (double)args[0].as.natural
                                                      : args[0].as.real));
}

static struct cel_value of_bits(uint8_t kind, uint64_t bits)
{
    return (struct cel_value){.kind = kind, .as.natural = bits};
}

static bool is_whole(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT;
}

#define BIT_FUNCTION(function, name, operator)                                                     \
    static struct cel_value function(struct cel_run *run, const struct cel_value *args,            \
                                     size_t count)                                                 \
    {                                                                                              \
        return is_whole(args[0]) && args[0].kind == args[1].kind                                   \
                   ? of_bits(args[0].kind, args[0].as.natural operator args[1].as.natural)         \
                   : cel_no_overload(run, name, args, count);                                      \
    }

BIT_FUNCTION(bit_and, "math.bitAnd", &)
BIT_FUNCTION(bit_or, "math.bitOr", |)
BIT_FUNCTION(bit_xor, "math.bitXor", ^)

static struct cel_value bit_not(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return is_whole(args[0]) ? of_bits(args[0].kind, ~args[0].as.natural)
                             : cel_no_overload(run, "math.bitNot", args, count);
}

/* Bits go out at the end and zeros come in, for signed numbers too. */
static struct cel_value shift(struct cel_run *run, const struct cel_value *args, size_t count,
                              bool is_left, const char *name)
{
    if (!is_whole(args[0]) || args[1].kind != CEL_INT) {
        return cel_no_overload(run, name, args, count);
    }
    int64_t places = args[1].as.integer;
    if (places < 0) {
        return cel_fail(run, "`%s` by a negative offset: %lld", name, (long long)places);
    }
    uint64_t bits = args[0].as.natural;
    bits = places > 63 ? 0 : is_left ? bits << places : bits >> places;
    return of_bits(args[0].kind, bits);
}

static struct cel_value shift_left(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return shift(run, args, count, true, "math.bitShiftLeft");
}

static struct cel_value shift_right(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return shift(run, args, count, false, "math.bitShiftRight");
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define ROW(name, args, function, ...)                                                             \
    {                                                                                              \
        name, CEL_GLOBAL, args, args, function, SIGNATURES(__VA_ARGS__), NULL, NULL, NULL          \
    }

static const char *const of_extreme[] = {
    "(int...) -> int",       "(uint...) -> uint",        "(double...) -> double",
    "(list(int)) -> int",    "(list(uint)) -> uint",     "(list(double)) -> double",
    "(number...) -> number", "(list(number)) -> number", NULL,
};

const struct cel_function_row cel_library_math[] = {
    {"math.greatest", CEL_GLOBAL, 1, NUMBERS_MAX, greatest, of_extreme, extreme_cost, NULL, NULL},
    {"math.least", CEL_GLOBAL, 1, NUMBERS_MAX, least, of_extreme, extreme_cost, NULL, NULL},
    ROW("math.ceil", 1, ceiling, "(double) -> double"),
    ROW("math.floor", 1, flooring, "(double) -> double"),
    ROW("math.round", 1, rounding, "(double) -> double"),
    ROW("math.trunc", 1, truncating, "(double) -> double"),
    ROW("math.isNaN", 1, is_nan, "(double) -> bool"),
    ROW("math.isInf", 1, is_infinite, "(double) -> bool"),
    ROW("math.isFinite", 1, is_finite, "(double) -> bool"),
    ROW("math.abs", 1, absolute, "(int) -> int", "(uint) -> uint", "(double) -> double"),
    ROW("math.sign", 1, sign_of, "(int) -> int", "(uint) -> uint", "(double) -> double"),
    ROW("math.sqrt", 1, square_root, "(int) -> double", "(uint) -> double", "(double) -> double"),
    ROW("math.bitAnd", 2, bit_and, "(int, int) -> int", "(uint, uint) -> uint"),
    ROW("math.bitOr", 2, bit_or, "(int, int) -> int", "(uint, uint) -> uint"),
    ROW("math.bitXor", 2, bit_xor, "(int, int) -> int", "(uint, uint) -> uint"),
    ROW("math.bitNot", 1, bit_not, "(int) -> int", "(uint) -> uint"),
    ROW("math.bitShiftLeft", 2, shift_left, "(int, int) -> int", "(uint, int) -> uint"),
    ROW("math.bitShiftRight", 2, shift_right, "(int, int) -> int", "(uint, int) -> uint"),
    {0},
};
