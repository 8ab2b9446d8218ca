#include "clients/cli/own_channels.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>

/* Which of the operator's channels tell oneself, and when. */

static const char path[] = "/v1/me/channels";

static bool is_true(const struct json *object, const char *name)
{
    return json_type_of(json_member(object, name)) == JSON_TYPE_TRUE;
}

static const char *how(const struct json *channel)
{
    if (!is_true(channel, "yours")) {
        return "tells many";
    }
    if (is_true(channel, "muted")) {
        return "muted";
    }
    return is_true(channel, "reaches") ? "tells you"
                                       : "would tell you: no address or linked account";
}

static void print(const struct cli_answer *answer)
{
    const struct json *own = json_root(answer->document);
    const struct json *channels = json_member(own, "channels");
    const char *quiet = cli_text(own, "quiet_hours");
    for (size_t i = 0; i < json_count(channels); i++) {
        const struct json *channel = json_element(channels, i);
        printf("%-20s %-10s %s\n", cli_text(channel, "name"), cli_text(channel, "kind"),
               how(channel));
    }
    printf("quiet hours: %s\n", quiet[0] == '\0' ? "none" : quiet);
    if (is_true(own, "accepts_silence")) {
        printf("you are told of nothing, critical risk included, as you asked\n");
    }
}

static int send(struct cli_connection *connection, const struct cli_call *call, bool is_json)
{
    struct cli_answer answer = {0};
    struct error error = {0};
    if (!cli_send(connection, call, &answer, &error)) {
        return cli_print_error(&error);
    }
    int status = answer.status == 200 ? CLI_OK : cli_print_problem(&answer);
    if (status == CLI_OK && is_json) {
        cli_print_json(&answer);
    } else if (status == CLI_OK) {
        print(&answer);
    }
    cli_answer_finish(&answer);
    return status;
}

/* `--mute none` ends all muting. */
static void write_muted(struct canonical_writer *writer, const struct cli_arguments *arguments)
{
    canonical_name(writer, "muted");
    canonical_open_array(writer);
    for (size_t i = 0; i < arguments->value_count; i++) {
        if (strcmp(arguments->values[i].name, "--mute") == 0 &&
            strcmp(arguments->values[i].value, "none") != 0) {
            canonical_string(writer, arguments->values[i].value);
        }
    }
    canonical_close_array(writer);
}

int cli_own_channels(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    const char *quiet = cli_value(arguments, "--quiet");
    bool mutes = cli_value(arguments, "--mute") != NULL;
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    if (quiet == NULL && !mutes) {
        return send(connection, &(struct cli_call){.method = "GET", .path = path},
                    cli_has(arguments, "--json"));
    }
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    if (mutes) {
        write_muted(&writer, arguments);
    }
    canonical_member_text(&writer, "quiet_hours",
                          quiet != NULL && strcmp(quiet, "none") == 0 ? "" : quiet);
    canonical_close_object(&writer);
    return send(connection, &(struct cli_call){.method = "PUT", .path = path, .body = body.bytes},
                cli_has(arguments, "--json"));
}
