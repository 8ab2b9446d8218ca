#include "loop/websocket.h"

#include "base/builder.h"
#include "base/check.h"
#include "base/memory.h"
#include "loop/http.h"
#include "loop/loop_internal.h"
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET_MAGIC = 0x77656273,
    POKE_MS = 250,
    KEY_BYTES = 24,
    CLOSE_GRACE_MS = 2000,
    DESTROY_CALLS_MAX = 3
};

struct websocket_message {
    int references;
    size_t length;
    unsigned char bytes[]; /* LWS_PRE bytes for the library's header, then the text */
};

struct queued {
    struct queued *next;
    struct websocket_message *message;
};

struct websocket {
    uint32_t magic; /* first: what a library callback hands us is checked */
    struct websocket_server *server;
    struct websocket *next, *previous;
    struct lws *wsi; /* NULL until the library has it */
    void *connection;
    struct builder incoming;
    struct queued *queue, **queue_end;
    size_t queued_count, queued_bytes;
    int64_t heard_at, pinged_at;
    int64_t closing_at;  /* when the peer must have let us close; 0 while open */
    uint16_t close_code; /* 0 while open */
    bool is_open;
    bool wants_ping;
};

struct websocket_server {
    struct websocket_options options;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[3];
    struct loop_timer *poke;
    struct websocket *sockets;
    struct websocket *adopting; /* the library may call back before adoption returns */
    char *protocol;
};

/* ---- messages ---- */

struct websocket_message *websocket_message_create(const char *text, size_t length)
{
    struct websocket_message *message = memory_zeroed(1, sizeof *message + LWS_PRE + length);
    message->references = 1;
    message->length = length;
    memcpy(message->bytes + LWS_PRE, text, length);
    return message;
}

void websocket_message_unref(struct websocket_message *message)
{
    if (--message->references == 0) {
        free(message);
    }
}

static void drop_first(struct websocket *socket)
{
    struct queued *first = socket->queue;
    socket->queue = first->next;
    if (socket->queue == NULL) {
        socket->queue_end = &socket->queue;
    }
    socket->queued_count--;
    socket->queued_bytes -= first->message->length;
    websocket_message_unref(first->message);
    free(first);
}

void websocket_send(struct websocket *socket, struct websocket_message *message)
{
    const struct websocket_options *options = &socket->server->options;
    if (socket->close_code != 0 || !socket->is_open) {
        return;
    }
    if (socket->queued_count >= options->queued_count_max ||
        socket->queued_bytes + message->length > options->queued_bytes_max) {
        websocket_close(socket, WEBSOCKET_TOO_SLOW);
        return;
    }
    struct queued *queued = memory_zeroed(1, sizeof *queued);
    queued->message = message;
    message->references++;
    *socket->queue_end = queued;
    socket->queue_end = &queued->next;
    socket->queued_count++;
    socket->queued_bytes += message->length;
    lws_callback_on_writable(socket->wsi);
}

size_t websocket_queued(const struct websocket *socket)
{
    return socket->queued_count;
}

void websocket_close(struct websocket *socket, uint16_t code)
{
    if (socket->close_code != 0) {
        return;
    }
    socket->close_code = code;
    socket->closing_at = loop_now(socket->server->options.loop) + CLOSE_GRACE_MS;
    if (code == WEBSOCKET_TOO_SLOW) {
        while (socket->queue != NULL) {
            drop_first(socket);
        }
    }
    if (socket->wsi != NULL) {
        lws_callback_on_writable(socket->wsi);
    }
}

/* ---- the library's callbacks: each case calls one handler ---- */

static struct websocket *socket_of(struct lws *wsi)
{
    struct websocket *socket = lws_get_opaque_user_data(wsi);
    CHECK(socket == NULL || socket->magic == SOCKET_MAGIC);
    return socket;
}

static int on_established(struct websocket_server *server, struct lws *wsi)
{
    struct websocket *socket = socket_of(wsi);
    socket = socket == NULL ? server->adopting : socket;
    if (socket == NULL) {
        return -1;
    }
    lws_set_opaque_user_data(wsi, socket);
    socket->wsi = wsi;
    socket->is_open = true;
    socket->heard_at = loop_now(server->options.loop);
    socket->pinged_at = socket->heard_at;
    /* Its timers are one sorted list, and the libev plugin loses them: the server's own tick
     * watches. */
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    server->options.on_open(socket->connection, socket);
    return 0;
}

static int on_receive(struct websocket *socket, const char *bytes, size_t length)
{
    const struct websocket_options *options = &socket->server->options;
    socket->heard_at = loop_now(options->loop);
    if (socket->close_code != 0) {
        return 0;
    }
    if (lws_frame_is_binary(socket->wsi)) {
        lws_close_reason(socket->wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
        return -1;
    }
    builder_append(&socket->incoming, bytes, length);
    if (builder_failed(&socket->incoming)) {
        lws_close_reason(socket->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (lws_is_final_fragment(socket->wsi) && lws_remaining_packet_payload(socket->wsi) == 0) {
        options->on_message(socket->connection, socket->incoming.bytes, socket->incoming.length);
        builder_clear(&socket->incoming);
    }
    return 0;
}

static int send_ping(struct websocket *socket)
{
    unsigned char ping[LWS_PRE + 1];
    socket->wants_ping = false;
    socket->pinged_at = loop_now(socket->server->options.loop);
    return lws_write(socket->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* One write a callback: the library asks again when there is room. */
static int on_writable(struct websocket *socket)
{
    if (socket->queue != NULL) {
        struct websocket_message *message = socket->queue->message;
        int wrote =
            lws_write(socket->wsi, message->bytes + LWS_PRE, message->length, LWS_WRITE_TEXT);
        drop_first(socket);
        if (wrote < 0) {
            return -1;
        }
    } else if (socket->close_code != 0) {
        lws_close_reason(socket->wsi, (enum lws_close_status)socket->close_code, NULL, 0);
        return -1;
    } else if (socket->wants_ping && send_ping(socket) != 0) {
        return -1;
    }
    if (socket->queue != NULL || socket->close_code != 0 || socket->wants_ping) {
        lws_callback_on_writable(socket->wsi);
    }
    return 0;
}

static void free_socket(struct websocket *socket)
{
    struct websocket_server *server = socket->server;
    if (socket->previous != NULL) {
        socket->previous->next = socket->next;
    } else {
        server->sockets = socket->next;
    }
    if (socket->next != NULL) {
        socket->next->previous = socket->previous;
    }
    while (socket->queue != NULL) {
        drop_first(socket);
    }
    builder_finish(&socket->incoming);
    socket->magic = 0;
    free(socket);
}

static void on_destroyed(struct lws *wsi)
{
    struct websocket *socket = socket_of(wsi);
    if (socket == NULL) {
        return;
    }
    lws_set_opaque_user_data(wsi, NULL);
    if (socket->server->adopting == socket) {
        socket->server->adopting = NULL;
    }
    socket->server->options.on_close(socket->connection);
    free_socket(socket);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    struct websocket_server *server = lws_context_user(lws_get_context(wsi));
    struct websocket *socket;
    (void)user;
    switch ((int)reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(server, wsi);
    case LWS_CALLBACK_RECEIVE:
        socket = socket_of(wsi);
        return socket == NULL ? -1 : on_receive(socket, in, length);
    case LWS_CALLBACK_RECEIVE_PONG:
        socket = socket_of(wsi);
        if (socket != NULL) {
            socket->heard_at = loop_now(server->options.loop);
        }
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        socket = socket_of(wsi);
        return socket == NULL ? -1 : on_writable(socket);
    case LWS_CALLBACK_WSI_DESTROY:
        on_destroyed(wsi);
        return 0;
    case LWS_CALLBACK_HTTP:
        return -1; /* only upgrades are handed over: a request that is none ends here */
    default:
        return 0;
    }
}

/* ---- time ---- */

/* Ends a connection whose peer does nothing: the library sees the hang-up and calls back. */
static void cut(struct websocket *socket)
{
    if (socket->wsi != NULL) {
        shutdown(lws_get_socket_fd(socket->wsi), SHUT_RDWR);
    }
}

static void watch(struct websocket *socket, int64_t now)
{
    const struct websocket_options *options = &socket->server->options;
    if (!socket->is_open) {
        return;
    }
    if ((socket->closing_at != 0 && now >= socket->closing_at) ||
        now - socket->heard_at >= options->dead_ms) {
        cut(socket);
    } else if (socket->close_code == 0 && now - socket->pinged_at >= options->ping_ms &&
               !socket->wants_ping) {
        socket->wants_ping = true;
        lws_callback_on_writable(socket->wsi);
    }
}

static void on_poke(void *context)
{
    struct websocket_server *server = context;
    int64_t now = loop_now(server->options.loop);
    for (struct websocket *socket = server->sockets; socket != NULL; socket = socket->next) {
        watch(socket, now);
    }
    if (server->sockets != NULL) {
        /* The libev plugin loses the library's own timers; a cancelled service runs what is due. */
        lws_cancel_service(server->context);
    }
    loop_timer_arm(server->poke, now + POKE_MS);
}

/* ---- life ---- */

struct websocket_server *websocket_server_create(const struct websocket_options *options,
                                                 struct error *error)
{
    struct websocket_server *server = memory_zeroed(1, sizeof *server);
    void *loops[1] = {options->loop->ev};
    server->options = *options;
    server->protocol = memory_text(options->protocol);
    server->options.protocol = server->protocol;
    server->protocols[0] = (struct lws_protocols){.name = "http", .callback = on_event};
    server->protocols[1] = (struct lws_protocols){
        .name = server->protocol, .callback = on_event, .rx_buffer_size = 4096};
    struct lws_context_creation_info info = {0};
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.protocols = server->protocols;
    info.foreign_loops = loops;
    info.user = server;
    info.pcontext = &server->context; /* NULL once its destruction is complete */
    info.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.pt_serv_buf_size = 32 * 1024;
    lws_set_log_level(0, NULL);
    server->context = lws_create_context(&info);
    server->vhost = server->context == NULL ? NULL : lws_create_vhost(server->context, &info);
    if (server->vhost == NULL) {
        error_set(
            error, ERROR_INTERNAL, "no_websockets", NULL,
            "libwebsockets cannot run on libev here: install the package libwebsockets-evlib-ev");
        websocket_server_destroy(server);
        return NULL;
    }
    server->poke = loop_timer_create(options->loop, on_poke, server);
    loop_timer_arm(server->poke, loop_now(options->loop) + POKE_MS);
    return server;
}

void websocket_server_destroy(struct websocket_server *server)
{
    if (server == NULL) {
        return;
    }
    loop_timer_destroy(server->poke);
    /* With a foreign loop the destruction may need a turn of the loop and a second call. */
    for (int i = 0; i < DESTROY_CALLS_MAX && server->context != NULL; i++) {
        lws_context_destroy(server->context);
        ev_run(server->options.loop->ev, EVRUN_NOWAIT);
    }
    while (server->sockets != NULL) {
        struct websocket *socket = server->sockets;
        server->options.on_close(socket->connection);
        free_socket(socket);
    }
    free(server->protocol);
    free(server);
}

/* ---- taking a connection over ---- */

/* Whether one comma-separated header value, or several, name `token`. */
static bool offers(const struct http_exchange *exchange, const char *header, const char *token)
{
    size_t cursor = 0;
    size_t length = strlen(token);
    for (const char *value = http_header_next(exchange, header, &cursor, NULL); value != NULL;
         value = http_header_next(exchange, header, &cursor, NULL)) {
        for (const char *at = value; at != NULL; at = strchr(at, ',')) {
            at += strspn(at, ", \t");
            if (strncmp(at, token, length) == 0 && strchr(", \t", at[length]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

static bool read_key(const struct http_exchange *exchange, const char **out_key,
                     struct error *error)
{
    if (!http_header(exchange, "sec-websocket-key", out_key, error)) {
        return false;
    }
    const char *key = *out_key;
    return (key != NULL && strlen(key) == KEY_BYTES &&
            strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
                KEY_BYTES) ||
           error_set(error, ERROR_INVALID, "bad_websocket_key", NULL,
                     "Sec-WebSocket-Key must be 16 bytes as base64");
}

bool websocket_is_upgrade(const struct websocket_server *server,
                          const struct http_exchange *exchange, struct error *error)
{
    const char *version = NULL;
    const char *key = NULL;
    if (!http_wants_upgrade(exchange, "websocket")) {
        return error_set(error, ERROR_INVALID, "not_an_upgrade", NULL,
                         "this path takes websocket connections only");
    }
    if (!http_header(exchange, "sec-websocket-version", &version, error)) {
        return false;
    }
    if (version == NULL || strcmp(version, "13") != 0) {
        return error_set(error, ERROR_INVALID, "websocket_version", NULL,
                         "only websocket version 13 is spoken (RFC 6455)");
    }
    if (!offers(exchange, "sec-websocket-protocol", server->options.protocol)) {
        return error_set(error, ERROR_INVALID, "websocket_protocol", NULL,
                         "offer the subprotocol `%s`", server->options.protocol);
    }
    return read_key(exchange, &key, error);
}

/* What the library gets to read first: an upgrade of our own words with the client's key, then what
 * the client sent after its own. */
static void write_upgrade(const struct websocket_server *server, const char *key,
                          const struct builder *sent, struct builder *out)
{
    builder_printf(
        out,
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
        key, server->options.protocol);
    const char *end = strstr(sent->bytes, "\r\n\r\n");
    if (end != NULL) {
        size_t head = (size_t)(end - sent->bytes) + 4;
        builder_append(out, sent->bytes + head, sent->length - head);
    }
}

static struct websocket *new_socket(struct websocket_server *server, void *connection)
{
    struct websocket *socket = memory_zeroed(1, sizeof *socket);
    socket->magic = SOCKET_MAGIC;
    socket->server = server;
    socket->connection = connection;
    socket->queue_end = &socket->queue;
    builder_init(&socket->incoming, server->options.message_bytes_max);
    socket->next = server->sockets;
    if (socket->next != NULL) {
        socket->next->previous = socket;
    }
    server->sockets = socket;
    return socket;
}

/* The library may open, read from and even end the connection before it returns. */
static void give_to_library(struct websocket_server *server, struct websocket *socket,
                            int descriptor, const struct builder *upgrade)
{
    server->adopting = socket;
    struct lws *wsi =
        lws_adopt_socket_vhost_readbuf(server->vhost, descriptor, upgrade->bytes, upgrade->length);
    if (server->adopting == NULL) {
        return; /* ended meanwhile: on_destroyed has told */
    }
    server->adopting = NULL;
    if (wsi != NULL) {
        lws_set_opaque_user_data(wsi, socket);
        return;
    }
    server->options.on_close(socket->connection);
    free_socket(socket);
}

bool websocket_adopt(struct websocket_server *server, struct http_exchange *exchange,
                     void *connection, bool *out_is_over, struct error *error)
{
    char key[KEY_BYTES + 1];
    const char *given = NULL;
    int descriptor = -1;
    struct builder sent BUILDER_SCOPE;
    struct builder upgrade BUILDER_SCOPE;
    builder_init(&sent, 0);
    builder_init(&upgrade, 0);
    *out_is_over = false;
    if (!read_key(exchange, &given, error)) {
        return false;
    }
    memcpy(key, given, sizeof key);
    if (!http_detach(exchange, &descriptor, &sent, error)) {
        return false;
    }
    *out_is_over = true;
    write_upgrade(server, key, &sent, &upgrade);
    give_to_library(server, new_socket(server, connection), descriptor, &upgrade);
    return true;
}
