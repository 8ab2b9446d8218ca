#include "formats/json.h"
#include "operations/policy_operations.h"
#include <string.h>

struct collecting {
    struct policy_file *files;
    size_t count;
    struct error *error;
};

static bool collect(void *context, const char *name, const struct json *value)
{
    struct collecting *collecting = context;
    const char *text = json_text(value);
    if (text == NULL || collecting->count == POLICY_FILES_MAX) {
        return error_set(collecting->error, ERROR_INVALID, "bad_files", name,
                         "`files` names up to %d policy files, each with its text",
                         POLICY_FILES_MAX);
    }
    collecting->files[collecting->count++] =
        (struct policy_file){.name = name, .bytes = text, .length = json_text_length(value)};
    return true;
}

struct policy *operations_compile_policy(const char *files, struct arena *arena,
                                         struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(files, strlen(files), error);
    const struct json *root = document == NULL ? NULL : json_root(document);
    struct collecting collecting = {
        .files = arena_array(arena, POLICY_FILES_MAX, sizeof(struct policy_file)), .error = error};
    if (document == NULL) {
        return NULL;
    }
    if (json_type(root) != JSON_TYPE_OBJECT || json_count(root) == 0) {
        (void)!error_set(error, ERROR_INVALID, "bad_files", "files",
                         "`files` is an object of file names and their texts");
        return NULL;
    }
    return json_each_member(root, collect, &collecting)
               ? policy_compile(collecting.files, collecting.count, error)
               : NULL;
}
