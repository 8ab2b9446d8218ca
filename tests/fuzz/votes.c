/*
 * A byte string becomes a sequence of events on one request: votes, people changing underneath,
 * time passing, policy growing, ends racing each other, and then tries to use its grant. After each
 * step the invariants hold:
 * - it ends at most once, and nothing but the record of a late vote happens after;
 * - it is approved only with a quorum of distinct, enabled, asked people with enough assurance for
 *   every requirement, no denials, and it is approved whenever that is so;
 * - a vote that was taken counts, one that was refused would not have;
 * - its grant is redeemed at most once.
 */

#include "approvals/tally.h"
#include "base/check.h"
#include "grants/grant.h"
#include "requests/request.h"
#include <stdint.h>
#include <string.h>

enum { PEOPLE = 8, GROUPS = 4, RULES_MAX = 4, STEPS_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const people_names[PEOPLE] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};
static const char *const group_names[GROUPS] = {"g0", "g1", "g2", "g3"};

struct input {
    const uint8_t *bytes;
    size_t length;
};

struct person {
    unsigned groups; /* a bit each */
    bool is_enabled, is_excluded;
    bool has_voted, approves;
    enum assurance assurance;
};

struct rule {
    struct policy_requirement requirement;
    struct policy_rung rung;
    unsigned groups;
    unsigned rung_groups;
    const char *names[GROUPS];
    const char *rung_names[GROUPS];
};

struct world {
    struct input input;
    struct person people[PEOPLE];
    struct rule rules[RULES_MAX];
    size_t rule_count;
    bool allows_self_approval;
    int64_t now;
    enum request_state state;
    unsigned ends;
    unsigned grants;
    enum grant_state grant;
    unsigned redemptions;
};

/* What the rules see, made anew for each question. */
struct view {
    struct approvals_person people[PEOPLE];
    const char *names[PEOPLE][GROUPS];
    struct approvals_vote votes[PEOPLE];
    struct policy_requirement rules[RULES_MAX];
    struct approvals_case request;
};

static unsigned take(struct input *input)
{
    if (input->length == 0) {
        return 0;
    }
    input->length--;
    return *input->bytes++;
}

static size_t list_groups(unsigned groups, const char *names[GROUPS])
{
    size_t count = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        if ((groups & (1U << i)) != 0) {
            names[count++] = group_names[i];
        }
    }
    return count;
}

static void add_rule(struct world *world)
{
    if (world->rule_count == RULES_MAX) {
        return;
    }
    struct rule *rule = &world->rules[world->rule_count++];
    unsigned shape = take(&world->input);
    unsigned groups = take(&world->input);
    rule->groups = groups & 15;
    rule->rung_groups = groups >> 4;
    rule->rung = (struct policy_rung){.after_ms = (int64_t)take(&world->input) * 4,
                                      .to = rule->rung_names,
                                      .to_count = list_groups(rule->rung_groups, rule->rung_names)};
    rule->requirement = (struct policy_requirement){
        .rule = "rule",
        .quorum = (int)(shape & 3), /* none: never filled in, never met */
        .deny_quorum = (int)(shape >> 2 & 3),
        .assurance = (enum assurance)(shape >> 4 & 3),
        .allows_self_approval = (shape >> 6 & 1) != 0,
        .groups = rule->names,
        .group_count = list_groups(rule->groups, rule->names),
        .ladder = &rule->rung,
        .rung_count = 1,
    };
}

static void look(const struct world *world, struct view *view)
{
    *view = (struct view){0};
    for (size_t i = 0; i < PEOPLE; i++) {
        const struct person *person = &world->people[i];
        view->people[i] = (struct approvals_person){
            .id = people_names[i],
            .is_enabled = person->is_enabled,
            .is_excluded = person->is_excluded,
            .groups = view->names[i],
            .group_count = list_groups(person->groups, view->names[i]),
        };
        if (person->has_voted) {
            view->votes[view->request.vote_count++] =
                (struct approvals_vote){.person = people_names[i],
                                        .approves = person->approves,
                                        .assurance = person->assurance};
        }
    }
    for (size_t i = 0; i < world->rule_count; i++) {
        view->rules[i] = world->rules[i].requirement;
    }
    view->request.people = view->people;
    view->request.person_count = PEOPLE;
    view->request.votes = view->votes;
    view->request.requirements = view->rules;
    view->request.requirement_count = world->rule_count;
    view->request.allows_self_approval = world->allows_self_approval;
    view->request.now = world->now;
}

/* The rules once more, from the bits and not from the texts. */
static bool is_asked(const struct world *world, const struct person *person,
                     const struct rule *rule)
{
    unsigned asked = rule->groups;
    if (rule->rung.after_ms <= world->now) {
        asked |= rule->rung_groups;
    }
    return (person->groups & asked) != 0;
}

static bool may_serve(const struct world *world, const struct person *person,
                      const struct rule *rule)
{
    bool allows_self = world->allows_self_approval;
    for (size_t i = 0; i < world->rule_count; i++) {
        allows_self = allows_self && world->rules[i].requirement.allows_self_approval;
    }
    return person->is_enabled && (!person->is_excluded || allows_self) &&
           is_asked(world, person, rule) && rule->requirement.assurance != ASSURANCE_NONE &&
           rule->requirement.quorum > 0 && person->assurance >= rule->requirement.assurance;
}

/* Hall's theorem: enough distinct people exist exactly when every set of requirements is served by
 * at least as many people as it needs. */
static bool is_satisfiable(const struct world *world)
{
    for (unsigned set = 1; set < 1U << world->rule_count; set++) {
        int needed = 0;
        int serving = 0;
        for (size_t i = 0; i < world->rule_count; i++) {
            int quorum = world->rules[i].requirement.quorum;
            needed += (set & (1U << i)) == 0 ? 0 : (quorum < 1 ? 1 : quorum);
        }
        for (size_t i = 0; i < PEOPLE; i++) {
            const struct person *person = &world->people[i];
            bool serves = false;
            for (size_t j = 0; j < world->rule_count; j++) {
                serves = serves ||
                         ((set & (1U << j)) != 0 && may_serve(world, person, &world->rules[j]));
            }
            serving += person->has_voted && person->approves && serves ? 1 : 0;
        }
        if (serving < needed) {
            return false;
        }
    }
    return world->rule_count > 0;
}

static bool is_deny_quorum_reached(const struct world *world)
{
    int needed = world->rule_count == 0 ? 1 : RULES_MAX + PEOPLE;
    int denials = 0;
    for (size_t i = 0; i < world->rule_count; i++) {
        int own = world->rules[i].requirement.deny_quorum;
        needed = own < needed ? own : needed;
    }
    needed = needed < 1 ? 1 : needed;
    for (size_t i = 0; i < PEOPLE; i++) {
        const struct person *person = &world->people[i];
        bool is_heard = person->is_excluded;
        for (size_t j = 0; j < world->rule_count; j++) {
            is_heard = is_heard || is_asked(world, person, &world->rules[j]);
        }
        denials += person->has_voted && !person->approves && person->is_enabled && is_heard &&
                           person->assurance != ASSURANCE_NONE
                       ? 1
                       : 0;
    }
    return denials >= needed;
}

/* Distinct people, each able to serve, a full quorum for every requirement. */
static void check_assignments(const struct world *world, const struct approvals_tally *tally)
{
    unsigned used = 0;
    int approved[RULES_MAX] = {0};
    for (size_t i = 0; i < tally->assignment_count; i++) {
        unsigned index = (unsigned)(tally->assignments[i].person[1] - '0');
        size_t rule = tally->assignments[i].requirement;
        CHECK(index < PEOPLE && rule < world->rule_count);
        CHECK((used & (1U << index)) == 0);
        CHECK(world->people[index].has_voted && world->people[index].approves);
        CHECK(may_serve(world, &world->people[index], &world->rules[rule]));
        used |= 1U << index;
        approved[rule]++;
    }
    for (size_t i = 0; i < world->rule_count; i++) {
        CHECK(tally->approved[i] == (unsigned)approved[i]);
        CHECK(approved[i] <= world->rules[i].requirement.quorum);
        CHECK(tally->outcome != APPROVALS_MET || approved[i] == world->rules[i].requirement.quorum);
    }
}

static enum approvals_outcome count(const struct world *world)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct view view;
    look(world, &view);
    struct approvals_tally tally = approvals_count(&view.request, arena);
    check_assignments(world, &tally);
    bool is_denied = is_deny_quorum_reached(world);
    CHECK((tally.outcome == APPROVALS_DENIED) == is_denied);
    CHECK((tally.outcome == APPROVALS_MET) == (!is_denied && is_satisfiable(world)));
    CHECK(approvals_still_met(&view.request, arena) == (tally.outcome == APPROVALS_MET));
    return tally.outcome;
}

/* The one way the request changes. */
static bool happen(struct world *world, enum request_event event)
{
    const struct request_transition *transition = request_apply(world->state, event);
    if (transition == NULL) {
        return false;
    }
    bool was_final = request_is_final(world->state);
    CHECK(!was_final || (event == REQUEST_VOTED_LATE && transition->next == world->state));
    if (!was_final && request_is_final(transition->next)) {
        world->ends++;
        CHECK(transition->reason != REASON_NONE);
    }
    if ((transition->effects & REQUEST_ISSUES_GRANT) != 0) {
        CHECK(transition->next == REQUEST_APPROVED && world->grant == GRANT_ABSENT);
        world->grants++;
        world->grant = grant_apply(world->grant, GRANT_ISSUE)->next;
    }
    world->state = transition->next;
    CHECK(world->ends <= 1 && world->grants <= 1);
    CHECK(request_is_final(world->state) == (world->ends == 1));
    return true;
}

static void count_and_end(struct world *world)
{
    switch (count(world)) {
    case APPROVALS_DENIED:
        (void)happen(world, REQUEST_DENY_QUORUM_REACHED);
        break;
    case APPROVALS_MET:
        if (happen(world, REQUEST_REQUIREMENTS_MET)) {
            CHECK(is_satisfiable(world) && !is_deny_quorum_reached(world));
        }
        break;
    case APPROVALS_OPEN:
        (void)happen(world, REQUEST_VOTE_COUNTED);
        break;
    }
}

static void vote(struct world *world, struct person *person, unsigned choice)
{
    if (happen(world, REQUEST_VOTED_LATE)) {
        return;
    }
    struct view view;
    look(world, &view);
    struct person before = *person;
    bool approves = (choice & 1) != 0;
    enum assurance assurance = (enum assurance)(choice >> 1 & 3);
    enum assurance needed;
    enum approvals_permission permission = approvals_may_vote(
        &view.request, &view.people[person - world->people], approves, assurance, &needed);
    person->has_voted = true;
    person->approves = approves;
    person->assurance = assurance;
    bool serves = false;
    bool is_heard = person->is_excluded;
    for (size_t i = 0; i < world->rule_count; i++) {
        serves = serves || may_serve(world, person, &world->rules[i]);
        is_heard = is_heard || is_asked(world, person, &world->rules[i]);
    }
    bool counts = approves ? serves : person->is_enabled && is_heard && assurance != ASSURANCE_NONE;
    CHECK((permission == APPROVALS_MAY) == counts);
    CHECK((permission == APPROVALS_ASSURANCE_LOW) == (needed > assurance));
    if (permission != APPROVALS_MAY) {
        *person = before;
        return;
    }
    count_and_end(world);
}

static void use_grant(struct world *world, unsigned choice)
{
    enum grant_event event = (enum grant_event)(choice % GRANT_EVENT_COUNT);
    if (event == GRANT_ISSUE) {
        return; /* only an approval issues */
    }
    if (event == GRANT_REDEEM) {
        struct grant_redemption facts = {
            .state = world->grant,
            .claim_until = 900,
            .now = world->now,
            .token_expires_at = (int64_t)(choice & 0x80 ? 2000 : 500),
            .elapsed_ms = -1,
            .ttl_ms = 1,
            .token = "jti",
            .newest_token = "jti",
            .redeemer = (choice & 0x40) != 0 ? "other" : "caller",
            .holder = "caller",
            .audience = "",
            .digest_matches = true,
            .policy_still_permits = count(world) == APPROVALS_MET,
        };
        if (grant_check_redemption(&facts) != GRANT_ACCEPTED) {
            return;
        }
        CHECK(world->state == REQUEST_APPROVED && world->grant == GRANT_ISSUED);
        CHECK(world->now < 900 && (choice & 0x40) == 0);
        world->redemptions++;
    }
    const struct grant_transition *transition = grant_apply(world->grant, event);
    if (transition != NULL) {
        world->grant = transition->next;
    }
    CHECK(world->redemptions <= 1);
}

static void step(struct world *world)
{
    unsigned kind = take(&world->input);
    unsigned choice = take(&world->input);
    struct person *person = &world->people[kind >> 4 & 7];
    switch (kind & 15) {
    case 0:
        person->is_enabled = !person->is_enabled;
        break;
    case 1:
        person->groups ^= 1U << (choice % GROUPS);
        break;
    case 2:
        person->is_excluded = !person->is_excluded;
        break;
    case 3:
        world->now += choice;
        break;
    case 4:
        if (happen(world, REQUEST_POLICY_GREW)) {
            add_rule(world);
        }
        break;
    case 5:
        (void)happen(world, (enum request_event)(choice % (REQUEST_SUBMIT_ESCALATED + 1)));
        break;
    case 6: {
        static const enum request_event ends[] = {REQUEST_TIMED_OUT,          REQUEST_WITHDRAWN,
                                                  REQUEST_CANCELLED_BY_ADMIN, REQUEST_POLICY_DENIED,
                                                  REQUEST_STORE_ROLLED_BACK,  REQUEST_RUNG_DUE};
        (void)happen(world, ends[choice % 6]);
        break;
    }
    case 7:
        use_grant(world, choice);
        break;
    case 8:
        count_and_end(world);
        break;
    default:
        vote(world, person, choice);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct world world = {.input = {.bytes = bytes, .length = length}};
    unsigned shape = take(&world.input);
    world.allows_self_approval = (shape & 4) != 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        unsigned person = take(&world.input);
        world.people[i].groups = person & 15;
        world.people[i].is_enabled = (person & 0x10) == 0;
        world.people[i].is_excluded = (person & 0x60) == 0x60;
    }
    for (unsigned i = 0; i < (shape & 3); i++) {
        add_rule(&world);
    }
    CHECK(happen(&world, REQUEST_SUBMIT_ESCALATED));
    for (unsigned i = 0; i < STEPS_MAX && world.input.length > 0; i++) {
        step(&world);
    }
    return 0;
}
