#include "policy/policy_internal.h"

#include <string.h>

/*
 * A requirement decides who may vote when: members of `groups` at once, members of a rung's groups
 * from then on. The stricter of two lets each group vote at the later of the two times, and never
 * where one of them never lets it. That is the exact common part of both, at every moment.
 */

enum { TIMED_MAX = POLICY_GROUPS_MAX * (POLICY_RUNGS_MAX + 1) };

static const int64_t NEVER = INT64_MAX;

struct timed_group {
    const char *name;
    int64_t votes_ms; /* from when its members may vote */
    int64_t asked_ms; /* when they are asked; NEVER when they are not */
};

static int64_t later(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

static int64_t sooner(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static int64_t asked_after(const struct policy_requirement *requirement, const char *group)
{
    for (size_t i = 0; i < requirement->rung_count; i++) {
        const struct policy_rung *rung = &requirement->ladder[i];
        if (has_text(rung->to, rung->to_count, group)) {
            return rung->after_ms;
        }
    }
    return NEVER;
}

static int64_t votes_after(const struct policy_requirement *requirement, const char *group)
{
    return has_text(requirement->groups, requirement->group_count, group)
               ? 0
               : asked_after(requirement, group);
}

struct pair {
    const struct policy_requirement *old;
    const struct policy_requirement *new;
    struct timed_group *groups; /* those that may ever vote under both */
    size_t group_count;
};

static void add_group(struct pair *pair, const char *name)
{
    int64_t votes_ms = later(votes_after(pair->old, name), votes_after(pair->new, name));
    for (size_t i = 0; i < pair->group_count; i++) {
        if (strcmp(pair->groups[i].name, name) == 0) {
            return;
        }
    }
    if (votes_ms == NEVER || pair->group_count == TIMED_MAX) {
        return;
    }
    int64_t asked_ms = sooner(asked_after(pair->old, name), asked_after(pair->new, name));
    pair->groups[pair->group_count++] = (struct timed_group){
        .name = name, .votes_ms = votes_ms, .asked_ms = later(asked_ms, votes_ms)};
}

static void list_common_groups(struct pair *pair, struct arena *arena)
{
    const struct policy_requirement *old = pair->old;
    pair->groups = arena_array(arena, TIMED_MAX, sizeof *pair->groups);
    for (size_t i = 0; i < old->group_count; i++) {
        add_group(pair, old->groups[i]);
    }
    for (size_t i = 0; i < old->rung_count; i++) {
        for (size_t j = 0; j < old->ladder[i].to_count; j++) {
            add_group(pair, old->ladder[i].to[j]);
        }
    }
}

static bool may_share(const struct pair *pair)
{
    for (size_t i = 0; i < pair->group_count; i++) {
        if (pair->groups[i].votes_ms == 0) {
            return true;
        }
    }
    return false;
}

/* Groups that may vote at once, or those asked at `asked_ms`; past the bound they are left out,
 * which is stricter. */
static size_t pick_groups(const struct pair *pair, bool votes_at_once, int64_t asked_ms,
                          const char **out_names)
{
    size_t count = 0;
    for (size_t i = 0; i < pair->group_count && count < POLICY_GROUPS_MAX; i++) {
        const struct timed_group *group = &pair->groups[i];
        if (votes_at_once ? group->votes_ms == 0 : group->asked_ms == asked_ms) {
            out_names[count++] = group->name;
        }
    }
    return count;
}

/* The next time at or after `from_ms` at which a group is asked. */
static int64_t next_asked(const struct pair *pair, int64_t from_ms)
{
    int64_t next = NEVER;
    for (size_t i = 0; i < pair->group_count; i++) {
        if (pair->groups[i].asked_ms >= from_ms) {
            next = sooner(next, pair->groups[i].asked_ms);
        }
    }
    return next;
}

static void add_rung(struct policy_requirement *merged, int64_t after_ms, const char **to,
                     size_t to_count)
{
    merged->ladder[merged->rung_count++] =
        (struct policy_rung){.after_ms = after_ms, .to = to, .to_count = to_count};
}

static void merge_people(const struct pair *pair, struct arena *arena,
                         struct policy_requirement *merged)
{
    merged->groups = arena_array(arena, POLICY_GROUPS_MAX, sizeof *merged->groups);
    merged->group_count = pick_groups(pair, true, 0, merged->groups);
    merged->ladder = arena_array(arena, POLICY_RUNGS_MAX, sizeof *merged->ladder);
    merged->rung_count = 0;
    if (next_asked(pair, 0) != 0) {
        add_rung(merged, 0, merged->groups, merged->group_count);
    }
    for (int64_t at = next_asked(pair, 0); at != NEVER && merged->rung_count < POLICY_RUNGS_MAX;
         at = next_asked(pair, at + 1)) {
        const char **to = arena_array(arena, POLICY_GROUPS_MAX, sizeof *to);
        add_rung(merged, at, to, pick_groups(pair, false, at, to));
    }
}

static bool has_same_texts(const char *const *left, size_t left_count, const char *const *right,
                           size_t right_count)
{
    bool is_same = left_count == right_count;
    for (size_t i = 0; i < left_count && is_same; i++) {
        is_same = has_text(right, right_count, left[i]);
    }
    return is_same;
}

static bool has_same_people(const struct policy_requirement *left,
                            const struct policy_requirement *right)
{
    bool is_same =
        left->rung_count == right->rung_count &&
        has_same_texts(left->groups, left->group_count, right->groups, right->group_count);
    for (size_t i = 0; i < left->rung_count && is_same; i++) {
        const struct policy_rung *a = &left->ladder[i];
        const struct policy_rung *b = &right->ladder[i];
        is_same =
            a->after_ms == b->after_ms && has_same_texts(a->to, a->to_count, b->to, b->to_count);
    }
    return is_same;
}

static struct policy_requirement take_stricter(const struct pair *pair, struct arena *arena)
{
    const struct policy_requirement *old = pair->old;
    const struct policy_requirement *new = pair->new;
    struct policy_requirement merged = {
        .rule = old->rule,
        .quorum = old->quorum > new->quorum ? old->quorum : new->quorum,
        .deny_quorum = old->deny_quorum < new->deny_quorum ? old->deny_quorum : new->deny_quorum,
        .assurance = old->assurance > new->assurance ? old->assurance : new->assurance,
        .allows_self_approval = old->allows_self_approval &&new->allows_self_approval,
        .timeout_ms = sooner(old->timeout_ms, new->timeout_ms),
    };
    merge_people(pair, arena, &merged);
    /* What did not change keeps its order, so that its stored text does not change either. */
    if (has_same_people(&merged, old)) {
        merged.groups = old->groups;
        merged.ladder = old->ladder;
    }
    return merged;
}

/* Replaces the requirement of the same rule by the stricter of both. False when there is none, or
 * none with a group that may vote at once under both. */
static bool merge_into(struct policy_requirement *merged, size_t count,
                       const struct policy_requirement *new, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(merged[i].rule, new->rule) != 0) {
            continue;
        }
        struct policy_requirement old = merged[i];
        struct pair pair = {.old = &old, .new = new};
        list_common_groups(&pair, arena);
        if (may_share(&pair)) {
            merged[i] = take_stricter(&pair, arena);
            return true;
        }
    }
    return false;
}

bool policy_requirements_merge(struct arena *arena, const struct policy_requirement *old,
                               size_t old_count, const struct policy_requirement *new,
                               size_t new_count, struct policy_requirement **out_merged,
                               size_t *out_count, struct error *error)
{
    struct policy_requirement *merged = arena_array(arena, old_count + new_count, sizeof *merged);
    size_t count = old_count;
    if (old_count > 0) {
        memcpy(merged, old, old_count * sizeof *merged);
    }
    for (size_t i = 0; i < new_count; i++) {
        if (!merge_into(merged, count, &new[i], arena)) {
            merged[count++] = new[i];
        }
    }
    if (count > POLICY_REQUIREMENTS_MAX) {
        return error_set(error, ERROR_LIMIT, "too_many_requirements", NULL,
                         "the request would need %zu requirements, at most %d can be asked for",
                         count, POLICY_REQUIREMENTS_MAX);
    }
    level_requirements(merged, count);
    *out_merged = merged;
    *out_count = count;
    return true;
}
