#include "crypto/secret.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static struct error error;

static void start(void)
{
    snprintf(folder, sizeof folder, "/tmp/countersign-secret-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pepper", folder);
    error = (struct error){0};
}

static void stop(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(secret__equals_only_the_same_bytes)
{
    struct secret *secret = secret_create("fake secret", 11);
    ck_assert(secret_equals(secret, "fake secret", 11));
    ck_assert(!secret_equals(secret, "fake secreT", 11));
    ck_assert(!secret_equals(secret, "fake secret", 10));
    ck_assert(!secret_equals(secret, "fake secret\0", 12));
    secret_destroy(secret);
    secret_destroy(NULL);
}
END_TEST

START_TEST(secret__an_empty_one_equals_only_the_empty)
{
    struct secret *secret = secret_create(NULL, 0);
    ck_assert(secret_equals(secret, "", 0));
    ck_assert(!secret_equals(secret, "x", 1));
    secret_destroy(secret);
}
END_TEST

START_TEST(secret__keys_an_hmac)
{
    struct secret *secret = secret_create("Jefe", 4);
    struct sha256 mac = secret_hmac(secret, "what do ya want for nothing?", 28);
    struct sha256 expected = crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28);
    ck_assert_mem_eq(mac.bytes, expected.bytes, sizeof mac.bytes);
    secret_destroy(secret);
}
END_TEST

START_TEST(secret__a_file_is_made_once_and_read_again)
{
    umask(0);
    struct secret *made = secret_open(path, 32, true, &error);
    ck_assert_msg(made != NULL, "%s", error.message);
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 07777, 0600);
    ck_assert_int_eq(facts.st_size, 32);
    struct secret *again = secret_open(path, 32, true, &error);
    struct sha256 left = secret_hmac(made, "x", 1);
    struct sha256 right = secret_hmac(again, "x", 1);
    ck_assert_mem_eq(left.bytes, right.bytes, sizeof left.bytes);
    secret_destroy(made);
    secret_destroy(again);
}
END_TEST

START_TEST(secret__an_absent_file_is_not_made_unasked)
{
    ck_assert_ptr_null(secret_open(path, 32, false, &error));
    ck_assert_str_eq(error.code, "key_file_missing");
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(secret__a_file_of_another_length_is_refused)
{
    secret_destroy(secret_open(path, 32, true, &error));
    ck_assert_ptr_null(secret_open(path, 64, true, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "has 32 bytes, not 64"));
}
END_TEST

START_TEST(secret__a_file_others_can_read_is_refused)
{
    secret_destroy(secret_open(path, 32, true, &error));
    chmod(path, 0644);
    ck_assert_ptr_null(secret_open(path, 32, true, &error));
    ck_assert_str_eq(error.code, "key_file_open_to_others");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("secret");
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_test(tests, secret__equals_only_the_same_bytes);
    tcase_add_test(tests, secret__an_empty_one_equals_only_the_empty);
    tcase_add_test(tests, secret__keys_an_hmac);
    tcase_add_test(tests, secret__a_file_is_made_once_and_read_again);
    tcase_add_test(tests, secret__an_absent_file_is_not_made_unasked);
    tcase_add_test(tests, secret__a_file_of_another_length_is_refused);
    tcase_add_test(tests, secret__a_file_others_can_read_is_refused);
    Suite *suite = suite_create("secret");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
