#include "formats/canonical.h"
#include "formats/json.h"
#include "notifiers/notifier.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/slack/slack_internal.h"
#include <string.h>

/* Slack's Web API: a card is posted (chat.postMessage) and from then on changed (chat.update). The
 * address of a card is the channel and `ts` that Slack answered, which need not be what was asked
 * for. Almost every answer has status 200, and says in its body whether it went well. */

void slack_call(const struct notifier_channel *channel, const char *method, const char *type,
                const struct builder *body, struct arena *arena, struct notifier_message *out)
{
    *out = (struct notifier_message){
        .url = arena_printf(arena, "%s%s", channel->url, method),
        .headers = {arena_printf(arena, "Content-Type: %s", type), "User-Agent: countersign",
                    arena_printf(arena, "Authorization: Bearer %s", channel->secret)},
        .body = arena_copy(arena, body->bytes, body->length),
        .length = body->length};
}

static bool call(const struct notifier_channel *channel, const char *method,
                 const struct builder *body, struct arena *arena, struct notifier_message *out)
{
    slack_call(channel, method, "application/json; charset=utf-8", body, arena, out);
    return true;
}

static bool read_address(const char *address, struct arena *arena, const char **out_channel,
                         const char **out_ts, struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(address, strlen(address), error);
    if (document == NULL) {
        return false;
    }
    *out_channel = arena_text(arena, json_text(json_member(json_root(document), "channel")));
    *out_ts = arena_text(arena, json_text(json_member(json_root(document), "ts")));
    return (*out_channel != NULL && *out_ts != NULL) ||
           error_set(error, ERROR_CORRUPT, "bad_address", NULL,
                     "the place of this card is not one that Slack answered");
}

/* Only in a conversation with its owner: what is told there is nobody else's business. */
static bool compose_account(const struct notifier_channel *channel,
                            const struct notifier_notice *notice, struct arena *arena,
                            struct notifier_message *out, struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct account_notice account;
    builder_init(&body, 0);
    if (notice->to == NULL || notice->place == NULL) {
        return error_set(error, ERROR_INTERNAL, "no_place", NULL, "nobody said where this goes");
    }
    if (!account_notice_read(notice->payload, strlen(notice->payload), arena, &account, error)) {
        return false;
    }
    slack_account_append(&body, &account, notice->place, arena);
    return call(channel, "chat.postMessage", &body, arena, out);
}

static bool compose(const struct notifier_channel *channel, const struct notifier_notice *notice,
                    int64_t now, struct arena *arena, struct notifier_message *out,
                    struct error *error)
{
    struct builder body BUILDER_SCOPE;
    struct card card;
    const char *place = notice->to == NULL ? notifier_option(channel, "channel") : notice->place;
    const char *ts = NULL;
    (void)now;
    if (notice->is_account) {
        return compose_account(channel, notice, arena, out, error);
    }
    builder_init(&body, 0);
    if (!card_read(notice->payload, strlen(notice->payload), arena, &card, error) ||
        (notice->address != NULL && !read_address(notice->address, arena, &place, &ts, error))) {
        return false;
    }
    if (place == NULL) {
        return error_set(error, ERROR_INTERNAL, "no_place", NULL, "nobody said where this goes");
    }
    slack_card_append(&body, &card, place, ts, arena);
    return call(channel, ts == NULL ? "chat.postMessage" : "chat.update", &body, arena, out);
}

static bool compose_word(const struct notifier_channel *channel, const struct notifier_word *word,
                         struct arena *arena, struct notifier_message *out, struct error *error)
{
    struct builder body BUILDER_SCOPE;
    (void)error;
    builder_init(&body, 0);
    builder_text(&body, word->body);
    return call(channel, word->method, &body, arena, out);
}

/* What is none of these would be refused again. */
bool slack_is_passing(const char *code)
{
    static const char *const passing[] = {
        "internal_error",  "fatal_error",         "ratelimited",      "rate_limited",
        "request_timeout", "service_unavailable", "team_added_to_org"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (strcmp(code, passing[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *address_of(const struct json *answer, struct arena *arena)
{
    const char *channel = json_text(json_member(answer, "channel"));
    const char *ts = json_text(json_member(answer, "ts"));
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    if (channel == NULL || ts == NULL || strlen(channel) > 100 || strlen(ts) > 100) {
        return NULL;
    }
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "channel", channel);
    canonical_member_text(&writer, "ts", ts);
    canonical_close_object(&writer);
    return arena_copy(arena, text.bytes, text.length);
}

static void judge_body(const struct json *answer, struct arena *arena,
                       struct notifier_judgement *out)
{
    const char *code = json_text(json_member(answer, "error"));
    if (json_type(json_member(answer, "ok")) == JSON_TYPE_TRUE) {
        out->verdict = NOTIFIER_SENT;
        out->address = address_of(answer, arena);
    } else if (code == NULL) {
        out->reason = "answered something that is not Slack's";
    } else {
        out->verdict = slack_is_passing(code) ? NOTIFIER_RETRY : NOTIFIER_DEAD;
        out->reason = arena_printf(arena, "Slack says %.80s", code);
    }
}

static void judge(const struct notifier_channel *channel, const struct notifier_notice *notice,
                  const struct notifier_reply *reply, struct arena *arena,
                  struct notifier_judgement *out)
{
    struct error ignored = {0};
    (void)channel, (void)notice;
    out->retry_after_ms = reply->retry_after_ms;
    if (reply->status < 200 || reply->status > 299) {
        out->verdict = notifier_judge_status(reply->status);
        return;
    }
    struct json_document *document JSON_SCOPE = json_parse(reply->body, reply->length, &ignored);
    judge_body(document == NULL ? NULL : json_root(document), arena, out);
}

const struct notifier slack_notifier = {.kind = "slack",
                                        .shows_cards = true,
                                        .changes_cards = true,
                                        .tells_owners = true,
                                        .decides = true,
                                        .compose = compose,
                                        .judge = judge,
                                        .compose_word = compose_word,
                                        .list_inquiries = slack_list_inquiries,
                                        .compose_inquiry = slack_compose_inquiry,
                                        .read_answer = slack_read_answer};
