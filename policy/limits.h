#ifndef POLICY_LIMITS_H
#define POLICY_LIMITS_H

/* Bounds of the times a rule may name, in milliseconds. */

#include <stdint.h>

static const int64_t TTL_MS_MIN = 5 * 1000LL;
static const int64_t TTL_MS_MAX = 15 * 60 * 1000LL;
static const int64_t CLAIM_WITHIN_MS_MIN = 5 * 1000LL;
static const int64_t CLAIM_WITHIN_MS_MAX = 7 * 24 * 3600 * 1000LL;
static const int64_t TIMEOUT_MS_MIN = 10 * 1000LL;
static const int64_t TIMEOUT_MS_MAX = 30 * 24 * 3600 * 1000LL;

#endif
