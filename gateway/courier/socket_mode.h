#ifndef COURIER_SOCKET_MODE_H
#define COURIER_SOCKET_MODE_H

/*
 * Slack's Socket Mode: presses come over a websocket that we open, so that nothing needs to be
 * reachable from outside. One thread for each app (sockets.c). Slack vouches for what
 * comes by the TLS connection to the address that it gave us; that address must be within
 * slack.com unless the channel's own is for tests.
 *
 *   none ──apps.connections.open, upgrade──> opened ──hello──> ready ──disconnect──> leaving
 *     ^                                         │                 │                     │ read on
 *     └───────── closed, or silent for 30 s ────┴─────────────────┴─────────────────────┘
 *
 * A socket that is leaving is read until it closes, and another is opened first: else what is
 * pressed in between is lost. An envelope is acknowledged when what it asked for is committed, and
 * on the socket that brought it; one that is not acknowledged counts for nothing here.
 */

#include "courier/courier.h"

struct socket_mode;

struct socket_mode_options {
    const struct courier_channel *channel; /* with its app_token */
    /* An interaction; on the socket's thread. False: it cannot be taken now. */
    bool (*take)(void *context, const char *channel, const char *id, const char *payload,
                 size_t length);
    void *context;
};

/* NULL when there is no thread to be had: INTERNAL. */
struct socket_mode *socket_mode_start(const struct socket_mode_options *options,
                                      struct error *error) MUST_CHECK;
/* Any thread. `response`: JSON that answers a modal; NULL: none. */
void socket_mode_acknowledge(struct socket_mode *mode, const char *id, const char *response);
/* Ends the thread, and frees. Accepts NULL. */
void socket_mode_stop(struct socket_mode *mode);

#endif
