#include "policy/cases.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include "policy/policy_internal.h"
#include <string.h>

/* The input of a case, from YAML to what a request would have been. */

enum { COUNTS_MAX = 32 };

/* Counts a case gives; all others are zero. */
struct given_count {
    unsigned parts;
    enum policy_past past;
    int64_t window_ms;
    int64_t count;
};
struct given_history {
    struct policy_history history;
    struct given_count counts[COUNTS_MAX];
    size_t count;
};

struct case_reader {
    const char *file;
    struct arena *arena;
    struct error *error;
};

/* ---- JSON ---- */

static const char *code_of(const struct error *error)
{
    return error->code == NULL ? "" : error->code;
}

/* Exactly what JSON takes for a literal or number; the rest of plain text is a string. */
static bool is_json_word(const struct yaml_node *node)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *text = node->text;
    for (size_t i = 0; node->is_plain && i < 3; i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE =
        node->is_plain && strchr("-0123456789", text[0]) != NULL && text[0] != '\0'
            ? json_parse(text, node->length, &ignored)
            : NULL;
    return document != NULL || strcmp(code_of(&ignored), "inexact_number") == 0;
}

static bool append_json(struct case_reader *reader, struct builder *out,
                        const struct yaml_node *node);

static bool append_scalar(struct case_reader *reader, struct builder *out,
                          const struct yaml_node *node)
{
    const char **texts;
    size_t count;
    if (is_json_word(node)) {
        builder_append(out, node->text, node->length);
        return true;
    }
    if (!yaml_read_texts(reader->file, node, true, reader->arena, &texts, &count, reader->error)) {
        return false;
    }
    canonical_append_string(out, node->text, node->length);
    return true;
}

static bool append_container(struct case_reader *reader, struct builder *out,
                             const struct yaml_node *node)
{
    bool is_mapping = node->type == YAML_MAPPING;
    builder_char(out, is_mapping ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        builder_text(out, i == 0 ? "" : ",");
        if (is_mapping) {
            canonical_append_string(out, node->keys[i]->text, node->keys[i]->length);
            builder_char(out, ':');
        }
        if (!append_json(reader, out, node->items[i])) {
            return false;
        }
    }
    builder_char(out, is_mapping ? '}' : ']');
    return true;
}

/* YAML's own depth is bounded. */
static bool append_json(struct case_reader *reader, struct builder *out,
                        const struct yaml_node *node)
{
    return node->type == YAML_SCALAR ? append_scalar(reader, out, node)
                                     : append_container(reader, out, node);
}

static bool make_canonical(struct case_reader *reader, const struct yaml_node *node,
                           const struct builder *json, const char **out_json)
{
    struct error found = {0};
    struct json_document *document JSON_SCOPE = json_parse(json->bytes, json->length, &found);
    if (document == NULL) {
        return yaml_fail(reader->file, node, reader->error, "invalid_case", "%s at `%s`",
                         found.message, found.subject);
    }
    struct builder canonical BUILDER_SCOPE;
    builder_init(&canonical, 0);
    canonical_append(&canonical, json_root(document));
    *out_json = arena_copy(reader->arena, canonical.bytes, canonical.length);
    return true;
}

static bool read_json(struct case_reader *reader, const struct yaml_node *node,
                      const char **out_json)
{
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    if (node->type != YAML_MAPPING) {
        return yaml_fail(reader->file, node, reader->error, "invalid_case",
                         "write a mapping here, as the request would have an object");
    }
    return append_json(reader, &json, node) && make_canonical(reader, node, &json, out_json);
}

/* ---- members ---- */

static bool read_case_text(struct case_reader *reader, const struct yaml_node *mapping,
                           const char *member, const char **out_text)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    return node == NULL || yaml_read_text(reader->file, node, out_text, reader->error);
}

/* `user/dana`, or a mapping with its properties. */
static bool read_entity(struct case_reader *reader, const struct yaml_node *mapping,
                        const char *member, const char **out_key, const char **out_json)
{
    static const char *const keys[] = {"type", "id", "properties", NULL};
    const struct yaml_node *node = yaml_member(mapping, member);
    const char *type = "";
    const char *id = "";
    if (node == NULL || node->type == YAML_SCALAR) {
        return read_case_text(reader, mapping, member, out_key);
    }
    if (!yaml_only_keys(reader->file, node, keys, reader->error) ||
        !read_case_text(reader, node, "type", &type) || !read_case_text(reader, node, "id", &id) ||
        !read_json(reader, node, out_json)) {
        return false;
    }
    *out_key = arena_printf(reader->arena, "%s/%s", type, id);
    return true;
}

static bool read_action(struct case_reader *reader, const struct yaml_node *node,
                        struct policy_input *input)
{
    const struct yaml_node *args = yaml_member(node, "args");
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    if (!read_case_text(reader, node, "action", &input->action)) {
        return false;
    }
    const char *name = input->action == NULL ? "" : input->action;
    builder_text(&json, "{\"name\":");
    canonical_append_string(&json, name, strlen(name));
    builder_text(&json, ",\"properties\":{\"args\":");
    if (args == NULL) {
        builder_text(&json, "{}");
    } else if (args->type != YAML_MAPPING) {
        return yaml_fail(reader->file, args, reader->error, "invalid_case",
                         "arguments are a mapping; write {amount: 20}");
    } else if (!append_json(reader, &json, args)) {
        return false;
    }
    builder_text(&json, "}}");
    return make_canonical(reader, node, &json, &input->action_json);
}

static bool read_now(struct case_reader *reader, const struct yaml_node *node,
                     struct policy_input *input)
{
    const struct yaml_node *now = yaml_member(node, "now");
    return now == NULL || (now->type == YAML_SCALAR && text_read_time(now->text, &input->now)) ||
           yaml_fail(reader->file, now, reader->error, "invalid_case",
                     "write a time as 2026-11-24T06:24:23Z");
}

/* ---- history ---- */

static bool count_given(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                        int64_t *out_count)
{
    const struct given_history *given = context;
    *out_count = 0;
    for (size_t i = 0; i < given->count; i++) {
        const struct given_count *each = &given->counts[i];
        if (each->parts == parts && each->past == past && each->window_ms == window_ms) {
            *out_count = each->count;
        }
    }
    return true;
}

static bool read_parts(struct case_reader *reader, const struct yaml_node *node,
                       unsigned *out_parts)
{
    const char **texts;
    size_t count;
    *out_parts = POLICY_HISTORY_DEFAULT;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(reader->file, node, true, reader->arena, &texts, &count, reader->error)) {
        return false;
    }
    *out_parts = 0;
    for (size_t i = 0; i < count; i++) {
        enum policy_history_part part;
        if (!policy_history_part_read(texts[i], &part)) {
            return yaml_fail(reader->file, node, reader->error, "invalid_case",
                             "write parts of agent, action, resource, subject and digest");
        }
        *out_parts |= (unsigned)part;
    }
    return true;
}

static bool read_count(struct case_reader *reader, const struct yaml_node *node,
                       struct given_count *out)
{
    static const char *const keys[] = {"of", "outcome", "window", "count", NULL};
    const char *past = "any";
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *window = yaml_member(node, "window");
    const struct yaml_node *count = yaml_member(node, "count");
    if (window == NULL || count == NULL) {
        return yaml_fail(reader->file, node, reader->error, "invalid_case",
                         "a count has its window; write {window: 1h, count: 3}");
    }
    if (!read_case_text(reader, node, "outcome", &past)) {
        return false;
    }
    if (!policy_past_read(past, &out->past)) {
        return yaml_fail(reader->file, yaml_member(node, "outcome"), reader->error, "invalid_case",
                         "`%.40s` is no outcome; write any, pending, approved, denied, expired, "
                         "cancelled, redeemed, succeeded or failed",
                         past);
    }
    return read_parts(reader, yaml_member(node, "of"), &out->parts) &&
           yaml_read_duration(reader->file, window, POLICY_WINDOW_MS_MIN, POLICY_WINDOW_MS_MAX,
                              &out->window_ms, reader->error) &&
           yaml_read_integer(reader->file, count, 0, INT64_MAX, &out->count, reader->error);
}

static bool read_counts(struct case_reader *reader, const struct yaml_node *node,
                        struct given_history *given)
{
    if (node == NULL) {
        return true;
    }
    if (node->type != YAML_SEQUENCE || node->count > COUNTS_MAX) {
        return yaml_fail(reader->file, node, reader->error, "invalid_case",
                         "counts are a list of at most %d; write [{window: 1h, count: 3}]",
                         COUNTS_MAX);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!read_count(reader, node->items[i], &given->counts[given->count++])) {
            return false;
        }
    }
    return true;
}

static bool read_history(struct case_reader *reader, const struct yaml_node *mapping,
                         struct policy_input *input)
{
    static const char *const keys[] = {"counts", "denials", NULL};
    const struct yaml_node *node = yaml_member(mapping, "history");
    if (node == NULL) {
        return true;
    }
    struct given_history *given = ARENA_NEW(reader->arena, struct given_history);
    given->history = (struct policy_history){.count = count_given, .context = given};
    input->history = &given->history;
    if (!yaml_only_keys(reader->file, node, keys, reader->error)) {
        return false;
    }
    const struct yaml_node *denials = yaml_member(node, "denials");
    return read_counts(reader, yaml_member(node, "counts"), given) &&
           (denials == NULL || yaml_read_integer(reader->file, denials, 0, INT64_MAX,
                                                 &given->history.denials, reader->error));
}

bool policy_case_read_input(const char *file, const struct yaml_node *node, struct arena *arena,
                            struct policy_input *out_input, struct error *error)
{
    static const char *const keys[] = {"tenant",   "subject", "agent", "caller",  "action", "args",
                                       "resource", "context", "now",   "history", NULL};
    struct case_reader reader = {file, arena, error};
    struct policy_input input = {0};
    if (!yaml_only_keys(file, node, keys, error)) {
        return false;
    }
    const struct yaml_node *context = yaml_member(node, "context");
    if (!read_case_text(&reader, node, "tenant", &input.tenant) ||
        !read_case_text(&reader, node, "agent", &input.agent) ||
        !read_case_text(&reader, node, "caller", &input.caller) ||
        !read_entity(&reader, node, "subject", &input.subject, &input.subject_json) ||
        !read_entity(&reader, node, "resource", &input.resource, &input.resource_json) ||
        !read_action(&reader, node, &input) || !read_now(&reader, node, &input) ||
        !read_history(&reader, node, &input) ||
        (context != NULL && !read_json(&reader, context, &input.context_json))) {
        return false;
    }
    *out_input = input;
    return true;
}
