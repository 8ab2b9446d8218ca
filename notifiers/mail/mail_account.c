#include "notifiers/mail/mail_internal.h"

/* The letter to the owner of an account. */

bool mail_append_account(struct builder *out, const struct account_notice *notice,
                         const struct mail_envelope *envelope, struct arena *arena,
                         struct error *error)
{
    struct account_fact facts[ACCOUNT_FACTS_SHOWN_MAX];
    struct builder text BUILDER_SCOPE;
    struct builder html BUILDER_SCOPE;
    size_t count = account_facts(notice, arena, facts);
    const char *heading = account_heading(notice->moment);
    const char *closing = account_closing(notice, arena);
    builder_init(&text, 0);
    builder_init(&html, 0);
    builder_printf(&text, "%s\r\n\r\n", heading);
    mail_begin_html(&html);
    mail_append_element(&html, "<h2>", heading, "</h2>");
    builder_text(&html, "<table>");
    for (size_t i = 0; i < count; i++) {
        builder_printf(&text, "%s: %s\r\n", facts[i].label, facts[i].value);
        mail_append_element(&html, "<tr><th align=\"left\">", facts[i].label, "</th>");
        mail_append_element(&html, "<td><bdi>", facts[i].value, "</bdi></td></tr>");
    }
    builder_text(&html, "</table>");
    builder_printf(&text, "\r\n%s\r\n\r\n%s\r\n", account_advice(notice), closing);
    mail_append_element(&html, "<p><b>", account_advice(notice), "</b></p>");
    mail_append_element(&html, "<p>", closing, "</p>");
    mail_end_html(&html);
    struct mail_parts parts = {
        .subject = arena_printf(arena, "[Countersign] %s", heading), .text = &text, .html = &html};
    return mail_append_parts(out, &parts, envelope, arena, error);
}
