/* What a decision costs, explanation included, one arena each as an operation has. Prints lines
 * `name value unit`: decisions per second on one core for the payments example and for 10, 1,000
 * and 10,000 rules of which the same few match, filed in three ways, then with conditions; and
 * nanoseconds of one decision with one rule, without a condition and with each of three. */

#include "policy/policy.h"
#include "base/clock.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RULES_IN_FILE = 500,
    FILES_MAX = 32,
    BATCH = 2000,
    MEASURE_MS = 1000,
    EXAMPLE_BYTES = 65536
};

static const char *const base_rules =
    "version: 1\n"
    "defaults: {verdict: deny, approval: {groups: [finance], timeout: 30m}}\n"
    "rules:\n"
    "  - {name: base-1, match: {action: ['*.get', '*.list']}, verdict: allow}\n"
    "  - {name: base-2, match: {action: payments.refund}, verdict: require_approval, message: "
    "Look.}\n"
    "  - {name: base-3, match: {resource: 'order/**'}, verdict: allow}\n"
    "  - {name: base-4, match: {resource: 'payroll/**'}, verdict: deny}\n"
    "  - {name: base-5, match: {action: 'payments.*', agent: billing-bot}, verdict: allow}\n";

static const char *const conditioned_rules =
    "version: 1\n"
    "defaults: {verdict: deny, approval: {groups: [finance], timeout: 30m}}\n"
    "variables: {amount: double(args.amount)}\n"
    "rules:\n"
    "  - {name: base-1, match: {action: ['*.get', '*.list']}, when: args.all == true, verdict: "
    "allow}\n"
    "  - {name: base-2, match: {action: payments.refund}, when: variables.amount > 50.0, verdict: "
    "require_approval, message: Look.}\n"
    "  - {name: base-3, match: {resource: 'order/**'}, when: args.currency == 'EUR', verdict: "
    "allow}\n"
    "  - {name: base-4, match: {resource: 'payroll/**'}, when: args.amount > 0, verdict: deny}\n"
    "  - {name: base-5, match: {action: 'payments.*', agent: billing-bot}, when: variables.amount "
    "< 5000.0, verdict: allow}\n";

static bool count_none(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                       int64_t *out_count)
{
    (void)context;
    (void)parts;
    (void)past;
    (void)window_ms;
    *out_count = 0;
    return true;
}
static const struct policy_history history = {.count = count_none};

static const struct policy_input input = {
    .tenant = "acme",
    .subject = "user/dana",
    .agent = "billing-bot",
    .caller = "runner",
    .action = "payments.refund",
    .resource = "order/4711",
    .now = 1764086400000,
    .action_json = "{\"name\":\"payments.refund\",\"properties\":{\"args\":{\"amount\":1500,"
                   "\"currency\":\"EUR\",\"to\":\"acme\"}}}",
    .history = &history,
};

/* How rules that cannot match differ from the input. */
enum shape { SHAPE_ACTIONS, SHAPE_RESOURCES, SHAPE_GRID, SHAPE_CONDITIONS };
static const char *const shape_names[] = {"actions", "resources", "grid", "conditions"};

static void write_rule(struct builder *text, enum shape shape, int number)
{
    builder_printf(text, "  - {name: r-%d, verdict: deny, ", number);
    if (shape == SHAPE_CONDITIONS) {
        builder_printf(text, "when: 'args.amount > %d && agent.id != \"x\"', ", number);
    }
    builder_text(text, "match: {");
    switch (shape) {
    case SHAPE_ACTIONS:
    case SHAPE_CONDITIONS:
        builder_printf(text, "action: [service-%d.write, 'service-%d.admin.*']", number, number);
        break;
    case SHAPE_RESOURCES:
        builder_printf(text, "action: 'payments.*', resource: 'order/%d/**'", number);
        break;
    case SHAPE_GRID: /* a hundred rules share the input's action, a hundred its tenant, none both */
        builder_text(text, number % 100 == 0 ? "action: payments.refund" : "action: payments.act-");
        if (number % 100 != 0) {
            builder_printf(text, "%d", number % 100);
        }
        builder_text(text, ", tenant: acme");
        if (number / 100 > 0 || number % 100 == 0) {
            builder_printf(text, "-%d", number / 100);
        }
        break;
    }
    builder_text(text, "}}\n");
}

static struct policy *compile_generated(enum shape shape, int rule_count)
{
    struct builder texts[FILES_MAX];
    struct policy_file files[FILES_MAX];
    char names[FILES_MAX][16];
    size_t count = 0;
    int written = 5;
    for (; count == 0 || written < rule_count; count++) {
        builder_init(&texts[count], 0);
        builder_text(&texts[count], count > 0                   ? "version: 1\nrules:\n"
                                    : shape == SHAPE_CONDITIONS ? conditioned_rules
                                                                : base_rules);
        for (int i = 0; i < RULES_IN_FILE && written < rule_count; i++) {
            write_rule(&texts[count], shape, written++);
        }
        snprintf(names[count], sizeof names[count], "%02zu.yaml", count);
        files[count] = (struct policy_file){names[count], texts[count].bytes, texts[count].length};
    }
    struct error error = {0};
    struct policy *policy = policy_compile(files, count, &error);
    if (policy == NULL) {
        fprintf(stderr, "%s:%d:%d: %s\n", error.subject, error.line, error.column, error.message);
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        builder_finish(&texts[i]);
    }
    return policy;
}

static struct policy *compile_example(void)
{
    static char bytes[EXAMPLE_BYTES];
    FILE *file = fopen("policy/examples/payments/policy.yaml", "rb");
    if (file == NULL) {
        fprintf(stderr, "run from the top of the checkout: policy/examples is not here\n");
        exit(1);
    }
    struct error error = {0};
    struct policy_file source = {"policy.yaml", bytes, fread(bytes, 1, sizeof bytes, file)};
    fclose(file);
    struct policy *policy = policy_compile(&source, 1, &error);
    if (policy == NULL) {
        fprintf(stderr, "%s:%d:%d: %s\n", error.subject, error.line, error.column, error.message);
        exit(1);
    }
    return policy;
}

static int64_t used_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/* Decisions per second of processor time; asserts on the way that they are what they must be. */
static double measure_input(const struct policy *policy, const struct policy_input *asked,
                            enum policy_verdict verdict)
{
    int64_t count = 0;
    int64_t start = used_ns();
    int64_t elapsed = 0;
    while (elapsed < (int64_t)MEASURE_MS * 1000000) {
        for (int i = 0; i < BATCH; i++) {
            struct arena *arena = arena_create();
            struct policy_decision decision;
            policy_decide(policy, asked, arena, NULL, NULL, &decision);
            if (decision.verdict != verdict) {
                fprintf(stderr, "unexpected decision: %s\n", decision.explanation);
                exit(1);
            }
            arena_destroy(arena);
        }
        count += BATCH;
        elapsed = used_ns() - start;
    }
    return (double)count * 1e9 / (double)elapsed;
}

static double measure(const struct policy *policy)
{
    return measure_input(policy, &input, POLICY_REQUIRE_APPROVAL);
}

/* A policy of one rule that allows. */
static double measure_condition(const char *when)
{
    static const struct policy_input asked = {
        .agent = "billing-bot",
        .action = "db.drop",
        .resource = "database/prod",
        .action_json =
            "{\"name\":\"db.drop\",\"properties\":{\"args\":{\"amount\":1500,\"env\":\"prod\","
            "\"sql\":\"select 1; DROP  TABLE customers; --\"}}}",
    };
    struct builder text BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&text, 0);
    builder_printf(
        &text,
        "version: 1\ndefaults: {verdict: deny}\nrules:\n  - name: r\n    match: {action: "
        "db.drop}\n    verdict: allow\n%s%s\n",
        when == NULL ? "" : "    when: |\n      ", when == NULL ? "" : when);
    struct policy_file file = {"policy.yaml", text.bytes, text.length};
    struct policy *policy = policy_compile(&file, 1, &error);
    if (policy == NULL) {
        fprintf(stderr, "%d:%d: %s\n", error.line, error.column, error.message);
        exit(1);
    }
    double rate = measure_input(policy, &asked, POLICY_ALLOW);
    policy_destroy(policy);
    return 1e9 / rate;
}

/* The difference holds the evaluation, what it reads of the request and its line in the
 * explanation. */
static void measure_conditions(void)
{
    static const struct {
        const char *name, *when;
    } conditions[] = {
        {"equal", "action.name == \"db.drop\" && args.env == \"prod\""},
        {"member", "args.amount > 1000 && !(agent.id in [\"billing-batch\", \"night\", \"ops\"])"},
        {"regex", "args.sql.matches(r'(?i)drop\\s+table')"},
    };
    double bare_ns = measure_condition(NULL);
    printf("policy_one_rule %.0f ns\n", bare_ns);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        double ns = measure_condition(conditions[i].when);
        printf("policy_one_rule_%s %.0f ns\n", conditions[i].name, ns);
        printf("policy_condition_%s %.0f ns\n", conditions[i].name, ns - bare_ns);
    }
}

static void measure_shape(enum shape shape)
{
    static const int sizes[] = {10, 100, 1000, 10000};
    double rates[4];
    for (int i = 0; i < 4; i++) {
        int64_t start = used_ns();
        struct policy *policy = compile_generated(shape, sizes[i]);
        double compile_ms = (double)(used_ns() - start) / 1e6;
        rates[i] = measure(policy);
        printf("policy_%s_%d %.0f decisions/s\n", shape_names[shape], sizes[i], rates[i]);
        printf("policy_%s_%d_load %.1f ms\n", shape_names[shape], sizes[i], compile_ms);
        policy_destroy(policy);
    }
    printf("policy_%s_10000_over_10 %.2f ratio\n", shape_names[shape], rates[0] / rates[3]);
}

int main(void)
{
    crypto_start();
    struct policy *example = compile_example();
    printf("policy_example %.0f decisions/s\n", measure(example));
    policy_destroy(example);
    for (enum shape shape = SHAPE_ACTIONS; shape <= SHAPE_CONDITIONS; shape++) {
        measure_shape(shape);
    }
    measure_conditions();
    return 0;
}
