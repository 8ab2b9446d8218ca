#include "notifiers/quiet_hours.h"

#include <stdio.h>

enum { MINUTE_MS = 60 * 1000, DAY_MINUTES = 24 * 60, AHEAD_HOURS_MOST = 14 };

/* A time of day as written; -1 when there is none. */
static int minute_of(int hour, int minute, int hours)
{
    bool is_time = hour >= 0 && hour < hours && minute >= 0 && minute < 60;
    return is_time ? hour * 60 + minute : -1;
}

bool quiet_hours_read(const char *text, struct quiet_hours *out)
{
    int from_hour = 0, from_minute = 0, to_hour = 0, to_minute = 0, ahead_hour = 0,
        ahead_minute = 0;
    char sign = '+';
    int used = 0;
    int read = sscanf(text, "%2d:%2d-%2d:%2d%n %c%2d:%2d%n", &from_hour, &from_minute, &to_hour,
                      &to_minute, &used, &sign, &ahead_hour, &ahead_minute, &used);
    int from = minute_of(from_hour, from_minute, 24);
    int to = minute_of(to_hour, to_minute, 24);
    int ahead = minute_of(ahead_hour, ahead_minute, AHEAD_HOURS_MOST + 1);
    if ((read != 4 && read != 7) || text[used] != '\0' || from < 0 || to < 0 || ahead < 0 ||
        (sign != '+' && sign != '-')) {
        return false;
    }
    ahead = sign == '-' ? -ahead : ahead;
    out->from = (from - ahead + 2 * DAY_MINUTES) % DAY_MINUTES;
    out->to = (to - ahead + 2 * DAY_MINUTES) % DAY_MINUTES;
    return true;
}

int quiet_hours_minutes(const struct quiet_hours *hours)
{
    return (hours->to - hours->from + DAY_MINUTES) % DAY_MINUTES;
}

int64_t quiet_hours_until(const struct quiet_hours *hours, int64_t now)
{
    int64_t minute = now / MINUTE_MS % DAY_MINUTES;
    int64_t passed = (minute - hours->from + DAY_MINUTES) % DAY_MINUTES;
    int64_t length = quiet_hours_minutes(hours);
    return passed < length ? (now / MINUTE_MS + length - passed) * MINUTE_MS : now;
}
