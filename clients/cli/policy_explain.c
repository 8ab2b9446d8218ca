#include "clients/cli/policy.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* countersign policy explain: one request, decided as the gateway would, and why. */

static const struct cli_option options[] = {
    {"--request", "FILE", "the body of POST /v1/requests (`-`: standard input; required)", false},
    {"--agent", "NAME", "the agent that asks, where the body names none", false},
    {"--caller", "NAME", "the caller that submits it", false},
    {"--tenant", "NAME", "the tenant it belongs to", false},
    {"--now", "TIME", "as if it were then: 2026-11-24T06:24:23Z", false},
    {"--json", NULL, "print the explanation as JSON, as it is stored with the request", false},
    {NULL, NULL, NULL, false}};

static const char *canonical_member(const struct json *body, const char *name, struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    const struct json *value = json_member(body, name);
    if (value == NULL) {
        return NULL;
    }
    canonical_append(&text, value);
    return arena_copy(arena, text.bytes, text.length);
}

static const char *entity_key(const struct json *body, const char *name, struct arena *arena)
{
    const struct json *entity = json_member(body, name);
    return arena_printf(arena, "%s/%s", cli_text(entity, "type"), cli_text(entity, "id"));
}

static bool read_time(const char *text, int64_t *out_now, struct error *error)
{
    struct timespec now;
    if (text == NULL) {
        clock_gettime(CLOCK_REALTIME, &now);
        *out_now = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
        return true;
    }
    return text_read_time(text, out_now) ||
           error_set(error, ERROR_INVALID, "bad_time", "--now",
                     "`%.40s` is no time; write 2026-11-24T06:24:23Z", text);
}

static bool check_body(const struct json *body, struct error *error)
{
    static const char *const entities[] = {"subject", "resource"};
    if (json_text(json_member(json_member(body, "action"), "name")) == NULL) {
        return error_set(error, ERROR_INVALID, "bad_request", "/action/name",
                         "a request names its action: {\"action\": {\"name\": "
                         "\"payments.refund\", \"properties\": {\"args\": {}}}, …}");
    }
    for (size_t i = 0; i < 2; i++) {
        const struct json *entity = json_member(body, entities[i]);
        if (json_text(json_member(entity, "type")) == NULL ||
            json_text(json_member(entity, "id")) == NULL) {
            return error_set(error, ERROR_INVALID, "bad_request", entities[i],
                             "a request has a `%s` with `type` and `id`", entities[i]);
        }
    }
    return true;
}

static bool read_input(const struct cli_arguments *arguments, const struct json *body,
                       struct arena *arena, struct policy_input *out, struct error *error)
{
    const char *agent = json_text(json_member(body, "agent"));
    if (!check_body(body, error) || !read_time(cli_value(arguments, "--now"), &out->now, error)) {
        return false;
    }
    out->tenant = cli_value(arguments, "--tenant");
    out->caller = cli_value(arguments, "--caller");
    out->agent = agent != NULL ? agent : cli_value(arguments, "--agent");
    out->subject = entity_key(body, "subject", arena);
    out->resource = entity_key(body, "resource", arena);
    out->action = cli_text(json_member(body, "action"), "name");
    out->subject_json = canonical_member(body, "subject", arena);
    out->action_json = canonical_member(body, "action", arena);
    out->resource_json = canonical_member(body, "resource", arena);
    out->context_json = canonical_member(body, "context", arena);
    return true;
}

/* ---- for people ---- */

static void print_rule(const struct json *rule)
{
    const struct json *cost = json_member(rule, "cost");
    bool has_matched = json_type(json_member(rule, "matched")) == JSON_TYPE_TRUE;
    printf("  %-8s %-24s %s\n", has_matched ? "matched" : "not", cli_text(rule, "name"),
           cli_text(rule, "outcome"));
    printf("           %s", cli_text(rule, "at"));
    if (cost == NULL) {
        printf(", no condition\n");
        return;
    }
    const char *value = json_type(json_member(rule, "value")) == JSON_TYPE_TRUE ? "true" : "false";
    bool has_error = json_member(rule, "error") != NULL;
    printf(", condition %s, cost %.0f\n", has_error ? "failed" : value, json_number(cost));
    if (has_error) {
        printf("           ");
        cli_print_visible(cli_text(rule, "error"));
        printf("\n           %s\n", has_matched
                                        ? "what cannot be told counts as a match of this rule"
                                        : "what cannot be told does not allow anything");
    }
}

static bool print_variable(void *context, const char *name, const struct json *value)
{
    (void)context;
    printf("  variables.%s = ", name);
    cli_print_visible(json_text(value) == NULL ? "" : json_text(value));
    printf("\n");
    return true;
}

static void print_texts(const char *what, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%s%s%s", i == 0 ? what : ", ", texts[i], i + 1 == count ? "\n" : "");
    }
}

static void print_requirement(const struct policy_requirement *requirement)
{
    struct builder timeout BUILDER_SCOPE;
    builder_init(&timeout, 0);
    text_append_duration(&timeout, requirement->timeout_ms);
    printf("  asks     %s: %d of ", requirement->rule, requirement->quorum);
    for (size_t i = 0; i < requirement->group_count; i++) {
        printf("%s%s", i == 0 ? "" : " or ", requirement->groups[i]);
    }
    printf(", %s, within %s\n", assurance_name(requirement->assurance), timeout.bytes);
}

static void print_decision(const struct folder *folder, const struct policy_decision *decision,
                           const struct json *root)
{
    const struct json *rules = json_member(root, "rules");
    printf("policy %.12s of %s\n", policy_version(folder->policy), folder->path);
    for (size_t i = 0; i < json_count(rules); i++) {
        print_rule(json_element(rules, i));
    }
    (void)json_each_member(json_member(root, "variables"), print_variable, NULL);
    printf("  %.0f other rules: their `match` does not fit\n",
           json_number(json_member(root, "skipped")));
    for (size_t i = 0; i < decision->requirement_count; i++) {
        print_requirement(&decision->requirements[i]);
    }
    print_texts("  shows    ", decision->show, decision->show_count);
    print_texts("  retyped  ", decision->challenge, decision->challenge_count);
    if (decision->message != NULL) {
        printf("  message  ");
        cli_print_visible(decision->message);
        printf("\n");
    }
    printf("%s, %s risk, because %s\n", policy_verdict_name(decision->verdict),
           policy_risk_name(decision->risk), cli_text(root, "reason"));
}

static bool explain(const struct folder *folder, const struct cli_arguments *arguments,
                    struct error *error)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 1024 * 1024);
    const char *file = cli_value(arguments, "--request");
    const char *argument = strcmp(file, "-") == 0 ? file : arena_printf(folder->arena, "@%s", file);
    if (!cli_read_argument(argument, &text, error)) {
        return false;
    }
    struct json_document *body JSON_SCOPE = json_parse(text.bytes, text.length, error);
    struct policy_input input = {0};
    if (body == NULL || !read_input(arguments, json_root(body), folder->arena, &input, error)) {
        return false;
    }
    struct policy_decision decision;
    policy_decide(folder->policy, &input, folder->arena, NULL, NULL, &decision);
    struct json_document *explained JSON_SCOPE =
        json_parse(decision.explanation, decision.explanation_length, error);
    if (explained == NULL) {
        return false;
    }
    if (cli_has(arguments, "--json")) {
        printf("%s\n", decision.explanation);
    } else {
        print_decision(folder, &decision, json_root(explained));
    }
    return true;
}

int cli_policy_explain(int count, char **words)
{
    struct cli_arguments arguments;
    struct folder folder;
    struct error error = {0};
    int status = 0;
    if (!cli_read_arguments(count, words, "policy explain DIR --request FILE", options, 1, 1,
                            &arguments, &status)) {
        return status;
    }
    if (!cli_has(&arguments, "--request")) {
        fprintf(stderr, "countersign: --request is required: a file with the body of POST "
                        "/v1/requests\n");
        return CLI_USAGE;
    }
    if (!folder_open(arguments.words[0], &folder)) {
        return CLI_ERROR;
    }
    bool is_explained = explain(&folder, &arguments, &error);
    folder_close(&folder);
    return is_explained ? CLI_OK : cli_print_error(&error);
}
