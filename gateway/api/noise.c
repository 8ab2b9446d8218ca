#include "api/api_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Two fixed-size tables, so that nobody outside can grow memory. `sources` counts failed
 * credentials per address and minute: it slows those who guess, and is written to the ledger as one
 * entry per source and minute. `rates` is one token bucket per credential. When a table has no free
 * place the least recently used of the probed ones gives way, which errs toward forgetting, never
 * toward refusing another's traffic.
 */

enum { SOURCES = 1024, RATES = 8192, PROBES = 8, MINUTE_MS = 60000, SOURCE_BYTES = 64 };

struct source {
    char address[SOURCE_BYTES];
    const char *kind;
    int64_t since_at; /* 0: free */
    int64_t count;
};

struct rate {
    struct sha256 credential;
    int64_t refilled_at; /* boot clock; 0: free */
    int64_t millitokens;
};

struct api_noise {
    struct source sources[SOURCES];
    struct rate rates[RATES];
    int64_t flushed_at;
};

struct api_noise *api_noise_create(void)
{
    return memory_zeroed(1, sizeof(struct api_noise));
}

void api_noise_destroy(struct api_noise *noise)
{
    free(noise);
}

static size_t hash_text(const char *text)
{
    struct sha256 hash = crypto_sha256(text, strlen(text));
    size_t value;
    memcpy(&value, hash.bytes, sizeof value);
    return value;
}

/* The source's place; NULL when it has none and `creates` is false. */
static struct source *find_source(struct api_noise *noise, const char *address, bool creates)
{
    size_t start = hash_text(address);
    struct source *free_place = NULL;
    struct source *oldest = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct source *source = &noise->sources[(start + i) % SOURCES];
        if (source->since_at == 0) {
            free_place = free_place == NULL ? source : free_place;
        } else if (strcmp(source->address, address) == 0) {
            return source;
        } else if (oldest == NULL || source->since_at < oldest->since_at) {
            oldest = source;
        }
    }
    if (!creates) {
        return NULL;
    }
    struct source *place = free_place != NULL ? free_place : oldest;
    *place = (struct source){0};
    snprintf(place->address, sizeof place->address, "%s", address);
    return place;
}

bool api_noise_allows_source(struct api *api, const char *source, struct error *error)
{
    const struct source *known = find_source(api->noise, source, false);
    if (known == NULL || known->count < api->options.failures_per_minute_max) {
        return true;
    }
    return error_set(error, ERROR_LIMIT, "too_many_failures", NULL,
                     "too many failed credentials from this address in this minute; wait, then "
                     "send a valid one");
}

void api_noise_note(struct api *api, const char *address, const char *kind)
{
    struct source *source = find_source(api->noise, address, true);
    metrics_add(api->options.metrics, METRIC_AUTHENTICATION_FAILURES, 1);
    if (source->since_at == 0) {
        source->since_at = api->wall_now == 0 ? 1 : api->wall_now;
    }
    source->kind = kind;
    source->count++;
}

static struct rate *find_rate(struct api_noise *noise, const struct sha256 *credential)
{
    size_t start;
    memcpy(&start, credential->bytes, sizeof start);
    struct rate *least = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct rate *rate = &noise->rates[(start + i) % RATES];
        if (rate->refilled_at != 0 &&
            memcmp(&rate->credential, credential, sizeof *credential) == 0) {
            return rate;
        }
        if (least == NULL || rate->refilled_at < least->refilled_at) {
            least = rate;
        }
    }
    *least = (struct rate){.credential = *credential};
    return least;
}

bool api_noise_allows_rate(struct api *api, const struct credential *credential,
                           struct error *error)
{
    int64_t per_second = api->options.requests_per_second_max;
    if (per_second == 0 || credential->kind == CREDENTIAL_HOST) {
        return true;
    }
    struct rate *rate = find_rate(api->noise, &credential->hash);
    int64_t now = loop_now(api->options.loop);
    int64_t most = per_second * 1000; /* a burst of one second */
    int64_t elapsed = rate->refilled_at == 0 ? 1000 : now - rate->refilled_at;
    elapsed = elapsed > 1000 ? 1000 : elapsed;
    rate->millitokens += elapsed * per_second;
    rate->millitokens = rate->millitokens > most ? most : rate->millitokens;
    rate->refilled_at = now == 0 ? 1 : now;
    if (rate->millitokens < 1000) {
        char quota[24]; /* for the fields of the answer */
        snprintf(quota, sizeof quota, "%lld", (long long)per_second);
        return error_set(error, ERROR_LIMIT, "rate_limited", quota,
                         "this credential sends more than %lld requests a second; wait a second",
                         (long long)per_second);
    }
    rate->millitokens -= 1000;
    return true;
}

/* ---- one entry per source and minute ---- */

struct note_call {
    struct store_job job;
    struct api *api;
    struct arena *arena;
    struct operation operation;
    struct refusal_note *notes;
    size_t count;
};

static bool run_notes(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct note_call *call = (struct note_call *)job;
    operation_begin_system(&call->operation, call->api->options.operations, store, call->arena,
                           now);
    return operation_note_refusals(&call->operation, call->notes, call->count, error);
}

static void finish_notes(struct store_job *job, bool ok, const struct error *error)
{
    struct note_call *call = (struct note_call *)job;
    if (!ok) {
        log_error(LOG_LEVEL_WARN, "refusals_not_noted", error);
    }
    arena_destroy(call->arena);
    free(call);
}

/* Takes what is a minute old out of the table. */
static void take_due(struct api_noise *noise, struct note_call *call, int64_t now)
{
    for (size_t i = 0; i < SOURCES; i++) {
        struct source *source = &noise->sources[i];
        if (source->since_at == 0 || now - source->since_at < MINUTE_MS) {
            continue;
        }
        call->notes[call->count++] =
            (struct refusal_note){.source = arena_text(call->arena, source->address),
                                  .kind = source->kind,
                                  .count = source->count,
                                  .since_at = source->since_at};
        source->since_at = 0;
        source->count = 0;
    }
}

void api_noise_tick(struct api *api, int64_t wall_now)
{
    struct error error = {0};
    if (wall_now - api->noise->flushed_at < 5000 && wall_now >= api->noise->flushed_at) {
        return;
    }
    api->noise->flushed_at = wall_now;
    struct note_call *call = memory_zeroed(1, sizeof *call);
    call->api = api;
    call->arena = arena_create();
    call->notes = arena_array(call->arena, SOURCES, sizeof *call->notes);
    call->job.run = run_notes;
    call->job.done = finish_notes;
    take_due(api->noise, call, wall_now);
    if (call->count == 0 || !store_writer_submit(api->options.writer, &call->job, &error)) {
        arena_destroy(call->arena);
        free(call);
    }
}
