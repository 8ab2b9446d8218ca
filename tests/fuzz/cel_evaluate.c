/* A CEL expression, then after the last byte 0xFF what its variables hold. Evaluated twice it costs
 * and gives the same; with one unit less than it costs it is stopped, whatever absorbs errors; what
 * it gives is well formed; and where types are checked and where they are not, a value is the same
 * value. */

#include "base/check.h"
#include "policy/cel/cel_internal.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

enum { PRINTED_BYTES_MAX = 1 << 20, ITEMS_MAX = 16, VALUE_DEPTH_MAX = 300 };

static struct cel_env *env;

struct data {
    const unsigned char *bytes;
    size_t length;
    struct arena *arena;
};

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const char *const variables[][2] = {{"x", "dyn"},
                                               {"n", "int"},
                                               {"s", "string"},
                                               {"l", "list(dyn)"},
                                               {"m", "map(string, dyn)"},
                                               {"d", "double"}};
    (void)count;
    (void)arguments;
    env = cel_env_create(NULL);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        struct error error = {0};
        uint32_t slot;
        const struct cel_type *type = cel_type_read(env, variables[i][1], &error);
        CHECK(type != NULL && cel_env_declare(env, variables[i][0], type, &slot, &error));
    }
    return 0;
}

/* Text of the data, cut where it stops to be UTF-8. */
static struct cel_value text_of(const struct data *data, size_t from)
{
    size_t length = from < data->length ? data->length - from : 0;
    length = length < 64 ? length : 64;
    while (length > 0 && !cel_utf8_is_valid((const char *)data->bytes + from, length)) {
        length--;
    }
    return cel_string((const char *)data->bytes + from, length);
}

static struct cel_value number_of(const struct data *data, bool is_double)
{
    int64_t integer = 0;
    double real = 0;
    size_t length = data->length < 8 ? data->length : 8;
    if (length > 0) {
        memcpy(&integer, data->bytes, length);
        memcpy(&real, data->bytes, length);
    }
    return is_double ? cel_double(real) : cel_int(integer);
}

static struct cel_value scalar_of(const struct data *data, size_t at)
{
    switch (data->bytes[at] % 6) {
    case 0:
        return cel_null();
    case 1:
        return cel_bool(data->bytes[at] > 100);
    case 2:
        return cel_int((int8_t)data->bytes[at]);
    case 3:
        return cel_uint(data->bytes[at]);
    case 4:
        return number_of(data, true);
    default:
        return text_of(data, at);
    }
}

static struct cel_value list_of(const struct data *data)
{
    size_t count = data->length < ITEMS_MAX ? data->length : ITEMS_MAX;
    struct cel_value *items = arena_array(data->arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = scalar_of(data, i);
    }
    return cel_make_list(items, count);
}

static struct cel_value map_of(const struct data *data)
{
    static const char *const names[] = {"a", "b", "c", "key", "amount", "x", "env", "g", "h", "i"};
    size_t count = data->length < 10 ? data->length : 10;
    struct cel_entry *entries = arena_array(data->arena, count, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct cel_entry){cel_string(names[i], strlen(names[i])), scalar_of(data, i)};
    }
    return (struct cel_value){.kind = CEL_MAP, .as.map = cel_map_make(data->arena, entries, count)};
}

static struct cel_value find(struct cel_run *run, uint32_t slot)
{
    const struct data *data = cel_context(run);
    switch (slot) {
    case 0:
        return data->length == 0         ? cel_fail(run, "no value")
               : data->bytes[0] % 3 == 0 ? map_of(data)
               : data->bytes[0] % 3 == 1 ? list_of(data)
                                         : scalar_of(data, 0);
    case 1:
        return number_of(data, false);
    case 2:
        return text_of(data, 0);
    case 3:
        return list_of(data);
    case 4:
        return map_of(data);
    default:
        return number_of(data, true);
    }
}

/* At most so many values are looked at: shared ones may stand for very many. */
static void check_value(struct cel_value value, size_t *left, int depth)
{
    if (*left == 0) {
        return;
    }
    --*left;
    CHECK(value.kind != CEL_ERROR && depth < VALUE_DEPTH_MAX);
    if (value.kind == CEL_STRING) {
        CHECK(cel_utf8_is_valid(value.as.bytes, value.length));
    } else if (value.kind == CEL_LIST) {
        for (size_t i = 0; i < value.length; i++) {
            check_value(value.as.items[i], left, depth + 1);
        }
    } else if (value.kind == CEL_MAP) {
        for (size_t i = 0; i < value.as.map->count; i++) {
            const struct cel_entry *entry = &value.as.map->entries[i];
            check_value(entry->value, left, depth + 1);
            CHECK(cel_map_find(value.as.map, entry->key) == &entry->value);
        }
    } else if (value.kind == CEL_OPTIONAL && value.as.items != NULL) {
        check_value(*value.as.items, left, depth + 1);
    }
}

static void print(struct builder *out, const struct cel_result *result)
{
    builder_init(out, PRINTED_BYTES_MAX);
    if (result->outcome == CEL_OUTCOME_VALUE) {
        cel_print(out, result->value);
    } else {
        CHECK(cel_utf8_is_valid(result->problem.message, strlen(result->problem.message)));
        builder_text(out, result->problem.message);
    }
}

static void check_same(const struct cel_result *one, const struct cel_result *other)
{
    struct builder texts[2];
    print(&texts[0], one);
    print(&texts[1], other);
    CHECK(one->outcome == other->outcome && strcmp(texts[0].bytes, texts[1].bytes) == 0);
    builder_finish(&texts[0]);
    builder_finish(&texts[1]);
}

static void check_bounds(const struct cel_program *program, struct data *data,
                         const struct cel_result *result)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_result again;
    cel_evaluate(program, find, data, -1, arena, &again);
    CHECK(again.cost == result->cost);
    check_same(result, &again);
    if (result->cost > 0) {
        cel_evaluate(program, find, data, result->cost - 1, arena, &again);
        CHECK(again.outcome == CEL_OUTCOME_STOPPED);
    }
}

static void evaluate(const char *source, size_t length, struct data *data)
{
    struct error error = {0};
    struct cel_program *checked = cel_compile(env, source, length, NULL, NULL, &error);
    struct cel_program *unchecked =
        cel_compile_with(env, source, length, NULL, false, true, NULL, &error);
    struct cel_result result = {0};
    struct cel_result loose = {0};
    CHECK(checked == NULL || unchecked != NULL);
    if (checked != NULL) {
        cel_evaluate(checked, find, data, -1, data->arena, &result);
        check_bounds(checked, data, &result);
    }
    if (unchecked != NULL) {
        cel_evaluate(unchecked, find, data, -1, data->arena, &loose);
        check_bounds(unchecked, data, &loose);
    }
    if (result.outcome == CEL_OUTCOME_VALUE) {
        size_t left = 100000;
        check_value(result.value, &left, 0);
        if (loose.outcome != CEL_OUTCOME_STOPPED) {
            check_same(&result, &loose);
        }
    }
    cel_program_destroy(checked);
    cel_program_destroy(unchecked);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    const unsigned char *mark = length == 0 ? NULL : memrchr(bytes, 0xFF, length);
    size_t source_length = mark == NULL ? length : (size_t)(mark - bytes);
    struct data data = {.arena = arena_create()};
    data.bytes = mark == NULL ? bytes : mark + 1;
    data.length = mark == NULL ? 0 : length - source_length - 1;
    evaluate((const char *)bytes, source_length, &data);
    arena_destroy(data.arena);
    return 0;
}
