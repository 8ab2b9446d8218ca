/* The HTTP front alone, with a handler for every way to answer, so that the framing corpus and the
 * measurements of docs/decisions/0002-http-front.md run without the gateway.
 *
 *   framing_server [--head-ms N] [--body-ms N] [--idle-ms N] [--write-ms N] [--body-max N]
 *                  [--connections N] [--per-address N] [--port N] [--host NAME] [--socket PATH]
 *                  [--certificate FILE --key FILE [--client-ca FILE]]
 *
 * Prints `port N` once it listens. SIGTERM drains, SIGHUP reads the certificates again. */

#include "base/check.h"
#include "base/memory.h"
#include "loop/http.h"
#include "loop/loop.h"
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_PIECE = 10000, LATER_MS = 3, DRAIN_MS = 2000 };

struct server {
    struct loop *loop;
    struct http_server *http;
    struct metrics *metrics;
    struct waiter *waiters;
    long waiter_count;
    long request_count;
    long gone_count;
    char last_refusal[64];
};

struct waiter {
    struct server *server;
    struct http_exchange *exchange;
    struct waiter *previous;
    struct waiter *next;
};

struct later {
    struct server *server;
    struct http_exchange *exchange;
    struct loop_timer *timer;
    char body[256];
};

struct stream {
    struct server *server;
    struct http_exchange *exchange;
    size_t left;
    bool is_cut_short;
};

static const struct http_field json_field = {"Content-Type", "application/json"};

static void answer(struct http_exchange *exchange, int status, const char *body)
{
    http_answer(exchange, status, &json_field, 1, body, strlen(body));
}

/* FNV-1a, so that a test sees whether a body arrived byte for byte. */
static unsigned long long hash(const char *bytes, size_t length)
{
    unsigned long long value = 14695981039346656037ULL;
    for (size_t i = 0; i < length; i++) {
        value = (value ^ (unsigned char)bytes[i]) * 1099511628211ULL;
    }
    return value;
}

static void describe(const struct server *server, const struct http_exchange *exchange, char *out,
                     size_t bytes)
{
    size_t length = 0;
    const char *body = http_body(exchange, &length);
    struct http_credentials credentials = {0};
    bool has_credentials = http_peer_credentials(exchange, &credentials);
    const struct http_certificate *certificate = http_peer_certificate(exchange);
    snprintf(
        out, bytes,
        "{\"serial\":%ld,\"method\":\"%s\",\"path\":\"%.80s\",\"query\":\"%.40s\",\"length\":%zu,"
        "\"hash\":\"%016llx\",\"peer\":\"%s\",\"uid\":%d,\"uri\":\"%.80s\"}",
        server->request_count, http_method_text(exchange), http_path(exchange),
        http_query(exchange), length, hash(body, length), http_peer_text(exchange),
        has_credentials ? (int)credentials.uid : -1,
        certificate != NULL && certificate->uris[0] != NULL ? certificate->uris[0] : "");
}

static void echo(struct server *server, struct http_exchange *exchange)
{
    char body[512];
    describe(server, exchange, body, sizeof(body));
    answer(exchange, 200, body);
}

/* The same work as the study's server, for measuring: parse, look up two members, answer. */
static void decide(struct http_exchange *exchange)
{
    size_t length = 0;
    const char *body = http_body(exchange, &length);
    json_error_t error;
    json_t *json = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        answer(exchange, 400, "{\"error\":\"json\"}");
        return;
    }
    const char *id = json_string_value(json_object_get(json, "request_id"));
    const char *action = json_string_value(json_object_get(json, "action"));
    char out[512];
    snprintf(
        out, sizeof(out),
        "{\"request_id\":\"%s\",\"action\":\"%s\",\"status\":\"approved\",\"rev\":3,\"final\":true,"
        "\"by\":\"policy:p-12\",\"ts\":1700000000000}",
        id == NULL ? "" : id, action == NULL ? "" : action);
    json_decref(json);
    answer(exchange, 200, out);
}

static void unlink_waiter(struct waiter *waiter)
{
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        waiter->server->waiters = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    }
    waiter->server->waiter_count--;
}

static void on_waiter_gone(void *context)
{
    struct waiter *waiter = context;
    unlink_waiter(waiter);
    waiter->server->gone_count++;
    free(waiter);
}

static void park(struct server *server, struct http_exchange *exchange)
{
    struct waiter *waiter = memory_zeroed(1, sizeof(*waiter));
    waiter->server = server;
    waiter->exchange = exchange;
    waiter->next = server->waiters;
    if (server->waiters != NULL) {
        server->waiters->previous = waiter;
    }
    server->waiters = waiter;
    server->waiter_count++;
    http_set_context(exchange, waiter);
    http_park(exchange, on_waiter_gone);
}

static long release_all(struct server *server)
{
    long count = 0;
    for (; server->waiters != NULL; count++) {
        struct waiter *waiter = server->waiters;
        struct http_exchange *exchange = waiter->exchange;
        unlink_waiter(waiter);
        free(waiter);
        answer(exchange, 200, "{\"status\":\"approved\",\"final\":true}");
    }
    return count;
}

static void release(struct server *server, struct http_exchange *exchange)
{
    char body[64];
    snprintf(body, sizeof(body), "{\"released\":%ld}", release_all(server));
    answer(exchange, 200, body);
}

static long rss_kb(void)
{
    long pages = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%ld %ld", &pages, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void report(struct server *server, struct http_exchange *exchange)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    char body[512];
    snprintf(body, sizeof(body),
             "{\"rss_kb\":%ld,\"parked\":%ld,\"gone\":%ld,\"requests\":%ld,\"cpu_us\":%lld,"
             "\"refusal\":\"%s\"}\n",
             rss_kb(), server->waiter_count, server->gone_count, server->request_count,
             (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
             server->last_refusal);
    answer(exchange, 200, body);
}

static void on_later(void *context)
{
    struct later *later = context;
    answer(later->exchange, 200, later->body);
    loop_timer_destroy(later->timer);
    free(later);
}

static void answer_later(struct server *server, struct http_exchange *exchange)
{
    struct later *later = memory_zeroed(1, sizeof(*later));
    later->server = server;
    later->exchange = exchange;
    describe(server, exchange, later->body, sizeof(later->body));
    later->timer = loop_timer_create(server->loop, on_later, later);
    loop_timer_arm(later->timer, loop_now(server->loop) + LATER_MS);
}

static void run_stream(void *context)
{
    struct stream *stream = context;
    char piece[STREAM_PIECE];
    bool has_room = true;
    while (has_room && stream->left > 0) {
        size_t length = stream->left < sizeof(piece) ? stream->left : sizeof(piece);
        memset(piece, 'a' + (int)(stream->left % 26), length);
        stream->left -= length;
        has_room = http_stream_write(stream->exchange, piece, length);
    }
    if (stream->left > 0) {
        return;
    }
    if (stream->is_cut_short) {
        http_stream_abort(stream->exchange);
    } else {
        http_stream_end(stream->exchange);
    }
    free(stream);
}

static void on_stream_gone(void *context)
{
    struct stream *stream = context;
    stream->server->gone_count++;
    free(stream);
}

static void begin_stream(struct server *server, struct http_exchange *exchange)
{
    struct stream *stream = memory_zeroed(1, sizeof(*stream));
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    bool is_present = false;
    CHECK(http_query_value(exchange, "bytes", &text, &is_present, NULL));
    stream->server = server;
    stream->exchange = exchange;
    stream->left = strtoul(text.bytes, NULL, 10);
    stream->is_cut_short = strcmp(http_path(exchange), "/stream-cut") == 0;
    http_set_context(exchange, stream);
    http_stream_begin(exchange, 200, &json_field, 1, run_stream, on_stream_gone);
    run_stream(stream);
}

/* The taker of an upgraded connection: sends back what it gets until the client is done. */
static void *run_echo(void *context)
{
    char bytes[8192];
    int fd = (int)(intptr_t)context;
    ssize_t length;
    while ((length = read(fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t sent = 0, now = 0; sent < length && now >= 0; sent += now) {
            now = send(fd, bytes + sent, (size_t)(length - sent), MSG_NOSIGNAL);
        }
    }
    close(fd);
    return NULL;
}

/* Gives the connection to a thread of its own, after what was read of it. */
static void upgrade(struct http_exchange *exchange)
{
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                               "Upgrade: echo\r\n\r\n";
    struct builder bytes BUILDER_SCOPE;
    builder_init(&bytes, 0);
    int fd = -1;
    struct error error = {0};
    if (!http_detach(exchange, &fd, &bytes, &error)) {
        answer(exchange, 500, error.message);
        return;
    }
    pthread_t thread;
    CHECK(fcntl(fd, F_SETFL, 0) == 0); /* blocking */
    (void)!write(fd, head, sizeof(head) - 1);
    (void)!write(fd, bytes.bytes, bytes.length);
    CHECK(pthread_create(&thread, NULL, run_echo, (void *)(intptr_t)fd) == 0);
    pthread_detach(thread);
}

static void on_request(void *context, struct http_exchange *exchange)
{
    struct server *server = context;
    const char *path = http_path(exchange);
    server->request_count++;
    if (strcmp(path, "/decide") == 0) {
        decide(exchange);
    } else if (strcmp(path, "/park") == 0) {
        park(server, exchange);
    } else if (strcmp(path, "/release") == 0) {
        release(server, exchange);
    } else if (strcmp(path, "/stat") == 0) {
        report(server, exchange);
    } else if (strcmp(path, "/get") == 0) {
        answer(exchange, 200, "{\"ok\":true}");
    } else if (strcmp(path, "/later") == 0) {
        answer_later(server, exchange);
    } else if (strncmp(path, "/stream", 7) == 0) {
        begin_stream(server, exchange);
    } else if (strcmp(path, "/split") == 0) {
        struct http_field field = {"X-Split", "a\r\nSet-Cookie: b"};
        http_answer(exchange, 200, &field, 1, "", 0);
    } else if (http_wants_upgrade(exchange, "echo")) {
        upgrade(exchange);
    } else {
        echo(server, exchange);
    }
}

static void on_note(void *context, const struct http_note *note)
{
    struct server *server = context;
    snprintf(server->last_refusal, sizeof(server->last_refusal), "%s", note->detail);
}

static void on_drained(void *context)
{
    struct server *server = context;
    loop_stop(server->loop);
}

static void on_signal(void *context, enum loop_signal signal)
{
    struct server *server = context;
    struct error error = {0};
    if (signal == LOOP_SIGNAL_RELOAD) {
        bool is_good = http_reload_certificates(server->http, &error);
        printf("%s\n", is_good ? "reloaded" : error.message);
        fflush(stdout);
        return;
    }
    http_drain(server->http, DRAIN_MS, on_drained, server);
    (void)release_all(server);
}

struct arguments {
    struct http_limits limits;
    struct http_listener_options listener;
    const char *host_names[2];
};

enum {
    ARGUMENT_HEAD_MS = 1,
    ARGUMENT_BODY_MS,
    ARGUMENT_IDLE_MS,
    ARGUMENT_WRITE_MS,
    ARGUMENT_BODY_MAX,
    ARGUMENT_CONNECTIONS,
    ARGUMENT_PER_ADDRESS,
    ARGUMENT_PORT,
    ARGUMENT_HOST,
    ARGUMENT_SOCKET,
    ARGUMENT_CERTIFICATE,
    ARGUMENT_KEY,
    ARGUMENT_CLIENT_CA,
};

static void take_argument(struct arguments *arguments, int name, const char *value)
{
    long number = strtol(value, NULL, 10);
    switch (name) {
    case ARGUMENT_HEAD_MS:
        arguments->limits.head_ms = number;
        break;
    case ARGUMENT_BODY_MS:
        arguments->limits.body_ms = number;
        break;
    case ARGUMENT_IDLE_MS:
        arguments->limits.idle_ms = number;
        break;
    case ARGUMENT_WRITE_MS:
        arguments->limits.write_ms = number;
        break;
    case ARGUMENT_BODY_MAX:
        arguments->limits.body_bytes_max = (size_t)number;
        break;
    case ARGUMENT_CONNECTIONS:
        arguments->limits.connections_max = (int)number;
        break;
    case ARGUMENT_PER_ADDRESS:
        arguments->limits.connections_per_address_max = (int)number;
        break;
    case ARGUMENT_PORT:
        arguments->listener.port = (uint16_t)number;
        break;
    case ARGUMENT_HOST:
        arguments->host_names[0] = value;
        arguments->listener.host_names = arguments->host_names;
        break;
    case ARGUMENT_SOCKET:
        arguments->listener.socket_path = value;
        break;
    case ARGUMENT_CERTIFICATE:
        arguments->listener.certificate_file = value;
        break;
    case ARGUMENT_KEY:
        arguments->listener.key_file = value;
        break;
    case ARGUMENT_CLIENT_CA:
        arguments->listener.client_ca_file = value;
        break;
    default:
        exit(2);
    }
}

static void read_arguments(struct arguments *arguments, int count, char **values)
{
    static const struct option options[] = {
        {"head-ms", required_argument, NULL, ARGUMENT_HEAD_MS},
        {"body-ms", required_argument, NULL, ARGUMENT_BODY_MS},
        {"idle-ms", required_argument, NULL, ARGUMENT_IDLE_MS},
        {"write-ms", required_argument, NULL, ARGUMENT_WRITE_MS},
        {"body-max", required_argument, NULL, ARGUMENT_BODY_MAX},
        {"connections", required_argument, NULL, ARGUMENT_CONNECTIONS},
        {"per-address", required_argument, NULL, ARGUMENT_PER_ADDRESS},
        {"port", required_argument, NULL, ARGUMENT_PORT},
        {"host", required_argument, NULL, ARGUMENT_HOST},
        {"socket", required_argument, NULL, ARGUMENT_SOCKET},
        {"certificate", required_argument, NULL, ARGUMENT_CERTIFICATE},
        {"key", required_argument, NULL, ARGUMENT_KEY},
        {"client-ca", required_argument, NULL, ARGUMENT_CLIENT_CA},
        {0},
    };
    int name;
    while ((name = getopt_long(count, values, "", options, NULL)) != -1) {
        take_argument(arguments, name, optarg == NULL ? "" : optarg);
    }
}

int main(int argument_count, char **argument_values)
{
    struct server server = {0};
    struct arguments arguments = {.listener = {.address = "127.0.0.1"}};
    read_arguments(&arguments, argument_count, argument_values);
    struct error error = {0};
    server.loop =
        loop_create(&(struct loop_options){.on_signal = on_signal, .context = &server}, &error);
    CHECK(server.loop != NULL);
    server.metrics = metrics_create();
    server.http = http_server_create(&(struct http_server_options){.loop = server.loop,
                                                                   .metrics = server.metrics,
                                                                   .limits = arguments.limits,
                                                                   .on_note = on_note,
                                                                   .note_context = &server});
    arguments.listener.on_request = on_request;
    arguments.listener.context = &server;
    uint16_t port = 0;
    if (!http_listen(server.http, &arguments.listener, &port, &error)) {
        fprintf(stderr, "%s\n", error.message);
        http_server_destroy(server.http);
        loop_destroy(server.loop);
        metrics_destroy(server.metrics);
        return 1;
    }
    printf("port %u\n", (unsigned)port);
    fflush(stdout);
    loop_run(server.loop);
    http_server_destroy(server.http);
    loop_destroy(server.loop);
    metrics_destroy(server.metrics);
    return 0;
}
