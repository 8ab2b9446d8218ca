/* Policies with what is expected of them, as files: tests/cases/policy/ and the tests beside each
 * example. A file holds `policy` (one text) or `files` (name: text) and then `cases` (see
 * policy/cases.h) or `error` (file, line, column, says). Those of the examples hold `cases` alone.
 */

#include "base/check.h"
#include "cases_file.h"
#include "crypto/crypto.h"
#include "policy/cases.h"
#include <glob.h>
#include <libgen.h>

static glob_t case_paths;
static glob_t example_paths;

enum { SOURCES_MAX = 16 };

struct sources {
    struct policy_file files[SOURCES_MAX];
    size_t count;
};

static void take_sources(const struct yaml_node *root, struct sources *sources)
{
    const struct yaml_node *one = yaml_member(root, "policy");
    const struct yaml_node *several = yaml_member(root, "files");
    if (one != NULL) {
        sources->files[sources->count++] =
            (struct policy_file){"policy.yaml", one->text, one->length};
        return;
    }
    ck_assert_ptr_nonnull(several);
    for (size_t i = 0; i < several->count; i++) {
        ck_assert_uint_lt(sources->count, SOURCES_MAX);
        sources->files[sources->count++] = (struct policy_file){
            several->keys[i]->text, several->items[i]->text, several->items[i]->length};
    }
}

static void expect_number(const char *path, const char *what, const struct yaml_node *expected,
                          int actual, const struct error *error)
{
    if (expected != NULL) {
        ck_assert_msg(atoi(expected->text) == actual, "%s: %s: expected %s, got %d (%s)", path,
                      what, expected->text, actual, error->message);
    }
}

static void expect_refusal(const char *path, const struct sources *sources,
                           const struct yaml_node *expected)
{
    struct error error = {0};
    struct policy *policy = policy_compile(sources->files, sources->count, &error);
    ck_assert_msg(policy == NULL, "%s: compiled, but an error was expected", path);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    const struct yaml_node *file = yaml_member(expected, "file");
    const struct yaml_node *says = yaml_member(expected, "says");
    ck_assert_msg(file == NULL || strcmp(file->text, error.subject) == 0,
                  "%s: file: expected %s, got %s", path, file == NULL ? "" : file->text,
                  error.subject);
    expect_number(path, "line", yaml_member(expected, "line"), error.line, &error);
    expect_number(path, "column", yaml_member(expected, "column"), error.column, &error);
    ck_assert_msg(says == NULL || strstr(error.message, says->text) != NULL,
                  "%s: message: expected to say \"%s\", got \"%s\"", path,
                  says == NULL ? "" : says->text, error.message);
}

static void run_cases(const char *path, const struct sources *sources,
                      const struct yaml_node *cases)
{
    struct error error = {0};
    struct policy *policy = policy_compile(sources->files, sources->count, &error);
    ck_assert_msg(policy != NULL, "%s: %s:%d:%d: %s", path, error.subject, error.line, error.column,
                  error.message);
    struct builder report;
    builder_init(&report, 0);
    struct policy_cases_result result;
    bool has_run = policy_cases_run(policy, path, cases, &report, &result, &error);
    ck_assert_msg(has_run, "%s:%d:%d: %s", path, error.line, error.column, error.message);
    ck_assert_msg(result.failed == 0, "%zu of %zu cases differ:\n%s", result.failed,
                  result.failed + result.passed, report.bytes);
    ck_assert_uint_eq(result.passed, cases->count);
    ck_assert_uint_gt(result.passed, 0);
    builder_finish(&report);
    policy_destroy(policy);
}

static const struct yaml_node *parse_file(const char *path, struct arena *arena)
{
    struct error error = {0};
    size_t length;
    char *bytes = read_whole_file(path, &length);
    const struct yaml_node *root =
        yaml_parse(path, arena_copy(arena, bytes, length), length, arena, &error);
    ck_assert_msg(root != NULL, "%s:%d:%d: %s", path, error.line, error.column, error.message);
    free(bytes);
    return root;
}

START_TEST(cases__each_file_decides_or_is_refused_as_written)
{
    const char *path = case_paths.gl_pathv[_i];
    struct arena *arena = arena_create();
    const struct yaml_node *root = parse_file(path, arena);
    struct sources sources = {.count = 0};
    take_sources(root, &sources);
    const struct yaml_node *expected = yaml_member(root, "error");
    if (expected != NULL) {
        expect_refusal(path, &sources, expected);
    } else {
        const struct yaml_node *cases = yaml_member(root, "cases");
        ck_assert_msg(cases != NULL, "%s: has neither `cases` nor `error`", path);
        run_cases(path, &sources, cases);
    }
    arena_destroy(arena);
}
END_TEST

START_TEST(examples__each_decides_as_its_own_cases_say)
{
    const char *path = example_paths.gl_pathv[_i];
    struct arena *arena = arena_create();
    const struct yaml_node *root = parse_file(path, arena);
    const char *folder = dirname(dirname(arena_text(arena, path)));
    glob_t found;
    ck_assert_int_eq(glob(arena_printf(arena, "%s/*.yaml", folder), 0, NULL, &found), 0);
    struct sources sources = {.count = 0};
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t length;
        char *bytes = read_whole_file(found.gl_pathv[i], &length);
        ck_assert_uint_lt(sources.count, SOURCES_MAX);
        sources.files[sources.count++] =
            (struct policy_file){found.gl_pathv[i], arena_copy(arena, bytes, length), length};
        free(bytes);
    }
    const struct yaml_node *cases = yaml_member(root, "cases");
    ck_assert_msg(cases != NULL, "%s: has no `cases`", path);
    run_cases(path, &sources, cases);
    globfree(&found);
    arena_destroy(arena);
}
END_TEST

/* The runner itself must be able to fail. */
START_TEST(cases__a_wrong_expectation_is_reported_with_its_place)
{
    static const char text[] = "- name: wrong\n"
                               "  input: {action: a, resource: b/1}\n"
                               "  verdict: allow\n"
                               "  rules: [some]\n"
                               "  risk: low\n";
    struct policy *policy = compile_text("version: 1\ndefaults: {verdict: deny}\n");
    struct arena *arena = arena_create();
    struct error error = {0};
    struct yaml_node *cases = yaml_parse("c.yaml", text, strlen(text), arena, &error);
    ck_assert_ptr_nonnull(cases);
    struct builder report;
    builder_init(&report, 0);
    struct policy_cases_result result;
    ck_assert(policy_cases_run(policy, "c.yaml", cases, &report, &result, &error));
    ck_assert_uint_eq(result.failed, 1);
    ck_assert_uint_eq(result.passed, 0);
    ck_assert_str_eq(report.bytes, "c.yaml:3: wrong: verdict: expected allow, got deny\n"
                                   "c.yaml:4: wrong: rules: expected [some], got []\n"
                                   "c.yaml:5: wrong: risk: expected low, got medium\n");
    builder_finish(&report);
    arena_destroy(arena);
    policy_destroy(policy);
}
END_TEST

int main(void)
{
    crypto_start();
    glob("tests/cases/policy/*.yaml", 0, NULL, &case_paths);
    glob("policy/examples/*/tests/*.yaml", 0, NULL, &example_paths);
    CHECK(case_paths.gl_pathc > 0 && example_paths.gl_pathc > 0);
    Suite *suite = suite_create("policy cases");
    TCase *tests = tcase_create("files");
    tcase_add_loop_test(tests, cases__each_file_decides_or_is_refused_as_written, 0,
                        (int)case_paths.gl_pathc);
    tcase_add_loop_test(tests, examples__each_decides_as_its_own_cases_say, 0,
                        (int)example_paths.gl_pathc);
    tcase_add_test(tests, cases__a_wrong_expectation_is_reported_with_its_place);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    globfree(&case_paths);
    globfree(&example_paths);
    return failed == 0 ? 0 : 1;
}
