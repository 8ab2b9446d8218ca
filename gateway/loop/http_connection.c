#include "loop/http_internal.h"

#include "base/check.h"
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_io(struct ev_loop *ev, ev_io *watcher, int events);
static void linger(struct http_exchange *connection);

/* ---- birth and end ---- */

struct http_exchange *connection_create(struct listener *listener, int fd, uint64_t address_key)
{
    struct http_server *server = listener->server;
    struct http_exchange *connection = memory_zeroed(1, sizeof(*connection));
    connection->magic = CONNECTION_MAGIC;
    connection->listener = listener;
    connection->address_key = address_key;
    connection->next = server->connections;
    if (server->connections != NULL) {
        server->connections->previous = connection;
    }
    server->connections = connection;
    server->connection_count++;
    metrics_add(server->options.metrics, METRIC_HTTP_CONNECTIONS, 1);
    LOOP_INIT(&connection->io, on_io, connection);
    ev_io_set(&connection->io, fd, EV_READ);
    if (listener->tls != NULL) {
        connection->tls = tls_create(listener->tls, fd);
        connection->state = CONNECTION_HANDSHAKE;
        connection_set_deadline(connection, DEADLINE_HEAD);
    } else {
        connection->state = CONNECTION_IDLE;
        connection_set_deadline(connection, DEADLINE_IDLE);
    }
    connection_watch(connection);
    return connection;
}

bool connection_is_cut(const struct http_exchange *connection)
{
    return connection->io.fd < 0;
}

int connection_give_up_socket(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    int fd = connection->io.fd;
    if (fd < 0) {
        return fd;
    }
    ev_io_stop(server->loop->ev, &connection->io);
    tls_destroy(connection->tls);
    connection->tls = NULL;
    connection->io.fd = -1;
    free(connection->output);
    connection->output = NULL;
    connection->due = 0;
    heap_remove(&server->deadlines, &connection->node);
    addresses_leave(&server->addresses, connection->address_key);
    server->connection_count--;
    metrics_add(server->options.metrics, METRIC_HTTP_CONNECTIONS, -1);
    return fd;
}

void connection_close(struct http_exchange *connection)
{
    enum connection_state was = connection->state;
    if (was == CONNECTION_DEAD) {
        return;
    }
    int fd = connection_give_up_socket(connection);
    if (fd >= 0) {
        close(fd);
    }
    if (was == CONNECTION_HANDLING) {
        return; /* the handler still owes its answer */
    }
    connection->state = CONNECTION_DEAD;
    server_release_request(server_of(connection), connection->request);
    connection->request = NULL;
    server_bury(connection);
    if (was == CONNECTION_PARKED) {
        metrics_add(server_of(connection)->options.metrics, METRIC_WAITERS_PARKED, -1);
    }
    bool is_told =
        was == CONNECTION_PARKED || was == CONNECTION_STREAMING || was == CONNECTION_PUMPING;
    if (is_told && connection->on_gone != NULL) {
        connection->on_gone(connection->context);
    }
}

/* ---- from one exchange to the next ---- */

/* Moves what was read ahead to the front; gives the buffer back when there is nothing. */
static void shift_request(struct http_exchange *connection)
{
    struct request *request = connection->request;
    if (request == NULL) {
        return;
    }
    size_t consumed = request->parser.position;
    size_t ahead = request->length - consumed;
    if (ahead == 0) {
        server_release_request(server_of(connection), request);
        connection->request = NULL;
        return;
    }
    memmove(request->bytes, request->bytes + consumed, ahead);
    request->length = ahead;
    http_parser_reset(&request->parser);
}

void connection_drop_borrowed(struct http_exchange *connection)
{
    shift_request(connection);
}

static void become_idle(struct http_exchange *connection)
{
    connection->closes = false;
    connection->is_head_method = false;
    connection->context = NULL;
    connection->on_gone = NULL;
    connection->on_writable = NULL;
    if (connection->request != NULL) {
        connection->state = CONNECTION_READING;
        connection_set_deadline(connection, DEADLINE_HEAD);
    } else {
        connection->state = CONNECTION_IDLE;
        connection_set_deadline(connection, DEADLINE_IDLE);
    }
    /* Bytes read ahead will not make the socket readable again, nor will those TLS holds. */
    bool has_more = connection->request != NULL || connection->tls != NULL;
    if (!connection->is_advancing && (has_more || connection->is_peer_closed)) {
        server_mark_ready(connection);
    }
}

void connection_end_exchange(struct http_exchange *connection)
{
    if (connection->state == CONNECTION_PARKED) {
        metrics_add(server_of(connection)->options.metrics, METRIC_WAITERS_PARKED, -1);
    } else if (connection->state == CONNECTION_HANDLING) {
        shift_request(connection); /* when parked or streaming, that was done then */
    }
    if (connection_is_cut(connection) || connection->is_broken) {
        connection->state = CONNECTION_WRITING; /* not a handler's any more */
        connection_close(connection);
        return;
    }
    if (connection->output != NULL) {
        connection->state = CONNECTION_WRITING;
    } else if (connection->closes) {
        linger(connection);
    } else {
        become_idle(connection);
    }
    connection_watch(connection);
}

/* Shuts our side and reads on for a while: closing at once with bytes unread would reset the
 * connection, and the client might never see its answer (RFC 9112 section 9.6). */
static void linger(struct http_exchange *connection)
{
    server_release_request(server_of(connection), connection->request);
    connection->request = NULL;
    if (connection->tls != NULL) {
        tls_say_goodbye(connection->tls);
    }
    if (connection->is_peer_closed || shutdown(connection->io.fd, SHUT_WR) != 0) {
        connection->state = CONNECTION_LINGERING;
        connection_close(connection);
        return;
    }
    connection->state = CONNECTION_LINGERING;
    connection->tls_wants_write = false;
    connection_set_deadline(connection, DEADLINE_LINGER);
}

static void on_lingering_readable(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t received =
            recv(connection->io.fd, server->scratch, sizeof(server->scratch), MSG_DONTWAIT);
        if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (received <= 0) {
            connection_close(connection);
            return;
        }
        connection->lingered_bytes += (uint32_t)received;
        if (connection->lingered_bytes > LINGER_BYTES_MAX) {
            connection_close(connection);
            return;
        }
    }
}

/* ---- parsing and handing over ---- */

static bool host_is_served(const struct http_exchange *connection)
{
    const char *const *names = connection->listener->options.host_names;
    const char *host = connection->request->bytes + parser_of(connection)->host;
    if (names == NULL) {
        return true;
    }
    for (size_t i = 0; names[i] != NULL; i++) {
        if (http_host_matches(host, names[i])) {
            return true;
        }
    }
    return false;
}

static void hand_over(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    const struct http_parser *parser = parser_of(connection);
    if (!host_is_served(connection)) {
        answer_refusal(connection,
                       &(struct http_refusal){.status = 421,
                                              .code = "unknown_host",
                                              .detail = "This host name is not served here."});
        return;
    }
    metrics_add(server->options.metrics, METRIC_HTTP_REQUESTS, 1);
    connection->state = CONNECTION_HANDLING;
    connection->closes = parser->wants_close || server->is_draining;
    connection->is_head_method = parser->method == HTTP_HEAD;
    connection->listener->options.on_request(connection->listener->options.context, connection);
    if (connection->state == CONNECTION_HANDLING) {
        connection_set_deadline(connection, DEADLINE_NONE);
    }
}

/* More bytes are needed: the head's limit counts from its first byte, the body's from the end of
 * the head; neither is put off by a drip of bytes. */
static void wait_for_more(struct http_exchange *connection)
{
    bool has_head = http_parser_has_head(parser_of(connection));
    enum deadline_kind kind = has_head ? DEADLINE_BODY : DEADLINE_HEAD;
    if (connection->deadline != kind) {
        connection_set_deadline(connection, kind);
    }
}

static void send_continue(struct http_exchange *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {.iov_base = (char *)text, .iov_len = sizeof(text) - 1};
    connection_send(connection, &piece, 1);
    wait_for_more(connection);
}

/* Parses and hands over what the buffer holds, one request after the other. */
static void advance(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    connection->is_advancing = true;
    int budget = REQUESTS_PER_TURN;
    while (connection->state == CONNECTION_READING && budget-- > 0) {
        struct request *request = connection->request;
        enum http_progress progress = http_parser_run(&request->parser, &server->parser_limits,
                                                      request->bytes, request->length);
        if (progress == HTTP_MORE) {
            wait_for_more(connection);
            break;
        }
        if (progress == HTTP_CONTINUE) {
            send_continue(connection);
            break;
        }
        if (progress == HTTP_REFUSED) {
            answer_refusal(connection, &request->parser.refusal);
        } else {
            hand_over(connection);
        }
    }
    connection->is_advancing = false;
    if (connection->state == CONNECTION_READING && budget < 0) {
        server_mark_ready(connection);
    }
}

/* ---- reading ---- */

/* A place for the next bytes. False: read no further until the exchange is over. */
static bool make_room(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    if (connection->request == NULL) {
        connection->request = server_take_request(server);
        return true;
    }
    struct request *request = connection->request;
    if (request->length < request->capacity) {
        return true;
    }
    if (connection->state != CONNECTION_READING) {
        return false;
    }
    request->length = http_parser_compact(&request->parser, request->bytes, request->length);
    size_t needed = http_parser_bytes_needed(&request->parser, &server->parser_limits);
    if (request->length < request->capacity) {
        return true;
    }
    CHECK(request->capacity < needed); /* else the parser would have come to an end */
    size_t capacity = request->capacity * 2 < needed ? request->capacity * 2 : needed;
    request = memory_resized(request, sizeof(*request) + capacity);
    request->capacity = capacity;
    connection->request = request;
    return true;
}

/* The peer sends no more. Whole requests it sent before are still answered; a long wait ends,
 * because a client that hangs up is not told apart from one that shuts its side. */
static void on_peer_closed(struct http_exchange *connection)
{
    connection->is_peer_closed = true;
    if (connection->state != CONNECTION_HANDLING) {
        connection_close(connection);
    }
}

static void take_bytes(struct http_exchange *connection, size_t received)
{
    connection->request->length += received;
    if (connection->state == CONNECTION_IDLE) {
        connection->state = CONNECTION_READING;
    }
    if (connection->state == CONNECTION_READING) {
        advance(connection);
    }
}

static bool may_read(const struct http_exchange *connection)
{
    return !connection_is_cut(connection) && !connection->is_ready && !connection->is_broken &&
           !connection->is_peer_closed && connection->state >= CONNECTION_IDLE &&
           connection->state <= CONNECTION_STREAMING;
}

/* Gives back a buffer that got no bytes. */
static void drop_empty_request(struct http_exchange *connection)
{
    if (connection->request != NULL && connection->request->length == 0) {
        server_release_request(server_of(connection), connection->request);
        connection->request = NULL;
    }
}

static void read_some(struct http_exchange *connection)
{
    for (int i = 0; i < READS_PER_TURN && may_read(connection); i++) {
        if (!make_room(connection)) {
            return;
        }
        struct request *request = connection->request;
        size_t room = request->capacity - request->length;
        size_t received = 0;
        enum io_status status =
            connection_receive(connection, request->bytes + request->length, room, &received);
        if (status == IO_DONE) {
            take_bytes(connection, received);
            if (connection->tls == NULL && received < room) {
                return;
            }
            continue;
        }
        drop_empty_request(connection);
        if (status == IO_FAILED) {
            connection_close(connection);
        } else if (status == IO_CLOSED) {
            on_peer_closed(connection);
        }
        return;
    }
    if (connection->tls != NULL && may_read(connection)) {
        server_mark_ready(connection); /* TLS may hold more than the socket shows */
    }
}

static void on_handshake(struct http_exchange *connection)
{
    enum tls_status status = tls_handshake(connection->tls);
    connection->tls_wants_write = status == TLS_WANTS_WRITE;
    if (status == TLS_DONE) {
        connection->state = CONNECTION_IDLE;
        connection_set_deadline(connection, DEADLINE_IDLE);
        read_some(connection);
    } else if (status == TLS_CLOSED || status == TLS_FAILED) {
        server_note(server_of(connection), HTTP_NOTE_TLS, 0, connection->peer, tls_reason());
        connection_close(connection);
    }
}

/* ---- events ---- */

static void on_readable(struct http_exchange *connection)
{
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
        on_handshake(connection);
        break;
    case CONNECTION_LINGERING:
        on_lingering_readable(connection);
        break;
    case CONNECTION_IDLE:
    case CONNECTION_READING:
    case CONNECTION_HANDLING:
    case CONNECTION_PARKED:
    case CONNECTION_STREAMING:
        read_some(connection);
        break;
    case CONNECTION_PUMPING:
        pump_run(connection);
        break;
    case CONNECTION_WRITING:
    case CONNECTION_DEAD:
        break;
    }
}

static void on_written_out(struct http_exchange *connection)
{
    if (connection->state == CONNECTION_WRITING) {
        if (connection->closes) {
            linger(connection);
        } else {
            become_idle(connection);
        }
    } else if (connection->state == CONNECTION_STREAMING && connection->is_stream_full) {
        connection->is_stream_full = false;
        if (connection->on_writable != NULL) {
            connection->on_writable(connection->context);
        }
    } else if (connection->state == CONNECTION_PUMPING) {
        pump_run(connection);
    }
}

static void on_writable(struct http_exchange *connection)
{
    if (connection->tls_wants_write && connection->output == NULL) {
        on_readable(connection); /* a read of TLS had to write first */
        return;
    }
    if (connection->output != NULL && connection_flush(connection)) {
        on_written_out(connection);
    }
}

static void on_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    struct http_exchange *connection = watcher->data;
    CHECK(connection->magic == CONNECTION_MAGIC);
    if ((events & EV_WRITE) != 0) {
        on_writable(connection);
    }
    if ((events & EV_READ) != 0) {
        on_readable(connection);
    }
    connection_watch(connection);
}

void connection_on_ready(struct http_exchange *connection)
{
    if (connection_is_cut(connection) || connection->is_broken) {
        connection_close(connection); /* a no-op on a shell its handler still has */
        return;
    }
    bool is_waiting_for_peer =
        connection->state == CONNECTION_PARKED || connection->state == CONNECTION_STREAMING;
    if (is_waiting_for_peer && connection->is_peer_closed) {
        connection_close(connection);
        return;
    }
    if (connection->state == CONNECTION_PUMPING) {
        pump_run(connection);
        return;
    }
    if (connection->state == CONNECTION_READING) {
        advance(connection);
    }
    bool is_between = connection->state == CONNECTION_IDLE ||
                      (connection->state == CONNECTION_READING && !connection->is_ready);
    if (is_between && connection->is_peer_closed) {
        connection_close(connection); /* nothing whole is left, and nothing more will come */
        return;
    }
    if (connection->tls != NULL) {
        read_some(connection);
    }
    connection_watch(connection);
}

void connection_on_deadline(struct http_exchange *connection)
{
    bool has_begun = connection->state == CONNECTION_READING && connection->request != NULL;
    if (!has_begun) {
        connection_close(connection);
        return;
    }
    bool has_head = http_parser_has_head(parser_of(connection));
    answer_refusal(
        connection,
        &(struct http_refusal){.status = 408,
                               .code = has_head ? "body_timeout" : "head_timeout",
                               .detail = has_head ? "The body took too long to arrive."
                                                  : "The request's head took too long to arrive."});
}
