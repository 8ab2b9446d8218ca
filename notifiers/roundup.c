#include "notifiers/roundup.h"

/* Nobody is asked so late that less than three quarters of the time to decide are left. */
enum { SHARE_OF_TIME = 4 };

static int64_t earlier(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

enum roundup_step roundup_judge(const struct roundup_rule *rule, const struct roundup_facts *facts,
                                int64_t now, int64_t *out_until)
{
    int64_t left = facts->timeout_at - now;
    int64_t latest = now + (left > 0 ? left / SHARE_OF_TIME : 0);
    /* Whoever was sent a round-up has had their share of this time. */
    int64_t spent = facts->told + (facts->roundups > 0 ? rule->over : 0);
    if (rule->over == 0 || facts->is_risky) {
        return ROUNDUP_ALONE;
    }
    if (facts->was_gathering) {
        return ROUNDUP_LEAVE;
    }
    if (facts->gathering_until > now) {
        *out_until = earlier(facts->gathering_until, latest);
    } else if (spent + facts->due <= rule->over) {
        return ROUNDUP_ALONE;
    } else if (spent == 0) {
        return ROUNDUP_LEAVE;
    } else {
        *out_until = earlier(now + rule->within_ms, latest);
    }
    return *out_until > now ? ROUNDUP_WAIT : ROUNDUP_LEAVE;
}
