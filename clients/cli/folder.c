#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include "policy/policy.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A policy folder as the gateway reads it. */

enum { FILE_BYTES_MAX = 256 * 1024, PATH_BYTES = 4096 };

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_policy_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

bool cli_list_folder(const char *path, struct arena *arena, const char ***out_names,
                     size_t *out_count, struct error *error)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return error_set(error, ERROR_INVALID, "folder_unreadable", path,
                         "the folder `%s` cannot be opened: %s", path, strerror(errno));
    }
    const char **names = arena_array(arena, POLICY_FILES_MAX, sizeof *names);
    size_t count = 0;
    bool fits = true;
    for (struct dirent *entry = readdir(folder); entry != NULL && fits; entry = readdir(folder)) {
        fits = !is_policy_file(entry->d_name) || count < POLICY_FILES_MAX;
        if (fits && is_policy_file(entry->d_name)) {
            names[count++] = arena_text(arena, entry->d_name);
        }
    }
    closedir(folder);
    if (!fits || count == 0) {
        return error_set(error, ERROR_INVALID, "folder_unreadable", path,
                         "the folder `%s` must have 1 to %d *.yaml files", path, POLICY_FILES_MAX);
    }
    qsort(names, count, sizeof *names, by_name);
    *out_names = names;
    *out_count = count;
    return true;
}

static bool append_file(const char *path, const char *name, struct builder *out,
                        struct error *error)
{
    char argument[PATH_BYTES];
    struct builder text BUILDER_SCOPE;
    builder_init(&text, FILE_BYTES_MAX);
    snprintf(argument, sizeof argument, "@%s/%s", path, name);
    if (!cli_read_argument(argument, &text, error)) {
        return false;
    }
    if (!text_is_utf8(text.bytes, text.length)) {
        return error_set(error, ERROR_INVALID, "not_utf8", name, "`%s` is not UTF-8", name);
    }
    canonical_append_string(out, name, strlen(name));
    builder_char(out, ':');
    canonical_append_string(out, text.bytes, text.length);
    return true;
}

bool cli_read_folder(const char *path, struct builder *out, struct error *error)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const char **names = NULL;
    size_t count = 0;
    if (!cli_list_folder(path, arena, &names, &count, error)) {
        return false;
    }
    builder_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        builder_text(out, i == 0 ? "" : ",");
        if (!append_file(path, names[i], out, error)) {
            return false;
        }
    }
    builder_char(out, '}');
    return true;
}
