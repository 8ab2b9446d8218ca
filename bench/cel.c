/*
 * One CEL condition after another, compiled once and evaluated over and over on one core, costs
 * counted: `cel [SECONDS]` prints a name a line and the nanoseconds of processor time one
 * evaluation takes, the median of eleven rounds, and beside the regular expression what RE2 alone
 * takes for the same text.
 */

#include "base/check.h"
#include "policy/cel/cel_internal.h"
#include "policy/cel/regex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11, BATCH = 1000 };

static const char sql_text[] = "SELECT 1; DROP TABLE users; COMMIT;--";
static const char pattern[] = "(?i)drop\\s+table";

static const struct condition {
    const char *name;
    const char *source;
} conditions[] = {
    {"cel_two_comparisons", "a == 'x' && b == 'y'"},
    {"cel_two_members", "request.action == 'db.drop' && resource.env == 'prod'"},
    {"cel_membership", "request.args.amount > 1000 && !(request.agent in trusted)"},
    {"cel_regex", "request.args.sql.matches('(?i)drop\\\\s+table')"},
    {"cel_ten_names",
     "request.agent in ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7', 'h8', 'i9', 'bot']"},
};

static struct cel_value values[5];

static struct cel_value find(struct cel_run *run, uint32_t slot)
{
    (void)run;
    return values[slot];
}

static struct cel_value text(const char *bytes)
{
    return cel_string(bytes, strlen(bytes));
}

static struct cel_value make_map(struct arena *arena, const struct cel_entry *entries, size_t count)
{
    struct cel_entry *copy = arena_array(arena, count, sizeof *copy);
    memcpy(copy, entries, count * sizeof *copy);
    struct cel_value map = {.kind = CEL_MAP, .as.map = cel_map_make(arena, copy, count)};
    CHECK(map.as.map != NULL);
    return map;
}

static void fill(struct arena *arena)
{
    const struct cel_entry args[] = {{text("amount"), cel_int(1500)},
                                     {text("sql"), text(sql_text)}};
    const struct cel_entry request[] = {{text("action"), text("db.drop")},
                                        {text("agent"), text("bot")},
                                        {text("args"), make_map(arena, args, 2)}};
    const struct cel_entry resource[] = {{text("env"), text("prod")}};
    static struct cel_value trusted[3];
    trusted[0] = text("billing-batch");
    trusted[1] = text("ci");
    trusted[2] = text("ops");
    values[0] = text("x");
    values[1] = text("y");
    values[2] = make_map(arena, request, 3);
    values[3] = make_map(arena, resource, 1);
    values[4] = cel_make_list(trusted, 3);
}

static struct cel_env *make_env(void)
{
    static const char *const variables[][2] = {{"a", "string"},
                                               {"b", "string"},
                                               {"request", "dyn"},
                                               {"resource", "dyn"},
                                               {"trusted", "list(string)"}};
    struct cel_env *env = cel_env_create(NULL);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        struct error error = {0};
        uint32_t slot;
        const struct cel_type *type = cel_type_read(env, variables[i][1], &error);
        CHECK(type != NULL && cel_env_declare(env, variables[i][0], type, &slot, &error));
    }
    return env;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void evaluate_batch(const void *subject)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    for (int i = 0; i < BATCH; i++) {
        struct cel_result result;
        cel_evaluate(subject, find, NULL, -1, arena, &result);
        CHECK(result.outcome == CEL_OUTCOME_VALUE && result.value.as.boolean);
    }
}

static void match_batch(const void *subject)
{
    for (int i = 0; i < BATCH; i++) {
        CHECK(cel_regex_matches(subject, sql_text, sizeof sql_text - 1));
    }
}

static int by_size(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static void measure(const char *name, double seconds, void (*batch)(const void *subject),
                    const void *subject)
{
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double begin = seconds_now();
        double spent;
        long count = 0;
        do {
            batch(subject);
            count += BATCH;
            spent = seconds_now() - begin;
        } while (spent < seconds / ROUNDS);
        rounds[i] = spent * 1e9 / (double)count;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_size);
    printf("%s %.1f\n", name, rounds[ROUNDS / 2]);
}

static void compile_batch(const void *subject)
{
    for (int i = 0; i < BATCH; i++) {
        struct error error = {0};
        const char *source = conditions[1].source;
        struct cel_program *program =
            cel_compile(subject, source, strlen(source), "bool", NULL, &error);
        CHECK(program != NULL);
        cel_program_destroy(program);
    }
}

int main(int count, char **arguments)
{
    double seconds = count > 1 ? strtod(arguments[1], NULL) : 1.0;
    struct arena *arena ARENA_SCOPE = arena_create();
    struct cel_env *env = make_env();
    fill(arena);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        struct error error = {0};
        const char *source = conditions[i].source;
        struct cel_program *program =
            cel_compile(env, source, strlen(source), "bool", NULL, &error);
        CHECK(program != NULL);
        measure(conditions[i].name, seconds, evaluate_batch, program);
        cel_program_destroy(program);
    }
    char problem[CEL_REGEX_PROBLEM_BYTES];
    struct cel_regex *regex =
        cel_regex_create(pattern, strlen(pattern), CEL_REGEX_MEMORY_BYTES, problem);
    CHECK(regex != NULL);
    measure("cel_re2_alone", seconds, match_batch, regex);
    cel_regex_destroy(regex);
    measure("cel_compile", seconds, compile_batch, env);
    cel_env_destroy(env);
    return 0;
}
