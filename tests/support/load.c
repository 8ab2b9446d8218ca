#include "tests/support/load.h"

#include "base/check.h"
#include "base/memory.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 512,
    READ_BYTES = 256 * 1024,
    KEPT_BYTES = 16 * 1024, /* a bigger buffer is given back after its reply */
    /* One address has 28,000 ports; 127.0.0.2, .3 ... are ours too. */
    CONNECTIONS_PER_ADDRESS = 8000
};

enum load_state { LOAD_IDLE = 0, LOAD_SENDING, LOAD_WAITING };

struct load_connection {
    int descriptor; /* -1: closed */
    enum load_state state;
    bool is_connected;
    size_t sent;
    int64_t began_ns;
    struct builder out;
    struct builder in; /* zeroed while nothing is kept in it */
};

struct load {
    struct load_options options;
    struct load_connection *connections;
    int epoll;
    size_t under_way;
    char *chunk;
};

int64_t load_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct load *load_create(const struct load_options *options)
{
    struct load *load = memory_zeroed(1, sizeof *load);
    load->options = *options;
    load->connections = memory_zeroed(options->connection_count, sizeof *load->connections);
    load->chunk = memory_zeroed(1, READ_BYTES + 1);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(load->epoll >= 0);
    for (size_t i = 0; i < options->connection_count; i++) {
        load->connections[i].descriptor = -1;
    }
    return load;
}

void load_destroy(struct load *load)
{
    if (load == NULL) {
        return;
    }
    for (size_t i = 0; i < load->options.connection_count; i++) {
        struct load_connection *connection = &load->connections[i];
        if (connection->descriptor >= 0) {
            close(connection->descriptor);
        }
        builder_finish(&connection->out);
        builder_finish(&connection->in);
    }
    close(load->epoll);
    free(load->connections);
    free(load->chunk);
    free(load);
}

/* ---- one connection ---- */

static void end_exchange(struct load *load, struct load_connection *connection)
{
    connection->state = LOAD_IDLE;
    load->under_way--;
    builder_clear(&connection->out);
    if (connection->in.capacity > KEPT_BYTES) {
        builder_finish(&connection->in);
    } else if (connection->in.bytes != NULL) {
        builder_clear(&connection->in);
    }
}

static void close_connection(struct load_connection *connection)
{
    close(connection->descriptor); /* leaves the epoll set by this */
    connection->descriptor = -1;
    connection->is_connected = false;
}

static void lose(struct load *load, size_t index)
{
    struct load_connection *connection = &load->connections[index];
    bool was_busy = connection->state != LOAD_IDLE;
    close_connection(connection);
    if (was_busy) {
        end_exchange(load, connection);
        load->options.on_lost(load->options.context, index);
    }
}

static void send_rest(struct load *load, size_t index)
{
    struct load_connection *connection = &load->connections[index];
    const struct builder *out = &connection->out;
    while (connection->sent < out->length) {
        ssize_t count = send(connection->descriptor, out->bytes + connection->sent,
                             out->length - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            return;
        }
        if (count < 0) {
            lose(load, index);
            return;
        }
        connection->sent += (size_t)count;
    }
    connection->state = LOAD_WAITING;
}

static bool open_connection(struct load *load, size_t index)
{
    struct load_connection *connection = &load->connections[index];
    int on = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(load->options.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index / CONNECTIONS_PER_ADDRESS));
    if (descriptor < 0) {
        return false;
    }
    /* The port is chosen at connect, so that each address has all of them. */
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u64 = index};
    if (bind(descriptor, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(descriptor, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        close(descriptor);
        return false;
    }
    connection->descriptor = descriptor;
    return true;
}

void load_nudge_one(struct load *load, size_t index)
{
    struct load_connection *connection = &load->connections[index];
    if (connection->state != LOAD_IDLE) {
        return;
    }
    if (connection->out.bytes == NULL) {
        builder_init(&connection->out, 0);
    }
    builder_clear(&connection->out);
    if (!load->options.next(load->options.context, index, &connection->out)) {
        return;
    }
    CHECK(connection->out.length > 0);
    connection->state = LOAD_SENDING;
    connection->sent = 0;
    connection->began_ns = load_now_ns();
    load->under_way++;
    if (connection->descriptor < 0 && !open_connection(load, index)) {
        end_exchange(load, connection);
        load->options.on_lost(load->options.context, index);
    } else if (connection->is_connected) {
        send_rest(load, index);
    }
}

void load_nudge(struct load *load)
{
    for (size_t i = 0; i < load->options.connection_count; i++) {
        load_nudge_one(load, i);
    }
}

/* ---- replies ---- */

/* The length of a whole reply in `bytes`, 0 when more has to come. Only what this repository's
 * servers send: one Content-Length, no chunks. */
static size_t read_reply(char *bytes, size_t length, struct load_reply *out, bool *out_closes)
{
    char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    end[2] = '\0';
    const char *found = strcasestr(bytes, "\r\ncontent-length:");
    size_t body = found == NULL ? 0 : strtoul(found + 17, NULL, 10);
    *out_closes = strcasestr(bytes, "\r\nconnection: close") != NULL;
    end[2] = '\r';
    size_t head = (size_t)(end - bytes) + 4;
    if (length < head + body) {
        return 0;
    }
    out->status = length > 12 ? atoi(bytes + 9) : 0;
    out->body = bytes + head;
    out->length = body;
    return head + body;
}

/* Tells the reply and asks for the next request. `bytes` is NUL-terminated. */
static bool tell_reply(struct load *load, size_t index, char *bytes, size_t length)
{
    struct load_connection *connection = &load->connections[index];
    struct load_reply reply = {.began_ns = connection->began_ns, .ended_ns = load_now_ns()};
    bool closes = false;
    if (read_reply(bytes, length, &reply, &closes) == 0) {
        return false;
    }
    if (closes) {
        close_connection(connection);
    }
    load->options.on_reply(load->options.context, index, &reply);
    end_exchange(load, connection);
    load_nudge_one(load, index);
    return true;
}

static void take_bytes(struct load *load, size_t index, char *bytes, size_t length)
{
    struct load_connection *connection = &load->connections[index];
    if (connection->state == LOAD_IDLE) {
        return;
    }
    /* Most replies come whole and need no buffer of their own. */
    if (connection->in.length == 0 && tell_reply(load, index, bytes, length)) {
        return;
    }
    if (connection->in.bytes == NULL) {
        builder_init(&connection->in, 0);
    }
    size_t former = connection->in.length;
    builder_append(&connection->in, bytes, length);
    if (former > 0) {
        (void)tell_reply(load, index, connection->in.bytes, connection->in.length);
    }
}

static void on_readable(struct load *load, size_t index, bool has_ended)
{
    struct load_connection *connection = &load->connections[index];
    for (;;) {
        ssize_t count = recv(connection->descriptor, load->chunk, READ_BYTES, 0);
        if (count < 0 && errno == EAGAIN) {
            return;
        }
        if (count <= 0) {
            lose(load, index);
            return;
        }
        load->chunk[count] = '\0';
        take_bytes(load, index, load->chunk, (size_t)count);
        if (connection->descriptor < 0 || (count < READ_BYTES && !has_ended)) {
            return; /* edge-triggered: what comes later is told again */
        }
    }
}

size_t load_turn(struct load *load, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(load->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        size_t index = events[i].data.u64;
        struct load_connection *connection = &load->connections[index];
        if (connection->descriptor >= 0 && (events[i].events & (EPOLLOUT | EPOLLERR)) != 0) {
            connection->is_connected = true;
            if (connection->state == LOAD_SENDING) {
                send_rest(load, index);
            }
        }
        uint32_t ended = events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        if (connection->descriptor >= 0 && ((events[i].events & EPOLLIN) != 0 || ended != 0)) {
            on_readable(load, index, ended != 0);
        }
    }
    return load->under_way;
}

void load_run(struct load *load)
{
    while (load->under_way > 0) {
        (void)load_turn(load, 1000);
    }
}

/* ---- texts ---- */

void load_append_request(struct builder *out, const char *method, const char *path,
                         const char *secret, const char *headers, const char *body, size_t length)
{
    builder_printf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
    if (secret != NULL) {
        builder_printf(out, "Authorization: Bearer %s\r\n", secret);
    }
    if (headers != NULL) {
        builder_text(out, headers);
    }
    if (body != NULL) {
        builder_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", length);
    }
    builder_text(out, "\r\n");
    if (body != NULL) {
        builder_append(out, body, length);
    }
}

bool load_find_text(const struct load_reply *reply, const char *before, char *out, size_t size)
{
    const char *found = memmem(reply->body, reply->length, before, strlen(before));
    if (found == NULL) {
        return false;
    }
    found += strlen(before);
    size_t length = strcspn(found, "\"");
    if (length >= size) {
        return false;
    }
    memcpy(out, found, length);
    out[length] = '\0';
    return true;
}

bool load_find_number(const struct load_reply *reply, const char *before, int64_t *out)
{
    const char *found = memmem(reply->body, reply->length, before, strlen(before));
    if (found == NULL) {
        return false;
    }
    *out = strtoll(found + strlen(before), NULL, 10);
    return true;
}

size_t load_raise_descriptors(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit.rlim_cur;
}
