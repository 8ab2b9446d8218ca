#ifndef FORMATS_INTERNAL_H
#define FORMATS_INTERNAL_H

/* Shared by the files of this room only. */

#include "base/builder.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length (1-4) of the well-formed UTF-8 sequence at `at` (RFC 3629 section 4: shortest form, no
 * surrogates, at most U+10FFFF); 0 when there is none. `left` must be at least 1. */
static inline size_t formats_read_utf8(const unsigned char *at, size_t left, uint32_t *out_point)
{
    unsigned char first = at[0];
    if (first < 0x80) {
        *out_point = first;
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < length) {
        return 0;
    }
    uint32_t point = first & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3FU);
    }
    bool is_overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (is_overlong || (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF) {
        return 0;
    }
    *out_point = point;
    return length;
}

static inline bool formats_is_noncharacter(uint32_t point)
{
    return (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
}

/* Code points `first` to `last`; tables of them ascend. */
struct text_range {
    uint32_t first, last;
};
bool formats_is_in(uint32_t point, const struct text_range *ranges, size_t count);
/* Whether it sits on what stands before it: general category M. */
bool formats_is_mark(uint32_t point);

/* A decimal without leading or trailing zeros: 0.d1d2d3... times ten to `exponent`, which is the
 * `n` of ECMAScript Number::toString. Zero has no digits. */
enum { DECIMAL_DIGITS_MAX = 17 };
struct decimal {
    char digits[DECIMAL_DIGITS_MAX + 1];
    int count;
    int64_t exponent;
    bool is_negative;
};

/* The fewest digits that read back as `number`, nearest to it among those (ECMA-262,
 * Number::toString step 5). `number` must be finite. */
void formats_shortest_decimal(double number, struct decimal *out);
/* Whether the JSON number `lexeme` (grammar already checked) names exactly the decimal that the
 * double nearest to it is written as. */
bool formats_is_exact_number(const char *lexeme, size_t length);

/* Checks one JSON text in a single pass: grammar, UTF-8, surrogates, noncharacters, depth, exact
 * numbers; everything but duplicate names. On failure sets the error with pointer and place. */
bool formats_scan_json(const char *bytes, size_t length, bool *out_has_wide_integer,
                       struct error *error) MUST_CHECK;
/* INVALID at `offset` of `bytes`: works out pointer, line and column, which the scan does not keep.
 * All before `offset` must be well-formed. With `is_after_name` the place is the name that ends
 * there. */
bool formats_fail_json(const char *bytes, size_t offset, bool is_after_name, const char *code,
                       const char *message, struct error *error);

/* The known words as `a`, `b` and `c`. */
void formats_list_words(struct builder *out, const char *const *known);

#endif
