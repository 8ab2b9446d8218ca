#include "tests/support/run_suite.h"
#include "tests/unit/ledger/signed.h"
#include "tests/unit/ledger/steps.h"

/* Votes that a passkey signed, checked from an export alone. What is forged here is forged by who
 * has the ledger's key: every hash and checkpoint holds. */

static struct signed_key bob;
static struct signed_key carol;

static void start(void)
{
    setup();
    bob = (struct signed_key){.authenticator = authenticator_create(WEBAUTHN_ES256),
                              .passkey = "pky_bob",
                              .owner = "per_bob"};
    carol = (struct signed_key){.authenticator = authenticator_create(WEBAUTHN_EDDSA),
                                .passkey = "pky_carol",
                                .owner = "per_carol"};
}

static void stop(void)
{
    authenticator_destroy(bob.authenticator);
    authenticator_destroy(carol.authenticator);
    teardown();
}

static void begin(void)
{
    signed_register(&sample, &bob);
    signed_register(&sample, &carol);
    sample_pending(&sample, "req_1");
}

/* One vote by bob that differs so from an honest one. */
static void expect_twist_found(const struct signed_twist *twist, const char *finding)
{
    begin();
    signed_vote(&sample, "req_1", &bob, twist);
    expect_found(finding);
}

START_TEST(passkeys__two_peoples_signed_votes_approve)
{
    begin();
    signed_vote(&sample, "req_1", &bob, NULL);
    signed_vote(&sample, "req_1", &carol, NULL);
    sample_approved(&sample, "req_1", "approved_by_people", sample_bob_and_carol, 2);
    expect_good();
}
END_TEST

START_TEST(passkeys__a_claim_without_a_proof_is_found)
{
    begin();
    sample_vote_with(&sample, "req_1", "per_bob", true, "passkey");
    expect_found("proof_missing");
}
END_TEST

START_TEST(passkeys__a_proof_that_is_not_claimed_is_found)
{
    expect_twist_found(&(struct signed_twist){.claims_session = true}, "proof_missing");
}
END_TEST

START_TEST(passkeys__one_that_was_never_added_is_found)
{
    sample_pending(&sample, "req_1");
    signed_vote(&sample, "req_1", &bob, NULL);
    expect_found("passkey_unknown");
}
END_TEST

START_TEST(passkeys__anothers_passkey_is_found)
{
    struct signed_key stolen = {
        .authenticator = bob.authenticator, .passkey = "pky_bob", .owner = "per_carol"};
    begin();
    signed_vote(&sample, "req_1", &stolen, NULL);
    expect_found("passkey_other");
}
END_TEST

START_TEST(passkeys__another_key_under_the_name_of_a_registered_one_is_found)
{
    struct signed_key forged = {
        .authenticator = carol.authenticator, .passkey = "pky_bob", .owner = "per_bob"};
    begin();
    signed_vote(&sample, "req_1", &forged, NULL);
    expect_found("passkey_other");
}
END_TEST

START_TEST(passkeys__a_signature_of_another_key_is_found)
{
    struct builder key BUILDER_SCOPE;
    struct builder credential BUILDER_SCOPE;
    struct signed_key forged = {
        .authenticator = carol.authenticator, .passkey = "pky_bob", .owner = "per_bob"};
    struct signed_twist twist = {
        .recorded_key = signed_text(&key, authenticator_key(bob.authenticator)),
        .recorded_credential = signed_text(&credential, authenticator_id(bob.authenticator))};
    begin();
    signed_vote(&sample, "req_1", &forged, &twist);
    expect_found("proof_bad");
}
END_TEST

static void change_key(enum ledger_entry_type type, const char *by)
{
    ledger_data_changed(&sample.data, "pky_bob", "per_bob", TEXTS("passkey"));
    sample_append(&sample,
                  (struct ledger_entry){.type = type, .actor = sample_person(by, "session")});
}

START_TEST(passkeys__one_that_was_removed_is_found)
{
    begin();
    change_key(LEDGER_KEY_DISABLED, "per_bob");
    signed_vote(&sample, "req_1", &bob, NULL);
    expect_found("passkey_removed");
}
END_TEST

START_TEST(passkeys__a_vote_before_the_removal_stands)
{
    begin();
    signed_vote(&sample, "req_1", &bob, NULL);
    change_key(LEDGER_KEY_DISABLED, "per_bob");
    expect_good();
}
END_TEST

START_TEST(passkeys__one_that_is_too_new_is_found)
{
    bob.trusted_at = sample.now + 1000;
    begin();
    signed_vote(&sample, "req_1", &bob, NULL);
    expect_found("passkey_too_new");
}
END_TEST

START_TEST(passkeys__a_new_one_that_another_confirmed_is_good)
{
    bob.trusted_at = sample.now + 1000;
    begin();
    change_key(LEDGER_KEY_CONFIRMED, "per_ada");
    signed_vote(&sample, "req_1", &bob, NULL);
    expect_good();
}
END_TEST

START_TEST(passkeys__a_confirmation_by_its_own_person_is_found)
{
    bob.trusted_at = sample.now + 1000;
    begin();
    change_key(LEDGER_KEY_CONFIRMED, "per_bob");
    expect_found("passkey_confirmed_by_owner");
}
END_TEST

START_TEST(passkeys__one_added_twice_is_found)
{
    begin();
    signed_register(&sample, &bob);
    expect_found("passkey_twice");
}
END_TEST

/* Each was signed as it stands: only what it says is another thing. */
static const struct signed_twist others[] = {
    {.decision = "deny"},          {.request = "req_2"},     {.digest = SAMPLE_OTHER},
    {.person = "per_carol"},       {.policy = SAMPLE_OTHER}, {.tenant = "elsewhere"},
    {.tag = "countersign vote"},   {.revision = 2},          {.nonce = ""},
    {.more = ",\"zz\":\"extra\""},
};

START_TEST(passkeys__a_statement_about_something_else_is_found)
{
    expect_twist_found(&others[_i], "statement_other");
}
END_TEST

START_TEST(passkeys__a_statement_that_is_no_object_is_found)
{
    static const char *const texts[] = {"7", "\"x\"", "[]", "{}"};
    expect_twist_found(&(struct signed_twist){.recorded_statement = texts[_i]}, "statement_other");
}
END_TEST

START_TEST(passkeys__an_expired_statement_is_found)
{
    begin();
    struct signed_twist twist = {.expires_at = sample.now};
    signed_vote(&sample, "req_1", &bob, &twist);
    expect_found("statement_expired");
}
END_TEST

START_TEST(passkeys__another_statement_than_was_signed_is_found)
{
    struct builder statement BUILDER_SCOPE;
    builder_init(&statement, 0);
    begin();
    signed_statement(&sample, "req_1", &bob, &(struct signed_twist){.nonce = "another"},
                     &statement);
    signed_vote(&sample, "req_1", &bob,
                &(struct signed_twist){.recorded_statement = statement.bytes});
    expect_found("proof_bad");
}
END_TEST

START_TEST(passkeys__a_statement_used_twice_is_found)
{
    begin();
    signed_vote(&sample, "req_1", &bob, &(struct signed_twist){.nonce = "once"});
    signed_vote(&sample, "req_1", &bob, &(struct signed_twist){.nonce = "once"});
    expect_found("statement_replayed");
}
END_TEST

START_TEST(passkeys__a_vote_on_another_page_is_found)
{
    static const struct signed_twist pages[] = {
        {.origin = "https://gate.example.evil.example"},
        {.origin = "https://evilgate.example"},
        {.origin = "https://evil.example", .recorded_origin = SIGNED_ORIGIN},
        {.recorded_origin = "gate.example"},
    };
    expect_twist_found(&pages[_i], "proof_bad");
}
END_TEST

START_TEST(passkeys__a_page_of_a_domain_below_is_good)
{
    begin();
    signed_vote(&sample, "req_1", &bob,
                &(struct signed_twist){.origin = "https://console.gate.example:8443"});
    expect_good();
}
END_TEST

START_TEST(passkeys__another_host_than_was_registered_is_found)
{
    expect_twist_found(&(struct signed_twist){.recorded_rp_id = "evil.example"}, "passkey_other");
}
END_TEST

START_TEST(passkeys__a_vote_without_presence_or_verification_is_found)
{
    static const struct signed_twist answers[] = {{.answer = {.cleared = 0x01}},
                                                  {.answer = {.cleared = 0x04}},
                                                  {.answer = {.type = "webauthn.create"}},
                                                  {.answer = {.rp_id = "evil.example"}}};
    expect_twist_found(&answers[_i], "proof_bad");
}
END_TEST

START_TEST(passkeys__a_vote_under_another_policy_than_is_in_force_is_found)
{
    begin();
    ledger_data_published(&sample.data, SAMPLE_POLICY, false, 3);
    sample_append(&sample,
                  (struct ledger_entry){.type = LEDGER_POLICY_PUBLISHED, .policy = SAMPLE_OTHER});
    signed_vote(&sample, "req_1", &bob, NULL);
    expect_found("statement_other");
}
END_TEST

START_TEST(passkeys__a_late_vote_is_checked_too)
{
    begin();
    signed_vote(&sample, "req_1", &bob, NULL);
    signed_vote(&sample, "req_1", &carol, NULL);
    sample_approved(&sample, "req_1", "approved_by_people", sample_bob_and_carol, 2);
    const struct ledger_vote vote = {.is_approve = true, .revision = 1};
    ledger_data_vote(&sample.data, &vote);
    sample_append(&sample, (struct ledger_entry){.type = LEDGER_VOTE_LATE,
                                                 .request = "req_1",
                                                 .digest = SAMPLE_DIGEST,
                                                 .actor = sample_person("per_dan", "passkey")});
    expect_found("proof_missing");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger: passkeys");
    TCase *cases = tcase_create("passkeys");
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_test(cases, passkeys__two_peoples_signed_votes_approve);
    tcase_add_test(cases, passkeys__a_claim_without_a_proof_is_found);
    tcase_add_test(cases, passkeys__a_proof_that_is_not_claimed_is_found);
    tcase_add_test(cases, passkeys__one_that_was_never_added_is_found);
    tcase_add_test(cases, passkeys__anothers_passkey_is_found);
    tcase_add_test(cases, passkeys__another_key_under_the_name_of_a_registered_one_is_found);
    tcase_add_test(cases, passkeys__a_signature_of_another_key_is_found);
    tcase_add_test(cases, passkeys__one_that_was_removed_is_found);
    tcase_add_test(cases, passkeys__a_vote_before_the_removal_stands);
    tcase_add_test(cases, passkeys__one_that_is_too_new_is_found);
    tcase_add_test(cases, passkeys__a_new_one_that_another_confirmed_is_good);
    tcase_add_test(cases, passkeys__a_confirmation_by_its_own_person_is_found);
    tcase_add_test(cases, passkeys__one_added_twice_is_found);
    tcase_add_loop_test(cases, passkeys__a_statement_about_something_else_is_found, 0,
                        (int)(sizeof others / sizeof *others));
    tcase_add_loop_test(cases, passkeys__a_statement_that_is_no_object_is_found, 0, 4);
    tcase_add_test(cases, passkeys__an_expired_statement_is_found);
    tcase_add_test(cases, passkeys__another_statement_than_was_signed_is_found);
    tcase_add_test(cases, passkeys__a_statement_used_twice_is_found);
    tcase_add_loop_test(cases, passkeys__a_vote_on_another_page_is_found, 0, 4);
    tcase_add_test(cases, passkeys__a_page_of_a_domain_below_is_good);
    tcase_add_test(cases, passkeys__another_host_than_was_registered_is_found);
    tcase_add_loop_test(cases, passkeys__a_vote_without_presence_or_verification_is_found, 0, 4);
    tcase_add_test(cases, passkeys__a_vote_under_another_policy_than_is_in_force_is_found);
    tcase_add_test(cases, passkeys__a_late_vote_is_checked_too);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
