#ifndef LOOP_HTTP_H
#define LOOP_HTTP_H

/*
 * The strict HTTP/1.1 front door (RFC 9110, RFC 9112). It frames requests, refuses whatever two
 * readers could frame differently, and hands each whole request to one handler, which answers it
 * exactly once, at once or later. It refuses everything but HTTP/1.1 in origin form with CRLF line
 * ends, one Host, and a body framed by exactly one Content-Length or exactly `chunked`; every
 * refusal is a problem+json answer and the end of the connection.
 *
 *   exchange:  on_request -> http_answer                                    (at once or later)
 *              on_request -> http_park [-> on_gone, end] -> http_answer     (long waits)
 *              on_request -> http_stream_begin -> write... -> end | abort   (exports, event
 * streams) on_request -> http_detach                                    (an upgrade: the caller
 * owns the socket)
 *
 * Invariants: one exchange per connection at a time; the next pipelined request is parsed only
 * after the former answer is written; an exchange is over, and its pointer dead, once it has been
 * answered, ended, aborted or detached, or its on_gone has returned. A client that leaves before
 * the answer of an exchange that is neither parked nor streaming changes nothing for the handler:
 * it still answers, and the answer is dropped.
 *
 * Everything runs on the loop thread. Text and bytes lent by an exchange live until it is over or
 * parked.
 */

#include "base/builder.h"
#include "base/error.h"
#include "metrics/metrics.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct http_server;
struct http_exchange;

enum {
    HTTP_HEADER_COUNT_MAX = 64,
    HTTP_HEAD_BYTES_MAX = 16 * 1024,    /* default and ceiling of limits.head_bytes_max: 431 */
    HTTP_TARGET_BYTES_MAX = 4 * 1024,   /* default of limits.target_bytes_max: 414 */
    HTTP_BODY_BYTES_MAX = 272 * 1024,   /* default of limits.body_bytes_max: 413 */
    HTTP_BODY_BYTES_CEILING = 99999999, /* what eight digits can say */
    HTTP_HEAD_MS = 5000,
    HTTP_BODY_MS = 10000,
    HTTP_IDLE_MS = 30000,
    HTTP_WRITE_MS = 20000,
    HTTP_CONNECTIONS_MAX = 20000,
    HTTP_STREAM_QUEUED_MAX = 64 * 1024, /* http_stream_write asks to wait beyond this */
    HTTP_CERTIFICATE_NAMES_MAX = 16,
    HTTP_CHAIN_BYTES_MAX = 32 * 1024, /* client certificates of one peer, in DER */
};

enum http_method {
    HTTP_METHOD_NONE = 0,
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};

/* Zero members mean the defaults above. Times are milliseconds: for a whole head from its first
 * byte, a whole body from the end of its head, silence between requests, and a write without
 * progress. */
struct http_limits {
    size_t head_bytes_max;
    size_t target_bytes_max;
    size_t body_bytes_max;
    int64_t head_ms;
    int64_t body_ms;
    int64_t idle_ms;
    int64_t write_ms;
    int connections_max;             /* all listeners; also kept below the descriptor limit */
    int connections_per_address_max; /* an IPv4 address or IPv6 /64; 0: half of connections_max */
};

enum http_note_kind {
    HTTP_NOTE_REFUSED,     /* framing, bounds or time: answered `status`, or closed when 0 */
    HTTP_NOTE_SHED,        /* over a connection cap */
    HTTP_NOTE_DESCRIPTORS, /* no descriptors left: accepting pauses */
    HTTP_NOTE_TLS,         /* handshake failed; `detail` is OpenSSL's reason */
};

/* What the room would have logged, for the one who may. Borrowed during the call. */
struct http_note {
    enum http_note_kind kind;
    int status;
    const char *peer;   /* address text, or "unix" */
    const char *detail; /* stable code: "bare_line_feed" */
};

struct http_server_options {
    struct loop *loop;       /* borrowed until http_server_destroy */
    struct metrics *metrics; /* borrowed; may be NULL */
    struct http_limits limits;
    void (*on_note)(void *context, const struct http_note *note); /* may be NULL */
    void *note_context;
};

typedef void (*http_handler)(void *context, struct http_exchange *exchange);

/* Either address and port (numeric address; port 0: the kernel's choice) or socket_path. Texts are
 * copied. */
struct http_listener_options {
    int id; /* the caller's, told by http_listener_id */
    const char *address;
    uint16_t port;
    const char *socket_path; /* mode 0600; a stale socket file is replaced, any other file is not */
    const char *const *host_names; /* NULL-terminated names a Host may have, without or with port;
                                      else 421. NULL: any well-formed Host */
    const char *certificate_file;  /* PEM chain; NULL: plain HTTP. TLS 1.2 and 1.3 */
    const char *key_file;
    const char *client_ca_file; /* PEM; client certificates are asked for and verified */
    bool client_certificate_required;
    bool takes_unverified_certificates; /* without client_ca_file: asked for, and only told */
    http_handler on_request;
    void *context;
};

struct http_server *http_server_create(const struct http_server_options *options);
/* Closes everything at once; parked and streaming exchanges get their on_gone. Accepts NULL. */
void http_server_destroy(struct http_server *server);
/* Listens at once. INVALID with the file or address as subject. out_port may be NULL; 0 for a
 * unix socket. */
bool http_listen(struct http_server *server, const struct http_listener_options *options,
                 uint16_t *out_port, struct error *error) MUST_CHECK;
/* Reads all certificate and key files again; new connections get them. On error nothing changed. */
bool http_reload_certificates(struct http_server *server, struct error *error) MUST_CHECK;
/* Stops listening, closes idle connections, lets answers finish with `Connection: close`. Calls
 * `on_drained` once from the loop, when the last connection is gone or `within_ms` has passed (what
 * is left then is closed, on_gone called). The caller answers what it has parked. */
void http_drain(struct http_server *server, int64_t within_ms, void (*on_drained)(void *context),
                void *context);

/* ---- the request ---- */
enum http_method http_method(const struct http_exchange *exchange);
const char *http_method_text(const struct http_exchange *exchange);
/* Percent-decoded once; begins with '/'; has no NUL, control, encoded slash or dot segment. May
 * hold any other byte: not necessarily UTF-8. */
const char *http_path(const struct http_exchange *exchange);
const char *http_query(const struct http_exchange *exchange); /* raw, without '?'; "" when absent */
/* Appends the value of query parameter `name`, decoded (application/x-www-form-urlencoded). True
 * with out_is_present false when absent; INVALID `duplicate_parameter` or `invalid_parameter`. */
bool http_query_value(const struct http_exchange *exchange, const char *name, struct builder *out,
                      bool *out_is_present, struct error *error) MUST_CHECK;
/* Calls `visit` for each parameter in order with decoded name and value, until it returns false:
 * for refusing unknown names. INVALID `invalid_parameter` for a bad escape or %00. */
bool http_query_each(const struct http_exchange *exchange,
                     bool (*visit)(void *context, const char *name, const char *value),
                     void *context, struct error *error) MUST_CHECK;
/* The one value of a header (any case), NULL when absent. INVALID `duplicate_header` when it was
 * sent more than once: use http_header_next for lists. */
bool http_header(const struct http_exchange *exchange, const char *name, const char **out_value,
                 struct error *error) MUST_CHECK;
/* Values of a header that may repeat: start with *cursor 0, ends with NULL. A NULL name visits all;
 * out_name (may be NULL) is lower case. */
const char *http_header_next(const struct http_exchange *exchange, const char *name, size_t *cursor,
                             const char **out_name);
const char *http_body(const struct http_exchange *exchange, size_t *out_length); /* no NUL added */

/* ---- who sent it; valid while parked too ---- */
struct http_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
/* A client certificate whose key the peer holds. It verified against client_ca_file; or, where the
 * listener takes unverified ones, nobody has looked whom `chain` leads to. */
struct http_certificate {
    unsigned char sha256[32];                         /* of the DER form */
    const char *subject;                              /* RFC 2253 text */
    const char *uris[HTTP_CERTIFICATE_NAMES_MAX + 1]; /* SAN, NULL-terminated */
    const char *dns_names[HTTP_CERTIFICATE_NAMES_MAX + 1];
    const unsigned char *chain; /* unverified: DER, the leaf first; NULL: verified */
    size_t chain_length;
};
int http_listener_id(const struct http_exchange *exchange);
const char *http_peer_text(const struct http_exchange *exchange); /* "192.0.2.1", "unix" */
bool http_is_tls(const struct http_exchange *exchange);
bool http_peer_credentials(const struct http_exchange *exchange, struct http_credentials *out);
const struct http_certificate *http_peer_certificate(const struct http_exchange *exchange);
/* One pointer of the handler's, NULL at first. */
void http_set_context(struct http_exchange *exchange, void *context);
void *http_context(const struct http_exchange *exchange);

/* ---- the answer ---- */
struct http_field {
    const char *name;
    const char *value;
};
/* Answers and ends the exchange; everything is copied as far as it is not sent at once. Adds
 * Content-Length (not for 204 and 304), Date, and Connection where it must; those are not the
 * caller's to give. HEAD gets the same head and no body. A field with a control character turns the
 * answer into a 500: nothing outside may split an answer. */
void http_answer(struct http_exchange *exchange, int status, const struct http_field *fields,
                 size_t field_count, const void *body, size_t length);
/* The connection is closed after this exchange's answer. Before answering. */
void http_close_after(struct http_exchange *exchange);

/* The answer will be long: frees head and body (borrowed text dies, context stays) and watches for
 * the client: `on_gone` is called with the exchange's context within a turn of its closing, also
 * half-closing. */
void http_park(struct http_exchange *exchange, void (*on_gone)(void *context));

/* A chunked answer, head sent at once. Frees head and body like http_park; on_writable is called
 * when a stream that asked to wait has been written out; both get the exchange's context. */
void http_stream_begin(struct http_exchange *exchange, int status, const struct http_field *fields,
                       size_t field_count, void (*on_writable)(void *context),
                       void (*on_gone)(void *context));
/* Queues one piece (0 bytes: nothing). False: write no more until on_writable, because more than
 * HTTP_STREAM_QUEUED_MAX is queued (this piece too), or until on_gone, because the client has left.
 */
bool http_stream_write(struct http_exchange *exchange, const void *bytes, size_t length);
void http_stream_end(struct http_exchange *exchange);
/* Cuts the connection without the last chunk, so that the client sees the answer is not whole. */
void http_stream_abort(struct http_exchange *exchange);

/* True for a GET with `Connection: upgrade` and `Upgrade: <protocol>` (any case). */
bool http_wants_upgrade(const struct http_exchange *exchange, const char *protocol);
/* Gives the connection away: out_fd is a non-blocking plain stream socket the caller now owns, and
 * `out_bytes` gets the request again in canonical form followed by what was read after it, as if
 * nothing had been read. Under TLS the socket is one end of a pair and this room carries bytes
 * between it and the client. False with INTERNAL when no descriptor is left: answer instead. */
bool http_detach(struct http_exchange *exchange, int *out_fd, struct builder *out_bytes,
                 struct error *error) MUST_CHECK;

#endif
