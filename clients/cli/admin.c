#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>

/* countersign admin …, freeze, thaw, recover, whoami. Administration goes through the gateway's
 * host socket: the store has one writer. */

enum { PATH_BYTES = 512, LIST_MAX = 64 };

static const struct cli_option all_options[] = {
    {"--group", "NAME", "join this group", true},
    {"--subject", "TYPE/ID",
     "person: is also this subject; caller: may speak for subjects like this (globs)", true},
    {"--agent", "NAME", "caller: may speak for this agent", true},
    {"--audience", "NAME", "caller: may redeem grants for this audience", true},
    {"--unverified", "WORD",
     "caller: `keep` agents and subjects beyond its lists, marked; else `refuse`", false},
    {"--display", "TEXT", "a person's full name", false},
    {"--owner", "PERSON", "agent: who answers for it (and may not approve it)", false},
    {"--admin", NULL, "person: may manage", false},
    {"--auditor", NULL, "person: may read everything", false},
    {"--label", "TEXT", "what a key or token is for", false},
    {"--expires-in", "90d", "a key or token ends by itself", false},
    {"--of", "OWNER", "list: only this caller's keys or person's tokens", false},
    {"--after", "NAME", "list: the next page", false},
    {"--state", "STATE", "notice list: waiting, sent or dead", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};

/* Names go into a path: nothing but their own alphabet. */
static bool check_name(const char *name, struct error *error)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return (length > 0 && length <= 64 && name[length] == '\0') ||
           error_set(error, ERROR_INVALID, "bad_name", name,
                     "`%s` is not a name: 1 to 64 of a-z 0-9 . _ -", name);
}

static void append_list(struct canonical_writer *writer, const char *member,
                        const struct cli_arguments *arguments, const char *option)
{
    const char *values[LIST_MAX];
    size_t count = cli_values(arguments, option, values, LIST_MAX);
    canonical_name(writer, member);
    canonical_open_array(writer);
    for (size_t i = 0; i < count; i++) {
        canonical_string(writer, values[i]);
    }
    canonical_close_array(writer);
}

/* ---- bodies ---- */

static void person_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                        const char *name)
{
    canonical_member_bool(writer, "admin", cli_has(arguments, "--admin"));
    canonical_member_bool(writer, "auditor", cli_has(arguments, "--auditor"));
    canonical_member_text(writer, "display", cli_value(arguments, "--display"));
    append_list(writer, "groups", arguments, "--group");
    canonical_member_text(writer, "name", name);
    append_list(writer, "subjects", arguments, "--subject");
}

static void roles_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                       const char *name)
{
    (void)name;
    canonical_member_bool(writer, "admin", cli_has(arguments, "--admin"));
    canonical_member_bool(writer, "auditor", cli_has(arguments, "--auditor"));
}

static void agent_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                       const char *name)
{
    canonical_member_text(writer, "name", name);
    canonical_member_text(writer, "owner", cli_value(arguments, "--owner"));
}

static void caller_lists(struct canonical_writer *writer, const struct cli_arguments *arguments)
{
    append_list(writer, "agents", arguments, "--agent");
    append_list(writer, "audiences", arguments, "--audience");
}

static void caller_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                        const char *name)
{
    caller_lists(writer, arguments);
    canonical_member_text(writer, "name", name);
    append_list(writer, "subjects", arguments, "--subject");
    canonical_member_text(writer, "unverified", cli_value(arguments, "--unverified"));
}

static void caller_change_body(struct canonical_writer *writer,
                               const struct cli_arguments *arguments, const char *name)
{
    (void)name;
    caller_lists(writer, arguments);
    append_list(writer, "subjects", arguments, "--subject");
    canonical_member_text(writer, "unverified", cli_value(arguments, "--unverified"));
}

static void key_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                     const char *name)
{
    canonical_member_text(writer, "caller", name);
    canonical_member_text(writer, "expires_in", cli_value(arguments, "--expires-in"));
    canonical_member_text(writer, "label", cli_value(arguments, "--label"));
}

static void token_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                       const char *name)
{
    canonical_member_text(writer, "expires_in", cli_value(arguments, "--expires-in"));
    canonical_member_text(writer, "label", cli_value(arguments, "--label"));
    canonical_member_text(writer, "person", name);
}

static void member_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                        const char *name)
{
    (void)name;
    canonical_member_text(writer, "person", arguments->words[3]);
}

static void name_body(struct canonical_writer *writer, const struct cli_arguments *arguments,
                      const char *name)
{
    (void)arguments;
    canonical_member_text(writer, "name", name);
}

/* ---- what admin can do, as a table: two words, then the path and the body ---- */

struct verb {
    const char *noun, *verb;
    const char *usage;
    size_t words; /* with the two */
    const char *method;
    const char *path; /* %s is the third word, a second %s the fourth */
    void (*body)(struct canonical_writer *writer, const struct cli_arguments *arguments,
                 const char *name);
};

static const struct verb verbs[] = {
    {"person", "add",
     "NAME [--group G]… [--subject TYPE/ID]… [--admin] [--auditor] [--display TEXT]", 3, "POST",
     "/v1/people", person_body},
    {"person", "list", "[--after NAME]", 2, "GET", "/v1/people?limit=200", NULL},
    {"person", "disable", "NAME", 3, "POST", "/v1/people/%s/disable", NULL},
    {"person", "enable", "NAME", 3, "POST", "/v1/people/%s/enable", NULL},
    {"person", "roles", "NAME [--admin] [--auditor]", 3, "POST", "/v1/people/%s/roles", roles_body},
    {"group", "list", "", 2, "GET", "/v1/groups", NULL},
    {"group", "join", "GROUP PERSON", 4, "POST", "/v1/groups/%s/members", member_body},
    {"group", "leave", "GROUP PERSON", 4, "DELETE", "/v1/groups/%s/members/%s", NULL},
    {"agent", "add", "NAME [--owner PERSON]", 3, "POST", "/v1/agents", agent_body},
    {"agent", "list", "[--after NAME]", 2, "GET", "/v1/agents?limit=200", NULL},
    {"agent", "disable", "NAME", 3, "POST", "/v1/agents/%s/disable", NULL},
    {"agent", "enable", "NAME", 3, "POST", "/v1/agents/%s/enable", NULL},
    {"caller", "add", "NAME --agent A… --subject GLOB… [--audience X]… [--unverified keep]", 3,
     "POST", "/v1/callers", caller_body},
    {"caller", "change",
     "NAME --agent A… --subject GLOB… [--audience X]… [--unverified keep] (replaces all)", 3, "PUT",
     "/v1/callers/%s", caller_change_body},
    {"caller", "list", "[--after NAME]", 2, "GET", "/v1/callers?limit=200", NULL},
    {"caller", "disable", "NAME", 3, "POST", "/v1/callers/%s/disable", NULL},
    {"caller", "enable", "NAME", 3, "POST", "/v1/callers/%s/enable", NULL},
    {"key", "add", "CALLER [--label TEXT] [--expires-in 90d] (the key is shown this once)", 3,
     "POST", "/v1/keys", key_body},
    {"key", "list", "[--of CALLER]", 2, "GET", "/v1/credentials", NULL},
    {"key", "disable", "KEY", 3, "POST", "/v1/credentials/%s/disable", NULL},
    {"token", "add", "PERSON [--label TEXT] [--expires-in 90d] (the token is shown this once)", 3,
     "POST", "/v1/tokens", token_body},
    {"token", "list", "[--of PERSON]", 2, "GET", "/v1/credentials", NULL},
    {"token", "disable", "TOKEN", 3, "POST", "/v1/credentials/%s/disable", NULL},
    {"passkey", "list", "PERSON", 3, "GET", "/v1/passkeys?person=%s", NULL},
    {"passkey", "confirm", "PASSKEY (it serves votes from now on)", 3, "POST",
     "/v1/passkeys/%s/confirm", NULL},
    {"passkey", "remove", "PASSKEY", 3, "DELETE", "/v1/passkeys/%s", NULL},
    {"notice", "list", "[--state waiting|sent|dead] [--after NOTICE]", 2, "GET",
     "/v1/notices?limit=200", NULL},
    {"notice", "resend", "NOTICE", 3, "POST", "/v1/notices/%s/resend", NULL},
    {"tenant", "add", "NAME", 3, "POST", "/v1/tenants", name_body},
    {"tenant", "list", "", 2, "GET", "/v1/tenants", NULL},
    {"policy", "reload", "", 2, "POST", "/v1/policies/reload", NULL},
};

enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static int print_help(void)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(stderr, "  countersign admin %s %s %s\n", verbs[i].noun, verbs[i].verb,
                verbs[i].usage);
    }
    fprintf(stderr, "  countersign admin setup-link [--url URL] (where the first admin chooses a "
                    "password)\n  countersign admin enrol PERSON [--url URL] (where this person "
                    "does)\n");
    fprintf(stderr, "\nThey run on the gateway's host: --socket PATH, or COUNTERSIGN_SOCKET; with "
                    "--tenant NAME\nin that tenant, else in `default`.\n");
    return CLI_USAGE;
}

/* The parameters that lists take, behind a path that may have one already. */
static bool append_query(const struct cli_arguments *arguments, char *path, struct error *error)
{
    static const struct {
        const char *option, *parameter;
    } parameters[] = {{"--of", "owner"}, {"--after", "after"}, {"--state", "state"}};
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const char *value = cli_value(arguments, parameters[i].option);
        size_t length = strlen(path);
        if (value == NULL) {
            continue;
        }
        if (!check_name(value, error)) {
            return false;
        }
        snprintf(path + length, PATH_BYTES - length, "%c%s=%s",
                 strchr(path, '?') == NULL ? '?' : '&', parameters[i].parameter, value);
    }
    return true;
}

static bool make_path(const struct verb *verb, const struct cli_arguments *arguments, char *out,
                      struct error *error)
{
    const char *third = verb->words > 2 ? arguments->words[2] : "";
    const char *fourth = verb->words > 3 ? arguments->words[3] : "";
    const char *hole = strstr(verb->path, "%s");
    if ((verb->words > 2 && !check_name(third, error)) ||
        (verb->words > 3 && !check_name(fourth, error))) {
        return false;
    }
    if (hole == NULL) {
        snprintf(out, PATH_BYTES, "%s", verb->path);
        return append_query(arguments, out, error);
    }
    const char *second = strstr(hole + 2, "%s");
    size_t middle = second == NULL ? strlen(hole + 2) : (size_t)(second - hole - 2);
    snprintf(out, PATH_BYTES, "%.*s%s%.*s%s", (int)(hole - verb->path), verb->path, third,
             (int)middle, hole + 2, second == NULL ? "" : fourth);
    return true;
}

/* What was made or changed, as indented JSON; a secret on a line of its own, for pasting. */
static int print_done(const struct cli_answer *answer)
{
    const struct json *root = answer->document == NULL ? NULL : json_root(answer->document);
    if (root == NULL) {
        puts("done");
        return CLI_OK;
    }
    const char *secret = cli_text(root, "secret");
    if (secret[0] != '\0') {
        printf("%s\n", secret);
        fprintf(stderr, "%s of %s: it is not stored and will not be shown again\n",
                cli_text(root, "id"), cli_text(root, "owner"));
        return CLI_OK;
    }
    cli_print_value(root, 0);
    putchar('\n');
    return CLI_OK;
}

static int run_verb(const struct verb *verb, int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char path[PATH_BYTES];
    char usage[PATH_BYTES];
    int status = 0;
    snprintf(usage, sizeof usage, "admin %s %s %s", verb->noun, verb->verb, verb->usage);
    if (!cli_read_arguments(count, words, usage, all_options, verb->words, verb->words, &arguments,
                            &status)) {
        return status;
    }
    if (!make_path(verb, &arguments, path, &error)) {
        cli_print_error(&error);
        return CLI_USAGE;
    }
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    if (verb->body != NULL) {
        canonical_begin(&writer, &body);
        canonical_open_object(&writer);
        verb->body(&writer, &arguments, arguments.words[2]);
        canonical_close_object(&writer);
    }
    return cli_call_and_print(&arguments, CLI_AS_HOST,
                              &(struct cli_call){.method = verb->method,
                                                 .path = path,
                                                 .body = body.length > 0 ? body.bytes : NULL},
                              print_done);
}

int cli_admin(int count, char **words)
{
    if (count >= 1 && cli_is_link(words[0])) {
        return cli_link(count, words);
    }
    for (size_t i = 0; count >= 2 && i < VERB_COUNT; i++) {
        if (strcmp(words[0], verbs[i].noun) == 0 && strcmp(words[1], verbs[i].verb) == 0) {
            return run_verb(&verbs[i], count, words);
        }
    }
    return print_help();
}

/* ---- freeze, thaw, recover, whoami ---- */

static const struct cli_option freeze_options[] = {
    {"--scope", "SCOPE", "everything, tenant, agent or action (required)", false},
    {"--target", "NAME", "the agent, or an action pattern such as payments.**", false},
    {"--reason", "TEXT", "why (required)", false},
    {"--list", NULL, "what is frozen", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option recover_options[] = {
    {"--reason", "TEXT", "what happened to the store (required)", false},
    {"--trust-credentials", NULL, "enable again the keys and tokens that the rollback disabled",
     false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option plain_options[] = {CLI_CONNECTION_OPTIONS,
                                                  {NULL, NULL, NULL, false}};
static const struct cli_option whoami_options[] = {
    {"--as-person", NULL, "with the personal token, where both are set", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};

int cli_freeze(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(
            count, words,
            "freeze --scope everything|tenant|agent|action [--target NAME] --reason TEXT",
            freeze_options, 0, 0, &arguments, &status)) {
        return status;
    }
    if (cli_has(&arguments, "--list")) {
        return cli_call_and_print(&arguments, cli_host_or_person(&arguments),
                                  &(struct cli_call){.method = "GET", .path = "/v1/freezes"},
                                  print_done);
    }
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "reason", cli_value(&arguments, "--reason"));
    canonical_member_text(&writer, "scope", cli_value(&arguments, "--scope"));
    canonical_member_text(&writer, "target", cli_value(&arguments, "--target"));
    canonical_close_object(&writer);
    return cli_call_and_print(
        &arguments, cli_host_or_person(&arguments),
        &(struct cli_call){.method = "POST", .path = "/v1/freezes", .body = body.bytes},
        print_done);
}

int cli_thaw(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char path[PATH_BYTES];
    int status = 0;
    if (!cli_read_arguments(count, words, "thaw FREEZE", plain_options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    if (!check_name(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    snprintf(path, sizeof path, "/v1/freezes/%s/thaw", arguments.words[0]);
    return cli_call_and_print(&arguments, cli_host_or_person(&arguments),
                              &(struct cli_call){.method = "POST", .path = path}, print_done);
}

int cli_recover(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "recover --reason TEXT [--trust-credentials]",
                            recover_options, 0, 0, &arguments, &status)) {
        return status;
    }
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "reason", cli_value(&arguments, "--reason"));
    canonical_member_bool(&writer, "trust_credentials", cli_has(&arguments, "--trust-credentials"));
    canonical_close_object(&writer);
    return cli_call_and_print(
        &arguments, CLI_AS_HOST,
        &(struct cli_call){.method = "POST", .path = "/v1/recover", .body = body.bytes},
        print_done);
}

int cli_whoami(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "whoami [--as-person]", whoami_options, 0, 0, &arguments,
                            &status)) {
        return status;
    }
    enum cli_role role = cli_has(&arguments, "--socket")      ? CLI_AS_HOST
                         : cli_has(&arguments, "--as-person") ? CLI_AS_PERSON
                                                              : CLI_AS_CALLER;
    return cli_call_and_print(&arguments, role,
                              &(struct cli_call){.method = "GET", .path = "/v1/me"}, print_done);
}

/* ---- ready: for health checks ---- */

static int print_ready(const struct cli_answer *answer)
{
    printf("%s\n", cli_text(json_root(answer->document), "status"));
    return CLI_OK;
}

int cli_ready(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "ready", plain_options, 0, 0, &arguments, &status)) {
        return status;
    }
    return cli_call_and_print(&arguments, CLI_AS_HOST,
                              &(struct cli_call){.method = "GET", .path = "/readyz"}, print_ready);
}
