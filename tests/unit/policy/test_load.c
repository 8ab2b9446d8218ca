/* Loading: versions and bounds that a case file cannot show well. */

#include "cases_file.h"
#include "crypto/crypto.h"

static const char defaults[] = "version: 1\ndefaults: {approval: {groups: [g], timeout: 1h}}\n";

static struct policy *compile(const struct policy_file *files, size_t count)
{
    struct error error = {0};
    struct policy *policy = policy_compile(files, count, &error);
    ck_assert_msg(policy != NULL, "%s:%d:%d: %s", error.subject, error.line, error.column,
                  error.message);
    return policy;
}

static void expect_refused(const struct policy_file *files, size_t count, const char *subject,
                           const char *says)
{
    struct error error = {0};
    ck_assert_ptr_null(policy_compile(files, count, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.subject, subject);
    ck_assert_msg(strstr(error.message, says) != NULL, "expected \"%s\" in \"%s\"", says,
                  error.message);
}

static void expect_text_refused(const char *text, size_t length, const char *says)
{
    struct policy_file file = {"p.yaml", text, length};
    expect_refused(&file, 1, "p.yaml", says);
}

/* SHA-256 over 8-byte lengths, big end first, names and contents; computed outside. */
START_TEST(version__is_the_hash_of_names_and_contents)
{
    struct policy_file file = {"a.yaml", "version: 1\ndefaults: {}\n", 24};
    struct policy *policy = compile(&file, 1);
    ck_assert_str_eq(policy_version(policy),
                     "8b21bf787a814588489e0f6c2a2d130ac8c12e05ce6da65ec54dd4a154e7c391");
    policy_destroy(policy);
}
END_TEST

START_TEST(version__knows_names_contents_and_their_limits_but_not_their_order)
{
    static const char rules[] = "version: 1\nrules: []\n";
    struct policy_file files[] = {{"a.yaml", defaults, strlen(defaults)},
                                  {"b.yaml", rules, strlen(rules)}};
    struct policy_file turned[] = {files[1], files[0]};
    struct policy_file renamed[] = {files[0], {"c.yaml", rules, strlen(rules)}};
    struct policy_file longer[] = {files[0], {"b.yaml", "version: 1\nrules: [] \n", 22}};
    struct policy *policy = compile(files, 2);
    struct policy *others[] = {compile(turned, 2), compile(renamed, 2), compile(longer, 2)};
    ck_assert_uint_eq(strlen(policy_version(policy)), 64);
    ck_assert_str_eq(policy_version(policy), policy_version(others[0]));
    ck_assert_str_ne(policy_version(policy), policy_version(others[1]));
    ck_assert_str_ne(policy_version(policy), policy_version(others[2]));
    for (size_t i = 0; i < 3; i++) {
        policy_destroy(others[i]);
    }
    policy_destroy(policy);
}
END_TEST

START_TEST(load__needs_one_file_and_takes_no_file_twice)
{
    struct policy_file twice[] = {{"p.yaml", defaults, strlen(defaults)},
                                  {"p.yaml", "version: 1\n", 11}};
    expect_refused(NULL, 0, "", "write at least one");
    expect_refused(twice, 2, "p.yaml", "there twice");
}
END_TEST

START_TEST(load__takes_256_files_and_refuses_257)
{
    static struct policy_file files[POLICY_FILES_MAX + 1];
    static char names[POLICY_FILES_MAX + 1][16];
    for (int i = 0; i <= POLICY_FILES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%03d.yaml", i);
        files[i] = (struct policy_file){names[i], "version: 1\n", 11};
    }
    files[0] = (struct policy_file){names[0], defaults, strlen(defaults)};
    policy_destroy(compile(files, POLICY_FILES_MAX));
    expect_refused(files, POLICY_FILES_MAX + 1, "", "1 to 256 files");
}
END_TEST

enum { RULES_IN_FILE = 1000 };

static void write_rules(struct builder *out, int first, int count)
{
    builder_init(out, 0);
    builder_text(out, first == 0 ? defaults : "version: 1\n");
    builder_text(out, "rules:\n");
    for (int i = first; i < first + count; i++) {
        builder_printf(out, "- {name: r%d, match: {action: a%d}, verdict: allow}\n", i, i);
    }
}

START_TEST(load__takes_20000_rules_and_refuses_one_more)
{
    static struct policy_file files[POLICY_RULES_MAX / RULES_IN_FILE + 1];
    static struct builder texts[POLICY_RULES_MAX / RULES_IN_FILE + 1];
    static char names[POLICY_RULES_MAX / RULES_IN_FILE + 1][16];
    size_t count = POLICY_RULES_MAX / RULES_IN_FILE;
    for (size_t i = 0; i <= count; i++) {
        write_rules(&texts[i], (int)i * RULES_IN_FILE, i == count ? 1 : RULES_IN_FILE);
        snprintf(names[i], sizeof names[i], "%03zu.yaml", i);
        files[i] = (struct policy_file){names[i], texts[i].bytes, texts[i].length};
    }
    struct policy *policy = compile(files, count);
    ck_assert_uint_eq(policy_rule_count(policy), POLICY_RULES_MAX);
    policy_destroy(policy);
    expect_refused(files, count + 1, "020.yaml", "at most 20000 rules");
    for (size_t i = 0; i <= count; i++) {
        builder_finish(&texts[i]);
    }
}
END_TEST

/* A rule around one member, a piece repeated inside it; `#` is its number. */
static void expect_repeated(const char *before, const char *piece, int count, const char *after,
                            const char *says)
{
    struct builder text;
    builder_init(&text, 0);
    builder_printf(&text, "%srules:\n  - name: r\n    verdict: require_approval\n%s", defaults,
                   before);
    for (int i = 0; i < count; i++) {
        for (const char *rest = piece; *rest != '\0'; rest++) {
            if (*rest == '#') {
                builder_printf(&text, "%d", i);
            } else {
                builder_char(&text, *rest);
            }
        }
    }
    builder_printf(&text, "%s\n", after);
    if (says == NULL) {
        policy_destroy(compile_text(text.bytes));
    } else {
        expect_text_refused(text.bytes, text.length, says);
    }
    builder_finish(&text);
}

START_TEST(load__lists_and_texts_have_bounds)
{
    expect_repeated("    match: {action: [", "a#, ", 64, "]}", NULL);
    expect_repeated("    match: {action: [", "a#, ", 65, "]}", "1 to 64 patterns");
    expect_repeated("    match: {action: \"", "a", 256, "\"}", NULL);
    expect_repeated("    match: {action: \"", "a", 257, "\"}", "256 bytes");
    expect_repeated("    match: all\n    message: \"", "a", 500, "\"", NULL);
    expect_repeated("    match: all\n    message: \"", "a", 501, "\"", "1 to 500");
    expect_repeated("    match: all\n    approval: {groups: [", "g#, ", 32, "]}", NULL);
    expect_repeated("    match: all\n    approval: {groups: [", "g#, ", 33, "]}", "1 to 32");
    expect_repeated("    match: all\n    approval: {ladder: [", "{after: #s, to: g}, ", 16, "]}",
                    NULL);
    expect_repeated("    match: all\n    approval: {ladder: [", "{after: #s, to: g}, ", 17, "]}",
                    "1 to 16 rungs");
    expect_repeated("    match: all\n    grant: {audience: [", "s#, ", 32, "]}", NULL);
    expect_repeated("    match: all\n    grant: {audience: [", "s#, ", 33, "]}", "1 to 32");
    expect_repeated("    match: all\n    grant: {audience: \"", "a", 256, "\"}", NULL);
    expect_repeated("    match: all\n    grant: {audience: \"", "a", 257, "\"}", "1 to 256");
}
END_TEST

START_TEST(load__names_have_bounds)
{
    char name[70] = "";
    char text[256];
    memset(name, 'r', 64);
    snprintf(text, sizeof text, "%srules: [{name: %s, match: all, verdict: deny}]\n", defaults,
             name);
    policy_destroy(compile_text(text));
    memset(name, 'r', 65);
    snprintf(text, sizeof text, "%srules: [{name: %s, match: all, verdict: deny}]\n", defaults,
             name);
    expect_text_refused(text, strlen(text), "cannot be a rule's name");
}
END_TEST

/* A text that C would cut short must not become a shorter pattern or group. */
START_TEST(load__refuses_nul_characters)
{
    static const char *const members[] = {
        "match: {resource: \"payroll\\0/x\"}, verdict: deny",
        "match: {resource: [\"payroll\\0/x\"]}, verdict: deny",
        "match: all, verdict: \"allow\\0\"",
        "match: all, verdict: deny, message: \"a\\0b\"",
        "match: all, verdict: require_approval, approval: {groups: [\"g\\0h\"]}",
        "match: all, verdict: allow, grant: {audience: [\"g\\0h\"]}",
        "match: \"all\\0\", verdict: allow",
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char text[256];
        struct error error = {0};
        snprintf(text, sizeof text, "%srules: [{name: r, %s}]\n", defaults, members[i]);
        struct policy_file file = {"p.yaml", text, strlen(text)};
        ck_assert_msg(policy_compile(&file, 1, &error) == NULL, "accepted: %s", members[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
    }
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("policy load");
    TCase *tests = tcase_create("load");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, version__is_the_hash_of_names_and_contents);
    tcase_add_test(tests, version__knows_names_contents_and_their_limits_but_not_their_order);
    tcase_add_test(tests, load__needs_one_file_and_takes_no_file_twice);
    tcase_add_test(tests, load__takes_256_files_and_refuses_257);
    tcase_add_test(tests, load__takes_20000_rules_and_refuses_one_more);
    tcase_add_test(tests, load__lists_and_texts_have_bounds);
    tcase_add_test(tests, load__names_have_bounds);
    tcase_add_test(tests, load__refuses_nul_characters);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
