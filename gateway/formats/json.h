#ifndef FORMATS_JSON_H
#define FORMATS_JSON_H

/*
 * JSON as it may enter: strict I-JSON (RFC 7493). Refused with a pointer (RFC 6901) to the place:
 * invalid UTF-8, duplicate names, lone surrogates, noncharacters, a byte order mark, NaN, more than
 * JSON_DEPTH_MAX levels, JSON_BYTES_MAX bytes, text after the value, and any number whose RFC 8785
 * text is not exactly the decimal that was sent (9007199254740993, 1000.00000000000000001), found
 * by scanning lexemes before parsing, so that what is hashed, shown and run is one thing. `1.0`,
 * `1e2` and `-0` name the same decimals as their canonical text `1`, `100` and `0` and are
 * accepted.
 *
 * `struct json` is one value inside a document: borrowed, read-only, valid until the document is
 * destroyed. Every reader accepts NULL (an absent member) so that lookups chain. Only this room
 * includes jansson.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 64 * 1024 * 1024 };

struct json;
struct json_document;

enum json_type {
    JSON_TYPE_ABSENT = 0,
    JSON_TYPE_NULL,
    JSON_TYPE_FALSE,
    JSON_TYPE_TRUE,
    JSON_TYPE_NUMBER,
    JSON_TYPE_STRING,
    JSON_TYPE_ARRAY,
    JSON_TYPE_OBJECT,
};

/* Parses one value. NULL with INVALID: code `invalid_json`, `duplicate_name`, `inexact_number`,
 * `too_deep`, `too_long`; subject is the JSON pointer; line and column (in characters) are set.
 * Destroy with json_destroy. */
struct json_document *json_parse(const char *bytes, size_t length, struct error *error) MUST_CHECK;
void json_destroy(struct json_document *document); /* accepts NULL */
/* For `struct json_document *document JSON_SCOPE = json_parse(...);` */
void json_destroy_pointer(struct json_document **document);
#define JSON_SCOPE __attribute__((cleanup(json_destroy_pointer)))
const struct json *json_root(const struct json_document *document);

enum json_type json_type_of(const struct json *value);
const struct json *json_member(const struct json *object, const char *name);
size_t json_count(const struct json *container); /* members or elements, else 0 */
const struct json *json_element(const struct json *array, size_t index);
/* Text of a string (may hold NULs: see length), else NULL. */
const char *json_text(const struct json *string);
size_t json_text_length(const struct json *string);
double json_number(const struct json *number); /* 0 when not a number */
/* True when the value is an integral number within +-(2^53-1). */
bool json_read_integer(const struct json *number, int64_t *out_integer) MUST_CHECK;

/* Calls `visit` for each member in document order; stops when it returns false and returns that. */
typedef bool (*json_visitor)(void *context, const char *name, const struct json *value);
bool json_each_member(const struct json *object, json_visitor visit, void *context);

/* Fails with INVALID `unknown_member` and a pointer when `object` has a member not in the
 * NULL-terminated list. `pointer` is the pointer of the object itself ("" for the root). A typo
 * must not change what is asked. */
bool json_only_members(const struct json *object, const char *pointer, const char *const *names,
                       struct error *error) MUST_CHECK;

/* Appends `name` escaped for a JSON pointer, with its leading '/'. */
void json_pointer_append(struct builder *pointer, const char *name);

/* The short names everyone uses. jansson has both too: as external symbols ours would stand in for
 * jansson's own inside jansson, and the files of this room that include it go without them. */
#ifndef JANSSON_H
static inline enum json_type json_type(const struct json *value)
{
    return json_type_of(value);
}

MUST_CHECK static inline bool json_integer(const struct json *number, int64_t *out_integer)
{
    return json_read_integer(number, out_integer);
}
#endif

#endif
