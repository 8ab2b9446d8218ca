#ifndef CEL_LIBRARY_INTERNAL_H
#define CEL_LIBRARY_INTERNAL_H

/* What the libraries of functions share: cel-go's measures of cost. */

#include "policy/cel/cel_internal.h"

/* Costs are in units of ten bytes, characters or items, rounded up. */
static inline int64_t cel_cost_tenth(int64_t size)
{
    return size / 10 + (size % 10 != 0);
}

/* cel-go's size of a value: characters, bytes, items; one for the rest. */
int64_t cel_cost_size(struct cel_value value);
/* The cost of reading the first argument once: a tenth of its size. */
int64_t cel_cost_scan(const struct cel_value *args, size_t count, struct cel_value result);
/* The same and one for the call. */
int64_t cel_cost_call_and_scan(const struct cel_value *args, size_t count, struct cel_value result);

/* A product that stays the greatest number where it would overflow. */
static inline int64_t cel_cost_product(int64_t left, int64_t right)
{
    int64_t product;
    return __builtin_mul_overflow(left, right, &product) ? INT64_MAX : product;
}

/* Memory for `bytes`, which may be none. NULL once stopped. */
static inline void *cel_alloc_some(struct cel_run *run, size_t bytes)
{
    return cel_alloc(run, bytes > 0 ? bytes : 1);
}

/* How many bytes of a text a message quotes: at most 64, whole characters. For "%.*s". */
int cel_shown_bytes(struct cel_value text);

static inline bool cel_is_string(struct cel_value value)
{
    return value.kind == CEL_STRING;
}

#endif
