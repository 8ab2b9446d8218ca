#include "base/memory.h"
#include "requests/request.h"

#include <stdlib.h>

struct span {
    int64_t from;
    int64_t to;
};

static int by_start(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    return (a->from > b->from) - (a->from < b->from);
}

static bool is_in_force(const struct request_freeze_span *span, int64_t now)
{
    /* Also one that seems to begin later: it was begun, so it is the clock that stepped back. */
    return span->until_at == 0 || span->until_at > now;
}

static struct span known_part(const struct request_freeze_span *span, int64_t now)
{
    return (struct span){.from = span->since_at,
                         .to = is_in_force(span, now) ? now : span->until_at};
}

/* How much of [from, to] at least one freeze covers. */
static int64_t covered_ms(const struct request_freeze_span *spans, size_t span_count, int64_t from,
                          int64_t to)
{
    struct span *sorted MEMORY_SCOPE = memory_zeroed(span_count, sizeof *sorted);
    for (size_t i = 0; i < span_count; i++) {
        sorted[i] = known_part(&spans[i], to);
    }
    qsort(sorted, span_count, sizeof *sorted, by_start);
    int64_t covered = 0;
    int64_t reached = from;
    for (size_t i = 0; i < span_count; i++) {
        int64_t start = sorted[i].from > reached ? sorted[i].from : reached;
        if (sorted[i].to > start) {
            covered += sorted[i].to - start;
            reached = sorted[i].to;
        }
    }
    return covered;
}

static int64_t moved(int64_t at, int64_t by_ms)
{
    int64_t later;
    if (at == 0) {
        return 0;
    }
    return __builtin_add_overflow(at, by_ms, &later) ? INT64_MAX : later;
}

struct request_clock request_settle_clock(struct request_clock clock,
                                          const struct request_freeze_span *spans,
                                          size_t span_count, int64_t now)
{
    clock.is_stopped = false;
    for (size_t i = 0; i < span_count; i++) {
        clock.is_stopped = clock.is_stopped || is_in_force(&spans[i], now);
    }
    if (now <= clock.settled_at) {
        return clock;
    }
    if (span_count > 0) {
        int64_t frozen_ms = covered_ms(spans, span_count, clock.settled_at, now);
        clock.timeout_at = moved(clock.timeout_at, frozen_ms);
        clock.due_at = moved(clock.due_at, frozen_ms);
    }
    clock.settled_at = now;
    return clock;
}
