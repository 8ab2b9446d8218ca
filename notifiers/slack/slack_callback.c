#include "notifiers/slack/slack_callback.h"

#include "crypto/crypto.h"
#include "formats/form.h"
#include "formats/json.h"
#include "formats/text.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/slack/slack_internal.h"
#include <string.h>

/* ---- from Slack ---- */

static bool read_seconds(const char *text, int64_t *out)
{
    size_t length = strlen(text);
    int64_t value = 0;
    if (length == 0 || length > 12 || strspn(text, "0123456789") != length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

/* Every secret is tried, whichever fits, so that time tells nothing. */
static bool is_signed(const char *timestamp, const char *signature, const char *body, size_t length,
                      const char *const *secrets, size_t secret_count)
{
    struct builder text BUILDER_SCOPE;
    bool is_good = false;
    builder_init(&text, 0);
    builder_printf(&text, "v0:%s:", timestamp);
    builder_append(&text, body, length);
    for (size_t i = 0; i < secret_count; i++) {
        struct sha256 mac =
            crypto_hmac_sha256(secrets[i], strlen(secrets[i]), text.bytes, text.length);
        struct builder hex BUILDER_SCOPE;
        builder_init(&hex, 0);
        builder_text(&hex, "v0=");
        text_append_hex(&hex, mac.bytes, sizeof mac.bytes);
        is_good =
            (strlen(signature) == hex.length && crypto_equal(signature, hex.bytes, hex.length)) ||
            is_good;
    }
    return is_good;
}

bool slack_check_signature(const char *timestamp, const char *signature, const char *body,
                           size_t length, const char *const *secrets, size_t secret_count,
                           int64_t now, struct error *error)
{
    int64_t seconds;
    if (timestamp == NULL || signature == NULL) {
        return error_set(error, ERROR_UNAUTHENTICATED, "no_signature", NULL,
                         "X-Slack-Request-Timestamp and X-Slack-Signature are missing");
    }
    if (!read_seconds(timestamp, &seconds)) {
        return error_set(error, ERROR_UNAUTHENTICATED, "bad_timestamp", NULL,
                         "X-Slack-Request-Timestamp is not a number of seconds");
    }
    int64_t skew = now - seconds * 1000;
    if (skew > SLACK_SKEW_MS || skew < -SLACK_SKEW_MS) {
        return error_set(error, ERROR_UNAUTHENTICATED, "wrong_time", NULL,
                         "this was signed more than five minutes from now");
    }
    return is_signed(timestamp, signature, body, length, secrets, secret_count) ||
           error_set(error, ERROR_UNAUTHENTICATED, "bad_signature", NULL,
                     "X-Slack-Signature is not of this body");
}

const char *slack_read_form(const char *body, size_t length, struct arena *arena,
                            struct error *error)
{
    static const char name[] = "payload=";
    size_t skipped = sizeof name - 1;
    const char *text = NULL;
    /* Exactly one field, so that no two readers see two payloads. */
    if (length > skipped && length <= SLACK_BODY_BYTES_MAX && memcmp(body, name, skipped) == 0 &&
        memchr(body, '&', length) == NULL) {
        text = form_decode(body + skipped, length - skipped, arena);
    }
    if (text == NULL) {
        error_set(error, ERROR_INVALID, "invalid_form", NULL,
                  "the body is not a form with one field `payload`");
    }
    return text;
}

/* ---- who ---- */

static bool bad_payload(struct error *error, const char *where)
{
    return error_set(error, ERROR_INVALID, "bad_payload", where, "`%s` is not what Slack sends",
                     where);
}

bool slack_is_id(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 40 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == length;
}

/* An id of Slack's; NULL for everything else. */
static const char *read_id(const struct json *value)
{
    const char *text = json_text(value);
    return text != NULL && strlen(text) == json_text_length(value) && slack_is_id(text) ? text
                                                                                        : NULL;
}

static bool is_listed(const char *id, const char *const *list, size_t count)
{
    for (size_t i = 0; id != NULL && i < count; i++) {
        if (strcmp(id, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_who(const struct json *payload, const struct slack_app *app, struct arena *arena,
                     struct callback *out, struct error *error)
{
    const struct json *user = json_member(payload, "user");
    const struct json *enterprise_object = json_member(payload, "enterprise");
    const char *id = read_id(json_member(user, "id"));
    const char *own_team = read_id(json_member(user, "team_id"));
    const char *team = read_id(json_member(json_member(payload, "team"), "id"));
    const char *enterprise = read_id(json_member(enterprise_object, "id"));
    const char *application = read_id(json_member(payload, "api_app_id"));
    if (id == NULL) {
        return bad_payload(error, "/user/id");
    }
    if (application == NULL || strcmp(application, app->app) != 0) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_app", NULL,
                         "this is of another Slack app than the one configured");
    }
    if (!is_listed(team, app->teams, app->team_count)) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_team", NULL,
                         "this Slack workspace is not among the channel's `teams`");
    }
    if (app->enterprise_count > 0 &&
        !is_listed(enterprise, app->enterprises, app->enterprise_count)) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_enterprise", NULL,
                         "this Slack organization is not among the channel's `enterprises`");
    }
    if (!is_listed(own_team, app->teams, app->team_count)) {
        return error_set(error, ERROR_FORBIDDEN, "stranger", NULL,
                         "people of another workspace decide nothing here");
    }
    out->user = arena_text(arena, id);
    const char *account =
        arena_printf(arena, "%s/%s/%s", enterprise == NULL ? "" : enterprise, own_team, id);
    memcpy(out->account, account, strlen(account) + 1);
    return true;
}

/* ---- what ---- */

/* Typed by a person; what is not plain text is not taken. NULL when there is none. */
static const char *typed(const struct json *payload, const char *block)
{
    const struct json *values =
        json_member(json_member(json_member(payload, "view"), "state"), "values");
    return json_text(json_member(json_member(json_member(values, block), block), "value"));
}

static bool read_action(const struct json *payload, struct arena *arena, struct callback *out,
                        struct error *error)
{
    const struct json *actions = json_member(payload, "actions");
    const struct json *action = json_element(actions, 0);
    const char *name = json_text(json_member(action, "action_id"));
    if (json_count(actions) != 1 || name == NULL) {
        return bad_payload(error, "/actions");
    }
    bool is_approve = strcmp(name, SLACK_APPROVE) == 0;
    if (!is_approve && strcmp(name, SLACK_DENY) != 0) {
        out->what = CALLBACK_IGNORED; /* the link to the dashboard tells us too */
        return true;
    }
    if (!callback_read_value(json_text(json_member(action, "value")), arena, out, error)) {
        return false;
    }
    out->what = is_approve ? CALLBACK_APPROVE : CALLBACK_ASK_REASON;
    return true;
}

/* `<value> <place>`, as the modal was opened with: a submission itself names no message. */
static bool read_metadata(const struct json *payload, struct arena *arena, struct callback *out,
                          struct error *error)
{
    const char *text = json_text(json_member(json_member(payload, "view"), "private_metadata"));
    const char *blank = text == NULL ? NULL : strchr(text, ' ');
    if (blank == NULL || !slack_is_id(blank + 1)) {
        return bad_payload(error, "/view/private_metadata");
    }
    out->place = arena_text(arena, blank + 1);
    return callback_read_value(arena_copy(arena, text, (size_t)(blank - text)), arena, out, error);
}

static bool read_deny(const struct json *payload, struct arena *arena, struct callback *out,
                      struct error *error)
{
    const char *reason = typed(payload, "reason");
    if (reason != NULL &&
        (strlen(reason) > CALLBACK_REASON_BYTES_MAX || !callback_is_plain(reason))) {
        return bad_payload(error, "/view/state/values/reason");
    }
    if (!read_metadata(payload, arena, out, error)) {
        return false;
    }
    out->what = CALLBACK_DENY;
    out->reason = reason == NULL || reason[0] == '\0' ? NULL : arena_text(arena, reason);
    return true;
}

static bool read_link(const struct json *payload, struct arena *arena, struct callback *out,
                      struct error *error)
{
    const char *code = typed(payload, "code");
    if (code == NULL || strlen(code) > CALLBACK_CODE_BYTES_MAX || !callback_is_plain(code)) {
        return bad_payload(error, "/view/state/values/code");
    }
    out->what = CALLBACK_LINK;
    out->code = arena_text(arena, code);
    return true;
}

static bool read_submission(const struct json *payload, struct arena *arena, struct callback *out,
                            struct error *error)
{
    const char *name = json_text(json_member(json_member(payload, "view"), "callback_id"));
    if (name == NULL) {
        return bad_payload(error, "/view/callback_id");
    }
    if (strcmp(name, SLACK_DENY) == 0) {
        return read_deny(payload, arena, out, error);
    }
    if (strcmp(name, SLACK_LINK) == 0) {
        return read_link(payload, arena, out, error);
    }
    return bad_payload(error, "/view/callback_id");
}

static bool read_what(const struct json *payload, struct arena *arena, struct callback *out,
                      struct error *error)
{
    const char *type = json_text(json_member(payload, "type"));
    const char *name = json_text(json_member(payload, "callback_id"));
    if (type == NULL) {
        return bad_payload(error, "/type");
    }
    if (strcmp(type, "block_actions") == 0) {
        return read_action(payload, arena, out, error);
    }
    if (strcmp(type, "view_submission") == 0) {
        return read_submission(payload, arena, out, error);
    }
    bool is_shortcut = strcmp(type, "shortcut") == 0 || strcmp(type, "message_action") == 0;
    out->what = is_shortcut && name != NULL && strcmp(name, SLACK_LINK) == 0 ? CALLBACK_ASK_CODE
                                                                             : CALLBACK_IGNORED;
    return true;
}

/* A decision comes from where the channel's cards stand, and from nowhere else. */
static bool check_place(const struct callback *callback, const struct slack_app *app,
                        struct error *error)
{
    const char *place = callback->place;
    if (callback->what != CALLBACK_APPROVE && callback->what != CALLBACK_ASK_REASON &&
        callback->what != CALLBACK_DENY) {
        return true;
    }
    bool is_there =
        place != NULL && (app->place != NULL ? strcmp(place, app->place) == 0 : place[0] == 'D');
    return is_there || error_set(error, ERROR_FORBIDDEN, "wrong_place", NULL,
                                 "this was pressed elsewhere than where the channel's cards stand");
}

bool slack_read_payload(const char *payload, size_t length, const struct slack_app *app,
                        struct arena *arena, struct callback *out, struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(payload, length, error);
    struct callback callback = {0};
    if (document == NULL) {
        return false;
    }
    const struct json *root = json_root(document);
    if (json_type(root) != JSON_TYPE_OBJECT) {
        return bad_payload(error, "/");
    }
    const char *trigger = json_text(json_member(root, "trigger_id"));
    const char *place = read_id(json_member(json_member(root, "container"), "channel_id"));
    if (!read_who(root, app, arena, &callback, error) ||
        !read_what(root, arena, &callback, error)) {
        return false;
    }
    callback.place = callback.place != NULL ? callback.place : arena_text(arena, place);
    if (!check_place(&callback, app, error)) {
        return false;
    }
    callback.trigger = trigger == NULL || strlen(trigger) > 200 ? NULL : arena_text(arena, trigger);
    *out = callback;
    return true;
}
