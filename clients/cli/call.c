#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdlib.h>
#include <string.h>

/* What several commands do the same way. */

enum { ID_CHARACTERS_MAX = 64 };

bool cli_check_id(const char *id, struct error *error)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return (length > 0 && length < ID_CHARACTERS_MAX && id[length] == '\0') ||
           error_set(error, ERROR_INVALID, "bad_id", id, "`%s` is not an id such as req_… or grt_…",
                     id);
}

bool cli_append_entity(struct canonical_writer *writer, const char *name, const char *key,
                       struct error *error)
{
    const char *slash = key == NULL ? NULL : strchr(key, '/');
    if (slash == NULL || slash == key || slash[1] == '\0') {
        return error_set(error, ERROR_INVALID, "bad_entity", name,
                         "--%s must be TYPE/ID, such as order/4711", name);
    }
    struct builder type BUILDER_SCOPE;
    builder_init(&type, 0);
    builder_append(&type, key, (size_t)(slash - key));
    canonical_name(writer, name);
    canonical_open_object(writer);
    canonical_member_text(writer, "id", slash + 1);
    canonical_member_text(writer, "type", type.bytes);
    canonical_close_object(writer);
    return true;
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0';
}

enum cli_role cli_host_or_person(const struct cli_arguments *arguments)
{
    if (cli_has(arguments, "--socket")) {
        return CLI_AS_HOST; /* said at the call: it outweighs what the environment holds */
    }
    bool has_token = is_set("COUNTERSIGN_TOKEN") || cli_has(arguments, "--key-file");
    return is_set("COUNTERSIGN_SOCKET") && !has_token ? CLI_AS_HOST : CLI_AS_PERSON;
}

/* A typed refusal to redeem is an answer of its own, for scripts to tell from a failure to ask. */
static bool is_refusal(const struct cli_answer *answer)
{
    return answer->document != NULL && json_member(json_root(answer->document), "yours") != NULL;
}

static int print_answer(const struct cli_arguments *arguments, const struct cli_answer *answer,
                        int (*print)(const struct cli_answer *answer))
{
    bool is_good = answer->status < 300;
    if (cli_has(arguments, "--json") && answer->document != NULL) {
        cli_print_json(answer);
        return is_good ? CLI_OK : is_refusal(answer) ? CLI_REFUSED : CLI_ERROR;
    }
    if (is_good) {
        return print(answer);
    }
    cli_print_problem(answer);
    return is_refusal(answer) ? CLI_REFUSED : CLI_ERROR;
}

int cli_call_and_print(const struct cli_arguments *arguments, enum cli_role role,
                       const struct cli_call *call, int (*print)(const struct cli_answer *answer))
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct cli_connection *connection = cli_connect(arguments, role, &error);
    if (connection == NULL || !cli_send(connection, call, &answer, &error)) {
        cli_disconnect(connection);
        return cli_print_error(&error);
    }
    int status = print_answer(arguments, &answer, print);
    cli_answer_finish(&answer);
    cli_disconnect(connection);
    return status;
}
