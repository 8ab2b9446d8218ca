#include "base/builder.h"
#include "formats/canonical.h"
#include "tests/support/chance.h"
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void check_canonical(const char *text, const char *expected)
{
    struct error error = {0};
    struct json_document *document = json_parse(text, strlen(text), &error);
    ck_assert_msg(document != NULL, "%s", error.message);
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    canonical_append(&out, json_root(document));
    ck_assert_str_eq(out.bytes, expected);
    json_destroy(document);
}

START_TEST(canonical__names_are_sorted_by_utf16_code_units)
{
    /* U+1F602 is D83D DE02 in UTF-16, before U+E000 and U+FB33, after U+D7FF. */
    check_canonical(
        "{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x82\":2,\"\xEE\x80\x80\":3,\"\xED\x9F\xBF\":4,"
        "\"a\":5,\"ab\":6,\"\":7,\"\xF0\x90\x80\x80\":8,\"a\xEF\xAC\xB3\":9,"
        "\"a\xF0\x9F\x98\x82\":10}",
        "{\"\":7,\"a\":5,\"ab\":6,\"a\xF0\x9F\x98\x82\":10,\"a\xEF\xAC\xB3\":9,"
        "\"\xED\x9F\xBF\":4,\"\xF0\x90\x80\x80\":8,\"\xF0\x9F\x98\x82\":2,"
        "\"\xEE\x80\x80\":3,\"\xEF\xAC\xB3\":1}");
}
END_TEST

START_TEST(canonical__large_objects_are_sorted_too)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct builder expected BUILDER_SCOPE;
    builder_init(&expected, 0);
    for (int i = 0; i < 500; i++) {
        builder_printf(&text, "%s\"n%03d\":%d", i == 0 ? "{" : ",", i * 7 % 500, i * 7 % 500);
        builder_printf(&expected, "%s\"n%03d\":%d", i == 0 ? "{" : ",", i, i);
    }
    builder_char(&text, '}');
    builder_char(&expected, '}');
    check_canonical(text.bytes, expected.bytes);
}
END_TEST

START_TEST(canonical__strings_have_exactly_the_escapes_of_the_rfc)
{
    check_canonical("\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\\\/\\u007f\\u2028\"",
                    "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7F\xE2\x80\xA8\"");
}
END_TEST

static const struct number {
    double number;
    const char *text;
} numbers[] = {
    {0.0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-1, "-1"},
    {9007199254740991, "9007199254740991"},
    {9007199254740992, "9007199254740992"},
    {-9007199254740994.0, "-9007199254740994"},
    {18446744073709551616.0, "18446744073709552000"},
    {1e20, "100000000000000000000"},
    {1e21, "1e+21"},
    {123456789012345680000.0, "123456789012345680000"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {19.99, "19.99"},
    {-125.5, "-125.5"},
    {1e-5, "0.00001"},
    {1e-6, "0.000001"},
    {9.999999999999997e-7, "9.999999999999997e-7"},
    {1e-7, "1e-7"},
    {1.5e-9, "1.5e-9"},
    {333333333.33333329, "333333333.3333333"},
    {1e23, "1e+23"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {2.225073858507201e-308, "2.225073858507201e-308"},
    {5e-324, "5e-324"},
    {-5e-324, "-5e-324"},
    {1e-323, "1e-323"},
    {99999999.99999999, "99999999.99999999"},
    {999999999999999.9, "999999999999999.9"},
    /* Powers of two whose shortest form is not the nearest of its length. */
    {0x1p-44, "5.684341886080802e-14"},
    {0x1p-24, "5.960464477539063e-8"},
    {9.5367431640625e-7, "9.5367431640625e-7"},
};

/* Texts are looked at sixteen bytes at a time: every place among them, with what follows plain and
 * what was before too. */
START_TEST(canonical__an_escape_is_found_at_every_place)
{
    enum { LENGTH_MAX = 50 };
    static const char special[] = {'"', '\\', '\n', 0x1f, 0x01};
    for (size_t length = 1; length <= LENGTH_MAX; length++) {
        for (size_t at = 0; at < length; at++) {
            char text[LENGTH_MAX];
            memset(text, '\x7f' - (int)(length % 3) * 0x5f, sizeof text); /* DEL, blank, 0xc1 */
            text[at] = special[(length + at) % sizeof special];
            struct builder out BUILDER_SCOPE;
            builder_init(&out, 0);
            canonical_append_string(&out, text, length);
            const char *backslash = memchr(out.bytes, '\\', out.length);
            ck_assert_ptr_eq(backslash, out.bytes + 1 + at);
            ck_assert_mem_eq(out.bytes + 1, text, at);
            ck_assert_mem_eq(out.bytes + out.length - 1 - (length - at - 1), text + at + 1,
                             length - at - 1);
        }
    }
}
END_TEST

START_TEST(canonical__numbers_are_written_as_ecmascript_does)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    canonical_append_number(&out, numbers[_i].number);
    ck_assert_str_eq(out.bytes, numbers[_i].text);
}
END_TEST

static size_t count_digits(const char *text)
{
    size_t count = 0;
    size_t zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text == '0') {
            zeros += count > 0;
        } else if (*text >= '1' && *text <= '9') {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

static void check_shortest(double number)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    canonical_append_number(&out, number);
    ck_assert_msg(strtod(out.bytes, NULL) == number, "%a is written %s", number, out.bytes);
    /* No rounding to fewer digits reads back. */
    size_t digits = count_digits(out.bytes);
    if (digits > 1) {
        char shorter[64];
        snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, number);
        ck_assert_msg(strtod(shorter, NULL) != number, "%a is written %s, %s would do", number,
                      out.bytes, shorter);
    }
}

START_TEST(canonical__random_doubles_read_back_and_are_shortest)
{
    struct chance chance = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = chance_next(&chance);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number)) {
            check_shortest(number);
        }
        check_shortest((double)(int64_t)(bits >> 20) / 100);
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        check_shortest(ldexp(1, exponent));
        check_shortest(nextafter(ldexp(1, exponent), 0));
    }
}
END_TEST

START_TEST(canonical__numbers_that_are_none_abort)
{
    struct builder out;
    builder_init(&out, 0);
    canonical_append_number(&out, _i == 0 ? NAN : (double)INFINITY);
}
END_TEST

START_TEST(canonical__members_named_are_left_out_of_the_top_object_only)
{
    static const char text[] = "{\"sig\":1,\"a\":{\"sig\":2},\"hash\":3}";
    static const char *const left_out[] = {"sig", "hash", "absent", NULL};
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &error);
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    canonical_append_without(&out, json_root(document), left_out);
    ck_assert_str_eq(out.bytes, "{\"a\":{\"sig\":2}}");
    builder_clear(&out);
    canonical_append_without(&out, json_root(document), NULL);
    ck_assert_str_eq(out.bytes, "{\"a\":{\"sig\":2},\"hash\":3,\"sig\":1}");
}
END_TEST

START_TEST(canonical__the_writer_composes_what_parsing_gives_back)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &out);
    canonical_open_object(&writer);
    canonical_name(&writer, "a");
    canonical_open_array(&writer);
    canonical_string(&writer, "x\n");
    canonical_integer(&writer, -5);
    canonical_null(&writer);
    canonical_open_object(&writer);
    canonical_close_object(&writer);
    canonical_bool(&writer, true);
    canonical_close_array(&writer);
    canonical_member_bool(&writer, "b", false);
    canonical_member_integer(&writer, "c", 9007199254740991);
    canonical_member_raw(&writer, "d", "{\"x\":[1]}", 9);
    canonical_member_text(&writer, "e", NULL);
    canonical_member_text(&writer, "f", "text");
    canonical_name(&writer, "g");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "a", "again");
    canonical_close_object(&writer);
    canonical_close_object(&writer);
    ck_assert_str_eq(out.bytes,
                     "{\"a\":[\"x\\n\",-5,null,{},true],\"b\":false,\"c\":9007199254740991,"
                     "\"d\":{\"x\":[1]},\"f\":\"text\",\"g\":{\"a\":\"again\"}}");
    check_canonical(out.bytes, out.bytes);
}
END_TEST

static void misuse(int how)
{
    struct builder out;
    builder_init(&out, 0);
    struct canonical_writer writer;
    canonical_begin(&writer, &out);
    canonical_open_object(&writer);
    canonical_member_bool(&writer, "b", true);
    if (how == 0) {
        canonical_member_bool(&writer, "a", true);
    } else if (how == 1) {
        canonical_member_bool(&writer, "b", true);
    } else if (how == 2) {
        canonical_member_integer(&writer, "c", INT64_C(1) << 53);
    } else if (how == 3) {
        canonical_close_object(&writer);
        canonical_close_object(&writer);
    } else if (how == 4) {
        canonical_member_bool(&writer, "cccccccccccccccccccccccccccccccccccccccccccccccc", true);
    } else {
        for (int i = 0; i < CANONICAL_WRITER_DEPTH_MAX; i++) {
            canonical_name(&writer, "c");
            canonical_open_object(&writer);
        }
    }
}

START_TEST(canonical__misuse_of_the_writer_aborts)
{
    misuse(_i);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("canonical");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, canonical__names_are_sorted_by_utf16_code_units);
    tcase_add_test(tests, canonical__large_objects_are_sorted_too);
    tcase_add_test(tests, canonical__strings_have_exactly_the_escapes_of_the_rfc);
    tcase_add_test(tests, canonical__an_escape_is_found_at_every_place);
    tcase_add_loop_test(tests, canonical__numbers_are_written_as_ecmascript_does, 0,
                        (int)COUNT(numbers));
    tcase_add_test(tests, canonical__random_doubles_read_back_and_are_shortest);
    tcase_add_loop_test_raise_signal(tests, canonical__numbers_that_are_none_abort, SIGABRT, 0, 2);
    tcase_add_test(tests, canonical__members_named_are_left_out_of_the_top_object_only);
    tcase_add_test(tests, canonical__the_writer_composes_what_parsing_gives_back);
    tcase_add_loop_test_raise_signal(tests, canonical__misuse_of_the_writer_aborts, SIGABRT, 0, 6);
    Suite *suite = suite_create("canonical");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
