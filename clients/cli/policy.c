#include "clients/cli/policy.h"

#include <string.h>

/* countersign policy WORD: what each does is in the file named after it. */

static const struct {
    const char *name;
    int (*run)(int count, char **words);
    const char *help;
} verbs[] = {
    {"check", cli_policy_check, "load a folder as the gateway would, and point out slips"},
    {"test", cli_policy_test, "run the cases in its tests/*.yaml"},
    {"explain", cli_policy_explain, "decide one request by a folder, and say why"},
    {"bench", cli_policy_bench, "how long a decision takes, on the inputs of its tests"},
    {"publish", cli_policy_publish, "put the gateway's policy folder in force (on the host)"},
    {"versions", cli_policy_versions, "what was published, and what is in force"},
    {"rollback", cli_policy_rollback, "put a former version in force (on the host)"},
    {"replay", cli_policy_replay, "what a folder would have decided about past requests"},
};

enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

int cli_policy(int count, char **words)
{
    for (size_t i = 0; count >= 1 && i < VERB_COUNT; i++) {
        if (strcmp(words[0], verbs[i].name) == 0) {
            return verbs[i].run(count - 1, words + 1);
        }
    }
    bool is_asked = count >= 1 && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0);
    FILE *out = is_asked ? stdout : stderr;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(out, "  countersign policy %-9s %s\n", verbs[i].name, verbs[i].help);
    }
    return is_asked ? CLI_OK : CLI_USAGE;
}
