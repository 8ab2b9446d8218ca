#ifndef CEL_REGEX_H
#define CEL_REGEX_H

/* The one door to RE2 (C++): matching in time linear in the text, whatever the pattern. No
 * exception passes it and nothing is logged. Patterns and texts are UTF-8 and may hold NULs. */

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cel_regex; /* immutable; any number of threads may match with it at once */

enum {
    CEL_REGEX_MEMORY_BYTES = 1024 * 1024, /* of a pattern's program and its automaton */
    /* For a pattern that is not literal and is compiled anew by every call. */
    CEL_REGEX_DYNAMIC_MEMORY_BYTES = 128 * 1024,
    CEL_REGEX_DYNAMIC_PATTERN_BYTES = 256,
    CEL_REGEX_DYNAMIC_PROGRAM_SIZE = 2000,
    CEL_REGEX_PROBLEM_BYTES = 160,
};

/* RE2's syntax. NULL with one line in `problem` when the pattern is wrong or needs more than
 * `memory_bytes`. Destroy with cel_regex_destroy. */
struct cel_regex *cel_regex_create(const char *pattern, size_t length, size_t memory_bytes,
                                   char problem[CEL_REGEX_PROBLEM_BYTES]);
void cel_regex_destroy(struct cel_regex *regex); /* accepts NULL */
/* Whether any part of the text matches. */
bool cel_regex_matches(const struct cel_regex *regex, const char *text, size_t length);
/* Instructions of its program: what compiling it cost. */
int cel_regex_program_size(const struct cel_regex *regex);

#ifdef __cplusplus
}
#endif

#endif
