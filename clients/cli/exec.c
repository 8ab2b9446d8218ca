#include "clients/cli/cli.h"

#include "crypto/crypto.h"
#include "formats/canonical.h"
#include "formats/text.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * countersign exec -- COMMAND: asks for exactly this command line (program file, argv, working
 * folder, environment), waits, redeems, runs it, and reports the effect from how it ended. What is
 * not bound does not reach the command: it gets the chosen environment and nothing else. Signals
 * are passed on. Where an approver edited it, what they made of it runs, and never what was asked.
 * Its exit status is the command's; 120 to 125 are our own.
 */

enum {
    EXEC_DENIED = 120,
    EXEC_EXPIRED = 121,
    EXEC_CANCELLED = 122,
    EXEC_PENDING = 123,
    EXEC_REFUSED = 124,
    EXEC_ERROR = 125,
    EXEC_NOT_FOUND = 127,
    ENVIRONMENT_MAX = 64,
    PROGRAM_BYTES = 4096,
};

static const struct cli_option options[] = {
    {"--action", "NAME", "the action's name in policy (process.exec)", false},
    {"--resource", "TYPE/ID", "what it acts on (host/<this machine's name>)", false},
    {"--subject", "TYPE/ID", "on whose behalf (required)", false},
    {"--env", "NAME", "pass this variable on; it is shown and bound (PATH and HOME always are)",
     true},
    {"--agent", "NAME", "which agent, where the key serves several", false},
    {"--reason", "TEXT", "why, for whoever approves", false},
    {"--expires-in", "15m", "give up earlier than the rules say", false},
    {"--on-question", "COMMAND",
     "a shell command that answers approvers: COUNTERSIGN_QUESTION in, words out", false},
    {"--wait", "SECONDS", "how long to wait (3600)", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false},
};

static const char usage[] =
    "exec --subject TYPE/ID [--env NAME]... [--reason TEXT] -- COMMAND [ARGUMENT...]";

/* The command as it would run. */
struct command {
    char **words; /* argv, NULL-terminated; lent */
    char program[PROGRAM_BYTES];
    char folder[PROGRAM_BYTES];
    const char *names[ENVIRONMENT_MAX]; /* sorted, without repeats */
    const char *values[ENVIRONMENT_MAX];
    size_t name_count;
};

/* ---- what is bound ---- */

/* The file that would run, as the shell would find it, so that a changed PATH cannot put another in
 * its place. */
static bool find_program(const char *word, char out[PROGRAM_BYTES], struct error *error)
{
    const char *path = strchr(word, '/') != NULL ? "" : getenv("PATH");
    for (const char *at = path == NULL ? "" : path;; at++) {
        size_t length = strcspn(at, ":");
        char candidate[PROGRAM_BYTES];
        int wrote = length == 0
                        ? snprintf(candidate, sizeof candidate, "%s", word)
                        : snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, at, word);
        char *resolved = wrote < 0 || wrote >= PROGRAM_BYTES || (length == 0 && *path != '\0')
                             ? NULL
                             : realpath(candidate, NULL);
        if (resolved != NULL && strlen(resolved) < PROGRAM_BYTES && access(resolved, X_OK) == 0) {
            strcpy(out, resolved);
            free(resolved);
            return true;
        }
        free(resolved);
        at += length;
        if (*at == '\0') {
            return error_set(error, ERROR_NOT_FOUND, "no_such_program", word,
                             "`%s` is not a program that can be run", word);
        }
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void choose_environment(const struct cli_arguments *arguments, struct command *command)
{
    const char *names[ENVIRONMENT_MAX] = {"HOME", "PATH"};
    size_t count = 2 + cli_values(arguments, "--env", names + 2, ENVIRONMENT_MAX - 2);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (getenv(names[i]) != NULL &&
            (command->name_count == 0 ||
             strcmp(command->names[command->name_count - 1], names[i]) != 0)) {
            command->values[command->name_count] = getenv(names[i]);
            command->names[command->name_count++] = names[i];
        }
    }
}

static bool check_words(const struct command *command, struct error *error)
{
    for (size_t i = 0; command->words[i] != NULL; i++) {
        if (!text_is_utf8(command->words[i], strlen(command->words[i]))) {
            return error_set(error, ERROR_INVALID, "not_utf8", NULL,
                             "argument %zu is not UTF-8 and could not be shown to an approver", i);
        }
    }
    for (size_t i = 0; i < command->name_count; i++) {
        const char *name = command->names[i];
        if (strlen(name) > 40 || strchr(name, '=') != NULL || !text_is_utf8(name, strlen(name)) ||
            !text_is_utf8(command->values[i], strlen(command->values[i]))) {
            return error_set(
                error, ERROR_INVALID, "bad_variable", name,
                "the variable `%s` cannot be bound: its name may have 40 characters and its value "
                "must be UTF-8",
                name);
        }
    }
    return true;
}

static bool describe_command(const struct cli_arguments *arguments, char **words,
                             struct command *out, struct error *error)
{
    out->words = words;
    if (!find_program(words[0], out->program, error)) {
        return false;
    }
    if (getcwd(out->folder, sizeof out->folder) == NULL) {
        return error_set(error, ERROR_INVALID, "no_folder", NULL,
                         "the working folder cannot be read: %s", strerror(errno));
    }
    choose_environment(arguments, out);
    return check_words(out, error);
}

/* ---- what is asked and redeemed: the same action and resource both times ---- */

/* ---- what an approver made of it ---- */

static bool take_word(struct arena *arena, const struct json *value, const char **out)
{
    const char *text = json_text(value);
    *out = text == NULL || strlen(text) != json_text_length(value) ? NULL : arena_text(arena, text);
    return *out != NULL;
}

struct adopting {
    struct arena *arena;
    struct command *command;
};

static bool adopt_variable(void *context, const char *name, const struct json *value)
{
    struct adopting *adopting = context;
    struct command *command = adopting->command;
    size_t place = command->name_count;
    if (place == ENVIRONMENT_MAX || name[0] == '\0' || strchr(name, '=') != NULL ||
        !take_word(adopting->arena, value, &command->values[place])) {
        return false;
    }
    command->names[place] = arena_text(adopting->arena, name);
    command->name_count++;
    return true;
}

static bool adopt_words(struct adopting *adopting, const struct json *argv)
{
    size_t count = json_count(argv);
    const char **words = arena_array(adopting->arena, count + 1, sizeof *words);
    for (size_t i = 0; i < count; i++) {
        if (!take_word(adopting->arena, json_element(argv, i), &words[i])) {
            return false;
        }
    }
    adopting->command->words = (char **)(uintptr_t)words;
    return json_type(argv) == JSON_TYPE_ARRAY && count > 0;
}

static bool adopt_path(const struct json *value, char out[PROGRAM_BYTES])
{
    const char *text = json_text(value);
    if (text == NULL || text[0] != '/' || strlen(text) != json_text_length(value) ||
        strlen(text) >= PROGRAM_BYTES) {
        return false;
    }
    strcpy(out, text);
    return true;
}

/* The command as it was approved after an edit: that runs, and never what was asked. */
static bool adopt(const struct json *request, struct arena *arena, struct command *out,
                  struct error *error)
{
    static const char *const members[] = {"argv", "env", "folder", "program", NULL};
    const struct json *args =
        json_member(json_member(json_member(request, "action"), "properties"), "args");
    struct command command = {0};
    struct adopting adopting = {.arena = arena, .command = &command};
    struct error surplus = {0};
    const struct json *env = json_member(args, "env");
    bool ok =
        json_type(args) == JSON_TYPE_OBJECT && json_only_members(args, "", members, &surplus) &&
        adopt_words(&adopting, json_member(args, "argv")) && json_type(env) == JSON_TYPE_OBJECT &&
        json_each_member(env, adopt_variable, &adopting) &&
        adopt_path(json_member(args, "folder"), command.folder) &&
        adopt_path(json_member(args, "program"), command.program);
    if (!ok) {
        return error_set(error, ERROR_INVALID, "not_a_command", NULL,
                         "what it was edited to is no command that can be run here: nothing ran");
    }
    *out = command;
    return true;
}

static void append_action(struct canonical_writer *writer, const struct cli_arguments *arguments,
                          const struct command *command)
{
    const char *name = cli_value(arguments, "--action");
    canonical_name(writer, "action");
    canonical_open_object(writer);
    canonical_member_text(writer, "name", name == NULL ? "process.exec" : name);
    canonical_name(writer, "properties");
    canonical_open_object(writer);
    canonical_name(writer, "args");
    canonical_open_object(writer);
    canonical_name(writer, "argv");
    canonical_open_array(writer);
    for (size_t i = 0; command->words[i] != NULL; i++) {
        canonical_string(writer, command->words[i]);
    }
    canonical_close_array(writer);
    canonical_name(writer, "env");
    canonical_open_object(writer);
    for (size_t i = 0; i < command->name_count; i++) {
        canonical_member_text(writer, command->names[i], command->values[i]);
    }
    canonical_close_object(writer);
    canonical_member_text(writer, "folder", command->folder);
    canonical_member_text(writer, "program", command->program);
    canonical_close_object(writer);
    canonical_close_object(writer);
    canonical_close_object(writer);
}

static bool append_resource(struct canonical_writer *writer, const struct cli_arguments *arguments,
                            struct error *error)
{
    char host[256] = "";
    char key[300];
    gethostname(host, sizeof host - 1);
    snprintf(key, sizeof key, "host/%s", host[0] == '\0' ? "localhost" : host);
    const char *given = cli_value(arguments, "--resource");
    return cli_append_entity(writer, "resource", given == NULL ? key : given, error);
}

static bool write_request(const struct cli_arguments *arguments, const struct command *command,
                          struct builder *out, struct error *error)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    append_action(&writer, arguments, command);
    canonical_member_text(&writer, "agent", cli_value(arguments, "--agent"));
    canonical_member_text(&writer, "expires_in", cli_value(arguments, "--expires-in"));
    canonical_member_text(&writer, "reason", cli_value(arguments, "--reason"));
    if (!append_resource(&writer, arguments, error) ||
        !cli_append_entity(&writer, "subject", cli_value(arguments, "--subject"), error)) {
        return false;
    }
    canonical_close_object(&writer);
    return true;
}

static bool write_redemption(const struct cli_arguments *arguments, const struct command *command,
                             const char *token, struct builder *out, struct error *error)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    append_action(&writer, arguments, command);
    if (!append_resource(&writer, arguments, error)) {
        return false;
    }
    canonical_member_text(&writer, "token", token);
    canonical_close_object(&writer);
    return true;
}

/* ---- running it ---- */

static char **make_environment(const struct command *command, struct arena *arena)
{
    char **environment = arena_array(arena, command->name_count + 1, sizeof *environment);
    for (size_t i = 0; i < command->name_count; i++) {
        environment[i] = arena_printf(arena, "%s=%s", command->names[i], command->values[i]);
    }
    return environment;
}

static volatile sig_atomic_t child;

static void pass_on(int number)
{
    if (child > 0) {
        kill((pid_t)child, number);
    }
}

static void pass_signals_on(void)
{
    static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        sigaction(passed[i], &action, NULL);
    }
}

/* Runs it and waits. The wait status, or -1 when it could not be started (errno). */
static int run_command(const struct command *command)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    char **environment = make_environment(command, arena);
    int failure[2];
    int status = 0;
    if (pipe2(failure, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(command->folder) == 0) {
            execve(command->program, command->words, environment);
        }
        int why = errno;
        ssize_t told = write(failure[1], &why, sizeof why);
        _exit(told == sizeof why ? EXEC_NOT_FOUND : EXEC_ERROR);
    }
    int why = errno;
    child = pid;
    close(failure[1]);
    /* Nothing comes through when the exec went well: it closed the pipe. */
    bool has_failed = pid < 0 || read(failure[0], &why, sizeof why) == sizeof why;
    close(failure[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    child = 0;
    errno = why;
    return has_failed ? -1 : status;
}

/* What happened, as the effect to report: only an exit status of 0 is a success, and a killed
 * command may have done anything. */
static const char *judge(int status, char summary[128])
{
    if (status == -1) {
        snprintf(summary, 128, "could not be started: %s", strerror(errno));
        return "failed";
    }
    if (WIFSIGNALED(status)) {
        snprintf(summary, 128, "ended by signal %d", WTERMSIG(status));
        return "unknown";
    }
    snprintf(summary, 128, "exit status %d", WEXITSTATUS(status));
    return WEXITSTATUS(status) == 0 ? "succeeded" : "failed";
}

static void report_effect(struct cli_connection *connection, const char *grant, const char *effect,
                          const char *summary)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    char path[128];
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "effect", effect);
    canonical_member_text(&writer, "summary", summary);
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/grants/%s/effect", grant);
    struct cli_call call = {.method = "POST", .path = path, .body = body.bytes};
    for (unsigned pause = 1; pause <= 8; pause *= 2) {
        error = (struct error){0};
        if (cli_send(connection, &call, &answer, &error) && answer.status != 503) {
            break;
        }
        cli_answer_finish(&answer);
        sleep(pause);
    }
    if (error.kind != ERROR_NONE || answer.status >= 300) {
        fprintf(stderr,
                "countersign: the effect could not be reported; run `countersign effect %s %s`, or "
                "a person must "
                "resolve it\n",
                grant, effect);
    }
    cli_answer_finish(&answer);
}

static int exit_of_state(const char *state)
{
    static const struct {
        const char *state;
        int exit;
    } exits[] = {{"denied", EXEC_DENIED},
                 {"expired", EXEC_EXPIRED},
                 {"cancelled", EXEC_CANCELLED},
                 {"pending", EXEC_PENDING}};
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        if (strcmp(exits[i].state, state) == 0) {
            return exits[i].exit;
        }
    }
    return EXEC_ERROR;
}

static void withdraw(struct cli_connection *connection, const char *request)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    char path[128];
    signal(SIGINT, SIG_DFL);
    snprintf(path, sizeof path, "/v1/requests/%s/cancel", request);
    cli_forget_interrupt();
    if (request[0] != '\0' &&
        cli_send(connection, &(struct cli_call){.method = "POST", .path = path}, &answer, &error)) {
        fprintf(stderr, "countersign: withdrew %s\n", request);
    }
    cli_answer_finish(&answer);
}

/* Asks and waits. EXIT_SUCCESS with the token, or the status to end with. */
static int ask_for(struct cli_connection *connection, const struct cli_arguments *arguments,
                   struct command *command, struct arena *arena, struct builder *out_token)
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    char key[SECRET_TEXT_BYTES];
    const char *wait = cli_value(arguments, "--wait");
    builder_init(&body, 0);
    if (!write_request(arguments, command, &body, &error)) {
        cli_print_error(&error);
        return EXEC_ERROR;
    }
    crypto_make_secret("try", key);
    struct cli_ask ask = {.body = body.bytes,
                          .key = key,
                          .on_question = cli_value(arguments, "--on-question"),
                          .wait_seconds =
                              wait == NULL ? CLI_WAIT_DEFAULT_SECONDS : strtol(wait, NULL, 10)};
    cli_catch_signals();
    if (!cli_ask(connection, &ask, &answer, &error)) {
        cli_print_error(&error);
        withdraw(connection, ask.request);
        return EXEC_ERROR;
    }
    int status = EXEC_ERROR;
    if (answer.status >= 300 || answer.document == NULL) {
        cli_print_problem(&answer);
    } else {
        const struct json *request = json_root(answer.document);
        const char *state = cli_text(request, "state");
        status = strcmp(state, "approved") == 0 ? EXIT_SUCCESS : exit_of_state(state);
        fprintf(stderr, "countersign: %s %s (%s)\n", state, cli_text(request, "id"),
                cli_text(request, "reason"));
        builder_text(out_token, cli_text(json_member(request, "grant"), "token"));
        if (status == EXIT_SUCCESS && json_count(json_member(request, "edits")) > 0 &&
            !adopt(request, arena, command, &error)) {
            cli_print_error(&error);
            status = EXEC_REFUSED;
        }
    }
    cli_answer_finish(&answer);
    return status;
}

/* Redeems for exactly this command. EXIT_SUCCESS with the grant, or the status to end with. */
static int redeem(struct cli_connection *connection, const struct cli_arguments *arguments,
                  const struct command *command, const char *token, char out_grant[64])
{
    struct error error = {0};
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    struct cli_call call = {.method = "POST", .path = "/v1/grants/redeem"};
    if (!write_redemption(arguments, command, token, &body, &error)) {
        cli_print_error(&error);
        return EXEC_ERROR;
    }
    call.body = body.bytes;
    /* Not tried again: an answer that was lost may have been a redemption, and the command must
     * then not run. */
    if (!cli_send(connection, &call, &answer, &error)) {
        cli_print_error(&error);
        return EXEC_ERROR;
    }
    int status = answer.status == 200 && answer.document != NULL ? EXIT_SUCCESS : EXEC_REFUSED;
    if (status == EXIT_SUCCESS) {
        snprintf(out_grant, 64, "%s", cli_text(json_root(answer.document), "grant"));
    } else {
        cli_print_problem(&answer);
    }
    cli_answer_finish(&answer);
    return status;
}

static int ask_and_run(struct cli_connection *connection, const struct cli_arguments *arguments,
                       struct command *command)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    char grant[64] = "";
    char summary[128];
    struct builder token BUILDER_SCOPE;
    builder_init(&token, 0);
    int status = ask_for(connection, arguments, command, arena, &token);
    if (status == EXIT_SUCCESS) {
        status = redeem(connection, arguments, command, token.bytes, grant);
    }
    crypto_wipe(token.bytes, token.length);
    if (status != EXIT_SUCCESS) {
        return status;
    }
    pass_signals_on();
    cli_forget_interrupt();
    int ended = run_command(command);
    const char *effect = judge(ended, summary);
    report_effect(connection, grant, effect, summary);
    if (ended == -1) {
        fprintf(stderr, "countersign: `%s` %s\n", command->program, summary);
        return EXEC_NOT_FOUND;
    }
    return WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
}

/* Where the command begins: behind the first `--`. */
static int find_command(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--") == 0) {
            return i + 1;
        }
    }
    return count;
}

int cli_exec(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct command command = {0};
    int status = 0;
    int start = find_command(count, words);
    if (!cli_read_arguments(start == count ? count : start - 1, words, usage, options, 0, 0,
                            &arguments, &status)) {
        return status == CLI_OK ? CLI_OK : EXEC_ERROR;
    }
    if (start == count) {
        fprintf(stderr, "countersign: the command comes behind `--`\nusage: countersign %s\n",
                usage);
        return EXEC_ERROR;
    }
    if (!describe_command(&arguments, words + start, &command, &error)) {
        cli_print_error(&error);
        return error.kind == ERROR_NOT_FOUND ? EXEC_NOT_FOUND : EXEC_ERROR;
    }
    struct cli_connection *connection = cli_connect(&arguments, CLI_AS_CALLER, &error);
    if (connection == NULL) {
        cli_print_error(&error);
        return EXEC_ERROR;
    }
    status = ask_and_run(connection, &arguments, &command);
    cli_disconnect(connection);
    return status;
}
