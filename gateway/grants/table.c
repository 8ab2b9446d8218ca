#include "grants/grant.h"

static const struct grant_transition transitions[] = {
    {GRANT_ABSENT, GRANT_ISSUE, GRANT_ISSUED},

    {GRANT_ISSUED, GRANT_MINT, GRANT_ISSUED},
    {GRANT_ISSUED, GRANT_REDEEM, GRANT_REDEEMED},
    {GRANT_ISSUED, GRANT_CLAIM_WINDOW_OVER, GRANT_LAPSED},
    {GRANT_ISSUED, GRANT_REVOKE, GRANT_REVOKED},

    {GRANT_REDEEMED, GRANT_REPORT_SUCCEEDED, GRANT_SUCCEEDED},
    {GRANT_REDEEMED, GRANT_REPORT_FAILED, GRANT_FAILED},
    {GRANT_REDEEMED, GRANT_REPORT_UNKNOWN, GRANT_UNKNOWN},
    {GRANT_REDEEMED, GRANT_EFFECT_OVERDUE, GRANT_UNKNOWN},

    /* Only a person resolves `unknown`: a redeemer that found its tongue again is not believed. */
    {GRANT_UNKNOWN, GRANT_RESOLVE_SUCCEEDED, GRANT_SUCCEEDED},
    {GRANT_UNKNOWN, GRANT_RESOLVE_FAILED, GRANT_FAILED},
};

static const size_t transition_count = sizeof transitions / sizeof transitions[0];

const struct grant_transition *grant_apply(enum grant_state state, enum grant_event event)
{
    for (size_t i = 0; i < transition_count; i++) {
        if (transitions[i].state == state && transitions[i].event == event) {
            return &transitions[i];
        }
    }
    return NULL;
}

const struct grant_transition *grant_transitions(size_t *out_count)
{
    *out_count = transition_count;
    return transitions;
}

const char *grant_state_name(enum grant_state state)
{
    static const char *const names[GRANT_STATE_COUNT] = {
        [GRANT_ABSENT] = "absent",       [GRANT_ISSUED] = "issued",   [GRANT_REDEEMED] = "redeemed",
        [GRANT_SUCCEEDED] = "succeeded", [GRANT_FAILED] = "failed",   [GRANT_UNKNOWN] = "unknown",
        [GRANT_LAPSED] = "lapsed",       [GRANT_REVOKED] = "revoked",
    };
    return (unsigned)state < GRANT_STATE_COUNT ? names[state] : "absent";
}

const char *grant_event_name(enum grant_event event)
{
    static const char *const names[GRANT_EVENT_COUNT] = {
        [GRANT_ISSUE] = "issue",
        [GRANT_MINT] = "mint",
        [GRANT_REDEEM] = "redeem",
        [GRANT_CLAIM_WINDOW_OVER] = "claim_window_over",
        [GRANT_REVOKE] = "revoke",
        [GRANT_REPORT_SUCCEEDED] = "report_succeeded",
        [GRANT_REPORT_FAILED] = "report_failed",
        [GRANT_REPORT_UNKNOWN] = "report_unknown",
        [GRANT_EFFECT_OVERDUE] = "effect_overdue",
        [GRANT_RESOLVE_SUCCEEDED] = "resolve_succeeded",
        [GRANT_RESOLVE_FAILED] = "resolve_failed",
    };
    return (unsigned)event < GRANT_EVENT_COUNT ? names[event] : "";
}
