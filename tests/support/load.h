#ifndef TESTS_SUPPORT_LOAD_H
#define TESTS_SUPPORT_LOAD_H

/*
 * Many keep-alive connections to one HTTP server on 127.0.0.1, on one thread: what the campaigns
 * and benchmarks drive a gateway with. Each connection has one exchange under way at most; what it
 * sends next is asked of `next`, what came back is told to `on_reply`. A connection opens when it
 * first has something to send and again after the server has closed it.
 */

#include "base/builder.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

struct load_reply {
    int status;
    const char *body; /* NUL-terminated, borrowed during the call */
    size_t length;
    int64_t began_ns; /* CLOCK_MONOTONIC: when the request was given to the socket */
    int64_t ended_ns;
};

struct load_options {
    uint16_t port;
    size_t connection_count;
    void *context;
    /* Appends the next request of connection `index`. False: it has none now. */
    bool (*next)(void *context, size_t index, struct builder *out);
    void (*on_reply)(void *context, size_t index, const struct load_reply *reply);
    /* The connection ended before the reply did: what was sent may or may not have happened. */
    void (*on_lost)(void *context, size_t index);
};

struct load *load_create(const struct load_options *options);
void load_destroy(struct load *load);

/* Asks every connection that has nothing under way for its next request. Whoever got a reply is
 * asked by itself. */
void load_nudge(struct load *load);
void load_nudge_one(struct load *load, size_t index);
/* Waits at most `wait_ms` for something to happen and handles it. Returns how many exchanges are
 * under way. */
size_t load_turn(struct load *load, int wait_ms);
/* Turns until nothing is under way. */
void load_run(struct load *load);

int64_t load_now_ns(void);

/* One request in HTTP/1.1 form. `secret` and `headers` (whole lines with CRLF) may be NULL. */
void load_append_request(struct builder *out, const char *method, const char *path,
                         const char *secret, const char *headers, const char *body, size_t length);

/* Copies what stands between `before` and the next quote of the reply's body to `out`. False when
 * it is not there or too long. `before` is for example `"token":"`. */
bool load_find_text(const struct load_reply *reply, const char *before, char *out, size_t size);
/* The integer directly behind `before`. */
bool load_find_number(const struct load_reply *reply, const char *before, int64_t *out);

/* Raises the descriptor limit to its hard limit and returns it. */
size_t load_raise_descriptors(void);

#endif
