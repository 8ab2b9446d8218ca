#include "policy/cel/library_internal.h"

#include "policy/cel/network_internal.h"
#include "policy/cel/strings_internal.h"
#include "policy/cel/time_internal.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The standard functions: size, conversions, types, and tests of strings. */

enum { NUMBER_BYTES_MAX = 400, SHOWN_BYTES_MAX = 60 };

static struct cel_value size(struct cel_run *run, const struct cel_value *args, size_t count)
{
    switch (args[0].kind) {
    case CEL_STRING:
        return cel_work(run, args[0].length / 64)
                   ? cel_int((int64_t)cel_utf8_count(args[0].as.bytes, args[0].length))
                   : cel_null();
    case CEL_BYTES:
    case CEL_LIST:
        return cel_int(args[0].length);
    case CEL_MAP:
        return cel_int((int64_t)args[0].as.map->count);
    default:
        return cel_no_overload(run, "size", args, count);
    }
}

static struct cel_value not_a(struct cel_run *run, struct cel_value text, const char *what)
{
    size_t length = cel_utf8_offset(text.as.bytes, text.length, SHOWN_BYTES_MAX / 2);
    return cel_fail(run, "`%.*s` is not %s", (int)length, text.as.bytes, what);
}

/* The text as a C string for strtod and its kin; NULL when it holds a NUL or is too long. */
static const char *number_text(struct cel_value text, char out[NUMBER_BYTES_MAX])
{
    if (text.length == 0 || text.length >= NUMBER_BYTES_MAX ||
        memchr(text.as.bytes, '\0', text.length) != NULL) {
        return NULL;
    }
    memcpy(out, text.as.bytes, text.length);
    out[text.length] = '\0';
    return strspn(out, " \t\n\v\f\r") == 0 ? out : NULL;
}

static struct cel_value int_of_text(struct cel_run *run, struct cel_value text)
{
    char copy[NUMBER_BYTES_MAX];
    const char *digits = number_text(text, copy);
    char *end = NULL;
    errno = 0;
    long long integer = digits == NULL ? 0 : strtoll(digits, &end, 10);
    return digits != NULL && *end == '\0' && end != digits && errno == 0
               ? cel_int(integer)
               : not_a(run, text, "an int of 64 bits");
}

static struct cel_value to_int(struct cel_run *run, const struct cel_value *args, size_t count)
{
    switch (args[0].kind) {
    case CEL_INT:
        return args[0];
    case CEL_UINT:
        return args[0].as.natural <= INT64_MAX ? cel_int((int64_t)args[0].as.natural)
                                               : cel_fail(run, "int overflow");
    case CEL_DOUBLE:
        return args[0].as.real > -9223372036854775808.0 && args[0].as.real < 9223372036854775807.0
                   ? cel_int((int64_t)args[0].as.real)
                   : cel_fail(run, "int overflow");
    case CEL_STRING:
        return int_of_text(run, args[0]);
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return cel_int(args[0].as.integer);
    default:
        return cel_no_overload(run, "int", args, count);
    }
}

static struct cel_value uint_of_text(struct cel_run *run, struct cel_value text)
{
    char copy[NUMBER_BYTES_MAX];
    const char *digits = number_text(text, copy);
    char *end = NULL;
    errno = 0;
    bool is_plain = digits != NULL && digits[0] >= '0' && digits[0] <= '9';
    unsigned long long natural = is_plain ? strtoull(digits, &end, 10) : 0;
    return is_plain && *end == '\0' && errno == 0 ? cel_uint(natural)
                                                  : not_a(run, text, "a uint of 64 bits");
}

static struct cel_value to_uint(struct cel_run *run, const struct cel_value *args, size_t count)
{
    switch (args[0].kind) {
    case CEL_INT:
        return args[0].as.integer >= 0 ? cel_uint((uint64_t)args[0].as.integer)
                                       : cel_fail(run, "uint overflow");
    case CEL_UINT:
        return args[0];
    case CEL_DOUBLE:
        return args[0].as.real > -1.0 && args[0].as.real < 18446744073709551615.0 &&
                       args[0].as.real >= 0
                   ? cel_uint((uint64_t)args[0].as.real)
                   : cel_fail(run, "uint overflow");
    case CEL_STRING:
        return uint_of_text(run, args[0]);
    default:
        return cel_no_overload(run, "uint", args, count);
    }
}

static struct cel_value double_of_text(struct cel_run *run, struct cel_value text)
{
    char copy[NUMBER_BYTES_MAX];
    const char *digits = number_text(text, copy);
    char *end = NULL;
    double real = digits == NULL ? 0 : strtod(digits, &end);
    bool is_well = digits != NULL && end != digits && *end == '\0' && strchr(digits, '(') == NULL;
    /* Infinity must be written, not come of too many digits. */
    if (is_well && isinf(real) && strpbrk(digits, "iI") == NULL) {
        is_well = false;
    }
    return is_well ? cel_double(real) : not_a(run, text, "a double");
}

static struct cel_value to_double(struct cel_run *run, const struct cel_value *args, size_t count)
{
    switch (args[0].kind) {
    case CEL_INT:
        return cel_double((double)args[0].as.integer);
    case CEL_UINT:
        return cel_double((double)args[0].as.natural);
    case CEL_DOUBLE:
        return args[0];
    case CEL_STRING:
        return double_of_text(run, args[0]);
    default:
        return cel_no_overload(run, "double", args, count);
    }
}

/* Shortest digits, with an exponent from 1e21 on and below 1e-4, as cel-go's `%g` has it. */
static struct cel_value text_of_double(struct cel_run *run, double real)
{
    char text[NUMBER_BYTES_MAX];
    if (isnan(real) || isinf(real)) {
        return isnan(real) ? cel_make_string(run, "NaN", 3)
               : real > 0  ? cel_make_string(run, "+Inf", 4)
                           : cel_make_string(run, "-Inf", 4);
    }
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, real);
        if (strtod(text, NULL) == real) {
            break;
        }
    }
    snprintf(text, sizeof text, "%.*e", digits - 1, real);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= -4 && exponent < 21) {
        int decimals = digits - 1 - exponent;
        snprintf(text, sizeof text, "%.*f", decimals > 0 ? decimals : 0, real);
    }
    return cel_make_string(run, text, strlen(text));
}

static struct cel_value text_of_number(struct cel_run *run, struct cel_value value)
{
    char text[32];
    int length = value.kind == CEL_INT
                     ? snprintf(text, sizeof text, "%lld", (long long)value.as.integer)
                     : snprintf(text, sizeof text, "%llu", (unsigned long long)value.as.natural);
    return cel_make_string(run, text, (size_t)length);
}

static struct cel_value text_of_time(struct cel_run *run, struct cel_value value)
{
    char text[CEL_TIME_TEXT_MAX];
    size_t length = value.kind == CEL_TIMESTAMP ? cel_time_print_timestamp(text, value)
                                                : cel_time_print_duration(text, value);
    return cel_make_string(run, text, length);
}

static struct cel_value text_of_network(struct cel_run *run, struct cel_value value)
{
    char text[CEL_NETWORK_TEXT_MAX];
    size_t length = value.kind == CEL_IP ? cel_network_print_ip(text, value.as.network)
                                         : cel_network_print_cidr(text, value.as.network);
    return cel_make_string(run, text, length);
}

static struct cel_value to_string(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_value value = args[0];
    switch (value.kind) {
    case CEL_STRING:
        return value;
    case CEL_BOOL:
        return value.as.boolean ? cel_string("true", 4) : cel_string("false", 5);
    case CEL_INT:
    case CEL_UINT:
        return text_of_number(run, value);
    case CEL_DOUBLE:
        return text_of_double(run, value.as.real);
    case CEL_BYTES:
        return cel_work(run, value.length / 64) && cel_utf8_is_valid(value.as.bytes, value.length)
                   ? cel_string(value.as.bytes, value.length)
                   : cel_fail(run, "the bytes are not UTF-8");
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return text_of_time(run, value);
    case CEL_IP:
    case CEL_CIDR:
        return text_of_network(run, value);
    default:
        return cel_no_overload(run, "string", args, count);
    }
}

static struct cel_value to_bytes(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_value value = args[0];
    if (value.kind != CEL_STRING && value.kind != CEL_BYTES) {
        return cel_no_overload(run, "bytes", args, count);
    }
    value.kind = CEL_BYTES;
    return value;
}

static struct cel_value to_bool(struct cel_run *run, const struct cel_value *args, size_t count)
{
    static const char *const words[] = {"false", "False", "FALSE", "f", "F", "0",
                                        "true",  "True",  "TRUE",  "t", "T", "1"};
    if (args[0].kind == CEL_BOOL) {
        return args[0];
    }
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "bool", args, count);
    }
    for (size_t i = 0; i < 12; i++) {
        if (strlen(words[i]) == args[0].length &&
            memcmp(words[i], args[0].as.bytes, args[0].length) == 0) {
            return cel_bool(i >= 6);
        }
    }
    return not_a(run, args[0], "true or false");
}

static struct cel_value to_timestamp(struct cel_run *run, const struct cel_value *args,
                                     size_t count)
{
    struct cel_value value;
    switch (args[0].kind) {
    case CEL_TIMESTAMP:
        return args[0];
    case CEL_INT:
        return cel_make_timestamp(run, args[0].as.integer, 0);
    case CEL_STRING:
        return cel_time_read_timestamp(args[0].as.bytes, args[0].length, &value)
                   ? value
                   : not_a(run, args[0], "a timestamp like 2026-01-31T23:59:00Z");
    default:
        return cel_no_overload(run, "timestamp", args, count);
    }
}

static struct cel_value to_duration(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_value value;
    if (args[0].kind == CEL_DURATION) {
        return args[0];
    }
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "duration", args, count);
    }
    return cel_time_read_duration(args[0].as.bytes, args[0].length, &value)
               ? value
               : not_a(run, args[0], "a duration like 1h30m or 90s");
}

static struct cel_value to_dyn(struct cel_run *run, const struct cel_value *args, size_t count)
{
    (void)run;
    (void)count;
    return args[0];
}

static struct cel_value type_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    (void)run;
    (void)count;
    struct cel_value type = {.kind = CEL_TYPE};
    type.as.type_name = cel_kind_name(args[0].kind);
    return type;
}

static bool are_strings(const struct cel_value *args)
{
    return cel_is_string(args[0]) && cel_is_string(args[1]);
}

static struct cel_value starts_with(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are_strings(args)) {
        return cel_no_overload(run, "startsWith", args, count);
    }
    return cel_bool(
        args[1].length <= args[0].length &&
        (args[1].length == 0 || memcmp(args[0].as.bytes, args[1].as.bytes, args[1].length) == 0));
}

static struct cel_value ends_with(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are_strings(args)) {
        return cel_no_overload(run, "endsWith", args, count);
    }
    return cel_bool(
        args[1].length <= args[0].length &&
        (args[1].length == 0 || memcmp(args[0].as.bytes + args[0].length - args[1].length,
                                       args[1].as.bytes, args[1].length) == 0));
}

static struct cel_value contains(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!are_strings(args)) {
        return cel_no_overload(run, "contains", args, count);
    }
    return cel_bool(cel_text_find((struct cel_text){args[0].as.bytes, args[0].length},
                                  (struct cel_text){args[1].as.bytes, args[1].length},
                                  0) != SIZE_MAX);
}

static int64_t affix_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)count;
    (void)result;
    return cel_cost_tenth(cel_cost_size(args[1]));
}

static int64_t contains_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)count;
    (void)result;
    return cel_cost_product(cel_cost_tenth(cel_cost_size(args[0])),
                            cel_cost_tenth(cel_cost_size(args[1])));
}

/* string(bytes) and bytes(string) read all of it. */
static int64_t convert_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    return args[0].kind != result.kind && (args[0].kind == CEL_BYTES || args[0].kind == CEL_STRING)
               ? cel_cost_scan(args, count, result)
               : 1;
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define CONVERSION(name, function, cost, ...)                                                      \
    {                                                                                              \
        name, CEL_GLOBAL, 1, 1, function, SIGNATURES(__VA_ARGS__), cost, NULL, NULL                \
    }
#define TEST(name, function, cost)                                                                 \
    {                                                                                              \
        name, CEL_MEMBER, 2, 2, function, SIGNATURES("string.(string) -> bool"), cost, NULL, NULL  \
    }

const struct cel_function_row cel_library_core[] = {
    {"size", CEL_GLOBAL, 1, 1, size,
     SIGNATURES("(string) -> int", "(bytes) -> int", "(list(A)) -> int", "(map(A, B)) -> int"),
     NULL, NULL, NULL},
    {"size", CEL_MEMBER, 1, 1, size,
     SIGNATURES("string.() -> int", "bytes.() -> int", "list(A).() -> int", "map(A, B).() -> int"),
     NULL, NULL, NULL},
    CONVERSION("int", to_int, NULL, "(int) -> int", "(uint) -> int", "(double) -> int",
               "(string) -> int", "(timestamp) -> int", "(duration) -> int"),
    CONVERSION("uint", to_uint, NULL, "(uint) -> uint", "(int) -> uint", "(double) -> uint",
               "(string) -> uint"),
    CONVERSION("double", to_double, NULL, "(double) -> double", "(int) -> double",
               "(uint) -> double", "(string) -> double"),
    CONVERSION("string", to_string, convert_cost, "(string) -> string", "(bool) -> string",
               "(int) -> string", "(uint) -> string", "(double) -> string", "(bytes) -> string",
               "(timestamp) -> string", "(duration) -> string", "(net.IP) -> string",
               "(net.CIDR) -> string"),
    CONVERSION("bytes", to_bytes, convert_cost, "(bytes) -> bytes", "(string) -> bytes"),
    CONVERSION("bool", to_bool, NULL, "(bool) -> bool", "(string) -> bool"),
    CONVERSION("timestamp", to_timestamp, NULL, "(timestamp) -> timestamp", "(string) -> timestamp",
               "(int) -> timestamp"),
    CONVERSION("duration", to_duration, NULL, "(duration) -> duration", "(string) -> duration"),
    CONVERSION("dyn", to_dyn, NULL, "(A) -> dyn"),
    CONVERSION("type", type_of, NULL, "(A) -> type(A)"),
    TEST("startsWith", starts_with, affix_cost),
    TEST("endsWith", ends_with, affix_cost),
    TEST("contains", contains, contains_cost),
    {0},
};
