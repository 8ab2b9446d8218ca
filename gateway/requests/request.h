#ifndef REQUESTS_REQUEST_H
#define REQUESTS_REQUEST_H

/*
 * The life of one request, as one table of rows {state, event, next state, reason, effects}. A pair
 * that is not in the table is refused. The rules are pure: same input, same output; `now` and ids
 * are arguments elsewhere.
 *
 * The drawing of the table is printed by tests/unit/requests/test_table.c and must match
 * docs/request-life.txt.
 */

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_state {
    REQUEST_ABSENT = 0,
    REQUEST_PENDING,
    REQUEST_APPROVED,
    REQUEST_DENIED,
    REQUEST_EXPIRED,
    REQUEST_CANCELLED,
    REQUEST_STATE_COUNT
};

enum request_event {
    REQUEST_SUBMIT_ALLOWED = 0, /* policy: allow */
    REQUEST_SUBMIT_DENIED,      /* policy: deny */
    REQUEST_SUBMIT_FROZEN,      /* a freeze covers it */
    REQUEST_SUBMIT_REPEATED,    /* a person denied the same a moment ago */
    REQUEST_SUBMIT_ESCALATED,   /* policy: require_approval */
    REQUEST_VOTE_COUNTED,       /* a vote that does not end it */
    REQUEST_REQUIREMENTS_MET,
    REQUEST_DENY_QUORUM_REACHED,
    REQUEST_RUNG_DUE,
    REQUEST_TIMED_OUT,
    REQUEST_WITHDRAWN, /* by its caller */
    REQUEST_CANCELLED_BY_ADMIN,
    REQUEST_EDITED,        /* by an approver: votes start again */
    REQUEST_POLICY_GREW,   /* evaluated again on publication: more is required */
    REQUEST_POLICY_DENIED, /* evaluated again on publication: deny */
    REQUEST_STORE_ROLLED_BACK,
    REQUEST_VOTED_LATE, /* after the end: recorded, changes nothing */
    REQUEST_EVENT_COUNT
};

enum request_reason {
    REASON_NONE = 0,
    REASON_POLICY_ALLOW,
    REASON_POLICY_DENY,
    REASON_APPROVED_BY_PEOPLE,
    REASON_DENIED_BY_PERSON,
    REASON_TIMED_OUT,
    REASON_WITHDRAWN,
    REASON_CANCELLED_BY_ADMIN,
    REASON_FROZEN,
    REASON_RECENTLY_DENIED,
    REASON_ROLLED_BACK,
    REASON_COUNT
};

/* What the operation must do in the same transaction. */
enum request_effect {
    REQUEST_ISSUES_GRANT = 1 << 0,
    REQUEST_ANSWERS_WAITERS = 1 << 1, /* the request ended: settle everywhere */
    REQUEST_TELLS_APPROVERS = 1 << 2, /* someone is asked, or what they were asked changed */
    REQUEST_REMEMBERS_DENIAL = 1 << 3,
};

struct request_transition {
    enum request_state state;
    enum request_event event;
    enum request_state next;
    enum request_reason reason; /* set with a final state; REASON_NONE: keep the one it has */
    unsigned effects;           /* of enum request_effect */
};

/* The transition for this pair, lent; NULL when the pair is refused. */
const struct request_transition *request_apply(enum request_state state,
                                               enum request_event event) MUST_CHECK;

bool request_is_final(enum request_state state);          /* approved, denied, expired, cancelled */
const char *request_state_name(enum request_state state); /* "pending" */
const char *request_event_name(enum request_event event); /* "requirements_met" */
const char *request_reason_name(enum request_reason reason); /* "approved_by_people"; "" for none */

/* The whole table, for drawings and for tests over every pair. */
const struct request_transition *request_transitions(size_t *out_count);

/*
 * A pending request's clock stops while a freeze covers it. Frozen time is accounted for when it
 * matters (a deadline falls due, a vote comes): the deadlines move by how long freezes covered the
 * time since the clock was last settled.
 */
struct request_freeze_span {
    int64_t since_at;
    int64_t until_at; /* 0: still in force */
};
struct request_clock {
    int64_t settled_at; /* freezes before this are already accounted for */
    int64_t timeout_at;
    int64_t due_at;  /* the next rung or the timeout, whichever is first */
    bool is_stopped; /* a freeze is in force now */
};
/* The clock settled at `now`: spans (any order, may overlap; time covered twice counts once) cover
 * this request. A deadline of 0 stays 0. Whoever keeps `asked_at` beside it moves that as far as
 * timeout_at moved. When `now` is before settled_at (the wall clock stepped back) nothing moves. A
 * freeze that was never ended stops the clock whatever its start says. */
struct request_clock request_settle_clock(struct request_clock clock,
                                          const struct request_freeze_span *spans,
                                          size_t span_count, int64_t now);

#endif
