#include "loop/http_internal.h"

#include "base/check.h"
#include <stdio.h>
#include <string.h>

const char *answer_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Status"; /* the phrase carries no meaning (RFC 9112 section 4) */
}

/* ---- the head ---- */

static bool field_is_sendable(const struct http_field *field)
{
    for (const char *name = field->name; *name != '\0'; name++) {
        if (!http_is_token_char((unsigned char)*name)) {
            return false;
        }
    }
    for (const char *value = field->value; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return field->name[0] != '\0';
}

static void append_status_line(struct builder *head, int status)
{
    char digits[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};
    builder_append(head, "HTTP/1.1 ", 9);
    builder_append(head, digits, sizeof(digits));
    builder_char(head, ' ');
    builder_text(head, answer_reason(status));
    builder_append(head, "\r\n", 2);
}

bool answer_build_head(struct http_exchange *connection, int status,
                       const struct http_field *fields, size_t field_count,
                       const char *length_field)
{
    struct http_server *server = server_of(connection);
    struct builder *head = &server->head;
    CHECK(status >= 200 && status <= 599);
    builder_clear(head);
    append_status_line(head, status);
    builder_append(head, "Date: ", 6);
    builder_text(head, server_date(server));
    builder_append(head, "\r\n", 2);
    for (size_t i = 0; i < field_count; i++) {
        if (!field_is_sendable(&fields[i])) {
            return false;
        }
        builder_text(head, fields[i].name);
        builder_append(head, ": ", 2);
        builder_text(head, fields[i].value);
        builder_append(head, "\r\n", 2);
    }
    builder_text(head, length_field);
    if (connection->closes) {
        builder_text(head, "Connection: close\r\n");
    }
    builder_append(head, "\r\n", 2);
    return true;
}

/* "Content-Length: N\r\n", or nothing for the statuses that have no content (RFC 9110, 15.3.5 and
 * 15.4.5). */
static void write_length_field(int status, size_t length, char out[48])
{
    if (status == 204 || status == 304) {
        out[0] = '\0';
        return;
    }
    snprintf(out, 48, "Content-Length: %zu\r\n", length);
}

static void send_whole(struct http_exchange *connection, const void *body, size_t length)
{
    struct builder *head = &server_of(connection)->head;
    struct iovec pieces[2] = {
        {.iov_base = head->bytes, .iov_len = head->length},
        {.iov_base = (void *)body, .iov_len = length},
    };
    connection_send(connection, pieces, length == 0 ? 1 : 2);
}

static bool has_exchange(const struct http_exchange *connection)
{
    return connection->magic == CONNECTION_MAGIC &&
           (connection->state == CONNECTION_HANDLING || connection->state == CONNECTION_PARKED);
}

void http_answer(struct http_exchange *exchange, int status, const struct http_field *fields,
                 size_t field_count, const void *body, size_t length)
{
    CHECK(has_exchange(exchange));
    exchange->closes |= server_of(exchange)->is_draining;
    char length_field[48];
    write_length_field(status, length, length_field);
    if (!answer_build_head(exchange, status, fields, field_count, length_field)) {
        static const struct http_field problem = {"Content-Type", "application/problem+json"};
        static const char text[] = "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\","
                                   "\"status\":500,\"code\":\"unsendable_header\"}";
        http_answer(exchange, 500, &problem, 1, text, sizeof(text) - 1);
        return;
    }
    bool has_body = !exchange->is_head_method && status != 204 && status != 304;
    send_whole(exchange, body, has_body ? length : 0);
    connection_end_exchange(exchange);
}

void http_close_after(struct http_exchange *exchange)
{
    exchange->closes = true;
}

void http_park(struct http_exchange *exchange, void (*on_gone)(void *context))
{
    CHECK(exchange->magic == CONNECTION_MAGIC && exchange->state == CONNECTION_HANDLING);
    exchange->state = CONNECTION_PARKED;
    exchange->on_gone = on_gone;
    connection_drop_borrowed(exchange);
    connection_set_deadline(exchange, DEADLINE_NONE);
    metrics_add(server_of(exchange)->options.metrics, METRIC_WAITERS_PARKED, 1);
    if (connection_is_cut(exchange) || exchange->is_peer_closed || exchange->is_broken) {
        server_mark_ready(exchange);
    }
    connection_watch(exchange);
}

/* ---- refusals of our own ---- */

void answer_refusal(struct http_exchange *connection, const struct http_refusal *refusal)
{
    struct http_server *server = server_of(connection);
    server_note(server, HTTP_NOTE_REFUSED, refusal->status, connection->peer, refusal->code);
    const struct http_field fields[] = {
        {"Content-Type", "application/problem+json"},
        {"Cache-Control", "no-store"},
    };
    char body[512]; /* all its texts are literals of this room */
    int length =
        snprintf(body, sizeof(body),
                 "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                 "\"detail\":\"%s\",\"code\":\"%s\"}\n",
                 answer_reason(refusal->status), refusal->status, refusal->detail, refusal->code);
    CHECK(length > 0 && (size_t)length < sizeof(body));
    char length_field[48];
    write_length_field(refusal->status, (size_t)length, length_field);
    bool is_head = connection->request != NULL && parser_of(connection)->method == HTTP_HEAD;
    connection->closes = true;
    CHECK(answer_build_head(connection, refusal->status, fields, sizeof(fields) / sizeof(fields[0]),
                            length_field));
    connection->state = CONNECTION_WRITING;
    send_whole(connection, body, is_head ? 0 : (size_t)length);
    connection_end_exchange(connection);
}
