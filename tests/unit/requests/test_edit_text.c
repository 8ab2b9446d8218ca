#include "requests/edit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct builder out;
static struct error error;

static void set_up(void)
{
    builder_init(&out, 0);
    error = (struct error){0};
}

static void tear_down(void)
{
    builder_finish(&out);
}

static void expect_replaced(const char *action, const char *arguments, const char *expected)
{
    builder_clear(&out);
    ck_assert(edit_replace_arguments(action, arguments, &out, &error));
    ck_assert_str_eq(out.bytes, expected);
}

START_TEST(edit__replaces_nothing_but_the_arguments)
{
    expect_replaced("{\"name\":\"a\",\"properties\":{\"args\":{\"x\":1},\"zone\":\"eu\"}}",
                    "{\"y\":2}",
                    "{\"name\":\"a\",\"properties\":{\"args\":{\"y\":2},\"zone\":\"eu\"}}");
    expect_replaced("{\"name\":\"a\",\"properties\":{\"Zone\":1,\"args\":{}}}", "{}",
                    "{\"name\":\"a\",\"properties\":{\"Zone\":1,\"args\":{}}}");
}
END_TEST

START_TEST(edit__gives_arguments_to_an_action_that_had_none)
{
    expect_replaced("{\"name\":\"a\"}", "{\"y\":2}",
                    "{\"name\":\"a\",\"properties\":{\"args\":{\"y\":2}}}");
    expect_replaced("{\"name\":\"a\",\"properties\":{}}", "{}",
                    "{\"name\":\"a\",\"properties\":{\"args\":{}}}");
}
END_TEST

START_TEST(edit__refuses_what_is_no_json)
{
    ck_assert(!edit_replace_arguments("{", "{}", &out, &error));
    error = (struct error){0};
    ck_assert(!edit_replace_arguments("{\"name\":\"a\"}", "{\"a\":}", &out, &error));
    error = (struct error){0};
    ck_assert(!edit_append_changes("{}", "nonsense", &out, &error));
    ck_assert_uint_eq(out.length, 0);
}
END_TEST

static void expect_changes(const char *before, const char *after, const char *expected)
{
    char old[4096];
    char new[4096];
    snprintf(old, sizeof old, "{\"properties\":{\"args\":%s}}", before);
    snprintf(new, sizeof new, "{\"properties\":{\"args\":%s}}", after);
    builder_clear(&out);
    ck_assert(edit_append_changes(old, new, &out, &error));
    ck_assert_str_eq(out.bytes, expected);
}

START_TEST(edit__says_nothing_where_nothing_differs)
{
    expect_changes("{\"a\":[1,{\"b\":null}]}", "{\"a\":[1,{\"b\":null}]}", "[]");
}
END_TEST

START_TEST(edit__says_what_came_what_went_and_what_became_something_else)
{
    expect_changes("{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}",
                   "[{\"from\":1,\"path\":\"/a\"},{\"from\":2,\"path\":\"/b\",\"to\":3},"
                   "{\"path\":\"/c\",\"to\":4}]");
    expect_changes("{\"a\":[1,2,3]}", "{\"a\":[1,5]}",
                   "[{\"from\":2,\"path\":\"/a/1\",\"to\":5},{\"from\":3,\"path\":\"/a/2\"}]");
    expect_changes("{\"a\":{\"b\":1}}", "{\"a\":[1]}",
                   "[{\"from\":{\"b\":1},\"path\":\"/a\",\"to\":[1]}]");
    expect_changes("{\"a\":\"1\"}", "{\"a\":1}", "[{\"from\":\"1\",\"path\":\"/a\",\"to\":1}]");
    expect_changes("{\"a\":null}", "{}", "[{\"from\":null,\"path\":\"/a\"}]");
}
END_TEST

START_TEST(edit__escapes_names_in_pointers)
{
    expect_changes("{\"a/b~\":1}", "{\"a/b~\":2}", "[{\"from\":1,\"path\":\"/a~1b~0\",\"to\":2}]");
}
END_TEST

START_TEST(edit__too_many_changes_are_one)
{
    struct builder many BUILDER_SCOPE;
    builder_init(&many, 0);
    builder_text(&many, "{");
    for (int i = 0; i <= EDIT_CHANGES_MAX; i++) {
        builder_printf(&many, "%s\"k%02d\":%d", i == 0 ? "" : ",", i, i);
    }
    builder_text(&many, "}");
    struct builder expected BUILDER_SCOPE;
    builder_init(&expected, 0);
    builder_printf(&expected, "[{\"from\":{},\"path\":\"\",\"to\":%s}]", many.bytes);
    expect_changes("{}", many.bytes, expected.bytes);
}
END_TEST

START_TEST(edit__a_pointer_that_is_too_long_makes_it_one)
{
    char name[EDIT_POINTER_BYTES_MAX + 1];
    char after[sizeof name + 64];
    char expected[sizeof after + 64];
    memset(name, 'n', EDIT_POINTER_BYTES_MAX);
    name[EDIT_POINTER_BYTES_MAX] = '\0';
    snprintf(after, sizeof after, "{\"a\":1,\"%s\":2}", name);
    snprintf(expected, sizeof expected, "[{\"from\":{},\"path\":\"\",\"to\":%s}]", after);
    expect_changes("{}", after, expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("requests: edit");
    TCase *tests = tcase_create("edit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, edit__replaces_nothing_but_the_arguments);
    tcase_add_test(tests, edit__gives_arguments_to_an_action_that_had_none);
    tcase_add_test(tests, edit__refuses_what_is_no_json);
    tcase_add_test(tests, edit__says_nothing_where_nothing_differs);
    tcase_add_test(tests, edit__says_what_came_what_went_and_what_became_something_else);
    tcase_add_test(tests, edit__escapes_names_in_pointers);
    tcase_add_test(tests, edit__too_many_changes_are_one);
    tcase_add_test(tests, edit__a_pointer_that_is_too_long_makes_it_one);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
