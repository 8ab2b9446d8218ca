#ifndef OPERATIONS_LIVE_OPERATIONS_H
#define OPERATIONS_LIVE_OPERATIONS_H

/* What dashboards are told without asking. Both serve from a read-only store. */

#include "operations/request_operations.h"

/* Who watches: what a summary is held against before it is sent. */
struct live_viewer {
    char person[ID_BYTES];
    char name[NAME_BYTES];
    char tenant[NAME_BYTES];
    bool sees_all; /* admin or auditor of the tenant */
    const char **groups;
    size_t group_count;
    const char **subjects;
    size_t subject_count;
};
/* Of the person signed in. UNAUTHENTICATED when the session is no longer good. */
bool operation_read_viewer(struct operation *operation, struct live_viewer *out,
                           struct error *error) MUST_CHECK;

/* One request for a list: without arguments and votes, the same for every viewer. */
struct request_summary {
    struct request_row request;
    unsigned missing; /* of a critical one that is pending: all of them, whoever has voted */
    const char **asked;
    size_t asked_count;
    bool is_frozen;
    /* While votes are hidden from who has yet to vote: who has, and whoever may be asked. */
    bool is_blind;
    const char **voters;
    size_t voter_count;
    const char **askable; /* groups of all rungs */
    size_t askable_count;
    const char *owner; /* of the agent, "" when none: may know of it */
};
/* The gateway's own. NOT_FOUND. */
bool operation_read_summary(struct operation *operation, const char *tenant, const char *request,
                            struct request_summary *out, struct error *error) MUST_CHECK;
/* Subject, or owner of the agent. */
bool live_viewer_is_party(const struct live_viewer *viewer, const struct request_summary *summary);
/* Whether the viewer may learn that there was a vote on it. */
bool live_viewer_sees_votes(const struct live_viewer *viewer,
                            const struct request_summary *summary);
/* Whether the viewer may know of it: asked, subject, owner, auditor or admin. */
bool live_viewer_sees(const struct live_viewer *viewer, const struct request_summary *summary);

#endif
