#include "policy/cel/code.h"

#include "policy/cel/library_internal.h"

/* What operators cost: cel-go's formulas, so that a rule's cost means the same here and there. */

/* The smaller of two sizes. Characters are counted only where bytes do not settle it, so that
 * comparing a long text with a short one does not read the long one. */
static int64_t smaller_size(struct cel_value left, struct cel_value right)
{
    if (left.kind == CEL_STRING && right.kind == CEL_STRING) {
        struct cel_value shorter = left.length <= right.length ? left : right;
        struct cel_value longer = left.length <= right.length ? right : left;
        int64_t size = shorter.length <= 10
                           ? (shorter.length > 0)
                           : (int64_t)cel_utf8_count(shorter.as.bytes, shorter.length);
        if (shorter.length <= 10 || longer.length / 4 >= (uint64_t)size) {
            return size;
        }
        int64_t other = cel_cost_size(longer);
        return size < other ? size : other;
    }
    int64_t left_size = cel_cost_size(left);
    int64_t right_size = cel_cost_size(right);
    return left_size < right_size ? left_size : right_size;
}

static struct cel_value inside(struct cel_value value)
{
    for (int i = 0; i < 64 && value.kind == CEL_OPTIONAL && value.as.items != NULL; i++) {
        value = *value.as.items;
    }
    return value;
}

int64_t cel_equal_cost(struct cel_value left, struct cel_value right)
{
    return cel_cost_tenth(smaller_size(inside(left), inside(right)));
}

int64_t cel_operator_cost(const struct cel_code *code, struct cel_value left,
                          struct cel_value right)
{
    if (!code->has_formula) {
        return 1;
    }
    bool is_text = left.kind == CEL_STRING || left.kind == CEL_BYTES;
    switch (code->kind) {
    case CEL_CODE_IN:
        return right.kind == CEL_LIST ? (int64_t)right.length : 1;
    case CEL_CODE_COMPARE:
        return is_text ? cel_cost_tenth(smaller_size(left, right)) : 1;
    case CEL_CODE_OPERATOR:
        return is_text && code->what == CEL_OP_ADD
                   ? cel_cost_tenth(cel_cost_size(left) + cel_cost_size(right))
                   : 1;
    default:
        return 1;
    }
}
