#include "base/builder.h"
#include "formats/text.h"
#include "identity/principal.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_RANDOM "FAKE-not-a-real-key-0123456789_abcdefghijkl"
#define FAKE_KEY    "csk_" FAKE_RANDOM
#define FAKE_TOKEN  "cst_" FAKE_RANDOM

static void assert_hash(const struct credential *credential, const char *hex)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_hex(&text, credential->hash.bytes, sizeof credential->hash.bytes);
    ck_assert_str_eq(text.bytes, hex);
}

START_TEST(identity__bearer_of_a_caller_is_the_hash_of_its_whole_key)
{
    struct credential credential = {0};
    ck_assert(identity_read_bearer("Bearer " FAKE_KEY, &credential, NULL));
    ck_assert_int_eq(credential.kind, CREDENTIAL_API_KEY);
    assert_hash(&credential, "c273e18a50d5f5c5865432ef8cae3146df916aae79ec74fe824bb17836b5ed51");
}
END_TEST

START_TEST(identity__bearer_of_a_person_is_the_hash_of_their_whole_token)
{
    struct credential credential = {0};
    ck_assert(identity_read_bearer("Bearer " FAKE_TOKEN, &credential, NULL));
    ck_assert_int_eq(credential.kind, CREDENTIAL_TOKEN);
    assert_hash(&credential, "d7310d2976aea6edfa41308ec82d654e149d761de337307b20b2f6fac8824a8b");
}
END_TEST

START_TEST(identity__name_of_the_scheme_is_compared_without_case)
{
    struct credential credential = {0};
    ck_assert(identity_read_bearer("bearer " FAKE_KEY, &credential, NULL));
    ck_assert(identity_read_bearer("BEARER " FAKE_KEY, &credential, NULL));
}
END_TEST

static const char *const refused[] = {
    "",
    "Bearer",
    "Bearer ",
    "Bearer csk_",
    "Basic " FAKE_KEY,
    FAKE_KEY,
    "Bearer" FAKE_KEY,
    "Bearer\t" FAKE_KEY,
    "Bearer  " FAKE_KEY,
    " Bearer " FAKE_KEY,
    "Bearer " FAKE_KEY " ",
    "Bearer " FAKE_KEY "\r",
    "Bearer " FAKE_KEY "A",
    "Bearer " FAKE_KEY ", Bearer " FAKE_KEY,
    "Bearer csk_FAKE-not-a-real-key-0123456789_abcdefghijk",
    "Bearer csk_FAKE-not-a-real-key-0123456789_abcdefghijk=",
    "Bearer csk_FAKE-not-a-real-key-0123456789_abcdefghijk+",
    "Bearer csk_FAKE-not-a-real-key-0123456789+abcdefghijkl",
    "Bearer csk_FAKE-not-a-real-key-0123456789/abcdefghijkl",
    "Bearer csk_FAKE-not-a-real-key-0123456789 abcdefghijkl",
    "Bearer csk_FAKE-not-a-real-key-0123456789\xc3\xa9"
    "cdefghijklm",
    "Bearer CSK_" FAKE_RANDOM,
    "Bearer cs__" FAKE_RANDOM,
    "Bearer csx_" FAKE_RANDOM,
    "Bearer csk-" FAKE_RANDOM,
    "Bearer eyJhbGciOiJub25lIn0.e30.",
};

START_TEST(identity__bearer_of_any_other_form_is_refused_in_one_way)
{
    struct credential credential = {.kind = CREDENTIAL_NONE, .host_uid = 7};
    struct error error = {0};
    struct error first = {0};
    ck_assert_msg(!identity_read_bearer(refused[_i], &credential, &error), "`%s` was accepted",
                  refused[_i]);
    ck_assert(!identity_read_bearer(refused[0], &credential, &first));
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "invalid_credential");
    ck_assert_str_eq(error.message, first.message);
    ck_assert_str_eq(error.subject, "");
    ck_assert_msg(credential.kind == CREDENTIAL_NONE && credential.host_uid == 7,
                  "a refusal must write nothing");
}
END_TEST

START_TEST(identity__absent_authorization_says_what_to_send)
{
    struct credential credential = {0};
    struct error error = {0};
    ck_assert(!identity_read_bearer(NULL, &credential, &error));
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "no_credential");
}
END_TEST

START_TEST(identity__refusal_never_quotes_the_credential)
{
    struct credential credential = {0};
    struct error error = {0};
    ck_assert(!identity_read_bearer("Bearer " FAKE_KEY "x", &credential, &error));
    ck_assert_ptr_null(strstr(error.message, "FAKE"));
    ck_assert_ptr_null(strstr(error.subject, "FAKE"));
}
END_TEST

START_TEST(identity__endless_authorization_is_refused)
{
    size_t length = (size_t)1 << 20;
    char *endless = malloc(length);
    memset(endless, 'A', length);
    memcpy(endless, "Bearer " FAKE_KEY, strlen("Bearer " FAKE_KEY));
    endless[length - 1] = '\0';
    struct credential credential = {0};
    ck_assert(!identity_read_bearer(endless, &credential, NULL));
    free(endless);
}
END_TEST

START_TEST(identity__names_are_short_and_plain)
{
    char longest[NAME_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    longest[64] = '\0';
    ck_assert(identity_is_name(longest));
    ck_assert(identity_is_name("a"));
    ck_assert(identity_is_name("7"));
    ck_assert(identity_is_name("billing-batch_2.eu"));
}
END_TEST

START_TEST(identity__names_that_are_not_plain_are_refused)
{
    static const char *const names[] = {"",    "-a",  ".a",  "_a",        "A",     "aB",
                                        "a b", "a/b", "a\n", "a\xc3\xa9", "a\x7f", "a@b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_msg(!identity_is_name(names[i]), "`%s` was accepted", names[i]);
    }
    char too_long[NAME_BYTES + 1];
    memset(too_long, 'a', sizeof too_long);
    too_long[65] = '\0';
    ck_assert(!identity_is_name(too_long));
    ck_assert(!identity_is_name(NULL));
}
END_TEST

START_TEST(identity__key_is_type_slash_id)
{
    char key[SUBJECT_BYTES];
    ck_assert(identity_make_key("user", "dana@example.com", key, sizeof key));
    ck_assert_str_eq(key, "user/dana@example.com");
    ck_assert(identity_make_key("file", "/etc/passwd", key, sizeof key));
    ck_assert_str_eq(key, "file//etc/passwd");
    ck_assert(identity_make_key("user", "jos\xc3\xa9 maria", key, sizeof key));
}
END_TEST

START_TEST(identity__key_that_could_be_read_two_ways_is_refused)
{
    char key[SUBJECT_BYTES] = "untouched";
    ck_assert_msg(!identity_make_key("user/admin", "dana", key, sizeof key), "slash in a type");
    ck_assert(!identity_make_key("", "dana", key, sizeof key));
    ck_assert(!identity_make_key("user", "", key, sizeof key));
    ck_assert(!identity_make_key(NULL, "dana", key, sizeof key));
    ck_assert(!identity_make_key("user", NULL, key, sizeof key));
    ck_assert_str_eq(key, "untouched");
}
END_TEST

START_TEST(identity__key_with_control_characters_is_refused)
{
    static const char *const ids[] = {"a\nb",      "a\x01",     "\x7f",
                                      "a\x1b[31m", "a\xc2\x85", "\xc2\x9f"};
    char key[SUBJECT_BYTES];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        ck_assert_msg(!identity_make_key("user", ids[i], key, sizeof key), "id %zu", i);
        ck_assert_msg(!identity_make_key(ids[i], "dana", key, sizeof key), "type %zu", i);
    }
    ck_assert_msg(identity_make_key("user", "\xc2\xa0", key, sizeof key), "U+00A0 is no control");
}
END_TEST

START_TEST(identity__key_that_does_not_fit_is_refused)
{
    char key[12];
    ck_assert(identity_make_key("user", "dana12", key, sizeof key)); /* 11 and the NUL */
    ck_assert_str_eq(key, "user/dana12");
    ck_assert(!identity_make_key("user", "dana123", key, sizeof key));
    ck_assert(!identity_make_key("user", "dana", key, 0));
}
END_TEST

START_TEST(identity__via_names_the_way_in)
{
    ck_assert_str_eq(identity_via(CREDENTIAL_API_KEY), "api_key");
    ck_assert_str_eq(identity_via(CREDENTIAL_TOKEN), "token");
    ck_assert_str_eq(identity_via(CREDENTIAL_HOST), "socket");
    ck_assert_str_eq(identity_via(CREDENTIAL_SLACK), "slack");
    ck_assert_str_eq(identity_via(CREDENTIAL_TEAMS), "teams");
    ck_assert(identity_is_chat(CREDENTIAL_TEAMS) && !identity_is_chat(CREDENTIAL_SESSION));
    ck_assert_str_eq(identity_via(CREDENTIAL_NONE), "");
}
END_TEST

START_TEST(identity__zeroed_credential_and_principal_are_nobody)
{
    struct credential credential = {0};
    struct principal principal = {0};
    ck_assert_int_eq(credential.kind, CREDENTIAL_NONE);
    ck_assert_int_eq(principal.kind, PRINCIPAL_NONE);
    ck_assert_int_eq(principal.assurance, ASSURANCE_NONE);
    ck_assert(!principal.is_admin && !principal.is_auditor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity/principal");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, identity__bearer_of_a_caller_is_the_hash_of_its_whole_key);
    tcase_add_test(tests, identity__bearer_of_a_person_is_the_hash_of_their_whole_token);
    tcase_add_test(tests, identity__name_of_the_scheme_is_compared_without_case);
    tcase_add_loop_test(tests, identity__bearer_of_any_other_form_is_refused_in_one_way, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tests, identity__absent_authorization_says_what_to_send);
    tcase_add_test(tests, identity__refusal_never_quotes_the_credential);
    tcase_add_test(tests, identity__endless_authorization_is_refused);
    tcase_add_test(tests, identity__names_are_short_and_plain);
    tcase_add_test(tests, identity__names_that_are_not_plain_are_refused);
    tcase_add_test(tests, identity__key_is_type_slash_id);
    tcase_add_test(tests, identity__key_that_could_be_read_two_ways_is_refused);
    tcase_add_test(tests, identity__key_with_control_characters_is_refused);
    tcase_add_test(tests, identity__key_that_does_not_fit_is_refused);
    tcase_add_test(tests, identity__via_names_the_way_in);
    tcase_add_test(tests, identity__zeroed_credential_and_principal_are_nobody);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
