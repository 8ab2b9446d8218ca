#include "loop/http_internal.h"

#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static enum io_status io_status_of(struct http_exchange *connection, enum tls_status status)
{
    connection->tls_wants_write = status == TLS_WANTS_WRITE;
    switch (status) {
    case TLS_DONE:
        return IO_DONE;
    case TLS_WANTS_READ:
    case TLS_WANTS_WRITE:
        return IO_AGAIN;
    case TLS_CLOSED:
        return IO_CLOSED;
    case TLS_FAILED:
        break;
    }
    return IO_FAILED;
}

enum io_status connection_receive(struct http_exchange *connection, char *bytes, size_t length,
                                  size_t *out_received)
{
    if (connection->tls != NULL) {
        return io_status_of(connection, tls_read(connection->tls, bytes, length, out_received));
    }
    ssize_t received = recv(connection->io.fd, bytes, length, 0);
    if (received > 0) {
        *out_received = (size_t)received;
        return IO_DONE;
    }
    if (received == 0) {
        return IO_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_FAILED;
}

/* ---- out ---- */

static void mark_broken(struct http_exchange *connection)
{
    connection->is_broken = true;
    free(connection->output);
    connection->output = NULL;
    server_mark_ready(connection);
}

/* Sends from the pieces, joined, until the transport takes no more. *out_sent counts bytes. */
static enum io_status transmit_tls(struct http_exchange *connection, const char *bytes,
                                   size_t length, size_t *out_sent)
{
    *out_sent = 0;
    while (*out_sent < length) {
        size_t written = 0;
        enum io_status status =
            io_status_of(connection, tls_write(connection->tls, bytes + *out_sent,
                                               length - *out_sent, &written));
        if (status != IO_DONE) {
            return status;
        }
        *out_sent += written;
    }
    return IO_DONE;
}

/* Small pieces are joined so that an answer is one record. */
static enum io_status transmit_pieces_tls(struct http_exchange *connection,
                                          const struct iovec *pieces, int count, size_t *out_sent)
{
    struct http_server *server = server_of(connection);
    size_t joined = 0;
    int next = 0;
    while (next < count && joined + pieces[next].iov_len <= sizeof(server->scratch)) {
        memcpy(server->scratch + joined, pieces[next].iov_base, pieces[next].iov_len);
        joined += pieces[next++].iov_len;
    }
    enum io_status status = transmit_tls(connection, server->scratch, joined, out_sent);
    for (; next < count && status == IO_DONE; next++) {
        size_t sent = 0;
        status = transmit_tls(connection, pieces[next].iov_base, pieces[next].iov_len, &sent);
        *out_sent += sent;
    }
    return status;
}

static enum io_status transmit(struct http_exchange *connection, const struct iovec *pieces,
                               int count, size_t *out_sent)
{
    *out_sent = 0;
    if (connection->tls != NULL) {
        return transmit_pieces_tls(connection, pieces, count, out_sent);
    }
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(connection->io.fd, &message, MSG_NOSIGNAL);
    if (sent >= 0) {
        *out_sent = (size_t)sent;
        return IO_DONE;
    }
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? IO_AGAIN : IO_FAILED;
}

static void queue(struct http_exchange *connection, const char *bytes, size_t length)
{
    struct output *output = connection->output;
    size_t used = output == NULL ? 0 : output->start + output->length;
    if (output != NULL && output->start > 0 && used + length > output->capacity) {
        memmove(output->bytes, output->bytes + output->start, output->length);
        output->start = 0;
        used = output->length;
    }
    if (output == NULL || used + length > output->capacity) {
        size_t capacity = (used + length) * (output == NULL ? 1 : 2);
        bool is_new = output == NULL;
        output = memory_resized(output, sizeof(*output) + capacity);
        output->capacity = capacity;
        if (is_new) {
            output->start = 0;
            output->length = 0;
        }
        connection->output = output;
    }
    memcpy(output->bytes + used, bytes, length);
    output->length += length;
}

/* A request still being read (100 Continue is all that can be queued then) keeps its own limit. */
static void limit_writing(struct http_exchange *connection, enum deadline_kind kind)
{
    if (connection->state != CONNECTION_READING) {
        connection_set_deadline(connection, kind);
    }
}

void connection_send(struct http_exchange *connection, const struct iovec *pieces, int count)
{
    if (connection_is_cut(connection) || connection->is_broken) {
        return;
    }
    size_t sent = 0;
    if (connection->output == NULL) {
        enum io_status status = transmit(connection, pieces, count, &sent);
        if (status == IO_FAILED || status == IO_CLOSED) {
            mark_broken(connection);
            return;
        }
    }
    bool was_empty = connection->output == NULL;
    for (int i = 0; i < count; i++) {
        size_t length = pieces[i].iov_len;
        size_t skipped = sent < length ? sent : length;
        sent -= skipped;
        if (skipped < length) {
            queue(connection, (const char *)pieces[i].iov_base + skipped, length - skipped);
        }
    }
    if (was_empty && connection->output != NULL) {
        limit_writing(connection, DEADLINE_WRITE);
    }
}

bool connection_flush(struct http_exchange *connection)
{
    struct output *output = connection->output;
    if (output == NULL) {
        return true;
    }
    struct iovec piece = {.iov_base = output->bytes + output->start, .iov_len = output->length};
    size_t sent = 0;
    enum io_status status =
        connection->tls != NULL
            ? transmit_tls(connection, output->bytes + output->start, output->length, &sent)
            : transmit(connection, &piece, 1, &sent);
    if (status == IO_FAILED || status == IO_CLOSED) {
        mark_broken(connection);
        return false;
    }
    output->start += sent;
    output->length -= sent;
    if (output->length == 0) {
        free(output);
        connection->output = NULL;
        limit_writing(connection, DEADLINE_NONE);
        return true;
    }
    if (sent > 0) {
        limit_writing(connection, DEADLINE_WRITE);
    }
    return false;
}

/* ---- what to wait for ---- */

static bool wants_read(const struct http_exchange *connection)
{
    const struct request *request = connection->request;
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
        return !connection->tls_wants_write;
    case CONNECTION_IDLE:
    case CONNECTION_READING:
        return !connection->is_ready && !connection->is_peer_closed;
    case CONNECTION_HANDLING:
    case CONNECTION_PARKED:
    case CONNECTION_STREAMING:
        return !connection->is_peer_closed &&
               (request == NULL || request->length < request->capacity);
    case CONNECTION_PUMPING:
        return !connection->is_peer_closed && (request == NULL || request->length == 0);
    case CONNECTION_LINGERING:
        return true;
    case CONNECTION_WRITING:
    case CONNECTION_DEAD:
        break;
    }
    return false;
}

void connection_watch(struct http_exchange *connection)
{
    if (connection_is_cut(connection)) {
        return;
    }
    bool wants_write = (connection->output != NULL && connection->state != CONNECTION_LINGERING) ||
                       connection->tls_wants_write;
    int wanted = (wants_read(connection) ? EV_READ : 0) | (wants_write ? EV_WRITE : 0);
    bool is_active = ev_is_active(&connection->io);
    int watched = is_active ? connection->io.events & (EV_READ | EV_WRITE) : 0;
    if (wanted == watched) {
        return;
    }
    struct ev_loop *ev = server_of(connection)->loop->ev;
    ev_io_stop(ev, &connection->io);
    if (wanted != 0) {
        ev_io_set(&connection->io, connection->io.fd, wanted);
        ev_io_start(ev, &connection->io);
    }
}
