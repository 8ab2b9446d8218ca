#include "grants/exchange.h"

#include "formats/json.h"
#include "tests/support/run_suite.h"
#include <stdio.h>
#include <string.h>

static struct grant_claims sample(void)
{
    return (struct grant_claims){
        .issuer = "https://id.example",
        .grant = "grt_1",
        .request = "req_1",
        .tenant = "main",
        .agent = "bot",
        .subject = "user/dana",
        .audience = "stored",
        .caller = "cal_1",
        .digest = "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872",
        .binding = "yNM9XG-K4Bg6xk5KzQd4GU0mYM6gMuDm5AWz0q1YeeM",
        .action = "bucket.read",
        .resource = "bucket/a",
        .policy = "1111111111111111111111111111111111111111111111111111111111111111",
        .token = "jti_1",
        .issued_at = 1700000000999,
        .expires_at = 1700000060000,
        .fence = 7,
    };
}

static struct json_document *claims_of(const struct exchange_audience *audience,
                                       const struct grant_claims *claims)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    grant_append_exchanged(audience, claims, &text);
    struct json_document *document = json_parse(text.bytes, text.length, NULL);
    ck_assert_ptr_nonnull(document);
    return document;
}

static const char *text_of(const struct json_document *document, const char *name)
{
    return json_text(json_member(json_root(document), name));
}

START_TEST(exchange__the_token_lives_as_long_as_its_audience_says_and_is_backdated)
{
    struct exchange_audience audience = {.audience = "payments", .lifetime_ms = 120000};
    struct grant_claims claims = sample();
    struct json_document *document JSON_SCOPE = claims_of(&audience, &claims);
    const struct json *root = json_root(document);
    ck_assert_double_eq(json_number(json_member(root, "exp")), 1700000120);
    ck_assert_double_eq(json_number(json_member(root, "iat")), 1699999995);
    ck_assert_double_eq(json_number(json_member(root, "nbf")), 1699999995);
    ck_assert_str_eq(text_of(document, "aud"), "payments");
    ck_assert_str_eq(text_of(document, "action"), "bucket.read");
    ck_assert_str_eq(text_of(document, "resource"), "bucket/a");
    ck_assert_ptr_null(json_member(root, "https://aws.amazon.com/tags"));
}
END_TEST

START_TEST(exchange__the_subject_is_as_configured)
{
    static const char *const expected[EXCHANGE_SUBJECT_COUNT] = {"user/dana", "agent:main:bot",
                                                                 "agent:main:bot:bucket.read"};
    struct exchange_audience audience = {
        .audience = "x", .lifetime_ms = 60000, .subject = (enum exchange_subject)_i};
    struct grant_claims claims = sample();
    struct json_document *document JSON_SCOPE = claims_of(&audience, &claims);
    ck_assert_str_eq(text_of(document, "sub"), expected[_i]);
}
END_TEST

static const struct {
    const char *resource;
    bool is_tagged;
} tags[] = {{"bucket/a", true},    {"a b_.:/=+-@9", true}, {"bucket/caf\xc3\xa9", false},
            {"bucket/(1)", false}, {"bucket/a\"b", false}, {"bucket/*", false},
            {"bucket/a,b", false}};

START_TEST(exchange__a_tag_is_what_was_approved_or_not_there)
{
    struct exchange_audience audience = {
        .audience = "sts.amazonaws.com", .lifetime_ms = 60000, .target = EXCHANGE_AWS};
    struct grant_claims claims = sample();
    snprintf(claims.resource, sizeof claims.resource, "%s", tags[_i].resource);
    struct json_document *document JSON_SCOPE = claims_of(&audience, &claims);
    const struct json *all = json_member(json_root(document), "https://aws.amazon.com/tags");
    const struct json *principal = json_member(all, "principal_tags");
    const struct json *tag = json_member(principal, "resource");
    ck_assert_uint_eq(json_count(principal), tags[_i].is_tagged ? 6 : 5);
    ck_assert_uint_eq(json_count(json_member(all, "transitive_tag_keys")), json_count(principal));
    if (tags[_i].is_tagged) {
        ck_assert_str_eq(json_text(json_element(tag, 0)), tags[_i].resource);
    } else {
        ck_assert_ptr_null(tag);
    }
    ck_assert_str_eq(text_of(document, "https://aws.amazon.com/source_identity"), "req_1");
    ck_assert_str_eq(text_of(document, "resource"), tags[_i].resource);
}
END_TEST

START_TEST(exchange__words_of_the_configuration)
{
    enum exchange_target target;
    enum exchange_subject subject;
    ck_assert(exchange_target_read("vault", &target) && target == EXCHANGE_VAULT);
    ck_assert(exchange_target_read("service", &target) && target == EXCHANGE_SERVICE);
    ck_assert(!exchange_target_read("", &target));
    ck_assert(!exchange_target_read("AWS", &target));
    ck_assert(exchange_subject_read("agent_action", &subject) &&
              subject == EXCHANGE_SUBJECT_AGENT_ACTION);
    ck_assert(!exchange_subject_read("agents", &subject));
    struct exchange_audience audiences[] = {{.audience = "a"}, {.audience = "b"}};
    ck_assert_ptr_eq(exchange_find(audiences, 2, "b"), &audiences[1]);
    ck_assert_ptr_null(exchange_find(audiences, 2, "B"));
    ck_assert_ptr_null(exchange_find(NULL, 0, "a"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grants: exchange");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, exchange__the_token_lives_as_long_as_its_audience_says_and_is_backdated);
    tcase_add_loop_test(tests, exchange__the_subject_is_as_configured, 0, EXCHANGE_SUBJECT_COUNT);
    tcase_add_loop_test(tests, exchange__a_tag_is_what_was_approved_or_not_there, 0,
                        sizeof tags / sizeof tags[0]);
    tcase_add_test(tests, exchange__words_of_the_configuration);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
