#include "loop/http_parser.h"

#include "base/check.h"
#include <string.h>

enum { CONTENT_LENGTH_DIGITS_MAX = 8, CHUNK_SIZE_DIGITS_MAX = 8, VERSION_BYTES = 8 };

/* Bytes a request line may have besides its target: the longest method, blanks, version, CR LF. */
enum { REQUEST_LINE_OVERHEAD = 32 };

bool http_is_token_char(unsigned char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("!#$%&'*+-.^_`|~", character) != NULL);
}

char http_lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character + ('a' - 'A')) : character;
}

int http_hex_value(char character)
{
    char lower = http_lower(character);
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool refuse(struct http_parser *parser, int status, const char *code, const char *detail)
{
    parser->stage = HTTP_STAGE_REFUSED;
    parser->refusal = (struct http_refusal){.status = status, .code = code, .detail = detail};
    return false;
}

/* ---- the request line ---- */

static enum http_method method_of(const char *text)
{
    static const struct {
        const char *text;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET},         {"POST", HTTP_POST},     {"HEAD", HTTP_HEAD},
        {"PUT", HTTP_PUT},         {"DELETE", HTTP_DELETE}, {"PATCH", HTTP_PATCH},
        {"OPTIONS", HTTP_OPTIONS},
    };
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(text, methods[i].text) == 0) {
            return methods[i].method;
        }
    }
    return HTTP_METHOD_NONE;
}

static bool read_method(struct http_parser *parser, char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!http_is_token_char((unsigned char)text[i])) {
            return refuse(parser, 400, "invalid_method", "The method is not a token.");
        }
    }
    if (length == 0) {
        return refuse(parser, 400, "invalid_request_line",
                      "The request line must be `METHOD /path HTTP/1.1`.");
    }
    text[length] = '\0';
    parser->method = method_of(text);
    if (parser->method == HTTP_METHOD_NONE) {
        return refuse(parser, 501, "unknown_method",
                      "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.");
    }
    return true;
}

static bool read_version(struct http_parser *parser, const char *text, size_t length)
{
    if (length == VERSION_BYTES && memcmp(text, "HTTP/1.1", VERSION_BYTES) == 0) {
        return true;
    }
    bool is_other_version = length == VERSION_BYTES && memcmp(text, "HTTP/", 5) == 0 &&
                            text[5] >= '0' && text[5] <= '9' && text[6] == '.' && text[7] >= '0' &&
                            text[7] <= '9';
    if (is_other_version) {
        return refuse(parser, 505, "unsupported_version", "Only HTTP/1.1 is spoken here.");
    }
    return refuse(parser, 400, "invalid_request_line",
                  "The request line must be `METHOD /path HTTP/1.1`.");
}

/* `METHOD SP target SP HTTP/1.1` with single blanks; text[length] is the line's CR. */
static bool read_request_line(struct http_parser *parser, const struct http_parser_limits *limits,
                              char *bytes, size_t start, size_t end)
{
    char *line = bytes + start;
    size_t length = end - start;
    char *method_end = memchr(line, ' ', length);
    if (method_end == NULL) {
        return refuse(parser, 400, "invalid_request_line",
                      "The request line must be `METHOD /path HTTP/1.1`.");
    }
    char *target = method_end + 1;
    char *target_end = memchr(target, ' ', (size_t)(line + length - target));
    if (target_end == NULL) {
        return refuse(parser, 400, "invalid_request_line",
                      "The request line must be `METHOD /path HTTP/1.1`.");
    }
    if (!read_version(parser, target_end + 1, (size_t)(line + length - target_end - 1)) ||
        !read_method(parser, line, (size_t)(method_end - line))) {
        return false;
    }
    if ((size_t)(target_end - target) > limits->target_bytes_max) {
        return refuse(parser, 414, "target_too_long", "The request target is too long.");
    }
    size_t query = 0;
    if (!http_target_read(target, (size_t)(target_end - target), &query, &parser->refusal)) {
        parser->stage = HTTP_STAGE_REFUSED;
        return false;
    }
    parser->method_text = (uint16_t)start;
    parser->path = (uint16_t)(target - bytes);
    parser->query = (uint16_t)((size_t)(target - bytes) + query);
    parser->stage = HTTP_STAGE_FIELDS;
    return true;
}

/* ---- header fields ---- */

static bool equal_ignoring_case(const char *text, const char *lower)
{
    while (*text != '\0' && http_lower(*text) == *lower) {
        text++;
        lower++;
    }
    return *text == '\0' && *lower == '\0';
}

static bool token_is(const char *token, size_t length, const char *lower)
{
    if (length != strlen(lower)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (http_lower(token[i]) != lower[i]) {
            return false;
        }
    }
    return true;
}

static bool read_connection(struct http_parser *parser, const char *value)
{
    while (*value != '\0') {
        value += strspn(value, " \t,");
        size_t length = strcspn(value, " \t,");
        parser->wants_close |= token_is(value, length, "close");
        parser->wants_upgrade |= token_is(value, length, "upgrade");
        value += length;
    }
    return true;
}

static bool read_content_length(struct http_parser *parser, const char *value)
{
    if (parser->content_length_count++ > 0) {
        return refuse(parser, 400, "duplicate_content_length",
                      "Content-Length must be sent at most once.");
    }
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || value[digits] != '\0') {
        return refuse(parser, 400, "invalid_content_length",
                      "Content-Length must be one decimal number.");
    }
    if (digits > CONTENT_LENGTH_DIGITS_MAX) {
        return refuse(parser, 413, "body_too_large", "The body is larger than allowed.");
    }
    for (size_t i = 0; i < digits; i++) {
        parser->content_length = parser->content_length * 10 + (size_t)(value[i] - '0');
    }
    return true;
}

static bool read_transfer_encoding(struct http_parser *parser, const char *value)
{
    if (parser->transfer_encoding_count++ > 0) {
        return refuse(parser, 400, "duplicate_transfer_encoding",
                      "Transfer-Encoding must be sent at most once.");
    }
    if (*value == '\0') {
        return refuse(parser, 400, "invalid_transfer_encoding", "Transfer-Encoding is empty.");
    }
    return equal_ignoring_case(value, "chunked") ||
           refuse(parser, 501, "unsupported_transfer_encoding",
                  "The only transfer coding spoken here is `chunked`.");
}

static bool read_host(struct http_parser *parser, const char *bytes, size_t place)
{
    if (parser->host_count++ > 0) {
        return refuse(parser, 400, "duplicate_host", "Host must be sent exactly once.");
    }
    parser->host = (uint16_t)place;
    return http_host_is_valid(bytes + place) ||
           refuse(parser, 400, "invalid_host", "Host must be a name or address and maybe a port.");
}

static bool read_expect(struct http_parser *parser, const char *value)
{
    parser->expects_continue = true;
    return equal_ignoring_case(value, "100-continue") ||
           refuse(parser, 417, "unknown_expectation", "The only expectation is `100-continue`.");
}

/* Fields that frame or steer the connection; all others are the handler's. */
static bool apply_field(struct http_parser *parser, const char *bytes,
                        const struct http_header_place *place)
{
    const char *name = bytes + place->name;
    const char *value = bytes + place->value;
    if (strcmp(name, "host") == 0) {
        return read_host(parser, bytes, place->value);
    }
    if (strcmp(name, "content-length") == 0) {
        return read_content_length(parser, value);
    }
    if (strcmp(name, "transfer-encoding") == 0) {
        return read_transfer_encoding(parser, value);
    }
    if (strcmp(name, "connection") == 0) {
        return read_connection(parser, value);
    }
    return strcmp(name, "expect") != 0 || read_expect(parser, value);
}

/* `name ":" OWS value OWS`; bytes[end] is the line's CR. Controls were refused while scanning. */
static bool read_field(struct http_parser *parser, char *bytes, size_t start, size_t end)
{
    if (bytes[start] == ' ' || bytes[start] == '\t') {
        return refuse(parser, 400, "folded_line",
                      "A header line must not begin with white space (no folding).");
    }
    size_t name_end = start;
    while (name_end < end && http_is_token_char((unsigned char)bytes[name_end])) {
        bytes[name_end] = http_lower(bytes[name_end]);
        name_end++;
    }
    if (name_end == start || name_end == end || bytes[name_end] != ':') {
        return refuse(parser, 400, "invalid_header_name",
                      "A header line must be a token, a colon right after it, and a value.");
    }
    if (parser->header_count == HTTP_HEADER_COUNT_MAX) {
        return refuse(parser, 431, "too_many_headers", "The request has too many header lines.");
    }
    size_t value = name_end + 1;
    while (value < end && (bytes[value] == ' ' || bytes[value] == '\t')) {
        value++;
    }
    size_t value_end = end;
    while (value_end > value && (bytes[value_end - 1] == ' ' || bytes[value_end - 1] == '\t')) {
        value_end--;
    }
    bytes[name_end] = '\0';
    bytes[value_end] = '\0';
    struct http_header_place *place = &parser->headers[parser->header_count++];
    *place = (struct http_header_place){.name = (uint16_t)start, .value = (uint16_t)value};
    return apply_field(parser, bytes, place);
}

/* ---- the end of the head: how the body is framed (RFC 9112 section 6) ---- */

static bool method_may_have_body(enum http_method method)
{
    return method == HTTP_POST || method == HTTP_PUT || method == HTTP_PATCH;
}

static bool end_head(struct http_parser *parser, const struct http_parser_limits *limits)
{
    if (parser->host_count == 0) {
        return refuse(parser, 400, "missing_host", "Host must be sent exactly once.");
    }
    if (parser->transfer_encoding_count > 0 && parser->content_length_count > 0) {
        return refuse(parser, 400, "ambiguous_length",
                      "Send Content-Length or Transfer-Encoding, never both.");
    }
    bool has_body = parser->transfer_encoding_count > 0 || parser->content_length > 0;
    if (has_body && !method_may_have_body(parser->method)) {
        return refuse(parser, 400, "unexpected_body", "This method must not have a body.");
    }
    if (parser->content_length > limits->body_bytes_max) {
        return refuse(parser, 413, "body_too_large", "The body is larger than allowed.");
    }
    parser->body_start = parser->position;
    parser->left = parser->content_length;
    parser->expects_continue &= has_body;
    parser->stage = parser->transfer_encoding_count > 0 ? HTTP_STAGE_CHUNK_SIZE
                    : has_body                          ? HTTP_STAGE_LENGTH
                                                        : HTTP_STAGE_DONE;
    return true;
}

/* One line without its CR LF, which are at `end`. */
static bool read_line(struct http_parser *parser, const struct http_parser_limits *limits,
                      char *bytes, size_t end)
{
    size_t start = parser->line_start;
    parser->line_start = parser->position;
    if (parser->stage == HTTP_STAGE_FIELDS) {
        return start == end ? end_head(parser, limits) : read_field(parser, bytes, start, end);
    }
    if (start == end && !parser->has_skipped_line) {
        parser->has_skipped_line = true; /* RFC 9112 section 2.2 */
        return true;
    }
    return read_request_line(parser, limits, bytes, start, end);
}

/* Told as soon as it is known, before the line has ended. */
static bool request_line_is_too_long(struct http_parser *parser,
                                     const struct http_parser_limits *limits)
{
    return parser->stage == HTTP_STAGE_REQUEST_LINE &&
           parser->position - parser->line_start >
               limits->target_bytes_max + REQUEST_LINE_OVERHEAD &&
           !refuse(parser, 414, "target_too_long", "The request target is too long.");
}

/* What may follow what, byte for byte: CR only before LF, LF only after CR, no other control but
 * the tab. */
static bool head_byte_is_valid(struct http_parser *parser, unsigned char byte)
{
    if (parser->is_line_after_cr && byte != '\n') {
        return refuse(parser, 400, "bare_carriage_return", "Lines must end with CR LF.");
    }
    if (byte == '\n' && !parser->is_line_after_cr) {
        return refuse(parser, 400, "bare_line_feed", "Lines must end with CR LF.");
    }
    if ((byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7f) {
        return refuse(parser, 400, "control_character",
                      "The request's head must not have control characters.");
    }
    if (parser->stage == HTTP_STAGE_REQUEST_LINE && (byte == '\t' || byte >= 0x80)) {
        return refuse(parser, 400, "invalid_request_line",
                      "The request line must be visible ASCII and single blanks.");
    }
    return true;
}

/* Printable ASCII: the bytes that need none of the checks above. */
static size_t skip_printable(const char *bytes, size_t position, size_t length)
{
    while (position < length && bytes[position] >= ' ' && bytes[position] < 0x7f) {
        position++;
    }
    return position;
}

static void run_head(struct http_parser *parser, const struct http_parser_limits *limits,
                     char *bytes, size_t length)
{
    size_t bounded = length < limits->head_bytes_max ? length : limits->head_bytes_max;
    while (parser->position < bounded && parser->stage <= HTTP_STAGE_FIELDS) {
        if (!parser->is_line_after_cr) {
            parser->position = skip_printable(bytes, parser->position, bounded);
        }
        if (request_line_is_too_long(parser, limits)) {
            return;
        }
        if (parser->position == bounded) {
            break;
        }
        unsigned char byte = (unsigned char)bytes[parser->position];
        if (!head_byte_is_valid(parser, byte)) {
            return;
        }
        parser->position++;
        parser->is_line_after_cr = byte == '\r';
        if (byte == '\n' && !read_line(parser, limits, bytes, parser->position - 2)) {
            return;
        }
    }
    if (parser->stage <= HTTP_STAGE_FIELDS && length > bounded) {
        refuse(parser, 431, "head_too_large", "The request's headers are too large.");
    }
}

/* ---- bodies ---- */

static void take_data(struct http_parser *parser, char *bytes, size_t length, enum http_stage next)
{
    size_t there = length - parser->position;
    size_t taken = there < parser->left ? there : parser->left;
    size_t end = parser->body_start + parser->body_length;
    if (end != parser->position) {
        memmove(bytes + end, bytes + parser->position, taken);
    }
    parser->body_length += taken;
    parser->position += taken;
    parser->left -= taken;
    if (parser->left == 0) {
        parser->stage = next;
    }
}

static void take_size_byte(struct http_parser *parser, const struct http_parser_limits *limits,
                           char byte)
{
    int digit = http_hex_value(byte);
    if (digit >= 0 && parser->chunk_digits < CHUNK_SIZE_DIGITS_MAX) {
        parser->left = parser->left * 16 + (size_t)digit;
        parser->chunk_digits++;
        if (parser->left > limits->body_bytes_max - parser->body_length) {
            refuse(parser, 413, "body_too_large", "The body is larger than allowed.");
        }
        return;
    }
    if (byte == '\r' && parser->chunk_digits > 0) {
        parser->stage = HTTP_STAGE_CHUNK_SIZE_LF;
        return;
    }
    refuse(parser, 400, "invalid_chunk",
           "A chunk must begin with its size, one to eight hexadecimal digits, and CR LF; "
           "extensions are not accepted.");
}

/* One byte that must be `expected`. */
static void take_exactly(struct http_parser *parser, char byte, char expected, enum http_stage next)
{
    if (byte == expected) {
        parser->stage = next;
        return;
    }
    if (parser->stage == HTTP_STAGE_LAST_CR) {
        refuse(parser, 400, "trailers", "Trailer fields are not accepted.");
        return;
    }
    refuse(parser, 400, "invalid_chunk", "A chunk's size and data must each end with CR LF.");
}

static void take_chunk_byte(struct http_parser *parser, const struct http_parser_limits *limits,
                            char byte)
{
    switch (parser->stage) {
    case HTTP_STAGE_CHUNK_SIZE:
        take_size_byte(parser, limits, byte);
        break;
    case HTTP_STAGE_CHUNK_SIZE_LF:
        take_exactly(parser, byte, '\n',
                     parser->left == 0 ? HTTP_STAGE_LAST_CR : HTTP_STAGE_CHUNK_DATA);
        break;
    case HTTP_STAGE_DATA_CR:
        take_exactly(parser, byte, '\r', HTTP_STAGE_DATA_LF);
        break;
    case HTTP_STAGE_DATA_LF:
        take_exactly(parser, byte, '\n', HTTP_STAGE_CHUNK_SIZE);
        parser->chunk_digits = 0;
        break;
    case HTTP_STAGE_LAST_CR:
        take_exactly(parser, byte, '\r', HTTP_STAGE_LAST_LF);
        break;
    case HTTP_STAGE_LAST_LF:
        take_exactly(parser, byte, '\n', HTTP_STAGE_DONE);
        break;
    case HTTP_STAGE_REQUEST_LINE:
    case HTTP_STAGE_FIELDS:
    case HTTP_STAGE_LENGTH:
    case HTTP_STAGE_CHUNK_DATA:
    case HTTP_STAGE_DONE:
    case HTTP_STAGE_REFUSED:
        CHECK(false);
    }
}

static void run_body(struct http_parser *parser, const struct http_parser_limits *limits,
                     char *bytes, size_t length)
{
    while (parser->position < length && parser->stage < HTTP_STAGE_DONE) {
        if (parser->stage == HTTP_STAGE_LENGTH) {
            take_data(parser, bytes, length, HTTP_STAGE_DONE);
        } else if (parser->stage == HTTP_STAGE_CHUNK_DATA) {
            take_data(parser, bytes, length, HTTP_STAGE_DATA_CR);
        } else {
            take_chunk_byte(parser, limits, bytes[parser->position]);
            parser->position++;
        }
    }
}

void http_parser_reset(struct http_parser *parser)
{
    /* The table needs no clearing: header_count bounds it. */
    memset(parser, 0, offsetof(struct http_parser, headers));
}

enum http_progress http_parser_run(struct http_parser *parser,
                                   const struct http_parser_limits *limits, char *bytes,
                                   size_t length)
{
    CHECK(parser->position <= length);
    if (parser->stage <= HTTP_STAGE_FIELDS) {
        run_head(parser, limits, bytes, length);
    }
    if (parser->stage > HTTP_STAGE_FIELDS && parser->stage < HTTP_STAGE_DONE) {
        run_body(parser, limits, bytes, length);
    }
    if (parser->stage == HTTP_STAGE_DONE) {
        return HTTP_DONE;
    }
    if (parser->stage == HTTP_STAGE_REFUSED) {
        return HTTP_REFUSED;
    }
    bool is_waiting = parser->expects_continue && parser->stage > HTTP_STAGE_FIELDS &&
                      parser->position == parser->body_start;
    parser->expects_continue &= !is_waiting;
    return is_waiting ? HTTP_CONTINUE : HTTP_MORE;
}

bool http_parser_has_head(const struct http_parser *parser)
{
    return parser->stage > HTTP_STAGE_FIELDS && parser->stage < HTTP_STAGE_REFUSED;
}

size_t http_parser_compact(struct http_parser *parser, char *bytes, size_t length)
{
    size_t end = parser->body_start + parser->body_length;
    if (!http_parser_has_head(parser) || end >= parser->position) {
        return length;
    }
    memmove(bytes + end, bytes + parser->position, length - parser->position);
    length -= parser->position - end;
    parser->position = end;
    return length;
}

size_t http_parser_bytes_needed(const struct http_parser *parser,
                                const struct http_parser_limits *limits)
{
    if (!http_parser_has_head(parser)) {
        return (size_t)limits->head_bytes_max + 1;
    }
    if (parser->transfer_encoding_count == 0) {
        return parser->body_start + parser->content_length;
    }
    /* Room for framing behind the joined data, so that every read has somewhere to go. */
    return parser->body_start + limits->body_bytes_max + 1024;
}
