#include "policy/cel/time_internal.h"
#include "policy/cel/zone.h"
#include "tests/support/chance.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool find(const char *name, struct cel_zone *out)
{
    return cel_zone_find(name, strlen(name), out);
}

static int32_t offset_of(const char *name, const char *at)
{
    struct cel_zone zone;
    struct cel_value time;
    int32_t seconds = 0;
    ck_assert_msg(find(name, &zone), "`%s` was not found", name);
    ck_assert(cel_time_read_timestamp(at, strlen(at), &time));
    ck_assert(cel_zone_offset(&zone, time.as.integer, &seconds));
    return seconds;
}

START_TEST(zone__fixed_offsets_are_read_strictly)
{
    ck_assert_int_eq(offset_of("+05:30", "2020-01-01T00:00:00Z"), 19800);
    ck_assert_int_eq(offset_of("-03:00", "2020-01-01T00:00:00Z"), -10800);
    ck_assert_int_eq(offset_of("02:00", "2020-01-01T00:00:00Z"), 7200);
    ck_assert_int_eq(offset_of("-00:00", "2020-01-01T00:00:00Z"), 0);
    ck_assert_int_eq(offset_of("", "2020-01-01T00:00:00Z"), 0);
    ck_assert_int_eq(offset_of("UTC", "2020-01-01T00:00:00Z"), 0);
    static const char *const wrong[] = {"+5:30", "+24:00", "+05:60", "+05:3",   "+05:300",
                                        "a5:30", ":",      "--5:30", "+05:30 ", "Europe:Berlin"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cel_zone zone;
        ck_assert_msg(!find(wrong[i], &zone), "`%s` was read", wrong[i]);
    }
}
END_TEST

START_TEST(zone__names_are_found_whole_and_no_others)
{
    struct cel_zone zone;
    ck_assert(!find("Europe/Berl", &zone));
    ck_assert(!find("Europe/Berlin2", &zone));
    ck_assert(!find("europe/berlin", &zone));
    ck_assert(!find("Local", &zone));
    ck_assert(!find("../../etc/passwd", &zone));
    ck_assert(!cel_zone_find("UTC\0", 4, &zone));
    for (size_t i = 0; i < cel_zone_count; i++) {
        ck_assert_msg(find(cel_zone_rows[i].name, &zone), "`%s`", cel_zone_rows[i].name);
        bool is_utc = strcmp(cel_zone_rows[i].name, "UTC") == 0; /* known without rules */
        ck_assert_ptr_eq(zone.rules, is_utc ? NULL : cel_zone_bytes + cel_zone_rows[i].offset);
    }
}
END_TEST

START_TEST(zone__known_places_have_their_offsets)
{
    if (cel_zone_count == 0) {
        return; /* built without tzdata: names are refused, which the test above shows */
    }
    ck_assert_uint_eq(strlen(cel_zone_version()), 5);
    ck_assert_int_eq(offset_of("Australia/Sydney", "2009-02-13T23:31:30Z"), 39600);
    ck_assert_int_eq(offset_of("Asia/Kathmandu", "2009-02-13T23:31:30Z"), 20700);
    ck_assert_int_eq(offset_of("America/St_Johns", "2009-02-13T02:00:00Z"), -12600);
    ck_assert_int_eq(offset_of("US/Central", "2009-02-13T23:31:30Z"), -21600);
    ck_assert_int_eq(offset_of("Europe/Berlin", "2026-03-29T00:59:59Z"), 3600);
    ck_assert_int_eq(offset_of("Europe/Berlin", "2026-03-29T01:00:00Z"), 7200);
    ck_assert_int_eq(offset_of("Europe/Berlin", "2120-10-27T00:59:59Z"), 7200);
    ck_assert_int_eq(offset_of("Europe/Berlin", "2120-10-27T01:00:00Z"), 3600);
    ck_assert_int_eq(offset_of("Europe/Berlin", "1800-01-01T00:00:00Z"), 3208);
}
END_TEST

/* Whoever built us need not be who tests us: other rules are another answer. */
START_TEST(zone__every_zone_answers_as_the_system_does)
{
    if (cel_zone_count == 0 || access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
        return;
    }
    struct chance chance = {1};
    for (size_t i = 0; i < cel_zone_count; i++) {
        char path[128];
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", cel_zone_rows[i].name);
        if (access(path, R_OK) != 0) {
            continue;
        }
        setenv("TZ", path + strlen("/usr/share/zoneinfo/"), 1);
        tzset();
        for (int j = 0; j < 50; j++) {
            time_t at = (time_t)(chance_next(&chance) % 8000000000) - 2000000000;
            struct tm local;
            struct cel_zone zone;
            int32_t seconds = 0;
            ck_assert(find(cel_zone_rows[i].name, &zone));
            ck_assert(cel_zone_offset(&zone, at, &seconds));
            localtime_r(&at, &local);
            ck_assert_msg(local.tm_gmtoff == seconds, "%s at %lld: %ld, not %d",
                          cel_zone_rows[i].name, (long long)at, local.tm_gmtoff, seconds);
        }
    }
}
END_TEST

static int32_t footer(const char *text, const char *at)
{
    struct cel_value time;
    int32_t seconds = 0;
    ck_assert(cel_time_read_timestamp(at, strlen(at), &time));
    ck_assert_msg(cel_zone_read_footer(text, strlen(text), time.as.integer, &seconds), "%s", text);
    return seconds;
}

START_TEST(zone__every_kind_of_footer_rule_is_read)
{
    ck_assert_int_eq(footer("<+03>-3", "2030-07-01T00:00:00Z"), 10800);
    ck_assert_int_eq(footer("EST5EDT,M3.2.0,M11.1.0", "2030-07-01T00:00:00Z"), -14400);
    ck_assert_int_eq(footer("EST5EDT,M3.2.0,M11.1.0", "2030-12-31T23:00:00Z"), -18000);
    ck_assert_int_eq(footer("NZST-12NZDT,M9.5.0,M4.1.0/3", "2030-01-01T00:00:00Z"), 46800);
    ck_assert_int_eq(footer("IST-1GMT0,M10.5.0,M3.5.0/1", "2030-01-01T00:00:00Z"), 0);
    ck_assert_int_eq(footer("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2030-07-01T00:00:00Z"), -3600);
    ck_assert_int_eq(footer("XXX3YYY,J60/0,J300/0", "2028-03-01T02:59:59Z"), -10800);
    ck_assert_int_eq(footer("XXX3YYY,J60/0,J300/0", "2028-03-01T03:00:00Z"), -7200);
    ck_assert_int_eq(footer("XXX3YYY,59/0,300/0", "2028-02-29T03:00:00Z"), -7200);
    ck_assert_int_eq(footer("XXX3EDT4,0/0,J365/23", "2030-12-31T23:59:59Z"), -14400);
}
END_TEST

START_TEST(zone__damaged_rules_are_refused_and_never_read_past)
{
    static const char *const wrong[] = {
        "",
        "CE-1",
        "CET",
        "<+03-3",
        "CET-1CEST",
        "CET168",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J1",
        "CET-1CEST,366,1",
        "CET-1CEST,M3.5.0,M10.5.0x",
    };
    int32_t seconds;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!cel_zone_read_footer(wrong[i], strlen(wrong[i]), 0, &seconds), "%s",
                      wrong[i]);
    }
    struct cel_zone zone;
    if (!find("Europe/Berlin", &zone)) {
        return;
    }
    for (size_t length = 0; length < zone.length; length++) {
        unsigned char *cut = malloc(length + 1);
        memcpy(cut, zone.rules, length);
        ck_assert(!cel_zone_read_rules(cut, length, 1234567890, &seconds));
        free(cut);
    }
    struct chance chance = {1};
    for (int i = 0; i < 20000; i++) {
        unsigned char *bent = malloc(zone.length);
        memcpy(bent, zone.rules, zone.length);
        bent[chance_below(&chance, (unsigned)zone.length)] =
            (unsigned char)chance_below(&chance, 256);
        bent[chance_below(&chance, 44)] = (unsigned char)chance_below(&chance, 256);
        (void)cel_zone_read_rules(bent, zone.length, 1234567890, &seconds);
        free(bent);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("zone");
    TCase *tcase = tcase_create("zone");
    tcase_add_test(tcase, zone__fixed_offsets_are_read_strictly);
    tcase_add_test(tcase, zone__names_are_found_whole_and_no_others);
    tcase_add_test(tcase, zone__known_places_have_their_offsets);
    tcase_add_test(tcase, zone__every_zone_answers_as_the_system_does);
    tcase_add_test(tcase, zone__every_kind_of_footer_rule_is_read);
    tcase_add_test(tcase, zone__damaged_rules_are_refused_and_never_read_past);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
