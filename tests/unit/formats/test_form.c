#include "formats/form.h"

#include "tests/support/run_suite.h"
#include <stdio.h>
#include <string.h>

static struct arena *arena;

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

START_TEST(form__names_and_values_are_decoded)
{
    static const char text[] = "a=1&b+c=%C3%A4+%2b&empty=&bare&&x=a=b";
    struct form form;
    struct error error = {0};
    /* an empty part is no parameter, and not taken for one */
    ck_assert(!form_read(text, strlen(text), arena, &form, &error));
    static const char good[] = "a=1&b+c=%C3%A4+%2b&empty=&bare&x=a=b";
    error = (struct error){0};
    ck_assert_msg(form_read(good, strlen(good), arena, &form, &error), "%s", error.message);
    ck_assert_uint_eq(form.count, 5);
    ck_assert_str_eq(form_value(&form, "a"), "1");
    ck_assert_str_eq(form_value(&form, "b c"), "ä +");
    ck_assert_str_eq(form_value(&form, "empty"), "");
    ck_assert_str_eq(form_value(&form, "bare"), "");
    ck_assert_str_eq(form_value(&form, "x"), "a=b");
    ck_assert_ptr_null(form_value(&form, "y"));
    ck_assert(form_read("", 0, arena, &form, &error));
    ck_assert_uint_eq(form.count, 0);
}
END_TEST

static const char *const faults[] = {"a=1&a=2", "a=1&%61=2", "a&a",   "=1",    "&",     "a=1&",
                                     "a=%",     "a=%4",      "a=%4g", "a=%g4", "a=%00", "a=%0a",
                                     "a=\n",    "a=%7f",     "a=%ff", "%=1",   "a=%C3", "a=\xc3"};

START_TEST(form__what_could_be_read_in_two_ways_is_refused)
{
    struct form form;
    struct error error = {0};
    const char *text = faults[_i];
    bool ends_in_ampersand = strcmp(text, "a=1&") == 0;
    bool is_read = form_read(text, strlen(text), arena, &form, &error);
    ck_assert_msg(is_read == ends_in_ampersand, "`%s`", text);
    if (!is_read) {
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_str_eq(error.code, "invalid_form");
    }
}
END_TEST

START_TEST(form__is_bounded)
{
    struct form form;
    struct error error = {0};
    char text[FORM_FIELDS_MAX * 8] = "";
    for (int i = 0; i < FORM_FIELDS_MAX; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%sp%d=x", i == 0 ? "" : "&", i);
    }
    ck_assert(form_read(text, strlen(text), arena, &form, &error));
    ck_assert_uint_eq(form.count, FORM_FIELDS_MAX);
    strcat(text, "&more=1");
    ck_assert(!form_read(text, strlen(text), arena, &form, &error));
    static char large[FORM_BYTES_MAX + 2];
    memset(large, 'a', sizeof large - 1);
    ck_assert(form_read(large, FORM_BYTES_MAX, arena, &form, &error));
    ck_assert(!form_read(large, FORM_BYTES_MAX + 1, arena, &form, &error));
}
END_TEST

START_TEST(form__what_is_encoded_is_one_value_and_one_segment_and_comes_back)
{
    const char *text = "19:aZ09-._~@thread.tacv2/../?&=+ %\xc3\xa4";
    const char *encoded = form_encode(text, arena);
    ck_assert_str_eq(encoded, "19%3AaZ09-._~%40thread.tacv2%2F..%2F%3F%26%3D%2B%20%25%C3%A4");
    ck_assert_str_eq(form_decode(encoded, strlen(encoded), arena), text);
    ck_assert_str_eq(form_encode("", arena), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("formats: form");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, form__names_and_values_are_decoded);
    tcase_add_loop_test(tests, form__what_could_be_read_in_two_ways_is_refused, 0,
                        sizeof faults / sizeof faults[0]);
    tcase_add_test(tests, form__is_bounded);
    tcase_add_test(tests, form__what_is_encoded_is_one_value_and_one_segment_and_comes_back);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
