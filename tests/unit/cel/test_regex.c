#include "policy/cel/regex.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct cel_regex *create(const char *pattern, size_t memory_bytes)
{
    char problem[CEL_REGEX_PROBLEM_BYTES] = "";
    struct cel_regex *regex = cel_regex_create(pattern, strlen(pattern), memory_bytes, problem);
    ck_assert_msg((regex == NULL) == (problem[0] != '\0'), "`%s`: `%s`", pattern, problem);
    return regex;
}

static bool matches(const char *pattern, const char *text, size_t length)
{
    struct cel_regex *regex = create(pattern, CEL_REGEX_MEMORY_BYTES);
    ck_assert_msg(regex != NULL, "`%s` was refused", pattern);
    bool result = cel_regex_matches(regex, text, length);
    cel_regex_destroy(regex);
    return result;
}

START_TEST(regex__any_part_of_a_text_may_match)
{
    ck_assert(matches("ubb", "hubba", 5));
    ck_assert(!matches("^ubb", "hubba", 5));
    ck_assert(matches("", "", 0));
    ck_assert(matches("(?i)drop\\s+table", "SELECT 1; DROP   TABLE users", 28));
    ck_assert(matches("^.{3}$", "añ😀", strlen("añ😀")));
    ck_assert(matches("b", "a\0b", 3));
    ck_assert_msg(!matches("^.$", "\xff", 1), "a byte that is not UTF-8 is no character");
}
END_TEST

START_TEST(regex__patterns_that_are_none_or_too_large_are_refused)
{
    static const char *const wrong[] = {
        "(", "a{1001}", "(?=a)", "\\1", "[z-a]", "*a", "\xff", "((a{100}){100}){100}", "\\C{0}\\"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cel_regex *regex = create(wrong[i], CEL_REGEX_MEMORY_BYTES);
        ck_assert_msg(regex == NULL, "`%s` was compiled", wrong[i]);
    }
    cel_regex_destroy(NULL);
}
END_TEST

START_TEST(regex__little_memory_bounds_the_program)
{
    struct cel_regex *regex = create("[[:alpha:]]{40}", CEL_REGEX_DYNAMIC_MEMORY_BYTES);
    ck_assert_ptr_nonnull(regex);
    ck_assert_int_gt(cel_regex_program_size(regex), 40);
    ck_assert_int_le(cel_regex_program_size(regex), CEL_REGEX_DYNAMIC_PROGRAM_SIZE);
    cel_regex_destroy(regex);
    ck_assert_ptr_null(create("(a{50}){50}", CEL_REGEX_DYNAMIC_MEMORY_BYTES));
}
END_TEST

START_TEST(regex__a_pattern_that_explodes_elsewhere_does_not_here)
{
    static char text[64 * 1024];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    ck_assert(!matches("^(a+)+$", text, sizeof text)); /* the test's time limit judges */
    ck_assert(!matches("^(a|a)*(a|a)*(a|a)*b$", text, sizeof text));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("regex");
    tcase_add_test(tests, regex__any_part_of_a_text_may_match);
    tcase_add_test(tests, regex__patterns_that_are_none_or_too_large_are_refused);
    tcase_add_test(tests, regex__little_memory_bounds_the_program);
    tcase_add_test(tests, regex__a_pattern_that_explodes_elsewhere_does_not_here);
    Suite *suite = suite_create("regex");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
