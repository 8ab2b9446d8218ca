#include "ledger/life_internal.h"
#include "tests/unit/ledger/steps.h"

/* The life of a request: every state and every event. */

enum event {
    SUBMIT,
    DECIDE_ALLOW,
    DECIDE_DENY,
    DECIDE_REQUIRE,
    GROW,
    RUNG,
    VIEW,
    COMMENT,
    EDIT,
    VOTE,
    VOTE_LATE,
    UNCOUNT,
    APPROVE_BY_POLICY,
    APPROVE_BY_PEOPLE,
    DENY_FROZEN,
    DENY_BY_POLICY,
    DENY_BY_PERSON,
    EXPIRE,
    CANCEL,
    ISSUE,
    MINT,
    REDEEM,
    REFUSE,
    REVOKE,
    LAPSE,
    EFFECT,
    EFFECT_UNKNOWN,
    RESOLVE,
    EVENT_COUNT
};

#define E(event) (1U << (event))
/* Seen and refused at any time. */
#define ALWAYS (E(VIEW) | E(COMMENT) | E(REFUSE))

/* How each state is reached, and what may follow it, written down apart from the verifier. */
static const struct {
    const char *name;
    enum life_state state;
    unsigned may_follow;
} states[] = {
    {"none", LIFE_NONE, E(SUBMIT) | E(REFUSE)},
    {"submitted", LIFE_SUBMITTED,
     ALWAYS | E(DECIDE_ALLOW) | E(DECIDE_DENY) | E(DECIDE_REQUIRE) | E(DENY_FROZEN) | E(CANCEL)},
    {"allowed", LIFE_ALLOWED, ALWAYS | E(APPROVE_BY_POLICY) | E(DENY_FROZEN) | E(CANCEL)},
    {"refused", LIFE_REFUSED, ALWAYS | E(DENY_BY_POLICY) | E(DENY_FROZEN) | E(CANCEL)},
    {"pending", LIFE_PENDING,
     ALWAYS | E(DECIDE_DENY) | E(GROW) | E(RUNG) | E(EDIT) | E(VOTE) | E(UNCOUNT) |
         E(APPROVE_BY_PEOPLE) | E(DENY_FROZEN) | E(EXPIRE) | E(CANCEL)},
    {"edited", LIFE_EDITED, ALWAYS | E(DENY_FROZEN) | E(CANCEL)},
    {"approved", LIFE_APPROVED, ALWAYS | E(VOTE_LATE) | E(ISSUE)},
    {"issued", LIFE_ISSUED, ALWAYS | E(VOTE_LATE) | E(MINT) | E(REDEEM) | E(REVOKE) | E(LAPSE)},
    {"redeemed", LIFE_REDEEMED, ALWAYS | E(VOTE_LATE) | E(EFFECT) | E(EFFECT_UNKNOWN)},
    {"unknown", LIFE_UNKNOWN, ALWAYS | E(VOTE_LATE) | E(RESOLVE)},
    {"over", LIFE_OVER, ALWAYS | E(VOTE_LATE)},
};
enum { STATE_COUNT = sizeof states / sizeof states[0] };

static void reach(enum life_state state)
{
    switch (state) {
    case LIFE_NONE:
        return;
    case LIFE_SUBMITTED:
        sample_submitted(&sample, "req_1");
        return;
    case LIFE_ALLOWED:
        sample_submitted(&sample, "req_1");
        sample_decided(&sample, "req_1", "allow");
        return;
    case LIFE_REFUSED:
        sample_submitted(&sample, "req_1");
        sample_decided(&sample, "req_1", "deny");
        return;
    case LIFE_PENDING:
        reach_pending_with_votes();
        return;
    case LIFE_EDITED:
        reach_pending_with_votes();
        edit();
        return;
    case LIFE_APPROVED:
        reach_pending_with_votes();
        sample_approved(&sample, "req_1", "approved_by_people", sample_bob_and_carol, 2);
        return;
    case LIFE_ISSUED:
        reach(LIFE_APPROVED);
        sample_issued(&sample, "req_1");
        return;
    case LIFE_REDEEMED:
        reach(LIFE_ISSUED);
        sample_minted(&sample, "req_1", 1);
        sample_redeemed(&sample, "req_1", 1);
        return;
    case LIFE_UNKNOWN:
        reach(LIFE_REDEEMED);
        sample_effect(&sample, "req_1", "unknown");
        return;
    case LIFE_OVER:
        reach(LIFE_REDEEMED);
        sample_effect(&sample, "req_1", "failed");
        return;
    }
}

static void happen_late(enum event event)
{
    switch ((int)event) {
    case ISSUE:
        sample_issued(&sample, "req_1");
        return;
    case MINT:
        sample_minted(&sample, "req_1", 1);
        return;
    case REDEEM:
        sample_redeemed(&sample, "req_1", 0);
        return;
    case REFUSE:
        ledger_data_reason(&sample.data, "expired");
        sample_grant(&sample, "req_1", LEDGER_GRANT_REFUSED, sample_caller);
        return;
    case REVOKE:
        ledger_data_reason(&sample.data, "frozen");
        sample_grant(&sample, "req_1", LEDGER_GRANT_REVOKED, sample_gateway);
        return;
    case LAPSE:
        sample.now += 900000;
        ledger_data_reason(&sample.data, "lapsed");
        sample_grant(&sample, "req_1", LEDGER_GRANT_LAPSED, sample_gateway);
        return;
    case EFFECT:
        sample_effect(&sample, "req_1", "succeeded");
        return;
    case EFFECT_UNKNOWN:
        ledger_data_effect(&sample.data, "unknown", NULL);
        sample_grant(&sample, "req_1", LEDGER_EFFECT_UNKNOWN, sample_gateway);
        return;
    default:
        ledger_data_effect(&sample.data, "failed", NULL);
        sample_grant(&sample, "req_1", LEDGER_EFFECT_RESOLVED, sample_person("per_x", "session"));
        return;
    }
}

static void happen(enum event event)
{
    switch ((int)event) {
    case SUBMIT:
        sample_submitted(&sample, "req_1");
        return;
    case DECIDE_ALLOW:
        sample_decided(&sample, "req_1", "allow");
        return;
    case DECIDE_DENY:
        sample_decided(&sample, "req_1", "deny");
        return;
    case DECIDE_REQUIRE:
        sample_decided(&sample, "req_1", "require_approval");
        return;
    case GROW:
        grow(grown, 2);
        return;
    case RUNG:
        rung();
        return;
    case VIEW:
        ledger_data_seen(&sample.data, 1, NULL);
        about("req_1", LEDGER_REQUEST_VIEWED);
        return;
    case COMMENT:
        ledger_data_seen(&sample.data, 1, SAMPLE_OTHER);
        about("req_1", LEDGER_REQUEST_COMMENTED);
        return;
    case EDIT:
        edit();
        return;
    case VOTE:
        sample_vote(&sample, "req_1", "per_dora", true);
        return;
    case VOTE_LATE:
        ledger_data_vote(&sample.data, &(struct ledger_vote){.revision = 1});
        sample_append(&sample, (struct ledger_entry){.type = LEDGER_VOTE_LATE,
                                                     .request = "req_1",
                                                     .actor = sample_person("per_d", "chat")});
        return;
    case UNCOUNT:
        uncount();
        return;
    case APPROVE_BY_POLICY:
        sample_approved(&sample, "req_1", "policy_allow", NULL, 0);
        return;
    case APPROVE_BY_PEOPLE:
        sample_approved(&sample, "req_1", "approved_by_people", sample_bob_and_carol, 2);
        return;
    case DENY_FROZEN:
        sample_ended(&sample, "req_1", LEDGER_REQUEST_DENIED, "frozen");
        return;
    case DENY_BY_POLICY:
        sample_ended(&sample, "req_1", LEDGER_REQUEST_DENIED, "policy_deny");
        return;
    case DENY_BY_PERSON:
        sample_ended(&sample, "req_1", LEDGER_REQUEST_DENIED, "denied_by_person");
        return;
    case EXPIRE:
        sample.now += 60000;
        sample_ended(&sample, "req_1", LEDGER_REQUEST_EXPIRED, "timed_out");
        return;
    case CANCEL:
        sample_ended(&sample, "req_1", LEDGER_REQUEST_CANCELLED, "withdrawn");
        return;
    default:
        happen_late(event);
        return;
    }
}

START_TEST(life__every_event_in_every_state_is_judged_as_the_table_says)
{
    enum event event = (enum event)(_i % EVENT_COUNT);
    size_t state = (size_t)_i / EVENT_COUNT;
    reach(states[state].state);
    happen(event);
    close_export();
    bool is_good = sample_verify(&sample);
    ck_assert_msg(is_good == ((states[state].may_follow & E(event)) != 0),
                  "event %d in state %s: %s", (int)event, states[state].name,
                  is_good ? "accepted" : sample.report.message);
}
END_TEST

/* Grants. */

START_TEST(grant__of_another_digest_is_found)
{
    reach(LIFE_APPROVED);
    ledger_data_issued(&sample.data, &(struct ledger_issued){.claim_until_ms = sample.now + 1});
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_GRANT_ISSUED,
                                                 .request = "req_1",
                                                 .grant = "grt_1",
                                                 .digest = SAMPLE_OTHER});
    expect_found("other_digest");
}
END_TEST

START_TEST(grant__of_one_id_for_two_requests_is_found)
{
    reach(LIFE_ISSUED);
    sample_submitted(&sample, "req_2");
    sample_decided(&sample, "req_2", "allow");
    sample_approved(&sample, "req_2", "policy_allow", NULL, 0);
    ledger_data_issued(&sample.data, &(struct ledger_issued){.claim_until_ms = sample.now + 1});
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_GRANT_ISSUED,
                                                 .request = "req_2",
                                                 .grant = "grt_1",
                                                 .digest = SAMPLE_DIGEST});
    expect_found("grant_twice");
}
END_TEST

START_TEST(grant__entry_about_another_grant_is_found)
{
    reach(LIFE_ISSUED);
    ledger_data_reason(&sample.data, "revoked");
    sample_append(&sample, (struct ledger_entry){
                               .type = LEDGER_GRANT_REVOKED, .request = "req_1", .grant = "grt_2"});
    expect_found("other_grant");
}
END_TEST

START_TEST(grant__redeemed_after_its_time_is_found)
{
    reach(LIFE_ISSUED);
    sample.now += 900001;
    sample_redeemed(&sample, "req_1", 0);
    expect_found("redeemed_late");
}
END_TEST

START_TEST(grant__redeemed_by_an_expired_token_is_found)
{
    reach(LIFE_ISSUED);
    sample_minted(&sample, "req_1", 1);
    sample.now += 60001;
    sample_redeemed(&sample, "req_1", 1);
    expect_found("redeemed_late");
}
END_TEST

START_TEST(grant__redeemed_by_a_superseded_token_is_found)
{
    reach(LIFE_ISSUED);
    sample_minted(&sample, "req_1", 1);
    sample_minted(&sample, "req_1", 2);
    sample_redeemed(&sample, "req_1", 1);
    expect_found("redeemed_old_token");
}
END_TEST

START_TEST(grant__minted_out_of_turn_or_too_often_is_found)
{
    reach(LIFE_ISSUED);
    for (int64_t mint = 1; mint <= 20 && _i == 0; mint++) {
        sample_minted(&sample, "req_1", mint);
    }
    sample_minted(&sample, "req_1", _i == 0 ? 21 : 2);
    expect_found("data_malformed");
}
END_TEST

START_TEST(grant__token_that_outlives_the_claim_is_found)
{
    reach(LIFE_ISSUED);
    ledger_data_minted(&sample.data, 1, sample.now + 900001, NULL);
    sample_grant(&sample, "req_1", LEDGER_GRANT_MINTED, sample_caller);
    expect_found("token_too_long");
}
END_TEST

/* How the holder was proven, against what the token was bound to and who asked. */
static const struct {
    const char *cnf, *holder;
    bool is_bearer, is_by_asker, is_good;
} holders[] = {
    {NULL, "caller", false, true, true},     {NULL, "caller", false, false, false},
    {NULL, "bearer", true, false, true},     {NULL, "bearer", false, false, false},
    {"jkt:a", "key", false, false, true},    {"x5t#S256:a", "certificate", false, true, true},
    {"jkt:a", "caller", false, true, false}, {"jkt:a", "bearer", true, false, false},
    {NULL, "key", false, false, false},      {"jkt:a", NULL, false, true, false},
    {NULL, NULL, false, false, true},
};

START_TEST(grant__redeemed_without_the_proof_it_was_bound_to_is_found)
{
    const struct ledger_actor other = {.kind = "caller", .id = "cal_other", .via = "api_key"};
    reach(LIFE_APPROVED);
    ledger_data_issued(&sample.data, &(struct ledger_issued){.claim_until_ms = sample.now + 900000,
                                                             .is_bearer = holders[_i].is_bearer});
    sample_grant(&sample, "req_1", LEDGER_GRANT_ISSUED, sample_gateway);
    ledger_data_minted(&sample.data, 1, sample.now + 60000, holders[_i].cnf);
    sample_grant(&sample, "req_1", LEDGER_GRANT_MINTED, sample_caller);
    ledger_data_redeemed(&sample.data, &(struct ledger_redeemed){.mint = 1,
                                                                 .fence = (INT64_C(1) << 40) + 1,
                                                                 .effect_due_ms = sample.now + 1,
                                                                 .holder = holders[_i].holder,
                                                                 .how = "redeem"});
    sample_grant(&sample, "req_1", LEDGER_GRANT_REDEEMED,
                 holders[_i].is_by_asker ? sample_caller : other);
    if (!holders[_i].is_good) {
        expect_found("holder_unproven");
        return;
    }
    close_export();
    ck_assert_msg(sample_verify(&sample), "%s", sample.report.message);
}
END_TEST

START_TEST(grant__fence_that_does_not_grow_is_found)
{
    reach(LIFE_REDEEMED);
    sample_submitted(&sample, "req_2");
    sample_decided(&sample, "req_2", "allow");
    sample_approved(&sample, "req_2", "policy_allow", NULL, 0);
    sample_issued(&sample, "req_2");
    ledger_data_redeemed(&sample.data, &(struct ledger_redeemed){.fence = 5, .how = "redeem"});
    sample_grant(&sample, "req_2", LEDGER_GRANT_REDEEMED, sample_caller);
    expect_found("fence_fell");
}
END_TEST

START_TEST(grant__lapsed_before_its_time_is_found)
{
    reach(LIFE_ISSUED);
    ledger_data_reason(&sample.data, "lapsed");
    sample_grant(&sample, "req_1", LEDGER_GRANT_LAPSED, sample_gateway);
    expect_found("lapsed_early");
}
END_TEST

START_TEST(effect__reported_by_another_than_the_redeemer_is_found)
{
    reach(LIFE_REDEEMED);
    ledger_data_effect(&sample.data, "succeeded", NULL);
    sample_grant(&sample, "req_1", LEDGER_EFFECT_REPORTED,
                 (struct ledger_actor){.kind = "caller", .id = "cal_2"});
    expect_found("effect_by_other");
}
END_TEST

START_TEST(effect__unknown_resolved_by_no_person_is_found)
{
    reach(LIFE_UNKNOWN);
    ledger_data_effect(&sample.data, "succeeded", NULL);
    sample_grant(&sample, "req_1", LEDGER_EFFECT_RESOLVED, sample_caller);
    expect_found("effect_by_other");
}
END_TEST

START_TEST(request__expired_before_its_timeout_is_found)
{
    reach(LIFE_PENDING);
    sample_ended(&sample, "req_1", LEDGER_REQUEST_EXPIRED, "timed_out");
    expect_found("expired_early");
}
END_TEST

START_TEST(request__id_used_again_is_found)
{
    sample_allow_cycle(&sample, "req_1");
    sample_submitted(&sample, "req_1");
    expect_found("submitted_twice");
}
END_TEST

START_TEST(request__entry_in_another_tenant_is_found)
{
    sample_submitted(&sample, "req_1");
    ledger_data_ended(&sample.data, 1, "withdrawn");
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_REQUEST_CANCELLED,
                                                 .request = "req_1",
                                                 .tenant = "acme"});
    expect_found("other_tenant");
}
END_TEST

START_TEST(request__end_without_a_known_reason_is_found)
{
    static const enum ledger_entry_type types[] = {LEDGER_REQUEST_DENIED, LEDGER_REQUEST_CANCELLED,
                                                   LEDGER_REQUEST_EXPIRED};
    sample_pending(&sample, "req_1");
    sample.now += 60000;
    sample_ended(&sample, "req_1", types[_i], "because");
    expect_found("data_malformed");
}
END_TEST

START_TEST(request__entry_that_names_none_is_found)
{
    ledger_data_ended(&sample.data, 1, "withdrawn");
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_REQUEST_CANCELLED});
    expect_found("request_missing");
}
END_TEST

START_TEST(request__data_without_what_the_contract_needs_is_found)
{
    /* Each type whose data is read, with none. */
    static const struct {
        enum life_state state;
        enum ledger_entry_type type;
    } cases[] = {
        {LIFE_NONE, LEDGER_REQUEST_SUBMITTED},      {LIFE_PENDING, LEDGER_REQUIREMENTS_GROWN},
        {LIFE_PENDING, LEDGER_RUNG_REACHED},        {LIFE_PENDING, LEDGER_VOTE},
        {LIFE_APPROVED, LEDGER_GRANT_ISSUED},       {LIFE_ISSUED, LEDGER_GRANT_MINTED},
        {LIFE_ISSUED, LEDGER_GRANT_REDEEMED},       {LIFE_REDEEMED, LEDGER_EFFECT_REPORTED},
        {LIFE_SUBMITTED, LEDGER_REQUEST_CANCELLED}, {LIFE_PENDING, LEDGER_REQUEST_EDITED},
    };
    reach(cases[_i].state);
    sample_grant(&sample, "req_1", cases[_i].type, sample_caller);
    expect_found("data_malformed");
}
END_TEST

int main(void)
{
    crypto_start();
    Suite *suite = suite_create("ledger life");
    TCase *tests = tcase_create("life");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, life__every_event_in_every_state_is_judged_as_the_table_says, 0,
                        STATE_COUNT * EVENT_COUNT);
    tcase_add_test(tests, grant__of_another_digest_is_found);
    tcase_add_test(tests, grant__of_one_id_for_two_requests_is_found);
    tcase_add_test(tests, grant__entry_about_another_grant_is_found);
    tcase_add_test(tests, grant__redeemed_after_its_time_is_found);
    tcase_add_test(tests, grant__redeemed_by_an_expired_token_is_found);
    tcase_add_test(tests, grant__redeemed_by_a_superseded_token_is_found);
    tcase_add_loop_test(tests, grant__minted_out_of_turn_or_too_often_is_found, 0, 2);
    tcase_add_test(tests, grant__token_that_outlives_the_claim_is_found);
    tcase_add_test(tests, grant__fence_that_does_not_grow_is_found);
    tcase_add_loop_test(tests, grant__redeemed_without_the_proof_it_was_bound_to_is_found, 0,
                        (int)(sizeof holders / sizeof holders[0]));
    tcase_add_test(tests, grant__lapsed_before_its_time_is_found);
    tcase_add_test(tests, effect__reported_by_another_than_the_redeemer_is_found);
    tcase_add_test(tests, effect__unknown_resolved_by_no_person_is_found);
    tcase_add_test(tests, request__expired_before_its_timeout_is_found);
    tcase_add_test(tests, request__id_used_again_is_found);
    tcase_add_test(tests, request__entry_in_another_tenant_is_found);
    tcase_add_loop_test(tests, request__end_without_a_known_reason_is_found, 0, 3);
    tcase_add_test(tests, request__entry_that_names_none_is_found);
    tcase_add_loop_test(tests, request__data_without_what_the_contract_needs_is_found, 0, 10);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
