#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/* Memory with one end: everything an operation allocates is freed when its arena is destroyed.
 * Out of memory aborts with a message; the store survives a crash by design. Not thread-safe. */

#include "base/error.h"
#include <stddef.h>

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena); /* accepts NULL */

/* Zeroed memory, aligned for any type, borrowed until arena_destroy. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* Zeroed array; aborts on overflow of count * bytes_each. */
void *arena_array(struct arena *arena, size_t count, size_t bytes_each);
char *arena_copy(struct arena *arena, const char *bytes, size_t length); /* adds a NUL */
char *arena_text(struct arena *arena, const char *text);                 /* NULL stays NULL */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* For `struct arena *scratch ARENA_SCOPE = arena_create();` */
void arena_destroy_pointer(struct arena **arena);
#define ARENA_SCOPE __attribute__((cleanup(arena_destroy_pointer)))

#endif
