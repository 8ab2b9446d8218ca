#include "notifiers/teams/teams_words.h"

#include "formats/canonical.h"
#include "notifiers/callback.h"
#include "notifiers/teams/teams_callback.h"
#include "notifiers/teams/teams_card.h"

#define CARD_TYPE "application/vnd.microsoft.card.adaptive"

static void finish(struct canonical_writer *writer, int status, const char *type)
{
    canonical_member_integer(writer, "statusCode", status);
    canonical_member_text(writer, "type", type);
}

static void answer_raw(struct builder *out, int status, const char *type,
                       const struct builder *value)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    finish(&writer, status, type);
    canonical_member_raw(&writer, "value", value->bytes, value->length);
    canonical_close_object(&writer);
}

void teams_answer_text_append(struct builder *out, const char *text)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    finish(&writer, 200, "application/vnd.microsoft.activity.message");
    canonical_member_text(&writer, "value", text);
    canonical_close_object(&writer);
}

void teams_answer_error_append(struct builder *out, const char *code, const char *message)
{
    struct builder value BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&value, 0);
    canonical_begin(&writer, &value);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "code", code);
    canonical_member_text(&writer, "message", message);
    canonical_close_object(&writer);
    answer_raw(out, 400, "application/vnd.microsoft.error", &value);
}

void teams_answer_card_append(struct builder *out, const struct card *card, struct arena *arena)
{
    struct builder value BUILDER_SCOPE;
    builder_init(&value, 0);
    teams_card_append(&value, card, true, arena);
    answer_raw(out, 200, CARD_TYPE, &value);
}

/* ---- cards that are of no request ---- */

static void open_link(struct canonical_writer *writer, const char *link)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "title", "Open dashboard");
    canonical_member_text(writer, "type", "Action.OpenUrl");
    canonical_member_text(writer, "url", link);
    canonical_close_object(writer);
}

static void sentence(struct canonical_writer *writer, const char *text)
{
    canonical_open_object(writer);
    canonical_name(writer, "inlines");
    canonical_open_array(writer);
    canonical_open_object(writer);
    canonical_member_text(writer, "text", text);
    canonical_member_text(writer, "type", "TextRun");
    canonical_close_object(writer);
    canonical_close_array(writer);
    canonical_member_text(writer, "type", "RichTextBlock");
    canonical_close_object(writer);
}

static void code_input(struct canonical_writer *writer)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "errorMessage", "Type the code from your account page.");
    canonical_member_text(writer, "id", "code");
    canonical_member_bool(writer, "isRequired", true);
    canonical_member_text(writer, "label", "Code");
    canonical_member_integer(writer, "maxLength", CALLBACK_CODE_BYTES_MAX);
    canonical_member_text(writer, "type", "Input.Text");
    canonical_close_object(writer);
}

static void link_button(struct canonical_writer *writer, const char *request, const char *nonce)
{
    canonical_open_object(writer);
    canonical_name(writer, "data");
    canonical_open_object(writer);
    canonical_member_text(writer, "n", nonce);
    canonical_member_text(writer, "r", request);
    canonical_close_object(writer);
    canonical_member_text(writer, "title", "Link my account");
    canonical_member_text(writer, "type", "Action.Execute");
    canonical_member_text(writer, "verb", TEAMS_LINK);
    canonical_close_object(writer);
}

static void write_card(struct builder *out, const char *text, const char *link, bool is_form,
                       const char *request, const char *nonce)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    canonical_name(&writer, "actions");
    canonical_open_array(&writer);
    if (is_form) {
        link_button(&writer, request, nonce);
    }
    open_link(&writer, link);
    canonical_close_array(&writer);
    canonical_name(&writer, "body");
    canonical_open_array(&writer);
    sentence(&writer, text);
    if (is_form) {
        code_input(&writer);
    }
    canonical_close_array(&writer);
    canonical_member_text(&writer, "type", "AdaptiveCard");
    canonical_member_text(&writer, "version", "1.4");
    canonical_close_object(&writer);
}

void teams_answer_note_append(struct builder *out, const char *text, const char *link)
{
    struct builder value BUILDER_SCOPE;
    builder_init(&value, 0);
    write_card(&value, text, link, false, NULL, NULL);
    answer_raw(out, 200, CARD_TYPE, &value);
}

void teams_answer_form_append(struct builder *out, const char *text, const char *link,
                              const char *request, const char *nonce)
{
    struct builder value BUILDER_SCOPE;
    builder_init(&value, 0);
    write_card(&value, text, link, true, request, nonce);
    answer_raw(out, 200, CARD_TYPE, &value);
}

void teams_help_append(struct builder *out, const char *link)
{
    struct builder card BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&card, 0);
    write_card(&card,
               "Messages decide nothing here: the buttons of a request's card do. To decide from "
               "Teams as yourself, once: sign in to the dashboard, make a code under Account, and "
               "type it below. Do not send it as a message.",
               link, true, NULL, NULL);
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "attachments");
    canonical_open_array(&writer);
    canonical_open_object(&writer);
    canonical_member_raw(&writer, "content", card.bytes, card.length);
    canonical_member_text(&writer, "contentType", CARD_TYPE);
    canonical_close_object(&writer);
    canonical_close_array(&writer);
    canonical_member_text(&writer, "summary", "How to decide from Teams");
    canonical_member_text(&writer, "type", "message");
    canonical_close_object(&writer);
}
