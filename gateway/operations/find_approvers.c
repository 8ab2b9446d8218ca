#include "operations/request_internal.h"
#include <string.h>

enum { VOTERS_TRIED_MAX = APPROVALS_VOTERS_MAX };

/* People who might ever approve, as if they had. `needed` of each group are enough: a group with
 * that many is never what is missing (Hall's condition). */
struct trial {
    struct operation *operation;
    const struct request_row *request;
    struct ledger_texts parties;
    size_t needed; /* people in all */
    struct approvals_person *people;
    struct approvals_vote *votes;
    size_t count;
};

static bool is_tried(const struct trial *trial, const char *id)
{
    for (size_t i = 0; i < trial->count; i++) {
        if (strcmp(trial->people[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool try_person(struct trial *trial, const struct person_row *person, struct error *error)
{
    if (is_tried(trial, person->id)) {
        return true;
    }
    trial->votes[trial->count] = (struct approvals_vote){
        .person = person->id, .approves = true, .assurance = ASSURANCE_PASSKEY};
    return load_person_facts(trial->operation, trial->request->tenant, person->id, &trial->parties,
                             &trial->people[trial->count++], error);
}

static bool try_group(struct trial *trial, const char *group, struct error *error)
{
    struct operation *operation = trial->operation;
    struct person_row *members;
    size_t member_count;
    if (!store_list_members(operation->store, trial->request->tenant, group, operation->arena,
                            &members, &member_count, error)) {
        return false;
    }
    size_t useful = 0;
    for (size_t i = 0; i < member_count && useful < trial->needed; i++) {
        bool may_serve = members[i].is_enabled && (trial->request->allows_self_approval ||
                                                   !has_party(&trial->parties, members[i].id));
        if (!may_serve) {
            continue;
        }
        useful++;
        if (trial->count == VOTERS_TRIED_MAX) {
            return true;
        }
        if (!try_person(trial, &members[i], error)) {
            return false;
        }
    }
    return true;
}

static bool try_requirement(struct trial *trial, const struct policy_requirement *requirement,
                            struct error *error)
{
    for (size_t i = 0; i < requirement->group_count; i++) {
        if (!try_group(trial, requirement->groups[i], error)) {
            return false;
        }
    }
    for (size_t i = 0; i < requirement->rung_count; i++) {
        for (size_t j = 0; j < requirement->ladder[i].to_count; j++) {
            if (!try_group(trial, requirement->ladder[i].to[j], error)) {
                return false;
            }
        }
    }
    return true;
}

static size_t people_needed(const struct approvals_case *facts)
{
    size_t needed = 0;
    for (size_t i = 0; i < facts->requirement_count; i++) {
        needed += facts->requirements[i].quorum > 0 ? (size_t)facts->requirements[i].quorum : 1;
    }
    return needed;
}

bool can_be_approved(struct operation *operation, const struct request_row *request, bool *out_can,
                     struct error *error)
{
    struct trial trial = {
        .operation = operation,
        .request = request,
        .people = arena_array(operation->arena, VOTERS_TRIED_MAX, sizeof *trial.people),
        .votes = arena_array(operation->arena, VOTERS_TRIED_MAX, sizeof *trial.votes),
    };
    /* Who is asked just before the timeout may still approve. */
    struct approvals_case facts = {.allows_self_approval = request->allows_self_approval,
                                   .is_high = is_high_risk(request),
                                   .editor = request->editor,
                                   .asked_at = request->asked_at,
                                   .now = request->timeout_at - 1,
                                   .votes = trial.votes,
                                   .people = trial.people};
    if (!load_requirements(operation, request, &facts, error) ||
        !find_parties(operation, request, &trial.parties, error)) {
        return false;
    }
    /* One more, since who edited it may be among them and may not count. */
    trial.needed = people_needed(&facts) + (request->editor[0] == '\0' ? 0 : 1);
    for (size_t i = 0; i < facts.requirement_count; i++) {
        if (!try_requirement(&trial, &facts.requirements[i], error)) {
            return false;
        }
    }
    facts.vote_count = facts.person_count = trial.count;
    struct approvals_tally tally = approvals_count(&facts, operation->arena);
    /* With more people than can be tried the answer may be wrong; then it is the hopeful one. */
    *out_can = tally.outcome == APPROVALS_MET || trial.count == VOTERS_TRIED_MAX;
    return true;
}
