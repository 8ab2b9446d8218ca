#include "courier/websocket_client.h"

#include "base/arena.h"
#include "base/builder.h"
#include "base/clock.h"
#include "base/memory.h"
#include "courier/egress_internal.h"
#include "courier/frame.h"
#include "crypto/crypto.h"
#include "formats/text.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    OPEN_MS = 20 * 1000,
    SEND_MS = 5 * 1000,
    HEAD_BYTES_MAX = 16 * 1024,
    READ_BYTES = 16 * 1024,
    KEY_BYTES = 16,
};

struct websocket_client {
    CURL *curl;
    struct egress egress;
    const atomic_bool *must_stop;
    struct builder in;      /* bytes not yet read as frames */
    size_t in_used;         /* of them, those that were */
    struct builder message; /* fragments so far */
    bool is_fragmented, was_heard, is_over;
};

/* ---- opening ---- */

static void set_options(struct websocket_client *client, const char *url)
{
    const struct courier_channel *channel = client->egress.channel;
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, channel->allows_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* no ALPN for h2 */
    curl_easy_setopt(curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)OPEN_MS);
    egress_stop_when(curl, client->must_stop);
    egress_guard(&client->egress, curl, url);
}

/* Waits for the socket; false when the time is over or the process ends. */
static bool wait_for(struct websocket_client *client, short events, int64_t until_tick)
{
    struct pollfd ready = {.fd = websocket_client_descriptor(client), .events = events};
    while (!atomic_load(client->must_stop) && clock_boot_ms() < until_tick) {
        if (poll(&ready, 1, 100) > 0) {
            return true;
        }
    }
    return false;
}

static bool send_all(struct websocket_client *client, const char *bytes, size_t length)
{
    int64_t until_tick = clock_boot_ms() + SEND_MS;
    while (length > 0 && !client->is_over) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(client->curl, bytes, length, &sent);
        client->is_over = (code != CURLE_OK && code != CURLE_AGAIN) ||
                          (code == CURLE_AGAIN && !wait_for(client, POLLOUT, until_tick));
        bytes += sent;
        length -= sent;
    }
    return !client->is_over;
}

/* Takes in what is there; NOTHING is no error. */
static void receive(struct websocket_client *client)
{
    char piece[READ_BYTES];
    size_t length = 0;
    CURLcode code = curl_easy_recv(client->curl, piece, sizeof piece, &length);
    if (code == CURLE_OK && length > 0) {
        builder_append(&client->in, piece, length);
        client->was_heard = true;
    } else if (code != CURLE_AGAIN) {
        client->is_over = true;
    }
}

static bool send_upgrade(struct websocket_client *client, const char *host, const char *path,
                         const char *key)
{
    struct builder head BUILDER_SCOPE;
    builder_init(&head, 0);
    builder_printf(&head,
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
                   "User-Agent: countersign\r\n\r\n",
                   path, host, key);
    return send_all(client, head.bytes, head.length);
}

/* Section 4.2.2: 101, and the key answered; nothing that we did not ask for. */
static bool is_accepted(const char *head, const char *key)
{
    struct builder wanted BUILDER_SCOPE;
    bool is_answered = false;
    builder_init(&wanted, 0);
    frame_append_accept(&wanted, key);
    if (strncmp(head, "HTTP/1.1 101", 12) != 0) {
        return false;
    }
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "Sec-WebSocket-Extensions:", 25) == 0 ||
            strncasecmp(line, "Sec-WebSocket-Protocol:", 23) == 0) {
            return false;
        }
        if (strncasecmp(line, "Sec-WebSocket-Accept:", 21) == 0) {
            const char *value = line + 21 + strspn(line + 21, " ");
            is_answered =
                strncmp(value, wanted.bytes, wanted.length) == 0 && value[wanted.length] == '\r';
        }
    }
    return is_answered;
}

static bool read_upgrade(struct websocket_client *client, const char *key)
{
    int64_t until_tick = clock_boot_ms() + OPEN_MS;
    char *end = NULL;
    while (!client->is_over && (end = strstr(client->in.bytes, "\r\n\r\n")) == NULL) {
        if (client->in.length > HEAD_BYTES_MAX || !wait_for(client, POLLIN, until_tick)) {
            return false;
        }
        receive(client);
    }
    if (client->is_over) {
        return false;
    }
    end[2] = '\0'; /* the head alone, with its last line's end */
    client->in_used = (size_t)(end + 4 - client->in.bytes);
    return is_accepted(client->in.bytes, key);
}

static bool upgrade(struct websocket_client *client, const char *url)
{
    unsigned char random[KEY_BYTES];
    struct builder key BUILDER_SCOPE;
    struct builder host BUILDER_SCOPE;
    const char *authority = strstr(url, "://") + 3;
    size_t length = strcspn(authority, "/?#");
    const char *path = authority[length] == '/' ? authority + length : "/";
    builder_init(&key, 0);
    builder_init(&host, 0);
    builder_append(&host, authority, length);
    crypto_random(random, sizeof random);
    text_append_base64(&key, random, sizeof random);
    return send_upgrade(client, host.bytes, path, key.bytes) && read_upgrade(client, key.bytes);
}

struct websocket_client *websocket_client_open(const struct courier_channel *channel,
                                               const char *url, const atomic_bool *must_stop,
                                               struct error *error)
{
    bool is_tls = strncmp(url, "wss://", 6) == 0;
    struct builder http BUILDER_SCOPE;
    builder_init(&http, 0);
    if ((!is_tls && strncmp(url, "ws://", 5) != 0) || strpbrk(url, " \t\r\n#") != NULL) {
        error_set(error, ERROR_RETRY_LATER, "bad_url", NULL, "this is no address of a websocket");
        return NULL;
    }
    builder_printf(&http, "%s%s", is_tls ? "https" : "http", strstr(url, "://"));
    struct websocket_client *client = memory_zeroed(1, sizeof *client);
    client->curl = curl_easy_init();
    client->egress.channel = channel;
    client->must_stop = must_stop;
    builder_init(&client->in, 0);
    builder_init(&client->message, FRAME_PAYLOAD_BYTES_MAX);
    if (client->curl != NULL) {
        set_options(client, http.bytes);
        CURLcode code = curl_easy_perform(client->curl);
        if (code == CURLE_OK && upgrade(client, url)) {
            return client;
        }
        error_set(error, ERROR_RETRY_LATER, "not_connected", NULL, "%s",
                  client->egress.was_denied ? "its address is not one this channel may reach"
                  : code == CURLE_OK        ? "it did not become a websocket"
                                            : curl_easy_strerror(code));
    }
    client->is_over = true;
    websocket_client_close(client);
    return NULL;
}

void websocket_client_close(struct websocket_client *client)
{
    static const char normal[] = {3, (char)232}; /* 1000 */
    unsigned char mask[FRAME_MASK_BYTES];
    struct builder frame BUILDER_SCOPE;
    builder_init(&frame, 0);
    if (client == NULL) {
        return;
    }
    if (!client->is_over) {
        size_t ignored = 0;
        crypto_random(mask, sizeof mask);
        frame_append(&frame, FRAME_CLOSE, normal, sizeof normal, mask);
        (void)curl_easy_send(client->curl, frame.bytes, frame.length, &ignored);
    }
    curl_easy_cleanup(client->curl);
    builder_finish(&client->in);
    builder_finish(&client->message);
    free(client);
}

int websocket_client_descriptor(const struct websocket_client *client)
{
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    curl_easy_getinfo(client->curl, CURLINFO_ACTIVESOCKET, &descriptor);
    return (int)descriptor;
}

/* ---- messages ---- */

static bool send_frame(struct websocket_client *client, enum frame_opcode opcode,
                       const char *payload, size_t length)
{
    unsigned char mask[FRAME_MASK_BYTES];
    struct builder frame BUILDER_SCOPE;
    builder_init(&frame, 0);
    crypto_random(mask, sizeof mask);
    frame_append(&frame, opcode, payload, length, mask);
    return send_all(client, frame.bytes, frame.length);
}

bool websocket_client_send(struct websocket_client *client, const char *text, size_t length)
{
    return send_frame(client, FRAME_TEXT, text, length);
}

bool websocket_client_ping(struct websocket_client *client)
{
    return send_frame(client, FRAME_PING, "", 0);
}

bool websocket_client_was_heard(struct websocket_client *client)
{
    bool was_heard = client->was_heard;
    client->was_heard = false;
    return was_heard;
}

static enum websocket_answer end(struct websocket_client *client)
{
    client->is_over = true;
    return WEBSOCKET_OVER;
}

/* Section 5.4: a text begins, goes on, and ends; nothing comes between but control frames. */
static enum websocket_answer take_data(struct websocket_client *client, const struct frame *frame)
{
    bool begins = frame->opcode == FRAME_TEXT;
    if (frame->opcode == FRAME_BINARY || begins == client->is_fragmented) {
        return end(client);
    }
    if (begins) {
        builder_clear(&client->message);
    }
    builder_append(&client->message, frame->payload, frame->length);
    client->is_fragmented = !frame->is_last;
    if (builder_failed(&client->message)) {
        return end(client);
    }
    if (!frame->is_last) {
        return WEBSOCKET_NOTHING;
    }
    return text_is_utf8(client->message.bytes, client->message.length) ? WEBSOCKET_TEXT
                                                                       : end(client);
}

static enum websocket_answer take_frame(struct websocket_client *client, const struct frame *frame)
{
    switch (frame->opcode) {
    case FRAME_PING:
        return send_frame(client, FRAME_PONG, frame->payload, frame->length) ? WEBSOCKET_NOTHING
                                                                             : end(client);
    case FRAME_PONG:
        return WEBSOCKET_NOTHING;
    case FRAME_CLOSE:
        (void)send_frame(client, FRAME_CLOSE, frame->payload, frame->length >= 2 ? 2 : 0);
        return end(client);
    case FRAME_CONTINUATION:
    case FRAME_TEXT:
    case FRAME_BINARY:
        break;
    }
    return take_data(client, frame);
}

static void drop_used(struct websocket_client *client)
{
    size_t left = client->in.length - client->in_used;
    memmove(client->in.bytes, client->in.bytes + client->in_used, left + 1);
    client->in.length = left;
    client->in_used = 0;
}

enum websocket_answer websocket_client_read(struct websocket_client *client, const char **out_text,
                                            size_t *out_length)
{
    /* Who never stops sending does not keep us from stopping. */
    while (!client->is_over && !atomic_load(client->must_stop)) {
        struct frame frame;
        enum frame_answer whole = frame_read(client->in.bytes + client->in_used,
                                             client->in.length - client->in_used, &frame);
        if (whole == FRAME_BAD) {
            break;
        }
        if (whole == FRAME_MORE) {
            drop_used(client);
            size_t before = client->in.length;
            receive(client);
            if (client->in.length == before && !client->is_over) {
                return WEBSOCKET_NOTHING;
            }
            continue;
        }
        client->in_used += frame.bytes;
        enum websocket_answer answer = take_frame(client, &frame);
        if (answer == WEBSOCKET_TEXT) {
            *out_text = client->message.bytes;
            *out_length = client->message.length;
        }
        if (answer != WEBSOCKET_NOTHING) {
            return answer;
        }
    }
    return end(client);
}
