#include "notifiers/webhook/task_callback.h"

#include "notifiers/notifier.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const hosts[] = {"agents.example.com", "127.0.0.1:8443"};

static bool allows(const char *endpoint, bool allows_http)
{
    return task_callback_allows(endpoint, hosts, COUNT(hosts), allows_http);
}

START_TEST(task_callback__leads_to_a_listed_host_by_https)
{
    static const char *const good[] = {
        "https://agents.example.com",          "https://agents.example.com/",
        "https://Agents.Example.COM/a/b?c=d",  "https://agents.example.com?x",
        "https://127.0.0.1:8443/tasks/%20/@x", "https://agents.example.com/a//b:c",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(allows(good[i], false), "%s", good[i]);
    }
}
END_TEST

START_TEST(task_callback__whatever_could_lead_elsewhere_is_refused)
{
    static const char *const bad[] = {
        "",
        "https://",
        "https:///x",
        "agents.example.com",
        "ftp://agents.example.com/",
        "HTTPS://agents.example.com/",
        "https:/agents.example.com/",
        "https://agents.example.com.evil.example/",
        "https://evil.example/agents.example.com",
        "https://evil.example/https://agents.example.com",
        "https://agents.example.com@evil.example/",
        "https://user@agents.example.com/",
        "https://agents.example.com:443/",
        "https://agents.example.com:8443/",
        "https://127.0.0.1/",
        "https://127.0.0.1:84430/",
        "https://agents.example.com./",
        "https://agents.example.com\\@evil.example/",
        "https://agents.example.com/\\evil.example",
        "https://agents.example.com#@evil.example/",
        "https://agents.example.com/#x",
        "https://agents.example.com/ x",
        "https://agents.example.com/\r\nHost: evil.example",
        "https://agents.example.com/\xc3\xa4",
        "https://agents.example.com\t/",
        "https://%61gents.example.com/",
        " https://agents.example.com/",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!allows(bad[i], true), "%s", bad[i]);
    }
}
END_TEST

START_TEST(task_callback__plain_http_must_be_allowed_and_length_is_bounded)
{
    char endpoint[TASK_CALLBACK_ENDPOINT_BYTES_MAX + 2] = "https://agents.example.com/";
    ck_assert(!allows("http://agents.example.com/", false));
    ck_assert(allows("http://agents.example.com/", true));
    ck_assert(!task_callback_allows("https://agents.example.com/", hosts, 0, true));
    size_t length = strlen(endpoint);
    memset(endpoint + length, 'a', TASK_CALLBACK_ENDPOINT_BYTES_MAX - length);
    ck_assert(allows(endpoint, false));
    endpoint[TASK_CALLBACK_ENDPOINT_BYTES_MAX] = 'a';
    ck_assert(!allows(endpoint, false));
}
END_TEST

START_TEST(task_callback__a_host_is_a_name_and_perhaps_a_port)
{
    static const char *const good[] = {"a", "agents.example.com", "10.0.0.1:80", "x-1:65535"};
    static const char *const bad[] = {
        "",    "https://a", "a/",    "a:",     "a:x",    "a:123456", "*.a.example",
        "a b", "a@b",       "[::1]", "a:80/x", "a:80:80"};
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(task_callback_is_host(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!task_callback_is_host(bad[i]), "%s", bad[i]);
    }
}
END_TEST

START_TEST(task_callback__is_a_signed_webhook_to_its_endpoint)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct notifier_channel channel = {
        .name = "tasks", .secrets = {{.length = 24}}, .secret_count = 1};
    struct notifier_notice notice = {.id = "ntc_1", .payload = "{}", .to = "https://a.example/x"};
    struct notifier_message message;
    struct notifier_message plain;
    struct error error = {0};
    struct notifier_channel webhook = channel;
    webhook.url = "https://a.example/x";
    ck_assert(task_callback_notifier.compose(&channel, &notice, 1000, arena, &message, &error));
    ck_assert(webhook_notifier.compose(&webhook, &notice, 1000, arena, &plain, &error));
    ck_assert_str_eq(message.url, "https://a.example/x");
    ck_assert_str_eq(message.body, "{}");
    for (size_t i = 0; plain.headers[i] != NULL; i++) {
        ck_assert_str_eq(message.headers[i], plain.headers[i]);
    }
    notice.to = NULL;
    ck_assert(!task_callback_notifier.compose(&channel, &notice, 1000, arena, &message, &error));
    ck_assert_str_eq(error.code, "no_endpoint");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("task_callback");
    tcase_add_test(tests, task_callback__leads_to_a_listed_host_by_https);
    tcase_add_test(tests, task_callback__whatever_could_lead_elsewhere_is_refused);
    tcase_add_test(tests, task_callback__plain_http_must_be_allowed_and_length_is_bounded);
    tcase_add_test(tests, task_callback__a_host_is_a_name_and_perhaps_a_port);
    tcase_add_test(tests, task_callback__is_a_signed_webhook_to_its_endpoint);
    Suite *suite = suite_create("task_callback");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
