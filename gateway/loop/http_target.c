#include "loop/http_parser.h"

#include <string.h>

/* RFC 3986 pchar and "/", without the escape. Raw characters outside it are refused: peers differ
 * in how they repair them. */
static bool is_path_char(unsigned char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') ||
           (character != '\0' && strchr("/-._~!$&'()*+,;=:@", character) != NULL);
}

/* Browsers leave more of it raw than RFC 3986 allows ("|", "[", "{"), which harms nobody: the query
 * is decoded by us alone. */
static bool is_query_char(unsigned char character)
{
    return character > ' ' && character < 0x7f && strchr("#\"<>", character) == NULL;
}

static bool refuse(struct http_refusal *refusal, const char *code, const char *detail)
{
    *refusal = (struct http_refusal){.status = 400, .code = code, .detail = detail};
    return false;
}

/* One escape at `text` (which has at least the '%'): the byte it stands for, or -1. */
static int read_escape(const char *text, size_t left)
{
    if (left < 3) {
        return -1;
    }
    int high = http_hex_value(text[1]);
    int low = http_hex_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool decode_path(char *path, size_t length, size_t *out_length, struct http_refusal *refusal)
{
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        if (path[i] != '%') {
            if (!is_path_char((unsigned char)path[i])) {
                return refuse(refusal, "invalid_target",
                              "The path has a character that must be percent-encoded.");
            }
            path[written++] = path[i];
            continue;
        }
        int byte = read_escape(path + i, length - i);
        if (byte < 0) {
            return refuse(refusal, "invalid_escape", "The path has a broken percent escape.");
        }
        if (byte < ' ' || byte == 0x7f || byte == '/') {
            return refuse(refusal, "forbidden_escape",
                          "The path must not encode a slash, NUL or control character.");
        }
        path[written++] = (char)byte;
        i += 2;
    }
    *out_length = written;
    return true;
}

static bool has_dot_segment(const char *path, size_t length)
{
    for (size_t start = 0; start < length;) {
        const char *slash = memchr(path + start, '/', length - start);
        size_t end = slash == NULL ? length : (size_t)(slash - path);
        size_t segment = end - start;
        if ((segment == 1 && path[start] == '.') ||
            (segment == 2 && path[start] == '.' && path[start + 1] == '.')) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

static bool query_is_valid(const char *query, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_query_char((unsigned char)query[i])) {
            return false;
        }
    }
    return true;
}

bool http_target_read(char *target, size_t length, size_t *out_query, struct http_refusal *refusal)
{
    if (length == 0 || target[0] != '/') {
        return refuse(refusal, "target_form",
                      "The request target must be a path that begins with a slash (origin form).");
    }
    char *mark = memchr(target, '?', length);
    size_t path_length = mark == NULL ? length : (size_t)(mark - target);
    size_t query = mark == NULL ? length : path_length + 1;
    if (!query_is_valid(target + query, length - query)) {
        return refuse(refusal, "invalid_target",
                      "The query has a character that must be percent-encoded.");
    }
    size_t decoded = 0;
    if (!decode_path(target, path_length, &decoded, refusal)) {
        return false;
    }
    if (has_dot_segment(target, decoded)) {
        return refuse(refusal, "dot_segment", "The path must not have `.` or `..` segments.");
    }
    target[length] = '\0';
    target[decoded] = '\0';
    *out_query = query;
    return true;
}

static bool port_is_valid(const char *port)
{
    long number = 0;
    size_t digits = 0;
    for (; port[digits] >= '0' && port[digits] <= '9' && digits < 6; digits++) {
        number = number * 10 + (port[digits] - '0');
    }
    return port[digits] == '\0' && digits >= 1 && digits <= 5 && number <= 65535;
}

/* The end of the name part of a host: at its port's colon or its NUL. NULL when malformed. */
static const char *host_name_end(const char *host)
{
    const char *end = host;
    if (*host == '[') {
        end++;
        while (http_hex_value(*end) >= 0 || *end == ':' || *end == '.') {
            end++;
        }
        return *end == ']' && end - host > 2 ? end + 1 : NULL;
    }
    while ((*end >= '0' && *end <= '9') || (http_lower(*end) >= 'a' && http_lower(*end) <= 'z') ||
           *end == '-' || *end == '.' || *end == '_') {
        end++;
    }
    return end == host ? NULL : end;
}

bool http_host_is_valid(const char *host)
{
    const char *end = host_name_end(host);
    return end != NULL && (*end == '\0' || (*end == ':' && port_is_valid(end + 1)));
}

static bool equal_ignoring_case(const char *left, const char *right, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (left[i] == '\0' || http_lower(left[i]) != http_lower(right[i])) {
            return false;
        }
    }
    return true;
}

bool http_host_matches(const char *host, const char *name)
{
    size_t length = strlen(name);
    if (!equal_ignoring_case(host, name, length)) {
        return false;
    }
    const char *end = host_name_end(host);
    const char *matched = host + length;
    return *matched == '\0' || (matched == end && *matched == ':');
}
