#include "operations/past_counts.h"

#include "base/memory.h"
#include "crypto/crypto.h"
#include "requests/history.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, KEY_BYTES = 16, PLACE_BYTES = 128 /* with what the heap adds */ };

/* Open addressing with linear probing, never more than half full. A key is half a SHA-256: two
 * series sharing one is less likely than the machine failing. */
struct place {
    unsigned char key[KEY_BYTES];
    char *counts; /* stored form; NULL: free */
    size_t length;
};

struct past_counts {
    unsigned kinds[POLICY_HISTORY_KINDS_MAX];
    size_t kind_count;
    struct place *places;
    size_t capacity;
    size_t used;
    size_t bytes;
    bool is_full;
};

struct past_counts *past_counts_create(const unsigned *kinds, size_t kind_count)
{
    struct past_counts *counts = memory_zeroed(1, sizeof *counts);
    memcpy(counts->kinds, kinds, kind_count * sizeof *kinds);
    counts->kind_count = kind_count;
    counts->capacity = FIRST_CAPACITY;
    counts->places = memory_zeroed(counts->capacity, sizeof *counts->places);
    return counts;
}

void past_counts_destroy(struct past_counts *counts)
{
    if (counts == NULL) {
        return;
    }
    for (size_t i = 0; i < counts->capacity; i++) {
        free(counts->places[i].counts);
    }
    free(counts->places);
    free(counts);
}

static void append_part(struct builder *out, bool is_held, const char *text)
{
    builder_printf(out, "%zu:", is_held ? strlen(text) : 0);
    builder_text(out, is_held ? text : "");
}

static void make_key(const struct past_row *row, unsigned parts, unsigned char out[KEY_BYTES])
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%u:", parts);
    append_part(&text, (parts & POLICY_HISTORY_AGENT) != 0, row->agent_name);
    append_part(&text, (parts & POLICY_HISTORY_ACTION) != 0, row->action_name);
    append_part(&text, (parts & POLICY_HISTORY_RESOURCE) != 0, row->resource_key);
    append_part(&text, (parts & POLICY_HISTORY_SUBJECT) != 0, row->subject_key);
    if ((parts & POLICY_HISTORY_DIGEST) != 0) {
        builder_append(&text, (const char *)row->match_key.bytes, SHA256_BYTES);
    }
    struct sha256 hash = crypto_sha256(text.bytes, text.length);
    memcpy(out, hash.bytes, KEY_BYTES);
}

static struct place *find_place(const struct past_counts *counts,
                                const unsigned char key[KEY_BYTES])
{
    uint64_t start;
    memcpy(&start, key, sizeof start);
    size_t at = (size_t)start & (counts->capacity - 1);
    while (counts->places[at].counts != NULL &&
           memcmp(counts->places[at].key, key, KEY_BYTES) != 0) {
        at = (at + 1) & (counts->capacity - 1);
    }
    return &counts->places[at];
}

static void grow(struct past_counts *counts)
{
    struct past_counts old = *counts;
    counts->capacity *= 2;
    counts->places = memory_zeroed(counts->capacity, sizeof *counts->places);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.places[i].counts != NULL) {
            *find_place(counts, old.places[i].key) = old.places[i];
        }
    }
    free(old.places);
}

static bool load(const struct place *place, struct request_history *out, struct error *error)
{
    out->pending = 0;
    out->span_count = 0;
    return place->counts == NULL || request_history_read(place->counts, place->length, out, error);
}

static void save(struct past_counts *counts, struct place *place,
                 const unsigned char key[KEY_BYTES], const struct request_history *history)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    request_history_append(history, &text);
    if (place->counts == NULL) {
        counts->used++;
        counts->bytes += PLACE_BYTES;
    }
    counts->bytes += text.length - place->length;
    place->counts = memory_resized(place->counts, text.length);
    memcpy(place->counts, text.bytes, text.length);
    memcpy(place->key, key, KEY_BYTES);
    place->length = text.length;
    if (counts->used * 2 > counts->capacity) {
        grow(counts);
    }
}

/* Moments after `row` was asked are kept as fine as young ones until they are past. */
static void note(struct request_history *history, const struct past_row *row)
{
    static const enum policy_past ends[REQUEST_STATE_COUNT] = {
        [REQUEST_APPROVED] = POLICY_PAST_APPROVED,
        [REQUEST_DENIED] = POLICY_PAST_DENIED,
        [REQUEST_EXPIRED] = POLICY_PAST_EXPIRED,
        [REQUEST_CANCELLED] = POLICY_PAST_CANCELLED,
    };
    int64_t now = row->created_at;
    request_history_note(history, POLICY_PAST_ANY, row->created_at, now);
    if (row->ended_at != 0) {
        request_history_note(history, ends[row->state], row->ended_at, now);
    }
    if (row->redeemed_at != 0) {
        request_history_note(history, POLICY_PAST_REDEEMED, row->redeemed_at, now);
    }
    if (row->grant_state == GRANT_SUCCEEDED || row->grant_state == GRANT_FAILED) {
        request_history_note(
            history, row->grant_state == GRANT_FAILED ? POLICY_PAST_FAILED : POLICY_PAST_SUCCEEDED,
            row->effect_at, now);
    }
}

bool past_counts_add(struct past_counts *counts, const struct past_row *row, struct error *error)
{
    for (size_t i = 0; i < counts->kind_count && !counts->is_full; i++) {
        struct request_history history;
        unsigned char key[KEY_BYTES];
        make_key(row, counts->kinds[i], key);
        struct place *place = find_place(counts, key);
        if (!load(place, &history, error)) {
            return false;
        }
        note(&history, row);
        save(counts, place, key, &history);
        counts->is_full = counts->bytes > PAST_COUNTS_BYTES_MAX;
    }
    return true;
}

/* Asked so far and not ended by then. */
static int64_t count_pending(const struct request_history *history, int64_t at)
{
    static const enum policy_past ends[] = {POLICY_PAST_APPROVED, POLICY_PAST_DENIED,
                                            POLICY_PAST_EXPIRED, POLICY_PAST_CANCELLED};
    int64_t pending = request_history_count(history, POLICY_PAST_ANY, 0, at, 0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        pending -= request_history_count(history, ends[i], 0, at, 0);
    }
    return pending < 0 ? 0 : pending;
}

bool past_counts_read(const struct past_counts *counts, const struct past_row *row, unsigned parts,
                      enum policy_past past, int64_t window_ms, int64_t *out_count)
{
    struct request_history history;
    struct error error = {0};
    unsigned char key[KEY_BYTES];
    bool is_kept = false;
    for (size_t i = 0; i < counts->kind_count; i++) {
        is_kept = is_kept || counts->kinds[i] == parts;
    }
    if (!is_kept || counts->is_full) {
        return false;
    }
    make_key(row, parts, key);
    if (!load(find_place(counts, key), &history, &error)) {
        return false;
    }
    *out_count = past == POLICY_PAST_PENDING
                     ? count_pending(&history, row->created_at)
                     : request_history_count(&history, past, row->created_at - window_ms,
                                             row->created_at, 0);
    return true;
}
