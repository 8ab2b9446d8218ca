#include "formats/canonical.h"
#include "formats/text.h"
#include "notifiers/slack/slack_internal.h"
#include <string.h>

/* What the owner of an account is told in their own conversation: plain_text alone, and nothing to
 * press. */

enum { HEADER_BYTES = 150, TEXT_BYTES = 3000 };

static void append_block(struct canonical_writer *writer, const char *type, const char *text,
                         size_t bytes_max, struct arena *arena)
{
    canonical_open_object(writer);
    canonical_name(writer, "text");
    canonical_open_object(writer);
    canonical_member_bool(writer, "emoji", false);
    canonical_member_text(writer, "text", arena_copy(arena, text, text_cut(text, bytes_max)));
    canonical_member_text(writer, "type", "plain_text");
    canonical_close_object(writer);
    canonical_member_text(writer, "type", type);
    canonical_close_object(writer);
}

static const char *list_facts(const struct account_notice *notice, struct arena *arena)
{
    struct account_fact facts[ACCOUNT_FACTS_SHOWN_MAX];
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    size_t count = account_facts(notice, arena, facts);
    for (size_t i = 0; i < count; i++) {
        builder_printf(&text, "%s%s: %s", i == 0 ? "" : "\n", facts[i].label, facts[i].value);
    }
    return arena_copy(arena, text.bytes, text.length);
}

void slack_account_append(struct builder *out, const struct account_notice *notice,
                          const char *channel, struct arena *arena)
{
    const char *heading = account_heading(notice->moment);
    struct canonical_writer writer;
    canonical_begin(&writer, out);
    canonical_open_object(&writer);
    canonical_name(&writer, "blocks");
    canonical_open_array(&writer);
    append_block(&writer, "header", heading, HEADER_BYTES, arena);
    append_block(&writer, "section", list_facts(notice, arena), TEXT_BYTES, arena);
    append_block(&writer, "section", account_advice(notice), TEXT_BYTES, arena);
    append_block(&writer, "section", account_closing(notice, arena), TEXT_BYTES, arena);
    canonical_close_array(&writer);
    canonical_member_text(&writer, "channel", channel);
    canonical_member_text(&writer, "text", heading);
    canonical_member_bool(&writer, "unfurl_links", false);
    canonical_close_object(&writer);
}
