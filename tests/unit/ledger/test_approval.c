#include "tests/unit/ledger/signed.h"
#include "tests/unit/ledger/steps.h"

/* Approval. */

static void require(const struct ledger_requirement *items, size_t count, const char *risk,
                    int64_t deny_quorum, bool allows_self)
{
    const struct ledger_decided decided = {.revision = 1,
                                           .verdict = "require_approval",
                                           .risk = risk,
                                           .cause = "submitted",
                                           .rules = NO_TEXTS,
                                           .requirements = {.items = items,
                                                            .count = count,
                                                            .deny_quorum = deny_quorum,
                                                            .timeout_at_ms = sample.now + 60000,
                                                            .allows_self = allows_self}};
    sample_submitted(&sample, "req_1");
    ledger_data_decided(&sample.data, &decided);
    about("req_1", LEDGER_POLICY_DECIDED);
}

static const struct ledger_requirement one_of_finance[] = {
    {.rule = "a", .assurance = "session", .quorum = 1, .groups = TEXTS("finance")}};
static const struct ledger_requirement finance_and_security[] = {
    {.rule = "a", .assurance = "session", .quorum = 1, .groups = TEXTS("finance")},
    {.rule = "b", .assurance = "passkey", .quorum = 1, .groups = TEXTS("security")}};

static void approve_with(const struct ledger_assigned *assigned, size_t count)
{
    sample_approved(&sample, "req_1", "approved_by_people", assigned, count);
}

#define ASSIGNED(who, through, number)                                                             \
    {                                                                                              \
        .person = (who), .group = (through), .requirement = (number)                               \
    }

START_TEST(approval__with_one_vote_too_few_is_found)
{
    sample_pending(&sample, "req_1");
    sample_vote(&sample, "req_1", "per_bob", true);
    approve_with(sample_bob_and_carol, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__one_person_counted_twice_is_found)
{
    require(finance_and_security, 2, "low", 1, false);
    signed_vote_of(&sample, "req_1", "per_bob");
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0),
                                               ASSIGNED("per_bob", "security", 1)};
    approve_with(assigned, 2);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__one_person_for_each_requirement_is_good)
{
    require(finance_and_security, 2, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    signed_vote_of(&sample, "req_1", "per_carol");
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0),
                                               ASSIGNED("per_carol", "security", 1)};
    approve_with(assigned, 2);
    expect_good();
}
END_TEST

START_TEST(approval__with_less_assurance_is_found)
{
    require(finance_and_security, 2, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    sample_vote(&sample, "req_1", "per_carol", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0),
                                               ASSIGNED("per_carol", "security", 1)};
    approve_with(assigned, 2);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__through_a_group_not_asked_is_found)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "leads", 0)};
    approve_with(assigned, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__through_a_rung_reached_is_good)
{
    require(one_of_finance, 1, "low", 1, false);
    rung();
    sample_vote(&sample, "req_1", "per_bob", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "leads", 0)};
    approve_with(assigned, 1);
    expect_good();
}
END_TEST

START_TEST(approval__a_rung_widens_only_its_own_requirement)
{
    require(finance_and_security, 2, "low", 1, false);
    rung();
    sample_vote(&sample, "req_1", "per_bob", true);
    signed_vote_of(&sample, "req_1", "per_carol");
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0),
                                               ASSIGNED("per_carol", "leads", 1)};
    approve_with(assigned, 2);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__by_a_party_is_found)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_owner", true);
    expect_found("party_approved");
}
END_TEST

START_TEST(approval__by_a_party_is_good_where_every_rule_allows_it)
{
    require(one_of_finance, 1, "low", 1, true);
    sample_vote(&sample, "req_1", "per_owner", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_owner", "finance", 0)};
    approve_with(assigned, 1);
    expect_good();
}
END_TEST

START_TEST(approval__by_a_party_that_voted_before_it_was_forbidden_is_found)
{
    require(one_of_finance, 1, "low", 1, true);
    sample_vote(&sample, "req_1", "per_owner", true);
    grow(one_of_finance, 1);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_owner", "finance", 0)};
    approve_with(assigned, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__a_party_may_deny)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_owner", false);
    sample_ended(&sample, "req_1", LEDGER_REQUEST_DENIED, "denied_by_person");
    expect_good();
}
END_TEST

START_TEST(approval__a_vote_that_turned_to_deny_does_not_count)
{
    require(one_of_finance, 1, "low", 2, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    sample_vote(&sample, "req_1", "per_bob", false);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0)};
    approve_with(assigned, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__an_uncounted_vote_does_not_count)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    uncount();
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0)};
    approve_with(assigned, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__an_uncounted_vote_counts_again_when_cast_again)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    uncount();
    sample_vote(&sample, "req_1", "per_bob", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0)};
    approve_with(assigned, 1);
    expect_good();
}
END_TEST

START_TEST(approval__for_a_requirement_there_is_not_is_found)
{
    require(one_of_finance, 1, "low", 1, false);
    sample_vote(&sample, "req_1", "per_bob", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 1)};
    approve_with(assigned, 1);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__by_votes_on_what_was_asked_before_more_was_asked_is_found)
{
    reach_pending_with_votes();
    grow(grown, 2);
    approve_with(sample_bob_and_carol, 2);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(approval__though_enough_had_denied_is_found)
{
    require(one_of_finance, 1, "low", 2, false);
    sample_vote(&sample, "req_1", "per_carol", false);
    sample_vote(&sample, "req_1", "per_dora", false);
    sample_vote(&sample, "req_1", "per_bob", true);
    const struct ledger_assigned assigned[] = {ASSIGNED("per_bob", "finance", 0)};
    approve_with(assigned, 1);
    expect_found("approved_though_denied");
}
END_TEST

START_TEST(approval__of_another_digest_is_found)
{
    reach_pending_with_votes();
    const struct ledger_approved approved = {.reason = "approved_by_people",
                                             .revision = 1,
                                             .assigned = sample_bob_and_carol,
                                             .assigned_count = 2};
    ledger_data_approved(&sample.data, &approved);
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_REQUEST_APPROVED,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER});
    expect_found("other_digest");
}
END_TEST

START_TEST(denial__by_people_without_enough_votes_is_found)
{
    require(one_of_finance, 1, "low", 2, false);
    sample_vote(&sample, "req_1", "per_carol", false);
    sample_ended(&sample, "req_1", LEDGER_REQUEST_DENIED, "denied_by_person");
    expect_found("denied_without_cause");
}
END_TEST

START_TEST(requirements__that_shrink_are_found)
{
    const struct ledger_requirement fewer[] = {
        {.rule = "large-refund", .assurance = "session", .quorum = 1, .groups = TEXTS("finance")}};
    const struct ledger_requirement weaker[] = {
        {.rule = "large-refund", .assurance = "chat", .quorum = 2, .groups = TEXTS("finance")}};
    const struct ledger_requirement *const shrunk[] = {fewer, weaker, grown};
    sample_pending(&sample, "req_1");
    grow(shrunk[_i], 1); /* of `grown` only the new one: the old one is gone */
    expect_found("requirements_shrunk");
}
END_TEST

/* Edits. */

static void decide_again(const struct ledger_requirement *items, size_t count, const char *risk)
{
    const struct ledger_decided decided = {
        .revision = 2,
        .verdict = "require_approval",
        .risk = risk,
        .cause = "edited",
        .requirements = {
            .items = items, .count = count, .deny_quorum = 1, .timeout_at_ms = sample.now + 60000}};
    ledger_data_decided(&sample.data, &decided);
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_POLICY_DECIDED,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER,
                                                 .policy = SAMPLE_POLICY});
}

static void vote_on_edit(const char *person)
{
    ledger_data_vote(&sample.data, &(struct ledger_vote){.is_approve = true, .revision = 2});
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_VOTE,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER,
                                                 .actor = sample_person(person, "session")});
}

static void approve_edit(const struct ledger_assigned *assigned, size_t count)
{
    const struct ledger_approved approved = {.reason = "approved_by_people",
                                             .revision = 2,
                                             .assigned = assigned,
                                             .assigned_count = count};
    ledger_data_approved(&sample.data, &approved);
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_REQUEST_APPROVED,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER});
}

START_TEST(edit__earlier_votes_do_not_carry_over)
{
    reach_edited();
    decide_again(grown + 1, 1, "medium");
    vote_on_edit("per_bob");
    approve_edit(sample_bob_and_carol, 2);
    expect_found("approved_without_votes");
}
END_TEST

START_TEST(edit__approved_by_votes_on_it_is_good)
{
    static const struct ledger_assigned both[] = {ASSIGNED("per_bob", "finance", 0),
                                                  ASSIGNED("per_carol", "finance", 0)};
    reach_edited();
    decide_again(grown + 1, 1, "high");
    vote_on_edit("per_bob");
    vote_on_edit("per_carol");
    approve_edit(both, 2);
    expect_good();
}
END_TEST

START_TEST(edit__that_asks_for_less_is_found)
{
    reach_edited();
    decide_again(one_of_finance, 1, "medium");
    expect_found("requirements_shrunk");
}
END_TEST

START_TEST(edit__vote_on_the_revision_before_is_found)
{
    reach_edited();
    decide_again(grown + 1, 1, "medium");
    ledger_data_vote(&sample.data, &(struct ledger_vote){.is_approve = true, .revision = 1});
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_VOTE,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_OTHER,
                                                 .actor = sample_person("per_bob", "session")});
    expect_found("vote_of_other_revision");
}
END_TEST

START_TEST(edit__of_a_risky_request_needs_another_than_the_editor)
{
    static const struct ledger_assigned bob[] = {ASSIGNED("per_bob", "finance", 0)};
    require(one_of_finance, 1, "critical", 1, false);
    edit();
    decide_again(one_of_finance, 1, _i == 0 ? "critical" : "medium");
    vote_on_edit("per_bob");
    approve_edit(bob, 1);
    close_export();
    if (_i == 0) {
        sample_expect_found(&sample, "approved_without_votes");
    } else {
        sample_expect_good(&sample);
    }
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger approval");
    TCase *tests = tcase_create("approval");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, approval__with_one_vote_too_few_is_found);
    tcase_add_test(tests, approval__one_person_counted_twice_is_found);
    tcase_add_test(tests, approval__one_person_for_each_requirement_is_good);
    tcase_add_test(tests, approval__with_less_assurance_is_found);
    tcase_add_test(tests, approval__through_a_group_not_asked_is_found);
    tcase_add_test(tests, approval__through_a_rung_reached_is_good);
    tcase_add_test(tests, approval__a_rung_widens_only_its_own_requirement);
    tcase_add_test(tests, approval__by_a_party_is_found);
    tcase_add_test(tests, approval__by_a_party_is_good_where_every_rule_allows_it);
    tcase_add_test(tests, approval__by_a_party_that_voted_before_it_was_forbidden_is_found);
    tcase_add_test(tests, approval__a_party_may_deny);
    tcase_add_test(tests, approval__a_vote_that_turned_to_deny_does_not_count);
    tcase_add_test(tests, approval__an_uncounted_vote_does_not_count);
    tcase_add_test(tests, approval__an_uncounted_vote_counts_again_when_cast_again);
    tcase_add_test(tests, approval__for_a_requirement_there_is_not_is_found);
    tcase_add_test(tests, approval__by_votes_on_what_was_asked_before_more_was_asked_is_found);
    tcase_add_test(tests, approval__though_enough_had_denied_is_found);
    tcase_add_test(tests, approval__of_another_digest_is_found);
    tcase_add_test(tests, denial__by_people_without_enough_votes_is_found);
    tcase_add_loop_test(tests, requirements__that_shrink_are_found, 0, 3);
    tcase_add_test(tests, edit__earlier_votes_do_not_carry_over);
    tcase_add_test(tests, edit__approved_by_votes_on_it_is_good);
    tcase_add_test(tests, edit__that_asks_for_less_is_found);
    tcase_add_test(tests, edit__vote_on_the_revision_before_is_found);
    tcase_add_loop_test(tests, edit__of_a_risky_request_needs_another_than_the_editor, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
