#include "notifiers/teams/teams_place.h"

#include <string.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* A URL taken apart; the parts lie in it. */
struct place {
    const char *host;     /* with its port */
    size_t origin_length; /* scheme, host and port */
    size_t host_length;
    bool is_https;
};

static bool read_place(const char *url, struct place *out)
{
    bool is_https = strncmp(url, "https://", 8) == 0;
    if ((!is_https && strncmp(url, "http://", 7) != 0) ||
        strlen(url) > TEAMS_SERVICE_URL_BYTES_MAX) {
        return false;
    }
    out->is_https = is_https;
    out->host = url + (is_https ? 8 : 7);
    out->host_length = strspn(out->host, LETTERS_AND_DIGITS ".-:");
    out->origin_length = (size_t)(out->host - url) + out->host_length;
    const char *path = url + out->origin_length;
    return out->host_length > 0 && (path[0] == '\0' || path[0] == '/') &&
           path[strspn(path, LETTERS_AND_DIGITS ".-_~/")] == '\0' && strstr(path, "..") == NULL;
}

static bool is_host(const struct place *place, const char *host)
{
    return place->host_length == strlen(host) &&
           strncmp(place->host, host, place->host_length) == 0;
}

/* With no port: behind a colon the suffix would be one of nobody's, and the host another's. */
static bool is_below(const struct place *place, const char *suffix)
{
    size_t length = strlen(suffix);
    return place->host_length > length && memchr(place->host, ':', place->host_length) == NULL &&
           strncmp(place->host + place->host_length - length, suffix, length) == 0;
}

bool teams_may_serve(const char *service_url, const char *configured)
{
    struct place place, own;
    if (!read_place(service_url, &place)) {
        return false;
    }
    if (place.is_https &&
        (is_host(&place, "smba.trafficmanager.net") || is_below(&place, ".botframework.com"))) {
        return true;
    }
    return configured != NULL && read_place(configured, &own) &&
           own.origin_length == place.origin_length &&
           strncmp(service_url, configured, own.origin_length) == 0;
}

bool teams_is_conversation(const char *conversation)
{
    size_t length = strlen(conversation);
    return length > 2 && length <= TEAMS_CONVERSATION_BYTES_MAX &&
           strchr(conversation, ':') != NULL &&
           strspn(conversation, LETTERS_AND_DIGITS ":@._-=") == length;
}
