#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>

/* agents explain: which caller and agent a token or certificate is, and why not. */

static const struct cli_option options[] = {CLI_CONNECTION_OPTIONS, {NULL, NULL, NULL, false}};

enum { INPUT_BYTES_MAX = 64 * 1024 };

/* A file of that name, `-` for standard input, or the token itself. */
static bool read_input(const char *word, struct builder *out)
{
    char piece[4096];
    bool is_standard = strcmp(word, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(word, "r");
    if (file == NULL) {
        builder_text(out, word);
        return true;
    }
    size_t length;
    while ((length = fread(piece, 1, sizeof piece, file)) > 0) {
        builder_append(out, piece, length);
    }
    bool is_read = ferror(file) == 0 && !builder_failed(out);
    if (!is_standard) {
        fclose(file);
    }
    return is_read;
}

static void trim(struct builder *text)
{
    while (text->length > 0 && strchr(" \r\n\t", text->bytes[text->length - 1]) != NULL) {
        text->bytes[--text->length] = '\0';
    }
}

static int print_explanation(const struct cli_answer *answer)
{
    const struct json *root = json_root(answer->document);
    bool is_accepted = json_type(json_member(root, "accepted")) == JSON_TYPE_TRUE;
    static const struct {
        const char *name, *label;
    } lines[] = {{"identity", "identity"}, {"caller", "caller  "}, {"agent", "agent   "},
                 {"bound_to", "bound to"}, {"reason", "reason  "}, {"detail", "detail  "}};
    puts(is_accepted ? "accepted" : "refused");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *text = cli_text(root, lines[i].name);
        if (text[0] != '\0') {
            printf("  %s  ", lines[i].label);
            cli_print_visible(text);
            putchar('\n');
        }
    }
    return is_accepted ? CLI_OK : CLI_REFUSED;
}

int cli_agents(int count, char **words)
{
    struct cli_arguments arguments;
    int status = 0;
    if (!cli_read_arguments(count, words, "agents explain TOKEN|FILE|- (on the host)", options, 2,
                            2, &arguments, &status)) {
        return status;
    }
    if (strcmp(arguments.words[0], "explain") != 0) {
        fprintf(stderr, "countersign agents explain TOKEN|FILE|-\n");
        return CLI_USAGE;
    }
    struct builder input BUILDER_SCOPE;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&input, INPUT_BYTES_MAX);
    builder_init(&body, 0);
    if (!read_input(arguments.words[1], &input)) {
        fprintf(stderr, "countersign: `%s` cannot be read, or is longer than 64 KiB\n",
                arguments.words[1]);
        return CLI_ERROR;
    }
    trim(&input);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "credential", input.bytes);
    canonical_close_object(&writer);
    return cli_call_and_print(
        &arguments, CLI_AS_HOST,
        &(struct cli_call){.method = "POST", .path = "/v1/agents/explain", .body = body.bytes},
        print_explanation);
}
