#include "clients/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* countersign admin setup-link, admin enrol: the addresses where somebody chooses a password. */

enum { PATH_BYTES = 160 };

static const struct cli_option options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

/* Passkeys do not work on IP addresses, and a cookie of one name is not sent to the other: people
 * are sent to `localhost`. */
static void print_base(const char *base)
{
    static const char *const numeric[] = {"http://127.0.0.1", "http://[::1]"};
    for (size_t i = 0; i < sizeof numeric / sizeof numeric[0]; i++) {
        size_t length = strlen(numeric[i]);
        if (strncmp(base, numeric[i], length) == 0 &&
            (base[length] == '\0' || base[length] == ':' || base[length] == '/')) {
            fputs("http://localhost", stdout);
            base += length;
        }
    }
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/') {
        length--;
    }
    printf("%.*s", (int)length, base);
}

static int print_link(const struct cli_arguments *arguments, const struct cli_answer *answer)
{
    const struct json *root = answer->document == NULL ? NULL : json_root(answer->document);
    const char *base = cli_value(arguments, "--url");
    if (answer->status >= 300 || root == NULL) {
        return cli_print_problem(answer);
    }
    if (cli_has(arguments, "--json")) {
        cli_print_json(answer);
        return CLI_OK;
    }
    print_base(base == NULL ? cli_text(root, "issuer") : base);
    printf("%s\n", cli_text(root, "link_path"));
    fprintf(stderr, "good once, until %s; it takes the place of any link made before it\n",
            cli_text(root, "expires_at"));
    return CLI_OK;
}

static int make_link(int count, char **words, const char *usage, size_t word_count,
                     const char *start)
{
    struct cli_arguments arguments;
    struct cli_answer answer = {0};
    struct error error = {0};
    char path[PATH_BYTES];
    int status = CLI_OK;
    if (!cli_read_arguments(count, words, usage, options, word_count, word_count, &arguments,
                            &status)) {
        return status;
    }
    const char *name = word_count > 1 ? arguments.words[1] : "";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(name) ||
        strlen(name) > 64) {
        error_set(&error, ERROR_INVALID, "bad_name", name,
                  "`%s` is not a name: 1 to 64 of a-z 0-9 . _ -", name);
        cli_print_error(&error);
        return CLI_USAGE;
    }
    snprintf(path, sizeof path, "%s%s%s", start, name, word_count > 1 ? "/enrolment" : "");
    struct cli_call call = {.method = "POST", .path = path};
    struct cli_connection *connection = cli_connect(&arguments, CLI_AS_HOST, &error);
    if (connection != NULL && cli_send(connection, &call, &answer, &error)) {
        status = print_link(&arguments, &answer);
        cli_answer_finish(&answer);
    } else {
        status = cli_print_error(&error);
    }
    cli_disconnect(connection);
    return status;
}

bool cli_is_link(const char *word)
{
    return strcmp(word, "setup-link") == 0 || strcmp(word, "enrol") == 0;
}

int cli_link(int count, char **words)
{
    return strcmp(words[0], "enrol") == 0
               ? make_link(count, words, "admin enrol PERSON [--url URL]", 2, "/v1/people/")
               : make_link(count, words, "admin setup-link [--url URL]", 1, "/v1/setup/link");
}
