#ifndef BASE_BUILDER_H
#define BASE_BUILDER_H

/* The one growing string. A builder given a limit stays failed once an append would pass it
 * (builder_failed), so callers check once at the end. Text is always NUL-terminated. */

#include "base/error.h"
#include <stddef.h>

struct builder {
    char *bytes; /* never NULL after builder_init; NUL-terminated; owned by the builder */
    size_t length;
    size_t capacity;
    size_t bytes_max; /* 0: no limit */
    bool has_failed;
};

void builder_init(struct builder *builder, size_t bytes_max);
/* Without a limit, and with room from the start for about as many bytes as will come. */
void builder_init_sized(struct builder *builder, size_t bytes_expected);
void builder_finish(struct builder *builder); /* accepts zeroed */

void builder_append(struct builder *builder, const char *bytes, size_t length);
void builder_text(struct builder *builder, const char *text);
void builder_char(struct builder *builder, char character);
/* Room for `length` bytes, which the caller must write at once: they count already. NULL when the
 * limit forbids it. The place is gone at the next append. */
char *builder_extend(struct builder *builder, size_t length);
void builder_printf(struct builder *builder, const char *format, ...) PRINTF_LIKE(2, 3);
void builder_clear(struct builder *builder); /* empty again, keeps memory, forgets failure */
bool builder_failed(const struct builder *builder);
/* The heap text; the builder is empty afterwards and still needs builder_finish. Free with free().
 */
char *builder_take(struct builder *builder);

/* For `struct builder text BUILDER_SCOPE; builder_init(&text, 0);` - must be initialised at once.
 */
#define BUILDER_SCOPE __attribute__((cleanup(builder_finish)))

#endif
