#include "loop/http_internal.h"

#include "base/check.h"
#include <string.h>
#include <sys/socket.h>

/* Lookups in the request under way, and who sent it. */

/* A request's text may be asked for while its handler has it, not once it is parked. */
static const struct http_parser *request_of(const struct http_exchange *exchange)
{
    CHECK(exchange->magic == CONNECTION_MAGIC && exchange->state == CONNECTION_HANDLING);
    return &exchange->request->parser;
}

enum http_method http_method(const struct http_exchange *exchange)
{
    return request_of(exchange)->method;
}

const char *http_method_text(const struct http_exchange *exchange)
{
    return exchange->request->bytes + request_of(exchange)->method_text;
}

const char *http_path(const struct http_exchange *exchange)
{
    return exchange->request->bytes + request_of(exchange)->path;
}

const char *http_query(const struct http_exchange *exchange)
{
    return exchange->request->bytes + request_of(exchange)->query;
}

const char *http_body(const struct http_exchange *exchange, size_t *out_length)
{
    const struct http_parser *parser = request_of(exchange);
    *out_length = parser->body_length;
    return exchange->request->bytes + parser->body_start;
}

/* `lower` is a name as the parser keeps it. */
static bool name_is(const char *lower, const char *name)
{
    while (*lower != '\0' && *lower == http_lower(*name)) {
        lower++;
        name++;
    }
    return *lower == '\0' && *name == '\0';
}

const char *http_header_next(const struct http_exchange *exchange, const char *name, size_t *cursor,
                             const char **out_name)
{
    const struct http_parser *parser = request_of(exchange);
    const char *bytes = exchange->request->bytes;
    while (*cursor < parser->header_count) {
        const struct http_header_place *place = &parser->headers[(*cursor)++];
        if (name == NULL || name_is(bytes + place->name, name)) {
            if (out_name != NULL) {
                *out_name = bytes + place->name;
            }
            return bytes + place->value;
        }
    }
    return NULL;
}

bool http_header(const struct http_exchange *exchange, const char *name, const char **out_value,
                 struct error *error)
{
    size_t cursor = 0;
    const char *value = http_header_next(exchange, name, &cursor, NULL);
    if (value != NULL && http_header_next(exchange, name, &cursor, NULL) != NULL) {
        return error_set(error, ERROR_INVALID, "duplicate_header", name,
                         "send the header `%s` only once", name);
    }
    *out_value = value;
    return true;
}

bool http_wants_upgrade(const struct http_exchange *exchange, const char *protocol)
{
    const struct http_parser *parser = request_of(exchange);
    const char *value = NULL;
    return parser->method == HTTP_GET && parser->wants_upgrade &&
           http_header(exchange, "upgrade", &value, NULL) && value != NULL &&
           strlen(value) == strlen(protocol) && strcasecmp(value, protocol) == 0;
}

int http_listener_id(const struct http_exchange *exchange)
{
    return exchange->listener->options.id;
}

const char *http_peer_text(const struct http_exchange *exchange)
{
    return exchange->peer;
}

bool http_is_tls(const struct http_exchange *exchange)
{
    return exchange->listener->options.certificate_file != NULL;
}

bool http_peer_credentials(const struct http_exchange *exchange, struct http_credentials *out)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);
    if (exchange->listener->options.socket_path == NULL || connection_is_cut(exchange) ||
        getsockopt(exchange->io.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        return false;
    }
    *out = (struct http_credentials){
        .pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
    return true;
}

const struct http_certificate *http_peer_certificate(const struct http_exchange *exchange)
{
    return exchange->tls == NULL ? NULL : tls_peer_certificate(exchange->tls);
}

void http_set_context(struct http_exchange *exchange, void *context)
{
    exchange->context = context;
}

void *http_context(const struct http_exchange *exchange)
{
    return exchange->context;
}
