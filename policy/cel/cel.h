#ifndef CEL_CEL_H
#define CEL_CEL_H

/*
 * CEL, the Common Expression Language, in C: source text in, a compiled program out, evaluated any
 * number of times by any number of threads. A pure library: no I/O, no clock, no global state,
 * nothing but floor 0 below it, so that twenty lines of C can use it (example.c). What it follows
 * is the public specification (cel-spec); docs/cel-conformance.md names every deviation.
 *
 * An expression ends in one of three ways. A value. A CEL error (no such key, overflow), which
 * `||`, `&&`, `all` and `exists` absorb when the other side decides. Or it is stopped: a limit on
 * cost, memory or depth was reached, which nothing absorbs. The zero outcome is stopped.
 *
 * Evaluation allocates in the caller's arena alone, and never more than the limit says.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum cel_kind {
    CEL_ERROR = 0, /* as.problem; never inside a list or map */
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,    /* as.bytes, never NULL, and length: valid UTF-8, may hold NULs */
    CEL_BYTES,     /* as.bytes, never NULL, and length */
    CEL_LIST,      /* as.items and length */
    CEL_MAP,       /* as.map */
    CEL_TIMESTAMP, /* as.integer seconds since 1970, nanos 0..999999999 in length */
    CEL_DURATION,  /* as.integer seconds, nanos in length as int32_t, of the same sign */
    CEL_TYPE,      /* as.type_name */
    CEL_OPTIONAL,  /* as.items: one value, or NULL for none */
    CEL_IP,        /* as.network */
    CEL_CIDR,      /* as.network */
    CEL_ABSTRACT,  /* as.host: a host's own value; only its functions look into it */
};

/* Passed by value: two registers. What it points at is borrowed and never changed. */
struct cel_value {
    uint8_t kind;    /* enum cel_kind */
    uint32_t length; /* bytes, items or nanoseconds, as the kind says */
    union {
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        const char *bytes;
        const struct cel_value *items;
        const struct cel_map *map;
        const char *type_name;
        const struct cel_network *network;
        const struct cel_problem *problem;
        const void *host;
    } as;
};

struct cel_entry {
    struct cel_value key; /* CEL_STRING, CEL_INT, CEL_UINT or CEL_BOOL */
    struct cel_value value;
};

/* Entries in order of making. */
struct cel_map {
    const struct cel_entry *entries;
    size_t count;
    const uint32_t *sorted; /* places of entries in order of their keys; NULL for few entries */
};

struct cel_network {
    uint8_t family;      /* 4 or 6 */
    uint8_t prefix_bits; /* of a CIDR */
    uint8_t bytes[16];   /* network order; 4 used for family 4 */
};

/* A CEL error, or why a program was stopped. */
struct cel_problem {
    const char *message; /* one sentence; quotes data in ticks, bounded */
    uint32_t offset;     /* in the source, in bytes */
};

enum {
    CEL_SOURCE_BYTES_MAX = 4096,
    CEL_NODES_MAX = 2000,
    CEL_DEPTH_MAX = 64,
    CEL_NESTING_MAX = 3, /* comprehensions within comprehensions */
    CEL_COST_MAX = 10000,
    CEL_ARENA_BYTES_MAX = 1024 * 1024,
};

/* Zero members mean the figures above. */
struct cel_limits {
    size_t source_bytes;
    size_t nodes;
    size_t depth;
    size_t nesting;
    int64_t cost;        /* of one evaluation */
    size_t memory_bytes; /* of one evaluation */
};

/* What expressions may name: variables with their types, the functions of every library here, and
 * the host's own. */
struct cel_env;
struct cel_type; /* owned by its environment */

struct cel_env *cel_env_create(const struct cel_limits *limits); /* NULL: the figures above */
void cel_env_destroy(struct cel_env *env); /* accepts NULL; programs must be gone */
void cel_env_set_container(struct cel_env *env,
                           const char *container); /* "com.example"; names are looked up outwards */

/* A type from its text: "int", "dyn", "list(string)", "map(string, dyn)", "optional_type(int)",
 * "number" (int, uint or double: what a JSON number is), or an object made before. NULL with
 * INVALID `bad_type`. */
const struct cel_type *cel_type_read(struct cel_env *env, const char *text,
                                     struct error *error) MUST_CHECK;
struct cel_field {
    const char *name;
    const struct cel_type *type;
    bool is_optional; /* may be absent: `has()` asks */
};
/* A map of known members: naming another one is an error at compile time, with the nearest known
 * name. */
const struct cel_type *cel_type_object(struct cel_env *env, const char *name,
                                       const struct cel_field *fields, size_t count);

/* Declares a variable, perhaps dotted ("com.example.y"); its slot is what evaluation asks for.
 * INVALID `already_declared`. */
bool cel_env_declare(struct cel_env *env, const char *name, const struct cel_type *type,
                     uint32_t *out_slot, struct error *error) MUST_CHECK;

struct cel_run; /* one evaluation */
/* A function: `args` has the receiver first. Returns a value, or cel_fail's. */
typedef struct cel_value (*cel_function)(struct cel_run *run, const struct cel_value *args,
                                         size_t count);
/* Adds a host function. `signature` as in "history.(string) -> int" (member) or "(int, int) ->
 * int"; abstract types named in it come to be by being named. INVALID `bad_signature`. */
bool cel_env_add_function(struct cel_env *env, const char *name, const char *signature,
                          cel_function function, struct error *error) MUST_CHECK;
/* For functions: a CEL error as a value; memory of this evaluation (NULL once stopped); the context
 * of cel_evaluate; cost. */
struct cel_value cel_fail(struct cel_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
void *cel_alloc(struct cel_run *run, size_t bytes);
void *cel_context(const struct cel_run *run);
void cel_charge(struct cel_run *run, int64_t units); /* stops the run past its limit */

struct cel_program; /* immutable; refers to its environment */

/* Compiles: parses, expands macros, checks types, folds constants, compiles literal regular
 * expressions. NULL with INVALID: line and column (in characters, 1-based) within `source`, the
 * message says what to write instead; `out_offset` (may be NULL) is the byte where it begins.
 * `wants` (may be NULL) is the type the result must be able to have ("bool"). Destroy with
 * cel_program_destroy. */
struct cel_program *cel_compile(const struct cel_env *env, const char *source, size_t length,
                                const char *wants, uint32_t *out_offset,
                                struct error *error) MUST_CHECK;
void cel_program_destroy(struct cel_program *program); /* accepts NULL */
/* The type of its result, as text ("bool", "list(int)", "dyn"). Lent. */
const char *cel_program_type(const struct cel_program *program);
/* Whether it names this variable. */
bool cel_program_reads(const struct cel_program *program, uint32_t slot);
/* Calls `visit` for each call of the function `name`, with its literal arguments (receiver left
 * out; CEL_ERROR where an argument is not literal). Stops when it returns false and returns that.
 */
typedef bool (*cel_visit_call)(void *context, const struct cel_value *args, size_t count,
                               uint32_t offset);
bool cel_program_each_call(const struct cel_program *program, const char *name,
                           cel_visit_call visit, void *context);

/* Finds the value of a variable: called at most once per variable and evaluation, when it is first
 * read. Returns a CEL_ERROR (cel_fail) when there is none. */
typedef struct cel_value (*cel_find)(struct cel_run *run, uint32_t slot);

enum cel_outcome {
    CEL_OUTCOME_STOPPED = 0, /* a limit: problem says which */
    CEL_OUTCOME_ERROR,
    CEL_OUTCOME_VALUE,
};
struct cel_result {
    enum cel_outcome outcome;
    struct cel_value value;
    struct cel_problem problem; /* message in the arena */
    int64_t cost;               /* compatible with cel-go's */
};
/* Evaluates within the environment's limits, and within `cost_left` when it is not negative. `find`
 * may be NULL when the program reads no variable. */
void cel_evaluate(const struct cel_program *program, cel_find find, void *context,
                  int64_t cost_left, struct arena *arena, struct cel_result *out);

/* Makes a map of entries that live as long as it; NULL when a key is doubled or of a wrong kind. */
const struct cel_map *cel_map_make(struct arena *arena, const struct cel_entry *entries,
                                   size_t count);
/* The value of a key (numbers compare across kinds), or NULL. */
const struct cel_value *cel_map_find(const struct cel_map *map, struct cel_value key);
bool cel_equal(struct cel_value left, struct cel_value right);

static inline struct cel_value cel_null(void)
{
    return (struct cel_value){.kind = CEL_NULL};
}

static inline struct cel_value cel_bool(bool boolean)
{
    return (struct cel_value){.kind = CEL_BOOL, .as.boolean = boolean};
}

static inline struct cel_value cel_int(int64_t integer)
{
    return (struct cel_value){.kind = CEL_INT, .as.integer = integer};
}

static inline struct cel_value cel_uint(uint64_t natural)
{
    return (struct cel_value){.kind = CEL_UINT, .as.natural = natural};
}

static inline struct cel_value cel_double(double real)
{
    return (struct cel_value){.kind = CEL_DOUBLE, .as.real = real};
}

static inline struct cel_value cel_string(const char *bytes, size_t length)
{
    return (struct cel_value){
        .kind = CEL_STRING, .length = (uint32_t)length, .as.bytes = bytes == NULL ? "" : bytes};
}

/* Appends a value as CEL would write it, bounded by the builder's limit: for explanations and
 * messages. */
void cel_print(struct builder *out, struct cel_value value);

#endif
