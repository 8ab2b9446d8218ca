/* A stream of requests as a client might send it. The first byte seeds how it is split into reads.
 * Whole or in pieces, with the buffer moved and compacted in between, the front must see the same
 * requests and the same refusal; what it accepts must keep the promises handlers rely on, and must
 * read the same when written again in canonical form. */

#include "base/builder.h"
#include "base/check.h"
#include "base/memory.h"
#include "loop/http_parser.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static const struct http_parser_limits limits = {
    .head_bytes_max = 4000, .target_bytes_max = 600, .body_bytes_max = 3000};

struct splitter {
    uint32_t state; /* 0: everything at once */
};

static size_t next_piece(struct splitter *splitter, size_t left)
{
    if (splitter->state == 0) {
        return left;
    }
    splitter->state = splitter->state * 1664525 + 1013904223;
    size_t piece = (splitter->state >> 24) % 64 + 1;
    return piece < left ? piece : left;
}

static void check_text(const char *text)
{
    for (; *text != '\0'; text++) {
        CHECK(*text != '\r' && *text != '\n');
    }
}

/* What a handler may take for granted. */
static void check_request(const struct http_parser *parser, const char *buffer, size_t length)
{
    const char *path = buffer + parser->path;
    CHECK(parser->method != HTTP_METHOD_NONE);
    CHECK(path[0] == '/' && strstr(path, "/../") == NULL && strstr(path, "/./") == NULL);
    check_text(path);
    check_text(buffer + parser->query);
    CHECK(http_host_is_valid(buffer + parser->host));
    CHECK(parser->position <= length);
    CHECK(parser->body_length <= limits.body_bytes_max);
    CHECK(parser->body_start + parser->body_length <= parser->position);
    bool may_have_body =
        parser->method == HTTP_POST || parser->method == HTTP_PUT || parser->method == HTTP_PATCH;
    CHECK(may_have_body || parser->body_length == 0);
    CHECK(parser->transfer_encoding_count + parser->content_length_count <= 1);
    int hosts = 0;
    for (size_t i = 0; i < parser->header_count; i++) {
        const char *name = buffer + parser->headers[i].name;
        check_text(buffer + parser->headers[i].value);
        CHECK(name[0] != '\0');
        hosts += strcmp(name, "host") == 0;
        for (; *name != '\0'; name++) {
            CHECK(http_is_token_char((unsigned char)*name) && http_lower(*name) == *name);
        }
    }
    CHECK(hosts == 1);
}

static void write_path(struct builder *out, const char *path)
{
    for (; *path != '\0'; path++) {
        if (http_is_token_char((unsigned char)*path) && *path != '%' && *path != '#' &&
            *path != '^' && *path != '|' && *path != '`') {
            builder_char(out, *path);
        } else if (*path == '/') {
            builder_char(out, '/');
        } else {
            builder_printf(out, "%%%02x", (unsigned char)*path);
        }
    }
}

/* The request in one form that does not depend on how it was sent. */
static void write_request(struct builder *out, const struct http_parser *parser, const char *buffer)
{
    builder_printf(out, "%s ", buffer + parser->method_text);
    write_path(out, buffer + parser->path);
    builder_printf(out, "%s%s HTTP/1.1\r\n", buffer[parser->query] == '\0' ? "" : "?",
                   buffer + parser->query);
    for (size_t i = 0; i < parser->header_count; i++) {
        const char *name = buffer + parser->headers[i].name;
        if (strcmp(name, "content-length") != 0 && strcmp(name, "transfer-encoding") != 0) {
            builder_printf(out, "%s:%s\r\n", name, buffer + parser->headers[i].value);
        }
    }
    builder_printf(out, "content-length:%zu\r\n\r\n", parser->body_length);
    builder_append(out, buffer + parser->body_start, parser->body_length);
}

/* All requests of the stream one after the other, then the refusal if there is one. Returns how
 * much of `out` is requests. */
static size_t read_stream(const unsigned char *bytes, size_t length, uint32_t seed,
                          struct builder *out)
{
    struct splitter splitter = {.state = seed};
    struct http_parser parser;
    http_parser_reset(&parser);
    char *buffer = NULL;
    size_t there = 0;
    size_t taken = 0;
    size_t accepted = 0;
    for (;;) {
        enum http_progress progress =
            there == 0 ? HTTP_MORE : http_parser_run(&parser, &limits, buffer, there);
        if (progress == HTTP_DONE) {
            check_request(&parser, buffer, there);
            write_request(out, &parser, buffer);
            accepted = out->length;
            there -= parser.position;
            memmove(buffer, buffer + parser.position, there);
            http_parser_reset(&parser);
            continue;
        }
        if (progress == HTTP_REFUSED) {
            CHECK(parser.refusal.status >= 400 && parser.refusal.status <= 505);
            builder_printf(out, "%d %s", parser.refusal.status, parser.refusal.code);
            break;
        }
        if (taken == length) {
            break;
        }
        size_t piece = next_piece(&splitter, length - taken);
        there = seed == 0 || there == 0 ? there : http_parser_compact(&parser, buffer, there);
        char *moved = memory_resized(NULL, there + piece); /* exactly: an overrun is seen */
        memcpy(moved, buffer == NULL ? "" : buffer, there);
        memcpy(moved + there, bytes + taken, piece);
        free(buffer);
        buffer = moved;
        there += piece;
        taken += piece;
    }
    free(buffer);
    return accepted;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    if (length < 1) {
        return 0;
    }
    struct builder whole BUILDER_SCOPE;
    struct builder split BUILDER_SCOPE;
    struct builder again BUILDER_SCOPE;
    builder_init(&whole, 0);
    builder_init(&split, 0);
    builder_init(&again, 0);
    size_t accepted = read_stream(bytes + 1, length - 1, 0, &whole);
    CHECK(read_stream(bytes + 1, length - 1, bytes[0] + 1U, &split) == accepted);
    CHECK(whole.length == split.length && memcmp(whole.bytes, split.bytes, whole.length) == 0);
    size_t common = read_stream((const unsigned char *)whole.bytes, accepted, 0, &again);
    /* A canonical head may be longer than the one sent (an escape for each odd byte), and is
     * refused then; up to there it must be the same again. */
    CHECK(common <= accepted && memcmp(again.bytes, whole.bytes, common) == 0);
    CHECK(common == accepted || strstr(again.bytes + common, "too_") != NULL);
    return 0;
}
