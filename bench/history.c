/* What history costs a decision: CPU time of submissions that policy allows, in batches as the
 * writer makes them, without history, with one set counted, and with one counted and read. Prints
 * `name value unit` lines.
 *
 *   bench/history [SUBMISSIONS]
 */

#include "base/memory.h"
#include "operations/history_internal.h"
#include "policy/policy_internal.h"
#include "tests/support/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUBMISSIONS_DEFAULT = 50000, BATCH = 200, ACTIONS = 50, HOUR_MS = 3600 * 1000 };

static struct rig rig;
static struct error error;

static const char rules[] = "version: 1\n"
                            "defaults: { verdict: allow }\n";

static void die(const char *what)
{
    fprintf(stderr, "bench/history: %s: %s\n", what, error.message);
    exit(1);
}

static double read_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_sets(unsigned first, unsigned second)
{
    struct policy_file file = {.name = "rules.yaml", .bytes = rules, .length = strlen(rules)};
    struct policy *policy = policy_compile(&file, 1, &error);
    if (policy == NULL) {
        die("compile");
    }
    policy->history_kinds[0] = first;
    policy->history_kinds[1] = second;
    policy->history_kind_count = first == 0 ? 0 : second == 0 ? 1 : 2;
    bool has_more = true;
    if (!follow_history(rig_begin_system(&rig), policy, &error)) {
        die("follow");
    }
    rig_commit(&rig);
    while (has_more) {
        if (!count_past_history(rig_begin_system(&rig), &has_more, &error)) {
            die("count");
        }
        rig_commit(&rig);
    }
    policy_destroy(policy);
}

static void read_one(struct operation *operation, const char *action)
{
    struct request_row request = {.tenant = "default",
                                  .agent_name = "bot",
                                  .action_name = action,
                                  .created_at = operation->now};
    struct history_reader reader;
    int64_t count;
    open_history(&reader, operation, &request);
    if (!reader.history.count(reader.history.context, POLICY_HISTORY_DEFAULT, POLICY_PAST_ANY,
                              HOUR_MS, &count)) {
        die("read");
    }
    const char *read;
    if (!close_history(&reader, &read, &error)) {
        die("close");
    }
}

static void submit(struct operation *operation, size_t number, bool reads)
{
    struct submit_result result;
    const char *name = arena_printf(operation->arena, "orders.a%zu", number % ACTIONS);
    const char *id = arena_printf(operation->arena, "%zu", number);
    struct submit_input input = {
        .subject = "{\"id\":\"sam\",\"type\":\"user\"}",
        .subject_key = "user/sam",
        .action = arena_printf(operation->arena, "{\"name\":\"%s\"}", name),
        .action_name = name,
        .resource = arena_printf(operation->arena, "{\"id\":\"%s\",\"type\":\"order\"}", id),
        .resource_key = arena_printf(operation->arena, "order/%s", id),
        .context = "{}",
        .mints = true,
    };
    if (reads) {
        read_one(operation, name);
    }
    if (!operation_submit_request(operation, &input, &result, &error)) {
        die("submit");
    }
}

static void measure(const char *name, const struct credential *caller, size_t submissions,
                    bool reads)
{
    static size_t number;
    double before = read_cpu();
    for (size_t done = 0; done < submissions; done += BATCH) {
        struct operation *operation = rig_begin(&rig, caller);
        for (size_t i = 0; i < BATCH; i++) {
            submit(operation, number++, reads);
        }
        rig_commit(&rig);
    }
    printf("%s %.2f us\n", name, (read_cpu() - before) * 1e6 / (double)submissions);
    fflush(stdout);
}

int main(int count, char **words)
{
    size_t submissions = count > 1 ? (size_t)strtoul(words[1], NULL, 10) : SUBMISSIONS_DEFAULT;
    rig_make(&rig);
    rig_open(&rig);
    rig_publish(&rig, rules);
    struct credential caller = rig_add_caller(&rig, "runner");
    measure("warm", &caller, submissions, false);
    measure("history.none", &caller, submissions, false);
    count_sets(POLICY_HISTORY_DEFAULT, 0);
    measure("history.agent_action", &caller, submissions, false);
    measure("history.agent_action_read", &caller, submissions, true);
    count_sets(POLICY_HISTORY_DEFAULT, POLICY_HISTORY_AGENT | POLICY_HISTORY_RESOURCE);
    measure("history.two_sets_read", &caller, submissions, true);
    rig_close(&rig);
    rig_remove(&rig);
    return 0;
}
