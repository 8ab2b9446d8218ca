#include "notifiers/teams/teams_place.h"

#include "tests/support/run_suite.h"
#include <check.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(teams_place__the_token_goes_to_microsofts_connectors_and_where_the_operator_said)
{
    static const char own[] = "http://127.0.0.1:3978/teams/";
    static const char *const good[] = {
        "https://smba.trafficmanager.net/teams/", "https://smba.trafficmanager.net/de/0000-1/",
        "https://smba.trafficmanager.net",        "https://europe.api.botframework.com/",
        "http://127.0.0.1:3978/other/",           own,
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(teams_may_serve(good[i], own), "%s", good[i]);
    }
}
END_TEST

START_TEST(teams_place__it_goes_nowhere_else_however_that_is_written)
{
    static const char own[] = "https://bots.example.com/teams/";
    static const char *const bad[] = {
        "",
        "smba.trafficmanager.net",
        "http://smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://evil.example/smba.trafficmanager.net/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://evil.example:443@api.botframework.com/",
        "https://evil.example:443.botframework.com/",
        "https://evil.example:.botframework.com/",
        "https://api.botframework.com:8443/",
        "https://smba.trafficmanager.net:8443/",
        "https://.botframework.com/",
        "https://evilbotframework.com/",
        "https://botframework.com/",
        "https://evil.example\\.botframework.com/",
        "https://evil.example#.botframework.com/",
        "https://evil.example?.botframework.com/",
        "https://api.botframework.com/?to=evil",
        "https://api.botframework.com/#evil",
        "https://api.botframework.com/a/../../b",
        "https://api.botframework.com/a\r\nX: y",
        "HTTPS://api.botframework.com/",
        "https://bots.example.com:444/teams/",
        "https://bots.example.com.evil.example/",
        "http://bots.example.com/teams/",
        "file:///etc/passwd",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!teams_may_serve(bad[i], own), "%s", bad[i]);
    }
    ck_assert(!teams_may_serve(own, NULL));
}
END_TEST

START_TEST(teams_place__a_conversation_is_an_id_and_nothing_that_a_path_could_mistake)
{
    ck_assert(teams_is_conversation("19:abcDEF_-12@thread.tacv2"));
    ck_assert(teams_is_conversation("a:1_x"));
    static const char *const bad[] = {
        "",        ":",           "19abc", "19:a/b", "19:a?b", "19:a%2fb", "19:a;messageid=1",
        "19:a\nb", "19:\xC3\xA9", "19:a b"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!teams_is_conversation(bad[i]), "%s", bad[i]);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("teams_place");
    tcase_add_test(
        tests, teams_place__the_token_goes_to_microsofts_connectors_and_where_the_operator_said);
    tcase_add_test(tests, teams_place__it_goes_nowhere_else_however_that_is_written);
    tcase_add_test(tests,
                   teams_place__a_conversation_is_an_id_and_nothing_that_a_path_could_mistake);
    Suite *suite = suite_create("teams_place");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
