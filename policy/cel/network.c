#include "policy/cel/network_internal.h"
#include <stdio.h>
#include <string.h>

enum { GROUPS = 8, BYTES_4 = 4, BYTES_6 = 16 };

/* "0" to "255" without leading zeros; four of them. */
static bool read_4(const char *text, size_t length, uint8_t out[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t start = at;
        int number = 0;
        for (; at < length && at - start < 3 && text[at] >= '0' && text[at] <= '9'; at++) {
            number = number * 10 + text[at] - '0';
        }
        if (at == start || number > 255 || (at - start > 1 && text[start] == '0')) {
            return false;
        }
        out[i] = (uint8_t)number;
        if (i < 3 && (at == length || text[at++] != '.')) {
            return false;
        }
    }
    return at == length;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Digits of one group; their number. */
static size_t read_group(const char *text, size_t length, int *out)
{
    size_t at = 0;
    *out = 0;
    for (; at < length && at < 4 && hex_digit(text[at]) >= 0; at++) {
        *out = *out * 16 + hex_digit(text[at]);
    }
    return at;
}

/* What stands before and after `::`: both are filled from the front. */
struct groups {
    uint8_t bytes[BYTES_6];
    size_t used;
    size_t gap; /* bytes before `::`, or BYTES_6 + 1 when there is none */
};

/* The groups of RFC 4291 section 2.2, the last two perhaps in dotted form. */
static bool read_groups(const char *text, size_t length, struct groups *out)
{
    size_t at = 0;
    if (length >= 2 && text[0] == ':' && text[1] == ':') {
        out->gap = 0;
        at = 2;
    }
    while (at < length) {
        int group;
        size_t digits = read_group(text + at, length - at, &group);
        if (digits == 0 || out->used > BYTES_6 - 2) {
            return false;
        }
        if (at + digits < length && text[at + digits] == '.') {
            bool fits = out->used <= BYTES_6 - BYTES_4;
            if (!fits || !read_4(text + at, length - at, out->bytes + out->used)) {
                return false;
            }
            out->used += BYTES_4;
            return true;
        }
        out->bytes[out->used++] = (uint8_t)(group >> 8);
        out->bytes[out->used++] = (uint8_t)group;
        at += digits;
        if (at == length) {
            return true;
        }
        if (text[at++] != ':' || at == length) {
            return false;
        }
        if (text[at] == ':') {
            if (out->gap <= BYTES_6) {
                return false;
            }
            out->gap = out->used;
            at++;
        }
    }
    return true;
}

static bool read_6(const char *text, size_t length, uint8_t out[BYTES_6])
{
    struct groups groups = {.gap = BYTES_6 + 1};
    memset(out, 0, BYTES_6);
    if (!read_groups(text, length, &groups)) {
        return false;
    }
    if (groups.gap > BYTES_6) {
        memcpy(out, groups.bytes, BYTES_6);
        return groups.used == BYTES_6;
    }
    size_t after = groups.used - groups.gap;
    memcpy(out, groups.bytes, groups.gap);
    memcpy(out + BYTES_6 - after, groups.bytes + groups.gap, after);
    return groups.used < BYTES_6; /* `::` stands for one group at least */
}

enum cel_network_problem cel_network_read_ip(const char *text, size_t length,
                                             struct cel_network *out)
{
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    *out = (struct cel_network){.family = 4, .prefix_bits = 32};
    const char *zone = memchr(text, '%', length);
    if (zone != NULL) {
        bool is_address = read_6(text, (size_t)(zone - text), out->bytes);
        return is_address ? CEL_NETWORK_ZONE : CEL_NETWORK_MALFORMED;
    }
    if (memchr(text, ':', length) == NULL) {
        return read_4(text, length, out->bytes) ? CEL_NETWORK_FINE : CEL_NETWORK_MALFORMED;
    }
    out->family = 6;
    out->prefix_bits = 128;
    if (!read_6(text, length, out->bytes)) {
        return CEL_NETWORK_MALFORMED;
    }
    return memcmp(out->bytes, mapped, sizeof mapped) == 0 ? CEL_NETWORK_MAPPED : CEL_NETWORK_FINE;
}

static bool read_bits(const char *text, size_t length, int most, uint8_t *out)
{
    int bits = 0;
    if (length == 0 || length > 3 || (length > 1 && text[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        bits = bits * 10 + text[i] - '0';
    }
    *out = (uint8_t)bits;
    return bits <= most;
}

enum cel_network_problem cel_network_read_cidr(const char *text, size_t length,
                                               struct cel_network *out)
{
    const char *slash = memchr(text, '/', length);
    if (slash == NULL) {
        return CEL_NETWORK_MALFORMED;
    }
    enum cel_network_problem problem = cel_network_read_ip(text, (size_t)(slash - text), out);
    const char *bits = slash + 1;
    if (problem == CEL_NETWORK_FINE &&
        !read_bits(bits, length - (size_t)(bits - text), out->prefix_bits, &out->prefix_bits)) {
        return CEL_NETWORK_MALFORMED;
    }
    return problem;
}

/* The longest run of two or more zero groups, the first of equals: what `::` stands for. */
static void find_gap(const uint8_t *bytes, int *out_start, int *out_count)
{
    *out_start = -1;
    *out_count = 1;
    for (int i = 0; i < GROUPS; i++) {
        int run = 0;
        while (i + run < GROUPS && bytes[2 * (i + run)] == 0 && bytes[2 * (i + run) + 1] == 0) {
            run++;
        }
        if (run > *out_count) {
            *out_start = i;
            *out_count = run;
        }
    }
}

size_t cel_network_print_ip(char out[CEL_NETWORK_TEXT_MAX], const struct cel_network *ip)
{
    const uint8_t *bytes = ip->bytes;
    if (ip->family == 4) {
        return (size_t)snprintf(out, CEL_NETWORK_TEXT_MAX, "%d.%d.%d.%d", bytes[0], bytes[1],
                                bytes[2], bytes[3]);
    }
    int start, count;
    find_gap(bytes, &start, &count);
    size_t length = 0;
    for (int i = 0; i < GROUPS; i++) {
        if (i == start) {
            memcpy(out + length, "::", 3);
            length += 2;
            i += count - 1;
            continue;
        }
        const char *colon = i == 0 || out[length - 1] == ':' ? "" : ":";
        length += (size_t)snprintf(out + length, CEL_NETWORK_TEXT_MAX - length, "%s%x", colon,
                                   bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    return length;
}

size_t cel_network_print_cidr(char out[CEL_NETWORK_TEXT_MAX], const struct cel_network *cidr)
{
    size_t length = cel_network_print_ip(out, cidr);
    return length +
           (size_t)snprintf(out + length, CEL_NETWORK_TEXT_MAX - length, "/%d", cidr->prefix_bits);
}

void cel_network_mask(const struct cel_network *cidr, struct cel_network *out)
{
    *out = *cidr;
    for (int i = 0; i < BYTES_6; i++) {
        int kept = cidr->prefix_bits - 8 * i;
        if (kept < 8) {
            out->bytes[i] &= (uint8_t)(kept <= 0 ? 0 : 0xff << (8 - kept));
        }
    }
}

bool cel_network_contains(const struct cel_network *cidr, const struct cel_network *ip)
{
    struct cel_network wanted, given = *ip;
    cel_network_mask(cidr, &wanted);
    given.prefix_bits = cidr->prefix_bits;
    cel_network_mask(&given, &given);
    return cidr->family == ip->family && memcmp(wanted.bytes, given.bytes, BYTES_6) == 0;
}

static bool is_zero_until(const struct cel_network *ip, int last)
{
    for (int i = 0; i < last; i++) {
        if (ip->bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool cel_network_is_unspecified(const struct cel_network *ip)
{
    return is_zero_until(ip, BYTES_6); /* the bytes a family 4 address does not use are zero */
}

bool cel_network_is_loopback(const struct cel_network *ip)
{
    return ip->family == 4 ? ip->bytes[0] == 127
                           : is_zero_until(ip, BYTES_6 - 1) && ip->bytes[BYTES_6 - 1] == 1;
}

static bool is_multicast(const struct cel_network *ip)
{
    return ip->family == 4 ? (ip->bytes[0] & 0xf0) == 0xe0 : ip->bytes[0] == 0xff;
}

bool cel_network_is_link_local_unicast(const struct cel_network *ip)
{
    return ip->family == 4 ? ip->bytes[0] == 169 && ip->bytes[1] == 254
                           : ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool cel_network_is_link_local_multicast(const struct cel_network *ip)
{
    return ip->family == 4 ? ip->bytes[0] == 224 && ip->bytes[1] == 0 && ip->bytes[2] == 0
                           : ip->bytes[0] == 0xff && (ip->bytes[1] & 0x0f) == 0x02;
}

bool cel_network_is_global_unicast(const struct cel_network *ip)
{
    static const uint8_t broadcast[] = {255, 255, 255, 255};
    return !cel_network_is_unspecified(ip) && !cel_network_is_loopback(ip) && !is_multicast(ip) &&
           !cel_network_is_link_local_unicast(ip) &&
           !(ip->family == 4 && memcmp(ip->bytes, broadcast, BYTES_4) == 0);
}
