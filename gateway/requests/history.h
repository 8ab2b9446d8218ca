#ifndef REQUESTS_HISTORY_H
#define REQUESTS_HISTORY_H

/*
 * How often something happened, by what it was and when, in bounded memory: one series of the
 * counts that rules read as `history`. Time is kept in spans, exact when young and wider with age,
 * so that any window can be asked for without having been announced.
 *
 * A count is never too low. A span is counted whole when its newest moment is in the window, and
 * spans are at most 1/8 of their age (or a second) wide, so that the count of a window that ends
 * now is never more than the exact count of a window wider by an eighth and a second.
 *
 * Pure: `now` is an argument. Times never before the highest seen are expected (operations); others
 * make spans wider, never a count lower.
 */

#include "base/builder.h"
#include "base/error.h"
#include "policy/history.h"
#include <stdint.h>

enum {
    REQUEST_HISTORY_SPANS_MAX = 320, /* what 90 days need at most is 252: history.c */
    REQUEST_HISTORY_SHARE = 8,       /* a span is at most its age divided by this wide */
    REQUEST_HISTORY_STEP_MS = 1000,  /* or this */
};

struct request_history_span {
    int64_t since_at; /* its oldest moment */
    int64_t until_at; /* its newest; both are moments at which something happened */
    uint32_t counts[POLICY_PAST_COUNT];
};

/* Zeroed: nothing ever happened. Spans are disjoint and ascending. */
struct request_history {
    int64_t pending; /* now; below zero only while older requests are still being counted */
    size_t span_count;
    struct request_history_span spans[REQUEST_HISTORY_SPANS_MAX];
};

/* Counts one more at `at`, which may lie anywhere before `now`. Of POLICY_PAST_PENDING there is no
 * time: raise and lower `pending` instead. Forgets what is older than any window. */
void request_history_note(struct request_history *history, enum policy_past past, int64_t at,
                          int64_t now);

/* How many in [from_at, to_at], at least. `except_at` (0: none) is the time of one that is counted
 * in this series and must not be: the request that is decided. */
int64_t request_history_count(const struct request_history *history, enum policy_past past,
                              int64_t from_at, int64_t to_at, int64_t except_at);

/* The stored form: a version, then numbers in 7 bits a byte. */
void request_history_append(const struct request_history *history, struct builder *out);
/* CORRUPT `bad_history` for what request_history_append never writes. */
bool request_history_read(const char *bytes, size_t length, struct request_history *out,
                          struct error *error) MUST_CHECK;

#endif
