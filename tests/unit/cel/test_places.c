#include "tests/support/cel_eval.h"
#include "tests/support/run_suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is refused, where, and a part of the sentence that says what to write instead. */
static const struct refused {
    const char *source;
    size_t length; /* 0: up to the NUL */
    int line;
    int column;
    const char *code;
    const char *part;
} refused[] = {
    {"", 0, 1, 1, "syntax", "the text ends here; a value is missing"},
    {"  \n ", 0, 2, 2, "syntax", "the text ends here"},
    {"1 +", 0, 1, 4, "syntax", "the text ends here; a value is missing"},
    {"(1", 0, 1, 3, "syntax", "`)` is missing"},
    {"[1, 2", 0, 1, 6, "syntax", "`,` or `]` is missing"},
    {"{1 2}", 0, 1, 4, "syntax", "`2` cannot stand here; `:` and a value is missing"},
    {"size(1,)", 0, 1, 8, "syntax", "an argument after the comma"},
    {"true false", 0, 1, 6, "syntax", "`false` cannot stand here; an operator"},
    {"true ? 1", 0, 1, 9, "syntax", "`:` and what holds otherwise"},
    {"a.true", 0, 1, 3, "syntax", "a member's name"},
    {"amount = 1", 0, 1, 8, "bad_character", "write `==` to compare"},
    {"amount > 1 & true", 0, 1, 12, "bad_character", "write `&&`"},
    {"amount > 1 | true", 0, 1, 12, "bad_character", "write `||`"},
    {"true;", 0, 1, 5, "bad_character", "a condition is one expression"},
    {"true \0 && true", 14, 1, 6, "bad_character", "byte 0x00 does not belong here"},
    {"1 + \xC3\xA9", 0, 1, 5, "bad_character", "`\xC3\xA9` does not belong here"},
    {"'\xC3\xA9\xC3\xA9' == x", 0, 1, 9, "unknown_name", "no variable is named `x`"},
    {"true &&\n  amuont > 1", 0, 2, 3, "unknown_name", "did you mean `amount`?"},
    {"production", 0, 1, 1, "unknown_name", "a text stands in quotes"},
    {"[1].all(item, itme > 0)", 0, 1, 15, "unknown_name", "did you mean `item`?"},
    {"name.startswith('a')", 0, 1, 6, "unknown_function", "did you mean `startsWith`?"},
    {"args.amont > 1", 0, 1, 6, "bad_type",
     "`refund` has no member `amont`; did you mean `amount`?"},
    {"args['amont'] > 1", 0, 1, 5, "bad_type", "did you mean `amount`?"},
    {"has(args.amont)", 0, 1, 10, "bad_type", "did you mean `amount`?"},
    {"has(amount)", 0, 1, 5, "bad_has", "write `has(value.member)`"},
    {"[1].all(x)", 0, 1, 5, "bad_macro", "`list.all(x, x > 0)`"},
    {"[1].all(x.y, true)", 0, 1, 9, "bad_variable", "a plain name"},
    {"[1].all(i, i, true)", 0, 1, 12, "bad_variable", "must have different names"},
    {"name && true", 0, 1, 1, "bad_type", "`&&` wants true or false, and this is string"},
    {"name == 'a' || 'b'", 0, 1, 16, "bad_type", "`||` wants true or false, and this is string"},
    {"!name", 0, 1, 1, "bad_type", "`!` does not go with string"},
    {"amount + 1.5", 0, 1, 8, "bad_type", "turn one into the other with `double()`"},
    {"name + 1", 0, 1, 6, "bad_type", "turn the other into text with `string()`"},
    {"1 in 2", 0, 1, 3, "bad_type", "a list or a map"},
    {"amount.size()", 0, 1, 8, "bad_type", "`size` does not take `int.()`; it takes"},
    {"amount.x", 0, 1, 8, "bad_type", "int has no members"},
    {"amount[0]", 0, 1, 7, "bad_type", "cannot be indexed"},
    {"true ? 1 : 'a'", 0, 1, 6, "bad_type", "must be of one type, and these are int and string"},
    {"{1.5: 2}", 0, 1, 2, "bad_type", "a map's key is"},
    {"1.all(x, true)", 0, 1, 3, "bad_type", "over a list or a map"},
    {"9223372036854775808", 0, 1, 1, "bad_number", "not an int of 64 bits"},
    {"18446744073709551616u", 0, 1, 1, "bad_number", "not a uint of 64 bits"},
    {"-1u", 0, 1, 2, "bad_number", "a uint has no sign"},
    {"12abc", 0, 1, 1, "bad_number", "is not a number"},
    {"0x", 0, 1, 1, "bad_number", "is not"},
    {"1e400", 0, 1, 1, "bad_number", "too large for a double"},
    {"'open", 0, 1, 1, "open_string", "this string has no end"},
    {"'a\nb'", 0, 1, 1, "open_string", "the end of the line"},
    {"'''a\nb", 0, 1, 1, "open_string", "three times"},
    {"'a\\q'", 0, 1, 3, "bad_escape", "write `\\\\` for a backslash"},
    {"'\\ud800'", 0, 1, 2, "bad_escape", "none of CEL's"},
    {"b'\\u00e9'", 0, 1, 3, "bad_escape", "none of CEL's"},
    {"'\xFF'", 0, 1, 1, "bad_utf8", "not UTF-8"},
    {"a.`", 0, 1, 3, "bad_name", "ends with a back tick"},
    {"for", 0, 1, 1, "reserved_word", "reserved word"},
    {"refund{amount: 1}", 0, 1, 7, "no_messages", "a map stands alone"},
    {"name.matches('(')", 0, 1, 14, "bad_pattern", "regular expression"},
    {"name.matches('a(?=b)')", 0, 1, 14, "bad_pattern", "regular expression"},
    {"now.getHours('Europe/Berlim')", 0, 1, 14, "unknown_zone", "no time zone"},
};

static struct cel_env *make_env(void)
{
    struct cel_env *env = cel_env_create(NULL);
    struct error error = {0};
    const struct cel_field fields[] = {
        {"amount", cel_type_read(env, "number", &error), false},
        {"memo", cel_type_read(env, "string", &error), true},
    };
    cel_type_object(env, "refund", fields, COUNT(fields));
    cel_declare(env, "args", "refund");
    cel_declare(env, "amount", "int");
    cel_declare(env, "name", "string");
    cel_declare(env, "now", "timestamp");
    cel_declare(env, "a", "dyn");
    return env;
}

START_TEST(places__every_mistake_is_shown_where_it_stands)
{
    const struct refused *row = &refused[_i];
    size_t length = row->length > 0 ? row->length : strlen(row->source);
    struct cel_env *env = make_env();
    struct error error = {0};
    uint32_t offset = 0;
    struct cel_program *program = cel_compile(env, row->source, length, NULL, &offset, &error);
    ck_assert_msg(program == NULL, "`%s` was accepted", row->source);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_msg(
        error.line == row->line && error.column == row->column &&
            strcmp(error.code, row->code) == 0 && strstr(error.message, row->part) != NULL,
        "`%s`: %d:%d %s %s", row->source, error.line, error.column, error.code, error.message);
    ck_assert_uint_le(offset, length);
    cel_env_destroy(env);
}
END_TEST

START_TEST(places__a_wrong_result_says_what_is_wanted)
{
    struct cel_env *env = make_env();
    struct error error = {0};
    ck_assert_ptr_null(cel_compile(env, "amount + 1", 10, "bool", NULL, &error));
    ck_assert_str_eq(error.code, "bad_type");
    ck_assert_ptr_nonnull(strstr(error.message, "this gives int where bool is wanted"));
    cel_env_destroy(env);
}
END_TEST

START_TEST(places__an_error_of_an_evaluation_has_its_place_too)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(NULL);
    struct error error = {0};
    struct cel_result result;
    const char *source = "true && 1 / (1 - 1) > 0";
    struct cel_program *program = cel_compile(env, source, strlen(source), "bool", NULL, &error);
    ck_assert_ptr_nonnull(program);
    cel_evaluate(program, NULL, NULL, -1, arena, &result);
    ck_assert_int_eq(result.outcome, CEL_OUTCOME_ERROR);
    ck_assert_uint_eq(result.problem.offset, 10);
    ck_assert_str_eq(result.problem.message, "divide by zero");
    cel_program_destroy(program);
    cel_env_destroy(env);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cel places");
    TCase *tests = tcase_create("places");
    tcase_add_loop_test(tests, places__every_mistake_is_shown_where_it_stands, 0,
                        (int)COUNT(refused));
    tcase_add_test(tests, places__a_wrong_result_says_what_is_wanted);
    tcase_add_test(tests, places__an_error_of_an_evaluation_has_its_place_too);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
