#include "base/arena.h"
#include "formats/text.h"
#include "notifiers/account_notice.h"
#include "notifiers/mail/mail_letter.h"
#include "notifiers/notifier.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

static struct arena *arena;

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const struct mail_envelope envelope = {
    .from = "gate@example.com", .to = "dana@example.com", .notice = "ntc_1", .now = 1764051863123};

static struct account_notice sample(void)
{
    return (struct account_notice){.moment = ACCOUNT_TOKEN_MADE,
                                   .actor = ACCOUNT_BY_PERSON,
                                   .by = "root",
                                   .account = "dana",
                                   .issuer = "https://gate.example.com",
                                   .at = 1764051863123,
                                   .facts = {{"Token", "tok_1"}},
                                   .fact_count = 1};
}

static struct account_notice through(const struct account_notice *notice)
{
    struct account_notice read;
    struct error error = {0};
    const char *json = account_notice_write(notice, arena);
    ck_assert_msg(account_notice_read(json, strlen(json), arena, &read, &error), "%s: %s", json,
                  error.message);
    return read;
}

/* Both parts, decoded, one behind the other. */
static const char *letter_of(const struct account_notice *notice)
{
    struct builder out BUILDER_SCOPE;
    struct builder plain BUILDER_SCOPE;
    struct error error = {0};
    unsigned char line[80];
    size_t length;
    builder_init(&out, 0);
    builder_init(&plain, 0);
    ck_assert_msg(mail_append_account(&out, notice, &envelope, arena, &error), "%s", error.message);
    for (const char *at = out.bytes; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, "\r");
        if (text_read_base64(at, bytes, line, sizeof line, &length)) {
            builder_append(&plain, (const char *)line, length);
        } else {
            builder_append(&plain, at, bytes);
            builder_text(&plain, "\n");
        }
        at = at[bytes] == '\0' ? NULL : at + bytes + 2;
    }
    return arena_copy(arena, plain.bytes, plain.length);
}

START_TEST(account_notice__every_moment_has_an_event_of_its_own_and_a_heading)
{
    for (int i = ACCOUNT_SIGNED_IN; i <= ACCOUNT_ENABLED; i++) {
        const char *event = account_event((enum account_moment)i);
        ck_assert_ptr_nonnull(event);
        ck_assert_int_eq(strncmp(event, "account.", 8), 0);
        ck_assert_uint_lt(strlen(event), ACCOUNT_EVENT_BYTES);
        ck_assert_int_eq(account_moment_of(event), i);
        ck_assert_ptr_nonnull(account_heading((enum account_moment)i));
    }
    ck_assert_ptr_null(account_event(0));
    ck_assert_ptr_null(account_event(ACCOUNT_ENABLED + 1));
    ck_assert_ptr_null(account_heading(0));
    ck_assert_int_eq(account_moment_of("request.pending"), 0);
    ck_assert_int_eq(account_moment_of("account."), 0);
}
END_TEST

START_TEST(account_notice__comes_back_as_it_was_written)
{
    struct account_notice notice = sample();
    notice.is_last = true;
    struct account_notice read = through(&notice);
    ck_assert_int_eq(read.moment, notice.moment);
    ck_assert_int_eq(read.actor, notice.actor);
    ck_assert_str_eq(read.by, "root");
    ck_assert_str_eq(read.account, "dana");
    ck_assert_str_eq(read.issuer, notice.issuer);
    ck_assert_int_eq(read.at, notice.at);
    ck_assert(read.is_last);
    ck_assert_uint_eq(read.fact_count, 1);
    ck_assert_str_eq(read.facts[0].label, "Token");
    ck_assert_str_eq(read.facts[0].value, "tok_1");
}
END_TEST

static const char *const broken[] = {
    "",
    "[]",
    "{",
    "{\"type\":\"account.token_made\"}",
    "{\"account\":\"dana\",\"issuer\":\"x\",\"timestamp\":\"2026-11-26T02:00:00.000Z\",\"type\":"
    "\"request.pending\"}",
    "{\"account\":\"dana\",\"issuer\":\"x\",\"timestamp\":\"yesterday\",\"type\":"
    "\"account.token_made\"}",
    "{\"account\":7,\"issuer\":\"x\",\"timestamp\":\"2026-11-26T02:00:00.000Z\",\"type\":"
    "\"account.token_made\"}",
};

START_TEST(account_notice__what_is_not_of_its_form_is_corrupt)
{
    struct account_notice read;
    struct error error = {0};
    const char *json = broken[_i];
    ck_assert(!account_notice_read(json, strlen(json), arena, &read, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

START_TEST(account_notice__hostile_texts_are_shown_cut_and_in_no_markup)
{
    char huge[4000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    struct account_notice notice = sample();
    notice.by = "\xe2\x80\xaeroot\r\nBcc: evil@example.com <script>";
    notice.facts[1] = (struct account_fact){"Group", huge};
    notice.fact_count = 2;
    struct account_notice read = through(&notice);
    const char *letter = letter_of(&read);
    ck_assert_ptr_null(strstr(letter, "\xe2\x80\xae"));
    ck_assert_ptr_null(strstr(letter, "\nBcc"));
    const char *html = strstr(letter, "<!doctype");
    ck_assert_ptr_nonnull(html);
    ck_assert_ptr_null(strstr(html, "<script>"));
    ck_assert_ptr_nonnull(strstr(html, "&lt;script&gt;"));
    ck_assert_uint_lt(strlen(letter), 6000);
}
END_TEST

START_TEST(account_notice__more_facts_than_there_may_be_are_left_out)
{
    struct account_notice read;
    struct error error = {0};
    const char *json =
        "{\"account\":\"dana\",\"facts\":[{\"label\":\"a\",\"value\":\"1\"},{\"label\":"
        "\"b\",\"value\":\"2\"},{\"label\":\"c\",\"value\":\"3\"},{\"label\":\"d\","
        "\"value\":\"4\"},{\"label\":\"e\",\"value\":\"5\"},{\"label\":7}],"
        "\"issuer\":\"x\",\"timestamp\":\"2026-11-26T02:00:00.000Z\",\"type\":"
        "\"account.token_made\"}";
    ck_assert(account_notice_read(json, strlen(json), arena, &read, &error));
    ck_assert_uint_eq(read.fact_count, ACCOUNT_FACTS_MAX);
    ck_assert_int_eq(read.actor, ACCOUNT_BY_GATEWAY);
    ck_assert_str_eq(account_actor_text(&read, arena), "the gateway");
}
END_TEST

START_TEST(account_notice__a_letter_says_what_who_when_and_what_to_do_and_holds_no_link)
{
    for (int i = ACCOUNT_SIGNED_IN; i <= ACCOUNT_ENABLED; i++) {
        struct account_notice notice = sample();
        notice.moment = (enum account_moment)i;
        const char *letter = letter_of(&notice);
        const char *heading = account_heading(notice.moment);
        ck_assert_ptr_nonnull(
            strstr(letter, arena_printf(arena, "Subject: [Countersign] %s\n", heading)));
        ck_assert_ptr_nonnull(strstr(letter, "Account: dana"));
        ck_assert_ptr_nonnull(strstr(letter, "By: root, another person"));
        ck_assert_ptr_nonnull(strstr(letter, "When: 2025-11-25T06:24:23.123Z"));
        ck_assert_ptr_nonnull(strstr(letter, "ask an admin of this gateway"));
        ck_assert_ptr_null(strstr(letter, "href"));
        ck_assert_ptr_null(strstr(letter, "References:"));
    }
}
END_TEST

START_TEST(account_notice__who_did_it_decides_what_the_owner_is_told_to_do)
{
    struct account_notice notice = sample();
    const char *others = account_advice(&notice);
    notice.actor = ACCOUNT_BY_HOST;
    ck_assert_str_eq(account_advice(&notice), others);
    static const enum account_actor own[] = {ACCOUNT_BY_OWNER, ACCOUNT_BY_LINK, ACCOUNT_BY_CODE,
                                             ACCOUNT_BY_GATEWAY};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        notice.actor = own[i];
        ck_assert_ptr_nonnull(strstr(account_advice(&notice), "If this was not you"));
        ck_assert_ptr_nonnull(account_actor_text(&notice, arena));
    }
}
END_TEST

START_TEST(account_notice__a_mail_channel_refuses_a_payload_that_is_none)
{
    struct notifier_channel channel = {.from = "gate@example.com", .url = "smtps://x"};
    struct notifier_notice notice = {
        .id = "ntc_1", .to = "dana@example.com", .payload = "{}", .is_account = true};
    struct notifier_message message;
    struct error error = {0};
    ck_assert(!mail_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    struct account_notice good = sample();
    notice.payload = account_notice_write(&good, arena);
    error = (struct error){0};
    ck_assert(mail_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    ck_assert(message.is_mail);
    notice.to = "dana@example.com\r\nRCPT TO:<evil@example.com>";
    ck_assert(!mail_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    ck_assert_str_eq(error.code, "bad_address");
}
END_TEST

START_TEST(account_notice__slack_tells_it_in_a_conversation_and_interprets_nothing)
{
    struct notifier_channel channel = {.url = "https://slack.com/api/", .secret = "xoxb-EXAMPLE"};
    struct account_notice told = sample();
    told.by = "<!channel> *root*";
    struct notifier_notice notice = {.id = "ntc_1",
                                     .to = "/T0TEAM/U0DANA",
                                     .payload = account_notice_write(&told, arena),
                                     .is_account = true};
    struct notifier_message message;
    struct error error = {0};
    ck_assert(!slack_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    ck_assert_str_eq(error.code, "no_place");
    notice.place = "D0DANA";
    ck_assert(slack_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    ck_assert_ptr_nonnull(strstr(message.url, "chat.postMessage"));
    ck_assert_ptr_nonnull(strstr(message.body, "\"channel\":\"D0DANA\""));
    ck_assert_ptr_nonnull(strstr(message.body, "<!channel> *root*, another person"));
    ck_assert_ptr_null(strstr(message.body, "mrkdwn"));
    ck_assert_ptr_null(strstr(message.body, "actions"));
    notice.payload = "{}";
    ck_assert(!slack_notifier.compose(&channel, &notice, 1, arena, &message, &error));
    notice.to = NULL;
    ck_assert(!slack_notifier.compose(&channel, &notice, 1, arena, &message, &error));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("account_notice");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, account_notice__every_moment_has_an_event_of_its_own_and_a_heading);
    tcase_add_test(tests, account_notice__comes_back_as_it_was_written);
    tcase_add_loop_test(tests, account_notice__what_is_not_of_its_form_is_corrupt, 0,
                        sizeof broken / sizeof broken[0]);
    tcase_add_test(tests, account_notice__hostile_texts_are_shown_cut_and_in_no_markup);
    tcase_add_test(tests, account_notice__more_facts_than_there_may_be_are_left_out);
    tcase_add_test(tests,
                   account_notice__a_letter_says_what_who_when_and_what_to_do_and_holds_no_link);
    tcase_add_test(tests, account_notice__who_did_it_decides_what_the_owner_is_told_to_do);
    tcase_add_test(tests, account_notice__slack_tells_it_in_a_conversation_and_interprets_nothing);
    tcase_add_test(tests, account_notice__a_mail_channel_refuses_a_payload_that_is_none);
    Suite *suite = suite_create("account_notice");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
