#include "notifiers/slack/slack_words.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include "notifiers/slack/slack_callback.h"
#include <string.h>

enum { WORDS_BYTES_MAX = 600 };

static void plain_text(struct canonical_writer *writer, const char *text)
{
    char cut[WORDS_BYTES_MAX + 1];
    size_t length = text_cut(text, WORDS_BYTES_MAX);
    memcpy(cut, text, length);
    cut[length] = '\0';
    canonical_open_object(writer);
    canonical_member_bool(writer, "emoji", false);
    canonical_member_text(writer, "text", cut);
    canonical_member_text(writer, "type", "plain_text");
    canonical_close_object(writer);
}

static void member(struct canonical_writer *writer, const char *name, const char *text)
{
    canonical_name(writer, name);
    plain_text(writer, text);
}

static void section(struct canonical_writer *writer, const char *text)
{
    canonical_open_object(writer);
    member(writer, "text", text);
    canonical_member_text(writer, "type", "section");
    canonical_close_object(writer);
}

static void code_input(struct canonical_writer *writer)
{
    canonical_open_object(writer);
    canonical_member_text(writer, "block_id", "code");
    canonical_name(writer, "element");
    canonical_open_object(writer);
    canonical_member_text(writer, "action_id", "code");
    canonical_member_integer(writer, "max_length", CALLBACK_CODE_BYTES_MAX);
    canonical_member_text(writer, "type", "plain_text_input");
    canonical_close_object(writer);
    member(writer, "label", "Code from Account on the dashboard");
    canonical_member_text(writer, "type", "input");
    canonical_close_object(writer);
}

void slack_link_modal_append(struct builder *out, const char *trigger, const char *why)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "trigger_id", trigger);
    canonical_name(&writer, "view");
    canonical_open_object(&writer);
    canonical_name(&writer, "blocks");
    canonical_open_array(&writer);
    if (why != NULL) {
        section(&writer, why);
    }
    code_input(&writer);
    canonical_close_array(&writer);
    canonical_member_text(&writer, "callback_id", SLACK_LINK);
    member(&writer, "close", "Back");
    member(&writer, "submit", "Link");
    member(&writer, "title", "Link my account");
    canonical_member_text(&writer, "type", "modal");
    canonical_close_object(&writer);
    canonical_close_object(&writer);
}

void slack_modal_error_append(struct builder *out, const char *block, const char *text)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "errors");
    canonical_open_object(&writer);
    canonical_member_text(&writer, block, text);
    canonical_close_object(&writer);
    canonical_member_text(&writer, "response_action", "errors");
    canonical_close_object(&writer);
}

void slack_modal_done_append(struct builder *out, const char *text)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "response_action", "update");
    canonical_name(&writer, "view");
    canonical_open_object(&writer);
    canonical_name(&writer, "blocks");
    canonical_open_array(&writer);
    section(&writer, text);
    canonical_close_array(&writer);
    member(&writer, "close", "Close");
    member(&writer, "title", "Countersign");
    canonical_member_text(&writer, "type", "modal");
    canonical_close_object(&writer);
    canonical_close_object(&writer);
}

void slack_ephemeral_append(struct builder *out, const char *channel, const char *user,
                            const char *text)
{
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "blocks");
    canonical_open_array(&writer);
    section(&writer, text);
    canonical_close_array(&writer);
    canonical_member_text(&writer, "channel", channel);
    canonical_member_text(&writer, "text", "An answer of Countersign's, only for you");
    canonical_member_text(&writer, "user", user);
    canonical_close_object(&writer);
}
