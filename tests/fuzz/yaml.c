/* A file is read or refused with a place; each reader then takes each node or refuses it. */

#include "formats/yaml.h"
#include "base/check.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static const char file[] = "fuzz.yaml";

static void check_error(const struct error *error)
{
    CHECK(error->kind == ERROR_INVALID && error->message[0] != '\0');
    CHECK(strcmp(error->subject, file) == 0 && error->line >= 0 && error->column >= 0);
}

static void read_node(const struct yaml_node *node, struct arena *arena)
{
    static const char *const keys[] = {"name", "when", NULL};
    struct error error = {0};
    const char *text;
    bool truth;
    int64_t number;
    const char **texts;
    size_t count;
    bool results[] = {
        yaml_read_text(file, node, &text, &error),
        yaml_read_bool(file, node, &truth, &error),
        yaml_read_integer(file, node, 0, 100, &number, &error),
        yaml_read_duration(file, node, 1, 86400000, &number, &error),
        yaml_read_texts(file, node, true, arena, &texts, &count, &error),
        yaml_only_keys(file, node, keys, &error),
    };
    /* No node is all of these at once. */
    CHECK(!(results[0] && results[5]) && !(results[1] && results[2]));
    check_error(&error);
}

/* Bounded by YAML_DEPTH_MAX. */
static void walk(const struct yaml_node *node, struct arena *arena)
{
    CHECK(node->line >= 1 && node->column >= 1);
    read_node(node, arena);
    if (node->type == YAML_SCALAR) {
        CHECK(strlen(node->text) == node->length && node->text_line >= node->line);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->type == YAML_MAPPING) {
            CHECK(yaml_member(node, node->keys[i]->text) == node->items[i]);
        }
        walk(node->items[i], arena);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct error error = {0};
    const struct yaml_node *root = yaml_parse(file, (const char *)bytes, length, arena, &error);
    if (root == NULL) {
        check_error(&error);
    } else {
        walk(root, arena);
    }
    return 0;
}
