#ifndef APPROVALS_TALLY_H
#define APPROVALS_TALLY_H

/*
 * Votes against requirements. Every requirement must be met, and one person counts toward one
 * requirement only: all are met only if distinct people can be assigned (bipartite matching,
 * assurance checked per pair). Eligibility is as of now: a person who lost group, account or duty
 * since voting does not count. The subject, the agent's owner and whoever submitted may not approve
 * (unless the request and every requirement allow self-approval); they, and everyone eligible, may
 * deny, with any vote that identifies them (chat or better). A rung widens only its own
 * requirement. Where the risk is high or critical and one approval is enough, it may not be that of
 * who edited the request: nobody runs alone what they wrote themselves.
 *
 * Zero values mean no: no requirements are never met, and a requirement without a quorum or an
 * assurance is never met by anyone. The order of votes, people and requirements changes no outcome.
 */

#include "base/arena.h"
#include "identity/assurance.h"
#include "policy/policy.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Approvals that can be weighed at once. With more, a request stays open until some are withdrawn
 * or it is denied; denials are counted without bound. */
enum { APPROVALS_VOTERS_MAX = 256 };

/* A person as of this transaction. */
struct approvals_person {
    const char *id;
    bool is_enabled;
    bool is_excluded; /* subject, owner or submitter of this request */
    const char *const *groups;
    size_t group_count;
};

struct approvals_vote {
    const char *person;
    bool approves;
    enum assurance assurance;
};

/* One pending request as the rules see it. All lent. */
struct approvals_case {
    const struct policy_requirement *requirements;
    size_t requirement_count;
    bool allows_self_approval;
    bool is_high;       /* risk high or critical */
    const char *editor; /* who made the current revision; NULL or "" when it is as submitted */
    int64_t asked_at;   /* rung times count from here, frozen time already taken out */
    int64_t now;
    const struct approvals_vote *votes; /* current vote on the current revision, one a person
                                           (CHECKed) */
    size_t vote_count;
    const struct approvals_person *people; /* at least everyone who voted, each once (CHECKed); who
                                              is not here counts as disabled */
    size_t person_count;
};

enum approvals_outcome { APPROVALS_OPEN = 0, APPROVALS_MET, APPROVALS_DENIED };

struct approvals_assignment {
    const char *person;
    size_t requirement; /* index */
};

struct approvals_tally {
    enum approvals_outcome outcome;
    unsigned *approved; /* per requirement: people assigned to it in the best assignment */
    unsigned missing;   /* people still needed in all */
    unsigned denies;    /* eligible deny votes */
    struct approvals_assignment *assignments;
    size_t assignment_count;
    const char **uncounted; /* people whose approve no longer counts, with the reason beside */
    const char **uncounted_reasons; /* "disabled", "not_in_group", "excluded", "editor",
                                       "assurance" */
    size_t uncounted_count;
};

/* Deny wins over met. Everything is allocated in `arena`. */
struct approvals_tally approvals_count(const struct approvals_case *request, struct arena *arena);

/* Whether this person may vote this way now. APPROVALS_MAY is the only yes. */
enum approvals_permission {
    APPROVALS_MAY_NOT_KNOW =
        0, /* not asked, not involved: answered like an id that does not exist */
    APPROVALS_MAY,
    APPROVALS_EXCLUDED,      /* subject, owner or submitter may not approve */
    APPROVALS_EDITOR_ALONE,  /* would be the only approver of what they edited */
    APPROVALS_ASSURANCE_LOW, /* eligible, but the vote proves too little; see out_needed */
};
/* `out_needed` is the least that would do with APPROVALS_ASSURANCE_LOW, else ASSURANCE_NONE. */
enum approvals_permission approvals_may_vote(const struct approvals_case *request,
                                             const struct approvals_person *person, bool approves,
                                             enum assurance assurance, enum assurance *out_needed);

/* Groups asked so far by one requirement (its own, then rungs reached; each once), into `arena`;
 * the names are lent by the requirement. */
const char **approvals_groups_asked(const struct policy_requirement *requirement, int64_t asked_at,
                                    int64_t now, struct arena *arena, size_t *out_count);
/* When the next rung of any requirement falls due after `now`; `out_requirement` and `out_rung`
 * name it (the first of several due together). 0, and nothing written, when there is none. */
int64_t approvals_next_rung(const struct policy_requirement *requirements, size_t count,
                            int64_t asked_at, int64_t now, size_t *out_requirement,
                            size_t *out_rung);

/* Whether the recorded votes still meet these (possibly grown) requirements: asked again at
 * redemption. */
bool approvals_still_met(const struct approvals_case *request, struct arena *arena);

#endif
