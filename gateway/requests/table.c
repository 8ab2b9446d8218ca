#include "requests/request.h"

enum {
    ENDS = REQUEST_ANSWERS_WAITERS,
    ENDS_APPROVED = REQUEST_ANSWERS_WAITERS | REQUEST_ISSUES_GRANT,
    ENDS_BY_DENIAL = REQUEST_ANSWERS_WAITERS | REQUEST_REMEMBERS_DENIAL,
    TELLS = REQUEST_TELLS_APPROVERS,
};

static const struct request_transition transitions[] = {
    {REQUEST_ABSENT, REQUEST_SUBMIT_ALLOWED, REQUEST_APPROVED, REASON_POLICY_ALLOW, ENDS_APPROVED},
    {REQUEST_ABSENT, REQUEST_SUBMIT_DENIED, REQUEST_DENIED, REASON_POLICY_DENY, ENDS},
    {REQUEST_ABSENT, REQUEST_SUBMIT_FROZEN, REQUEST_DENIED, REASON_FROZEN, ENDS},
    /* Not remembered again: the window counts from the person's denial, an agent that keeps asking
     * does not prolong it. */
    {REQUEST_ABSENT, REQUEST_SUBMIT_REPEATED, REQUEST_DENIED, REASON_RECENTLY_DENIED, ENDS},
    {REQUEST_ABSENT, REQUEST_SUBMIT_ESCALATED, REQUEST_PENDING, REASON_NONE, TELLS},

    {REQUEST_PENDING, REQUEST_VOTE_COUNTED, REQUEST_PENDING, REASON_NONE, 0},
    {REQUEST_PENDING, REQUEST_REQUIREMENTS_MET, REQUEST_APPROVED, REASON_APPROVED_BY_PEOPLE,
     ENDS_APPROVED},
    {REQUEST_PENDING, REQUEST_DENY_QUORUM_REACHED, REQUEST_DENIED, REASON_DENIED_BY_PERSON,
     ENDS_BY_DENIAL},
    {REQUEST_PENDING, REQUEST_RUNG_DUE, REQUEST_PENDING, REASON_NONE, TELLS},
    {REQUEST_PENDING, REQUEST_TIMED_OUT, REQUEST_EXPIRED, REASON_TIMED_OUT, ENDS},
    {REQUEST_PENDING, REQUEST_WITHDRAWN, REQUEST_CANCELLED, REASON_WITHDRAWN, ENDS},
    {REQUEST_PENDING, REQUEST_CANCELLED_BY_ADMIN, REQUEST_CANCELLED, REASON_CANCELLED_BY_ADMIN,
     ENDS},
    {REQUEST_PENDING, REQUEST_EDITED, REQUEST_PENDING, REASON_NONE, TELLS},
    {REQUEST_PENDING, REQUEST_POLICY_GREW, REQUEST_PENDING, REASON_NONE, TELLS},
    {REQUEST_PENDING, REQUEST_POLICY_DENIED, REQUEST_DENIED, REASON_POLICY_DENY, ENDS},
    {REQUEST_PENDING, REQUEST_STORE_ROLLED_BACK, REQUEST_CANCELLED, REASON_ROLLED_BACK, ENDS},

    {REQUEST_APPROVED, REQUEST_VOTED_LATE, REQUEST_APPROVED, REASON_NONE, 0},
    {REQUEST_DENIED, REQUEST_VOTED_LATE, REQUEST_DENIED, REASON_NONE, 0},
    {REQUEST_EXPIRED, REQUEST_VOTED_LATE, REQUEST_EXPIRED, REASON_NONE, 0},
    {REQUEST_CANCELLED, REQUEST_VOTED_LATE, REQUEST_CANCELLED, REASON_NONE, 0},
};

static const size_t transition_count = sizeof transitions / sizeof transitions[0];

const struct request_transition *request_apply(enum request_state state, enum request_event event)
{
    for (size_t i = 0; i < transition_count; i++) {
        if (transitions[i].state == state && transitions[i].event == event) {
            return &transitions[i];
        }
    }
    return NULL;
}

const struct request_transition *request_transitions(size_t *out_count)
{
    *out_count = transition_count;
    return transitions;
}

bool request_is_final(enum request_state state)
{
    return state == REQUEST_APPROVED || state == REQUEST_DENIED || state == REQUEST_EXPIRED ||
           state == REQUEST_CANCELLED;
}

const char *request_state_name(enum request_state state)
{
    static const char *const names[REQUEST_STATE_COUNT] = {
        [REQUEST_ABSENT] = "absent",     [REQUEST_PENDING] = "pending",
        [REQUEST_APPROVED] = "approved", [REQUEST_DENIED] = "denied",
        [REQUEST_EXPIRED] = "expired",   [REQUEST_CANCELLED] = "cancelled",
    };
    return (unsigned)state < REQUEST_STATE_COUNT ? names[state] : "absent";
}

const char *request_event_name(enum request_event event)
{
    static const char *const names[REQUEST_EVENT_COUNT] = {
        [REQUEST_SUBMIT_ALLOWED] = "submit_allowed",
        [REQUEST_SUBMIT_DENIED] = "submit_denied",
        [REQUEST_SUBMIT_FROZEN] = "submit_frozen",
        [REQUEST_SUBMIT_REPEATED] = "submit_repeated",
        [REQUEST_SUBMIT_ESCALATED] = "submit_escalated",
        [REQUEST_VOTE_COUNTED] = "vote_counted",
        [REQUEST_REQUIREMENTS_MET] = "requirements_met",
        [REQUEST_DENY_QUORUM_REACHED] = "deny_quorum_reached",
        [REQUEST_RUNG_DUE] = "rung_due",
        [REQUEST_TIMED_OUT] = "timed_out",
        [REQUEST_WITHDRAWN] = "withdrawn",
        [REQUEST_CANCELLED_BY_ADMIN] = "cancelled_by_admin",
        [REQUEST_EDITED] = "edited",
        [REQUEST_POLICY_GREW] = "policy_grew",
        [REQUEST_POLICY_DENIED] = "policy_denied",
        [REQUEST_STORE_ROLLED_BACK] = "store_rolled_back",
        [REQUEST_VOTED_LATE] = "voted_late",
    };
    return (unsigned)event < REQUEST_EVENT_COUNT ? names[event] : "";
}

const char *request_reason_name(enum request_reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_NONE] = "",
        [REASON_POLICY_ALLOW] = "policy_allow",
        [REASON_POLICY_DENY] = "policy_deny",
        [REASON_APPROVED_BY_PEOPLE] = "approved_by_people",
        [REASON_DENIED_BY_PERSON] = "denied_by_person",
        [REASON_TIMED_OUT] = "timed_out",
        [REASON_WITHDRAWN] = "withdrawn",
        [REASON_CANCELLED_BY_ADMIN] = "cancelled_by_admin",
        [REASON_FROZEN] = "frozen",
        [REASON_RECENTLY_DENIED] = "recently_denied",
        [REASON_ROLLED_BACK] = "rolled_back",
    };
    return (unsigned)reason < REASON_COUNT ? names[reason] : "";
}
