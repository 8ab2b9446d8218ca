#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

/* Named counters, gauges and histograms, thread-safe and lock-free to bump; text exposition in the
 * Prometheus 0.0.4 format. All metrics are registered at start (metrics_create) from the one table
 * in metrics.c, so names are in one place and cardinality is bounded. */

#include "base/builder.h"
#include <stdint.h>

enum metric {
    METRIC_HTTP_REQUESTS,      /* counter */
    METRIC_HTTP_REFUSED,       /* counter: framing or bounds, before a route saw it */
    METRIC_HTTP_CONNECTIONS,   /* gauge */
    METRIC_WAITERS_PARKED,     /* gauge */
    METRIC_REQUESTS_SUBMITTED, /* counter */
    METRIC_REQUESTS_ALLOWED,
    METRIC_REQUESTS_APPROVED,
    METRIC_REQUESTS_DENIED,
    METRIC_REQUESTS_EXPIRED,
    METRIC_REQUESTS_CANCELLED,
    METRIC_REQUESTS_EDITED,
    METRIC_REQUESTS_PENDING, /* gauge */
    METRIC_VOTES,
    METRIC_VOTES_QUICK,
    METRIC_VOTES_OVER_BUDGET,
    METRIC_GRANTS_MINTED,
    METRIC_GRANTS_REDEEMED,
    METRIC_GRANTS_REFUSED,
    METRIC_EFFECTS_UNKNOWN,
    METRIC_AUTHENTICATION_FAILURES,
    METRIC_PASSWORD_CHECKS, /* one for each sign-in, whether or not the name exists */
    METRIC_STORE_BATCHES,
    METRIC_STORE_JOBS,
    METRIC_STORE_FULL,           /* gauge: 1 while the disk is full */
    METRIC_STORE_COMMIT_SECONDS, /* histogram */
    METRIC_LEDGER_ENTRIES,       /* gauge: size of the tree */
    METRIC_POLICY_RELOADS,
    METRIC_POLICY_RELOAD_FAILURES,
    METRIC_POLICY_STALE,          /* gauge: 1 while a broken reload keeps an older version */
    METRIC_POLICY_DECIDE_SECONDS, /* histogram */
    METRIC_FROZEN,                /* gauge: freezes in force */
    METRIC_NOTICES_SENT,
    METRIC_NOTICES_DEAD,
    METRIC_CHANNELS_OPEN, /* gauge: channels left alone because they fail */
    METRIC_COUNT
};

struct metrics;

struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *metrics); /* accepts NULL */
void metrics_add(struct metrics *metrics, enum metric metric,
                 int64_t amount); /* counter or gauge; NULL metrics does nothing */
void metrics_set(struct metrics *metrics, enum metric metric, int64_t value); /* gauge */
void metrics_observe_us(struct metrics *metrics, enum metric metric,
                        int64_t microseconds); /* histogram */
void metrics_append_text(const struct metrics *metrics, struct builder *out);

#endif
