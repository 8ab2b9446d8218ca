#include "policy/cel/base64_internal.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xef\xbe", "/+++"},
};

START_TEST(base64__the_vectors_of_rfc_4648_go_both_ways)
{
    const char *text = vectors[_i].text;
    char encoded[16];
    unsigned char decoded[16];
    size_t length, expected = strlen(vectors[_i].bytes);
    cel_base64_encode(encoded, (const unsigned char *)vectors[_i].bytes, expected);
    ck_assert_uint_eq(cel_base64_encoded_bytes(expected), strlen(text));
    ck_assert_mem_eq(encoded, text, strlen(text));
    size_t unpadded = strcspn(text, "=");
    const size_t lengths[] = {strlen(text), unpadded};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(cel_base64_decode(decoded, text, lengths[i], &length));
        ck_assert_uint_eq(length, expected);
        ck_assert_uint_le(length, cel_base64_decoded_bytes(lengths[i]));
        ck_assert_mem_eq(decoded, vectors[_i].bytes, expected);
    }
}
END_TEST

static const char *const wrong[] = {"Z",    "Zg=",    "Zg===", "Z===", "====",     "=",     "Zh==",
                                    "Zm9=", "Zm9v\n", "Zm 9v", "Zm9-", "Zg==Zg==", "Zg==a", "=Zg="};

START_TEST(base64__what_is_none_is_refused)
{
    unsigned char decoded[16];
    size_t length;
    ck_assert_msg(!cel_base64_decode(decoded, wrong[_i], strlen(wrong[_i]), &length),
                  "`%s` was decoded", wrong[_i]);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("base64");
    tcase_add_loop_test(tests, base64__the_vectors_of_rfc_4648_go_both_ways, 0,
                        sizeof vectors / sizeof *vectors);
    tcase_add_loop_test(tests, base64__what_is_none_is_refused, 0, sizeof wrong / sizeof *wrong);
    Suite *suite = suite_create("base64");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
