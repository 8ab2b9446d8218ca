#include "courier/courier.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* Who is reached through the proxy. Decided here and not by libcurl, so that what goes around the
 * proxy is held to the rules for addresses. */

enum { HOST_BYTES = 256 };

/* The host of a URL without brackets, port and a final dot; false when it has none that fits. */
static bool host_of(const char *url, char out[HOST_BYTES])
{
    const char *host = strstr(url, "://");
    if (host == NULL) {
        return false;
    }
    host += 3;
    bool is_literal = *host == '[';
    host += is_literal;
    size_t length = strcspn(host, is_literal ? "]" : ":/?#");
    length -= length > 0 && host[length - 1] == '.';
    if (length == 0 || length >= HOST_BYTES) {
        return false;
    }
    memcpy(out, host, length);
    out[length] = '\0';
    return true;
}

static bool is_in_block(const char *host, const char *text)
{
    struct courier_network network;
    struct error ignored = {0};
    unsigned char address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool is_address =
        inet_pton(AF_INET, host, address + 12) == 1 || inet_pton(AF_INET6, host, address) == 1;
    return is_address && courier_read_network(text, &network, &ignored) &&
           courier_is_within(&network, address);
}

static bool is_spared(const char *host, const char *spared)
{
    size_t length = strlen(host);
    size_t tail = strlen(spared);
    if (spared[0] == '.') {
        return length > tail && strcasecmp(host + length - tail, spared) == 0;
    }
    return strcasecmp(host, spared) == 0 || is_in_block(host, spared);
}

const char *courier_proxy_for(const struct courier_channel *channel, const char *url)
{
    char host[HOST_BYTES];
    if (channel->proxy == NULL || channel->spared_count == 0 || !host_of(url, host)) {
        return channel->proxy;
    }
    for (size_t i = 0; i < channel->spared_count; i++) {
        if (is_spared(host, channel->spared[i])) {
            return NULL;
        }
    }
    return channel->proxy;
}
