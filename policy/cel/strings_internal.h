#ifndef CEL_STRINGS_INTERNAL_H
#define CEL_STRINGS_INTERNAL_H

/* Text without a run. Lengths and positions are bytes unless said otherwise. */

#include "base/builder.h"
#include "policy/cel/cel_internal.h"

/* Where the needle stands for the first time from a byte on, or SIZE_MAX. Linear in both. */
size_t cel_text_find(struct cel_text text, struct cel_text needle, size_t from);
/* Without Unicode's white space at both ends. */
struct cel_text cel_text_trim(struct cel_text text);
/* In double quotes, with CEL's escapes. */
void cel_text_quote(struct builder *out, struct cel_text text);
/* Its characters in the other order; `out` has as many bytes. */
void cel_text_reverse(char *out, struct cel_text text);

enum {
    CEL_FORMAT_PRECISION_MAX = 100,
    CEL_FORMAT_PROBLEM_BYTES = 160,
};

/* `"%s is %.2f".format(args)`: %s %d %f %e %b %o %x %X %%. Appends at most what the builder takes;
 * false with a sentence in `problem` when the format or a value is wrong. */
bool cel_text_format(struct builder *out, struct cel_text format, const struct cel_value *args,
                     size_t count, char problem[CEL_FORMAT_PROBLEM_BYTES]);
/* A double without an exponent and with no more digits than tell it from all others, "NaN",
 * "-Infinity". */
void cel_text_double(struct builder *out, double real);

#endif
