#include "clients/cli/own_channels.h"

#include "formats/canonical.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Channels: how they fare, what was sent through them, and what the other side says to a test. */

static const char usage[] =
    "countersign channels list | test NAME [--to ADDRESS] | log [NAME] | mine [--mute NAME]... "
    "[--quiet HOURS]";

enum { PATH_BYTES = 512, LOOKS_MAX = 150, LOOK_MICROSECONDS = 200 * 1000 };

static const struct cli_option options[] = {
    {"--to", "ADDRESS", "of a channel that tells people: whom to try", false},
    {"--state", "STATE", "log: only waiting, sent, dead, stale or gathered", false},
    {"--mute", "NAME", "mine: a channel that leaves you alone; all others tell you; `none`", true},
    {"--quiet", "HOURS", "mine: when low risk waits, `22:00-07:00 +01:00`; `none`", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};

static int ask(struct cli_connection *connection, const struct cli_call *call,
               struct cli_answer *answer)
{
    struct error error = {0};
    if (!cli_send(connection, call, answer, &error)) {
        return cli_print_error(&error);
    }
    return answer->status == 200 ? CLI_OK : cli_print_problem(answer);
}

static void print_channel(const struct json *channel)
{
    const char *again = cli_text(channel, "tried_again_at");
    bool answers = json_type_of(json_member(channel, "answers")) == JSON_TYPE_TRUE;
    const char *problem = cli_text(channel, "problem");
    int64_t unlinked = 0;
    int64_t muted = 0;
    printf("%-20s %-10s %s%s", cli_text(channel, "name"), cli_text(channel, "kind"),
           answers              ? "answers"
           : problem[0] != '\0' ? "fails: "
                                : "left alone until ",
           answers              ? ""
           : problem[0] != '\0' ? problem
                                : again);
    if (json_integer(json_member(channel, "unlinked"), &unlinked) && unlinked > 0) {
        printf(" (%lld without a linked account are told nothing)", (long long)unlinked);
    }
    if (json_integer(json_member(channel, "muted"), &muted) && muted > 0) {
        printf(" (%lld muted it)", (long long)muted);
    }
    printf("\n");
}

static int list(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct cli_answer answer = {0};
    int status =
        ask(connection, &(struct cli_call){.method = "GET", .path = "/v1/channels"}, &answer);
    if (status == CLI_OK && cli_has(arguments, "--json")) {
        cli_print_json(&answer);
    } else if (status == CLI_OK) {
        const struct json *channels = json_member(json_root(answer.document), "channels");
        for (size_t i = 0; i < json_count(channels); i++) {
            print_channel(json_element(channels, i));
        }
    }
    cli_answer_finish(&answer);
    return status;
}

static void print_notice(const struct json *notice)
{
    printf("%s %-8s %-20s %-18s %s %s\n", cli_text(notice, "id"), cli_text(notice, "state"),
           cli_text(notice, "channel"), cli_text(notice, "event"), cli_text(notice, "answer"),
           cli_text(notice, "last_error"));
}

static int log_notices(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct cli_answer answer = {0};
    struct builder path BUILDER_SCOPE;
    const char *state = cli_value(arguments, "--state");
    builder_init(&path, 0);
    builder_text(&path, "/v1/notices?limit=50");
    if (arguments->word_count > 0) {
        builder_printf(&path, "&channel=%s", arguments->words[0]);
    }
    if (state != NULL) {
        builder_printf(&path, "&state=%s", state);
    }
    int status = ask(connection, &(struct cli_call){.method = "GET", .path = path.bytes}, &answer);
    if (status == CLI_OK && cli_has(arguments, "--json")) {
        cli_print_json(&answer);
    } else if (status == CLI_OK) {
        const struct json *notices = json_member(json_root(answer.document), "notices");
        for (size_t i = 0; i < json_count(notices); i++) {
            print_notice(json_element(notices, i));
        }
    }
    cli_answer_finish(&answer);
    return status;
}

/* Waits until the notice is settled: a test is tried once. */
static int await(struct cli_connection *connection, const char *id,
                 const struct cli_arguments *arguments)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/v1/notices/%s", id);
    for (int i = 0; i < LOOKS_MAX; i++) {
        struct cli_answer answer = {0};
        int status = ask(connection, &(struct cli_call){.method = "GET", .path = path}, &answer);
        const struct json *notice = status == CLI_OK ? json_root(answer.document) : NULL;
        bool waits = status == CLI_OK && strcmp(cli_text(notice, "state"), "waiting") == 0;
        bool is_sent = status == CLI_OK && strcmp(cli_text(notice, "state"), "sent") == 0;
        if (status == CLI_OK && !waits && cli_has(arguments, "--json")) {
            cli_print_json(&answer);
        } else if (status == CLI_OK && !waits) {
            printf("%s: %s %s\n", is_sent ? "sent" : "not sent", cli_text(notice, "answer"),
                   cli_text(notice, "last_error"));
        }
        cli_answer_finish(&answer);
        if (!waits) {
            return status != CLI_OK ? status : is_sent ? CLI_OK : CLI_ERROR;
        }
        usleep(LOOK_MICROSECONDS);
    }
    fprintf(stderr, "countersign: no answer yet; look again with `countersign channels log`\n");
    return CLI_ERROR;
}

static int test(struct cli_connection *connection, const struct cli_arguments *arguments)
{
    struct cli_answer answer = {0};
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    char path[PATH_BYTES];
    char id[64] = "";
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "to", cli_value(arguments, "--to"));
    canonical_close_object(&writer);
    snprintf(path, sizeof path, "/v1/channels/%s/test", arguments->words[0]);
    int status =
        ask(connection, &(struct cli_call){.method = "POST", .path = path, .body = body.bytes},
            &answer);
    if (status == CLI_OK) {
        snprintf(id, sizeof id, "%s", cli_text(json_root(answer.document), "id"));
    }
    cli_answer_finish(&answer);
    return status == CLI_OK ? await(connection, id, arguments) : status;
}

int cli_channels(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    int status;
    const char *verb = count > 0 ? words[0] : "";
    bool is_test = strcmp(verb, "test") == 0;
    bool is_log = strcmp(verb, "log") == 0;
    bool is_mine = strcmp(verb, "mine") == 0;
    if (!is_test && !is_log && !is_mine && strcmp(verb, "list") != 0) {
        bool is_asked = strcmp(verb, "--help") == 0;
        fprintf(is_asked ? stdout : stderr, "usage: %s\n", usage);
        return is_asked ? CLI_OK : CLI_USAGE;
    }
    if (!cli_read_arguments(count - 1, words + 1, usage, options, is_test ? 1 : 0,
                            is_test || is_log ? 1 : 0, &arguments, &status)) {
        return status;
    }
    struct cli_connection *connection =
        cli_connect(&arguments, is_mine ? CLI_AS_PERSON : CLI_AS_HOST, &error);
    if (connection == NULL) {
        return cli_print_error(&error);
    }
    status = is_test   ? test(connection, &arguments)
             : is_log  ? log_notices(connection, &arguments)
             : is_mine ? cli_own_channels(connection, &arguments)
                       : list(connection, &arguments);
    cli_disconnect(connection);
    return status;
}
