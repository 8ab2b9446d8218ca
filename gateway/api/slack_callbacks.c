#include "api/api_internal.h"

#include "api/slack_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include <string.h>

/*
 * What Slack posts here: proven by its signature over the very bytes, then translated, then an
 * ordinary vote. Slack wants 200 within three seconds whatever came of it; what there is to say
 * goes to the one who pressed, through the channel. What is not proven to be Slack's, or is of
 * another app, workspace or person than the channel takes, gets an error and changes nothing.
 */

/* ---- who sent it ---- */

/* What Slack signed is never among it: forgeries that come by the same proxy do not silence Slack.
 */
static bool note_forgery(struct api_call *call, const struct error *reason, struct error *error)
{
    if (!api_noise_allows_source(call->api, api_peer(call), error)) {
        return false;
    }
    api_noise_note(call->api, api_peer(call), "bad_callback");
    return error_set(error, reason->kind, reason->code, NULL, "%s", reason->message);
}

static bool check_signature(struct api_call *call, const struct api_slack_app *app,
                            const char *timestamp, const char *signature, struct error *error)
{
    size_t length;
    const char *body = http_body(call->exchange, &length);
    return slack_check_signature(timestamp, signature, body, length, app->secrets,
                                 app->secret_count, clock_wall_ms(), error);
}

static bool has_secrets_of(const struct api_slack_app *app, const struct api_slack_app *other)
{
    bool is_same = app->secret_count == other->secret_count;
    for (size_t i = 0; is_same && i < app->secret_count; i++) {
        is_same = strcmp(app->secrets[i], other->secrets[i]) == 0;
    }
    return is_same;
}

/* One app may have many channels: its secrets are tried once. */
static bool was_tried(const struct api_chat *chat, size_t index)
{
    bool is_known = false;
    for (size_t i = 0; i < index && !is_known; i++) {
        is_known = has_secrets_of(&chat->slack_apps[i], &chat->slack_apps[index]);
    }
    return is_known;
}

/* Every channel whose app signed it and takes it; the reason of the last that did not. */
static bool find_apps(struct api_call *call, struct slack_press *press, const char *timestamp,
                      struct error *error)
{
    const struct api_chat *chat = &call->api->options.chat;
    struct error forged = {0};
    struct error refused = {0};
    bool forged_by_all = true; /* until one fits */
    size_t length;
    const char *body = http_body(call->exchange, &length);
    error_set(&forged, ERROR_NOT_FOUND, "no_slack_app", NULL,
              "no channel of kind `slack` takes callbacks");
    for (size_t i = 0; i < chat->slack_app_count; i++) {
        const struct api_slack_app *app = &chat->slack_apps[i];
        struct error reason = {0};
        if (forged_by_all && was_tried(chat, i)) {
            continue;
        }
        if (!check_signature(call, app, timestamp, press->key, &reason)) {
            forged = reason;
            continue;
        }
        forged_by_all = false;
        const char *payload = slack_read_form(body, length, call->arena, &reason);
        if (payload != NULL && slack_read_payload(payload, strlen(payload), &app->app, call->arena,
                                                  &press->callback, &reason)) {
            press->channels[press->channel_count++] = app->channel;
        } else {
            refused = reason;
        }
    }
    if (press->channel_count > 0) {
        return true;
    }
    return refused.kind != ERROR_NONE ? slack_note_refusal(&refused, error)
                                      : note_forgery(call, &forged, error);
}

bool api_read_slack(struct api_call *call, struct error *error)
{
    struct slack_press *press = ARENA_NEW(call->arena, struct slack_press);
    const char *timestamp = NULL;
    const char *signature = NULL;
    size_t length;
    const char *body = http_body(call->exchange, &length);
    press->channels = arena_array(call->arena, call->api->options.chat.slack_app_count + 1,
                                  sizeof *press->channels);
    if (!http_header(call->exchange, "x-slack-request-timestamp", &timestamp, error) ||
        !http_header(call->exchange, "x-slack-signature", &signature, error)) {
        return false;
    }
    press->key = arena_text(call->arena, signature);
    press->body = crypto_sha256(body, length);
    call->input = press;
    if (!find_apps(call, press, timestamp, error)) {
        return false;
    }
    call->credential = slack_press_credential(press);
    return slack_press_admit(call->api, press, error);
}

static void go(void *owner, const struct error *refusal)
{
    if (refusal != NULL) {
        api_refuse_slack(owner, refusal);
    } else {
        api_submit(owner);
    }
}

void api_hold_slack(struct api_call *call)
{
    slack_hold(call->api, call->input, go, call);
}

bool api_run_slack(struct api_call *call, struct error *error)
{
    return slack_press_run(call->input, &call->operation, error);
}

/* 200, and nothing where a modal closes. */
static void answer(struct api_call *call, bool has_body, const struct builder *body)
{
    if (has_body) {
        api_answer_json(call, 200, body, NULL, 0);
    } else {
        api_answer_text(call, 200, "text/plain", "", 0);
    }
    api_end_call(call);
}

void api_answer_slack(struct api_call *call)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    bool has_body = slack_press_answer(call->api, call->arena, call->input, &body);
    answer(call, has_body, &body);
}

void api_refuse_slack(struct api_call *call, const struct error *error)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    bool has_body = slack_press_refuse(call->api, call->input, error, &body);
    answer(call, has_body, &body);
}
