#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The keys that tokens are signed with: replace one, look at them, write them out as files for an
 * issuer that must be public while the gateway is not. */

static const char usage[] =
    "  countersign keys rotate  make a new key; the former one is published until unused\n"
    "  countersign keys list    those that sign, those that only verify\n"
    "  countersign keys export  discovery and keys as files, for an issuer that must be public\n";

static const struct cli_option rotate_options[] = {
    {"--algorithm", "NAME", "ES256 (the default) or RS256", false},
    {"--signs-in", "10m", "when the new key begins to sign: others keep what they fetched", false},
    {"--drop-former", NULL, "the former keys are void at once, with all they signed", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

static void append_rotation(struct builder *body, const struct cli_arguments *arguments)
{
    const char *algorithm = cli_value(arguments, "--algorithm");
    struct canonical_writer writer;
    canonical_begin(&writer, body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "algorithm", algorithm == NULL ? "ES256" : algorithm);
    canonical_member_bool(&writer, "drop_former", cli_has(arguments, "--drop-former"));
    canonical_member_text(&writer, "signs_in", cli_value(arguments, "--signs-in"));
    canonical_close_object(&writer);
}

/* Sends one call; the answer is good only when its status is `wanted`. */
static int ask(struct cli_connection *connection, const struct cli_call *call, long wanted,
               struct cli_answer *answer)
{
    struct error error = {0};
    if (!cli_send(connection, call, answer, &error)) {
        return cli_print_error(&error);
    }
    return answer->status == wanted ? CLI_OK : cli_print_problem(answer);
}

static int rotate(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    append_rotation(&body, arguments);
    int status =
        ask(connection,
            &(struct cli_call){.method = "POST", .path = "/v1/signing-keys", .body = body.bytes},
            201, &answer);
    if (status == CLI_OK && cli_has(arguments, "--json")) {
        cli_print_json(&answer);
    } else if (status == CLI_OK) {
        const struct json *key = json_root(answer.document);
        printf("%s signs from %s on\n", cli_text(key, "kid"), cli_text(key, "signs_from"));
    }
    cli_answer_finish(&answer);
    return status;
}

static int list(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct cli_answer answer = {0};
    int status =
        ask(connection, &(struct cli_call){.method = "GET", .path = "/jwks.json"}, 200, &answer);
    if (status == CLI_OK && cli_has(arguments, "--json")) {
        cli_print_json(&answer);
    } else if (status == CLI_OK) {
        const struct json *keys = json_member(json_root(answer.document), "keys");
        for (size_t i = 0; i < json_count(keys); i++) {
            const struct json *key = json_element(keys, i);
            printf("%-6s %s\n", cli_text(key, "alg"), cli_text(key, "kid"));
        }
    }
    cli_answer_finish(&answer);
    return status;
}

/* ---- export ---- */

static bool fail(const char *path, struct error *error)
{
    return error_set(error, ERROR_INTERNAL, "export", path, "cannot write `%s`: %s", path,
                     strerror(errno));
}

static bool make_folder(const char *path, struct error *error)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST || fail(path, error);
}

/* Beside its name first: whoever serves the folder never serves half a file. */
static bool write_file(const char *path, const struct builder *body, struct error *error)
{
    struct builder draft BUILDER_SCOPE;
    builder_init(&draft, 0);
    builder_printf(&draft, "%s.new", path);
    FILE *file = fopen(draft.bytes, "w");
    if (file == NULL) {
        return fail(draft.bytes, error);
    }
    bool is_written = fwrite(body->bytes, 1, body->length, file) == body->length;
    is_written = fclose(file) == 0 && is_written;
    return (is_written && rename(draft.bytes, path) == 0) || fail(path, error);
}

static int export_one(struct cli_connection *connection, const char *folder, const char *path)
{
    struct cli_answer answer = {0};
    struct error error = {0};
    struct builder target BUILDER_SCOPE;
    builder_init(&target, 0);
    builder_printf(&target, "%s%s", folder, path);
    int status = ask(connection, &(struct cli_call){.method = "GET", .path = path}, 200, &answer);
    if (status == CLI_OK && !write_file(target.bytes, &answer.body, &error)) {
        status = cli_print_error(&error);
    }
    if (status == CLI_OK) {
        printf("%s\n", target.bytes);
    }
    cli_answer_finish(&answer);
    return status;
}

static int export_all(struct cli_connection *connection, const char *folder)
{
    struct error error = {0};
    struct builder inner BUILDER_SCOPE;
    builder_init(&inner, 0);
    builder_printf(&inner, "%s/.well-known", folder);
    if (!make_folder(folder, &error) || !make_folder(inner.bytes, &error)) {
        return cli_print_error(&error);
    }
    int status = export_one(connection, folder, "/jwks.json");
    return status == CLI_OK ? export_one(connection, folder, "/.well-known/openid-configuration")
                            : status;
}

int cli_keys(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status;
    const char *verb = count > 0 ? words[0] : "";
    bool is_rotation = strcmp(verb, "rotate") == 0;
    bool is_export = strcmp(verb, "export") == 0;
    if (!is_rotation && !is_export && strcmp(verb, "list") != 0) {
        bool is_asked = strcmp(verb, "--help") == 0;
        fputs(usage, is_asked ? stdout : stderr);
        return is_asked ? CLI_OK : CLI_USAGE;
    }
    if (!cli_read_arguments(count - 1, words + 1,
                            is_export ? "countersign keys export FOLDER"
                                      : "countersign keys rotate|list",
                            is_rotation ? rotate_options : options, is_export ? 1 : 0,
                            is_export ? 1 : 0, &arguments, &status)) {
        return status;
    }
    struct cli_connection *connection = cli_connect(&arguments, CLI_AS_HOST, &error);
    if (connection == NULL) {
        return cli_print_error(&error);
    }
    status = is_rotation ? rotate(connection, &arguments)
             : is_export ? export_all(connection, arguments.words[0])
                         : list(connection, &arguments);
    cli_disconnect(connection);
    return status;
}
