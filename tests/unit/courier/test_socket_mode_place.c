#include "courier/socket_mode_internal.h"

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

static bool read_place(const char *body, bool is_any_host, struct socket_mode_place *out)
{
    struct error error = {0};
    *out = (struct socket_mode_place){0};
    bool ok = socket_mode_read_place(body, strlen(body), 200, is_any_host, arena, out, &error);
    ck_assert(ok || error.kind == ERROR_RETRY_LATER);
    return ok;
}

START_TEST(socket_mode__a_place_within_slack_is_taken)
{
    struct socket_mode_place place;
    ck_assert(read_place("{\"ok\":true,\"url\":\"wss://wss-primary.slack.com/link/?ticket=1\"}",
                         false, &place));
    ck_assert_str_eq(place.url, "wss://wss-primary.slack.com/link/?ticket=1");
}
END_TEST

START_TEST(socket_mode__no_other_place_is_taken_unless_for_tests)
{
    static const char *const urls[] = {"ws://wss.slack.com/",
                                       "https://wss.slack.com/",
                                       "wss://slack.com.evil.example/",
                                       "wss://evilslack.com/",
                                       "wss://evil.example/.slack.com",
                                       "wss://a.slack.com@evil.example/",
                                       "wss://evil.example?.slack.com",
                                       "wss://evil.example#.slack.com",
                                       "wss://.slack.com/",
                                       "wss://slack.com/",
                                       ""};
    struct socket_mode_place place;
    for (size_t i = 0; i < COUNT(urls); i++) {
        const char *body = arena_printf(arena, "{\"ok\":true,\"url\":\"%s\"}", urls[i]);
        ck_assert_msg(!read_place(body, false, &place), "%s", urls[i]);
        ck_assert_ptr_null(place.url);
    }
    ck_assert(read_place("{\"ok\":true,\"url\":\"ws://127.0.0.1:1/\"}", true, &place));
}
END_TEST

START_TEST(socket_mode__what_only_a_person_can_mend_is_hopeless)
{
    struct socket_mode_place place;
    ck_assert(!read_place("{\"ok\":false,\"error\":\"invalid_auth\"}", false, &place));
    ck_assert(place.is_hopeless);
    ck_assert(!read_place("{\"ok\":false,\"error\":\"internal_error\"}", false, &place));
    ck_assert(!place.is_hopeless);
    ck_assert(!read_place("<html>", false, &place));
    ck_assert(!place.is_hopeless);
    ck_assert(!read_place("{\"ok\":true}", false, &place));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("socket_mode_place");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, socket_mode__a_place_within_slack_is_taken);
    tcase_add_test(tests, socket_mode__no_other_place_is_taken_unless_for_tests);
    tcase_add_test(tests, socket_mode__what_only_a_person_can_mend_is_hopeless);
    Suite *suite = suite_create("socket_mode_place");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
