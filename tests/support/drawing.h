#ifndef TESTS_SUPPORT_DRAWING_H
#define TESTS_SUPPORT_DRAWING_H

/* Draws a table of transitions as text and compares it with the page that shows it. */

#include "base/builder.h"
#include <stdbool.h>

struct drawing_arrow {
    const char *state;
    const char *event;
    const char *next;
    const char *note; /* "" when there is nothing to say */
};

/* Appends one block a state, in the order states first appear, one arrow a line. */
void drawing_append(struct builder *out, const struct drawing_arrow *arrows, size_t count);
/* Prints what differs, line by line, and returns false when the file at `path` (from the top folder
 * of the checkout) is not exactly `text`. */
bool drawing_is_current(const char *path, const char *text);

#endif
