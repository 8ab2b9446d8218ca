#include "crypto/keyring.h"

#include "tests/support/run_suite.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR_MS = 3600 * 1000 };

static char folder[64];
static char ring_folder[80];
static char first_path[80];
static struct error error;
static struct keyring *ring;

static void set_up(void)
{
    strcpy(folder, "/tmp/countersign-ring-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(ring_folder, sizeof ring_folder, "%s/keys", folder);
    snprintf(first_path, sizeof first_path, "%s/first.pem", folder);
    error = (struct error){0};
    ring = keyring_open(ring_folder, first_path, &error);
    ck_assert_msg(ring != NULL, "%s", error.message);
}

static void tear_down(void)
{
    char command[128];
    keyring_close(ring);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void reopen(void)
{
    keyring_close(ring);
    error = (struct error){0};
    ring = keyring_open(ring_folder, first_path, &error);
}

static void add(enum signer_kind kind, int64_t signs_from)
{
    struct keyring_draft *draft = keyring_make_draft(ring, kind, signs_from, &error);
    ck_assert_ptr_nonnull(draft);
    ck_assert_msg(keyring_take_draft(ring, draft, &error), "%s", error.message);
}

static const char *current(int64_t now)
{
    return signer_key_id(keyring_signer(ring, SIGNER_ES256, now));
}

static unsigned count_published(int64_t now)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    keyring_append_jwks(ring, now, &text);
    unsigned count = 0;
    for (const char *at = text.bytes; (at = strstr(at, "\"kid\":")) != NULL; at++) {
        count++;
    }
    return count;
}

static unsigned count_files(const char *part)
{
    unsigned count = 0;
    DIR *open_folder = opendir(ring_folder);
    for (struct dirent *file = readdir(open_folder); file != NULL; file = readdir(open_folder)) {
        count += strstr(file->d_name, part) != NULL;
    }
    closedir(open_folder);
    return count;
}

START_TEST(keyring__the_first_key_signs_from_the_beginning_and_is_found_again)
{
    char id[64];
    snprintf(id, sizeof id, "%s", current(0));
    ck_assert_ptr_null(keyring_signer(ring, SIGNER_RS256, 0));
    reopen();
    ck_assert_str_eq(current(0), id);
    ck_assert_uint_eq(count_published(0), 1);
}
END_TEST

START_TEST(keyring__which_key_signs_follows_from_the_names_and_the_clock)
{
    char first[64];
    snprintf(first, sizeof first, "%s", current(0));
    add(SIGNER_ES256, 10 * HOUR_MS);
    for (int is_reopened = 0; is_reopened < 2; is_reopened++) {
        ck_assert_str_eq(current(10 * HOUR_MS - 1), first);
        ck_assert_str_ne(current(10 * HOUR_MS), first);
        ck_assert_uint_eq(count_published(0), 2);
        ck_assert_uint_eq(count_published(10 * HOUR_MS + KEYRING_KEEP_MS - 1), 2);
        ck_assert_uint_eq(count_published(10 * HOUR_MS + KEYRING_KEEP_MS), 1);
        reopen();
    }
}
END_TEST

START_TEST(keyring__a_token_of_a_former_key_verifies_until_it_is_not_published)
{
    struct builder token BUILDER_SCOPE;
    struct builder payload BUILDER_SCOPE;
    builder_init(&token, 0);
    builder_init(&payload, 0);
    ck_assert(jws_sign(keyring_signer(ring, SIGNER_ES256, 0), "t+jwt", "{}", 2, &token, &error));
    add(SIGNER_ES256, HOUR_MS);
    add(SIGNER_RS256, 0);
    ck_assert(keyring_verify(ring, 0, "t+jwt", token.bytes, token.length, &payload, &error));
    ck_assert(
        keyring_verify(ring, 2 * HOUR_MS, "t+jwt", token.bytes, token.length, &payload, &error));
    ck_assert(
        !keyring_verify(ring, 2 * HOUR_MS, "u+jwt", token.bytes, token.length, &payload, &error));
    ck_assert_str_eq(error.code, "invalid_token");
    ck_assert(!keyring_verify(ring, HOUR_MS + KEYRING_KEEP_MS, "t+jwt", token.bytes, token.length,
                              &payload, &error));
    ck_assert_str_eq(payload.bytes, "{}{}");
}
END_TEST

START_TEST(keyring__rsa_tokens_verify_too)
{
    struct builder token BUILDER_SCOPE;
    struct builder payload BUILDER_SCOPE;
    builder_init(&token, 0);
    builder_init(&payload, 0);
    add(SIGNER_RS256, 0);
    const struct signer *rsa = keyring_signer(ring, SIGNER_RS256, 5);
    ck_assert(jws_sign(rsa, "t+jwt", "{}", 2, &token, &error));
    ck_assert(keyring_verify(ring, 5, "t+jwt", token.bytes, token.length, &payload, &error));
    token.bytes[token.length - 3] = token.bytes[token.length - 3] == 'A' ? 'B' : 'A';
    reopen(); /* it remembers nothing it signed */
    ck_assert(!keyring_verify(ring, 5, "t+jwt", token.bytes, token.length, &payload, &error));
}
END_TEST

START_TEST(keyring__a_key_that_others_may_have_is_void_at_once)
{
    struct builder token BUILDER_SCOPE;
    struct builder payload BUILDER_SCOPE;
    builder_init(&token, 0);
    builder_init(&payload, 0);
    add(SIGNER_RS256, 0);
    ck_assert(jws_sign(keyring_signer(ring, SIGNER_ES256, 0), "t+jwt", "{}", 2, &token, &error));
    add(SIGNER_ES256, 1000);
    ck_assert(keyring_drop_former(ring, SIGNER_ES256, &error));
    ck_assert_uint_eq(count_published(1000), 2);
    ck_assert(!keyring_verify(ring, 1000, "t+jwt", token.bytes, token.length, &payload, &error));
    ck_assert_int_ne(access(first_path, F_OK), 0);
    ck_assert_ptr_nonnull(keyring_signer(ring, SIGNER_RS256, 1000));
}
END_TEST

START_TEST(keyring__a_draft_that_was_not_taken_is_no_key)
{
    struct keyring_draft *draft = keyring_make_draft(ring, SIGNER_ES256, 0, &error);
    ck_assert_uint_eq(strlen(keyring_draft_key_id(draft)), 43);
    ck_assert_uint_eq(count_files("draft-"), 1);
    keyring_drop_draft(ring, draft);
    keyring_drop_draft(ring, NULL);
    ck_assert_uint_eq(count_files("draft-"), 0);
    ck_assert_uint_eq(count_published(0), 1);
    /* Left behind by a process that ended: gone at the next start. */
    char path[128];
    snprintf(path, sizeof path, "%s/draft-new_1.pem", ring_folder);
    signer_close(signer_open(path, SIGNER_ES256, true, &error));
    reopen();
    ck_assert_uint_eq(count_files("draft-"), 0);
    ck_assert_uint_eq(count_published(0), 1);
}
END_TEST

START_TEST(keyring__of_two_keys_for_one_second_the_later_waits_for_the_next)
{
    char second[64];
    add(SIGNER_ES256, 5000);
    snprintf(second, sizeof second, "%s", current(5000));
    add(SIGNER_ES256, 5999);
    ck_assert_str_eq(current(5999), second);
    ck_assert_str_ne(current(6000), second);
    ck_assert_uint_eq(count_files("draft-"), 0);
    ck_assert_uint_eq(count_published(0), 3);
}
END_TEST

START_TEST(keyring__a_folder_or_a_file_that_others_can_read_is_refused)
{
    char path[128];
    add(SIGNER_ES256, 5000);
    snprintf(path, sizeof path, "%s/ES256-5.pem", ring_folder);
    chmod(ring_folder, 0750);
    reopen();
    ck_assert_ptr_null(ring);
    ck_assert_str_eq(error.code, "key_file_open_to_others");
    chmod(ring_folder, 0700);
    chmod(path, 0640);
    reopen();
    ck_assert_ptr_null(ring);
    ck_assert_str_eq(error.code, "key_file_open_to_others");
    chmod(path, 0600);
}
END_TEST

START_TEST(keyring__names_of_others_are_left_alone_and_keys_are_bounded)
{
    char path[128];
    static const char *const names[] = {"README", "ES256-x.pem", "ES256-1.pem.bak", "EdDSA-1.pem",
                                        "ES256-.pem"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", ring_folder, names[i]);
        fclose(fopen(path, "w"));
    }
    reopen();
    ck_assert_uint_eq(count_published(0), 1);
    for (int i = 1; i < KEYRING_KEYS_MAX; i++) {
        add(SIGNER_ES256, 1000 * i);
    }
    ck_assert(!keyring_has_room(ring));
    struct keyring_draft *draft = keyring_make_draft(ring, SIGNER_ES256, HOUR_MS, &error);
    ck_assert(!keyring_take_draft(ring, draft, &error));
    ck_assert_str_eq(error.code, "too_many_keys");
    ck_assert_uint_eq(count_files("ES256-3600"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypto: keyring");
    TCase *tests = tcase_create("all");
    tcase_add_unchecked_fixture(tests, crypto_start, NULL);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, keyring__the_first_key_signs_from_the_beginning_and_is_found_again);
    tcase_add_test(tests, keyring__which_key_signs_follows_from_the_names_and_the_clock);
    tcase_add_test(tests, keyring__a_token_of_a_former_key_verifies_until_it_is_not_published);
    tcase_add_test(tests, keyring__rsa_tokens_verify_too);
    tcase_add_test(tests, keyring__a_key_that_others_may_have_is_void_at_once);
    tcase_add_test(tests, keyring__a_draft_that_was_not_taken_is_no_key);
    tcase_add_test(tests, keyring__of_two_keys_for_one_second_the_later_waits_for_the_next);
    tcase_add_test(tests, keyring__a_folder_or_a_file_that_others_can_read_is_refused);
    tcase_add_test(tests, keyring__names_of_others_are_left_alone_and_keys_are_bounded);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
