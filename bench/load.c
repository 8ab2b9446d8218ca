/*
 * The load of the benchmarks, over keep-alive connections, one exchange under way on each. Prints
 * `name value` lines.
 *
 *   load submit PORT CONNECTIONS MS     decisions: one action each that policy allows
 *   load cycle PORT CONNECTIONS MS      submit, redeem, report the effect
 *   load es256|rs256 PORT CONNECTIONS MS   submit, exchange for a token so signed, report the effect
 *   load park PORT COUNT RELEASES       COUNT requests wait for people; then as standard input
 * says: `release` RELEASES of them one by one, `burst` the rest at once, end of input
 *
 * Secrets are in LOAD_CALLER and LOAD_PERSON.
 */

#include "tests/support/load.h"
#include "base/check.h"
#include "base/memory.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMES_MAX = 8 * 1024 * 1024, FILLERS = 64, VOTERS = 64, WARM_MS = 300 };
/* Between two lots of FILLERS waiters, some 6,000 a second: what a burst leaves on the heap is not
 * what waiting takes. */
enum { PARK_MS = 10 };

/* ---- times ---- */

struct times {
    uint32_t *us;
    size_t count;
};

static void add_time(struct times *times, int64_t ns)
{
    if (times->us == NULL) {
        times->us = memory_zeroed(TIMES_MAX, sizeof *times->us);
    }
    if (times->count < TIMES_MAX) {
        times->us[times->count++] = (uint32_t)(ns / 1000);
    }
}

static int compare_times(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void print_times(struct times *times, const char *name)
{
    if (times->count == 0) {
        return;
    }
    qsort(times->us, times->count, sizeof *times->us, compare_times);
    printf("%s_p50_ms %.3f\n", name, times->us[times->count / 2] / 1e3);
    printf("%s_p99_ms %.3f\n", name, times->us[times->count - times->count / 100 - 1] / 1e3);
    printf("%s_max_ms %.3f\n", name, times->us[times->count - 1] / 1e3);
}

/* ---- requests: about 600 bytes of JSON, as an agent's tool call is ---- */

static const char filler[] =
    "{\"currency\":\"EUR\",\"amount\":125000,\"dry_run\":false,\"field_0\":\"value with some "
    "text\","
    "\"field_1\":123456789,\"field_2\":[1,2,3,true,null,\"x\"],\"field_3\":\"value with some "
    "text\","
    "\"note\":\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\"}";

static void append_submit(struct builder *out, const char *secret, const char *action,
                          const char *audience, size_t serial)
{
    char body[1024];
    char named[64] = "";
    if (audience != NULL) {
        snprintf(named, sizeof named, "\"audience\":\"%.40s\",", audience);
    }
    int length = snprintf(
        body, sizeof body,
        "{%s\"subject\":{\"type\":\"user\",\"id\":\"alice\"},\"resource\":{\"type\":\"order\","
        "\"id\":\"4711-%zu\"},\"action\":{\"name\":\"%s\",\"properties\":{\"args\":%s}},"
        "\"context\":{\"session\":\"f1b2c3d4-aaaa-bbbb-cccc-0123456789ab\"}}",
        named, serial, action, filler);
    load_append_request(out, "POST", "/v1/requests", secret, NULL, body, (size_t)length);
}

static void append_redeem(struct builder *out, const char *secret, const char *token, size_t serial)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    builder_printf(&body,
                   "{\"token\":\"%s\",\"action\":{\"name\":\"orders.get\",\"properties\":{\"args\":"
                   "%s}},\"resource\":{\"type\":\"order\",\"id\":\"4711-%zu\"}}",
                   token, filler, serial);
    load_append_request(out, "POST", "/v1/grants/redeem", secret, NULL, body.bytes, body.length);
}

static void append_exchange(struct builder *out, const char *secret, const char *token,
                            const char *audience)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    builder_printf(
        &body,
        "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Atoken-exchange&audience="
        "%s&subject_token_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Atoken-type%%3Ajwt&"
        "subject_token=%s",
        audience, token);
    builder_printf(out,
                   "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
                   "%zu\r\n\r\n%s",
                   secret, body.length, body.bytes);
}

static void append_report(struct builder *out, const char *secret, const char *grant)
{
    static const char body[] = "{\"effect\":\"succeeded\"}";
    char path[128];
    snprintf(path, sizeof path, "/v1/grants/grt_%s/effect", grant);
    load_append_request(out, "POST", path, secret, NULL, body, sizeof body - 1);
}

/* ---- submit and cycle ---- */

enum cycle_step { STEP_SUBMIT = 0, STEP_REDEEM, STEP_REPORT };

struct cycle {
    enum cycle_step step;
    size_t serial;
    int64_t began_ns;
    char grant[64];
    char token[2048];
};

struct pace {
    const char *secret;
    bool is_cycle;
    const char *audience; /* exchanged for it instead of redeemed; NULL when not */
    int64_t from_ns;      /* what began before is warming up */
    int64_t until_ns;
    size_t serial;
    size_t done_count;
    int64_t first_ns, last_ns;
    struct cycle *cycles;
    struct times times;
};

static _Noreturn void give_up(const struct load_reply *reply)
{
    fprintf(stderr, "load: unexpected answer %d: %.300s\n", reply->status, reply->body);
    exit(1);
}

static void on_lost(void *context, size_t index)
{
    (void)context;
    fprintf(stderr, "load: connection %zu was lost\n", index);
    exit(1);
}

static bool next_step(void *context, size_t index, struct builder *out)
{
    struct pace *pace = context;
    struct cycle *cycle = &pace->cycles[index];
    if (cycle->step == STEP_SUBMIT && load_now_ns() >= pace->until_ns) {
        return false;
    }
    switch (cycle->step) {
    case STEP_SUBMIT:
        cycle->serial = pace->serial++;
        append_submit(out, pace->secret, pace->audience == NULL ? "orders.get" : "swap.it",
                      pace->audience, cycle->serial);
        break;
    case STEP_REDEEM:
        if (pace->audience != NULL) {
            append_exchange(out, pace->secret, cycle->token, pace->audience);
            break;
        }
        append_redeem(out, pace->secret, cycle->token, cycle->serial);
        break;
    case STEP_REPORT:
        append_report(out, pace->secret, cycle->grant);
        break;
    }
    return true;
}

static void on_step(void *context, size_t index, const struct load_reply *reply)
{
    struct pace *pace = context;
    struct cycle *cycle = &pace->cycles[index];
    if (reply->status != (cycle->step == STEP_SUBMIT ? 201 : 200)) {
        give_up(reply);
    }
    if (cycle->step == STEP_SUBMIT) {
        cycle->began_ns = reply->began_ns;
    }
    if (pace->is_cycle && cycle->step != STEP_REPORT) {
        if (cycle->step == STEP_SUBMIT &&
            (!load_find_text(reply, "\"token\":\"", cycle->token, sizeof cycle->token) ||
             !load_find_text(reply, "\"id\":\"grt_", cycle->grant, sizeof cycle->grant))) {
            give_up(reply);
        }
        cycle->step = cycle->step == STEP_SUBMIT ? STEP_REDEEM : STEP_REPORT;
        return;
    }
    cycle->step = STEP_SUBMIT;
    if (cycle->began_ns >= pace->from_ns && reply->ended_ns <= pace->until_ns) {
        pace->first_ns = pace->done_count == 0 ? reply->ended_ns : pace->first_ns;
        pace->last_ns = reply->ended_ns;
        pace->done_count++;
        add_time(&pace->times, reply->ended_ns - cycle->began_ns);
    }
}

static void run_pace(uint16_t port, size_t connection_count, int64_t ms, bool is_cycle,
                     const char *audience)
{
    struct pace pace = {.secret = getenv("LOAD_CALLER"),
                        .is_cycle = is_cycle,
                        .audience = audience,
                        .from_ns = load_now_ns() + (int64_t)WARM_MS * 1000000,
                        /* Other runs on this store have numbers of their own. */
                        .serial = (size_t)(load_now_ns() / 1000) * 1000,
                        .cycles = memory_zeroed(connection_count, sizeof *pace.cycles)};
    pace.until_ns = pace.from_ns + ms * 1000000;
    struct load *load = load_create(&(struct load_options){.port = port,
                                                           .connection_count = connection_count,
                                                           .context = &pace,
                                                           .next = next_step,
                                                           .on_reply = on_step,
                                                           .on_lost = on_lost});
    load_nudge(load);
    load_run(load);
    load_destroy(load);
    printf("count %zu\n", pace.done_count);
    if (pace.done_count > 1) {
        printf("rate %.1f\n",
               (double)(pace.done_count - 1) * 1e9 / (double)(pace.last_ns - pace.first_ns));
    }
    print_times(&pace.times, "took");
    free(pace.times.us);
    free(pace.cycles);
}

/* ---- park ---- */

struct parked {
    char request[64];
    char digest[80];
    int64_t voted_ns;
};

struct lot {
    const char *caller;
    const char *person;
    size_t count;
    struct parked *parked;
    size_t asked_count;    /* given to a filler */
    size_t voted_count;    /* given to a voter */
    size_t vote_limit;     /* votes are cast up to here */
    size_t released_count; /* waiters answered */
    int64_t last_ns;
    size_t *current; /* per filler or voter */
    struct times times;
};

static bool next_ask(void *context, size_t index, struct builder *out)
{
    struct lot *lot = context;
    if (lot->asked_count == lot->count) {
        return false;
    }
    lot->current[index] = lot->asked_count++;
    append_submit(out, lot->caller, "payments.refund", NULL, lot->current[index]);
    return true;
}

static void on_asked(void *context, size_t index, const struct load_reply *reply)
{
    struct lot *lot = context;
    struct parked *parked = &lot->parked[lot->current[index]];
    if (reply->status != 202 ||
        !load_find_text(reply, "\"id\":\"req_", parked->request, sizeof parked->request) ||
        !load_find_text(reply, "\"digest\":\"", parked->digest, sizeof parked->digest)) {
        give_up(reply);
    }
}

static bool next_wait(void *context, size_t index, struct builder *out)
{
    struct lot *lot = context;
    char path[128];
    struct parked *parked = &lot->parked[index];
    if (parked->request[0] == '\0') {
        return false;
    }
    snprintf(path, sizeof path, "/v1/requests/req_%s", parked->request);
    load_append_request(out, "GET", path, lot->caller, "Prefer: wait=300\r\n", NULL, 0);
    return true;
}

static void on_released(void *context, size_t index, const struct load_reply *reply)
{
    struct lot *lot = context;
    struct parked *parked = &lot->parked[index];
    if (reply->status != 200 || strstr(reply->body, "\"token\":\"") == NULL) {
        give_up(reply);
    }
    parked->request[0] = '\0';
    lot->released_count++;
    lot->last_ns = reply->ended_ns;
    add_time(&lot->times, reply->ended_ns - parked->voted_ns);
}

static bool next_vote(void *context, size_t index, struct builder *out)
{
    struct lot *lot = context;
    char path[128];
    char body[256];
    if (lot->voted_count == lot->vote_limit) {
        return false;
    }
    struct parked *parked = &lot->parked[lot->voted_count++];
    lot->current[index] = (size_t)(parked - lot->parked);
    snprintf(path, sizeof path, "/v1/requests/req_%s/votes", parked->request);
    int length =
        snprintf(body, sizeof body, "{\"vote\":\"approve\",\"revision\":1,\"digest\":\"%s\"}",
                 parked->digest);
    load_append_request(out, "POST", path, lot->person, NULL, body, (size_t)length);
    parked->voted_ns = load_now_ns();
    return true;
}

static void on_voted(void *context, size_t index, const struct load_reply *reply)
{
    (void)context;
    (void)index;
    if (reply->status != 200) {
        give_up(reply);
    }
}

/* Votes from `voter_count` connections at once on the next `count`, and turns both until the last
 * of those waiters is answered. */
static void release(struct lot *lot, struct load *waiters, uint16_t port, size_t count,
                    size_t voter_count, const char *name)
{
    size_t until = lot->voted_count + count;
    lot->vote_limit = until;
    lot->times.count = 0;
    struct load *voters = load_create(&(struct load_options){.port = port,
                                                             .connection_count = voter_count,
                                                             .context = lot,
                                                             .next = next_vote,
                                                             .on_reply = on_voted,
                                                             .on_lost = on_lost});
    int64_t began_ns = load_now_ns();
    load_nudge(voters);
    while (lot->released_count < until) {
        (void)load_turn(voters, 0);
        (void)load_turn(waiters, 1);
    }
    load_run(voters);
    load_destroy(voters);
    printf("%s_count %zu\n", name, count);
    printf("%s_s %.3f\n", name, (double)(lot->last_ns - began_ns) / 1e9);
    print_times(&lot->times, name);
    fflush(stdout);
}

/* One vote at a time: what a person's click takes, not what a queue of them does. */
static void release_singly(struct lot *lot, struct load *waiters, uint16_t port, size_t count)
{
    release(lot, waiters, port, count, 1, "release");
}

/* The parent sends a line and waits for what it prints: none is ever left in stdio's buffer. */
static bool read_command(struct load *waiters, char *line, size_t size)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 0) == 0) {
        (void)load_turn(waiters, 10);
    }
    return fgets(line, (int)size, stdin) != NULL;
}

static void obey(struct lot *lot, struct load *waiters, uint16_t port, size_t release_count)
{
    char line[64];
    while (read_command(waiters, line, sizeof line)) {
        size_t left = lot->count - lot->voted_count;
        if (strcmp(line, "release\n") == 0) {
            release_singly(lot, waiters, port, release_count < left ? release_count : left);
        } else if (strcmp(line, "burst\n") == 0 && left > 0) {
            release(lot, waiters, port, left, VOTERS, "burst");
        }
    }
}

static void turn_for(struct load *load, int64_t ms)
{
    int64_t until_ns = load_now_ns() + ms * 1000000;
    while (load_now_ns() < until_ns) {
        (void)load_turn(load, 1);
    }
}

static void run_lot(uint16_t port, size_t count, size_t release_count)
{
    struct lot lot = {.caller = getenv("LOAD_CALLER"),
                      .person = getenv("LOAD_PERSON"),
                      .count = count,
                      .parked = memory_zeroed(count, sizeof *lot.parked),
                      .current = memory_zeroed(FILLERS + VOTERS, sizeof *lot.current)};
    char line[64];
    CHECK(lot.person != NULL);
    struct load *fillers = load_create(&(struct load_options){.port = port,
                                                              .connection_count = FILLERS,
                                                              .context = &lot,
                                                              .next = next_ask,
                                                              .on_reply = on_asked,
                                                              .on_lost = on_lost});
    load_nudge(fillers);
    load_run(fillers);
    load_destroy(fillers);
    printf("asked %zu\n", count);
    fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin) != NULL); /* memory is measured in between */
    struct load *waiters = load_create(&(struct load_options){.port = port,
                                                              .connection_count = count,
                                                              .context = &lot,
                                                              .next = next_wait,
                                                              .on_reply = on_released,
                                                              .on_lost = on_lost});
    for (size_t i = 0; i < count; i++) {
        load_nudge_one(waiters, i);
        if (i % FILLERS == FILLERS - 1) {
            turn_for(waiters, PARK_MS);
        }
    }
    turn_for(waiters, 100);
    printf("sent %zu\n", count);
    fflush(stdout);
    obey(&lot, waiters, port, release_count);
    load_destroy(waiters);
    free(lot.times.us);
    free(lot.parked);
    free(lot.current);
}

int main(int count, char **words)
{
    if (count != 5 || getenv("LOAD_CALLER") == NULL) {
        fprintf(
            stderr,
            "load submit|cycle|es256|rs256 PORT CONNECTIONS MS, or load park PORT COUNT RELEASES; "
            "secrets in LOAD_CALLER and LOAD_PERSON\n");
        return 64;
    }
    uint16_t port = (uint16_t)strtoul(words[2], NULL, 10);
    size_t connection_count = strtoul(words[3], NULL, 10);
    (void)load_raise_descriptors();
    if (strcmp(words[1], "park") == 0) {
        run_lot(port, connection_count, strtoul(words[4], NULL, 10));
    } else {
        const char *audience = strcmp(words[1], "es256") == 0   ? "bench-es256"
                               : strcmp(words[1], "rs256") == 0 ? "bench-rs256"
                                                                : NULL;
        run_pace(port, connection_count, strtoll(words[4], NULL, 10),
                 audience != NULL || strcmp(words[1], "cycle") == 0, audience);
    }
    return 0;
}
