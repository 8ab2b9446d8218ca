#include "live/live.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "crypto/crypto.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include "identity/session.h"
#include "live/live_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the ring: which request changed under which number ---- */

static struct live_event *event_of(struct live *live, int64_t seq)
{
    return &live->ring[(size_t)(seq % LIVE_RING_MAX)];
}

static int64_t add_event(struct live *live, const char *kind, const char *tenant,
                         const char *request)
{
    int64_t seq = ++live->seq;
    struct live_event *event = event_of(live, seq);
    *event = (struct live_event){.seq = seq, .kind = kind};
    snprintf(event->tenant, sizeof event->tenant, "%s", tenant);
    snprintf(event->request, sizeof event->request, "%s", request);
    return seq;
}

/* ---- messages ---- */

static struct websocket_message *finish_message(struct builder *text)
{
    return websocket_message_create(text->bytes, text->length);
}

static void write_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    if (wall_ms != 0) {
        text_write_time(wall_ms, text);
        canonical_member_text(writer, name, text);
    }
}

static void write_summary(struct canonical_writer *writer, const struct request_summary *summary)
{
    const struct request_row *request = &summary->request;
    bool is_pending = request->state == REQUEST_PENDING;
    canonical_open_object(writer);
    canonical_member_text(writer, "action", request->action_name);
    canonical_member_text(writer, "agent", request->agent_name);
    canonical_name(writer, "asked");
    canonical_open_array(writer);
    for (size_t i = 0; i < summary->asked_count; i++) {
        canonical_string(writer, summary->asked[i]);
    }
    canonical_close_array(writer);
    canonical_member_integer(writer, "comments", request->comment_count);
    write_time(writer, "created_at", request->created_at);
    write_time(writer, "ended_at", request->ended_at);
    canonical_member_bool(writer, "frozen", summary->is_frozen);
    canonical_member_text(writer, "id", request->id);
    canonical_member_integer(writer, "missing", summary->missing);
    canonical_member_bool(writer, "nobody_can_approve", is_pending && request->is_stranded);
    canonical_member_bool(writer, "question", is_pending && request->question[0] != '\0');
    canonical_member_text(writer, "reason",
                          request->reason == REASON_NONE ? NULL
                                                         : request_reason_name(request->reason));
    canonical_member_text(writer, "resource", request->resource_key);
    canonical_member_integer(writer, "revision", request->revision);
    canonical_member_text(writer, "risk", policy_risk_name((enum policy_risk)request->risk));
    canonical_member_text(writer, "state", request_state_name(request->state));
    canonical_member_text(writer, "subject", request->subject_key);
    write_time(writer, "timeout_at", is_pending ? request->timeout_at : 0);
    canonical_close_object(writer);
}

struct websocket_message *live_request_message(int64_t seq, const struct request_summary *summary)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "k", "request");
    canonical_name(&writer, "r");
    write_summary(&writer, summary);
    canonical_member_integer(&writer, "seq", seq);
    canonical_close_object(&writer);
    return finish_message(&text);
}

static struct websocket_message *plain_message(const char *kind, int64_t seq)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "k", kind);
    canonical_member_integer(&writer, "seq", seq);
    canonical_close_object(&writer);
    return finish_message(&text);
}

/* `ready` or `reset`: from here on events come as they happen. */
static void send_start(struct live_connection *connection, const char *kind, int64_t replayed)
{
    struct live *live = connection->live;
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "epoch", live->epoch);
    canonical_member_text(&writer, "k", kind);
    write_time(&writer, "now", loop_wall(live->options.loop));
    if (replayed >= 0) {
        canonical_member_integer(&writer, "replayed", replayed);
    }
    canonical_member_integer(&writer, "seq", live->told_seq);
    canonical_close_object(&writer);
    struct websocket_message *message = finish_message(&text);
    websocket_send(connection->socket, message);
    websocket_message_unref(message);
    connection->is_ready = true;
}

/* ---- connections ---- */

static void free_connection(struct live_connection *connection)
{
    arena_destroy(connection->arena);
    loop_timer_destroy(connection->hello_timer);
    free(connection);
}

static void unlink_connection(struct live_connection *connection)
{
    struct live *live = connection->live;
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        live->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    live->connection_count--;
}

static void on_open(void *context, struct websocket *socket)
{
    struct live_connection *connection = context;
    connection->socket = socket;
}

/* A read under way still knows the connection: whoever ends later frees it. */
static void on_close(void *context)
{
    struct live_connection *connection = context;
    connection->socket = NULL;
    connection->is_closed = true;
    unlink_connection(connection);
    loop_timer_disarm(connection->hello_timer);
    if (connection->jobs == 0) {
        free_connection(connection);
    }
}

void live_release(struct live_connection *connection)
{
    if (--connection->jobs == 0 && connection->is_closed) {
        free_connection(connection);
    }
}

static void on_hello_late(void *context)
{
    struct live_connection *connection = context;
    if (connection->socket != NULL && !connection->has_greeted) {
        websocket_close(connection->socket, LIVE_FORBIDDEN);
    }
}

/* Who comes back: what is in the ring is told again, each request once, as it is now. */
static void begin_replay(struct live_connection *connection, const char *epoch, int64_t since)
{
    struct live *live = connection->live;
    bool is_known = epoch != NULL && strcmp(epoch, live->epoch) == 0 && since >= 0 &&
                    since <= live->seq && live->seq - since <= LIVE_REPLAY_MAX;
    if (!is_known) {
        send_start(connection, "reset", -1);
        return;
    }
    if (since == live->told_seq) {
        send_start(connection, "ready", 0);
        return;
    }
    live_replay(connection, since);
}

void live_end_replay(struct live_connection *connection, int64_t replayed)
{
    send_start(connection, replayed < 0 ? "reset" : "ready", replayed);
}

static void on_hello(struct live_connection *connection, const struct json *hello)
{
    int64_t since = -1;
    if (!identity_csrf_matches(&connection->credential, json_text(json_member(hello, "csrf")))) {
        websocket_close(connection->socket, LIVE_FORBIDDEN);
        return;
    }
    connection->has_greeted = true;
    loop_timer_disarm(connection->hello_timer);
    if (!json_integer(json_member(hello, "since"), &since)) {
        since = -1;
    }
    begin_replay(connection, json_text(json_member(hello, "epoch")), since);
}

static void on_message(void *context, const char *text, size_t length)
{
    struct live_connection *connection = context;
    struct error ignored = {0};
    struct json_document *document = json_parse(text, length, &ignored);
    const struct json *root = document == NULL ? NULL : json_root(document);
    const struct json *hello =
        json_type(root) == JSON_TYPE_OBJECT ? json_member(root, "hello") : NULL;
    if (!connection->has_greeted) {
        if (json_type(hello) == JSON_TYPE_OBJECT) {
            on_hello(connection, hello);
        } else {
            websocket_close(connection->socket, LIVE_FORBIDDEN);
        }
    }
    /* Later messages may say what is being looked at; nothing is done with that yet. */
    json_destroy(document);
}

bool live_accepts(void *context, const struct http_exchange *exchange, struct error *error)
{
    const struct live *live = context;
    return websocket_is_upgrade(live->sockets, exchange, error) &&
           (live->connection_count < LIVE_CONNECTIONS_MAX ||
            error_set(error, ERROR_RETRY_LATER, "too_many_dashboards", NULL,
                      "%d dashboards are connected; try again later", LIVE_CONNECTIONS_MAX));
}

void live_copy_viewer(struct live_connection *connection, const struct live_viewer *viewer)
{
    struct arena *arena = arena_create();
    struct live_viewer copy = *viewer;
    copy.groups = arena_array(arena, viewer->group_count, sizeof *copy.groups);
    copy.subjects = arena_array(arena, viewer->subject_count, sizeof *copy.subjects);
    for (size_t i = 0; i < viewer->group_count; i++) {
        copy.groups[i] = arena_text(arena, viewer->groups[i]);
    }
    for (size_t i = 0; i < viewer->subject_count; i++) {
        copy.subjects[i] = arena_text(arena, viewer->subjects[i]);
    }
    arena_destroy(connection->arena);
    connection->arena = arena;
    connection->viewer = copy;
    connection->checked_at = loop_now(connection->live->options.loop);
}

bool live_adopt(void *context, struct http_exchange *exchange, const struct credential *credential,
                const struct live_viewer *viewer, struct error *error)
{
    struct live *live = context;
    bool is_over = false;
    struct live_connection *connection = memory_zeroed(1, sizeof *connection);
    connection->live = live;
    connection->credential = *credential;
    live_copy_viewer(connection, viewer);
    connection->hello_timer = loop_timer_create(live->options.loop, on_hello_late, connection);
    loop_timer_arm(connection->hello_timer, loop_now(live->options.loop) + LIVE_HELLO_MS);
    connection->next = live->connections;
    if (connection->next != NULL) {
        connection->next->previous = connection;
    }
    live->connections = connection;
    live->connection_count++;
    if (websocket_adopt(live->sockets, exchange, connection, &is_over, error)) {
        return true; /* the connection may already be gone again */
    }
    unlink_connection(connection);
    free_connection(connection);
    return is_over;
}

/* ---- what is told ---- */

static void send_to_all(struct live *live, const char *tenant, struct websocket_message *message)
{
    for (struct live_connection *connection = live->connections; connection != NULL;
         connection = connection->next) {
        if (connection->is_ready && connection->socket != NULL &&
            (tenant[0] == '\0' || strcmp(connection->viewer.tenant, tenant) == 0)) {
            websocket_send(connection->socket, message);
        }
    }
}

void live_tell_changes(void *context, const struct operation *operation)
{
    struct live *live = context;
    bool has_news = false;
    for (const struct operation_change *change = operation->changes; change != NULL;
         change = change->next) {
        if (change->was_asked || change->has_blind_vote) {
            add_event(live, change->was_asked ? "request" : LIVE_VOTE, change->tenant,
                      change->request);
            has_news = true;
        }
    }
    if (has_news) {
        live_read_news(live);
    }
}

void live_tell(void *context, const char *kind)
{
    struct live *live = context;
    add_event(live, kind, "", "");
    live_read_news(live);
}

void live_tell_plain(struct live *live, const struct live_event *event)
{
    struct websocket_message *message = plain_message(event->kind, event->seq);
    send_to_all(live, event->tenant, message);
    websocket_message_unref(message);
}

void live_close_all(struct live *live)
{
    for (struct live_connection *connection = live->connections; connection != NULL;
         connection = connection->next) {
        if (connection->socket != NULL) {
            websocket_close(connection->socket, WEBSOCKET_GOING_AWAY);
        }
    }
}

bool live_is_empty(const struct live *live)
{
    return live->connections == NULL;
}

/* ---- life ---- */

static void on_check(void *context)
{
    struct live *live = context;
    live_check_sessions(live);
    loop_timer_arm(live->check, loop_now(live->options.loop) + LIVE_CHECK_MS);
}

struct live *live_create(const struct live_options *options, struct error *error)
{
    struct live *live = memory_zeroed(1, sizeof *live);
    live->options = *options;
    live->ring = memory_zeroed(LIVE_RING_MAX, sizeof *live->ring);
    crypto_make_id("liv", loop_wall(options->loop), live->epoch);
    live->sockets =
        websocket_server_create(&(struct websocket_options){.loop = options->loop,
                                                            .protocol = "countersign.live.v1",
                                                            .message_bytes_max = 4096,
                                                            .queued_count_max = 256,
                                                            .queued_bytes_max = 256 * 1024,
                                                            .ping_ms = 20000,
                                                            .dead_ms = 45000,
                                                            .on_open = on_open,
                                                            .on_message = on_message,
                                                            .on_close = on_close},
                                error);
    if (live->sockets == NULL) {
        live_destroy(live);
        return NULL;
    }
    live->check = loop_timer_create(options->loop, on_check, live);
    loop_timer_arm(live->check, loop_now(options->loop) + LIVE_CHECK_MS);
    return live;
}

void live_destroy(struct live *live)
{
    if (live == NULL) {
        return;
    }
    loop_timer_destroy(live->check);
    websocket_server_destroy(live->sockets);
    CHECK(live->connections == NULL && live->jobs == 0);
    free(live->ring);
    free(live);
}
