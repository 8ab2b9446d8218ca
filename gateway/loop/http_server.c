#include "loop/http_internal.h"

#include "base/check.h"
#include "base/memory.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void server_note(struct http_server *server, enum http_note_kind kind, int status, const char *peer,
                 const char *detail)
{
    if (kind == HTTP_NOTE_REFUSED || kind == HTTP_NOTE_SHED) {
        metrics_add(server->options.metrics, METRIC_HTTP_REFUSED, 1);
    }
    if (server->options.on_note != NULL) {
        struct http_note note = {.kind = kind, .status = status, .peer = peer, .detail = detail};
        server->options.on_note(server->options.note_context, &note);
    }
}

/* ---- buffers ---- */

struct request *server_take_request(struct http_server *server)
{
    struct request *request = server->kept_requests;
    if (request != NULL) {
        server->kept_requests = request->next_kept;
        server->kept_request_count--;
    } else {
        request = memory_resized(NULL, sizeof(*request) + REQUEST_BYTES_FIRST);
        request->capacity = REQUEST_BYTES_FIRST;
    }
    request->next_kept = NULL;
    request->length = 0;
    http_parser_reset(&request->parser);
    return request;
}

void server_release_request(struct http_server *server, struct request *request)
{
    if (request == NULL) {
        return;
    }
    if (request->capacity != REQUEST_BYTES_FIRST ||
        server->kept_request_count == REQUESTS_KEPT_MAX) {
        free(request);
        return;
    }
    request->next_kept = server->kept_requests;
    server->kept_requests = request;
    server->kept_request_count++;
}

/* ---- deadlines: one heap with absolute due times, one native timer ----
 * A limit that moves later costs nothing: the node stays where it is and is put right when it comes
 * up. So a busy connection touches the heap once per idle_ms, a parked one never. */

static int64_t limit_ms(const struct http_server *server, enum deadline_kind kind)
{
    switch (kind) {
    case DEADLINE_IDLE:
        return server->options.limits.idle_ms;
    case DEADLINE_HEAD:
        return server->options.limits.head_ms;
    case DEADLINE_BODY:
        return server->options.limits.body_ms;
    case DEADLINE_WRITE:
        return server->options.limits.write_ms;
    case DEADLINE_LINGER:
        return LINGER_MS;
    case DEADLINE_NONE:
        break;
    }
    return 0;
}

static void arm_deadlines(struct http_server *server)
{
    struct heap_node *first = heap_first(&server->deadlines);
    if (first == NULL || first->due >= server->deadline_armed) {
        return;
    }
    int64_t wait_ms = first->due - server->loop->kernel_ms;
    server->deadline_armed = first->due;
    ev_timer_stop(server->loop->ev, &server->deadline_timer);
    ev_timer_set(&server->deadline_timer,
                 (double)(wait_ms < DEADLINE_STEP_MS ? DEADLINE_STEP_MS : wait_ms) / 1000.0, 0.0);
    ev_timer_start(server->loop->ev, &server->deadline_timer);
}

void connection_set_deadline(struct http_exchange *connection, enum deadline_kind kind)
{
    struct http_server *server = server_of(connection);
    connection->deadline = kind;
    if (kind == DEADLINE_NONE) {
        connection->due = 0;
        return;
    }
    connection->due = server->loop->kernel_ms + limit_ms(server, kind);
    if (connection->node.place == 0 || connection->due < connection->node.due) {
        heap_set(&server->deadlines, &connection->node, connection->due);
        arm_deadlines(server);
    }
}

static struct http_exchange *connection_of_node(struct heap_node *node)
{
    return (struct http_exchange *)((char *)node - offsetof(struct http_exchange, node));
}

static void on_deadlines(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev, (void)events;
    struct http_server *server = watcher->data;
    int64_t now = server->loop->kernel_ms;
    server->deadline_armed = INT64_MAX;
    struct heap_node *node;
    while ((node = heap_first(&server->deadlines)) != NULL && node->due <= now) {
        struct http_exchange *connection = connection_of_node(node);
        if (connection->due == 0) {
            heap_remove(&server->deadlines, node);
        } else if (connection->due > now) {
            heap_set(&server->deadlines, node, connection->due);
        } else {
            heap_remove(&server->deadlines, node);
            connection_on_deadline(connection);
        }
    }
    arm_deadlines(server);
}

/* ---- the end of the turn ---- */

void server_mark_ready(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    if (connection->is_ready) {
        return;
    }
    connection->is_ready = true;
    connection->next_ready = NULL;
    *server->ready_end = connection;
    server->ready_end = &connection->next_ready;
    loop_defer(server->loop, &server->end_of_turn);
}

void server_bury(struct http_exchange *connection)
{
    struct http_server *server = server_of(connection);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        server->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    connection->next = server->dead;
    server->dead = connection;
    loop_defer(server->loop, &server->end_of_turn);
}

static void run_ready(struct http_server *server)
{
    struct http_exchange *connection = server->ready;
    server->ready = NULL;
    server->ready_end = &server->ready;
    while (connection != NULL) {
        struct http_exchange *next = connection->next_ready;
        connection->is_ready = false;
        if (connection->state != CONNECTION_DEAD) {
            connection_on_ready(connection);
        }
        connection = next;
    }
}

static void free_dead(struct http_server *server)
{
    struct http_exchange *connection = server->dead;
    server->dead = NULL;
    while (connection != NULL) {
        struct http_exchange *next = connection->next;
        if (connection->is_ready) { /* still linked there: one more turn */
            connection->next = server->dead;
            server->dead = connection;
        } else {
            connection->magic = 0;
            free(connection);
        }
        connection = next;
    }
}

static void report_drained(struct http_server *server)
{
    bool is_over = server->is_draining && (server->connections == NULL || server->is_drain_over);
    if (!is_over || server->on_drained == NULL) {
        return;
    }
    ev_timer_stop(server->loop->ev, &server->drain_limit);
    void (*on_drained)(void *) = server->on_drained;
    server->on_drained = NULL;
    on_drained(server->drained_context);
}

static void on_end_of_turn(void *context)
{
    struct http_server *server = context;
    run_ready(server);
    free_dead(server);
    if (server->ready != NULL || server->dead != NULL) {
        loop_defer(server->loop, &server->end_of_turn);
        return;
    }
    report_drained(server); /* last: it may destroy the server */
}

/* ---- life ---- */

/* RFC 9110 section 5.6.7, made once a second. */
const char *server_date(struct http_server *server)
{
    int64_t second = server->loop->wall / 1000;
    if (second != server->date_second) {
        time_t clock = (time_t)second;
        struct tm parts;
        gmtime_r(&clock, &parts);
        strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        server->date_second = second;
    }
    return server->date;
}

static int connections_within_descriptors(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return wanted;
    }
    int64_t room = (int64_t)limit.rlim_cur - DESCRIPTORS_RESERVED;
    return room < wanted ? (int)(room < 1 ? 1 : room) : wanted;
}

static int64_t or_default(int64_t value, int64_t preset)
{
    return value > 0 ? value : preset;
}

static void settle_limits(struct http_server *server)
{
    struct http_limits *limits = &server->options.limits;
    limits->head_bytes_max =
        (size_t)or_default((int64_t)limits->head_bytes_max, HTTP_HEAD_BYTES_MAX);
    limits->target_bytes_max =
        (size_t)or_default((int64_t)limits->target_bytes_max, HTTP_TARGET_BYTES_MAX);
    limits->body_bytes_max =
        (size_t)or_default((int64_t)limits->body_bytes_max, HTTP_BODY_BYTES_MAX);
    CHECK(limits->head_bytes_max <= HTTP_HEAD_BYTES_MAX);
    CHECK(limits->body_bytes_max <= HTTP_BODY_BYTES_CEILING);
    limits->head_ms = or_default(limits->head_ms, HTTP_HEAD_MS);
    limits->body_ms = or_default(limits->body_ms, HTTP_BODY_MS);
    limits->idle_ms = or_default(limits->idle_ms, HTTP_IDLE_MS);
    limits->write_ms = or_default(limits->write_ms, HTTP_WRITE_MS);
    limits->connections_max = connections_within_descriptors(
        (int)or_default(limits->connections_max, HTTP_CONNECTIONS_MAX));
    limits->connections_per_address_max =
        (int)or_default(limits->connections_per_address_max, (limits->connections_max + 1) / 2);
    server->parser_limits = (struct http_parser_limits){
        .head_bytes_max = (uint32_t)limits->head_bytes_max,
        .target_bytes_max = (uint32_t)limits->target_bytes_max,
        .body_bytes_max = (uint32_t)limits->body_bytes_max,
    };
}

static void on_accept_pause_over(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev, (void)events;
    listeners_resume(watcher->data);
}

struct http_server *http_server_create(const struct http_server_options *options)
{
    struct http_server *server = memory_zeroed(1, sizeof(*server));
    server->loop = options->loop;
    server->options = *options;
    settle_limits(server);
    builder_init(&server->head, 0);
    server->ready_end = &server->ready;
    server->end_of_turn = (struct loop_deferred){.run = on_end_of_turn, .context = server};
    server->deadline_armed = INT64_MAX;
    server->date_second = -1;
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (getrandom(&server->addresses.seed, sizeof(server->addresses.seed), 0) < 0) {
        server->addresses.seed = (uint64_t)(uintptr_t)server;
    }
    LOOP_INIT(&server->deadline_timer, on_deadlines, server);
    LOOP_INIT(&server->accept_pause, on_accept_pause_over, server);
    return server;
}

/* Leaves only the shells of what handlers have not answered. */
static void close_all(struct http_server *server)
{
    struct http_exchange *next = NULL;
    for (struct http_exchange *connection = server->connections; connection; connection = next) {
        next = connection->next;
        connection_close(connection);
    }
}

static void bury_shells(struct http_server *server)
{
    while (server->connections != NULL) {
        struct http_exchange *connection = server->connections;
        server_release_request(server, connection->request);
        connection->request = NULL;
        connection->state = CONNECTION_DEAD;
        server_bury(connection);
    }
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    close_all(server);
    bury_shells(server);
    run_ready(server);
    free_dead(server);
    loop_defer_cancel(server->loop, &server->end_of_turn);
    while (server->listeners != NULL) {
        struct listener *listener = server->listeners;
        server->listeners = listener->next;
        listener_destroy(listener);
    }
    ev_timer_stop(server->loop->ev, &server->deadline_timer);
    ev_timer_stop(server->loop->ev, &server->accept_pause);
    ev_timer_stop(server->loop->ev, &server->drain_limit);
    while (server->kept_requests != NULL) {
        struct request *request = server->kept_requests;
        server->kept_requests = request->next_kept;
        free(request);
    }
    if (server->spare_fd >= 0) {
        close(server->spare_fd);
    }
    heap_finish(&server->deadlines);
    builder_finish(&server->head);
    free(server);
}

bool http_reload_certificates(struct http_server *server, struct error *error)
{
    size_t count = 0;
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        count++;
    }
    struct tls_context **fresh = memory_zeroed(count, sizeof(*fresh));
    size_t loaded = 0;
    bool is_good = true;
    for (struct listener *listener = server->listeners; listener && is_good;
         listener = listener->next) {
        is_good = listener_start_tls(listener, &fresh[loaded], error);
        loaded += is_good;
    }
    size_t place = 0;
    for (struct listener *listener = server->listeners; listener && is_good;
         listener = listener->next) {
        struct tls_context *old = listener->tls;
        listener->tls = fresh[place];
        fresh[place++] = old;
    }
    for (size_t i = 0; i < loaded; i++) {
        tls_context_destroy(fresh[i]);
    }
    free(fresh);
    return is_good;
}

/* ---- draining ---- */

static void on_drain_limit(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev, (void)events;
    struct http_server *server = watcher->data;
    server->is_drain_over = true;
    close_all(server);
    loop_defer(server->loop, &server->end_of_turn);
}

void http_drain(struct http_server *server, int64_t within_ms, void (*on_drained)(void *context),
                void *context)
{
    if (server->is_draining) {
        return;
    }
    server->is_draining = true;
    server->on_drained = on_drained;
    server->drained_context = context;
    ev_timer_stop(server->loop->ev, &server->accept_pause);
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        listener_stop(listener);
    }
    struct http_exchange *next = NULL;
    for (struct http_exchange *connection = server->connections; connection; connection = next) {
        next = connection->next;
        if (connection->state == CONNECTION_IDLE || connection->state == CONNECTION_HANDSHAKE) {
            connection_close(connection);
        }
    }
    LOOP_INIT(&server->drain_limit, on_drain_limit, server);
    ev_timer_set(&server->drain_limit, (double)within_ms / 1000.0, 0.0);
    ev_timer_start(server->loop->ev, &server->drain_limit);
    loop_defer(server->loop, &server->end_of_turn);
}
