#ifndef LEDGER_SCAN_INTERNAL_H
#define LEDGER_SCAN_INTERNAL_H

/*
 * Canonical JSON read in place. scan_value checks in one pass that text is in the canonical form of
 * entries (RFC 8785, integers only, names printable ASCII in ascending order, nesting bounded);
 * what it accepted can then be walked without further checks. There is one way to write each value,
 * so texts are compared as they are written, escapes and all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a document. A text's span is what stands between its quotes. */
struct span {
    const char *bytes; /* NULL: absent */
    size_t length;
};

#define SPAN(literal) ((struct span){.bytes = (literal), .length = sizeof(literal) - 1})

/* The end of the canonical value that starts at `at`; NULL when there is none. */
const char *scan_value(const char *at, const char *end, unsigned depth_max);
/* Whether the whole span is one canonical object. */
bool scan_is_object(struct span text, unsigned depth_max);

/* Walks an object or array that scan_value accepted: set to its first byte, then call next. */
struct scan_walk {
    const char *at;
};
struct scan_walk scan_enter(struct span container);
bool scan_next_member(struct scan_walk *walk, struct span *out_name, struct span *out_value);
bool scan_next_element(struct scan_walk *walk, struct span *out_value);

/* A member's value; absent when there is none or `object` is no object. */
struct span scan_member(struct span object, const char *name);
/* Of a member that is a text: what stands between the quotes; absent otherwise. */
struct span scan_text(struct span value);
struct span scan_text_member(struct span object, const char *name);
bool scan_integer(struct span value, int64_t *out_integer);
bool scan_integer_member(struct span object, const char *name, int64_t least, int64_t *out_integer);
bool scan_bool_member(struct span object, const char *name, bool *out_value);
bool scan_is_array(struct span value);

bool span_equals(struct span left, struct span right);
bool span_is(struct span span, const char *text);

/* `2026-11-24T06:24:23.123Z`, a date there is. */
bool scan_is_time(struct span text);
/* 64 lower-case hex digits. */
bool scan_is_hash(struct span text);

#endif
