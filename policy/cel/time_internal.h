#ifndef CEL_TIME_INTERNAL_H
#define CEL_TIME_INTERNAL_H

/* Timestamps and durations without a run: reading, printing, ranges, the calendar. */

#include "policy/cel/cel.h"

enum { CEL_TIME_TEXT_MAX = 40 };

/* Normalises. False when outside the range: years 0001 to 9999, and for durations what 64 bits of
 * nanoseconds hold (292 years), as cel-go has it and the suite expects. */
bool cel_time_timestamp(int64_t seconds, int64_t nanos, struct cel_value *out);
bool cel_time_duration(int64_t seconds, int64_t nanos, struct cel_value *out);

/* RFC 3339 with upper-case `T` and `Z` and at most nine digits of a second's fraction. */
bool cel_time_read_timestamp(const char *text, size_t length, struct cel_value *out);
/* "1h30m", "-1.5s", "0": Go's format; h, m, s, ms, us, ns. */
bool cel_time_read_duration(const char *text, size_t length, struct cel_value *out);

/* "2009-02-13T23:31:30.5Z", "90s", "-0.5s": exact, without trailing zeros. Returns the length. */
size_t cel_time_print_timestamp(char out[CEL_TIME_TEXT_MAX], struct cel_value timestamp);
size_t cel_time_print_duration(char out[CEL_TIME_TEXT_MAX], struct cel_value duration);

/* Of a duration, signed like its seconds. */
static inline int32_t cel_time_nanos(struct cel_value duration)
{
    return (int32_t)duration.length;
}

struct cel_civil {
    int64_t year;
    int month;       /* 1 to 12 */
    int day;         /* 1 to 31 */
    int weekday;     /* 0 is Sunday */
    int day_of_year; /* 0 is 1 January */
    int hour, minute, second;
};
/* Of seconds since 1970 in a proleptic Gregorian calendar. */
void cel_time_civil(int64_t seconds, struct cel_civil *out);
/* Days since 1970 of a date; the month may be 1 to 12, the day any. */
int64_t cel_time_days(int64_t year, int month, int64_t day);

#endif
