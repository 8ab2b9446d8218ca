#include "notifiers/account_notice.h"

#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include <string.h>

static const struct {
    const char *event, *heading;
} moments[] = {
    [ACCOUNT_SIGNED_IN] = {"account.signed_in", "Your account was signed in to with a new browser"},
    [ACCOUNT_PASSWORD_CHANGED] = {"account.password_changed",
                                  "The password of your account was changed"},
    [ACCOUNT_PASSKEY_ADDED] = {"account.passkey_added", "A passkey was added to your account"},
    [ACCOUNT_PASSKEY_CONFIRMED] = {"account.passkey_confirmed",
                                   "A passkey of your account was confirmed by another admin"},
    [ACCOUNT_PASSKEY_REMOVED] = {"account.passkey_removed",
                                 "A passkey was removed from your account"},
    [ACCOUNT_CODES_ON] = {"account.codes_on", "One-time codes were turned on for your account"},
    [ACCOUNT_CODES_OFF] = {"account.codes_off", "One-time codes were turned off for your account"},
    [ACCOUNT_RECOVERY_CODE_USED] = {"account.recovery_code_used",
                                    "A recovery code of your account was used"},
    [ACCOUNT_TOKEN_MADE] = {"account.token_made", "A personal token was made for your account"},
    [ACCOUNT_CHAT_LINKED] = {"account.chat_linked", "A chat account was linked to your account"},
    [ACCOUNT_CHAT_UNLINKED] = {"account.chat_unlinked",
                               "A chat account is no longer linked to your account"},
    [ACCOUNT_ENROLMENT_LINK_MADE] = {"account.enrolment_link_made",
                                     "A link was made that sets a new password for your account"},
    [ACCOUNT_ADDRESS_CHANGED] = {"account.address_changed",
                                 "Your account is no longer told at this address"},
    [ACCOUNT_CHANNELS_CHANGED] = {"account.channels_changed",
                                  "What your account is told, and where, was changed"},
    [ACCOUNT_ROLES_CHANGED] = {"account.roles_changed", "The roles of your account were changed"},
    [ACCOUNT_GROUP_JOINED] = {"account.group_joined", "Your account was added to a group"},
    [ACCOUNT_GROUP_LEFT] = {"account.group_left", "Your account was removed from a group"},
    [ACCOUNT_DISABLED] = {"account.disabled", "Your account was disabled"},
    [ACCOUNT_ENABLED] = {"account.enabled", "Your account was enabled again"},
};
enum { MOMENTS = sizeof moments / sizeof moments[0] };

static const char *const actors[] = {
    [ACCOUNT_BY_GATEWAY] = "gateway", [ACCOUNT_BY_OWNER] = "owner", [ACCOUNT_BY_PERSON] = "person",
    [ACCOUNT_BY_HOST] = "host",       [ACCOUNT_BY_LINK] = "link",   [ACCOUNT_BY_CODE] = "code",
};
enum { ACTORS = sizeof actors / sizeof actors[0] };

static bool is_moment(enum account_moment moment)
{
    return moment > 0 && (size_t)moment < MOMENTS;
}

const char *account_event(enum account_moment moment)
{
    return is_moment(moment) ? moments[moment].event : NULL;
}

const char *account_heading(enum account_moment moment)
{
    return is_moment(moment) ? moments[moment].heading : NULL;
}

enum account_moment account_moment_of(const char *event)
{
    for (size_t i = 1; i < MOMENTS; i++) {
        if (strcmp(moments[i].event, event) == 0) {
            return (enum account_moment)i;
        }
    }
    return 0;
}

/* ---- writing ---- */

static void write_facts(struct canonical_writer *writer, const struct account_notice *notice)
{
    canonical_name(writer, "facts");
    canonical_open_array(writer);
    for (size_t i = 0; i < notice->fact_count && i < ACCOUNT_FACTS_MAX; i++) {
        canonical_open_object(writer);
        canonical_member_text(writer, "label", notice->facts[i].label);
        canonical_member_text(writer, "value", notice->facts[i].value);
        canonical_close_object(writer);
    }
    canonical_close_array(writer);
}

const char *account_notice_write(const struct account_notice *notice, struct arena *arena)
{
    char at[TIME_TEXT_BYTES];
    struct builder text BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&text, 0);
    text_write_time(notice->at, at);
    canonical_begin(&writer, &text);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "account", notice->account);
    canonical_member_text(&writer, "actor", actors[notice->actor]);
    canonical_member_text(&writer, "by", notice->by);
    write_facts(&writer, notice);
    canonical_member_text(&writer, "issuer", notice->issuer);
    canonical_member_bool(&writer, "last", notice->is_last);
    canonical_member_text(&writer, "timestamp", at);
    canonical_member_text(&writer, "type", account_event(notice->moment));
    canonical_close_object(&writer);
    return arena_copy(arena, text.bytes, text.length);
}

/* ---- reading ---- */

static const char *shown(const struct json *owner, const char *name, struct arena *arena)
{
    const struct json *value = json_member(owner, name);
    const char *text = json_text(value);
    struct builder visible BUILDER_SCOPE;
    builder_init(&visible, 0);
    if (text == NULL) {
        return NULL;
    }
    size_t length = json_text_length(value);
    bool is_cut = length > ACCOUNT_TEXT_BYTES_MAX;
    text_append_visible(&visible, text, is_cut ? text_cut(text, ACCOUNT_TEXT_BYTES_MAX) : length);
    builder_text(&visible, is_cut ? " …" : "");
    return arena_copy(arena, visible.bytes, visible.length);
}

static void read_facts(const struct json *list, struct arena *arena, struct account_notice *out)
{
    for (size_t i = 0; i < json_count(list) && out->fact_count < ACCOUNT_FACTS_MAX; i++) {
        const struct json *fact = json_element(list, i);
        const char *label = shown(fact, "label", arena);
        const char *value = shown(fact, "value", arena);
        if (label != NULL && value != NULL) {
            out->facts[out->fact_count++] = (struct account_fact){label, value};
        }
    }
}

static enum account_actor read_actor(const char *name)
{
    for (size_t i = 0; name != NULL && i < ACTORS; i++) {
        if (strcmp(actors[i], name) == 0) {
            return (enum account_actor)i;
        }
    }
    return ACCOUNT_BY_GATEWAY;
}

bool account_notice_read(const char *json, size_t length, struct arena *arena,
                         struct account_notice *out, struct error *error)
{
    struct json_document *document JSON_SCOPE = json_parse(json, length, error);
    if (document == NULL) {
        error->kind = ERROR_CORRUPT; /* it is our own */
        return false;
    }
    const struct json *root = json_root(document);
    const char *event = json_text(json_member(root, "type"));
    const char *at = json_text(json_member(root, "timestamp"));
    struct account_notice read = {
        .moment = event == NULL ? 0 : account_moment_of(event),
        .actor = read_actor(json_text(json_member(root, "actor"))),
        .by = shown(root, "by", arena),
        .account = shown(root, "account", arena),
        .issuer = shown(root, "issuer", arena),
        .is_last = json_type(json_member(root, "last")) == JSON_TYPE_TRUE,
    };
    if (read.moment == 0 || read.account == NULL || read.issuer == NULL || at == NULL ||
        !text_read_time(at, &read.at)) {
        return error_set(error, ERROR_CORRUPT, "bad_row", NULL,
                         "the notice is not one to the owner of an account");
    }
    read_facts(json_member(root, "facts"), arena, &read);
    *out = read;
    return true;
}

/* ---- words ---- */

const char *account_actor_text(const struct account_notice *notice, struct arena *arena)
{
    switch (notice->actor) {
    case ACCOUNT_BY_OWNER:
        return "somebody who was signed in as you";
    case ACCOUNT_BY_PERSON:
        return arena_printf(arena, "%s, another person", notice->by == NULL ? "?" : notice->by);
    case ACCOUNT_BY_HOST:
        return "somebody on the gateway's own machine";
    case ACCOUNT_BY_LINK:
        return "somebody who opened an enrolment link";
    case ACCOUNT_BY_CODE:
        return "somebody who entered a code that was made in your account";
    case ACCOUNT_BY_GATEWAY:
        break;
    }
    return "the gateway";
}

const char *account_advice(const struct account_notice *notice)
{
    if (notice->actor == ACCOUNT_BY_PERSON || notice->actor == ACCOUNT_BY_HOST) {
        return "If you do not know why, ask an admin of this gateway, in person or by a telephone "
               "number you knew before. An admin can disable your account at once, which ends its "
               "sessions and tokens.";
    }
    return "If this was not you, somebody may be in your account. Tell an admin of this gateway "
           "now, "
           "in person or by a telephone number you knew before: an admin can disable your account "
           "at once, which ends its sessions and tokens. If you can still sign in, type the "
           "gateway's address yourself, open Account, end the other sessions, change your "
           "password, and take back what you do not know.";
}

size_t account_facts(const struct account_notice *notice, struct arena *arena,
                     struct account_fact out[ACCOUNT_FACTS_SHOWN_MAX])
{
    char at[TIME_TEXT_BYTES];
    size_t count = 0;
    text_write_time(notice->at, at);
    out[count++] = (struct account_fact){"Account", notice->account};
    out[count++] = (struct account_fact){"Gateway", notice->issuer};
    out[count++] = (struct account_fact){"When", arena_text(arena, at)};
    out[count++] = (struct account_fact){"By", account_actor_text(notice, arena)};
    for (size_t i = 0; i < notice->fact_count; i++) {
        out[count++] = notice->facts[i];
    }
    return count;
}

const char *account_closing(const struct account_notice *notice, struct arena *arena)
{
    return arena_printf(
        arena, "%s%s",
        notice->is_last
            ? "There were many of these within an hour: no more of this sort are told for now. "
            : "",
        "This message asks for nothing: nothing in it can be pressed or answered, and nobody will "
        "ask you for a password or a code. It is sent whatever else you are told, and cannot be "
        "turned off in your account.");
}
