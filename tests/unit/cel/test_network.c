#include "policy/cel/network_internal.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static enum cel_network_problem read_ip(const char *text, struct cel_network *out)
{
    return cel_network_read_ip(text, strlen(text), out);
}

static enum cel_network_problem read_cidr(const char *text, struct cel_network *out)
{
    return cel_network_read_cidr(text, strlen(text), out);
}

static const struct {
    const char *text, *printed;
} addresses[] = {
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"2001:DB8::68", "2001:db8::68"},
    {"2001:0db8:0000:0000:0000:0000:0000:0068", "2001:db8::68"},
    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
    {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"1:2:3:0:5:6:7:8", "1:2:3:0:5:6:7:8"},
    {"1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"::1.2.3.4", "::102:304"},
};

START_TEST(network__addresses_are_printed_in_one_spelling)
{
    struct cel_network ip;
    char out[CEL_NETWORK_TEXT_MAX];
    ck_assert_int_eq(read_ip(addresses[_i].text, &ip), CEL_NETWORK_FINE);
    ck_assert_uint_eq(cel_network_print_ip(out, &ip), strlen(addresses[_i].printed));
    ck_assert_str_eq(out, addresses[_i].printed);
}
END_TEST

static const char *const no_addresses[] = {
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.",
    ".1.2.3",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.0x4",
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "1.2.3.1000",
    ":",
    ":::",
    "1:",
    ":1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "12345::",
    "::g",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "2001:db8:::68",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3",
    "::1.2.3.4:5",
    "::1.2.3.256",
    "[::1]",
    "1.2.3.4%eth0",
    "%",
    "::1 ",
};

START_TEST(network__what_is_no_address_is_refused)
{
    struct cel_network ip;
    ck_assert_msg(read_ip(no_addresses[_i], &ip) == CEL_NETWORK_MALFORMED, "`%s` was read",
                  no_addresses[_i]);
}
END_TEST

START_TEST(network__zones_and_mapped_addresses_are_refused_in_every_spelling)
{
    struct cel_network ip;
    ck_assert_int_eq(read_ip("fe80::1%en0", &ip), CEL_NETWORK_ZONE);
    ck_assert_int_eq(read_cidr("fe80::1%en0/24", &ip), CEL_NETWORK_ZONE);
    ck_assert_int_eq(read_ip("::ffff:192.168.0.1", &ip), CEL_NETWORK_MAPPED);
    ck_assert_int_eq(read_ip("::ffff:c0a8:1", &ip), CEL_NETWORK_MAPPED);
    ck_assert_int_eq(read_ip("0:0:0:0:0:FFFF:c0a8:1", &ip), CEL_NETWORK_MAPPED);
    ck_assert_int_eq(read_cidr("::ffff:192.168.0.1/24", &ip), CEL_NETWORK_MAPPED);
    ck_assert_int_eq(read_ip("::fffe:c0a8:1", &ip), CEL_NETWORK_FINE);
}
END_TEST

static const char *const no_ranges[] = {
    "10.0.0.0",    "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08",  "10.0.0.0/+8", "10.0.0.0/8 ",
    "::/129",      "/8",        "10.0.0/8",    "10.0.0.0/8/8", "::/1000",     "10.0.0.0/255.0.0.0",
    "10.0.0.0/-1",
};

START_TEST(network__what_is_no_range_is_refused)
{
    struct cel_network cidr;
    ck_assert_msg(read_cidr(no_ranges[_i], &cidr) != CEL_NETWORK_FINE, "`%s` was read",
                  no_ranges[_i]);
}
END_TEST

static const struct {
    const char *cidr, *ip;
    bool expected;
} containments[] = {
    {"192.168.0.0/24", "192.168.0.255", true},
    {"192.168.0.0/24", "192.168.1.0", false},
    {"192.168.0.77/24", "192.168.0.1", true},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"0.0.0.0/0", "::", false},
    {"::/0", "0.0.0.0", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.1/32", "10.0.0.2", false},
    {"10.0.0.0/31", "10.0.0.1", true},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::1/128", "2001:db8::1", true},
};

START_TEST(network__a_range_holds_what_shares_its_prefix)
{
    struct cel_network cidr, ip;
    ck_assert_int_eq(read_cidr(containments[_i].cidr, &cidr), CEL_NETWORK_FINE);
    ck_assert_int_eq(read_ip(containments[_i].ip, &ip), CEL_NETWORK_FINE);
    ck_assert_int_eq(cel_network_contains(&cidr, &ip), containments[_i].expected);
}
END_TEST

START_TEST(network__ranges_are_printed_and_masked)
{
    struct cel_network cidr, masked;
    char out[CEL_NETWORK_TEXT_MAX];
    ck_assert_int_eq(read_cidr("192.168.5.77/20", &cidr), CEL_NETWORK_FINE);
    cel_network_print_cidr(out, &cidr);
    ck_assert_str_eq(out, "192.168.5.77/20");
    cel_network_mask(&cidr, &masked);
    cel_network_print_cidr(out, &masked);
    ck_assert_str_eq(out, "192.168.0.0/20");
    ck_assert_int_eq(read_cidr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", &cidr),
                     CEL_NETWORK_FINE);
    ck_assert_uint_eq(cel_network_print_cidr(out, &cidr), 43);
    cidr.prefix_bits = 0;
    cel_network_mask(&cidr, &masked);
    cel_network_print_cidr(out, &masked);
    ck_assert_str_eq(out, "::/0");
}
END_TEST

/* u unspecified, l loopback, g global unicast, s link-local unicast, m link-local multicast. */
static const struct {
    const char *ip, *traits;
} kinds[] = {
    {"0.0.0.0", "u"},  {"127.0.0.1", "l"},       {"127.255.0.1", "l"},     {"128.0.0.1", "g"},
    {"10.0.0.1", "g"}, {"169.254.169.254", "s"}, {"169.255.0.1", "g"},     {"224.0.0.1", "m"},
    {"224.0.1.1", ""}, {"255.255.255.255", ""},  {"255.255.255.254", "g"}, {"::", "u"},
    {"::1", "l"},      {"fe80::1", "s"},         {"febf::1", "s"},         {"fec0::1", "g"},
    {"ff02::1", "m"},  {"ff12::1", "m"},         {"ff05::1", ""},          {"2001:db8::1", "g"},
    {"::2", "g"},
};

START_TEST(network__kinds_of_addresses_are_told_apart)
{
    struct cel_network ip;
    char traits[8] = "";
    ck_assert_int_eq(read_ip(kinds[_i].ip, &ip), CEL_NETWORK_FINE);
    strcat(traits, cel_network_is_unspecified(&ip) ? "u" : "");
    strcat(traits, cel_network_is_loopback(&ip) ? "l" : "");
    strcat(traits, cel_network_is_global_unicast(&ip) ? "g" : "");
    strcat(traits, cel_network_is_link_local_unicast(&ip) ? "s" : "");
    strcat(traits, cel_network_is_link_local_multicast(&ip) ? "m" : "");
    ck_assert_msg(strcmp(traits, kinds[_i].traits) == 0, "%s: `%s`, not `%s`", kinds[_i].ip, traits,
                  kinds[_i].traits);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    TCase *tests = tcase_create("network");
    tcase_add_loop_test(tests, network__addresses_are_printed_in_one_spelling, 0, COUNT(addresses));
    tcase_add_loop_test(tests, network__what_is_no_address_is_refused, 0, COUNT(no_addresses));
    tcase_add_test(tests, network__zones_and_mapped_addresses_are_refused_in_every_spelling);
    tcase_add_loop_test(tests, network__what_is_no_range_is_refused, 0, COUNT(no_ranges));
    tcase_add_loop_test(tests, network__a_range_holds_what_shares_its_prefix, 0,
                        COUNT(containments));
    tcase_add_test(tests, network__ranges_are_printed_and_masked);
    tcase_add_loop_test(tests, network__kinds_of_addresses_are_told_apart, 0, COUNT(kinds));
    Suite *suite = suite_create("network");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
