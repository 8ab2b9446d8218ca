#include "policy/cel/types.h"

#include "base/check.h"

/* What expressions may name. */

static const struct cel_function_row *const libraries[] = {
    cel_library_core, cel_library_regex,   cel_library_time,      cel_library_strings,
    cel_library_math, cel_library_network, cel_library_optionals, cel_library_encoders};

static const char *const add[] = {"(int, int) -> int",
                                  "(uint, uint) -> uint",
                                  "(double, double) -> double",
                                  "(string, string) -> string",
                                  "(bytes, bytes) -> bytes",
                                  "(list(A), list(A)) -> list(A)",
                                  "(timestamp, duration) -> timestamp",
                                  "(duration, timestamp) -> timestamp",
                                  "(duration, duration) -> duration",
                                  NULL};
static const char *const subtract[] = {"(int, int) -> int",
                                       "(uint, uint) -> uint",
                                       "(double, double) -> double",
                                       "(timestamp, timestamp) -> duration",
                                       "(timestamp, duration) -> timestamp",
                                       "(duration, duration) -> duration",
                                       NULL};
static const char *const product[] = {"(int, int) -> int", "(uint, uint) -> uint",
                                      "(double, double) -> double", NULL};
static const char *const modulo[] = {"(int, int) -> int", "(uint, uint) -> uint", NULL};
static const char *const equal[] = {"(A, A) -> bool", NULL};
static const char *const order[] = {"(string, string) -> bool",
                                    "(bytes, bytes) -> bool",
                                    "(bool, bool) -> bool",
                                    "(int, int) -> bool",
                                    "(int, uint) -> bool",
                                    "(int, double) -> bool",
                                    "(uint, uint) -> bool",
                                    "(uint, int) -> bool",
                                    "(uint, double) -> bool",
                                    "(double, double) -> bool",
                                    "(double, int) -> bool",
                                    "(double, uint) -> bool",
                                    "(timestamp, timestamp) -> bool",
                                    "(duration, duration) -> bool",
                                    NULL};
static const char *const within[] = {"(A, list(A)) -> bool", "(A, map(A, B)) -> bool", NULL};
static const char *const not [] = {"(bool) -> bool", NULL};
static const char *const negate[] = {"(int) -> int", "(double) -> double", NULL};

static const struct {
    const char *name;
    const char *const *signatures;
} operators[CEL_OPERATORS] = {
    [CEL_OP_ADD] = {"+", add},
    [CEL_OP_SUBTRACT] = {"-", subtract},
    [CEL_OP_MULTIPLY] = {"*", product},
    [CEL_OP_DIVIDE] = {"/", product},
    [CEL_OP_MODULO] = {"%", modulo},
    [CEL_OP_EQUAL] = {"==", equal},
    [CEL_OP_UNEQUAL] = {"!=", equal},
    [CEL_OP_LESS] = {"<", order},
    [CEL_OP_LESS_EQUAL] = {"<=", order},
    [CEL_OP_GREATER] = {">", order},
    [CEL_OP_GREATER_EQUAL] = {">=", order},
    [CEL_OP_IN] = {"in", within},
    [CEL_OP_NOT] = {"!", not },
    [CEL_OP_NEGATE] = {"-", negate},
};

const char *cel_operator_name(enum cel_operator what)
{
    return operators[what].name;
}

static size_t bucket_of(const char *name, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)name[i]) * 16777619U;
    }
    return (hash ^ (hash >> 16)) % CEL_BUCKETS;
}

static bool read_signatures(struct cel_env *env, const char *const *texts,
                            const struct cel_signature **out, size_t *out_count,
                            struct error *error)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    struct cel_signature *signatures = arena_array(env->arena, count, sizeof *signatures);
    for (size_t i = 0; i < count; i++) {
        if (!cel_signature_read(env, texts[i], &signatures[i], error)) {
            return false;
        }
    }
    *out = signatures;
    *out_count = count;
    return true;
}

static bool add_row(struct cel_env *env, const struct cel_function_row *row, bool is_host,
                    struct error *error)
{
    struct cel_function_entry *entry = ARENA_NEW(env->arena, struct cel_function_entry);
    entry->name = row->name;
    entry->row = row;
    entry->is_host = is_host;
    if (!read_signatures(env, row->signatures, &entry->signatures, &entry->signature_count,
                         error)) {
        return false;
    }
    struct cel_function_entry **link = &env->buckets[bucket_of(row->name, strlen(row->name))];
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = entry;
    return true;
}

struct cel_env *cel_env_create(const struct cel_limits *limits)
{
    struct arena *arena = arena_create();
    struct cel_env *env = ARENA_NEW(arena, struct cel_env);
    env->arena = arena;
    env->limits = limits == NULL ? (struct cel_limits){0} : *limits;
    const struct cel_limits standard = {CEL_SOURCE_BYTES_MAX, CEL_NODES_MAX, CEL_DEPTH_MAX,
                                        CEL_NESTING_MAX,      CEL_COST_MAX,  CEL_ARENA_BYTES_MAX};
    struct cel_limits *own = &env->limits;
    own->source_bytes = own->source_bytes == 0 ? standard.source_bytes : own->source_bytes;
    own->nodes = own->nodes == 0 ? standard.nodes : own->nodes;
    own->depth = own->depth == 0 ? standard.depth : own->depth;
    own->nesting = own->nesting == 0 ? standard.nesting : own->nesting;
    own->cost = own->cost == 0 ? standard.cost : own->cost;
    own->memory_bytes = own->memory_bytes == 0 ? standard.memory_bytes : own->memory_bytes;
    env->container = "";
    bool is_well = true;
    struct error error = {0};
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        for (const struct cel_function_row *row = libraries[i]; row->name != NULL; row++) {
            is_well &= add_row(env, row, false, &error);
        }
    }
    for (size_t i = 0; i < CEL_OPERATORS; i++) {
        is_well &= read_signatures(env, operators[i].signatures, &env->operators[i],
                                   &env->operator_counts[i], &error);
    }
    CHECK(is_well); /* the tables of this room */
    return env;
}

void cel_env_destroy(struct cel_env *env)
{
    if (env != NULL) {
        arena_destroy(env->arena); /* which holds the environment itself */
    }
}

void cel_env_set_container(struct cel_env *env, const char *container)
{
    env->container = arena_text(env->arena, container);
}

const struct cel_variable *cel_find_variable(const struct cel_env *env, const char *name,
                                             size_t length)
{
    for (size_t i = 0; i < env->variable_count; i++) {
        if (strlen(env->variables[i].name) == length &&
            memcmp(env->variables[i].name, name, length) == 0) {
            return &env->variables[i];
        }
    }
    return NULL;
}

bool cel_env_declare(struct cel_env *env, const char *name, const struct cel_type *type,
                     uint32_t *out_slot, struct error *error)
{
    if (cel_find_variable(env, name, strlen(name)) != NULL) {
        return error_set(error, ERROR_INVALID, "already_declared", NULL,
                         "`%s` is declared already: choose another name", name);
    }
    if (env->variable_count == env->variable_capacity) {
        size_t capacity = env->variable_capacity == 0 ? 16 : env->variable_capacity * 2;
        struct cel_variable *variables = arena_array(env->arena, capacity, sizeof *variables);
        for (size_t i = 0; i < env->variable_count; i++) {
            variables[i] = env->variables[i];
        }
        env->variables = variables;
        env->variable_capacity = capacity;
    }
    *out_slot = (uint32_t)env->variable_count;
    env->variables[env->variable_count++] =
        (struct cel_variable){.name = arena_text(env->arena, name), .type = type};
    return true;
}

const struct cel_function_entry *cel_find_function(const struct cel_env *env, const char *name,
                                                   size_t length)
{
    const struct cel_function_entry *entry = env->buckets[bucket_of(name, length)];
    while (entry != NULL &&
           (strlen(entry->name) != length || memcmp(entry->name, name, length) != 0)) {
        entry = entry->next;
    }
    return entry;
}

bool cel_env_add_function(struct cel_env *env, const char *name, const char *signature,
                          cel_function function, struct error *error)
{
    struct cel_signature read = {0};
    if (!cel_signature_read(env, signature, &read, error)) {
        return false;
    }
    const char **signatures = arena_array(env->arena, 2, sizeof *signatures);
    signatures[0] = arena_text(env->arena, signature);
    struct cel_function_row *row = ARENA_NEW(env->arena, struct cel_function_row);
    row->name = arena_text(env->arena, name);
    row->style = read.is_member ? CEL_MEMBER : CEL_GLOBAL;
    row->args_least = (int8_t)read.count;
    row->args_most = (int8_t)read.count;
    row->call = function;
    row->signatures = signatures;
    return add_row(env, row, true, error);
}
