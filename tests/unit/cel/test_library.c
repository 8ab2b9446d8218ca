/* The functions as expressions call them: what the shared suite leaves out, above all bounds. */

#include "policy/cel/cel.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_BYTES = 256 * 1024 };

static struct cel_env *env;
static struct arena *arena;
static struct cel_value texts[2]; /* the variables `text` and `other` */

static struct cel_value find(struct cel_run *run, uint32_t slot)
{
    (void)run;
    return texts[slot];
}

static void set_up(void)
{
    static const char *const names[] = {"text", "other"};
    struct error error = {0};
    env = cel_env_create(NULL);
    arena = arena_create();
    const struct cel_type *string = cel_type_read(env, "string", &error);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t slot;
        ck_assert_msg(cel_env_declare(env, names[i], string, &slot, &error), "%s", error.message);
        ck_assert_uint_eq(slot, i);
        texts[i] = cel_string("", 0);
    }
}

static void tear_down(void)
{
    arena_destroy(arena);
    cel_env_destroy(env);
}

static void set_text(int index, const char *text)
{
    texts[index] = cel_string(text, strlen(text));
}

/* `count` times the same character. */
static void set_long(int index, char character, size_t count)
{
    char *bytes = arena_alloc(arena, count);
    memset(bytes, character, count);
    texts[index] = cel_string(bytes, count);
}

static struct cel_result evaluate(const char *source)
{
    struct error error = {0};
    struct cel_result result;
    struct cel_program *program = cel_compile(env, source, strlen(source), NULL, NULL, &error);
    ck_assert_msg(program != NULL, "%s: %s", source, error.message);
    cel_evaluate(program, find, NULL, -1, arena, &result);
    cel_program_destroy(program);
    return result;
}

static void check_true(const char *source)
{
    struct cel_result result = evaluate(source);
    ck_assert_msg(result.outcome == CEL_OUTCOME_VALUE, "%s: %s", source, result.problem.message);
    ck_assert_msg(result.value.kind == CEL_BOOL && result.value.as.boolean, "%s is not true",
                  source);
}

static void check_error(const char *source, const char *part)
{
    struct cel_result result = evaluate(source);
    ck_assert_msg(result.outcome == CEL_OUTCOME_ERROR, "%s is no error", source);
    ck_assert_msg(strstr(result.problem.message, part) != NULL, "%s: `%s`, not `%s`", source,
                  result.problem.message, part);
}

static void check_stopped(const char *source, const char *why)
{
    struct cel_result result = evaluate(source);
    ck_assert_msg(result.outcome == CEL_OUTCOME_STOPPED, "%s was not stopped", source);
    ck_assert_msg(strstr(result.problem.message, why) != NULL, "%s: `%s`, not `%s`", source,
                  result.problem.message, why);
}

static void check_refused(const char *source, const char *part)
{
    struct error error = {0};
    ck_assert_ptr_null(cel_compile(env, source, strlen(source), NULL, NULL, &error));
    ck_assert_msg(strstr(error.message, part) != NULL, "%s: `%s`, not `%s`", source, error.message,
                  part);
}

static const char *const truths[] = {
    "'abc'.replace('', '-') == '-a-b-c-'",
    "'aé'.replace('', '-', 2) == '-a-é'",
    "''.replace('', 'x') == 'x'",
    "'aaa'.replace('aa', 'b') == 'ba'",
    "'abc'.replace('b', '') == 'ac'",
    "'abc'.replace('b', 'x', 0) == 'abc'",
    "'aé€'.split('') == ['a', 'é', '€']",
    "''.split('') == []",
    "''.split(',') == ['']",
    "',a,,'.split(',') == ['', 'a', '', '']",
    "'a,b,c'.split(',', 2) == ['a', 'b,c']",
    "'abc'.split('', 2) == ['a', 'bc']",
    "[''].join('-') == ''",
    "['', ''].join('-') == '-'",
    "'aXa'.lastIndexOf('a') == 2",
    "'aXa'.lastIndexOf('aXaX') == -1",
    "'éaé'.lastIndexOf('é', 1) == 0",
    "'éa'.indexOf('', 2) == 2",
    "'ABCxyzÄ'.lowerAscii() == 'abcxyzÄ'",
    "'@[`{'.lowerAscii() + '@[`{'.upperAscii() == '@[`{@[`{'",
    "'éa'.charAt(2) == ''",
    "math.greatest(1, 1.0, 2u) == 2",
    "type(math.greatest(1, 1.0)) == int && type(math.least(1.0, 1)) == double",
    "math.sqrt(16u) == 4.0",
    "math.bitShiftRight(-1, 63) == 1",
    "math.round(0.5) == 1.0 && math.round(-0.5) == -1.0",
    "cidr('10.1.2.3/8').ip() == ip('10.1.2.3')",
    "!cidr('10.1.2.3/8').isMask() && cidr('10.0.0.0/8').isMask()",
    "!isIP('::ffff:1.2.3.4') && !isCIDR('1.2.3.4') && isCIDR('::/0')",
    "optional.ofNonZeroValue(timestamp(0)) == optional.none()",
    "optional.ofNonZeroValue(duration('0')) == optional.none()",
    "optional.ofNonZeroValue(0.0) == optional.none()",
    "optional.ofNonZeroValue(0u) == optional.none()",
    "optional.ofNonZeroValue(optional.none()) == optional.none()",
    "optional.of(1).orValue(1 / 0) == 1",
    "base64.encode(b'') == '' && base64.decode('') == b''",
    "timestamp('2026-06-01T22:30:00Z').getHours('+02:00') == 0",
    "timestamp('2026-06-01T22:30:00Z').getDayOfWeek() == 1",
    "timestamp('1969-12-31T23:59:59.5Z').getSeconds() == 59",
    "duration('-90m').getHours() == -1",
    "duration('-1.5s').getMilliseconds() == -500",
    "'%s'.format([ip('::1')]) == '::1'",
};

START_TEST(library__edges_have_their_answers)
{
    check_true(truths[_i]);
}
END_TEST

static const struct {
    const char *source, *part;
} errors[] = {
    {"'abc'.charAt(4)", "index out of range: 4"},
    {"'abc'.charAt(-1)", "index out of range: -1"},
    {"'abc'.indexOf('a', 4)", "index out of range: 4"},
    {"'abc'.lastIndexOf('a', -1)", "index out of range: -1"},
    {"'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"},
    {"'abc'.substring(0, 9223372036854775807)", "index out of range"},
    {"dyn([1]).join()", "a list of strings"},
    {"math.greatest(dyn([]))", "empty list"},
    {"math.abs(-9223372036854775807 - 1)", "overflow"},
    {"math.bitShiftLeft(1, -1)", "negative offset: -1"},
    {"ip('fe80::1%eth0')", "zone"},
    {"cidr('10.0.0.0/8').containsIP('::ffff:10.0.0.1')", "IPv4-mapped"},
    {"cidr('10.0.0.0/8').containsCIDR('10.0.0.0')", "is not a CIDR range"},
    {"optional.none().value()", "no value"},
    {"base64.decode('a')", "not base64"},
    {"timestamp(0).getHours(other)", "there is no time zone `Mars/Olympus`"},
    {"'%d'.format(['a'])", "error during formatting: decimal clause"},
    {"text.matches(other + '(')", "not a regular expression"},
};

START_TEST(library__mistakes_are_errors_that_say_what)
{
    set_text(1, "Mars/Olympus");
    check_error(errors[_i].source, errors[_i].part);
}
END_TEST

START_TEST(library__what_a_policy_spells_wrong_is_refused_when_it_is_loaded)
{
    check_refused("text.matches('(')", "RE2");
    check_refused("matches(text, 'a{1001}')", "RE2");
    check_refused("timestamp(0).getHours('Europe/Berlim')",
                  "there is no time zone `Europe/Berlim`");
    check_refused("timestamp(0).getHours('+25:00')", "there is no time zone `+25:00`");
}
END_TEST

START_TEST(library__output_that_explodes_is_stopped)
{
    set_long(0, 'a', LONG_BYTES);
    check_stopped("text.replace('', text).size() > 0", "memory");
    check_stopped("text.replace('a', text) == text", "memory");
    check_stopped("text.split('') == []", "memory");
    check_stopped("[text, text, text, text, text].join(text) == ''", "memory");
    check_stopped("'%s%s%s%s%s'.format([text, text, text, text, text]) == ''", "memory");
    check_stopped("'%x%x%x'.format([text, text, text]) == ''", "memory");
    set_long(0, '"', CEL_ARENA_BYTES_MAX * 3 / 4);
    check_stopped("strings.quote(text) == ''", "memory");
}
END_TEST

/* A search that goes through the text for every one of its characters would take minutes. */
START_TEST(library__searching_is_linear)
{
    set_long(0, 'a', LONG_BYTES);
    set_long(1, 'a', LONG_BYTES / 2);
    ((char *)(uintptr_t)texts[1].as.bytes)[0] = 'b';
    check_stopped("text.indexOf(other) == -1", "cost");
    check_stopped("text.lastIndexOf(other) == -1", "cost");
    ((char *)(uintptr_t)texts[1].as.bytes)[0] = 'a';
    ((char *)(uintptr_t)texts[1].as.bytes)[LONG_BYTES / 2 - 1] = 'b';
    check_stopped("text.indexOf(other) == -1", "cost");
    check_stopped("text.lastIndexOf(other) == -1", "cost");
    check_stopped("text.replace(other, '') == ''", "cost");
}
END_TEST

START_TEST(library__computed_patterns_are_small_and_paid_for)
{
    set_text(0, "drop table");
    set_text(1, "^drop");
    check_true("text.matches(other) && matches(text, other)");
    int64_t literal = evaluate("text.matches('^drop')").cost;
    int64_t computed = evaluate("text.matches(other)").cost;
    ck_assert_int_gt(computed, literal + 30);
    set_text(1, "a{900}");
    ck_assert_int_gt(evaluate("text.matches(other)").cost, 400);
    set_text(1, "[\\pL]{60}");
    check_error("text.matches(other)", "not a regular expression");
    ck_assert_int_ge(evaluate("text.matches(other)").cost, 1000);
    set_text(1, "[[:alpha:]]{1000}[[:alpha:]]{1000}[[:alpha:]]{1000}");
    check_error("text.matches(other)", "must be simpler");
    set_long(1, 'a', 257);
    check_error("text.matches(other)", "at most 256 bytes");
    set_text(1, "(");
    check_stopped("[1,2,3,4,5,6,7,8,9,10,11,12].exists(i, text.matches(other))", "cost");
}
END_TEST

START_TEST(library__work_that_ends_in_an_error_is_paid_for_too)
{
    set_long(0, 'a', LONG_BYTES);
    ck_assert_int_gt(evaluate("'%s%s%d'.format([text, text, 'a'])").cost, 2 * LONG_BYTES / 100);
    check_stopped("[1,2,3].exists(i, '%s%s%s%d'.format([text, text, text, 'a']) == '')", "cost");
}
END_TEST

START_TEST(library__messages_quote_whole_characters)
{
    char *long_text = arena_alloc(arena, 64);
    memset(long_text, 'x', 63);
    set_text(0, long_text);
    char *longer = arena_printf(arena, "%s\u20ac\u20ac", long_text);
    set_text(1, longer);
    char *expected = arena_printf(arena, "`%s`", long_text);
    check_error("ip(other)", expected);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    TCase *tests = tcase_create("library");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, library__edges_have_their_answers, 0, COUNT(truths));
    tcase_add_loop_test(tests, library__mistakes_are_errors_that_say_what, 0, COUNT(errors));
    tcase_add_test(tests, library__what_a_policy_spells_wrong_is_refused_when_it_is_loaded);
    tcase_add_test(tests, library__output_that_explodes_is_stopped);
    tcase_add_test(tests, library__searching_is_linear);
    tcase_add_test(tests, library__computed_patterns_are_small_and_paid_for);
    tcase_add_test(tests, library__work_that_ends_in_an_error_is_paid_for_too);
    tcase_add_test(tests, library__messages_quote_whole_characters);
    Suite *suite = suite_create("library");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
