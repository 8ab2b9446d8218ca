#include "tests/unit/approvals/cases.h"

#include <check.h>
#include <stdlib.h>

/* Who may vote does not depend on who did. */
static const struct approvals_vote no_votes[1];

static enum approvals_permission ask(const struct approvals_case *request,
                                     const struct approvals_person *person, bool approves,
                                     enum assurance assurance)
{
    enum assurance needed;
    return approvals_may_vote(request, person, approves, assurance, &needed);
}

START_TEST(approvals__who_is_asked_may_approve_and_deny)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "other", "finance")};
    struct approvals_case request = CASE(rules, people, no_votes);
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_SESSION), APPROVALS_MAY);
    ck_assert_int_eq(ask(&request, &people[0], false, ASSURANCE_SESSION), APPROVALS_MAY);
}
END_TEST

START_TEST(approvals__who_is_not_asked_may_not_even_know)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {PERSON("ann", "other")};
    struct approvals_case request = CASE(rules, people, no_votes);
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
    ck_assert_int_eq(ask(&request, &people[0], false, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
}
END_TEST

START_TEST(approvals__who_is_disabled_may_not_even_know)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {DISABLED("ann", "finance"), INVOLVED("bob", "finance")};
    people[1].is_enabled = false;
    struct approvals_case request = CASE(rules, people, no_votes);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        ck_assert_int_eq(ask(&request, &people[i], true, ASSURANCE_PASSKEY),
                         APPROVALS_MAY_NOT_KNOW);
        ck_assert_int_eq(ask(&request, &people[i], false, ASSURANCE_PASSKEY),
                         APPROVALS_MAY_NOT_KNOW);
    }
}
END_TEST

START_TEST(approvals__requester_cannot_approve_own_request_but_may_deny_it)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person people[] = {INVOLVED("ann", "finance"), INVOLVED("bob", "other")};
    struct approvals_case request = CASE(rules, people, no_votes);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        ck_assert_int_eq(ask(&request, &people[i], true, ASSURANCE_PASSKEY), APPROVALS_EXCLUDED);
        ck_assert_int_eq(ask(&request, &people[i], false, ASSURANCE_SESSION), APPROVALS_MAY);
    }
}
END_TEST

START_TEST(approvals__requester_may_approve_own_request_where_every_rule_allows_it)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    struct approvals_person people[] = {INVOLVED("ann", "finance"), INVOLVED("bob", "other")};
    struct approvals_case request = CASE(rules, people, no_votes);
    request.allows_self_approval = true;
    rules[0].allows_self_approval = true;
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_SESSION), APPROVALS_EXCLUDED);
    rules[1].allows_self_approval = true;
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_SESSION), APPROVALS_MAY);
    ck_assert_int_eq(ask(&request, &people[1], true, ASSURANCE_SESSION), APPROVALS_EXCLUDED);
}
END_TEST

START_TEST(approvals__vote_that_proves_too_little_is_told_what_is_missing)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].assurance = ASSURANCE_PASSKEY;
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_case request = CASE(rules, people, no_votes);
    enum assurance needed = ASSURANCE_NONE;
    ck_assert_int_eq(approvals_may_vote(&request, &people[0], true, ASSURANCE_SESSION, &needed),
                     APPROVALS_ASSURANCE_LOW);
    ck_assert_int_eq(needed, ASSURANCE_PASSKEY);
    ck_assert_int_eq(approvals_may_vote(&request, &people[0], true, ASSURANCE_PASSKEY, &needed),
                     APPROVALS_MAY);
    ck_assert_int_eq(needed, ASSURANCE_NONE);
}
END_TEST

START_TEST(approvals__least_of_the_requirements_one_may_serve_is_needed)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance"),
                                         NEEDS(1, "other")};
    rules[0].assurance = ASSURANCE_PASSKEY;
    rules[1].assurance = ASSURANCE_SESSION;
    rules[2].assurance = ASSURANCE_CHAT;
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_case request = CASE(rules, people, no_votes);
    enum assurance needed = ASSURANCE_NONE;
    ck_assert_int_eq(approvals_may_vote(&request, &people[0], true, ASSURANCE_CHAT, &needed),
                     APPROVALS_ASSURANCE_LOW);
    ck_assert_int_eq(needed, ASSURANCE_SESSION);
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_SESSION), APPROVALS_MAY);
}
END_TEST

START_TEST(approvals__vote_that_proves_nothing_never_decides)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].assurance = ASSURANCE_CHAT;
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_case request = CASE(rules, people, no_votes);
    enum assurance needed = ASSURANCE_NONE;
    ck_assert_int_eq(approvals_may_vote(&request, &people[0], false, ASSURANCE_NONE, &needed),
                     APPROVALS_ASSURANCE_LOW);
    ck_assert_int_eq(needed, ASSURANCE_CHAT);
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_NONE), APPROVALS_ASSURANCE_LOW);
    ck_assert_int_eq(ask(&request, &people[0], false, ASSURANCE_CHAT), APPROVALS_MAY);
}
END_TEST

START_TEST(approvals__zeroed_people_and_cases_may_nothing)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    struct approvals_person nobody = {0};
    struct approvals_person people[] = {PERSON("ann", "finance")};
    struct approvals_case request = CASE(rules, people, no_votes);
    struct approvals_case zeroed = {0};
    ck_assert_int_eq(ask(&request, &nobody, true, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
    ck_assert_int_eq(ask(&zeroed, &people[0], true, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
    ck_assert_int_eq(ask(&zeroed, &people[0], false, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
    ck_assert_int_ne((enum approvals_permission){0}, APPROVALS_MAY);
    rules[0] = (struct policy_requirement){.groups = rules[0].groups, .group_count = 1};
    ck_assert_int_eq(ask(&request, &people[0], true, ASSURANCE_PASSKEY), APPROVALS_MAY_NOT_KNOW);
}
END_TEST

static struct policy_rung ladder[] = {
    {.after_ms = 0, .to = (const char *[]){"finance"}, .to_count = 1},
    {.after_ms = 300, .to = (const char *[]){"leads", "finance"}, .to_count = 2},
    {.after_ms = 900, .to = (const char *[]){"board"}, .to_count = 1},
};

START_TEST(approvals__groups_are_asked_rung_by_rung_and_named_once)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_requirement rule = NEEDS(1, "finance", "treasury");
    rule.ladder = ladder;
    rule.rung_count = COUNT_OF(ladder);
    size_t count;
    approvals_groups_asked(&rule, 1000, 1299, arena, &count);
    ck_assert_uint_eq(count, 2);
    const char **asked = approvals_groups_asked(&rule, 1000, 1300, arena, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(asked[0], "finance");
    ck_assert_str_eq(asked[1], "treasury");
    ck_assert_str_eq(asked[2], "leads");
    approvals_groups_asked(&rule, 1000, 1900, arena, &count);
    ck_assert_uint_eq(count, 4);
}
END_TEST

START_TEST(approvals__first_rung_may_ask_others_than_the_requirement)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_requirement rule = NEEDS(1, "treasury");
    rule.ladder = ladder;
    rule.rung_count = COUNT_OF(ladder);
    size_t count;
    const char **asked = approvals_groups_asked(&rule, 1000, 1000, arena, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(asked[0], "treasury");
    ck_assert_str_eq(asked[1], "finance");
}
END_TEST

START_TEST(approvals__zeroed_requirement_asks_nobody)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct policy_requirement rule = {0};
    size_t count = 7;
    approvals_groups_asked(&rule, 1000, 2000, arena, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(approvals__next_rung_is_the_earliest_still_to_come)
{
    struct policy_rung sooner[] = {{.after_ms = 200, .to = TEXTS("leads"), .to_count = 1},
                                   {.after_ms = 900, .to = TEXTS("board"), .to_count = 1}};
    struct policy_requirement rules[] = {NEEDS(1, "finance"), NEEDS(1, "finance")};
    rules[0].ladder = ladder;
    rules[0].rung_count = COUNT_OF(ladder);
    rules[1].ladder = sooner;
    rules[1].rung_count = COUNT_OF(sooner);
    size_t requirement = 9;
    size_t rung = 9;
    ck_assert_int_eq(approvals_next_rung(rules, 2, 1000, 1000, &requirement, &rung), 1200);
    ck_assert_uint_eq(requirement, 1);
    ck_assert_uint_eq(rung, 0);
    ck_assert_int_eq(approvals_next_rung(rules, 2, 1000, 1200, &requirement, &rung), 1300);
    ck_assert_uint_eq(requirement, 0);
    ck_assert_uint_eq(rung, 1);
    ck_assert_int_eq(approvals_next_rung(rules, 2, 1000, 1300, &requirement, &rung), 1900);
    ck_assert_uint_eq(requirement, 0); /* both fall due together: the first is named */
    ck_assert_uint_eq(rung, 2);
}
END_TEST

START_TEST(approvals__no_rung_is_left_after_the_last)
{
    struct policy_requirement rules[] = {NEEDS(1, "finance")};
    rules[0].ladder = ladder;
    rules[0].rung_count = COUNT_OF(ladder);
    size_t requirement = 9;
    size_t rung = 9;
    ck_assert_int_eq(approvals_next_rung(rules, 1, 1000, 1900, &requirement, &rung), 0);
    ck_assert_int_eq(approvals_next_rung(NULL, 0, 1000, 0, &requirement, &rung), 0);
    ck_assert_uint_eq(requirement, 9);
    ck_assert_uint_eq(rung, 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("approvals/permission");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, approvals__who_is_asked_may_approve_and_deny);
    tcase_add_test(tests, approvals__who_is_not_asked_may_not_even_know);
    tcase_add_test(tests, approvals__who_is_disabled_may_not_even_know);
    tcase_add_test(tests, approvals__requester_cannot_approve_own_request_but_may_deny_it);
    tcase_add_test(tests, approvals__requester_may_approve_own_request_where_every_rule_allows_it);
    tcase_add_test(tests, approvals__vote_that_proves_too_little_is_told_what_is_missing);
    tcase_add_test(tests, approvals__least_of_the_requirements_one_may_serve_is_needed);
    tcase_add_test(tests, approvals__vote_that_proves_nothing_never_decides);
    tcase_add_test(tests, approvals__zeroed_people_and_cases_may_nothing);
    tcase_add_test(tests, approvals__groups_are_asked_rung_by_rung_and_named_once);
    tcase_add_test(tests, approvals__first_rung_may_ask_others_than_the_requirement);
    tcase_add_test(tests, approvals__zeroed_requirement_asks_nobody);
    tcase_add_test(tests, approvals__next_rung_is_the_earliest_still_to_come);
    tcase_add_test(tests, approvals__no_rung_is_left_after_the_last);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
