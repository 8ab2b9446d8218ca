#ifndef COURIER_WEBSOCKET_CLIENT_H
#define COURIER_WEBSOCKET_CLIENT_H

/*
 * One websocket to somebody else's server (RFC 6455): libcurl makes the connection, with TLS, name
 * and address checked as for any other transfer; the upgrade and the frames are ours. Text in, text
 * out, no subprotocol, no extension. One thread's.
 */

#include "courier/courier.h"
#include <stdatomic.h>

struct websocket_client;

/* Connects and upgrades, within 20 seconds or until `*must_stop`. `url` is wss://, or ws:// where
 * the channel allows http. NULL with RETRY_LATER; what an answer said is not quoted. */
struct websocket_client *websocket_client_open(const struct courier_channel *channel,
                                               const char *url, const atomic_bool *must_stop,
                                               struct error *error) MUST_CHECK;
void websocket_client_close(struct websocket_client *client); /* says so first; accepts NULL */
int websocket_client_descriptor(const struct websocket_client *client); /* to poll for reading */

enum websocket_answer {
    WEBSOCKET_OVER = 0, /* closed by the other side, or it did what it may not */
    WEBSOCKET_NOTHING,  /* no whole message is there */
    WEBSOCKET_TEXT,
};
/* The next message, valid until the next call. Answers pings. */
enum websocket_answer websocket_client_read(struct websocket_client *client, const char **out_text,
                                            size_t *out_length);
/* Whether anything came since the last call: also of pings and pongs. */
bool websocket_client_was_heard(struct websocket_client *client);
/* False when it is over. */
bool websocket_client_send(struct websocket_client *client, const char *text, size_t length);
bool websocket_client_ping(struct websocket_client *client);

#endif
