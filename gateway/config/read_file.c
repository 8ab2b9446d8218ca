#include "config/config.h"

#include "base/check.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
    }
}

static bool read_all(int descriptor, const char *path, char *bytes, size_t length,
                     struct error *error)
{
    size_t got = 0;
    while (got < length) {
        ssize_t more = read(descriptor, bytes + got, length - got);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more <= 0) {
            return error_set(error, ERROR_INVALID, "file_unreadable", path,
                             "`%s` cannot be read: %s", path,
                             more == 0 ? "it got shorter meanwhile; try again" : strerror(errno));
        }
        got += (size_t)more;
    }
    return true;
}

bool config_read_file(const char *path, size_t bytes_max, struct arena *arena, char **out_bytes,
                      size_t *out_length, struct error *error)
{
    __attribute__((cleanup(close_descriptor))) int descriptor =
        open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        return error_set(error, ERROR_INVALID, "file_unreadable", path, "`%s` cannot be opened: %s",
                         path, strerror(errno));
    }
    struct stat about;
    if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
        return error_set(error, ERROR_INVALID, "file_unreadable", path,
                         "`%s` is not a regular file", path);
    }
    if ((uint64_t)about.st_size > bytes_max) {
        return error_set(error, ERROR_INVALID, "file_too_large", path,
                         "`%s` has %lld bytes; at most %zu are read: split it", path,
                         (long long)about.st_size, bytes_max);
    }
    size_t length = (size_t)about.st_size;
    char *bytes = arena_alloc(arena, length + 1);
    if (!read_all(descriptor, path, bytes, length, error)) {
        return false;
    }
    *out_bytes = bytes;
    *out_length = length;
    return true;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void close_folder(DIR **folder)
{
    if (*folder != NULL) {
        closedir(*folder);
    }
}

/* Names of *.yaml and *.yml in the folder, sorted, so that the same folder reads the same
 * everywhere. */
static bool list_names(const char *path, struct arena *arena, const char ***out_names,
                       size_t *out_count, struct error *error)
{
    __attribute__((cleanup(close_folder))) DIR *folder = opendir(path);
    if (folder == NULL) {
        return error_set(error, ERROR_INVALID, "policy_unreadable", path,
                         "the policy folder `%s` cannot be opened: %s; set `policy` in the "
                         "configuration to a folder of *.yaml files",
                         path, strerror(errno));
    }
    const char **names = arena_array(arena, POLICY_FILES_MAX, sizeof *names);
    size_t count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || dot == NULL ||
            (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0)) {
            continue;
        }
        if (count == POLICY_FILES_MAX) {
            return error_set(error, ERROR_INVALID, "too_many_files", path,
                             "the policy folder `%s` has more than %d files: merge some", path,
                             POLICY_FILES_MAX);
        }
        names[count++] = arena_text(arena, entry->d_name);
    }
    if (count == 0) {
        return error_set(error, ERROR_INVALID, "policy_empty", path,
                         "the policy folder `%s` has no *.yaml file; start from one in "
                         "policy/examples",
                         path);
    }
    qsort(names, count, sizeof *names, compare_names);
    *out_names = names;
    *out_count = count;
    return true;
}

bool config_read_policy(const char *folder, struct arena *arena, struct policy_file **out_files,
                        size_t *out_count, const char **out_json, struct error *error)
{
    const char **names = NULL;
    size_t count = 0;
    if (!list_names(folder, arena, &names, &count, error)) {
        return false;
    }
    struct policy_file *files = arena_array(arena, count, sizeof *files);
    struct builder json BUILDER_SCOPE;
    builder_init(&json, 0);
    builder_char(&json, '{');
    for (size_t i = 0; i < count; i++) {
        char *bytes;
        size_t length;
        const char *path = arena_printf(arena, "%s/%s", folder, names[i]);
        if (!config_read_file(path, 256 * 1024, arena, &bytes, &length, error)) {
            return false;
        }
        if (!text_is_utf8(bytes, length)) {
            return error_set(error, ERROR_INVALID, "not_utf8", path,
                             "`%s` is not UTF-8: save it as UTF-8", path);
        }
        files[i] = (struct policy_file){.name = names[i], .bytes = bytes, .length = length};
        builder_text(&json, i == 0 ? "" : ",");
        canonical_append_string(&json, names[i], strlen(names[i]));
        builder_char(&json, ':');
        canonical_append_string(&json, bytes, length);
    }
    builder_char(&json, '}');
    CHECK(!builder_failed(&json));
    *out_files = files;
    *out_count = count;
    *out_json = arena_copy(arena, json.bytes, json.length);
    return true;
}
