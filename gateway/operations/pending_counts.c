#include "operations/pending_counts.h"

#include "base/memory.h"
#include "store/request_rows.h"
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64, UNKNOWN = -1 };

/* Open addressing with linear probing; never more than half full. Callers stay once they are known:
 * there are as many as were registered. */
struct pending_count {
    char caller[ID_BYTES]; /* "" is a free place */
    int64_t count;
};

/* One step of this batch: read from the store, or changed by so much. */
struct pending_step {
    char caller[ID_BYTES];
    bool is_read;
    int64_t by;
};

struct pending_counts {
    struct pending_count *places;
    size_t capacity;
    size_t used;
    struct pending_step *steps;
    size_t step_capacity;
    size_t step_count;
    size_t steps_at_savepoint;
};

struct pending_counts *pending_counts_create(void)
{
    struct pending_counts *counts = memory_zeroed(1, sizeof *counts);
    counts->capacity = FIRST_CAPACITY;
    counts->places = memory_zeroed(counts->capacity, sizeof *counts->places);
    return counts;
}

void pending_counts_destroy(struct pending_counts *counts)
{
    if (counts != NULL) {
        free(counts->places);
        free(counts->steps);
        free(counts);
    }
}

/* FNV-1a: ids are the gateway's own, nobody chooses them to collide. */
static size_t hash_of(const char *caller)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *caller != '\0'; caller++) {
        hash = (hash ^ (unsigned char)*caller) * 0x100000001b3;
    }
    return (size_t)(hash ^ (hash >> 32));
}

static struct pending_count *find_place(const struct pending_counts *counts, const char *caller)
{
    size_t place = hash_of(caller) & (counts->capacity - 1);
    while (counts->places[place].caller[0] != '\0' &&
           strcmp(counts->places[place].caller, caller) != 0) {
        place = (place + 1) & (counts->capacity - 1);
    }
    return &counts->places[place];
}

static void grow(struct pending_counts *counts)
{
    struct pending_counts old = *counts;
    counts->capacity *= 2;
    counts->places = memory_zeroed(counts->capacity, sizeof *counts->places);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.places[i].caller[0] != '\0') {
            *find_place(counts, old.places[i].caller) = old.places[i];
        }
    }
    free(old.places);
}

static void take_step(struct pending_counts *counts, const struct pending_step *step)
{
    if (counts->step_count == counts->step_capacity) {
        counts->step_capacity = counts->step_capacity == 0 ? 256 : counts->step_capacity * 2;
        counts->steps =
            memory_resized(counts->steps, counts->step_capacity * sizeof *counts->steps);
    }
    counts->steps[counts->step_count++] = *step;
}

static void set_count(struct pending_counts *counts, const char *caller, int64_t count)
{
    struct pending_count *place = find_place(counts, caller);
    if (place->caller[0] == '\0') {
        memcpy(place->caller, caller, strlen(caller) + 1);
        counts->used++;
    }
    place->count = count;
    if (counts->used * 2 > counts->capacity) {
        grow(counts);
    }
}

static bool is_known(const struct pending_count *place)
{
    return place->caller[0] != '\0' && place->count != UNKNOWN;
}

bool pending_counts_read(struct pending_counts *counts, struct store *store, const char *tenant,
                         const char *caller, int64_t *out_count, struct error *error)
{
    const struct pending_count *place = find_place(counts, caller);
    if (is_known(place)) {
        *out_count = place->count;
        return true;
    }
    if (!store_count_pending(store, tenant, caller, out_count, error)) {
        return false;
    }
    struct pending_step step = {.is_read = true};
    memcpy(step.caller, caller, strlen(caller) + 1);
    take_step(counts, &step);
    set_count(counts, caller, *out_count);
    return true;
}

void pending_counts_change(struct pending_counts *counts, const char *caller, int64_t by)
{
    struct pending_count *place = find_place(counts, caller);
    if (!is_known(place)) {
        return; /* the store will say */
    }
    struct pending_step step = {.by = by};
    memcpy(step.caller, caller, strlen(caller) + 1);
    take_step(counts, &step);
    place->count += by;
}

/* What was read in a piece that is taken back may have counted some of it. */
static void undo_to(struct pending_counts *counts, size_t step_count)
{
    while (counts->step_count > step_count) {
        const struct pending_step *step = &counts->steps[--counts->step_count];
        struct pending_count *place = find_place(counts, step->caller);
        place->count = step->is_read ? UNKNOWN : place->count - step->by;
    }
}

void pending_counts_begin(struct pending_counts *counts)
{
    counts->step_count = 0;
    counts->steps_at_savepoint = 0;
}

void pending_counts_savepoint(struct pending_counts *counts)
{
    counts->steps_at_savepoint = counts->step_count;
}

void pending_counts_rollback(struct pending_counts *counts)
{
    undo_to(counts, counts->steps_at_savepoint);
}

void pending_counts_abort(struct pending_counts *counts)
{
    undo_to(counts, 0);
}
