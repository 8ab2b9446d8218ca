#include "policy/cel/code.h"

#include <math.h>

/* Equality and order of values. Numbers of different kinds compare as on one line. */

enum { DEPTH_MAX = 200 };

const char *cel_kind_name(uint8_t kind)
{
    static const char *const names[] = {
        [CEL_ERROR] = "error",
        [CEL_NULL] = "null_type",
        [CEL_BOOL] = "bool",
        [CEL_INT] = "int",
        [CEL_UINT] = "uint",
        [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",
        [CEL_BYTES] = "bytes",
        [CEL_LIST] = "list",
        [CEL_MAP] = "map",
        [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
        [CEL_DURATION] = "google.protobuf.Duration",
        [CEL_TYPE] = "type",
        [CEL_OPTIONAL] = "optional_type",
        [CEL_IP] = "net.IP",
        [CEL_CIDR] = "net.CIDR",
        [CEL_ABSTRACT] = "abstract",
    };
    return kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

static int sign(bool is_less, bool is_greater)
{
    return is_greater - is_less;
}

/* Within the range of the integers the comparison is one of doubles, outside it is decided: what
 * the suite asks for (9223372036854775807 and 9223372036854775808.0 are equal). */
static int compare_doubles(double left, double right)
{
    return isnan(left) || isnan(right) ? 2 : sign(left<right, left> right);
}

static int compare_int_double(int64_t integer, double real)
{
    return real > 9223372036854775808.0    ? -1
           : real < -9223372036854775808.0 ? 1
                                           : compare_doubles((double)integer, real);
}

static int compare_uint_double(uint64_t natural, double real)
{
    return real > 18446744073709551616.0 ? -1
           : real < 0                    ? 1
                                         : compare_doubles((double)natural, real);
}

static int compare_int_uint(int64_t integer, uint64_t natural)
{
    if (integer < 0) {
        return -1;
    }
    return sign((uint64_t)integer<natural, (uint64_t)integer> natural);
}

static int reversed(int order)
{
    return order == 2 ? 2 : -order;
}

int cel_compare_numbers(struct cel_value left, struct cel_value right)
{
    switch (left.kind) {
    case CEL_INT:
        return right.kind == CEL_INT
                   ? sign(left.as.integer<right.as.integer, left.as.integer> right.as.integer)
               : right.kind == CEL_UINT ? compare_int_uint(left.as.integer, right.as.natural)
                                        : compare_int_double(left.as.integer, right.as.real);
    case CEL_UINT:
        return right.kind == CEL_UINT
                   ? sign(left.as.natural<right.as.natural, left.as.natural> right.as.natural)
               : right.kind == CEL_INT ? -compare_int_uint(right.as.integer, left.as.natural)
                                       : compare_uint_double(left.as.natural, right.as.real);
    default:
        break;
    }
    if (right.kind == CEL_INT) {
        return reversed(compare_int_double(right.as.integer, left.as.real));
    }
    if (right.kind == CEL_UINT) {
        return reversed(compare_uint_double(right.as.natural, left.as.real));
    }
    return compare_doubles(left.as.real, right.as.real);
}

static bool is_number(struct cel_value value)
{
    return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

static bool equal(struct cel_value left, struct cel_value right, size_t *work_left, int depth);

static bool equal_lists(const struct cel_value *left, const struct cel_value *right, size_t count,
                        size_t *work_left, int depth)
{
    for (size_t i = 0; i < count; i++) {
        if (!equal(left[i], right[i], work_left, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool equal_maps(const struct cel_map *left, const struct cel_map *right, size_t *work_left,
                       int depth)
{
    if (left->count != right->count) {
        return false;
    }
    for (size_t i = 0; i < left->count; i++) {
        const struct cel_value *other = cel_map_find(right, left->entries[i].key);
        if (other == NULL || !equal(left->entries[i].value, *other, work_left, depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool equal_networks(const struct cel_network *left, const struct cel_network *right,
                           bool has_prefix)
{
    return left->family == right->family &&
           (!has_prefix || left->prefix_bits == right->prefix_bits) &&
           memcmp(left->bytes, right->bytes, left->family == 4 ? 4 : 16) == 0;
}

static bool equal(struct cel_value left, struct cel_value right, size_t *work_left, int depth)
{
    if (*work_left == 0 || depth > DEPTH_MAX) {
        *work_left = 0;
        return false;
    }
    --*work_left;
    if (is_number(left) && is_number(right)) {
        return cel_compare_numbers(left, right) == 0;
    }
    if (left.kind != right.kind) {
        return false;
    }
    switch ((enum cel_kind)left.kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return left.as.boolean == right.as.boolean;
    case CEL_STRING:
    case CEL_BYTES:
        return left.length == right.length &&
               (left.length == 0 || memcmp(left.as.bytes, right.as.bytes, left.length) == 0);
    case CEL_LIST:
        return left.length == right.length &&
               equal_lists(left.as.items, right.as.items, left.length, work_left, depth);
    case CEL_MAP:
        return equal_maps(left.as.map, right.as.map, work_left, depth);
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return left.as.integer == right.as.integer && left.length == right.length;
    case CEL_TYPE:
        return strcmp(left.as.type_name, right.as.type_name) == 0;
    case CEL_OPTIONAL:
        return left.as.items == NULL || right.as.items == NULL
                   ? left.as.items == right.as.items
                   : equal(*left.as.items, *right.as.items, work_left, depth + 1);
    case CEL_IP:
    case CEL_CIDR:
        return equal_networks(left.as.network, right.as.network, left.kind == CEL_CIDR);
    case CEL_ABSTRACT:
        return left.as.host == right.as.host;
    case CEL_ERROR:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
        break;
    }
    return false;
}

bool cel_equal_counted(struct cel_value left, struct cel_value right, size_t *work_left)
{
    return equal(left, right, work_left, 0);
}

bool cel_equal(struct cel_value left, struct cel_value right)
{
    size_t work_left = CEL_WORK_MAX;
    return equal(left, right, &work_left, 0);
}
