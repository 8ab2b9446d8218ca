#include "policy/cel/library_internal.h"

static struct cel_value of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    (void)count;
    return cel_make_optional(run, &args[0]);
}

static struct cel_value none(struct cel_run *run, const struct cel_value *args, size_t count)
{
    (void)args;
    (void)count;
    return cel_make_optional(run, NULL);
}

/* Whether a value is what its type begins with: null, false, 0, "", [], {}, the epoch. */
static bool is_zero(struct cel_value value)
{
    switch ((enum cel_kind)value.kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return !value.as.boolean;
    case CEL_INT:
        return value.as.integer == 0;
    case CEL_UINT:
        return value.as.natural == 0;
    case CEL_DOUBLE:
        return value.as.real == 0;
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_LIST:
        return value.length == 0;
    case CEL_MAP:
        return value.as.map->count == 0;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return value.as.integer == 0 && value.length == 0;
    case CEL_OPTIONAL:
        return value.as.items == NULL;
    case CEL_ERROR:
    case CEL_TYPE:
    case CEL_IP:
    case CEL_CIDR:
    case CEL_ABSTRACT:
        break;
    }
    return false;
}

static struct cel_value of_non_zero(struct cel_run *run, const struct cel_value *args, size_t count)
{
    (void)count;
    return cel_make_optional(run, is_zero(args[0]) ? NULL : &args[0]);
}

static struct cel_value has_value(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return args[0].kind == CEL_OPTIONAL ? cel_bool(args[0].as.items != NULL)
                                        : cel_no_overload(run, "hasValue", args, count);
}

static struct cel_value value_of(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind != CEL_OPTIONAL) {
        return cel_no_overload(run, "value", args, count);
    }
    return args[0].as.items != NULL ? args[0].as.items[0]
                                    : cel_fail(run, "optional.none() has no value");
}

static struct cel_value or_other(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind != CEL_OPTIONAL || args[1].kind != CEL_OPTIONAL) {
        return cel_no_overload(run, "or", args, count);
    }
    return args[0].as.items != NULL ? args[0] : args[1];
}

static struct cel_value or_value(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind != CEL_OPTIONAL) {
        return cel_no_overload(run, "orValue", args, count);
    }
    return args[0].as.items != NULL ? args[0].as.items[0] : args[1];
}

/* cel-go chooses like `?:`, at no cost. */
static int64_t no_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)args;
    (void)count;
    (void)result;
    return 0;
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

const struct cel_function_row cel_library_optionals[] = {
    {"optional.of", CEL_GLOBAL, 1, 1, of, SIGNATURES("(A) -> optional_type(A)"), NULL, NULL, NULL},
    {"optional.none", CEL_GLOBAL, 0, 0, none, SIGNATURES("() -> optional_type(A)"), NULL, NULL,
     NULL},
    {"optional.ofNonZeroValue", CEL_GLOBAL, 1, 1, of_non_zero,
     SIGNATURES("(A) -> optional_type(A)"), NULL, NULL, NULL},
    {"hasValue", CEL_MEMBER, 1, 1, has_value, SIGNATURES("optional_type(A).() -> bool"), NULL, NULL,
     NULL},
    {"value", CEL_MEMBER, 1, 1, value_of, SIGNATURES("optional_type(A).() -> A"), NULL, NULL, NULL},
    {"or", CEL_MEMBER, 2, 2, or_other,
     SIGNATURES("optional_type(A).(optional_type(A)) -> optional_type(A)"), no_cost, NULL, NULL},
    {"orValue", CEL_MEMBER, 2, 2, or_value, SIGNATURES("optional_type(A).(A) -> A"), no_cost, NULL,
     NULL},
    {0},
};
