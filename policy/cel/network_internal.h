#ifndef CEL_NETWORK_INTERNAL_H
#define CEL_NETWORK_INTERNAL_H

/* IP addresses and CIDR ranges without a run, read as strictly as Kubernetes and cel-go do: no
 * leading zeros, no zones, no IPv4-mapped addresses in any spelling. */

#include "policy/cel/cel.h"

enum { CEL_NETWORK_TEXT_MAX = 48 };

enum cel_network_problem {
    CEL_NETWORK_MALFORMED = 0,
    CEL_NETWORK_ZONE,
    CEL_NETWORK_MAPPED,
    CEL_NETWORK_FINE,
};

/* prefix_bits is that of a single address after cel_network_read_ip. */
enum cel_network_problem cel_network_read_ip(const char *text, size_t length,
                                             struct cel_network *out);
enum cel_network_problem cel_network_read_cidr(const char *text, size_t length,
                                               struct cel_network *out);
/* The one canonical spelling (RFC 5952). Returns the length. */
size_t cel_network_print_ip(char out[CEL_NETWORK_TEXT_MAX], const struct cel_network *ip);
size_t cel_network_print_cidr(char out[CEL_NETWORK_TEXT_MAX], const struct cel_network *cidr);
/* Whether the first prefix_bits of the range are those of the address. */
bool cel_network_contains(const struct cel_network *cidr, const struct cel_network *ip);
void cel_network_mask(const struct cel_network *cidr, struct cel_network *out);

bool cel_network_is_unspecified(const struct cel_network *ip);
bool cel_network_is_loopback(const struct cel_network *ip);
bool cel_network_is_link_local_unicast(const struct cel_network *ip);
bool cel_network_is_link_local_multicast(const struct cel_network *ip);
bool cel_network_is_global_unicast(const struct cel_network *ip);

#endif
