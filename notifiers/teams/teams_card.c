#include "notifiers/teams/teams_card.h"

#include "formats/canonical.h"
#include <string.h>

enum {
    ARGUMENTS_BYTES = 9 * 1024,
    ARGUMENTS_BYTES_MIN = 512,
    FEW_FACTS = 10,
    CARD_BYTES_MAX = TEAMS_MESSAGE_BYTES_MAX - 512, /* what stands around a card */
};

/* How much of a card is shown. JSON's escapes may double a text, so that what fits is found by
 * trying: arguments are cut first, facts after them. */
struct extent {
    size_t arguments_bytes;
    size_t fact_count;
};

struct body {
    struct canonical_writer writer;
    struct arena *arena;
    struct extent extent;
};

/* Words of the gateway's own only: Markdown is interpreted here. */
static void text_block(struct body *body, const char *own_text, const char *size)
{
    canonical_open_object(&body->writer);
    canonical_member_text(&body->writer, "size", size);
    canonical_member_text(&body->writer, "text", own_text);
    canonical_member_text(&body->writer, "type", "TextBlock");
    canonical_member_text(&body->writer, "weight", size == NULL ? NULL : "Bolder");
    canonical_member_bool(&body->writer, "wrap", true); /* else it is one line with an ellipsis */
    canonical_close_object(&body->writer);
}

static void run(struct body *body, const char *text, bool is_monospace, bool is_bold)
{
    canonical_open_object(&body->writer);
    canonical_member_text(&body->writer, "fontType", is_monospace ? "Monospace" : NULL);
    canonical_member_text(&body->writer, "text", text);
    canonical_member_text(&body->writer, "type", "TextRun");
    canonical_member_text(&body->writer, "weight", is_bold ? "Bolder" : NULL);
    canonical_close_object(&body->writer);
}

/* A label of ours and a text from outside, which is not read as Markdown. */
static void rich_text(struct body *body, const char *label, const char *text, bool is_monospace)
{
    canonical_open_object(&body->writer);
    canonical_name(&body->writer, "inlines");
    canonical_open_array(&body->writer);
    if (label != NULL) {
        run(body, arena_printf(body->arena, "%s: ", label), false, true);
    }
    run(body, text, is_monospace, false);
    canonical_close_array(&body->writer);
    canonical_member_text(&body->writer, "type", "RichTextBlock");
    canonical_close_object(&body->writer);
}

static bool all_elements(struct body *body, const struct card *card)
{
    struct card_fact facts[CARD_FACTS_MAX + 12];
    bool is_whole = false;
    size_t count = card_facts(card, body->arena, facts);
    const char *outcome = card_outcome(card, body->arena);
    text_block(body, card_heading(card), "Large");
    rich_text(body, NULL, card->action, true);
    if (outcome != NULL) {
        rich_text(body, NULL, outcome, false);
    }
    for (size_t i = 0; i < count && i < body->extent.fact_count; i++) {
        rich_text(body, facts[i].label, facts[i].value, false);
    }
    if (count > body->extent.fact_count) {
        text_block(body, "More than this fits here: open the request.", NULL);
    }
    if (card->message != NULL) {
        rich_text(body, "Policy", card->message, false);
    }
    const char *arguments =
        card_arguments(card, body->extent.arguments_bytes, body->arena, &is_whole);
    if (card_has_arguments(card)) {
        rich_text(body, NULL, arguments, true);
    }
    is_whole = is_whole && count <= body->extent.fact_count;
    if (card->why != NULL) {
        rich_text(body, "The agent says (not checked)", card->why, false);
    }
    const char *why_not = card_why_not(card, is_whole);
    if (why_not != NULL && outcome == NULL) {
        text_block(body, why_not, NULL);
    }
    return why_not == NULL;
}

static void execute(struct body *body, const struct card *card, const char *verb, const char *title,
                    const char *style)
{
    struct canonical_writer *writer = &body->writer;
    canonical_open_object(writer);
    canonical_name(writer, "data");
    canonical_open_object(writer);
    canonical_member_text(writer, "n", card->nonce);
    canonical_member_text(writer, "r", card->request);
    canonical_close_object(writer);
    canonical_member_text(writer, "style", style);
    canonical_member_text(writer, "title", title);
    canonical_member_text(writer, "type", "Action.Execute");
    canonical_member_text(writer, "verb", verb);
    canonical_close_object(writer);
}

static void open_url(struct body *body, const struct card *card)
{
    canonical_open_object(&body->writer);
    canonical_member_text(&body->writer, "title", "Open in dashboard");
    canonical_member_text(&body->writer, "type", "Action.OpenUrl");
    canonical_member_text(&body->writer, "url", card->link);
    canonical_close_object(&body->writer);
}

/* Deny opens a card of its own, where a reason may be given. */
static void show_deny(struct body *body, const struct card *card)
{
    struct canonical_writer *writer = &body->writer;
    canonical_open_object(writer);
    canonical_name(writer, "card");
    canonical_open_object(writer);
    canonical_name(writer, "actions");
    canonical_open_array(writer);
    execute(body, card, "deny", "Deny", "destructive");
    canonical_close_array(writer);
    canonical_name(writer, "body");
    canonical_open_array(writer);
    canonical_open_object(writer);
    canonical_member_text(writer, "id", "reason");
    canonical_member_bool(writer, "isMultiline", true);
    canonical_member_text(writer, "label", "Why not? The agent is told.");
    canonical_member_integer(writer, "maxLength", 240);
    canonical_member_text(writer, "type", "Input.Text");
    canonical_close_object(writer);
    canonical_close_array(writer);
    canonical_member_text(writer, "type", "AdaptiveCard");
    canonical_close_object(writer);
    canonical_member_text(writer, "title", "Deny…");
    canonical_member_text(writer, "type", "Action.ShowCard");
    canonical_close_object(writer);
}

static void all_actions(struct body *body, const struct card *card, bool has_buttons,
                        bool may_approve)
{
    bool is_open = has_buttons && strcmp(card->state, "pending") == 0 && card->nonce[0] != '\0';
    if (is_open && may_approve) {
        execute(body, card, "approve", "Approve", "positive");
    }
    if (is_open) {
        show_deny(body, card);
    }
    open_url(body, card);
}

/* Names ascend in canonical JSON: the actions stand before the body, which says whether there may
 * be any. */
static void write_card(struct builder *out, const struct card *card, bool has_buttons,
                       struct extent extent, struct arena *arena)
{
    struct builder elements BUILDER_SCOPE;
    struct builder actions BUILDER_SCOPE;
    struct canonical_writer writer;
    struct body body = {.arena = arena, .extent = extent};
    builder_init(&elements, 0);
    builder_init(&actions, 0);
    canonical_begin(&body.writer, &elements);
    canonical_open_array(&body.writer);
    bool may_approve = all_elements(&body, card);
    canonical_close_array(&body.writer);
    canonical_begin(&body.writer, &actions);
    canonical_open_array(&body.writer);
    all_actions(&body, card, has_buttons, may_approve);
    canonical_close_array(&body.writer);
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    canonical_member_raw(&writer, "actions", actions.bytes, actions.length);
    canonical_member_raw(&writer, "body", elements.bytes, elements.length);
    canonical_member_text(&writer, "type", "AdaptiveCard");
    canonical_member_text(&writer, "version", "1.4");
    canonical_close_object(&writer);
}

void teams_card_append(struct builder *out, const struct card *card, bool has_buttons,
                       struct arena *arena)
{
    struct extent extent = {.arguments_bytes = ARGUMENTS_BYTES, .fact_count = SIZE_MAX};
    struct builder written BUILDER_SCOPE;
    builder_init(&written, 0);
    write_card(&written, card, has_buttons, extent, arena);
    while (written.length > CARD_BYTES_MAX && extent.fact_count != FEW_FACTS) {
        if (extent.arguments_bytes > ARGUMENTS_BYTES_MIN) {
            extent.arguments_bytes /= 2;
        } else {
            extent.fact_count = FEW_FACTS;
        }
        builder_clear(&written);
        write_card(&written, card, has_buttons, extent, arena);
    }
    builder_append(out, written.bytes, written.length);
}

void teams_message_append(struct builder *out, const struct card *card, bool has_buttons,
                          struct arena *arena)
{
    struct builder content BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&content, 0);
    teams_card_append(&content, card, has_buttons, arena);
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "attachments");
    canonical_open_array(&writer);
    canonical_open_object(&writer);
    canonical_member_raw(&writer, "content", content.bytes, content.length);
    canonical_member_text(&writer, "contentType", "application/vnd.microsoft.card.adaptive");
    canonical_close_object(&writer);
    canonical_close_array(&writer);
    canonical_member_text(&writer, "summary", has_buttons ? card_heading(card) : NULL);
    canonical_member_text(&writer, "type", "message");
    canonical_close_object(&writer);
}
