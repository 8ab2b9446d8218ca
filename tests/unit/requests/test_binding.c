#include "base/memory.h"
#include "formats/text.h"
#include "requests/authzen_binding.h"
#include "requests/binding.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_SECRET "not a secret: fixture"
#define SALT        "AAECAwQFBgcICQoLDA0ODw" /* the bytes 00 to 0f */

static const struct binding refund = {
    .tenant = "main",
    .agent = "billing-batch",
    .subject = "{\"id\":\"dana@example.com\",\"type\":\"user\"}",
    .action = "{\"name\":\"payments.refund\",\"properties\":{\"args\":{\"amount\":1500,"
              "\"currency\":\"EUR\",\"to\":\"Ren\xc3\xa9"
              "e \\\"R\\\" K.\"}}}",
    .resource = "{\"id\":\"4711\",\"type\":\"order\"}",
    .context = "{\"ticket\":\"T-17\"}",
    .audience = "payments-api",
};

static char *hex(struct sha256 hash)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_hex(&text, hash.bytes, sizeof hash.bytes);
    return builder_take(&text);
}

static void assert_hash(struct sha256 hash, const char *expected)
{
    char *found MEMORY_SCOPE = hex(hash);
    ck_assert_str_eq(found, expected);
}

static bool is_same(struct sha256 left, struct sha256 right)
{
    return memcmp(left.bytes, right.bytes, sizeof left.bytes) == 0;
}

/*
 * The worked example: anyone who holds a request can do this. The digest was computed apart from
 * this code, with Python's hashlib.sha256 over the same bytes (337 of them).
 */
START_TEST(binding__worked_example)
{
    static const char text[] =
        "{\"action\":{\"name\":\"payments.refund\",\"properties\":{\"args\":{\"amount\":1500,"
        "\"currency\":\"EUR\",\"to\":\"Ren\xc3\xa9"
        "e \\\"R\\\" K.\"}}},\"agent\":\"billing-batch\",\"audience\":\"payments-api\","
        "\"context\":{\"ticket\":\"T-17\"},\"resource\":{\"id\":\"4711\",\"type\":\"order\"},"
        "\"salt\":\"AAECAwQFBgcICQoLDA0ODw\",\"subject\":{\"id\":\"dana@example.com\","
        "\"type\":\"user\"},\"tenant\":\"main\",\"v\":1}";
    struct builder found BUILDER_SCOPE;
    builder_init(&found, 0);
    binding_append_text(&refund, SALT, &found);
    ck_assert_str_eq(found.bytes, text);
    ck_assert_uint_eq(found.length, 337);
    assert_hash(binding_digest(&refund, SALT),
                "90775479ccda50bfe860e79dccac8218f3c150f2d2ad0b4ba49733f5aacff872");
}
END_TEST

START_TEST(binding__audience_and_context_are_bound_when_there_are_none)
{
    struct binding plain = refund;
    plain.audience = "";
    plain.context = "{}";
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    binding_append_text(&plain, SALT, &text);
    ck_assert_ptr_nonnull(strstr(text.bytes, "\"audience\":\"\",\"context\":{},"));
    assert_hash(binding_digest(&plain, SALT),
                "1ca5e1cc02474f02e8a3e4db0f115fccce5304d8d0c215bce4cf9c681e4ab7eb");
}
END_TEST

START_TEST(binding__private_keys_are_hmacs_of_canonical_text)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    assert_hash(binding_match_key(&refund, "cal_1", key),
                "d7d3f64cdb80bbfda991ebbb3c452cdfe006ca99515fc5f852384dc2727c30e2");
    assert_hash(binding_effect_key(&refund, key),
                "be061384c4937831d2631850bd39243ce6f0f60afd1c3191de56ca6894499716");
    assert_hash(binding_near_key("main", "billing-batch", "payments.refund", "order/4711", key),
                "964ab91d0fd10d6aa7a207e7c7a8ac65a384ee1429162be0fc229607711c4a02");
    secret_destroy(key);
}
END_TEST

/* Each member with another value, and whether an unfinished effect of the one blocks the other. */
static const struct {
    const char *member;
    struct binding other;
    bool blocks;
} changes[] = {
#define OTHER(name, value, still_blocks)                                                           \
    {                                                                                              \
#name, {.name = (value) }, still_blocks                                                    \
    }
    OTHER(tenant, "other", false),
    OTHER(agent, "other", true),
    OTHER(subject, "{\"id\":\"eve@example.com\",\"type\":\"user\"}", false),
    OTHER(action, "{\"name\":\"payments.refund\",\"properties\":{\"args\":{\"amount\":1501}}}",
          false),
    OTHER(resource, "{\"id\":\"4712\",\"type\":\"order\"}", false),
    OTHER(context, "{\"ticket\":\"T-18\"}", true),
    OTHER(audience, "", true),
#undef OTHER
};

static struct binding changed(int index)
{
    struct binding binding = refund;
    const struct binding *other = &changes[index].other;
    binding.tenant = other->tenant != NULL ? other->tenant : binding.tenant;
    binding.agent = other->agent != NULL ? other->agent : binding.agent;
    binding.subject = other->subject != NULL ? other->subject : binding.subject;
    binding.action = other->action != NULL ? other->action : binding.action;
    binding.resource = other->resource != NULL ? other->resource : binding.resource;
    binding.context = other->context != NULL ? other->context : binding.context;
    binding.audience = other->audience != NULL ? other->audience : binding.audience;
    return binding;
}

START_TEST(binding__every_member_changes_the_digest_and_the_match_key)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    struct binding other = changed(_i);
    ck_assert_msg(!is_same(binding_digest(&refund, SALT), binding_digest(&other, SALT)),
                  "the digest leaves out %s", changes[_i].member);
    ck_assert_msg(
        !is_same(binding_match_key(&refund, "cal_1", key), binding_match_key(&other, "cal_1", key)),
        "the match key leaves out %s", changes[_i].member);
    secret_destroy(key);
}
END_TEST

START_TEST(binding__unfinished_effect_blocks_the_same_action_whichever_agent_asks)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    struct binding other = changed(_i);
    ck_assert_msg(is_same(binding_effect_key(&refund, key), binding_effect_key(&other, key)) ==
                      changes[_i].blocks,
                  "wrong for another %s", changes[_i].member);
    secret_destroy(key);
}
END_TEST

START_TEST(binding__salt_changes_the_digest)
{
    ck_assert(
        !is_same(binding_digest(&refund, SALT), binding_digest(&refund, "BAECAwQFBgcICQoLDA0ODw")));
}
END_TEST

START_TEST(binding__another_caller_is_no_repeat)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    ck_assert(!is_same(binding_match_key(&refund, "cal_1", key),
                       binding_match_key(&refund, "cal_2", key)));
    secret_destroy(key);
}
END_TEST

START_TEST(binding__another_secret_gives_other_keys)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    struct secret *other = secret_create("another fixture", 15);
    ck_assert(!is_same(binding_match_key(&refund, "cal_1", key),
                       binding_match_key(&refund, "cal_1", other)));
    ck_assert(!is_same(binding_effect_key(&refund, key), binding_effect_key(&refund, other)));
    secret_destroy(key);
    secret_destroy(other);
}
END_TEST

START_TEST(binding__near_repeats_share_tenant_agent_action_and_resource)
{
    struct secret *key = secret_create(FAKE_SECRET, strlen(FAKE_SECRET));
    struct sha256 near_key = binding_near_key("t", "a", "x", "r/1", key);
    ck_assert(is_same(near_key, binding_near_key("t", "a", "x", "r/1", key)));
    ck_assert(!is_same(near_key, binding_near_key("u", "a", "x", "r/1", key)));
    ck_assert(!is_same(near_key, binding_near_key("t", "b", "x", "r/1", key)));
    ck_assert(!is_same(near_key, binding_near_key("t", "a", "y", "r/1", key)));
    ck_assert(!is_same(near_key, binding_near_key("t", "a", "x", "r/2", key)));
    secret_destroy(key);
}
END_TEST

START_TEST(binding__text_cannot_reach_out_of_its_member)
{
    struct binding tricked = refund;
    tricked.agent = "a\",\"audience\":\"payroll";
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    binding_append_text(&tricked, SALT, &text);
    ck_assert_ptr_nonnull(strstr(text.bytes, "\"agent\":\"a\\\",\\\"audience\\\":\\\"payroll\","));
}
END_TEST

START_TEST(binding__salts_are_128_bits_and_never_the_same)
{
    char first[SALT_TEXT_BYTES];
    char second[SALT_TEXT_BYTES];
    unsigned char bytes[16];
    size_t length = 0;
    binding_make_salt(first);
    binding_make_salt(second);
    ck_assert_str_ne(first, second);
    ck_assert_uint_eq(strlen(first), 22);
    ck_assert(text_read_base64url(first, strlen(first), bytes, sizeof bytes, &length));
    ck_assert_uint_eq(length, sizeof bytes);
}
END_TEST

/* The request with one member that nobody filled in. */
static struct binding without(int index)
{
    struct binding half = refund;
    const char **members[] = {&half.tenant,   &half.agent,   &half.subject, &half.action,
                              &half.resource, &half.context, &half.audience};
    *members[index] = NULL;
    return half;
}

START_TEST(binding__half_a_request_has_no_digest)
{
    struct binding half = without(_i);
    (void)binding_digest(&half, SALT);
}
END_TEST

START_TEST(binding__half_a_request_has_no_match_key)
{
    struct binding half = without(_i);
    (void)binding_match_key(&half, "cal_1", secret_create(FAKE_SECRET, strlen(FAKE_SECRET)));
}
END_TEST

START_TEST(binding__half_a_request_has_no_effect_key)
{
    struct binding half = without(_i);
    (void)binding_effect_key(&half, secret_create(FAKE_SECRET, strlen(FAKE_SECRET)));
}
END_TEST

START_TEST(binding__half_a_request_has_no_near_key)
{
    const char *members[] = {"t", "a", "x", "r/1"};
    members[_i] = NULL;
    (void)binding_near_key(members[0], members[1], members[2], members[3],
                           secret_create(FAKE_SECRET, strlen(FAKE_SECRET)));
}
END_TEST

START_TEST(binding__no_match_key_without_caller)
{
    (void)binding_match_key(&refund, NULL, secret_create(FAKE_SECRET, strlen(FAKE_SECRET)));
}
END_TEST

START_TEST(binding__no_private_key_without_secret)
{
    (void)binding_effect_key(&refund, NULL);
}
END_TEST

START_TEST(binding__zeroed_binding_has_no_digest)
{
    struct binding zeroed = {0};
    (void)binding_digest(&zeroed, SALT);
}
END_TEST

START_TEST(binding__no_digest_without_salt)
{
    (void)binding_digest(&refund, "");
}
END_TEST

static void assert_authzen_hash(struct sha256 hash, const char *expected)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    text_append_base64url(&text, hash.bytes, sizeof hash.bytes);
    ck_assert_str_eq(text.bytes, expected);
}

/* The golden values of the notes on ARAP: computed elsewhere, from the draft's text. */
START_TEST(authzen_hash__golden_values)
{
    assert_authzen_hash(binding_authzen_hash("{\"id\":\"alice@example.com\",\"type\":\"user\"}",
                                             "{\"name\":\"invoke\"}",
                                             "{\"id\":\"crm.search_accounts\",\"type\":\"tool\"}",
                                             "{}", NULL),
                        "yNM9XG-K4Bg6xk5KzQd4GU0mYM6gMuDm5AWz0q1YeeM");
    assert_authzen_hash(
        binding_authzen_hash(
            "{\"id\":\"alice@example.com\",\"type\":\"user\"}",
            "{\"name\":\"tools/call\",\"properties\":{\"args\":{\"note\":\"café €/\\\"q\\\"\","
            "\"order\":\"A-17\",\"qty\":2}}}",
            "{\"id\":\"payments.refund\",\"properties\":{\"amount\":\"125.50\",\"currency\":"
            "\"EUR\"},\"type\":\"tool\"}",
            "{\"env\":\"prod\"}", NULL),
        "j0tMsWNgX3oy4M2HVBySDEpeTJncpgVd2q4uPHWDBP4");
}
END_TEST

/* Left: what was sent. Right: what is bound of it. */
static const struct {
    const char *subject, *context, *members, *bound_subject, *bound_context;
} equal_parts[] = {
    {"{\"id\":\"a\",\"properties\":{\"act\":{\"sub\":\"bot\"},\"r\":1},\"type\":\"user\"}", "{}",
     NULL, "{\"id\":\"a\",\"properties\":{\"r\":1},\"type\":\"user\"}", "{}"},
    {"{\"id\":\"a\",\"properties\":{\"act\":{\"sub\":\"bot\"}},\"type\":\"user\",\"zone\":2}", "{}",
     NULL, "{\"id\":\"a\",\"properties\":{},\"type\":\"user\",\"zone\":2}", "{}"},
    {"{\"act\":7,\"id\":\"a\",\"type\":\"user\"}", "{\"a\":1,\"b\":2,\"c\":{\"b\":3}}",
     "[\"b\",\"d\"]", "{\"act\":7,\"id\":\"a\",\"type\":\"user\"}", "{\"b\":2}"},
    {"{\"id\":\"\\\"act\\\":\",\"type\":\"user\"}", "{\"a\":1}", "[]",
     "{\"id\":\"\\\"act\\\":\",\"type\":\"user\"}", "{}"},
};

START_TEST(authzen_hash__leaves_out_who_acts_and_what_does_not_count)
{
    struct sha256 sent = binding_authzen_hash(equal_parts[_i].subject, "{\"name\":\"x\"}", "{}",
                                              equal_parts[_i].context, equal_parts[_i].members);
    struct sha256 bound = binding_authzen_hash(equal_parts[_i].bound_subject, "{\"name\":\"x\"}",
                                               "{}", equal_parts[_i].bound_context, NULL);
    ck_assert_mem_eq(sent.bytes, bound.bytes, SHA256_BYTES);
}
END_TEST

START_TEST(authzen_hash__every_part_changes_it)
{
    const char *parts[] = {"{\"id\":\"a\"}", "{\"name\":\"x\"}", "{\"id\":\"b\"}", "{\"c\":1}"};
    struct sha256 first = binding_authzen_hash(parts[0], parts[1], parts[2], parts[3], NULL);
    parts[_i] = "{\"other\":true}";
    struct sha256 other = binding_authzen_hash(parts[0], parts[1], parts[2], parts[3], NULL);
    ck_assert_mem_ne(first.bytes, other.bytes, SHA256_BYTES);
}
END_TEST

START_TEST(authzen_hash__names_of_a_context)
{
    struct builder names BUILDER_SCOPE;
    builder_init(&names, 0);
    binding_append_names("{\"a\":{\"x\":1},\"b\\n\":2}", &names);
    binding_append_names("{}", &names);
    ck_assert_str_eq(names.bytes, "[\"a\",\"b\\n\"][]");
}
END_TEST

int main(void)
{
    enum { CHANGE_COUNT = sizeof changes / sizeof changes[0] };
    Suite *suite = suite_create("requests/binding");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, crypto_start, NULL);
    tcase_add_test(tests, binding__worked_example);
    tcase_add_test(tests, binding__audience_and_context_are_bound_when_there_are_none);
    tcase_add_test(tests, binding__private_keys_are_hmacs_of_canonical_text);
    tcase_add_loop_test(tests, binding__every_member_changes_the_digest_and_the_match_key, 0,
                        CHANGE_COUNT);
    tcase_add_loop_test(tests,
                        binding__unfinished_effect_blocks_the_same_action_whichever_agent_asks, 0,
                        CHANGE_COUNT);
    tcase_add_test(tests, binding__salt_changes_the_digest);
    tcase_add_test(tests, binding__another_caller_is_no_repeat);
    tcase_add_test(tests, binding__another_secret_gives_other_keys);
    tcase_add_test(tests, binding__near_repeats_share_tenant_agent_action_and_resource);
    tcase_add_test(tests, binding__text_cannot_reach_out_of_its_member);
    tcase_add_test(tests, binding__salts_are_128_bits_and_never_the_same);
    tcase_add_test(tests, authzen_hash__golden_values);
    tcase_add_loop_test(tests, authzen_hash__leaves_out_who_acts_and_what_does_not_count, 0,
                        sizeof equal_parts / sizeof equal_parts[0]);
    tcase_add_loop_test(tests, authzen_hash__every_part_changes_it, 0, 4);
    tcase_add_test(tests, authzen_hash__names_of_a_context);
    tcase_add_loop_test_raise_signal(tests, binding__half_a_request_has_no_digest, SIGABRT, 0, 7);
    tcase_add_loop_test_raise_signal(tests, binding__half_a_request_has_no_match_key, SIGABRT, 0,
                                     7);
    tcase_add_loop_test_raise_signal(tests, binding__half_a_request_has_no_effect_key, SIGABRT, 0,
                                     7);
    tcase_add_loop_test_raise_signal(tests, binding__half_a_request_has_no_near_key, SIGABRT, 0, 4);
    tcase_add_test_raise_signal(tests, binding__no_match_key_without_caller, SIGABRT);
    tcase_add_test_raise_signal(tests, binding__no_private_key_without_secret, SIGABRT);
    tcase_add_test_raise_signal(tests, binding__zeroed_binding_has_no_digest, SIGABRT);
    tcase_add_test_raise_signal(tests, binding__no_digest_without_salt, SIGABRT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
