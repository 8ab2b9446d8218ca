#include "base/arena.h"
#include "base/builder.h"
#include "formats/yaml.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char file[] = "rules.yaml";
static struct arena *arena;
static struct error error;

static void start(void)
{
    arena = arena_create();
    error = (struct error){0};
}

static void stop(void)
{
    arena_destroy(arena);
}

/* From an allocation of exactly the length, so that a sanitizer sees every step past the end. */
static struct yaml_node *parse_exact(const char *text, size_t length)
{
    char *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, text, length);
    struct yaml_node *node = yaml_parse(file, copy, length, arena, &error);
    free(copy);
    return node;
}

static struct yaml_node *parse(const char *text)
{
    struct yaml_node *node = parse_exact(text, strlen(text));
    ck_assert_msg(node != NULL, "%d:%d %s", error.line, error.column, error.message);
    return node;
}

/* The value of `v` in a mapping. */
static const struct yaml_node *value_of(const char *text)
{
    return yaml_member(parse(text), "v");
}

static const struct refused {
    const char *text;
    const char *code;
    int line;
    int column;
    const char *says;
} refused[] = {
    {"", "empty_document", 0, 0, "empty"},
    {"# only a comment\n", "empty_document", 0, 0, "empty"},
    {"---\n", "empty_document", 2, 1, "empty"},
    {"when: !request.dry_run\n", "yaml_tag", 1, 7, "block scalar"},
    {"a: !!str x\n", "yaml_tag", 1, 4, "block scalar"},
    {"a: !!map {}\n", "yaml_tag", 1, 4, "block scalar"},
    {"a: !x [1]\n", "yaml_tag", 1, 4, "block scalar"},
    {"a: ! x\n", "yaml_tag", 1, 4, "block scalar"},
    {"a: *b\n", "yaml_alias", 1, 4, "quote"},
    {"a: *\n", "invalid_yaml", 1, 5, "begins with `*` must be quoted"},
    {"a: &b 1\n", "yaml_anchor", 1, 4, "anchors are refused"},
    {"a: &b [1]\n", "yaml_anchor", 1, 4, "anchors are refused"},
    {"a: &b\n  c: 1\n", "yaml_anchor", 1, 4, "anchors are refused"},
    {"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "yaml_anchor", 1, 4, "anchors are refused"},
    {"a: & b\n", "invalid_yaml", 1, 5, "begins with `&` must be quoted"},
    {"<<: x\n", "yaml_merge", 1, 1, "merge keys are refused"},
    {"%YAML 1.1\n---\na: 1\n", "yaml_directive", 1, 1, "leave them out"},
    {"%TAG ! tag:x,2000:\n---\na: 1\n", "yaml_directive", 1, 1, "leave them out"},
    {"a: 1\n---\nb: 2\n", "second_document", 2, 1, "file of its own"},
    {"a: 1\n...\n---\nb: 2\n", "second_document", 3, 1, "file of its own"},
    {"a: 1\nb: 2\na: 3\n", "duplicate_key", 3, 1, "first on line 1"},
    {"x:\n  - {a: 1, \"a\": 2}\n", "duplicate_key", 2, 12, "`a` stands twice"},
    {"? [a]\n: b\n", "invalid_yaml", 1, 3, "a key must be plain text"},
    {"{a: 1}: b\n", "invalid_yaml", 1, 1, "a key must be plain text"},
    {"'': b\n", "invalid_yaml", 1, 1, "a key must not be empty"},
    {"?\n: b\n", "invalid_yaml", 1, 2, "a key must not be empty"},
    {"a: [1,2].exists(x, x > 1)\n", "invalid_yaml", 1, 9, "block scalar"},
    {"a: \"prod\" in x\n", "invalid_yaml", 1, 11, "block scalar"},
    {"a: b ? c : d\n", "invalid_yaml", 1, 10, "`: `"},
    {"a: > 5\n", "invalid_yaml", 1, 6, "quote text that begins with them"},
    {"a: \"drop\\s+table\"\n", "invalid_yaml", 1, 9, "regular expression"},
    {"a:\n\t- b\n", "invalid_yaml", 2, 1, "spaces, not with tabs"},
    {"a: @x\n", "invalid_yaml", 1, 4, "quote it"},
    {"a: 'x\nb: y\n", "invalid_yaml", 1, 4, "not closed"},
    {"a: {b: c\n", "invalid_yaml", 1, 4, "must be closed"},
    {"a: 1\n b: 2\n", "invalid_yaml", 2, 3, "`: `"},
    {"a:\n  - x\n b: 2\n", "invalid_yaml", 3, 2, "indentation"},
    {"a: x\x01\n", "invalid_yaml", 1, 5, "control characters"},
    {"a: \"x\\0y\"\n", "invalid_yaml", 1, 4, "NUL"},
    {"\"x\\0y\": 1\n", "invalid_yaml", 1, 1, "NUL"},
    {"a: caf\xE9\n", "not_utf8", 1, 7, "UTF-8"},
    {"\xFF\xFE"
     "a",
     "not_utf8", 1, 1, "UTF-8"},
};

START_TEST(yaml__what_is_not_strict_is_refused_with_its_place_and_a_remedy)
{
    const struct refused *row = &refused[_i];
    ck_assert_msg(parse_exact(row->text, strlen(row->text)) == NULL, "`%s` was accepted",
                  row->text);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.subject, file);
    ck_assert_msg(strcmp(error.code, row->code) == 0 && error.line == row->line &&
                      error.column == row->column,
                  "`%s`: expected %s at %d:%d, got %s at %d:%d (%s)", row->text, row->code,
                  row->line, row->column, error.code, error.line, error.column, error.message);
    ck_assert_msg(strstr(error.message, row->says) != NULL, "`%s`: %s", row->text, error.message);
}
END_TEST

START_TEST(yaml__a_raw_nul_and_utf16_are_refused)
{
    ck_assert_ptr_null(parse_exact("a: x\0y\n", 7));
    ck_assert_str_eq(error.code, "invalid_yaml");
    error = (struct error){0};
    ck_assert_ptr_null(parse_exact("a\0:\0 \0b\0", 8));
    ck_assert_str_eq(error.code, "invalid_yaml");
    error = (struct error){0};
    ck_assert_ptr_null(parse_exact("\xFE\xFF\0a\0:\0 \0b", 10));
    ck_assert_str_eq(error.code, "not_utf8");
}
END_TEST

START_TEST(yaml__a_tree_has_values_and_places)
{
    const struct yaml_node *root = parse("---\nname: x # note\nlist:\n  - 'q'\n  - \"d\"\n"
                                         "\xC3\xA9t\xC3\xA9: [1, {k: v}]\nempty: {}\nnone: []\n");
    ck_assert_int_eq(root->type, YAML_MAPPING);
    ck_assert_uint_eq(root->count, 5);
    const struct yaml_node *name = yaml_member(root, "name");
    ck_assert_str_eq(name->text, "x");
    ck_assert(name->is_plain && !name->is_block && name->has_comment);
    ck_assert_int_eq(name->line, 2);
    ck_assert_int_eq(name->column, 7);
    ck_assert_int_eq(name->text_column, 7);
    const struct yaml_node *list = yaml_member(root, "list");
    ck_assert_int_eq(list->type, YAML_SEQUENCE);
    ck_assert_uint_eq(list->count, 2);
    ck_assert(!list->items[0]->is_plain && !list->items[0]->is_double_quoted);
    ck_assert(!list->items[1]->is_plain && list->items[1]->is_double_quoted);
    ck_assert_int_eq(list->items[1]->line, 5);
    ck_assert_int_eq(list->items[1]->column, 5);
    ck_assert_int_eq(list->items[1]->text_column, 6);
    const struct yaml_node *flow = yaml_member(root, "\xC3\xA9t\xC3\xA9");
    ck_assert_int_eq(flow->column, 6); /* characters, not bytes */
    ck_assert_str_eq(yaml_member(flow->items[1], "k")->text, "v");
    ck_assert_uint_eq(yaml_member(root, "empty")->count, 0);
    ck_assert_uint_eq(yaml_member(root, "none")->count, 0);
    ck_assert_ptr_null(yaml_member(root, "absent"));
    ck_assert_ptr_null(yaml_member(NULL, "absent"));
    ck_assert_ptr_null(yaml_member(list, "absent"));
}
END_TEST

START_TEST(yaml__comments_behind_plain_text_are_noticed)
{
    ck_assert(value_of("v: channel == #general\n")->has_comment);
    ck_assert(value_of("\xC3\xA9: \xE2\x82\xAC\nv: \xE2\x82\xAC x  # y")->has_comment);
    ck_assert(value_of("v: a\n  b # c\n")->has_comment);
    ck_assert(!value_of("v: a#b\n# next line\n")->has_comment);
    ck_assert(!value_of("v: x")->has_comment);
    ck_assert(!value_of("v: 'x' # y\n")->has_comment);
    ck_assert(!value_of("v: |\n  x # y\n")->has_comment);
}
END_TEST

START_TEST(yaml__text_of_blocks_is_found)
{
    static const struct {
        const char *text;
        int line;
        int column;
        bool is_folded;
    } rows[] = {{"v: |\n  x == 1\n", 2, 3, false},
                {"\xC3\xA9: \xE2\x82\xAC\nv: >- # c\n\n\n     x\n", 5, 6, true},
                {"a:\n  v: |2\n      x\nv: |+\n x\r\n", 5, 2, false},
                {"v: |\r\n\r\n  x\r\n", 3, 3, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct yaml_node *node = value_of(rows[i].text);
        ck_assert(node->is_block && !node->is_plain);
        ck_assert_int_eq(node->is_folded, rows[i].is_folded);
        ck_assert_int_eq(node->text_line, rows[i].line);
        ck_assert_int_eq(node->text_column, rows[i].column);
    }
    ck_assert_int_eq(value_of("v: |")->text_line, 1);
}
END_TEST

static bool parse_nested(int depth)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < depth; i++) {
        builder_char(&text, '[');
    }
    for (int i = 0; i < depth; i++) {
        builder_char(&text, ']');
    }
    error = (struct error){0};
    return yaml_parse(file, text.bytes, text.length, arena, &error) != NULL;
}

START_TEST(yaml__depth_is_bounded)
{
    ck_assert(parse_nested(YAML_DEPTH_MAX));
    ck_assert(!parse_nested(YAML_DEPTH_MAX + 1));
    ck_assert_str_eq(error.code, "too_deep");
    ck_assert_int_eq(error.column, YAML_DEPTH_MAX + 1);
    ck_assert(!parse_nested(100000));
    ck_assert_str_eq(error.code, "too_deep");
}
END_TEST

/* `count` elements; the events are two for the stream, document and list each, and the elements. */
static bool parse_list(int count)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < count; i++) {
        builder_text(&text, "- x\n");
    }
    error = (struct error){0};
    return yaml_parse(file, text.bytes, text.length, arena, &error) != NULL;
}

START_TEST(yaml__events_are_bounded)
{
    ck_assert(parse_list(YAML_EVENTS_MAX - 6));
    ck_assert(!parse_list(YAML_EVENTS_MAX - 5));
    ck_assert_str_eq(error.code, "too_large");
}
END_TEST

START_TEST(yaml__bytes_are_bounded)
{
    char *text = malloc(YAML_BYTES_MAX + 1);
    memset(text, 'x', YAML_BYTES_MAX + 1);
    ck_assert_ptr_nonnull(yaml_parse(file, text, YAML_BYTES_MAX, arena, &error));
    ck_assert_ptr_null(yaml_parse(file, text, YAML_BYTES_MAX + 1, arena, &error));
    ck_assert_str_eq(error.code, "too_large");
    free(text);
}
END_TEST

START_TEST(yaml__duplicates_are_found_in_large_mappings)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < 5000; i++) {
        builder_printf(&text, "k%d: x\n", i);
    }
    ck_assert_ptr_nonnull(yaml_parse(file, text.bytes, text.length, arena, &error));
    builder_text(&text, "k77: x\n");
    ck_assert_ptr_null(yaml_parse(file, text.bytes, text.length, arena, &error));
    ck_assert_str_eq(error.code, "duplicate_key");
    ck_assert_int_eq(error.line, 5001);
    ck_assert_ptr_nonnull(strstr(error.message, "first on line 78"));
}
END_TEST

START_TEST(yaml__unknown_keys_are_named_with_the_nearest_known)
{
    static const char *const keys[] = {"effect", "match", "when", NULL};
    ck_assert(yaml_only_keys(file, parse("effect: a\nwhen: b\n"), keys, &error));
    ck_assert(!yaml_only_keys(file, parse("effect: a\nwhne: b\n"), keys, &error));
    ck_assert_str_eq(error.code, "unknown_key");
    ck_assert_int_eq(error.line, 2);
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean `when`?"));
    error = (struct error){0};
    ck_assert(!yaml_only_keys(file, parse("zebra\xE2\x80\xAE: b\n"), keys, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "known are `effect`, `match` and `when`"));
    ck_assert_ptr_nonnull(strstr(error.message, "zebra\\u{202e}"));
    error = (struct error){0};
    ck_assert(!yaml_only_keys(file, parse("- a\n"), keys, &error));
    ck_assert_str_eq(error.code, "invalid_value");
}
END_TEST

START_TEST(yaml__text_is_text_unless_it_reads_as_nothing)
{
    static const char *const good[] = {"v: NO\n",   "v: 0777\n", "v: 12:30:45\n", "v: 'null'\n",
                                       "v: \"\"\n", "v: true\n", "v: |\n"};
    static const char *const texts[] = {"NO", "0777", "12:30:45", "null", "", "true", ""};
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *text = NULL;
        ck_assert(yaml_read_text(file, value_of(good[i]), &text, &error));
        ck_assert_str_eq(text, texts[i]);
    }
    static const char *const bad[] = {"v:\n",      "v: ~\n",   "v: null\n", "v: Null\n",
                                      "v: NULL\n", "v: [a]\n", "v: {}\n",   "x: y\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *text = "unwritten";
        error = (struct error){0};
        ck_assert_msg(!yaml_read_text(file, value_of(bad[i]), &text, &error), "%s", bad[i]);
        ck_assert_str_eq(error.code, i == COUNT(bad) - 1 ? "missing_value" : "invalid_value");
        ck_assert_str_eq(text, "unwritten");
    }
}
END_TEST

START_TEST(yaml__bool_is_exactly_true_or_false)
{
    bool value = false;
    ck_assert(yaml_read_bool(file, value_of("v: true\n"), &value, &error));
    ck_assert(value);
    ck_assert(yaml_read_bool(file, value_of("v: false\n"), &value, &error));
    ck_assert(!value);
    static const char *const bad[] = {"v: True\n",   "v: yes\n", "v: on\n",     "v: NO\n", "v: 1\n",
                                      "v: 'true'\n", "v:\n",     "v: [true]\n", "x: y\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        error = (struct error){0};
        ck_assert_msg(!yaml_read_bool(file, value_of(bad[i]), &value, &error), "%s", bad[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_ptr_nonnull(strstr(error.message, "`true` or `false`"));
    }
}
END_TEST

START_TEST(yaml__integers_are_plain_digits_within_bounds)
{
    int64_t value = 7;
    ck_assert(yaml_read_integer(file, value_of("v: 0\n"), 0, 10, &value, &error));
    ck_assert_int_eq(value, 0);
    ck_assert(yaml_read_integer(file, value_of("v: 9223372036854775807\n"), 0, INT64_MAX, &value,
                                &error));
    ck_assert_int_eq(value, INT64_MAX);
    value = 7;
    static const char *const bad[] = {"v: 1\n",
                                      "v: 11\n",
                                      "v: -2\n",
                                      "v: +2\n",
                                      "v: 2.0\n",
                                      "v: 0x2\n",
                                      "v: 02\n",
                                      "v: 1_0\n",
                                      "v: 2e0\n",
                                      "v: '2'\n",
                                      "v: \n",
                                      "v: 9223372036854775808\n",
                                      "v: 99999999999999999999999\n",
                                      "v: [2]\n",
                                      "x: 2\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        error = (struct error){0};
        ck_assert_msg(!yaml_read_integer(file, value_of(bad[i]), 2, 10, &value, &error), "%s",
                      bad[i]);
        ck_assert_ptr_nonnull(strstr(error.message, "from 2 to 10"));
    }
    ck_assert_int_eq(value, 7);
}
END_TEST

START_TEST(yaml__durations_are_bounded)
{
    int64_t ms = 7;
    ck_assert(yaml_read_duration(file, value_of("v: 15m\n"), 60000, 3600000, &ms, &error));
    ck_assert_int_eq(ms, 900000);
    static const char *const bad[] = {"v: 59s\n", "v: 61m\n",   "v: 15\n",
                                      "v:\n",     "v: [15m]\n", "x: 15m\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        error = (struct error){0};
        ck_assert_msg(!yaml_read_duration(file, value_of(bad[i]), 60000, 3600000, &ms, &error),
                      "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error.message, "from 1m to 1h"));
    }
    ck_assert_int_eq(ms, 900000);
}
END_TEST

START_TEST(yaml__lists_of_texts_demand_quotes_where_yaml_would_guess)
{
    const char **texts = NULL;
    size_t count = 0;
    ck_assert(yaml_read_texts(
        file,
        value_of(
            "v: [a, 'no', \"12\", 10.0.0.1, 1password, a:b, -, x1, 0xg, 1e, 1.2.3, deadbeef]\n"),
        false, arena, &texts, &count, &error));
    ck_assert_uint_eq(count, 12);
    ck_assert_str_eq(texts[1], "no");
    ck_assert_str_eq(texts[11], "deadbeef");
    ck_assert(yaml_read_texts(file, value_of("v: one\n"), true, arena, &texts, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert(yaml_read_texts(file, value_of("v: []\n"), true, arena, &texts, &count, &error));
    ck_assert_uint_eq(count, 0);
    static const char *const guessed[] = {
        "no",  "NO", "y",     "on",   "Off",    "true", "null",  "~",        "12",
        "-1",  "+1", "1_000", "0777", "0x1F",   "0b1",  "0o7",   "12:30:45", "1:30.5",
        "1.5", ".5", "5.",    "1e3",  "1.5E-3", ".inf", "-.INF", ".nan"};
    for (size_t i = 0; i < COUNT(guessed); i++) {
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 0);
        builder_printf(&text, "v:\n  - a\n  - %s\n", guessed[i]);
        error = (struct error){0};
        ck_assert_msg(
            !yaml_read_texts(file, value_of(text.bytes), false, arena, &texts, &count, &error),
            "%s", guessed[i]);
        ck_assert_int_eq(error.line, 3);
        ck_assert_int_eq(error.column, 5);
        ck_assert_ptr_nonnull(strstr(error.message, "quotes"));
    }
}
END_TEST

START_TEST(yaml__what_is_no_list_of_texts_is_refused)
{
    const char **texts = NULL;
    size_t count = 7;
    static const char *const bad[] = {"v: one\n", "v: {}\n", "v: [[a]]\n", "x: y\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        error = (struct error){0};
        ck_assert_msg(
            !yaml_read_texts(file, value_of(bad[i]), false, arena, &texts, &count, &error), "%s",
            bad[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
    }
    error = (struct error){0};
    ck_assert(!yaml_read_texts(file, value_of("v: no\n"), true, arena, &texts, &count, &error));
    ck_assert_uint_eq(count, 7);
    ck_assert_ptr_null(texts);
}
END_TEST

/* Every beginning is read without a step past its end, whatever comes of it. */
START_TEST(yaml__beginnings_of_a_document_are_safe_to_read)
{
    static const char text[] =
        "a: 'b'\nc:\n  - \"d\\n\"\n  - {e: [f, g]} # h\ni: |\n  j\n   k\nl: >-\n  \xE2\x82\xAC\n";
    for (size_t length = 0; length <= strlen(text); length++) {
        error = (struct error){0};
        bool is_read = parse_exact(text, length) != NULL;
        ck_assert_msg(is_read == (error.kind == ERROR_NONE), "%zu bytes", length);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("yaml");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, yaml__what_is_not_strict_is_refused_with_its_place_and_a_remedy, 0,
                        (int)COUNT(refused));
    tcase_add_test(tests, yaml__a_raw_nul_and_utf16_are_refused);
    tcase_add_test(tests, yaml__a_tree_has_values_and_places);
    tcase_add_test(tests, yaml__comments_behind_plain_text_are_noticed);
    tcase_add_test(tests, yaml__text_of_blocks_is_found);
    tcase_add_test(tests, yaml__depth_is_bounded);
    tcase_add_test(tests, yaml__events_are_bounded);
    tcase_add_test(tests, yaml__bytes_are_bounded);
    tcase_add_test(tests, yaml__duplicates_are_found_in_large_mappings);
    tcase_add_test(tests, yaml__unknown_keys_are_named_with_the_nearest_known);
    tcase_add_test(tests, yaml__text_is_text_unless_it_reads_as_nothing);
    tcase_add_test(tests, yaml__bool_is_exactly_true_or_false);
    tcase_add_test(tests, yaml__integers_are_plain_digits_within_bounds);
    tcase_add_test(tests, yaml__durations_are_bounded);
    tcase_add_test(tests, yaml__lists_of_texts_demand_quotes_where_yaml_would_guess);
    tcase_add_test(tests, yaml__what_is_no_list_of_texts_is_refused);
    tcase_add_test(tests, yaml__beginnings_of_a_document_are_safe_to_read);
    Suite *suite = suite_create("yaml");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
