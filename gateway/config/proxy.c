#include "config/channel_internal.h"

#include <string.h>

/* Through which proxy this gateway reaches others: one for all that leaves, but for hosts that need
 * none, and another or none for one channel or issuer. */

enum { NO_PROXY_MOST = 64, HOST_BYTES_MAX = 255 };

static bool check_proxy(const struct channel_reading *reading, const struct yaml_node *node,
                        const char *proxy, bool is_from_file)
{
    bool is_known = strncmp(proxy, "http://", 7) == 0 || strncmp(proxy, "https://", 8) == 0 ||
                    strncmp(proxy, "socks5h://", 10) == 0;
    if (!is_known || strpbrk(proxy, " \t\r\n") != NULL) {
        return yaml_fail(reading->file, node, reading->error, "bad_url",
                         "write `proxy: http://proxy.example.com:3128`, or https:// or "
                         "socks5h://, or `none` for a channel that needs none");
    }
    return is_from_file || strchr(proxy, '@') == NULL ||
           yaml_fail(reading->file, node, reading->error, "bad_url",
                     "a password does not belong here: put the whole address into a file and "
                     "write `proxy_file`");
}

/* `*out` stays NULL where nothing is said; `*out_is_none` with the word `none`. */
static bool read_proxy(const struct channel_reading *reading, const char **out, bool *out_is_none)
{
    const struct yaml_node *node = yaml_member(reading->node, "proxy");
    const struct yaml_node *file = yaml_member(reading->node, "proxy_file");
    const char *proxy = NULL;
    *out_is_none = false;
    if (node != NULL && file != NULL) {
        return yaml_fail(reading->file, file, reading->error, "bad_url",
                         "write `proxy` or `proxy_file`, not both");
    }
    if (!channel_read_text(reading, "proxy", &proxy) ||
        !channel_read_secret(reading, "proxy_file", &proxy)) {
        return false;
    }
    *out_is_none = file == NULL && proxy != NULL && strcmp(proxy, "none") == 0;
    *out = *out_is_none ? NULL : proxy;
    return *out == NULL || check_proxy(reading, node != NULL ? node : file, proxy, file != NULL);
}

bool config_read_own_proxy(const char *file, const struct yaml_node *node, struct arena *arena,
                           struct courier_channel *out, struct error *error)
{
    struct channel_reading reading = {.file = file, .node = node, .arena = arena, .error = error};
    return read_proxy(&reading, &out->proxy, &out->needs_no_proxy);
}

/* A host, `.example.com` for all below it, or a block of addresses. */
static bool is_spared_host(const char *text)
{
    struct courier_network network;
    struct error ignored = {0};
    size_t length = strlen(text);
    bool is_name =
        length > 0 && length <= HOST_BYTES_MAX && strstr(text, "..") == NULL &&
        strcmp(text, ".") != 0 &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == length;
    return is_name || courier_read_network(text, &network, &ignored);
}

static bool read_spared(const struct channel_reading *reading, const char *const **out,
                        size_t *out_count)
{
    const struct yaml_node *node = yaml_member(reading->node, "no_proxy");
    if (!channel_read_list(reading, "no_proxy", out, out_count)) {
        return false;
    }
    if (*out_count > NO_PROXY_MOST) {
        return yaml_fail(reading->file, node, reading->error, "too_many", "at most %d hosts",
                         NO_PROXY_MOST);
    }
    for (size_t i = 0; i < *out_count; i++) {
        if (!is_spared_host((*out)[i])) {
            return yaml_fail(reading->file, node, reading->error, "bad_host",
                             "`%s` is not a host, `.example.com` for all below it, or a block of "
                             "addresses such as 10.0.0.0/8",
                             (*out)[i]);
        }
    }
    return true;
}

static void give(struct courier_channel *channel, const char *proxy, const char *const *spared,
                 size_t count)
{
    if (channel->proxy == NULL && !channel->needs_no_proxy) {
        channel->proxy = proxy;
        channel->spared = spared;
        channel->spared_count = count;
    }
}

bool config_read_proxy(const char *file, const struct yaml_node *root, struct arena *arena,
                       struct config *config, struct error *error)
{
    struct channel_reading reading = {.file = file, .node = root, .arena = arena, .error = error};
    const char *proxy = NULL;
    const char *const *spared = NULL;
    size_t count = 0;
    bool is_none = false;
    if (!read_proxy(&reading, &proxy, &is_none) || !read_spared(&reading, &spared, &count)) {
        return false;
    }
    if (count > 0 && proxy == NULL) {
        return yaml_fail(file, yaml_member(root, "no_proxy"), error, "missing_key",
                         "`no_proxy` says who is reached without the `proxy`: there is none");
    }
    for (size_t i = 0; i < config->channel_count; i++) {
        give(&config->channels[i], proxy, spared, count);
    }
    for (size_t i = 0; i < TRUST_ISSUERS_MAX; i++) {
        give(&config->sources[i].reach, proxy, spared, count);
    }
    return true;
}
