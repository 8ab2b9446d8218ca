#include "policy/cel/zone.h"
#include <string.h>

/* RFC 9636 section 3.1 and 3.2. */
enum { HEADER_BYTES = 44, COUNTS_AT = 20, TIME_BYTES = 8, TYPE_BYTES = 6, LEAP_BYTES = 12 };

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* "+HH:MM", "-HH:MM" or "HH:MM". */
static bool read_fixed(const char *name, size_t length, int32_t *out_seconds)
{
    bool has_sign = length > 0 && (name[0] == '+' || name[0] == '-');
    const char *text = name + has_sign;
    if (length != 5u + has_sign || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) ||
        !is_digit(text[3]) || !is_digit(text[4])) {
        return false;
    }
    int hours = (text[0] - '0') * 10 + text[1] - '0';
    int minutes = (text[3] - '0') * 10 + text[4] - '0';
    *out_seconds = (hours * 3600 + minutes * 60) * (name[0] == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

static int compare_names(const char *name, size_t length, const char *other)
{
    int order = strncmp(name, other, length);
    return order != 0 || other[length] == '\0' ? order : -1;
}

bool cel_zone_find(const char *name, size_t length, struct cel_zone *out)
{
    *out = (struct cel_zone){0};
    if (length == 0 || (length == 3 && memcmp(name, "UTC", 3) == 0)) {
        return true;
    }
    if (memchr(name, ':', length) != NULL) {
        return read_fixed(name, length, &out->fixed_seconds);
    }
    size_t low = 0, high = memchr(name, '\0', length) == NULL ? cel_zone_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct cel_zone_row *row = &cel_zone_rows[middle];
        int order = compare_names(name, length, row->name);
        if (order == 0) {
            out->rules = cel_zone_bytes + row->offset;
            out->length = row->length;
            return true;
        }
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return false;
}

bool cel_zone_offset(const struct cel_zone *zone, int64_t at, int32_t *out_seconds)
{
    *out_seconds = zone->fixed_seconds;
    return zone->rules == NULL || cel_zone_read_rules(zone->rules, zone->length, at, out_seconds);
}

const char *cel_zone_version(void)
{
    return cel_zone_release;
}

static uint32_t read_32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t read_64(const unsigned char *bytes)
{
    return (int64_t)((uint64_t)read_32(bytes) << 32 | read_32(bytes + 4));
}

/* Where the parts of a file are. */
struct parts {
    size_t time_count, type_count;
    const unsigned char *times, *indices, *types;
    const char *footer;
    size_t footer_length;
};

static bool find_parts(const unsigned char *bytes, size_t length, struct parts *out)
{
    if (length < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) {
        return false;
    }
    uint64_t counts[6]; /* ut, standard, leap, time, type, characters */
    for (size_t i = 0; i < 6; i++) {
        counts[i] = read_32(bytes + COUNTS_AT + 4 * i);
    }
    uint64_t body = counts[3] * (TIME_BYTES + 1) + counts[4] * TYPE_BYTES + counts[5] +
                    counts[2] * LEAP_BYTES + counts[1] + counts[0];
    if (counts[4] == 0 || body > length - HEADER_BYTES) {
        return false;
    }
    out->time_count = counts[3];
    out->type_count = counts[4];
    out->times = bytes + HEADER_BYTES;
    out->indices = out->times + out->time_count * TIME_BYTES;
    out->types = out->indices + out->time_count;
    const char *footer = (const char *)bytes + HEADER_BYTES + body;
    size_t rest = length - HEADER_BYTES - body;
    if (rest < 2 || footer[0] != '\n' || footer[rest - 1] != '\n') {
        return false;
    }
    out->footer = footer + 1;
    out->footer_length = rest - 2;
    return true;
}

/* How many transitions are not after the instant. */
static size_t transitions_until(const struct parts *parts, int64_t at)
{
    size_t low = 0, high = parts->time_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (read_64(parts->times + middle * TIME_BYTES) <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool cel_zone_read_rules(const unsigned char *bytes, size_t length, int64_t at,
                         int32_t *out_seconds)
{
    struct parts parts;
    if (!find_parts(bytes, length, &parts)) {
        return false;
    }
    size_t passed = transitions_until(&parts, at);
    if (passed == parts.time_count && parts.footer_length > 0) {
        return cel_zone_read_footer(parts.footer, parts.footer_length, at, out_seconds);
    }
    size_t type = passed == 0 ? 0 : parts.indices[passed - 1];
    if (type >= parts.type_count) {
        return false;
    }
    *out_seconds = (int32_t)read_32(parts.types + type * TYPE_BYTES);
    return true;
}
