#include "courier/socket_mode.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "courier/socket_mode_internal.h"
#include "courier/websocket_client.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINKS = 2, /* one that works, and one that leaves or comes */
    WAITING_MAX = 256,
    ENVELOPE_ID_BYTES = 80,
    PAUSE_MS = 500,
    PING_MS = 10 * 1000,
    SILENCE_MS = 30 * 1000,
    HELLO_MS = 30 * 1000,
    LEAVING_MS = 60 * 1000,
    BACKOFF_MS = 1000,
    BACKOFF_MS_MAX = 60 * 1000,
    HOPELESS_MS = 5 * 60 * 1000, /* until somebody has mended the token or the app */
    ASKED_MS_MAX = 10 * 60 * 1000,
};

struct link {
    struct websocket_client *client; /* NULL: free */
    unsigned serial;
    bool is_ready, is_leaving;
    int64_t opened_tick, heard_tick, pinged_tick, left_tick;
};

struct acknowledgement {
    struct acknowledgement *next;
    char *id;
    char *response; /* NULL: none */
};

/* An envelope handed on and not yet acknowledged. */
struct envelope {
    char id[ENVELOPE_ID_BYTES];
    unsigned serial;       /* of the link that brought it */
    bool accepts_response; /* its acknowledgement may carry one */
};

struct socket_mode {
    struct socket_mode_options options;
    pthread_t thread;
    atomic_bool must_stop;
    int wake[2];
    pthread_mutex_t mutex;
    struct acknowledgement *acknowledgements; /* newest first */
    /* The thread's own: */
    struct link links[LINKS];
    unsigned serial;
    int failures;
    int64_t next_open_tick;
    struct envelope waiting[WAITING_MAX];
    size_t waiting_next;
};

/* ---- links ---- */

static void close_link(struct link *link)
{
    websocket_client_close(link->client);
    *link = (struct link){0};
}

static void note_failure(struct socket_mode *mode, int64_t pause_ms, const char *reason)
{
    int64_t tick = clock_boot_ms();
    int doublings = mode->failures < 6 ? mode->failures : 6;
    int64_t backoff = (int64_t)BACKOFF_MS << doublings;
    mode->failures++;
    backoff = backoff > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : backoff;
    pause_ms = pause_ms > ASKED_MS_MAX ? ASKED_MS_MAX : pause_ms;
    backoff += backoff * (tick % 100) / 400; /* so that many do not come at once */
    mode->next_open_tick = tick + (pause_ms > backoff ? pause_ms : backoff);
    LOG(pause_ms == HOPELESS_MS ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "socket_mode_fails",
        LOG_TEXT("channel", mode->options.channel->channel.name), LOG_TEXT("reason", reason));
}

static void open_link(struct socket_mode *mode, struct link *link)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct error error = {0};
    struct socket_mode_place place = {0};
    if (!socket_mode_find_place(mode->options.channel, &mode->must_stop, arena, &place, &error)) {
        note_failure(mode, place.is_hopeless ? HOPELESS_MS : place.retry_after_ms, error.message);
        return;
    }
    struct websocket_client *client =
        websocket_client_open(mode->options.channel, place.url, &mode->must_stop, &error);
    if (client == NULL) {
        note_failure(mode, 0, error.message);
        return;
    }
    int64_t tick = clock_boot_ms();
    *link = (struct link){.client = client,
                          .serial = ++mode->serial,
                          .opened_tick = tick,
                          .heard_tick = tick,
                          .pinged_tick = tick};
}

/* Where another can be opened: a free one, or the one that has been leaving for longest, whose
 * successor is told to leave as well. NULL while one works or is about to. */
static struct link *find_spare(struct socket_mode *mode)
{
    struct link *spare = NULL;
    for (size_t i = 0; i < LINKS; i++) {
        struct link *link = &mode->links[i];
        if (link->client != NULL && !link->is_leaving) {
            return NULL;
        }
        bool is_better =
            spare == NULL ||
            (spare->client != NULL && (link->client == NULL || link->left_tick < spare->left_tick));
        spare = is_better ? link : spare;
    }
    return spare;
}

static void keep_one_open(struct socket_mode *mode)
{
    struct link *spare = find_spare(mode);
    if (spare != NULL && clock_boot_ms() >= mode->next_open_tick) {
        close_link(spare);
        open_link(mode, spare);
    }
}

/* ---- what comes ---- */

static void on_hello(struct socket_mode *mode, struct link *link)
{
    link->is_ready = true;
    mode->failures = 0;
    mode->next_open_tick = 0;
    LOG(LOG_LEVEL_INFO, "socket_mode_ready",
        LOG_TEXT("channel", mode->options.channel->channel.name));
}

static void on_disconnect(struct socket_mode *mode, struct link *link, const char *reason)
{
    bool is_routine = reason != NULL &&
                      (strcmp(reason, "warning") == 0 || strcmp(reason, "refresh_requested") == 0);
    link->is_leaving = true;
    link->left_tick = clock_boot_ms();
    if (!is_routine) {
        /* Switched off, or ten others are open: it needs somebody to look. */
        note_failure(mode, HOPELESS_MS, reason == NULL ? "disconnected" : reason);
    }
}

static void on_interaction(struct socket_mode *mode, const char *id, const struct json *payload)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    canonical_append(&text, payload);
    if (!mode->options.take(mode->options.context, mode->options.channel->channel.name, id,
                            text.bytes, text.length)) {
        LOG(LOG_LEVEL_WARN, "press_not_taken",
            LOG_TEXT("channel", mode->options.channel->channel.name));
    }
}

static void take_envelope(struct socket_mode *mode, const struct link *link, const char *type,
                          const char *id, const struct json *root)
{
    const struct json *payload = json_member(root, "payload");
    struct envelope *envelope = &mode->waiting[mode->waiting_next++ % WAITING_MAX];
    strcpy(envelope->id, id);
    envelope->serial = link->serial;
    envelope->accepts_response =
        json_type(json_member(root, "accepts_response_payload")) == JSON_TYPE_TRUE;
    if (strcmp(type, "interactive") == 0 && json_type(payload) == JSON_TYPE_OBJECT) {
        on_interaction(mode, id, payload);
    } else {
        socket_mode_acknowledge(mode, id, NULL); /* nothing that we asked for */
    }
}

static void take_message(struct socket_mode *mode, struct link *link, const char *text,
                         size_t length)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE = json_parse(text, length, &ignored);
    const struct json *root = document == NULL ? NULL : json_root(document);
    const char *type = json_text(json_member(root, "type"));
    const char *id = json_text(json_member(root, "envelope_id"));
    if (type == NULL) {
        return;
    }
    if (strcmp(type, "hello") == 0) {
        on_hello(mode, link);
    } else if (strcmp(type, "disconnect") == 0) {
        on_disconnect(mode, link, json_text(json_member(root, "reason")));
    } else if (id != NULL && id[0] != '\0' && strlen(id) < ENVELOPE_ID_BYTES) {
        take_envelope(mode, link, type, id, root);
    }
}

static void read_link(struct socket_mode *mode, struct link *link)
{
    const char *text = NULL;
    size_t length = 0;
    enum websocket_answer answer = WEBSOCKET_NOTHING;
    do {
        answer = websocket_client_read(link->client, &text, &length);
        if (answer == WEBSOCKET_TEXT) {
            take_message(mode, link, text, length);
        }
    } while (answer == WEBSOCKET_TEXT);
    if (answer == WEBSOCKET_OVER) {
        if (!link->is_leaving) {
            note_failure(mode, 0, "the connection is over");
        }
        close_link(link);
    }
}

/* Pings, and ends what is silent, never said hello or does not leave. */
static void look_after(struct socket_mode *mode, struct link *link)
{
    int64_t tick = clock_boot_ms();
    if (websocket_client_was_heard(link->client)) {
        link->heard_tick = tick;
    }
    bool is_dead = tick - link->heard_tick > SILENCE_MS ||
                   (!link->is_ready && tick - link->opened_tick > HELLO_MS);
    if (is_dead && !link->is_leaving) {
        note_failure(mode, 0, "the connection is silent");
    }
    if (is_dead || (link->is_leaving && tick - link->left_tick > LEAVING_MS)) {
        close_link(link);
    } else if (tick - link->pinged_tick >= PING_MS) {
        link->pinged_tick = tick;
        if (!websocket_client_ping(link->client)) {
            close_link(link);
        }
    }
}

/* ---- what is acknowledged ---- */

static struct acknowledgement *take_acknowledgements(struct socket_mode *mode)
{
    pthread_mutex_lock(&mode->mutex);
    struct acknowledgement *all = mode->acknowledgements;
    mode->acknowledgements = NULL;
    pthread_mutex_unlock(&mode->mutex);
    return all;
}

static struct link *find_link(struct socket_mode *mode, const char *id, bool *out_accepts)
{
    for (size_t i = 0; i < WAITING_MAX; i++) {
        if (strcmp(mode->waiting[i].id, id) != 0) {
            continue;
        }
        for (size_t j = 0; j < LINKS; j++) {
            if (mode->links[j].client != NULL && mode->links[j].serial == mode->waiting[i].serial) {
                *out_accepts = mode->waiting[i].accepts_response;
                return &mode->links[j];
            }
        }
    }
    return NULL;
}

static void send_acknowledgement(struct socket_mode *mode, const struct acknowledgement *what)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    bool accepts = false;
    struct link *link = find_link(mode, what->id, &accepts);
    builder_init(&text, 0);
    if (link == NULL) {
        return; /* that socket is gone; what was pressed counts all the same */
    }
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "envelope_id", what->id);
    if (what->response != NULL && accepts) {
        canonical_member_raw(&writer, "payload", what->response, strlen(what->response));
    }
    canonical_close_object(&writer);
    if (!websocket_client_send(link->client, text.bytes, text.length)) {
        close_link(link);
    }
}

static void free_acknowledgement(struct acknowledgement *what)
{
    free(what->id);
    free(what->response);
    free(what);
}

static void send_acknowledgements(struct socket_mode *mode)
{
    struct acknowledgement *what = take_acknowledgements(mode);
    while (what != NULL) {
        struct acknowledgement *next = what->next;
        send_acknowledgement(mode, what);
        free_acknowledgement(what);
        what = next;
    }
}

static char *copy(const char *text)
{
    size_t length = strlen(text) + 1;
    return memcpy(memory_zeroed(1, length), text, length);
}

static void wake(struct socket_mode *mode)
{
    /* A full pipe wakes too. */
    while (write(mode->wake[1], "", 1) < 0 && errno == EINTR) {
    }
}

void socket_mode_acknowledge(struct socket_mode *mode, const char *id, const char *response)
{
    struct acknowledgement *what = memory_zeroed(1, sizeof *what);
    what->id = copy(id);
    what->response = response == NULL ? NULL : copy(response);
    pthread_mutex_lock(&mode->mutex);
    what->next = mode->acknowledgements;
    mode->acknowledgements = what;
    pthread_mutex_unlock(&mode->mutex);
    wake(mode);
}

/* ---- the thread ---- */

static void wait_for_any(struct socket_mode *mode)
{
    char ignored[64];
    struct pollfd ready[LINKS + 1] = {{.fd = mode->wake[0], .events = POLLIN}};
    nfds_t count = 1;
    for (size_t i = 0; i < LINKS; i++) {
        if (mode->links[i].client != NULL) {
            ready[count++] = (struct pollfd){
                .fd = websocket_client_descriptor(mode->links[i].client), .events = POLLIN};
        }
    }
    (void)poll(ready, count, PAUSE_MS);
    while (read(mode->wake[0], ignored, sizeof ignored) > 0) {
    }
}

static void *run_thread(void *context)
{
    struct socket_mode *mode = context;
    while (!atomic_load(&mode->must_stop)) {
        keep_one_open(mode);
        wait_for_any(mode);
        send_acknowledgements(mode);
        for (size_t i = 0; i < LINKS; i++) {
            if (mode->links[i].client != NULL) {
                read_link(mode, &mode->links[i]);
            }
            if (mode->links[i].client != NULL) {
                look_after(mode, &mode->links[i]);
            }
        }
    }
    return NULL;
}

static void free_mode(struct socket_mode *mode)
{
    struct acknowledgement *what = take_acknowledgements(mode);
    while (what != NULL) {
        struct acknowledgement *next = what->next;
        free_acknowledgement(what);
        what = next;
    }
    for (size_t i = 0; i < LINKS; i++) {
        close_link(&mode->links[i]);
    }
    close(mode->wake[0]);
    close(mode->wake[1]);
    pthread_mutex_destroy(&mode->mutex);
    free(mode);
}

struct socket_mode *socket_mode_start(const struct socket_mode_options *options,
                                      struct error *error)
{
    struct socket_mode *mode = memory_zeroed(1, sizeof *mode);
    mode->options = *options;
    pthread_mutex_init(&mode->mutex, NULL);
    if (pipe2(mode->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        error_set(error, ERROR_INTERNAL, "no_pipe", NULL, "no pipe is to be had: %s",
                  strerror(errno));
        pthread_mutex_destroy(&mode->mutex);
        free(mode);
        return NULL;
    }
    if (pthread_create(&mode->thread, NULL, run_thread, mode) != 0) {
        error_set(error, ERROR_INTERNAL, "no_thread", NULL,
                  "the thread of Slack's Socket Mode cannot be started");
        free_mode(mode);
        return NULL;
    }
    return mode;
}

void socket_mode_stop(struct socket_mode *mode)
{
    if (mode == NULL) {
        return;
    }
    atomic_store(&mode->must_stop, true);
    wake(mode);
    pthread_join(mode->thread, NULL);
    free_mode(mode);
}
