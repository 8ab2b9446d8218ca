#ifndef APPROVALS_APPROVALS_INTERNAL_H
#define APPROVALS_APPROVALS_INTERNAL_H

/* Shared by the files of this room only. */

#include "approvals/tally.h"

_Static_assert(POLICY_REQUIREMENTS_MAX <= 64, "who may serve which requirement is a bit each");

/* Member of a group that some requirement has asked by now. */
bool approvals_is_asked(const struct approvals_case *request,
                        const struct approvals_person *person);
/* Subject, owner or submitter, where not every rule lets them approve their own. */
bool approvals_is_excluded(const struct approvals_case *request,
                           const struct approvals_person *person);
/* Who edited it, where they would be the only one to approve it. */
bool approvals_is_editor_alone(const struct approvals_case *request,
                               const struct approvals_person *person);
/* One bit for each requirement toward which an approval of this person counts. */
uint64_t approvals_eligible(const struct approvals_case *request,
                            const struct approvals_person *person, enum assurance assurance);

enum { APPROVALS_UNASSIGNED = -1 };
/* Assigns as many voters as possible, each to one requirement and at most quorums[r] to each r.
 * out_assigned holds a requirement or APPROVALS_UNASSIGNED per voter. Returns how many were. */
size_t approvals_match(const uint64_t *eligible, size_t voter_count, const unsigned *quorums,
                       int *out_assigned);

#endif
