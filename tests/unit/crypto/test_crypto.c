#include "base/builder.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void check_hex(const unsigned char *bytes, size_t length, const char *expected)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    text_append_hex(&out, bytes, length);
    ck_assert_str_eq(out.bytes, expected);
}

START_TEST(crypto__sha256_gives_the_values_of_fips_180)
{
    struct sha256 hash = crypto_sha256("", 0);
    check_hex(hash.bytes, sizeof hash.bytes,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash = crypto_sha256("abc", 3);
    check_hex(hash.bytes, sizeof hash.bytes,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash = crypto_sha256(NULL, 0);
    check_hex(hash.bytes, sizeof hash.bytes,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(crypto__prefixed_hash_is_the_hash_of_the_pieces_in_a_row)
{
    struct sha256 joined = crypto_sha256("\x01leftright", 10);
    struct sha256 pieces = crypto_sha256_prefixed(1, "left", 4, "right", 5);
    ck_assert_mem_eq(joined.bytes, pieces.bytes, sizeof joined.bytes);
    struct sha256 leaf = crypto_sha256_prefixed(0, "", 0, NULL, 0);
    check_hex(leaf.bytes, sizeof leaf.bytes,
              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}
END_TEST

START_TEST(crypto__hmac_gives_the_values_of_rfc_4231)
{
    unsigned char key[131];
    memset(key, 0x0B, 20);
    struct sha256 mac = crypto_hmac_sha256(key, 20, "Hi There", 8);
    check_hex(mac.bytes, sizeof mac.bytes,
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    mac = crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28);
    check_hex(mac.bytes, sizeof mac.bytes,
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xAA, sizeof key);
    static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    mac = crypto_hmac_sha256(key, sizeof key, text, strlen(text));
    check_hex(mac.bytes, sizeof mac.bytes,
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

/* A context is used again and again by one thread: no key may be taken for the one before. */
START_TEST(crypto__hmac_forgets_the_key_before)
{
    static const unsigned char zeros[64];
    struct sha256 without = crypto_hmac_sha256("", 0, "", 0);
    check_hex(without.bytes, sizeof without.bytes,
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    struct sha256 with = crypto_hmac_sha256("key", 3, "x", 1);
    struct sha256 again = crypto_hmac_sha256(NULL, 0, NULL, 0);
    ck_assert_mem_eq(again.bytes, without.bytes, sizeof again.bytes);
    again = crypto_hmac_sha256(zeros, sizeof zeros, "", 0); /* RFC 2104: padded with zeros */
    ck_assert_mem_eq(again.bytes, without.bytes, sizeof again.bytes);
    again = crypto_hmac_sha256("key", 3, "x", 1);
    ck_assert_mem_eq(again.bytes, with.bytes, sizeof with.bytes);
}
END_TEST

START_TEST(crypto__equal_looks_at_each_byte)
{
    unsigned char left[32] = {0};
    unsigned char right[32] = {0};
    ck_assert(crypto_equal(left, right, sizeof left));
    for (size_t i = 0; i < sizeof right; i++) {
        right[i] = 1;
        ck_assert(!crypto_equal(left, right, sizeof left));
        right[i] = 0;
    }
    ck_assert(crypto_equal(left, right, 0));
}
END_TEST

START_TEST(crypto__random_bytes_differ_and_wiped_bytes_are_zero)
{
    unsigned char first[32] = {0};
    unsigned char second[32] = {0};
    crypto_random(first, sizeof first);
    crypto_random(second, sizeof second);
    ck_assert_mem_ne(first, second, sizeof first);
    crypto_wipe(first, sizeof first);
    static const unsigned char zeros[32];
    ck_assert_mem_eq(first, zeros, sizeof first);
}
END_TEST

START_TEST(crypto__ids_tell_their_time_in_crockford_base32)
{
    char id[ID_BYTES];
    crypto_make_id("req", 1763965463123, id);
    ck_assert_uint_eq(strlen(id), 4 + 26);
    ck_assert_int_eq(strncmp(id, "req_01kat8htjk", 14), 0);
    ck_assert_uint_eq(strspn(id + 4, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
    crypto_make_id("x", (INT64_C(1) << 48) - 1, id);
    ck_assert_int_eq(strncmp(id, "x_7zzzzzzzzz", 12), 0);
    crypto_make_id("abcd", 0, id);
    ck_assert_int_eq(strncmp(id, "abcd_0000000000", 15), 0);
}
END_TEST

START_TEST(crypto__ids_of_one_millisecond_sort_as_they_were_made)
{
    char before[ID_BYTES] = "";
    for (int i = 0; i < 100000; i++) {
        char id[ID_BYTES];
        crypto_make_id("req", 1763965463123, id);
        ck_assert_str_lt(before, id);
        memcpy(before, id, sizeof id);
    }
}
END_TEST

START_TEST(crypto__a_thread_whose_time_is_a_little_behind_keeps_the_order)
{
    char first[ID_BYTES];
    char second[ID_BYTES];
    char third[ID_BYTES];
    crypto_make_id("req", 1763965463123, first);
    crypto_make_id("req", 1763965463100, second);
    ck_assert_str_lt(first, second);
    /* A clock set back by an hour is followed. */
    crypto_make_id("req", 1763965463123 - 3600000, third);
    ck_assert_str_gt(second, third);
}
END_TEST

enum { THREADS = 4, IDS_EACH = 20000 };

static void *make_ids(void *context)
{
    char(*ids)[ID_BYTES] = context;
    for (int i = 0; i < IDS_EACH; i++) {
        crypto_make_id("grt", 1763965463123, ids[i]);
        struct sha256 hash = crypto_sha256(ids[i], ID_BYTES - 2);
        struct sha256 again = crypto_sha256(ids[i], ID_BYTES - 2);
        if (memcmp(hash.bytes, again.bytes, sizeof hash.bytes) != 0) {
            ids[i][0] = '\0';
        }
    }
    return NULL;
}

static int compare_ids(const void *left, const void *right)
{
    return strcmp(left, right);
}

START_TEST(crypto__ids_and_hashes_of_many_threads_do_not_meet)
{
    char(*ids)[ID_BYTES] = calloc(THREADS * IDS_EACH, ID_BYTES);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS_EACH), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int j = 1; j < IDS_EACH; j++) {
            ck_assert_str_lt(ids[i * IDS_EACH + j - 1], ids[i * IDS_EACH + j]);
        }
    }
    qsort(ids, THREADS * IDS_EACH, ID_BYTES, compare_ids);
    ck_assert_str_ne(ids[0], "");
    for (int i = 1; i < THREADS * IDS_EACH; i++) {
        ck_assert_str_ne(ids[i - 1], ids[i]);
    }
    free(ids);
}
END_TEST

START_TEST(crypto__misuse_of_ids_aborts)
{
    char id[ID_BYTES];
    if (_i == 0) {
        crypto_make_id("abcde", 0, id);
    } else if (_i == 1) {
        crypto_make_id("", 0, id);
    } else {
        crypto_make_id("req", -1, id);
    }
}
END_TEST

START_TEST(crypto__secrets_have_their_prefix_and_256_random_bits)
{
    char first[SECRET_TEXT_BYTES];
    char second[SECRET_TEXT_BYTES];
    crypto_make_secret("csk_agent", first);
    crypto_make_secret("csk_agent", second);
    ck_assert_int_eq(strncmp(first, "csk_agent_", 10), 0);
    ck_assert_uint_eq(strlen(first), 10 + 43);
    ck_assert_str_ne(first, second);
    unsigned char bytes[32];
    size_t length = 0;
    ck_assert(text_read_base64url(first + 10, 43, bytes, sizeof bytes, &length));
    ck_assert_uint_eq(length, 32);
}
END_TEST

START_TEST(id__the_first_of_a_moment_sorts_before_its_ids_and_after_those_before)
{
    char before[ID_BYTES];
    char first[ID_BYTES];
    char made[ID_BYTES];
    crypto_make_id("req", 1763965463122, before);
    crypto_first_id("req", 1763965463123, first);
    crypto_make_id("req", 1763965463123, made);
    ck_assert_int_lt(strcmp(before, first), 0);
    ck_assert_int_lt(strcmp(first, made), 0);
    ck_assert_uint_eq(strlen(first), strlen(made));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("crypto");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, id__the_first_of_a_moment_sorts_before_its_ids_and_after_those_before);
    tcase_add_test(tests, crypto__sha256_gives_the_values_of_fips_180);
    tcase_add_test(tests, crypto__prefixed_hash_is_the_hash_of_the_pieces_in_a_row);
    tcase_add_test(tests, crypto__hmac_gives_the_values_of_rfc_4231);
    tcase_add_test(tests, crypto__hmac_forgets_the_key_before);
    tcase_add_test(tests, crypto__equal_looks_at_each_byte);
    tcase_add_test(tests, crypto__random_bytes_differ_and_wiped_bytes_are_zero);
    tcase_add_test(tests, crypto__ids_tell_their_time_in_crockford_base32);
    tcase_add_test(tests, crypto__ids_of_one_millisecond_sort_as_they_were_made);
    tcase_add_test(tests, crypto__a_thread_whose_time_is_a_little_behind_keeps_the_order);
    tcase_add_test(tests, crypto__ids_and_hashes_of_many_threads_do_not_meet);
    tcase_add_loop_test_raise_signal(tests, crypto__misuse_of_ids_aborts, SIGABRT, 0, 3);
    tcase_add_test(tests, crypto__secrets_have_their_prefix_and_256_random_bits);
    Suite *suite = suite_create("crypto");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
