#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/courier_internal.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* What vouches for callers: key sets fetched, files looked at. On the courier's thread. */

enum { LOOK_MS = 2000 };

struct fetches {
    struct trust *trust;
    const struct courier_source *sources;
    struct transfers *transfers;
    int64_t looked_tick;
    atomic_bool reads_all; /* set by any thread */
};

struct fetches *fetches_create(struct trust *trust, const struct courier_source *sources,
                               struct transfers *transfers)
{
    struct fetches *fetches = memory_zeroed(1, sizeof *fetches);
    fetches->trust = trust;
    fetches->sources = sources;
    fetches->transfers = transfers;
    atomic_init(&fetches->reads_all, false);
    return fetches;
}

void fetches_destroy(struct fetches *fetches)
{
    free(fetches);
}

void fetches_reread(struct fetches *fetches)
{
    atomic_store(&fetches->reads_all, true);
}

static void look_at_file(struct fetches *fetches, size_t file, bool reads_all)
{
    struct error error = {0};
    const char *path = NULL;
    switch (trust_reread_file(fetches->trust, file, reads_all, &path, &error)) {
    case TRUST_FILE_SAME:
        break;
    case TRUST_FILE_READ:
        LOG(LOG_LEVEL_INFO, "trust_read", LOG_TEXT("file", path));
        break;
    case TRUST_FILE_BAD:
        log_error(LOG_LEVEL_ERROR, "trust_not_read", &error);
        break;
    }
}

static void look_at_files(struct fetches *fetches, int64_t tick)
{
    bool reads_all = atomic_exchange(&fetches->reads_all, false);
    if (!reads_all && tick - fetches->looked_tick < LOOK_MS) {
        return;
    }
    fetches->looked_tick = tick;
    for (size_t i = 0; i < trust_file_count(fetches->trust); i++) {
        look_at_file(fetches, i, reads_all);
    }
}

void fetches_run(struct fetches *fetches)
{
    int64_t tick = clock_boot_ms();
    size_t issuer = 0;
    if (fetches->trust == NULL) {
        return;
    }
    look_at_files(fetches, tick);
    while (trust_next_fetch(fetches->trust, tick, &issuer)) {
        struct errand *errand = memory_zeroed(1, sizeof *errand);
        errand->kind = ERRAND_FETCH;
        errand->issuer = issuer;
        if (!transfers_fetch(fetches->transfers, &fetches->sources[issuer],
                             trust_fetch_url(fetches->trust, issuer), errand)) {
            trust_fetch_failed(fetches->trust, issuer, tick);
            free(errand);
        }
    }
}

static void complain(const struct fetches *fetches, size_t issuer, const char *why)
{
    LOG(LOG_LEVEL_WARN, "keys_not_fetched",
        LOG_TEXT("url", trust_fetch_url(fetches->trust, issuer)), LOG_TEXT("reason", why));
}

void fetches_take(struct fetches *fetches, size_t issuer, const struct transfer_result *result)
{
    struct error error = {0};
    char reason[64];
    int64_t tick = clock_boot_ms();
    if (result->status == 200) {
        if (!trust_take_keys(fetches->trust, issuer, result->body, result->length, tick, &error)) {
            complain(fetches, issuer, error.message);
        }
        return;
    }
    snprintf(reason, sizeof reason, "answered %ld", result->status);
    trust_fetch_failed(fetches->trust, issuer, tick);
    complain(fetches, issuer, result->status == 0 ? result->failure : reason);
}
