#include "crypto/cbor_internal.h"

/* RFC 8949 section 3.1. */
enum major { UNSIGNED = 0, NEGATIVE, BYTE_STRING, TEXT, ARRAY, MAP, TAG, SIMPLE };

struct head {
    enum major major;
    uint64_t value;
};

void cbor_begin(struct cbor *reader, const void *bytes, size_t length)
{
    *reader = (struct cbor){.bytes = bytes, .length = length};
}

void cbor_fail(struct cbor *reader)
{
    reader->has_failed = true;
}

bool cbor_is_done(const struct cbor *reader)
{
    return !reader->has_failed && reader->at == reader->length;
}

static size_t left(const struct cbor *reader)
{
    return reader->length - reader->at;
}

/* The number after the first byte: `width` bytes, which must not have fitted into fewer. */
static uint64_t read_wide(struct cbor *reader, unsigned info)
{
    size_t width = (size_t)1 << (info - 24);
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    uint64_t value = 0;
    if (left(reader) < width) {
        cbor_fail(reader);
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | reader->bytes[reader->at++];
    }
    if (value < least[info - 24]) {
        cbor_fail(reader);
    }
    return value;
}

/* 28 to 30 are not assigned; 31 is an indefinite length. */
static struct head read_head(struct cbor *reader)
{
    struct head head = {.major = SIMPLE};
    if (reader->has_failed || left(reader) == 0 || reader->items == CBOR_ITEMS_MAX) {
        cbor_fail(reader);
        return head;
    }
    reader->items++;
    unsigned char first = reader->bytes[reader->at++];
    unsigned info = first & 0x1FU;
    head.major = (enum major)(first >> 5);
    if (info > 27) {
        cbor_fail(reader);
    } else {
        head.value = info < 24 ? info : read_wide(reader, info);
    }
    return head;
}

size_t cbor_read_map(struct cbor *reader)
{
    struct head head = read_head(reader);
    if (head.major != MAP || head.value > CBOR_ITEMS_MAX) {
        cbor_fail(reader);
    }
    return reader->has_failed ? 0 : (size_t)head.value;
}

int64_t cbor_read_integer(struct cbor *reader)
{
    struct head head = read_head(reader);
    bool is_number = head.major == UNSIGNED || head.major == NEGATIVE;
    if (!is_number || head.value > INT64_MAX) {
        cbor_fail(reader);
    }
    if (reader->has_failed) {
        return 0;
    }
    return head.major == UNSIGNED ? (int64_t)head.value : -1 - (int64_t)head.value;
}

static struct cbor_bytes take(struct cbor *reader, uint64_t length)
{
    if (reader->has_failed || length > left(reader)) {
        cbor_fail(reader);
        return (struct cbor_bytes){0};
    }
    struct cbor_bytes taken = {.bytes = reader->bytes + reader->at, .length = (size_t)length};
    reader->at += taken.length;
    return taken;
}

static struct cbor_bytes read_string(struct cbor *reader, enum major major)
{
    struct head head = read_head(reader);
    if (head.major != major) {
        cbor_fail(reader);
    }
    return take(reader, head.value);
}

struct cbor_bytes cbor_read_byte_string(struct cbor *reader)
{
    return read_string(reader, BYTE_STRING);
}

struct cbor_bytes cbor_read_text(struct cbor *reader)
{
    return read_string(reader, TEXT);
}

/* Depth-counted; the items are bounded by read_head. */
static void skip(struct cbor *reader, int depth)
{
    struct head head = read_head(reader);
    if (depth == CBOR_DEPTH_MAX) {
        cbor_fail(reader);
    }
    uint64_t inside = 0;
    switch (head.major) {
    case BYTE_STRING:
    case TEXT:
        take(reader, head.value);
        break;
    case ARRAY:
    case MAP:
        inside = head.value > CBOR_ITEMS_MAX ? CBOR_ITEMS_MAX + 1 : head.value;
        inside = head.major == MAP ? 2 * inside : inside;
        break;
    case SIMPLE: /* false, true, null; wider ones are floats */
        if (head.value < 20 || head.value > 22) {
            cbor_fail(reader);
        }
        break;
    case TAG:
        cbor_fail(reader);
        break;
    case UNSIGNED:
    case NEGATIVE:
        break;
    }
    for (uint64_t i = 0; i < inside && !reader->has_failed; i++) {
        skip(reader, depth + 1);
    }
}

void cbor_skip(struct cbor *reader)
{
    skip(reader, 0);
}
