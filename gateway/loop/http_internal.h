#ifndef LOOP_HTTP_INTERNAL_H
#define LOOP_HTTP_INTERNAL_H

/*
 * What the files of the HTTP front share: http_server.c (life, deadlines, end of turn),
 * http_listener.c (accepting), http_transport.c (bytes in and out), http_connection.c (the machine
 * below), http_answer.c and http_stream.c (answers), http_exchange.c and http_query.c (lookups),
 * http_detach.c (upgrades).
 *
 *   HANDSHAKE -> IDLE <-> READING -> HANDLING -> (answered) -> WRITING -> IDLE or LINGERING
 *                                      |  |                                        |
 *                                      |  +-> PARKED -> (answered)                 v
 *                                      +----> STREAMING -> (ended)               DEAD
 *
 * Sending never ends a connection under its caller's feet: it marks it broken, and the end of the
 * turn closes it. A connection closed while HANDLING stays as a shell without socket until the
 * handler has answered.
 */

#include "loop/addresses.h"
#include "loop/http.h"
#include "loop/http_parser.h"
#include "loop/loop_internal.h"
#include "loop/tls.h"
#include <netinet/in.h>
#include <sys/uio.h>

enum {
    REQUEST_BYTES_FIRST = 4096, /* first size of a request's buffer, and all that is read ahead */
    REQUESTS_KEPT_MAX = 256,    /* idle buffers kept for the next request */
    REQUESTS_PER_TURN = 16,     /* pipelined on one connection before others get their turn */
    READS_PER_TURN = 8,
    ACCEPTS_PER_TURN = 64,
    ACCEPT_PAUSE_MS = 100, /* after running out of descriptors */
    DESCRIPTORS_RESERVED = 64,
    LINGER_MS = 2000,
    LINGER_BYTES_MAX = 512 * 1024,
    DEADLINE_STEP_MS = 20,
    SCRATCH_BYTES = 16 * 1024, /* one TLS record */
    PIECES_MAX = 3,
    DATE_BYTES = 30, /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    CONNECTION_MAGIC = 0x48545450,
};

/* A buffer and what is known of the request that begins at its first byte. */
struct request {
    struct request *next_kept;
    size_t capacity;
    size_t length;
    struct http_parser parser;
    char bytes[];
};

/* Bytes the socket would not take yet. */
struct output {
    size_t capacity;
    size_t start;
    size_t length; /* unsent bytes, from `start` */
    char bytes[];
};

enum connection_state {
    CONNECTION_DEAD = 0,
    CONNECTION_HANDSHAKE,
    CONNECTION_IDLE,
    CONNECTION_READING,
    CONNECTION_HANDLING,
    CONNECTION_PARKED,
    CONNECTION_STREAMING,
    CONNECTION_WRITING,   /* the exchange is over, its answer not all sent */
    CONNECTION_PUMPING,   /* given away under TLS: bytes are carried to and from the new owner */
    CONNECTION_LINGERING, /* our side is shut, the peer's rest is discarded (RFC 9112 section 9.6)
                           */
};

enum deadline_kind {
    DEADLINE_NONE = 0,
    DEADLINE_IDLE,
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WRITE,
    DEADLINE_LINGER,
};

/* A connection has one exchange at a time, so it is its exchange's memory. */
struct http_exchange {
    uint32_t magic;
    enum connection_state state;
    ev_io io; /* fd -1: cut */
    struct listener *listener;
    struct request *request; /* NULL while there are no bytes, and when parked */
    struct output *output;
    struct tls *tls;
    struct http_exchange *previous;
    struct http_exchange *next;
    struct http_exchange *next_ready;
    void *context; /* the handler's */
    void (*on_gone)(void *context);
    void (*on_writable)(void *context);
    struct heap_node node; /* no later than `due` */
    int64_t due;           /* kernel_ms; 0: no limit in force */
    uint64_t address_key;
    uint32_t lingered_bytes;
    enum deadline_kind deadline;
    bool closes : 1;         /* after this exchange */
    bool is_head_method : 1; /* no body in the answer */
    bool is_advancing : 1;   /* the parse loop is on the stack */
    bool is_ready : 1;       /* in the server's ready list */
    bool is_broken : 1;      /* sending failed: close at the end of the turn */
    bool is_peer_closed : 1; /* the peer has shut its side */
    bool is_stream_full : 1; /* the producer waits for on_writable */
    bool tls_wants_write : 1;
    char peer[INET6_ADDRSTRLEN];
};

struct listener {
    struct listener *next;
    struct http_server *server;
    ev_io io;
    struct http_listener_options options; /* texts owned */
    struct tls_context *tls;
};

struct http_server {
    struct loop *loop;
    struct http_server_options options;
    struct http_parser_limits parser_limits;
    struct listener *listeners;
    struct http_exchange *connections;
    int connection_count;
    struct addresses addresses;
    struct heap deadlines;
    ev_timer deadline_timer;
    int64_t deadline_armed; /* INT64_MAX: not armed */
    struct http_exchange *ready;
    struct http_exchange **ready_end;
    struct http_exchange *dead; /* linked by `next` */
    struct loop_deferred end_of_turn;
    struct request *kept_requests;
    int kept_request_count;
    struct builder head; /* of the answer being built */
    char scratch[SCRATCH_BYTES];
    char date[DATE_BYTES];
    int64_t date_second;
    int spare_fd; /* given up to shed connections when no descriptor is left */
    ev_timer accept_pause;
    bool is_draining;
    bool is_drain_over; /* the limit has passed: only shells are left */
    ev_timer drain_limit;
    void (*on_drained)(void *context);
    void *drained_context;
};

/* ---- http_server.c ---- */
void server_note(struct http_server *server, enum http_note_kind kind, int status, const char *peer,
                 const char *detail);
/* Has the end of this turn look at the connection again: read on, close, or tell that it is gone.
 */
void server_mark_ready(struct http_exchange *connection);
void server_bury(struct http_exchange *connection); /* frees it at the end of the turn */
struct request *server_take_request(struct http_server *server);
void server_release_request(struct http_server *server, struct request *request);
/* A limit from now on; DEADLINE_NONE lifts it. */
void connection_set_deadline(struct http_exchange *connection, enum deadline_kind kind);
const char *server_date(struct http_server *server);

/* ---- http_listener.c ---- */
bool listener_start_tls(struct listener *listener, struct tls_context **out_tls,
                        struct error *error) MUST_CHECK;
void listener_stop(struct listener *listener); /* closes the socket */
void listener_destroy(struct listener *listener);
void listeners_pause(struct http_server *server);
void listeners_resume(struct http_server *server);

/* ---- http_transport.c ---- */
enum io_status { IO_DONE, IO_AGAIN, IO_CLOSED, IO_FAILED };
enum io_status connection_receive(struct http_exchange *connection, char *bytes, size_t length,
                                  size_t *out_received);
/* Sends what the socket takes and queues the rest, in order. */
void connection_send(struct http_exchange *connection, const struct iovec *pieces, int count);
/* True when nothing is queued any more. */
bool connection_flush(struct http_exchange *connection);
/* Tells libev which events the connection's state now waits for. */
void connection_watch(struct http_exchange *connection);

/* ---- http_connection.c ---- */
struct http_exchange *connection_create(struct listener *listener, int fd, uint64_t address_key);
bool connection_is_cut(const struct http_exchange *connection);
/* Ends it now. Parked and streaming exchanges get their on_gone. */
void connection_close(struct http_exchange *connection);
/* The exchange is over and its answer given to connection_send. */
void connection_end_exchange(struct http_exchange *connection);
/* Forgets the socket without closing it; returns it, -1 when it is gone already. */
int connection_give_up_socket(struct http_exchange *connection);
void connection_on_deadline(struct http_exchange *connection);
void connection_on_ready(struct http_exchange *connection);
void connection_drop_borrowed(struct http_exchange *connection); /* what park and stream free */

/* ---- http_answer.c ---- */
void answer_refusal(struct http_exchange *connection, const struct http_refusal *refusal);
/* The head up to and with its empty line, in server->head. False when a field cannot be sent. */
bool answer_build_head(struct http_exchange *connection, int status,
                       const struct http_field *fields, size_t field_count,
                       const char *length_field);
const char *answer_reason(int status);

/* ---- http_detach.c ---- */
void pump_run(struct http_exchange *connection); /* carries what can be carried */

static inline struct http_server *server_of(const struct http_exchange *connection)
{
    return connection->listener->server;
}

static inline const struct http_parser *parser_of(const struct http_exchange *connection)
{
    return &connection->request->parser;
}

#endif
