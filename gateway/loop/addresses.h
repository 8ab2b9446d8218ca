#ifndef LOOP_ADDRESSES_H
#define LOOP_ADDRESSES_H

/* How many connections each peer address has: an IPv4 address, or the /64 of an IPv6 one, since
 * one host commonly owns all of that. Internal to the room. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESSES_BUCKETS = 4096 };

struct address_count;

struct addresses {
    uint64_t seed; /* spreads addresses in a way the peers cannot aim at */
    struct address_count *buckets[ADDRESSES_BUCKETS];
};

/* 0 for addresses that are not counted (unix sockets). */
uint64_t addresses_key(const struct sockaddr *address);
/* Counts one more unless that would pass `max`. */
bool addresses_enter(struct addresses *addresses, uint64_t key, int max);
void addresses_leave(struct addresses *addresses, uint64_t key);

#endif
