#include "loop/http_internal.h"

#include "base/check.h"
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Giving a connection away, for protocols that begin with an Upgrade (RFC 9110 section 7.8). */

/* ---- the request again, in one canonical form ---- */

static void append_path(struct builder *out, const char *path)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *path != '\0'; path++) {
        unsigned char byte = (unsigned char)*path;
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || strchr("/-._~", byte) != NULL;
        if (is_plain) {
            builder_char(out, (char)byte);
        } else {
            char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            builder_append(out, escape, sizeof(escape));
        }
    }
}

static void append_request(struct builder *out, const struct http_exchange *exchange)
{
    builder_text(out, http_method_text(exchange));
    builder_char(out, ' ');
    append_path(out, http_path(exchange));
    if (http_query(exchange)[0] != '\0') {
        builder_char(out, '?');
        builder_text(out, http_query(exchange));
    }
    builder_text(out, " HTTP/1.1\r\n");
    size_t cursor = 0;
    const char *name = NULL;
    const char *value = NULL;
    while ((value = http_header_next(exchange, NULL, &cursor, &name)) != NULL) {
        builder_text(out, name);
        builder_text(out, ": ");
        builder_text(out, value);
        builder_text(out, "\r\n");
    }
    builder_text(out, "\r\n");
    const struct request *request = exchange->request;
    size_t end = request->parser.body_start; /* joined chunks may end before `position` */
    size_t body_length = request->parser.body_length;
    builder_append(out, request->bytes + end, body_length);
    builder_append(out, request->bytes + request->parser.position,
                   request->length - request->parser.position);
}

/* ---- carrying bytes for a TLS connection ----
 * Towards the client through connection_send and its queue, towards the owner through the request
 * buffer; each side is read only while the other has taken everything. */

struct pump {
    ev_io io; /* our end of the pair */
    struct http_exchange *connection;
    bool is_owner_done;
    bool is_owner_told; /* that the client has shut its side */
    bool has_moved;     /* something, in this round */
};

static void pump_destroy(void *context)
{
    struct pump *pump = context;
    ev_io_stop(server_of(pump->connection)->loop->ev, &pump->io);
    close(pump->io.fd);
    free(pump);
}

static bool read_client(struct pump *pump)
{
    struct http_exchange *connection = pump->connection;
    if (connection->request == NULL) {
        connection->request = server_take_request(server_of(connection));
    }
    struct request *request = connection->request;
    if (request->length > 0 || connection->is_peer_closed) {
        return true;
    }
    size_t received = 0;
    enum io_status status =
        connection_receive(connection, request->bytes, request->capacity, &received);
    request->length = status == IO_DONE ? received : 0;
    pump->has_moved |= status == IO_DONE;
    connection->is_peer_closed = status == IO_CLOSED;
    return status != IO_FAILED;
}

static bool write_owner(struct pump *pump)
{
    struct http_exchange *connection = pump->connection;
    struct request *request = connection->request;
    if (request->length > 0) {
        ssize_t sent = send(pump->io.fd, request->bytes, request->length, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        memmove(request->bytes, request->bytes + sent, request->length - (size_t)sent);
        request->length -= (size_t)sent;
        pump->has_moved = true;
    }
    if (request->length == 0 && connection->is_peer_closed && !pump->is_owner_told) {
        pump->is_owner_told = true;
        (void)shutdown(pump->io.fd, SHUT_WR);
    }
    return true;
}

static bool read_owner(struct pump *pump)
{
    struct http_exchange *connection = pump->connection;
    if (pump->is_owner_done || connection->output != NULL) {
        return true;
    }
    char bytes[SCRATCH_BYTES]; /* connection_send joins pieces in the server's scratch */
    ssize_t received = recv(pump->io.fd, bytes, sizeof(bytes), 0);
    if (received < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    pump->is_owner_done = received == 0;
    if (received > 0) {
        struct iovec piece = {.iov_base = bytes, .iov_len = (size_t)received};
        connection_send(connection, &piece, 1);
        pump->has_moved = true;
    }
    return true;
}

static void watch_owner(struct pump *pump)
{
    struct http_exchange *connection = pump->connection;
    struct ev_loop *ev = server_of(connection)->loop->ev;
    int wanted = (connection->output == NULL && !pump->is_owner_done ? EV_READ : 0) |
                 (connection->request->length > 0 ? EV_WRITE : 0);
    ev_io_stop(ev, &pump->io);
    if (wanted != 0) {
        ev_io_set(&pump->io, pump->io.fd, wanted);
        ev_io_start(ev, &pump->io);
    }
}

static void end_pump(struct pump *pump)
{
    struct http_exchange *connection = pump->connection;
    connection->closes = true;
    connection->on_gone = NULL;
    pump_destroy(pump);
    connection_end_exchange(connection);
}

void pump_run(struct http_exchange *connection)
{
    struct pump *pump = connection->context;
    pump->has_moved = true;
    for (int i = 0; i < READS_PER_TURN && pump->has_moved; i++) {
        pump->has_moved = false;
        if (!read_client(pump) || !write_owner(pump) || !read_owner(pump)) {
            connection_close(connection);
            return;
        }
    }
    if (pump->is_owner_done && connection->output == NULL) {
        end_pump(pump);
        return;
    }
    if (pump->has_moved) {
        server_mark_ready(connection); /* TLS may hold more than the socket shows */
    }
    watch_owner(pump);
    connection_watch(connection);
}

static void on_owner_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev, (void)events;
    struct pump *pump = watcher->data;
    pump_run(pump->connection);
}

static bool start_pump(struct http_exchange *exchange, int *out_fd, struct error *error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        return error_set(error, ERROR_INTERNAL, "no_descriptors", NULL,
                         "no descriptor is left for an upgraded connection: raise the limit");
    }
    struct pump *pump = memory_zeroed(1, sizeof(*pump));
    pump->connection = exchange;
    LOOP_INIT(&pump->io, on_owner_io, pump);
    ev_io_set(&pump->io, pair[0], EV_READ);
    connection_drop_borrowed(exchange);
    if (exchange->request != NULL) {
        exchange->request->length = 0; /* given to the owner with the request */
    }
    exchange->state = CONNECTION_PUMPING;
    exchange->context = pump;
    exchange->on_gone = pump_destroy;
    connection_set_deadline(exchange, DEADLINE_NONE);
    server_mark_ready(exchange);
    *out_fd = pair[1];
    return true;
}

bool http_detach(struct http_exchange *exchange, int *out_fd, struct builder *out_bytes,
                 struct error *error)
{
    CHECK(exchange->magic == CONNECTION_MAGIC && exchange->state == CONNECTION_HANDLING);
    if (connection_is_cut(exchange) || exchange->is_broken || exchange->output != NULL) {
        return error_set(error, ERROR_INTERNAL, "client_gone", NULL,
                         "the client has left before its connection was upgraded");
    }
    append_request(out_bytes, exchange);
    if (exchange->tls != NULL) {
        return start_pump(exchange, out_fd, error);
    }
    *out_fd = connection_give_up_socket(exchange);
    exchange->state = CONNECTION_WRITING; /* not a handler's any more */
    connection_close(exchange);
    return true;
}
