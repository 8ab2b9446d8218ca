#include "notifiers/webhook/task_callback.h"

#include "notifiers/notifier.h"
#include <string.h>
#include <strings.h>

/* What RFC 3986 lets stand in a path and a query, and nothing that two readers could take for the
 * end of a host. */
static const char path_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-._~!$&'()*+,;=:@/?%";

bool task_callback_allows(const char *endpoint, const char *const *hosts, size_t host_count,
                          bool allows_http)
{
    size_t scheme = strncmp(endpoint, "https://", 8) == 0                 ? 8
                    : allows_http && strncmp(endpoint, "http://", 7) == 0 ? 7
                                                                          : 0;
    const char *host = endpoint + scheme;
    size_t length = strcspn(host, "/?");
    if (scheme == 0 || strlen(endpoint) > TASK_CALLBACK_ENDPOINT_BYTES_MAX ||
        host[length + strspn(host + length, path_bytes)] != '\0') {
        return false;
    }
    for (size_t i = 0; i < host_count; i++) {
        if (strlen(hosts[i]) == length && strncasecmp(hosts[i], host, length) == 0) {
            return true;
        }
    }
    return false;
}

bool task_callback_is_host(const char *text)
{
    size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    const char *port = text + name;
    size_t digits = port[0] == ':' ? strspn(port + 1, "0123456789") : 0;
    return name > 0 && name < 254 &&
           (port[0] == '\0' ||
            (port[0] == ':' && digits > 0 && digits < 6 && port[1 + digits] == '\0'));
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct notifier_channel reached = *channel;
    if (notice->to == NULL) {
        return error_set(error, ERROR_INTERNAL, "no_endpoint", notice->id,
                         "the callback `%s` has no endpoint", notice->id);
    }
    reached.url = notice->to;
    return webhook_notifier.compose(&reached, notice, now, arena, out, error);
}

static void judge(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out)
{
    webhook_notifier.judge(channel, notice, reply, arena, out);
}

const struct notifier task_callback_notifier = {
    .kind = "callback", .calls_back = true, .compose = compose, .judge = judge};
