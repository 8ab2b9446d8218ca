#include "clients/cli/cli.h"

#include <stdio.h>

/* watch: "I am on it", for others to see. */

static const struct cli_option watch_options[] = {{"--stop", NULL, "I am no longer on it", false},
                                                  CLI_CONNECTION_OPTIONS,
                                                  {NULL, NULL, NULL, false}};

static int print_watching(const struct cli_answer *answer)
{
    const char *until = cli_text(json_root(answer->document), "until");
    if (until[0] == '\0') {
        puts("you are no longer on it");
    } else {
        printf("others see that you are on it until %s\n", until);
    }
    return CLI_OK;
}

int cli_watch(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status = 0;
    char path[256];
    if (!cli_read_arguments(count, words, "watch REQUEST [--stop]", watch_options, 1, 1, &arguments,
                            &status)) {
        return status;
    }
    if (!cli_check_id(arguments.words[0], &error)) {
        return cli_print_error(&error);
    }
    snprintf(path, sizeof path, "/v1/requests/%s/watch", arguments.words[0]);
    return cli_call_and_print(
        &arguments, CLI_AS_PERSON,
        &(struct cli_call){.method = cli_has(&arguments, "--stop") ? "DELETE" : "POST",
                           .path = path},
        print_watching);
}
