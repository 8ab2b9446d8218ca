#include "formats/form.h"
#include "formats/json.h"
#include "formats/text.h"
#include "notifiers/notifier.h"
#include "notifiers/teams/teams_address.h"
#include "notifiers/teams/teams_card.h"
#include "notifiers/teams/teams_member.h"
#include "notifiers/teams/teams_place.h"
#include <string.h>

/*
 * A single-tenant bot in Teams, by the Bot Connector's REST interface: a card is posted to its
 * conversation and from then on changed where it stands (PUT). The token comes from Entra by the
 * application's client credentials (RFC 6749 section 4.4) and leaves for no host that
 * teams_may_serve does not name.
 */

#define SCOPE "https://api.botframework.com/.default"

enum { ACTIVITY_BYTES_MAX = 300, TOKEN_BYTES_MAX = 16 * 1024, SAID_BYTES = 160 };

static bool may_go(const struct notifier_channel *channel, const char *service, struct error *error)
{
    return teams_may_serve(service, channel->url) ||
           error_set(error, ERROR_FORBIDDEN, "service_not_allowed", NULL,
                     "the bot's token does not go to `%.200s`: it is no host of Microsoft's bot "
                     "connectors and not the channel's `service_url`",
                     service);
}

static bool read_standing(const char *address, struct arena *arena, struct teams_address *out,
                          struct error *error)
{
    return teams_address_read(address, arena, out, error) &&
           (out->activity != NULL ||
            error_set(error, ERROR_CORRUPT, "bad_address", NULL,
                      "the place of this card is not one that Teams answered"));
}

static bool find_standing(const struct notifier_channel *channel,
                          const struct notifier_notice *notice, struct arena *arena,
                          struct teams_address *out, struct error *error)
{
    *out = (struct teams_address){.service = notice->to != NULL ? notice->to : channel->url,
                                  .conversation = notifier_option(channel, "conversation")};
    return (notice->address == NULL || read_standing(notice->address, arena, out, error)) &&
           may_go(channel, out->service, error);
}

static void set_message(const struct teams_address *address, const struct builder *body,
                        const char *token, struct arena *arena, struct notifier_message *out)
{
    *out = (struct notifier_message){
        .url = teams_address_url(address, arena),
        .headers = {"Content-Type: application/json; charset=utf-8", "User-Agent: countersign",
                    arena_printf(arena, "Authorization: Bearer %s", token)},
        .body = arena_copy(arena, body->bytes, body->length),
        .length = body->length};
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct card card;
    struct teams_address standing;
    (void)now;
    builder_init(&body, 0);
    if (!card_read(notice->payload, strlen(notice->payload), arena, &card, error) ||
        !find_standing(channel, notice, arena, &standing, error)) {
        return false;
    }
    teams_message_append(&body, &card, true, arena);
    set_message(&standing, &body, notice->token, arena, out);
    out->is_put = standing.activity != NULL;
    return true;
}

/* What whoever wrote to the bot is answered, where they wrote. */
static bool compose_word(const struct notifier_channel *channel, const struct notifier_word *word,
                         struct arena *arena, struct notifier_message *out, struct error *error)
{
    struct teams_address place;
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (!teams_address_read(word->place, arena, &place, error) ||
        !may_go(channel, place.service, error)) {
        return false;
    }
    builder_text(&body, word->body);
    set_message(&place, &body, word->token, arena, out);
    return true;
}

/* ---- the token ---- */

static bool compose_token(const struct notifier_channel *channel, int64_t now, struct arena *arena,
                          struct notifier_message *out, struct error *error)
{
    (void)now, (void)error;
    const char *body =
        arena_printf(arena, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s",
                     form_encode(notifier_option(channel, "app_id"), arena),
                     form_encode(channel->secret, arena), form_encode(SCOPE, arena));
    *out = (struct notifier_message){
        .url = arena_printf(arena, "%s%s/oauth2/v2.0/token", notifier_option(channel, "login_url"),
                            notifier_option(channel, "tenant_id")),
        .headers = {"Content-Type: application/x-www-form-urlencoded", "User-Agent: countersign",
                    "Accept: application/json"},
        .body = body,
        .length = strlen(body)};
    return true;
}

/* The first line of what was said, made visible: Entra puts trace ids behind. */
static const char *first_line(const char *text, struct arena *arena)
{
    struct builder shown BUILDER_SCOPE;
    size_t length = text_cut(text, SAID_BYTES);
    size_t line = strcspn(text, "\r\n");
    builder_init(&shown, 0);
    text_append_visible(&shown, text, line < length ? line : length);
    return arena_copy(arena, shown.bytes, shown.length);
}

static bool no_token(const struct notifier_reply *reply, const struct json *answer,
                     struct arena *arena, struct error *error)
{
    const char *code = json_text(json_member(answer, "error"));
    const char *text = json_text(json_member(answer, "error_description"));
    return error_set(error, ERROR_UNAUTHENTICATED, "no_token", NULL,
                     "the login server gives no token (%ld): %s", reply->status,
                     text != NULL   ? first_line(text, arena)
                     : code != NULL ? first_line(code, arena)
                                    : "it does not say why");
}

/* It goes into a header: the characters of RFC 6750's b64token and no others. */
static bool is_token(const char *token)
{
    size_t length = token == NULL ? 0 : strlen(token);
    return length > 0 && length <= TOKEN_BYTES_MAX &&
           strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") ==
               length;
}

static bool read_token(const struct notifier_reply *reply, struct arena *arena,
                       const char **out_token, int64_t *out_lifetime_ms, struct error *error)
{
    struct error ignored = {0};
    int64_t seconds = 0;
    struct json_document *document JSON_SCOPE = json_parse(reply->body, reply->length, &ignored);
    const struct json *answer = document == NULL ? NULL : json_root(document);
    const char *token = json_text(json_member(answer, "access_token"));
    if (reply->status != 200 || !is_token(token) ||
        !json_integer(json_member(answer, "expires_in"), &seconds) || seconds <= 0) {
        return no_token(reply, answer, arena, error);
    }
    *out_token = arena_text(arena, token);
    *out_lifetime_ms = seconds > 24 * 3600 ? 24 * 3600 * 1000 : seconds * 1000;
    return true;
}

/* ---- what was answered ---- */

/* The address of a card that was posted is the id that came back. */
static void judge_posted(const struct notifier_channel *channel,
                         const struct notifier_notice *notice, const struct json *answer,
                         struct arena *arena, struct notifier_judgement *out)
{
    struct teams_address standing;
    struct error ignored = {0};
    const char *id = json_text(json_member(answer, "id"));
    if (id == NULL || id[0] == '\0' || strlen(id) > ACTIVITY_BYTES_MAX ||
        !find_standing(channel, notice, arena, &standing, &ignored)) {
        out->reason = "answered something that is not the Bot Connector's";
        return;
    }
    out->verdict = NOTIFIER_SENT;
    standing.activity = id;
    out->address = teams_address_write(&standing, arena);
}

static const char *reason_of(const struct json *answer, struct arena *arena)
{
    const struct json *said = json_member(answer, "error");
    const char *code = json_text(json_member(said, "code"));
    const char *text = json_text(json_member(said, "message"));
    return code == NULL ? NULL
                        : arena_printf(arena, "Teams says %s%s%s", first_line(code, arena),
                                       text == NULL ? "" : ": ",
                                       text == NULL ? "" : first_line(text, arena));
}

static void judge(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE = json_parse(reply->body, reply->length, &ignored);
    const struct json *answer = document == NULL ? NULL : json_root(document);
    out->retry_after_ms = reply->retry_after_ms;
    out->verdict = reply->status == 401 ? NOTIFIER_BAD_TOKEN : notifier_judge_status(reply->status);
    if (out->verdict != NOTIFIER_SENT) {
        out->reason = reason_of(answer, arena);
    } else if (notice->address == NULL && (reply->status != 202 || reply->length > 0)) {
        /* An empty 202 has been seen instead of an id: the card stands, and cannot be changed. */
        out->verdict = NOTIFIER_RETRY;
        judge_posted(channel, notice, answer, arena, out);
    }
}

const struct notifier teams_bot_notifier = {.kind = "teams-bot",
                                            .shows_cards = true,
                                            .changes_cards = true,
                                            .decides = true,
                                            .compose = compose,
                                            .judge = judge,
                                            .compose_token = compose_token,
                                            .read_token = read_token,
                                            .compose_word = compose_word,
                                            .compose_inquiry = teams_compose_inquiry,
                                            .read_answer = teams_read_answer};
