#ifndef LOOP_TLS_H
#define LOOP_TLS_H

/* TLS for the listeners, the one place outside crypto/ that includes OpenSSL: 1.2 and 1.3 only,
 * AEAD suites, ALPN http/1.1, no compression, no renegotiation, no tickets, no session cache.
 * Internal to the room. */

#include "loop/http.h"

struct tls_context; /* a listener's certificate and rules */
struct tls;         /* one connection's state */

struct tls_options {
    const char *certificate_file;
    const char *key_file;
    const char *client_ca_file; /* NULL: no client certificates */
    bool client_certificate_required;
    bool takes_unverified; /* client certificates are asked for and only told, not verified */
};

enum tls_status {
    TLS_DONE,
    TLS_WANTS_READ,
    TLS_WANTS_WRITE,
    TLS_CLOSED, /* orderly end by the peer */
    TLS_FAILED,
};

/* INVALID with the file as subject. */
struct tls_context *tls_context_create(const struct tls_options *options,
                                       struct error *error) MUST_CHECK;
void tls_context_destroy(struct tls_context *context); /* accepts NULL; connections go on */

struct tls *tls_create(struct tls_context *context, int fd); /* fd stays the caller's */
void tls_destroy(struct tls *tls);                           /* accepts NULL */
enum tls_status tls_handshake(struct tls *tls);
enum tls_status tls_read(struct tls *tls, char *bytes, size_t length, size_t *out_read);
enum tls_status tls_write(struct tls *tls, const char *bytes, size_t length, size_t *out_written);
void tls_say_goodbye(struct tls *tls); /* close_notify, once, without waiting */
/* NULL when the client showed none. */
const struct http_certificate *tls_peer_certificate(const struct tls *tls);
/* Why the last call failed, for a note. */
const char *tls_reason(void);

#endif
