#include "formats/canonical.h"
#include "formats/text.h"
#include "operations/notice_internal.h"
#include "store/comment_rows.h"
#include <string.h>

/*
 * What a card says, from the request as it is when the notice leaves. Votes never show before the
 * end, whatever the risk: a card in a channel is read by everyone in it, also by who has yet to
 * vote.
 */

enum { NONCE_KEY_BYTES = 20 }; /* 27 characters of base64url */

const char *card_nonce(struct operation *operation, const struct request_row *request,
                       const char *channel, const char *recipient)
{
    struct builder text BUILDER_SCOPE;
    struct builder nonce BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_init(&nonce, 0);
    builder_printf(&text, "card\n%s\n%s\n%s\n%s\n%d\n%s", request->tenant, request->id, channel,
                   recipient, request->revision, operation_hex(operation, &request->digest));
    struct sha256 mac =
        secret_hmac(operation->operations->options.match_secret, text.bytes, text.length);
    text_append_base64url(&nonce, mac.bytes, NONCE_KEY_BYTES);
    return arena_copy(operation->arena, nonce.bytes, nonce.length);
}

/* All that goes on one card. */
struct contents {
    const struct request_row *request;
    enum card_moment moment;
    const char *nonce; /* "" when nothing can be decided on it */
    bool decides;      /* an approval by chat could count; a denial always can */
    const char *why_not;
    const char *arguments; /* canonical; NULL once erased */
    size_t arguments_length;
    const char *whole; /* the arguments and all else that would run; the same when that is all */
    const char **asked;
    size_t asked_count;
    const char *decided_by[CARD_NAMES_MAX];
    size_t decided_count;
    struct comment_row question, answer; /* text NULL when none */
};

/* ---- what a decision here could be worth ---- */

static const char *needed_text(enum assurance needed)
{
    return needed == ASSURANCE_PASSKEY
               ? "This needs a passkey: open the request to decide."
               : "This needs somebody signed in: open the request to decide.";
}

/* An approval by chat must be able to count for everyone who reads the card and may give one. */
static void judge_buttons(struct operation *operation, const struct operations_channel *channel,
                          const struct approvals_case *facts, const char *recipient,
                          struct contents *out)
{
    enum assurance needed = ASSURANCE_NONE;
    if (out->request->state != REQUEST_PENDING) {
        return;
    }
    if (!channel->notifier->decides) {
        out->why_not = "Nothing can be decided here: open the request.";
        return;
    }
    for (size_t i = 0; i < facts->requirement_count; i++) {
        size_t count;
        const struct policy_requirement *requirement = &facts->requirements[i];
        const char **groups = approvals_groups_asked(requirement, facts->asked_at, facts->now,
                                                     operation->arena, &count);
        if (channel_serves(channel, groups, count) && requirement->assurance > needed) {
            needed = requirement->assurance;
        }
    }
    out->nonce = card_nonce(operation, out->request, channel->name, recipient);
    out->decides = needed == ASSURANCE_CHAT;
    if (!out->decides) {
        out->why_not = needed_text(needed);
    }
}

/* ---- who decided ---- */

static void list_deciders(const struct request_case *loaded, struct contents *out)
{
    bool is_approved = out->request->state == REQUEST_APPROVED;
    if (out->request->state != REQUEST_APPROVED && out->request->state != REQUEST_DENIED) {
        return;
    }
    for (size_t i = 0; i < loaded->vote_count && out->decided_count < CARD_NAMES_MAX; i++) {
        const struct vote_row *vote = &loaded->votes[i];
        if (vote->approves == is_approved && current_vote_of(loaded, vote->person) == vote) {
            out->decided_by[out->decided_count++] = vote->person_name;
        }
    }
}

/* ---- what was asked of the agent ---- */

static bool load_question(struct operation *operation, struct contents *out, struct error *error)
{
    struct comment_row *comments;
    size_t count;
    const struct request_row *request = out->request;
    if (request->question_count == 0) {
        return true;
    }
    if (!store_list_comments(operation->store, request->tenant, request->id, operation->arena,
                             &comments, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strncmp(comments[i].author, "per_", 4) == 0) {
            out->question = comments[i];
            out->answer = (struct comment_row){0};
        } else {
            out->answer = comments[i];
        }
    }
    return true;
}

/* ---- writing it ---- */

static void write_time(struct canonical_writer *writer, const char *name, int64_t wall_ms)
{
    char text[TIME_TEXT_BYTES];
    if (wall_ms != 0) {
        text_write_time(wall_ms, text);
        canonical_member_text(writer, name, text);
    }
}

static void write_names(struct canonical_writer *writer, const char *name, const char **names,
                        size_t count)
{
    canonical_name(writer, name);
    canonical_open_array(writer);
    for (size_t i = 0; i < count && i < CARD_NAMES_MAX; i++) {
        canonical_string(writer, names[i]);
    }
    canonical_close_array(writer);
}

static void write_fact(struct canonical_writer *writer, const char *name, const struct json *value)
{
    struct builder text BUILDER_SCOPE;
    struct builder literal BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_init(&literal, 0);
    if (json_type_of(value) == JSON_TYPE_STRING) {
        builder_append(&text, json_text(value), json_text_length(value));
    } else {
        canonical_append(&text, value);
    }
    canonical_append_string(&literal, text.bytes, text.length); /* it may hold a NUL */
    canonical_open_object(writer);
    canonical_member_text(writer, "name", name);
    canonical_member_raw(writer, "value", literal.bytes, literal.length);
    canonical_close_object(writer);
}

/* The arguments that the tool's description says to show first, as texts. */
static void write_show(struct canonical_writer *writer, const struct contents *contents)
{
    const char *show = contents->request->show;
    struct error ignored = {0};
    struct json_document *names JSON_SCOPE =
        show == NULL ? NULL : json_parse(show, strlen(show), &ignored);
    struct json_document *arguments JSON_SCOPE =
        contents->arguments == NULL
            ? NULL
            : json_parse(contents->arguments, contents->arguments_length, &ignored);
    if (names == NULL || arguments == NULL) {
        return;
    }
    canonical_name(writer, "show");
    canonical_open_array(writer);
    for (size_t i = 0; i < json_count(json_root(names)) && i < CARD_FACTS_MAX; i++) {
        const char *name = json_text(json_element(json_root(names), i));
        const struct json *value = name == NULL ? NULL : json_member(json_root(arguments), name);
        if (value != NULL) {
            write_fact(writer, name, value);
        }
    }
    canonical_close_array(writer);
}

static void write_card(struct operation *operation, struct canonical_writer *writer,
                       const struct contents *contents)
{
    const struct request_row *request = contents->request;
    canonical_open_object(writer);
    canonical_member_text(writer, "action", request->action_name);
    canonical_member_text(writer, "agent", request->agent_name);
    canonical_member_text(writer, "answer", contents->answer.text);
    canonical_member_text(writer, "arguments", contents->whole);
    write_names(writer, "asked", contents->asked, contents->asked_count);
    canonical_member_text(writer, "asked_by",
                          contents->question.text == NULL ? NULL : contents->question.author_name);
    write_time(writer, "created_at", request->created_at);
    write_names(writer, "decided_by", (const char **)contents->decided_by, contents->decided_count);
    canonical_member_bool(writer, "decides", contents->decides);
    canonical_member_text(writer, "digest", operation_hex(operation, &request->digest));
    write_time(writer, "ended_at", request->ended_at);
    canonical_member_text(writer, "link",
                          arena_printf(operation->arena, "%s/requests/%s",
                                       operation->operations->options.issuer, request->id));
    canonical_member_text(writer, "message", request->message);
    canonical_member_text(writer, "moment", card_moment_name(contents->moment));
    canonical_member_text(writer, "nonce", contents->nonce);
    canonical_member_text(writer, "question", contents->question.text);
    canonical_member_text(writer, "reason",
                          request->reason == REASON_NONE ? NULL
                                                         : request_reason_name(request->reason));
    canonical_member_text(writer, "request", request->id);
    canonical_member_text(writer, "resource", request->resource_key);
    canonical_member_integer(writer, "revision", request->revision);
    canonical_member_text(writer, "risk", policy_risk_name((enum policy_risk)request->risk));
    write_show(writer, contents);
    canonical_member_text(writer, "state", request_state_name(request->state));
    canonical_member_text(writer, "subject", request->subject_key);
    write_time(writer, "timeout_at", request->state == REQUEST_PENDING ? request->timeout_at : 0);
    canonical_member_text(writer, "why", request->why);
    canonical_member_text(writer, "why_not", contents->why_not);
    canonical_close_object(writer);
}

static const char *const action_names[] = {"name", NULL};
static const char *const entity_names[] = {"id", "type", NULL};

/* How many members there are beside these. */
static size_t count_beside(const struct json *object, const char *const *names)
{
    size_t count = json_count(object);
    for (; *names != NULL; names++) {
        count -= json_member(object, *names) == NULL ? 0 : 1;
    }
    return count;
}

static void member_beside(struct canonical_writer *writer, const char *name,
                          const struct json *object, const char *const *names)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    if (count_beside(object, names) > 0) {
        canonical_append_without(&text, object, names);
        canonical_member_raw(writer, name, text.bytes, text.length);
    }
}

/* The arguments, where they are all that the request binds beside the names that stand above them;
 * else everything it binds: whoever approves has seen it. */
static const char *everything(struct operation *operation, const struct contents *contents,
                              const struct json *action)
{
    static const char *const shown[] = {"name", "properties", NULL};
    static const char *const args[] = {"args", NULL};
    const struct request_row *request = contents->request;
    struct error ignored = {0};
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    struct json_document *resource JSON_SCOPE =
        json_parse(request->resource, strlen(request->resource), &ignored);
    struct json_document *subject JSON_SCOPE =
        json_parse(request->subject, strlen(request->subject), &ignored);
    size_t more = count_beside(action, shown) +
                  count_beside(json_member(action, "properties"), args) +
                  count_beside(json_root(resource), entity_names) +
                  count_beside(json_root(subject), entity_names);
    if (more == 0) {
        return contents->arguments;
    }
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    member_beside(&writer, "action", action, action_names);
    member_beside(&writer, "resource", json_root(resource), entity_names);
    member_beside(&writer, "subject", json_root(subject), entity_names);
    canonical_close_object(&writer);
    return arena_copy(operation->arena, text.bytes, text.length);
}

static void take_arguments(struct operation *operation, struct contents *out)
{
    struct builder text BUILDER_SCOPE;
    struct error ignored = {0};
    const char *action = out->request->action;
    struct json_document *document JSON_SCOPE =
        action == NULL ? NULL : json_parse(action, strlen(action), &ignored);
    builder_init(&text, 0);
    if (document == NULL) {
        return;
    }
    const struct json *arguments =
        json_member(json_member(json_root(document), "properties"), "args");
    if (arguments == NULL) {
        builder_text(&text, "{}");
    } else {
        canonical_append(&text, arguments);
    }
    out->arguments = arena_copy(operation->arena, text.bytes, text.length);
    out->arguments_length = text.length;
    out->whole = everything(operation, out, json_root(document));
}

bool compose_card(struct operation *operation, const struct operations_channel *channel,
                  const struct request_row *request, const struct card_reader *reader,
                  enum card_moment moment, const char **out, struct error *error)
{
    struct request_row settled = *request;
    struct request_case loaded;
    bool is_frozen;
    struct contents contents = {.request = &settled, .moment = moment, .nonce = ""};
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    if (!settle_request(operation, &settled, &is_frozen, error) ||
        !load_request_case(operation, &settled, NULL, &loaded, error) ||
        (!reader->is_stranger && !load_question(operation, &contents, error))) {
        return false;
    }
    list_asked_groups(operation, &loaded.facts, &contents.asked, &contents.asked_count);
    list_deciders(&loaded, &contents);
    if (!reader->is_stranger) {
        judge_buttons(operation, channel, &loaded.facts, reader->recipient, &contents);
        contents.nonce = reader->is_bare ? "" : contents.nonce;
        take_arguments(operation, &contents);
    }
    canonical_begin(&writer, &text);
    write_card(operation, &writer, &contents);
    *out = arena_copy(operation->arena, text.bytes, text.length);
    return true;
}

const char *compose_test_card(struct operation *operation)
{
    char now[TIME_TEXT_BYTES];
    text_write_time(operation->now, now);
    return arena_printf(
        operation->arena,
        "{\"action\":\"test\",\"agent\":\"nobody\",\"arguments\":\"{\\\"this\\\":\\\"is only a "
        "test\\\"}\",\"created_at\":\"%s\",\"decides\":false,\"digest\":\"%064d\",\"link\":\"%s/\","
        "\"moment\":\"test\",\"nonce\":\"\",\"request\":\"test\",\"resource\":\"test/channel\","
        "\"revision\":1,\"risk\":\"low\",\"state\":\"pending\",\"subject\":\"user/nobody\","
        "\"why_not\":\"This is only a test: there is nothing to decide.\"}",
        now, 0, operation->operations->options.issuer);
}
