/* Cards on every channel that shows them, from texts of an agent's: whatever they are, what leaves
 * is JSON (or a letter), within the channel's bounds, shows nothing that hides, and offers Approve
 * only where all of the arguments are shown. The lines of the input are action, resource, why, and
 * the arguments. */

#include "base/check.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include "formats/text.h"
#include "notifiers/mail/mail_letter.h"
#include "notifiers/notifier.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/teams/teams_card.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void member(struct builder *out, const char *name, const char *text, size_t length)
{
    builder_printf(out, "\"%s\":", name);
    canonical_append_string(out, text, length);
    builder_char(out, ',');
}

/* Up to the next line's end, or all there is for the last. */
static size_t line(const char **text, size_t *left, bool is_last)
{
    const char *end = is_last ? NULL : memchr(*text, '\n', *left);
    size_t length = end == NULL ? *left : (size_t)(end - *text);
    return length;
}

static void skip(const char **text, size_t *left, size_t length)
{
    size_t taken = length < *left ? length + 1 : length;
    *text += taken;
    *left -= taken;
}

static void write_card(struct builder *out, const char *text, size_t left)
{
    static const char *const names[] = {"action", "resource", "why"};
    struct builder arguments BUILDER_SCOPE;
    builder_init(&arguments, 0);
    builder_char(out, '{');
    for (size_t i = 0; i < 3; i++) {
        size_t length = line(&text, &left, false);
        member(out, names[i], text, length);
        skip(&text, &left, length);
    }
    builder_text(&arguments, "{\"a\":");
    canonical_append_string(&arguments, text, left);
    builder_char(&arguments, '}');
    member(out, "arguments", arguments.bytes, arguments.length);
    builder_text(out, "\"agent\":\"bot\",\"decides\":true,\"digest\":\"0123456789abcdef\",\"link\":"
                      "\"https://gw.example/requests/r\",\"moment\":\"asked\",\"nonce\":"
                      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"request\":"
                      "\"req_00000000000000000000000000\",\"revision\":1,\"risk\":\"low\","
                      "\"state\":\"pending\",\"subject\":\"user/dana\"}");
}

static void check_shown(const struct builder *out)
{
    struct error error = {0};
    struct json_document *document JSON_SCOPE = json_parse(out->bytes, out->length, &error);
    CHECK(document != NULL);
    CHECK(strstr(out->bytes, "\xE2\x80\xAE") == NULL && strstr(out->bytes, "\xE2\x80\x8B") == NULL);
}

/* `approve` is what only the button has. */
static void check_button(const struct builder *out, const char *approve, const struct card *card,
                         struct arena *arena)
{
    struct builder literal BUILDER_SCOPE;
    bool is_whole = false;
    const char *all = card_arguments(card, 1024 * 1024, arena, &is_whole);
    builder_init(&literal, 0);
    canonical_append_string(&literal, all, strlen(all));
    CHECK(is_whole);
    check_shown(out);
    CHECK(strstr(out->bytes, approve) == NULL || strstr(out->bytes, literal.bytes) != NULL);
}

static void show_by_template(const struct card *card, struct arena *arena)
{
    static const char *const names[] = {"ntfy", "pagerduty", "mattermost", "discord",
                                        "google-chat"};
    static const struct template_option options[] = {{"topic", "t"}, {"routing_key", "r"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct builder out BUILDER_SCOPE;
        struct error error = {0};
        const char *template = template_shipped(names[i]);
        builder_init(&out, 0);
        CHECK(template_append(&out, template, strlen(template), card, options, 2, arena, &error));
        check_shown(&out);
    }
}

static void show_by_mail(const struct card *card, struct arena *arena)
{
    struct mail_envelope envelope = {
        .from = "a@example.com", .to = "b@example.com", .notice = "ntc_1", .now = 1000};
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    CHECK(mail_append(&out, card, &envelope, arena, &error));
    for (size_t i = 0; i < out.length; i++) {
        CHECK((unsigned char)out.bytes[i] < 0x80 && out.bytes[i] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
    struct arena *arena ARENA_SCOPE = arena_create();
    struct builder json BUILDER_SCOPE;
    struct builder slack BUILDER_SCOPE;
    struct builder teams BUILDER_SCOPE;
    struct error error = {0};
    struct card card;
    builder_init(&json, 0);
    builder_init(&slack, 0);
    builder_init(&teams, 0);
    write_card(&json, (const char *)bytes, length);
    if (!card_read(json.bytes, json.length, arena, &card, &error)) {
        return 0; /* an action or a resource that is nothing */
    }
    slack_card_append(&slack, &card, "C1", NULL, arena);
    check_button(&slack, "\"" SLACK_APPROVE "\"", &card, arena);
    teams_message_append(&teams, &card, true, arena);
    check_button(&teams, "\"verb\":\"approve\"", &card, arena);
    CHECK(teams.length <= TEAMS_MESSAGE_BYTES_MAX);
    show_by_template(&card, arena);
    show_by_mail(&card, arena);
    return 0;
}
