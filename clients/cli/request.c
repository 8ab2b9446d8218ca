#include "clients/cli/cli.h"

#include "crypto/crypto.h"
#include "formats/canonical.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* countersign request: asks for one action, waits, says how it ended. A broken connection or a
 * restarted gateway loses nothing: it asks again with the same idempotency key, then by id. */

static const struct cli_option options[] = {
    {"--resource", "TYPE/ID", "what it acts on (required)", false},
    {"--subject", "TYPE/ID", "on whose behalf (required)", false},
    {"--args", "JSON|@FILE", "the arguments, exactly as they will run", false},
    {"--context", "JSON|@FILE", "context that rules may read", false},
    {"--agent", "NAME", "which agent, where the key serves several", false},
    {"--audience", "NAME", "who will redeem the grant", false},
    {"--reason", "TEXT", "why, for whoever approves", false},
    {"--expires-in", "15m", "give up earlier than the rules say", false},
    {"--on-question", "COMMAND",
     "a shell command that answers approvers: COUNTERSIGN_QUESTION in, words out", false},
    {"--wait", "SECONDS", "how long to wait (3600; 0: do not)", false},
    {"--idempotency-key", "KEY", "name this attempt yourself", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false},
};

static const char usage[] =
    "request ACTION --resource TYPE/ID --subject TYPE/ID [--args JSON] [--wait SECONDS] [--json]";

/* The value of a JSON option as it was written, so that the gateway's door judges it, not this one.
 */
static bool read_json_option(const struct cli_arguments *arguments, const char *name,
                             struct builder *out, struct error *error)
{
    const char *argument = cli_value(arguments, name);
    if (argument == NULL) {
        return true;
    }
    if (!cli_read_argument(argument, out, error)) {
        return false;
    }
    struct json_document *document = json_parse(out->bytes, out->length, error);
    bool ok = document != NULL && (json_type(json_root(document)) == JSON_TYPE_OBJECT ||
                                   error_set(error, ERROR_INVALID, "wrong_type", name,
                                             "%s must be a JSON object", name));
    json_destroy(document);
    return ok;
}

static bool append_action(struct canonical_writer *writer, const struct cli_arguments *arguments,
                          struct error *error)
{
    struct builder args BUILDER_SCOPE;
    builder_init(&args, 0);
    if (!read_json_option(arguments, "--args", &args, error)) {
        return false;
    }
    canonical_name(writer, "action");
    canonical_open_object(writer);
    canonical_member_text(writer, "name", arguments->words[0]);
    if (args.length > 0) {
        canonical_name(writer, "properties");
        canonical_open_object(writer);
        canonical_member_raw(writer, "args", args.bytes, args.length);
        canonical_close_object(writer);
    }
    canonical_close_object(writer);
    return true;
}

static bool write_body(const struct cli_arguments *arguments, struct builder *out,
                       struct error *error)
{
    struct canonical_writer writer;
    struct builder context BUILDER_SCOPE;
    builder_init(&context, 0);
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    if (!append_action(&writer, arguments, error) ||
        !read_json_option(arguments, "--context", &context, error)) {
        return false;
    }
    canonical_member_text(&writer, "agent", cli_value(arguments, "--agent"));
    canonical_member_text(&writer, "audience", cli_value(arguments, "--audience"));
    if (context.length > 0) {
        canonical_member_raw(&writer, "context", context.bytes, context.length);
    }
    canonical_member_text(&writer, "expires_in", cli_value(arguments, "--expires-in"));
    canonical_member_text(&writer, "reason", cli_value(arguments, "--reason"));
    if (!cli_append_entity(&writer, "resource", cli_value(arguments, "--resource"), error) ||
        !cli_append_entity(&writer, "subject", cli_value(arguments, "--subject"), error)) {
        return false;
    }
    canonical_close_object(&writer);
    return true;
}

static int exit_of_state(const char *state)
{
    static const struct {
        const char *state;
        int exit;
    } exits[] = {{"approved", CLI_OK},
                 {"denied", CLI_DENIED},
                 {"expired", CLI_EXPIRED},
                 {"cancelled", CLI_CANCELLED},
                 {"pending", CLI_PENDING}};
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        if (strcmp(exits[i].state, state) == 0) {
            return exits[i].exit;
        }
    }
    return CLI_ERROR;
}

static void print_end(const struct json *request)
{
    const struct json *grant = json_member(request, "grant");
    const struct json *votes = json_member(request, "votes");
    printf("%s %s (%s)\n", cli_text(request, "state"), cli_text(request, "id"),
           cli_text(request, "reason"));
    for (size_t i = 0; i < json_count(votes); i++) {
        const struct json *vote = json_element(votes, i);
        printf("  %s: %s", cli_text(vote, "person"), cli_text(vote, "vote"));
        if (cli_text(vote, "reason")[0] != '\0') {
            printf(" - ");
            cli_print_visible(cli_text(vote, "reason"));
        }
        putchar('\n');
    }
    if (cli_text(request, "message")[0] != '\0') {
        printf("  %s\n", cli_text(request, "message"));
    }
    if (json_type(grant) == JSON_TYPE_OBJECT) {
        printf("grant %s, redeem before %s\n", cli_text(grant, "id"),
               cli_text(grant, "token_expires_at"));
        printf("token %s\n", cli_text(grant, "token"));
    }
}

static int report(const struct cli_answer *answer, bool as_json)
{
    if (answer->status >= 300 || answer->document == NULL) {
        return cli_print_problem(answer);
    }
    const struct json *request = json_root(answer->document);
    if (as_json) {
        cli_print_json(answer);
    } else {
        print_end(request);
    }
    return exit_of_state(cli_text(request, "state"));
}

int cli_request(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char made_key[SECRET_TEXT_BYTES];
    int status = 0;
    if (!cli_read_arguments(count, words, usage, options, 1, 1, &arguments, &status)) {
        return status;
    }
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!write_body(&arguments, &body, &error)) {
        cli_print_error(&error);
        return CLI_USAGE;
    }
    const char *wait = cli_value(&arguments, "--wait");
    crypto_make_secret("try", made_key);
    struct cli_ask ask = {.body = body.bytes,
                          .key = cli_value(&arguments, "--idempotency-key"),
                          .on_question = cli_value(&arguments, "--on-question"),
                          .wait_seconds =
                              wait == NULL ? CLI_WAIT_DEFAULT_SECONDS : strtol(wait, NULL, 10)};
    ask.key = ask.key == NULL ? made_key : ask.key;
    struct cli_connection *connection = cli_connect(&arguments, CLI_AS_CALLER, &error);
    struct cli_answer answer = {0};
    if (connection == NULL || !cli_ask(connection, &ask, &answer, &error)) {
        cli_disconnect(connection);
        return cli_print_error(&error);
    }
    status = report(&answer, cli_has(&arguments, "--json"));
    cli_answer_finish(&answer);
    cli_disconnect(connection);
    return status;
}
