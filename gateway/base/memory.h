#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/* malloc that aborts with a message instead of returning NULL. Free with free(). */

#include <stddef.h>

void *memory_zeroed(size_t count, size_t bytes_each);
void *memory_resized(void *memory, size_t bytes);
char *memory_text(const char *text); /* heap copy; NULL stays NULL */
_Noreturn void memory_exhausted(size_t bytes);

/* For `char *text MEMORY_SCOPE = ...;` */
void memory_free_pointer(void *pointer_to_pointer);
#define MEMORY_SCOPE __attribute__((cleanup(memory_free_pointer)))

#endif
