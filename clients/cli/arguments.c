#include "clients/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_option *find_option(const struct cli_option *options, const char *name,
                                            size_t length)
{
    for (const struct cli_option *option = options; option->name != NULL; option++) {
        if (strlen(option->name) == length && strncmp(option->name, name, length) == 0) {
            return option;
        }
    }
    return NULL;
}

static void print_usage(FILE *out, const char *usage, const struct cli_option *options)
{
    fprintf(out, "countersign %s\n\n", usage);
    for (const struct cli_option *option = options; option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", option->name, option->value == NULL ? "" : " ",
                 option->value == NULL ? "" : option->value);
        fprintf(out, "  %-24s %s%s\n", left, option->help, option->repeats ? " (may repeat)" : "");
    }
}

static bool complain(const char *usage, const char *word, const char *what, int *out_status)
{
    fprintf(stderr, "countersign: `%s` %s\nusage: countersign %s\n", word, what, usage);
    *out_status = CLI_USAGE;
    return false;
}

/* One option at words[*index]; moves the index past its value. */
static bool take_option(int count, char **words, int *index, const char *usage,
                        struct cli_arguments *out, int *out_status)
{
    const char *word = words[*index];
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const struct cli_option *option = find_option(out->options, word, length);
    if (option == NULL || (equals != NULL && option->value == NULL)) {
        return complain(usage, word, "is not an option here", out_status);
    }
    const char *value = equals == NULL ? NULL : equals + 1;
    if (option->value != NULL && value == NULL) {
        if (*index + 1 >= count) {
            return complain(usage, word, "needs a value", out_status);
        }
        value = words[++*index];
    }
    if (!option->repeats && cli_has(out, option->name)) {
        return complain(usage, option->name, "may be given once", out_status);
    }
    if (out->value_count == CLI_VALUES_MAX) {
        return complain(usage, word, "is one option too many", out_status);
    }
    out->values[out->value_count].name = option->name;
    out->values[out->value_count++].value = value == NULL ? "" : value;
    return true;
}

bool cli_read_arguments(int count, char **words, const char *usage,
                        const struct cli_option *options, size_t word_least, size_t word_most,
                        struct cli_arguments *out, int *out_status)
{
    bool only_words = false;
    *out = (struct cli_arguments){.options = options};
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        if (!only_words && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_usage(stdout, usage, options);
            *out_status = CLI_OK;
            return false;
        }
        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
        } else if (!only_words && word[0] == '-' && word[1] == '-') {
            if (!take_option(count, words, &i, usage, out, out_status)) {
                return false;
            }
        } else if (out->word_count == word_most || out->word_count == CLI_WORDS_MAX) {
            return complain(usage, word, "is one word too many", out_status);
        } else {
            out->words[out->word_count++] = word;
        }
    }
    return out->word_count >= word_least ||
           complain(usage, "countersign", "needs more words here", out_status);
}

const char *cli_value(const struct cli_arguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->value_count; i++) {
        if (strcmp(arguments->values[i].name, name) == 0) {
            return arguments->values[i].value;
        }
    }
    return NULL;
}

bool cli_has(const struct cli_arguments *arguments, const char *name)
{
    return cli_value(arguments, name) != NULL;
}

size_t cli_values(const struct cli_arguments *arguments, const char *name, const char **out,
                  size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < arguments->value_count && count < most; i++) {
        if (strcmp(arguments->values[i].name, name) == 0) {
            out[count++] = arguments->values[i].value;
        }
    }
    return count;
}

enum { ARGUMENT_BYTES_MAX = 4 * 1024 * 1024 };

bool cli_read_argument(const char *argument, struct builder *out, struct error *error)
{
    bool is_file = argument[0] == '@';
    if (!is_file && strcmp(argument, "-") != 0) {
        builder_text(out, argument);
        return true;
    }
    const char *path = is_file ? argument + 1 : "standard input";
    int descriptor = is_file ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (descriptor < 0) {
        return error_set(error, ERROR_INVALID, "file_unreadable", path, "`%s` cannot be opened: %s",
                         path, strerror(errno));
    }
    char piece[8192];
    ssize_t got;
    while ((got = read(descriptor, piece, sizeof piece)) > 0 && out->length < ARGUMENT_BYTES_MAX) {
        builder_append(out, piece, (size_t)got);
    }
    if (is_file) {
        close(descriptor);
    }
    return got == 0 ||
           error_set(error, ERROR_INVALID, "file_unreadable", path,
                     "`%s` cannot be read whole (at most %d bytes)", path, ARGUMENT_BYTES_MAX);
}
