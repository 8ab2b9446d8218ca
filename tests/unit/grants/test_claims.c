#include "base/memory.h"
#include "grants/grant.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINDING "yNM9XG-K4Bg6xk5KzQd4GU0mYM6gMuDm5AWz0q1YeeM"
#define POLICY  "1111111111111111111111111111111111111111111111111111111111111111"
#define DETAILS                                                                                    \
    "[{\"actions\":[\"payments.refund\"],\"identifier\":\"order/4711\","                             \
    "\"type\":\"urn:countersign:action\"}]"
#define DIGEST "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872"

static const struct grant_claims claims = {
    .issuer = "https://countersign.example",
    .grant = "grt_1",
    .request = "req_1",
    .tenant = "main",
    .agent = "billing-batch",
    .subject = "user/dana@example.com",
    .audience = "payments-api",
    .caller = "cal_1",
    .digest = DIGEST,
    .binding = BINDING,
    .action = "payments.refund",
    .resource = "order/4711",
    .policy = POLICY,
    .token = "jti_2",
    .is_bearer = true,
    .issued_at = 1700000000123,
    .expires_at = 1700000060000,
};

static const char payload[] =
    "{\"act\":{\"sub\":\"billing-batch\"},\"aud\":\"payments-api\","
    "\"authorization_details\":" DETAILS ",\"bearer\":true,\"binding_hash\":\"" BINDING "\","
    "\"client_id\":\"cal_1\",\"digest\":\"" DIGEST "\",\"exp\":1700000060,\"grant\":\"grt_1\","
    "\"iat\":1700000000,\"iss\":\"https://countersign.example\",\"jti\":\"jti_2\","
    "\"policy_version\":\"" POLICY "\",\"sub\":\"user/dana@example.com\",\"tenant\":\"main\",\"txn\":\"req_1\"}";

static void assert_same(const struct grant_claims *found, const struct grant_claims *expected)
{
    ck_assert_str_eq(found->issuer, expected->issuer);
    ck_assert_str_eq(found->grant, expected->grant);
    ck_assert_str_eq(found->request, expected->request);
    ck_assert_str_eq(found->tenant, expected->tenant);
    ck_assert_str_eq(found->agent, expected->agent);
    ck_assert_str_eq(found->subject, expected->subject);
    ck_assert_str_eq(found->audience, expected->audience);
    ck_assert_str_eq(found->caller, expected->caller);
    ck_assert_str_eq(found->digest, expected->digest);
    ck_assert_str_eq(found->binding, expected->binding);
    ck_assert_str_eq(found->action, expected->action);
    ck_assert_str_eq(found->resource, expected->resource);
    ck_assert_str_eq(found->policy, expected->policy);
    ck_assert_str_eq(found->token, expected->token);
    ck_assert_int_eq(found->is_bearer, expected->is_bearer);
    ck_assert_int_eq(found->issued_at, expected->issued_at - expected->issued_at % 1000);
    ck_assert_int_eq(found->expires_at, expected->expires_at);
    ck_assert_int_eq(found->fence, expected->fence);
}

START_TEST(claims__are_written_as_canonical_json)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    grant_append_claims(&claims, &text);
    ck_assert_str_eq(text.bytes, payload);
}
END_TEST

START_TEST(claims__read_back_as_written)
{
    struct grant_claims found = {0};
    struct error error = {0};
    ck_assert_msg(grant_read_claims(payload, strlen(payload), &found, &error), "%s", error.message);
    assert_same(&found, &claims);
}
END_TEST

START_TEST(claims__of_a_redeemed_token_carry_the_fence)
{
    struct grant_claims redeemed = claims;
    redeemed.fence = grant_fence(1, 7);
    redeemed.is_bearer = false;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    grant_append_claims(&redeemed, &text);
    ck_assert_ptr_nonnull(strstr(text.bytes, "\"fence\":1099511627783,"));
    struct grant_claims found = {0};
    ck_assert(grant_read_claims(text.bytes, text.length, &found, NULL));
    assert_same(&found, &redeemed);
}
END_TEST

START_TEST(claims__longest_names_read_back)
{
    struct grant_claims longest = claims;
    memset(longest.issuer, '"', sizeof longest.issuer - 1);
    memset(longest.subject, '\\', sizeof longest.subject - 1);
    memset(longest.audience, '"', sizeof longest.audience - 1);
    memset(longest.action, '"', sizeof longest.action - 1);
    memset(longest.resource, '"', sizeof longest.resource - 1);
    memset(longest.tenant, 't', sizeof longest.tenant - 1);
    memset(longest.agent, 'a', sizeof longest.agent - 1);
    memset(longest.grant, 'g', sizeof longest.grant - 1);
    memset(longest.request, 'r', sizeof longest.request - 1);
    memset(longest.caller, 'c', sizeof longest.caller - 1);
    memset(longest.token, 'j', sizeof longest.token - 1);
    longest.fence = (INT64_C(1) << 53) - 1;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    grant_append_claims(&longest, &text);
    ck_assert_uint_le(text.length, GRANT_CLAIMS_BYTES_MAX);
    struct grant_claims found = {0};
    ck_assert(grant_read_claims(text.bytes, text.length, &found, NULL));
    assert_same(&found, &longest);
}
END_TEST

/* The payload with `part` replaced by `with`; free it. */
static char *edited(const char *part, const char *with)
{
    const char *found = strstr(payload, part);
    ck_assert_msg(found != NULL, "no `%s` to replace", part);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_append(&text, payload, (size_t)(found - payload));
    builder_text(&text, with);
    builder_text(&text, found + strlen(part));
    return builder_take(&text);
}

static void assert_refused(const char *text, size_t length)
{
    struct grant_claims found = claims;
    struct error error = {0};
    ck_assert_msg(!grant_read_claims(text, length, &found, &error), "accepted: %s", text);
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_str_eq(error.code, "invalid_token");
    ck_assert_ptr_null(strstr(error.message, "dana"));
    ck_assert_msg(memcmp(&found, &claims, sizeof found) == 0, "a refusal must write nothing");
}

static const struct {
    const char *part;
    const char *with;
} faults[] = {
    /* each member missing */
    {"\"act\":{\"sub\":\"billing-batch\"},", ""},
    {"\"aud\":\"payments-api\",", ""},
    {"\"authorization_details\":" DETAILS ",", ""},
    {"\"bearer\":true,", ""},
    {"\"binding_hash\":\"" BINDING "\",", ""},
    {"\"policy_version\":\"" POLICY "\",", ""},
    /* more than one thing, or another kind of thing */
    {DETAILS, "[]"},
    {DETAILS, "{}"},
    {"[\"payments.refund\"]", "[\"payments.refund\",\"x\"]"},
    {"[\"payments.refund\"]", "\"payments.refund\""},
    {"\"identifier\":\"order/4711\",", ""},
    {"\"identifier\":\"order/4711\",", "\"identifier\":\"order/4711\",\"locations\":[],"},
    {"urn:countersign:action", "urn:countersign:other"},
    {POLICY, "111"},
    {BINDING, "short"},
    {"\"client_id\":\"cal_1\",", ""},
    {"\"digest\":\"" DIGEST "\",", ""},
    {"\"exp\":1700000060,", ""},
    {"\"grant\":\"grt_1\",", ""},
    {"\"iat\":1700000000,", ""},
    {"\"iss\":\"https://countersign.example\",", ""},
    {"\"jti\":\"jti_2\",", ""},
    {"\"sub\":\"user/dana@example.com\",", ""},
    {"\"tenant\":\"main\",", ""},
    {",\"txn\":\"req_1\"", ""},
    /* of another type */
    {"{\"sub\":\"billing-batch\"}", "\"billing-batch\""},
    {"{\"sub\":\"billing-batch\"}", "{\"sub\":1}"},
    {"{\"sub\":\"billing-batch\"}", "{}"},
    {"\"payments-api\"", "[\"payments-api\"]"},
    {"\"payments-api\"", "\"\""},
    {"\"payments-api\"", "\"payments-api\\u0000x\""},
    {"\"bearer\":true", "\"bearer\":\"true\""},
    {"\"bearer\":true", "\"bearer\":1"},
    {"\"bearer\":true", "\"bearer\":null"},
    {"\"cal_1\"", "\"cal_1234567890123456789012345678\""}, /* one too long */
    {"\"jti_2\"", "null"},
    {"1700000060", "\"1700000060\""},
    {"1700000060", "1700000060.5"},
    /* times that cannot be */
    {"1700000060", "1700000000"},
    {"1700000060", "-1"},
    {"1700000060", "253402300800"},
    {"1700000000", "-1"},
    /* digests that are none */
    {"90775479", "9077547"},
    {"90775479", "907754790"},
    {"90775479", "9077547g"},
    {"ccda50bf", "CCDA50BF"},
    /* members that are not ours */
    {"{\"act\"", "{\"alg\":\"none\",\"act\""},
    {"{\"sub\":\"billing-batch\"}", "{\"sub\":\"billing-batch\",\"act\":{\"sub\":\"x\"}}"},
    {"{\"act\"", "{\"tenant\":\"other\",\"act\""},
    /* fences that are none */
    {"\"exp\"", "\"fence\":0,\"exp\""},
    {"\"exp\"", "\"fence\":-5,\"exp\""},
    {"\"exp\"", "\"fence\":null,\"exp\""},
    {"\"exp\"", "\"fence\":\"7\",\"exp\""},
    /* not one object */
    {"\"req_1\"}", "\"req_1\"}{}"},
    {"\"req_1\"}", "\"req_1\""},
};

START_TEST(claims__of_any_other_form_are_refused)
{
    char *text MEMORY_SCOPE = edited(faults[_i].part, faults[_i].with);
    assert_refused(text, strlen(text));
}
END_TEST

START_TEST(claims__that_are_no_object_are_refused)
{
    assert_refused("", 0);
    assert_refused("null", 4);
    assert_refused("[]", 2);
    assert_refused("{}", 2);
    assert_refused("\"x\"", 3);
}
END_TEST

START_TEST(claims__cut_short_anywhere_are_refused)
{
    for (size_t length = 0; length < strlen(payload); length++) {
        assert_refused(payload, length);
    }
}
END_TEST

START_TEST(claims__longer_than_any_of_ours_are_refused_unread)
{
    size_t length = strlen(payload) + GRANT_CLAIMS_BYTES_MAX;
    char *text MEMORY_SCOPE = memory_zeroed(length + 1, 1);
    memset(text, ' ', length);
    memcpy(text, payload, strlen(payload));
    struct grant_claims found = {0};
    ck_assert(grant_read_claims(text, GRANT_CLAIMS_BYTES_MAX, &found, NULL));
    assert_refused(text, GRANT_CLAIMS_BYTES_MAX + 1);
}
END_TEST

START_TEST(claims__zeroed_are_no_claims)
{
    struct grant_claims zeroed = {0};
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    grant_append_claims(&zeroed, &text);
    assert_refused(text.bytes, text.length);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grants/claims");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, claims__are_written_as_canonical_json);
    tcase_add_test(tests, claims__read_back_as_written);
    tcase_add_test(tests, claims__of_a_redeemed_token_carry_the_fence);
    tcase_add_test(tests, claims__longest_names_read_back);
    tcase_add_loop_test(tests, claims__of_any_other_form_are_refused, 0,
                        (int)(sizeof faults / sizeof faults[0]));
    tcase_add_test(tests, claims__that_are_no_object_are_refused);
    tcase_add_test(tests, claims__cut_short_anywhere_are_refused);
    tcase_add_test(tests, claims__longer_than_any_of_ours_are_refused_unread);
    tcase_add_test(tests, claims__zeroed_are_no_claims);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
