#include "clients/cli/cli.h"

#include "formats/canonical.h"
#include <string.h>
#include <unistd.h>

/* countersign policy replay DIR --since 7d: lines of the gateway's answer as a table, loosened
 * decisions first. */

static const struct cli_option options[] = {
    {"--since", "AGE", "requests asked since then: 7d (default), 12h", false},
    CLI_CONNECTION_OPTIONS,
    {NULL, NULL, NULL, false}};

struct table {
    bool prints_json;
    bool shows_progress; /* on a terminal, over and over on one line */
    bool has_head;
    bool is_whole; /* the summary came */
};

static long long number_of(const struct json *line, const char *name)
{
    int64_t number = 0;
    return json_integer(json_member(line, name), &number) ? (long long)number : 0;
}

static void show_progress(const struct json *line)
{
    fprintf(stderr, "\r%lld requests, up to %s: %lld loosened, %lld tightened ",
            number_of(line, "looked_at"), cli_text(line, "reached_at"), number_of(line, "loosened"),
            number_of(line, "tightened"));
    fflush(stderr);
}

static void print_side(const struct json *side)
{
    printf("%s/%s/%lld", cli_text(side, "verdict"), cli_text(side, "risk"),
           number_of(side, "people"));
}

static void print_cell(const char *text)
{
    cli_print_visible(text);
    fputs("  ", stdout);
}

static void print_changed(struct table *table, const struct json *line)
{
    if (!table->has_head) {
        puts("change     at                        was -> is (verdict/risk/people)  agent  action  "
             "resource  request  rules");
        table->has_head = true;
    }
    printf("%-9s  %s  ", cli_text(line, "change"), cli_text(line, "at"));
    print_side(json_member(line, "was"));
    fputs(" -> ", stdout);
    print_side(json_member(line, "is"));
    fputs("  ", stdout);
    print_cell(cli_text(line, "agent"));
    print_cell(cli_text(line, "action"));
    print_cell(cli_text(line, "resource"));
    print_cell(cli_text(line, "request"));
    const struct json *rules = json_member(line, "rules");
    for (size_t i = 0; i < json_count(rules); i++) {
        fputs(i == 0 ? "" : ",", stdout);
        cli_print_visible(json_text(json_element(rules, i)));
    }
    putchar('\n');
}

static void print_summary(const struct json *line)
{
    long long unlisted = number_of(line, "unlisted");
    long long unjudged = number_of(line, "unjudged");
    long long without = number_of(line, "without_history");
    if (unlisted > 0) {
        printf("%lld more changed and are not listed\n", unlisted);
    }
    if (unjudged > 0) {
        printf("%lld were refused before policy was asked (frozen, or denied a moment before)\n",
               unjudged);
    }
    if (without > 0) {
        printf("%lld met a rule that reads history of more things than fit into a replay: such a "
               "rule errs on the strict side\n",
               without);
    }
    printf("%lld loosened, %lld tightened of %lld requests since %s under %.12s\n",
           number_of(line, "loosened"), number_of(line, "tightened"), number_of(line, "looked_at"),
           cli_text(line, "since"), cli_text(line, "version"));
}

static void take_line(void *context, const struct json *line)
{
    struct table *table = context;
    const char *kind = cli_text(line, "kind");
    bool is_progress = strcmp(kind, "progress") == 0;
    table->is_whole = strcmp(kind, "summary") == 0;
    if (is_progress && table->shows_progress) {
        show_progress(line);
    }
    if (table->prints_json) {
        struct builder text BUILDER_SCOPE;
        builder_init(&text, 0);
        canonical_append(&text, line);
        puts(text.bytes);
    } else if (table->is_whole) {
        print_summary(line);
    } else if (!is_progress) {
        if (table->shows_progress && !table->has_head) {
            fputc('\n', stderr);
        }
        print_changed(table, line);
    }
}

int cli_policy_replay(int count, char **words)
{
    struct cli_arguments arguments;
    struct error error = {0};
    struct table table = {0};
    int status = 0;
    if (!cli_read_arguments(count, words, "policy replay DIR [--since 7d]", options, 1, 1,
                            &arguments, &status)) {
        return status;
    }
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    builder_text(&body, "{\"files\":");
    if (!cli_read_folder(arguments.words[0], &body, &error)) {
        return cli_print_error(&error);
    }
    const char *since = cli_value(&arguments, "--since");
    builder_text(&body, ",\"since\":");
    since = since == NULL ? "7d" : since;
    canonical_append_string(&body, since, strlen(since));
    builder_char(&body, '}');
    table.prints_json = cli_has(&arguments, "--json");
    table.shows_progress = isatty(STDERR_FILENO) != 0;
    struct cli_connection *connection =
        cli_connect(&arguments, cli_host_or_person(&arguments), &error);
    bool ok = connection != NULL &&
              cli_stream(connection,
                         &(struct cli_call){
                             .method = "POST", .path = "/v1/policies/replay", .body = body.bytes},
                         take_line, &table, &error);
    cli_disconnect(connection);
    if (ok && !table.is_whole) {
        ok = error_set(&error, ERROR_RETRY_LATER, "cut_short", NULL,
                       "the gateway ended the answer early; ask again");
    }
    return ok ? CLI_OK : cli_print_error(&error);
}
