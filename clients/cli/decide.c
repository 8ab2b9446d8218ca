#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* inbox, show, approve, deny, cancel: the approver's side at a terminal. */

static const struct cli_option read_options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};
static const struct cli_option list_options[] = {
    {"--all", NULL, "every request you may see, not only what waits for you", false},
    {"--state", "STATE", "with --all: pending, approved, denied, expired or cancelled", false},
    {"--limit", "N", "how many (50; at most 200)", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option vote_options[] = {
    {"--reason", "TEXT", "why; the agent and the ledger keep it", false},
    {"--digest", "HEX", "of what you were shown; without it the request is shown and you are asked",
     false},
    {"--yes", NULL, "do not ask at the terminal (needs --digest)", false},
    {"--retype", "NAME=VALUE", "what a critical request's challenge asks for, with --yes", true},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option edit_options[] = {
    {"--args", "JSON|@FILE", "all arguments, as they are to be (required)", false},
    {"--reason", "TEXT", "why; the agent reads it", false},
    {"--digest", "HEX", "of what you were shown; without it the request is shown and you are asked",
     false},
    {"--yes", NULL, "do not ask at the terminal (needs --digest)", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option cancel_options[] = {
    {"--reason", "TEXT", "why", false}, CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

enum { PATH_BYTES = 512 };

static void print_texts(const char *label, const struct json *array)
{
    printf("%-12s", label);
    for (size_t i = 0; i < json_count(array); i++) {
        printf("%s%s", i == 0 ? "" : ", ", json_text(json_element(array, i)));
    }
    putchar('\n');
}

static void print_entity(const char *label, const struct json *entity)
{
    printf("%-12s", label);
    cli_print_visible(cli_text(entity, "type"));
    putchar('/');
    cli_print_visible(cli_text(entity, "id"));
    putchar('\n');
    const struct json *properties = json_member(entity, "properties");
    if (json_type(properties) == JSON_TYPE_OBJECT) {
        printf("%12s", "");
        cli_print_value(properties, 12);
        putchar('\n');
    }
}

static void print_action(const struct json *action)
{
    printf("%-12s", "action");
    if (json_type(action) != JSON_TYPE_OBJECT) {
        puts("(erased after its retention time)");
        return;
    }
    cli_print_visible(cli_text(action, "name"));
    const struct json *properties = json_member(action, "properties");
    printf("\n%-12s", json_member(properties, "args") != NULL && json_count(properties) == 1
                          ? "arguments"
                          : "properties");
    const struct json *shown =
        json_member(properties, "args") != NULL && json_count(properties) == 1
            ? json_member(properties, "args")
            : properties;
    if (shown == NULL) {
        puts("(none)");
        return;
    }
    cli_print_value(shown, 12);
    putchar('\n');
}

static void print_requirements(const struct json *requirements)
{
    for (size_t i = 0; i < json_count(requirements); i++) {
        const struct json *requirement = json_element(requirements, i);
        printf("%-12s%.0f of %.0f for rule %s, from", i == 0 ? "needs" : "",
               json_number(json_member(requirement, "approved")),
               json_number(json_member(requirement, "quorum")), cli_text(requirement, "rule"));
        const struct json *groups = json_member(requirement, "groups");
        for (size_t g = 0; g < json_count(groups); g++) {
            printf("%s %s", g == 0 ? "" : " or", json_text(json_element(groups, g)));
        }
        if (strcmp(cli_text(requirement, "assurance"), "passkey") == 0) {
            printf(", with a passkey");
        }
        putchar('\n');
    }
}

static void print_votes(const struct json *votes)
{
    for (size_t i = 0; i < json_count(votes); i++) {
        const struct json *vote = json_element(votes, i);
        printf("%-12s%s: %s at %s%s", i == 0 ? "votes" : "", cli_text(vote, "person"),
               cli_text(vote, "vote"), cli_text(vote, "at"),
               json_type(json_member(vote, "late")) == JSON_TYPE_TRUE ? " (late: changed nothing)"
                                                                      : "");
        if (cli_text(vote, "reason")[0] != '\0') {
            printf(" - ");
            cli_print_visible(cli_text(vote, "reason"));
        }
        putchar('\n');
    }
}

static void print_request(const struct json *request)
{
    printf("%-12s%s  %s", "request", cli_text(request, "id"), cli_text(request, "state"));
    printf(cli_text(request, "reason")[0] == '\0' ? "\n" : " (%s)\n", cli_text(request, "reason"));
    printf("%-12s%s\n", "risk", cli_text(request, "risk"));
    cli_print_facts(request);
    print_action(json_member(request, "action"));
    print_entity("resource", json_member(request, "resource"));
    print_entity("subject", json_member(request, "subject"));
    printf("%-12s%s through %s\n", "agent", cli_text(request, "agent"),
           cli_text(request, "caller"));
    if (json_count(json_member(request, "context")) > 0) {
        printf("%-12s", "context");
        cli_print_value(json_member(request, "context"), 12);
        putchar('\n');
    }
    if (cli_text(request, "why")[0] != '\0') {
        printf("%-12s", "agent says");
        cli_print_visible(cli_text(request, "why"));
        putchar('\n');
    }
    if (cli_text(request, "message")[0] != '\0') {
        printf("%-12s%s\n", "rule says", cli_text(request, "message"));
    }
    cli_print_edits(stdout, request, 0);
    print_requirements(json_member(request, "requirements"));
    if (json_member(request, "ladder") == NULL) {
        print_texts("asked", json_member(request, "asked"));
    }
    cli_print_attention(request);
    print_votes(json_member(request, "votes"));
    if (json_member(request, "question") != NULL) {
        cli_print_question(stdout, json_member(request, "question"));
    }
    if (json_number(json_member(request, "near_denials")) > 0) {
        printf("%-12sthe same agent was denied %.0f similar requests lately\n", "careful",
               json_number(json_member(request, "near_denials")));
    }
    if (cli_text(request, "timeout_at")[0] != '\0') {
        printf("%-12s%s%s\n", "times out", cli_text(request, "timeout_at"),
               json_type(json_member(request, "frozen")) == JSON_TYPE_TRUE
                   ? " (frozen: the clock is stopped)"
                   : "");
    }
    printf("%-12srevision %.0f, digest %s\n", "binding",
           json_number(json_member(request, "revision")), cli_text(request, "digest"));
}

static void print_line(const struct json *request)
{
    printf("%s  %-8s %-9s ", cli_text(request, "id"), cli_text(request, "risk"),
           cli_text(request, "state"));
    cli_print_visible(cli_text(json_member(request, "action"), "name"));
    printf(" on ");
    cli_print_visible(cli_text(json_member(request, "resource"), "type"));
    putchar('/');
    cli_print_visible(cli_text(json_member(request, "resource"), "id"));
    double repeats = json_number(json_member(json_member(request, "group"), "count"));
    printf(" for %s", cli_text(request, "agent"));
    if (repeats > 1) {
        printf(" (one of %.0f alike)", repeats);
    }
    putchar('\n');
}

static int print_list(const struct cli_answer *answer)
{
    const struct json *requests = json_member(json_root(answer->document), "requests");
    size_t count = json_count(requests);
    for (size_t i = 0; i < count; i++) {
        print_line(json_element(requests, i));
    }
    cli_print_budget(json_member(json_root(answer->document), "budget"));
    bool has_more = cli_text(json_root(answer->document), "next")[0] != '\0';
    fprintf(stderr,
            count == 0 ? "nothing waits for you\n"
            : has_more ? "%zu shown, there are more: raise --limit\n"
                       : "%zu shown\n",
            count);
    return CLI_OK;
}

int cli_inbox(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    char path[PATH_BYTES];
    if (!cli_read_arguments(count, words, "inbox [--all] [--state STATE]", list_options, 0, 0,
                            &arguments, &status)) {
        return status;
    }
    const char *state = cli_value(&arguments, "--state");
    const char *limit = cli_value(&arguments, "--limit");
    snprintf(path, sizeof path, "/v1/requests?limit=%.8s%s%s%.32s", limit == NULL ? "50" : limit,
             cli_has(&arguments, "--all") ? "" : "&inbox=true",
             state == NULL ? "" : "&state=", state == NULL ? "" : state);
    return cli_call_and_print(&arguments, CLI_AS_PERSON,
                              &(struct cli_call){.method = "GET", .path = path}, print_list);
}

static int show(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    char path[PATH_BYTES];
    int status = CLI_OK;
    snprintf(path, sizeof path, "/v1/requests/%s", arguments->words[0]);
    if (!cli_send(connection, &(struct cli_call){.method = "GET", .path = path}, &answer, &error)) {
        return cli_print_error(&error);
    }
    if (answer.status != 200 || answer.document == NULL) {
        status = cli_print_problem(&answer);
    } else if (cli_has(arguments, "--json")) {
        cli_print_json(&answer);
    } else {
        print_request(json_root(answer.document));
        cli_note_view(connection, json_root(answer.document));
    }
    cli_answer_finish(&answer);
    return status;
}

int cli_show(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    if (!cli_read_arguments(count, words, "show REQUEST", read_options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    struct cli_connection *connection = cli_connect(&arguments, CLI_AS_PERSON, &error);
    if (connection == NULL) {
        return cli_print_error(&error);
    }
    status = show(connection, &arguments);
    cli_disconnect(connection);
    return status;
}

/* ---- votes ---- */

struct vote {
    const struct cli_arguments *arguments;
    struct cli_connection *connection;
    const char *word; /* "approve", "deny" or "edit" */
    char digest[65];
    int revision;
    struct builder retyped; /* the challenge, without its closing brace; empty when there is none */
};

/* At a terminal: shows what would run and takes a typed word, so that no stray Enter decides. */
static bool confirm(struct vote *vote, const struct json *request)
{
    char line[32] = "";
    print_request(request);
    cli_note_view(vote->connection, request);
    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "countersign: not at a terminal: give --digest (as `countersign show` "
                        "printed it) and --yes\n");
        return false;
    }
    printf("\nType %s to %s this: ", vote->word, vote->word);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return strcmp(line, vote->word) == 0 &&
           (strcmp(vote->word, "approve") != 0 || cli_ask_retyped(request, &vote->retyped));
}

/* Learns revision and digest of what is there now; compares with the digest given, or shows it and
 * asks. */
static int prepare_vote(struct vote *vote)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    char path[PATH_BYTES];
    const char *given = cli_value(vote->arguments, "--digest");
    snprintf(path, sizeof path, "/v1/requests/%s", vote->arguments->words[0]);
    if (!cli_send(vote->connection, &(struct cli_call){.method = "GET", .path = path}, &answer,
                  &error)) {
        return cli_print_error(&error);
    }
    int status = CLI_OK;
    if (answer.status != 200 || answer.document == NULL) {
        status = cli_print_problem(&answer);
    } else {
        const struct json *request = json_root(answer.document);
        vote->revision = (int)json_number(json_member(request, "revision"));
        snprintf(vote->digest, sizeof vote->digest, "%s",
                 given == NULL ? cli_text(request, "digest") : given);
        if ((given == NULL || !cli_has(vote->arguments, "--yes")) && !confirm(vote, request)) {
            fprintf(stderr, "countersign: nothing was sent\n");
            status = CLI_ERROR;
        }
    }
    cli_answer_finish(&answer);
    return status;
}

static int print_vote(const struct cli_answer *answer, bool as_json)
{
    const struct json *root = json_root(answer->document);
    if (as_json) {
        cli_print_json(answer);
    } else if (strcmp(cli_text(root, "outcome"), "late") == 0) {
        printf("too late: the request is %s (%s); your vote is recorded and changed nothing\n",
               cli_text(root, "state"), cli_text(root, "reason"));
    } else if (strcmp(cli_text(root, "state"), "pending") == 0) {
        printf("vote %s; %.0f more needed\n", cli_text(root, "outcome"),
               json_number(json_member(root, "missing")));
    } else {
        printf("%s (%s)\n", cli_text(root, "state"), cli_text(root, "reason"));
    }
    return CLI_OK;
}

/* A terminal has no passkeys; the dashboard has. */
static int print_refusal(const struct vote *vote, const struct cli_answer *answer)
{
    const struct json *problem = answer->document == NULL ? NULL : json_root(answer->document);
    int status = cli_print_problem(answer);
    if (strcmp(cli_text(problem, "code"), "assurance_too_low") == 0) {
        fprintf(stderr, "approve it with your passkey at %s/requests/%s\n",
                cli_dashboard(vote->arguments), vote->arguments->words[0]);
    }
    return status;
}

static int send_vote(struct vote *vote)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    char path[PATH_BYTES];
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "digest", vote->digest);
    canonical_member_text(&writer, "reason", cli_value(vote->arguments, "--reason"));
    if (vote->retyped.length > 0) {
        builder_text(&vote->retyped, "}");
        canonical_member_raw(&writer, "retyped", vote->retyped.bytes, vote->retyped.length);
    }
    canonical_member_integer(&writer, "revision", vote->revision);
    canonical_member_text(&writer, "vote", vote->word);
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/requests/%s/votes", vote->arguments->words[0]);
    if (!cli_send(vote->connection,
                  &(struct cli_call){.method = "POST", .path = path, .body = body.bytes}, &answer,
                  &error)) {
        return cli_print_error(&error);
    }
    int status = answer.status != 200 || answer.document == NULL
                     ? print_refusal(vote, &answer)
                     : print_vote(&answer, cli_has(vote->arguments, "--json"));
    cli_answer_finish(&answer);
    return status;
}

static int cast(int count, char **words, const char *word, const char *usage)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    if (!cli_read_arguments(count, words, usage, vote_options, 1, 1, &arguments, &status)) {
        return status;
    }
    struct vote vote = {.arguments = &arguments, .word = word};
    builder_init(&vote.retyped, 0);
    if (!cli_check_id(arguments.words[0], &error) ||
        !cli_take_retyped(&arguments, &vote.retyped, &error) ||
        (vote.connection = cli_connect(&arguments, CLI_AS_PERSON, &error)) == NULL) {
        return cli_print_error(&error);
    }
    status = prepare_vote(&vote);
    status = status == CLI_OK ? send_vote(&vote) : status;
    builder_finish(&vote.retyped);
    cli_disconnect(vote.connection);
    return status;
}

int cli_approve(int count, char **words)
{
    return cast(count, words, "approve", "approve REQUEST [--digest HEX --yes] [--reason TEXT]");
}

int cli_deny(int count, char **words)
{
    return cast(count, words, "deny", "deny REQUEST [--digest HEX --yes] [--reason TEXT]");
}

/* ---- edits ---- */

static bool write_edit(const struct vote *vote, const struct builder *args, struct builder *out,
                       struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(args->bytes, args->length, error);
    if (document == NULL) {
        return false;
    }
    if (json_type(json_root(document)) != JSON_TYPE_OBJECT) {
        return error_set(error, ERROR_INVALID, "wrong_type", "--args",
                         "--args must be a JSON object: all arguments, as they are to be");
    }
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_raw(&writer, "args", args->bytes, args->length);
    canonical_member_text(&writer, "digest", vote->digest);
    canonical_member_text(&writer, "reason", cli_value(vote->arguments, "--reason"));
    canonical_member_integer(&writer, "revision", vote->revision);
    canonical_close_object(&writer);
    return true;
}

static int send_edit(struct vote *vote)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder args BUILDER_SCOPE;
    struct builder body BUILDER_SCOPE;
    char path[PATH_BYTES];
    const char *given = cli_value(vote->arguments, "--args");
    builder_init(&args, 0);
    builder_init(&body, 0);
    snprintf(path, sizeof path, "/v1/requests/%s/edits", vote->arguments->words[0]);
    if (!cli_read_argument(given, &args, &error) || !write_edit(vote, &args, &body, &error) ||
        !cli_send(vote->connection,
                  &(struct cli_call){.method = "POST", .path = path, .body = body.bytes}, &answer,
                  &error)) {
        return cli_print_error(&error);
    }
    int status = CLI_OK;
    if (answer.status != 201 || answer.document == NULL) {
        status = cli_print_problem(&answer);
    } else if (cli_has(vote->arguments, "--json")) {
        cli_print_json(&answer);
    } else {
        const struct json *root = json_root(answer.document);
        printf("revision %.0f, digest %s; votes start again\n",
               json_number(json_member(root, "revision")), cli_text(root, "digest"));
    }
    cli_answer_finish(&answer);
    return status;
}

int cli_edit(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    if (!cli_read_arguments(count, words,
                            "edit REQUEST --args JSON|@FILE [--digest HEX --yes] [--reason TEXT]",
                            edit_options, 1, 1, &arguments, &status)) {
        return status;
    }
    if (cli_value(&arguments, "--args") == NULL) {
        fprintf(stderr, "countersign: --args is missing: all arguments, as they are to be\n");
        return CLI_USAGE;
    }
    struct vote vote = {.arguments = &arguments, .word = "edit"};
    if (!cli_check_id(arguments.words[0], &error) ||
        (vote.connection = cli_connect(&arguments, CLI_AS_PERSON, &error)) == NULL) {
        return cli_print_error(&error);
    }
    status = prepare_vote(&vote);
    status = status == CLI_OK ? send_edit(&vote) : status;
    cli_disconnect(vote.connection);
    return status;
}

static int print_cancelled(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    bool did = json_type(json_member(root, "cancelled")) == JSON_TYPE_TRUE;
    printf(did ? "%s (%s)\n" : "already %s (%s); nothing changed\n", cli_text(root, "state"),
           cli_text(root, "reason"));
    return CLI_OK;
}

int cli_cancel(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    char path[PATH_BYTES];
    if (!cli_read_arguments(count, words, "cancel REQUEST [--reason TEXT]", cancel_options, 1, 1,
                            &arguments, &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "reason", cli_value(&arguments, "--reason"));
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/requests/%s/cancel", arguments.words[0]);
    return cli_call_and_print(
        &arguments, CLI_AS_CALLER,
        &(struct cli_call){.method = "POST", .path = path, .body = body.bytes}, print_cancelled);
}
