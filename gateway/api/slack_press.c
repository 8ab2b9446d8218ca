#include "api/slack_internal.h"
#include "base/log.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/slack/slack_words.h"
#include <string.h>

bool slack_note_refusal(const struct error *reason, struct error *error)
{
    LOG(LOG_LEVEL_WARN, "callback_refused", LOG_TEXT("service", "slack"),
        LOG_TEXT("code", reason->code));
    return error_set(error, reason->kind, reason->code, NULL, "%s", reason->message);
}

struct credential slack_press_credential(const struct slack_press *press)
{
    enum callback_what what = press->callback.what;
    if (what == CALLBACK_NONE || what == CALLBACK_IGNORED) {
        return (struct credential){0};
    }
    return (struct credential){.kind = CREDENTIAL_SLACK,
                               .hash = identity_hash_account("slack", press->callback.account)};
}

bool slack_press_admit(struct api *api, const struct slack_press *press, struct error *error)
{
    return press->callback.what != CALLBACK_LINK ||
           api_attempts_take(api, press->callback.account, press->callback.account, error);
}

static bool decide(struct slack_press *press, struct operation *operation, struct error *error)
{
    const struct callback *callback = &press->callback;
    struct chat_press what = {.channels = press->channels,
                              .channel_count = press->channel_count,
                              .request = callback->request,
                              .place = callback->place,
                              .nonce = callback->nonce,
                              .approves = callback->what == CALLBACK_APPROVE,
                              .reason = callback->reason,
                              .is_only_begun = callback->what == CALLBACK_ASK_REASON,
                              .key = press->key,
                              .body = press->body};
    return operation_press_by_chat(operation, &what, &press->answer, error);
}

bool slack_press_run(struct slack_press *press, struct operation *operation, struct error *error)
{
    struct chat_account account = {.service = "slack", .account = press->callback.account};
    switch (press->callback.what) {
    case CALLBACK_APPROVE:
    case CALLBACK_DENY:
    case CALLBACK_ASK_REASON:
        return decide(press, operation, error);
    case CALLBACK_LINK:
        return operation_link_chat(operation, &account, press->callback.code, &press->linked_to,
                                   error);
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
    case CALLBACK_ASK_CODE:
        break;
    }
    return true;
}

/* ---- what is said ---- */

static void say(struct api *api, const struct slack_press *press, const char *method,
                const struct builder *body)
{
    const struct api_chat *chat = &api->options.chat;
    struct notifier_word word = {.method = method, .body = body->bytes};
    if (chat->say == NULL || !chat->say(chat->context, press->channels[0], &word)) {
        LOG(LOG_LEVEL_WARN, "word_not_said", LOG_TEXT("channel", press->channels[0]),
            LOG_TEXT("method", method), LOG_TEXT("reason", "too many wait"));
    }
}

static void ask_for_code(struct api *api, const struct slack_press *press, const char *why)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (press->callback.trigger != NULL) {
        slack_link_modal_append(&body, press->callback.trigger, why);
        say(api, press, "views.open", &body);
    }
}

static void ask_for_reason(struct api *api, struct arena *arena, const struct slack_press *press)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (press->callback.trigger != NULL) {
        slack_deny_modal_append(&body, press->callback.trigger, press->callback.value,
                                press->callback.place, arena);
        say(api, press, "views.open", &body);
    }
}

static void tell(struct api *api, const struct slack_press *press, const char *text)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (press->callback.place != NULL && text != NULL) {
        slack_ephemeral_append(&body, press->callback.place, press->callback.user, text);
        say(api, press, "chat.postEphemeral", &body);
    }
}

bool slack_press_answer(struct api *api, struct arena *arena, const struct slack_press *press,
                        struct builder *body)
{
    switch (press->callback.what) {
    case CALLBACK_LINK:
        api_attempts_succeeded(api, press->callback.account, press->callback.account);
        slack_modal_done_append(
            body, arena_printf(arena,
                               "This account now decides as %s. Remove the link under "
                               "Account on the dashboard.",
                               press->linked_to));
        return true;
    case CALLBACK_DENY:
        slack_modal_done_append(body, press->answer.text);
        return true;
    case CALLBACK_ASK_CODE:
        ask_for_code(api, press, NULL);
        break;
    case CALLBACK_ASK_REASON:
        if (press->answer.was_current) {
            ask_for_reason(api, arena, press);
        } else {
            tell(api, press, press->answer.text);
        }
        break;
    case CALLBACK_APPROVE:
        tell(api, press, press->answer.text);
        break;
    case CALLBACK_NONE:
    case CALLBACK_IGNORED:
        break;
    }
    return false;
}

static bool is_unlinked(const struct error *error)
{
    return error->code != NULL &&
           (strcmp(error->code, "not_linked") == 0 || strcmp(error->code, "bad_credential") == 0);
}

bool slack_press_refuse(struct api *api, const struct slack_press *press, const struct error *error,
                        struct builder *body)
{
    enum callback_what what = press->callback.what;
    LOG(LOG_LEVEL_INFO, "press_refused", LOG_TEXT("service", "slack"),
        LOG_TEXT("code", error->code), LOG_TEXT("account", press->callback.account));
    if (what == CALLBACK_DENY || what == CALLBACK_LINK) {
        slack_modal_error_append(body, what == CALLBACK_LINK ? "code" : "reason", error->message);
        return true;
    }
    if (is_unlinked(error)) {
        ask_for_code(api, press,
                     "Your Slack account is not linked, so nothing was decided. Sign in to the "
                     "dashboard, make a code under Account, and type it here.");
    } else {
        tell(api, press, error->message);
    }
    return false;
}
