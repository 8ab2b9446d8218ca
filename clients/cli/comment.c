#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* comment and answer: what an approver asks before deciding, and what the agent says to it. */

enum { PATH_BYTES = 512, ANSWER_BYTES_MAX = 2000 };

static const struct cli_option comment_options[] = {CLI_CONNECTION_OPTIONS,
                                                    {NULL, NULL, NULL, false}};

bool cli_send_comment(struct cli_connection *connection, const char *request, const char *text,
                      size_t length, struct cli_answer *out, struct error *error)
{
    struct builder body BUILDER_SCOPE;
    char path[PATH_BYTES];
    builder_init(&body, 0);
    builder_text(&body, "{\"text\":");
    canonical_append_string(&body, text, length);
    builder_text(&body, "}");
    snprintf(path, sizeof path, "/v1/requests/%s/comments", request);
    return cli_send(connection,
                    &(struct cli_call){.method = "POST", .path = path, .body = body.bytes}, out,
                    error);
}

static int say(int count, char **words, enum cli_role role, const char *usage)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder text BUILDER_SCOPE;
    int status = 0;
    builder_init(&text, 0);
    if (!cli_read_arguments(count, words, usage, comment_options, 2, 2, &arguments, &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error) ||
        !cli_read_argument(arguments.words[1], &text, &error)) {
        return cli_print_error(&error);
    }
    struct cli_connection *connection = cli_connect(&arguments, role, &error);
    if (connection == NULL || !cli_send_comment(connection, arguments.words[0], text.bytes,
                                                text.length, &answer, &error)) {
        cli_disconnect(connection);
        return cli_print_error(&error);
    }
    if (answer.status != 201) {
        status = cli_print_problem(&answer);
    } else if (cli_has(&arguments, "--json")) {
        cli_print_json(&answer);
    }
    cli_answer_finish(&answer);
    cli_disconnect(connection);
    return status;
}

int cli_comment(int count, char **words)
{
    return say(count, words, CLI_AS_PERSON, "comment REQUEST TEXT|@FILE|-");
}

int cli_answer_question(int count, char **words)
{
    return say(count, words, CLI_AS_CALLER, "answer REQUEST TEXT|@FILE|-");
}

/* The command's output, without the line's end. False when it failed or said nothing. */
static bool run_answerer(const char *command, const char *request, const char *question,
                         struct builder *out)
{
    char bytes[512];
    size_t length;
    setenv("COUNTERSIGN_REQUEST", request, 1);
    setenv("COUNTERSIGN_QUESTION", question, 1);
    FILE *pipe = popen(command, "re");
    unsetenv("COUNTERSIGN_REQUEST");
    unsetenv("COUNTERSIGN_QUESTION");
    if (pipe == NULL) {
        return false;
    }
    while ((length = fread(bytes, 1, sizeof bytes, pipe)) > 0) {
        if (out->length + length <= ANSWER_BYTES_MAX) {
            builder_append(out, bytes, length);
        }
    }
    bool ok = pclose(pipe) == 0;
    while (out->length > 0 && out->bytes[out->length - 1] == '\n') {
        out->bytes[--out->length] = '\0';
    }
    return ok && out->length > 0;
}

void cli_meet_question(struct cli_connection *connection, const char *command,
                       const struct json *request)
{
    const struct json *question = json_member(request, "question");
    const char *id = cli_text(request, "id");
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder said BUILDER_SCOPE;
    builder_init(&said, 0);
    cli_print_question(stderr, question);
    if (command == NULL) {
        fprintf(stderr, "answer with: countersign answer %s TEXT\n", id);
        return;
    }
    if (!run_answerer(command, id, cli_text(question, "text"), &said)) {
        fprintf(stderr, "countersign: `%s` gave no answer\n", command);
        return;
    }
    if (!cli_send_comment(connection, id, said.bytes, said.length, &answer, &error)) {
        cli_print_error(&error);
    } else if (answer.status != 201) {
        cli_print_problem(&answer);
    }
    cli_answer_finish(&answer);
}
