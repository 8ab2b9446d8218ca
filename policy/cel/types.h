#ifndef CEL_TYPES_H
#define CEL_TYPES_H

/* Types, signatures, and what an environment knows. */

#include "policy/cel/ast.h"

enum cel_type_kind {
    CEL_TYPE_DYN,
    CEL_TYPE_NULL,
    CEL_TYPE_BOOL,
    CEL_TYPE_INT,
    CEL_TYPE_UINT,
    CEL_TYPE_DOUBLE,
    CEL_TYPE_NUMBER, /* int, uint or double: what a JSON number is */
    CEL_TYPE_STRING,
    CEL_TYPE_BYTES,
    CEL_TYPE_TIMESTAMP,
    CEL_TYPE_DURATION,
    CEL_TYPE_LIST,
    CEL_TYPE_MAP,
    CEL_TYPE_TYPE,
    CEL_TYPE_WRAPPER,   /* its parameter, or null */
    CEL_TYPE_ABSTRACT,  /* optional_type, net.IP, a host's own */
    CEL_TYPE_OBJECT,    /* a map of known members */
    CEL_TYPE_PARAMETER, /* `A` in a signature */
    CEL_TYPE_UNKNOWN,   /* yet to be found: `id` */
};

enum { CEL_TYPE_PARAMETERS_MAX = 4, CEL_ARGS_MAX = 64 };

struct cel_type {
    uint8_t kind;
    uint8_t count; /* of params */
    uint32_t id;
    const char *name;
    const struct cel_type *params[CEL_TYPE_PARAMETERS_MAX];
    const struct cel_field *fields;
    size_t field_count;
};

extern const struct cel_type cel_type_dyn, cel_type_null, cel_type_bool, cel_type_int,
    cel_type_uint, cel_type_double, cel_type_number, cel_type_string, cel_type_bytes,
    cel_type_timestamp, cel_type_duration;

const struct cel_type *cel_type_make(struct arena *arena, enum cel_type_kind kind, const char *name,
                                     const struct cel_type *const *params, size_t count);
/* Appends the type as text. */
void cel_type_print(struct builder *out, const struct cel_type *type);
/* The type a bare name stands for in an expression (`int`, `net.IP`), or NULL. */
const struct cel_type *cel_type_named(const char *name);

struct cel_signature {
    bool is_member;
    bool does_repeat; /* the last parameter stands once or more */
    uint8_t count;
    const struct cel_type **params;
    const struct cel_type *result;
};

struct cel_function_entry {
    const char *name;
    const struct cel_function_row *row; /* of a host function one made for it */
    const struct cel_signature *signatures;
    size_t signature_count;
    bool is_host; /* its arguments are checked against the signature at run time too */
    struct cel_function_entry *next; /* in its bucket */
};

struct cel_variable {
    const char *name;
    const struct cel_type *type;
};

enum { CEL_BUCKETS = 256 };

struct cel_env {
    struct arena *arena;
    struct cel_limits limits;
    const char *container;
    struct cel_variable *variables;
    size_t variable_count;
    size_t variable_capacity;
    const struct cel_type **objects;
    size_t object_count;
    size_t object_capacity;
    struct cel_function_entry *buckets[CEL_BUCKETS];
    const struct cel_signature *operators[CEL_OPERATORS];
    size_t operator_counts[CEL_OPERATORS];
};

/* Reads a signature; with `may_name` unknown names become abstract types. */
bool cel_signature_read(struct cel_env *env, const char *text, struct cel_signature *out,
                        struct error *error) MUST_CHECK;
/* The first function of that name, then `next` until the name differs; NULL for none. */
const struct cel_function_entry *cel_find_function(const struct cel_env *env, const char *name,
                                                   size_t length);
const struct cel_variable *cel_find_variable(const struct cel_env *env, const char *name,
                                             size_t length);
const char *cel_operator_name(enum cel_operator what);

/* unify.c: which types fit where. */
struct cel_unifier {
    struct arena *arena;
    const struct cel_type **found; /* by id of the unknown, NULL: still open */
    size_t count;
    size_t capacity;
    uint32_t *trail; /* ids in the order in which they were bound, with what they were before */
    const struct cel_type **trail_before;
    size_t trail_count;
    size_t trail_capacity;
    size_t steps_left; /* a bound on the work of one compilation */
};

const struct cel_type *cel_unknown_type(struct cel_unifier *unifier);
/* Whether a value of type `given` may stand where `wanted` is asked for; binds unknowns, and undoes
 * that when the answer is no. */
bool cel_type_fits(struct cel_unifier *unifier, const struct cel_type *given,
                   const struct cel_type *wanted);
/* Undoes what was bound since `mark`, a trail_count of before. */
void cel_unifier_undo(struct cel_unifier *unifier, size_t mark);
/* The more general of two types that fit. */
const struct cel_type *cel_type_general(const struct cel_type *left, const struct cel_type *right);
/* The type with its unknowns replaced by what was found; `must_close` makes open ones dyn. */
const struct cel_type *cel_type_resolve(struct cel_unifier *unifier, const struct cel_type *type,
                                        bool must_close);
bool cel_type_same(const struct cel_type *left, const struct cel_type *right);

/* checker.c */
struct cel_checked {
    const struct cel_type *type;
    size_t local_count;
};
/* Resolves names, picks overloads and infers types. `is_strict` false leaves types unchecked. */
bool cel_check(const struct cel_env *env, struct cel_source *source, struct cel_node *root,
               bool is_strict, struct cel_checked *out) MUST_CHECK;

/* nearest.c: the known word nearest to `word`; feeds on one candidate after the other. */
struct cel_nearest {
    const char *word;
    size_t length;
    const char *best; /* NULL: none near enough */
    size_t best_distance;
};
void cel_nearest_offer(struct cel_nearest *nearest, const char *known, size_t length);

#endif
