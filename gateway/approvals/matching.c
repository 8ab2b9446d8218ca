#include "approvals/approvals_internal.h"

#include "base/check.h"

/*
 * Maximum bipartite matching by augmenting paths (Berge 1957; Kuhn 1955). A requirement is one node
 * with room for its quorum, which is the same as that many copies of it but visits it once: a
 * search looks at no more than APPROVALS_VOTERS_MAX voters and POLICY_REQUIREMENTS_MAX
 * requirements, and there is one search a voter.
 */
struct matching {
    const uint64_t *eligible;
    size_t voter_count;
    const unsigned *quorums;
    unsigned filled[POLICY_REQUIREMENTS_MAX];
    int *assigned;
};

struct search {
    uint64_t visited;
    size_t came_from[POLICY_REQUIREMENTS_MAX]; /* the voter through whom it was reached */
    size_t queue[APPROVALS_VOTERS_MAX];
    size_t queued;
};

/* Walks the path back: every voter on it moves to the requirement reached through them. */
static void take_path(struct matching *matching, const struct search *search, int requirement)
{
    matching->filled[requirement]++;
    while (requirement != APPROVALS_UNASSIGNED) {
        size_t voter = search->came_from[requirement];
        int freed = matching->assigned[voter];
        matching->assigned[voter] = requirement;
        requirement = freed;
    }
}

static void queue_assigned(const struct matching *matching, struct search *search, int requirement)
{
    for (size_t voter = 0; voter < matching->voter_count; voter++) {
        if (matching->assigned[voter] == requirement) {
            search->queue[search->queued++] = voter;
        }
    }
}

static bool assign_one_more(struct matching *matching, size_t first_voter)
{
    struct search search = {.queue = {first_voter}, .queued = 1};
    for (size_t next = 0; next < search.queued; next++) {
        size_t voter = search.queue[next];
        uint64_t open = matching->eligible[voter] & ~search.visited;
        search.visited |= open;
        for (; open != 0; open &= open - 1) {
            int requirement = __builtin_ctzll(open);
            search.came_from[requirement] = voter;
            if (matching->filled[requirement] < matching->quorums[requirement]) {
                take_path(matching, &search, requirement);
                return true;
            }
            queue_assigned(matching, &search, requirement);
        }
    }
    return false;
}

size_t approvals_match(const uint64_t *eligible, size_t voter_count, const unsigned *quorums,
                       int *out_assigned)
{
    CHECK(voter_count <= APPROVALS_VOTERS_MAX);
    struct matching matching = {.eligible = eligible,
                                .voter_count = voter_count,
                                .quorums = quorums,
                                .assigned = out_assigned};
    for (size_t voter = 0; voter < voter_count; voter++) {
        out_assigned[voter] = APPROVALS_UNASSIGNED;
    }
    size_t assigned_count = 0;
    for (size_t voter = 0; voter < voter_count; voter++) {
        assigned_count += assign_one_more(&matching, voter) ? 1 : 0;
    }
    return assigned_count;
}
