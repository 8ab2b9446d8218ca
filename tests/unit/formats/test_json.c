#include "base/builder.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct refused {
    const char *text;
    size_t length; /* 0: up to the NUL */
    const char *code;
    const char *pointer;
    int line;
    int column;
} refused[] = {
    {"{\"a\":1,\"a\":2}", 0, "duplicate_name", "/a", 1, 8},
    {"{\"a\":[0,{\n \"b/~\": 1, \"b\\u002f~\" : 2}]}", 0, "duplicate_name", "/a/1/b~1~0", 2, 12},
    {"{\"a\":{\"b\":{}},\"c\":1,\"a\":{}}", 0, "duplicate_name", "/a", 1, 21},
    {"{\"n\":9007199254740993}", 0, "inexact_number", "/n", 1, 6},
    {"[1,\n2,\n 1000.00000000000000001]", 0, "inexact_number", "/2", 3, 2},
    {"18446744073709551616", 0, "inexact_number", "", 1, 1},
    {"9223372036854774784", 0, "inexact_number", "", 1, 1},
    {"0.1000000000000000055511151231257827", 0, "inexact_number", "", 1, 1},
    {"333333333.33333329", 0, "inexact_number", "", 1, 1},
    {"1e400", 0, "inexact_number", "", 1, 1},
    {"-1e99999999999999999999", 0, "inexact_number", "", 1, 1},
    {"1e-400", 0, "inexact_number", "", 1, 1},
    {"4e-324", 0, "inexact_number", "", 1, 1},
    {"2.2250738585072011e-308", 0, "inexact_number", "", 1, 1},
    {"1.7976931348623159e308", 0, "inexact_number", "", 1, 1},
    {"[\"\\ud800\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"a\\udc00\\ud800\"]", 0, "invalid_json", "/0", 1, 4},
    {"[\"\\ud83dx\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\\ud83d\\u0041\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\\ud83d\\ue000\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xED\xA0\x80\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xC0\xAF\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xF4\x90\x80\x80\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xE2\x82\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xE2\x82", 0, "invalid_json", "/0", 1, 3},
    {"{\"\xC3\xA9\xC3\xA9\":\"\xFF\"}", 0, "invalid_json", "/\xC3\xA9\xC3\xA9", 1, 8},
    {"[\"\\uffff\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\xEF\xB7\x90\"]", 0, "invalid_json", "/0", 1, 3},
    {"[\"\\ud83f\\udffe\"]", 0, "invalid_json", "/0", 1, 3},
    {"\xEF\xBB\xBF{}", 0, "invalid_json", "", 1, 1},
    {"", 0, "invalid_json", "", 1, 1},
    {"  ", 0, "invalid_json", "", 1, 3},
    {"{}x", 0, "invalid_json", "", 1, 3},
    {"{} {}", 0, "invalid_json", "", 1, 4},
    {"[1,]", 0, "invalid_json", "/1", 1, 4},
    {"[1 2]", 0, "invalid_json", "/0", 1, 4},
    {"[", 0, "invalid_json", "/0", 1, 2},
    {"{\"a\":1,}", 0, "invalid_json", "", 1, 8},
    {"{\"a\" 1}", 0, "invalid_json", "/a", 1, 6},
    {"{\"a\":}", 0, "invalid_json", "/a", 1, 6},
    {"{\"a\":{\"b\":[true,fals]}}", 0, "invalid_json", "/a/b/1", 1, 17},
    {"{a:1}", 0, "invalid_json", "", 1, 2},
    {"{\"a\":1]", 0, "invalid_json", "/a", 1, 7},
    {"[}", 0, "invalid_json", "/0", 1, 2},
    {"]", 0, "invalid_json", "", 1, 1},
    {"[1}", 0, "invalid_json", "/0", 1, 3},
    {"\"a", 0, "invalid_json", "", 1, 3},
    {"\"\\", 0, "invalid_json", "", 1, 3},
    {"\"\\x41\"", 0, "invalid_json", "", 1, 3},
    {"\"\\u12g4\"", 0, "invalid_json", "", 1, 6},
    {"\"\\u12", 0, "invalid_json", "", 1, 6},
    {"\"a\tb\"", 0, "invalid_json", "", 1, 3},
    {"\"0123456789\nb\"", 0, "invalid_json", "", 1, 12},
    {"NaN", 0, "invalid_json", "", 1, 1},
    {"-Infinity", 0, "invalid_json", "", 1, 2},
    {"nul", 0, "invalid_json", "", 1, 1},
    {"+1", 0, "invalid_json", "", 1, 1},
    {"01", 0, "invalid_json", "", 1, 1},
    {"-01", 0, "invalid_json", "", 1, 2},
    {"1.", 0, "invalid_json", "", 1, 3},
    {".5", 0, "invalid_json", "", 1, 1},
    {"1e", 0, "invalid_json", "", 1, 3},
    {"1e+", 0, "invalid_json", "", 1, 4},
    {"0x10", 0, "invalid_json", "", 1, 2},
    {"// c\n1", 0, "invalid_json", "", 1, 1},
    {"{\"x\\u0000y\":1}", 0, "invalid_json", "/x", 1, 2},
    {"1\0", 2, "invalid_json", "", 1, 2},
    {"[\"a\0\"]", 6, "invalid_json", "/0", 1, 4},
};

static size_t length_of(const char *text, size_t length)
{
    return length == 0 ? strlen(text) : length;
}

/* From an allocation of exactly the length, so that a sanitizer sees every step past the end. */
static struct json_document *parse_exact(const char *text, size_t length, struct error *error)
{
    char *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, text, length);
    struct json_document *document = json_parse(copy, length, error);
    free(copy);
    return document;
}

START_TEST(json__what_is_not_strict_is_refused_with_its_place)
{
    const struct refused *row = &refused[_i];
    struct error error = {0};
    struct json_document *document =
        parse_exact(row->text, length_of(row->text, row->length), &error);
    ck_assert_msg(document == NULL, "`%s` was accepted", row->text);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_msg(strcmp(error.code, row->code) == 0 && strcmp(error.subject, row->pointer) == 0 &&
                      error.line == row->line && error.column == row->column,
                  "`%s`: expected %s at `%s` %d:%d, got %s at `%s` %d:%d (%s)", row->text,
                  row->code, row->pointer, row->line, row->column, error.code, error.subject,
                  error.line, error.column, error.message);
    ck_assert_str_ne(error.message, "");
}
END_TEST

static const struct accepted {
    const char *text;
    const char *canonical;
} accepted[] = {
    {" { } ", "{}"},
    {"\t[\r\n]\n", "[]"},
    {"[[],{},[{}]]", "[[],{},[{}]]"},
    {"{\"b\":true,\"a\":false,\"\":null}", "{\"\":null,\"a\":false,\"b\":true}"},
    {"\"\\u0041\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"A\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0000\"", "\"\\u0000\""},
    {"\"\\uD83D\\uDE02\\u00e9\xE2\x82\xAC\xF0\x9F\x98\x82\"",
     "\"\xF0\x9F\x98\x82\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x82\""},
    {"\"\xEE\x80\x80\xEF\xBF\xBD\xEF\xBB\xBF\"", "\"\xEE\x80\x80\xEF\xBF\xBD\xEF\xBB\xBF\""},
    {"[\"plain ascii longer than eight bytes\",\"short\"]",
     "[\"plain ascii longer than eight bytes\",\"short\"]"},
    {"1.0", "1"},
    {"1e2", "100"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"0e99999999999999999999", "0"},
    {"-0.000e-5", "0"},
    {"1.10", "1.1"},
    {"0.1", "0.1"},
    {"19.99", "19.99"},
    {"-125.50", "-125.5"},
    {"1E30", "1e+30"},
    {"100000000000000000000", "100000000000000000000"},
    {"1000000000000000000000", "1e+21"},
    {"9223372036854775000", "9223372036854775000"},
    {"92233720368547760000", "92233720368547760000"},
    {"9007199254740991", "9007199254740991"},
    {"9007199254740992", "9007199254740992"},
    {"9007199254740994", "9007199254740994"},
    {"-9007199254740991", "-9007199254740991"},
    {"0.000001", "0.000001"},
    {"0.0000001", "1e-7"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"5e-324", "5e-324"},
    {"2.2250738585072014E-308", "2.2250738585072014e-308"},
    {"5.684341886080802e-14", "5.684341886080802e-14"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1.00000000000000000000000000000000000000000", "1"},
    {"0.00000000000000000000000000000000000000000001e44", "1"},
    {"123456789012345678e0", NULL},
};

START_TEST(json__what_is_strict_is_read_as_it_was_sent)
{
    const struct accepted *row = &accepted[_i];
    struct error error = {0};
    struct json_document *document = parse_exact(row->text, strlen(row->text), &error);
    if (row->canonical == NULL) {
        ck_assert_str_eq(error.code, "inexact_number");
        return;
    }
    ck_assert_msg(document != NULL, "`%s`: %s", row->text, error.message);
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    canonical_append(&out, json_root(document));
    ck_assert_str_eq(out.bytes, row->canonical);
    json_destroy(document);
}
END_TEST

/* `depth` open brackets, then as many closed. */
static bool parse_nested(int depth, const char *open, const char *close, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    for (int i = 0; i < depth; i++) {
        builder_text(&text, open);
    }
    builder_text(&text, "1");
    for (int i = 0; i < depth; i++) {
        builder_text(&text, close);
    }
    struct json_document *document = json_parse(text.bytes, text.length, error);
    json_destroy(document);
    return document != NULL;
}

START_TEST(json__sixty_four_levels_are_read_and_one_more_is_refused)
{
    struct error error = {0};
    ck_assert(parse_nested(JSON_DEPTH_MAX, "[", "]", &error));
    ck_assert(parse_nested(JSON_DEPTH_MAX, "{\"a\":", "}", &error));
    ck_assert(!parse_nested(JSON_DEPTH_MAX + 1, "[", "]", &error));
    ck_assert_str_eq(error.code, "too_deep");
    ck_assert_int_eq(error.column, JSON_DEPTH_MAX + 1);
    struct error second = {0};
    ck_assert(!parse_nested(100000, "{\"a\":[", "]}", &second));
    ck_assert_str_eq(second.code, "too_deep");
}
END_TEST

START_TEST(json__objects_and_arrays_may_alternate_at_every_level)
{
    struct error error = {0};
    ck_assert(parse_nested(JSON_DEPTH_MAX / 2, "[{\"a\":", "}]", &error));
    ck_assert(!parse_nested(JSON_DEPTH_MAX / 2, "[{\"a\":", "]}", &error));
    ck_assert_str_eq(error.code, "invalid_json");
}
END_TEST

START_TEST(json__long_pointers_are_cut_between_characters)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "{\"x");
    for (int i = 0; i < 300; i++) {
        builder_text(&text, "\xE2\x82\xAC");
    }
    builder_text(&text, "\":1e400}");
    struct error error = {0};
    ck_assert_ptr_null(json_parse(text.bytes, text.length, &error));
    ck_assert_uint_eq(strlen(error.subject), 254);
    ck_assert_mem_eq(error.subject + 251, "\xE2\x82\xAC", 4);
}
END_TEST

START_TEST(json__text_past_the_bound_is_refused)
{
    struct error error = {0};
    ck_assert_ptr_null(json_parse("1", (size_t)JSON_BYTES_MAX + 1, &error));
    ck_assert_str_eq(error.code, "too_long");
}
END_TEST

START_TEST(json__absent_members_chain)
{
    ck_assert_ptr_null(json_member(NULL, "a"));
    ck_assert_ptr_null(json_element(NULL, 0));
    ck_assert_ptr_null(json_text(NULL));
    ck_assert_uint_eq(json_text_length(NULL), 0);
    ck_assert_uint_eq(json_count(NULL), 0);
    ck_assert(json_number(NULL) == 0);
    ck_assert_int_eq(json_type(NULL), JSON_TYPE_ABSENT);
    int64_t integer = 7;
    ck_assert(!json_integer(NULL, &integer));
    ck_assert_int_eq(integer, 7);
    json_destroy(NULL);
}
END_TEST

START_TEST(json__readers_give_what_stands_there)
{
    static const char text[] = "{\"a\":[1,2.5,\"x\\u0000y\",true,false,null,{}],\"n\":-3}";
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &error);
    const struct json *root = json_root(document);
    const struct json *array = json_member(root, "a");
    static const enum json_type types[] = {JSON_TYPE_NUMBER, JSON_TYPE_NUMBER, JSON_TYPE_STRING,
                                           JSON_TYPE_TRUE,   JSON_TYPE_FALSE,  JSON_TYPE_NULL,
                                           JSON_TYPE_OBJECT, JSON_TYPE_ABSENT};
    for (size_t i = 0; i < COUNT(types); i++) {
        ck_assert_int_eq(json_type(json_element(array, i)), types[i]);
    }
    ck_assert_int_eq(json_type(root), JSON_TYPE_OBJECT);
    ck_assert_int_eq(json_type(array), JSON_TYPE_ARRAY);
    ck_assert_uint_eq(json_count(root), 2);
    ck_assert_uint_eq(json_count(array), 7);
    ck_assert(json_number(json_element(array, 1)) == 2.5);
    ck_assert_uint_eq(json_text_length(json_element(array, 2)), 3);
    ck_assert_mem_eq(json_text(json_element(array, 2)), "x\0y", 4);
    int64_t integer = 0;
    ck_assert(json_integer(json_member(root, "n"), &integer));
    ck_assert_int_eq(integer, -3);
    ck_assert(!json_integer(json_element(array, 1), &integer));
    ck_assert(!json_integer(json_element(array, 2), &integer));
}
END_TEST

START_TEST(json__integers_end_at_two_to_the_53)
{
    static const struct {
        const char *text;
        bool is_integer;
        int64_t value;
    } rows[] = {{"9007199254740991", true, 9007199254740991},
                {"-9007199254740991", true, -9007199254740991},
                {"9007199254740992", false, 0},
                {"1e3", true, 1000},
                {"2.0", true, 2},
                {"1e300", false, 0},
                {"1000000000000000000000", false, 0},
                {"0.5", false, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error error = {0};
        struct json_document *document JSON_SCOPE =
            json_parse(rows[i].text, strlen(rows[i].text), &error);
        int64_t value = 0;
        ck_assert_msg(json_integer(json_root(document), &value) == rows[i].is_integer, "%s",
                      rows[i].text);
        ck_assert_int_eq(value, rows[i].value);
    }
}
END_TEST

static bool append_name(void *context, const char *name, const struct json *value)
{
    struct builder *names = context;
    builder_printf(names, "%s=%g ", name, json_number(value));
    return strcmp(name, "stop") != 0;
}

START_TEST(json__members_are_visited_in_the_order_sent)
{
    static const char text[] = "{\"z\":1,\"a\":2,\"stop\":3,\"after\":4}";
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &error);
    struct builder names BUILDER_SCOPE;
    builder_init(&names, 0);
    ck_assert(!json_each_member(json_root(document), append_name, &names));
    ck_assert_str_eq(names.bytes, "z=1 a=2 stop=3 ");
    ck_assert(json_each_member(NULL, append_name, &names));
}
END_TEST

START_TEST(json__unknown_members_are_named_with_the_nearest_known)
{
    static const char text[] = "{\"action\":1,\"resorce\":2}";
    static const char *const known[] = {"action", "resource", "context", NULL};
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, strlen(text), &error);
    ck_assert(!json_only_members(json_root(document), "/items/0", known, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_str_eq(error.code, "unknown_member");
    ck_assert_str_eq(error.subject, "/items/0/resorce");
    ck_assert_ptr_nonnull(strstr(error.message, "did you mean `resource`?"));
    static const char *const more[] = {"action", "resorce", NULL};
    struct error none = {0};
    ck_assert(json_only_members(json_root(document), "", more, &none));
    static const char *const other[] = {"action", "zzz", NULL};
    ck_assert(!json_only_members(json_root(document), "", other, &none));
    ck_assert_ptr_nonnull(strstr(none.message, "known are `action` and `zzz`"));
}
END_TEST

START_TEST(json__pointers_escape_tilde_and_slash)
{
    struct builder pointer BUILDER_SCOPE;
    builder_init(&pointer, 0);
    json_pointer_append(&pointer, "a/b~c");
    json_pointer_append(&pointer, "");
    ck_assert_str_eq(pointer.bytes, "/a~1b~0c/");
}
END_TEST

/* Every text that is a prefix of a document is refused, none read past its end. */
START_TEST(json__no_beginning_of_a_document_is_a_document)
{
    static const char text[] = "{\"a\":[1.5e2,-0,\"\\ud83d\\ude02\\n\xE2\x82\xAC plain "
                               "text\"],\"b\":{\"c\":true,\"d\":null}}";
    for (size_t length = 0; length < strlen(text); length++) {
        struct error error = {0};
        ck_assert_msg(parse_exact(text, length, &error) == NULL, "%zu bytes", length);
        ck_assert_str_eq(error.code, "invalid_json");
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("json");
    tcase_add_loop_test(tests, json__what_is_not_strict_is_refused_with_its_place, 0,
                        (int)COUNT(refused));
    tcase_add_loop_test(tests, json__what_is_strict_is_read_as_it_was_sent, 0,
                        (int)COUNT(accepted));
    tcase_add_test(tests, json__sixty_four_levels_are_read_and_one_more_is_refused);
    tcase_add_test(tests, json__objects_and_arrays_may_alternate_at_every_level);
    tcase_add_test(tests, json__long_pointers_are_cut_between_characters);
    tcase_add_test(tests, json__text_past_the_bound_is_refused);
    tcase_add_test(tests, json__absent_members_chain);
    tcase_add_test(tests, json__readers_give_what_stands_there);
    tcase_add_test(tests, json__integers_end_at_two_to_the_53);
    tcase_add_test(tests, json__members_are_visited_in_the_order_sent);
    tcase_add_test(tests, json__unknown_members_are_named_with_the_nearest_known);
    tcase_add_test(tests, json__pointers_escape_tilde_and_slash);
    tcase_add_test(tests, json__no_beginning_of_a_document_is_a_document);
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
