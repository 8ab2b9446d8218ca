#include "approvals/approvals_internal.h"
#include "tests/support/chance.h"
#include "tests/unit/approvals/cases.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUPS = 4,
    PEOPLE_MAX = 6,
    RULES_MAX = 3,
    RUNGS = 2,
    CASES = 20000,
    WIDE_CASES = 3000,
    WIDE_RULES_MAX = 8,
    WIDE_VOTERS_MAX = 40
};

static const char *const group_names[GROUPS] = {"g0", "g1", "g2", "g3"};

/* A case in numbers, from which both the real one and the expected answer are made. */
struct model_person {
    unsigned groups; /* a bit each */
    bool is_known, is_enabled, is_excluded;
    bool has_voted, approves;
    enum assurance assurance;
};
struct model_rule {
    int quorum, deny_quorum;
    enum assurance assurance;
    bool allows_self;
    unsigned groups;
    unsigned rung_groups[RUNGS];
    int64_t rung_after[RUNGS];
};
struct model {
    struct model_person people[PEOPLE_MAX];
    size_t person_count;
    struct model_rule rules[RULES_MAX];
    size_t rule_count;
    bool allows_self;
    int64_t elapsed;
};

static bool is_likely(struct chance *chance, unsigned percent)
{
    return chance_below(chance, 100) < percent;
}

static struct model make_model(struct chance *chance)
{
    struct model model = {.person_count = chance_below(chance, PEOPLE_MAX + 1),
                          .rule_count = chance_below(chance, RULES_MAX + 1),
                          .allows_self = is_likely(chance, 30),
                          .elapsed = chance_below(chance, 100)};
    for (size_t i = 0; i < model.person_count; i++) {
        model.people[i] = (struct model_person){
            .groups = chance_below(chance, 1 << GROUPS),
            .is_known = is_likely(chance, 95),
            .is_enabled = is_likely(chance, 90),
            .is_excluded = is_likely(chance, 15),
            .has_voted = is_likely(chance, 85),
            .approves = is_likely(chance, 90),
            .assurance = (enum assurance)chance_below(chance, 4),
        };
    }
    for (size_t i = 0; i < model.rule_count; i++) {
        struct model_rule *rule = &model.rules[i];
        *rule = (struct model_rule){
            .quorum = (int)chance_below(chance, 3) + (is_likely(chance, 97) ? 1 : 0),
            .deny_quorum = (int)chance_below(chance, 4),
            .assurance = (enum assurance)(is_likely(chance, 97) ? 1 + chance_below(chance, 3) : 0),
            .allows_self = is_likely(chance, 70),
            .groups = chance_below(chance, 1 << GROUPS),
        };
        for (size_t j = 0; j < RUNGS; j++) {
            rule->rung_groups[j] = chance_below(chance, 1 << GROUPS) & chance_below(chance, 16);
            rule->rung_after[j] = chance_below(chance, 120);
        }
    }
    return model;
}

static const char **group_list(struct arena *arena, unsigned groups, size_t *out_count)
{
    const char **list = arena_array(arena, GROUPS, sizeof *list);
    *out_count = 0;
    for (unsigned i = 0; i < GROUPS; i++) {
        if ((groups & (1U << i)) != 0) {
            list[(*out_count)++] = group_names[i];
        }
    }
    return list;
}

/* The case that the model describes, all of it in `arena`. */
struct real {
    struct approvals_person people[PEOPLE_MAX];
    struct approvals_vote votes[PEOPLE_MAX];
    struct policy_requirement rules[RULES_MAX];
    struct approvals_case request;
};

static void add_person(struct real *real, const struct model_person *model, const char *id,
                       struct arena *arena)
{
    if (model->is_known) {
        struct approvals_person *person = &real->people[real->request.person_count++];
        *person = (struct approvals_person){
            .id = id, .is_enabled = model->is_enabled, .is_excluded = model->is_excluded};
        person->groups = group_list(arena, model->groups, &person->group_count);
    }
    if (model->has_voted) {
        real->votes[real->request.vote_count++] = (struct approvals_vote){
            .person = id, .approves = model->approves, .assurance = model->assurance};
    }
}

static void add_rule(struct real *real, const struct model_rule *model, struct arena *arena)
{
    struct policy_requirement *rule = &real->rules[real->request.requirement_count++];
    *rule = (struct policy_requirement){.rule = "rule",
                                        .quorum = model->quorum,
                                        .deny_quorum = model->deny_quorum,
                                        .assurance = model->assurance,
                                        .allows_self_approval = model->allows_self,
                                        .rung_count = RUNGS};
    rule->groups = group_list(arena, model->groups, &rule->group_count);
    rule->ladder = arena_array(arena, RUNGS, sizeof *rule->ladder);
    for (size_t i = 0; i < RUNGS; i++) {
        rule->ladder[i].after_ms = model->rung_after[i];
        rule->ladder[i].to = group_list(arena, model->rung_groups[i], &rule->ladder[i].to_count);
    }
}

static struct real *make_real(const struct model *model, struct arena *arena)
{
    struct real *real = ARENA_NEW(arena, struct real);
    for (size_t i = 0; i < model->person_count; i++) {
        add_person(real, &model->people[i], arena_printf(arena, "per_%zu", i), arena);
    }
    for (size_t i = 0; i < model->rule_count; i++) {
        add_rule(real, &model->rules[i], arena);
    }
    real->request.people = real->people;
    real->request.votes = real->votes;
    real->request.requirements = real->rules;
    real->request.allows_self_approval = model->allows_self;
    real->request.asked_at = 5000;
    real->request.now = 5000 + model->elapsed;
    return real;
}

/* The expected answer, by the rules as they are written and by trying everything. */
static unsigned asked_groups(const struct model *model, const struct model_rule *rule)
{
    unsigned groups = rule->groups;
    for (size_t i = 0; i < RUNGS; i++) {
        groups |= rule->rung_after[i] <= model->elapsed ? rule->rung_groups[i] : 0;
    }
    return groups;
}

static bool may_serve(const struct model *model, const struct model_person *person,
                      const struct model_rule *rule)
{
    bool allows_self = model->allows_self;
    for (size_t i = 0; i < model->rule_count; i++) {
        allows_self = allows_self && model->rules[i].allows_self;
    }
    return person->is_known && person->is_enabled && (!person->is_excluded || allows_self) &&
           (person->groups & asked_groups(model, rule)) != 0 && rule->quorum > 0 &&
           rule->assurance > ASSURANCE_NONE && person->assurance >= rule->assurance;
}

/* The most people that can be assigned, from person `next` on: nobody, or each rule with room. */
static int try_all(const struct model *model, size_t next, int room[RULES_MAX])
{
    if (next == model->person_count) {
        return 0;
    }
    const struct model_person *person = &model->people[next];
    int best = try_all(model, next + 1, room);
    for (size_t i = 0; person->has_voted && person->approves && i < model->rule_count; i++) {
        if (room[i] > 0 && may_serve(model, person, &model->rules[i])) {
            room[i]--;
            int found = 1 + try_all(model, next + 1, room);
            room[i]++;
            best = found > best ? found : best;
        }
    }
    return best;
}

struct expected {
    enum approvals_outcome outcome;
    unsigned missing, denies, uncounted;
    int assigned;
};

static bool denies(const struct model *model, const struct model_person *person)
{
    bool is_asked = false;
    for (size_t i = 0; i < model->rule_count; i++) {
        is_asked = is_asked || (person->groups & asked_groups(model, &model->rules[i])) != 0;
    }
    return person->has_voted && !person->approves && person->is_known && person->is_enabled &&
           person->assurance > ASSURANCE_NONE && (person->is_excluded || is_asked);
}

static unsigned count_uncounted(const struct model *model)
{
    unsigned uncounted = 0;
    for (size_t i = 0; i < model->person_count; i++) {
        bool counts = false;
        for (size_t j = 0; j < model->rule_count; j++) {
            counts = counts || may_serve(model, &model->people[i], &model->rules[j]);
        }
        uncounted += model->people[i].has_voted && model->people[i].approves && !counts ? 1 : 0;
    }
    return uncounted;
}

static struct expected expect(const struct model *model)
{
    int room[RULES_MAX] = {0};
    int needed = 0;
    unsigned deny_quorum = model->rule_count == 0 ? 1 : 99;
    for (size_t i = 0; i < model->rule_count; i++) {
        const struct model_rule *rule = &model->rules[i];
        room[i] = rule->quorum;
        needed += rule->quorum < 1 ? 1 : rule->quorum;
        unsigned own = rule->deny_quorum < 1 ? 1 : (unsigned)rule->deny_quorum;
        deny_quorum = own < deny_quorum ? own : deny_quorum;
    }
    struct expected expected = {.assigned = try_all(model, 0, room),
                                .uncounted = count_uncounted(model)};
    for (size_t i = 0; i < model->person_count; i++) {
        expected.denies += denies(model, &model->people[i]) ? 1 : 0;
    }
    expected.missing = (unsigned)(needed - expected.assigned);
    if (expected.denies >= deny_quorum) {
        expected.outcome = APPROVALS_DENIED;
    } else if (model->rule_count > 0 && expected.missing == 0) {
        expected.outcome = APPROVALS_MET;
    }
    return expected;
}

static void assert_agrees(const struct approvals_tally *tally, const struct expected *expected,
                          int round)
{
    ck_assert_msg(tally->outcome == expected->outcome, "case %d: outcome %d, expected %d", round,
                  (int)tally->outcome, (int)expected->outcome);
    ck_assert_msg(tally->missing == expected->missing, "case %d: missing %u, expected %u", round,
                  tally->missing, expected->missing);
    ck_assert_msg(tally->denies == expected->denies, "case %d: denies %u, expected %u", round,
                  tally->denies, expected->denies);
    ck_assert_msg(tally->assignment_count == (size_t)expected->assigned,
                  "case %d: assigned %zu, expected %d", round, tally->assignment_count,
                  expected->assigned);
    ck_assert_msg(tally->uncounted_count == expected->uncounted,
                  "case %d: uncounted %zu, expected %u", round, tally->uncounted_count,
                  expected->uncounted);
}

START_TEST(approvals__matching_agrees_with_trying_every_assignment)
{
    struct chance chance = {.state = 20240601};
    int seen[3] = {0};
    for (int round = 0; round < CASES; round++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct model model = make_model(&chance);
        struct real *real = make_real(&model, arena);
        struct approvals_tally tally = approvals_count(&real->request, arena);
        struct expected expected = expect(&model);
        assert_agrees(&tally, &expected, round);
        ck_assert_int_eq(approvals_still_met(&real->request, arena),
                         expected.outcome == APPROVALS_MET);
        seen[tally.outcome]++;
    }
    /* The cases are worth something only if all three outcomes are common among them. */
    ck_assert_int_gt(seen[APPROVALS_OPEN], CASES / 20);
    ck_assert_int_gt(seen[APPROVALS_MET], CASES / 20);
    ck_assert_int_gt(seen[APPROVALS_DENIED], CASES / 20);
}
END_TEST

/* The people in the assignments are distinct, may serve what they are assigned to, and are as many
 * as is said. */
START_TEST(approvals__assignment_proves_itself)
{
    struct chance chance = {.state = 20240602};
    for (int round = 0; round < CASES; round++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct model model = make_model(&chance);
        struct real *real = make_real(&model, arena);
        struct approvals_tally tally = approvals_count(&real->request, arena);
        unsigned approved[RULES_MAX] = {0};
        unsigned used = 0;
        for (size_t i = 0; i < tally.assignment_count; i++) {
            size_t rule = tally.assignments[i].requirement;
            unsigned person = (unsigned)atoi(tally.assignments[i].person + strlen("per_"));
            const struct model_person *known = &model.people[person];
            ck_assert(known->has_voted && known->approves);
            ck_assert_msg((used & (1U << person)) == 0, "case %d: counted twice", round);
            ck_assert_msg(may_serve(&model, known, &model.rules[rule]), "case %d", round);
            used |= 1U << person;
            approved[rule]++;
        }
        for (size_t i = 0; i < model.rule_count; i++) {
            ck_assert_uint_eq(tally.approved[i], approved[i]);
            ck_assert_int_le((int)approved[i], model.rules[i].quorum);
            bool is_met = tally.outcome == APPROVALS_MET;
            ck_assert(!is_met || (int)approved[i] == model.rules[i].quorum);
        }
    }
}
END_TEST

START_TEST(approvals__order_of_votes_people_and_requirements_changes_nothing)
{
    struct chance chance = {.state = 20240603};
    for (int round = 0; round < CASES; round++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct model model = make_model(&chance);
        struct real *real = make_real(&model, arena);
        struct approvals_tally first = approvals_count(&real->request, arena);
        chance_shuffle(&chance, real->votes, real->request.vote_count, sizeof real->votes[0]);
        chance_shuffle(&chance, real->people, real->request.person_count, sizeof real->people[0]);
        chance_shuffle(&chance, real->rules, real->request.requirement_count,
                       sizeof real->rules[0]);
        struct approvals_tally second = approvals_count(&real->request, arena);
        ck_assert_int_eq(first.outcome, second.outcome);
        ck_assert_uint_eq(first.missing, second.missing);
        ck_assert_uint_eq(first.denies, second.denies);
        ck_assert_uint_eq(first.assignment_count, second.assignment_count);
        ck_assert_uint_eq(first.uncounted_count, second.uncounted_count);
    }
}
END_TEST

/* Not only the outcome: the rows of the store may come in any order and leave the same record. */
START_TEST(approvals__order_of_votes_and_people_leaves_the_same_assignments)
{
    struct chance chance = {.state = 20240606};
    for (int round = 0; round < CASES; round++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct model model = make_model(&chance);
        struct real *real = make_real(&model, arena);
        struct approvals_tally first = approvals_count(&real->request, arena);
        chance_shuffle(&chance, real->votes, real->request.vote_count, sizeof real->votes[0]);
        chance_shuffle(&chance, real->people, real->request.person_count, sizeof real->people[0]);
        struct approvals_tally second = approvals_count(&real->request, arena);
        ck_assert_uint_eq(first.assignment_count, second.assignment_count);
        for (size_t i = 0; i < first.assignment_count; i++) {
            ck_assert_str_eq(first.assignments[i].person, second.assignments[i].person);
            ck_assert_uint_eq(first.assignments[i].requirement, second.assignments[i].requirement);
        }
        for (size_t i = 0; i < first.uncounted_count; i++) {
            ck_assert_str_eq(first.uncounted[i], second.uncounted[i]);
            ck_assert_str_eq(first.uncounted_reasons[i], second.uncounted_reasons[i]);
        }
    }
}
END_TEST

/* Who may vote, and whose vote then counts, are one rule. */
START_TEST(approvals__vote_that_is_taken_counts_and_one_that_is_refused_would_not)
{
    struct chance chance = {.state = 20240604};
    for (int round = 0; round < CASES; round++) {
        struct arena *arena ARENA_SCOPE = arena_create();
        struct model model = make_model(&chance);
        struct real *real = make_real(&model, arena);
        for (size_t i = 0; i < real->request.person_count; i++) {
            struct approvals_vote vote = {.person = real->people[i].id,
                                          .approves = chance_below(&chance, 2) == 0,
                                          .assurance = (enum assurance)chance_below(&chance, 4)};
            struct approvals_case alone = real->request;
            alone.votes = &vote;
            alone.vote_count = 1;
            struct approvals_tally tally = approvals_count(&alone, arena);
            enum assurance needed;
            bool may = approvals_may_vote(&alone, &real->people[i], vote.approves, vote.assurance,
                                          &needed) == APPROVALS_MAY;
            ck_assert_int_eq(may, tally.assignment_count + tally.denies == 1);
        }
    }
}
END_TEST

/* By the deficiency form of Hall's theorem (Ore 1955) the most that can be assigned is the least,
 * over every set of requirements, of what the others need plus how many voters serve the set. */
static size_t most_by_hall(const uint64_t *eligible, size_t voter_count, const unsigned *quorums,
                           unsigned rule_count)
{
    size_t least = SIZE_MAX;
    for (uint64_t set = 0; set < (UINT64_C(1) << rule_count); set++) {
        size_t bound = 0;
        for (unsigned i = 0; i < rule_count; i++) {
            bound += (set & (UINT64_C(1) << i)) == 0 ? quorums[i] : 0;
        }
        for (size_t i = 0; i < voter_count; i++) {
            bound += (eligible[i] & set) != 0 ? 1 : 0;
        }
        least = bound < least ? bound : least;
    }
    return least;
}

START_TEST(approvals__matching_agrees_with_halls_theorem_on_wide_cases)
{
    struct chance chance = {.state = 20240605};
    for (int round = 0; round < WIDE_CASES; round++) {
        uint64_t eligible[WIDE_VOTERS_MAX] = {0};
        unsigned quorums[POLICY_REQUIREMENTS_MAX] = {0};
        int assigned[WIDE_VOTERS_MAX];
        unsigned rule_count = 1 + chance_below(&chance, WIDE_RULES_MAX);
        size_t voter_count = chance_below(&chance, WIDE_VOTERS_MAX + 1);
        for (unsigned i = 0; i < rule_count; i++) {
            quorums[i] = 1 + chance_below(&chance, 8);
        }
        for (size_t i = 0; i < voter_count; i++) {
            eligible[i] =
                chance_next(&chance) & chance_next(&chance) & ((UINT64_C(1) << rule_count) - 1);
        }
        ck_assert_uint_eq(approvals_match(eligible, voter_count, quorums, assigned),
                          most_by_hall(eligible, voter_count, quorums, rule_count));
    }
}
END_TEST

/* Each voter fits a requirement and the one before it, and arrives in the order that makes the last
 * one move all the others. */
START_TEST(approvals__longest_chain_of_moves_is_found)
{
    enum { CHAIN = POLICY_REQUIREMENTS_MAX };
    uint64_t eligible[CHAIN];
    unsigned quorums[CHAIN];
    int assigned[CHAIN];
    for (unsigned i = 0; i < CHAIN; i++) {
        quorums[i] = 1;
        eligible[i] = UINT64_C(1) << i | (i + 1 < CHAIN ? UINT64_C(2) << i : 0);
    }
    eligible[CHAIN - 1] = 1;
    ck_assert_uint_eq(approvals_match(eligible, CHAIN, quorums, assigned), CHAIN);
    ck_assert_int_eq(assigned[CHAIN - 1], 0);
    ck_assert_int_eq(assigned[0], 1);
    ck_assert_int_eq(assigned[CHAIN - 2], CHAIN - 1);
}
END_TEST

START_TEST(approvals__most_voters_and_requirements_fit)
{
    uint64_t eligible[APPROVALS_VOTERS_MAX];
    unsigned quorums[POLICY_REQUIREMENTS_MAX];
    int assigned[APPROVALS_VOTERS_MAX];
    for (size_t i = 0; i < APPROVALS_VOTERS_MAX; i++) {
        eligible[i] = UINT64_MAX;
    }
    for (size_t i = 0; i < POLICY_REQUIREMENTS_MAX; i++) {
        quorums[i] = POLICY_QUORUM_MAX;
    }
    ck_assert_uint_eq(approvals_match(eligible, APPROVALS_VOTERS_MAX, quorums, assigned),
                      APPROVALS_VOTERS_MAX);
    for (size_t i = 0; i < POLICY_REQUIREMENTS_MAX; i++) {
        quorums[i] = 1;
    }
    ck_assert_uint_eq(approvals_match(eligible, APPROVALS_VOTERS_MAX, quorums, assigned),
                      POLICY_REQUIREMENTS_MAX);
}
END_TEST

START_TEST(approvals__more_voters_than_the_most_are_a_mistake_of_ours)
{
    static const uint64_t eligible[APPROVALS_VOTERS_MAX + 1];
    static const unsigned quorums[POLICY_REQUIREMENTS_MAX];
    static int assigned[APPROVALS_VOTERS_MAX + 1];
    (void)approvals_match(eligible, APPROVALS_VOTERS_MAX + 1, quorums, assigned);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("approvals/matching");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, approvals__matching_agrees_with_trying_every_assignment);
    tcase_add_test(tests, approvals__assignment_proves_itself);
    tcase_add_test(tests, approvals__order_of_votes_people_and_requirements_changes_nothing);
    tcase_add_test(tests, approvals__order_of_votes_and_people_leaves_the_same_assignments);
    tcase_add_test(tests, approvals__vote_that_is_taken_counts_and_one_that_is_refused_would_not);
    tcase_add_test(tests, approvals__matching_agrees_with_halls_theorem_on_wide_cases);
    tcase_add_test(tests, approvals__longest_chain_of_moves_is_found);
    tcase_add_test(tests, approvals__most_voters_and_requirements_fit);
    tcase_add_test_raise_signal(tests, approvals__more_voters_than_the_most_are_a_mistake_of_ours,
                                SIGABRT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
