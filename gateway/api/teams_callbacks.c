#include "api/teams_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "identity/token_rules.h"
#include "notifiers/teams/teams_member.h"
#include "trust/trust.h"
#include <string.h>

/*
 * What the Bot Framework posts here. The token that comes with it is judged first, its signature on
 * a worker; only then is the activity read, and held against the token and the bot. Whoever proves
 * nothing is told no more than that: which rule was broken stands in the log.
 */

enum { DAY_MS = 24 * 3600 * 1000 };

/* ---- the token ---- */

/* What the Bot Framework signed is never among it: forgeries that come by the same proxy do not
 * silence it. */
static bool note_forgery(struct api_call *call, const struct error *reason, struct error *error)
{
    if (!api_noise_allows_source(call->api, api_peer(call), error)) {
        return false;
    }
    LOG(LOG_LEVEL_WARN, "callback_refused", LOG_TEXT("service", "teams"),
        LOG_TEXT("code", reason->code), LOG_TEXT("peer", api_peer(call)));
    api_noise_note(call->api, api_peer(call), "bad_callback");
    return error_set(error, ERROR_UNAUTHENTICATED, "bad_callback", NULL,
                     "nothing proves that the Bot Framework sent this to a bot configured here");
}

static bool read_token(struct api_call *call, struct teams_press *press, struct error *reason)
{
    const char *authorization = NULL;
    bool is_dpop = false;
    if (!http_header(call->exchange, "authorization", &authorization, reason)) {
        return false;
    }
    const char *token = identity_find_jwt(authorization, &is_dpop);
    if (token == NULL || is_dpop) {
        return error_set(reason, ERROR_UNAUTHENTICATED, "no_token", NULL,
                         "there is no bearer token of the form of a JWT");
    }
    token = arena_text(call->arena, token);
    return jwt_read(token, strlen(token), false, &press->jwt, reason);
}

static bool judge_for(const struct api_teams_bot *bot, const struct jwt *jwt, struct error *reason)
{
    const char *const audiences[] = {bot->bot.app_id, NULL};
    struct token_terms terms = {.issuer = TEAMS_ISSUER,
                                .audiences = audiences,
                                .algorithms = 1U << JWK_RS256,
                                .leeway_ms = TOKEN_SERVICE_LEEWAY_MS_MAX,
                                .lifetime_max_ms = DAY_MS};
    return token_judge_service(jwt, &terms, clock_wall_ms(), reason);
}

/* The bot that the token is for; the reason of the last that it is not. */
static bool find_bot(struct api_call *call, struct teams_press *press, struct error *reason)
{
    const struct api_chat *chat = &call->api->options.chat;
    for (size_t i = 0; i < chat->teams_bot_count && press->bot == NULL; i++) {
        struct error own = {0};
        if (judge_for(&chat->teams_bots[i], &press->jwt, &own)) {
            press->bot = &chat->teams_bots[i];
        } else {
            *reason = own;
        }
    }
    return press->bot != NULL;
}

static bool find_keys(struct api_call *call, struct teams_press *press, struct error *reason)
{
    press->keys = trust_look_service(call->api->options.trust, press->bot->bot.openid_url,
                                     &press->jwt, clock_boot_ms(), reason);
    return press->keys != NULL;
}

bool api_read_teams(struct api_call *call, struct error *error)
{
    struct teams_press *press = ARENA_NEW(call->arena, struct teams_press);
    struct error reason = {0};
    const char *body = http_body(call->exchange, &press->length);
    call->input = press;
    if (call->api->options.chat.teams_bot_count == 0) {
        return error_set(error, ERROR_NOT_FOUND, "no_teams_bot", NULL,
                         "no channel of kind `teams` has a bot");
    }
    if (press->length > TEAMS_BODY_BYTES_MAX) {
        return error_set(error, ERROR_INVALID, "too_long", NULL,
                         "the body is longer than an activity of Teams may be");
    }
    if (!read_token(call, press, &reason) || !find_bot(call, press, &reason) ||
        !find_keys(call, press, &reason)) {
        return note_forgery(call, &reason, error);
    }
    press->body = arena_copy(call->arena, body, press->length);
    return true;
}

bool api_work_teams(struct api_call *call, struct error *error)
{
    struct teams_press *press = call->input;
    press->is_proven = trust_check_service(press->keys, &press->jwt, TEAMS_CHANNEL, error);
    return press->is_proven;
}

/* ---- the activity ---- */

/* Whether what one takes the other takes: channels of one bot differ in where their cards stand. */
static bool takes_the_same(const struct teams_bot *bot, const struct teams_bot *other)
{
    return strcmp(bot->app_id, other->app_id) == 0 &&
           strcmp(bot->tenant_id, other->tenant_id) == 0 &&
           strcmp(bot->service_url, other->service_url) == 0;
}

static bool takes(struct api_call *call, struct teams_press *press, const struct teams_bot *bot,
                  const struct teams_bot **taker, struct error *reason)
{
    if (*taker != NULL && takes_the_same(bot, *taker)) {
        return true;
    }
    if (!teams_read_activity(press->body, press->length, bot, call->arena, &press->activity,
                             reason)) {
        return false;
    }
    *taker = bot;
    return true;
}

/* Words are said on the first channel that takes it; the card may stand on any of them. */
static bool read_activity(struct api_call *call, struct teams_press *press, struct error *error)
{
    const struct api_chat *chat = &call->api->options.chat;
    const struct teams_bot *taker = NULL;
    struct error refused = {0};
    press->channels = arena_array(call->arena, chat->teams_bot_count, sizeof *press->channels);
    for (size_t i = 0; i < chat->teams_bot_count; i++) {
        const struct api_teams_bot *each = &chat->teams_bots[i];
        struct error reason = {0};
        if (strcmp(each->bot.app_id, press->bot->bot.app_id) != 0) {
            continue;
        }
        if (takes(call, press, &each->bot, &taker, &reason)) {
            press->channels[press->channel_count++] = each->channel;
        } else {
            refused = reason;
        }
    }
    return press->channel_count > 0 ||
           error_set(error, refused.kind, refused.code, refused.subject, "%s", refused.message);
}

/* The token is good for one place: what it is sent with may not name another (an answer would take
 * the bot's own token there). */
static bool check_service(const struct teams_press *press, struct error *error)
{
    const char *claim = token_text(&press->jwt, "serviceurl");
    return (claim != NULL && strcmp(claim, press->activity.service_url) == 0) ||
           error_set(error, ERROR_UNAUTHENTICATED, "wrong_service_url", NULL,
                     "the token's `serviceurl` is not the activity's `serviceUrl`");
}

static struct sha256 hash_press(const struct callback *callback)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_printf(&text, "%d\n%s\n%s\n%s", (int)callback->what, callback->request, callback->nonce,
                   callback->reason == NULL ? "" : callback->reason);
    return crypto_sha256(text.bytes, text.length);
}

/* Whose it is. Where the bot is reached is said by the service itself, by whoever's doing. */
static void set_credential(struct api_call *call, const struct teams_activity *activity)
{
    bool is_press = activity->kind == TEAMS_PRESS;
    if (is_press || activity->kind == TEAMS_ADDED || activity->kind == TEAMS_REMOVED ||
        activity->kind == TEAMS_MESSAGE) {
        call->credential = (struct credential){
            .kind = CREDENTIAL_TEAMS,
            .hash = identity_hash_account("teams", is_press ? activity->callback.account : "")};
    }
}

bool api_accept_teams(struct api_call *call, struct error *error)
{
    struct teams_press *press = call->input;
    const struct callback *callback = &press->activity.callback;
    if (!read_activity(call, press, error) || !check_service(press, error)) {
        press->activity.kind = TEAMS_NONE;
        return false;
    }
    set_credential(call, &press->activity);
    if (press->activity.kind == TEAMS_PRESS) {
        press->member = teams_member_about(&press->activity, call->arena);
    }
    if (callback->what == CALLBACK_LINK) {
        return api_attempts_take(call->api, callback->account, callback->account, error);
    }
    if (press->activity.kind == TEAMS_PRESS) {
        press->pressed = hash_press(callback);
    }
    return true;
}

static void go(void *owner, const struct error *refusal)
{
    if (refusal != NULL) {
        api_refuse_teams(owner, refusal);
    } else {
        api_submit_run(owner);
    }
}

void api_hold_teams(struct api_call *call)
{
    teams_hold(call->api, call->input, go, call);
}

bool api_run_teams(struct api_call *call, struct error *error)
{
    return teams_press_run(call->input, &call->operation, &call->credential, error);
}

/* ---- answers ---- */

void api_answer_teams(struct api_call *call)
{
    const struct teams_press *press = call->input;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (press->activity.kind == TEAMS_ADDED) {
        /* Where an operator finds the id of a chat, which Teams shows nowhere. */
        LOG(LOG_LEVEL_INFO, "bot_added", LOG_TEXT("app", press->bot->bot.app_id),
            LOG_TEXT("conversation", press->activity.conversation),
            LOG_TEXT("has_cards", press->is_named ? "yes" : "no"));
    }
    int status = teams_press_answer(call->api, call->arena, press, &body);
    if (body.length > 0) {
        api_answer_json(call, status, &body, NULL, 0);
    } else {
        api_answer_text(call, status, "text/plain", "", 0);
    }
    api_end_call(call);
}

static void refuse_outright(struct api_call *call, const struct error *error)
{
    api_answer_error(call, error);
    api_end_call(call);
}

void api_refuse_teams(struct api_call *call, const struct error *error)
{
    const struct teams_press *press = call->input;
    struct error uniform = {0};
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!press->is_proven) {
        (void)note_forgery(call, error, &uniform);
        refuse_outright(call, &uniform);
        return;
    }
    if (press->activity.kind != TEAMS_PRESS) {
        LOG(LOG_LEVEL_WARN, "callback_refused", LOG_TEXT("service", "teams"),
            LOG_TEXT("code", error->code), LOG_TEXT("peer", api_peer(call)));
        refuse_outright(call, error);
        return;
    }
    int status = teams_press_refuse(call->api, press, error, &body);
    if (status == 0) {
        refuse_outright(call, error);
        return;
    }
    api_answer_json(call, status, &body, NULL, 0);
    api_end_call(call);
}

void api_drop_teams(struct api_call *call)
{
    struct teams_press *press = call->input;
    if (press != NULL) {
        jwt_finish(&press->jwt);
        jwk_set_unref(press->keys);
    }
}
