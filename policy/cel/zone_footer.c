#include "policy/cel/time_internal.h"
#include "policy/cel/zone.h"

/* POSIX.1-2017 section 8.3, with the longer times of RFC 9636 section 3.3.1. */
enum { HOURS_MAX = 167, NAME_LEAST = 3, DAY = 86400, TWO_O_CLOCK = 7200 };

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, char character)
{
    if (cursor->at == cursor->end || *cursor->at != character) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool take_number(struct cursor *cursor, int most, int *out)
{
    const char *start = cursor->at;
    *out = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && *out <= most) {
        *out = *out * 10 + (*cursor->at++ - '0');
    }
    return cursor->at > start && *out <= most;
}

/* "CET" or "<+03>". */
static bool take_name(struct cursor *cursor)
{
    bool is_quoted = take(cursor, '<');
    const char *start = cursor->at;
    while (cursor->at < cursor->end) {
        char c = *cursor->at;
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(is_quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'))) {
            break;
        }
        cursor->at++;
    }
    return cursor->at - start >= NAME_LEAST && (!is_quoted || take(cursor, '>'));
}

/* "[+-]h[h[h]][:mm[:ss]]" in seconds. */
static bool take_time(struct cursor *cursor, int *out_seconds)
{
    bool is_negative = take(cursor, '-');
    if (!is_negative) {
        (void)take(cursor, '+');
    }
    int hours, minutes = 0, seconds = 0;
    if (!take_number(cursor, HOURS_MAX, &hours)) {
        return false;
    }
    if (take(cursor, ':') && (!take_number(cursor, 59, &minutes) ||
                              (take(cursor, ':') && !take_number(cursor, 59, &seconds)))) {
        return false;
    }
    *out_seconds = (hours * 3600 + minutes * 60 + seconds) * (is_negative ? -1 : 1);
    return true;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The days since 1970 of "Mm.w.d": weekday d of the month's week w, 5 being the last. */
static bool take_month_rule(struct cursor *cursor, int64_t year, int64_t *out_days)
{
    int month, week, weekday;
    if (!take_number(cursor, 12, &month) || month == 0 || !take(cursor, '.') ||
        !take_number(cursor, 5, &week) || week == 0 || !take(cursor, '.') ||
        !take_number(cursor, 6, &weekday)) {
        return false;
    }
    int64_t first = cel_time_days(year, month, 1);
    int64_t next = month == 12 ? cel_time_days(year + 1, 1, 1) : cel_time_days(year, month + 1, 1);
    int64_t first_weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + (weekday - first_weekday + 7) % 7 + (week - 1) * 7;
    *out_days = day < next ? day : day - 7;
    return true;
}

/* ",rule[/time]": seconds of local time, since 1970, at which the clock is changed in a year. */
static bool take_change(struct cursor *cursor, int64_t year, int64_t *out_local)
{
    int64_t days = cel_time_days(year, 1, 1);
    int number = 0, time = TWO_O_CLOCK;
    if (!take(cursor, ',')) {
        return false;
    }
    if (take(cursor, 'M')) {
        if (!take_month_rule(cursor, year, &days)) {
            return false;
        }
    } else if (take(cursor, 'J')) { /* 1 to 365, 29 February is never counted */
        if (!take_number(cursor, 365, &number) || number == 0) {
            return false;
        }
        days += number - 1 + (is_leap(year) && number > 59);
    } else if (take_number(cursor, 365, &number)) {
        days += number;
    } else {
        return false;
    }
    if (take(cursor, '/') && !take_time(cursor, &time)) {
        return false;
    }
    *out_local = days * DAY + time;
    return true;
}

bool cel_zone_read_footer(const char *text, size_t length, int64_t at, int32_t *out_seconds)
{
    struct cursor cursor = {text, text + length};
    int west; /* the sign of POSIX: behind UTC is positive */
    if (!take_name(&cursor) || !take_time(&cursor, &west)) {
        return false;
    }
    int standard = -west, summer = 3600 - west;
    *out_seconds = standard;
    if (cursor.at == cursor.end) {
        return true;
    }
    if (!take_name(&cursor)) {
        return false;
    }
    if (cursor.at < cursor.end && *cursor.at != ',') {
        if (!take_time(&cursor, &west)) {
            return false;
        }
        summer = -west;
    }
    struct cel_civil civil;
    cel_time_civil(at + standard, &civil);
    int64_t start, end;
    if (!take_change(&cursor, civil.year, &start) || !take_change(&cursor, civil.year, &end) ||
        cursor.at != cursor.end) {
        return false;
    }
    start -= standard;
    end -= summer;
    bool is_summer = start < end ? at >= start && at < end : at >= start || at < end;
    *out_seconds = is_summer ? summer : standard;
    return true;
}
