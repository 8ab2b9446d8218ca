#include "policy/cel/strings_internal.h"
#include "tests/support/chance.h"
#include <check.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cel_text text_of(const char *text)
{
    return (struct cel_text){text, strlen(text)};
}

START_TEST(strings__a_needle_is_found_from_a_place_on)
{
    struct cel_text text = text_of("bananas");
    ck_assert_uint_eq(cel_text_find(text, text_of("ana"), 0), 1);
    ck_assert_uint_eq(cel_text_find(text, text_of("ana"), 2), 3);
    ck_assert_uint_eq(cel_text_find(text, text_of("ana"), 4), SIZE_MAX);
    ck_assert_uint_eq(cel_text_find(text, text_of("s"), 7), SIZE_MAX);
    ck_assert_uint_eq(cel_text_find(text, text_of(""), 7), 7);
    ck_assert_uint_eq(cel_text_find((struct cel_text){NULL, 0}, text_of("a"), 0), SIZE_MAX);
}
END_TEST

static void check_trim(const char *given, const char *expected)
{
    struct cel_text trimmed = cel_text_trim(text_of(given));
    ck_assert_uint_eq(trimmed.length, strlen(expected));
    ck_assert_mem_eq(trimmed.bytes, expected, trimmed.length);
}

START_TEST(strings__white_space_of_unicode_is_trimmed_and_nothing_else)
{
    check_trim(" \f\n\r\t\vtwo words  ", "two words");
    check_trim("\xc2\x85\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000", "");
    check_trim("\u3000é\u3000", "é");
    check_trim("\u200btext\ufeff", "\u200btext\ufeff");
    check_trim("", "");
}
END_TEST

START_TEST(strings__quotes_escape_what_cel_escapes)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    cel_text_quote(&out, text_of("\a\b\f\n\r\t\v\\\"'é"));
    ck_assert_str_eq(out.bytes, "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"'é\"");
}
END_TEST

START_TEST(strings__characters_are_reversed_whole)
{
    char out[16] = "";
    cel_text_reverse(out, text_of("aé€😀"));
    ck_assert_str_eq(out, "😀€éa");
}
END_TEST

static const char *format(const char *format, struct cel_value value)
{
    static char text[1024];
    char problem[CEL_FORMAT_PROBLEM_BYTES];
    struct builder out BUILDER_SCOPE;
    builder_init(&out, sizeof text - 1);
    bool is_fine = cel_text_format(&out, text_of(format), &value, 1, problem);
    snprintf(text, sizeof text, "%s", is_fine ? out.bytes : problem);
    return text;
}

START_TEST(format__doubles_have_the_fewest_digits_that_tell_them)
{
    ck_assert_str_eq(format("%s", cel_double(0.1)), "0.1");
    ck_assert_str_eq(format("%s", cel_double(-0.0)), "-0");
    ck_assert_str_eq(format("%s", cel_double(100)), "100");
    ck_assert_str_eq(format("%s", cel_double(1e23)), "100000000000000000000000");
    ck_assert_str_eq(format("%d", cel_double(5e-324)) + 320, "000005");
    ck_assert_str_eq(format("%s", cel_double(123456789.125)), "123456789.125");
    ck_assert_uint_eq(strlen(format("%s", cel_double(-DBL_MAX))), 310);
    struct chance chance = {3};
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = chance_next(&chance);
        double real;
        memcpy(&real, &bits, sizeof real);
        if (isfinite(real)) {
            ck_assert(strtod(format("%s", cel_double(real)), NULL) == real);
        }
    }
}
END_TEST

START_TEST(format__whole_numbers_have_their_sign_in_every_base)
{
    ck_assert_str_eq(format("%x", cel_int(INT64_MIN)), "-8000000000000000");
    ck_assert_str_eq(format("%X", cel_uint(UINT64_MAX)), "FFFFFFFFFFFFFFFF");
    ck_assert_str_eq(format("%b", cel_int(-5)), "-101");
    ck_assert_str_eq(format("%o", cel_int(-8)), "-10");
    ck_assert_uint_eq(strlen(format("%b", cel_int(INT64_MIN))), 65);
    ck_assert_str_eq(format("%b", cel_bool(false)), "0");
}
END_TEST

START_TEST(format__precision_is_bounded)
{
    ck_assert_str_eq(format("%.0f", cel_double(2.5)), "2");
    ck_assert_uint_eq(strlen(format("%.100f", cel_double(-DBL_MAX))), 411);
    ck_assert_str_eq(format("%.101f", cel_double(1)), "a precision is a number from 0 to 100");
    ck_assert_str_eq(format("%.99999999999999999999f", cel_double(1)),
                     "a precision is a number from 0 to 100");
    ck_assert_str_eq(format("%.f", cel_double(1)), "a precision is a number from 0 to 100");
}
END_TEST

START_TEST(format__a_wrong_format_is_told)
{
    ck_assert_str_eq(format("%", cel_int(1)),
                     "unexpected end of the format: a `%` without a clause");
    ck_assert_str_eq(format("%.3", cel_int(1)),
                     "unexpected end of the format: a `%` without a clause");
    ck_assert_str_eq(format("%q", cel_int(1)), "unrecognized formatting clause `q`");
    ck_assert_str_eq(format("%\n", cel_int(1)), "unrecognized formatting clause `?`");
    ck_assert_str_eq(format("%d%d", cel_int(1)), "index 1 out of range");
    ck_assert_str_eq(format("%d", cel_bool(true)),
                     "decimal clause can only be used on numbers, was given bool");
    struct cel_value bytes = {.kind = CEL_BYTES, .length = 1, .as.bytes = "\xff"};
    ck_assert_str_eq(format("%s", bytes), "the bytes are not UTF-8 text");
    ck_assert_str_eq(format("%x", bytes), "ff");
}
END_TEST

START_TEST(format__maps_are_written_in_the_order_of_their_keys_text)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const struct cel_entry entries[] = {
        {cel_string("b", 1), cel_int(1)}, {cel_int(10), cel_int(2)},
        {cel_int(9), cel_int(3)},         {cel_bool(true), cel_null()},
        {cel_uint(7), cel_bool(false)},   {cel_string("", 0), cel_int(4)},
    };
    struct cel_value map = {.kind = CEL_MAP, .as.map = cel_map_make(arena, entries, 6)};
    ck_assert_str_eq(format("%s", map), "{: 4, 10: 2, 7: false, 9: 3, b: 1, true: null}");
}
END_TEST

START_TEST(format__deep_values_and_long_texts_end)
{
    struct cel_value lists[CEL_DEPTH_MAX + 2] = {cel_int(1)};
    for (int i = 1; i < CEL_DEPTH_MAX + 2; i++) {
        lists[i] = (struct cel_value){.kind = CEL_LIST, .length = 1, .as.items = &lists[i - 1]};
    }
    ck_assert_int_eq(format("%s", lists[CEL_DEPTH_MAX])[0], '[');
    ck_assert_str_eq(format("%s", lists[CEL_DEPTH_MAX + 1]), "values are nested too deeply");
    /* Each list holds the one before ten times: 10^30 numbers. */
    struct cel_value tens[31][10];
    for (int i = 0; i < 31; i++) {
        for (int j = 0; j < 10; j++) {
            tens[i][j] =
                i == 0
                    ? cel_int(j)
                    : (struct cel_value){.kind = CEL_LIST, .length = 10, .as.items = tens[i - 1]};
        }
    }
    struct builder out BUILDER_SCOPE;
    char problem[CEL_FORMAT_PROBLEM_BYTES];
    builder_init(&out, CEL_ARENA_BYTES_MAX);
    ck_assert(!cel_text_format(&out, text_of("%s"), tens[30], 1, problem));
    ck_assert(builder_failed(&out));
}
END_TEST

START_TEST(format__the_host_s_locale_changes_nothing)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (setlocale(LC_ALL, locales[i]) != NULL) {
            ck_assert_str_eq(format("%s", cel_double(-1234.5)), "-1234.5");
            ck_assert_str_eq(format("%.2e", cel_double(1234.5)), "1.23e+03");
        }
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("strings");
    tcase_add_test(tests, strings__a_needle_is_found_from_a_place_on);
    tcase_add_test(tests, strings__white_space_of_unicode_is_trimmed_and_nothing_else);
    tcase_add_test(tests, strings__quotes_escape_what_cel_escapes);
    tcase_add_test(tests, strings__characters_are_reversed_whole);
    tcase_add_test(tests, format__doubles_have_the_fewest_digits_that_tell_them);
    tcase_add_test(tests, format__whole_numbers_have_their_sign_in_every_base);
    tcase_add_test(tests, format__precision_is_bounded);
    tcase_add_test(tests, format__a_wrong_format_is_told);
    tcase_add_test(tests, format__maps_are_written_in_the_order_of_their_keys_text);
    tcase_add_test(tests, format__deep_values_and_long_texts_end);
    tcase_add_test(tests, format__the_host_s_locale_changes_nothing);
    Suite *suite = suite_create("strings");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
