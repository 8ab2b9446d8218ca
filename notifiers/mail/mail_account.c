#include "notifiers/mail/mail_internal.h"
#include "notifiers/mail/mail_letter.h"

#include "formats/text.h"

/* The letter to the owner of an account. */

static const char footer[] =
    "This letter asks for nothing: nothing in it can be pressed or answered, and nobody will ask "
    "you for a password or a code. It is sent whatever else you are told, and cannot be turned off "
    "in your account.";
static const char last[] =
    "There were many of these within an hour: no more of this sort are told for now.";

/* The facts of both parts, with the gateway's own first. At most ACCOUNT_FACTS_MAX + 4. */
static size_t list_facts(const struct account_notice *notice, struct arena *arena,
                         struct account_fact *out)
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

bool mail_append_account(struct builder *out, const struct account_notice *notice,
                         const struct mail_envelope *envelope, struct arena *arena,
                         struct error *error)
{
    struct account_fact facts[ACCOUNT_FACTS_MAX + 4];
    struct builder text BUILDER_SCOPE;
    struct builder html BUILDER_SCOPE;
    size_t count = list_facts(notice, arena, facts);
    const char *heading = account_heading(notice->moment);
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
    builder_printf(&text, "\r\n%s\r\n", account_advice(notice));
    mail_append_element(&html, "<p><b>", account_advice(notice), "</b></p>");
    if (notice->is_last) {
        builder_printf(&text, "\r\n%s\r\n", last);
        mail_append_element(&html, "<p>", last, "</p>");
    }
    builder_printf(&text, "\r\n%s\r\n", footer);
    mail_append_element(&html, "<p>", footer, "</p>");
    mail_end_html(&html);
    struct mail_parts parts = {
        .subject = arena_printf(arena, "[Countersign] %s", heading), .text = &text, .html = &html};
    return mail_append_parts(out, &parts, envelope, arena, error);
}
