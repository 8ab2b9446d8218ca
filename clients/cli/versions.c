#include "clients/cli/cli.h"

#include <string.h>

/* countersign policy publish | versions | rollback */

enum { PATH_BYTES = 160, SHOWN_DIGITS = 12, DIGITS_LEAST = 6, DIGITS = 64, PAGES_MAX = 1000 };

static const struct cli_option options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

static int print_publication(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    bool changed = json_type(json_member(root, "changed")) == JSON_TYPE_TRUE;
    printf("%s %s\n", changed ? "published" : "unchanged", cli_text(root, "version"));
    return CLI_OK;
}

int cli_policy_publish(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "policy publish", options, 0, 0, &arguments, &status)) {
        return status;
    }
    return cli_call_and_print(&arguments, CLI_AS_HOST,
                              &(struct cli_call){.method = "POST", .path = "/v1/policies/reload"},
                              print_publication);
}

/* ---- versions ---- */

static void print_standing(const struct json *root)
{
    const char *chosen = cli_text(root, "chosen");
    const char *folder_error = cli_text(root, "folder_error");
    if (chosen[0] != '\0') {
        printf("%.*s was chosen by a rollback: it stays in force whatever the folder holds, until "
               "`countersign policy publish`\n",
               SHOWN_DIGITS, chosen);
    }
    if (folder_error[0] != '\0') {
        fputs("the policy folder does not load, the former version stays in force: ", stdout);
        cli_print_visible(folder_error);
        putchar('\n');
    }
}

static int print_versions(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    const struct json *versions = json_member(root, "versions");
    for (size_t i = 0; i < json_count(versions); i++) {
        const struct json *version = json_element(versions, i);
        bool is_in_force = json_type(json_member(version, "in_force")) == JSON_TYPE_TRUE;
        printf("%c %s  %s  %s\n", is_in_force ? '*' : ' ', cli_text(version, "version"),
               cli_text(version, "published_at"), cli_text(version, "published_by"));
    }
    print_standing(root);
    return CLI_OK;
}

int cli_policy_versions(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "policy versions", options, 0, 0, &arguments, &status)) {
        return status;
    }
    return cli_call_and_print(&arguments, cli_host_or_person(&arguments),
                              &(struct cli_call){.method = "GET", .path = "/v1/policies?limit=200"},
                              print_versions);
}

/* ---- rollback: the beginning of a version's hash is enough ---- */

struct search {
    const char *beginning;
    char found[DIGITS + 1];
    size_t count;
};

static void search_page(struct search *search, const struct json *root)
{
    const struct json *versions = json_member(root, "versions");
    for (size_t i = 0; i < json_count(versions); i++) {
        const char *version = cli_text(json_element(versions, i), "version");
        if (strncmp(version, search->beginning, strlen(search->beginning)) == 0 &&
            strlen(version) == DIGITS) {
            memcpy(search->found, version, DIGITS + 1);
            search->count++;
        }
    }
}

/* 0 when the last page was read, -1 after saying what was wrong. */
static int64_t read_page(struct cli_connection *connection, struct search *search, int64_t before)
{
    char path[PATH_BYTES];
    struct cli_answer answer;
    struct error error = {0};
    int64_t next = 0;
    snprintf(path, sizeof path, "/v1/policies?limit=200&before=%lld", (long long)before);
    if (!cli_send(connection, &(struct cli_call){.method = "GET", .path = path}, &answer, &error)) {
        cli_print_error(&error);
        return -1;
    }
    if (answer.status != 200 || answer.document == NULL) {
        cli_print_problem(&answer);
        next = -1;
    } else {
        search_page(search, json_root(answer.document));
        if (!json_integer(json_member(json_root(answer.document), "next"), &next)) {
            next = 0;
        }
    }
    cli_answer_finish(&answer);
    return next;
}

static bool find_version(const struct cli_arguments *arguments, struct search *search)
{
    struct error error = {0};
    struct cli_connection *connection = cli_connect(arguments, CLI_AS_HOST, &error);
    if (connection == NULL) {
        cli_print_error(&error);
        return false;
    }
    int64_t next = read_page(connection, search, 0);
    for (size_t page = 1; next > 0 && page < PAGES_MAX; page++) {
        next = read_page(connection, search, next);
    }
    cli_disconnect(connection);
    if (next < 0) {
        return false;
    }
    if (search->count != 1) {
        error_set(&error, ERROR_INVALID, "no_such_version", search->beginning,
                  search->count == 0 ? "no version begins with `%s`: see `countersign policy "
                                       "versions`"
                                     : "more than one version begins with `%s`: write more of it",
                  search->beginning);
        cli_print_error(&error);
    }
    return search->count == 1;
}

int cli_policy_rollback(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char path[PATH_BYTES];
    int status = 0;
    if (!cli_read_arguments(count, words, "policy rollback HASH", options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    struct search search = {.beginning = arguments.words[0]};
    size_t length = strlen(search.beginning);
    if (length < DIGITS_LEAST || strspn(search.beginning, "0123456789abcdef") != length) {
        error_set(&error, ERROR_INVALID, "bad_version", search.beginning,
                  "`%s` is no version: write %d or more of its hexadecimal digits",
                  search.beginning, DIGITS_LEAST);
        cli_print_error(&error);
        return CLI_USAGE;
    }
    if (!find_version(&arguments, &search)) {
        return CLI_ERROR;
    }
    snprintf(path, sizeof path, "/v1/policies/versions/%s/rollback", search.found);
    return cli_call_and_print(&arguments, CLI_AS_HOST,
                              &(struct cli_call){.method = "POST", .path = path},
                              print_publication);
}
