#ifndef FORMATS_FORM_H
#define FORMATS_FORM_H

/*
 * A form as OAuth sends it: application/x-www-form-urlencoded in UTF-8 (RFC 6749 appendix B).
 * Strict: broken escapes, NUL, control characters, text that is no UTF-8, and a name that comes
 * twice (RFC 6749 section 3.2) are refused, so that two readers never see two forms. Names that
 * nobody knows are there to be ignored.
 */

#include "base/arena.h"
#include "base/error.h"

enum { FORM_FIELDS_MAX = 32, FORM_BYTES_MAX = 64 * 1024 };

struct form {
    struct {
        const char *name, *value;
    } fields[FORM_FIELDS_MAX];
    size_t count;
};

/* Texts live in the arena. INVALID `invalid_form`; the message does not quote values. */
bool form_read(const char *bytes, size_t length, struct arena *arena, struct form *out,
               struct error *error) MUST_CHECK;
const char *form_value(const struct form *form, const char *name); /* NULL when absent */

/* One `+` and percent encoded text; NULL when it is not one. */
const char *form_decode(const char *bytes, size_t length, struct arena *arena);

/* Percent-encodes all but RFC 3986's unreserved characters: good as a value of a form, and as one
 * segment of a path. */
const char *form_encode(const char *text, struct arena *arena);

#endif
