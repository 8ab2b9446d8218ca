#ifndef LOOP_HTTP_PARSER_H
#define LOOP_HTTP_PARSER_H

/*
 * The framing of one request as a pure, incremental function over a buffer (RFC 9112): no socket,
 * no clock, no allocation. Feed it the same buffer again with more bytes at its end until it says
 * something other than MORE; however the bytes were split, it says the same. It rewrites the head
 * in place: texts are NUL-terminated, names lower-cased, the path decoded, chunks joined. Places
 * are offsets, so the buffer may move between calls. Internal to the room.
 *
 *   REQUEST_LINE -> FIELDS -+-> LENGTH ---------------------------------------+-> DONE
 *                           +-> CHUNK_SIZE -> CHUNK_SIZE_LF -> CHUNK_DATA -+  |
 *                           |      ^              | size 0                 |  |
 *                           |      +- DATA_LF <- DATA_CR <-----------------+  |
 *                           |                     +-> LAST_CR -> LAST_LF -----+
 *                           +-> DONE                 any stage -> REFUSED
 */

#include "loop/http.h"

enum http_stage {
    HTTP_STAGE_REQUEST_LINE = 0,
    HTTP_STAGE_FIELDS,
    HTTP_STAGE_LENGTH,
    HTTP_STAGE_CHUNK_SIZE,
    HTTP_STAGE_CHUNK_SIZE_LF,
    HTTP_STAGE_CHUNK_DATA,
    HTTP_STAGE_DATA_CR,
    HTTP_STAGE_DATA_LF,
    HTTP_STAGE_LAST_CR,
    HTTP_STAGE_LAST_LF,
    HTTP_STAGE_DONE,
    HTTP_STAGE_REFUSED,
};

enum http_progress {
    HTTP_MORE,     /* needs bytes after the ones it has */
    HTTP_CONTINUE, /* needs the body, and the client waits for 100 (once) */
    HTTP_DONE,     /* a whole request; the next one begins at `position` */
    HTTP_REFUSED,  /* answer `refusal` and close: what follows cannot be framed */
};

struct http_refusal {
    int status;
    const char *code;   /* "bare_line_feed" */
    const char *detail; /* a sentence for the client */
};

struct http_parser_limits {
    uint32_t head_bytes_max; /* at most HTTP_HEAD_BYTES_MAX: places in the head are 16 bits */
    uint32_t target_bytes_max;
    uint32_t body_bytes_max;
};

struct http_header_place {
    uint16_t name;
    uint16_t value;
};

struct http_parser {
    enum http_stage stage;
    enum http_method method;
    struct http_refusal refusal;
    size_t position;   /* bytes of the buffer examined */
    size_t line_start; /* of the line under way, in the head */
    size_t body_start;
    size_t body_length; /* body bytes complete so far, decoded, from body_start */
    size_t left;        /* of the body, or of the chunk under way */
    size_t content_length;
    uint16_t method_text;
    uint16_t path;
    uint16_t query;
    uint16_t host; /* the Host value */
    uint8_t chunk_digits;
    uint8_t host_count;
    uint8_t content_length_count;
    uint8_t transfer_encoding_count;
    bool is_line_after_cr; /* the last byte examined was CR */
    bool has_skipped_line; /* the one empty line allowed before a request line */
    bool expects_continue;
    bool wants_close;
    bool wants_upgrade; /* Connection: upgrade */
    uint8_t header_count;
    struct http_header_place headers[HTTP_HEADER_COUNT_MAX];
};

void http_parser_reset(struct http_parser *parser);
enum http_progress http_parser_run(struct http_parser *parser,
                                   const struct http_parser_limits *limits, char *bytes,
                                   size_t length);
/* True once the head is whole. */
bool http_parser_has_head(const struct http_parser *parser);
/* Closes the gap that joined chunks have left; returns the buffer's new length. */
size_t http_parser_compact(struct http_parser *parser, char *bytes, size_t length);
/* Bytes the buffer must be able to hold for this request, as far as known. */
size_t http_parser_bytes_needed(const struct http_parser *parser,
                                const struct http_parser_limits *limits);

/* Character classes, and the pieces with files of their own. */
bool http_is_token_char(unsigned char character);
char http_lower(char character);
int http_hex_value(char character); /* -1: not a hexadecimal digit */

/* Decodes the path of `target` in place and NUL-terminates it; *out_query is the offset of the
 * query in it ("" when there is none). target[length] must be writable. False: *refusal is set. */
bool http_target_read(char *target, size_t length, size_t *out_query,
                      struct http_refusal *refusal) MUST_CHECK;
/* RFC 9110 section 7.2: uri-host [ ":" port ]. */
bool http_host_is_valid(const char *host) MUST_CHECK;
/* Case is ignored; a name without a port matches any port. */
bool http_host_matches(const char *host, const char *name) MUST_CHECK;

#endif
