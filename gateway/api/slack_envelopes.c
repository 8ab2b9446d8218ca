#include "api/holds_internal.h"
#include "api/slack_internal.h"
#include "base/log.h"
#include "base/memory.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * Presses that Socket Mode brings. The socket's thread hands them over; the loop reads them, the
 * store's thread runs them, and when that is committed the socket is told to acknowledge. What was
 * not for us is acknowledged too, so that Slack does not send it again.
 */

enum { ENVELOPES_MAX = 256 };

struct envelope {
    struct store_job job; /* first */
    struct envelope *next;
    struct api *api;
    struct arena *arena;
    const char *channel, *id, *payload;
    struct operation operation;
    struct credential credential;
    struct slack_press press;
};

struct api_envelopes {
    pthread_mutex_t mutex;
    struct envelope *first, *last;
    int count;
};

struct api_envelopes *api_envelopes_create(void)
{
    struct api_envelopes *envelopes = memory_zeroed(1, sizeof *envelopes);
    pthread_mutex_init(&envelopes->mutex, NULL);
    return envelopes;
}

static void free_envelope(struct envelope *envelope)
{
    arena_destroy(envelope->arena);
    free(envelope);
}

void api_envelopes_destroy(struct api_envelopes *envelopes)
{
    while (envelopes->first != NULL) {
        struct envelope *envelope = envelopes->first;
        envelopes->first = envelope->next;
        free_envelope(envelope);
    }
    pthread_mutex_destroy(&envelopes->mutex);
    free(envelopes);
}

bool api_take_envelope(struct api *api, const char *channel, const char *id, const char *payload,
                       size_t length)
{
    struct api_envelopes *envelopes = api->envelopes;
    struct envelope *envelope = memory_zeroed(1, sizeof *envelope);
    envelope->api = api;
    envelope->arena = arena_create();
    envelope->channel = arena_text(envelope->arena, channel);
    envelope->id = arena_text(envelope->arena, id);
    envelope->payload = arena_copy(envelope->arena, payload, length);
    pthread_mutex_lock(&envelopes->mutex);
    bool has_room = envelopes->count < ENVELOPES_MAX;
    if (has_room) {
        if (envelopes->last != NULL) {
            envelopes->last->next = envelope;
        } else {
            envelopes->first = envelope;
        }
        envelopes->last = envelope;
        envelopes->count++;
    }
    pthread_mutex_unlock(&envelopes->mutex);
    if (has_room) {
        loop_wake(api->options.loop);
    } else {
        free_envelope(envelope);
    }
    return has_room;
}

/* ---- on the loop ---- */

static void acknowledge(struct envelope *envelope, const char *response)
{
    const struct api_chat *chat = &envelope->api->options.chat;
    if (chat->acknowledge != NULL) {
        chat->acknowledge(chat->context, envelope->channel, envelope->id, response);
    }
    free_envelope(envelope);
}

static bool run(struct store_job *job, struct store *store, int64_t now, struct error *error)
{
    struct envelope *envelope = (struct envelope *)job;
    envelope->operation = (struct operation){0};
    return operation_begin(&envelope->operation, envelope->api->options.operations, store,
                           envelope->arena, now, &envelope->credential, error) &&
           slack_press_run(&envelope->press, &envelope->operation, error);
}

static void refuse(struct envelope *envelope, const struct error *error)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    bool has_body = slack_press_refuse(envelope->api, &envelope->press, error, &body);
    acknowledge(envelope, has_body ? body.bytes : NULL);
}

static void finish(struct store_job *job, bool ok, const struct error *error)
{
    struct envelope *envelope = (struct envelope *)job;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!ok) {
        refuse(envelope, error);
        return;
    }
    api_tell_changes(envelope->api, &envelope->operation);
    bool has_body = slack_press_answer(envelope->api, envelope->arena, &envelope->press, &body);
    acknowledge(envelope, has_body ? body.bytes : NULL);
}

/* What waited while the gateway was stopping is not acknowledged: nothing happened, and its button
 * is still good. */
static void go(void *owner, const struct error *refusal)
{
    struct envelope *envelope = owner;
    struct api *api = envelope->api;
    struct error error = {0};
    if (api->is_draining) {
        free_envelope(envelope);
    } else if (refusal != NULL) {
        refuse(envelope, refusal);
    } else if (!store_writer_submit(api->options.writer, &envelope->job, &error)) {
        LOG(LOG_LEVEL_WARN, "press_not_taken", LOG_TEXT("channel", envelope->channel),
            LOG_TEXT("reason", error.message));
        free_envelope(envelope); /* not acknowledged: nothing happened */
    }
}

static const struct api_slack_app *find_app(const struct api *api, const char *channel)
{
    for (size_t i = 0; i < api->options.chat.slack_app_count; i++) {
        if (strcmp(api->options.chat.slack_apps[i].channel, channel) == 0) {
            return &api->options.chat.slack_apps[i];
        }
    }
    return NULL;
}

/* One app's sockets serve all its channels: the card may stand on any of them that takes it. */
static bool read_press(struct envelope *envelope, struct error *error)
{
    const struct api *api = envelope->api;
    const struct api_slack_app *own = find_app(api, envelope->channel);
    struct slack_press *press = &envelope->press;
    struct error refused = {0};
    press->channels = arena_array(envelope->arena, api->options.chat.slack_app_count + 1,
                                  sizeof *press->channels);
    for (size_t i = 0; own != NULL && i < api->options.chat.slack_app_count; i++) {
        const struct api_slack_app *app = &api->options.chat.slack_apps[i];
        struct error reason = {0};
        if (strcmp(app->app.app, own->app.app) != 0) {
            continue;
        }
        if (slack_read_payload(envelope->payload, strlen(envelope->payload), &app->app,
                               envelope->arena, &press->callback, &reason)) {
            press->channels[press->channel_count++] = app->channel;
        } else {
            refused = reason;
        }
    }
    return press->channel_count > 0 || slack_note_refusal(&refused, error);
}

static void take(struct envelope *envelope)
{
    struct api *api = envelope->api;
    struct slack_press *press = &envelope->press;
    struct error error = {0};
    if (api->is_draining) {
        free_envelope(envelope); /* not acknowledged: nothing happened */
        return;
    }
    if (!read_press(envelope, &error)) {
        acknowledge(envelope, NULL);
        return;
    }
    press->key = arena_printf(envelope->arena, "envelope:%s", envelope->id);
    press->body = crypto_sha256(envelope->id, strlen(envelope->id));
    envelope->credential = slack_press_credential(press);
    envelope->job.run = run;
    envelope->job.done = finish;
    if (!slack_press_admit(api, press, &error)) {
        refuse(envelope, &error);
    } else {
        slack_hold(api, press, go, envelope);
    }
}

void api_run_envelopes(struct api *api)
{
    struct api_envelopes *envelopes = api->envelopes;
    pthread_mutex_lock(&envelopes->mutex);
    struct envelope *envelope = envelopes->first;
    envelopes->first = envelopes->last = NULL;
    envelopes->count = 0;
    pthread_mutex_unlock(&envelopes->mutex);
    holds_run(api);
    while (envelope != NULL) {
        struct envelope *next = envelope->next;
        take(envelope);
        envelope = next;
    }
}
