#include "crypto/crypto.h"
#include "crypto/signer.h"
#include "formats/text.h"
#include "notifiers/notifier.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct error error;

static void set_up(void)
{
    crypto_start();
    arena = arena_create();
    error = (struct error){0};
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static struct notifier_channel webhook(const char *first, const char *second)
{
    struct notifier_channel channel = {
        .name = "ops", .url = "https://ops.example/", .secret_count = 1};
    ck_assert(webhook_read_secret(first, strlen(first), &channel.secrets[0], &error));
    if (second != NULL) {
        ck_assert(webhook_read_secret(second, strlen(second), &channel.secrets[1], &error));
        channel.secret_count = 2;
    }
    return channel;
}

static const char *signature_of(const struct notifier_channel *channel, const char *body)
{
    struct notifier_message message;
    struct notifier_notice notice = {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek", .payload = body};
    ck_assert(
        webhook_notifier.compose(channel, &notice, 1614265330LL * 1000, arena, &message, &error));
    for (const char *const *header = message.headers; *header != NULL; header++) {
        if (strncmp(*header, "webhook-signature: ", 19) == 0) {
            return *header + 19;
        }
    }
    return NULL;
}

#define SPEC_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SPEC_BODY   "{\"test\": 2432232314}"
#define SPEC_SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* The specification's own vector. */
START_TEST(webhook__signs_as_the_specification_does)
{
    struct notifier_channel channel = webhook(SPEC_SECRET, NULL);
    ck_assert_str_eq(signature_of(&channel, SPEC_BODY), SPEC_SIGNED);
}
END_TEST

/* Seed 0 to 31. */
#define SEED "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

START_TEST(webhook__signs_with_both_secrets_while_receivers_change_over)
{
    struct notifier_channel channel = webhook(SEED, SPEC_SECRET);
    const char *both = signature_of(&channel, SPEC_BODY);
    ck_assert_int_eq(strncmp(both, "v1a,", 4), 0);
    ck_assert_str_eq(strchr(both, ' ') + 1, SPEC_SIGNED);
}
END_TEST

START_TEST(webhook__its_ed25519_signature_verifies_with_the_public_key_alone)
{
    struct notifier_channel channel = webhook(SEED, NULL);
    static const char text[] = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." SPEC_BODY;
    unsigned char seed[32];
    unsigned char public_key[65];
    unsigned char signature[64];
    size_t length;
    for (unsigned char i = 0; i < 32; i++) {
        seed[i] = i;
    }
    struct signer *signer = signer_from_seed(SIGNER_ED25519, seed);
    ck_assert_uint_eq(signer_public_key(signer, public_key), 32);
    signer_close(signer);
    const char *made = signature_of(&channel, SPEC_BODY);
    ck_assert_int_eq(strncmp(made, "v1a,", 4), 0);
    ck_assert(text_read_base64(made + 4, strlen(made + 4), signature, sizeof signature, &length));
    ck_assert(signer_verify_ed25519(public_key, text, sizeof text - 1, signature));
    ck_assert(!signer_verify_ed25519(public_key, text, sizeof text - 2, signature));
}
END_TEST

START_TEST(webhook__a_secret_of_another_form_is_refused_and_not_quoted)
{
    static const char *const wrong[] = {"",
                                        "whsec_",
                                        "whsec_c2hvcnQ=",
                                        "whsk_c2hvcnQ=",
                                        "secret_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                                        "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ=="};
    struct notifier_secret secret;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error refused = {0};
        ck_assert(!webhook_read_secret(wrong[i], strlen(wrong[i]), &secret, &refused));
        ck_assert_str_eq(refused.code, "bad_secret");
        ck_assert(wrong[i][0] == '\0' || strlen(wrong[i]) < 7 ||
                  strstr(refused.message, wrong[i] + 6) == NULL);
    }
}
END_TEST

START_TEST(webhook__is_never_sent_unsigned)
{
    struct notifier_channel channel = {.name = "ops", .url = "https://ops.example/"};
    struct notifier_notice notice = {.id = "ntc_1", .payload = "{}"};
    struct notifier_message message;
    ck_assert(!webhook_notifier.compose(&channel, &notice, 0, arena, &message, &error));
    ck_assert_str_eq(error.code, "webhook_unsigned");
}
END_TEST

static enum notifier_verdict judged(const struct notifier *notifier, long status)
{
    struct notifier_channel channel = {.name = "a"};
    struct notifier_notice notice = {.id = "ntc_1", .payload = "{}"};
    struct notifier_judgement judgement = {0};
    notifier->judge(&channel, &notice,
                    &(struct notifier_reply){.status = status, .retry_after_ms = 7, .body = ""},
                    arena, &judgement);
    ck_assert_ptr_null(judgement.address);
    return judgement.verdict;
}

START_TEST(judge__each_kind_knows_what_is_sent_what_is_hopeless_and_what_may_become_better)
{
    static const struct {
        const struct notifier *notifier;
        long status;
        enum notifier_verdict verdict;
    } cases[] = {
        {&webhook_notifier, 200, NOTIFIER_SENT},   {&webhook_notifier, 204, NOTIFIER_SENT},
        {&webhook_notifier, 302, NOTIFIER_RETRY},  {&webhook_notifier, 400, NOTIFIER_RETRY},
        {&webhook_notifier, 410, NOTIFIER_DEAD},   {&webhook_notifier, 500, NOTIFIER_RETRY},
        {&template_notifier, 202, NOTIFIER_SENT},  {&template_notifier, 404, NOTIFIER_DEAD},
        {&template_notifier, 401, NOTIFIER_RETRY}, {&template_notifier, 429, NOTIFIER_RETRY},
        {&template_notifier, 301, NOTIFIER_RETRY}, {&mail_notifier, 250, NOTIFIER_SENT},
        {&mail_notifier, 550, NOTIFIER_DEAD},      {&mail_notifier, 554, NOTIFIER_DEAD},
        {&mail_notifier, 535, NOTIFIER_RETRY},     {&mail_notifier, 451, NOTIFIER_RETRY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(judged(cases[i].notifier, cases[i].status) == cases[i].verdict, "%s %ld",
                      cases[i].notifier->kind, cases[i].status);
    }
}
END_TEST

START_TEST(retry__a_card_is_tried_again_sooner_and_both_give_up_in_the_end)
{
    int64_t waited = 0;
    int attempts = 1;
    ck_assert_int_eq(notifier_retry_after_ms(1, 0), 5000);
    ck_assert_int_eq(notifier_retry_card_after_ms(1, 0), 2000);
    ck_assert_int_eq(notifier_retry_card_after_ms(7, 0), 300 * 1000);
    ck_assert_int_le(notifier_retry_card_after_ms(3, 999), 16500);
    for (; notifier_retry_card_after_ms(attempts, 0) != 0 && attempts < 100; attempts++) {
        waited += notifier_retry_card_after_ms(attempts, 0);
    }
    ck_assert_int_lt(attempts, 20);
    ck_assert_int_gt(waited, 2LL * 24 * 3600 * 1000);
    ck_assert_int_eq(notifier_retry_after_ms(10, 0), 0);
}
END_TEST

START_TEST(mail__a_card_without_an_address_or_of_another_form_is_not_composed)
{
    struct notifier_channel channel = {
        .name = "mail", .url = "smtps://x:465/x", .from = "a@example.com"};
    struct notifier_notice notice = {.id = "ntc_1", .payload = "{}"};
    struct notifier_message message;
    ck_assert(!mail_notifier.compose(&channel, &notice, 0, arena, &message, &error));
    ck_assert_str_eq(error.code, "no_address");
    error = (struct error){0};
    notice.to = "b@example.com";
    ck_assert(!mail_notifier.compose(&channel, &notice, 0, arena, &message, &error));
    ck_assert_str_eq(error.code, "bad_card");
}
END_TEST

START_TEST(kinds__are_found_by_name_and_nothing_else_is)
{
    size_t count = 0;
    for (; notifier_kind(count) != NULL; count++) {
        ck_assert_str_eq(notifier_find(notifier_kind(count))->kind, notifier_kind(count));
    }
    ck_assert_uint_ge(count, 3);
    ck_assert_ptr_null(notifier_find("pigeon"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notifiers");
    TCase *tests = tcase_create("notifiers");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, webhook__signs_as_the_specification_does);
    tcase_add_test(tests, webhook__signs_with_both_secrets_while_receivers_change_over);
    tcase_add_test(tests, webhook__its_ed25519_signature_verifies_with_the_public_key_alone);
    tcase_add_test(tests, webhook__a_secret_of_another_form_is_refused_and_not_quoted);
    tcase_add_test(tests, webhook__is_never_sent_unsigned);
    tcase_add_test(tests,
                   judge__each_kind_knows_what_is_sent_what_is_hopeless_and_what_may_become_better);
    tcase_add_test(tests, retry__a_card_is_tried_again_sooner_and_both_give_up_in_the_end);
    tcase_add_test(tests, mail__a_card_without_an_address_or_of_another_form_is_not_composed);
    tcase_add_test(tests, kinds__are_found_by_name_and_nothing_else_is);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
