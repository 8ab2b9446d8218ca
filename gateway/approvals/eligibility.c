#include "approvals/approvals_internal.h"

#include <string.h>

/* A time past the end of time is never reached. */
static bool rung_at(const struct policy_rung *rung, int64_t asked_at, int64_t *out_at)
{
    return !__builtin_add_overflow(asked_at, rung->after_ms, out_at);
}

static bool is_reached(const struct policy_rung *rung, int64_t asked_at, int64_t now)
{
    int64_t at;
    return rung_at(rung, asked_at, &at) && at <= now;
}

static bool is_member_of_any(const struct approvals_person *person, const char *const *groups,
                             size_t group_count)
{
    for (size_t i = 0; i < group_count; i++) {
        for (size_t j = 0; j < person->group_count; j++) {
            if (strcmp(groups[i], person->groups[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_asked_by(const struct policy_requirement *requirement, int64_t asked_at, int64_t now,
                        const struct approvals_person *person)
{
    if (is_member_of_any(person, requirement->groups, requirement->group_count)) {
        return true;
    }
    for (size_t i = 0; i < requirement->rung_count; i++) {
        const struct policy_rung *rung = &requirement->ladder[i];
        if (is_reached(rung, asked_at, now) && is_member_of_any(person, rung->to, rung->to_count)) {
            return true;
        }
    }
    return false;
}

/* A requirement that asks for nobody, or for a vote that proves nothing, is one that was never
 * filled in: nobody can serve it, so it is never met. */
static bool is_well_formed(const struct policy_requirement *requirement)
{
    return requirement->quorum >= 1 && requirement->quorum <= POLICY_QUORUM_MAX &&
           requirement->assurance >= ASSURANCE_CHAT && requirement->assurance <= ASSURANCE_PASSKEY;
}

bool approvals_is_asked(const struct approvals_case *request, const struct approvals_person *person)
{
    for (size_t i = 0; i < request->requirement_count; i++) {
        if (is_asked_by(&request->requirements[i], request->asked_at, request->now, person)) {
            return true;
        }
    }
    return false;
}

bool approvals_is_excluded(const struct approvals_case *request,
                           const struct approvals_person *person)
{
    if (!person->is_excluded) {
        return false;
    }
    for (size_t i = 0; i < request->requirement_count; i++) {
        if (!request->requirements[i].allows_self_approval) {
            return true;
        }
    }
    return !request->allows_self_approval;
}

bool approvals_is_editor_alone(const struct approvals_case *request,
                               const struct approvals_person *person)
{
    int64_t people = 0;
    for (size_t i = 0; i < request->requirement_count; i++) {
        people += request->requirements[i].quorum;
    }
    /* With two or more, whoever is assigned beside the editor is another person. */
    return request->is_high && people < 2 && request->editor != NULL &&
           strcmp(request->editor, person->id) == 0;
}

uint64_t approvals_eligible(const struct approvals_case *request,
                            const struct approvals_person *person, enum assurance assurance)
{
    uint64_t eligible = 0;
    if (!person->is_enabled || approvals_is_excluded(request, person) ||
        approvals_is_editor_alone(request, person) ||
        request->requirement_count > POLICY_REQUIREMENTS_MAX) {
        return 0;
    }
    for (size_t i = 0; i < request->requirement_count; i++) {
        const struct policy_requirement *requirement = &request->requirements[i];
        if (is_well_formed(requirement) && assurance >= requirement->assurance &&
            is_asked_by(requirement, request->asked_at, request->now, person)) {
            eligible |= UINT64_C(1) << i;
        }
    }
    return eligible;
}

/* The least that would make an approval of this person count; ASSURANCE_NONE when nothing would. */
static enum assurance least_assurance(const struct approvals_case *request,
                                      const struct approvals_person *person)
{
    for (enum assurance each = ASSURANCE_CHAT; each <= ASSURANCE_PASSKEY; each++) {
        if (approvals_eligible(request, person, each) != 0) {
            return each;
        }
    }
    return ASSURANCE_NONE;
}

static enum approvals_permission may_approve(const struct approvals_case *request,
                                             const struct approvals_person *person,
                                             enum assurance assurance, enum assurance *out_needed)
{
    enum assurance least = least_assurance(request, person);
    if (least == ASSURANCE_NONE && approvals_is_editor_alone(request, person) &&
        !approvals_is_excluded(request, person) && approvals_is_asked(request, person)) {
        return APPROVALS_EDITOR_ALONE;
    }
    if (least == ASSURANCE_NONE) {
        /* Involved people know of the request, so they are told why; others are told nothing. */
        return person->is_excluded ? APPROVALS_EXCLUDED : APPROVALS_MAY_NOT_KNOW;
    }
    if (assurance >= least) {
        return APPROVALS_MAY;
    }
    *out_needed = least;
    return APPROVALS_ASSURANCE_LOW;
}

enum approvals_permission approvals_may_vote(const struct approvals_case *request,
                                             const struct approvals_person *person, bool approves,
                                             enum assurance assurance, enum assurance *out_needed)
{
    *out_needed = ASSURANCE_NONE;
    if (!person->is_enabled) {
        return APPROVALS_MAY_NOT_KNOW;
    }
    if (approves) {
        return may_approve(request, person, assurance, out_needed);
    }
    if (!person->is_excluded && !approvals_is_asked(request, person)) {
        return APPROVALS_MAY_NOT_KNOW;
    }
    if (assurance >= ASSURANCE_CHAT) {
        return APPROVALS_MAY;
    }
    *out_needed = ASSURANCE_CHAT;
    return APPROVALS_ASSURANCE_LOW;
}

static void add_groups(const char **asked, size_t *count, const char *const *groups,
                       size_t group_count)
{
    for (size_t i = 0; i < group_count; i++) {
        size_t known = 0;
        while (known < *count && strcmp(asked[known], groups[i]) != 0) {
            known++;
        }
        if (known == *count) {
            asked[(*count)++] = groups[i];
        }
    }
}

const char **approvals_groups_asked(const struct policy_requirement *requirement, int64_t asked_at,
                                    int64_t now, struct arena *arena, size_t *out_count)
{
    size_t most = requirement->group_count;
    for (size_t i = 0; i < requirement->rung_count; i++) {
        most += requirement->ladder[i].to_count;
    }
    const char **asked = arena_array(arena, most, sizeof *asked);
    size_t count = 0;
    add_groups(asked, &count, requirement->groups, requirement->group_count);
    for (size_t i = 0; i < requirement->rung_count; i++) {
        if (is_reached(&requirement->ladder[i], asked_at, now)) {
            add_groups(asked, &count, requirement->ladder[i].to, requirement->ladder[i].to_count);
        }
    }
    *out_count = count;
    return asked;
}

int64_t approvals_next_rung(const struct policy_requirement *requirements, size_t count,
                            int64_t asked_at, int64_t now, size_t *out_requirement,
                            size_t *out_rung)
{
    int64_t next_at = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < requirements[i].rung_count; j++) {
            int64_t at;
            if (rung_at(&requirements[i].ladder[j], asked_at, &at) && at > now &&
                (next_at == 0 || at < next_at)) {
                next_at = at;
                *out_requirement = i;
                *out_rung = j;
            }
        }
    }
    return next_at;
}
