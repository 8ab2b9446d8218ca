#include "notifiers/slack/slack_card.h"

#include "formats/canonical.h"
#include "formats/text.h"
#include <string.h>

/* What each part may take, so that all together stay below what Slack takes of a message. */
enum {
    HEADER_BYTES = 150,
    FIELDS_MAX = 10,
    FIELD_BYTES = 1450,
    FACTS_BYTES = 3600, /* shared out evenly when there is more */
    NAMED_FACTS = 3,    /* agent, for whom, on what: they stand in no arguments */
    ACTION_BYTES = 1000,
    WHY_BYTES = 1700,
    TEXT_BYTES = 700,
    ARGUMENTS_LEAST = 1000,
    LAST_BYTES = 2600, /* the agent's reason and the buttons, behind the arguments */
};

struct blocks {
    struct canonical_writer writer;
    struct arena *arena;
    size_t used;       /* bytes of text so far */
    bool lacks_a_name; /* of what is asked, by whom, or on what, not all is shown */
};

/* {"emoji":false,"text":…,"type":"plain_text"}, cut to what Slack takes; false when it was cut. */
static bool plain_text(struct blocks *blocks, const char *text, size_t bytes_max)
{
    size_t length = strlen(text);
    size_t kept = length <= bytes_max ? length : text_cut(text, bytes_max - 4);
    const char *shown =
        kept == length ? text : arena_printf(blocks->arena, "%.*s …", (int)kept, text);
    canonical_open_object(&blocks->writer);
    canonical_member_bool(&blocks->writer, "emoji", false);
    canonical_member_text(&blocks->writer, "text", shown);
    canonical_member_text(&blocks->writer, "type", "plain_text");
    canonical_close_object(&blocks->writer);
    blocks->used += strlen(shown);
    return kept == length;
}

static void header(struct blocks *blocks, const char *text)
{
    canonical_open_object(&blocks->writer);
    canonical_name(&blocks->writer, "text");
    plain_text(blocks, text, HEADER_BYTES);
    canonical_member_text(&blocks->writer, "type", "header");
    canonical_close_object(&blocks->writer);
}

static bool section(struct blocks *blocks, const char *text, size_t bytes_max)
{
    canonical_open_object(&blocks->writer);
    canonical_member_bool(&blocks->writer, "expand", true); /* nothing folded behind "see more" */
    canonical_name(&blocks->writer, "text");
    bool is_whole = plain_text(blocks, text, bytes_max);
    canonical_member_text(&blocks->writer, "type", "section");
    canonical_close_object(&blocks->writer);
    return is_whole;
}

static void context(struct blocks *blocks, const char *text)
{
    canonical_open_object(&blocks->writer);
    canonical_name(&blocks->writer, "elements");
    canonical_open_array(&blocks->writer);
    plain_text(blocks, text, WHY_BYTES);
    canonical_close_array(&blocks->writer);
    canonical_member_text(&blocks->writer, "type", "context");
    canonical_close_object(&blocks->writer);
}

/* The first `named` of them must stand there whole. */
static void fields(struct blocks *blocks, const struct card_fact *facts, size_t count,
                   size_t bytes_max, size_t named)
{
    canonical_open_object(&blocks->writer);
    canonical_name(&blocks->writer, "fields");
    canonical_open_array(&blocks->writer);
    for (size_t i = 0; i < count; i++) {
        const char *text = arena_printf(blocks->arena, "%s\n%s", facts[i].label, facts[i].value);
        bool is_whole = plain_text(blocks, text, bytes_max);
        blocks->lacks_a_name = blocks->lacks_a_name || (i < named && !is_whole);
    }
    canonical_close_array(&blocks->writer);
    canonical_member_text(&blocks->writer, "type", "section");
    canonical_close_object(&blocks->writer);
}

static void all_fields(struct blocks *blocks, const struct card *card)
{
    struct card_fact facts[CARD_FACTS_MAX + 12];
    size_t count = card_facts(card, blocks->arena, facts);
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += strlen(facts[i].label) + 1 + strlen(facts[i].value);
    }
    size_t each = bytes <= FACTS_BYTES ? FIELD_BYTES : FACTS_BYTES / count;
    for (size_t i = 0; i < count; i += FIELDS_MAX) {
        fields(blocks, facts + i, count - i < FIELDS_MAX ? count - i : FIELDS_MAX, each,
               i == 0 ? NAMED_FACTS : 0);
    }
}

/* rich_text > rich_text_preformatted > text: an element tree, whose text is data. */
static void preformatted(struct blocks *blocks, const char *text)
{
    struct canonical_writer *writer = &blocks->writer;
    canonical_open_object(writer);
    canonical_name(writer, "elements");
    canonical_open_array(writer);
    canonical_open_object(writer);
    canonical_name(writer, "elements");
    canonical_open_array(writer);
    canonical_open_object(writer);
    canonical_member_text(writer, "text", text);
    canonical_member_text(writer, "type", "text");
    canonical_close_object(writer);
    canonical_close_array(writer);
    canonical_member_text(writer, "type", "rich_text_preformatted");
    canonical_close_object(writer);
    canonical_close_array(writer);
    canonical_member_text(writer, "type", "rich_text");
    canonical_close_object(writer);
    blocks->used += strlen(text);
}

struct button {
    const char *action, *label, *style, *url, *value;
    const struct card *confirms; /* what the second click names; NULL: none is asked */
};

static void confirm(struct blocks *blocks, const struct card *card)
{
    struct canonical_writer *writer = &blocks->writer;
    canonical_name(writer, "confirm");
    canonical_open_object(writer);
    canonical_name(writer, "confirm");
    plain_text(blocks, "Approve", 30);
    canonical_name(writer, "deny");
    plain_text(blocks, "Not yet", 30);
    canonical_name(writer, "text");
    plain_text(blocks,
               arena_printf(blocks->arena, "%s on %s. It runs once, exactly as shown.",
                            card->action, card->resource),
               290);
    canonical_name(writer, "title");
    plain_text(blocks, "Approve this?", 100);
    canonical_close_object(writer);
}

static void button(struct blocks *blocks, const struct button *what)
{
    struct canonical_writer *writer = &blocks->writer;
    canonical_open_object(writer);
    canonical_member_text(writer, "action_id", what->action);
    if (what->confirms != NULL) {
        confirm(blocks, what->confirms);
    }
    canonical_member_text(writer, "style", what->style);
    canonical_name(writer, "text");
    plain_text(blocks, what->label, 75);
    canonical_member_text(writer, "type", "button");
    canonical_member_text(writer, "url", what->url);
    canonical_member_text(writer, "value", what->value);
    canonical_close_object(writer);
}

static void buttons(struct blocks *blocks, const struct card *card, bool may_approve)
{
    const char *value = arena_printf(blocks->arena, "v1.%s.%s", card->request, card->nonce);
    bool is_open = strcmp(card->state, "pending") == 0 && card->nonce[0] != '\0';
    canonical_open_object(&blocks->writer);
    canonical_name(&blocks->writer, "elements");
    canonical_open_array(&blocks->writer);
    if (is_open && may_approve) {
        button(blocks, &(struct button){SLACK_APPROVE, "Approve", "primary", NULL, value, card});
    }
    if (is_open) {
        button(blocks, &(struct button){SLACK_DENY, "Deny…", "danger", NULL, value, NULL});
    }
    button(blocks, &(struct button){SLACK_OPEN, is_open ? "Open in dashboard" : "Open", NULL,
                                    card->link, NULL, NULL});
    canonical_close_array(&blocks->writer);
    canonical_member_text(&blocks->writer, "type", "actions");
    canonical_close_object(&blocks->writer);
}

static void all_blocks(struct blocks *blocks, const struct card *card)
{
    bool is_whole = false;
    const char *outcome = card_outcome(card, blocks->arena);
    const char *head = arena_printf(blocks->arena, "%s: %s", card_heading(card), card->action);
    header(blocks, head);
    if (strlen(head) > HEADER_BYTES) { /* what is approved stands somewhere as a whole */
        blocks->lacks_a_name =
            !section(blocks, arena_printf(blocks->arena, "Action: %s", card->action), ACTION_BYTES);
    }
    if (outcome != NULL) {
        section(blocks, outcome, TEXT_BYTES);
    }
    all_fields(blocks, card);
    if (card->message != NULL) {
        section(blocks, arena_printf(blocks->arena, "Policy: %s", card->message), TEXT_BYTES);
    }
    size_t left = SLACK_CARD_BYTES > blocks->used + LAST_BYTES
                      ? SLACK_CARD_BYTES - blocks->used - LAST_BYTES
                      : 0;
    const char *arguments = card_arguments(card, left < ARGUMENTS_LEAST ? ARGUMENTS_LEAST : left,
                                           blocks->arena, &is_whole);
    if (card_has_arguments(card)) {
        preformatted(blocks, arguments);
    }
    if (card->why != NULL) {
        context(blocks, arena_printf(blocks->arena, "The agent says (not checked): %s", card->why));
    }
    const char *why_not = card_why_not(card, is_whole && !blocks->lacks_a_name);
    if (why_not != NULL && outcome == NULL) {
        context(blocks, why_not);
    }
    buttons(blocks, card, why_not == NULL);
}

/* The fallback text is parsed as mrkdwn: only words of our own and the link go there. */
static const char *fallback(const struct card *card, struct arena *arena)
{
    return arena_printf(arena, "%s (risk %s): %s", card_heading(card), card->risk, card->link);
}

void slack_card_append(struct builder *out, const struct card *card, const char *channel,
                       const char *ts, struct arena *arena)
{
    struct blocks blocks = {.arena = arena};
    canonical_begin(&blocks.writer, out);
    canonical_open_object(&blocks.writer);
    canonical_name(&blocks.writer, "blocks");
    canonical_open_array(&blocks.writer);
    all_blocks(&blocks, card);
    canonical_close_array(&blocks.writer);
    canonical_member_text(&blocks.writer, "channel", channel);
    canonical_member_bool(&blocks.writer, "link_names", false);
    canonical_member_text(&blocks.writer, "parse", "none");
    canonical_member_text(&blocks.writer, "text", fallback(card, arena));
    canonical_member_text(&blocks.writer, "ts", ts);
    canonical_member_bool(&blocks.writer, "unfurl_links", false);
    canonical_member_bool(&blocks.writer, "unfurl_media", false);
    canonical_close_object(&blocks.writer);
}

static void reason_input(struct blocks *blocks)
{
    struct canonical_writer *writer = &blocks->writer;
    canonical_open_object(writer);
    canonical_member_text(writer, "block_id", "reason");
    canonical_name(writer, "element");
    canonical_open_object(writer);
    canonical_member_text(writer, "action_id", "reason");
    canonical_member_integer(writer, "max_length", 240);
    canonical_member_bool(writer, "multiline", true);
    canonical_member_text(writer, "type", "plain_text_input");
    canonical_close_object(writer);
    canonical_name(writer, "label");
    plain_text(blocks, "Why not? The agent is told.", 100);
    canonical_member_bool(writer, "optional", true);
    canonical_member_text(writer, "type", "input");
    canonical_close_object(writer);
}

void slack_deny_modal_append(struct builder *out, const char *trigger, const char *value,
                             const char *place, struct arena *arena)
{
    struct blocks blocks = {0};
    struct canonical_writer *writer = &blocks.writer;
    canonical_begin(writer, out);
    canonical_open_object(writer);
    canonical_member_text(writer, "trigger_id", trigger);
    canonical_name(writer, "view");
    canonical_open_object(writer);
    canonical_name(writer, "blocks");
    canonical_open_array(writer);
    reason_input(&blocks);
    canonical_close_array(writer);
    canonical_member_text(writer, "callback_id", SLACK_DENY);
    canonical_name(writer, "close");
    plain_text(&blocks, "Back", 24);
    canonical_member_text(writer, "private_metadata", arena_printf(arena, "%s %s", value, place));
    canonical_name(writer, "submit");
    plain_text(&blocks, "Deny", 24);
    canonical_name(writer, "title");
    plain_text(&blocks, "Deny this request", 24);
    canonical_member_text(writer, "type", "modal");
    canonical_close_object(writer);
    canonical_close_object(writer);
}
