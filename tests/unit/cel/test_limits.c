#include "tests/support/cel_eval.h"
#include "tests/support/run_suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MANY = 40000, EACH_MS_MAX = 50 };
#if defined(__SANITIZE_ADDRESS__)
enum { SLOWER = 20 };
#else
enum { SLOWER = 1 };
#endif

/* Evaluating or refusing takes no longer than a bound that no input moves. */
static const char *said_in_time(struct arena *arena, const char *source, size_t length)
{
    struct cel_env *env = cel_env_create(NULL);
    cel_declare(env, "x", "dyn");
    double begin = cel_milliseconds();
    const char *said = cel_said(arena, env, source, length, NULL, NULL);
    double spent = cel_milliseconds() - begin;
    ck_assert_msg(spent < EACH_MS_MAX * SLOWER, "%.1f ms for `%.40s`: %s", spent, source, said);
    cel_env_destroy(env);
    return said;
}

static const char *repeated(struct arena *arena, const char *begin, const char *piece, size_t count,
                            const char *end)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, begin);
    for (size_t i = 0; i < count; i++) {
        builder_text(&text, piece);
    }
    builder_text(&text, end);
    return arena_copy(arena, text.bytes, text.length);
}

START_TEST(limits__brackets_by_the_thousand_are_refused_at_once)
{
    static const char *const pieces[] = {"(",  "[",    "{1:",        "!",  "-",      "a.",
                                         "a[", "f(",   "1+",         "1?", "true&&", "'",
                                         "\"", "r'''", "[0].all(x,", "{?", "`",      "."};
    struct arena *arena ARENA_SCOPE = arena_create();
    for (size_t i = 0; i < COUNT(pieces); i++) {
        const char *many = repeated(arena, "", pieces[i], MANY, "");
        ck_assert_ptr_nonnull(
            strstr(said_in_time(arena, many, strlen(many)), "refused 1:1 too_long"));
        many = repeated(arena, "", pieces[i], 4000 / strlen(pieces[i]), "1");
        /* Pairs of `!` and of `-` cancel out; everything else is refused. */
        bool is_value = strcmp(said_in_time(arena, many, strlen(many)), "value 1") == 0;
        ck_assert_msg(is_value == (strchr("!-", pieces[i][0]) != NULL), "%s", pieces[i]);
    }
}
END_TEST

START_TEST(limits__depth_is_counted_in_brackets_and_in_the_tree)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const char *brackets = repeated(arena, "", "(", 63,
                                    "1)))))))))))))))))))))))))))))))))))))))))))))"
                                    "))))))))))))))))))");
    ck_assert_str_eq(cel_said_of(arena, brackets), "value 1");
    ck_assert_ptr_nonnull(
        strstr(cel_said_of(arena, repeated(arena, "", "(", 64, "1")), "1:65 too_deep"));
    ck_assert_str_eq(cel_said_of(arena, repeated(arena, "1", " + 1", 63, "")), "value 64");
    ck_assert_ptr_nonnull(
        strstr(cel_said_of(arena, repeated(arena, "1", " + 1", 64, "")), "too_deep"));
    /* Chains of `||` and `&&` are no depth. */
    ck_assert_str_eq(cel_said_of(arena, repeated(arena, "false", " || false", 400, " || true")),
                     "value true");
}
END_TEST

START_TEST(limits__parts_are_counted)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    ck_assert_ptr_nonnull(
        strstr(cel_said_of(arena, repeated(arena, "[1", ",1", 1998, "]")), "value [1"));
    ck_assert_ptr_nonnull(
        strstr(cel_said_of(arena, repeated(arena, "[1", ",1", 1999, "]")), "too_long"));
}
END_TEST

START_TEST(limits__loops_within_loops_are_few)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    ck_assert_str_eq(cel_said_of(arena, "[1].all(a, [1].all(b, [1].all(c, a + b + c == 3)))"),
                     "value true");
    ck_assert_ptr_nonnull(strstr(
        cel_said_of(arena, "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))"), "too_deep"));
    const char *twenty = repeated(arena, "", "[0,1].all(x, ", 20, "1/0 > 0))))))))))))))))))))");
    ck_assert_ptr_nonnull(strstr(said_in_time(arena, twenty, strlen(twenty)), "too_deep"));
}
END_TEST

/* Each is over its budget, and stands where an error would be absorbed. */
static const char *const stopped[] = {
    "%s || true",
    "true || %s || true",
    "!(%s) || true",
    "(%s && false) || true",
    "[1, 2].exists(e, %s || e == 1)",
    "[true, false].all(e, e && %s) || true",
    "[1].exists_one(e, %s) || true",
    "(%s ? 1 : 2) == 1 || true",
    "[%s].size() == 1 || true",
    "cel.bind(z, %s, z || true)",
    "optional.of(%s).hasValue() || true",
    "has({'a': %s}.b) || true",
};

static void check_stopped(const char *bomb, const char *reason)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(NULL);
    cel_declare(env, "x", "dyn");
    for (size_t i = 0; i < COUNT(stopped); i++) {
        const char *mark = strstr(stopped[i], "%s");
        const char *source =
            arena_printf(arena, "%.*s%s%s", (int)(mark - stopped[i]), stopped[i], bomb, mark + 2);
        const char *said = said_in_time(arena, source, strlen(source));
        bool is_decided_before = strncmp(stopped[i], "true ||", 7) == 0;
        ck_assert_msg(is_decided_before
                          ? strcmp(said, "value true") == 0
                          : strncmp(said, "stopped", 7) == 0 && strstr(said, reason) != NULL,
                      "`%s`: %s", source, said);
    }
    cel_env_destroy(env);
}

#define TEN "[0,1,2,3,4,5,6,7,8,9]"

START_TEST(limits__nothing_absorbs_a_cost_that_is_too_high)
{
    check_stopped("(" TEN ".all(a, " TEN
                  ".all(b, (a + b) * (a + b) + a * b * (a + b) + a + b + a + "
                  "b + a + b + a + b + a + b + a * b + a * b + a * b + a * b + a * b + a * b + a * "
                  "b + a * b + a * b + a * b + a * b + a * b + a * b + a * b + a * b + a * b + a * "
                  "b + a * b + a * b + a * b >= 0)))",
                  "costs more");
}
END_TEST

/* Doubles a text until it passes the memory: few units, much of it. */
START_TEST(limits__nothing_absorbs_memory_that_is_too_much)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct builder bomb BUILDER_SCOPE;
    builder_init(&bomb, 0);
    builder_text(&bomb, "cel.bind(a0, dyn([0,1,2,3,4,5,6,7]), ");
    for (int i = 0; i < 20; i++) {
        builder_printf(&bomb, "cel.bind(a%d, a%d + a%d, ", i + 1, i, i);
    }
    builder_text(&bomb, "a20.size() > 0)))))))))))))))))))))");
    check_stopped(arena_copy(arena, bomb.bytes, bomb.length), "more memory");
}
END_TEST

/* Shared lists of lists stand for 2^30 elements. */
START_TEST(limits__nothing_absorbs_comparing_without_end)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct builder bomb BUILDER_SCOPE;
    builder_init(&bomb, 0);
    builder_text(&bomb, "cel.bind(a0, [dyn(1)], cel.bind(b0, [dyn(1)], ");
    for (int i = 0; i < 24; i++) {
        builder_printf(&bomb, "cel.bind(a%d, [a%d, a%d], cel.bind(b%d, [b%d, b%d], ", i + 1, i, i,
                       i + 1, i, i);
    }
    builder_text(&bomb, "a24 == b24");
    for (int i = 0; i < 50; i++) {
        builder_char(&bomb, ')');
    }
    const char *source = arena_copy(arena, bomb.bytes, bomb.length);
    ck_assert_ptr_nonnull(
        strstr(said_in_time(arena, source, strlen(source)), "stopped it compares"));
    source = arena_printf(arena, "(%s) || true", source);
    ck_assert_ptr_nonnull(
        strstr(said_in_time(arena, source, strlen(source)), "stopped it compares"));
}
END_TEST

START_TEST(limits__cost_left_is_a_limit_as_well)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(NULL);
    struct error error = {0};
    struct cel_result result;
    const char *source = "[1, 2, 3].all(e, e > 0) || true";
    struct cel_program *program = cel_compile(env, source, strlen(source), "bool", NULL, &error);
    ck_assert_ptr_nonnull(program);
    cel_evaluate(program, NULL, NULL, -1, arena, &result);
    ck_assert_int_eq(result.outcome, CEL_OUTCOME_VALUE);
    ck_assert_int_eq(result.cost, 26);
    for (int64_t left = 0; left < 26; left++) {
        cel_evaluate(program, NULL, NULL, left, arena, &result);
        ck_assert_int_eq(result.outcome, CEL_OUTCOME_STOPPED);
        ck_assert_str_eq(result.problem.message, "it costs more than its limit allows");
    }
    cel_evaluate(program, NULL, NULL, 26, arena, &result);
    ck_assert_int_eq(result.outcome, CEL_OUTCOME_VALUE);
    cel_program_destroy(program);
    cel_env_destroy(env);
}
END_TEST

START_TEST(limits__errors_are_absorbed_where_stops_are_not)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    ck_assert_str_eq(cel_said_of(arena, "1 / 0 > 0 || true"), "value true");
    ck_assert_str_eq(cel_said_of(arena, "false && 1 / 0 > 0"), "value false");
    ck_assert_str_eq(cel_said_of(arena, "1 / 0 > 0 && false"), "value false");
    ck_assert_str_eq(cel_said_of(arena, "1 / 0 > 0 || false"), "error divide by zero");
    ck_assert_str_eq(cel_said_of(arena, "[0, 1].exists(e, 1 / e == 1)"), "value true");
    ck_assert_str_eq(cel_said_of(arena, "[0, 1].all(e, 1 / e == 2)"), "value false");
    ck_assert_str_eq(cel_said_of(arena, "[0, 1].exists_one(e, 1 / e == 1)"),
                     "error divide by zero");
}
END_TEST

START_TEST(limits__numbers_never_wrap)
{
    static const char *const overflows[] = {
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "-(-9223372036854775808)",
        "9223372036854775807 * 2",
        "18446744073709551615u + 1u",
        "0u - 1u",
        "18446744073709551615u * 2u",
        "int(18446744073709551615u)",
        "int(9223372036854775807.0)",
        "int(-9223372036854775808.0)",
        "uint(-1)",
        "uint(18446744073709551615.0)",
        "int(0.0 / 0.0)",
        "uint(-0.5 * 2.0)",
    };
    struct arena *arena ARENA_SCOPE = arena_create();
    for (size_t i = 0; i < COUNT(overflows); i++) {
        const char *said = cel_said_of(arena, overflows[i]);
        ck_assert_msg(strncmp(said, "error", 5) == 0 && strstr(said, "overflow") != NULL,
                      "`%s`: %s", overflows[i], said);
    }
}
END_TEST

START_TEST(limits__text_that_is_no_utf8_never_becomes_a_string)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    static const char *const bad[] = {"'\xC3'",     "b'\xC3'", "'\xED\xA0\x80'",
                                      "'\xC0\x80'", "// \xFF", "a.`\xFE`"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_ptr_nonnull(strstr(cel_said_of(arena, bad[i]), "bad_utf8"));
    }
    ck_assert_str_eq(cel_said_of(arena, "string(b'\\xff')"), "error the bytes are not UTF-8");
    ck_assert_str_eq(cel_said_of(arena, "'a\\x00b'.size()"), "value 3");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cel limits");
    TCase *tests = tcase_create("limits");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, limits__brackets_by_the_thousand_are_refused_at_once);
    tcase_add_test(tests, limits__depth_is_counted_in_brackets_and_in_the_tree);
    tcase_add_test(tests, limits__parts_are_counted);
    tcase_add_test(tests, limits__loops_within_loops_are_few);
    tcase_add_test(tests, limits__nothing_absorbs_a_cost_that_is_too_high);
    tcase_add_test(tests, limits__nothing_absorbs_memory_that_is_too_much);
    tcase_add_test(tests, limits__nothing_absorbs_comparing_without_end);
    tcase_add_test(tests, limits__cost_left_is_a_limit_as_well);
    tcase_add_test(tests, limits__errors_are_absorbed_where_stops_are_not);
    tcase_add_test(tests, limits__numbers_never_wrap);
    tcase_add_test(tests, limits__text_that_is_no_utf8_never_becomes_a_string);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
