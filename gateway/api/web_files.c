#include "api/api_internal.h"
#include "api/web_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The dashboard, from memory. The page itself needs no session and holds no data: it is the same
 * for everybody. */

#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "   \
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "               \
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

static const char not_built_in[] =
    "The dashboard was not built into this gateway: run `make web`, then `make`. The API and the "
    "command line work without it.\n";

enum { TAG_BYTES = 48, FIELDS_MAX = 12 };

static bool is_under(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_reserved(const char *path)
{
    static const char *const prefixes[] = {"/v1",      "/access",    "/oauth",
                                           "/mcp",     "/healthz",   "/readyz",
                                           "/metrics", "/jwks.json", "/.well-known"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (is_under(path, prefixes[i])) {
            return true;
        }
    }
    return false;
}

bool web_handles(const struct http_exchange *exchange)
{
    enum http_method method = http_method(exchange);
    return (method == HTTP_GET || method == HTTP_HEAD) && !is_reserved(http_path(exchange));
}

static const struct web_file *find_file(const char *path)
{
    for (const struct web_file *file = web_files; file->path != NULL; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".svg", "image/svg+xml"},
                 {".png", "image/png"},
                 {".ico", "image/vnd.microsoft.icon"},
                 {".woff2", "font/woff2"},
                 {".json", "application/json"},
                 {".webmanifest", "application/manifest+json"},
                 {".txt", "text/plain; charset=utf-8"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot, types[i].suffix) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* One member of Accept-Encoding (RFC 9110 section 12.5.3): `gzip`, `gzip;q=0.5`, not `gzip;q=0`. */
static bool accepts_in(const char *value)
{
    while (*value != '\0') {
        value += strspn(value, " \t,");
        size_t length = strcspn(value, ",");
        size_t name = strcspn(value, " \t;,");
        if (name == 4 && strncasecmp(value, "gzip", 4) == 0) {
            const char *rest = value + name;
            rest += strspn(rest, " \t;");
            bool is_refused = strncasecmp(rest, "q=0", 3) == 0 &&
                              strspn(rest + 3, ".0") == strcspn(rest + 3, " \t,");
            return !is_refused;
        }
        value += length;
    }
    return false;
}

static bool accepts_gzip(const struct http_exchange *exchange)
{
    size_t cursor = 0;
    const char *value;
    while ((value = http_header_next(exchange, "accept-encoding", &cursor, NULL)) != NULL) {
        if (accepts_in(value)) {
            return true;
        }
    }
    return false;
}

/* RFC 9110 section 13.1.2, weak comparison: a tag is hex within quotes, so that finding it in the
 * list is finding it as a member. */
static bool has_it(const struct http_exchange *exchange, const char *tag)
{
    size_t cursor = 0;
    const char *value;
    while ((value = http_header_next(exchange, "if-none-match", &cursor, NULL)) != NULL) {
        if (strcmp(value, "*") == 0 || strstr(value, tag) != NULL) {
            return true;
        }
    }
    return false;
}

struct fields {
    struct http_field items[FIELDS_MAX];
    size_t count;
};

static void add(struct fields *fields, const char *name, const char *value)
{
    fields->items[fields->count++] = (struct http_field){.name = name, .value = value};
}

static void add_safety(struct fields *fields, const char *trace)
{
    add(fields, "X-Content-Type-Options", "nosniff");
    add(fields, "Cross-Origin-Opener-Policy", "same-origin");
    add(fields, "Cross-Origin-Resource-Policy", "same-origin");
    add(fields, "Referrer-Policy", "no-referrer");
    add(fields, "Content-Security-Policy", PAGE_POLICY);
    add(fields, "X-Request-ID", trace);
}

static void answer_file(struct http_exchange *exchange, const struct web_file *file,
                        const char *trace)
{
    struct fields fields = {0};
    char tag[TAG_BYTES];
    bool is_packed = file->gzip != NULL && accepts_gzip(exchange);
    snprintf(tag, sizeof tag, "\"%s%s\"", file->tag, is_packed ? "-gz" : "");
    add(&fields, "ETag", tag);
    add(&fields, "Cache-Control",
        is_under(file->path, "/assets") ? "public, max-age=31536000, immutable" : "no-cache");
    add(&fields, "Vary", "Accept-Encoding");
    add_safety(&fields, trace);
    if (has_it(exchange, tag)) {
        http_answer(exchange, 304, fields.items, fields.count, NULL, 0);
        return;
    }
    add(&fields, "Content-Type", type_of(file->path));
    if (is_packed) {
        add(&fields, "Content-Encoding", "gzip");
    }
    http_answer(exchange, 200, fields.items, fields.count, is_packed ? file->gzip : file->bytes,
                is_packed ? file->gzip_length : file->length);
}

static void answer_not_built_in(struct http_exchange *exchange, const char *trace)
{
    struct fields fields = {0};
    add(&fields, "Content-Type", "text/plain; charset=utf-8");
    add(&fields, "Cache-Control", "no-store");
    add_safety(&fields, trace);
    http_answer(exchange, 200, fields.items, fields.count, not_built_in, sizeof not_built_in - 1);
}

void web_answer(struct http_exchange *exchange, const char *trace)
{
    const char *path = http_path(exchange);
    bool is_page = strchr(path, '.') == NULL;
    const struct web_file *file = find_file(is_page ? "/index.html" : path);
    if (file != NULL) {
        answer_file(exchange, file, trace);
    } else if (is_page) {
        answer_not_built_in(exchange, trace);
    } else {
        struct error error = {0};
        error_set(&error, ERROR_NOT_FOUND, "no_such_path", NULL, "there is no such file");
        api_bare_answer(exchange, &error, trace);
    }
}
