#include "tests/support/cel_eval.h"
#include "tests/support/run_suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum slot { SLOT_ARGS, SLOT_N, SLOT_S, SLOT_L, SLOT_M, SLOT_X, SLOT_T, SLOT_B, SLOT_O };

static struct cel_env *make_env(void)
{
    static const char *const variables[][2] = {
        {"args", "refund"},
        {"n", "number"},
        {"s", "string"},
        {"l", "list(string)"},
        {"m", "map(string, int)"},
        {"x", "dyn"},
        {"t", "timestamp"},
        {"b", "bool"},
        {"o", "optional_type(string)"},
    };
    struct cel_env *env = cel_env_create(NULL);
    struct error error = {0};
    const struct cel_field money[] = {{"value", cel_type_read(env, "number", &error), false}};
    const struct cel_type *inner = cel_type_object(env, "money", money, 1);
    const struct cel_field fields[] = {
        {"amount", cel_type_read(env, "number", &error), false},
        {"memo", cel_type_read(env, "string", &error), true},
        {"fee", inner, true},
        {"tags", cel_type_read(env, "list(string)", &error), false},
    };
    cel_type_object(env, "refund", fields, COUNT(fields));
    for (size_t i = 0; i < COUNT(variables); i++) {
        ck_assert_uint_eq(cel_declare(env, variables[i][0], variables[i][1]), i);
    }
    return env;
}

static const struct typed {
    const char *source;
    const char *type; /* NULL: refused */
} typed[] = {
    {"args.amount > 1000", "bool"},
    {"args.amount > 1000.5 && args.amount <= 2000u", "bool"},
    {"args.amount == 1000", "bool"},
    {"args.amount == 10.5", "bool"},
    {"args.amount in [1, 2, 3]", "bool"},
    {"args.amount == 'a'", NULL},
    {"args.amount", "number"},
    {"args.amount + 1", "int"},
    {"args.amount * args.amount", "number"},
    {"double(args.amount) * 1.5", "double"},
    {"args.memo.startsWith('a')", "bool"},
    {"args.memo > 3", NULL},
    {"args.fee.value", "number"},
    {"args.fee.valeu", NULL},
    {"args.?fee.value.orValue(0)", "number"},
    {"args.?memo", "optional_type(string)"},
    {"args.tags[0]", "string"},
    {"args.tags.all(e, e == 'a')", "bool"},
    {"args.tags.all(e, e == 1)", NULL},
    {"args.all(k, k != '')", "bool"},
    {"'memo' in args", "bool"},
    {"args['memo']", "string"},
    {"args.size()", "int"},
    {"size(args) > 3", "bool"},
    {"l[0] == s", "bool"},
    {"l[0] == 1", NULL},
    {"l['a']", NULL},
    {"l[n]", "string"},
    {"s in l", "bool"},
    {"1 in l", NULL},
    {"'a' in s", NULL},
    {"m.a + 1", "int"},
    {"m['a'] + 'b'", NULL},
    {"m[1]", NULL},
    {"m.map(k, k)", "list(string)"},
    {"m.transformMap(k, v, v > 1)", "map(string, bool)"},
    {"m.transformMapEntry(k, v, {v: k})", "map(int, string)"},
    {"m.transformMapEntry(k, v, v)", NULL},
    {"l.map(e, e.size())", "list(int)"},
    {"l.filter(e, e)", NULL},
    {"l.transformList(i, v, i)", "list(int)"},
    {"[1, 'a', x]", "list(dyn)"},
    {"[]", "list(dyn)"},
    {"{'a': [1]}", "map(string, list(int))"},
    {"x.a.b[3].c == 1", "bool"},
    {"x.a + 1", "int"},
    {"x.a && x.b", "bool"},
    {"x", "dyn"},
    {"t + duration('1h')", "timestamp"},
    {"t - t", "duration"},
    {"t + t", NULL},
    {"t > 1", NULL},
    {"b ? s : 'c'", "string"},
    {"b ? s : 1", NULL},
    {"b ? n : 1", "number"},
    {"b ? x : 1", "dyn"},
    {"o.orValue('d')", "string"},
    {"o.orValue(1)", NULL},
    {"o.optMap(v, v.size())", "optional_type(int)"},
    {"o.optFlatMap(v, v)", NULL},
    {"[?o]", "list(string)"},
    {"[?s]", NULL},
    {"optional.none()", "optional_type(dyn)"},
    {"cel.bind(y, s, y + y)", "string"},
    {"type(1) == int", "bool"},
    {"type(s)", "type(string)"},
    {"math.greatest(1, 2, 3)", "int"},
    {"math.greatest('a')", NULL},
    {"ip('10.0.0.1')", "net.IP"},
    {"cidr('10.0.0.0/8').containsIP('10.0.0.1')", "bool"},
    {"'%d'.format([n])", "string"},
    {"dyn(1) == 'a'", "bool"},
    {"1 == 1.0", NULL},
    {"1 < 1.5", "bool"},
    {"1.5 * 3", NULL},
    {"-b", NULL},
    {"timestamp(s).getHours('UTC') + 1", "int"},
};

START_TEST(checking__types_are_found_or_refused)
{
    struct cel_env *env = make_env();
    struct error error = {0};
    const char *source = typed[_i].source;
    struct cel_program *program = cel_compile(env, source, strlen(source), NULL, NULL, &error);
    if (typed[_i].type == NULL) {
        ck_assert_msg(program == NULL, "`%s` was accepted", source);
        ck_assert_str_eq(error.code, "bad_type");
    } else {
        ck_assert_msg(program != NULL, "`%s`: %s", source, error.message);
        ck_assert_msg(strcmp(cel_program_type(program), typed[_i].type) == 0, "`%s` is %s", source,
                      cel_program_type(program));
    }
    cel_program_destroy(program);
    cel_env_destroy(env);
}
END_TEST

START_TEST(checking__a_result_must_be_able_to_be_what_is_wanted)
{
    struct cel_env *env = make_env();
    static const struct {
        const char *source;
        const char *wants;
        bool is_accepted;
    } rows[] = {{"b", "bool", true},
                {"x", "bool", true},
                {"s", "bool", false},
                {"n", "double", true},
                {"l", "list(dyn)", true},
                {"l", "list(int)", false},
                {"args", "refund", true},
                {"m", "map(string, number)", true},
                {"1", "optional_type(int)", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error error = {0};
        struct cel_program *program =
            cel_compile(env, rows[i].source, strlen(rows[i].source), rows[i].wants, NULL, &error);
        ck_assert_msg((program != NULL) == rows[i].is_accepted, "`%s` as %s", rows[i].source,
                      rows[i].wants);
        cel_program_destroy(program);
    }
    cel_env_destroy(env);
}
END_TEST

START_TEST(checking__types_are_read_strictly)
{
    struct cel_env *env = cel_env_create(NULL);
    static const char *const good[] = {
        "int",           "list(map(string, dyn))", "optional_type(bytes)",
        " list( int ) ", "wrapper(int)",           "net.IP"};
    static const char *const bad[] = {"",
                                      "integer",
                                      "list(",
                                      "list(int",
                                      "list()",
                                      "map(int)",
                                      "list(int) x",
                                      "A",
                                      "list(list(list(list(list(list(list(list(list(list(list(list("
                                      "list(list(list(list(list(list(int))))))))))))))))))"};
    for (size_t i = 0; i < COUNT(good); i++) {
        struct error error = {0};
        ck_assert_msg(cel_type_read(env, good[i], &error) != NULL, "%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error error = {0};
        ck_assert_msg(cel_type_read(env, bad[i], &error) == NULL, "%s", bad[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_str_eq(error.code, "bad_type");
    }
    cel_env_destroy(env);
}
END_TEST

START_TEST(checking__a_name_is_declared_once)
{
    struct cel_env *env = make_env();
    struct error error = {0};
    uint32_t slot;
    ck_assert(!cel_env_declare(env, "n", cel_type_read(env, "int", &error), &slot, &error));
    ck_assert_str_eq(error.code, "already_declared");
    cel_env_destroy(env);
}
END_TEST

/* A host's own functions: they see its context, charge for work, and fail. */
static struct cel_value count_calls(struct cel_run *run, const struct cel_value *args, size_t count)
{
    int *calls = cel_context(run);
    (void)count;
    ++*calls;
    cel_charge(run, 40);
    return args[1].length == 0 ? cel_fail(run, "an empty window") : cel_int(args[1].length);
}

static struct cel_value find_history(struct cel_run *run, uint32_t slot)
{
    (void)run;
    (void)slot;
    return (struct cel_value){.kind = CEL_ABSTRACT};
}

static struct cel_env *make_host(void)
{
    struct cel_env *env = cel_env_create(NULL);
    struct error error = {0};
    ck_assert(cel_env_add_function(env, "count", "history.(string) -> int", count_calls, &error));
    ck_assert(!cel_env_add_function(env, "bad", "(int -> int", count_calls, &error));
    ck_assert_str_eq(error.code, "bad_signature");
    cel_declare(env, "x", "dyn");
    return env;
}

START_TEST(checking__a_hosts_function_is_called_with_what_it_asks_for)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = make_host();
    int calls = 0;
    ck_assert_str_eq(cel_said(arena, env, "x.count('24h') > 2", 18, find_history, &calls),
                     "value true");
    ck_assert_str_eq(cel_said(arena, env, "x.count('') > 2", 15, find_history, &calls),
                     "error an empty window");
    ck_assert_int_eq(calls, 2);
    ck_assert_str_eq(cel_said(arena, env, "x.count(dyn(1)) > 2", 19, find_history, &calls),
                     "error `count` does not take (abstract, int)");
    ck_assert_str_eq(cel_said(arena, env, "dyn(ip('::1')).count('a') > 2", 29, NULL, &calls),
                     "error `count` does not take (net.IP, string)");
    ck_assert_str_eq(cel_said(arena, env, "x.count(1) > 2", 14, find_history, &calls),
                     "refused 1:3 bad_type");
    ck_assert_int_eq(calls, 2);
    cel_env_destroy(env);
}
END_TEST

START_TEST(checking__what_a_hosts_function_charges_counts)
{
    struct cel_env *env = make_host();
    struct arena *arena ARENA_SCOPE = arena_create();
    struct error error = {0};
    struct cel_result result;
    int calls = 0;
    struct cel_program *program =
        cel_compile(env, "x.count('a') == 1 || true", 25, "bool", NULL, &error);
    ck_assert_ptr_nonnull(program);
    cel_evaluate(program, find_history, &calls, -1, arena, &result);
    ck_assert_int_eq(result.outcome, CEL_OUTCOME_VALUE);
    ck_assert_int_eq(result.cost, 43);
    cel_evaluate(program, find_history, &calls, 40, arena, &result);
    ck_assert_int_eq(result.outcome, CEL_OUTCOME_STOPPED);
    cel_program_destroy(program);
    cel_env_destroy(env);
}
END_TEST

START_TEST(checking__a_binding_keeps_apart_from_the_loops_around_its_reading)
{
    static const char *const truths[] = {
        "cel.bind(a, [5].all(x, [6].all(y, y == 6)), [1, 2].exists(e, a && e == 2))",
        "[1, 2].all(e, cel.bind(a, [e].map(x, x * 10), [3, 4].all(f, a[0] == e * 10 && f > 2)))",
        "optional.of(7).optMap(o, [1, 2].all(e, [3].all(f, o == 7 && f == 3 && e < 3))).value()",
        "cel.bind(a, [1].exists(x, x == 1), cel.bind(b, [2].exists(x, x == 2), "
        "[3].all(x, [4].all(y, b && a && x == 3 && y == 4))))",
        "cel.block([[8].all(x, x == 8), [9].all(x, x == 9 && cel.index(0))], "
        "[1, 2].all(e, [3].all(f, cel.index(1) && e < 3 && f == 3)))",
        "cel.bind(x, 1, cel.bind(x, x + 1, x == 2)) && [1].all(x, [x + 1].all(x, x == 2))",
    };
    struct arena *arena ARENA_SCOPE = arena_create();
    for (size_t i = 0; i < COUNT(truths); i++) {
        ck_assert_msg(strcmp(cel_said_of(arena, truths[i]), "value true") == 0, "`%s`: %s",
                      truths[i], cel_said_of(arena, truths[i]));
    }
}
END_TEST

struct seen {
    size_t count;
    size_t literal_count;
    uint32_t last_offset;
};

static bool see(void *context, const struct cel_value *args, size_t count, uint32_t offset)
{
    struct seen *seen = context;
    seen->count++;
    seen->last_offset = offset;
    for (size_t i = 0; i < count; i++) {
        seen->literal_count += args[i].kind != CEL_ERROR;
    }
    return true;
}

START_TEST(checking__calls_can_be_visited_with_their_literals)
{
    struct cel_env *env = make_host();
    struct error error = {0};
    struct seen seen = {0};
    const char *source = "x.count('1h') > 2 || [1].exists(e, x.count('2' + 'h') > e) || "
                         "x.count(string(x)) > 1";
    struct cel_program *program = cel_compile(env, source, strlen(source), "bool", NULL, &error);
    ck_assert_ptr_nonnull(program);
    ck_assert(cel_program_each_call(program, "count", see, &seen));
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.literal_count, 2);
    ck_assert_uint_eq(seen.last_offset, 64);
    ck_assert(cel_program_reads(program, 0));
    ck_assert(!cel_program_reads(program, 1));
    cel_program_destroy(program);
    cel_env_destroy(env);
}
END_TEST

static struct cel_value count_finds(struct cel_run *run, uint32_t slot)
{
    int *finds = cel_context(run);
    finds[slot]++;
    return slot == 1 ? cel_fail(run, "not known") : cel_bool(false);
}

START_TEST(checking__a_variable_is_found_once_and_only_when_read)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = cel_env_create(NULL);
    int finds[3] = {0};
    cel_declare(env, "x", "bool");
    cel_declare(env, "y", "bool");
    cel_declare(env, "z", "bool");
    ck_assert_str_eq(cel_said(arena, env, "x || y || x || y || !x", 22, count_finds, finds),
                     "value true");
    ck_assert_int_eq(finds[0], 1);
    ck_assert_int_eq(finds[1], 1);
    ck_assert_int_eq(finds[2], 0);
    ck_assert_str_eq(cel_said(arena, env, "x && z", 6, count_finds, finds), "value false");
    ck_assert_int_eq(finds[2], 0);
    ck_assert_str_eq(cel_said(arena, env, "y", 1, count_finds, finds), "error not known");
    cel_env_destroy(env);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cel checking");
    TCase *tests = tcase_create("checking");
    tcase_add_loop_test(tests, checking__types_are_found_or_refused, 0, (int)COUNT(typed));
    tcase_add_test(tests, checking__a_result_must_be_able_to_be_what_is_wanted);
    tcase_add_test(tests, checking__types_are_read_strictly);
    tcase_add_test(tests, checking__a_name_is_declared_once);
    tcase_add_test(tests, checking__a_hosts_function_is_called_with_what_it_asks_for);
    tcase_add_test(tests, checking__what_a_hosts_function_charges_counts);
    tcase_add_test(tests, checking__calls_can_be_visited_with_their_literals);
    tcase_add_test(tests, checking__a_binding_keeps_apart_from_the_loops_around_its_reading);
    tcase_add_test(tests, checking__a_variable_is_found_once_and_only_when_read);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
