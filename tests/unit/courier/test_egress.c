#include "courier/courier.h"

#include "tests/support/run_suite.h"
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool may_reach(const struct courier_channel *channel, const char *text)
{
    unsigned char address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool is_ipv6 = strchr(text, ':') != NULL;
    ck_assert_int_eq(
        inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, is_ipv6 ? address : address + 12), 1);
    return courier_may_reach(channel, address);
}

START_TEST(egress__what_is_public_is_reached)
{
    static const char *const good[] = {"1.1.1.1",      "8.8.8.8",         "172.15.255.255",
                                       "172.32.0.1",   "100.63.255.255",  "100.128.0.1",
                                       "192.0.1.1",    "223.255.255.255", "168.63.129.15",
                                       "2606:4700::1", "2a00:1450::1",    "2001:4860:4860::8888",
                                       "2001:200::1",  "3ffe::1"};
    const struct courier_channel channel = {.allows_http = true};
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(may_reach(&channel, good[i]), "%s", good[i]);
    }
}
END_TEST

START_TEST(egress__what_is_not_is_not_reached)
{
    static const char *const bad[] = {"0.0.0.0",
                                      "0.1.2.3",
                                      "10.1.2.3",
                                      "100.64.0.1",
                                      "127.0.0.1",
                                      "127.255.255.254",
                                      "169.254.169.254",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.0.0.192",
                                      "192.0.2.1",
                                      "192.88.99.1",
                                      "192.168.0.1",
                                      "198.18.0.1",
                                      "198.19.255.255",
                                      "198.51.100.1",
                                      "203.0.113.1",
                                      "224.0.0.1",
                                      "240.0.0.1",
                                      "255.255.255.255",
                                      "168.63.129.16",
                                      "::",
                                      "::1",
                                      "::127.0.0.1",
                                      "::ffff:127.0.0.1",
                                      "::ffff:169.254.169.254",
                                      "64:ff9b::7f00:1",
                                      "64:ff9b:1::7f00:1",
                                      "100::1",
                                      "2001::1",
                                      "2001:2::1",
                                      "2001:10::1",
                                      "2001:20::1",
                                      "2001:1ff::1",
                                      "2001:db8::1",
                                      "2002:7f00:1::1",
                                      "3fff::1",
                                      "3fff:fff::1",
                                      "5f00::1",
                                      "fc00::1",
                                      "fd00:ec2::254",
                                      "fe80::1",
                                      "fec0::1",
                                      "ff02::1"};
    const struct courier_channel channel = {.allows_http = true};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!may_reach(&channel, bad[i]), "%s", bad[i]);
    }
}
END_TEST

START_TEST(egress__what_the_operator_allows_is_reached_and_nothing_beside_it)
{
    struct courier_channel channel = {.allowed_count = 2};
    struct error error = {0};
    ck_assert(courier_read_network("10.1.0.0/16", &channel.allowed[0], &error));
    ck_assert(courier_read_network("fd00:1::/32", &channel.allowed[1], &error));
    ck_assert(may_reach(&channel, "10.1.255.1"));
    ck_assert(may_reach(&channel, "fd00:1:ffff::1"));
    ck_assert(!may_reach(&channel, "10.2.0.1"));
    ck_assert(!may_reach(&channel, "fd00:2::1"));
    ck_assert(!may_reach(&channel, "127.0.0.1"));
}
END_TEST

START_TEST(egress__a_block_is_written_plainly)
{
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                      "10.0.0/8",   "fd00::/129",  "x/8",       "10.0.0.0/8x",
                                      "localhost/8"};
    struct courier_network network;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error error = {0};
        ck_assert_msg(!courier_read_network(bad[i], &network, &error), "%s", bad[i]);
        ck_assert_str_eq(error.code, "bad_network");
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("egress");
    tcase_add_test(tests, egress__what_is_public_is_reached);
    tcase_add_test(tests, egress__what_is_not_is_not_reached);
    tcase_add_test(tests, egress__what_the_operator_allows_is_reached_and_nothing_beside_it);
    tcase_add_test(tests, egress__a_block_is_written_plainly);
    Suite *suite = suite_create("egress");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
