#include "courier/frame.h"

#include "crypto/crypto.h"
#include "formats/text.h"
#include <stdint.h>
#include <string.h>

enum { SHORT_MAX = 125, TWO_BYTES = 126, EIGHT_BYTES = 127, CONTROL_MIN = 8 };

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static bool is_known(unsigned opcode)
{
    return opcode <= FRAME_BINARY || (opcode >= FRAME_CLOSE && opcode <= FRAME_PONG);
}

enum frame_answer frame_read(const char *bytes, size_t length, struct frame *out)
{
    const unsigned char *head = (const unsigned char *)bytes;
    if (length < 2) {
        return FRAME_MORE;
    }
    unsigned opcode = head[0] & 0x0fU;
    bool is_last = (head[0] & 0x80U) != 0;
    uint64_t size = head[1] & 0x7fU;
    size_t extra = size == EIGHT_BYTES ? 8 : size == TWO_BYTES ? 2 : 0;
    bool is_control = opcode >= CONTROL_MIN;
    if ((head[0] & 0x70U) != 0 || (head[1] & 0x80U) != 0 || !is_known(opcode) ||
        (is_control && (!is_last || size > SHORT_MAX))) {
        return FRAME_BAD;
    }
    if (length < 2 + extra) {
        return FRAME_MORE;
    }
    if (extra > 0) {
        size = big_endian(head + 2, extra);
        if (size < (extra == 2 ? TWO_BYTES : 65536)) {
            return FRAME_BAD;
        }
    }
    if (size > FRAME_PAYLOAD_BYTES_MAX) {
        return FRAME_BAD;
    }
    if (length - 2 - extra < size) {
        return FRAME_MORE;
    }
    *out = (struct frame){.opcode = (enum frame_opcode)opcode,
                          .is_last = is_last,
                          .payload = bytes + 2 + extra,
                          .length = (size_t)size,
                          .bytes = 2 + extra + (size_t)size};
    return FRAME_WHOLE;
}

void frame_append(struct builder *out, enum frame_opcode opcode, const char *payload, size_t length,
                  const unsigned char mask[FRAME_MASK_BYTES])
{
    builder_char(out, (char)(0x80U | (unsigned)opcode));
    if (length <= SHORT_MAX) {
        builder_char(out, (char)(0x80U | length));
    } else {
        size_t count = length < 65536 ? 2 : 8;
        builder_char(out, (char)(0x80U | (count == 2 ? TWO_BYTES : EIGHT_BYTES)));
        for (size_t i = count; i-- > 0;) {
            builder_char(out, (char)((uint64_t)length >> (8 * i) & 0xffU));
        }
    }
    builder_append(out, (const char *)mask, FRAME_MASK_BYTES);
    for (size_t i = 0; i < length; i++) {
        builder_char(out, (char)((unsigned char)payload[i] ^ mask[i % FRAME_MASK_BYTES]));
    }
}

void frame_append_accept(struct builder *out, const char *key)
{
    unsigned char hash[SHA1_BYTES];
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    crypto_sha1(text.bytes, text.length, hash);
    text_append_base64(out, hash, sizeof hash);
}
