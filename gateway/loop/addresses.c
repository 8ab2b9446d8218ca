#include "loop/addresses.h"

#include "base/check.h"
#include "base/memory.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct address_count {
    struct address_count *next;
    uint64_t key;
    int count;
};

/* IPv4 addresses, also those mapped into IPv6, get keys no /64 in use can have. */
static uint64_t ipv4_key(const unsigned char bytes[4])
{
    uint32_t address;
    memcpy(&address, bytes, sizeof(address));
    return UINT64_C(0xffff000000000000) | address;
}

uint64_t addresses_key(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof(ipv4));
        return ipv4_key((const unsigned char *)&ipv4.sin_addr);
    }
    if (address->sa_family != AF_INET6) {
        return 0;
    }
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, address, sizeof(ipv6));
    if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
        return ipv4_key(ipv6.sin6_addr.s6_addr + 12);
    }
    uint64_t prefix;
    memcpy(&prefix, ipv6.sin6_addr.s6_addr, sizeof(prefix));
    return prefix == 0 ? 1 : prefix; /* ::1 */
}

static struct address_count **find(struct addresses *addresses, uint64_t key)
{
    uint64_t mixed = (key ^ addresses->seed) * UINT64_C(0x9e3779b97f4a7c15);
    struct address_count **place = &addresses->buckets[mixed >> 52];
    while (*place != NULL && (*place)->key != key) {
        place = &(*place)->next;
    }
    return place;
}

bool addresses_enter(struct addresses *addresses, uint64_t key, int max)
{
    if (key == 0) {
        return true;
    }
    struct address_count **place = find(addresses, key);
    if (*place == NULL) {
        *place = memory_zeroed(1, sizeof(**place));
        (*place)->key = key;
    }
    if ((*place)->count >= max) {
        return false;
    }
    (*place)->count++;
    return true;
}

void addresses_leave(struct addresses *addresses, uint64_t key)
{
    if (key == 0) {
        return;
    }
    struct address_count **place = find(addresses, key);
    struct address_count *count = *place;
    CHECK(count != NULL && count->count > 0);
    if (--count->count == 0) {
        *place = count->next;
        free(count);
    }
}
