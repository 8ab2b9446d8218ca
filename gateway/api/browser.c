#include "api/api_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include "identity/session.h"
#include "operations/session_operations.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is particular to browsers, in one place. A session is read from the cookie only where no
 * Authorization header is. Whatever changes something by session must come from our own page: it
 * carries the session's CSRF token, and where the browser says where it comes from (Origin,
 * Sec-Fetch-Site) that is us. The same of what is open, such as signing in, where there is no token
 * yet. Over plain HTTP there are sessions from this machine alone.
 */

enum { TOUCH_MS = 60 * 1000 };
#define BROWSER_COOKIE_SECONDS (400LL * 24 * 60 * 60) /* no browser keeps one for longer */

static enum api_reach reach_of(const struct api_call *call)
{
    const struct api_options *options = &call->api->options;
    int listener = http_listener_id(call->exchange);
    bool is_known = listener >= 0 && (size_t)listener < options->listener_count;
    return is_known ? options->reaches[listener] : API_REACH_NETWORK;
}

/* The last address of X-Forwarded-For is the one our proxy added; what stands before it is whatever
 * the client sent. */
static const char *last_forwarded(const struct http_exchange *exchange)
{
    const char *value;
    const char *last = NULL;
    size_t cursor = 0;
    while ((value = http_header_next(exchange, "x-forwarded-for", &cursor, NULL)) != NULL) {
        last = value;
    }
    const char *comma = last == NULL ? NULL : strrchr(last, ',');
    last = comma == NULL ? last : comma + 1;
    return last == NULL ? NULL : last + strspn(last, " \t");
}

void api_read_peer(struct api_call *call)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (reach_of(call) != API_REACH_TLS_PROXY) {
        return;
    }
    const char *text = last_forwarded(call->exchange);
    if (text != NULL &&
        (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)) {
        call->forwarded_for = arena_text(call->arena, text);
    }
}

const char *api_peer(const struct api_call *call)
{
    return call->forwarded_for != NULL ? call->forwarded_for : http_peer_text(call->exchange);
}

bool api_is_secure(const struct api_call *call)
{
    return http_is_tls(call->exchange) || reach_of(call) == API_REACH_TLS_PROXY;
}

bool api_allows_sessions(const struct api_call *call)
{
    return api_is_secure(call) || reach_of(call) == API_REACH_LOOPBACK;
}

static bool has_header(const struct http_exchange *exchange, const char *name)
{
    size_t cursor = 0;
    return http_header_next(exchange, name, &cursor, NULL) != NULL;
}

bool api_carries_session(const struct api_call *call)
{
    return api_allows_sessions(call) && !has_header(call->exchange, "authorization") &&
           has_header(call->exchange, "cookie");
}

bool api_read_session(struct api_call *call, struct error *error)
{
    const char *cookies = NULL;
    return http_header(call->exchange, "cookie", &cookies, error) &&
           identity_read_cookie(cookies, api_is_secure(call), &call->credential, error);
}

static bool changes_something(enum http_method method)
{
    return method != HTTP_GET && method != HTTP_HEAD && method != HTTP_OPTIONS;
}

static bool wrong_origin(struct error *error)
{
    return error_set(error, ERROR_FORBIDDEN, "wrong_origin", NULL,
                     "this was sent by another site; nothing happened. Use the page this gateway "
                     "serves");
}

static bool check_origin(const struct api_call *call, struct error *error)
{
    const struct http_exchange *exchange = call->exchange;
    const char *origin = NULL;
    const char *site = NULL;
    const char *host = NULL;
    if (!http_header(exchange, "origin", &origin, error) ||
        !http_header(exchange, "sec-fetch-site", &site, error) ||
        !http_header(exchange, "host", &host, error)) {
        return false;
    }
    if (origin != NULL && !identity_is_same_origin(origin, api_is_secure(call), host)) {
        return wrong_origin(error);
    }
    return site == NULL || strcmp(site, "same-origin") == 0 || wrong_origin(error);
}

bool api_check_exact_origin(struct api_call *call, struct error *error)
{
    return (has_header(call->exchange, "origin") || wrong_origin(error)) &&
           check_origin(call, error);
}

bool api_check_browser(struct api_call *call, struct error *error)
{
    bool is_session = call->credential.kind == CREDENTIAL_SESSION;
    const char *token = NULL;
    if (!changes_something(http_method(call->exchange)) || (!is_session && !call->route->is_open)) {
        return true;
    }
    if (!check_origin(call, error) || !http_header(call->exchange, "x-csrf-token", &token, error)) {
        return false;
    }
    return !is_session || identity_csrf_matches(&call->credential, token) ||
           error_set(error, ERROR_FORBIDDEN, "csrf_mismatch", NULL,
                     "the X-CSRF-Token of this session is missing or another one's; nothing "
                     "happened. Load the page again");
}

const char *api_session_cookie(struct api_call *call, const char *secret, int64_t seconds)
{
    bool is_tls = api_is_secure(call);
    return arena_printf(call->arena, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; %sSameSite=Strict",
                        identity_cookie_name(is_tls), secret, (long long)seconds,
                        is_tls ? "Secure; " : "");
}

/* ---- what this browser is ---- */

void api_see_browser(struct api_call *call)
{
    struct browser_seen *seen = ARENA_NEW(call->arena, struct browser_seen);
    const char *cookies = NULL;
    const char *agent = NULL;
    char *name = arena_alloc(call->arena, BROWSER_NAME_BYTES);
    struct error ignored = {0};
    bool is_read = http_header(call->exchange, "cookie", &cookies, &ignored) &&
                   http_header(call->exchange, "user-agent", &agent, &ignored);
    identity_name_browser(is_read ? agent : NULL, name);
    *seen = (struct browser_seen){.name = name, .peer = arena_text(call->arena, api_peer(call))};
    seen->has_cookie =
        is_read && identity_read_browser(cookies, api_is_secure(call), &seen->cookie);
    call->browser = seen;
}

const char *api_browser_cookie(struct api_call *call, const char *secret)
{
    bool is_tls = api_is_secure(call);
    return arena_printf(call->arena, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; %sSameSite=Strict",
                        identity_browser_cookie_name(is_tls), secret, BROWSER_COOKIE_SECONDS,
                        is_tls ? "Secure; " : "");
}

/* ---- a session that is used stays ---- */

struct touch_call {
    struct store_job job;
    struct api *api;
    struct arena *arena;
    struct credential credential;
    struct operation operation;
};

static bool run_touch(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct touch_call *touch = (struct touch_call *)job;
    return operation_begin(&touch->operation, touch->api->options.operations, store, touch->arena,
                           now, &touch->credential, error) &&
           operation_touch_session(&touch->operation, error);
}

/* That the session ended meanwhile is no news here: its next call is told. */
static void finish_touch(struct store_job *job, bool ok, const struct error *error)
{
    struct touch_call *touch = (struct touch_call *)job;
    if (!ok && error->kind == ERROR_INTERNAL) {
        log_error(LOG_LEVEL_WARN, "session_not_touched", error);
    }
    arena_destroy(touch->arena);
    free(touch);
}

void api_touch_session(const struct api_call *call)
{
    const struct operation *operation = &call->operation;
    struct error error = {0};
    if (call->credential.kind != CREDENTIAL_SESSION || operation->session.id[0] == '\0' ||
        operation->now - operation->session.seen_at < TOUCH_MS) {
        return;
    }
    struct touch_call *touch = memory_zeroed(1, sizeof *touch);
    touch->api = call->api;
    touch->arena = arena_create();
    touch->credential = call->credential;
    touch->job.run = run_touch;
    touch->job.done = finish_touch;
    if (!store_writer_submit(call->api->options.writer, &touch->job, &error)) {
        arena_destroy(touch->arena);
        free(touch);
    }
}
