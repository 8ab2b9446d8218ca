/* CEL against the cases of cel-spec and the reference implementation's answers:
 * `cel FOLDER` reads FOLDER/cases/<name>.json, and oracle.json and realworld.json where they are
 * there. Prints each case that fails, then a line per file and totals. */

#include "base/memory.h"
#include "policy/cel/cel_internal.h"
#include "tests/conformance/cel_values.h"
#include <dirent.h>
#include <stdio.h>

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, VARIABLES_MAX = 64, FILES_MAX = 64 };

/* Larger than a policy's, for the suite tests the language and not our bounds. */
static const struct cel_limits limits = {.source_bytes = 65536,
                                         .nodes = 20000,
                                         .depth = 250,
                                         .nesting = 12,
                                         .cost = 1000000,
                                         .memory_bytes = 16 * 1024 * 1024};

struct tally {
    size_t passed;
    size_t total;
};

struct bindings {
    struct cel_value values[VARIABLES_MAX];
};

static struct tally costs;
static struct tally types;
static struct json_document *oracle;
static size_t oracle_place;

static struct json_document *read_json(const char *path)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, FILE_BYTES_MAX);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char block[65536];
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;) {
        builder_append(&text, block, length);
    }
    fclose(file);
    struct error error = {0};
    struct json_document *document = json_parse(text.bytes, text.length, &error);
    if (document == NULL) {
        printf("FAIL %s: %s %s\n", path, error.subject, error.message);
    }
    return document;
}

static bool same_text(const struct json *left, const struct json *right)
{
    return json_text_length(left) == json_text_length(right) && json_text(left) != NULL &&
           json_text(right) != NULL &&
           memcmp(json_text(left), json_text(right), json_text_length(left)) == 0;
}

/* The oracle's row of a case; rows come in the order of the cases. */
static const struct json *find_row(const char *file, const struct json *test)
{
    const struct json *rows = oracle == NULL ? NULL : json_root(oracle);
    size_t count = json_count(rows);
    for (size_t i = 0; i < count; i++) {
        const struct json *row = json_element(rows, (oracle_place + i) % count);
        if (strcmp(json_text(json_member(row, "file")), file) == 0 &&
            same_text(json_member(row, "name"), json_member(test, "name")) &&
            same_text(json_member(row, "section"), json_member(test, "section")) &&
            same_text(json_member(row, "expr"), json_member(test, "expr"))) {
            oracle_place = (oracle_place + i + 1) % count;
            return row;
        }
    }
    return NULL;
}

static struct cel_value find_binding(struct cel_run *run, uint32_t slot)
{
    const struct bindings *bindings = cel_context(run);
    return bindings->values[slot].kind == CEL_ERROR ? cel_fail(run, "this variable is not bound")
                                                    : bindings->values[slot];
}

static struct cel_value call_nothing(struct cel_run *run, const struct cel_value *args,
                                     size_t count)
{
    (void)args;
    (void)count;
    return cel_fail(run, "a function without a body");
}

static bool declare_function(struct cel_env *env, const struct json *declaration,
                             struct error *error)
{
    const struct json *overloads = json_member(declaration, "overloads");
    for (size_t i = 0; i < json_count(overloads); i++) {
        const struct json *overload = json_element(overloads, i);
        const struct json *params = json_member(overload, "params");
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 0);
        builder_char(&text, '(');
        for (size_t j = 0; j < json_count(params); j++) {
            builder_text(&text, j == 0 ? "" : ", ");
            cel_case_type(&text, json_element(params, j));
        }
        builder_text(&text, ") -> ");
        cel_case_type(&text, json_member(overload, "result"));
        if (!cel_env_add_function(env, json_text(json_member(declaration, "name")), text.bytes,
                                  call_nothing, error)) {
            return false;
        }
    }
    return true;
}

static bool declare_all(struct cel_env *env, const struct json *test, struct error *error)
{
    const struct json *declarations = json_member(test, "typeEnv");
    for (size_t i = 0; i < json_count(declarations); i++) {
        const struct json *declaration = json_element(declarations, i);
        if (json_member(declaration, "overloads") != NULL) {
            if (!declare_function(env, declaration, error)) {
                return false;
            }
            continue;
        }
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 0);
        cel_case_type(&text, json_member(declaration, "type"));
        const struct cel_type *type = cel_type_read(env, text.bytes, error);
        uint32_t slot;
        if (type == NULL || !cel_env_declare(env, json_text(json_member(declaration, "name")), type,
                                             &slot, error)) {
            return false;
        }
    }
    return true;
}

struct binder {
    struct cel_env *env;
    struct arena *arena;
    const struct json *test;
    struct bindings *bindings;
    uint32_t next;
};

/* The slots of the declared variables, in order; those only bound come after them. */
static bool bind(void *context, const char *name, const struct json *value)
{
    struct binder *binder = context;
    const struct json *declarations = json_member(binder->test, "typeEnv");
    uint32_t slot = 0;
    for (size_t i = 0; i < json_count(declarations); i++) {
        const struct json *declaration = json_element(declarations, i);
        if (json_member(declaration, "overloads") != NULL) {
            continue;
        }
        if (strcmp(json_text(json_member(declaration, "name")), name) == 0) {
            binder->bindings->values[slot] = cel_case_value(binder->arena, value);
            return true;
        }
        slot++;
    }
    struct error error = {0};
    if (cel_env_declare(binder->env, name, cel_type_read(binder->env, "dyn", &error), &slot,
                        &error)) {
        binder->bindings->values[slot] = cel_case_value(binder->arena, value);
    }
    return true;
}

static const char *or_empty(const struct json *text)
{
    return json_text(text) == NULL ? "" : json_text(text);
}

static void fail(const char *file, const struct json *test, const char *expected,
                 const char *actual)
{
    printf("FAIL %s %s/%s `%s`\n  expected %s\n  actual   %s\n", file,
           or_empty(json_member(test, "section")), or_empty(json_member(test, "name")),
           or_empty(json_member(test, "expr")), expected, actual);
}

static bool is_set(const struct json *test, const char *name)
{
    return json_type(json_member(test, name)) == JSON_TYPE_TRUE;
}

static bool check_type(const char *file, const struct json *test, const struct json *row,
                       const struct cel_program *program)
{
    const struct json *wanted = json_member(json_member(test, "expect"), "type");
    const char *actual = cel_program_type(program);
    if (json_member(row, "type") != NULL && !is_set(test, "disable_check")) {
        types.total++;
        types.passed += strcmp(json_text(json_member(row, "type")), actual) == 0;
        if (strcmp(json_text(json_member(row, "type")), actual) != 0 && getenv("CEL_VERBOSE")) {
            fail("type", test, json_text(json_member(row, "type")), actual);
        }
    }
    if (wanted == NULL) {
        return true;
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    cel_case_type(&text, wanted);
    if (strcmp(text.bytes, actual) != 0) {
        fail(file, test, text.bytes, actual);
        return false;
    }
    return true;
}

static void compare_costs(const struct json *test, int64_t cost, const struct cel_result *result)
{
    costs.total++;
    costs.passed += cost == result->cost;
    if (cost != result->cost) {
        char texts[2][40];
        snprintf(texts[0], sizeof texts[0], "cost %lld", (long long)cost);
        snprintf(texts[1], sizeof texts[1], "cost %lld", (long long)result->cost);
        fail("cost", test, texts[0], texts[1]);
    }
}

static void check_cost(const struct json *test, const struct json *row,
                       const struct cel_result *result)
{
    int64_t cost;
    bool is_compared = row != NULL && json_type(json_member(row, "ok")) == JSON_TYPE_TRUE &&
                       json_integer(json_member(row, "cost"), &cost);
    if (is_compared) {
        compare_costs(test, cost, result);
    }
}

static bool check_result(const char *file, const struct json *test, struct arena *arena,
                         const struct cel_result *result)
{
    const struct json *expect = json_member(test, "expect");
    struct builder actual BUILDER_SCOPE;
    builder_init(&actual, 0);
    if (result->outcome == CEL_OUTCOME_VALUE) {
        cel_print(&actual, result->value);
    } else {
        builder_printf(&actual, "%s: %s",
                       result->outcome == CEL_OUTCOME_ERROR ? "error" : "stopped",
                       result->problem.message);
    }
    if (json_member(expect, "error") != NULL) {
        if (result->outcome != CEL_OUTCOME_ERROR) {
            fail(file, test, "an error", actual.bytes);
        }
        return result->outcome == CEL_OUTCOME_ERROR;
    }
    struct cel_value wanted = cel_case_value(arena, json_member(expect, "value"));
    if (result->outcome == CEL_OUTCOME_VALUE && cel_case_same(wanted, result->value)) {
        return true;
    }
    struct builder expected BUILDER_SCOPE;
    builder_init(&expected, 0);
    cel_print(&expected, wanted);
    fail(file, test, expected.bytes, actual.bytes);
    return false;
}

static bool run_program(const char *file, const struct json *test, const struct json *row,
                        struct bindings *bindings, struct arena *arena,
                        const struct cel_program *program)
{
    if (!check_type(file, test, row, program)) {
        return false;
    }
    if (is_set(test, "check_only")) {
        return true;
    }
    struct cel_result result;
    cel_evaluate(program, find_binding, bindings, -1, arena, &result);
    check_cost(test, row, &result);
    return check_result(file, test, arena, &result);
}

static bool run_test(const char *file, const struct json *test)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(&limits);
    struct bindings *bindings = ARENA_NEW(arena, struct bindings);
    struct error error = {0};
    struct binder binder = {.env = env, .arena = arena, .test = test, .bindings = bindings};
    const struct json *source = json_member(test, "expr");
    if (json_text(json_member(test, "container")) != NULL) {
        cel_env_set_container(env, json_text(json_member(test, "container")));
    }
    bool is_passed = declare_all(env, test, &error);
    json_each_member(json_member(test, "bindings"), bind, &binder);
    struct cel_program *program =
        is_passed ? cel_compile_with(env, json_text(source), json_text_length(source), NULL,
                                     !is_set(test, "disable_check"),
                                     !is_set(test, "disable_macros"), NULL, &error)
                  : NULL;
    if (program != NULL) {
        is_passed = run_program(file, test, find_row(file, test), bindings, arena, program);
    } else {
        is_passed = json_member(json_member(test, "expect"), "error") != NULL;
        if (!is_passed) {
            fail(file, test, "to compile", error.message);
        }
    }
    cel_program_destroy(program);
    cel_env_destroy(env);
    return is_passed;
}

static struct tally run_file(const char *folder, const char *name)
{
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    builder_printf(&path, "%s/cases/%s", folder, name);
    struct tally tally = {0};
    struct json_document *document JSON_SCOPE = read_json(path.bytes);
    const struct json *tests = document == NULL ? NULL : json_member(json_root(document), "tests");
    for (size_t i = 0; i < json_count(tests); i++) {
        tally.total++;
        tally.passed += run_test(name, json_element(tests, i));
    }
    printf("cel %s: %zu/%zu\n", name, tally.passed, tally.total);
    return tally;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static struct tally run_cases(const char *folder)
{
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    builder_printf(&path, "%s/cases", folder);
    char *names[FILES_MAX];
    size_t count = 0;
    DIR *directory = opendir(path.bytes);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0 && count < FILES_MAX) {
            names[count++] = memory_text(entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    qsort(names, count, sizeof names[0], by_name);
    struct tally all = {0};
    for (size_t i = 0; i < count; i++) {
        struct tally tally = run_file(folder, names[i]);
        all.passed += tally.passed;
        all.total += tally.total;
        free(names[i]);
    }
    return all;
}

/* Plain JSON of the real-world samples: whole numbers are ints; times are marked. */
struct plain {
    struct arena *arena;
    struct cel_entry *entries;
    size_t count;
};

static struct cel_value plain_value(struct arena *arena, const struct json *json);

static bool add_plain(void *context, const char *name, const struct json *value)
{
    struct plain *plain = context;
    char *copy = arena_text(plain->arena, name);
    plain->entries[plain->count++] =
        (struct cel_entry){cel_string(copy, strlen(copy)), plain_value(plain->arena, value)};
    return true;
}

static struct cel_value plain_time(struct arena *arena, const char *call, const struct json *text)
{
    struct cel_env *env = cel_env_create(NULL);
    char *source = arena_printf(arena, "%s('%s')", call, json_text(text));
    struct error error = {0};
    struct cel_program *program = cel_compile(env, source, strlen(source), NULL, NULL, &error);
    struct cel_result result = {0};
    if (program != NULL) {
        cel_evaluate(program, NULL, NULL, -1, arena, &result);
    }
    cel_program_destroy(program);
    cel_env_destroy(env);
    return result.value;
}

static struct cel_value plain_value(struct arena *arena, const struct json *json)
{
    int64_t integer;
    switch (json_type(json)) {
    case JSON_TYPE_ABSENT:
    case JSON_TYPE_NULL:
        return cel_null();
    case JSON_TYPE_FALSE:
    case JSON_TYPE_TRUE:
        return cel_bool(json_type(json) == JSON_TYPE_TRUE);
    case JSON_TYPE_NUMBER:
        return json_integer(json, &integer) ? cel_int(integer) : cel_double(json_number(json));
    case JSON_TYPE_STRING:
        return cel_string(json_text(json), json_text_length(json));
    case JSON_TYPE_ARRAY:
        break;
    case JSON_TYPE_OBJECT:
        if (json_member(json, "$timestamp") != NULL) {
            return plain_time(arena, "timestamp", json_member(json, "$timestamp"));
        }
        if (json_member(json, "$double") != NULL) {
            return cel_double(strtod(json_text(json_member(json, "$double")), NULL));
        }
        if (json_member(json, "$duration") != NULL) {
            return plain_time(arena, "duration", json_member(json, "$duration"));
        }
        break;
    }
    size_t count = json_count(json);
    if (json_type(json) == JSON_TYPE_ARRAY) {
        struct cel_value *items = arena_array(arena, count, sizeof *items);
        for (size_t i = 0; i < count; i++) {
            items[i] = plain_value(arena, json_element(json, i));
        }
        return (struct cel_value){.kind = CEL_LIST, .length = (uint32_t)count, .as.items = items};
    }
    struct plain plain = {arena, arena_array(arena, count, sizeof(struct cel_entry)), 0};
    json_each_member(json, add_plain, &plain);
    return (struct cel_value){.kind = CEL_MAP,
                              .as.map = cel_map_make(arena, plain.entries, plain.count)};
}

static bool declare_plain(void *context, const char *name, const struct json *value)
{
    struct binder *binder = context;
    struct error error = {0};
    uint32_t slot;
    if (cel_env_declare(binder->env, name, cel_type_read(binder->env, "dyn", &error), &slot,
                        &error)) {
        binder->bindings->values[slot] = plain_value(binder->arena, value);
    }
    return true;
}

/* As the oracle ran them: without types, for whose variables nothing is declared. */
static bool run_sample(const struct json *rule, const struct json *sample)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(&limits);
    struct bindings *bindings = ARENA_NEW(arena, struct bindings);
    struct binder binder = {.env = env, .arena = arena, .bindings = bindings};
    json_each_member(json_member(sample, "vars"), declare_plain, &binder);
    const struct json *source = json_member(rule, "expr");
    struct error error = {0};
    struct cel_program *program = cel_compile_with(env, json_text(source), json_text_length(source),
                                                   NULL, false, true, NULL, &error);
    bool is_passed = false;
    int64_t cost = -1;
    if (program == NULL) {
        printf("FAIL realworld `%s`\n  %s\n", json_text(source), error.message);
    } else {
        struct cel_result result;
        cel_evaluate(program, find_binding, bindings, -1, arena, &result);
        is_passed = check_result("realworld", sample, arena, &result);
        if (json_integer(json_member(sample, "cost"), &cost)) {
            compare_costs(rule, cost, &result);
        }
    }
    cel_program_destroy(program);
    cel_env_destroy(env);
    return is_passed;
}

static struct tally run_samples(const char *folder)
{
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    builder_printf(&path, "%s/realworld.json", folder);
    struct json_document *document JSON_SCOPE = read_json(path.bytes);
    const struct json *rules = document == NULL ? NULL : json_root(document);
    struct tally tally = {0};
    for (size_t i = 0; i < json_count(rules); i++) {
        const struct json *samples = json_member(json_element(rules, i), "cases");
        for (size_t j = 0; j < json_count(samples); j++) {
            tally.total++;
            tally.passed += run_sample(json_element(rules, i), json_element(samples, j));
        }
    }
    return tally;
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: cel FOLDER\n");
        return 2;
    }
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    builder_printf(&path, "%s/oracle.json", arguments[1]);
    oracle = read_json(path.bytes);
    struct tally all = run_cases(arguments[1]);
    struct tally samples = run_samples(arguments[1]);
    printf("cel realworld: %zu/%zu\n", samples.passed, samples.total);
    printf("cel costs: %zu/%zu\n", costs.passed, costs.total);
    printf("cel types: %zu/%zu\n", types.passed, types.total);
    printf("cel: %zu/%zu\n", all.passed, all.total);
    json_destroy(oracle);
    return all.passed == all.total ? 0 : 1;
}
