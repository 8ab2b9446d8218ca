#include "policy/cel/library_internal.h"

int64_t cel_cost_size(struct cel_value value)
{
    switch ((enum cel_kind)value.kind) {
    case CEL_STRING:
        return (int64_t)cel_utf8_count(value.as.bytes, value.length);
    case CEL_BYTES:
    case CEL_LIST:
        return value.length;
    case CEL_MAP:
        return (int64_t)value.as.map->count;
    case CEL_IP:
        return value.as.network->family == 4 ? 4 : 16;
    case CEL_CIDR:
        return (value.as.network->prefix_bits + 7) / 8;
    case CEL_ERROR:
    case CEL_NULL:
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
    case CEL_TYPE:
    case CEL_OPTIONAL:
    case CEL_ABSTRACT:
        break;
    }
    return 1;
}

int64_t cel_cost_scan(const struct cel_value *args, size_t count, struct cel_value result)
{
    (void)count;
    (void)result;
    return cel_cost_tenth(cel_cost_size(args[0]));
}

int64_t cel_cost_call_and_scan(const struct cel_value *args, size_t count, struct cel_value result)
{
    return 1 + cel_cost_scan(args, count, result);
}

int cel_shown_bytes(struct cel_value text)
{
    enum { SHOWN_MAX = 64 };
    size_t length = text.length < SHOWN_MAX ? text.length : SHOWN_MAX;
    while (length > 0 && length < text.length &&
           ((unsigned char)text.as.bytes[length] & 0xc0) == 0x80) {
        length--;
    }
    return (int)length;
}
