#include "clients/cli/policy.h"

#include "policy/cases.h"
#include "policy/lint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* countersign policy check | test: a folder, without a gateway. */

enum { GROUPS_MAX = 256 };

/* ---- check ---- */

static const struct cli_option check_options[] = {
    {"--groups", "NAME,…", "the groups that exist: rules that ask others are an error", true},
    {"--strict", NULL, "warnings are a failure too", false},
    {NULL, NULL, NULL, false}};

static size_t list_groups(const struct cli_arguments *arguments, struct arena *arena,
                          const char **out)
{
    const char *values[CLI_VALUES_MAX];
    size_t count = 0;
    size_t value_count = cli_values(arguments, "--groups", values, CLI_VALUES_MAX);
    for (size_t i = 0; i < value_count; i++) {
        char *rest = arena_text(arena, values[i]);
        char *name;
        while ((name = strsep(&rest, ", ")) != NULL) {
            if (name[0] != '\0' && count < GROUPS_MAX) {
                out[count++] = name;
            }
        }
    }
    return count;
}

static void print_finding(const struct folder *folder, const struct policy_finding *finding)
{
    struct error shown = {0};
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    error_set_at(&shown, ERROR_INVALID, finding->code, finding->file, finding->line,
                 finding->column, "%s: %s [%s]", policy_finding_level_name(finding->level),
                 finding->message, finding->code);
    policy_append_error(&text, folder->files, folder->count, &shown);
    fwrite(text.bytes, 1, text.length, stdout);
}

static int check_folder(const struct folder *folder, const struct cli_arguments *arguments)
{
    const char *groups[GROUPS_MAX];
    struct policy_lint_options options = {
        .groups = cli_has(arguments, "--groups") ? groups : NULL,
        .group_count = list_groups(arguments, folder->arena, groups),
    };
    struct policy_finding *findings;
    size_t count;
    size_t of_level[POLICY_FINDING_FAULT + 1] = {0};
    policy_lint(folder->policy, &options, folder->arena, &findings, &count);
    for (size_t i = 0; i < count; i++) {
        print_finding(folder, &findings[i]);
        of_level[findings[i].level]++;
    }
    bool is_fine = of_level[POLICY_FINDING_FAULT] == 0 &&
                   (of_level[POLICY_FINDING_WARNING] == 0 || !cli_has(arguments, "--strict"));
    printf("%s: %zu files, %zu rules, version %.12s\n", folder->path, folder->count,
           policy_rule_count(folder->policy), policy_version(folder->policy));
    printf("%s: %zu errors, %zu warnings, %zu notes\n", is_fine ? "good" : "not good",
           of_level[POLICY_FINDING_FAULT], of_level[POLICY_FINDING_WARNING],
           of_level[POLICY_FINDING_NOTE]);
    return is_fine ? CLI_OK : CLI_ERROR;
}

int cli_policy_check(int count, char **words)
{
    struct cli_arguments arguments;
    struct folder folder;
    int status = 0;
    if (!cli_read_arguments(count, words, "policy check DIR [--groups NAME,…] [--strict]",
                            check_options, 1, 1, &arguments, &status)) {
        return status;
    }
    if (!folder_open(arguments.words[0], &folder)) {
        printf("not good: the policy does not load\n");
        return CLI_ERROR;
    }
    status = check_folder(&folder, &arguments);
    folder_close(&folder);
    return status;
}

/* ---- test ---- */

static const struct cli_option test_options[] = {{NULL, NULL, NULL, false}};

struct run {
    const struct folder *folder;
    size_t passed, failed;
};

static bool run_cases(void *context, const char *file, const struct yaml_node *cases)
{
    struct run *run = context;
    struct policy_cases_result result = {0};
    struct error error = {0};
    struct builder report BUILDER_SCOPE;
    builder_init(&report, 0);
    if (!policy_cases_run(run->folder->policy, file, cases, &report, &result, &error)) {
        folder_say(NULL, 0, &error);
        return false;
    }
    fwrite(report.bytes, 1, report.length, stdout);
    printf("%s: %zu passed, %zu failed\n", file, result.passed, result.failed);
    run->passed += result.passed;
    run->failed += result.failed;
    return true;
}

int cli_policy_test(int count, char **words)
{
    struct cli_arguments arguments;
    struct folder folder;
    int status = 0;
    size_t files = 0;
    if (!cli_read_arguments(count, words, "policy test DIR", test_options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    if (!folder_open(arguments.words[0], &folder)) {
        printf("failed: the policy does not load\n");
        return CLI_ERROR;
    }
    struct run run = {.folder = &folder};
    bool has_run = folder_each_cases(&folder, run_cases, &run, &files);
    bool is_fine = has_run && run.failed == 0 && run.passed > 0;
    printf("%s: %zu cases passed, %zu failed%s\n", is_fine ? "passed" : "failed", run.passed,
           run.failed, has_run ? "" : ", not all could be run");
    folder_close(&folder);
    return is_fine ? CLI_OK : CLI_ERROR;
}
