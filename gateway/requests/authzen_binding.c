#include "requests/authzen_binding.h"

#include "base/check.h"
#include "base/memory.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include <stdlib.h>
#include <string.h>

static struct json_document *parse_ours(const char *canonical)
{
    struct json_document *document = json_parse(canonical, strlen(canonical), NULL);
    CHECK(document != NULL);
    return document;
}

/* Most subjects have no `act`, and are not parsed for it. */
static void append_without_act(const char *subject, struct builder *out)
{
    static const char *const act[] = {"act", NULL};
    static const char *const properties_name[] = {"properties", NULL};
    if (strstr(subject, "\"act\":") == NULL) {
        builder_text(out, subject);
        return;
    }
    struct json_document *document JSON_SCOPE = parse_ours(subject);
    const struct json *properties = json_member(json_root(document), "properties");
    if (json_member(properties, "act") == NULL) {
        builder_text(out, subject);
        return;
    }
    /* `properties` sorts behind `id`, and what else there is may sort behind `properties`. */
    struct builder rest BUILDER_SCOPE;
    struct builder text BUILDER_SCOPE;
    builder_init(&rest, 0);
    builder_init(&text, 0);
    canonical_append_without(&rest, json_root(document), properties_name);
    builder_append(&text, rest.bytes, rest.length - 1);
    builder_text(&text, rest.length > 2 ? ",\"properties\":" : "\"properties\":");
    canonical_append_without(&text, properties, act);
    builder_char(&text, '}');
    struct json_document *whole JSON_SCOPE = parse_ours(text.bytes);
    canonical_append(out, json_root(whole));
}

struct names {
    const struct json *list; /* array of texts */
    const char **left_out;
    size_t count;
};

static bool is_listed(const struct json *list, const char *name)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const char *text = json_text(json_element(list, i));
        if (text != NULL && strcmp(text, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool note_left_out(void *context, const char *name, const struct json *value)
{
    struct names *names = context;
    (void)value;
    if (!is_listed(names->list, name)) {
        names->left_out[names->count++] = name;
    }
    return true;
}

void binding_append_restricted(const char *object, const char *members, struct builder *out)
{
    struct json_document *document JSON_SCOPE = parse_ours(object);
    struct json_document *list JSON_SCOPE = parse_ours(members);
    const struct json *root = json_root(document);
    struct names names = {.list = json_root(list),
                          .left_out = memory_zeroed(json_count(root) + 1, sizeof(char *))};
    json_each_member(root, note_left_out, &names);
    canonical_append_without(out, root, names.left_out);
    free(names.left_out);
}

static bool append_name(void *context, const char *name, const struct json *value)
{
    struct builder *out = context;
    (void)value;
    builder_text(out, out->bytes[out->length - 1] == '[' ? "" : ",");
    canonical_append_string(out, name, strlen(name));
    return true;
}

void binding_append_names(const char *object, struct builder *out)
{
    struct json_document *document JSON_SCOPE = parse_ours(object);
    builder_char(out, '[');
    json_each_member(json_root(document), append_name, out);
    builder_char(out, ']');
}

struct sha256 binding_authzen_hash(const char *subject, const char *action, const char *resource,
                                   const char *context, const char *members)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"action\":");
    builder_text(&text, action);
    builder_text(&text, ",\"context\":");
    if (members == NULL) {
        builder_text(&text, context);
    } else {
        binding_append_restricted(context, members, &text);
    }
    builder_text(&text, ",\"resource\":");
    builder_text(&text, resource);
    builder_text(&text, ",\"subject\":");
    append_without_act(subject, &text);
    builder_char(&text, '}');
    return crypto_sha256(text.bytes, text.length);
}
