#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void memory_exhausted(size_t bytes)
{
    fprintf(
        stderr,
        "countersign: out of memory (%zu bytes asked); giving up, nothing acknowledged is lost\n",
        bytes);
    abort();
}

void *memory_zeroed(size_t count, size_t bytes_each)
{
    void *memory = calloc(count == 0 ? 1 : count, bytes_each == 0 ? 1 : bytes_each);
    if (memory == NULL) {
        memory_exhausted(bytes_each);
    }
    return memory;
}

void *memory_resized(void *memory, size_t bytes)
{
    void *resized = realloc(memory, bytes == 0 ? 1 : bytes);
    if (resized == NULL) {
        memory_exhausted(bytes);
    }
    return resized;
}

char *memory_text(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t bytes = strlen(text) + 1;
    return memcpy(memory_resized(NULL, bytes), text, bytes);
}

void memory_free_pointer(void *pointer_to_pointer)
{
    void *memory;
    memcpy(&memory, pointer_to_pointer, sizeof memory);
    free(memory);
}
