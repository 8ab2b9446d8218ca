#include "base/builder.h"
#include "formats/text.h"
#include "tests/support/chance.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 4648 section 10, and the two characters in which the alphabets differ. */
static const struct encoding {
    const char *bytes;
    const char *base64;
    const char *base64url;
    const char *hex;
} encodings[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xFB\xEF\xBE\xFF\xFF\xFF", "++++////", "----____", "fbefbeffffff"},
};

START_TEST(text__bytes_are_encoded_as_the_rfc_shows)
{
    const struct encoding *row = &encodings[_i];
    const unsigned char *bytes = (const unsigned char *)row->bytes;
    size_t length = strlen(row->bytes);
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    text_append_base64(&out, bytes, length);
    ck_assert_str_eq(out.bytes, row->base64);
    builder_clear(&out);
    text_append_base64url(&out, bytes, length);
    ck_assert_str_eq(out.bytes, row->base64url);
    builder_clear(&out);
    text_append_hex(&out, bytes, length);
    ck_assert_str_eq(out.bytes, row->hex);
}
END_TEST

START_TEST(text__encodings_are_read_back)
{
    const struct encoding *row = &encodings[_i];
    size_t length = strlen(row->bytes);
    unsigned char bytes[16];
    size_t read = 99;
    ck_assert(text_read_base64(row->base64, strlen(row->base64), bytes, length, &read));
    ck_assert_uint_eq(read, length);
    ck_assert_mem_eq(bytes, row->bytes, length);
    ck_assert(text_read_base64url(row->base64url, strlen(row->base64url), bytes, length, &read));
    ck_assert_uint_eq(read, length);
    ck_assert_mem_eq(bytes, row->bytes, length);
    ck_assert(text_read_hex(row->hex, strlen(row->hex), bytes, length, &read));
    ck_assert_uint_eq(read, length);
    ck_assert_mem_eq(bytes, row->bytes, length);
}
END_TEST

START_TEST(text__nothing_longer_than_its_room_is_read)
{
    const struct encoding *row = &encodings[_i];
    size_t length = strlen(row->bytes);
    if (length == 0) {
        return;
    }
    unsigned char bytes[16];
    size_t read = 99;
    ck_assert(!text_read_base64(row->base64, strlen(row->base64), bytes, length - 1, &read));
    ck_assert(
        !text_read_base64url(row->base64url, strlen(row->base64url), bytes, length - 1, &read));
    ck_assert(!text_read_hex(row->hex, strlen(row->hex), bytes, length - 1, &read));
    ck_assert_uint_eq(read, 99);
}
END_TEST

START_TEST(text__only_canonical_base64_is_read)
{
    static const char *const bad[] = {"Z",     "Zh==", "Zm9=", "Zg=",      "Zg",
                                      "=",     "====", "Z===", "Zg==\n",   " Zg==",
                                      "Zm9v=", "Zm-v", "Zm_v", "Zg==Zg==", "Z=g="};
    unsigned char bytes[16];
    size_t read = 99;
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!text_read_base64(bad[i], strlen(bad[i]), bytes, sizeof bytes, &read), "%s",
                      bad[i]);
    }
    static const char *const bad_url[] = {
        "Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm9v\n", "Zm9vZ"};
    for (size_t i = 0; i < COUNT(bad_url); i++) {
        ck_assert_msg(
            !text_read_base64url(bad_url[i], strlen(bad_url[i]), bytes, sizeof bytes, &read), "%s",
            bad_url[i]);
    }
    ck_assert_uint_eq(read, 99);
}
END_TEST

START_TEST(text__only_pairs_of_lower_case_hex_are_read)
{
    static const char *const bad[] = {"6", "6G", "6F", "g6", "66 ", "0x66"};
    unsigned char bytes[16];
    size_t read = 99;
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!text_read_hex(bad[i], strlen(bad[i]), bytes, sizeof bytes, &read), "%s",
                      bad[i]);
    }
    ck_assert_uint_eq(read, 99);
}
END_TEST

static const struct moment {
    int64_t ms;
    const char *text;
} moments[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1, "1970-01-01T00:00:00.001Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868799999, "2000-02-29T23:59:59.999Z"},
    {1709164800000, "2024-02-29T00:00:00.000Z"},
    {1763965463123, "2025-11-24T06:24:23.123Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
};

START_TEST(text__times_are_written_and_read_back)
{
    char text[TIME_TEXT_BYTES];
    text_write_time(moments[_i].ms, text);
    ck_assert_str_eq(text, moments[_i].text);
    int64_t ms = 7;
    ck_assert(text_read_time(moments[_i].text, &ms));
    ck_assert_int_eq(ms, moments[_i].ms);
}
END_TEST

START_TEST(text__each_day_of_400_years_follows_the_one_before)
{
    char before[TIME_TEXT_BYTES] = "";
    for (int64_t day = -10957; day < 146097 - 10957; day++) {
        char text[TIME_TEXT_BYTES];
        text_write_time(day * 86400000, text);
        ck_assert_str_lt(before, text);
        int64_t ms;
        ck_assert(text_read_time(text, &ms));
        ck_assert_int_eq(ms, day * 86400000);
        memcpy(before, text, sizeof text);
    }
}
END_TEST

START_TEST(text__times_out_of_range_are_cut_to_it)
{
    char text[TIME_TEXT_BYTES];
    text_write_time(INT64_MAX, text);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    text_write_time(INT64_MIN, text);
    ck_assert_str_eq(text, "0000-01-01T00:00:00.000Z");
}
END_TEST

START_TEST(text__fractions_of_seconds_are_optional)
{
    int64_t ms;
    ck_assert(text_read_time("1970-01-01T00:00:01Z", &ms));
    ck_assert_int_eq(ms, 1000);
    ck_assert(text_read_time("1970-01-01T00:00:01.5Z", &ms));
    ck_assert_int_eq(ms, 1500);
    ck_assert(text_read_time("1970-01-01T00:00:01.123456789Z", &ms));
    ck_assert_int_eq(ms, 1123);
}
END_TEST

START_TEST(text__what_is_no_time_is_refused)
{
    static const char *const bad[] = {
        "",
        "2025",
        "2025-11-24",
        "2025-11-24T06:24:23",
        "2025-11-24T06:24:23+00:00",
        "2025-11-24 06:24:23Z",
        "2025-11-24t06:24:23Z",
        "2025-11-24T06:24:23z",
        "2025-13-24T06:24:23Z",
        "2025-00-24T06:24:23Z",
        "2025-11-31T06:24:23Z",
        "2025-11-00T06:24:23Z",
        "2025-02-29T06:24:23Z",
        "2100-02-29T06:24:23Z",
        "2025-11-24T24:00:00Z",
        "2025-11-24T06:60:23Z",
        "2025-11-24T06:24:60Z",
        "2025-11-24T06:24:23.Z",
        "2025-11-24T06:24:23.1234567890Z",
        "2025-11-24T06:24:23.123",
        "2025-11-24T06:24:23.123Z ",
        "+025-11-24T06:24:23Z",
        "12025-11-24T06:24:23Z",
        "2025-1-24T06:24:23Z",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms = 7;
        ck_assert_msg(!text_read_time(bad[i], &ms), "`%s` was read", bad[i]);
        ck_assert_int_eq(ms, 7);
    }
}
END_TEST

static const struct duration {
    const char *text;
    int64_t ms;
    const char *written;
} durations[] = {
    {"0s", 0, "0s"},
    {"1ms", 1, "1ms"},
    {"1500ms", 1500, "1500ms"},
    {"90s", 90000, "90s"},
    {"60s", 60000, "1m"},
    {"15m", 900000, "15m"},
    {"2h", 7200000, "2h"},
    {"24h", 86400000, "1d"},
    {"400d", 34560000000, "400d"},
    {"9600h", 34560000000, "400d"},
};

START_TEST(text__durations_are_read_and_written_in_the_largest_unit)
{
    int64_t ms = 7;
    ck_assert(text_read_duration(durations[_i].text, &ms));
    ck_assert_int_eq(ms, durations[_i].ms);
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    text_append_duration(&out, ms);
    ck_assert_str_eq(out.bytes, durations[_i].written);
}
END_TEST

START_TEST(text__what_is_no_duration_is_refused)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "m",
                                      "-5m",
                                      "+5m",
                                      "5 m",
                                      "5M",
                                      "1h30m",
                                      "1.5h",
                                      "05m",
                                      "401d",
                                      "9601h",
                                      "99999999999999999999s",
                                      "5min",
                                      "5m ",
                                      "0x5m"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms = 7;
        ck_assert_msg(!text_read_duration(bad[i], &ms), "`%s` was read", bad[i]);
        ck_assert_int_eq(ms, 7);
    }
}
END_TEST

START_TEST(text__only_well_formed_utf8_is_utf8)
{
    static const char *const good[] = {"",
                                       "plain ascii, more than eight bytes",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x41",
                                      "\xE0\x9F\xBF",
                                      "\xE2\x82",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "plain ascii \xFE and more text"};
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(text_is_utf8(good[i], strlen(good[i])), "%zu", i);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!text_is_utf8(bad[i], strlen(bad[i])), "%zu", i);
    }
}
END_TEST

START_TEST(text__cutting_splits_no_character)
{
    static const char text[] = "a\xE2\x82\xAC"
                               "b";
    static const size_t expected[] = {0, 1, 1, 1, 4, 5, 5};
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert_uint_eq(text_cut(text, i), expected[i]);
    }
}
END_TEST

static const struct visible {
    const char *text;
    const char *shown;
    size_t count;
} visibles[] = {
    {"plain caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x82",
     "plain caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x82", 0},
    {"a\nb\tc", "a\\nb\\tc", 2},
    {"\x1B[31m\r\x7F", "\\u{1b}[31m\\u{d}\\u{7f}", 3},
    {"\xC2\x9B", "\\u{9b}", 1},
    {"pay\xE2\x80\xAE"
     "fdp.exe",
     "pay\\u{202e}fdp.exe", 1},
    {"\xE2\x81\xA6x\xE2\x81\xA9\xE2\x80\x8E\xD8\x9C", "\\u{2066}x\\u{2069}\\u{200e}\\u{61c}", 4},
    {"a\xE2\x80\x8B"
     "b\xE2\x81\xA0\xEF\xBB\xBF\xC2\xAD",
     "a\\u{200b}b\\u{2060}\\u{feff}\\u{ad}", 4},
    {"\xE2\x80\xA8\xE2\x80\xA9", "\\u{2028}\\u{2029}", 2},
    {"x\xF3\xA0\x81\xA1\xF3\xA0\x81\xBF", "x\\u{e0061}\\u{e007f}", 2},
    {"x\xEF\xB8\x8F\xF3\xA0\x84\x80", "x\\u{fe0f}\\u{e0100}", 2},
    {"\xEE\x80\x80\xF4\x80\x80\x80", "\\u{e000}\\u{100000}", 2},
    {"\xEF\xBF\xBE\xEF\xB7\x90\xF0\x9F\xBF\xBF", "\\u{fffe}\\u{fdd0}\\u{1ffff}", 3},
    {"\xE3\x85\xA4\xE1\x85\x9F\xE2\xA0\x80", "\\u{3164}\\u{115f}\\u{2800}", 3},
    {"e\xCC\x81", "e\xCC\x81", 0},
    {"\xCC\x81x \xCC\x81", "\\u{301}x \\u{301}", 2},
    {"\xE2\x80\x8B\xCC\x81", "\\u{200b}\\u{301}", 2},
    {"a\xCC\x81\xCC\x82\xCC\x83\xCC\x84\xCC\x85 b\xCC\x81",
     "a\xCC\x81\xCC\x82\xCC\x83\\u{304}\\u{305} b\xCC\x81", 2},
    {"\xE0\xB8\x81\xE0\xB9\x89\xE0\xB9\x89\xE0\xB9\x89\xE0\xB9\x89",
     "\xE0\xB8\x81\xE0\xB9\x89\xE0\xB9\x89\xE0\xB9\x89\\u{e49}", 1},
    {"a\xC2\xA0"
     "b\xE2\x80\x83"
     "c\xE3\x80\x80"
     "d\xE2\x80\xAF",
     "a\\u{a0}b\\u{2003}c\\u{3000}d\\u{202f}", 4},
    {"a\xFF"
     "b\xE2\x82",
     "a\\x{ff}b\\x{e2}\\x{82}", 3},
    {"`\\n` \"q\"", "`\\n` \"q\"", 0},
};

START_TEST(text__what_could_mislead_is_made_visible)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    size_t count = text_append_visible(&out, visibles[_i].text, strlen(visibles[_i].text));
    ck_assert_str_eq(out.bytes, visibles[_i].shown);
    ck_assert_uint_eq(count, visibles[_i].count);
}
END_TEST

START_TEST(text__a_nul_is_made_visible)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    ck_assert_uint_eq(text_append_visible(&out, "a\0b", 3), 1);
    ck_assert_str_eq(out.bytes, "a\\u{0}b");
}
END_TEST

static const struct mixed {
    const char *text;
    const char *words;
    bool has_more;
} mixeds[] = {
    {"plain words, caf\u00E9, \u043F\u0440\u0438\u0432\u0435\u0442 \u03B1\u03B2\u03B3", "", false},
    {"p\u0430ypal.com", "p\u0430ypal (\u0430 U+0430)", false},
    {"p\u0430yp\u0430l p\u0430yp\u0430l", "p\u0430yp\u0430l (\u0430 U+0430)", false},
    {"\u0391dmin/s\u0441\u043Epe",
     "\u0391dmin (\u0391 U+0391), s\u0441\u043Epe (\u0441 U+0441, \u043E U+043E)", false},
    {"p\u0301\u0430\u0301y", "p\u0430y (\u0430 U+0430)", false}, /* marks part no words */
    {"\u0430-b \u0430.b \u0430\u200Bb", "", false},
    {"\u13AA2 C\u13AA2", "C\u13AA2 (\u13AA U+13AA)", false},
    {"a\xFF\u0430", "", false},
    {"a\u0430 b\u0430 c\u0430 d\u0430 e\u0430 f\u0430",
     "a\u0430 (\u0430 U+0430), b\u0430 (\u0430 U+0430), c\u0430 (\u0430 U+0430), "
     "d\u0430 (\u0430 U+0430), e\u0430 (\u0430 U+0430)",
     true},
};

START_TEST(text__words_of_mixed_alphabets_are_named)
{
    struct text_mixed mixed = {0};
    builder_init(&mixed.words, 0);
    text_find_mixed(&mixed, mixeds[_i].text, strlen(mixeds[_i].text));
    ck_assert_str_eq(mixed.words.bytes, mixeds[_i].words);
    ck_assert(mixed.has_more == mixeds[_i].has_more);
    builder_finish(&mixed.words);
}
END_TEST

START_TEST(text__a_long_word_of_mixed_alphabets_is_cut)
{
    struct text_mixed mixed = {0};
    struct builder word BUILDER_SCOPE;
    builder_init(&word, 0);
    builder_init(&mixed.words, 0);
    for (int i = 0; i < 100000; i++) {
        builder_text(&word, "\u0430x");
    }
    text_find_mixed(&mixed, word.bytes, word.length);
    ck_assert_uint_lt(mixed.words.length, 100);
    ck_assert_ptr_nonnull(strstr(mixed.words.bytes, "\u0430x\u2026 (\u0430 U+0430)"));
    builder_finish(&mixed.words);
}
END_TEST

static const struct glob {
    const char *pattern;
    const char *text;
    bool matches;
} globs[] = {
    {"", "", true},
    {"", "a", false},
    {"a", "", false},
    {"payments.refund", "payments.refund", true},
    {"payments.refund", "payments.refunds", false},
    {"payments.refunds", "payments.refund", false},
    {"*", "", true},
    {"*", "payments", true},
    {"*", "payments.refund", false},
    {"**", "", true},
    {"**", "payments.refund.all", true},
    {"payments.*", "payments.refund", true},
    {"payments.*", "payments.", true},
    {"payments.*", "payments", false},
    {"payments.*", "payments.refund.all", false},
    {"payments.**", "payments.refund.all", true},
    {"*.refund", "payments.refund", true},
    {"*.refund", "eu.payments.refund", false},
    {"**.refund", "eu.payments.refund", true},
    {"**.refund", "refund", false},
    {"a*c", "abc", true},
    {"a*c", "ac", true},
    {"a*c", "acb", false},
    {"a*c", "a.c", false},
    {"a**c", "a.b.c", true},
    {"*a*b", "xaxaxb", true},
    {"*a*b", "xaxaxbx", false},
    {"*.*.c", "a.b.c", true},
    {"*.*.c", "a.c", false},
    {"**.b.*", "a.b.c.b.d", true},
    {"**.b.*", "a.b.c.b.d.e", false},
    {"**x*y.z", "ax.bxy.z", true},
    {"***", "a.b", true},
    {"a****b", "a.x.b", true},
    {"?[a]\\", "?[a]\\", true},
    {"?", "x", false},
    {"caf\xC3\xA9*", "caf\xC3\xA9s", true},
};

START_TEST(text__globs_match_what_they_say)
{
    const struct glob *row = &globs[_i];
    ck_assert_msg(text_matches_glob(row->pattern, row->text, '.') == row->matches,
                  "`%s` on `%s` must %smatch", row->pattern, row->text, row->matches ? "" : "not ");
}
END_TEST

/* The meaning of a glob, written as the definition reads. */
static bool matches_by_definition(const char *pattern, const char *text)
{
    if (*pattern == '\0') {
        return *text == '\0';
    }
    if (*pattern != '*') {
        return *pattern == *text && matches_by_definition(pattern + 1, text + 1);
    }
    size_t stars = strspn(pattern, "*");
    for (;; text++) {
        if (matches_by_definition(pattern + stars, text)) {
            return true;
        }
        if (*text == '\0' || (stars == 1 && *text == '.')) {
            return false;
        }
    }
}

START_TEST(text__globs_match_as_defined_on_random_texts)
{
    struct chance chance = {.state = 2};
    int matched = 0;
    for (int i = 0; i < 200000; i++) {
        char pattern[9] = "";
        char text[9] = "";
        for (unsigned j = chance_below(&chance, sizeof pattern); j > 0; j--) {
            pattern[j - 1] = "ab.*"[chance_below(&chance, 4)];
        }
        for (unsigned j = chance_below(&chance, sizeof text); j > 0; j--) {
            text[j - 1] = "ab."[chance_below(&chance, 3)];
        }
        bool expected = matches_by_definition(pattern, text);
        matched += expected;
        ck_assert_msg(text_matches_glob(pattern, text, '.') == expected, "`%s` on `%s`", pattern,
                      text);
    }
    ck_assert_int_gt(matched, 1000);
}
END_TEST

START_TEST(text__hostile_globs_end_at_once)
{
    /* Backtracking would take longer than the universe has. */
    struct builder pattern BUILDER_SCOPE;
    builder_init(&pattern, 0);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < 200; i++) {
        builder_text(&pattern, i % 2 == 0 ? "**a" : "*a");
    }
    builder_text(&pattern, "b");
    for (int i = 0; i < 20000; i++) {
        builder_text(&text, i % 50 == 0 ? "." : "a");
    }
    ck_assert(!text_matches_glob(pattern.bytes, text.bytes, '.'));
    builder_text(&text, "b");
    ck_assert(text_matches_glob(pattern.bytes, text.bytes, '.'));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, text__bytes_are_encoded_as_the_rfc_shows, 0, (int)COUNT(encodings));
    tcase_add_loop_test(tests, text__encodings_are_read_back, 0, (int)COUNT(encodings));
    tcase_add_loop_test(tests, text__nothing_longer_than_its_room_is_read, 0,
                        (int)COUNT(encodings));
    tcase_add_test(tests, text__only_canonical_base64_is_read);
    tcase_add_test(tests, text__only_pairs_of_lower_case_hex_are_read);
    tcase_add_loop_test(tests, text__times_are_written_and_read_back, 0, (int)COUNT(moments));
    tcase_add_test(tests, text__each_day_of_400_years_follows_the_one_before);
    tcase_add_test(tests, text__times_out_of_range_are_cut_to_it);
    tcase_add_test(tests, text__fractions_of_seconds_are_optional);
    tcase_add_test(tests, text__what_is_no_time_is_refused);
    tcase_add_loop_test(tests, text__durations_are_read_and_written_in_the_largest_unit, 0,
                        (int)COUNT(durations));
    tcase_add_test(tests, text__what_is_no_duration_is_refused);
    tcase_add_test(tests, text__only_well_formed_utf8_is_utf8);
    tcase_add_test(tests, text__cutting_splits_no_character);
    tcase_add_loop_test(tests, text__what_could_mislead_is_made_visible, 0, (int)COUNT(visibles));
    tcase_add_test(tests, text__a_nul_is_made_visible);
    tcase_add_loop_test(tests, text__words_of_mixed_alphabets_are_named, 0, (int)COUNT(mixeds));
    tcase_add_test(tests, text__a_long_word_of_mixed_alphabets_is_cut);
    tcase_add_loop_test(tests, text__globs_match_what_they_say, 0, (int)COUNT(globs));
    tcase_add_test(tests, text__globs_match_as_defined_on_random_texts);
    tcase_add_test(tests, text__hostile_globs_end_at_once);
}

int main(void)
{
    TCase *tests = tcase_create("text");
    tcase_set_timeout(tests, 60);
    add_tests(tests);
    Suite *suite = suite_create("text");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
