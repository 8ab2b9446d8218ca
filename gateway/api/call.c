#include "api/api_internal.h"
#include "api/web_internal.h"
#include "trust/trust.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "operations/proposal_operations.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct api_call *api_new_call(struct api *api, struct http_exchange *exchange,
                              const struct api_route *route)
{
    struct api_call *call = memory_zeroed(1, sizeof *call);
    call->api = api;
    call->exchange = exchange;
    call->route = route;
    call->thread = route->thread;
    call->arena = arena_create();
    call->job.is_essential = route->is_essential;
    call->next = api->calls;
    if (call->next != NULL) {
        call->next->previous = call;
    }
    api->calls = call;
    return call;
}

void api_end_call(struct api_call *call)
{
    struct api *api = call->api;
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        api->calls = call->next;
    }
    if (call->next != NULL) {
        call->next->previous = call->previous;
    }
    api_forget_waiter(call->waiter);
    if (call->route->drop != NULL) {
        call->route->drop(call);
    }
    json_destroy(call->document);
    arena_destroy(call->arena);
    free(call);
    if (api->is_draining && api->calls == NULL && api->on_idle != NULL) {
        void (*on_idle)(void *) = api->on_idle;
        api->on_idle = NULL;
        on_idle(api->idle_context);
    }
}

static bool begin_job(struct api_call *call, struct store *store, int64_t now, struct error *error)
{
    call->operation = (struct operation){0};
    if (!operation_begin(&call->operation, call->api->options.operations, store, call->arena, now,
                         &call->credential, error)) {
        return false;
    }
    call->operation.browser = call->browser;
    return (call->change == NULL || operation_note_call(&call->operation, call->change, error));
}

/* Beside what the call does, or not at all. What makes something new is not made twice; the answer
 * itself is not kept, since it may hold a secret that is shown once. */
static bool use_key(struct api_call *call, struct error *error)
{
    bool is_first = true;
    if (call->key != NULL &&
        !operation_use_key(&call->operation, call->key, &call->key_body, &is_first, error)) {
        return false;
    }
    return is_first || !call->route->is_once ||
           error_set(error, ERROR_CONFLICT, "already_done", "Idempotency-Key",
                     "this call was carried out before, and is not carried out twice: read what is "
                     "there. A secret that was not received is replaced by a new one under a new "
                     "key");
}

/* What two admins must both make is noted when it is the first one's call. Whoever refuses for that
 * has not written anything. */
static bool run_route(struct api_call *call, struct error *error)
{
    struct error refused = {0};
    bool may_propose = call->change != NULL && call->thread == API_ON_WRITER;
    if (!call->must_propose && call->route->run(call, &refused)) {
        return operation_settle_call(&call->operation, error);
    }
    if (may_propose && (call->must_propose || api_is_for_two(&refused))) {
        return api_propose(call, error);
    }
    *error = refused;
    return false;
}

static bool run_job(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    return begin_job(call, store, now, error) && use_key(call, error) && run_route(call, error);
}

/* What a failed proof of identity is called as noise of its source; NULL when it is none. That a
 * session is over happens to everybody. */
static const char *noise_kind(const struct api_call *call, const struct error *error)
{
    static const struct {
        const char *code, *kind;
    } kinds[] = {{"wrong_name_or_password", "bad_password"},
                 {"wrong_password", "bad_password"},
                 {"wrong_code", "bad_code"},
                 {"code_needed", NULL},
                 {"wrong_passkey", "bad_passkey"},
                 {"setup_link_invalid", "bad_link"},
                 {"enrolment_link_invalid", "bad_link"},
                 {"session_over", NULL}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (error->code != NULL && strcmp(error->code, kinds[i].code) == 0) {
            return kinds[i].kind;
        }
    }
    if (error->kind != ERROR_UNAUTHENTICATED) {
        return NULL;
    }
    return call->credential.kind == CREDENTIAL_TOKEN ? "bad_token" : "bad_key";
}

static bool is_workload(const struct api_call *call)
{
    return call->credential.kind == CREDENTIAL_JWT || call->credential.kind == CREDENTIAL_SVID;
}

static void refuse(struct api_call *call, const struct error *error)
{
    struct error uniform = {0};
    if (error->kind == ERROR_UNAUTHENTICATED && is_workload(call) && call->exchange != NULL) {
        (void)api_refuse_workload(call, error, &uniform);
        api_answer_error(call, &uniform);
        api_end_call(call);
        return;
    }
    if (call->route->refuse != NULL) {
        call->route->refuse(call, error);
        return;
    }
    const char *kind = noise_kind(call, error);
    if (kind != NULL && call->exchange != NULL) {
        api_noise_note(call->api, api_peer(call), kind);
    }
    api_answer_error(call, error);
    api_end_call(call);
}

static void finish_job(struct store_job *job, bool ok, const struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    struct api *api = call->api;
    if (!ok) {
        refuse(call, error);
        return;
    }
    api_touch_session(call);
    /* Waiters first: the call's own answer may park it, and it must not be told of its own change.
     */
    api_tell_changes(api, &call->operation);
    if (call->proposal != NULL) {
        api_answer_proposal(call);
    } else {
        call->route->answer(call);
    }
}

static void submit_job(struct api_call *call,
                       bool (*run)(struct store_job *, struct store *, int64_t, struct error *),
                       void (*done)(struct store_job *, bool, const struct error *),
                       bool is_reading)
{
    struct error error = {0};
    call->job.run = run;
    call->job.done = done;
    bool ok = is_reading ? store_reader_submit(call->api->options.reader, &call->job, &error)
                         : store_writer_submit(call->api->options.writer, &call->job, &error);
    if (!ok) {
        api_answer_error(call, &error);
        api_end_call(call);
    }
}

void api_submit_run(struct api_call *call)
{
    submit_job(call, run_job, finish_job, call->thread == API_ON_READER);
}

/* ---- what costs CPU, before it ---- */

static struct api_call *call_of_work(struct worker_job *job)
{
    return (struct api_call *)(void *)((char *)job - offsetof(struct api_call, work));
}

static void run_work(struct worker_job *job)
{
    struct api_call *call = call_of_work(job);
    call->work_ok = call->route->work(call, &call->work_error);
}

static void finish_work(struct worker_job *job)
{
    struct api_call *call = call_of_work(job);
    if (call->work_ok && call->route->accept != NULL) {
        call->work_ok = call->route->accept(call, &call->work_error);
    }
    if (!call->work_ok) {
        refuse(call, &call->work_error);
    } else if (call->route->accept != NULL && call->route->hold != NULL) {
        call->route->hold(call);
    } else {
        api_submit_run(call);
    }
}

static void start_work(struct api_call *call, struct workers *workers)
{
    struct error busy = {0};
    call->work.run = run_work;
    call->work.done = finish_work;
    if (!workers_submit(workers, &call->work, &busy)) {
        api_answer_error(call, &busy);
        api_end_call(call);
    }
}

static bool run_look(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    return begin_job(call, store, now, error) && call->route->look(call, error);
}

static void finish_look(struct store_job *job, bool ok, const struct error *error)
{
    struct api_call *call = (struct api_call *)job;
    if (!ok && call->change != NULL && api_is_for_two(error)) {
        call->must_propose = true;
        api_submit_run(call);
    } else if (!ok) {
        refuse(call, error);
    } else {
        start_work(call, call->api->options.workers);
    }
}

void api_submit(struct api_call *call)
{
    if (call->route->look != NULL) {
        submit_job(call, run_look, finish_look, true);
    } else if (call->route->work != NULL) {
        start_work(call, call->api->options.verifiers);
    } else {
        api_submit_run(call);
    }
}

/* ---- from exchange to call ---- */

/* Matches one path against a pattern; fills the values of its {} segments. */
static bool matches(const char *pattern, const char *path, const char **starts, size_t *lengths,
                    size_t *out_count)
{
    size_t count = 0;
    while (*pattern != '\0' && *path != '\0') {
        if (pattern[0] == '{' && pattern[1] == '}') {
            size_t length = strcspn(path, "/");
            if (length == 0 || count == API_PATH_VALUES_MAX) {
                return false;
            }
            starts[count] = path;
            lengths[count++] = length;
            path += length;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    *out_count = count;
    return *pattern == '\0' && *path == '\0';
}

/* The route for this method and path. When only the method differs, out_allow lists what is there.
 */
static const struct api_route *find_route(enum http_method method, const char *path,
                                          const char **starts, size_t *lengths, size_t *out_count,
                                          struct builder *out_allow)
{
    for (size_t i = 0; i < api_area_count; i++) {
        for (size_t j = 0; j < api_areas[i]->count; j++) {
            const struct api_route *route = &api_areas[i]->routes[j];
            if (!matches(route->pattern, path, starts, lengths, out_count)) {
                continue;
            }
            if (route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD)) {
                return route;
            }
            static const char *const names[] = {"",    "GET, HEAD", "HEAD",   "POST",
                                                "PUT", "PATCH",     "DELETE", "OPTIONS"};
            builder_printf(out_allow, "%s%s", out_allow->length == 0 ? "" : ", ",
                           names[route->method]);
        }
    }
    return NULL;
}

static bool is_visible(const char *text)
{
    while (*text > ' ' && *text < 0x7f) {
        text++;
    }
    return *text == '\0';
}

/* The client's X-Request-ID as it is, which AuthZEN demands, when it is short and visible; else one
 * of ours. */
static void choose_trace(const struct http_exchange *exchange, char out[API_TRACE_BYTES])
{
    struct error ignored = {0};
    const char *given = NULL;
    if (http_header(exchange, "x-request-id", &given, &ignored) && given != NULL) {
        size_t length = strlen(given);
        if (length > 0 && length < API_TRACE_BYTES && is_visible(given)) {
            memcpy(out, given, length + 1);
            return;
        }
    }
    char id[ID_BYTES];
    crypto_make_id("rid", clock_wall_ms(), id);
    strcpy(out, id);
}

/* Where the host acts. Of everybody else the credential says it: there the header is not read. */
static bool read_host_tenant(struct api_call *call, struct error *error)
{
    const char *tenant = NULL;
    if (!http_header(call->exchange, "countersign-tenant", &tenant, error) || tenant == NULL) {
        return error->kind == ERROR_NONE;
    }
    if (!identity_is_name(tenant)) {
        return error_set(error, ERROR_INVALID, "bad_name", "Countersign-Tenant",
                         "`Countersign-Tenant` names a tenant: 1 to 64 of a-z 0-9 . _ -");
    }
    memcpy(call->credential.tenant, tenant, strlen(tenant) + 1);
    return true;
}

/* The socket's mode keeps others out; should somebody loosen it, they are still nobody. */
static bool is_host_user(const struct http_credentials *peer)
{
    return peer->uid == 0 || peer->uid == geteuid();
}

/* Who asks: a bearer credential, a session, or on the host socket the machine's own user. */
static bool read_credential(struct api_call *call, struct error *error)
{
    const char *authorization = NULL;
    if (!http_header(call->exchange, "authorization", &authorization, error)) {
        return false;
    }
    struct http_credentials peer;
    const struct http_certificate *certificate = http_peer_certificate(call->exchange);
    bool is_dpop = false;
    const char *token = identity_find_jwt(authorization, &is_dpop);
    if (token != NULL && trust_takes_tokens(call->api->options.trust)) {
        return api_see_token(call, token, error) && api_see_possession(call, authorization, error);
    }
    if (authorization == NULL && certificate != NULL && certificate->chain != NULL) {
        return api_see_certificate(call, certificate, error);
    }
    if (authorization == NULL &&
        http_listener_id(call->exchange) == call->api->options.host_listener &&
        http_peer_credentials(call->exchange, &peer) && is_host_user(&peer)) {
        call->credential = (struct credential){.kind = CREDENTIAL_HOST, .host_uid = peer.uid};
        return read_host_tenant(call, error);
    }
    if (!identity_read_bearer(authorization, &call->credential, error)) {
        /* A page that asks whether somebody is signed in guesses nothing. */
        if (authorization != NULL || call->route->run != api_run_session) {
            api_noise_note(call->api, api_peer(call), "no_credential");
        }
        return false;
    }
    return api_see_possession(call, authorization, error);
}

/* A cookie's secret cannot be guessed, so that whoever shares an address with those who guess keys
 * goes on deciding. */
static bool authenticate(struct api_call *call, struct error *error)
{
    if (call->route->dialect == API_DIALECT_OAUTH) {
        bool is_read;
        return api_noise_allows_source(call->api, api_peer(call), error) &&
               api_read_client(call, &is_read, error) &&
               (is_read ? api_see_possession(call, NULL, error) : read_credential(call, error));
    }
    if (api_carries_session(call)) {
        return api_read_session(call, error);
    }
    return api_noise_allows_source(call->api, api_peer(call), error) &&
           read_credential(call, error);
}

static bool check_content_type(struct api_call *call, struct error *error)
{
    size_t length;
    const char *type = NULL;
    http_body(call->exchange, &length);
    if (length == 0 || call->route->dialect == API_DIALECT_OAUTH ||
        call->route->dialect == API_DIALECT_CALLBACK) {
        return true; /* whoever needs a body says so; a form was read with who sends it */
    }
    if (!http_header(call->exchange, "content-type", &type, error)) {
        return false;
    }
    /* Only JSON: a form or text/plain body, which a browser sends across sites unasked, is never
     * read. */
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0 ||
        (type[16] != '\0' && type[16] != ';' && type[16] != ' ')) {
        return error_set(error, ERROR_INVALID,
                         call->route->dialect == API_DIALECT_AUTHZEN ? "wrong_media_type"
                                                                     : "unsupported_media_type",
                         NULL, "send the body with `Content-Type: application/json`");
    }
    return true;
}

static bool admit(struct api_call *call, struct error *error)
{
    struct api *api = call->api;
    if (api->is_draining) {
        return error_set(error, ERROR_RETRY_LATER, "stopping", NULL,
                         "this gateway is stopping; nothing happened, ask again in a moment");
    }
    return call->route->is_open || authenticate(call, error);
}

/* Who asks is known; a proof that had to be checked has been. */
/* Of what changes something on behalf of somebody known. Submissions look after their own keys,
 * which live as long as the request does. */
static bool take_key(struct api_call *call, struct error *error)
{
    const struct api_route *route = call->route;
    if (route->method != HTTP_POST || route->thread != API_ON_WRITER || route->is_open ||
        route->dialect != API_DIALECT_OURS || route->run == api_run_submit) {
        return true;
    }
    if (!api_take_idempotency_key(call, &call->key, error)) {
        return false;
    }
    size_t length;
    const char *bytes = http_body(call->exchange, &length);
    const char *path = http_path(call->exchange);
    struct sha256 body = crypto_sha256(bytes, length);
    call->key_body = crypto_sha256_prefixed(0, path, strlen(path), body.bytes, sizeof body.bytes);
    return true;
}

static void proceed(struct api_call *call)
{
    struct error error = {0};
    bool is_admitted =
        call->route->is_open || (api_settle_credential(call, &error) &&
                                 api_noise_allows_rate(call->api, &call->credential, &error));
    if (!is_admitted || !api_check_browser(call, &error) || !check_content_type(call, &error) ||
        !take_key(call, &error) ||
        (call->route->read != NULL && !call->route->read(call, &error))) {
        api_answer_error(call, &error);
        api_end_call(call);
    } else if (call->thread == API_ON_LOOP) {
        call->route->answer(call);
    } else if (call->holder == NULL) {
        api_note_change(call);
        if (call->route->hold != NULL && call->route->accept == NULL) {
            call->route->hold(call);
        } else {
            api_submit(call);
        }
    } else if (!api_verify_holder(call, api_submit, &error)) {
        api_answer_error(call, &error);
        api_end_call(call);
    }
}

static void on_verified(struct worker_job *job)
{
    proceed(api_verified_call(job));
}

/* What costs a signature is looked at elsewhere first; the exchange waits for its answer. */
static void identify(struct api_call *call)
{
    struct error error = {0};
    if (!api_needs_verification(call)) {
        proceed(call);
    } else if (!api_verify(call, on_verified, &error)) {
        api_answer_error(call, &error);
        api_end_call(call);
    }
}

void api_handle(void *context, struct http_exchange *exchange)
{
    struct api *api = context;
    const char *starts[API_PATH_VALUES_MAX];
    size_t lengths[API_PATH_VALUES_MAX];
    size_t count = 0;
    char trace[API_TRACE_BYTES];
    struct error error = {0};
    struct builder allow BUILDER_SCOPE;
    builder_init(&allow, 0);
    choose_trace(exchange, trace);
    const struct api_route *route =
        find_route(http_method(exchange), http_path(exchange), starts, lengths, &count, &allow);
    if (route == NULL && allow.length == 0 && web_handles(exchange)) {
        web_answer(exchange, trace);
        return;
    }
    if (route == NULL) {
        if (allow.length > 0) {
            error_set(&error, ERROR_INVALID, "method_not_allowed", allow.bytes,
                      "this path takes %s, not %s", allow.bytes, http_method_text(exchange));
        } else {
            error_set(&error, ERROR_NOT_FOUND, "no_such_path", NULL,
                      "there is nothing at this path; docs/openapi.yaml lists what is");
        }
        api_bare_answer(exchange, &error, trace);
        return;
    }
    struct api_call *call = api_new_call(api, exchange, route);
    memcpy(call->trace, trace, sizeof trace);
    api_read_peer(call);
    for (size_t i = 0; i < count; i++) {
        call->path_values[i] = arena_copy(call->arena, starts[i], lengths[i]);
    }
    if (admit(call, &error)) {
        identify(call);
    } else {
        api_answer_error(call, &error);
        api_end_call(call);
    }
}

/* ---- what time brings ---- */

struct due_call {
    struct store_job job;
    struct api *api;
    struct arena *arena;
    struct operation operation;
};

enum { DUE_ROWS_MAX = 500 };

static bool run_due(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct due_call *due = (struct due_call *)job;
    size_t done = 0;
    int64_t next_due_at = 0;
    operation_begin_system(&due->operation, due->api->options.operations, store, due->arena, now);
    return operation_escalate_due(&due->operation, DUE_ROWS_MAX, &done, &next_due_at, error);
}

static void finish_due(struct store_job *job, bool ok, const struct error *error)
{
    struct due_call *due = (struct due_call *)job;
    due->api->due_is_under_way = false;
    if (ok) {
        api_tell_changes(due->api, &due->operation);
    } else if (error->kind != ERROR_RETRY_LATER) {
        log_error(LOG_LEVEL_ERROR, "due_work_failed", error);
    }
    arena_destroy(due->arena);
    free(due);
}

static void start_due_work(struct api *api)
{
    struct error error = {0};
    struct due_call *due = memory_zeroed(1, sizeof *due);
    due->api = api;
    due->arena = arena_create();
    due->job.run = run_due;
    due->job.done = finish_due;
    due->job.is_essential = true; /* expiry must go on when the disk is full */
    api->due_is_under_way = store_writer_submit(api->options.writer, &due->job, &error);
    if (!api->due_is_under_way) {
        arena_destroy(due->arena);
        free(due);
    }
}

void api_tick(struct api *api, int64_t wall_now)
{
    api->wall_now = wall_now;
    api_noise_tick(api, wall_now);
    int64_t due_at = operations_next_due_at(api->options.operations);
    if (!api->due_is_under_way && due_at != 0 && due_at <= wall_now) {
        start_due_work(api);
    }
}

/* ---- life of the room ---- */

struct api *api_create(const struct api_options *options)
{
    struct api *api = memory_zeroed(1, sizeof *api);
    api->options = *options;
    pthread_mutex_init(&api->folder_lock, NULL);
    api->wall_now = clock_wall_ms();
    api->noise = api_noise_create();
    api->attempts = api_attempts_create();
    api->nonces = api_nonces_create();
    api->envelopes = api_envelopes_create();
    api->holds = api_holds_create(api);
    api->waiters = api_waiters_create(api);
    return api;
}

void api_destroy(struct api *api)
{
    if (api == NULL) {
        return;
    }
    CHECK(api->calls == NULL);
    api_waiters_destroy(api->waiters);
    api_noise_destroy(api->noise);
    api_attempts_destroy(api->attempts);
    api_nonces_destroy(api->nonces);
    api_holds_destroy(api->holds);
    api_envelopes_destroy(api->envelopes);
    pthread_mutex_destroy(&api->folder_lock);
    free(api);
}

void api_drain(struct api *api, void (*on_idle)(void *context), void *context)
{
    api->is_draining = true;
    api->idle_context = context;
    api->on_idle = on_idle;
    api_release_waiters(api);
    if (api->calls == NULL && api->on_idle != NULL) {
        api->on_idle = NULL;
        on_idle(context);
    }
}
