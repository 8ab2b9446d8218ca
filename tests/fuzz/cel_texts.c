/* The readers of the expression library's functions, chosen by the first byte: timestamps,
 * durations, addresses, zones, base64. What one accepts it prints, and reads back as the same. */

#include "base/check.h"
#include "policy/cel/base64_internal.h"
#include "policy/cel/network_internal.h"
#include "policy/cel/time_internal.h"
#include "policy/cel/zone.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void check_times(const char *text, size_t length)
{
    struct cel_value value, again;
    char printed[CEL_TIME_TEXT_MAX];
    if (cel_time_read_timestamp(text, length, &value)) {
        size_t size = cel_time_print_timestamp(printed, value);
        CHECK(cel_time_read_timestamp(printed, size, &again));
        CHECK(again.as.integer == value.as.integer && again.length == value.length);
    }
    if (cel_time_read_duration(text, length, &value)) {
        size_t size = cel_time_print_duration(printed, value);
        CHECK(cel_time_read_duration(printed, size, &again));
        CHECK(again.as.integer == value.as.integer && again.length == value.length);
    }
}

static void check_networks(const char *text, size_t length)
{
    struct cel_network network, again;
    char printed[CEL_NETWORK_TEXT_MAX];
    if (cel_network_read_ip(text, length, &network) == CEL_NETWORK_FINE) {
        size_t size = cel_network_print_ip(printed, &network);
        CHECK(cel_network_read_ip(printed, size, &again) == CEL_NETWORK_FINE);
        CHECK(memcmp(&network, &again, sizeof network) == 0);
        CHECK(cel_network_contains(&network, &again));
    }
    if (cel_network_read_cidr(text, length, &network) == CEL_NETWORK_FINE) {
        size_t size = cel_network_print_cidr(printed, &network);
        CHECK(cel_network_read_cidr(printed, size, &again) == CEL_NETWORK_FINE);
        CHECK(memcmp(&network, &again, sizeof network) == 0);
    }
}

static void check_zones(const unsigned char *bytes, size_t length)
{
    static const int64_t instants[] = {-62135596800, -1, 0, 1234567890, 4102444800, 253402300799};
    const char *text = (const char *)bytes;
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        struct cel_zone zone;
        int32_t seconds;
        (void)cel_zone_read_rules(bytes, length, instants[i], &seconds);
        (void)cel_zone_read_footer(text, length, instants[i], &seconds);
        CHECK(!cel_zone_find(text, length, &zone) || cel_zone_offset(&zone, instants[i], &seconds));
    }
}

static void check_base64(const char *text, size_t length)
{
    unsigned char *decoded = malloc(cel_base64_decoded_bytes(length) + 1);
    char *encoded = malloc(cel_base64_encoded_bytes(length) + 4);
    size_t size;
    if (cel_base64_decode(decoded, text, length, &size)) {
        cel_base64_encode(encoded, decoded, size);
        CHECK(memcmp(encoded, text, length) == 0); /* but for padding left out */
    }
    free(encoded);
    free(decoded);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    char *text =
        malloc(length - 1 + (length == 1)); /* of its own, so that reading past it is seen */
    memcpy(text, bytes + 1, length - 1);
    switch (bytes[0] % 4) {
    case 0:
        check_times(text, length - 1);
        break;
    case 1:
        check_networks(text, length - 1);
        break;
    case 2:
        check_zones((const unsigned char *)text, length - 1);
        break;
    default:
        check_base64(text, length - 1);
    }
    free(text);
    return 0;
}
