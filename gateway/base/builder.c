#include "base/builder.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one allocation of a thread's cache may have: most texts end within it. */
enum { FIRST_CAPACITY = 1024 };

void builder_init(struct builder *builder, size_t bytes_max)
{
    *builder = (struct builder){.bytes = memory_resized(NULL, FIRST_CAPACITY),
                                .capacity = FIRST_CAPACITY,
                                .bytes_max = bytes_max};
    builder->bytes[0] = '\0';
}

void builder_init_sized(struct builder *builder, size_t bytes_expected)
{
    size_t capacity = bytes_expected < FIRST_CAPACITY ? FIRST_CAPACITY : bytes_expected;
    *builder = (struct builder){.bytes = memory_resized(NULL, capacity), .capacity = capacity};
    builder->bytes[0] = '\0';
}

void builder_finish(struct builder *builder)
{
    free(builder->bytes);
    *builder = (struct builder){0};
}

/* Room for `more` bytes and the NUL; false when the limit forbids it. */
static bool make_room(struct builder *builder, size_t more)
{
    if (builder->has_failed || more > SIZE_MAX / 4 ||
        (builder->bytes_max != 0 && builder->length + more > builder->bytes_max)) {
        builder->has_failed = true;
        return false;
    }
    size_t needed = builder->length + more + 1;
    if (needed > builder->capacity) {
        size_t capacity = builder->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : builder->capacity;
        while (capacity < needed) {
            capacity *= 2;
        }
        builder->bytes = memory_resized(builder->bytes, capacity);
        builder->capacity = capacity;
    }
    return true;
}

/* What nearly every append finds: no limit, and room for `more` bytes and the NUL. */
static inline bool has_room(const struct builder *builder, size_t more)
{
    return !builder->has_failed && builder->bytes_max == 0 &&
           more < builder->capacity - builder->length;
}

char *builder_extend(struct builder *builder, size_t length)
{
    if (!has_room(builder, length) && !make_room(builder, length)) {
        return NULL;
    }
    char *place = builder->bytes + builder->length;
    builder->length += length;
    builder->bytes[builder->length] = '\0';
    return place;
}

void builder_append(struct builder *builder, const char *bytes, size_t length)
{
    if (length == 0 || (!has_room(builder, length) && !make_room(builder, length))) {
        return;
    }
    memcpy(builder->bytes + builder->length, bytes, length);
    builder->length += length;
    builder->bytes[builder->length] = '\0';
}

void builder_text(struct builder *builder, const char *text)
{
    builder_append(builder, text, strlen(text));
}

void builder_char(struct builder *builder, char character)
{
    if (!has_room(builder, 1) && !make_room(builder, 1)) {
        return;
    }
    builder->bytes[builder->length++] = character;
    builder->bytes[builder->length] = '\0';
}

void builder_printf(struct builder *builder, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && make_room(builder, (size_t)length)) {
        vsnprintf(builder->bytes + builder->length, (size_t)length + 1, format, again);
        builder->length += (size_t)length;
    }
    va_end(again);
}

void builder_clear(struct builder *builder)
{
    builder->length = 0;
    builder->has_failed = false;
    if (builder->bytes != NULL) {
        builder->bytes[0] = '\0';
    }
}

bool builder_failed(const struct builder *builder)
{
    return builder->has_failed;
}

char *builder_take(struct builder *builder)
{
    char *bytes = builder->bytes;
    size_t bytes_max = builder->bytes_max;
    *builder = (struct builder){.bytes_max = bytes_max};
    return bytes == NULL ? memory_zeroed(1, 1) : bytes;
}
