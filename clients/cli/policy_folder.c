#include "clients/cli/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = YAML_BYTES_MAX };

void folder_say(const struct policy_file *files, size_t count, const struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    policy_append_error(&text, files, count, error);
    fwrite(text.bytes, 1, text.length, stderr);
}

static bool read_file(const char *path, const char *name, struct arena *arena,
                      struct policy_file *out, struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return error_set(error, ERROR_INVALID, "file_unreadable", path, "cannot be opened: %s",
                         strerror(errno));
    }
    char *bytes = arena_alloc(arena, FILE_BYTES_MAX + 2);
    size_t length = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
    bool has_failed = ferror(file) != 0;
    fclose(file);
    if (has_failed) {
        return error_set(error, ERROR_INVALID, "file_unreadable", path, "cannot be read");
    }
    /* One byte too many is what the parser refuses with the right words. */
    *out = (struct policy_file){.name = name, .bytes = bytes, .length = length};
    return true;
}

static bool read_files(struct folder *folder, struct error *error)
{
    const char **names = NULL;
    size_t count = 0;
    if (!cli_list_folder(folder->path, folder->arena, &names, &count, error)) {
        return false;
    }
    folder->files = arena_array(folder->arena, count, sizeof *folder->files);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(folder->arena, "%s/%s", folder->path, names[i]);
        if (!read_file(path, names[i], folder->arena, &folder->files[i], error)) {
            return false;
        }
        folder->count++;
    }
    return true;
}

bool folder_open(const char *path, struct folder *out)
{
    struct folder folder = {.arena = arena_create(), .path = path};
    struct error error = {0};
    if (read_files(&folder, &error)) {
        folder.policy = policy_compile(folder.files, folder.count, &error);
    }
    if (folder.policy == NULL) {
        folder_say(folder.files, folder.count, &error);
        arena_destroy(folder.arena);
        return false;
    }
    *out = folder;
    return true;
}

void folder_close(struct folder *folder)
{
    policy_destroy(folder->policy);
    arena_destroy(folder->arena);
    *folder = (struct folder){0};
}

static bool visit_file(const struct folder *folder, const char *name, folder_visit_cases visit,
                       void *context)
{
    struct error error = {0};
    struct policy_file file = {0};
    const char *path = arena_printf(folder->arena, "%s/tests/%s", folder->path, name);
    if (!read_file(path, path, folder->arena, &file, &error)) {
        folder_say(NULL, 0, &error);
        return false;
    }
    struct yaml_node *root = yaml_parse(path, file.bytes, file.length, folder->arena, &error);
    const struct yaml_node *cases = root == NULL ? NULL : yaml_member(root, "cases");
    if (root != NULL && cases == NULL) {
        (void)yaml_fail(path, root, &error, "missing_member",
                        "a file of tests has its cases; write `cases:` and a list");
    }
    if (cases == NULL) {
        folder_say(&file, 1, &error);
        return false;
    }
    return visit(context, path, cases);
}

bool folder_each_cases(const struct folder *folder, folder_visit_cases visit, void *context,
                       size_t *out_files)
{
    const char **names = NULL;
    struct error missing = {0};
    const char *path = arena_printf(folder->arena, "%s/tests", folder->path);
    if (!cli_list_folder(path, folder->arena, &names, out_files, &missing)) {
        fprintf(stderr, "%s: there are no tests; write cases into tests/*.yaml beside the rules\n",
                folder->path);
        return false;
    }
    for (size_t i = 0; i < *out_files; i++) {
        if (!visit_file(folder, names[i], visit, context)) {
            return false;
        }
    }
    return true;
}
