#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>

/* What helps a person to look before deciding: key facts, who else is asked or at it, repeats; and
 * what the gateway wants to know of it: that the request was shown, and what was retyped. */

static void print_names(const struct json *names)
{
    for (size_t i = 0; i < json_count(names); i++) {
        printf("%s%s", i == 0 ? "" : ", ", json_text(json_element(names, i)));
    }
}

static const struct json *arguments_of(const struct json *request)
{
    return json_member(json_member(json_member(request, "action"), "properties"), "args");
}

void cli_print_facts(const struct json *request)
{
    const struct json *names = json_member(request, "show");
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_element(names, i));
        const struct json *value = json_member(arguments_of(request), name);
        if (value != NULL) {
            printf("%-12s", i == 0 ? "facts" : "");
            cli_print_visible(name);
            printf(": ");
            cli_print_value(value, 14);
            putchar('\n');
        }
    }
}

static void print_rungs(const struct json *ladder)
{
    const struct json *rungs = json_member(ladder, "rungs");
    for (size_t i = 0; i < json_count(rungs); i++) {
        const struct json *rung = json_element(rungs, i);
        bool is_reached = json_type(json_member(rung, "reached")) == JSON_TYPE_TRUE;
        printf("%-12s", is_reached ? "asked" : "next");
        print_names(json_member(rung, "groups"));
        printf(" %s %s\n", is_reached ? "since" : "at", cli_text(rung, "at"));
    }
}

static void print_watching(const struct json *watching)
{
    for (size_t i = 0; i < json_count(watching); i++) {
        const struct json *watch = json_element(watching, i);
        printf("%-12s%s is on it until %s\n", "watching", cli_text(watch, "person"),
               cli_text(watch, "until"));
    }
}

void cli_print_budget(const struct json *budget)
{
    double used = json_number(json_member(budget, "used"));
    double limit = json_number(json_member(budget, "limit"));
    if (budget != NULL && used >= limit) {
        printf("%-12syou have voted %.0f times within the hour, and %.0f are well: let somebody "
               "else decide\n",
               "careful", used, limit);
    }
}

void cli_print_attention(const struct json *request)
{
    double count = json_number(json_member(json_member(request, "group"), "count"));
    print_rungs(json_member(request, "ladder"));
    print_watching(json_member(request, "watching"));
    if (count > 1) {
        printf("%-12s%.0f are pending for the same agent, action and resource\n", "repeats", count);
    }
    if (json_type(json_member(request, "nobody_can_approve")) == JSON_TYPE_TRUE) {
        printf("%-12snobody may approve this: it can be denied, or somebody join a group\n",
               "careful");
    }
    cli_print_budget(json_member(request, "budget"));
}

/* Whether it was noted decides nothing: a failure is not told. */
void cli_note_view(struct cli_connection *connection, const struct json *request)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    char path[256];
    char body[160];
    if (strcmp(cli_text(request, "state"), "pending") != 0) {
        return;
    }
    snprintf(path, sizeof path, "/v1/requests/%.64s/views", cli_text(request, "id"));
    snprintf(body, sizeof body, "{\"digest\":\"%.64s\",\"revision\":%.0f}",
             cli_text(request, "digest"), json_number(json_member(request, "revision")));
    if (cli_send(connection, &(struct cli_call){.method = "POST", .path = path, .body = body},
                 &answer, &error)) {
        cli_answer_finish(&answer);
    }
}

static void append_retyped(struct builder *out, const char *name, size_t name_length,
                           const char *text)
{
    builder_text(out, out->length == 0 ? "{" : ",");
    canonical_append_string(out, name, name_length);
    builder_text(out, ":");
    canonical_append_string(out, text, strlen(text));
}

bool cli_take_retyped(const struct cli_arguments *arguments, struct builder *out,
                      struct error *error)
{
    const char *given[CLI_VALUES_MAX];
    size_t count = cli_values(arguments, "--retype", given, CLI_VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(given[i], '=');
        if (equals == NULL || equals == given[i]) {
            return error_set(error, ERROR_INVALID, "wrong_type", "--retype",
                             "--retype is the argument's name, `=`, and its value");
        }
        append_retyped(out, given[i], (size_t)(equals - given[i]), equals + 1);
    }
    return true;
}

bool cli_ask_retyped(const struct json *request, struct builder *out)
{
    const struct json *names = json_member(request, "challenge");
    char line[2048];
    if (strcmp(cli_text(request, "risk"), "critical") != 0) {
        return true;
    }
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_element(names, i));
        if (json_member(arguments_of(request), name) == NULL) {
            continue;
        }
        printf("Retype ");
        cli_print_visible(name);
        printf(": ");
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL) {
            return false;
        }
        line[strcspn(line, "\n")] = '\0';
        append_retyped(out, name, strlen(name), line);
    }
    return true;
}
