#include "policy/cel/code.h"

#include <stdarg.h>
#include <stdio.h>

/* What functions are given of the run they are in. */

enum { MESSAGE_BYTES_MAX = 300 };

void *cel_alloc(struct cel_run *run, size_t bytes)
{
    if (run->is_stopped || bytes > run->memory_max - run->memory) {
        cel_stop(run, "it needs more memory than its limit allows");
        return NULL;
    }
    run->memory += bytes;
    return arena_alloc(run->arena, bytes);
}

struct cel_value cel_fail(struct cel_run *run, const char *format, ...)
{
    char message[MESSAGE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t length = wanted < 0 ? 0 : (size_t)wanted;
    length = length < sizeof message ? length : sizeof message - 1;
    /* A message cut short must not end within a character. */
    while (length > 0 && wanted >= (int)sizeof message && !cel_utf8_is_valid(message, length)) {
        length--;
    }
    struct cel_problem *problem = cel_alloc(run, sizeof *problem + length + 1);
    if (problem == NULL) {
        return cel_stopped(run);
    }
    char *text = (char *)(problem + 1);
    memcpy(text, message, length);
    text[length] = '\0';
    problem->message = text;
    problem->offset = run->at == NULL ? 0 : run->at->offset;
    return (struct cel_value){.kind = CEL_ERROR, .as.problem = problem};
}

void *cel_context(const struct cel_run *run)
{
    return run->context;
}

void cel_charge(struct cel_run *run, int64_t units)
{
    if (units > run->cost_max - run->cost) {
        units = run->cost_max - run->cost + 1;
    }
    cel_charge_inline(run, units);
}

bool cel_is_stopped(const struct cel_run *run)
{
    return run->is_stopped;
}

void *cel_prepared(const struct cel_run *run)
{
    return run->at != NULL && run->at->callee != NULL ? run->at->callee->prepared : NULL;
}

struct cel_value cel_no_overload(struct cel_run *run, const char *name,
                                 const struct cel_value *args, size_t count)
{
    struct builder kinds BUILDER_SCOPE;
    builder_init(&kinds, 200);
    for (size_t i = 0; i < count; i++) {
        builder_text(&kinds, i == 0 ? "" : ", ");
        builder_text(&kinds, cel_kind_name(args[i].kind));
    }
    run->is_no_overload = true;
    return cel_fail(run, "`%s` does not take (%s)", name, kinds.bytes);
}

struct cel_value cel_make_string(struct cel_run *run, const char *bytes, size_t length)
{
    char *copy = cel_alloc(run, length + 1);
    if (copy == NULL) {
        return cel_stopped(run);
    }
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return cel_string(copy, length);
}

struct cel_value cel_make_bytes(struct cel_run *run, const char *bytes, size_t length)
{
    struct cel_value value = cel_make_string(run, bytes, length);
    value.kind = value.kind == CEL_STRING ? CEL_BYTES : value.kind;
    return value;
}

struct cel_value cel_make_list(const struct cel_value *items, size_t count)
{
    return (struct cel_value){.kind = CEL_LIST, .length = (uint32_t)count, .as.items = items};
}

struct cel_value cel_make_optional(struct cel_run *run, const struct cel_value *value)
{
    struct cel_value optional = {.kind = CEL_OPTIONAL};
    if (value != NULL) {
        struct cel_value *copy = cel_alloc(run, sizeof *copy);
        if (copy == NULL) {
            return cel_stopped(run);
        }
        *copy = *value;
        optional.as.items = copy;
    }
    return optional;
}
