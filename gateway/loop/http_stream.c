#include "loop/http_internal.h"

#include "base/check.h"
#include <stdio.h>
#include <string.h>

/* Chunked answers (RFC 9112 section 7.1). */

static bool is_streaming(const struct http_exchange *exchange)
{
    return exchange->magic == CONNECTION_MAGIC && exchange->state == CONNECTION_STREAMING;
}

void http_stream_begin(struct http_exchange *exchange, int status, const struct http_field *fields,
                       size_t field_count, void (*on_writable)(void *context),
                       void (*on_gone)(void *context))
{
    CHECK(exchange->magic == CONNECTION_MAGIC && exchange->state == CONNECTION_HANDLING);
    exchange->closes |= server_of(exchange)->is_draining;
    bool is_sendable =
        answer_build_head(exchange, status, fields, field_count, "Transfer-Encoding: chunked\r\n");
    CHECK(is_sendable); /* streams have no room for outside text in their fields */
    exchange->state = CONNECTION_STREAMING;
    exchange->on_writable = on_writable;
    exchange->on_gone = on_gone;
    exchange->is_stream_full = false;
    connection_drop_borrowed(exchange);
    connection_set_deadline(exchange, DEADLINE_NONE);
    struct builder *head = &server_of(exchange)->head;
    struct iovec piece = {.iov_base = head->bytes, .iov_len = head->length};
    connection_send(exchange, &piece, 1);
    if (connection_is_cut(exchange) || exchange->is_peer_closed) {
        server_mark_ready(exchange);
    }
    connection_watch(exchange);
}

bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t length)
{
    CHECK(is_streaming(exchange));
    if (length > 0 && !exchange->is_head_method) {
        char size[24];
        int digits = snprintf(size, sizeof(size), "%zx\r\n", length);
        struct iovec pieces[PIECES_MAX] = {
            {.iov_base = size, .iov_len = (size_t)digits},
            {.iov_base = (void *)bytes, .iov_len = length},
            {.iov_base = (char *)"\r\n", .iov_len = 2},
        };
        connection_send(exchange, pieces, PIECES_MAX);
        connection_watch(exchange);
    }
    exchange->is_stream_full =
        exchange->output != NULL && exchange->output->length > HTTP_STREAM_QUEUED_MAX;
    return !exchange->is_stream_full && !exchange->is_broken && !connection_is_cut(exchange);
}

void http_stream_end(struct http_exchange *exchange)
{
    CHECK(is_streaming(exchange));
    if (!exchange->is_head_method) {
        struct iovec piece = {.iov_base = (char *)"0\r\n\r\n", .iov_len = 5};
        connection_send(exchange, &piece, 1);
    }
    connection_end_exchange(exchange);
}

void http_stream_abort(struct http_exchange *exchange)
{
    CHECK(is_streaming(exchange));
    exchange->state = CONNECTION_WRITING; /* no on_gone for the one who asked */
    connection_close(exchange);
}
