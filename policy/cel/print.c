#include "policy/cel/code.h"

#include "policy/cel/network_internal.h"
#include "policy/cel/time_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Values as CEL would write them. */

enum { DEPTH_MAX = 64 };

static void print(struct builder *out, struct cel_value value, int depth);

static void print_string(struct builder *out, const char *bytes, size_t length)
{
    builder_char(out, '"');
    for (size_t i = 0; i < length && !builder_failed(out); i++) {
        unsigned char byte = (unsigned char)bytes[i];
        const char *short_forms = "\a\b\f\n\r\t\v\"\\";
        const char *found = byte == 0 ? NULL : strchr(short_forms, byte);
        if (found != NULL) {
            builder_char(out, '\\');
            builder_char(out, "abfnrtv\"\\"[found - short_forms]);
        } else if (byte < 0x20 || byte == 0x7F) {
            builder_printf(out, "\\x%02x", byte);
        } else {
            builder_char(out, (char)byte);
        }
    }
    builder_char(out, '"');
}

static void print_bytes(struct builder *out, const char *bytes, size_t length)
{
    builder_text(out, "b\"");
    for (size_t i = 0; i < length && !builder_failed(out); i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\') {
            builder_char(out, (char)byte);
        } else {
            builder_printf(out, "\\x%02x", byte);
        }
    }
    builder_char(out, '"');
}

/* The shortest decimal that reads back as the same double, and never looks like an int. */
static void print_double(struct builder *out, double real)
{
    if (isnan(real) || isinf(real)) {
        builder_printf(out, "double(\"%s\")",
                       isnan(real) ? "NaN"
                       : real > 0  ? "Infinity"
                                   : "-Infinity");
        return;
    }
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real) {
            break;
        }
    }
    builder_text(out, text);
    if (strpbrk(text, ".e") == NULL) {
        builder_text(out, ".0");
    }
}

static void print_list(struct builder *out, const struct cel_value *items, size_t count, int depth)
{
    builder_char(out, '[');
    for (size_t i = 0; i < count && !builder_failed(out); i++) {
        builder_text(out, i == 0 ? "" : ", ");
        print(out, items[i], depth + 1);
    }
    builder_char(out, ']');
}

static void print_map(struct builder *out, const struct cel_map *map, int depth)
{
    builder_char(out, '{');
    for (size_t i = 0; i < map->count && !builder_failed(out); i++) {
        builder_text(out, i == 0 ? "" : ", ");
        print(out, map->entries[i].key, depth + 1);
        builder_text(out, ": ");
        print(out, map->entries[i].value, depth + 1);
    }
    builder_char(out, '}');
}

static void print_time(struct builder *out, struct cel_value value)
{
    char text[CEL_TIME_TEXT_MAX];
    bool is_timestamp = value.kind == CEL_TIMESTAMP;
    size_t length =
        is_timestamp ? cel_time_print_timestamp(text, value) : cel_time_print_duration(text, value);
    builder_text(out, is_timestamp ? "timestamp(\"" : "duration(\"");
    builder_append(out, text, length);
    builder_text(out, "\")");
}

static void print_network(struct builder *out, struct cel_value value)
{
    char text[CEL_NETWORK_TEXT_MAX];
    size_t length = value.kind == CEL_IP ? cel_network_print_ip(text, value.as.network)
                                         : cel_network_print_cidr(text, value.as.network);
    builder_text(out, value.kind == CEL_IP ? "ip(\"" : "cidr(\"");
    builder_append(out, text, length);
    builder_text(out, "\")");
}

static void print_optional(struct builder *out, struct cel_value value, int depth)
{
    if (value.as.items == NULL) {
        builder_text(out, "optional.none()");
        return;
    }
    builder_text(out, "optional.of(");
    print(out, *value.as.items, depth + 1);
    builder_char(out, ')');
}

static void print(struct builder *out, struct cel_value value, int depth)
{
    if (depth > DEPTH_MAX) {
        builder_text(out, "…");
        return;
    }
    switch ((enum cel_kind)value.kind) {
    case CEL_ERROR:
        builder_printf(out, "error: %s", value.as.problem == NULL ? "" : value.as.problem->message);
        return;
    case CEL_NULL:
        builder_text(out, "null");
        return;
    case CEL_BOOL:
        builder_text(out, value.as.boolean ? "true" : "false");
        return;
    case CEL_INT:
        builder_printf(out, "%lld", (long long)value.as.integer);
        return;
    case CEL_UINT:
        builder_printf(out, "%lluu", (unsigned long long)value.as.natural);
        return;
    case CEL_DOUBLE:
        print_double(out, value.as.real);
        return;
    case CEL_STRING:
        print_string(out, value.as.bytes, value.length);
        return;
    case CEL_BYTES:
        print_bytes(out, value.as.bytes, value.length);
        return;
    case CEL_LIST:
        print_list(out, value.as.items, value.length, depth);
        return;
    case CEL_MAP:
        print_map(out, value.as.map, depth);
        return;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        print_time(out, value);
        return;
    case CEL_TYPE:
        builder_text(out, value.as.type_name);
        return;
    case CEL_OPTIONAL:
        print_optional(out, value, depth);
        return;
    case CEL_IP:
    case CEL_CIDR:
        print_network(out, value);
        return;
    case CEL_ABSTRACT:
        builder_text(out, "a value of the host");
        return;
    }
}

void cel_print(struct builder *out, struct cel_value value)
{
    print(out, value, 0);
}
