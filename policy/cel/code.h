#ifndef CEL_CODE_H
#define CEL_CODE_H

/* What a checked tree is compiled to, and the state of one evaluation. */

#include "policy/cel/types.h"

enum cel_code_kind {
    CEL_CODE_CONSTANT,
    CEL_CODE_VARIABLE, /* index: place in the program's list of variables */
    CEL_CODE_LOCAL,
    CEL_CODE_SELECT, /* value: the key */
    CEL_CODE_HAS,
    CEL_CODE_INDEX,
    CEL_CODE_CALL,
    CEL_CODE_OR_ELSE, /* `or`, `orValue` */
    CEL_CODE_OPERATOR,
    CEL_CODE_EQUAL,   /* `==` and `!=` */
    CEL_CODE_COMPARE, /* `<` `<=` `>` `>=` */
    CEL_CODE_IN,
    CEL_CODE_NOT,
    CEL_CODE_AND,
    CEL_CODE_OR,
    CEL_CODE_TERNARY,
    CEL_CODE_LIST,
    CEL_CODE_MAP,
    CEL_CODE_LOOP,
    CEL_CODE_BIND, /* args: values, then the body; locals from index on */
    CEL_CODE_OPT_MAP,
    CEL_CODE_FAIL, /* a name or function no one knows, where types are not checked */
};

/* What a call calls. */
struct cel_callee {
    const struct cel_function_entry *candidates[CEL_CANDIDATES_MAX];
    size_t count;
    void *prepared;
    struct cel_callee *next; /* of those to release */
};

struct cel_code {
    uint8_t kind;
    uint8_t what; /* enum cel_operator or cel_loop */
    bool is_optional;
    bool has_formula; /* one overload: its cost formula holds */
    bool has_two;     /* a loop with two variables */
    uint16_t count;
    uint32_t cost; /* charged when it is reached */
    uint32_t offset;
    uint32_t index;
    const struct cel_code *target;
    const struct cel_code *filter;
    const struct cel_code **args;
    struct cel_value value; /* constant, key, or (FAIL) the unknown name */
    const bool *are_optional;
    struct cel_callee *callee;
};

struct cel_program {
    const struct cel_env *env;
    struct arena *arena;
    const struct cel_code *root;
    const char *type;
    uint32_t *slots; /* the variables it reads, by index */
    size_t slot_count;
    size_t slot_capacity;
    size_t local_count;
    size_t fold_memory_left; /* what folding may still keep */
    struct cel_callee *callees;
};

enum { CEL_WORK_MAX = 2 * 1000 * 1000 };

struct cel_run {
    const struct cel_program *program;
    struct arena *arena;
    void *context;
    cel_find find;
    int64_t cost;
    int64_t cost_max;
    size_t memory;
    size_t memory_max;
    size_t work_left; /* comparisons of elements, which cel-go's costs do not count */
    bool is_stopped;
    bool is_no_overload; /* the last call took none of these kinds */
    struct cel_problem stop;
    const struct cel_code *at;
    struct cel_value *variables; /* kind CEL_ERROR without a problem: not asked for yet */
    struct cel_value *locals;
    const struct cel_code **lazy; /* by local: what to evaluate when it is first read */
};

/* compile.c */
const struct cel_code *cel_generate(struct cel_program *program, struct cel_source *source,
                                    const struct cel_node *root, bool is_checked) MUST_CHECK;
/* fold.c: the constant a code gives whose arguments are constant, else itself. */
const struct cel_code *cel_fold(struct cel_program *program, struct cel_code *code);

/* evaluate.c */
struct cel_value cel_eval(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_loop(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_select(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_has(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_index(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_list(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_eval_map(struct cel_run *run, const struct cel_code *code);
struct cel_value cel_operate(struct cel_run *run, const struct cel_code *code,
                             struct cel_value left, struct cel_value right);
struct cel_value cel_eval_compare(struct cel_run *run, const struct cel_code *code,
                                  struct cel_value left, struct cel_value right);
struct cel_value cel_eval_in(struct cel_run *run, const struct cel_code *code,
                             struct cel_value left, struct cel_value right);

/* Stops the run for good; its first reason stands. */
struct cel_value cel_stop(struct cel_run *run, const char *reason);
static inline struct cel_value cel_stopped(const struct cel_run *run)
{
    return (struct cel_value){.kind = CEL_ERROR, .as.problem = &run->stop};
}
/* Equality that counts its work. */
bool cel_equal_counted(struct cel_value left, struct cel_value right, size_t *work_left);
/* Makes a map in the run's memory; a doubled or wrong key is an error. */
struct cel_value cel_build_map(struct cel_run *run, struct cel_entry *entries, size_t count);
/* cost.c: what an operator costs, cel-go's formulas. */
int64_t cel_operator_cost(const struct cel_code *code, struct cel_value left,
                          struct cel_value right);
int64_t cel_equal_cost(struct cel_value left, struct cel_value right);

static inline bool cel_charge_inline(struct cel_run *run, int64_t units)
{
    run->cost += units;
    if (__builtin_expect(run->cost > run->cost_max, 0)) {
        cel_stop(run, "it costs more than its limit allows");
        return false;
    }
    return true;
}

static inline bool cel_is_error(struct cel_value value)
{
    return value.kind == CEL_ERROR;
}

#endif
