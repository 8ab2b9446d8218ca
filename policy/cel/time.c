#include "policy/cel/time_internal.h"
#include <stdio.h>
#include <string.h>

enum { NANOS = 1000000000, DAY = 86400, YEAR_DIGITS = 4, FRACTION_DIGITS_MAX = 9 };
static const int64_t TIMESTAMP_LEAST = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t TIMESTAMP_MOST = 253402300799;  /* 9999-12-31T23:59:59Z */

bool cel_time_timestamp(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    int64_t carry = nanos / NANOS - (nanos % NANOS < 0);
    if (__builtin_add_overflow(seconds, carry, &seconds) || seconds < TIMESTAMP_LEAST ||
        seconds > TIMESTAMP_MOST) {
        return false;
    }
    *out = (struct cel_value){
        .kind = CEL_TIMESTAMP, .length = (uint32_t)(nanos - carry * NANOS), .as.integer = seconds};
    return true;
}

bool cel_time_duration(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    __int128 total = (__int128)seconds * NANOS + nanos;
    if (total < INT64_MIN || total > INT64_MAX) {
        return false;
    }
    *out = (struct cel_value){.kind = CEL_DURATION,
                              .length = (uint32_t)(int32_t)(total % NANOS),
                              .as.integer = (int64_t)(total / NANOS)};
    return true;
}

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

static bool is_digit(const struct cursor *cursor)
{
    return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool take_number(struct cursor *cursor, int digits, int most, int *out)
{
    int number = 0;
    for (int i = 0; i < digits; i++) {
        if (!is_digit(cursor)) {
            return false;
        }
        number = number * 10 + (*cursor->at++ - '0');
    }
    *out = number;
    return number <= most;
}

/* ".5" as 500000000; nothing is zero. */
static bool take_fraction(struct cursor *cursor, int *out_nanos)
{
    *out_nanos = 0;
    if (!take(cursor, '.')) {
        return true;
    }
    int scale = NANOS / 10, digits = 0;
    for (; is_digit(cursor); digits++, scale /= 10) {
        *out_nanos += (*cursor->at++ - '0') * scale;
    }
    return digits > 0 && digits <= FRACTION_DIGITS_MAX;
}

static bool take_offset(struct cursor *cursor, int *out_seconds)
{
    if (take(cursor, 'Z')) {
        *out_seconds = 0;
        return true;
    }
    bool is_west = take(cursor, '-');
    int hours, minutes;
    if ((!is_west && !take(cursor, '+')) || !take_number(cursor, 2, 23, &hours) ||
        !take(cursor, ':') || !take_number(cursor, 2, 59, &minutes)) {
        return false;
    }
    *out_seconds = (hours * 3600 + minutes * 60) * (is_west ? -1 : 1);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

bool cel_time_read_timestamp(const char *text, size_t length, struct cel_value *out)
{
    struct cursor cursor = {text, text + length};
    int year, month, day, hour, minute, second, nanos, offset;
    if (!take_number(&cursor, YEAR_DIGITS, 9999, &year) || !take(&cursor, '-') ||
        !take_number(&cursor, 2, 12, &month) || month == 0 || !take(&cursor, '-') ||
        !take_number(&cursor, 2, days_in_month(year, month), &day) || day == 0 ||
        !take(&cursor, 'T') || !take_number(&cursor, 2, 23, &hour) || !take(&cursor, ':') ||
        !take_number(&cursor, 2, 59, &minute) || !take(&cursor, ':') ||
        !take_number(&cursor, 2, 59, &second) || !take_fraction(&cursor, &nanos) ||
        !take_offset(&cursor, &offset) || cursor.at != cursor.end) {
        return false;
    }
    int64_t seconds = cel_time_days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    return cel_time_timestamp(seconds - offset, nanos, out);
}

static int64_t take_unit(struct cursor *cursor)
{
    static const struct {
        const char *name;
        int64_t nanos;
    } units[] = {
        {"ns", 1},           {"us", 1000}, {"\xc2\xb5s", 1000}, /* micro sign */
        {"\xce\xbcs", 1000},                                    /* Greek mu */
        {"ms", 1000000},     {"s", NANOS}, {"m", 60 * (int64_t)NANOS}, {"h", 3600 * (int64_t)NANOS},
    };
    const char *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '.' && !is_digit(cursor)) {
        cursor->at++;
    }
    size_t length = (size_t)(cursor->at - start);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, start, length) == 0) {
            return units[i].nanos;
        }
    }
    return 0;
}

/* One group, "1.5h", added to the total of nanoseconds. */
static bool take_group(struct cursor *cursor, __int128 *total)
{
    static const __int128 most = (__int128)INT64_MAX + 1;
    __int128 whole = 0, fraction = 0, scale = 1;
    bool has_digits = false;
    for (; is_digit(cursor); has_digits = true) {
        whole = whole * 10 + (*cursor->at++ - '0');
        if (whole > most) {
            return false;
        }
    }
    if (take(cursor, '.')) {
        for (; is_digit(cursor); cursor->at++, has_digits = true) {
            if (scale < most / 10) { /* what is smaller than a nanosecond of any unit is dropped */
                fraction = fraction * 10 + (*cursor->at - '0');
                scale *= 10;
            }
        }
    }
    int64_t unit = has_digits ? take_unit(cursor) : 0;
    *total += whole * unit + fraction * unit / scale;
    return unit != 0 && *total <= most;
}

bool cel_time_read_duration(const char *text, size_t length, struct cel_value *out)
{
    struct cursor cursor = {text, text + length};
    bool is_negative = take(&cursor, '-');
    if (!is_negative) {
        (void)take(&cursor, '+');
    }
    if (cursor.end - cursor.at == 1 && *cursor.at == '0') {
        return cel_time_duration(0, 0, out);
    }
    __int128 total = 0;
    do {
        if (!take_group(&cursor, &total)) {
            return false;
        }
    } while (cursor.at < cursor.end);
    total = is_negative ? -total : total;
    return cel_time_duration((int64_t)(total / NANOS), (int64_t)(total % NANOS), out);
}

/* Appends ".5" for half a second. */
static size_t print_fraction(char *out, uint32_t nanos)
{
    if (nanos == 0) {
        return 0;
    }
    int length = snprintf(out, 11, ".%09u", nanos);
    while (out[length - 1] == '0') {
        length--;
    }
    return (size_t)length;
}

size_t cel_time_print_timestamp(char out[CEL_TIME_TEXT_MAX], struct cel_value timestamp)
{
    struct cel_civil civil;
    cel_time_civil(timestamp.as.integer, &civil);
    size_t length =
        (size_t)snprintf(out, CEL_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (int)civil.year,
                         civil.month, civil.day, civil.hour, civil.minute, civil.second);
    length += print_fraction(out + length, timestamp.length);
    memcpy(out + length, "Z", 2);
    return length + 1;
}

size_t cel_time_print_duration(char out[CEL_TIME_TEXT_MAX], struct cel_value duration)
{
    int32_t nanos = cel_time_nanos(duration);
    bool is_negative = duration.as.integer < 0 || nanos < 0;
    int64_t seconds = duration.as.integer; /* far from INT64_MIN: 292 years */
    size_t length = (size_t)snprintf(out, CEL_TIME_TEXT_MAX, "%s%lld", is_negative ? "-" : "",
                                     (long long)(seconds < 0 ? -seconds : seconds));
    length += print_fraction(out + length, (uint32_t)(nanos < 0 ? -nanos : nanos));
    memcpy(out + length, "s", 2);
    return length + 1;
}

/* Howard Hinnant's "chrono-compatible low-level date algorithms": years begin in March, eras have
 * 400 years. */
int64_t cel_time_days(int64_t year, int month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void cel_time_civil(int64_t seconds, struct cel_civil *out)
{
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t rest = seconds - days * DAY;
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->year = year_of_era + era * 400 + (out->month <= 2);
    out->weekday = (int)((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    out->day_of_year = (int)(days - cel_time_days(out->year, 1, 1));
    out->hour = (int)(rest / 3600);
    out->minute = (int)(rest / 60 % 60);
    out->second = (int)(rest % 60);
}
