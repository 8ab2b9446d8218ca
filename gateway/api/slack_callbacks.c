#include "api/api_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/slack/slack_words.h"
#include "operations/chat_operations.h"
#include <string.h>

/*
 * What Slack posts here: proven by its signature over the very bytes, then translated, then an
 * ordinary vote. Slack wants 200 within three seconds whatever came of it; what there is to say
 * goes to the one who pressed, through the channel. What is not proven to be Slack's, or is of
 * another app, workspace or person than the channel takes, gets an error and changes nothing.
 */

struct slack_input {
    struct callback callback;
    const char **channels; /* of the apps that take it */
    size_t channel_count;
    const char *signature;
    struct sha256 body;
    struct chat_answer answer;
    const char *linked_to; /* the person's name */
};

/* ---- who sent it ---- */

static bool note_forgery(struct api_call *call, const struct error *reason, struct error *error)
{
    api_noise_note(call->api, api_peer(call), "bad_callback");
    return error_set(error, reason->kind, reason->code, NULL, "%s", reason->message);
}

/* Well signed, but not for us: the operator wants to know which of these it was. */
static bool note_refusal(const struct error *reason, struct error *error)
{
    LOG(LOG_LEVEL_WARN, "callback_refused", LOG_TEXT("service", "slack"),
        LOG_TEXT("code", reason->code));
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

/* Every channel whose app signed it and takes it; the reason of the last that did not. */
static bool find_apps(struct api_call *call, struct slack_input *input, const char *timestamp,
                      struct error *error)
{
    const struct api_chat *chat = &call->api->options.chat;
    struct error forged = {0};
    struct error refused = {0};
    size_t length;
    const char *body = http_body(call->exchange, &length);
    error_set(&forged, ERROR_NOT_FOUND, "no_slack_app", NULL,
              "no channel of kind `slack` takes callbacks");
    for (size_t i = 0; i < chat->slack_app_count; i++) {
        const struct api_slack_app *app = &chat->slack_apps[i];
        struct error reason = {0};
        if (!check_signature(call, app, timestamp, input->signature, &reason)) {
            forged = reason;
            continue;
        }
        const char *payload = slack_read_form(body, length, call->arena, &reason);
        if (payload != NULL && slack_read_payload(payload, strlen(payload), &app->app, call->arena,
                                                  &input->callback, &reason)) {
            input->channels[input->channel_count++] = app->channel;
        } else {
            refused = reason;
        }
    }
    if (input->channel_count > 0) {
        return true;
    }
    return refused.kind != ERROR_NONE ? note_refusal(&refused, error)
                                      : note_forgery(call, &forged, error);
}

static void choose_credential(struct api_call *call, const struct slack_input *input)
{
    enum callback_what what = input->callback.what;
    if (what != CALLBACK_IGNORED && what != CALLBACK_NONE) {
        call->credential =
            (struct credential){.kind = CREDENTIAL_SLACK,
                                .hash = identity_hash_account("slack", input->callback.account)};
    }
}

bool api_read_slack(struct api_call *call, struct error *error)
{
    struct slack_input *input = ARENA_NEW(call->arena, struct slack_input);
    const char *timestamp = NULL;
    const char *signature = NULL;
    size_t length;
    const char *body = http_body(call->exchange, &length);
    input->channels = arena_array(call->arena, call->api->options.chat.slack_app_count + 1,
                                  sizeof *input->channels);
    if (!api_noise_allows_source(call->api, api_peer(call), error) ||
        !http_header(call->exchange, "x-slack-request-timestamp", &timestamp, error) ||
        !http_header(call->exchange, "x-slack-signature", &signature, error)) {
        return false;
    }
    input->signature = arena_text(call->arena, signature);
    input->body = crypto_sha256(body, length);
    call->input = input;
    if (!find_apps(call, input, timestamp, error)) {
        return false;
    }
    choose_credential(call, input);
    /* Codes are not to be guessed from one account. */
    return input->callback.what != CALLBACK_LINK ||
           api_attempts_take(call->api, input->callback.account, input->callback.account, error);
}

/* ---- what it asks for ---- */

static bool press(struct api_call *call, struct slack_input *input, struct error *error)
{
    const struct callback *callback = &input->callback;
    struct chat_press press = {.channels = input->channels,
                               .channel_count = input->channel_count,
                               .request = callback->request,
                               .nonce = callback->nonce,
                               .approves = callback->what == CALLBACK_APPROVE,
                               .reason = callback->reason,
                               .is_only_begun = callback->what == CALLBACK_ASK_REASON,
                               .key = input->signature,
                               .body = input->body};
    return operation_press_by_chat(&call->operation, &press, &input->answer, error);
}

bool api_run_slack(struct api_call *call, struct error *error)
{
    struct slack_input *input = call->input;
    struct chat_account account = {.service = "slack", .account = input->callback.account};
    switch (input->callback.what) {
    case CALLBACK_APPROVE:
    case CALLBACK_DENY:
    case CALLBACK_ASK_REASON:
        return press(call, input, error);
    case CALLBACK_LINK:
        return operation_link_chat(&call->operation, &account, input->callback.code,
                                   &input->linked_to, error);
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
    case CALLBACK_ASK_CODE:
        break;
    }
    return true;
}

/* ---- what is said ---- */

static void say(struct api_call *call, const char *method, const struct builder *body)
{
    const struct slack_input *input = call->input;
    const struct api_chat *chat = &call->api->options.chat;
    struct notifier_word word = {.method = method, .body = body->bytes};
    if (chat->say == NULL || !chat->say(chat->context, input->channels[0], &word)) {
        LOG(LOG_LEVEL_WARN, "word_not_said", LOG_TEXT("channel", input->channels[0]),
            LOG_TEXT("method", method), LOG_TEXT("reason", "too many wait"));
    }
}

static void ask_for_code(struct api_call *call, const char *why)
{
    const struct callback *callback = &((struct slack_input *)call->input)->callback;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (callback->trigger != NULL) {
        slack_link_modal_append(&body, callback->trigger, why);
        say(call, "views.open", &body);
    }
}

static void ask_for_reason(struct api_call *call)
{
    const struct callback *callback = &((struct slack_input *)call->input)->callback;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (callback->trigger != NULL) {
        slack_deny_modal_append(&body, callback->trigger, callback->value);
        say(call, "views.open", &body);
    }
}

static void tell(struct api_call *call, const char *text)
{
    const struct callback *callback = &((struct slack_input *)call->input)->callback;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (callback->place != NULL && text != NULL) {
        slack_ephemeral_append(&body, callback->place, callback->user, text);
        say(call, "chat.postEphemeral", &body);
    }
}

/* 200 and nothing: taken. A modal closes. */
static void answer_empty(struct api_call *call)
{
    api_answer_text(call, 200, "text/plain", "", 0);
    api_end_call(call);
}

static void answer_modal(struct api_call *call, const struct builder *body)
{
    api_answer_json(call, 200, body, NULL, 0);
    api_end_call(call);
}

void api_answer_slack(struct api_call *call)
{
    const struct slack_input *input = call->input;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    switch (input->callback.what) {
    case CALLBACK_LINK:
        api_attempts_succeeded(call->api, input->callback.account, input->callback.account);
        slack_modal_done_append(
            &body, arena_printf(call->arena,
                                "This account now decides as %s. Remove the link under "
                                "Account on the dashboard.",
                                input->linked_to));
        answer_modal(call, &body);
        return;
    case CALLBACK_DENY:
        slack_modal_done_append(&body, input->answer.text);
        answer_modal(call, &body);
        return;
    case CALLBACK_ASK_CODE:
        ask_for_code(call, NULL);
        break;
    case CALLBACK_ASK_REASON:
        if (input->answer.was_current) {
            ask_for_reason(call);
        } else {
            tell(call, input->answer.text);
        }
        break;
    case CALLBACK_APPROVE:
        tell(call, input->answer.text);
        break;
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
        break;
    }
    answer_empty(call);
}

static bool is_unlinked(const struct error *error)
{
    return error->code != NULL &&
           (strcmp(error->code, "not_linked") == 0 || strcmp(error->code, "bad_credential") == 0);
}

void api_refuse_slack(struct api_call *call, const struct error *error)
{
    const struct slack_input *input = call->input;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    LOG(LOG_LEVEL_INFO, "press_refused", LOG_TEXT("service", "slack"),
        LOG_TEXT("code", error->code), LOG_TEXT("account", input->callback.account));
    if (input->callback.what == CALLBACK_DENY || input->callback.what == CALLBACK_LINK) {
        slack_modal_error_append(&body, input->callback.what == CALLBACK_LINK ? "code" : "reason",
                                 error->message);
        answer_modal(call, &body);
        return;
    }
    if (is_unlinked(error)) {
        ask_for_code(call, "Your Slack account is not linked, so nothing was decided. Sign in to "
                           "the dashboard, make a code under Account, and type it here.");
    } else {
        tell(call, error->message);
    }
    answer_empty(call);
}
