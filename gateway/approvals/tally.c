#include "approvals/approvals_internal.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* One person's current vote beside what is known of that person now. */
struct ballot {
    const struct approvals_vote *vote;
    const struct approvals_person *person; /* NULL when nothing is */
    uint64_t eligible;                     /* requirements an approval counts toward */
};

struct count {
    const struct approvals_case *request;
    struct arena *arena;
    struct ballot *ballots; /* ordered by person, so that the order of votes changes nothing */
    const struct approvals_person **people; /* ordered by id */
    struct approvals_tally tally;
};

static int by_id(const void *left, const void *right)
{
    const struct approvals_person *const *a = left;
    const struct approvals_person *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

static int by_voter(const void *left, const void *right)
{
    const struct ballot *a = left;
    const struct ballot *b = right;
    return strcmp(a->vote->person, b->vote->person);
}

static void order_people(struct count *count)
{
    const struct approvals_case *request = count->request;
    count->people = arena_array(count->arena, request->person_count, sizeof(void *));
    for (size_t i = 0; i < request->person_count; i++) {
        count->people[i] = &request->people[i];
    }
    qsort(count->people, request->person_count, sizeof(void *), by_id);
    for (size_t i = 1; i < request->person_count; i++) {
        CHECK(by_id(&count->people[i - 1], &count->people[i]) != 0);
    }
}

static const struct approvals_person *find_person(const struct count *count, const char *id)
{
    struct approvals_person wanted = {.id = id};
    const struct approvals_person *key = &wanted;
    const struct approvals_person **found =
        bsearch(&key, count->people, count->request->person_count, sizeof(void *), by_id);
    return found == NULL ? NULL : *found;
}

static void order_ballots(struct count *count)
{
    const struct approvals_case *request = count->request;
    count->ballots = arena_array(count->arena, request->vote_count, sizeof *count->ballots);
    for (size_t i = 0; i < request->vote_count; i++) {
        struct ballot *ballot = &count->ballots[i];
        ballot->vote = &request->votes[i];
        ballot->person = find_person(count, ballot->vote->person);
        if (ballot->person != NULL && ballot->vote->approves) {
            ballot->eligible = approvals_eligible(request, ballot->person, ballot->vote->assurance);
        }
    }
    qsort(count->ballots, request->vote_count, sizeof *count->ballots, by_voter);
    for (size_t i = 1; i < request->vote_count; i++) {
        CHECK(by_voter(&count->ballots[i - 1], &count->ballots[i]) != 0);
    }
}

static bool denial_counts(const struct approvals_case *request, const struct ballot *ballot)
{
    return !ballot->vote->approves && ballot->vote->assurance >= ASSURANCE_CHAT &&
           ballot->person != NULL && ballot->person->is_enabled &&
           (ballot->person->is_excluded || approvals_is_asked(request, ballot->person));
}

/* The smallest of all; one that was never filled in ends the request with the first denial. */
static unsigned deny_quorum(const struct approvals_case *request)
{
    int smallest = request->requirement_count == 0 ? 1 : request->requirements[0].deny_quorum;
    for (size_t i = 1; i < request->requirement_count; i++) {
        if (request->requirements[i].deny_quorum < smallest) {
            smallest = request->requirements[i].deny_quorum;
        }
    }
    return smallest < 1 ? 1 : (unsigned)smallest;
}

static const char *why_uncounted(const struct approvals_case *request,
                                 const struct approvals_person *person)
{
    if (person == NULL || !person->is_enabled) {
        return "disabled";
    }
    if (approvals_is_excluded(request, person)) {
        return "excluded";
    }
    if (!approvals_is_asked(request, person)) {
        return "not_in_group";
    }
    return approvals_is_editor_alone(request, person) ? "editor" : "assurance";
}

/* Sorts the votes into denials, approvals that count for something, and approvals that do not.
 * Returns how many count; their eligibility and people come first in the two arrays. */
static size_t sort_votes(struct count *count, uint64_t *eligible, const char **voters)
{
    struct approvals_tally *tally = &count->tally;
    size_t voter_count = 0;
    for (size_t i = 0; i < count->request->vote_count; i++) {
        const struct ballot *ballot = &count->ballots[i];
        if (!ballot->vote->approves) {
            tally->denies += denial_counts(count->request, ballot) ? 1 : 0;
        } else if (ballot->eligible != 0) {
            eligible[voter_count] = ballot->eligible;
            voters[voter_count++] = ballot->vote->person;
        } else {
            tally->uncounted[tally->uncounted_count] = ballot->vote->person;
            tally->uncounted_reasons[tally->uncounted_count++] =
                why_uncounted(count->request, ballot->person);
        }
    }
    return voter_count;
}

static void assign(struct count *count, const uint64_t *eligible, const char *const *voters,
                   size_t voter_count)
{
    const struct approvals_case *request = count->request;
    unsigned quorums[POLICY_REQUIREMENTS_MAX] = {0};
    int assigned[APPROVALS_VOTERS_MAX];
    for (size_t i = 0; i < request->requirement_count; i++) {
        quorums[i] =
            request->requirements[i].quorum < 1 ? 0 : (unsigned)request->requirements[i].quorum;
    }
    approvals_match(eligible, voter_count, quorums, assigned);
    for (size_t i = 0; i < voter_count; i++) {
        if (assigned[i] == APPROVALS_UNASSIGNED) {
            continue;
        }
        count->tally.assignments[count->tally.assignment_count++] =
            (struct approvals_assignment){.person = voters[i], .requirement = (size_t)assigned[i]};
        count->tally.approved[assigned[i]]++;
    }
}

/* People still needed; a requirement without a quorum still needs somebody it can never get. */
static unsigned missing_people(const struct approvals_case *request, const unsigned *approved)
{
    unsigned missing = 0;
    for (size_t i = 0; i < request->requirement_count; i++) {
        int quorum = request->requirements[i].quorum;
        missing += (quorum < 1 ? 1 : (unsigned)quorum) - approved[i];
    }
    return missing;
}

struct approvals_tally approvals_count(const struct approvals_case *request, struct arena *arena)
{
    struct count count = {.request = request, .arena = arena};
    struct approvals_tally *tally = &count.tally;
    order_people(&count);
    order_ballots(&count);
    tally->approved = arena_array(arena, request->requirement_count, sizeof *tally->approved);
    tally->assignments = arena_array(arena, request->vote_count, sizeof *tally->assignments);
    tally->uncounted = arena_array(arena, request->vote_count, sizeof *tally->uncounted);
    tally->uncounted_reasons =
        arena_array(arena, request->vote_count, sizeof *tally->uncounted_reasons);

    uint64_t *eligible = arena_array(arena, request->vote_count, sizeof *eligible);
    const char **voters = arena_array(arena, request->vote_count, sizeof *voters);
    size_t voter_count = sort_votes(&count, eligible, voters);
    /* More than can be weighed: nobody is assigned and it stays open; denials count all the same.
     */
    if (voter_count <= APPROVALS_VOTERS_MAX &&
        request->requirement_count <= POLICY_REQUIREMENTS_MAX) {
        assign(&count, eligible, voters, voter_count);
    }
    tally->missing = missing_people(request, tally->approved);
    if (tally->denies >= deny_quorum(request)) {
        tally->outcome = APPROVALS_DENIED;
    } else if (request->requirement_count > 0 && tally->missing == 0) {
        tally->outcome = APPROVALS_MET;
    }
    return *tally;
}

bool approvals_still_met(const struct approvals_case *request, struct arena *arena)
{
    return approvals_count(request, arena).outcome == APPROVALS_MET;
}
