#include "notifiers/mail/mail_internal.h"

#include "formats/text.h"
#include <string.h>
#include <time.h>

enum { ARGUMENTS_BYTES = 32 * 1024, LINE_BYTES = 57 }; /* 57 bytes are 76 characters of base64 */

bool mail_is_address(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-";
    static const char domain_allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *at = text == NULL ? NULL : strchr(text, '@');
    if (at == NULL || at == text || strlen(text) > MAIL_ADDRESS_BYTES_MAX) {
        return false;
    }
    size_t local = (size_t)(at - text);
    const char *domain = at + 1;
    return strspn(text, allowed) == local && text[0] != '.' && at[-1] != '.' &&
           strstr(text, "..") == NULL && domain[0] != '\0' && domain[0] != '.' &&
           domain[0] != '-' && domain[strspn(domain, domain_allowed)] == '\0';
}

static void append_date(struct builder *out, int64_t now)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    builder_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[parts.tm_wday],
                   parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                   parts.tm_min, parts.tm_sec);
}

static void append_headers(struct builder *out, const struct mail_parts *parts,
                           const struct mail_envelope *envelope)
{
    const char *domain = strchr(envelope->from, '@') + 1;
    append_date(out, envelope->now);
    builder_printf(out, "From: Countersign <%s>\r\nTo: <%s>\r\n", envelope->from, envelope->to);
    builder_printf(out, "Message-ID: <%s@%s>\r\n", envelope->notice, domain);
    if (parts->thread != NULL) {
        builder_printf(out, "References: <%s@%s>\r\n", parts->thread, domain);
    }
    builder_printf(out, "Subject: %s\r\n", parts->subject);
    builder_text(
        out,
        "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n");
}

static void append_part(struct builder *out, const char *boundary, const char *type,
                        const struct builder *body)
{
    builder_printf(
        out, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        boundary, type);
    for (size_t at = 0; at < body->length; at += LINE_BYTES) {
        size_t left = body->length - at;
        text_append_base64(out, (const unsigned char *)body->bytes + at,
                           left < LINE_BYTES ? left : LINE_BYTES);
        builder_text(out, "\r\n");
    }
}

/* What both parts say. */
struct letter {
    const char *heading, *outcome, *arguments, *why_not;
    struct card_fact facts[CARD_FACTS_MAX + 12];
    size_t fact_count;
};

static void fill_letter(const struct card *card, struct arena *arena, struct letter *out)
{
    bool is_whole = false;
    out->heading = card_heading(card);
    out->outcome = card_outcome(card, arena);
    out->fact_count = card_facts(card, arena, out->facts);
    out->arguments = card_arguments(card, ARGUMENTS_BYTES, arena, &is_whole);
    out->why_not = is_whole ? NULL : card_why_not(card, is_whole);
}

static void write_text(struct builder *out, const struct card *card, const struct letter *letter)
{
    builder_printf(out, "%s\r\n\r\n  %s\r\n\r\n", letter->heading, card->action);
    if (letter->outcome != NULL) {
        builder_printf(out, "%s\r\n\r\n", letter->outcome);
    }
    builder_printf(out, "Read it and decide in the dashboard:\r\n%s\r\n\r\n", card->link);
    for (size_t i = 0; i < letter->fact_count; i++) {
        builder_printf(out, "%s: %s\r\n", letter->facts[i].label, letter->facts[i].value);
    }
    if (card->message != NULL) {
        builder_printf(out, "Policy: %s\r\n", card->message);
    }
    if (card_has_arguments(card)) {
        builder_text(out, "\r\nWhat would run, as the agent sent it:\r\n\r\n");
        builder_text(out, letter->arguments);
    }
    if (letter->why_not != NULL) {
        builder_printf(out, "\r\n\r\n%s", letter->why_not);
    }
    if (card->why != NULL) {
        builder_printf(out, "\r\n\r\nThe agent says (not checked): %s", card->why);
    }
    builder_text(out, "\r\n\r\nNobody can decide by mail: answering this, or opening the link, "
                      "changes nothing.\r\n");
}

static void escape(struct builder *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity != NULL) {
            builder_text(out, entity);
        } else {
            builder_char(out, *text);
        }
    }
}

void mail_append_element(struct builder *out, const char *open, const char *text, const char *close)
{
    if (text != NULL) {
        builder_text(out, open);
        escape(out, text);
        builder_text(out, close);
    }
}

void mail_begin_html(struct builder *out)
{
    builder_text(out, "<!doctype html><html lang=\"en\"><head><meta "
                      "charset=\"utf-8\"><title>Countersign</title></head><body>");
}

void mail_end_html(struct builder *out)
{
    builder_text(out, "</body></html>");
}

static void write_html(struct builder *out, const struct card *card, const struct letter *letter)
{
    mail_begin_html(out);
    mail_append_element(out, "<h2>", letter->heading, "</h2>");
    mail_append_element(out, "<p><b><bdi>", card->action, "</bdi></b></p>");
    mail_append_element(out, "<p>", letter->outcome, "</p>");
    mail_append_element(out, "<p><a href=\"", card->link,
                        "\">Read it and decide in the dashboard</a></p>");
    builder_text(out, "<table>");
    for (size_t i = 0; i < letter->fact_count; i++) {
        mail_append_element(out, "<tr><th align=\"left\">", letter->facts[i].label, "</th>");
        mail_append_element(out, "<td><bdi>", letter->facts[i].value, "</bdi></td></tr>");
    }
    builder_text(out, "</table>");
    mail_append_element(out, "<p><b>Policy:</b> ", card->message, "</p>");
    if (card_has_arguments(card)) {
        builder_text(out, "<p>What would run, as the agent sent it:</p>");
        mail_append_element(
            out,
            "<pre dir=\"ltr\" "
            "style=\"unicode-bidi:isolate;white-space:pre-wrap;overflow-wrap:anywhere\">",
            letter->arguments, "</pre>");
    }
    mail_append_element(out, "<p>", letter->why_not, "</p>");
    mail_append_element(out, "<p><b>The agent says (not checked):</b> <bdi>", card->why,
                        "</bdi></p>");
    builder_text(out, "<p>Nobody can decide by mail: answering this, or opening the link, changes "
                      "nothing.</p>");
    mail_end_html(out);
}

bool mail_append_parts(struct builder *out, const struct mail_parts *parts,
                       const struct mail_envelope *envelope, struct arena *arena,
                       struct error *error)
{
    if (!mail_is_address(envelope->from) || !mail_is_address(envelope->to)) {
        return error_set(
            error, ERROR_INVALID, "bad_address", NULL,
            "a mail channel needs `from` and `to` as plain addresses, `name@example.com`");
    }
    /* Base64 lines never begin with two hyphens: no boundary can occur in a part. */
    const char *boundary = arena_printf(arena, "part-%s", envelope->notice);
    append_headers(out, parts, envelope);
    builder_printf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
    append_part(out, boundary, "text/plain", parts->text);
    append_part(out, boundary, "text/html", parts->html);
    builder_printf(out, "--%s--\r\n", boundary);
    return true;
}

bool mail_append(struct builder *out, const struct card *card, const struct mail_envelope *envelope,
                 struct arena *arena, struct error *error)
{
    struct builder text BUILDER_SCOPE;
    struct builder html BUILDER_SCOPE;
    struct letter letter;
    builder_init(&text, 0);
    builder_init(&html, 0);
    fill_letter(card, arena, &letter);
    write_text(&text, card, &letter);
    write_html(&html, card, &letter);
    struct mail_parts parts = {
        .subject = arena_printf(arena, "[Countersign] %s (%s)", card_heading(card), card->request),
        .thread = card->request, /* all mails about one request are one thread */
        .text = &text,
        .html = &html};
    return mail_append_parts(out, &parts, envelope, arena, error);
}
