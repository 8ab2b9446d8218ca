#ifndef COURIER_FRAME_H
#define COURIER_FRAME_H

/*
 * Websocket frames as a client sends and takes them (RFC 6455 section 5): pure, strict, without
 * extensions. What a server may not send is FRAME_BAD: masked frames, reserved bits and opcodes,
 * control frames that are fragmented or longer than 125 bytes, lengths not in their shortest form,
 * and payloads beyond FRAME_PAYLOAD_BYTES_MAX.
 */

#include "base/builder.h"
#include <stdbool.h>
#include <stddef.h>

enum { FRAME_PAYLOAD_BYTES_MAX = 512 * 1024, FRAME_MASK_BYTES = 4 };

enum frame_opcode {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
};

struct frame {
    enum frame_opcode opcode;
    bool is_last;
    const char *payload; /* lent from what was read */
    size_t length;
    size_t bytes; /* of the whole frame */
};

enum frame_answer { FRAME_BAD = 0, FRAME_MORE, FRAME_WHOLE };
/* The frame that `bytes` begins with; FRAME_MORE when it is not there yet as a whole. */
enum frame_answer frame_read(const char *bytes, size_t length, struct frame *out);

/* Appends a whole frame, masked (section 5.3) with four bytes that nobody can foresee. */
void frame_append(struct builder *out, enum frame_opcode opcode, const char *payload, size_t length,
                  const unsigned char mask[FRAME_MASK_BYTES]);

/* Appends what a server must answer to `Sec-WebSocket-Key` (section 4.2.2). */
void frame_append_accept(struct builder *out, const char *key);

#endif
