#include "courier/courier.h"
#include "tests/support/run_suite.h"

static const char *const spared[] = {"hooks.inside", ".corp.example", "10.0.0.0/8", "fd00::/8",
                                     "192.0.2.7"};
static const struct courier_channel channel = {
    .proxy = "http://proxy:3128", .spared = spared, .spared_count = 5};

static const char *const around[] = {
    "https://hooks.inside/a",
    "https://HOOKS.Inside:8443/a",
    "https://hooks.inside./a",
    "https://a.corp.example",
    "smtps://mail.b.corp.example:465/x",
    "https://10.1.2.3/a?b",
    "https://[fd00::1]:8443/a",
    "https://192.0.2.7",
};
static const char *const through[] = {
    "https://hooks.inside.evil/a",
    "https://nothooks.inside/a",
    "https://corp.example/",
    "https://evilcorp.example/",
    "https://11.1.2.3/",
    "https://[fe80::1]/",
    "https://192.0.2.77/",
    "https://evil/hooks.inside",
    "https://10.1.2.3.evil/",
    "no address",
    "https://",
};

START_TEST(proxy__whoever_is_spared_is_reached_without)
{
    ck_assert_msg(courier_proxy_for(&channel, around[_i]) == NULL, "%s", around[_i]);
}
END_TEST

START_TEST(proxy__everybody_else_is_reached_through_it)
{
    ck_assert_msg(courier_proxy_for(&channel, through[_i]) == channel.proxy, "%s", through[_i]);
}
END_TEST

START_TEST(proxy__without_one_there_is_none)
{
    struct courier_channel direct = {.spared = spared, .spared_count = 5};
    ck_assert_ptr_null(courier_proxy_for(&direct, "https://elsewhere.example/"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy");
    TCase *tests = tcase_create("proxy");
    tcase_add_loop_test(tests, proxy__whoever_is_spared_is_reached_without, 0,
                        (int)(sizeof around / sizeof around[0]));
    tcase_add_loop_test(tests, proxy__everybody_else_is_reached_through_it, 0,
                        (int)(sizeof through / sizeof through[0]));
    tcase_add_test(tests, proxy__without_one_there_is_none);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
