#include "formats/text.h"
#include "tests/support/authenticator.h"
#include "tests/support/run_suite.h"
#include "tests/unit/crypto/webauthn_vectors.h"
#include <stdlib.h>
#include <string.h>

static const unsigned char challenge[32] = "thirty-two bytes nobody guessed.";
static const struct webauthn_expected asked = {
    .rp_id = "gateway.example",
    .origin = "https://gateway.example",
    .challenge = {challenge, sizeof challenge},
};
static const enum webauthn_algorithm algorithms[] = {WEBAUTHN_ES256, WEBAUTHN_EDDSA,
                                                     WEBAUTHN_RS256};
enum { SLOW_KEY_SECONDS = 120 }; /* an RSA key, where every access is checked */
static struct authenticator *authenticator;
static struct error error;

static void start(void)
{
    authenticator = authenticator_create(WEBAUTHN_ES256);
    error = (struct error){0};
}

static void stop(void)
{
    authenticator_destroy(authenticator);
}

static void assert_refused(bool is_good, enum error_kind kind, const char *code)
{
    ck_assert(!is_good);
    ck_assert_str_eq(error.code, code);
    ck_assert_int_eq(error.kind, kind);
    error = (struct error){0};
}

static bool verify(const struct authenticator_answer *answer)
{
    struct webauthn_assertion assertion = authenticator_assertion(answer);
    uint32_t count = 0;
    return webauthn_verify_assertion(&asked, authenticator_key(authenticator), &assertion, &count,
                                     &error);
}

/* An assertion that is signed as it stands, but for what the twist says. */
static void assert_twist_refused(const struct authenticator_twist *twist, enum error_kind kind,
                                 const char *code)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    authenticator_assert(authenticator, &asked, twist, &answer);
    assert_refused(verify(&answer), kind, code);
}

static bool enrol(const struct authenticator_twist *twist, struct webauthn_passkey *out)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    authenticator_register(authenticator, &asked, twist, &answer);
    return webauthn_verify_registration(&asked, authenticator_bytes(&answer.client_data),
                                        authenticator_bytes(&answer.object), out, &error);
}

static void assert_enrolment_refused(const struct authenticator_twist *twist, enum error_kind kind,
                                     const char *code)
{
    struct webauthn_passkey passkey;
    assert_refused(enrol(twist, &passkey), kind, code);
}

struct decoded {
    unsigned char bytes[4096];
    size_t length;
};

static struct webauthn_bytes decode(const char *text, struct decoded *into)
{
    ck_assert(
        text_read_base64url(text, strlen(text), into->bytes, sizeof into->bytes, &into->length));
    return (struct webauthn_bytes){into->bytes, into->length};
}

START_TEST(webauthn__a_browsers_registration_and_assertion_are_verified)
{
    const struct webauthn_vector *vector = &webauthn_vectors[_i];
    struct decoded parts[7];
    struct webauthn_expected browser = {vector_rp_id, vector_origin,
                                        decode(vector->registration_challenge, &parts[0])};
    struct webauthn_passkey passkey;
    ck_assert_msg(webauthn_verify_registration(
                      &browser, decode(vector->registration_client_data, &parts[1]),
                      decode(vector->attestation_object, &parts[2]), &passkey, &error),
                  "%s", error.message);
    ck_assert_int_eq(passkey.algorithm, vector->algorithm);
    ck_assert_uint_eq(passkey.sign_count, 1);
    struct webauthn_bytes id = decode(vector->id, &parts[3]);
    ck_assert_uint_eq(passkey.id_length, id.length);
    ck_assert_mem_eq(passkey.id, id.bytes, id.length);

    browser.challenge = decode(vector->challenge, &parts[3]);
    struct webauthn_assertion assertion = {decode(vector->client_data, &parts[4]),
                                           decode(vector->authenticator_data, &parts[5]),
                                           decode(vector->signature, &parts[6])};
    struct webauthn_bytes key = {passkey.key, passkey.key_length};
    uint32_t count = 0;
    ck_assert_msg(webauthn_verify_assertion(&browser, key, &assertion, &count, &error), "%s",
                  error.message);
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(webauthn__each_algorithm_registers_and_signs)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_passkey passkey;
    stop();
    authenticator = authenticator_create(algorithms[_i]);
    ck_assert_msg(enrol(NULL, &passkey), "%s", error.message);
    ck_assert_int_eq(passkey.algorithm, algorithms[_i]);
    ck_assert_uint_eq(passkey.key_length, authenticator_key(authenticator).length);
    authenticator_assert(authenticator, &asked, NULL, &answer);
    ck_assert_msg(verify(&answer), "%s", error.message);
}
END_TEST

START_TEST(webauthn__a_changed_byte_of_the_signature_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    stop();
    authenticator = authenticator_create(algorithms[_i]);
    authenticator_assert(authenticator, &asked, NULL, &answer);
    answer.signature.bytes[answer.signature.length - 1] ^= 1;
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_bad_signature");
}
END_TEST

START_TEST(webauthn__anothers_key_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct authenticator *other = authenticator_create(WEBAUTHN_ES256);
    authenticator_assert(other, &asked, NULL, &answer);
    authenticator_destroy(other);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_bad_signature");
}
END_TEST

START_TEST(webauthn__an_empty_or_endless_signature_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    authenticator_assert(authenticator, &asked, NULL, &answer);
    builder_clear(&answer.signature);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_bad_signature");
    for (size_t i = 0; i <= WEBAUTHN_SIGNATURE_BYTES_MAX; i++) {
        builder_char(&answer.signature, '0');
    }
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_bad_signature");
}
END_TEST

START_TEST(webauthn__a_counter_changed_after_signing_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    authenticator_assert(authenticator, &asked, NULL, &answer);
    answer.data.bytes[36] ^= 4;
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_bad_signature");
}
END_TEST

START_TEST(webauthn__another_type_is_refused)
{
    assert_twist_refused(&(struct authenticator_twist){.type = "webauthn.create"}, ERROR_FORBIDDEN,
                         "passkey_wrong_type");
    assert_twist_refused(&(struct authenticator_twist){.type = "payment.get"}, ERROR_FORBIDDEN,
                         "passkey_wrong_type");
    assert_enrolment_refused(&(struct authenticator_twist){.type = "webauthn.get"}, ERROR_FORBIDDEN,
                             "passkey_wrong_type");
}
END_TEST

START_TEST(webauthn__another_challenge_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_expected before = asked;
    static const unsigned char old[32] = "thirty-two bytes of another one.";
    before.challenge = (struct webauthn_bytes){old, sizeof old};
    authenticator_assert(authenticator, &before, NULL, &answer);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_wrong_challenge");
}
END_TEST

START_TEST(webauthn__the_beginning_of_the_challenge_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_expected shorter = asked;
    shorter.challenge.length = 31;
    authenticator_assert(authenticator, &shorter, NULL, &answer);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_wrong_challenge");
}
END_TEST

START_TEST(webauthn__no_challenge_is_answered_by_none)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_expected none = asked;
    none.challenge.length = 0;
    authenticator_assert(authenticator, &none, NULL, &answer);
    struct webauthn_assertion assertion = authenticator_assertion(&answer);
    uint32_t count;
    assert_refused(webauthn_verify_assertion(&none, authenticator_key(authenticator), &assertion,
                                             &count, &error),
                   ERROR_FORBIDDEN, "passkey_wrong_challenge");
}
END_TEST

START_TEST(webauthn__another_origin_is_refused)
{
    static const char *const origins[] = {"https://gateway.example.evil.example",
                                          "http://gateway.example",
                                          "https://gateway.example:8443",
                                          "https://gateway.example/",
                                          "https://GATEWAY.example",
                                          ""};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        struct authenticator_twist twist = {.origin = origins[i]};
        assert_twist_refused(&twist, ERROR_FORBIDDEN, "passkey_wrong_origin");
        assert_enrolment_refused(&twist, ERROR_FORBIDDEN, "passkey_wrong_origin");
    }
}
END_TEST

START_TEST(webauthn__an_origin_with_a_nul_inside_is_refused)
{
    assert_twist_refused(
        &(struct authenticator_twist){.origin = "https://gateway.example\\u0000.evil.example"},
        ERROR_FORBIDDEN, "passkey_wrong_origin");
}
END_TEST

START_TEST(webauthn__an_embedded_page_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    assert_twist_refused(&(struct authenticator_twist){.more = ",\"topOrigin\":\"https://evil\""},
                         ERROR_FORBIDDEN, "passkey_embedded");
    authenticator_assert(authenticator, &asked, NULL, &answer);
    char *false_word = strstr(answer.client_data.bytes, "false");
    memcpy(false_word, "true ", 5);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_embedded");
    memcpy(false_word, "0    ", 5);
    assert_refused(verify(&answer), ERROR_FORBIDDEN, "passkey_embedded");
}
END_TEST

START_TEST(webauthn__unknown_members_of_the_client_data_are_ignored)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct authenticator_twist twist = {
        .more = ",\"other_keys_can_be_added_here\":\"do not compare against a template\""};
    authenticator_assert(authenticator, &asked, &twist, &answer);
    ck_assert_msg(verify(&answer), "%s", error.message);
}
END_TEST

START_TEST(webauthn__client_data_with_a_name_twice_is_refused)
{
    assert_twist_refused(
        &(struct authenticator_twist){.more = ",\"origin\":\"https://gateway.example\""},
        ERROR_INVALID, "passkey_malformed");
    assert_enrolment_refused(&(struct authenticator_twist){.more = ",\"type\":\"webauthn.create\""},
                             ERROR_INVALID, "passkey_malformed");
}
END_TEST

START_TEST(webauthn__text_behind_the_client_data_is_refused)
{
    assert_twist_refused(&(struct authenticator_twist){.behind = "{}"}, ERROR_INVALID,
                         "passkey_malformed");
}
END_TEST

START_TEST(webauthn__client_data_that_is_no_object_missing_or_too_long_is_refused)
{
    static const char *const texts[] = {"", "[]", "\"webauthn.get\"", "{", "null"};
    struct authenticator_answer answer ANSWER_SCOPE;
    authenticator_assert(authenticator, &asked, NULL, &answer);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        builder_clear(&answer.client_data);
        builder_text(&answer.client_data, texts[i]);
        assert_refused(verify(&answer), ERROR_INVALID, "passkey_malformed");
    }
    builder_clear(&answer.client_data);
    builder_printf(&answer.client_data, "{%*s}", WEBAUTHN_CLIENT_DATA_BYTES_MAX, "");
    assert_refused(verify(&answer), ERROR_INVALID, "passkey_malformed");
}
END_TEST

START_TEST(webauthn__another_sites_passkey_is_refused)
{
    struct authenticator_twist twist = {.rp_id = "example"};
    assert_twist_refused(&twist, ERROR_FORBIDDEN, "passkey_wrong_rp");
    assert_enrolment_refused(&twist, ERROR_FORBIDDEN, "passkey_wrong_rp");
}
END_TEST

START_TEST(webauthn__without_the_user_present_it_is_refused)
{
    struct authenticator_twist twist = {.cleared = 0x01};
    assert_twist_refused(&twist, ERROR_FORBIDDEN, "passkey_not_present");
    assert_enrolment_refused(&twist, ERROR_FORBIDDEN, "passkey_not_present");
}
END_TEST

START_TEST(webauthn__without_the_user_verified_it_is_refused)
{
    struct authenticator_twist twist = {.cleared = 0x04};
    assert_twist_refused(&twist, ERROR_FORBIDDEN, "passkey_not_verified");
    assert_enrolment_refused(&twist, ERROR_FORBIDDEN, "passkey_not_verified");
}
END_TEST

START_TEST(webauthn__one_that_is_backed_up_though_it_cannot_be_is_refused)
{
    struct authenticator_twist twist = {.set = 0x10};
    struct webauthn_passkey passkey;
    assert_twist_refused(&twist, ERROR_INVALID, "passkey_malformed");
    twist.set = 0x18;
    ck_assert(enrol(&twist, &passkey));
    ck_assert(passkey.is_backup_eligible);
}
END_TEST

START_TEST(webauthn__bytes_behind_the_authenticator_data_are_refused)
{
    static const unsigned char one[1] = {0};
    struct authenticator_twist twist = {.trailing = {one, 1}};
    assert_twist_refused(&twist, ERROR_INVALID, "passkey_malformed");
    assert_enrolment_refused(&twist, ERROR_INVALID, "passkey_malformed");
}
END_TEST

START_TEST(webauthn__extensions_are_one_map_and_nothing_behind_it)
{
    static const unsigned char map[] = {0xA1, 0x61, 'a', 0xF5};
    static const unsigned char map_and_more[] = {0xA1, 0x61, 'a', 0xF5, 0};
    static const unsigned char number[] = {0x01};
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_passkey passkey;
    struct authenticator_twist twist = {.set = 0x80, .trailing = {map, sizeof map}};
    authenticator_assert(authenticator, &asked, &twist, &answer);
    ck_assert_msg(verify(&answer), "%s", error.message);
    ck_assert_msg(enrol(&twist, &passkey), "%s", error.message);
    twist.trailing = (struct webauthn_bytes){map_and_more, sizeof map_and_more};
    assert_twist_refused(&twist, ERROR_INVALID, "passkey_malformed");
    twist.trailing = (struct webauthn_bytes){number, sizeof number};
    assert_twist_refused(&twist, ERROR_INVALID, "passkey_malformed");
    twist.trailing = (struct webauthn_bytes){0};
    assert_twist_refused(&twist, ERROR_INVALID, "passkey_malformed");
}
END_TEST

START_TEST(webauthn__an_assertion_with_a_new_key_is_refused)
{
    assert_twist_refused(&(struct authenticator_twist){.set = 0x40}, ERROR_INVALID,
                         "passkey_malformed");
}
END_TEST

START_TEST(webauthn__a_registration_without_a_key_is_refused)
{
    assert_enrolment_refused(&(struct authenticator_twist){.cleared = 0x40}, ERROR_INVALID,
                             "passkey_malformed");
}
END_TEST

START_TEST(webauthn__every_cut_of_an_answer_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_passkey passkey;
    uint32_t count;
    authenticator_register(authenticator, &asked, NULL, &answer);
    for (size_t i = 0; i < answer.object.length; i++) {
        struct webauthn_bytes cut = {(unsigned char *)answer.object.bytes, i};
        ck_assert(!webauthn_verify_registration(&asked, authenticator_bytes(&answer.client_data),
                                                cut, &passkey, &error));
        error = (struct error){0};
    }
    authenticator_answer_finish(&answer);
    authenticator_assert(authenticator, &asked, NULL, &answer);
    struct webauthn_assertion assertion = authenticator_assertion(&answer);
    for (size_t i = 0; i < answer.data.length; i++) {
        assertion.authenticator_data.length = i;
        ck_assert(!webauthn_verify_assertion(&asked, authenticator_key(authenticator), &assertion,
                                             &count, &error));
        error = (struct error){0};
    }
}
END_TEST

START_TEST(webauthn__a_byte_behind_the_attestation_object_is_refused)
{
    struct authenticator_answer answer ANSWER_SCOPE;
    struct webauthn_passkey passkey;
    authenticator_register(authenticator, &asked, NULL, &answer);
    builder_char(&answer.object, '\xF6');
    assert_refused(webauthn_verify_registration(&asked, authenticator_bytes(&answer.client_data),
                                                authenticator_bytes(&answer.object), &passkey,
                                                &error),
                   ERROR_INVALID, "passkey_malformed");
}
END_TEST

/* Each differs from the authenticator's own key, which is good, in one thing. */
START_TEST(webauthn__a_key_that_is_not_exactly_of_its_form_is_refused)
{
    enum { ALG = 4, CRV = 6, X_HEAD = 8, X = 10, Y = 45 };
    static const struct {
        size_t at;
        unsigned char byte;
    } changes[] = {
        {0, 0xA4},      /* a member fewer than there are */
        {0, 0xA6},      /* more */
        {0, 0xBF},      /* of indefinite length */
        {2, 0x01},      /* OKP */
        {2, 0x03},      /* RSA */
        {ALG, 0x27},    /* EdDSA on P-256 */
        {ALG, 0x22},    /* ES384, for one not offered */
        {CRV, 0x02},    /* P-384 */
        {X_HEAD, 0x78}, /* a text */
        {X, 0x00},      /* off the curve, all but surely */
        {5, 0x03},      /* alg twice */
        {3, 0x04},      /* a label there is not */
    };
    struct webauthn_bytes own = authenticator_key(authenticator);
    unsigned char key[128];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memcpy(key, own.bytes, own.length);
        key[changes[i].at] = changes[i].byte;
        if (changes[i].at == X) {
            memset(key + X, 7, 32);
            memset(key + Y, 7, 32);
        }
        enum webauthn_algorithm algorithm;
        ck_assert_msg(
            !webauthn_read_key((struct webauthn_bytes){key, own.length}, &algorithm, &error),
            "change %zu", i);
        ck_assert_str_eq(error.code, "passkey_key");
        error = (struct error){0};
        ck_assert(!webauthn_read_key((struct webauthn_bytes){own.bytes, i}, &algorithm, &error));
        error = (struct error){0};
    }
}
END_TEST

/* n of 1024 bits; an even one; an even exponent; one of 1. */
START_TEST(webauthn__a_weak_rsa_key_is_refused)
{
    enum { N_HEAD = 8, N = 11, N_BYTES = 256, E = N + N_BYTES + 2 };
    enum webauthn_algorithm algorithm;
    unsigned char key[WEBAUTHN_KEY_BYTES_MAX];
    stop();
    authenticator = authenticator_create(WEBAUTHN_RS256);
    struct webauthn_bytes own = authenticator_key(authenticator);
    ck_assert(webauthn_read_key(own, &algorithm, &error));
    memcpy(key, own.bytes, own.length);
    key[N + N_BYTES - 1] ^= 1;
    ck_assert(!webauthn_read_key((struct webauthn_bytes){key, own.length}, &algorithm, &error));
    memcpy(key, own.bytes, own.length);
    key[own.length - 1] = 0;
    ck_assert(!webauthn_read_key((struct webauthn_bytes){key, own.length}, &algorithm, &error));
    memcpy(key, own.bytes, N_HEAD);
    memcpy(key + N_HEAD, "\x58\x80", 2);
    memcpy(key + N_HEAD + 2, own.bytes + N, 127);
    key[N_HEAD + 2 + 127] = 1;
    memcpy(key + N_HEAD + 2 + 128, "\x21\x43\x01\x00\x01", 5);
    ck_assert(
        !webauthn_read_key((struct webauthn_bytes){key, N_HEAD + 2 + 128 + 5}, &algorithm, &error));
    memcpy(key, own.bytes, own.length);
    memcpy(key + E - 1, "\x41\x01", 2);
    ck_assert(!webauthn_read_key((struct webauthn_bytes){key, E + 1}, &algorithm, &error));
}
END_TEST

START_TEST(webauthn__a_counter_must_advance_unless_there_is_none)
{
    ck_assert(webauthn_count_advances(0, 0));
    ck_assert(webauthn_count_advances(0, 1));
    ck_assert(webauthn_count_advances(7, 8));
    ck_assert(!webauthn_count_advances(7, 7));
    ck_assert(!webauthn_count_advances(7, 6));
    ck_assert(!webauthn_count_advances(7, 0));
    ck_assert(webauthn_count_advances(0, UINT32_MAX));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("webauthn");
    TCase *cases = tcase_create("webauthn");
    size_t vector_count = sizeof webauthn_vectors / sizeof *webauthn_vectors;
    tcase_set_timeout(cases, SLOW_KEY_SECONDS);
    tcase_add_checked_fixture(cases, start, stop);
    tcase_add_loop_test(cases, webauthn__a_browsers_registration_and_assertion_are_verified, 0,
                        (int)vector_count);
    tcase_add_loop_test(cases, webauthn__each_algorithm_registers_and_signs, 0, 3);
    tcase_add_loop_test(cases, webauthn__a_changed_byte_of_the_signature_is_refused, 0, 3);
    tcase_add_test(cases, webauthn__anothers_key_is_refused);
    tcase_add_test(cases, webauthn__an_empty_or_endless_signature_is_refused);
    tcase_add_test(cases, webauthn__a_counter_changed_after_signing_is_refused);
    tcase_add_test(cases, webauthn__another_type_is_refused);
    tcase_add_test(cases, webauthn__another_challenge_is_refused);
    tcase_add_test(cases, webauthn__the_beginning_of_the_challenge_is_refused);
    tcase_add_test(cases, webauthn__no_challenge_is_answered_by_none);
    tcase_add_test(cases, webauthn__another_origin_is_refused);
    tcase_add_test(cases, webauthn__an_origin_with_a_nul_inside_is_refused);
    tcase_add_test(cases, webauthn__an_embedded_page_is_refused);
    tcase_add_test(cases, webauthn__unknown_members_of_the_client_data_are_ignored);
    tcase_add_test(cases, webauthn__client_data_with_a_name_twice_is_refused);
    tcase_add_test(cases, webauthn__text_behind_the_client_data_is_refused);
    tcase_add_test(cases, webauthn__client_data_that_is_no_object_missing_or_too_long_is_refused);
    tcase_add_test(cases, webauthn__another_sites_passkey_is_refused);
    tcase_add_test(cases, webauthn__without_the_user_present_it_is_refused);
    tcase_add_test(cases, webauthn__without_the_user_verified_it_is_refused);
    tcase_add_test(cases, webauthn__one_that_is_backed_up_though_it_cannot_be_is_refused);
    tcase_add_test(cases, webauthn__bytes_behind_the_authenticator_data_are_refused);
    tcase_add_test(cases, webauthn__extensions_are_one_map_and_nothing_behind_it);
    tcase_add_test(cases, webauthn__an_assertion_with_a_new_key_is_refused);
    tcase_add_test(cases, webauthn__a_registration_without_a_key_is_refused);
    tcase_add_test(cases, webauthn__every_cut_of_an_answer_is_refused);
    tcase_add_test(cases, webauthn__a_byte_behind_the_attestation_object_is_refused);
    tcase_add_test(cases, webauthn__a_key_that_is_not_exactly_of_its_form_is_refused);
    tcase_add_test(cases, webauthn__a_weak_rsa_key_is_refused);
    tcase_add_test(cases, webauthn__a_counter_must_advance_unless_there_is_none);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
