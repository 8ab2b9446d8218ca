#include "base/arena.h"
#include "formats/canonical.h"
#include "formats/json.h"
#include "notifiers/card.h"
#include "notifiers/slack/slack_card.h"
#include "notifiers/teams/teams_card.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

/* A card's JSON with these arguments and this reason of the agent's, both as they would be sent. */
static const char *card_json(const char *arguments, const char *why, bool decides)
{
    struct builder out BUILDER_SCOPE;
    struct canonical_writer writer;
    builder_init(&out, 0);
    canonical_begin(&writer, &out);
    canonical_open_object(&writer);
    canonical_member_text(&writer, "action", "payments.refund");
    canonical_member_text(&writer, "agent", "billing-bot");
    canonical_name(&writer, "arguments");
    canonical_string(&writer, arguments);
    canonical_member_raw(&writer, "asked", "[\"finance\"]", 11);
    canonical_member_text(&writer, "created_at", "2026-11-24T06:24:23.123Z");
    canonical_member_bool(&writer, "decides", decides);
    canonical_member_text(&writer, "digest",
                          "b9d01a5e81274d7dca4df8f31d62a451fd719cc20b65808087ca3361639cdf5a");
    canonical_member_text(&writer, "link", "https://gw.example/requests/req_1");
    canonical_member_text(&writer, "moment", "asked");
    canonical_member_text(&writer, "nonce", "n1");
    canonical_member_text(&writer, "request", "req_1");
    canonical_member_text(&writer, "resource", "order/4711");
    canonical_member_integer(&writer, "revision", 1);
    canonical_member_text(&writer, "risk", "high");
    canonical_member_text(&writer, "state", "pending");
    canonical_member_text(&writer, "subject", "user/dana");
    canonical_member_text(&writer, "timeout_at", "2026-11-24T06:39:23.123Z");
    canonical_member_text(&writer, "why", why);
    canonical_close_object(&writer);
    return arena_copy(arena, out.bytes, out.length);
}

static struct card read_sample(const char *arguments, const char *why, bool decides)
{
    struct card card;
    struct error error = {0};
    const char *json = card_json(arguments, why, decides);
    ck_assert_msg(card_read(json, strlen(json), arena, &card, &error), "%s", error.message);
    return card;
}

START_TEST(card__arguments_stand_one_member_a_line)
{
    bool is_whole = false;
    struct card card = read_sample("{\"amount\":125,\"to\":[\"a\",\"b\"],\"x\":{}}", NULL, true);
    ck_assert_str_eq(
        card_arguments(&card, 4000, arena, &is_whole),
        "{\n  \"amount\": 125,\n  \"to\": [\n    \"a\",\n    \"b\"\n  ],\n  \"x\": {}\n}");
    ck_assert(is_whole);
    ck_assert_ptr_null(card_why_not(&card, is_whole));
}
END_TEST

START_TEST(card__signs_within_strings_do_not_break_lines)
{
    bool is_whole = false;
    struct card card = read_sample("{\"a\":\"x,{[\\\"]}:\\\\\"}", NULL, true);
    ck_assert_str_eq(card_arguments(&card, 4000, arena, &is_whole),
                     "{\n  \"a\": \"x,{[\\\"]}:\\\\\"\n}");
}
END_TEST

/* The value of the fact with this label; NULL when there is none. */
static const char *fact_of(const struct card *card, const char *label)
{
    struct card_fact facts[CARD_FACTS_MAX + 12];
    size_t count = card_facts(card, arena, facts);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(facts[i].label, label) == 0) {
            return facts[i].value;
        }
    }
    return NULL;
}

START_TEST(card__words_of_mixed_alphabets_are_named_wherever_they_stand)
{
    struct card card = read_sample("{\"to\":\"p\u0430ypal\"}", NULL, true);
    ck_assert_str_eq(fact_of(&card, "Mixed alphabets"), "p\u0430ypal (\u0430 U+0430)");
    card = read_sample("{\"a\":\"x\\n\u043F\u0440 \\u001b\u0430\"}", NULL, true);
    ck_assert_ptr_null(fact_of(&card, "Mixed alphabets")); /* escapes are no letters */
    card.resource = "order/\u0391dmin";
    ck_assert_str_eq(fact_of(&card, "Mixed alphabets"), "\u0391dmin (\u0391 U+0391)");
}
END_TEST

START_TEST(slack__an_action_too_long_for_the_heading_stands_below_it_as_a_whole)
{
    struct builder out BUILDER_SCOPE;
    struct card card = read_sample("{}", NULL, true);
    char action[200];
    memset(action, 'a', sizeof action - 1);
    memcpy(action + sizeof action - 8, ".delete", 8);
    builder_init(&out, 0);
    slack_card_append(&out, &card, "C1", NULL, arena);
    ck_assert_ptr_null(strstr(out.bytes, "\"Action: "));
    builder_clear(&out);
    card.action = action;
    slack_card_append(&out, &card, "C1", NULL, arena);
    ck_assert_ptr_nonnull(strstr(out.bytes, arena_printf(arena, "\"Action: %s\"", action)));
}
END_TEST

START_TEST(card__what_does_not_fit_keeps_head_and_tail_and_cannot_be_approved)
{
    bool is_whole = true;
    struct builder padded BUILDER_SCOPE;
    builder_init(&padded, 0);
    builder_text(&padded, "{\"a\":\"");
    for (int i = 0; i < 100000; i++) {
        builder_text(&padded, "pad ");
    }
    builder_text(&padded, "\",\"z\":\"rm -rf /\"}");
    struct card card = read_sample(padded.bytes, NULL, true);
    const char *shown = card_arguments(&card, 3000, arena, &is_whole);
    ck_assert(!is_whole);
    ck_assert_uint_le(strlen(shown), 3000);
    ck_assert_ptr_nonnull(strstr(shown, "\"z\": \"rm -rf /\""));
    ck_assert_ptr_nonnull(strstr(shown, "are not shown here"));
    ck_assert_ptr_nonnull(card_why_not(&card, is_whole));
}
END_TEST

START_TEST(card__a_cut_never_splits_a_character)
{
    bool is_whole = true;
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    builder_text(&text, "[\"");
    for (int i = 0; i < 2000; i++) {
        builder_text(&text, "€");
    }
    builder_text(&text, "\"]");
    struct card card = read_sample(text.bytes, NULL, true);
    for (size_t room = 130; room < 200; room++) {
        const char *shown = card_arguments(&card, room, arena, &is_whole);
        struct error error = {0};
        struct builder quoted BUILDER_SCOPE;
        builder_init(&quoted, 0);
        canonical_append_string(&quoted, shown, strlen(shown));
        struct json_document *document JSON_SCOPE = json_parse(quoted.bytes, quoted.length, &error);
        ck_assert_msg(document != NULL, "room %zu: %s", room, error.message);
    }
}
END_TEST

/* Each with what must not be found as it is in any text of a card. */
static const struct hostile {
    const char *text;   /* of an argument, as JSON string content */
    const char *hidden; /* raw bytes that would mislead; NULL: the text is harmless where nothing
                           interprets it */
} hostiles[] = {
    {"safe\u202E txt.exe", "\u202E"},
    {"a\u200Bb\u2060c", "\u200B"},
    {"\U000E0041\U000E0042", "\U000E0041"},
    {"<!channel> <@U123> <https://evil.example|https://good.example>", NULL},
    {"[click](javascript:alert(1)) **Approved by dana**", NULL},
    {"</pre><script>alert(1)</script>", NULL},
    {"\\u001b[31mred", "\x1b"},
    {"pay\u0430l.example", NULL},
};

/* Collects the strings under `name` anywhere below. */
static bool collect(void *context, const char *name, const struct json *value);

struct found {
    const char *container; /* the `type` of what holds a text */
    const char *needle;
    size_t outside; /* texts with the needle in a container that interprets */
    size_t inside;
};

static void walk(const struct json *value, struct found *found)
{
    if (json_type_of(value) == JSON_TYPE_ARRAY) {
        for (size_t i = 0; i < json_count(value); i++) {
            walk(json_element(value, i), found);
        }
    } else if (json_type_of(value) == JSON_TYPE_OBJECT) {
        const char *type = json_text(json_member(value, "type"));
        const char *text = json_text(json_member(value, "text"));
        if (text != NULL && strstr(text, found->needle) != NULL) {
            bool is_safe =
                type != NULL && (strcmp(type, "plain_text") == 0 || strcmp(type, "text") == 0 ||
                                 strcmp(type, "TextRun") == 0);
            found->inside += is_safe ? 1 : 0;
            found->outside += is_safe ? 0 : 1;
        }
        json_each_member(value, collect, found);
    }
}

static bool collect(void *context, const char *name, const struct json *value)
{
    (void)name;
    walk(value, context);
    return true;
}

static void render(struct builder *out, const struct card *card, bool is_slack)
{
    if (is_slack) {
        slack_card_append(out, card, "C1", NULL, arena);
    } else {
        teams_message_append(out, card, true, arena);
    }
}

START_TEST(card__hostile_text_stands_only_where_nothing_is_interpreted)
{
    const struct hostile *row = &hostiles[_i % (int)COUNT(hostiles)];
    bool is_slack = _i < (int)COUNT(hostiles);
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    struct card card =
        read_sample(arena_printf(arena, "{\"memo\":\"%s\"}", row->text), row->text, true);
    render(&out, &card, is_slack);
    struct json_document *document JSON_SCOPE = json_parse(out.bytes, out.length, &error);
    ck_assert_msg(document != NULL, "%s", error.message);
    if (row->hidden != NULL) {
        ck_assert_ptr_null(strstr(out.bytes, row->hidden));
    } else {
        struct found found = {.needle = row->text};
        walk(json_root(document), &found);
        ck_assert_uint_eq(found.outside, 0);
        ck_assert_uint_ge(found.inside, 2); /* the argument, and the agent's words */
    }
}
END_TEST

START_TEST(card__two_megabytes_fit_every_channel_and_lose_the_approve_button)
{
    bool is_slack = _i == 0;
    struct builder padded BUILDER_SCOPE;
    struct builder out BUILDER_SCOPE;
    builder_init(&padded, 0);
    builder_init(&out, 0);
    builder_text(&padded, "{\"a\":\"");
    while (padded.length < 2 * 1024 * 1024) {
        builder_text(&padded, "\u202E\\\\<€");
    }
    builder_text(&padded, "\"}");
    struct card card = read_sample(padded.bytes, padded.bytes, true);
    render(&out, &card, is_slack);
    ck_assert_uint_le(out.length, is_slack ? 40000 : TEAMS_MESSAGE_BYTES_MAX);
    ck_assert_ptr_null(strstr(out.bytes, is_slack ? SLACK_APPROVE : "\"approve\""));
    ck_assert_ptr_nonnull(strstr(out.bytes, is_slack ? SLACK_DENY : "\"deny\""));
}
END_TEST

START_TEST(card__no_approve_button_where_chat_does_not_suffice)
{
    bool is_slack = _i == 0;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    struct card card = read_sample("{\"amount\":125}", NULL, false);
    card.why_not = "This needs a passkey. Open the request to decide.";
    render(&out, &card, is_slack);
    ck_assert_ptr_null(strstr(out.bytes, is_slack ? SLACK_APPROVE : "\"approve\""));
    ck_assert_ptr_nonnull(strstr(out.bytes, card.why_not));
    ck_assert_ptr_nonnull(strstr(out.bytes, card.link));
}
END_TEST

START_TEST(card__what_has_ended_has_no_buttons_but_the_link)
{
    bool is_slack = _i == 0;
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    struct card card = read_sample("{\"amount\":125}", NULL, true);
    card.moment = CARD_ENDED;
    card.state = "denied";
    card.ended_at = 1000;
    card.decided_by[card.decided_count++] = "dana";
    render(&out, &card, is_slack);
    ck_assert_ptr_null(strstr(out.bytes, is_slack ? SLACK_APPROVE : "\"approve\""));
    ck_assert_ptr_null(strstr(out.bytes, is_slack ? SLACK_DENY : "\"deny\""));
    ck_assert_ptr_nonnull(strstr(out.bytes, "Denied by dana at 1970-01-01T00:00:01 UTC"));
}
END_TEST

START_TEST(card__a_card_without_its_members_is_corrupt)
{
    struct card card;
    struct error error = {0};
    ck_assert(!card_read("{\"moment\":\"asked\"}", 18, arena, &card, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
}
END_TEST

static bool add_text(void *context, const char *name, const struct json *value);

/* Bytes of all that stands in a `text`. */
static void add_texts(const struct json *value, size_t *bytes)
{
    for (size_t i = 0; json_type_of(value) == JSON_TYPE_ARRAY && i < json_count(value); i++) {
        add_texts(json_element(value, i), bytes);
    }
    if (json_type_of(value) == JSON_TYPE_OBJECT) {
        json_each_member(value, add_text, bytes);
    }
}

static bool add_text(void *context, const char *name, const struct json *value)
{
    size_t *bytes = context;
    *bytes += strcmp(name, "text") == 0 && json_text(value) != NULL ? json_text_length(value) : 0;
    add_texts(value, bytes);
    return true;
}

static size_t shown_bytes(const struct card *card, struct builder *out)
{
    struct error error = {0};
    size_t bytes = 0;
    builder_clear(out);
    slack_card_append(out, card, "C1", NULL, arena);
    struct json_document *document JSON_SCOPE = json_parse(out->bytes, out->length, &error);
    add_texts(json_member(json_root(document), "blocks"), &bytes);
    return bytes;
}

static const char *repeated(const char *text, size_t times)
{
    struct builder all BUILDER_SCOPE;
    builder_init(&all, 0);
    for (size_t i = 0; i < times; i++) {
        builder_text(&all, text);
    }
    return arena_copy(arena, all.bytes, all.length);
}

START_TEST(slack__all_that_is_long_at_once_still_fits_one_message)
{
    struct builder out BUILDER_SCOPE;
    const char *dots = repeated("\\u{202e}", 250);
    struct card card =
        read_sample(arena_printf(arena, "{\"a\":\"%s\"}", repeated("x", 60000)), NULL, true);
    builder_init(&out, 0);
    card.why = card.message = card.question = card.answer = card.asked_by = dots;
    card.action = card.agent = card.subject = card.resource = dots;
    for (card.fact_count = 0; card.fact_count < CARD_FACTS_MAX; card.fact_count++) {
        card.facts[card.fact_count] = (struct card_fact){dots, dots};
    }
    size_t bytes = shown_bytes(&card, &out);
    ck_assert_uint_le(bytes, SLACK_CARD_BYTES);
    ck_assert_uint_ge(bytes, SLACK_CARD_BYTES / 2);
    ck_assert_ptr_null(strstr(out.bytes, SLACK_APPROVE));
    card.state = "denied";
    card.moment = CARD_ENDED;
    ck_assert_uint_le(shown_bytes(&card, &out), SLACK_CARD_BYTES);
}
END_TEST

START_TEST(slack__who_and_on_what_stand_whole_or_nothing_is_approved)
{
    struct builder out BUILDER_SCOPE;
    const char *dots = repeated("\\u{202e}", 200);
    builder_init(&out, 0);
    struct card card = read_sample("{}", NULL, true);
    shown_bytes(&card, &out);
    ck_assert_ptr_nonnull(strstr(out.bytes, SLACK_APPROVE));
    const char **names[] = {&card.action, &card.agent, &card.subject, &card.resource};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *before = *names[i];
        *names[i] = dots;
        shown_bytes(&card, &out);
        ck_assert_ptr_null(strstr(out.bytes, SLACK_APPROVE));
        ck_assert_ptr_nonnull(strstr(out.bytes, "Not all of it can be shown here"));
        ck_assert_ptr_nonnull(strstr(out.bytes, SLACK_DENY));
        *names[i] = before;
    }
    card.facts[card.fact_count++] =
        (struct card_fact){"body", dots}; /* the arguments have it too */
    shown_bytes(&card, &out);
    ck_assert_ptr_nonnull(strstr(out.bytes, SLACK_APPROVE));
}
END_TEST

START_TEST(slack__the_deny_modal_carries_what_was_pressed_and_where)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    slack_deny_modal_append(&out, "t1", "v1.req_1.n1", "C1", arena);
    struct json_document *document JSON_SCOPE = json_parse(out.bytes, out.length, &error);
    const struct json *view = json_member(json_root(document), "view");
    ck_assert_str_eq(json_text(json_member(view, "private_metadata")), "v1.req_1.n1 C1");
    ck_assert_str_eq(json_text(json_member(json_root(document), "trigger_id")), "t1");
}
END_TEST

/* As operations compose it. */
static struct card read_roundup(void)
{
    static const char json[] =
        "{\"action\":\"7 requests wait\",\"agent\":\"\",\"decides\":false,\"digest\":\"\",\"link\":"
        "\"https://gw.example/\",\"moment\":\"roundup\",\"nonce\":\"\",\"request\":\"rnd_1\","
        "\"resource\":\"the list of what "
        "waits\",\"revision\":1,\"risk\":\"medium\",\"show\":[{\"name\":"
        "\"Risk medium\",\"value\":\"a\\u202eb on "
        "[x](http://evil)\"}],\"state\":\"pending\",\"subject\":"
        "\"\",\"timeout_at\":\"2026-11-24T06:39:23.123Z\",\"why_not\":\"Open the list.\"}";
    struct card card;
    struct error error = {0};
    ck_assert_msg(card_read(json, sizeof json - 1, arena, &card, &error), "%s", error.message);
    return card;
}

START_TEST(card__a_round_up_shows_lines_and_no_arguments_and_decides_nothing)
{
    struct card_fact facts[CARD_FACTS_MAX + 12];
    struct card card = read_roundup();
    bool is_whole = false;
    ck_assert_str_eq(card_heading(&card), "Approvals needed");
    ck_assert(!card_has_arguments(&card));
    ck_assert_str_eq(card_arguments(&card, 1000, arena, &is_whole), "");
    ck_assert_str_eq(card_why_not(&card, is_whole), "Open the list.");
    ck_assert_uint_eq(card_facts(&card, arena, facts), 2);
    ck_assert_ptr_nonnull(strstr(facts[0].value, "\\u{202e}"));
    ck_assert_str_eq(facts[1].label, "The first expires, not approved");
}
END_TEST

START_TEST(card__a_round_up_in_chat_has_no_button_but_the_link)
{
    struct card card = read_roundup();
    for (int i = 0; i < 2; i++) {
        struct builder out BUILDER_SCOPE;
        builder_init(&out, 0);
        if (i == 0) {
            slack_card_append(&out, &card, "C1", NULL, arena);
        } else {
            teams_message_append(&out, &card, true, arena);
        }
        ck_assert_ptr_nonnull(strstr(out.bytes, "7 requests wait"));
        ck_assert_ptr_nonnull(strstr(out.bytes, "https://gw.example/"));
        ck_assert_ptr_null(strstr(out.bytes, "rich_text_preformatted"));
        ck_assert_ptr_null(strstr(out.bytes, "Monospace\",\"text\":\"\""));
        ck_assert_ptr_null(strstr(out.bytes, "Approve\""));
        ck_assert_ptr_null(strstr(out.bytes, "Deny"));
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("card");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, card__arguments_stand_one_member_a_line);
    tcase_add_test(tests, card__signs_within_strings_do_not_break_lines);
    tcase_add_test(tests, card__words_of_mixed_alphabets_are_named_wherever_they_stand);
    tcase_add_test(tests, slack__an_action_too_long_for_the_heading_stands_below_it_as_a_whole);
    tcase_add_test(tests, card__what_does_not_fit_keeps_head_and_tail_and_cannot_be_approved);
    tcase_add_test(tests, card__a_cut_never_splits_a_character);
    tcase_add_loop_test(tests, card__hostile_text_stands_only_where_nothing_is_interpreted, 0,
                        2 * (int)COUNT(hostiles));
    tcase_add_loop_test(tests, card__two_megabytes_fit_every_channel_and_lose_the_approve_button, 0,
                        2);
    tcase_add_loop_test(tests, card__no_approve_button_where_chat_does_not_suffice, 0, 2);
    tcase_add_loop_test(tests, card__what_has_ended_has_no_buttons_but_the_link, 0, 2);
    tcase_add_test(tests, card__a_card_without_its_members_is_corrupt);
    tcase_add_test(tests, slack__all_that_is_long_at_once_still_fits_one_message);
    tcase_add_test(tests, slack__who_and_on_what_stand_whole_or_nothing_is_approved);
    tcase_add_test(tests, slack__the_deny_modal_carries_what_was_pressed_and_where);
    Suite *suite = suite_create("card");
    tcase_add_test(tests, card__a_round_up_shows_lines_and_no_arguments_and_decides_nothing);
    tcase_add_test(tests, card__a_round_up_in_chat_has_no_button_but_the_link);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
