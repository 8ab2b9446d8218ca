#include "crypto/password.h"

#include "tests/support/run_suite.h"
#include <string.h>
#include <sys/resource.h>

static struct error error;

static bool matches(const char *hash, const char *password)
{
    bool is_match = false;
    error = (struct error){0};
    ck_assert(password_verify(hash, password, strlen(password), &is_match, &error));
    return is_match;
}

START_TEST(password__matches_its_own_hash_and_no_other)
{
    char hash[PASSWORD_HASH_BYTES];
    char again[PASSWORD_HASH_BYTES];
    ck_assert(password_hash("not a real password", 19, hash, &error));
    ck_assert(password_hash("not a real password", 19, again, &error));
    ck_assert_str_ne(hash, again);
    ck_assert(strncmp(hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31) == 0);
    ck_assert(matches(hash, "not a real password"));
    ck_assert(matches(again, "not a real password"));
    ck_assert(!matches(hash, "not a real passwore"));
    ck_assert(!matches(hash, ""));
}
END_TEST

START_TEST(password__no_hash_matches_nothing)
{
    ck_assert(!matches("", ""));
    ck_assert(!matches("not a hash", "not a hash"));
    ck_assert(!matches("$argon2id$v=19$m=65536,t=3,p=1$", ""));
}
END_TEST

START_TEST(password__the_dummy_costs_what_a_real_one_does)
{
    ck_assert(!password_is_outdated(password_dummy_hash()));
    ck_assert(!matches(password_dummy_hash(), "not a real password"));
    ck_assert_uint_lt(strlen(password_dummy_hash()), PASSWORD_HASH_BYTES);
}
END_TEST

START_TEST(password__other_parameters_are_outdated)
{
    ck_assert(password_is_outdated("$argon2id$v=19$m=65536,t=2,p=1$GVbNp1DhlB+mRi5OlbfdCw$"
                                   "nGtMwzAY2QYSSlX9/MDRgrHQvQMjDmt7OPqtsXGvx+8"));
    ck_assert(password_is_outdated("not a hash"));
}
END_TEST

/* What cannot be computed is no wrong password: nobody is refused for want of memory. */
START_TEST(password__want_of_memory_is_no_mismatch)
{
    struct rlimit limit = {.rlim_cur = 32 * 1024 * 1024, .rlim_max = 32 * 1024 * 1024};
    char hash[PASSWORD_HASH_BYTES];
    bool is_match = true;
#ifdef __SANITIZE_ADDRESS__
    return; /* the shadow alone is more than any limit that would be met */
#endif
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert(!password_hash("not a real password", 19, hash, &error));
    ck_assert_int_eq(error.kind, ERROR_RETRY_LATER);
    ck_assert_str_eq(error.code, "no_memory");
    error = (struct error){0};
    ck_assert(
        !password_verify(password_dummy_hash(), "not a real password", 19, &is_match, &error));
    ck_assert_int_eq(error.kind, ERROR_RETRY_LATER);
    ck_assert(is_match); /* untouched */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypto/password");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_test(tests, password__matches_its_own_hash_and_no_other);
    tcase_add_test(tests, password__no_hash_matches_nothing);
    tcase_add_test(tests, password__the_dummy_costs_what_a_real_one_does);
    tcase_add_test(tests, password__other_parameters_are_outdated);
    tcase_add_test(tests, password__want_of_memory_is_no_mismatch);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
