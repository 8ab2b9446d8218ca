#include "policy/cel/cel_internal.h"
#include <check.h>
#include <string.h>

static bool is_valid(const char *text)
{
    return cel_utf8_is_valid(text, strlen(text));
}

START_TEST(utf8__what_rfc_3629_forbids_is_not_valid)
{
    ck_assert(is_valid("aé€😀"));
    ck_assert(cel_utf8_is_valid("a\0b", 3));
    ck_assert(is_valid("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
    ck_assert_msg(!is_valid("\x80"), "a byte that continues nothing");
    ck_assert_msg(!is_valid("\xc0\xaf"), "overlong in two bytes");
    ck_assert_msg(!is_valid("\xe0\x9f\xbf"), "overlong in three");
    ck_assert_msg(!is_valid("\xf0\x8f\xbf\xbf"), "overlong in four");
    ck_assert_msg(!is_valid("\xed\xa0\x80"), "a surrogate");
    ck_assert_msg(!is_valid("\xf4\x90\x80\x80"), "past U+10FFFF");
    ck_assert_msg(!is_valid("\xe2\x82"), "cut off");
    ck_assert_msg(!is_valid("\xe2\x28\xa1"), "a byte that should continue");
}
END_TEST

START_TEST(utf8__characters_are_counted_and_found)
{
    const char text[] = "aé€😀";
    size_t length = strlen(text);
    ck_assert_uint_eq(cel_utf8_count(text, length), 4);
    ck_assert_uint_eq(cel_utf8_offset(text, length, 0), 0);
    ck_assert_uint_eq(cel_utf8_offset(text, length, 2), 3);
    ck_assert_uint_eq(cel_utf8_offset(text, length, 4), length);
    ck_assert_uint_eq(cel_utf8_offset(text, length, 99), length);
}
END_TEST

START_TEST(utf8__long_texts_are_counted_as_short_ones_are)
{
    char text[64] = "";
    for (size_t count = 0; count < 30; count++) {
        ck_assert_uint_eq(cel_utf8_count(text, strlen(text)), count);
        strcat(text, count % 3 == 0 ? "é" : "x");
    }
}
END_TEST

START_TEST(utf8__every_code_point_is_read_as_it_was_written)
{
    for (uint32_t written = 0; written <= 0x10ffff; written++) {
        if (written >= 0xd800 && written <= 0xdfff) {
            continue;
        }
        char bytes[4];
        size_t length = cel_utf8_write(bytes, written);
        const char *cursor = bytes;
        uint32_t read = cel_utf8_next(&cursor, bytes + length);
        if (read != written || cursor != bytes + length || !cel_utf8_is_valid(bytes, length)) {
            ck_abort_msg("U+%04X was read as U+%04X", written, read);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tcase = tcase_create("utf8");
    tcase_add_test(tcase, utf8__what_rfc_3629_forbids_is_not_valid);
    tcase_add_test(tcase, utf8__characters_are_counted_and_found);
    tcase_add_test(tcase, utf8__long_texts_are_counted_as_short_ones_are);
    tcase_add_test(tcase, utf8__every_code_point_is_read_as_it_was_written);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
