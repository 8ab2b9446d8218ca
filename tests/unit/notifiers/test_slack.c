#include "base/arena.h"
#include "formats/json.h"
#include "notifiers/notifier.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const struct notifier_channel channel = {.name = "approvals",
                                                .kind = "slack",
                                                .url = "https://slack.com/api/",
                                                .secret = "xoxb-EXAMPLE",
                                                .options = {{"channel", "C1"}},
                                                .option_count = 1};
static const char card[] =
    "{\"action\":\"a\",\"agent\":\"a\",\"digest\":\"0\",\"link\":\"https://a/\",\"moment\":"
    "\"asked\",\"request\":\"r\",\"resource\":\"r\",\"revision\":1,\"risk\":\"low\",\"state\":"
    "\"pending\",\"subject\":\"s\"}";

static bool compose(const char *address, struct notifier_message *out, struct error *error)
{
    struct notifier_notice notice = {.id = "ntc_1", .payload = card, .address = address};
    return slack_notifier.compose(&channel, &notice, 0, arena, out, error);
}

/* A text member of the message's body. */
static const char *said(const struct notifier_message *message, const char *name)
{
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(message->body, message->length, &error);
    ck_assert_msg(document != NULL, "%s", error.message);
    return arena_text(arena, json_text(json_member(json_root(document), name)));
}

START_TEST(slack__a_card_is_posted_once_and_then_changed_where_slack_put_it)
{
    struct notifier_message message;
    struct error error = {0};
    ck_assert(compose(NULL, &message, &error));
    ck_assert_str_eq(message.url, "https://slack.com/api/chat.postMessage");
    ck_assert_str_eq(said(&message, "channel"), "C1");
    ck_assert_ptr_null(said(&message, "ts"));
    ck_assert_str_eq(message.headers[2], "Authorization: Bearer xoxb-EXAMPLE");
    ck_assert(compose("{\"channel\":\"D9\",\"ts\":\"1.2\"}", &message, &error));
    ck_assert_str_eq(message.url, "https://slack.com/api/chat.update");
    ck_assert_str_eq(said(&message, "channel"), "D9");
    ck_assert_str_eq(said(&message, "ts"), "1.2");
}
END_TEST

START_TEST(slack__a_place_that_slack_did_not_answer_is_corrupt)
{
    struct notifier_message message;
    struct error error = {0};
    ck_assert(!compose("{\"channel\":\"C1\"}", &message, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

static struct notifier_judgement judge(long status, const char *body)
{
    struct notifier_notice notice = {.payload = card};
    struct notifier_reply reply = {
        .status = status, .body = body, .length = strlen(body), .retry_after_ms = 7000};
    struct notifier_judgement out = {0};
    slack_notifier.judge(&channel, &notice, &reply, arena, &out);
    return out;
}

START_TEST(slack__the_place_of_a_card_is_what_slack_answered)
{
    struct notifier_judgement got = judge(200, "{\"ok\":true,\"channel\":\"D9\",\"ts\":\"1.2\"}");
    ck_assert_int_eq(got.verdict, NOTIFIER_SENT);
    ck_assert_str_eq(got.address, "{\"channel\":\"D9\",\"ts\":\"1.2\"}");
    got = judge(200, "{\"ok\":true}");
    ck_assert_int_eq(got.verdict, NOTIFIER_SENT);
    ck_assert_ptr_null(got.address);
}
END_TEST

START_TEST(slack__what_another_attempt_may_mend_is_tried_again_and_nothing_else)
{
    static const struct {
        long status;
        const char *body;
        enum notifier_verdict verdict;
    } cases[] = {
        {429, "{\"ok\":false,\"error\":\"ratelimited\"}", NOTIFIER_RETRY},
        {200, "{\"ok\":false,\"error\":\"ratelimited\"}", NOTIFIER_RETRY},
        {200, "{\"ok\":false,\"error\":\"internal_error\"}", NOTIFIER_RETRY},
        {503, "", NOTIFIER_RETRY},
        {200, "", NOTIFIER_RETRY},
        {200, "<html>a proxy's page</html>", NOTIFIER_RETRY},
        {200, "{\"ok\":\"true\"}", NOTIFIER_RETRY},
        {200, "{\"ok\":false,\"error\":\"not_in_channel\"}", NOTIFIER_DEAD},
        {200, "{\"ok\":false,\"error\":\"invalid_auth\"}", NOTIFIER_DEAD},
        {200, "{\"ok\":false,\"error\":\"msg_blocks_too_long\"}", NOTIFIER_DEAD},
        {200, "{\"ok\":false,\"error\":\"something_new\"}", NOTIFIER_DEAD},
        {404, "", NOTIFIER_DEAD},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct notifier_judgement got = judge(cases[i].status, cases[i].body);
        ck_assert_msg(got.verdict == cases[i].verdict, "%s", cases[i].body);
        ck_assert_int_eq(got.retry_after_ms, 7000);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("slack");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, slack__a_card_is_posted_once_and_then_changed_where_slack_put_it);
    tcase_add_test(tests, slack__a_place_that_slack_did_not_answer_is_corrupt);
    tcase_add_test(tests, slack__the_place_of_a_card_is_what_slack_answered);
    tcase_add_test(tests, slack__what_another_attempt_may_mend_is_tried_again_and_nothing_else);
    Suite *suite = suite_create("slack");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
