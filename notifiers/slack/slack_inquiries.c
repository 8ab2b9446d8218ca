#include "formats/canonical.h"
#include "formats/json.h"
#include "notifiers/card.h"
#include "notifiers/slack/slack_internal.h"
#include <stdio.h>
#include <string.h>

/*
 * What Slack is asked before something is said or believed. Everybody who sees a message can press
 * its buttons: whether the place is shared with other companies (conversations.info) and whether
 * the person is a full member (users.info) is Slack's alone to say. What it does not say plainly
 * counts as no.
 */

static const char out_of_house[] =
    "this Slack channel is shared with others, or about to be: stop sharing it, or use a private "
    "channel of your own";
static const char shared_within[] =
    "this Slack channel is shared with other workspaces of the organization: name the organization "
    "in `enterprises`, or use a channel of one workspace";
static const char lacks_scopes[] = "the Slack app lacks a scope: add those of "
                                   "docs/channels/slack.md under OAuth & Permissions and "
                                   "install the app again";
static const char not_found[] =
    "Slack does not know this channel, or the app is not in it: check the id and /invite the app";
static const char not_said[] = "Slack refuses to say whether this channel is shared";

/* An account's own id: the last of "E…/T…/U…"; an id alone is one too. */
static const char *user_of(const char *account)
{
    const char *slash = strrchr(account, '/');
    return slash == NULL ? account : slash + 1;
}

/* ---- which inquiries ---- */

/* What has ended is frozen wherever it stands; everything else needs a place of our own. */
static bool is_frozen(const struct notifier_notice *notice, struct arena *arena)
{
    struct card card;
    struct error ignored = {0};
    return notice->address != NULL &&
           card_read(notice->payload, strlen(notice->payload), arena, &card, &ignored) &&
           strcmp(card.state, "pending") != 0;
}

size_t slack_list_inquiries(const struct notifier_channel *channel,
                            const struct notifier_notice *notice, struct arena *arena,
                            struct notifier_inquiry out[NOTIFIER_INQUIRIES_MAX])
{
    const char *place = notifier_option(channel, "channel");
    size_t count = 0;
    if (notice != NULL && notice->is_test) {
        out[count++] = (struct notifier_inquiry){NOTIFIER_ASKS_RIGHTS, ""};
    }
    if (place != NULL && (notice == NULL || !is_frozen(notice, arena))) {
        out[count++] = (struct notifier_inquiry){NOTIFIER_ASKS_PLACE, place};
    }
    if (place == NULL && notice != NULL && notice->address == NULL) {
        out[count++] =
            (struct notifier_inquiry){NOTIFIER_ASKS_ADDRESS, notice->to == NULL ? "" : notice->to};
    }
    return count;
}

/* ---- asking ---- */

/* users.info and conversations.info read forms and no JSON. */
static void compose_form(const struct notifier_channel *channel, const char *method,
                         const char *name, const char *id, struct arena *arena,
                         struct notifier_message *out)
{
    struct builder body BUILDER_SCOPE;
    builder_init(&body, 0);
    if (name != NULL) {
        builder_printf(&body, "%s=%s", name, id);
    }
    slack_call(channel, method, "application/x-www-form-urlencoded", &body, arena, out);
}

static void compose_open(const struct notifier_channel *channel, const char *user,
                         struct arena *arena, struct notifier_message *out)
{
    struct builder body BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&body, 0);
    canonical_begin(&writer, &body);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "users", user);
    canonical_close_object(&writer);
    slack_call(channel, "conversations.open", "application/json; charset=utf-8", &body, arena, out);
}

bool slack_compose_inquiry(const struct notifier_channel *channel,
                           const struct notifier_inquiry *inquiry, const char *token,
                           struct arena *arena, struct notifier_message *out, struct error *error)
{
    const char *id = user_of(inquiry->about);
    (void)token; /* the channel has its own */
    if (inquiry->asks != NOTIFIER_ASKS_RIGHTS && !slack_is_id(id)) {
        return error_set(error, ERROR_INVALID, "bad_id", NULL, "`%.40s` is no id of Slack's", id);
    }
    switch (inquiry->asks) {
    case NOTIFIER_ASKS_PLACE:
        compose_form(channel, "conversations.info", "channel", id, arena, out);
        return true;
    case NOTIFIER_ASKS_PERSON:
        compose_form(channel, "users.info", "user", id, arena, out);
        return true;
    case NOTIFIER_ASKS_ADDRESS:
        compose_open(channel, id, arena, out);
        return true;
    case NOTIFIER_ASKS_RIGHTS:
        compose_form(channel, "auth.test", NULL, NULL, arena, out);
        return true;
    case NOTIFIER_ASKS_NOTHING:
    case NOTIFIER_ASKS_COUNT:
        break;
    }
    return error_set(error, ERROR_INTERNAL, "no_inquiry", NULL, "Slack is asked nothing of this");
}

/* ---- reading what it says ---- */

static void say_bad(struct notifier_standing *out, const char *reason, const char *problem)
{
    out->known = NOTIFIER_BAD;
    out->problem = problem;
    snprintf(out->reason, sizeof out->reason, "%s", reason);
}

static bool says(const struct json *object, const char *name)
{
    return json_type(json_member(object, name)) == JSON_TYPE_TRUE;
}

static bool denies(const struct json *object, const char *name)
{
    return json_type(json_member(object, name)) == JSON_TYPE_FALSE;
}

static bool is_text(const struct json *value, const char *text, size_t length)
{
    const char *found = json_text(value);
    return found != NULL && strlen(found) == length && memcmp(found, text, length) == 0;
}

static void read_place(const struct notifier_channel *channel, const struct json *answer,
                       struct notifier_standing *out)
{
    const struct json *place = json_member(answer, "channel");
    bool is_ours = notifier_option(channel, "enterprises") != NULL;
    if (says(place, "is_ext_shared") || says(place, "is_pending_ext_shared") ||
        json_count(json_member(place, "pending_shared")) > 0 ||
        json_count(json_member(place, "pending_connected_team_ids")) > 0) {
        say_bad(out, out_of_house, out_of_house);
    } else if ((says(place, "is_org_shared") || says(place, "is_shared")) && !is_ours) {
        say_bad(out, says(place, "is_org_shared") ? shared_within : out_of_house,
                says(place, "is_org_shared") ? shared_within : out_of_house);
    } else if (!denies(place, "is_ext_shared")) {
        say_bad(out, not_said, not_said);
    } else {
        out->known = NOTIFIER_GOOD;
    }
}

/* Whether the person is of the team that their press named: their own, or one within the
 * organization that they are in too. */
static bool is_of_team(const struct json *user, const char *team, size_t length)
{
    const struct json *teams = json_member(json_member(user, "enterprise_user"), "teams");
    bool is_of = is_text(json_member(user, "team_id"), team, length);
    for (size_t i = 0; i < json_count(teams) && !is_of; i++) {
        is_of = is_text(json_element(teams, i), team, length);
    }
    return is_of;
}

/* `account`: "E/T/U", where E may be nothing. */
static bool is_where_they_say(const struct json *user, const char *account)
{
    size_t enterprise = strcspn(account, "/");
    const char *team = account + enterprise + (account[enterprise] == '/');
    size_t team_length = strcspn(team, "/");
    const char *id = team + team_length + (team[team_length] == '/');
    const struct json *organization =
        json_member(json_member(user, "enterprise_user"), "enterprise_id");
    return is_text(json_member(user, "id"), id, strlen(id)) &&
           is_of_team(user, team, team_length) &&
           (enterprise == 0 || is_text(organization, account, enterprise));
}

/* `is_app_user` is no sign of a bot: it says that this person authorized the app. */
static void read_person(const char *account, const struct json *answer,
                        struct notifier_standing *out)
{
    const struct json *user = json_member(answer, "user");
    if (says(user, "deleted")) {
        say_bad(out, "Slack says that this account is deactivated.", NULL);
    } else if (says(user, "is_bot") || says(user, "is_workflow_bot")) {
        say_bad(out, "Bots and apps decide nothing here.", NULL);
    } else if (says(user, "is_restricted") || says(user, "is_ultra_restricted")) {
        say_bad(out, "Guests of this Slack workspace decide nothing here.", NULL);
    } else if (says(user, "is_stranger") || !is_where_they_say(user, account)) {
        say_bad(out, "Slack says that this account is of another workspace or organization.", NULL);
    } else if (!denies(user, "deleted") || !denies(user, "is_bot") ||
               !denies(user, "is_restricted") || !denies(user, "is_ultra_restricted")) {
        say_bad(out, "Slack does not say whether this account is a full member.", NULL);
    } else {
        out->known = NOTIFIER_GOOD;
    }
}

static void read_address(const struct json *answer, struct notifier_standing *out)
{
    const char *id = json_text(json_member(json_member(answer, "channel"), "id"));
    if (id == NULL || !slack_is_id(id) || strlen(id) >= sizeof out->value) {
        say_bad(out, "Slack opened a conversation and does not say which", NULL);
        return;
    }
    out->known = NOTIFIER_GOOD;
    snprintf(out->value, sizeof out->value, "%s", id);
}

/* `scopes`: names with commas and blanks between. */
static bool has_scope(const char *scopes, const char *wanted)
{
    size_t length = strlen(wanted);
    while (*scopes != '\0') {
        scopes += strspn(scopes, ", ");
        size_t found = strcspn(scopes, ", ");
        if (found == length && memcmp(scopes, wanted, length) == 0) {
            return true;
        }
        scopes += found;
    }
    return false;
}

static void read_rights(const struct notifier_channel *channel, const struct notifier_reply *reply,
                        struct notifier_standing *out)
{
    static const char *const of_channels[] = {"chat:write", "users:read", "channels:read",
                                              "groups:read", NULL};
    static const char *const of_people[] = {"chat:write", "users:read", "im:write", NULL};
    const char *const *wanted =
        notifier_option(channel, "channel") != NULL ? of_channels : of_people;
    if (reply->scopes == NULL) {
        say_bad(out, "Slack does not say which scopes the app has", NULL);
        return;
    }
    out->known = NOTIFIER_GOOD;
    for (size_t i = 0; wanted[i] != NULL; i++) {
        if (!has_scope(reply->scopes, wanted[i])) {
            say_bad(out, "", lacks_scopes);
            snprintf(out->reason, sizeof out->reason,
                     "the scope %s is missing: add it under OAuth & Permissions and install the "
                     "app again",
                     wanted[i]);
            return;
        }
    }
}

static const char *problem_of(enum notifier_asks asks, const char *code)
{
    if (strcmp(code, "missing_scope") == 0) {
        return lacks_scopes;
    }
    if (asks != NOTIFIER_ASKS_PLACE) {
        return NULL;
    }
    return strcmp(code, "channel_not_found") == 0 ? not_found : not_said;
}

static void read_error(const struct notifier_inquiry *inquiry, const char *code,
                       struct notifier_standing *out)
{
    static const char *const about[] = {[NOTIFIER_ASKS_PLACE] = "whether this channel is shared",
                                        [NOTIFIER_ASKS_PERSON] =
                                            "whether this account is a full member",
                                        [NOTIFIER_ASKS_ADDRESS] = "where this person is told",
                                        [NOTIFIER_ASKS_RIGHTS] = "which scopes the app has"};
    bool is_passing = code == NULL || slack_is_passing(code);
    out->known = is_passing ? NOTIFIER_UNANSWERED : NOTIFIER_BAD;
    out->problem = is_passing ? NULL : problem_of(inquiry->asks, code);
    snprintf(out->reason, sizeof out->reason, "Slack does not say %s (%.80s)", about[inquiry->asks],
             code == NULL ? "no answer of Slack's" : code);
}

void slack_read_answer(const struct notifier_channel *channel,
                       const struct notifier_inquiry *inquiry, const struct notifier_reply *reply,
                       struct notifier_standing *out)
{
    struct error ignored = {0};
    bool is_answer = reply->status >= 200 && reply->status < 300;
    struct json_document *document JSON_SCOPE =
        is_answer ? json_parse(reply->body, reply->length, &ignored) : NULL;
    const struct json *answer = document == NULL ? NULL : json_root(document);
    out->retry_after_ms = reply->retry_after_ms;
    if (!says(answer, "ok")) {
        read_error(inquiry, json_text(json_member(answer, "error")), out);
        return;
    }
    switch (inquiry->asks) {
    case NOTIFIER_ASKS_PLACE:
        read_place(channel, answer, out);
        return;
    case NOTIFIER_ASKS_PERSON:
        read_person(inquiry->about, answer, out);
        return;
    case NOTIFIER_ASKS_ADDRESS:
        read_address(answer, out);
        return;
    case NOTIFIER_ASKS_RIGHTS:
        read_rights(channel, reply, out);
        return;
    case NOTIFIER_ASKS_NOTHING:
    case NOTIFIER_ASKS_COUNT:
        break;
    }
    say_bad(out, "nothing was asked", NULL);
}
