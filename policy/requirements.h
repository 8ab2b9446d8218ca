#ifndef POLICY_REQUIREMENTS_H
#define POLICY_REQUIREMENTS_H

/*
 * What matching rules ask for: requirements (how many people, of which groups, with which
 * assurance) and the terms of the grant that follows. Both are kept with the request as canonical
 * JSON and only ever get stricter there.
 */

#include "base/arena.h"
#include "base/builder.h"
#include "base/error.h"
#include "identity/assurance.h"
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_REQUIREMENTS_MAX = 64, /* a decision that would need more is a deny */
    POLICY_QUORUM_MAX = 20,
    POLICY_GROUPS_MAX = 32,
    POLICY_RUNGS_MAX = 16,
    POLICY_AUDIENCES_MAX = 32,
    POLICY_NAME_BYTES_MAX = 64,      /* rules, groups */
    POLICY_AUDIENCE_BYTES_MAX = 256, /* may be a URL */
};

/* Who else is asked how long after the request was made; they may vote from then on. */
struct policy_rung {
    int64_t after_ms;
    const char **to; /* groups, at least one */
    size_t to_count;
};

struct policy_requirement {
    const char *rule; /* the rule's name; "default" for the policy's defaults.approval */
    int quorum;       /* 1..POLICY_QUORUM_MAX people approve */
    int deny_quorum;  /* this many denials end the request: the smallest of all matching rules, the
                         same in every requirement of one decision */
    enum assurance assurance;  /* at least this for an approval to count */
    bool allows_self_approval; /* true only when every matching rule allows it; the same in every
                                  requirement of one decision */
    int64_t timeout_ms;        /* this rule's own; the request's is the decision's */
    const char **groups;       /* any member of any of them may vote at once; at least one */
    size_t group_count;
    struct policy_rung *ladder; /* ascending; ladder[0].after_ms is 0; at least one rung */
    size_t rung_count;
};

/* Terms of the grant. Zeroed (as in a deny) it allows nothing: ttl_ms is 0. */
struct policy_grant {
    int64_t ttl_ms;          /* 5 s to 15 min from each mint */
    int64_t claim_within_ms; /* from approval */
    bool allows_bearer; /* false when any matching rule forbids a grant without a proved holder */
    const char **audiences; /* NULL: the caller itself only. Never an empty list */
    size_t audience_count;
};

/* Appends the canonical JSON array. */
void policy_requirements_append(struct builder *out, const struct policy_requirement *requirements,
                                size_t count);
/* Reads what policy_requirements_append wrote, into `arena`. CORRUPT when it is anything else. */
bool policy_requirements_read(const char *text, size_t length, struct arena *arena,
                              struct policy_requirement **out_requirements, size_t *out_count,
                              struct error *error) MUST_CHECK;

void policy_grant_append(struct builder *out, const struct policy_grant *grant);
bool policy_grant_read(const char *text, size_t length, struct arena *arena,
                       struct policy_grant *out_grant, struct error *error) MUST_CHECK;

/*
 * Requirements only grow: old ones stay, new ones are added, and where both have one of the same
 * rule the stricter of each member is taken. Nobody may vote in the merged requirement earlier
 * than in either; where the two share no group that may vote at once, both stay, under the same
 * rule name. Texts are lent by both inputs. LIMIT `too_many_requirements` past
 * POLICY_REQUIREMENTS_MAX: treat as a deny.
 */
bool policy_requirements_merge(struct arena *arena, const struct policy_requirement *old,
                               size_t old_count, const struct policy_requirement *new,
                               size_t new_count, struct policy_requirement **out_merged,
                               size_t *out_count, struct error *error) MUST_CHECK;

#endif
