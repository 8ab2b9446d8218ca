/*
 * The client's end of a websocket: frames as somebody else's server may send them, and the reader
 * over a connection that is only played. What libcurl would do is done here, so that the bytes come
 * in pieces as the input says.
 *
 * The first byte chooses: an even one has frames read and written alone; an odd one plays a server,
 * which answers the upgrade as it should (bit 1 clear) or with the input itself.
 */

#define CURL_DISABLE_TYPECHECK
#include "base/check.h"
#include "courier/frame.h"
#include "courier/websocket_client.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <curl/curl.h>
#include <string.h>
#include <sys/eventfd.h>

enum { READS_MAX = 100000 };

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

/* ---- the connection that is played ---- */

static struct {
    struct builder answer; /* to the upgrade */
    bool answers_well;
    const char *bytes;
    size_t length, at;
    size_t piece; /* at most so many at once; 0: all */
    bool was_nothing;
    int ready; /* a descriptor that is always ready */
} server;

CURL *(curl_easy_init)(void)
{
    return &server;
}

void(curl_easy_cleanup)(CURL *curl)
{
    (void)curl;
}

CURLcode(curl_easy_setopt)(CURL *curl, CURLoption option, ...)
{
    (void)curl, (void)option;
    return CURLE_OK;
}

CURLcode(curl_easy_perform)(CURL *curl)
{
    (void)curl;
    return CURLE_OK;
}

CURLcode(curl_easy_getinfo)(CURL *curl, CURLINFO info, ...)
{
    va_list arguments;
    (void)curl;
    va_start(arguments, info);
    *va_arg(arguments, curl_socket_t *) = server.ready;
    va_end(arguments);
    return CURLE_OK;
}

/* The first that is sent is the upgrade: its key is answered. */
CURLcode(curl_easy_send)(CURL *curl, const void *bytes, size_t length, size_t *out_sent)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *key = length > 4 && memcmp(bytes, "GET ", 4) == 0 ? strstr(bytes, name) : NULL;
    (void)curl;
    *out_sent = length;
    if (key != NULL && server.answers_well) {
        struct builder given BUILDER_SCOPE;
        builder_init(&given, 0);
        key += sizeof name - 1;
        builder_append(&given, key, strcspn(key, "\r"));
        builder_text(&server.answer, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ");
        frame_append_accept(&server.answer, given.bytes);
        builder_text(&server.answer, "\r\n\r\n");
    }
    return CURLE_OK;
}

static size_t give(char *out, size_t room, const char *bytes, size_t length)
{
    size_t count = length < room ? length : room;
    count = server.piece > 0 && count > server.piece ? server.piece : count;
    memcpy(out, bytes, count);
    return count;
}

/* Between two pieces there is nothing once; after the last the connection is over. */
CURLcode(curl_easy_recv)(CURL *curl, void *out, size_t room, size_t *out_length)
{
    (void)curl;
    *out_length = 0;
    if (server.answer.length > 0) {
        *out_length = give(out, room, server.answer.bytes, server.answer.length);
        memmove(server.answer.bytes, server.answer.bytes + *out_length,
                server.answer.length - *out_length + 1);
        server.answer.length -= *out_length;
        return CURLE_OK;
    }
    server.was_nothing = !server.was_nothing && server.piece > 0;
    if (server.was_nothing) {
        return CURLE_AGAIN;
    }
    *out_length = give(out, room, server.bytes + server.at, server.length - server.at);
    server.at += *out_length;
    return CURLE_OK;
}

/* ---- frames alone ---- */

/* A frame that is whole is so once, and what is bad does not become better. */
static void read_frames(const char *bytes, size_t length)
{
    struct frame frame = {0};
    enum frame_answer answer = frame_read(bytes, length, &frame);
    size_t shorter = length > 16 ? length / 2 : length > 0 ? length - 1 : 0;
    struct frame before = {0};
    enum frame_answer was = frame_read(bytes, shorter, &before);
    CHECK(answer != FRAME_MORE || was == FRAME_MORE || shorter == length);
    CHECK(was != FRAME_BAD || answer == FRAME_BAD);
    CHECK(was != FRAME_WHOLE || (answer == FRAME_WHOLE && before.bytes == frame.bytes));
    if (answer != FRAME_WHOLE) {
        return;
    }
    CHECK(frame.bytes <= length && frame.length <= FRAME_PAYLOAD_BYTES_MAX);
    CHECK(frame.payload >= bytes && frame.payload + frame.length == bytes + frame.bytes);
    CHECK(frame_read(bytes, frame.bytes - 1, &before) == FRAME_MORE);
}

/* What we send is, unmasked, what a server may send: the reader takes it. */
static void write_frame(const char *bytes, size_t length)
{
    static const unsigned char mask[FRAME_MASK_BYTES] = {0xa5, 0x5a, 0x00, 0xff};
    struct builder sent BUILDER_SCOPE;
    struct builder plain BUILDER_SCOPE;
    struct frame frame;
    builder_init(&sent, 0);
    builder_init(&plain, 0);
    frame_append(&sent, FRAME_TEXT, bytes, length, mask);
    size_t head = sent.length - length - FRAME_MASK_BYTES;
    builder_append(&plain, sent.bytes, head);
    plain.bytes[1] = (char)((unsigned char)plain.bytes[1] & 0x7fU);
    for (size_t i = 0; i < length; i++) {
        builder_char(&plain, (char)((unsigned char)sent.bytes[head + FRAME_MASK_BYTES + i] ^
                                    mask[i % FRAME_MASK_BYTES]));
    }
    CHECK(frame_read(plain.bytes, plain.length, &frame) == FRAME_WHOLE);
    CHECK(frame.length == length && memcmp(frame.payload, bytes, length) == 0);
}

/* ---- the reader ---- */

/* All that it says until it is over, one line a message. */
static void read_all(struct websocket_client *client, struct builder *said)
{
    const char *text;
    size_t length;
    for (int i = 0; i < READS_MAX; i++) {
        enum websocket_answer answer = websocket_client_read(client, &text, &length);
        if (answer == WEBSOCKET_OVER) {
            CHECK(websocket_client_read(client, &text, &length) == WEBSOCKET_OVER);
            CHECK(!websocket_client_send(client, "x", 1));
            return;
        }
        if (answer == WEBSOCKET_TEXT) {
            CHECK(length <= FRAME_PAYLOAD_BYTES_MAX && text_is_utf8(text, length));
            builder_append(said, text, length);
            builder_char(said, '\n');
        }
    }
    CHECK(!"it goes on for ever");
}

static void play(const char *bytes, size_t length, bool answers_well, size_t piece,
                 struct builder *said)
{
    static const struct courier_channel channel = {.allows_http = true};
    static const atomic_bool never = false;
    struct error error = {0};
    server.answers_well = answers_well;
    server.bytes = bytes;
    server.length = length;
    server.at = 0;
    server.piece = piece;
    server.was_nothing = false;
    builder_init(&server.answer, 0);
    struct websocket_client *client =
        websocket_client_open(&channel, "ws://server.example/link?ticket=1", &never, &error);
    CHECK((client != NULL) == (error.kind == ERROR_NONE));
    CHECK(client == NULL || answers_well); /* nobody else knows the answer to the key */
    if (client != NULL) {
        read_all(client, said);
    }
    websocket_client_close(client);
    builder_finish(&server.answer);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    if (server.ready == 0) {
        crypto_start();
        server.ready = eventfd(1, EFD_CLOEXEC);
    }
    if (length < 2) {
        return 0;
    }
    const char *text = (const char *)bytes + 2;
    size_t count = length - 2;
    if ((bytes[0] & 1U) == 0) {
        read_frames(text, count);
        write_frame(text, count);
        return 0;
    }
    struct builder at_once BUILDER_SCOPE;
    struct builder in_pieces BUILDER_SCOPE;
    builder_init(&at_once, 0);
    builder_init(&in_pieces, 0);
    bool answers_well = (bytes[0] & 2U) == 0;
    play(text, count, answers_well, 0, &at_once);
    play(text, count, answers_well, 1U + bytes[1] % 61U, &in_pieces);
    CHECK(at_once.length == in_pieces.length &&
          memcmp(at_once.bytes, in_pieces.bytes, at_once.length) == 0);
    return 0;
}
