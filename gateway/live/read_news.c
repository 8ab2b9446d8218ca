#include "live/live_internal.h"

#include "base/log.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/*
 * What is read for dashboards, on the reader thread: news (one summary per changed request, shared
 * by all), replays (for one who came back) and whether sessions are still good. One news job is
 * under way at a time, so that events are told in order; what happens meanwhile waits in the ring
 * and is told by the next, each request once.
 */

struct news_job {
    struct store_job job;
    struct live *live;
    struct live_connection *connection; /* a replay's; NULL for news */
    struct arena *arena;
    struct operation operation;
    int64_t from, to; /* events in (from, to] */
    struct live_event events[LIVE_READ_MAX];
    size_t count;
    struct request_summary *summaries; /* beside the events; request.id "" where it is none */
    int64_t replayed;
};

static bool read_one(struct news_job *news, size_t index, struct error *error)
{
    const struct live_event *event = &news->events[index];
    struct error missing = {0};
    if (event->request[0] == '\0') {
        return true;
    }
    if (operation_read_summary(&news->operation, event->tenant, event->request,
                               &news->summaries[index], &missing)) {
        return true;
    }
    news->summaries[index].request.id[0] = '\0';
    if (missing.kind == ERROR_NOT_FOUND) {
        return true;
    }
    *error = missing;
    return false;
}

static bool run_news(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct news_job *news = (struct news_job *)job;
    operation_begin_system(&news->operation, news->live->options.operations, store, news->arena,
                           now);
    news->summaries = arena_array(news->arena, LIVE_READ_MAX, sizeof *news->summaries);
    for (size_t i = 0; i < news->count; i++) {
        if (!read_one(news, i, error)) {
            return false;
        }
    }
    return true;
}

static bool is_taken(const struct news_job *news, const struct live_event *event)
{
    for (size_t i = 0; i < news->count; i++) {
        if (strcmp(news->events[i].request, event->request) == 0 &&
            strcmp(news->events[i].tenant, event->tenant) == 0 &&
            strcmp(news->events[i].kind, event->kind) == 0) {
            return true;
        }
    }
    return false;
}

/* The next events from the ring, each request once under its newest number, as many as one job
 * reads. */
static void take_events(struct news_job *news)
{
    struct live *live = news->live;
    news->count = 0;
    news->to = news->from;
    while (news->to < live->seq && news->count < LIVE_READ_MAX) {
        const struct live_event *event = &live->ring[(size_t)(++news->to % LIVE_RING_MAX)];
        if (!is_taken(news, event)) {
            news->events[news->count++] = *event;
        }
    }
    for (size_t i = 0; i < news->count; i++) {
        news->events[i].seq = news->to - (int64_t)(news->count - 1 - i);
    }
}

static struct news_job *new_job(struct live *live, struct live_connection *connection, int64_t from)
{
    struct news_job *news = memory_zeroed(1, sizeof *news);
    news->live = live;
    news->connection = connection;
    news->arena = arena_create();
    news->from = from;
    live->jobs++;
    return news;
}

static void end_job(struct news_job *news)
{
    news->live->jobs--;
    arena_destroy(news->arena);
    free(news);
}

/* ---- news ---- */

static bool may_be_told(const struct live_viewer *viewer, const struct live_event *event,
                        const struct request_summary *summary)
{
    return strcmp(event->kind, LIVE_VOTE) == 0 ? live_viewer_sees_votes(viewer, summary)
                                               : live_viewer_sees(viewer, summary);
}

static void tell_request(struct live *live, const struct live_event *event,
                         const struct request_summary *summary)
{
    struct websocket_message *message = NULL;
    for (struct live_connection *connection = live->connections; connection != NULL;
         connection = connection->next) {
        if (!connection->is_ready || connection->socket == NULL ||
            !may_be_told(&connection->viewer, event, summary)) {
            continue;
        }
        if (message == NULL) {
            message = live_request_message(event->seq, summary);
        }
        websocket_send(connection->socket, message);
    }
    if (message != NULL) {
        websocket_message_unref(message);
    }
}

static void tell_news(struct news_job *news)
{
    for (size_t i = 0; i < news->count; i++) {
        if (news->events[i].request[0] == '\0') {
            live_tell_plain(news->live, &news->events[i]);
        } else if (news->summaries[i].request.id[0] != '\0') {
            tell_request(news->live, &news->events[i], &news->summaries[i]);
        }
    }
}

static void finish_news(struct store_job *job, bool ok, const struct error *error)
{
    struct news_job *news = (struct news_job *)job;
    struct live *live = news->live;
    live->is_reading = false;
    if (ok) {
        tell_news(news);
    } else {
        log_error(LOG_LEVEL_WARN, "live_news_unread", error);
    }
    live->told_seq = news->to;
    end_job(news);
    live_read_news(live);
}

void live_read_news(struct live *live)
{
    struct error error = {0};
    if (live->connections == NULL && !live->is_reading) {
        live->told_seq = live->seq; /* nobody listens: the ring remembers for who comes back */
        return;
    }
    if (live->is_reading || live->told_seq == live->seq) {
        return;
    }
    struct news_job *news = new_job(live, NULL, live->told_seq);
    news->job.run = run_news;
    news->job.done = finish_news;
    take_events(news);
    live->is_reading = store_reader_submit(live->options.reader, &news->job, &error);
    if (!live->is_reading) {
        end_job(news);
    }
}

/* ---- replays ---- */

static void finish_replay(struct store_job *job, bool ok, const struct error *error);

static void read_replay(struct news_job *replay)
{
    struct error error = {0};
    replay->job.run = run_news;
    replay->job.done = finish_replay;
    take_events(replay);
    if (!store_reader_submit(replay->live->options.reader, &replay->job, &error)) {
        struct live_connection *connection = replay->connection;
        live_end_replay(connection, -1);
        end_job(replay);
        live_release(connection);
    }
}

static void send_replayed(struct news_job *replay)
{
    struct live_connection *connection = replay->connection;
    for (size_t i = 0; i < replay->count && connection->socket != NULL; i++) {
        const struct request_summary *summary = &replay->summaries[i];
        if (replay->events[i].request[0] == '\0' || summary->request.id[0] == '\0' ||
            !may_be_told(&connection->viewer, &replay->events[i], summary)) {
            continue;
        }
        struct websocket_message *message = live_request_message(replay->events[i].seq, summary);
        websocket_send(connection->socket, message);
        websocket_message_unref(message);
        replay->replayed++;
    }
}

/* More than a queue holds is no replay any more: fetching the list again is cheaper for both. */
static void finish_replay(struct store_job *job, bool ok, const struct error *error)
{
    struct news_job *replay = (struct news_job *)job;
    struct live_connection *connection = replay->connection;
    (void)error;
    if (connection->socket != NULL && ok) {
        send_replayed(replay);
    }
    bool goes_on = ok && connection->socket != NULL && replay->to < replay->live->told_seq &&
                   replay->replayed < 128;
    if (goes_on) {
        replay->from = replay->to;
        arena_destroy(replay->arena);
        replay->arena = arena_create();
        read_replay(replay);
        return;
    }
    if (connection->socket != NULL) {
        live_end_replay(connection,
                        ok && replay->to >= replay->live->told_seq ? replay->replayed : -1);
    }
    end_job(replay);
    live_release(connection);
}

void live_replay(struct live_connection *connection, int64_t since)
{
    connection->jobs++;
    read_replay(new_job(connection->live, connection, since));
}

/* ---- sessions ---- */

struct check_job {
    struct store_job job;
    struct live *live;
    struct live_connection *connection;
    struct arena *arena;
    struct operation operation;
    struct live_viewer viewer;
};

static bool run_check(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct check_job *check = (struct check_job *)job;
    return operation_begin(&check->operation, check->live->options.operations, store, check->arena,
                           now, &check->connection->credential, error) &&
           operation_read_viewer(&check->operation, &check->viewer, error);
}

static void finish_check(struct store_job *job, bool ok, const struct error *error)
{
    struct check_job *check = (struct check_job *)job;
    struct live_connection *connection = check->connection;
    connection->is_checking = false;
    if (connection->socket != NULL && ok) {
        live_copy_viewer(connection, &check->viewer);
    } else if (connection->socket != NULL && error->kind != ERROR_RETRY_LATER) {
        websocket_close(connection->socket, LIVE_UNAUTHENTICATED);
    }
    check->live->jobs--;
    arena_destroy(check->arena);
    free(check);
    live_release(connection);
}

static void start_check(struct live_connection *connection)
{
    struct error error = {0};
    struct live *live = connection->live;
    struct check_job *check = memory_zeroed(1, sizeof *check);
    check->live = live;
    check->connection = connection;
    check->arena = arena_create();
    check->job.run = run_check;
    check->job.done = finish_check;
    if (!store_reader_submit(live->options.reader, &check->job, &error)) {
        arena_destroy(check->arena);
        free(check);
        return;
    }
    connection->is_checking = true;
    connection->jobs++;
    live->jobs++;
}

/* A session that ended, or a group that was left, must show within seconds. */
void live_check_sessions(struct live *live)
{
    int64_t now = loop_now(live->options.loop);
    for (struct live_connection *connection = live->connections; connection != NULL;
         connection = connection->next) {
        if (!connection->is_checking && now - connection->checked_at >= LIVE_CHECK_EVERY_MS) {
            start_check(connection);
        }
    }
}
