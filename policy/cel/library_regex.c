#include "policy/cel/library_internal.h"
#include "policy/cel/regex.h"

/* Compiling a pattern anew costs about as much as this many simple steps for each instruction of
 * its program, and cel-go's formula knows nothing of it. */
enum { COST_OF_COMPILING = 30, INSTRUCTIONS_PER_UNIT = 2 };

static struct cel_value match_dynamic(struct cel_run *run, struct cel_value text,
                                      struct cel_value pattern)
{
    if (pattern.length > CEL_REGEX_DYNAMIC_PATTERN_BYTES) {
        return cel_fail(run, "a pattern that is not a literal has at most %d bytes",
                        CEL_REGEX_DYNAMIC_PATTERN_BYTES);
    }
    cel_charge(run, COST_OF_COMPILING);
    if (cel_is_stopped(run)) {
        return cel_null();
    }
    char problem[CEL_REGEX_PROBLEM_BYTES];
    struct cel_regex *regex =
        cel_regex_create(pattern.as.bytes, pattern.length, CEL_REGEX_DYNAMIC_MEMORY_BYTES, problem);
    if (regex == NULL) { /* perhaps only after much work */
        cel_charge(run, CEL_REGEX_DYNAMIC_PROGRAM_SIZE / INSTRUCTIONS_PER_UNIT);
        return cel_fail(run, "the pattern is not a regular expression: %s", problem);
    }
    int size = cel_regex_program_size(regex);
    cel_charge(run, size / INSTRUCTIONS_PER_UNIT);
    struct cel_value result =
        size > CEL_REGEX_DYNAMIC_PROGRAM_SIZE
            ? cel_fail(run,
                       "a pattern that is not a literal must be simpler: its program has %d "
                       "steps, at most %d are allowed",
                       size, CEL_REGEX_DYNAMIC_PROGRAM_SIZE)
            : cel_bool(cel_regex_matches(regex, text.as.bytes, text.length));
    cel_regex_destroy(regex);
    return result;
}

static struct cel_value matches(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (!cel_is_string(args[0]) || !cel_is_string(args[1])) {
        return cel_no_overload(run, "matches", args, count);
    }
    const struct cel_regex *regex = cel_prepared(run);
    return regex == NULL ? match_dynamic(run, args[0], args[1])
                         : cel_bool(cel_regex_matches(regex, args[0].as.bytes, args[0].length));
}

static int64_t matches_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)count;
    (void)result;
    if (!cel_is_string(args[0]) || !cel_is_string(args[1])) {
        return 1;
    }
    int64_t pattern = cel_cost_size(args[1]);
    return cel_cost_product(cel_cost_tenth(cel_cost_size(args[0]) + 1), (pattern + 3) / 4);
}

static bool matches_prepare(const struct cel_value *args, size_t count, struct arena *arena,
                            void **out_prepared, struct error *error)
{
    (void)arena;
    if (count < 2 || !cel_is_string(args[1])) {
        *out_prepared = NULL;
        return true;
    }
    char problem[CEL_REGEX_PROBLEM_BYTES];
    *out_prepared =
        cel_regex_create(args[1].as.bytes, args[1].length, CEL_REGEX_MEMORY_BYTES, problem);
    return *out_prepared != NULL ||
           error_set(error, ERROR_INVALID, "bad_pattern", NULL,
                     "`matches` needs a regular expression in RE2's syntax: %s", problem);
}

static void matches_release(void *prepared)
{
    cel_regex_destroy(prepared);
}

const struct cel_function_row cel_library_regex[] = {
    {"matches", CEL_MEMBER, 2, 2, matches, (const char *const[]){"string.(string) -> bool", NULL},
     matches_cost, matches_prepare, matches_release},
    {"matches", CEL_GLOBAL, 2, 2, matches, (const char *const[]){"(string, string) -> bool", NULL},
     matches_cost, matches_prepare, matches_release},
    {0},
};
