#include "operations/passkey_operations.h"

#include "formats/text.h"
#include "identity/session.h"
#include "operations/request_operations.h"
#include "tests/support/authenticator.h"
#include "tests/support/rig.h"
#include "tests/support/run_suite.h"
#include <string.h>

/* What the journeys do through the door, here without one; and what only time and the store can
 * bring about. */

#define HASH "not a real hash"

static const char policy[] =
    "version: 1\n"
    "defaults: { verdict: require_approval, risk: critical, approval: { groups: [ops], timeout: 1h "
    "} }\n"
    "rules: []\n";

static struct rig rig;
static struct error error;
static struct authenticator *authenticator;
static const struct credential nobody = {.kind = CREDENTIAL_NONE};

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
    authenticator = authenticator_create(WEBAUTHN_ES256);
}

static void tear_down(void)
{
    authenticator_destroy(authenticator);
    rig_remove(&rig);
}

static void expect_refusal(bool ok, enum error_kind kind, const char *code)
{
    ck_assert(!ok);
    ck_assert_str_eq(error.code, code);
    ck_assert_int_eq(error.kind, kind);
    error = (struct error){0};
    rig_undo(&rig);
}

/* A browser session opened by an enrolment link. */
static struct credential enrol(const char *name)
{
    struct link_view link;
    struct session_view view;
    ck_assert(operation_make_enrolment_link(rig_begin_host(&rig), name, &link, &error));
    rig_commit(&rig);
    struct link_use use = {.hash = crypto_sha256(link.secret, strlen(link.secret)),
                           .password_hash = HASH};
    ck_assert(operation_use_enrolment_link(rig_begin(&rig, &nobody), &use, &view, &error));
    rig_commit(&rig);
    return identity_session_credential(view.secret);
}

struct decoded {
    unsigned char bytes[WEBAUTHN_CLIENT_DATA_BYTES_MAX];
    size_t length;
};

static struct webauthn_expected asked_with(const char *challenge, struct decoded *into)
{
    ck_assert(text_read_base64url(challenge, strlen(challenge), into->bytes, sizeof into->bytes,
                                  &into->length));
    return (struct webauthn_expected){.rp_id = "gate.example",
                                      .origin = "https://gate.example",
                                      .challenge = {into->bytes, into->length}};
}

static bool add_passkey(const struct credential *session, const char *challenge,
                        struct passkey_row *out)
{
    struct decoded bytes;
    struct authenticator_answer made ANSWER_SCOPE;
    struct webauthn_expected asked = asked_with(challenge, &bytes);
    authenticator_register(authenticator, &asked, NULL, &made);
    struct passkey_registration input = {
        .challenge = challenge,
        .label = "blue key",
        .client_data = authenticator_bytes(&made.client_data),
        .attestation_object = authenticator_bytes(&made.object),
    };
    return operation_add_passkey(rig_begin(&rig, session), &input, out, &error);
}

static void begin_passkey(const struct credential *session, char out[CHALLENGE_TEXT_BYTES])
{
    struct passkey_question question;
    ck_assert(operation_begin_passkey(rig_begin(&rig, session), &question, &error));
    memcpy(out, question.challenge, sizeof question.challenge);
    rig_commit(&rig);
}

static int64_t register_passkey(const struct credential *session)
{
    char challenge[CHALLENGE_TEXT_BYTES];
    struct passkey_row row;
    begin_passkey(session, challenge);
    ck_assert_msg(add_passkey(session, challenge, &row), "%s", error.message);
    rig_commit(&rig);
    return row.trusted_at - row.created_at;
}

/* What a passkey answers, with its texts. */
struct reply {
    struct passkey_answer answer;
    struct authenticator_answer made;
    struct builder texts[4];
};

static const char *encode(struct builder *into, struct webauthn_bytes bytes)
{
    builder_init(into, 0);
    text_append_base64url(into, bytes.bytes, bytes.length);
    return into->bytes;
}

static void finish_reply(struct reply *reply)
{
    authenticator_answer_finish(&reply->made);
    for (size_t i = 0; i < sizeof reply->texts / sizeof *reply->texts; i++) {
        builder_finish(&reply->texts[i]);
    }
}
#define REPLY_SCOPE __attribute__((cleanup(finish_reply)))

static void answer(const struct webauthn_expected *asked, const struct authenticator_twist *twist,
                   struct reply *out)
{
    authenticator_assert(authenticator, asked, twist, &out->made);
    out->answer = (struct passkey_answer){
        .credential = encode(&out->texts[0], authenticator_id(authenticator)),
        .client_data = encode(&out->texts[1], authenticator_bytes(&out->made.client_data)),
        .authenticator_data = encode(&out->texts[2], authenticator_bytes(&out->made.data)),
        .signature = encode(&out->texts[3], authenticator_bytes(&out->made.signature)),
        .bytes = authenticator_assertion(&out->made),
    };
}

static void answer_challenge(const char *challenge, struct reply *out)
{
    struct decoded bytes;
    struct webauthn_expected asked = asked_with(challenge, &bytes);
    answer(&asked, NULL, out);
    out->answer.challenge = challenge;
}

static void answer_statement(const char *statement, const struct authenticator_twist *twist,
                             struct reply *out)
{
    struct sha256 hash = crypto_sha256(statement, strlen(statement));
    struct webauthn_expected asked = {.rp_id = "gate.example",
                                      .origin = "https://gate.example",
                                      .challenge = {hash.bytes, sizeof hash.bytes}};
    answer(&asked, twist, out);
    out->answer.statement = statement;
}

/* ---- registering ---- */

START_TEST(passkeys__the_first_by_link_is_trusted_at_once_and_a_later_one_waits)
{
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    ck_assert_int_eq(register_passkey(&dana), 0);
    authenticator_destroy(authenticator);
    authenticator = authenticator_create(WEBAUTHN_EDDSA);
    ck_assert_int_eq(register_passkey(&dana), 24 * 60 * 60 * 1000);
}
END_TEST

START_TEST(passkeys__a_challenge_registers_one)
{
    char challenge[CHALLENGE_TEXT_BYTES];
    struct passkey_row row;
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    begin_passkey(&dana, challenge);
    ck_assert(add_passkey(&dana, challenge, &row));
    rig_commit(&rig);
    expect_refusal(add_passkey(&dana, challenge, &row), ERROR_CONFLICT, "challenge_used");
    begin_passkey(&dana, challenge);
    expect_refusal(add_passkey(&dana, challenge, &row), ERROR_CONFLICT, "passkey_known");
    challenge[10] = challenge[10] == 'A' ? 'B' : 'A';
    expect_refusal(add_passkey(&dana, challenge, &row), ERROR_FORBIDDEN, "challenge_invalid");
}
END_TEST

START_TEST(passkeys__a_token_registers_none)
{
    struct passkey_question question;
    struct credential dana = rig_add_person(&rig, "dana", "ops", false);
    expect_refusal(operation_begin_passkey(rig_begin(&rig, &dana), &question, &error),
                   ERROR_FORBIDDEN, "not_allowed");
}
END_TEST

/* ---- signing in ---- */

static bool sign_in(const char *challenge, struct session_view *out)
{
    struct reply reply REPLY_SCOPE;
    answer_challenge(challenge, &reply);
    return operation_sign_in_by_passkey(rig_begin(&rig, &nobody), &reply.answer, NULL, out, &error);
}

static void begin_sign_in(char out[CHALLENGE_TEXT_BYTES])
{
    struct passkey_question question;
    ck_assert(operation_begin_passkey_sign_in(rig_begin(&rig, &nobody), &question, &error));
    memcpy(out, question.challenge, sizeof question.challenge);
    rig_commit(&rig);
}

START_TEST(passkeys__sign_in_once_a_challenge_and_step_up_with_it)
{
    char challenge[CHALLENGE_TEXT_BYTES];
    struct session_view view;
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    begin_sign_in(challenge);
    ck_assert_msg(sign_in(challenge, &view), "%s", error.message);
    rig_commit(&rig);
    ck_assert_str_eq(view.person.person.name, "dana");
    ck_assert_int_eq(view.session.step_up, STEP_UP_PASSKEY);
    ck_assert_int_eq(view.stepped_up_until, view.session.stepped_up_at + 300000);
    expect_refusal(sign_in(challenge, &view), ERROR_CONFLICT, "challenge_used");
}
END_TEST

START_TEST(passkeys__of_who_is_disabled_or_of_nobody_sign_in_nobody)
{
    char challenge[CHALLENGE_TEXT_BYTES];
    struct session_view view;
    struct person_view person;
    begin_sign_in(challenge);
    expect_refusal(sign_in(challenge, &view), ERROR_UNAUTHENTICATED, "wrong_passkey");
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &person, &error));
    rig_commit(&rig);
    expect_refusal(sign_in(challenge, &view), ERROR_UNAUTHENTICATED, "wrong_passkey");
}
END_TEST

START_TEST(passkeys__of_a_store_that_was_put_back_sign_in_nobody)
{
    char challenge[CHALLENGE_TEXT_BYTES];
    struct session_view view;
    int64_t count = 0;
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    rig_begin_host(&rig);
    ck_assert(store_enable_passkeys(rig.store, false, &count, &error));
    rig_commit(&rig);
    ck_assert_int_eq(count, 1);
    begin_sign_in(challenge);
    expect_refusal(sign_in(challenge, &view), ERROR_UNAUTHENTICATED, "wrong_passkey");
}
END_TEST

START_TEST(passkeys__a_step_up_gives_the_session_another_secret)
{
    struct passkey_question question;
    struct session_view view;
    struct reply reply REPLY_SCOPE;
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    ck_assert(operation_begin_step_up(rig_begin(&rig, &dana), &question, &error));
    char challenge[CHALLENGE_TEXT_BYTES];
    memcpy(challenge, question.challenge, sizeof challenge);
    rig_commit(&rig);
    answer_challenge(challenge, &reply);
    ck_assert(operation_step_up_by_passkey(rig_begin(&rig, &dana), &reply.answer, &view, &error));
    rig_commit(&rig);
    struct credential after = identity_session_credential(view.secret);
    ck_assert_mem_ne(after.hash.bytes, dana.hash.bytes, sizeof after.hash.bytes);
    struct operation operation;
    struct arena *arena ARENA_SCOPE = arena_create();
    ck_assert(
        !operation_begin(&operation, rig.operations, rig.store, arena, rig.now, &dana, &error));
    ck_assert_str_eq(error.code, "session_over");
}
END_TEST

/* ---- voting ---- */

static char statement[STATEMENT_BYTES_MAX];
static char request[ID_BYTES];
static struct vote_input vote;

static void ask_and_state(const struct credential *person)
{
    struct request_view view;
    struct passkey_question question;
    struct credential caller = rig_add_caller(&rig, "runner");
    rig_submit(&rig, &caller, "db.drop", request);
    ck_assert(operation_read_request(rig_begin(&rig, person), request, false, &view, &error));
    vote = (struct vote_input){.request = request,
                               .revision = view.request.revision,
                               .digest = view.request.digest,
                               .approves = true};
    rig_commit(&rig);
    struct statement_input input = {
        .request = request, .revision = vote.revision, .digest = vote.digest, .approves = true};
    ck_assert(operation_make_statement(rig_begin(&rig, person), &input, &question, &error));
    ck_assert_uint_lt(strlen(question.statement), sizeof statement);
    strcpy(statement, question.statement);
    rig_commit(&rig);
}

static bool cast(const struct credential *person, const struct reply *reply,
                 struct vote_result *out)
{
    vote.passkey = reply == NULL ? NULL : &reply->answer;
    return operation_cast_vote(rig_begin(&rig, person), &vote, out, &error);
}

START_TEST(passkeys__a_signed_vote_approves_and_an_unsigned_one_does_not)
{
    struct vote_result result;
    struct reply reply REPLY_SCOPE;
    rig_publish(&rig, policy);
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    ask_and_state(&dana);
    expect_refusal(cast(&dana, NULL, &result), ERROR_FORBIDDEN, "assurance_too_low");
    answer_statement(statement, NULL, &reply);
    ck_assert_msg(cast(&dana, &reply, &result), "%s", error.message);
    rig_commit(&rig);
    ck_assert_int_eq(result.state, REQUEST_APPROVED);
}
END_TEST

START_TEST(passkeys__a_refused_vote_uses_nothing_up)
{
    struct vote_result result;
    struct reply wrong REPLY_SCOPE;
    struct reply right REPLY_SCOPE;
    struct authenticator_twist twist = {.cleared = 0x04};
    rig_publish(&rig, policy);
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    ask_and_state(&dana);
    answer_statement(statement, &twist, &wrong);
    expect_refusal(cast(&dana, &wrong, &result), ERROR_FORBIDDEN, "passkey_not_verified");
    answer_statement(statement, NULL, &right);
    ck_assert_msg(cast(&dana, &right, &result), "%s", error.message);
    rig_commit(&rig);
}
END_TEST

START_TEST(passkeys__what_is_no_statement_of_ours_is_refused)
{
    static const char *const texts[] = {"", "{}", "[]", "null", "{\"nonce\":1}", "\xff"};
    struct vote_result result;
    rig_publish(&rig, policy);
    rig_add_person(&rig, "dana", "ops", false);
    struct credential dana = enrol("dana");
    register_passkey(&dana);
    ask_and_state(&dana);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reply reply REPLY_SCOPE;
        answer_statement(texts[i], NULL, &reply);
        expect_refusal(cast(&dana, &reply, &result), ERROR_FORBIDDEN, "statement_invalid");
    }
    for (size_t i = 0; i < strlen(statement); i += 7) {
        struct reply reply REPLY_SCOPE;
        char kept = statement[i];
        statement[i] = kept == 'a' ? 'b' : 'a';
        answer_statement(statement, NULL, &reply);
        expect_refusal(cast(&dana, &reply, &result), ERROR_FORBIDDEN, "statement_invalid");
        statement[i] = kept;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/passkeys");
    TCase *cases = tcase_create("passkeys");
    tcase_set_timeout(cases, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, passkeys__the_first_by_link_is_trusted_at_once_and_a_later_one_waits);
    tcase_add_test(cases, passkeys__a_challenge_registers_one);
    tcase_add_test(cases, passkeys__a_token_registers_none);
    tcase_add_test(cases, passkeys__sign_in_once_a_challenge_and_step_up_with_it);
    tcase_add_test(cases, passkeys__of_who_is_disabled_or_of_nobody_sign_in_nobody);
    tcase_add_test(cases, passkeys__of_a_store_that_was_put_back_sign_in_nobody);
    tcase_add_test(cases, passkeys__a_step_up_gives_the_session_another_secret);
    tcase_add_test(cases, passkeys__a_signed_vote_approves_and_an_unsigned_one_does_not);
    tcase_add_test(cases, passkeys__a_refused_vote_uses_nothing_up);
    tcase_add_test(cases, passkeys__what_is_no_statement_of_ours_is_refused);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
