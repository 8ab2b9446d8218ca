#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * countersign, the command line: one file per command, speaking only the public API (and policy/
 * and ledger/ for offline work). Commands print for people, or JSON with --json; they return an
 * exit status and print what went wrong to standard error.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "base/error.h"
#include "formats/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a script may rely on. */
enum cli_exit {
    CLI_OK = 0, /* approved, or done */
    CLI_ERROR = 1,
    CLI_USAGE = 2,
    CLI_DENIED = 3,
    CLI_EXPIRED = 4,
    CLI_CANCELLED = 5,
    CLI_PENDING = 6, /* the wait was over before the request ended */
    CLI_REFUSED = 7, /* a redemption was refused */
    CLI_FINDING = 8, /* the ledger does not verify */
};

/* ---- options: what a command takes, as a table ---- */
struct cli_option {
    const char *name;  /* "--resource" */
    const char *value; /* name of its value in the help, NULL for a switch */
    const char *help;
    bool repeats;
};
enum { CLI_VALUES_MAX = 64, CLI_WORDS_MAX = 16 };
struct cli_arguments {
    const struct cli_option *options;
    struct {
        const char *name, *value;
    } values[CLI_VALUES_MAX];
    size_t value_count;
    const char *words[CLI_WORDS_MAX]; /* what is no option, in order */
    size_t word_count;
};
/* False after saying what is wrong (or printing the help). `usage` is one line; *out_status is what
 * to exit with. */
bool cli_read_arguments(int count, char **words, const char *usage,
                        const struct cli_option *options, size_t word_least, size_t word_most,
                        struct cli_arguments *out, int *out_status);
const char *cli_value(const struct cli_arguments *arguments,
                      const char *name); /* NULL when not given; the first */
bool cli_has(const struct cli_arguments *arguments, const char *name);
/* Calls for each value of a repeating option; returns how many there were. */
size_t cli_values(const struct cli_arguments *arguments, const char *name, const char **out,
                  size_t most);

/* Options every command that speaks to a gateway takes; put CLI_CONNECTION_OPTIONS into its table.
 */
#define CLI_CONNECTION_OPTIONS                                                                     \
    {"--url", "URL", "the gateway (COUNTERSIGN_URL, http://localhost:8080)", false},               \
        {"--socket", "PATH", "its host socket instead (COUNTERSIGN_SOCKET)", false},               \
        {"--key-file", "FILE",                                                                     \
         "API key or token in a file (else COUNTERSIGN_KEY or COUNTERSIGN_TOKEN)", false},         \
        {"--tenant", "NAME", "the host socket's calls: in this tenant, not `default`", false},     \
        {"--ca", "FILE", "certificates to trust (PEM)", false},                                    \
    {                                                                                              \
        "--json", NULL, "print what the gateway answered, as JSON", false                          \
    }

/* ---- the connection ---- */
enum cli_role { CLI_AS_CALLER, CLI_AS_PERSON, CLI_AS_HOST };
struct cli_connection;
struct cli_connection *cli_connect(const struct cli_arguments *arguments, enum cli_role role,
                                   struct error *error);
void cli_disconnect(struct cli_connection *connection);
/* Where people reach the gateway with a browser, as far as the command line knows. */
const char *cli_dashboard(const struct cli_arguments *arguments);
struct cli_answer {
    long status;
    struct builder body;
    struct json_document *document; /* NULL when the body is no JSON */
};
struct cli_call {
    const char *method; /* "GET", "POST"… */
    const char *path;
    const char *body;            /* JSON, NULL for none */
    const char *idempotency_key; /* NULL for none */
    int wait_seconds;            /* Prefer: wait, 0 for none */
};
/* True when an answer came, whatever its status. RETRY_LATER when the gateway could not be reached
 * or the connection broke. */
bool cli_send(struct cli_connection *connection, const struct cli_call *call,
              struct cli_answer *out, struct error *error) MUST_CHECK;
void cli_answer_finish(struct cli_answer *answer);
/* Calls `on_line` for each line of JSON of a streamed answer, as it comes. True when it came whole;
 * INVALID `refused` after the problem was printed. */
bool cli_stream(struct cli_connection *connection, const struct cli_call *call,
                void (*on_line)(void *context, const struct json *line), void *context,
                struct error *error) MUST_CHECK;
/* Streams a body to a file descriptor; true when it came whole. */
bool cli_download(struct cli_connection *connection, const char *path, int descriptor,
                  long *out_status, struct error *error) MUST_CHECK;

/* ---- printing ---- */
/* Prints the problem the gateway answered, with its pointers; returns CLI_ERROR. */
int cli_print_problem(const struct cli_answer *answer);
int cli_print_error(const struct error *error);
/* Prints untrusted text with misleading characters visible. */
void cli_print_visible(const char *text);
/* Prints a JSON value on indented lines, exactly: numbers as sent, misleading characters visible,
 * nothing left out. */
void cli_print_value(const struct json *value, int indent);
void cli_print_json(const struct cli_answer *answer);
const char *cli_text(const struct json *object, const char *name); /* "" when absent */

/* news.c: what approvers changed, field by field, from edit number `told` on; returns how many
 * there are. */
size_t cli_print_edits(FILE *out, const struct json *request, size_t told);
void cli_print_question(FILE *out, const struct json *question);

/* comment.c: says what approvers ask on standard error; answers with what `command` (may be NULL)
 * prints, which finds COUNTERSIGN_QUESTION and COUNTERSIGN_REQUEST in its environment. */
void cli_meet_question(struct cli_connection *connection, const char *command,
                       const struct json *request);
bool cli_send_comment(struct cli_connection *connection, const char *request, const char *text,
                      size_t length, struct cli_answer *out, struct error *error) MUST_CHECK;

/* attention.c: the arguments that the policy shows first. */
void cli_print_facts(const struct json *request);
/* Who was asked since when, who is next, who is at it, repeats. */
void cli_print_attention(const struct json *request);
void cli_print_budget(const struct json *budget); /* only when it is used up; NULL: nothing */
/* Tells the gateway that this was shown to the person. */
void cli_note_view(struct cli_connection *connection, const struct json *request);
/* The challenge of a critical request, from the command line and from the terminal: a JSON object
 * without its closing brace, empty where there is none. False when the terminal said nothing. */
bool cli_take_retyped(const struct cli_arguments *arguments, struct builder *out,
                      struct error *error) MUST_CHECK;
bool cli_ask_retyped(const struct json *request, struct builder *out);

/* Reads `@FILE`, `-` for standard input, or the text itself. */
bool cli_read_argument(const char *argument, struct builder *out, struct error *error) MUST_CHECK;

/* ---- asking and waiting ---- */
enum { CLI_WAIT_DEFAULT_SECONDS = 3600 };
struct cli_ask {
    const char *body; /* of POST /v1/requests */
    const char *key;  /* idempotency key */
    long wait_seconds;
    const char *on_question; /* a shell command whose output answers approvers; NULL: say how */
    char request[64];        /* out: its id as soon as it is known, also when interrupted */
};
/* Asks, says on standard error what is waited for, and gives the last answer. False (RETRY_LATER)
 * when the gateway could not be reached in all that time, or a signal came. */
bool cli_ask(struct cli_connection *connection, struct cli_ask *ask, struct cli_answer *out,
             struct error *error) MUST_CHECK;
/* Whether SIGINT, SIGTERM or SIGHUP came since cli_catch_signals; it also ends a call under way. */
bool cli_was_interrupted(void);
void cli_catch_signals(void);
void cli_forget_interrupt(void);

/* ---- what goes into a call ---- */
/* Ids and names go into a path: nothing but their own alphabet. */
bool cli_check_id(const char *id, struct error *error) MUST_CHECK;
/* `order/4711` as a member {"id":"4711","type":"order"}; `key` may be NULL: INVALID. */
struct canonical_writer;
bool cli_append_entity(struct canonical_writer *writer, const char *name, const char *key,
                       struct error *error) MUST_CHECK;
/* The host where --socket is given, or its socket and no token is set; else a person. */
enum cli_role cli_host_or_person(const struct cli_arguments *arguments);
/* Connects, sends, and hands a good answer to `print` (or prints it as JSON); else says the
 * problem. */
int cli_call_and_print(const struct cli_arguments *arguments, enum cli_role role,
                       const struct cli_call *call, int (*print)(const struct cli_answer *answer));

/* links.c: `admin setup-link` and `admin enrol`. */
bool cli_is_link(const char *word);
int cli_link(int count, char **words);

/* folder.c: names of the *.yaml and *.yml files of a folder, sorted. INVALID when it cannot be
 * opened or has none. */
bool cli_list_folder(const char *path, struct arena *arena, const char ***out_names,
                     size_t *out_count, struct error *error) MUST_CHECK;
/* The *.yaml and *.yml files of a folder, in the order of their names, as canonical JSON
 * {name: text}. INVALID with what is wrong with it. */
bool cli_read_folder(const char *path, struct builder *out, struct error *error) MUST_CHECK;

/* versions.c and replay.c: `policy publish`, `versions`, `rollback`, `replay`. */
int cli_policy_publish(int count, char **words);
int cli_policy_versions(int count, char **words);
int cli_policy_rollback(int count, char **words);
int cli_policy_replay(int count, char **words);

/* ---- commands ---- */
int cli_request(int count, char **words);
int cli_exec(int count, char **words);
int cli_inbox(int count, char **words);
int cli_show(int count, char **words);
int cli_approve(int count, char **words);
int cli_deny(int count, char **words);
int cli_edit(int count, char **words);
int cli_comment(int count, char **words);
int cli_watch(int count, char **words);
int cli_answer_question(int count, char **words);
int cli_cancel(int count, char **words);
int cli_redeem(int count, char **words);
int cli_effect(int count, char **words);
int cli_revoke(int count, char **words);
int cli_resolve(int count, char **words);
int cli_ledger(int count, char **words);
int cli_admin(int count, char **words);
int cli_agents(int count, char **words);
int cli_policy(int count, char **words);
int cli_keys(int count, char **words);
int cli_channels(int count, char **words);
int cli_freeze(int count, char **words);
int cli_thaw(int count, char **words);
int cli_recover(int count, char **words);
int cli_whoami(int count, char **words);
int cli_ready(int count, char **words);

#endif
