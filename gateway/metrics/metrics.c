#include "metrics/metrics.h"

#include "base/check.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS_MAX = 12 };

enum type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

static const char *const type_names[] = {
    [TYPE_COUNTER] = "counter", [TYPE_GAUGE] = "gauge", [TYPE_HISTOGRAM] = "histogram"};

/* Upper bounds in microseconds, ascending; 0 ends a list shorter than BUCKETS_MAX. */
static const int64_t commit_bounds_us[BUCKETS_MAX] = {
    250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000, 10000000};
static const int64_t decide_bounds_us[BUCKETS_MAX] = {5,    10,   25,    50,     100,    250,
                                                      1000, 5000, 25000, 100000, 1000000};

struct description {
    enum type type;
    const char *name; /* without the prefix countersign_ */
    const char *help;
    const int64_t *bounds_us; /* histogram only */
};

static const struct description table[METRIC_COUNT] = {
    [METRIC_HTTP_REQUESTS] = {TYPE_COUNTER, "http_requests_total",
                              "HTTP requests that reached a route.", NULL},
    [METRIC_HTTP_REFUSED] = {TYPE_COUNTER, "http_refused_total",
                             "HTTP requests refused for their framing or size before a route.",
                             NULL},
    [METRIC_HTTP_CONNECTIONS] = {TYPE_GAUGE, "http_connections", "Open connections.", NULL},
    [METRIC_WAITERS_PARKED] = {TYPE_GAUGE, "waiters_parked",
                               "Callers that wait for the end of a request.", NULL},
    [METRIC_REQUESTS_SUBMITTED] = {TYPE_COUNTER, "requests_submitted_total",
                                   "Requests for approval that were recorded.", NULL},
    [METRIC_REQUESTS_ALLOWED] = {TYPE_COUNTER, "requests_allowed_total",
                                 "Requests the policy allowed at once.", NULL},
    [METRIC_REQUESTS_APPROVED] = {TYPE_COUNTER, "requests_approved_total",
                                  "Requests approved by people.", NULL},
    [METRIC_REQUESTS_DENIED] = {TYPE_COUNTER, "requests_denied_total",
                                "Requests denied by policy or people.", NULL},
    [METRIC_REQUESTS_EXPIRED] = {TYPE_COUNTER, "requests_expired_total",
                                 "Requests nobody decided in time.", NULL},
    [METRIC_REQUESTS_CANCELLED] = {TYPE_COUNTER, "requests_cancelled_total",
                                   "Requests withdrawn before a decision.", NULL},
    [METRIC_REQUESTS_EDITED] = {TYPE_COUNTER, "requests_edited_total", "Edits by approvers.", NULL},
    [METRIC_REQUESTS_PENDING] = {TYPE_GAUGE, "requests_pending", "Requests that wait for people.",
                                 NULL},
    [METRIC_VOTES_QUICK] = {TYPE_COUNTER, "votes_quick_total",
                            "Approvals sooner than their risk allows, or unseen.", NULL},
    [METRIC_VOTES_OVER_BUDGET] = {TYPE_COUNTER, "votes_over_budget_total",
                                  "Votes beyond what one person can give well in an hour.", NULL},
    [METRIC_VOTES] = {TYPE_COUNTER, "votes_total", "Votes recorded.", NULL},
    [METRIC_GRANTS_MINTED] = {TYPE_COUNTER, "grants_minted_total", "Grants made.", NULL},
    [METRIC_GRANTS_REDEEMED] = {TYPE_COUNTER, "grants_redeemed_total", "Grants used.", NULL},
    [METRIC_GRANTS_REFUSED] = {TYPE_COUNTER, "grants_refused_total",
                               "Attempts to use a grant that were refused.", NULL},
    [METRIC_EFFECTS_UNKNOWN] = {TYPE_COUNTER, "effects_unknown_total",
                                "Redeemed grants whose effect was never reported.", NULL},
    [METRIC_AUTHENTICATION_FAILURES] = {TYPE_COUNTER, "authentication_failures_total",
                                        "Callers who could not say who they are.", NULL},
    [METRIC_PASSWORD_CHECKS] = {TYPE_COUNTER, "password_checks_total",
                                "Passwords checked, of names that exist and of others.", NULL},
    [METRIC_STORE_BATCHES] = {TYPE_COUNTER, "store_batches_total", "Transactions committed.", NULL},
    [METRIC_STORE_JOBS] = {TYPE_COUNTER, "store_jobs_total",
                           "Operations run in those transactions.", NULL},
    [METRIC_STORE_FULL] = {TYPE_GAUGE, "store_full", "1 while the disk is full.", NULL},
    [METRIC_STORE_COMMIT_SECONDS] = {TYPE_HISTOGRAM, "store_commit_seconds",
                                     "Time to commit a transaction.", commit_bounds_us},
    [METRIC_LEDGER_ENTRIES] = {TYPE_GAUGE, "ledger_entries", "Entries in the ledger.", NULL},
    [METRIC_POLICY_RELOADS] = {TYPE_COUNTER, "policy_reloads_total",
                               "Policy versions taken into use.", NULL},
    [METRIC_POLICY_RELOAD_FAILURES] = {TYPE_COUNTER, "policy_reload_failures_total",
                                       "Policy versions refused as broken.", NULL},
    [METRIC_POLICY_STALE] = {TYPE_GAUGE, "policy_stale",
                             "1 while a broken reload keeps an older policy in use.", NULL},
    [METRIC_POLICY_DECIDE_SECONDS] = {TYPE_HISTOGRAM, "policy_decide_seconds",
                                      "Time to evaluate the policy for a request.",
                                      decide_bounds_us},
    [METRIC_FROZEN] = {TYPE_GAUGE, "frozen", "Freezes in force.", NULL},
    [METRIC_NOTICES_SENT] = {TYPE_COUNTER, "notices_sent_total", "Notices delivered.", NULL},
    [METRIC_NOTICES_DEAD] = {TYPE_COUNTER, "notices_dead_total",
                             "Notices given up after the last attempt.", NULL},
    [METRIC_CHANNELS_OPEN] =
        {TYPE_GAUGE, "channels_open",
         "Channels left alone because they failed again and again, or that lack what the "
         "operator must mend.",
         NULL},
};

/* Each on a cache line of its own: the loop and the store thread bump neighbours all the time. */
struct number {
    _Alignas(64) _Atomic int64_t value;
};

struct histogram {
    _Alignas(64) _Atomic int64_t sum_us;
    _Atomic int64_t counts[BUCKETS_MAX + 1]; /* not cumulative; the last is past all bounds */
};

struct metrics {
    struct number numbers[METRIC_COUNT];
    struct histogram histograms[METRIC_COUNT];
};

struct metrics *metrics_create(void)
{
    struct metrics *metrics = aligned_alloc(_Alignof(struct metrics), sizeof *metrics);
    if (metrics == NULL) {
        memory_exhausted(sizeof *metrics);
    }
    for (int i = 0; i < METRIC_COUNT; i++) {
        CHECK(table[i].name != NULL);
        atomic_init(&metrics->numbers[i].value, 0);
        atomic_init(&metrics->histograms[i].sum_us, 0);
        for (int j = 0; j <= BUCKETS_MAX; j++) {
            atomic_init(&metrics->histograms[i].counts[j], 0);
        }
    }
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    free(metrics);
}

/* Relaxed: each number is right by itself, and nothing is concluded from two of them. */
static void add(_Atomic int64_t *number, int64_t amount)
{
    atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

static int64_t read(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void metrics_add(struct metrics *metrics, enum metric metric, int64_t amount)
{
    if (metrics != NULL) {
        CHECK(table[metric].type != TYPE_HISTOGRAM);
        CHECK(amount >= 0 || table[metric].type == TYPE_GAUGE);
        add(&metrics->numbers[metric].value, amount);
    }
}

void metrics_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    if (metrics != NULL) {
        CHECK(table[metric].type == TYPE_GAUGE);
        atomic_store_explicit(&metrics->numbers[metric].value, value, memory_order_relaxed);
    }
}

void metrics_observe_us(struct metrics *metrics, enum metric metric, int64_t microseconds)
{
    if (metrics == NULL) {
        return;
    }
    CHECK(table[metric].type == TYPE_HISTOGRAM);
    int64_t taken = microseconds < 0 ? 0 : microseconds;
    const int64_t *bounds_us = table[metric].bounds_us;
    int bucket = 0;
    while (bucket < BUCKETS_MAX && bounds_us[bucket] != 0 && taken > bounds_us[bucket]) {
        bucket++;
    }
    bool is_past_all = bucket == BUCKETS_MAX || bounds_us[bucket] == 0;
    struct histogram *histogram = &metrics->histograms[metric];
    add(&histogram->counts[is_past_all ? BUCKETS_MAX : bucket], 1);
    add(&histogram->sum_us, taken);
}

/* Microseconds as seconds, without zeros at the end: 2500 -> 0.0025. */
static void append_seconds(struct builder *out, int64_t microseconds)
{
    char text[40];
    int length = snprintf(text, sizeof text, "%" PRId64 ".%06" PRId64, microseconds / 1000000,
                          microseconds % 1000000);
    while (text[length - 1] == '0') {
        length--;
    }
    length -= text[length - 1] == '.';
    builder_append(out, text, (size_t)length);
}

/* The count is summed from the buckets, so that it always equals the last of them. */
static void append_histogram(struct builder *out, const struct description *description,
                             const struct histogram *histogram)
{
    const char *name = description->name;
    int64_t count = 0;
    for (int i = 0; i < BUCKETS_MAX && description->bounds_us[i] != 0; i++) {
        count += read(&histogram->counts[i]);
        builder_printf(out, "countersign_%s_bucket{le=\"", name);
        append_seconds(out, description->bounds_us[i]);
        builder_printf(out, "\"} %" PRId64 "\n", count);
    }
    count += read(&histogram->counts[BUCKETS_MAX]);
    builder_printf(out, "countersign_%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, count);
    builder_printf(out, "countersign_%s_sum ", name);
    append_seconds(out, read(&histogram->sum_us));
    builder_printf(out, "\ncountersign_%s_count %" PRId64 "\n", name, count);
}

void metrics_append_text(const struct metrics *metrics, struct builder *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct description *description = &table[i];
        builder_printf(out, "# HELP countersign_%s %s\n# TYPE countersign_%s %s\n",
                       description->name, description->help, description->name,
                       type_names[description->type]);
        if (description->type == TYPE_HISTOGRAM) {
            append_histogram(out, description, &metrics->histograms[i]);
        } else {
            builder_printf(out, "countersign_%s %" PRId64 "\n", description->name,
                           read(&metrics->numbers[i].value));
        }
    }
}
