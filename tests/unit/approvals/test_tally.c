#include "tests/unit/approvals/cases.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static void make_arena(void)
{
    arena = arena_create();
}

static void drop_arena(void)
{
    arena_destroy(arena);
}

static enum approvals_outcome outcome_of(const struct approvals_case *request)
{
    return approvals_count(request, arena).outcome;
}

static const char *why_uncounted(const struct approvals_tally *tally, const char *person)
{
    for (size_t i = 0; i < tally->uncounted_count; i++) {
        if (strcmp(tally->uncounted[i], person) == 0) {
            return tally->uncounted_reasons[i];
        }
    }
    return "";
}

START_TEST(approvals__quorum_of_distinct_people_approves)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_MET);
    ck_assert_uint_eq(tally.missing, 0);
    ck_assert_uint_eq(tally.approved[0], 2);
    ck_assert_uint_eq(tally.assignment_count, 2);
    ck_assert_uint_eq(tally.uncounted_count, 0);
}
END_TEST

START_TEST(approvals__one_short_of_quorum_stays_open)
{
    struct policy_requirement rules[] = {NEEDS(3, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert_uint_eq(tally.missing, 1);
    ck_assert_uint_eq(tally.approved[0], 2);
}
END_TEST

START_TEST(approvals__largest_quorum_can_be_met)
{
    struct approvals_person people[POLICY_QUORUM_MAX];
    struct approvals_vote votes[POLICY_QUORUM_MAX];
    char names[POLICY_QUORUM_MAX][8];
    struct policy_requirement rules[] = {NEEDS(POLICY_QUORUM_MAX, "finance")};
    struct approvals_person member = PERSON("", "finance");
    for (size_t i = 0; i < POLICY_QUORUM_MAX; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        people[i] = member;
        people[i].id = names[i];
        votes[i] = (struct approvals_vote)YES(names[i]);
    }
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    request.vote_count--;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__every_requirement_must_be_met)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "security")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert_uint_eq(tally.missing, 1);
    ck_assert_uint_eq(tally.approved[0], 1);
    ck_assert_uint_eq(tally.approved[1], 0);
}
END_TEST

START_TEST(approvals__one_person_counts_toward_one_requirement_only)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "security")};
    struct approvals_person people[] = {PERSON("ann", "finance", "security")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert_uint_eq(tally.missing, 1);
    ck_assert_uint_eq(tally.assignment_count, 1);
}
END_TEST

START_TEST(approvals__person_in_two_groups_of_one_requirement_counts_once)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance", "security")};
    struct approvals_person people[] = {PERSON("ann", "finance", "security")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

/* Ann comes first and fits both, bob fits only where ann was put: she must move. */
START_TEST(approvals__people_are_moved_so_that_all_requirements_are_met)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "security")};
    struct approvals_person people[] = {PERSON("ann", "finance", "security"),
                                        PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_MET);
    ck_assert_str_eq(tally.assignments[0].person, "ann");
    ck_assert_uint_eq(tally.assignments[0].requirement, 1);
    ck_assert_str_eq(tally.assignments[1].person, "bob");
    ck_assert_uint_eq(tally.assignments[1].requirement, 0);
}
END_TEST

START_TEST(approvals__anyone_of_any_group_serves_one_requirement)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance", "security")};
    struct approvals_person people[] = {PERSON("ann", "security"), PERSON("bob", "security")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
}
END_TEST

START_TEST(approvals__assurance_is_checked_for_each_pair)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    rules[1].assurance = ASSURANCE_PASSKEY;
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote sessions[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, sessions);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    struct approvals_vote mixed[] = {YES_BY("ann", ASSURANCE_PASSKEY), YES("bob")};
    request.votes = mixed;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    /* The one with the passkey is needed where only a passkey will do. */
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_uint_eq(tally.assignments[0].requirement, 1);
}
END_TEST

START_TEST(approvals__more_approvals_than_needed_are_not_called_uncounted)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_MET);
    ck_assert_uint_eq(tally.assignment_count, 1);
    ck_assert_uint_eq(tally.uncounted_count, 0);
}
END_TEST

START_TEST(approvals__who_lost_group_account_or_duty_does_not_count)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "other"), DISABLED("bob", "finance"),
                                        INVOLVED("cid", "finance"), PERSON("dee", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob"), YES("cid"),
                                     YES_BY("dee", ASSURANCE_CHAT), YES("gone")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert_uint_eq(tally.uncounted_count, 5);
    ck_assert_str_eq(why_uncounted(&tally, "ann"), "not_in_group");
    ck_assert_str_eq(why_uncounted(&tally, "bob"), "disabled");
    ck_assert_str_eq(why_uncounted(&tally, "cid"), "excluded");
    ck_assert_str_eq(why_uncounted(&tally, "dee"), "assurance");
    ck_assert_str_eq(why_uncounted(&tally, "gone"), "disabled");
}
END_TEST

START_TEST(approvals__who_lost_their_group_no_longer_meets_the_quorum)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert(approvals_still_met(&request, arena));
    people[1].group_count = 0;
    ck_assert(!approvals_still_met(&request, arena));
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__subject_owner_and_submitter_cannot_approve)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {INVOLVED("ann", "finance")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__self_approval_needs_the_request_and_every_requirement_to_allow_it)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    struct approvals_person people[] = {INVOLVED("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    for (unsigned allowed = 0; allowed < 8; allowed++) {
        request.allows_self_approval = (allowed & 1) != 0;
        rules[0].allows_self_approval = (allowed & 2) != 0;
        rules[1].allows_self_approval = (allowed & 4) != 0;
        ck_assert_int_eq(outcome_of(&request), allowed == 7 ? APPROVALS_MET : APPROVALS_OPEN);
    }
}
END_TEST

START_TEST(approvals__denial_ends_it_even_when_the_requirements_are_met)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), NO("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_DENIED);
    ck_assert_uint_eq(tally.denies, 1);
    ck_assert_uint_eq(tally.missing, 0);
}
END_TEST

START_TEST(approvals__fewer_denials_than_asked_for_do_not_end_it)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].deny_quorum = 2;
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance"),
                                        PERSON("cid", "finance")};
    struct approvals_vote one[] = {NO("bob")};
    struct approvals_case request = CASE(rules, people, one);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    struct approvals_vote met[] = {YES("ann"), NO("bob")};
    request.votes = met;
    request.vote_count = COUNT_OF(met);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    struct approvals_vote two[] = {YES("ann"), NO("bob"), NO("cid")};
    request.votes = two;
    request.vote_count = COUNT_OF(two);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__smallest_number_of_denials_of_all_requirements_holds)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "security"),
                                         NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "security")};
    struct approvals_vote votes[] = {NO("ann"), NO("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    rules[0].deny_quorum = 3;
    rules[1].deny_quorum = 2;
    rules[2].deny_quorum = 3;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
    rules[1].deny_quorum = 3;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    rules[2].deny_quorum = 2;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__who_is_involved_may_deny_without_being_asked)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {INVOLVED("ann", "other")};
    struct approvals_vote votes[] = {NO("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__denials_of_strangers_and_of_disabled_people_do_not_count)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "other"), DISABLED("bob", "finance")};
    struct approvals_vote votes[] = {NO("ann"), NO("bob"), NO("gone")};
    struct approvals_case request = CASE(rules, people, votes);
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert_uint_eq(tally.denies, 0);
}
END_TEST

START_TEST(approvals__denial_counts_from_any_channel_that_identifies_the_person)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].assurance = ASSURANCE_PASSKEY;
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_vote chat[] = {NO_BY("ann", ASSURANCE_CHAT)};
    struct approvals_case request = CASE(rules, people, chat);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
    struct approvals_vote nothing[] = {NO_BY("ann", ASSURANCE_NONE)};
    request.votes = nothing;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__rung_adds_its_groups_when_it_falls_due)
{
    struct policy_rung ladder[] = {
        {.after_ms = 0, .to = TEXTS("finance"), .to_count = 1},
        {.after_ms = 500, .to = TEXTS("leads"), .to_count = 1},
    };
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].ladder = ladder;
    rules[0].rung_count = COUNT_OF(ladder);
    struct approvals_person people[] = {PERSON("ann", "leads")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    request.now = 1499;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    request.now = 1500;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    votes[0].approves = false;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
    request.now = 1499;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__rung_widens_only_its_own_requirement)
{
    struct policy_rung ladder[] = {{.after_ms = 500, .to = TEXTS("leads"), .to_count = 1}};
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    rules[0].ladder = ladder;
    rules[0].rung_count = COUNT_OF(ladder);
    struct approvals_person people[] = {PERSON("ann", "leads"), PERSON("bob", "leads"),
                                        PERSON("cid", "finance")};
    struct approvals_vote leads[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, leads);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    struct approvals_vote mixed[] = {YES("ann"), YES("cid")};
    request.votes = mixed;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
}
END_TEST

START_TEST(approvals__rung_past_the_end_of_time_is_never_reached)
{
    struct policy_rung ladder[] = {{.after_ms = INT64_MAX, .to = TEXTS("leads"), .to_count = 1}};
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].ladder = ladder;
    rules[0].rung_count = COUNT_OF(ladder);
    struct approvals_person people[] = {PERSON("ann", "leads")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    request.now = INT64_MAX;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__zeroed_case_is_not_met)
{
    struct approvals_case request = {0};
    struct approvals_tally tally = approvals_count(&request, arena);
    ck_assert_int_eq(tally.outcome, APPROVALS_OPEN);
    ck_assert(!approvals_still_met(&request, arena));
    struct approvals_tally zeroed = {0};
    ck_assert_int_ne(zeroed.outcome, APPROVALS_MET);
}
END_TEST

START_TEST(approvals__no_requirements_are_not_met_by_everyone)
{
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = {.people = people,
                                     .person_count = 1,
                                     .votes = votes,
                                     .vote_count = 1,
                                     .allows_self_approval = true};
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
}
END_TEST

START_TEST(approvals__requirement_that_was_never_filled_in_is_never_met)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance"),
                                        PERSON("cid", "finance")};
    struct approvals_vote votes[] = {YES_BY("ann", ASSURANCE_PASSKEY),
                                     YES_BY("bob", ASSURANCE_PASSKEY),
                                     YES_BY("cid", ASSURANCE_PASSKEY)};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    rules[1].quorum = 0;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    rules[1].quorum = -1;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    rules[1].quorum = POLICY_QUORUM_MAX + 1;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    rules[1].quorum = 1;
    rules[1].assurance = ASSURANCE_NONE;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    rules[1] = (struct policy_requirement){0};
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    ck_assert_uint_eq(approvals_count(&request, arena).missing, 1);
}
END_TEST

START_TEST(approvals__requirement_without_a_deny_quorum_ends_with_the_first_denial)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].deny_quorum = 0;
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET); /* not denied by nobody */
    votes[0].approves = false;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__more_requirements_than_can_be_weighed_are_not_met)
{
    struct policy_requirement rules[POLICY_REQUIREMENTS_MAX + 1];
    struct approvals_person people[POLICY_REQUIREMENTS_MAX + 1];
    struct approvals_vote votes[POLICY_REQUIREMENTS_MAX + 1];
    char names[POLICY_REQUIREMENTS_MAX + 1][8];
    struct policy_requirement one = NEEDS(1, "finance");
    struct approvals_person member = PERSON("", "finance");
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        rules[i] = one;
        people[i] = member;
        people[i].id = names[i];
        votes[i] = (struct approvals_vote)YES(names[i]);
    }
    struct approvals_case request = CASE(rules, people, votes);
    request.requirement_count = POLICY_REQUIREMENTS_MAX;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    request.requirement_count = POLICY_REQUIREMENTS_MAX + 1;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    votes[0].approves = false;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__more_approvals_than_can_be_weighed_leave_it_open_but_denials_count)
{
    static struct approvals_person people[APPROVALS_VOTERS_MAX + 1];
    static struct approvals_vote votes[APPROVALS_VOTERS_MAX + 1];
    static char names[APPROVALS_VOTERS_MAX + 1][8];
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person member = PERSON("", "finance");
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        people[i] = member;
        people[i].id = names[i];
        votes[i] = (struct approvals_vote)YES(names[i]);
    }
    struct approvals_case request = CASE(rules, people, votes);
    request.vote_count = APPROVALS_VOTERS_MAX;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_MET);
    request.vote_count = APPROVALS_VOTERS_MAX + 1;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_OPEN);
    votes[APPROVALS_VOTERS_MAX].approves = false;
    ck_assert_int_eq(outcome_of(&request), APPROVALS_DENIED);
}
END_TEST

START_TEST(approvals__two_votes_of_one_person_are_a_mistake_of_ours)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "finance")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob"), YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    (void)approvals_count(&request, arena);
}
END_TEST

START_TEST(approvals__one_person_described_twice_is_a_mistake_of_ours)
{
    struct policy_requirement rules[] = {NEEDS(2, "finance")};
    struct approvals_person people[] = {PERSON("ann", "other"), PERSON("bob", "finance"),
                                        PERSON("ann", "finance")};
    struct approvals_vote votes[] = {YES("ann")};
    struct approvals_case request = CASE(rules, people, votes);
    (void)approvals_count(&request, arena);
}
END_TEST

START_TEST(approvals__grown_requirements_need_the_recorded_votes_to_meet_them_too)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "security")};
    struct approvals_person people[] = {PERSON("ann", "finance"), PERSON("bob", "security")};
    struct approvals_vote votes[] = {YES("ann"), YES("bob")};
    struct approvals_case request = CASE(rules, people, votes);
    request.vote_count = 1;
    request.requirement_count = 1;
    ck_assert(approvals_still_met(&request, arena));
    request.requirement_count = 2;
    ck_assert(!approvals_still_met(&request, arena));
    request.vote_count = 2;
    ck_assert(approvals_still_met(&request, arena));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, approvals__quorum_of_distinct_people_approves);
    tcase_add_test(tests, approvals__one_short_of_quorum_stays_open);
    tcase_add_test(tests, approvals__largest_quorum_can_be_met);
    tcase_add_test(tests, approvals__every_requirement_must_be_met);
    tcase_add_test(tests, approvals__one_person_counts_toward_one_requirement_only);
    tcase_add_test(tests, approvals__person_in_two_groups_of_one_requirement_counts_once);
    tcase_add_test(tests, approvals__people_are_moved_so_that_all_requirements_are_met);
    tcase_add_test(tests, approvals__anyone_of_any_group_serves_one_requirement);
    tcase_add_test(tests, approvals__assurance_is_checked_for_each_pair);
    tcase_add_test(tests, approvals__more_approvals_than_needed_are_not_called_uncounted);
    tcase_add_test(tests, approvals__who_lost_group_account_or_duty_does_not_count);
    tcase_add_test(tests, approvals__who_lost_their_group_no_longer_meets_the_quorum);
    tcase_add_test(tests, approvals__subject_owner_and_submitter_cannot_approve);
    tcase_add_test(tests,
                   approvals__self_approval_needs_the_request_and_every_requirement_to_allow_it);
    tcase_add_test(tests, approvals__denial_ends_it_even_when_the_requirements_are_met);
    tcase_add_test(tests, approvals__fewer_denials_than_asked_for_do_not_end_it);
    tcase_add_test(tests, approvals__smallest_number_of_denials_of_all_requirements_holds);
    tcase_add_test(tests, approvals__who_is_involved_may_deny_without_being_asked);
    tcase_add_test(tests, approvals__denials_of_strangers_and_of_disabled_people_do_not_count);
    tcase_add_test(tests, approvals__denial_counts_from_any_channel_that_identifies_the_person);
    tcase_add_test(tests, approvals__rung_adds_its_groups_when_it_falls_due);
    tcase_add_test(tests, approvals__rung_widens_only_its_own_requirement);
    tcase_add_test(tests, approvals__rung_past_the_end_of_time_is_never_reached);
    tcase_add_test(tests, approvals__zeroed_case_is_not_met);
    tcase_add_test(tests, approvals__no_requirements_are_not_met_by_everyone);
    tcase_add_test(tests, approvals__requirement_that_was_never_filled_in_is_never_met);
    tcase_add_test(tests, approvals__requirement_without_a_deny_quorum_ends_with_the_first_denial);
    tcase_add_test(tests, approvals__more_requirements_than_can_be_weighed_are_not_met);
    tcase_add_test(tests,
                   approvals__more_approvals_than_can_be_weighed_leave_it_open_but_denials_count);
    tcase_add_test_raise_signal(tests, approvals__two_votes_of_one_person_are_a_mistake_of_ours,
                                SIGABRT);
    tcase_add_test_raise_signal(tests, approvals__one_person_described_twice_is_a_mistake_of_ours,
                                SIGABRT);
    tcase_add_test(tests, approvals__grown_requirements_need_the_recorded_votes_to_meet_them_too);
}

int main(void)
{
    Suite *suite = suite_create("approvals/tally");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, make_arena, drop_arena);
    add_tests(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
