#include "crypto/totp.h"

#include "tests/support/run_suite.h"
#include <string.h>

/* RFC 6238 appendix B: the ASCII secret, eight digits. */
START_TEST(totp__codes_are_those_of_the_rfc)
{
    static const struct {
        int64_t at_s;
        const char *code;
    } vectors[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                   {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
    char code[TOTP_CODE_BYTES];
    totp_code("12345678901234567890", 20, vectors[_i].at_s / 30, 8, code);
    ck_assert_str_eq(code, vectors[_i].code);
    totp_code("12345678901234567890", 20, vectors[_i].at_s / 30, 6, code);
    ck_assert_str_eq(code, vectors[_i].code + 2);
}
END_TEST

/* The same secret in base32. */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
enum { AT_STEP = 37037036 }; /* 1111111109 */

static bool matches(const char *code, int64_t now_ms, int64_t last_step, int64_t *out_step)
{
    return totp_matches(SECRET, code, now_ms, last_step, out_step);
}

START_TEST(totp__a_code_is_good_a_step_before_and_after_and_no_more)
{
    int64_t step = 0;
    for (int64_t offset = -2; offset <= 2; offset++) {
        int64_t now_ms = (AT_STEP + offset) * TOTP_STEP_MS + 29999;
        ck_assert_int_eq(matches("081804", now_ms, 0, &step), offset >= -1 && offset <= 1);
    }
    ck_assert_int_eq(step, AT_STEP);
}
END_TEST

START_TEST(totp__a_code_is_taken_once)
{
    int64_t step = 0;
    int64_t now_ms = AT_STEP * TOTP_STEP_MS;
    ck_assert(matches("081804", now_ms, AT_STEP - 1, &step));
    ck_assert(!matches("081804", now_ms, step, &step));
    ck_assert(!matches("081804", now_ms, step + 1, &step));
}
END_TEST

START_TEST(totp__what_is_no_code_or_no_secret_matches_nothing)
{
    int64_t step = 0;
    int64_t now_ms = AT_STEP * TOTP_STEP_MS;
    static const char *const codes[] = {"", "81804", "0081804", "07081804", "081805", "08180 "};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        ck_assert(!matches(codes[i], now_ms, 0, &step));
    }
    ck_assert(!totp_matches("", "081804", now_ms, 0, &step));
    ck_assert(!totp_matches("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "081804", now_ms, 0, &step));
    ck_assert(!totp_matches(SECRET "A", "081804", now_ms, 0, &step));
    ck_assert(!totp_matches("1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "081804", now_ms, 0, &step));
}
END_TEST

START_TEST(totp__a_made_secret_is_its_own)
{
    char first[TOTP_SECRET_TEXT_BYTES];
    char second[TOTP_SECRET_TEXT_BYTES];
    totp_make_secret(first);
    totp_make_secret(second);
    ck_assert_uint_eq(strlen(first), TOTP_SECRET_TEXT_BYTES - 1);
    ck_assert_uint_eq(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), strlen(first));
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(totp__a_recovery_code_is_the_same_however_it_is_typed)
{
    char code[RECOVERY_CODE_BYTES];
    totp_make_recovery_code(code);
    ck_assert_uint_eq(strlen(code), RECOVERY_CODE_BYTES - 1);
    ck_assert_int_eq(code[4], '-');
    struct sha256 one = totp_recovery_hash("abcd-efgh-ijkl-mnop");
    struct sha256 other = totp_recovery_hash("ABCD EFGHIJKL mnop");
    struct sha256 third = totp_recovery_hash("abcd-efgh-ijkl-mnoq");
    ck_assert_mem_eq(one.bytes, other.bytes, sizeof one.bytes);
    ck_assert_mem_ne(one.bytes, third.bytes, sizeof one.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("totp");
    TCase *cases = tcase_create("totp");
    tcase_add_loop_test(cases, totp__codes_are_those_of_the_rfc, 0, 6);
    tcase_add_test(cases, totp__a_code_is_good_a_step_before_and_after_and_no_more);
    tcase_add_test(cases, totp__a_code_is_taken_once);
    tcase_add_test(cases, totp__what_is_no_code_or_no_secret_matches_nothing);
    tcase_add_test(cases, totp__a_made_secret_is_its_own);
    tcase_add_test(cases, totp__a_recovery_code_is_the_same_however_it_is_typed);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
