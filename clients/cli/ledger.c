#include "clients/cli/cli.h"

#include "base/memory.h"
#include "ledger/note.h"
#include "ledger/verify.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* countersign ledger export | verify | checkpoint | receipt. Verification is offline: the export
 * and public keys, nothing else. */

enum { PATH_BYTES = 512, LINE_BYTES_MAX = 1024 * 1024 };

static const struct cli_option export_options[] = {
    {"--output", "FILE", "write there instead of standard output", false},
    {"--from", "SEQ", "resume: entries from this one on", false},
    {"--epoch", "N", "of this epoch (0: the first)", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};
static const struct cli_option verify_options[] = {
    {"--key", "VKEY|@FILE", "the log's public key, and witnesses' (required)", true},
    {"--checkpoint", "FILE", "a checkpoint kept outside: makes truncation and forks visible", true},
    {"--one-tenant", NULL, "an export for one tenant: others' entries are in it as hashes", false},
    {NULL, NULL, NULL, false}};
static const struct cli_option read_options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

/* ---- export ---- */

static int run_export(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char path[PATH_BYTES];
    long answered = 0;
    int status = 0;
    if (!cli_read_arguments(count, words, "ledger export [--output FILE] [--from SEQ]",
                            export_options, 0, 0, &arguments, &status)) {
        return status;
    }
    const char *output = cli_value(&arguments, "--output");
    const char *from = cli_value(&arguments, "--from");
    const char *epoch = cli_value(&arguments, "--epoch");
    int descriptor = output == NULL ? STDOUT_FILENO
                                    : open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        error_set(&error, ERROR_INVALID, "file_unwritable", output, "`%s` cannot be written: %s",
                  output, strerror(errno));
        return cli_print_error(&error);
    }
    struct cli_connection *connection =
        cli_connect(&arguments, cli_host_or_person(&arguments), &error);
    snprintf(path, sizeof path, "/v1/ledger/export?epoch=%.20s&from=%.20s",
             epoch == NULL ? "0" : epoch, from == NULL ? "0" : from);
    bool ok = connection != NULL && cli_download(connection, path, descriptor, &answered, &error);
    cli_disconnect(connection);
    if (output != NULL && close(descriptor) != 0) {
        ok = error_set(&error, ERROR_INVALID, "file_unwritable", output,
                       "`%s` cannot be written: %s", output, strerror(errno));
    }
    return ok ? CLI_OK : cli_print_error(&error);
}

/* ---- verify ---- */

struct line_source {
    FILE *file;
    char *line;
    size_t capacity;
    const char *name;
};

static bool next_line(void *context, const char **out_line, size_t *out_length, struct error *error)
{
    struct line_source *source = context;
    ssize_t length = getline(&source->line, &source->capacity, source->file);
    if (length < 0) {
        return ferror(source->file)
                   ? error_set(error, ERROR_INVALID, "file_unreadable", source->name,
                               "`%s` cannot be read: %s", source->name, strerror(errno))
                   : false;
    }
    if (length > LINE_BYTES_MAX) {
        return error_set(error, ERROR_INVALID, "line_too_long", source->name,
                         "`%s` has a line of %zd bytes: this is no export", source->name, length);
    }
    if (length > 0 && source->line[length - 1] == '\n') {
        length--;
    }
    *out_line = source->line;
    *out_length = (size_t)length;
    return true;
}

static bool read_keys(const struct cli_arguments *arguments, struct note_key *keys,
                      size_t *out_count, struct error *error)
{
    const char *texts[NOTE_KEYS_MAX];
    size_t count = cli_values(arguments, "--key", texts, NOTE_KEYS_MAX);
    if (count == 0) {
        return error_set(error, ERROR_INVALID, "no_key", "--key",
                         "--key is required: the log's public key as text (`countersign ledger "
                         "checkpoint` prints it), or @FILE with it");
    }
    for (size_t i = 0; i < count; i++) {
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 4096);
        if (!cli_read_argument(texts[i], &text, error)) {
            return false;
        }
        size_t length = strcspn(text.bytes, "\r\n");
        if (!note_key_parse(&keys[i], text.bytes, length, error)) {
            return false;
        }
    }
    *out_count = count;
    return true;
}

static bool read_kept(const struct cli_arguments *arguments, struct builder *texts,
                      struct ledger_kept *kept, size_t *out_count, struct error *error)
{
    const char *files[LEDGER_KEPT_MAX];
    size_t count = cli_values(arguments, "--checkpoint", files, LEDGER_KEPT_MAX);
    for (size_t i = 0; i < count; i++) {
        char argument[PATH_BYTES];
        snprintf(argument, sizeof argument, "@%s", files[i]);
        if (!cli_read_argument(argument, &texts[i], error)) {
            return false;
        }
        kept[i] = (struct ledger_kept){.note = texts[i].bytes, .length = texts[i].length};
    }
    *out_count = count;
    return true;
}

static int verify(const struct cli_arguments *arguments, struct builder *texts)
{
    struct note_key keys[NOTE_KEYS_MAX];
    struct ledger_kept kept[LEDGER_KEPT_MAX];
    struct ledger_verify_options options = {.keys = keys, .kept = kept};
    struct ledger_verify_report report = {0};
    struct error error = {0};
    struct line_source source = {.name = arguments->words[0]};
    options.allows_withheld = cli_has(arguments, "--one-tenant");
    if (!read_keys(arguments, keys, &options.key_count, &error) ||
        !read_kept(arguments, texts, kept, &options.kept_count, &error)) {
        return cli_print_error(&error);
    }
    source.file = strcmp(source.name, "-") == 0 ? stdin : fopen(source.name, "re");
    if (source.file == NULL) {
        error_set(&error, ERROR_INVALID, "file_unreadable", source.name,
                  "`%s` cannot be opened: %s", source.name, strerror(errno));
        return cli_print_error(&error);
    }
    bool ok = ledger_verify(&options, next_line, &source, &report, &error);
    if (source.file != stdin) {
        fclose(source.file);
    }
    free(source.line);
    if (!ok) {
        return cli_print_error(&error);
    }
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    ledger_verify_append_report(&text, &report);
    fwrite(text.bytes, 1, text.length, stdout);
    return report.is_good ? CLI_OK : CLI_FINDING;
}

static int run_verify(int count, char **words)
{
    struct cli_arguments arguments;
    struct builder texts[LEDGER_KEPT_MAX];
    int status = 0;
    if (!cli_read_arguments(count, words, "ledger verify EXPORT --key VKEY [--checkpoint FILE]",
                            verify_options, 1, 1, &arguments, &status)) {
        return status;
    }
    for (size_t i = 0; i < LEDGER_KEPT_MAX; i++) {
        builder_init(&texts[i], LINE_BYTES_MAX);
    }
    status = verify(&arguments, texts);
    for (size_t i = 0; i < LEDGER_KEPT_MAX; i++) {
        builder_finish(&texts[i]);
    }
    return status;
}

/* ---- checkpoint and receipt ---- */

static int run_checkpoint(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct cli_answer answer = {0};
    int status = 0;
    if (!cli_read_arguments(count, words, "ledger checkpoint", read_options, 0, 0, &arguments,
                            &status)) {
        return status;
    }
    struct cli_connection *connection =
        cli_connect(&arguments, cli_host_or_person(&arguments), &error);
    if (connection == NULL ||
        !cli_send(connection, &(struct cli_call){.method = "GET", .path = "/v1/ledger/checkpoint"},
                  &answer, &error)) {
        cli_disconnect(connection);
        return cli_print_error(&error);
    }
    if (answer.status != 200 || answer.document == NULL) {
        status = cli_print_problem(&answer);
    } else if (cli_has(&arguments, "--json")) {
        cli_print_json(&answer);
    } else {
        fprintf(stderr, "key: %s\n", cli_text(json_root(answer.document), "vkey"));
        fputs(cli_text(json_root(answer.document), "checkpoint"), stdout);
    }
    cli_answer_finish(&answer);
    cli_disconnect(connection);
    return status;
}

static int run_receipt(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    char path[PATH_BYTES];
    long answered = 0;
    int status = 0;
    if (!cli_read_arguments(count, words, "ledger receipt REQUEST|GRANT", read_options, 1, 1,
                            &arguments, &status)) {
        return status;
    }
    const char *id = arguments.words[0];
    if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id) || strlen(id) > 64) {
        error_set(&error, ERROR_INVALID, "bad_id", id, "`%s` is not an id such as req_… or grt_…",
                  id);
        return cli_print_error(&error);
    }
    snprintf(path, sizeof path, "/v1/%s/%s/receipt",
             strncmp(id, "grt_", 4) == 0 ? "grants" : "requests", id);
    const char *key = getenv("COUNTERSIGN_KEY");
    enum cli_role role = cli_host_or_person(&arguments);
    const char *token = getenv("COUNTERSIGN_TOKEN");
    if (role == CLI_AS_PERSON && (token == NULL || token[0] == '\0') && key != NULL &&
        key[0] != '\0') {
        role = CLI_AS_CALLER; /* a holder may read its own receipts */
    }
    struct cli_connection *connection = cli_connect(&arguments, role, &error);
    bool ok =
        connection != NULL && cli_download(connection, path, STDOUT_FILENO, &answered, &error);
    cli_disconnect(connection);
    return ok ? CLI_OK : cli_print_error(&error);
}

int cli_ledger(int count, char **words)
{
    static const struct {
        const char *name;
        int (*run)(int count, char **words);
        const char *help;
    } verbs[] = {
        {"export", run_export, "everything, as JSON lines that verify offline"},
        {"verify", run_verify, "hashes, signatures, and that every request's history was legal"},
        {"checkpoint", run_checkpoint, "the signed head: keep it somewhere else"},
        {"receipt", run_receipt, "the proof that a decision or a redemption is in the ledger"}};
    for (size_t i = 0; count > 0 && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(words[0], verbs[i].name) == 0) {
            return verbs[i].run(count - 1, words + 1);
        }
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        fprintf(stderr, "  countersign ledger %-11s %s\n", verbs[i].name, verbs[i].help);
    }
    return CLI_USAGE;
}
