#include "courier/egress_internal.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Debian compiles a certificate folder in, which switches libcurl's cache of certificates off (24
 * ms of CPU a connection); so the bundle is named and the folder unset. */
static const char system_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

/* The address as resolved, on the very socket that would be opened: a name that changes its mind
 * cannot slip through. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct egress *egress = context;
    unsigned char plain[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    (void)purpose;
    if (address->family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, &address->addr, sizeof ipv4);
        memcpy(plain + 12, &ipv4.sin_addr, 4);
    } else if (address->family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, &address->addr, sizeof ipv6);
        memcpy(plain, &ipv6.sin6_addr, 16);
    } else {
        egress->was_denied = true;
        return CURL_SOCKET_BAD;
    }
    /* A proxy that the configuration names is where it is; what may be reached through it is its to
     * say. */
    if (!egress->is_proxied && !courier_may_reach(egress->channel, plain)) {
        egress->was_denied = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void egress_guard(struct egress *egress, CURL *curl, const char *url)
{
    const struct courier_channel *channel = egress->channel;
    const char *proxy = courier_proxy_for(channel, url);
    egress->is_proxied = proxy != NULL;
    curl_easy_setopt(curl, CURLOPT_PROXY, proxy == NULL ? "" : proxy);
    curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, system_bundle);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, ""); /* else the environment's says who needs none */
    /* A name that is still being looked up is left to itself: libcurl would wait for the answer,
     * and everything else with it. */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, egress);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_CAINFO,
                     channel->ca_file == NULL ? system_bundle : channel->ca_file);
}

static int stop_if_told(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const atomic_bool *must_stop = context;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(must_stop) ? 1 : 0;
}

void egress_stop_when(CURL *curl, const atomic_bool *must_stop)
{
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_if_told);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)must_stop);
}

/* RFC 9110 section 10.2.3: seconds, or a date. -1 when it is neither. */
static int64_t read_seconds(const char *value, int64_t now_ms)
{
    enum { DIGITS_MAX = 12 };
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0') {
        return digits > DIGITS_MAX ? -1 : (int64_t)strtoll(value, NULL, 10);
    }
    time_t at = curl_getdate(value, NULL);
    return at < 0 ? -1 : (int64_t)at - now_ms / 1000;
}

/* Read here, since newer versions of libcurl make six hours of whatever is longer. */
int64_t egress_pause_ms(CURL *curl)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(curl, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return 0;
    }
    int64_t seconds = read_seconds(header->value, clock_wall_ms());
    return seconds > 0 && seconds <= EGRESS_PAUSE_MS_MAX / 1000 ? seconds * 1000 : 0;
}
