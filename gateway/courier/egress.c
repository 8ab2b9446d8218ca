#include "courier/courier.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which addresses a channel may reach. Deny is the default: only what is known to be public passes,
 * and what the configuration allows. */

static const unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Not the public internet: IANA's special-purpose blocks for IPv4, and Azure's host channel. */
static const char *const denied_ipv4[] = {
    "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.0.2.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",   "168.63.129.16/32",
};
/* Of 2000::/3, the only block of IPv6 that is public: protocols (Teredo, which can stand for an
 * IPv4 address, benchmarks, ORCHID), documentation twice, 6to4 (which stands for an IPv4 address
 * too). */
static const char *const denied_ipv6[] = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

bool courier_read_network(const char *text, struct courier_network *out, struct error *error)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char *end = NULL;
    long bits = slash == NULL ? -1 : strtol(slash + 1, &end, 10);
    bool is_ipv4 = memchr(text, ':', length) == NULL;
    if (length < sizeof address && (slash == NULL || (*end == '\0' && end != slash + 1 &&
                                                      bits >= 0 && bits <= (is_ipv4 ? 32 : 128)))) {
        memcpy(address, text, length);
        address[length] = '\0';
        memcpy(out->address, mapped_prefix, sizeof mapped_prefix);
        if (inet_pton(is_ipv4 ? AF_INET : AF_INET6, address,
                      is_ipv4 ? out->address + 12 : out->address) == 1) {
            out->bits = (int)(slash == NULL ? 128 : bits + (is_ipv4 ? 96 : 0));
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "bad_network", text,
                     "`%s` is not an address block such as 10.0.0.0/8 or fd00::/8", text);
}

bool courier_is_within(const struct courier_network *network, const unsigned char address[16])
{
    size_t whole = (size_t)network->bits / 8;
    int rest = network->bits % 8;
    if (memcmp(address, network->address, whole) != 0) {
        return false;
    }
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    return rest == 0 || (address[whole] & mask) == (network->address[whole] & mask);
}

static bool is_in_any(const unsigned char address[16], const char *const *networks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct courier_network network;
        struct error ignored = {0};
        if (!courier_read_network(networks[i], &network, &ignored) ||
            courier_is_within(&network, address)) {
            return true;
        }
    }
    return false;
}

static bool is_public(const unsigned char address[16])
{
    if (memcmp(address, mapped_prefix, sizeof mapped_prefix) == 0) {
        return !is_in_any(address, denied_ipv4, sizeof denied_ipv4 / sizeof denied_ipv4[0]);
    }
    return (address[0] & 0xe0) == 0x20 &&
           !is_in_any(address, denied_ipv6, sizeof denied_ipv6 / sizeof denied_ipv6[0]);
}

bool courier_may_reach(const struct courier_channel *channel, const unsigned char address[16])
{
    for (size_t i = 0; i < channel->allowed_count; i++) {
        if (courier_is_within(&channel->allowed[i], address)) {
            return true;
        }
    }
    return is_public(address);
}
