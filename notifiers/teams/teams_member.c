#include "notifiers/teams/teams_member.h"

#include "formats/form.h"
#include "formats/json.h"
#include "notifiers/teams/teams_address.h"
#include <stdio.h>
#include <string.h>

/* "tenant/object user conversation service": none of them has a blank (teams_callback.c). */
enum { PARTS = 4 };

const char *teams_member_about(const struct teams_activity *activity, struct arena *arena)
{
    return arena_printf(arena, "%s %s %s %s", activity->callback.account, activity->user,
                        activity->place, activity->service_url);
}

static bool read_about(const char *about, struct arena *arena, const char *parts[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        size_t length = strcspn(about, " ");
        parts[i] = arena_copy(arena, about, length);
        about += length;
        if (length == 0 || (*about == ' ') != (i + 1 < PARTS)) {
            return false;
        }
        about += *about == ' ';
    }
    return true;
}

bool teams_compose_inquiry(const struct notifier_channel *channel,
                           const struct notifier_inquiry *inquiry, const char *token,
                           struct arena *arena, struct notifier_message *out, struct error *error)
{
    const char *parts[PARTS];
    if (inquiry->asks != NOTIFIER_ASKS_PERSON || !read_about(inquiry->about, arena, parts)) {
        return error_set(error, ERROR_INTERNAL, "no_question", NULL,
                         "Teams is asked nothing of this");
    }
    if (!teams_may_serve(parts[3], channel->url)) {
        return error_set(error, ERROR_FORBIDDEN, "service_not_allowed", NULL,
                         "the bot's token does not go to `%.200s`", parts[3]);
    }
    const char *slash = parts[3][strlen(parts[3]) - 1] == '/' ? "" : "/";
    *out = (struct notifier_message){
        .url = arena_printf(arena, "%s%sv3/conversations/%s/members/%s", parts[3], slash,
                            form_encode(parts[2], arena), form_encode(parts[1], arena)),
        .headers = {"Accept: application/json", "User-Agent: countersign",
                    arena_printf(arena, "Authorization: Bearer %s", token)},
        .body = "",
        .is_get = true};
    return true;
}

/* ---- reading what it says ---- */

static void say(struct notifier_standing *out, enum notifier_known known, const char *reason)
{
    out->known = known;
    snprintf(out->reason, sizeof out->reason, "%s", reason);
}

static bool is_guid(const struct json *object, const char *name, const char *wanted, size_t length)
{
    const struct json *value = json_member(object, name);
    const char *text = json_text(value);
    char guid[TEAMS_GUID_BYTES];
    return text != NULL && strlen(text) == json_text_length(value) && teams_read_guid(text, guid) &&
           strlen(guid) == length && memcmp(guid, wanted, length) == 0;
}

/* The connector calls it `objectId` or `aadObjectId`. */
static bool is_account(const struct json *member, const char *about)
{
    size_t tenant = strcspn(about, "/");
    const char *object = about + tenant + 1;
    size_t length = strcspn(object, " ");
    const char *name = json_member(member, "objectId") != NULL ? "objectId" : "aadObjectId";
    return about[tenant] == '/' && is_guid(member, "tenantId", about, tenant) &&
           is_guid(member, name, object, length);
}

static bool is_full(const struct json *member)
{
    const struct json *value = json_member(member, "userRole");
    const char *role = json_text(value);
    return role != NULL && strlen(role) == json_text_length(value) &&
           (strcmp(role, "user") == 0 || strcmp(role, "owner") == 0);
}

void teams_read_answer(const struct notifier_channel *channel,
                       const struct notifier_inquiry *inquiry, const struct notifier_reply *reply,
                       struct notifier_standing *out)
{
    struct error ignored = {0};
    struct json_document *document JSON_SCOPE =
        reply->status == 200 ? json_parse(reply->body, reply->length, &ignored) : NULL;
    const struct json *member = document == NULL ? NULL : json_root(document);
    (void)channel;
    out->retry_after_ms = reply->retry_after_ms;
    if (reply->status == 403 || reply->status == 404) {
        say(out, NOTIFIER_BAD, "Teams does not know this account in this conversation.");
    } else if (json_type(member) != JSON_TYPE_OBJECT) {
        out->known = NOTIFIER_UNANSWERED;
        snprintf(out->reason, sizeof out->reason, "Teams does not say who this is (%ld)",
                 reply->status);
    } else if (!is_account(member, inquiry->about)) {
        say(out, NOTIFIER_BAD, "Teams says that this account is another, or of another tenant.");
    } else if (json_text(json_member(member, "userRole")) == NULL) {
        say(out, NOTIFIER_BAD, "Teams does not say whether this account is a full member.");
    } else if (!is_full(member)) {
        say(out, NOTIFIER_BAD, "Guests of this organization decide nothing here.");
    } else {
        out->known = NOTIFIER_GOOD;
    }
}
