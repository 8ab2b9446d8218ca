#include "policy/policy_internal.h"

#include <string.h>

/*
 * Where a byte of a scalar's text stands in the YAML file. libyaml tells where the text begins;
 * from there both are walked together: a block's indentation, the line breaks a folded or plain
 * text lost, and the escapes of a quoted one are in the file and not in the text.
 */

struct walk {
    const char *at, *end; /* in the file */
    int line, column;     /* of `at` */
    const struct yaml_node *node;
    size_t taken; /* bytes of the text passed so far */
};

static bool is_character_start(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static void step(struct walk *walk)
{
    if (*walk->at == '\n') {
        walk->line++;
        walk->column = 1;
    } else if (walk->at + 1 < walk->end && is_character_start(walk->at[1])) {
        walk->column++;
    }
    walk->at++;
}

static bool find_start(struct walk *walk)
{
    for (int line = 1; line < walk->node->text_line; line++) {
        const char *newline = memchr(walk->at, '\n', (size_t)(walk->end - walk->at));
        if (newline == NULL) {
            return false;
        }
        walk->at = newline + 1;
    }
    walk->line = walk->node->text_line;
    walk->column = 1;
    while (walk->at < walk->end && walk->column < walk->node->text_column) {
        step(walk);
    }
    return walk->at < walk->end;
}

/* A line break of the file, with the indentation of the next line. A folded or plain text has one
 * space for it, or one break for each further empty line. */
static void pass_break(struct walk *walk)
{
    int breaks = 0;
    int indent = walk->node->is_block ? walk->node->text_column : 0;
    while (walk->at < walk->end && (*walk->at == '\n' || *walk->at == '\r')) {
        breaks += *walk->at == '\n';
        step(walk);
        while (walk->at < walk->end && *walk->at == ' ' && (indent == 0 || walk->column < indent)) {
            step(walk);
        }
    }
    bool is_kept = walk->node->is_block && !walk->node->is_folded;
    walk->taken += (size_t)(is_kept || breaks == 1 ? breaks : breaks - 1);
}

/* How many bytes of the file one escaped character takes; 1 where there is no escape. */
static size_t escape_length(const struct walk *walk)
{
    size_t left = (size_t)(walk->end - walk->at);
    const struct yaml_node *node = walk->node;
    if (node->is_double_quoted && *walk->at == '\\' && left > 1) {
        char kind = walk->at[1];
        size_t length = kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
        return length > left ? left : length;
    }
    bool is_single_quoted = !node->is_plain && !node->is_block && !node->is_double_quoted;
    return is_single_quoted && left > 1 && strncmp(walk->at, "''", 2) == 0 ? 2 : 1;
}

static void pass_character(struct walk *walk)
{
    size_t length = escape_length(walk);
    walk->taken++;
    /* An escape may stand for several bytes. */
    while (length > 1 && walk->taken < walk->node->length &&
           !is_character_start(walk->node->text[walk->taken])) {
        walk->taken++;
    }
    for (size_t i = 0; i < length; i++) {
        step(walk);
    }
}

static bool is_trailing_space(const struct walk *walk)
{
    const char *at = walk->at;
    while (at < walk->end && (*at == ' ' || *at == '\t' || *at == '\r')) {
        at++;
    }
    return !walk->node->is_block && at > walk->at && at < walk->end && *at == '\n';
}

void place_find(const char *bytes, size_t length, const struct yaml_node *node, size_t offset,
                int *out_line, int *out_column)
{
    struct walk walk = {.at = bytes, .end = bytes + length, .node = node};
    *out_line = node->text_line;
    *out_column = node->text_column;
    if (!find_start(&walk)) {
        return;
    }
    offset = offset > node->length ? node->length : offset;
    while (walk.at < walk.end && walk.taken < offset) {
        if (is_trailing_space(&walk)) {
            step(&walk);
        } else if (*walk.at == '\n' || *walk.at == '\r') {
            pass_break(&walk);
        } else {
            pass_character(&walk);
        }
    }
    *out_line = walk.line;
    *out_column = walk.column;
}

static const char *find_line(const struct policy_file *file, int line)
{
    const char *at = file->bytes;
    const char *end = file->bytes + file->length;
    for (int i = 1; i < line && at != NULL; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline == NULL ? NULL : newline + 1;
    }
    return at;
}

enum { SHOWN_COLUMNS_MAX = 160 };

static void append_line(struct builder *out, const struct policy_file *file, int line, int column)
{
    const char *start = find_line(file, line);
    if (start == NULL || column > SHOWN_COLUMNS_MAX) {
        return;
    }
    size_t left = (size_t)(file->bytes + file->length - start);
    const char *newline = memchr(start, '\n', left);
    size_t length = newline == NULL ? left : (size_t)(newline - start);
    size_t shown = 0;
    builder_text(out, "    ");
    for (int characters = 0; shown < length; shown++) {
        characters += is_character_start(start[shown]);
        if (characters > SHOWN_COLUMNS_MAX) {
            break;
        }
        unsigned char byte = (unsigned char)start[shown];
        builder_char(out, byte < 0x20 || byte == 0x7f ? ' ' : start[shown]);
    }
    builder_printf(out, "\n    %*s^\n", column - 1, "");
}

void policy_append_error(struct builder *out, const struct policy_file *files, size_t count,
                         const struct error *error)
{
    if (error->line == 0) {
        builder_printf(out, "%s%s%s\n", error->subject, error->subject[0] == '\0' ? "" : ": ",
                       error->message);
        return;
    }
    builder_printf(out, "%s:%d:%d: %s\n", error->subject, error->line, error->column,
                   error->message);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].name, error->subject) == 0) {
            append_line(out, &files[i], error->line, error->column);
            return;
        }
    }
}
