#include "formats/canonical.h"
#include "formats/form.h"
#include "formats/json.h"
#include "formats/text.h"
#include "notifiers/notifier.h"
#include "notifiers/teams/teams_card.h"
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

/* Where a card stands, or is to. */
struct standing {
    const char *service;
    const char *conversation;
    const char *activity; /* NULL: it is new */
};

static bool read_address(const char *address, struct arena *arena, struct standing *out,
                         struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(address, strlen(address), error);
    if (document == NULL) {
        return false;
    }
    const struct json *root = json_root(document);
    out->activity = arena_text(arena, json_text(json_member(root, "activity")));
    out->conversation = arena_text(arena, json_text(json_member(root, "conversation")));
    out->service = arena_text(arena, json_text(json_member(root, "service")));
    return (out->activity != NULL && out->conversation != NULL && out->service != NULL) ||
           error_set(error, ERROR_CORRUPT, "bad_address", NULL,
                     "the place of this card is not one that Teams answered");
}

static bool find_standing(const struct notifier_channel *channel,
                          const struct notifier_notice *notice, struct arena *arena,
                          struct standing *out, struct error *error)
{
    *out = (struct standing){.service = notice->to != NULL ? notice->to : channel->url,
                             .conversation = notifier_option(channel, "conversation")};
    return (notice->address == NULL || read_address(notice->address, arena, out, error)) &&
           (teams_may_serve(out->service, channel->url) ||
            error_set(error, ERROR_FORBIDDEN, "service_not_allowed", NULL,
                      "the bot's token does not go to `%.200s`: it is no host of Microsoft's bot "
                      "connectors and not the channel's `service_url`",
                      out->service));
}

static const char *url_of(const struct standing *standing, struct arena *arena)
{
    const char *slash = standing->service[strlen(standing->service) - 1] == '/' ? "" : "/";
    const char *url = arena_printf(arena, "%s%sv3/conversations/%s/activities", standing->service,
                                   slash, form_encode(standing->conversation, arena));
    return standing->activity == NULL
               ? url
               : arena_printf(arena, "%s/%s", url, form_encode(standing->activity, arena));
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct card card;
    struct standing standing;
    (void)now;
    builder_init(&body, 0);
    if (!card_read(notice->payload, strlen(notice->payload), arena, &card, error) ||
        !find_standing(channel, notice, arena, &standing, error)) {
        return false;
    }
    teams_message_append(&body, &card, true, arena);
    *out = (struct notifier_message){
        .url = url_of(&standing, arena),
        .headers = {"Content-Type: application/json; charset=utf-8", "User-Agent: countersign",
                    arena_printf(arena, "Authorization: Bearer %s", notice->token)},
        .body = arena_copy(arena, body.bytes, body.length),
        .length = body.length,
        .is_put = standing.activity != NULL};
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

static const char *address_of(const struct standing *standing, const char *activity,
                              struct arena *arena)
{
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "activity", activity);
    canonical_member_text(&writer, "conversation", standing->conversation);
    canonical_member_text(&writer, "service", standing->service);
    canonical_close_object(&writer);
    return arena_copy(arena, text.bytes, text.length);
}

/* The address of a card that was posted is the id that came back. */
static void judge_posted(const struct notifier_channel *channel,
                         const struct notifier_notice *notice, const struct json *answer,
                         struct arena *arena, struct notifier_judgement *out)
{
    struct standing standing;
    struct error ignored = {0};
    const char *id = json_text(json_member(answer, "id"));
    if (id == NULL || id[0] == '\0' || strlen(id) > ACTIVITY_BYTES_MAX ||
        !find_standing(channel, notice, arena, &standing, &ignored)) {
        out->reason = "answered something that is not the Bot Connector's";
        return;
    }
    out->verdict = NOTIFIER_SENT;
    out->address = address_of(&standing, id, arena);
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
                                            .read_token = read_token};
