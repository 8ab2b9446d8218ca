#ifndef CEL_CHECKER_H
#define CEL_CHECKER_H

/* Inside the checker: checker.c walks the tree, names.c finds what names mean, overloads.c picks
 * signatures. */

#include "policy/cel/types.h"

/* A variable of a macro, inside which it is looked up first. */
struct cel_local {
    struct cel_text name;
    const struct cel_type *type;
    uint32_t index;
    const struct cel_local *outer;
};

struct cel_checker {
    const struct cel_env *env;
    struct cel_source *source;
    struct cel_unifier unifier;
    bool is_strict;
    const struct cel_local *locals;
    uint32_t local_count;
    size_t loop_depth;
};

/* Checks a node and those below it. */
bool cel_check_node(struct cel_checker *checker, struct cel_node *node) MUST_CHECK;
/* A type error: refused when types are checked, else `dyn`. */
bool cel_mismatch(struct cel_checker *checker, struct cel_node *node, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* names.c: makes a name, or a whole `a.b.c`, a reference; false when it names nothing known. */
bool cel_resolve_name(struct cel_checker *checker, struct cel_node *node);
/* "no such name", with the nearest known one. */
bool cel_refuse_name(struct cel_checker *checker, struct cel_node *node);
/* The functions a call may mean; `a.b(c)` may become a call of `a.b` without receiver. */
const struct cel_function_entry *cel_resolve_function(struct cel_checker *checker,
                                                      struct cel_node *node);
bool cel_refuse_function(struct cel_checker *checker, struct cel_node *node);

/* overloads.c: node->type from the types of the arguments. */
bool cel_check_call(struct cel_checker *checker, struct cel_node *node,
                    const struct cel_function_entry *first) MUST_CHECK;
bool cel_check_operator(struct cel_checker *checker, struct cel_node *node) MUST_CHECK;

/* A type as text in the arena, for messages. */
const char *cel_type_text(struct cel_checker *checker, const struct cel_type *type);

#endif
