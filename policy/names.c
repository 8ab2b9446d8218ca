#include "policy/policy_internal.h"

#include <string.h>

static const char *const verdict_names[] = {
    [POLICY_DENY] = "deny",
    [POLICY_REQUIRE_APPROVAL] = "require_approval",
    [POLICY_ALLOW] = "allow",
};

static const char *const risk_names[] = {
    [POLICY_RISK_LOW] = "low",
    [POLICY_RISK_MEDIUM] = "medium",
    [POLICY_RISK_HIGH] = "high",
    [POLICY_RISK_CRITICAL] = "critical",
};

static const char *const past_names[POLICY_PAST_COUNT] = {
    [POLICY_PAST_ANY] = "any",           [POLICY_PAST_PENDING] = "pending",
    [POLICY_PAST_APPROVED] = "approved", [POLICY_PAST_DENIED] = "denied",
    [POLICY_PAST_EXPIRED] = "expired",   [POLICY_PAST_CANCELLED] = "cancelled",
    [POLICY_PAST_REDEEMED] = "redeemed", [POLICY_PAST_SUCCEEDED] = "succeeded",
    [POLICY_PAST_FAILED] = "failed",
};

const char *policy_verdict_name(enum policy_verdict verdict)
{
    return verdict_names[verdict];
}

bool policy_verdict_read(const char *name, enum policy_verdict *out_verdict)
{
    for (enum policy_verdict each = POLICY_DENY; each <= POLICY_ALLOW; each++) {
        if (name != NULL && strcmp(name, verdict_names[each]) == 0) {
            *out_verdict = each;
            return true;
        }
    }
    return false;
}

const char *policy_risk_name(enum policy_risk risk)
{
    return risk_names[risk];
}

bool policy_risk_read(const char *name, enum policy_risk *out_risk)
{
    for (enum policy_risk each = POLICY_RISK_LOW; each <= POLICY_RISK_CRITICAL; each++) {
        if (name != NULL && strcmp(name, risk_names[each]) == 0) {
            *out_risk = each;
            return true;
        }
    }
    return false;
}

const char *policy_past_name(enum policy_past past)
{
    return past_names[past];
}

bool policy_past_read(const char *name, enum policy_past *out_past)
{
    for (enum policy_past each = POLICY_PAST_ANY; each < POLICY_PAST_COUNT; each++) {
        if (name != NULL && strcmp(name, past_names[each]) == 0) {
            *out_past = each;
            return true;
        }
    }
    return false;
}
