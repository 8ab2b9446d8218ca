#include "formats/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t day_ms = 86400000;

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years are counted from March
 * so that the leap day is the last, in eras of 400 years (146,097 days). */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *out_year, int64_t *out_month, int64_t *out_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *out_day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *out_month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *out_year = year_of_era + era * 400 + (*out_month <= 2);
}

static void write_digits(char *out, int count, int64_t value)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

void text_write_time(int64_t wall_ms, char out[TIME_TEXT_BYTES])
{
    const int64_t least = days_of_date(0, 1, 1) * day_ms;
    const int64_t most = days_of_date(10000, 1, 1) * day_ms - 1;
    wall_ms = wall_ms < least ? least : wall_ms > most ? most : wall_ms;
    int64_t days = (wall_ms >= 0 ? wall_ms : wall_ms - (day_ms - 1)) / day_ms;
    int64_t rest = wall_ms - days * day_ms;
    int64_t year;
    int64_t month;
    int64_t day;
    date_of_days(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00.000Z", TIME_TEXT_BYTES);
    write_digits(out, 4, year);
    write_digits(out + 5, 2, month);
    write_digits(out + 8, 2, day);
    write_digits(out + 11, 2, rest / 3600000);
    write_digits(out + 14, 2, rest / 60000 % 60);
    write_digits(out + 17, 2, rest / 1000 % 60);
    write_digits(out + 20, 3, rest % 1000);
}

/* `count` digits, then `separator`; moves past both. */
static bool read_part(const char **at, int count, char separator, int64_t *out_value)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        value = value * 10 + (**at - '0');
    }
    if (**at != separator) {
        return false;
    }
    *at += separator != '\0';
    *out_value = value;
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

/* The optional fraction, 1 to 9 digits cut to milliseconds, and the `Z` that ends the text. */
static bool read_fraction(const char *at, int64_t *out_ms)
{
    int64_t ms = 0;
    if (*at == '.') {
        int digits = 0;
        for (at++; *at >= '0' && *at <= '9'; at++, digits++) {
            ms = digits < 3 ? ms * 10 + (*at - '0') : ms;
        }
        if (digits < 1 || digits > 9) {
            return false;
        }
        for (; digits < 3; digits++) {
            ms *= 10;
        }
    }
    *out_ms = ms;
    return strcmp(at, "Z") == 0;
}

bool text_read_time(const char *text, int64_t *out_wall_ms)
{
    const char *at = text;
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    int64_t ms;
    if (!read_part(&at, 4, '-', &year) || !read_part(&at, 2, '-', &month) ||
        !read_part(&at, 2, 'T', &day) || !read_part(&at, 2, ':', &hour) ||
        !read_part(&at, 2, ':', &minute)) {
        return false;
    }
    for (int i = 0; i < 2; i++, at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        second = second * 10 + (*at - '0');
    }
    if (!read_fraction(at, &ms) || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *out_wall_ms =
        days_of_date(year, month, day) * day_ms + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
enum { UNIT_COUNT = sizeof units / sizeof units[0] };

bool text_read_duration(const char *text, int64_t *out_ms)
{
    const int64_t most = 400 * day_ms;
    const char *at = text;
    int64_t amount = 0;
    if (at[0] == '0' && at[1] >= '0' && at[1] <= '9') {
        return false;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        amount = amount * 10 + (*at - '0');
        if (amount > most) {
            return false;
        }
    }
    for (int i = 0; at > text && i < UNIT_COUNT; i++) {
        if (strcmp(at, units[i].name) == 0 && amount <= most / units[i].ms) {
            *out_ms = amount * units[i].ms;
            return true;
        }
    }
    return false;
}

void text_append_duration(struct builder *out, int64_t ms)
{
    int i = ms == 0 ? 3 : 0;
    while (ms % units[i].ms != 0) {
        i++;
    }
    builder_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}
