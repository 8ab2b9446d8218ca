#ifndef CEL_AST_H
#define CEL_AST_H

/* An expression as a tree: what the parser makes of the text, and what the checker writes into it.
 */

#include "policy/cel/cel_internal.h"
#include <string.h>

enum cel_node_kind {
    CEL_NODE_LITERAL,
    CEL_NODE_NAME,   /* `a`, `.a` */
    CEL_NODE_SELECT, /* `a.b`, `a.?b`, and `has(a.b)` */
    CEL_NODE_INDEX,  /* `a[b]`, `a[?b]` */
    CEL_NODE_CALL,   /* `f(a)`, `a.f(b)` */
    CEL_NODE_OPERATOR,
    CEL_NODE_AND, /* of two or more */
    CEL_NODE_OR,
    CEL_NODE_TERNARY,
    CEL_NODE_LIST,
    CEL_NODE_MAP,     /* args: key, value, key, value … */
    CEL_NODE_LOOP,    /* `all` … `transformMapEntry` */
    CEL_NODE_BIND,    /* args: the value, the body */
    CEL_NODE_OPT_MAP, /* args: the optional, the body */
    CEL_NODE_BLOCK,   /* args: the slots, then the body */
};

enum cel_operator {
    CEL_OP_ADD,
    CEL_OP_SUBTRACT,
    CEL_OP_MULTIPLY,
    CEL_OP_DIVIDE,
    CEL_OP_MODULO,
    CEL_OP_EQUAL,
    CEL_OP_UNEQUAL,
    CEL_OP_LESS,
    CEL_OP_LESS_EQUAL,
    CEL_OP_GREATER,
    CEL_OP_GREATER_EQUAL,
    CEL_OP_IN,
    CEL_OP_NOT,
    CEL_OP_NEGATE,
    CEL_OPERATORS,
};

enum cel_loop {
    CEL_LOOP_ALL,
    CEL_LOOP_EXISTS,
    CEL_LOOP_EXISTS_ONE,
    CEL_LOOP_LIST,      /* map, filter, transformList */
    CEL_LOOP_MAP,       /* transformMap */
    CEL_LOOP_MAP_ENTRY, /* transformMapEntry */
};

/* What a name turned out to be. */
enum cel_reference {
    CEL_REFERENCE_NONE = 0,
    CEL_REFERENCE_VARIABLE, /* index: slot of the environment */
    CEL_REFERENCE_LOCAL,    /* index: place among the locals */
    CEL_REFERENCE_TYPE,     /* literal holds it */
    CEL_REFERENCE_UNKNOWN,  /* only where types are not checked */
};

enum { CEL_CANDIDATES_MAX = 4 };

struct cel_node {
    uint8_t kind;         /* enum cel_node_kind */
    uint8_t what;         /* enum cel_operator or cel_loop */
    uint8_t reference;    /* enum cel_reference */
    bool is_optional;     /* `.?`, `[?]`, optFlatMap */
    bool is_test;         /* has() */
    bool is_absolute;     /* a leading dot */
    bool is_member;       /* a call with a receiver, in args[0] */
    bool is_one_overload; /* exactly one signature fits: its cost formula holds */
    uint16_t depth;
    uint32_t offset;            /* of its name or operator in the source */
    uint32_t count;             /* of args */
    uint32_t index;             /* slot or first local */
    struct cel_text name;       /* identifier, member or function; of a loop the first variable */
    struct cel_text other_name; /* of a loop: the second variable, or empty */
    struct cel_value literal;
    struct cel_node *target;  /* of SELECT and INDEX; of LOOP the range */
    struct cel_node *filter;  /* of LOOP: what keeps an element, or NULL */
    struct cel_node **args;   /* of LOOP: the step in args[0] */
    const bool *are_optional; /* of LIST and MAP: `?x`; NULL when none is */
    const struct cel_type *type;
    const struct cel_function_entry *candidates[CEL_CANDIDATES_MAX];
    uint8_t candidate_count;
};

/* Where a tree comes to be. */
struct cel_source {
    const char *bytes;
    size_t length;
    struct arena *arena;
    const struct cel_limits *limits;
    bool has_macros;
    size_t node_count;
    uint32_t error_offset;
    struct error *error;
};

/* INVALID with line and column of `offset`. Returns false. */
bool cel_refuse(struct cel_source *source, uint32_t offset, const char *code, const char *format,
                ...) PRINTF_LIKE(4, 5);
/* The same, and NULL. */
#define CEL_REFUSE(source, offset, code, ...)                                                      \
    (cel_refuse((source), (offset), (code), __VA_ARGS__) ? NULL : NULL)

enum cel_token_kind {
    CEL_TOKEN_END,
    CEL_TOKEN_NAME,
    CEL_TOKEN_QUOTED_NAME,
    CEL_TOKEN_INT,
    CEL_TOKEN_UINT,
    CEL_TOKEN_DOUBLE,
    CEL_TOKEN_STRING,
    CEL_TOKEN_BYTES,
    CEL_TOKEN_PUNCTUATION, /* `what` is its first byte, or one of the pairs below */
    CEL_TOKEN_BAD,         /* an error is set */
};
enum { /* two-byte punctuation */
       CEL_PAIR_EQUAL = 128,
       CEL_PAIR_UNEQUAL,
       CEL_PAIR_LESS_EQUAL,
       CEL_PAIR_GREATER_EQUAL,
       CEL_PAIR_AND,
       CEL_PAIR_OR,
};

struct cel_token {
    enum cel_token_kind kind;
    int what;
    uint32_t offset;
    struct cel_text text; /* all of it, or what is between the back ticks */
};

/* The token at or after `offset`. */
struct cel_token cel_next_token(struct cel_source *source, uint32_t offset);
/* The value of a number, string or bytes token; `is_negative` for a number after a minus. */
bool cel_read_literal(struct cel_source *source, const struct cel_token *token, bool is_negative,
                      struct cel_value *out) MUST_CHECK;

/* NULL with the error set. */
struct cel_node *cel_parse(struct cel_source *source) MUST_CHECK;

/* For the parser and its macros. */
struct cel_node *cel_node_new(struct cel_source *source, enum cel_node_kind kind,
                              uint32_t offset) MUST_CHECK;
/* Sets args and depth; NULL when it is too deep. */
struct cel_node *cel_node_with(struct cel_source *source, struct cel_node *node,
                               struct cel_node *const *args, size_t count) MUST_CHECK;
/* What a call stands for when its name is a macro's, else the call itself. NULL on error. */
struct cel_node *cel_expand_macro(struct cel_source *source, struct cel_node *call) MUST_CHECK;

static inline bool cel_text_is(struct cel_text text, const char *word)
{
    return strlen(word) == text.length && memcmp(text.bytes, word, text.length) == 0;
}

static inline bool cel_text_equal(struct cel_text left, struct cel_text right)
{
    return left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
}

#endif
