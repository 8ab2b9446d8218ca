#include "ledger/chain_internal.h"

#include <string.h>

/* A requirement read in place. */
struct requirement {
    struct span rule;
    struct span groups;
    int64_t quorum;
    int assurance;
};

/* 0 for what proves nothing. */
static int assurance_rank(struct span name)
{
    return span_is(name, "passkey") ? 3 : span_is(name, "session") ? 2 : span_is(name, "chat");
}

static bool is_array_of_texts(struct span array)
{
    if (!scan_is_array(array)) {
        return false;
    }
    struct scan_walk walk = scan_enter(array);
    struct span item;
    while (scan_next_element(&walk, &item)) {
        if (scan_text(item).length == 0) {
            return false;
        }
    }
    return true;
}

static bool array_holds(struct span array, struct span text)
{
    struct scan_walk walk = scan_enter(array);
    struct span item;
    while (scan_next_element(&walk, &item)) {
        if (span_equals(scan_text(item), text)) {
            return true;
        }
    }
    return false;
}

static bool read_requirement(struct span object, struct requirement *out)
{
    out->rule = scan_text_member(object, "rule");
    out->groups = scan_member(object, "groups");
    out->assurance = assurance_rank(scan_text_member(object, "assurance"));
    return out->rule.length > 0 && out->assurance > 0 && is_array_of_texts(out->groups) &&
           scan_integer_member(object, "quorum", 1, &out->quorum);
}

/* Requirement number `index` of a list that was read before. */
static bool find_requirement(struct span requirements, int64_t index, struct requirement *out)
{
    struct scan_walk walk = scan_enter(requirements);
    struct span object;
    for (int64_t i = 0; scan_next_element(&walk, &object); i++) {
        if (i == index) {
            return read_requirement(object, out);
        }
    }
    return false;
}

static bool are_requirements(struct span requirements)
{
    if (!scan_is_array(requirements)) {
        return false;
    }
    struct scan_walk walk = scan_enter(requirements);
    struct span object;
    size_t count = 0;
    for (; scan_next_element(&walk, &object); count++) {
        struct requirement requirement;
        if (count == LIFE_REQUIREMENTS_MAX || !read_requirement(object, &requirement)) {
            return false;
        }
    }
    return count > 0;
}

static bool covers_one(struct span requirements, const struct requirement *old)
{
    struct requirement now;
    for (int64_t i = 0; find_requirement(requirements, i, &now); i++) {
        if (span_equals(now.rule, old->rule) && now.quorum >= old->quorum &&
            now.assurance >= old->assurance) {
            return true;
        }
    }
    return false;
}

/* Requirements only grow. */
static bool covers(const struct life *old, struct span requirements, int64_t deny_quorum,
                   bool allows_self)
{
    struct requirement requirement;
    for (int64_t i = 0; find_requirement(old->requirements, i, &requirement); i++) {
        if (!covers_one(requirements, &requirement)) {
            return false;
        }
    }
    return deny_quorum <= old->deny_quorum && (old->allows_self || !allows_self);
}

bool approval_require(struct life *life, const struct entry_view *entry, bool must_cover,
                      struct finding *finding)
{
    struct span requirements = scan_member(entry->data, "requirements");
    struct span timeout_at = scan_text_member(entry->data, "timeout_at");
    int64_t deny_quorum;
    bool allows_self;
    if (!are_requirements(requirements) || !scan_is_time(timeout_at) ||
        !scan_integer_member(entry->data, "deny_quorum", 1, &deny_quorum) ||
        !scan_bool_member(entry->data, "allows_self", &allows_self)) {
        return finding_set(finding, "data_malformed", entry->request,
                           "Its requirements, deny quorum or timeout are missing or malformed.");
    }
    if (must_cover && !covers(life, requirements, deny_quorum, allows_self)) {
        return finding_set(finding, "requirements_shrunk", entry->request,
                           "It asks for less than was asked before; requirements only grow.");
    }
    life_forget_rungs(life);
    life_keep(&life->requirements, requirements);
    life_keep(&life->timeout_at, timeout_at);
    life->deny_quorum = deny_quorum;
    life->allows_self = allows_self;
    return true;
}

bool approval_add_rung(struct life *life, const struct entry_view *entry, struct finding *finding)
{
    struct requirement requirement;
    struct span groups = scan_member(entry->data, "groups");
    int64_t index;
    if (!is_array_of_texts(groups) || !scan_integer_member(entry->data, "requirement", 0, &index) ||
        !find_requirement(life->requirements, index, &requirement)) {
        return finding_set(finding, "data_malformed", entry->request,
                           "It names no requirement of this request, or no groups.");
    }
    return life_add_rung(life, index, groups) ||
           finding_set(finding, "too_many", entry->request, "It has more than %d rungs.",
                       LIFE_RUNGS_MAX);
}

bool approval_add_vote(struct life *life, const struct entry_view *entry, struct finding *finding)
{
    int64_t revision;
    bool is_approve;
    int assurance = assurance_rank(entry->actor_assurance);
    if (!span_is(entry->actor_kind, "person") || assurance == 0 ||
        !scan_integer_member(entry->data, "revision", 1, &revision) ||
        !scan_bool_member(entry->data, "approve", &is_approve)) {
        return finding_set(finding, "data_malformed", entry->request,
                           "A vote needs a person, an assurance, a revision and a direction.");
    }
    if (revision != life->revision) {
        return finding_set(finding, "vote_of_other_revision", entry->request,
                           "A vote on revision %lld was recorded while revision %lld is current.",
                           (long long)revision, (long long)life->revision);
    }
    if (is_approve && !life->allows_self && array_holds(life->parties, entry->actor_id)) {
        return finding_set(finding, "party_approved", entry->request,
                           "`%.*s` is subject, owner or submitter and may not approve.",
                           (int)entry->actor_id.length, entry->actor_id.bytes);
    }
    struct life_vote *vote = life_make_vote(life, entry->actor_id);
    if (vote == NULL) {
        return finding_set(finding, "too_many", entry->request, "It has more than %d voters.",
                           LIFE_VOTES_MAX);
    }
    vote->assurance = assurance;
    vote->is_approve = is_approve;
    vote->is_counted = true;
    return true;
}

bool approval_uncount(struct life *life, const struct entry_view *entry, struct finding *finding)
{
    struct life_vote *vote = life_find_vote(life, scan_text_member(entry->data, "person"));
    if (vote == NULL) {
        return finding_set(finding, "no_such_vote", entry->request,
                           "It takes back a vote that is not recorded.");
    }
    vote->is_counted = false;
    return true;
}

int64_t approval_count_denies(const struct life *life)
{
    int64_t count = 0;
    for (size_t i = 0; i < life->vote_count; i++) {
        count += life->votes[i].is_counted && !life->votes[i].is_approve;
    }
    return count;
}

static bool is_asked(const struct life *life, const struct requirement *requirement, int64_t index,
                     struct span group)
{
    if (array_holds(requirement->groups, group)) {
        return true;
    }
    for (size_t i = 0; i < life->rung_count; i++) {
        if (life->rungs[i].requirement == index && array_holds(life->rungs[i].groups, group)) {
            return true;
        }
    }
    return false;
}

/* Whether `person` stands in an element of `assigned` before the one at `current`. */
static bool stands_before(struct span assigned, struct span current, struct span person)
{
    struct scan_walk walk = scan_enter(assigned);
    struct span object;
    while (scan_next_element(&walk, &object) && object.bytes != current.bytes) {
        if (span_equals(scan_text_member(object, "person"), person)) {
            return true;
        }
    }
    return false;
}

static bool check_assigned(const struct life *life, struct span assigned, struct span object,
                           struct finding *finding)
{
    struct span person = scan_text_member(object, "person");
    struct span group = scan_text_member(object, "group");
    const struct life_vote *vote = life_find_vote(life, person);
    struct requirement requirement;
    int64_t index;
    const char *problem = NULL;
    if (!scan_integer_member(object, "requirement", 0, &index) ||
        !find_requirement(life->requirements, index, &requirement)) {
        problem = "is counted for a requirement there is not";
    } else if (vote == NULL || !vote->is_approve || !vote->is_counted) {
        problem = "is counted without a current approve vote";
    } else if (vote->assurance < requirement.assurance) {
        problem = "is counted with less assurance than required";
    } else if (!life->allows_self && array_holds(life->parties, person)) {
        problem = "is subject, owner or submitter and may not approve";
    } else if (!is_asked(life, &requirement, index, group)) {
        problem = "is counted through a group that was not asked";
    } else if (stands_before(assigned, object, person)) {
        problem = "is counted twice";
    }
    return problem == NULL ||
           finding_set(finding, "approved_without_votes", life->id, "Approved, but `%.*s` %s.",
                       (int)person.length, person.bytes == NULL ? "" : person.bytes, problem);
}

static int64_t count_assigned(struct span assigned, int64_t index)
{
    struct scan_walk walk = scan_enter(assigned);
    struct span object;
    int64_t count = 0;
    while (scan_next_element(&walk, &object)) {
        int64_t requirement;
        count +=
            scan_integer_member(object, "requirement", 0, &requirement) && requirement == index;
    }
    return count;
}

static bool check_quorums(const struct life *life, struct span assigned, struct finding *finding)
{
    struct requirement requirement;
    for (int64_t i = 0; find_requirement(life->requirements, i, &requirement); i++) {
        int64_t count = count_assigned(assigned, i);
        if (count < requirement.quorum) {
            return finding_set(finding, "approved_without_votes", life->id,
                               "Approved with %lld of the %lld people that rule `%.*s` asks for.",
                               (long long)count, (long long)requirement.quorum,
                               (int)requirement.rule.length, requirement.rule.bytes);
        }
    }
    return true;
}

/* Who edited a risky request may not be the only one who approves what they wrote. */
static bool has_other_than_editor(const struct life *life, struct span assigned)
{
    struct scan_walk walk = scan_enter(assigned);
    struct span object;
    while (scan_next_element(&walk, &object)) {
        if (!span_equals(scan_text_member(object, "person"), life->editor)) {
            return true;
        }
    }
    return false;
}

bool approval_check(const struct life *life, const struct entry_view *entry,
                    struct finding *finding)
{
    struct span assigned = scan_member(entry->data, "assigned");
    if (!scan_is_array(assigned)) {
        return finding_set(finding, "data_malformed", life->id, "It names nobody who approved.");
    }
    struct scan_walk walk = scan_enter(assigned);
    struct span object;
    while (scan_next_element(&walk, &object)) {
        if (!check_assigned(life, assigned, object, finding)) {
            return false;
        }
    }
    if (!check_quorums(life, assigned, finding)) {
        return false;
    }
    if (life->is_high && life->editor.bytes != NULL && !has_other_than_editor(life, assigned)) {
        return finding_set(finding, "approved_without_votes", life->id,
                           "Approved by nobody but the person who edited it.");
    }
    if (approval_count_denies(life) >= life->deny_quorum) {
        return finding_set(finding, "approved_though_denied", life->id,
                           "Approved although enough people had denied it.");
    }
    return true;
}
