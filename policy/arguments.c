#include "policy/policy_internal.h"

#include "formats/text.h"
#include <string.h>

/* Arguments against the schema of their tool. Names and values come from whoever asks, so they are
 * shown cut short and with misleading characters visible. */

enum { PATH_BYTES_MAX = 160, NAME_SHOWN_BYTES = 48, CHOICES_SHOWN = 8 };

/* Where a value is: a member of, or an element in, what the outer step leads to. Written out only
 * when there is something to say. */
struct step {
    const struct step *outer; /* NULL at the arguments themselves */
    const char *name;         /* NULL for an element */
    size_t length;
    uint32_t index;
};

struct checking {
    struct arena *arena;
    const char *problem;
};

static bool fits(struct checking *checking, const struct schema *schema, struct cel_value value,
                 const struct step *at);

static void append_name(struct builder *out, const char *name, size_t length)
{
    size_t shown = length > NAME_SHOWN_BYTES ? NAME_SHOWN_BYTES : length;
    while (shown > 0 && shown < length && ((unsigned char)name[shown] & 0xC0) == 0x80) {
        shown--;
    }
    text_append_visible(out, name, shown);
    builder_text(out, shown < length ? "…" : "");
}

static void append_path(struct builder *out, const struct step *at)
{
    if (at->outer == NULL) {
        return;
    }
    append_path(out, at->outer);
    if (out->length > PATH_BYTES_MAX) {
        return;
    }
    if (at->name == NULL) {
        builder_printf(out, "[%u]", at->index);
        return;
    }
    builder_text(out, out->length == 0 ? "" : ".");
    append_name(out, at->name, at->length);
}

/* "The argument `items[2].sku` …" */
static bool refuse(struct checking *checking, const struct step *at, const char *what)
{
    struct builder path BUILDER_SCOPE;
    builder_init(&path, 0);
    append_path(&path, at);
    checking->problem =
        path.length == 0 ? arena_printf(checking->arena, "The arguments %s", what)
                         : arena_printf(checking->arena, "The argument `%s` %s", path.bytes, what);
    return false;
}

static const char *kind_text(uint8_t kind)
{
    switch (kind) {
    case CEL_NULL:
        return "null";
    case CEL_BOOL:
        return "true or false";
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
        return "a number";
    case CEL_STRING:
        return "a string";
    case CEL_LIST:
        return "a list";
    default:
        return "an object";
    }
}

static bool refuse_kind(struct checking *checking, const char *wanted, struct cel_value value,
                        const struct step *at)
{
    return refuse(
        checking, at,
        arena_printf(checking->arena, "must be %s, not %s.", wanted, kind_text(value.kind)));
}

static bool is_choice(const struct schema *schema, struct cel_value value)
{
    for (const char **choice = schema->choices; value.kind == CEL_STRING && *choice != NULL;
         choice++) {
        if (strlen(*choice) == value.length && memcmp(*choice, value.as.bytes, value.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool fits_choice(struct checking *checking, const struct schema *schema,
                        struct cel_value value, const struct step *at)
{
    if (is_choice(schema, value)) {
        return true;
    }
    struct builder what BUILDER_SCOPE;
    builder_init(&what, 0);
    builder_text(&what, "must be one of");
    for (size_t i = 0; schema->choices[i] != NULL && i < CHOICES_SHOWN; i++) {
        builder_printf(&what, "%s `%.48s`", i == 0 ? "" : ",", schema->choices[i]);
    }
    builder_char(&what, '.');
    return refuse(checking, at, what.bytes);
}

static bool fits_list(struct checking *checking, const struct schema *schema,
                      struct cel_value value, const struct step *at)
{
    if (value.kind != CEL_LIST) {
        return refuse_kind(checking, "a list", value, at);
    }
    for (uint32_t i = 0; i < value.length; i++) {
        const struct step element = {.outer = at, .index = i};
        if (!fits(checking, schema->element, value.as.items[i], &element)) {
            return false;
        }
    }
    return true;
}

static struct step member_step(const struct step *at, struct cel_value key)
{
    return (struct step){.outer = at, .name = key.as.bytes, .length = key.length};
}

static bool fits_map(struct checking *checking, const struct schema *schema, struct cel_value value,
                     const struct step *at)
{
    if (value.kind != CEL_MAP) {
        return refuse_kind(checking, "an object", value, at);
    }
    for (size_t i = 0; i < value.as.map->count; i++) {
        const struct cel_entry *entry = &value.as.map->entries[i];
        const struct step member = member_step(at, entry->key);
        if (!fits(checking, schema->element, entry->value, &member)) {
            return false;
        }
    }
    return true;
}

static const char *nearest_member(const struct schema *schema, struct cel_value key)
{
    const char *names[65] = {NULL};
    char wanted[64] = "";
    size_t count = schema->member_count < 64 ? schema->member_count : 64;
    for (size_t i = 0; i < count; i++) {
        names[i] = schema->members[i].name;
    }
    if (key.length < sizeof wanted) {
        memcpy(wanted, key.as.bytes, key.length);
    }
    return wanted[0] == '\0' ? NULL : text_nearest_word(wanted, names);
}

static bool refuse_unknown(struct checking *checking, const struct schema *schema,
                           struct cel_value key, const struct step *at)
{
    const char *nearest = nearest_member(schema, key);
    const struct step member = member_step(at, key);
    return refuse(checking, &member,
                  nearest == NULL
                      ? "is not known to this tool."
                      : arena_printf(checking->arena,
                                     "is not known to this tool; did you mean `%s`?", nearest));
}

static bool has_member(const struct schema *schema, struct cel_value key)
{
    for (size_t i = 0; i < schema->member_count; i++) {
        const char *name = schema->members[i].name;
        if (strlen(name) == key.length && memcmp(name, key.as.bytes, key.length) == 0) {
            return true;
        }
    }
    return false;
}

static bool fits_members(struct checking *checking, const struct schema *schema,
                         const struct cel_map *map, const struct step *at)
{
    for (size_t i = 0; i < schema->member_count; i++) {
        const struct schema_member *member = &schema->members[i];
        const struct cel_value key = cel_string(member->name, strlen(member->name));
        const struct cel_value *value = cel_map_find(map, key);
        const struct step step = member_step(at, key);
        if (value == NULL && !member->is_optional) {
            return refuse(checking, &step, "is missing.");
        }
        if (value != NULL && !fits(checking, member->schema, *value, &step)) {
            return false;
        }
    }
    return true;
}

static bool fits_object(struct checking *checking, const struct schema *schema,
                        struct cel_value value, const struct step *at)
{
    if (value.kind != CEL_MAP) {
        return refuse_kind(checking, "an object", value, at);
    }
    for (size_t i = 0; !schema->is_open && i < value.as.map->count; i++) {
        struct cel_value key = value.as.map->entries[i].key;
        if (!has_member(schema, key)) {
            return refuse_unknown(checking, schema, key, at);
        }
    }
    return fits_members(checking, schema, value.as.map, at);
}

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

/* The depth of a schema is bounded at load, and the value is followed no deeper. */
static bool fits(struct checking *checking, const struct schema *schema, struct cel_value value,
                 const struct step *at)
{
    switch (schema->kind) {
    case SCHEMA_ANY:
        return true;
    case SCHEMA_STRING:
        return value.kind == CEL_STRING || refuse_kind(checking, "a string", value, at);
    case SCHEMA_NUMBER:
        return is_number(value) || refuse_kind(checking, "a number", value, at);
    case SCHEMA_INT:
        return value.kind == CEL_INT ||
               refuse_kind(checking, "a whole number of 64 bits", value, at);
    case SCHEMA_BOOL:
        return value.kind == CEL_BOOL || refuse_kind(checking, "true or false", value, at);
    case SCHEMA_LIST:
        return fits_list(checking, schema, value, at);
    case SCHEMA_MAP:
        return fits_map(checking, schema, value, at);
    case SCHEMA_OBJECT:
        return fits_object(checking, schema, value, at);
    case SCHEMA_CHOICE:
        return fits_choice(checking, schema, value, at);
    }
    return false;
}

bool arguments_fit(const struct tool *tool, struct cel_value args, struct arena *arena,
                   const char **out_problem)
{
    struct checking checking = {.arena = arena};
    const struct step start = {.outer = NULL};
    bool is_fine = fits(&checking, tool->args, args, &start);
    *out_problem = checking.problem;
    return is_fine;
}
