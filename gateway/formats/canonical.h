#ifndef FORMATS_CANONICAL_H
#define FORMATS_CANONICAL_H

/*
 * Canonical JSON bytes (RFC 8785, JCS). canonical_append writes any parsed value; the writer
 * composes an object directly in canonical form without building a tree: names must be given in
 * ascending order (CHECKed), which costs nothing on the hot path and cannot be forgotten.
 */

#include "base/builder.h"
#include "formats/json.h"

/* Appends the canonical bytes of `value` (RFC 8785 section 3.2). */
void canonical_append(struct builder *out, const struct json *value);
/* The same, leaving out the members of the top object named in the NULL-terminated list (may be
 * NULL). */
void canonical_append_without(struct builder *out, const struct json *object,
                              const char *const *left_out);
/* A JSON string literal with exactly the escapes of RFC 8785 section 3.2.2.2. */
void canonical_append_string(struct builder *out, const char *bytes, size_t length);
/* A number as ECMAScript Number::toString writes it. `number` must be finite. */
void canonical_append_number(struct builder *out, double number);

/* Composes canonical text. Nesting is counted; each name within one object must sort after the
 * previous one. */
enum { CANONICAL_WRITER_DEPTH_MAX = 16 };
struct canonical_writer {
    struct builder *out; /* borrowed */
    int depth;
    bool needs_comma[CANONICAL_WRITER_DEPTH_MAX];
    char last_name[CANONICAL_WRITER_DEPTH_MAX][48];
};
void canonical_begin(struct canonical_writer *writer, struct builder *out);
void canonical_open_object(struct canonical_writer *writer);
void canonical_close_object(struct canonical_writer *writer);
void canonical_open_array(struct canonical_writer *writer);
void canonical_close_array(struct canonical_writer *writer);
void canonical_name(struct canonical_writer *writer, const char *name); /* ASCII, shorter than 48 */
void canonical_string(struct canonical_writer *writer, const char *text);
void canonical_integer(struct canonical_writer *writer, int64_t integer); /* within +-(2^53-1) */
void canonical_bool(struct canonical_writer *writer, bool value);
void canonical_null(struct canonical_writer *writer);
void canonical_raw(struct canonical_writer *writer, const char *canonical_bytes, size_t length);
/* name + value in one line; *_text leaves the member out when text is NULL. */
void canonical_member_text(struct canonical_writer *writer, const char *name, const char *text);
void canonical_member_integer(struct canonical_writer *writer, const char *name, int64_t integer);
void canonical_member_bool(struct canonical_writer *writer, const char *name, bool value);
void canonical_member_raw(struct canonical_writer *writer, const char *name,
                          const char *canonical_bytes, size_t length);

#endif
