#ifndef CEL_ZONE_H
#define CEL_ZONE_H

/*
 * Time zones without I/O: the system's IANA rules are compiled in when the program is built
 * (script/embed-zones), so that one binary answers the same for ever. A build without tzdata knows
 * UTC and fixed offsets alone. docs/decisions has the page.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cel_zone {
    const unsigned char *rules; /* TZif; NULL for a fixed offset */
    size_t length;
    int32_t fixed_seconds; /* east of UTC */
};

/* "Europe/Berlin", "UTC", "", "+05:30", "-03:00", "02:00". False when there is no such zone. */
bool cel_zone_find(const char *name, size_t length, struct cel_zone *out);
/* Seconds east of UTC at an instant. False when the rules are damaged. */
bool cel_zone_offset(const struct cel_zone *zone, int64_t at, int32_t *out_seconds);
/* The release of the rules, "2026f"; empty when there are none. */
const char *cel_zone_version(void);

/* What script/embed-zones writes, in order of names. */
struct cel_zone_row {
    const char *name;
    uint32_t offset, length; /* in cel_zone_bytes */
};
extern const struct cel_zone_row cel_zone_rows[];
extern const size_t cel_zone_count;
extern const unsigned char cel_zone_bytes[];
extern const char cel_zone_release[];

/* A TZif file of version 2 or later without its first block (RFC 9636 section 3). Bytes may be
 * anything. */
bool cel_zone_read_rules(const unsigned char *bytes, size_t length, int64_t at,
                         int32_t *out_seconds);
/* A POSIX TZ string: "CET-1CEST,M3.5.0,M10.5.0/3" (RFC 9636 section 3.3.1). */
bool cel_zone_read_footer(const char *text, size_t length, int64_t at, int32_t *out_seconds);

#endif
