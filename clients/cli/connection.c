#include "clients/cli/cli.h"

#include "base/memory.h"
#include "crypto/crypto.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES_MAX = 256, BODY_BYTES_MAX = 64 * 1024 * 1024, SETTLE_SECONDS = 30 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

void cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

void cli_forget_interrupt(void)
{
    interrupted = 0;
}

bool cli_was_interrupted(void)
{
    return interrupted != 0;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    return interrupted != 0;
}

#define DEFAULT_URL "http://localhost:8080"

struct cli_connection {
    CURL *curl;
    char *url;
    char *socket;                       /* NULL: over TCP */
    char *authority;                    /* CA file, may be NULL */
    char tenant[128];                   /* whole header, "" when none */
    char bearer[SECRET_BYTES_MAX + 32]; /* whole header, "" when none */
};

static const char *setting(const struct cli_arguments *arguments, const char *option,
                           const char *variable)
{
    const char *value = cli_value(arguments, option);
    if (value == NULL) {
        value = getenv(variable);
    }
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool read_key_file(const char *path, char *out, size_t bytes, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    char argument[4096];
    builder_init(&text, SECRET_BYTES_MAX);
    snprintf(argument, sizeof argument, "@%s", path);
    if (!cli_read_argument(argument, &text, error)) {
        return false;
    }
    size_t length = strcspn(text.bytes, "\r\n");
    if (length == 0 || length >= bytes) {
        return error_set(error, ERROR_INVALID, "bad_key_file", path,
                         "`%s` must hold one API key or token on its first line", path);
    }
    memcpy(out, text.bytes, length);
    out[length] = '\0';
    crypto_wipe(text.bytes, text.length);
    return true;
}

/* Only the host socket's calls name a tenant; a key or a token is of one. */
static bool choose_tenant(struct cli_connection *connection, const struct cli_arguments *arguments,
                          struct error *error)
{
    const char *tenant = cli_value(arguments, "--tenant");
    if (tenant == NULL) {
        return true;
    }
    if (connection->socket == NULL || connection->bearer[0] != '\0') {
        return error_set(error, ERROR_INVALID, "no_socket", "--tenant",
                         "--tenant goes with the host socket: a key or token is of one tenant");
    }
    size_t length = strspn(tenant, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    if (length == 0 || length > 64 || tenant[length] != '\0') {
        return error_set(error, ERROR_INVALID, "bad_name", tenant,
                         "`%.64s` is not a name: 1 to 64 of a-z 0-9 . _ -", tenant);
    }
    snprintf(connection->tenant, sizeof connection->tenant, "Countersign-Tenant: %s", tenant);
    return true;
}

/* Callers use their key, people their token; the host socket needs neither. */
static bool choose_secret(struct cli_connection *connection, const struct cli_arguments *arguments,
                          enum cli_role role, struct error *error)
{
    char secret[SECRET_BYTES_MAX] = "";
    const char *file = cli_value(arguments, "--key-file");
    const char *variable = role == CLI_AS_CALLER ? "COUNTERSIGN_KEY" : "COUNTERSIGN_TOKEN";
    const char *value = getenv(variable);
    if (file != NULL) {
        if (!read_key_file(file, secret, sizeof secret, error)) {
            return false;
        }
    } else if (value != NULL && value[0] != '\0' && strlen(value) < sizeof secret) {
        strcpy(secret, value);
    } else if (role != CLI_AS_HOST) {
        return error_set(error, ERROR_INVALID, "no_credential", variable,
                         role == CLI_AS_CALLER
                             ? "set COUNTERSIGN_KEY to an API key (`countersign admin key add "
                               "CALLER`), or give --key-file"
                             : "set COUNTERSIGN_TOKEN to a personal token (`countersign admin "
                               "token add PERSON`), or give --key-file");
    }
    if (strpbrk(secret, "\r\n") != NULL) {
        return error_set(error, ERROR_INVALID, "bad_credential", variable, "%s must be one line",
                         variable);
    }
    if (secret[0] != '\0' && (role != CLI_AS_HOST || file != NULL)) {
        snprintf(connection->bearer, sizeof connection->bearer, "Authorization: Bearer %s", secret);
    }
    crypto_wipe(secret, sizeof secret);
    return true;
}

struct cli_connection *cli_connect(const struct cli_arguments *arguments, enum cli_role role,
                                   struct error *error)
{
    struct cli_connection *connection = memory_zeroed(1, sizeof *connection);
    const char *url = setting(arguments, "--url", "COUNTERSIGN_URL");
    const char *socket = role == CLI_AS_HOST ? setting(arguments, "--socket", "COUNTERSIGN_SOCKET")
                                             : cli_value(arguments, "--socket");
    if (role == CLI_AS_HOST && socket == NULL) {
        error_set(error, ERROR_INVALID, "no_socket", "--socket",
                  "this runs on the gateway's host: give --socket PATH or set COUNTERSIGN_SOCKET "
                  "(`admin_socket` of its configuration)");
        free(connection);
        return NULL;
    }
    connection->url = memory_text(socket != NULL ? "http://localhost"
                                  : url == NULL  ? DEFAULT_URL
                                                 : url);
    connection->socket = memory_text(socket);
    connection->authority = memory_text(cli_value(arguments, "--ca"));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    connection->curl = curl_easy_init();
    if (connection->curl == NULL || !choose_secret(connection, arguments, role, error) ||
        !choose_tenant(connection, arguments, error)) {
        error_set(error, ERROR_INTERNAL, "curl_unusable", NULL, "libcurl cannot be started");
        cli_disconnect(connection);
        return NULL;
    }
    return connection;
}

const char *cli_dashboard(const struct cli_arguments *arguments)
{
    const char *url = setting(arguments, "--url", "COUNTERSIGN_URL");
    return url != NULL ? url : DEFAULT_URL;
}

void cli_disconnect(struct cli_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    curl_easy_cleanup(connection->curl);
    crypto_wipe(connection->bearer, sizeof connection->bearer);
    free(connection->url);
    free(connection->socket);
    free(connection->authority);
    free(connection);
}

static size_t collect(char *bytes, size_t one, size_t count, void *context)
{
    struct builder *body = context;
    (void)one;
    builder_append(body, bytes, count);
    return builder_failed(body) ? 0 : count;
}

static void free_headers(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

/* What every call sets; the handle keeps its connection between calls. */
static void prepare(struct cli_connection *connection, const char *path, char *url,
                    size_t url_bytes)
{
    CURL *curl = connection->curl;
    size_t length = strlen(connection->url);
    while (length > 0 && connection->url[length - 1] == '/') {
        length--;
    }
    snprintf(url, url_bytes, "%.*s%s", (int)length, connection->url, path);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    if (connection->socket != NULL) {
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, connection->socket);
    }
    if (connection->authority != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, connection->authority);
    }
}

static bool not_reached(const struct cli_connection *connection, CURLcode code, struct error *error)
{
    const char *where = connection->socket != NULL ? connection->socket : connection->url;
    return error_set(error, ERROR_RETRY_LATER, "not_reached", where, "the gateway at %s: %s", where,
                     curl_easy_strerror(code));
}

static struct curl_slist *append_own_headers(const struct cli_connection *connection,
                                             struct curl_slist *headers)
{
    if (connection->tenant[0] != '\0') {
        headers = curl_slist_append(headers, connection->tenant);
    }
    if (connection->bearer[0] != '\0') {
        headers = curl_slist_append(headers, connection->bearer);
    }
    return headers;
}

/* Method, head and body of a call; the headers are the caller's to free. */
static struct curl_slist *prepare_call(struct cli_connection *connection,
                                       const struct cli_call *call, char *url, size_t url_bytes)
{
    CURL *curl = connection->curl;
    char line[320];
    struct curl_slist *headers = NULL;
    prepare(connection, call->path, url, url_bytes);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    headers = append_own_headers(connection, headers);
    if (call->idempotency_key != NULL) {
        snprintf(line, sizeof line, "Idempotency-Key: \"%s\"", call->idempotency_key);
        headers = curl_slist_append(headers, line);
    }
    if (call->wait_seconds > 0) {
        snprintf(line, sizeof line, "Prefer: wait=%d", call->wait_seconds);
        headers = curl_slist_append(headers, line);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (strcmp(call->method, "GET") != 0 && strcmp(call->method, "DELETE") != 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body == NULL ? "" : call->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(call->body == NULL ? 0 : strlen(call->body)));
    }
    return headers;
}

bool cli_send(struct cli_connection *connection, const struct cli_call *call,
              struct cli_answer *out, struct error *error)
{
    CURL *curl = connection->curl;
    char url[4096];
    *out = (struct cli_answer){0};
    builder_init(&out->body, BODY_BYTES_MAX);
    __attribute__((cleanup(free_headers))) struct curl_slist *headers =
        prepare_call(connection, call, url, sizeof url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)(call->wait_seconds + SETTLE_SECONDS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        cli_answer_finish(out);
        return not_reached(connection, code, error);
    }
    struct error ignored = {0};
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
    out->document =
        out->body.length == 0 ? NULL : json_parse(out->body.bytes, out->body.length, &ignored);
    return true;
}

void cli_answer_finish(struct cli_answer *answer)
{
    json_destroy(answer->document);
    answer->document = NULL;
    if (answer->body.bytes != NULL) {
        crypto_wipe(answer->body.bytes, answer->body.length); /* may hold a key or a token */
    }
    builder_finish(&answer->body);
}

struct sink {
    CURL *curl;
    int descriptor;
    struct builder problem; /* the start of an answer that is not 200 */
};

static size_t write_out(char *bytes, size_t one, size_t count, void *context)
{
    struct sink *sink = context;
    long status = 0;
    size_t done = 0;
    (void)one;
    curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        builder_append(&sink->problem, bytes, count);
        return count;
    }
    while (done < count) {
        ssize_t wrote = write(sink->descriptor, bytes + done, count - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return 0;
        }
        done += (size_t)wrote;
    }
    return count;
}

bool cli_download(struct cli_connection *connection, const char *path, int descriptor,
                  long *out_status, struct error *error)
{
    char url[4096];
    __attribute__((cleanup(free_headers))) struct curl_slist *headers = NULL;
    struct sink sink = {.curl = connection->curl, .descriptor = descriptor};
    builder_init(&sink.problem, 0);
    prepare(connection, path, url, sizeof url);
    headers = append_own_headers(connection, headers);
    curl_easy_setopt(connection->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEFUNCTION, write_out);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEDATA, &sink);
    CURLcode code = curl_easy_perform(connection->curl);
    curl_easy_getinfo(connection->curl, CURLINFO_RESPONSE_CODE, out_status);
    if (code == CURLE_OK && *out_status != 200) {
        struct cli_answer answer = {.status = *out_status, .body = sink.problem};
        struct error ignored = {0};
        answer.document = json_parse(answer.body.bytes, answer.body.length, &ignored);
        cli_print_problem(&answer);
        cli_answer_finish(&answer);
        return error_set(error, ERROR_INVALID, "refused", NULL, "the gateway answered %ld",
                         *out_status);
    }
    builder_finish(&sink.problem);
    return code == CURLE_OK || not_reached(connection, code, error);
}

/* ---- lines of JSON, as they come ---- */

enum { STREAM_LINE_BYTES_MAX = 1024 * 1024 };

struct line_sink {
    CURL *curl;
    struct builder rest; /* of a line that has not ended, or of a problem */
    void (*on_line)(void *context, const struct json *line);
    void *context;
};

static void take_line(struct line_sink *sink, const char *bytes, size_t length)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE = json_parse(bytes, length, &ignored);
    if (document != NULL) {
        sink->on_line(sink->context, json_root(document));
    }
}

static size_t take_lines(char *bytes, size_t one, size_t count, void *context)
{
    struct line_sink *sink = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(sink->curl, CURLINFO_RESPONSE_CODE, &status);
    builder_append(&sink->rest, bytes, count);
    if (builder_failed(&sink->rest)) {
        return 0;
    }
    if (status != 200) {
        return count;
    }
    size_t taken = 0;
    for (const char *end = memchr(sink->rest.bytes, '\n', sink->rest.length); end != NULL;
         end = memchr(sink->rest.bytes + taken, '\n', sink->rest.length - taken)) {
        take_line(sink, sink->rest.bytes + taken, (size_t)(end - sink->rest.bytes) - taken);
        taken = (size_t)(end - sink->rest.bytes) + 1;
    }
    memmove(sink->rest.bytes, sink->rest.bytes + taken, sink->rest.length - taken + 1);
    sink->rest.length -= taken;
    return count;
}

/* What was refused is said here, as it came; the stream is no answer then. */
static bool refused(struct builder *problem, long status, struct error *error)
{
    struct cli_answer answer = {.status = status, .body = *problem};
    struct error ignored = {0};
    answer.document = json_parse(answer.body.bytes, answer.body.length, &ignored);
    cli_print_problem(&answer);
    json_destroy(answer.document);
    return error_set(error, ERROR_INVALID, "refused", NULL, "the gateway answered %ld", status);
}

bool cli_stream(struct cli_connection *connection, const struct cli_call *call,
                void (*on_line)(void *context, const struct json *line), void *context,
                struct error *error)
{
    char url[4096];
    long status = 0;
    struct line_sink sink = {.curl = connection->curl, .on_line = on_line, .context = context};
    __attribute__((cleanup(free_headers))) struct curl_slist *headers =
        prepare_call(connection, call, url, sizeof url);
    builder_init(&sink.rest, STREAM_LINE_BYTES_MAX);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEFUNCTION, take_lines);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEDATA, &sink);
    CURLcode code = curl_easy_perform(connection->curl);
    curl_easy_getinfo(connection->curl, CURLINFO_RESPONSE_CODE, &status);
    bool ok = code == CURLE_OK ? status == 200 || refused(&sink.rest, status, error)
                               : not_reached(connection, code, error);
    builder_finish(&sink.rest);
    return ok;
}
