#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>

/* redeem, effect, resolve, revoke: what enforcement points do, for scripts and for trying things
 * out. */

enum { PATH_BYTES = 512 };

static const struct cli_option redeem_options[] = {
    {"--token", "TOKEN|@FILE|-",
     "the grant token (required; a file or standard input keeps it out of the process list)",
     false},
    {"--action", "NAME", "the action about to run (required)", false},
    {"--resource", "TYPE/ID", "what it acts on (required)", false},
    {"--args", "JSON|@FILE", "the arguments about to run", false},
    {"--context", "JSON|@FILE", "the context, where you have it", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option effect_options[] = {
    {"--summary", "TEXT", "what happened, in a sentence", false},
    {"--result-digest", "HEX", "SHA-256 of the result", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option resolve_options[] = {{"--summary", "TEXT", "how you know", false},
                                                    CLI_CONNECTION_OPTIONS,
                                                    {NULL, NULL, NULL, false}};
static const struct cli_option revoke_options[] = {
    {"--reason", "TEXT", "why", false},
    {"--as-person", NULL, "with your personal token instead of the API key", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};

/* ---- redeem ---- */

static bool append_args(struct canonical_writer *writer, const struct cli_arguments *arguments,
                        struct error *error)
{
    struct builder args BUILDER_SCOPE;
    builder_init(&args, 0);
    if (cli_value(arguments, "--args") == NULL) {
        return true;
    }
    if (!cli_read_argument(cli_value(arguments, "--args"), &args, error)) {
        return false;
    }
    canonical_name(writer, "properties");
    canonical_open_object(writer);
    canonical_member_raw(writer, "args", args.bytes, args.length);
    canonical_close_object(writer);
    return true;
}

static bool write_redemption(const struct cli_arguments *arguments, struct builder *out,
                             struct error *error)
{
    static const char *const required[] = {"--token", "--action", "--resource"};
    struct canonical_writer writer;
    struct builder token BUILDER_SCOPE;
    struct builder context BUILDER_SCOPE;
    builder_init(&token, 16 * 1024);
    builder_init(&context, 0);
    for (size_t i = 0; i < 3; i++) {
        if (cli_value(arguments, required[i]) == NULL) {
            return error_set(error, ERROR_INVALID, "missing_option", required[i], "%s is required",
                             required[i]);
        }
    }
    if (!cli_read_argument(cli_value(arguments, "--token"), &token, error) ||
        (cli_has(arguments, "--context") &&
         !cli_read_argument(cli_value(arguments, "--context"), &context, error))) {
        return false;
    }
    token.bytes[strcspn(token.bytes, "\r\n")] = '\0';
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "action");
    canonical_open_object(&writer);
    canonical_member_text(&writer, "name", cli_value(arguments, "--action"));
    if (!append_args(&writer, arguments, error)) {
        return false;
    }
    canonical_close_object(&writer);
    if (context.length > 0) {
        canonical_member_raw(&writer, "context", context.bytes, context.length);
    }
    if (!cli_append_entity(&writer, "resource", cli_value(arguments, "--resource"), error)) {
        return false;
    }
    canonical_member_text(&writer, "token", token.bytes);
    canonical_close_object(&writer);
    return true;
}

static int print_redeemed(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    printf("redeemed %s, fence %.0f\nreport the effect before %s: countersign effect %s "
           "succeeded|failed|unknown\n",
           cli_text(root, "grant"), json_number(json_member(root, "fence")),
           cli_text(root, "effect_due"), cli_text(root, "grant"));
    return CLI_OK;
}

int cli_redeem(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    if (!cli_read_arguments(count, words,
                            "redeem --token TOKEN --action NAME --resource TYPE/ID [--args JSON]",
                            redeem_options, 0, 0, &arguments, &status)) {
        return status;
    }
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!write_redemption(&arguments, &body, &error)) {
        cli_print_error(&error);
        return CLI_USAGE;
    }
    return cli_call_and_print(
        &arguments, CLI_AS_CALLER,
        &(struct cli_call){.method = "POST", .path = "/v1/grants/redeem", .body = body.bytes},
        print_redeemed);
}

/* ---- effect, resolve, revoke ---- */

static int print_state(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    printf("%s %s\n", cli_text(root, "grant"), cli_text(root, "state"));
    return CLI_OK;
}

static int settle(int count, char **words, const char *usage, const struct cli_option *options,
                  const char *verb, enum cli_role role)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct canonical_writer writer;
    char path[PATH_BYTES];
    int status = 0;
    if (!cli_read_arguments(count, words, usage, options, 2, 2, &arguments, &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "effect", arguments.words[1]);
    canonical_member_text(&writer, "result_digest", cli_value(&arguments, "--result-digest"));
    canonical_member_text(&writer, "summary", cli_value(&arguments, "--summary"));
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/grants/%s/%s", arguments.words[0], verb);
    return cli_call_and_print(
        &arguments, role, &(struct cli_call){.method = "POST", .path = path, .body = body.bytes},
        print_state);
}

int cli_effect(int count, char **words)
{
    return settle(count, words, "effect GRANT succeeded|failed|unknown [--summary TEXT]",
                  effect_options, "effect", CLI_AS_CALLER);
}

int cli_resolve(int count, char **words)
{
    return settle(count, words, "resolve GRANT succeeded|failed [--summary TEXT]", resolve_options,
                  "resolve", CLI_AS_PERSON);
}

int cli_revoke(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct canonical_writer writer;
    char path[PATH_BYTES];
    int status = 0;
    if (!cli_read_arguments(count, words, "revoke GRANT [--as-person] [--reason TEXT]",
                            revoke_options, 1, 1, &arguments, &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "reason", cli_value(&arguments, "--reason"));
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/grants/%s/revoke", arguments.words[0]);
    enum cli_role role = cli_has(&arguments, "--as-person") ? CLI_AS_PERSON : CLI_AS_CALLER;
    return cli_call_and_print(
        &arguments, role, &(struct cli_call){.method = "POST", .path = path, .body = body.bytes},
        print_state);
}
