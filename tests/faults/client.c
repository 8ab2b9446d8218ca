/*
 * Clients that write down what they were told. They ask, wait, vote, cancel, redeem and report over
 * many connections until the gateway dies or MS milliseconds have passed, and write every fact to
 * standard output before they take the next step that builds on it: what stands there was
 * acknowledged. Lines that announce a step (`try`, `reporting`, `voting`) come before it is sent:
 * without the line that settles it, its outcome is not known.
 *
 *   client PORT MS ROUND     secrets in CLIENT_CALLER, CLIENT_DANA, CLIENT_ERIK, CLIENT_AUDIT
 *
 *   request REQ STATE | state REQ STATE | cancelled REQ STATE
 *   voting REQ PERSON | vote REQ PERSON OUTCOME
 *   mint REQ GRANT ACTION RESOURCE TOKEN | try GRANT | redeemed GRANT FENCE | again GRANT FENCE
 *   reporting GRANT | effect GRANT STATE
 *   checkpoint JSON
 *   refused CODE [GRANT]      nothing happened, says the gateway; GRANT was to be redeemed
 *   odd STATUS BODY           an answer nobody should get
 */

#include "base/memory.h"
#include "tests/support/load.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNNERS = 6, /* submit what policy allows, redeem, report */
    ASKERS = 6,  /* submit what people decide, wait, redeem, report */
    CONNECTIONS = RUNNERS + ASKERS + 3,
    DANA = RUNNERS + ASKERS,
    ERIK,
    WATCHER, /* collects checkpoints */
    BALLOTS_MAX = 65536,
    TURN_MS = 10
};

static const int64_t watch_every_ns = 20 * 1000000;

enum phase { SUBMIT = 0, WAIT, CANCEL, REDEEM, REDEEM_AGAIN, REPORT };

struct life {
    enum phase phase;
    bool is_over; /* the gateway is gone */
    unsigned serial;
    const char *action;
    char resource[64];
    char request[64];
    char grant[64];
    char token[2048];
};

struct ballot {
    char request[64];
    char digest[80];
    bool needs_two;
    bool approves;
};

struct clients {
    const char *caller;
    const char *secrets[2]; /* dana's and erik's */
    const char *audit;
    const char *round;
    struct load *load;
    int64_t until_ns;
    int64_t watched_ns;
    unsigned serial;
    struct life lives[CONNECTIONS];
    struct ballot *ballots;
    size_t ballot_count;
    size_t cast_count[2]; /* how many each voter has taken up */
};

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    char line[8192];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof line - 1) {
        length = (int)sizeof line - 2;
    }
    line[length] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)length + 1) != length + 1) {
        exit(74); /* a journal with holes would accuse the gateway */
    }
}

/* ---- what is sent ---- */

static void append_submit(struct clients *clients, struct life *life, bool is_runner,
                          struct builder *out)
{
    char body[512];
    life->serial = clients->serial++;
    life->action = is_runner               ? "orders.get"
                   : life->serial % 3 == 0 ? "payments.refund"
                                           : "payments.transfer";
    snprintf(life->resource, sizeof life->resource, "%s-%u", clients->round, life->serial);
    int length = snprintf(body, sizeof body,
                          "{\"subject\":{\"type\":\"user\",\"id\":\"alice\"},\"resource\":{"
                          "\"type\":\"order\",\"id\":\"%s\"},\"action\":{\"name\":\"%s\"}}",
                          life->resource, life->action);
    load_append_request(out, "POST", "/v1/requests", clients->caller, NULL, body, (size_t)length);
}

static void append_about_request(const struct clients *clients, const struct life *life,
                                 struct builder *out)
{
    char path[128];
    bool waits = life->phase == WAIT;
    snprintf(path, sizeof path, "/v1/requests/%s%s", life->request, waits ? "" : "/cancel");
    load_append_request(out, waits ? "GET" : "POST", path, clients->caller,
                        waits ? "Prefer: wait=60\r\n" : NULL, waits ? NULL : "{}", 2);
}

static void append_redeem(const struct clients *clients, const struct life *life,
                          struct builder *out)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    builder_printf(&body,
                   "{\"token\":\"%s\",\"action\":{\"name\":\"%s\"},\"resource\":{\"type\":"
                   "\"order\",\"id\":\"%s\"}}",
                   life->token, life->action, life->resource);
    if (life->phase == REDEEM) {
        note("try %s", life->grant);
    }
    load_append_request(out, "POST", "/v1/grants/redeem", clients->caller, NULL, body.bytes,
                        body.length);
}

static void append_report(const struct clients *clients, const struct life *life,
                          struct builder *out)
{
    static const char body[] = "{\"effect\":\"succeeded\"}";
    char path[128];
    snprintf(path, sizeof path, "/v1/grants/%s/effect", life->grant);
    note("reporting %s", life->grant);
    load_append_request(out, "POST", path, clients->caller, NULL, body, sizeof body - 1);
}

static bool append_vote(struct clients *clients, size_t voter, struct builder *out)
{
    char path[128];
    char body[256];
    size_t *cast_count = &clients->cast_count[voter];
    while (*cast_count < clients->ballot_count && voter == 1 &&
           !clients->ballots[*cast_count].needs_two) {
        ++*cast_count;
    }
    if (*cast_count == clients->ballot_count) {
        return false;
    }
    const struct ballot *ballot = &clients->ballots[(*cast_count)++];
    struct life *life = &clients->lives[DANA + voter];
    memcpy(life->request, ballot->request, sizeof life->request);
    snprintf(path, sizeof path, "/v1/requests/%s/votes", ballot->request);
    int length = snprintf(body, sizeof body, "{\"vote\":\"%s\",\"revision\":1,\"digest\":\"%s\"}",
                          ballot->approves ? "approve" : "deny", ballot->digest);
    note("voting %s %s", ballot->request, voter == 0 ? "dana" : "erik");
    load_append_request(out, "POST", path, clients->secrets[voter], NULL, body, (size_t)length);
    return true;
}

static bool next(void *context, size_t index, struct builder *out)
{
    struct clients *clients = context;
    struct life *life = &clients->lives[index];
    if (life->is_over || load_now_ns() > clients->until_ns) {
        return false;
    }
    if (index == WATCHER && load_now_ns() - clients->watched_ns < watch_every_ns) {
        return false;
    }
    if (index == WATCHER) {
        clients->watched_ns = load_now_ns();
        load_append_request(out, "GET", "/v1/ledger/checkpoint", clients->audit, NULL, NULL, 0);
        return true;
    }
    if (index >= DANA) {
        return append_vote(clients, index - DANA, out);
    }
    switch (life->phase) {
    case SUBMIT:
        append_submit(clients, life, index < RUNNERS, out);
        break;
    case WAIT:
    case CANCEL:
        append_about_request(clients, life, out);
        break;
    case REDEEM:
    case REDEEM_AGAIN:
        append_redeem(clients, life, out);
        break;
    case REPORT:
        append_report(clients, life, out);
        break;
    }
    return true;
}

/* ---- what comes back ---- */

/* The request's own state: `salt` stands right before it, after the grant's. */
static void read_state(const struct load_reply *reply, char out[64])
{
    const char *salt = strstr(reply->body, "\"salt\":\"");
    struct load_reply rest = *reply;
    out[0] = '\0';
    if (salt != NULL) {
        rest.body = salt;
        rest.length = strlen(salt);
        (void)load_find_text(&rest, "\"state\":\"", out, 64);
    }
}

static void add_ballot(struct clients *clients, const struct life *life,
                       const struct load_reply *reply)
{
    if (clients->ballot_count == BALLOTS_MAX) {
        return;
    }
    struct ballot *ballot = &clients->ballots[clients->ballot_count];
    memcpy(ballot->request, life->request, sizeof ballot->request);
    ballot->needs_two = strcmp(life->action, "payments.transfer") == 0;
    ballot->approves = life->serial % 5 != 0;
    if (load_find_text(reply, "\"digest\":\"", ballot->digest, sizeof ballot->digest)) {
        clients->ballot_count++;
        load_nudge_one(clients->load, DANA);
        load_nudge_one(clients->load, ERIK);
    }
}

/* With an approval comes the token; without, this life is over. */
static enum phase take_token(struct life *life, const struct load_reply *reply)
{
    if (!load_find_text(reply, "\"token\":\"", life->token, sizeof life->token) ||
        !load_find_text(reply, "\"id\":\"grt_", life->grant + 4, sizeof life->grant - 4)) {
        return SUBMIT;
    }
    memcpy(life->grant, "grt_", 4);
    note("mint %s %s %s %s %s", life->request, life->grant, life->action, life->resource,
         life->token);
    return REDEEM;
}

static enum phase on_submitted(struct clients *clients, struct life *life,
                               const struct load_reply *reply)
{
    char state[64];
    memcpy(life->request, "req_", 5);
    (void)load_find_text(reply, "\"id\":\"req_", life->request + 4, sizeof life->request - 4);
    read_state(reply, state);
    note("request %s %s", life->request, state);
    if (strcmp(state, "pending") == 0) {
        add_ballot(clients, life, reply);
        return life->serial % 11 == 0 ? CANCEL : WAIT;
    }
    return take_token(life, reply);
}

static enum phase on_waited(struct life *life, const struct load_reply *reply)
{
    char state[64];
    read_state(reply, state);
    note("state %s %s", life->request, state);
    return strcmp(state, "pending") == 0 ? WAIT : take_token(life, reply);
}

static enum phase on_redeemed(struct life *life, const struct load_reply *reply)
{
    int64_t fence = 0;
    (void)load_find_number(reply, "\"fence\":", &fence);
    if (life->phase == REDEEM_AGAIN) {
        note("again %s %lld", life->grant, (long long)fence);
        return REPORT;
    }
    note("redeemed %s %lld", life->grant, (long long)fence);
    return life->serial % 4 == 0 ? REDEEM_AGAIN : REPORT;
}

static void on_voted(const struct clients *clients, size_t index, const struct load_reply *reply)
{
    char outcome[64] = "";
    (void)load_find_text(reply, "\"outcome\":\"", outcome, sizeof outcome);
    note("vote %s %s %s", clients->lives[index].request, index == DANA ? "dana" : "erik", outcome);
}

static bool is_expected(enum phase phase, int status)
{
    switch (phase) {
    case SUBMIT:
        return status == 201 || status == 202;
    case WAIT:
        return status == 200 || status == 202;
    case REDEEM_AGAIN:
        return status == 409;
    case CANCEL:
    case REDEEM:
    case REPORT:
        break;
    }
    return status == 200;
}

static void on_life(struct clients *clients, struct life *life, const struct load_reply *reply)
{
    char text[64] = "";
    switch (life->phase) {
    case SUBMIT:
        life->phase = on_submitted(clients, life, reply);
        break;
    case WAIT:
        life->phase = on_waited(life, reply);
        break;
    case CANCEL:
        (void)load_find_text(reply, "\"state\":\"", text, sizeof text);
        note("cancelled %s %s", life->request, text);
        life->phase = SUBMIT;
        break;
    case REDEEM:
    case REDEEM_AGAIN:
        life->phase = on_redeemed(life, reply);
        break;
    case REPORT:
        (void)load_find_text(reply, "\"state\":\"", text, sizeof text);
        note("effect %s %s", life->grant, text);
        life->phase = SUBMIT;
        break;
    }
}

static void on_reply(void *context, size_t index, const struct load_reply *reply)
{
    struct clients *clients = context;
    struct life *life = &clients->lives[index];
    char code[64] = "";
    if (reply->status == 503) {
        (void)load_find_text(reply, "\"code\":\"", code, sizeof code);
        note("refused %s%s%s", code, life->phase == REDEEM ? " " : "",
             life->phase == REDEEM ? life->grant : "");
        life->phase = SUBMIT;
    } else if (index >= DANA ? reply->status != 200 : !is_expected(life->phase, reply->status)) {
        note("odd %d %s", reply->status, reply->body);
        life->phase = SUBMIT;
    } else if (index == WATCHER) {
        note("checkpoint %s", reply->body);
    } else if (index >= DANA) {
        on_voted(clients, index, reply);
    } else {
        on_life(clients, life, reply);
    }
}

static void on_lost(void *context, size_t index)
{
    struct clients *clients = context;
    clients->lives[index].is_over = true;
}

static const char *need(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "client: %s is not set\n", name);
        exit(64);
    }
    return value;
}

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "client PORT MS ROUND\n");
        return 64;
    }
    struct clients *clients = memory_zeroed(1, sizeof *clients);
    clients->caller = need("CLIENT_CALLER");
    clients->secrets[0] = need("CLIENT_DANA");
    clients->secrets[1] = need("CLIENT_ERIK");
    clients->audit = need("CLIENT_AUDIT");
    clients->round = words[3];
    clients->ballots = memory_zeroed(BALLOTS_MAX, sizeof *clients->ballots);
    clients->until_ns = load_now_ns() + strtoll(words[2], NULL, 10) * 1000000;
    clients->load =
        load_create(&(struct load_options){.port = (uint16_t)strtoul(words[1], NULL, 10),
                                           .connection_count = CONNECTIONS,
                                           .context = clients,
                                           .next = next,
                                           .on_reply = on_reply,
                                           .on_lost = on_lost});
    load_nudge(clients->load);
    while (load_now_ns() <= clients->until_ns && load_turn(clients->load, TURN_MS) > 0) {
        load_nudge_one(clients->load, WATCHER);
    }
    load_destroy(clients->load);
    free(clients->ballots);
    free(clients);
    return 0;
}
