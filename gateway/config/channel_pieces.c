#include "config/channel_internal.h"

#include <string.h>
#include <sys/stat.h>

/* What the kinds of channels read alike. */

enum { SECRET_FILE_BYTES_MAX = 4096 };

bool channel_read_text(const struct channel_reading *reading, const char *key, const char **out)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    return node == NULL || yaml_read_text(reading->file, node, out, reading->error);
}

/* Absent: `*out` stays NULL. */
bool channel_read_list(const struct channel_reading *reading, const char *key,
                       const char *const **out, size_t *out_count)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    const char **texts = NULL;
    if (node == NULL) {
        return true;
    }
    if (!yaml_read_texts(reading->file, node, true, reading->arena, &texts, out_count,
                         reading->error)) {
        return false;
    }
    *out = texts;
    return true;
}

bool channel_missing(const struct channel_reading *reading, const char *message)
{
    return yaml_fail(reading->file, reading->node, reading->error, "missing_key", "%s", message);
}

/* What only this process may read. */
bool channel_read_secret_file(const struct channel_reading *reading, const struct yaml_node *node,
                              const char *path, char **out, size_t *out_length)
{
    struct stat about;
    struct error cause = {0};
    if (!config_read_file(path, SECRET_FILE_BYTES_MAX, reading->arena, out, out_length, &cause)) {
        return yaml_fail(reading->file, node, reading->error, "secret_file", "%s", cause.message);
    }
    if (stat(path, &about) == 0 && (about.st_mode & 077) != 0) {
        return yaml_fail(reading->file, node, reading->error, "secret_file",
                         "others can read `%s`: chmod 600 it", path);
    }
    return true;
}

/* A file of one line: a password, a token, an address that holds one. */
bool channel_read_secret_line(const struct channel_reading *reading, const struct yaml_node *node,
                              const char *path, const char **out)
{
    char *bytes = NULL;
    size_t length = 0;
    if (!channel_read_secret_file(reading, node, path, &bytes, &length)) {
        return false;
    }
    bytes[strcspn(bytes, "\r\n")] = '\0';
    if (bytes[0] == '\0' || strlen(bytes) + 2 < length) {
        return yaml_fail(reading->file, node, reading->error, "secret_file",
                         "`%s` must hold one line and nothing else", path);
    }
    *out = bytes;
    return true;
}

/* `key` names such a file; absent: `*out` stays NULL. */
bool channel_read_secret(const struct channel_reading *reading, const char *key, const char **out)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    const char *path = NULL;
    return node == NULL || (yaml_read_text(reading->file, node, &path, reading->error) &&
                            channel_read_secret_line(reading, node, path, out));
}

bool channel_read_allowance(const struct channel_reading *reading, const char *key)
{
    const struct yaml_node *node = yaml_member(reading->node, key);
    return node == NULL ||
           yaml_read_bool(reading->file, node, &reading->out->allows_http, reading->error);
}

/* `url`, or `url_file` where the address itself is a secret. */
bool channel_read_url(const struct channel_reading *reading)
{
    struct notifier_channel *channel = &reading->out->channel;
    const struct yaml_node *file_node = yaml_member(reading->node, "url_file");
    if (!channel_read_allowance(reading, "allow_http") ||
        !channel_read_text(reading, "url", &channel->url) ||
        !channel_read_secret(reading, "url_file", &channel->url)) {
        return false;
    }
    if (file_node != NULL && yaml_member(reading->node, "url") != NULL) {
        return yaml_fail(reading->file, file_node, reading->error, "bad_url",
                         "write `url` or `url_file`, not both");
    }
    return config_check_url(reading->file, reading->node, reading->out, "url", reading->error);
}
