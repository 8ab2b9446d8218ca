#include "base/builder.h"
#include "crypto/signer.h"
#include "formats/json.h"
#include "formats/text.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct signer *signers[3];
static struct error error;
static struct builder token;
static struct builder payload;

static const char claims[] = "{\"jti\":\"grt_1\",\"n\":1}";

static void start(void)
{
    char folder[] = "/tmp/countersign-jws-XXXXXX";
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key.pem", folder);
    error = (struct error){0};
    signers[0] = signer_open(path, SIGNER_ES256, true, &error);
    signers[1] = signer_from_seed(SIGNER_ED25519, (const unsigned char[32]){1});
    ck_assert_ptr_nonnull(signers[0]);
    unlink(path);
    signers[2] = signer_open(path, SIGNER_RS256, true, &error);
    ck_assert_ptr_nonnull(signers[2]);
    unlink(path);
    rmdir(folder);
    builder_init(&token, 0);
    builder_init(&payload, 0);
}

static void stop(void)
{
    signer_close(signers[0]);
    signer_close(signers[1]);
    signer_close(signers[2]);
    builder_finish(&token);
    builder_finish(&payload);
}

static void sign(const struct signer *signer, const char *typ)
{
    ck_assert(jws_sign(signer, typ, claims, strlen(claims), &token, &error));
}

static void check_refused(const struct signer *signer, const char *typ, const char *text,
                          size_t length)
{
    error = (struct error){0};
    ck_assert_msg(!jws_verify(signer, typ, text, length, &payload, &error), "`%.60s` was accepted",
                  text);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "invalid_token");
    ck_assert_uint_eq(payload.length, 0);
}

START_TEST(jws__a_token_gives_its_payload_back)
{
    sign(signers[_i], "grant+jwt");
    ck_assert(jws_verify(signers[_i], "grant+jwt", token.bytes, token.length, &payload, &error));
    ck_assert_str_eq(payload.bytes, claims);
}
END_TEST

/* Which remembers none of the tokens that it is given. */
START_TEST(jws__a_token_of_a_former_process_is_verified)
{
    char folder[] = "/tmp/countersign-jws-XXXXXX";
    char path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key.pem", folder);
    struct signer *former = signer_open(path, SIGNER_ES256, true, &error);
    struct signer *next = signer_open(path, SIGNER_ES256, false, &error);
    unlink(path);
    rmdir(folder);
    sign(former, "grant+jwt");
    for (int again = 0; again < 3; again++) {
        builder_clear(&payload);
        ck_assert(jws_verify(next, "grant+jwt", token.bytes, token.length, &payload, &error));
        ck_assert_str_eq(payload.bytes, claims);
    }
    builder_clear(&payload);
    for (size_t i = token.length - 86; i < token.length; i++) {
        char kept = token.bytes[i];
        token.bytes[i] = kept == 'A' ? 'B' : 'A';
        check_refused(next, "grant+jwt", token.bytes, token.length);
        token.bytes[i] = kept;
    }
    signer_close(former);
    signer_close(next);
}
END_TEST

START_TEST(jws__the_header_is_alg_kid_and_typ)
{
    sign(signers[_i], "grant+jwt");
    unsigned char header[256] = {0};
    size_t length = 0;
    ck_assert(text_read_base64url(token.bytes, strcspn(token.bytes, "."), header, sizeof header - 1,
                                  &length));
    struct builder expected BUILDER_SCOPE;
    builder_init(&expected, 0);
    builder_printf(&expected, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
                   signer_algorithm(signers[_i]), signer_key_id(signers[_i]));
    ck_assert_str_eq((const char *)header, expected.bytes);
}
END_TEST

START_TEST(jws__a_token_for_another_use_is_refused)
{
    sign(signers[_i], "grant+jwt");
    check_refused(signers[_i], "session+jwt", token.bytes, token.length);
    check_refused(signers[_i], "grant+jw", token.bytes, token.length);
}
END_TEST

START_TEST(jws__a_token_of_another_key_is_refused)
{
    sign(signers[_i], "grant+jwt");
    check_refused(signers[(_i + 1) % 3], "grant+jwt", token.bytes, token.length);
    struct signer *other = signer_from_seed(SIGNER_ED25519, (const unsigned char[32]){2});
    check_refused(other, "grant+jwt", token.bytes, token.length);
    signer_close(other);
}
END_TEST

START_TEST(jws__no_changed_character_is_accepted)
{
    sign(signers[_i], "grant+jwt");
    for (size_t i = 0; i < token.length; i++) {
        char kept = token.bytes[i];
        token.bytes[i] = kept == 'A' ? 'B' : 'A';
        check_refused(signers[_i], "grant+jwt", token.bytes, token.length);
        token.bytes[i] = kept;
    }
}
END_TEST

START_TEST(jws__no_part_of_a_token_and_nothing_behind_it_is_accepted)
{
    sign(signers[_i], "grant+jwt");
    for (size_t length = 0; length < token.length; length++) {
        char *part = malloc(length == 0 ? 1 : length);
        memcpy(part, token.bytes, length);
        error = (struct error){0};
        ck_assert(!jws_verify(signers[_i], "grant+jwt", part, length, &payload, &error));
        ck_assert_uint_eq(payload.length, 0);
        free(part);
    }
    static const char *const tails[] = {".", "A", "=", "\n", ".AAAA"};
    size_t length = token.length;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        builder_text(&token, tails[i]);
        check_refused(signers[_i], "grant+jwt", token.bytes, token.length);
        token.length = length;
        token.bytes[length] = '\0';
    }
}
END_TEST

static void forge(const char *header)
{
    builder_clear(&token);
    text_append_base64url(&token, (const unsigned char *)header, strlen(header));
    builder_char(&token, '.');
    text_append_base64url(&token, (const unsigned char *)claims, strlen(claims));
    unsigned char signature[64];
    ck_assert(signer_sign(signers[0], token.bytes, token.length, signature, &error));
    builder_char(&token, '.');
    text_append_base64url(&token, signature, sizeof signature);
}

/* Rightly signed all of them, so that the header alone decides. */
START_TEST(jws__only_our_own_header_is_accepted)
{
    const char *kid = signer_key_id(signers[0]);
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
        "{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
        "{\"alg\":\"ES256\",\"jwk\":{},\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
        "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"grant+jwt\",\"typ\":\"x\"}",
        "{\"alg\":\"ES256\",\"typ\":\"grant+jwt\"}",
        "",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char header[256];
        const char *at = strstr(headers[i], "%s");
        size_t before = at == NULL ? strlen(headers[i]) : (size_t)(at - headers[i]);
        snprintf(header, sizeof header, "%.*s%s%s", (int)before, headers[i], at == NULL ? "" : kid,
                 at == NULL ? "" : at + 2);
        forge(header);
        check_refused(signers[0], "grant+jwt", token.bytes, token.length);
    }
    char header[256];
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"grant+jwt\"}",
             kid);
    forge(header);
    ck_assert(jws_verify(signers[0], "grant+jwt", token.bytes, token.length, &payload, &error));
}
END_TEST

START_TEST(jws__tokens_are_at_most_8_kib)
{
    char large[8 * 1024];
    memset(large, 'x', sizeof large);
    ck_assert(!jws_sign(signers[0], "grant+jwt", large, sizeof large, &token, &error));
    ck_assert_str_eq(error.code, "token_too_long");
    ck_assert_uint_eq(token.length, 0);
    check_refused(signers[0], "grant+jwt", large, sizeof large);
    error = (struct error){0};
    ck_assert(jws_sign(signers[0], "grant+jwt", large, 5900, &token, &error));
    ck_assert_uint_le(token.length, 8 * 1024);
    ck_assert(jws_verify(signers[0], "grant+jwt", token.bytes, token.length, &payload, &error));
    ck_assert_uint_eq(payload.length, 5900);
    builder_clear(&payload);
    for (size_t i = token.length; i <= 8 * 1024; i++) {
        builder_char(&token, 'A');
    }
    check_refused(signers[0], "grant+jwt", token.bytes, token.length);
    ck_assert_str_eq(error.message, "the token is longer than 8 KiB");
}
END_TEST

START_TEST(jws__errors_do_not_quote_the_token)
{
    sign(signers[0], "grant+jwt");
    token.bytes[token.length - 1] = token.bytes[token.length - 1] == 'A' ? 'Q' : 'A';
    check_refused(signers[0], "grant+jwt", token.bytes, token.length);
    ck_assert_ptr_null(strstr(error.message, "eyJ"));
    ck_assert_str_eq(error.subject, "");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("jws");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, jws__a_token_of_a_former_process_is_verified);
    tcase_add_loop_test(tests, jws__a_token_gives_its_payload_back, 0, 3);
    tcase_add_loop_test(tests, jws__the_header_is_alg_kid_and_typ, 0, 3);
    tcase_add_loop_test(tests, jws__a_token_for_another_use_is_refused, 0, 3);
    tcase_add_loop_test(tests, jws__a_token_of_another_key_is_refused, 0, 3);
    tcase_add_loop_test(tests, jws__no_changed_character_is_accepted, 0, 2);
    tcase_add_loop_test(tests, jws__no_part_of_a_token_and_nothing_behind_it_is_accepted, 0, 3);
    tcase_add_test(tests, jws__only_our_own_header_is_accepted);
    tcase_add_test(tests, jws__tokens_are_at_most_8_kib);
    tcase_add_test(tests, jws__errors_do_not_quote_the_token);
    Suite *suite = suite_create("jws");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
