#include "requests/history.h"

#include "base/check.h"
#include <string.h>

/*
 * Why the spans are few: after `tidy`, two neighbours together are wider than an eighth of the
 * younger one's age, and than a second. So every second span is at least 9/8 as old as the one two
 * before it, from an age of 8 s on: 117 steps to 90 days, two spans each; and at most 16 below 8 s.
 */

enum { FORM = 1, BITS = 7, MORE = 1 << BITS, NUMBER_BYTES_MAX = 10 };

static int64_t widest(const struct request_history_span *younger, int64_t now)
{
    int64_t share = (now - younger->until_at) / REQUEST_HISTORY_SHARE;
    return share > REQUEST_HISTORY_STEP_MS ? share : REQUEST_HISTORY_STEP_MS;
}

static uint32_t sum(uint32_t left, uint32_t right)
{
    return left > UINT32_MAX - right ? UINT32_MAX : left + right;
}

static void join(struct request_history_span *older, const struct request_history_span *younger)
{
    older->until_at = younger->until_at;
    for (size_t i = 0; i < POLICY_PAST_COUNT; i++) {
        older->counts[i] = sum(older->counts[i], younger->counts[i]);
    }
}

/* Joins neighbours that may be one span by now; leaves out what no window reaches. */
static void tidy(struct request_history *history, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->span_count; i++) {
        const struct request_history_span *span = &history->spans[i];
        if (span->until_at < now - POLICY_WINDOW_MS_MAX) {
            continue;
        }
        struct request_history_span *last = kept == 0 ? NULL : &history->spans[kept - 1];
        if (last != NULL && span->until_at - last->since_at <= widest(span, now)) {
            join(last, span);
        } else {
            history->spans[kept++] = *span;
        }
    }
    history->span_count = kept;
}

/* Time went backwards, or there would be room: the oldest two become one. */
static void make_room(struct request_history *history)
{
    if (history->span_count < REQUEST_HISTORY_SPANS_MAX) {
        return;
    }
    join(&history->spans[0], &history->spans[1]);
    history->span_count--;
    memmove(&history->spans[1], &history->spans[2],
            (history->span_count - 1) * sizeof *history->spans);
}

/* The first span that does not end before `at`; most things happen now, at the end. */
static size_t find(const struct request_history *history, int64_t at)
{
    size_t place = history->span_count;
    while (place > 0 && history->spans[place - 1].until_at >= at) {
        place--;
    }
    return place;
}

static bool holds(const struct request_history *history, size_t place, int64_t at)
{
    return place < history->span_count && history->spans[place].since_at <= at;
}

void request_history_note(struct request_history *history, enum policy_past past, int64_t at,
                          int64_t now)
{
    CHECK(past < POLICY_PAST_COUNT && past != POLICY_PAST_PENDING);
    size_t place = find(history, at);
    if (!holds(history, place, at)) {
        make_room(history);
        place = find(history, at);
    }
    if (!holds(history, place, at)) {
        memmove(&history->spans[place + 1], &history->spans[place],
                (history->span_count - place) * sizeof *history->spans);
        history->spans[place] = (struct request_history_span){.since_at = at, .until_at = at};
        history->span_count++;
    }
    history->spans[place].counts[past] = sum(history->spans[place].counts[past], 1);
    tidy(history, now);
}

int64_t request_history_count(const struct request_history *history, enum policy_past past,
                              int64_t from_at, int64_t to_at, int64_t except_at)
{
    int64_t count = 0;
    bool has_excepted = except_at == 0;
    for (size_t i = 0; i < history->span_count; i++) {
        const struct request_history_span *span = &history->spans[i];
        if (span->until_at < from_at || span->since_at > to_at) {
            continue;
        }
        count += span->counts[past];
        if (!has_excepted && span->since_at <= except_at && span->until_at >= except_at) {
            has_excepted = true;
            count -= span->counts[past] > 0 ? 1 : 0;
        }
    }
    return count;
}

static void append_number(struct builder *out, uint64_t number)
{
    while (number >= MORE) {
        builder_char(out, (char)((number & (MORE - 1)) | MORE));
        number >>= BITS;
    }
    builder_char(out, (char)number);
}

static void append_span(struct builder *out, const struct request_history_span *span,
                        int64_t former_at)
{
    uint64_t which = 0;
    for (size_t i = 0; i < POLICY_PAST_COUNT; i++) {
        which |= span->counts[i] == 0 ? 0 : UINT64_C(1) << i;
    }
    append_number(out, (uint64_t)(span->since_at - former_at));
    append_number(out, (uint64_t)(span->until_at - span->since_at));
    append_number(out, which);
    for (size_t i = 0; i < POLICY_PAST_COUNT; i++) {
        if (span->counts[i] != 0) {
            append_number(out, span->counts[i]);
        }
    }
}

void request_history_append(const struct request_history *history, struct builder *out)
{
    int64_t former_at = 0;
    append_number(out, FORM);
    append_number(out, ((uint64_t)history->pending << 1) ^ (uint64_t)(history->pending >> 63));
    append_number(out, history->span_count);
    for (size_t i = 0; i < history->span_count; i++) {
        append_span(out, &history->spans[i], former_at);
        former_at = history->spans[i].until_at;
    }
}

struct reading {
    const unsigned char *bytes;
    size_t length;
    bool is_bad; /* stays: asked once at the end */
};

static uint64_t read_number(struct reading *reading, uint64_t most)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < NUMBER_BYTES_MAX * BITS && reading->length > 0;
         shift += BITS) {
        unsigned char byte = *reading->bytes++;
        reading->length--;
        number |= (uint64_t)(byte & (MORE - 1)) << shift;
        if ((byte & MORE) == 0) {
            reading->is_bad = reading->is_bad || number > most;
            return reading->is_bad ? 0 : number;
        }
    }
    reading->is_bad = true;
    return 0;
}

static void read_span(struct reading *reading, int64_t former_at, struct request_history_span *out)
{
    uint64_t most = (uint64_t)INT64_MAX / 4;
    *out = (struct request_history_span){0};
    out->since_at = former_at + (int64_t)read_number(reading, most);
    out->until_at = out->since_at + (int64_t)read_number(reading, most);
    uint64_t which = read_number(reading, (UINT64_C(1) << POLICY_PAST_COUNT) - 1);
    for (size_t i = 0; i < POLICY_PAST_COUNT; i++) {
        if ((which >> i & 1) != 0) {
            out->counts[i] = (uint32_t)read_number(reading, UINT32_MAX);
        }
    }
    reading->is_bad = reading->is_bad || out->until_at > INT64_MAX / 2;
}

bool request_history_read(const char *bytes, size_t length, struct request_history *out,
                          struct error *error)
{
    struct reading reading = {.bytes = (const unsigned char *)bytes, .length = length};
    int64_t former_at = 0;
    out->span_count = 0;
    reading.is_bad = read_number(&reading, FORM) != FORM;
    uint64_t pending = read_number(&reading, UINT64_MAX);
    out->pending = (int64_t)(pending >> 1) ^ -(int64_t)(pending & 1);
    size_t count = (size_t)read_number(&reading, REQUEST_HISTORY_SPANS_MAX);
    for (size_t i = 0; i < count && !reading.is_bad; i++) {
        read_span(&reading, former_at, &out->spans[i]);
        former_at = out->spans[i].until_at;
        out->span_count++;
    }
    return (!reading.is_bad && reading.length == 0) ||
           error_set(error, ERROR_CORRUPT, "bad_history", NULL,
                     "the store holds counts that this gateway never wrote; restore the store from "
                     "a copy");
}
