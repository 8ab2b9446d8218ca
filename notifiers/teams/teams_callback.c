#include "notifiers/teams/teams_callback.h"

#include "formats/json.h"
#include <stdio.h>
#include <string.h>

static bool bad_payload(struct error *error, const char *where)
{
    return error_set(error, ERROR_INVALID, "bad_payload", where,
                     "`%s` is not what the Bot Framework sends", where);
}

/* ---- pieces ---- */

bool teams_read_guid(const char *text, char out[TEAMS_GUID_BYTES])
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (length != TEAMS_GUID_BYTES - 1) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        char letter = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (is_dash ? letter != '-' : strchr("0123456789abcdef", letter) == NULL) {
            return false;
        }
        out[i] = letter;
    }
    out[length] = '\0';
    return true;
}

/* A text without NULs; NULL for everything else. */
static const char *text_of(const struct json *object, const char *name)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    return text != NULL && strlen(text) == json_text_length(value) ? text : NULL;
}

/* An id of Teams': visible ASCII that needs no escape in JSON. NULL for everything else. */
static const char *read_id(const struct json *object, const char *name, struct arena *arena)
{
    const char *text = text_of(object, name);
    size_t length = text == NULL ? 0 : strlen(text);
    if (length == 0 || length > TEAMS_ID_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr("\"\\<>^`{|}", text[i]) != NULL) {
            return NULL;
        }
    }
    return arena_copy(arena, text, length);
}

/* ---- whose ---- */

static bool is_tenant(const struct json *object, const char *name, const struct teams_bot *bot)
{
    char tenant[TEAMS_GUID_BYTES];
    return teams_read_guid(text_of(object, name), tenant) && strcmp(tenant, bot->tenant_id) == 0;
}

/* It stands in two places: the first must be there, and neither may be another. */
static bool judge_tenant(const struct json *root, const struct teams_bot *bot, struct error *error)
{
    const struct json *conversation = json_member(root, "conversation");
    const struct json *tenant = json_member(json_member(root, "channelData"), "tenant");
    bool is_ours = is_tenant(tenant, "id", bot) && (json_member(conversation, "tenantId") == NULL ||
                                                    is_tenant(conversation, "tenantId", bot));
    return is_ours ||
           error_set(error, ERROR_FORBIDDEN, "wrong_tenant", NULL,
                     "this is of another Entra tenant than the channel's `bot.tenant_id`");
}

static bool read_place(const struct json *root, const struct teams_bot *bot, struct arena *arena,
                       struct teams_activity *out, struct error *error)
{
    const char *service = text_of(root, "serviceUrl");
    if (service == NULL || !teams_may_serve(service, bot->service_url)) {
        return error_set(error, ERROR_FORBIDDEN, "service_not_allowed", NULL,
                         "`serviceUrl` is no host of Microsoft's bot connectors and not the "
                         "channel's `service_url`");
    }
    out->service_url = arena_text(arena, service);
    out->conversation = read_id(json_member(root, "conversation"), "id", arena);
    if (out->conversation != NULL) {
        out->place = arena_copy(arena, out->conversation, strcspn(out->conversation, ";"));
    }
    return out->conversation != NULL || bad_payload(error, "/conversation/id");
}

static void read_from(const struct json *root, struct arena *arena, struct teams_activity *out)
{
    char object[TEAMS_GUID_BYTES];
    const struct json *from = json_member(root, "from");
    out->user = read_id(from, "id", arena);
    if (teams_read_guid(text_of(from, "aadObjectId"), object)) {
        out->object = arena_text(arena, object);
    }
}

/* Where a member says something of whoever acts, it must be one of these; NULL says nothing. */
static bool is_one_of(const struct json *from, const char *name, const char *one, const char *other)
{
    const char *text = text_of(from, name);
    return json_member(from, name) == NULL ||
           (text != NULL && (strcmp(text, one) == 0 || strcmp(text, other) == 0));
}

static bool is_member(const struct json *from, const struct teams_bot *bot,
                      const struct teams_activity *activity)
{
    return activity->object != NULL && activity->user != NULL &&
           is_one_of(from, "userRole", "user", "owner") &&
           is_one_of(from, "role", "user", "user") &&
           (json_member(from, "tenantId") == NULL || is_tenant(from, "tenantId", bot));
}

static void set_account(const struct teams_bot *bot, struct teams_activity *out)
{
    snprintf(out->callback.account, sizeof out->callback.account, "%s/%s", bot->tenant_id,
             out->object);
    out->callback.user = out->user;
    out->callback.place = out->place;
}

/* ---- what was pressed ---- */

/* As its member says, with line ends of any sort as line feeds. NULL when there is none. */
static bool read_typed(const struct json *data, const char *name, size_t bytes_max,
                       struct arena *arena, const char **out)
{
    const struct json *value = json_member(data, name);
    const char *text = text_of(data, name);
    char *copy = text == NULL ? NULL : arena_text(arena, text);
    char *end = copy;
    *out = NULL;
    if (copy == NULL) {
        return value == NULL;
    }
    for (const char *byte = text; *byte != '\0'; byte++) {
        if (byte[0] != '\r' || byte[1] != '\n') {
            *end++ = byte[0] == '\r' ? '\n' : byte[0];
        }
    }
    *end = '\0';
    *out = copy[0] == '\0' ? NULL : copy;
    return strlen(copy) <= bytes_max && callback_is_plain(copy);
}

/* Which card: as Slack's buttons have it in one text. */
static bool read_card(const struct json *data, struct arena *arena, struct callback *out,
                      struct error *error)
{
    const char *request = text_of(data, "r");
    const char *nonce = text_of(data, "n");
    const char *value =
        request == NULL || nonce == NULL ? NULL : arena_printf(arena, "v1.%s.%s", request, nonce);
    return callback_read_value(value, arena, out, error);
}

static bool read_link(const struct json *data, struct arena *arena, struct callback *out,
                      struct error *error)
{
    const char *code = NULL;
    struct callback card = {0};
    struct error ignored = {0};
    if (!read_typed(data, "code", CALLBACK_CODE_BYTES_MAX, arena, &code)) {
        return bad_payload(error, "/value/action/data/code");
    }
    out->what = CALLBACK_LINK;
    out->code = code == NULL ? "" : code;
    if (read_card(data, arena, &card, &ignored)) { /* the card that the form took the place of */
        out->request = card.request;
        out->nonce = card.nonce;
    }
    return true;
}

static bool read_execute(const struct json *action, struct arena *arena, struct teams_activity *out,
                         struct error *error)
{
    const char *verb = text_of(action, "verb");
    const struct json *data = json_member(action, "data");
    struct callback *callback = &out->callback;
    if (verb == NULL) {
        return bad_payload(error, "/value/action/verb");
    }
    out->kind = TEAMS_PRESS;
    if (strcmp(verb, TEAMS_LINK) == 0) {
        return read_link(data, arena, callback, error);
    }
    bool is_deny = strcmp(verb, TEAMS_DENY) == 0;
    if (!is_deny && strcmp(verb, TEAMS_APPROVE) != 0) {
        out->kind = TEAMS_ODD_PRESS;
        return true;
    }
    callback->what = is_deny ? CALLBACK_DENY : CALLBACK_APPROVE;
    if (is_deny &&
        !read_typed(data, "reason", CALLBACK_REASON_BYTES_MAX, arena, &callback->reason)) {
        return bad_payload(error, "/value/action/data/reason");
    }
    return read_card(data, arena, callback, error);
}

/* Teams asks for a card anew by itself (`automatic`): that is nobody's decision. */
static bool read_invoke(const struct json *root, const struct teams_bot *bot, struct arena *arena,
                        struct teams_activity *out, struct error *error)
{
    const char *name = text_of(root, "name");
    const struct json *value = json_member(root, "value");
    const struct json *action = json_member(value, "action");
    const char *type = text_of(action, "type");
    const char *trigger = text_of(value, "trigger");
    bool is_pressed = json_member(value, "trigger") == NULL ||
                      (trigger != NULL && strcmp(trigger, "manual") == 0);
    if (out->id == NULL) {
        return bad_payload(error, "/id"); /* without it nobody knows it again */
    }
    if (!is_member(json_member(root, "from"), bot, out)) {
        out->kind = TEAMS_STRANGER;
        return true;
    }
    set_account(bot, out);
    if (name == NULL || strcmp(name, "adaptiveCard/action") != 0 || type == NULL ||
        strcmp(type, "Action.Execute") != 0 || !is_pressed) {
        out->kind = TEAMS_ODD_PRESS;
        return true;
    }
    return read_execute(action, arena, out, error);
}

/* ---- where the bot is ---- */

static bool names_bot(const struct json *members, const struct teams_bot *bot)
{
    for (size_t i = 0; i < json_count(members); i++) {
        const char *id = text_of(json_element(members, i), "id");
        if (json_type(members) == JSON_TYPE_ARRAY && id != NULL && strncmp(id, "28:", 3) == 0 &&
            strcmp(id + 3, bot->app_id) == 0) {
            return true;
        }
    }
    return false;
}

static enum teams_kind read_update(const struct json *root, const struct teams_bot *bot)
{
    return names_bot(json_member(root, "membersRemoved"), bot) ? TEAMS_REMOVED
           : names_bot(json_member(root, "membersAdded"), bot) ? TEAMS_ADDED
                                                               : TEAMS_OTHER;
}

static enum teams_kind read_installation(const struct json *root)
{
    const char *action = text_of(root, "action");
    return action == NULL                      ? TEAMS_OTHER
           : strncmp(action, "add", 3) == 0    ? TEAMS_ADDED /* also `add-upgrade` */
           : strncmp(action, "remove", 6) == 0 ? TEAMS_REMOVED
                                               : TEAMS_OTHER;
}

static bool read_what(const struct json *root, const struct teams_bot *bot, struct arena *arena,
                      struct teams_activity *out, struct error *error)
{
    const char *type = text_of(root, "type");
    if (type == NULL) {
        return bad_payload(error, "/type");
    }
    if (strcmp(type, "invoke") == 0) {
        return read_invoke(root, bot, arena, out, error);
    }
    out->kind = strcmp(type, "message") == 0              ? TEAMS_MESSAGE
                : strcmp(type, "conversationUpdate") == 0 ? read_update(root, bot)
                : strcmp(type, "installationUpdate") == 0 ? read_installation(root)
                                                          : TEAMS_OTHER;
    return true;
}

bool teams_read_activity(const char *body, size_t length, const struct teams_bot *bot,
                         struct arena *arena, struct teams_activity *out, struct error *error)
{
    struct teams_activity activity = {0};
    if (length > TEAMS_BODY_BYTES_MAX) {
        return error_set(error, ERROR_INVALID, "too_long", NULL,
                         "the body is longer than an activity of Teams may be");
    }
    struct json_document *document JSON_SCOPE = json_parse(body, length, error);
    if (document == NULL) {
        return false;
    }
    const struct json *root = json_root(document);
    const char *channel = text_of(root, "channelId");
    if (json_type(root) != JSON_TYPE_OBJECT) {
        return bad_payload(error, "/");
    }
    if (channel == NULL || strcmp(channel, TEAMS_CHANNEL) != 0) {
        return error_set(error, ERROR_FORBIDDEN, "wrong_channel", NULL,
                         "this is of another channel of the Bot Framework than Teams");
    }
    activity.id = read_id(root, "id", arena);
    read_from(root, arena, &activity);
    if (!judge_tenant(root, bot, error) || !read_place(root, bot, arena, &activity, error) ||
        !read_what(root, bot, arena, &activity, error)) {
        return false;
    }
    *out = activity;
    return true;
}
