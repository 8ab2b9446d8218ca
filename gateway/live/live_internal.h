#ifndef LIVE_LIVE_INTERNAL_H
#define LIVE_LIVE_INTERNAL_H

/* What the files of this room share. */

#include "base/arena.h"
#include "live/live.h"
#include "loop/websocket.h"

/* The kind of event of a vote that not everyone who sees the request may know of. What is sent is
 * the request all the same. */
#define LIVE_VOTE "vote"

enum {
    LIVE_RING_MAX = 16384,   /* events kept for who comes back */
    LIVE_REPLAY_MAX = 10000, /* events one may have missed */
    LIVE_CONNECTIONS_MAX = 10000,
    LIVE_READ_MAX = 64, /* requests read in one job */
    LIVE_HELLO_MS = 5000,
    LIVE_CHECK_MS = 1000,
    LIVE_CHECK_EVERY_MS = 5000, /* each session is looked at again that often */
    LIVE_UNAUTHENTICATED = 4401,
    LIVE_FORBIDDEN = 4403,
};

struct live_event {
    int64_t seq;      /* 0: none */
    const char *kind; /* "request", LIVE_VOTE, "freeze", "policy": a literal */
    char tenant[NAME_BYTES];
    char request[ID_BYTES];
};

struct live_connection {
    struct live_connection *next, *previous;
    struct live *live;
    struct websocket *socket; /* NULL before the handshake and after the end */
    struct credential credential;
    struct arena *arena; /* of the viewer */
    struct live_viewer viewer;
    struct loop_timer *hello_timer;
    int64_t checked_at;
    int jobs; /* under way that know it */
    bool is_closed;
    bool has_greeted;
    bool is_ready; /* gets events as they happen */
    bool is_checking;
};

struct live {
    struct live_options options;
    struct websocket_server *sockets;
    struct loop_timer *check;
    struct live_connection *connections;
    int connection_count;
    struct live_event *ring;
    char epoch[ID_BYTES];
    int64_t seq;      /* of the newest event */
    int64_t told_seq; /* up to here every ready connection was told */
    bool is_reading;  /* news are being read */
    int jobs;
};

/* read_news.c */
void live_read_news(struct live *live);
void live_replay(struct live_connection *connection, int64_t since);
void live_check_sessions(struct live *live);

/* live.c */
struct websocket_message *live_request_message(int64_t seq, const struct request_summary *summary);
void live_tell_plain(struct live *live, const struct live_event *event);
void live_end_replay(struct live_connection *connection, int64_t replayed); /* negative: reset */
void live_release(struct live_connection *connection);
void live_copy_viewer(struct live_connection *connection, const struct live_viewer *viewer);

#endif
