#include "policy/cel/library_internal.h"
#include "policy/cel/time_internal.h"
#include "policy/cel/zone.h"

struct cel_value cel_make_timestamp(struct cel_run *run, int64_t seconds, int64_t nanos)
{
    struct cel_value value;
    return cel_time_timestamp(seconds, nanos, &value)
               ? value
               : cel_fail(run, "timestamp overflow: out of the range of years 0001 to 9999");
}

struct cel_value cel_make_duration(struct cel_run *run, int64_t seconds, int64_t nanos)
{
    struct cel_value value;
    return cel_time_duration(seconds, nanos, &value)
               ? value
               : cel_fail(run, "duration overflow: out of the range of 292 years");
}

enum part {
    PART_FULL_YEAR,
    PART_MONTH,
    PART_DATE,
    PART_DAY_OF_MONTH,
    PART_DAY_OF_WEEK,
    PART_DAY_OF_YEAR,
    PART_HOURS,
    PART_MINUTES,
    PART_SECONDS,
    PART_MILLISECONDS,
};

static bool of_duration(struct cel_value duration, enum part part, int64_t *out)
{
    switch (part) {
    case PART_HOURS:
        *out = duration.as.integer / 3600;
        return true;
    case PART_MINUTES:
        *out = duration.as.integer / 60;
        return true;
    case PART_SECONDS:
        *out = duration.as.integer;
        return true;
    case PART_MILLISECONDS: /* of the second, as the suite has it; cel-go answers all of them */
        *out = cel_time_nanos(duration) / 1000000;
        return true;
    case PART_FULL_YEAR:
    case PART_MONTH:
    case PART_DATE:
    case PART_DAY_OF_MONTH:
    case PART_DAY_OF_WEEK:
    case PART_DAY_OF_YEAR:
        break;
    }
    return false;
}

static int64_t of_civil(const struct cel_civil *civil, uint32_t nanos, enum part part)
{
    switch (part) {
    case PART_FULL_YEAR:
        return civil->year;
    case PART_MONTH:
        return civil->month - 1;
    case PART_DATE:
        return civil->day;
    case PART_DAY_OF_MONTH:
        return civil->day - 1;
    case PART_DAY_OF_WEEK:
        return civil->weekday;
    case PART_DAY_OF_YEAR:
        return civil->day_of_year;
    case PART_HOURS:
        return civil->hour;
    case PART_MINUTES:
        return civil->minute;
    case PART_SECONDS:
        return civil->second;
    case PART_MILLISECONDS:
        break;
    }
    return nanos / 1000000;
}

static struct cel_value of_timestamp(struct cel_run *run, const struct cel_value *args,
                                     size_t count, enum part part)
{
    struct cel_zone found = {0};
    const struct cel_zone *zone = cel_prepared(run);
    if (zone == NULL) {
        zone = &found;
        if (count > 1 && !cel_zone_find(args[1].as.bytes, args[1].length, &found)) {
            return cel_fail(run, "there is no time zone `%.*s`", cel_shown_bytes(args[1]),
                            args[1].as.bytes);
        }
    }
    int32_t offset;
    if (!cel_zone_offset(zone, args[0].as.integer, &offset)) {
        return cel_fail(run, "the rules of the time zone are damaged");
    }
    struct cel_civil civil;
    cel_time_civil(args[0].as.integer + offset, &civil);
    return cel_int(of_civil(&civil, args[0].length, part));
}

static struct cel_value part_of(struct cel_run *run, const struct cel_value *args, size_t count,
                                enum part part, const char *name)
{
    int64_t number;
    if (args[0].kind == CEL_TIMESTAMP && (count == 1 || cel_is_string(args[1]))) {
        return of_timestamp(run, args, count, part);
    }
    if (args[0].kind == CEL_DURATION && count == 1 && of_duration(args[0], part, &number)) {
        return cel_int(number);
    }
    return cel_no_overload(run, name, args, count);
}

#define PART_FUNCTION(function, part, name)                                                        \
    static struct cel_value function(struct cel_run *run, const struct cel_value *args,            \
                                     size_t count)                                                 \
    {                                                                                              \
        return part_of(run, args, count, part, name);                                              \
    }

PART_FUNCTION(full_year, PART_FULL_YEAR, "getFullYear")
PART_FUNCTION(month, PART_MONTH, "getMonth")
PART_FUNCTION(date, PART_DATE, "getDate")
PART_FUNCTION(day_of_month, PART_DAY_OF_MONTH, "getDayOfMonth")
PART_FUNCTION(day_of_week, PART_DAY_OF_WEEK, "getDayOfWeek")
PART_FUNCTION(day_of_year, PART_DAY_OF_YEAR, "getDayOfYear")
PART_FUNCTION(hours, PART_HOURS, "getHours")
PART_FUNCTION(minutes, PART_MINUTES, "getMinutes")
PART_FUNCTION(seconds, PART_SECONDS, "getSeconds")
PART_FUNCTION(milliseconds, PART_MILLISECONDS, "getMilliseconds")

/* A zone written in the policy is looked up, and misspelt ones refused, when it is loaded. */
static bool zone_prepare(const struct cel_value *args, size_t count, struct arena *arena,
                         void **out_prepared, struct error *error)
{
    *out_prepared = NULL;
    if (count < 2 || !cel_is_string(args[1])) {
        return true;
    }
    struct cel_zone *zone = ARENA_NEW(arena, struct cel_zone);
    *out_prepared = zone;
    return cel_zone_find(args[1].as.bytes, args[1].length, zone) ||
           error_set(error, ERROR_INVALID, "unknown_zone", NULL,
                     "there is no time zone `%.*s`; write a name like 'Europe/Berlin' or an offset "
                     "like '+01:00'%s",
                     cel_shown_bytes(args[1]), args[1].as.bytes,
                     cel_zone_count == 0 ? " (this build knows no names)" : "");
}

static const char *const of_date[] = {"timestamp.() -> int", "timestamp.(string) -> int", NULL};
static const char *const of_either[] = {"timestamp.() -> int", "timestamp.(string) -> int",
                                        "duration.() -> int", NULL};

#define PART_ROW(name, function, signatures)                                                       \
    {                                                                                              \
        name, CEL_MEMBER, 1, 2, function, signatures, NULL, zone_prepare, NULL                     \
    }

const struct cel_function_row cel_library_time[] = {
    PART_ROW("getFullYear", full_year, of_date),
    PART_ROW("getMonth", month, of_date),
    PART_ROW("getDate", date, of_date),
    PART_ROW("getDayOfMonth", day_of_month, of_date),
    PART_ROW("getDayOfWeek", day_of_week, of_date),
    PART_ROW("getDayOfYear", day_of_year, of_date),
    PART_ROW("getHours", hours, of_either),
    PART_ROW("getMinutes", minutes, of_either),
    PART_ROW("getSeconds", seconds, of_either),
    PART_ROW("getMilliseconds", milliseconds, of_either),
    {0},
};
