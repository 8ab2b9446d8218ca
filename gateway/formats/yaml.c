#include "formats/yaml.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/formats_internal.h"
#include "formats/text.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { KEYS_COMPARED_IN_PAIRS = 24, SHOWN_BYTES_MAX = 40 };

/* An open sequence or mapping whose children are still coming. */
struct level {
    struct yaml_node *node;
    struct yaml_node *key; /* mapping: read, its value comes next */
    size_t capacity;
};

struct loader {
    const char *name;
    const char *bytes;
    size_t length;
    struct arena *arena;
    struct error *error;
    yaml_parser_t parser;
    struct yaml_node *root;
    int depth;
    struct level levels[YAML_DEPTH_MAX];
    /* libyaml counts characters; the byte at which character `index` begins. */
    size_t cursor_index;
    size_t cursor_byte;
};

static bool fail_at(const struct loader *loader, const yaml_mark_t *mark, const char *code,
                    const char *message)
{
    return error_set_at(loader->error, ERROR_INVALID, code, loader->name, (int)mark->line + 1,
                        (int)mark->column + 1, "%s", message);
}

/* What libyaml found, as a cause and a remedy. The first entry found in the problem or its context
 * counts. */
static const struct advice {
    const char *found;
    const char *message;
} advices[] = {
    {"found unknown escape character", "in double quotes a backslash begins an escape: write a "
                                       "regular expression in single quotes or "
                                       "as a block scalar (`|` and the text on the next line)"},
    {"while scanning an alias",
     "text that begins with `*` must be quoted, or written as a block scalar"},
    {"while scanning an anchor",
     "text that begins with `&` must be quoted, or written as a block scalar"},
    {"while scanning a block scalar",
     "`|` and `>` begin a block scalar whose text stands on the next lines: quote text that begins "
     "with them"},
    {"mapping values are not allowed",
     "`: ` begins a value, which may not stand here: quote text that contains it, or write it as a "
     "block scalar (`|` and the text on the next line)"},
    {"found a tab", "indent with spaces, not with tabs"},
    {"cannot start any token",
     "text cannot begin with this character: quote it, and indent with spaces, not with tabs"},
    {"while scanning a quoted scalar", "a quoted text is not closed: end it with the same quote"},
    {"while scanning a tag", "`!` begins a YAML tag, which is refused: write text that begins with "
                             "`!` as a block scalar (`|` and the text on the next line)"},
    {"while parsing a flow",
     "`[` and `{` begin a list or a mapping, which must be closed and end the value: write text "
     "that begins with them as a block scalar (`|` and the text on the next line)"},
    {"while scanning a simple key", "a line of a mapping must be `key: value`"},
    {"while parsing a block", "the indentation is wrong, or text goes on behind a quote or "
                              "bracket: align the keys, and write "
                              "text that begins with `\"`, `[` or `{` as a block scalar (`|` and "
                              "the text on the next line)"},
    {"control characters", "control characters are not allowed: leave them out, or write them as "
                           "escapes in double quotes"},
    {"did not find expected <document start>",
     "only one document with one value may stand in the file"},
};

static bool mentions(const char *text, const char *found)
{
    return text != NULL && strstr(text, found) != NULL;
}

static yaml_mark_t mark_of_byte(const struct loader *loader, size_t byte)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < byte && i < loader->length; i++) {
        if (loader->bytes[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else {
            mark.column += ((unsigned char)loader->bytes[i] & 0xC0) != 0x80;
        }
    }
    return mark;
}

/* What was opened and not ended is best mended where it was opened. */
static yaml_mark_t place_of_problem(const struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_READER_ERROR) {
        return mark_of_byte(loader, parser->problem_offset);
    }
    bool is_unended = mentions(parser->problem, "unexpected end of stream") ||
                      mentions(parser->context, "while parsing a flow");
    return is_unended ? parser->context_mark : parser->problem_mark;
}

static bool fail_parser(const struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        memory_exhausted(loader->length);
    }
    yaml_mark_t mark = place_of_problem(loader);
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (mentions(parser->problem, advices[i].found) ||
            mentions(parser->context, advices[i].found)) {
            return fail_at(loader, &mark, "invalid_yaml", advices[i].message);
        }
    }
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    builder_printf(&message, "not valid YAML: %s", parser->problem);
    return fail_at(loader, &mark, "invalid_yaml", message.bytes);
}

static void append_shown(struct builder *out, const char *text)
{
    builder_char(out, '`');
    text_append_visible(out, text, text_cut(text, SHOWN_BYTES_MAX));
    builder_char(out, '`');
}

static bool refuse_tag(const struct loader *loader, const yaml_event_t *event, const char *tag)
{
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    append_shown(&message, tag);
    builder_text(&message, " is read as a YAML tag, which is refused: write text that begins with "
                           "`!` as a block scalar (`|` and the text on the next line)");
    return fail_at(loader, &event->start_mark, "yaml_tag", message.bytes);
}

static bool check_properties(const struct loader *loader, const yaml_event_t *event,
                             const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return fail_at(loader, &event->start_mark, "yaml_anchor",
                       "anchors are refused: write each value out where it is used, and quote text "
                       "that begins with `&`");
    }
    return tag == NULL || refuse_tag(loader, event, (const char *)tag);
}

/* Marks come in ascending order, so that the walk over all events is one pass. */
static size_t byte_of_index(struct loader *loader, size_t index)
{
    if (index < loader->cursor_index) {
        loader->cursor_index = 0;
        loader->cursor_byte = 0;
    }
    while (loader->cursor_index < index && loader->cursor_byte < loader->length) {
        uint32_t point;
        size_t taken = formats_read_utf8((const unsigned char *)loader->bytes + loader->cursor_byte,
                                         loader->length - loader->cursor_byte, &point);
        loader->cursor_byte += taken;
        loader->cursor_index++;
    }
    return loader->cursor_byte;
}

static bool has_comment_behind(struct loader *loader, const yaml_mark_t *end)
{
    size_t at = byte_of_index(loader, end->index);
    while (at < loader->length && (loader->bytes[at] == ' ' || loader->bytes[at] == '\t')) {
        at++;
    }
    return at < loader->length && loader->bytes[at] == '#';
}

/* The first line with text behind `|` or `>`, and its indentation. */
static void find_block_text(struct loader *loader, const yaml_mark_t *start, struct yaml_node *node)
{
    size_t at = byte_of_index(loader, start->index);
    const char *bytes = loader->bytes;
    node->text_line = node->line;
    for (;;) {
        const char *newline = memchr(bytes + at, '\n', loader->length - at);
        if (newline == NULL) {
            return;
        }
        node->text_line++;
        at = (size_t)(newline - bytes) + 1;
        size_t indent = strspn(bytes + at, " ");
        node->text_column = (int)indent + 1;
        char first = bytes[at + indent];
        if (first != '\n' && first != '\r') {
            return;
        }
    }
}

static void find_text(struct loader *loader, const yaml_event_t *event, struct yaml_node *node)
{
    node->text_line = node->line;
    node->text_column = node->column;
    if (node->is_plain) {
        node->has_comment = has_comment_behind(loader, &event->end_mark);
    } else if (node->is_block) {
        find_block_text(loader, &event->start_mark, node);
    } else {
        node->text_column++;
    }
}

static struct yaml_node *make_node(const struct loader *loader, const yaml_event_t *event,
                                   enum yaml_type type)
{
    struct yaml_node *node = ARENA_NEW(loader->arena, struct yaml_node);
    node->type = type;
    node->line = (int)event->start_mark.line + 1;
    node->column = (int)event->start_mark.column + 1;
    return node;
}

static void *grown(const struct loader *loader, struct yaml_node *const *nodes, size_t count,
                   size_t capacity)
{
    struct yaml_node **more = arena_array(loader->arena, capacity, sizeof *more);
    if (count > 0) {
        memcpy(more, nodes, count * sizeof *more);
    }
    return more;
}

static bool take_key(struct level *level, const struct loader *loader, const yaml_event_t *event,
                     struct yaml_node *node)
{
    if (node->type != YAML_SCALAR) {
        return fail_at(loader, &event->start_mark, "invalid_yaml",
                       "a key must be plain text: quote it, or write text that begins with `[` or "
                       "`{` as a block scalar");
    }
    if (node->length == 0) {
        return fail_at(loader, &event->start_mark, "invalid_yaml", "a key must not be empty");
    }
    if (node->is_plain && strcmp(node->text, "<<") == 0) {
        return fail_at(loader, &event->start_mark, "yaml_merge",
                       "merge keys are refused: write the members out");
    }
    level->key = node;
    return true;
}

/* Hangs a new node where it belongs: the root, a key, a value or an element. */
static bool attach(struct loader *loader, const yaml_event_t *event, struct yaml_node *node)
{
    if (loader->depth == 0) {
        loader->root = node;
        return true;
    }
    struct level *level = &loader->levels[loader->depth - 1];
    struct yaml_node *parent = level->node;
    if (parent->type == YAML_MAPPING && level->key == NULL) {
        return take_key(level, loader, event, node);
    }
    if (parent->count == level->capacity) {
        level->capacity = level->capacity == 0 ? 8 : level->capacity * 2;
        parent->items = grown(loader, parent->items, parent->count, level->capacity);
        if (parent->type == YAML_MAPPING) {
            parent->keys = grown(loader, parent->keys, parent->count, level->capacity);
        }
    }
    parent->items[parent->count] = node;
    if (parent->type == YAML_MAPPING) {
        parent->keys[parent->count] = level->key;
        level->key = NULL;
    }
    parent->count++;
    return true;
}

static bool on_scalar(struct loader *loader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (!check_properties(loader, event, event->data.scalar.anchor, event->data.scalar.tag)) {
        return false;
    }
    if (memchr(text, '\0', length) != NULL) {
        return fail_at(loader, &event->start_mark, "invalid_yaml",
                       "the text holds a NUL character: leave it out");
    }
    yaml_scalar_style_t style = event->data.scalar.style;
    struct yaml_node *node = make_node(loader, event, YAML_SCALAR);
    node->text = arena_copy(loader->arena, text, length);
    node->length = length;
    node->is_plain = style == YAML_PLAIN_SCALAR_STYLE;
    node->is_folded = style == YAML_FOLDED_SCALAR_STYLE;
    node->is_block = style == YAML_LITERAL_SCALAR_STYLE || node->is_folded;
    node->is_double_quoted = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    find_text(loader, event, node);
    return attach(loader, event, node);
}

static bool open_level(struct loader *loader, const yaml_event_t *event, enum yaml_type type)
{
    if (loader->depth == YAML_DEPTH_MAX) {
        return fail_at(loader, &event->start_mark, "too_deep",
                       "more than 16 levels: write something flatter");
    }
    struct yaml_node *node = make_node(loader, event, type);
    if (!attach(loader, event, node)) {
        return false;
    }
    loader->levels[loader->depth++] = (struct level){.node = node};
    return true;
}

static int compare_keys(const void *left, const void *right)
{
    const struct yaml_node *const *a = left;
    const struct yaml_node *const *b = right;
    int order = strcmp((*a)->text, (*b)->text);
    if (order != 0) {
        return order;
    }
    return (*a)->line != (*b)->line ? (*a)->line - (*b)->line : (*a)->column - (*b)->column;
}

static bool refuse_duplicate(const struct loader *loader, const struct yaml_node *first,
                             const struct yaml_node *second)
{
    struct builder message BUILDER_SCOPE;
    builder_init(&message, 0);
    builder_text(&message, "key ");
    append_shown(&message, second->text);
    builder_printf(&message, " stands twice in this mapping, first on line %d: leave one out",
                   first->line);
    return yaml_fail(loader->name, second, loader->error, "duplicate_key", "%s", message.bytes);
}

static bool check_duplicates_sorted(const struct loader *loader, const struct yaml_node *mapping)
{
    size_t count = mapping->count;
    struct yaml_node **keys = memory_zeroed(count, sizeof *keys);
    memcpy(keys, mapping->keys, count * sizeof *keys);
    qsort(keys, count, sizeof *keys, compare_keys);
    bool is_unique = true;
    for (size_t i = 1; i < count && is_unique; i++) {
        is_unique = strcmp(keys[i - 1]->text, keys[i]->text) != 0 ||
                    refuse_duplicate(loader, keys[i - 1], keys[i]);
    }
    free(keys);
    return is_unique;
}

static bool check_duplicates(const struct loader *loader, const struct yaml_node *mapping)
{
    if (mapping->count > KEYS_COMPARED_IN_PAIRS) {
        return check_duplicates_sorted(loader, mapping);
    }
    for (size_t i = 1; i < mapping->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(mapping->keys[i]->text, mapping->keys[j]->text) == 0) {
                return refuse_duplicate(loader, mapping->keys[j], mapping->keys[i]);
            }
        }
    }
    return true;
}

static bool on_document(const struct loader *loader, const yaml_event_t *event)
{
    if (loader->root != NULL) {
        return fail_at(loader, &event->start_mark, "second_document",
                       "a second document begins here: put it into a file of its own");
    }
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end) {
        return fail_at(loader, &event->start_mark, "yaml_directive",
                       "directives (lines that begin with `%`) are refused: leave them out");
    }
    return true;
}

static bool on_event(struct loader *loader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(loader, event);
    case YAML_SEQUENCE_START_EVENT:
        return check_properties(loader, event, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag) &&
               open_level(loader, event, YAML_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        return check_properties(loader, event, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag) &&
               open_level(loader, event, YAML_MAPPING);
    case YAML_SEQUENCE_END_EVENT:
        loader->depth--;
        return true;
    case YAML_MAPPING_END_EVENT:
        return check_duplicates(loader, loader->levels[--loader->depth].node);
    case YAML_ALIAS_EVENT:
        return fail_at(loader, &event->start_mark, "yaml_alias",
                       "aliases are refused: write the value out, and quote text that begins with "
                       "`*`");
    case YAML_DOCUMENT_START_EVENT:
        return on_document(loader, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

static bool read_events(struct loader *loader)
{
    for (int count = 0;; count++) {
        yaml_event_t event;
        if (!yaml_parser_parse(&loader->parser, &event)) {
            return fail_parser(loader);
        }
        bool is_last = event.type == YAML_STREAM_END_EVENT;
        bool is_fine = count < YAML_EVENTS_MAX
                           ? on_event(loader, &event)
                           : fail_at(loader, &event.start_mark, "too_large",
                                     "more than 20000 keys, values and brackets: split the file");
        yaml_event_delete(&event);
        if (!is_fine || is_last) {
            return is_fine;
        }
    }
}

static bool check_bytes(const struct loader *loader)
{
    yaml_mark_t start = {0};
    if (loader->length > YAML_BYTES_MAX) {
        return fail_at(loader, &start, "too_large", "the file is larger than 256 KiB: split it");
    }
    if (text_is_utf8(loader->bytes, loader->length)) {
        return true;
    }
    size_t bad = 0;
    uint32_t point;
    for (size_t taken = 1; taken > 0; bad += taken) {
        taken = formats_read_utf8((const unsigned char *)loader->bytes + bad, loader->length - bad,
                                  &point);
    }
    yaml_mark_t mark = mark_of_byte(loader, bad);
    return fail_at(loader, &mark, "not_utf8", "the file is not UTF-8 here: save it as UTF-8");
}

static bool load(struct loader *loader)
{
    if (yaml_parser_initialize(&loader->parser) == 0) {
        memory_exhausted(sizeof loader->parser);
    }
    /* Said outright, so that a byte order mark cannot choose UTF-16. */
    yaml_parser_set_encoding(&loader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader->parser, (const unsigned char *)loader->bytes,
                                 loader->length);
    bool is_read = read_events(loader);
    yaml_parser_delete(&loader->parser);
    return is_read;
}

struct yaml_node *yaml_parse(const char *name, const char *bytes, size_t length,
                             struct arena *arena, struct error *error)
{
    struct loader loader = {
        .name = name, .bytes = bytes, .length = length, .arena = arena, .error = error};
    if (!check_bytes(&loader)) {
        return NULL;
    }
    /* The places of block scalars are found with string functions: give them a NUL to stop at. */
    loader.bytes = arena_copy(arena, bytes, length);
    if (!load(&loader)) {
        return NULL;
    }
    const struct yaml_node *root = loader.root;
    if (root == NULL || (root->is_plain && root->length == 0)) {
        yaml_fail(name, root, error, "empty_document", "the file is empty");
        return NULL;
    }
    return loader.root;
}
