/* Where in a JSON text something is wrong: the walk behind formats_fail_json. */

#include <jansson.h>

#include "base/memory.h"
#include "formats/formats_internal.h"
#include "formats/json.h"
#include <stdlib.h>
#include <string.h>

struct level {
    bool is_object;
    bool has_name;
    size_t name_start; /* the name with its quotes */
    size_t name_length;
    size_t index;
};

struct walk {
    const char *bytes;
    size_t offset;
    size_t string_start; /* of the last string that was read whole */
    int depth;
    struct level levels[JSON_DEPTH_MAX + 1];
};

/* Behind the closing quote, or `offset` when the string is cut there. */
static size_t string_end(const struct walk *walk, size_t at)
{
    for (at++; at < walk->offset; at++) {
        if (walk->bytes[at] == '\\') {
            at++;
        } else if (walk->bytes[at] == '"') {
            return at + 1;
        }
    }
    return walk->offset + 1;
}

static size_t walk_string(struct walk *walk, size_t at)
{
    size_t end = string_end(walk, at);
    if (end > walk->offset) {
        return end;
    }
    walk->string_start = at;
    struct level *level = &walk->levels[walk->depth];
    if (level->is_object && !level->has_name) {
        level->has_name = true;
        level->name_start = at;
        level->name_length = end - at;
    }
    return end;
}

static void walk_text(struct walk *walk)
{
    for (size_t at = 0; at < walk->offset;) {
        char character = walk->bytes[at];
        if (character == '"') {
            at = walk_string(walk, at);
            continue;
        }
        if ((character == '{' || character == '[') && walk->depth < JSON_DEPTH_MAX) {
            walk->levels[++walk->depth] = (struct level){.is_object = character == '{'};
        } else if ((character == '}' || character == ']') && walk->depth > 0) {
            walk->depth--;
        } else if (character == ',') {
            walk->levels[walk->depth].index++;
            walk->levels[walk->depth].has_name = false;
        }
        at++;
    }
}

static void append_name(struct builder *pointer, const char *quoted, size_t length)
{
    json_t *name = json_loadb(quoted, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_pointer_append(pointer, name == NULL ? "" : json_string_value(name));
    json_decref(name);
}

static void append_pointer(struct builder *pointer, const struct walk *walk)
{
    for (int i = 1; i <= walk->depth; i++) {
        const struct level *level = &walk->levels[i];
        if (!level->is_object) {
            builder_printf(pointer, "/%zu", level->index);
        } else if (level->has_name) {
            append_name(pointer, walk->bytes + level->name_start, level->name_length);
        }
    }
}

/* Lines and columns from 1; a column is a character, not a byte. */
static void count_place(const char *bytes, size_t offset, int *out_line, int *out_column)
{
    *out_line = 1;
    *out_column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (bytes[i] == '\n') {
            ++*out_line;
            *out_column = 1;
        } else if (((unsigned char)bytes[i] & 0xC0) != 0x80) {
            ++*out_column;
        }
    }
}

/* The subject of an error is short: cut before a character, never inside one. */
static void cut_pointer(struct builder *pointer)
{
    size_t length = sizeof((struct error){0}).subject - 1;
    if (pointer->length <= length) {
        return;
    }
    while (((unsigned char)pointer->bytes[length] & 0xC0) == 0x80) {
        length--;
    }
    pointer->bytes[length] = '\0';
    pointer->length = length;
}

bool formats_fail_json(const char *bytes, size_t offset, bool is_after_name, const char *code,
                       const char *message, struct error *error)
{
    struct walk *walk = memory_zeroed(1, sizeof *walk);
    walk->bytes = bytes;
    walk->offset = offset;
    walk_text(walk);
    struct builder pointer BUILDER_SCOPE;
    builder_init(&pointer, 0);
    append_pointer(&pointer, walk);
    cut_pointer(&pointer);
    int line;
    int column;
    count_place(bytes, is_after_name ? walk->string_start : offset, &line, &column);
    free(walk);
    return error_set_at(error, ERROR_INVALID, code, pointer.bytes, line, column, "%s", message);
}
