#include "api/teams_internal.h"

#include "base/log.h"
#include "notifiers/teams/teams_address.h"
#include "notifiers/teams/teams_words.h"
#include <string.h>

#define UNLINKED                                                                                   \
    "Your Teams account is not linked, so nothing was decided. Sign in to the dashboard, make a "  \
    "code under Account, and type it here."

/* ---- what is asked for ---- */

static struct chat_press press_of(const struct teams_press *press, struct operation *operation)
{
    const struct callback *callback = &press->activity.callback;
    return (struct chat_press){
        .channels = press->channels,
        .channel_count = press->channel_count,
        .request = callback->request,
        .place = callback->place,
        .nonce = callback->nonce,
        .approves = callback->what == CALLBACK_APPROVE,
        .reason = callback->reason,
        .wants_card = true,
        .key = arena_printf(operation->arena, "activity:%s", press->activity.id),
        .body = press->pressed};
}

/* The card that the form took the place of comes back, for who the account is now. Where it cannot,
 * the link stands all the same. */
static void show_again(struct teams_press *press, const struct operation *linked,
                       const struct credential *credential)
{
    struct operation operation = {0};
    struct error ignored = {0};
    if (press->activity.callback.request == NULL ||
        !operation_begin(&operation, linked->operations, linked->store, linked->arena, linked->now,
                         credential, &ignored)) {
        return;
    }
    struct chat_press what = press_of(press, &operation);
    what.is_only_begun = true;
    if (!operation_press_by_chat(&operation, &what, &press->answer, &ignored)) {
        press->answer = (struct chat_answer){0};
    }
}

static bool link_account(struct teams_press *press, struct operation *operation,
                         const struct credential *credential, struct error *error)
{
    const struct callback *callback = &press->activity.callback;
    struct chat_account account = {.service = "teams", .account = callback->account};
    if (!operation_link_chat(operation, &account, callback->code, &press->linked_to, error)) {
        return false;
    }
    show_again(press, operation, credential);
    return true;
}

static bool note_conversation(struct teams_press *press, struct operation *operation,
                              struct error *error)
{
    const struct teams_activity *activity = &press->activity;
    struct chat_conversation conversation = {.service = "teams",
                                             .app = press->bot->bot.app_id,
                                             .conversation = activity->conversation,
                                             .service_url = activity->service_url};
    return activity->kind == TEAMS_REMOVED
               ? operation_forget_conversation(operation, &conversation, error)
               : operation_remember_conversation(operation, &conversation, &press->is_named, error);
}

bool teams_press_run(struct teams_press *press, struct operation *operation,
                     const struct credential *credential, struct error *error)
{
    struct chat_press what;
    switch (press->activity.kind) {
    case TEAMS_PRESS:
        if (press->activity.callback.what == CALLBACK_LINK) {
            return link_account(press, operation, credential, error);
        }
        what = press_of(press, operation);
        return operation_press_by_chat(operation, &what, &press->answer, error);
    case TEAMS_ADDED:
    case TEAMS_REMOVED:
    case TEAMS_MESSAGE:
        return note_conversation(press, operation, error);
    case TEAMS_NONE:
    case TEAMS_OTHER:
    case TEAMS_ODD_PRESS:
    case TEAMS_STRANGER:
        break;
    }
    return true;
}

/* ---- what is said ---- */

/* False: it cannot be shown, and what there is to say is said as text. */
static bool show_card(const struct teams_press *press, struct arena *arena, struct builder *body)
{
    const char *json = press->answer.card;
    struct error ignored = {0};
    struct card card;
    if (json == NULL || !card_read(json, strlen(json), arena, &card, &ignored)) {
        return false;
    }
    teams_answer_card_append(body, &card, arena);
    return true;
}

static void answer_link(struct api *api, struct arena *arena, const struct teams_press *press,
                        struct builder *body)
{
    const char *account = press->activity.callback.account;
    api_attempts_succeeded(api, account, account);
    if (!show_card(press, arena, body)) {
        teams_answer_note_append(body,
                                 arena_printf(arena,
                                              "This account now decides as %s. Remove the link "
                                              "under Account on the dashboard.",
                                              press->linked_to),
                                 api->options.issuer);
    }
}

/* Nobody waits for it, and nothing is kept. */
static void help(struct api *api, struct arena *arena, const struct teams_press *press)
{
    const struct api_chat *chat = &api->options.chat;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    teams_help_append(&body, api->options.issuer);
    const struct teams_activity *activity = &press->activity;
    struct teams_address place = {.service = activity->service_url,
                                  .conversation = activity->conversation};
    struct notifier_word word = {
        .method = "reply", .body = body.bytes, .place = teams_address_write(&place, arena)};
    if (chat->say == NULL || !chat->say(chat->context, press->channels[0], &word)) {
        LOG(LOG_LEVEL_WARN, "word_not_said", LOG_TEXT("channel", press->channels[0]),
            LOG_TEXT("method", word.method), LOG_TEXT("reason", "too many wait"));
    }
}

int teams_press_answer(struct api *api, struct arena *arena, const struct teams_press *press,
                       struct builder *body)
{
    switch (press->activity.kind) {
    case TEAMS_PRESS:
        if (press->activity.callback.what == CALLBACK_LINK) {
            answer_link(api, arena, press, body);
        } else if (!show_card(press, arena, body)) {
            teams_answer_text_append(body, press->answer.text);
        }
        break;
    case TEAMS_STRANGER:
        LOG(LOG_LEVEL_INFO, "press_refused", LOG_TEXT("service", "teams"),
            LOG_TEXT("code", "stranger"));
        teams_answer_text_append(body,
                                 "Nothing was decided: only members of this organization decide "
                                 "here, no guests. Open the request in the dashboard.");
        break;
    case TEAMS_ODD_PRESS:
        teams_answer_error_append(body, "NotSupported", "this bot knows no such action");
        return 400;
    case TEAMS_MESSAGE:
        help(api, arena, press);
        break;
    case TEAMS_NONE:
    case TEAMS_OTHER:
    case TEAMS_ADDED:
    case TEAMS_REMOVED:
        break;
    }
    return 200;
}

static bool is_code(const struct error *error, const char *code)
{
    return error->code != NULL && strcmp(error->code, code) == 0;
}

int teams_press_refuse(struct api *api, const struct teams_press *press, const struct error *error,
                       struct builder *body)
{
    const struct callback *callback = &press->activity.callback;
    LOG(LOG_LEVEL_INFO, "press_refused", LOG_TEXT("service", "teams"),
        LOG_TEXT("code", error->code), LOG_TEXT("account", callback->account));
    if (error->kind == ERROR_CORRUPT || error->kind == ERROR_INTERNAL) {
        return 0;
    }
    if (is_code(error, "not_linked") || is_code(error, "bad_credential")) {
        teams_answer_form_append(body, UNLINKED, api->options.issuer, callback->request,
                                 callback->nonce);
    } else if (is_code(error, "chat_code_invalid")) {
        teams_answer_form_append(body, error->message, api->options.issuer, callback->request,
                                 callback->nonce);
    } else {
        teams_answer_text_append(body, error->message);
    }
    return 200;
}
