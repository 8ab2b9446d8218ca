#include "tests/support/cel_eval.h"
#include "tests/support/chance.h"
#include "tests/support/run_suite.h"
#include <math.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct cel_value text(const char *bytes)
{
    return cel_string(bytes, strlen(bytes));
}

START_TEST(values__numbers_of_all_kinds_lie_on_one_line)
{
    /* In rising order; equal neighbours share a rank. */
    const struct {
        struct cel_value value;
        int rank;
    } line[] = {
        {cel_double(-INFINITY), 0},
        {cel_double(-1e300), 1},
        {cel_int(INT64_MIN), 2},
        {cel_double(-9223372036854775808.0), 2},
        {cel_int(-1), 3},
        {cel_double(-0.5), 4},
        {cel_int(0), 5},
        {cel_uint(0), 5},
        {cel_double(-0.0), 5},
        {cel_double(0.5), 6},
        {cel_uint(1), 7},
        {cel_int(1), 7},
        {cel_double(1.0), 7},
        {cel_int(9007199254740991), 8},
        {cel_uint((uint64_t)INT64_MAX + 1025), 9},
        {cel_double(18446744073709551616.0), 10},
        {cel_double(1e300), 11},
        {cel_double(INFINITY), 12},
    };
    for (size_t i = 0; i < COUNT(line); i++) {
        for (size_t j = 0; j < COUNT(line); j++) {
            int expected = (line[i].rank > line[j].rank) - (line[i].rank < line[j].rank);
            ck_assert_msg(cel_compare_numbers(line[i].value, line[j].value) == expected,
                          "%zu and %zu", i, j);
            ck_assert_int_eq(cel_equal(line[i].value, line[j].value), expected == 0);
        }
        ck_assert_int_eq(cel_compare_numbers(line[i].value, cel_double(NAN)), 2);
        ck_assert(!cel_equal(line[i].value, cel_double(NAN)));
    }
}
END_TEST

START_TEST(values__maps_find_every_key_and_no_other)
{
    enum { MANY = 3000 };
    struct arena *arena ARENA_SCOPE = arena_create();
    for (size_t count = 0; count < MANY; count = count * 2 + 1) {
        struct cel_entry *entries = arena_array(arena, count, sizeof *entries);
        for (size_t i = 0; i < count; i++) {
            const char *name = arena_printf(arena, "key%zu", i * 7919 % 4001);
            entries[i].key = i % 3 == 0   ? text(name)
                             : i % 3 == 1 ? cel_int((int64_t)i - 500)
                                          : cel_uint(i + 10000);
            entries[i].value = cel_int((int64_t)i);
        }
        const struct cel_map *map = cel_map_make(arena, entries, count);
        ck_assert_ptr_nonnull(map);
        for (size_t i = 0; i < count; i++) {
            ck_assert_ptr_eq(cel_map_find(map, entries[i].key), &entries[i].value);
        }
        ck_assert_ptr_null(cel_map_find(map, text("other")));
        ck_assert_ptr_null(cel_map_find(map, cel_int(-501)));
        ck_assert_ptr_null(cel_map_find(map, cel_double(0.5)));
        ck_assert_ptr_null(cel_map_find(map, cel_double(NAN)));
        ck_assert_ptr_null(cel_map_find(map, cel_null()));
        ck_assert_ptr_null(cel_map_find(map, cel_bool(true)));
    }
}
END_TEST

START_TEST(values__a_map_has_no_key_twice)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const struct {
        struct cel_value first, second;
        bool is_map;
    } rows[] = {
        {text("a"), text("b"), true},       {text("a"), text("a"), false},
        {cel_int(1), cel_uint(1), false},   {cel_int(1), cel_uint(2), true},
        {cel_int(1), cel_bool(true), true}, {cel_bool(true), cel_bool(true), false},
        {cel_int(1), cel_double(2), false}, {cel_null(), text("a"), false},
        {text("1"), cel_int(1), true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t fill = 0; fill < 20; fill += 10) {
            struct cel_entry *entries = arena_array(arena, fill + 2, sizeof *entries);
            entries[0].key = rows[i].first;
            entries[1 + fill].key = rows[i].second;
            for (size_t j = 0; j < fill; j++) {
                entries[1 + j].key = cel_int(100 + (int64_t)j);
            }
            ck_assert_msg((cel_map_make(arena, entries, fill + 2) != NULL) == rows[i].is_map, "%zu",
                          i);
        }
    }
}
END_TEST

START_TEST(values__a_whole_double_finds_the_int_it_is_exactly)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    ck_assert_str_eq(cel_said_of(arena, "{1: 'a'}[dyn(1.0)]"), "value \"a\"");
    ck_assert_str_eq(cel_said_of(arena, "{9223372036854775807: 'a'}[dyn(9223372036854775808.0)]"),
                     "error no such key: 9.223372036854776e+18");
    ck_assert_str_eq(cel_said_of(arena, "{9007199254740993: 'a'}[dyn(9007199254740992.0)]"),
                     "error no such key: 9007199254740992.0");
    ck_assert_str_eq(cel_said_of(arena, "dyn(1.0) in {1u: 2}"), "value true");
}
END_TEST

static const struct printed {
    const char *source;
    const char *text;
} printed[] = {
    {"null", "null"},
    {"-5", "-5"},
    {"5u", "5u"},
    {"1.0", "1.0"},
    {"0.1", "0.1"},
    {"-0.0", "-0.0"},
    {"1e100", "1e+100"},
    {"0.0 / 0.0", "double(\"NaN\")"},
    {"-1.0 / 0.0", "double(\"-Infinity\")"},
    {"'a\"\\n\\x00\\u00e9'", "\"a\\\"\\n\\x00\xC3\xA9\""},
    {"b'a\\xff\"'", "b\"a\\xff\\x22\""},
    {"[1, 'a', [true]]", "[1, \"a\", [true]]"},
    {"{'a': 1, 2: {}}", "{\"a\": 1, 2: {}}"},
    {"timestamp('2026-01-02T03:04:05.6Z')", "timestamp(\"2026-01-02T03:04:05.6Z\")"},
    {"duration('90m')", "duration(\"5400s\")"},
    {"type(1)", "int"},
    {"type(timestamp(0))", "google.protobuf.Timestamp"},
    {"optional.of([1])", "optional.of([1])"},
    {"optional.none()", "optional.none()"},
    {"ip('2001:DB8::1')", "ip(\"2001:db8::1\")"},
    {"cidr('10.0.0.0/8')", "cidr(\"10.0.0.0/8\")"},
};

START_TEST(values__are_printed_as_cel_writes_them)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    const char *said = cel_said_of(arena, printed[_i].source);
    ck_assert_str_eq(said, arena_printf(arena, "value %s", printed[_i].text));
    /* What is printed is CEL again, of the same value. */
    if (strcmp(printed[_i].source, "0.0 / 0.0") != 0) {
        ck_assert_str_eq(cel_said_of(arena, arena_printf(arena, "%s == dyn(%s)", printed[_i].text,
                                                         printed[_i].source)),
                         "value true");
    }
}
END_TEST

START_TEST(values__printing_ends_at_the_builders_limit)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_value *shared = arena_array(arena, 60 * 2, sizeof *shared);
    struct cel_value value = text("leaf");
    for (size_t i = 0; i < 60; i++) { /* 2^60 leaves */
        shared[2 * i] = value;
        shared[2 * i + 1] = value;
        value = cel_make_list(&shared[2 * i], 2);
    }
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 500);
    cel_print(&out, value);
    ck_assert(builder_failed(&out));
    ck_assert_uint_le(out.length, 500);
}
END_TEST

/* Random values equal themselves, and what equals has the same text. */
static struct cel_value random_value(struct arena *arena, struct chance *chance, int depth)
{
    uint64_t kind = chance_below(chance, depth > 3 ? 5 : 7);
    size_t count = (size_t)chance_below(chance, 5);
    struct cel_value *items = arena_array(arena, count, sizeof *items);
    struct cel_entry *entries = arena_array(arena, count, sizeof *entries);
    switch (kind) {
    case 0:
        return cel_int((int64_t)chance_below(chance, 3));
    case 1:
        return cel_uint(chance_below(chance, 3));
    case 2:
        return cel_double((double)chance_below(chance, 6) / 2);
    case 3:
        return cel_bool(chance_below(chance, 2) == 0);
    case 4:
        return text(chance_below(chance, 2) == 0 ? "a" : "b");
    case 5:
        for (size_t i = 0; i < count; i++) {
            items[i] = random_value(arena, chance, depth + 1);
        }
        return cel_make_list(items, count);
    default:
        for (size_t i = 0; i < count; i++) {
            entries[i] =
                (struct cel_entry){cel_int((int64_t)i), random_value(arena, chance, depth + 1)};
        }
        return (struct cel_value){.kind = CEL_MAP, .as.map = cel_map_make(arena, entries, count)};
    }
}

START_TEST(values__equality_is_reflexive_and_symmetric)
{
    struct chance chance = {.state = 7};
    size_t equal_count = 0;
    for (int i = 0; i < 20000; i++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct cel_value left = random_value(arena, &chance, 0);
        struct cel_value right = random_value(arena, &chance, 0);
        ck_assert(cel_equal(left, left));
        ck_assert_int_eq(cel_equal(left, right), cel_equal(right, left));
        equal_count += cel_equal(left, right);
    }
    ck_assert_uint_gt(equal_count, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cel values");
    TCase *tests = tcase_create("values");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, values__numbers_of_all_kinds_lie_on_one_line);
    tcase_add_test(tests, values__maps_find_every_key_and_no_other);
    tcase_add_test(tests, values__a_map_has_no_key_twice);
    tcase_add_test(tests, values__a_whole_double_finds_the_int_it_is_exactly);
    tcase_add_loop_test(tests, values__are_printed_as_cel_writes_them, 0, (int)COUNT(printed));
    tcase_add_test(tests, values__printing_ends_at_the_builders_limit);
    tcase_add_test(tests, values__equality_is_reflexive_and_symmetric);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
