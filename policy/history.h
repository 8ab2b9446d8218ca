#ifndef POLICY_HISTORY_H
#define POLICY_HISTORY_H

/*
 * What rules may ask about earlier requests, as `history`:
 *
 *   history.count("1h")              asked within the last hour for the same agent and action
 *   history.count("1h", "denied")    of them, by what became of them
 *   history.of("agent", "resource").count("90d", "redeemed") == 0     the first time
 *   history.denials()                lately by people, of the same agent, action and resource
 *
 * The request that is decided is never counted. Whoever asks for a decision gives the counts: this
 * room reads no store. A count that is not known is a CEL error, so that a rule that denies or
 * requires approval matches and one that allows does not. Counts err on the high side and are never
 * too low.
 */

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* What is held equal. A set of them is one series of counts. */
enum policy_history_part {
    POLICY_HISTORY_AGENT = 1 << 0,
    POLICY_HISTORY_ACTION = 1 << 1,
    POLICY_HISTORY_RESOURCE = 1 << 2,
    POLICY_HISTORY_SUBJECT = 1 << 3,
    POLICY_HISTORY_DIGEST = 1 << 4, /* the very same request, arguments included */
};
/* "agent", "action", "resource", "subject", "digest". */
bool policy_history_part_read(const char *name, enum policy_history_part *out_part) MUST_CHECK;

enum {
    POLICY_HISTORY_DEFAULT = POLICY_HISTORY_AGENT | POLICY_HISTORY_ACTION, /* `history` itself */
    POLICY_HISTORY_PARTS_ALL = (1 << 5) - 1,
    POLICY_HISTORY_KINDS_MAX = 8, /* sets of parts that one policy may name */
};
static const int64_t POLICY_WINDOW_MS_MIN = 1000;
static const int64_t POLICY_WINDOW_MS_MAX = 90LL * 24 * 3600 * 1000;

/* What became of earlier requests, each counted at its own time: when it was asked, when it ended,
 * when its grant was redeemed, when that was reported. "The first time" asks for none redeemed, so
 * that an attempt that was denied does not make the next one look familiar. */
enum policy_past {
    POLICY_PAST_ANY = 0,  /* asked, whatever became of it: pending ones included */
    POLICY_PAST_PENDING,  /* how many wait now, whatever the window */
    POLICY_PAST_APPROVED, /* by policy or by people */
    POLICY_PAST_DENIED,
    POLICY_PAST_EXPIRED,
    POLICY_PAST_CANCELLED,
    POLICY_PAST_REDEEMED,
    POLICY_PAST_SUCCEEDED,
    POLICY_PAST_FAILED,
    POLICY_PAST_COUNT
};
const char *policy_past_name(enum policy_past past); /* "any", "pending", "approved", … */
bool policy_past_read(const char *name, enum policy_past *out_past) MUST_CHECK;

/* Asked while a condition reads it, and only then. `parts` is a set of policy_history_part,
 * `window_ms` within the bounds above. False when it is not known: a CEL error. */
struct policy_history {
    bool (*count)(void *context, unsigned parts, enum policy_past past, int64_t window_ms,
                  int64_t *out_count); /* NULL: no count is known */
    void *context;
    int64_t denials; /* negative: not known */
};

/* The sets of parts that the conditions of a policy name, `history` itself included, so that they
 * are counted. Lent; at most POLICY_HISTORY_KINDS_MAX. */
struct policy;
const unsigned *policy_history_kinds(const struct policy *policy, size_t *out_count);

#endif
