#ifndef CLI_POLICY_H
#define CLI_POLICY_H

/* What the commands about a policy folder share. They work offline: the folder is all they read. */

#include "clients/cli/cli.h"
#include "formats/yaml.h"
#include "policy/policy.h"

struct folder {
    struct arena *arena; /* owns everything below */
    const char *path;
    struct policy_file *files; /* by name, as the gateway reads them */
    size_t count;
    struct policy *policy;
};

/* Reads and compiles; on failure says where and what, with the line, and returns false. */
bool folder_open(const char *path, struct folder *out);
void folder_close(struct folder *folder);

/* Calls for each file of the folder's `tests` that holds `cases`, with them. False when one cannot
 * be read or `visit` returned false; what is wrong was said. */
typedef bool (*folder_visit_cases)(void *context, const char *file, const struct yaml_node *cases);
bool folder_each_cases(const struct folder *folder, folder_visit_cases visit, void *context,
                       size_t *out_files);

/* Says an error in one of the texts, with its line. */
void folder_say(const struct policy_file *files, size_t count, const struct error *error);

int cli_policy_check(int count, char **words);
int cli_policy_test(int count, char **words);
int cli_policy_explain(int count, char **words);
int cli_policy_bench(int count, char **words);

#endif
