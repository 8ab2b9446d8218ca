#include "requests/edit.h"

#include "formats/canonical.h"
#include "formats/json.h"
#include <stdio.h>
#include <string.h>

struct changes {
    struct builder *out;
    size_t count;
    bool is_too_many;
};

static const struct json *arguments_of(const struct json_document *action)
{
    return json_member(json_member(json_root(action), "properties"), "args");
}

bool edit_replace_arguments(const char *action, const char *arguments, struct builder *out,
                            struct error *error)
{
    static const char *const replaced[] = {"args", NULL};
    static const char *const rebuilt[] = {"properties", NULL};
    struct json_document *document JSON_SCOPE = json_parse(action, strlen(action), error);
    if (document == NULL) {
        return false;
    }
    const struct json *properties = json_member(json_root(document), "properties");
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append_without(&text, json_root(document), rebuilt);
    text.length--; /* the closing brace: one more member follows */
    builder_printf(&text, "%s\"properties\":", text.length > 1 ? "," : "");
    size_t opened_at = text.length;
    if (properties == NULL) {
        builder_text(&text, "{}");
    } else {
        canonical_append_without(&text, properties, replaced);
    }
    text.length--;
    builder_printf(&text, "%s\"args\":", text.length > opened_at + 1 ? "," : "");
    builder_text(&text, arguments);
    builder_text(&text, "}}");
    /* Members stand in the order in which they were put together; the canonical order is another.
     */
    struct json_document *edited JSON_SCOPE = json_parse(text.bytes, text.length, error);
    if (edited == NULL) {
        return false;
    }
    canonical_append(out, json_root(edited));
    return true;
}

static bool is_same(const struct json *left, const struct json *right)
{
    struct builder a BUILDER_SCOPE;
    struct builder b BUILDER_SCOPE;
    builder_init(&b, 0);
    builder_init(&a, 0);
    if (left == NULL || right == NULL) {
        return left == right;
    }
    canonical_append(&a, left);
    canonical_append(&b, right);
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static void add_change(struct changes *changes, const char *pointer, const struct json *before,
                       const struct json *after)
{
    struct builder *out = changes->out;
    if (changes->count == EDIT_CHANGES_MAX || strlen(pointer) > EDIT_POINTER_BYTES_MAX) {
        changes->is_too_many = true;
        return;
    }
    builder_text(out, changes->count++ == 0 ? "{" : ",{");
    if (before != NULL) {
        builder_text(out, "\"from\":");
        canonical_append(out, before);
        builder_text(out, ",");
    }
    builder_text(out, "\"path\":");
    canonical_append_string(out, pointer, strlen(pointer));
    if (after != NULL) {
        builder_text(out, ",\"to\":");
        canonical_append(out, after);
    }
    builder_text(out, "}");
}

static void compare(struct changes *changes, const char *pointer, int depth,
                    const struct json *before, const struct json *after);

/* The members of one side, each beside what the other side has under its name. */
struct side {
    struct changes *changes;
    const char *pointer;
    int depth;
    const struct json *other;
    bool is_before; /* then every member; else only those that the other side lacks */
};

static bool compare_member(void *context, const char *name, const struct json *value)
{
    const struct side *side = context;
    const struct json *other = json_member(side->other, name);
    struct builder pointer BUILDER_SCOPE;
    builder_init(&pointer, 0);
    builder_text(&pointer, side->pointer);
    json_pointer_append(&pointer, name);
    if (side->is_before) {
        compare(side->changes, pointer.bytes, side->depth + 1, value, other);
    } else if (other == NULL) {
        compare(side->changes, pointer.bytes, side->depth + 1, NULL, value);
    }
    return !side->changes->is_too_many;
}

static void compare_objects(struct changes *changes, const char *pointer, int depth,
                            const struct json *before, const struct json *after)
{
    struct side old = {
        .changes = changes, .pointer = pointer, .depth = depth, .other = after, .is_before = true};
    struct side new = {.changes = changes, .pointer = pointer, .depth = depth, .other = before};
    if (json_each_member(before, compare_member, &old)) {
        (void)json_each_member(after, compare_member, &new);
    }
}

static void compare_arrays(struct changes *changes, const char *pointer, int depth,
                           const struct json *before, const struct json *after)
{
    size_t old = json_count(before);
    size_t new = json_count(after);
    for (size_t i = 0; i < (old > new ? old : new) && !changes->is_too_many; i++) {
        struct builder element BUILDER_SCOPE;
        builder_init(&element, 0);
        builder_printf(&element, "%s/%zu", pointer, i);
        compare(changes, element.bytes, depth + 1, i < old ? json_element(before, i) : NULL,
                i < new ? json_element(after, i) : NULL);
    }
}

static void compare(struct changes *changes, const char *pointer, int depth,
                    const struct json *before, const struct json *after)
{
    enum json_type type = before == NULL ? JSON_TYPE_ABSENT : json_type(before);
    bool is_alike = before != NULL && after != NULL && type == json_type(after);
    if (is_same(before, after)) {
        return;
    }
    bool is_whole = depth >= EDIT_DEPTH_MAX;
    if (!is_whole && is_alike && type == JSON_TYPE_OBJECT) {
        compare_objects(changes, pointer, depth, before, after);
    } else if (!is_whole && is_alike && type == JSON_TYPE_ARRAY) {
        compare_arrays(changes, pointer, depth, before, after);
    } else {
        add_change(changes, pointer, before, after);
    }
}

bool edit_append_changes(const char *before, const char *after, struct builder *out,
                         struct error *error)
{
    struct json_document *old JSON_SCOPE = json_parse(before, strlen(before), error);
    struct json_document *new JSON_SCOPE =
        old == NULL ? NULL : json_parse(after, strlen(after), error);
    if (new == NULL) {
        return false;
    }
    struct changes changes = {.out = out};
    size_t start = out->length;
    builder_text(out, "[");
    compare(&changes, "", 0, arguments_of(old), arguments_of(new));
    if (changes.is_too_many) {
        out->length = start;
        changes = (struct changes){.out = out};
        builder_text(out, "[");
        add_change(&changes, "", arguments_of(old), arguments_of(new));
    }
    builder_text(out, "]");
    return true;
}
