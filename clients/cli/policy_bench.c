#include "clients/cli/policy.h"

#include "policy/cases.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* countersign policy bench: what a decision costs, explanation included, one arena each as an
 * operation has. Beside it the same inputs against a policy without rules, which is what any
 * decision costs at least. */

enum { INPUTS_MAX = 1000, BATCH = 500, MEASURE_MS_DEFAULT = 1000, MEASURE_MS_MAX = 60000 };

static const struct cli_option options[] = {{"--ms", "N", "measure for so long (1000)", false},
                                            {NULL, NULL, NULL, false}};

struct inputs {
    const struct folder *folder;
    struct policy_input items[INPUTS_MAX];
    size_t count;
};

static bool take_case(struct inputs *inputs, const char *file, const struct yaml_node *node,
                      struct error *error)
{
    const struct yaml_node *input = node->type == YAML_MAPPING ? yaml_member(node, "input") : NULL;
    if (input == NULL) {
        return yaml_fail(file, node, error, "invalid_case", "a case has an `input`");
    }
    if (!policy_case_read_input(file, input, inputs->folder->arena, &inputs->items[inputs->count],
                                error)) {
        return false;
    }
    inputs->count++;
    return true;
}

static bool take_cases(void *context, const char *file, const struct yaml_node *cases)
{
    struct inputs *inputs = context;
    struct error error = {0};
    for (size_t i = 0; cases->type == YAML_SEQUENCE && i < cases->count; i++) {
        if (inputs->count < INPUTS_MAX && !take_case(inputs, file, cases->items[i], &error)) {
            folder_say(NULL, 0, &error);
            return false;
        }
    }
    return true;
}

static int64_t used_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Nanoseconds of processor time for one decision. */
static double measure(const struct policy *policy, const struct inputs *inputs, int64_t for_ms)
{
    int64_t count = 0;
    int64_t start = used_ns();
    int64_t elapsed = 0;
    while (elapsed < for_ms * 1000000) {
        for (size_t i = 0; i < BATCH; i++) {
            struct arena *arena = arena_create();
            struct policy_decision decision;
            policy_decide(policy, &inputs->items[(size_t)count % inputs->count], arena, NULL, NULL,
                          &decision);
            arena_destroy(arena);
            count++;
        }
        elapsed = used_ns() - start;
    }
    return (double)elapsed / (double)count;
}

static bool bench(const struct inputs *inputs, int64_t for_ms, struct error *error)
{
    static const char nothing[] = "version: 1\ndefaults: {verdict: deny}\n";
    const struct policy_file file = {"nothing.yaml", nothing, sizeof nothing - 1};
    struct policy *bare = policy_compile(&file, 1, error);
    if (bare == NULL) {
        return false;
    }
    double bare_ns = measure(bare, inputs, for_ms / 2);
    double own_ns = measure(inputs->folder->policy, inputs, for_ms);
    policy_destroy(bare);
    printf("%zu inputs, %zu rules\n", inputs->count, policy_rule_count(inputs->folder->policy));
    printf("%.0f ns per decision, %.0f decisions/s on one core\n", own_ns, 1e9 / own_ns);
    printf("%.0f ns of it without any rule: %.2f times that\n", bare_ns, own_ns / bare_ns);
    return true;
}

static bool read_ms(const struct cli_arguments *arguments, int64_t *out_ms, struct error *error)
{
    const char *text = cli_value(arguments, "--ms");
    long ms = MEASURE_MS_DEFAULT;
    char rest;
    if (text != NULL &&
        (sscanf(text, "%6ld%c", &ms, &rest) != 1 || ms < 1 || ms > MEASURE_MS_MAX)) {
        return error_set(error, ERROR_INVALID, "bad_option", "--ms",
                         "--ms takes 1 to %d milliseconds", MEASURE_MS_MAX);
    }
    *out_ms = ms;
    return true;
}

int cli_policy_bench(int count, char **words)
{
    struct cli_arguments arguments;
    struct folder folder;
    struct error error = {0};
    int64_t for_ms = 0;
    size_t files = 0;
    int status = 0;
    if (!cli_read_arguments(count, words, "policy bench DIR [--ms N]", options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    if (!read_ms(&arguments, &for_ms, &error)) {
        return cli_print_error(&error);
    }
    if (!folder_open(arguments.words[0], &folder)) {
        return CLI_ERROR;
    }
    struct inputs *inputs = ARENA_NEW(folder.arena, struct inputs);
    inputs->folder = &folder;
    bool has_run = folder_each_cases(&folder, take_cases, inputs, &files) && inputs->count > 0 &&
                   bench(inputs, for_ms, &error);
    folder_close(&folder);
    if (!has_run) {
        return error.kind == ERROR_NONE ? CLI_ERROR : cli_print_error(&error);
    }
    return CLI_OK;
}
