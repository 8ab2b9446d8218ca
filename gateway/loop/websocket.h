#ifndef LOOP_WEBSOCKET_H
#define LOOP_WEBSOCKET_H

/*
 * Websockets (RFC 6455), by libwebsockets on this loop's libev. The HTTP front has read, bounded
 * and authenticated the upgrade request; only then is the connection handed over, with a minimal
 * upgrade request of our own making, so that nothing a client wrote reaches the library's HTTP
 * parser. Text messages in, text messages out; outgoing ones are shared between connections and
 * wait in a bounded queue. A peer that cannot keep up, does not answer pings, or sends what it may
 * not is closed.
 *
 * Only this file's room includes libwebsockets. Loop thread only. Nothing is freed inside a library
 * callback that may still use it: a connection is dead to its owner once on_close was called.
 */

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http_exchange;
struct websocket_server;
struct websocket;
struct websocket_message; /* one text, shared by all it is queued for */

enum {
    WEBSOCKET_GOING_AWAY = 1001, /* RFC 6455 section 7.4.1 */
    WEBSOCKET_TOO_SLOW = 4408,
};

struct websocket_options {
    struct loop *loop;
    const char *protocol;     /* the one subprotocol spoken */
    size_t message_bytes_max; /* of an incoming message; longer closes with 1009 */
    size_t queued_count_max;  /* outgoing, per connection */
    size_t queued_bytes_max;
    int64_t ping_ms, dead_ms;
    /* `connection` is what websocket_adopt was given. */
    void (*on_open)(void *connection, struct websocket *socket);
    void (*on_message)(void *connection, const char *text, size_t length);
    void (*on_close)(void *connection); /* also when the handshake fails; the last word */
};

/* INTERNAL when libwebsockets or its libev plugin (package libwebsockets-evlib-ev) is not there. */
struct websocket_server *websocket_server_create(const struct websocket_options *options,
                                                 struct error *error) MUST_CHECK;
/* Closes all; every on_close is called before it returns. Accepts NULL. */
void websocket_server_destroy(struct websocket_server *server);

/* Whether the exchange is an upgrade this server can take: GET, version 13, a key, our subprotocol
 * offered. INVALID says what is missing. */
bool websocket_is_upgrade(const struct websocket_server *server,
                          const struct http_exchange *exchange, struct error *error) MUST_CHECK;
/* Takes the connection of an exchange that websocket_is_upgrade. False when it could not: the
 * exchange is over all the same when *out_is_over. */
bool websocket_adopt(struct websocket_server *server, struct http_exchange *exchange,
                     void *connection, bool *out_is_over, struct error *error) MUST_CHECK;

struct websocket_message *websocket_message_create(const char *text, size_t length);
void websocket_message_unref(struct websocket_message *message); /* the creator's reference */
/* Queues it. A queue that is full closes the connection with WEBSOCKET_TOO_SLOW. */
void websocket_send(struct websocket *socket, struct websocket_message *message);
/* Closes after what is queued, or at once when the peer does not take it. `code` is sent; on_close
 * follows. */
void websocket_close(struct websocket *socket, uint16_t code);
size_t websocket_queued(const struct websocket *socket);

#endif
