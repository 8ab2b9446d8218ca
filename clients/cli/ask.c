#include "clients/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * Asks for one action and waits for its end: the first ask by POST, then by id. A broken connection
 * or a restarted gateway loses nothing: the idempotency key, then the id, makes asking again
 * harmless.
 */

enum { WAIT_STEP_SECONDS = 60, RETRY_SECONDS_MAX = 8 };

static int64_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_retryable(const struct cli_answer *answer)
{
    return answer->status == 503 || answer->status == 429;
}

static void say_waiting(const struct json *request)
{
    const struct json *asked = json_member(request, "asked");
    fprintf(stderr, "waiting: %s needs %.0f more of", cli_text(request, "id"),
            json_number(json_member(request, "missing")));
    for (size_t i = 0; i < json_count(asked); i++) {
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", json_text(json_element(asked, i)));
    }
    fprintf(stderr, "; times out at %s\n", cli_text(request, "timeout_at"));
}

/* The first ask by POST, then by id; each may wait on the gateway's side. */
struct attempt {
    struct cli_connection *connection;
    const char *body;
    const char *key;
    char path[128]; /* "" until the id is known */
    char seen[256]; /* the path with the news that were told; "" as the path */
    int64_t until;
    size_t edits_told;
    char question_told[64]; /* id of the last question that was met */
    const char *on_question;
};

static bool ask_once(struct attempt *attempt, struct cli_answer *answer, struct error *error)
{
    int64_t left = attempt->until - seconds_now();
    int wait = left <= 0 ? 0 : left < WAIT_STEP_SECONDS ? (int)left : WAIT_STEP_SECONDS;
    struct cli_call call = {.method = "POST",
                            .path = "/v1/requests",
                            .body = attempt->body,
                            .idempotency_key = attempt->key};
    if (attempt->path[0] != '\0') {
        call = (struct cli_call){.method = "GET", .path = attempt->seen};
        call.wait_seconds = wait;
    }
    return cli_send(attempt->connection, &call, answer, error);
}

/* Each question once. */
static void meet_question(struct attempt *attempt, const struct json *request)
{
    const char *id = cli_text(json_member(request, "question"), "id");
    if (id[0] != '\0' && strcmp(attempt->question_told, id) != 0) {
        snprintf(attempt->question_told, sizeof attempt->question_told, "%s", id);
        cli_meet_question(attempt->connection, attempt->on_question, request);
    }
}

/* Whether to go on asking after this answer; false leaves the answer to be reported. */
static bool goes_on(struct attempt *attempt, const struct cli_answer *answer, bool *is_told)
{
    if (is_retryable(answer)) {
        return seconds_now() < attempt->until;
    }
    if (answer->status >= 300 || answer->document == NULL) {
        return false;
    }
    const struct json *request = json_root(answer->document);
    snprintf(attempt->path, sizeof attempt->path, "/v1/requests/%s", cli_text(request, "id"));
    snprintf(attempt->seen, sizeof attempt->seen, "%s?seen=%.0f", attempt->path,
             json_number(json_member(request, "news")));
    attempt->edits_told = cli_print_edits(stderr, request, attempt->edits_told);
    meet_question(attempt, request);
    if (strcmp(cli_text(request, "state"), "pending") != 0 || seconds_now() >= attempt->until) {
        return false;
    }
    if (!*is_told) {
        say_waiting(request);
        *is_told = true;
    }
    return true;
}

bool cli_ask(struct cli_connection *connection, struct cli_ask *ask, struct cli_answer *out,
             struct error *error)
{
    struct attempt attempt = {.connection = connection,
                              .body = ask->body,
                              .key = ask->key,
                              .on_question = ask->on_question,
                              .until = seconds_now() + ask->wait_seconds};
    bool is_told = false;
    unsigned pause = 1;
    for (;;) {
        struct error broken = {0};
        *out = (struct cli_answer){0};
        bool came = ask_once(&attempt, out, &broken);
        snprintf(ask->request, sizeof ask->request, "%.63s",
                 attempt.path[0] == '\0' ? "" : attempt.path + strlen("/v1/requests/"));
        if (came && !goes_on(&attempt, out, &is_told)) {
            return true;
        }
        bool is_pause = !came || is_retryable(out);
        cli_answer_finish(out);
        if (cli_was_interrupted() || (!came && seconds_now() >= attempt.until)) {
            *error = broken;
            return cli_was_interrupted()
                       ? error_set(error, ERROR_RETRY_LATER, "interrupted", NULL, "interrupted")
                       : false;
        }
        if (is_pause) {
            /* The gateway is away or busy. */
            sleep(pause);
            pause = pause < RETRY_SECONDS_MAX ? pause * 2 : pause;
        } else {
            pause = 1;
        }
    }
}
