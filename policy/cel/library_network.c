#include "policy/cel/library_internal.h"
#include "policy/cel/network_internal.h"
#include <string.h>

static struct cel_value make(struct cel_run *run, uint8_t kind, const struct cel_network *network)
{
    struct cel_network *kept = cel_alloc(run, sizeof *kept);
    if (kept == NULL) {
        return cel_null();
    }
    *kept = *network;
    return (struct cel_value){.kind = kind, .as.network = kept};
}

static struct cel_value refuse(struct cel_run *run, struct cel_value text, const char *what,
                               enum cel_network_problem problem)
{
    const char *why = problem == CEL_NETWORK_ZONE     ? "a zone is not allowed"
                      : problem == CEL_NETWORK_MAPPED ? "an IPv4-mapped IPv6 address is not allowed"
                                                      : "parse error";
    return cel_fail(run, "`%.*s` is not %s: %s", cel_shown_bytes(text), text.as.bytes, what, why);
}

/* Reads a string, or takes what is of the kind already. */
static bool read_ip(struct cel_run *run, struct cel_value value, struct cel_network *out,
                    struct cel_value *out_failure)
{
    if (value.kind == CEL_IP) {
        *out = *value.as.network;
        return true;
    }
    enum cel_network_problem problem = cel_network_read_ip(value.as.bytes, value.length, out);
    if (problem != CEL_NETWORK_FINE) {
        *out_failure = refuse(run, value, "an IP address", problem);
    }
    return problem == CEL_NETWORK_FINE;
}

static bool read_cidr(struct cel_run *run, struct cel_value value, struct cel_network *out,
                      struct cel_value *out_failure)
{
    if (value.kind == CEL_CIDR) {
        *out = *value.as.network;
        return true;
    }
    enum cel_network_problem problem = cel_network_read_cidr(value.as.bytes, value.length, out);
    if (problem != CEL_NETWORK_FINE) {
        *out_failure = refuse(run, value, "a CIDR range", problem);
    }
    return problem == CEL_NETWORK_FINE;
}

static struct cel_value ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    struct cel_value failure;
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "ip", args, count);
    }
    return read_ip(run, args[0], &network, &failure) ? make(run, CEL_IP, &network) : failure;
}

static struct cel_value cidr(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    struct cel_value failure;
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "cidr", args, count);
    }
    return read_cidr(run, args[0], &network, &failure) ? make(run, CEL_CIDR, &network) : failure;
}

static struct cel_value is_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    return cel_is_string(args[0]) ? cel_bool(cel_network_read_ip(args[0].as.bytes, args[0].length,
                                                                 &network) == CEL_NETWORK_FINE)
                                  : cel_no_overload(run, "isIP", args, count);
}

static struct cel_value is_cidr(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    return cel_is_string(args[0]) ? cel_bool(cel_network_read_cidr(args[0].as.bytes, args[0].length,
                                                                   &network) == CEL_NETWORK_FINE)
                                  : cel_no_overload(run, "isCIDR", args, count);
}

static struct cel_value is_canonical(struct cel_run *run, const struct cel_value *args,
                                     size_t count)
{
    struct cel_network network;
    struct cel_value failure;
    if (!cel_is_string(args[0])) {
        return cel_no_overload(run, "ip.isCanonical", args, count);
    }
    if (!read_ip(run, args[0], &network, &failure)) {
        return failure;
    }
    char text[CEL_NETWORK_TEXT_MAX];
    size_t length = cel_network_print_ip(text, &network);
    return cel_bool(length == args[0].length && memcmp(text, args[0].as.bytes, length) == 0);
}

static struct cel_value family(struct cel_run *run, const struct cel_value *args, size_t count)
{
    return args[0].kind == CEL_IP ? cel_int(args[0].as.network->family)
                                  : cel_no_overload(run, "family", args, count);
}

#define IP_TEST(function, test, name)                                                              \
    static struct cel_value function(struct cel_run *run, const struct cel_value *args,            \
                                     size_t count)                                                 \
    {                                                                                              \
        return args[0].kind == CEL_IP ? cel_bool(test(args[0].as.network))                         \
                                      : cel_no_overload(run, name, args, count);                   \
    }

IP_TEST(is_unspecified, cel_network_is_unspecified, "isUnspecified")
IP_TEST(is_loopback, cel_network_is_loopback, "isLoopback")
IP_TEST(is_global_unicast, cel_network_is_global_unicast, "isGlobalUnicast")
IP_TEST(is_link_local_unicast, cel_network_is_link_local_unicast, "isLinkLocalUnicast")
IP_TEST(is_link_local_multicast, cel_network_is_link_local_multicast, "isLinkLocalMulticast")

static struct cel_value cidr_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
    if (args[0].kind != CEL_CIDR) {
        return cel_no_overload(run, "ip", args, count);
    }
    struct cel_network network = *args[0].as.network;
    network.prefix_bits = network.family == 4 ? 32 : 128;
    return make(run, CEL_IP, &network);
}

static struct cel_value contains_ip(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    struct cel_value failure;
    if (args[0].kind != CEL_CIDR || (args[1].kind != CEL_IP && !cel_is_string(args[1]))) {
        return cel_no_overload(run, "containsIP", args, count);
    }
    return read_ip(run, args[1], &network, &failure)
               ? cel_bool(cel_network_contains(args[0].as.network, &network))
               : failure;
}

static struct cel_value contains_cidr(struct cel_run *run, const struct cel_value *args,
                                      size_t count)
{
    struct cel_network network;
    struct cel_value failure;
    if (args[0].kind != CEL_CIDR || (args[1].kind != CEL_CIDR && !cel_is_string(args[1]))) {
        return cel_no_overload(run, "containsCIDR", args, count);
    }
    if (!read_cidr(run, args[1], &network, &failure)) {
        return failure;
    }
    return cel_bool(args[0].as.network->prefix_bits <= network.prefix_bits &&
                    cel_network_contains(args[0].as.network, &network));
}

static struct cel_value masked(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    if (args[0].kind != CEL_CIDR) {
        return cel_no_overload(run, "masked", args, count);
    }
    cel_network_mask(args[0].as.network, &network);
    return make(run, CEL_CIDR, &network);
}

static struct cel_value is_mask(struct cel_run *run, const struct cel_value *args, size_t count)
{
    struct cel_network network;
    if (args[0].kind != CEL_CIDR) {
        return cel_no_overload(run, "isMask", args, count);
    }
    cel_network_mask(args[0].as.network, &network);
    return cel_bool(memcmp(network.bytes, args[0].as.network->bytes, sizeof network.bytes) == 0);
}

static struct cel_value prefix_length(struct cel_run *run, const struct cel_value *args,
                                      size_t count)
{
    return args[0].kind == CEL_CIDR ? cel_int(args[0].as.network->prefix_bits)
                                    : cel_no_overload(run, "prefixLength", args, count);
}

static int64_t parse_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    return cel_is_string(args[0]) ? cel_cost_scan(args, count, result) : 1;
}

static int64_t is_canonical_cost(const struct cel_value *args, size_t count,
                                 struct cel_value result)
{
    (void)count;
    (void)result;
    return cel_is_string(args[0]) ? cel_cost_tenth(2 * cel_cost_size(args[0])) : 1;
}

/* The range is compared twice; a string is read besides. */
static int64_t contains_ip_cost(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)count;
    (void)result;
    if (args[0].kind != CEL_CIDR) {
        return 1;
    }
    int64_t reading = cel_is_string(args[1]) ? cel_cost_tenth(cel_cost_size(args[1])) : 0;
    return cel_cost_tenth(2 * cel_cost_size(args[0])) + reading;
}

static int64_t contains_cidr_cost(const struct cel_value *args, size_t count,
                                  struct cel_value result)
{
    if (args[0].kind != CEL_CIDR) {
        return 1;
    }
    return contains_ip_cost(args, count, result) + cel_cost_scan(args, count, result) + 1;
}

#define SIGNATURES(...)                                                                            \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define IP_ROW(name, function, result)                                                             \
    {                                                                                              \
        name, CEL_MEMBER, 1, 1, function, SIGNATURES("net.IP.() -> " result), NULL, NULL, NULL     \
    }
#define CIDR_ROW(name, function, result)                                                           \
    {                                                                                              \
        name, CEL_MEMBER, 1, 1, function, SIGNATURES("net.CIDR.() -> " result), NULL, NULL, NULL   \
    }
#define STRING_ROW(name, function, result, cost)                                                   \
    {                                                                                              \
        name, CEL_GLOBAL, 1, 1, function, SIGNATURES("(string) -> " result), cost, NULL, NULL      \
    }

const struct cel_function_row cel_library_network[] = {
    STRING_ROW("ip", ip, "net.IP", parse_cost),
    STRING_ROW("cidr", cidr, "net.CIDR", parse_cost),
    STRING_ROW("isIP", is_ip, "bool", parse_cost),
    STRING_ROW("isCIDR", is_cidr, "bool", parse_cost),
    STRING_ROW("ip.isCanonical", is_canonical, "bool", is_canonical_cost),
    IP_ROW("family", family, "int"),
    IP_ROW("isUnspecified", is_unspecified, "bool"),
    IP_ROW("isLoopback", is_loopback, "bool"),
    IP_ROW("isGlobalUnicast", is_global_unicast, "bool"),
    IP_ROW("isLinkLocalUnicast", is_link_local_unicast, "bool"),
    IP_ROW("isLinkLocalMulticast", is_link_local_multicast, "bool"),
    CIDR_ROW("ip", cidr_ip, "net.IP"),
    CIDR_ROW("masked", masked, "net.CIDR"),
    CIDR_ROW("isMask", is_mask, "bool"),
    CIDR_ROW("prefixLength", prefix_length, "int"),
    {"containsIP", CEL_MEMBER, 2, 2, contains_ip,
     SIGNATURES("net.CIDR.(net.IP) -> bool", "net.CIDR.(string) -> bool"), contains_ip_cost, NULL,
     NULL},
    {"containsCIDR", CEL_MEMBER, 2, 2, contains_cidr,
     SIGNATURES("net.CIDR.(net.CIDR) -> bool", "net.CIDR.(string) -> bool"), contains_cidr_cost,
     NULL, NULL},
    {0},
};
