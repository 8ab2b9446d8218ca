#include "formats/json.h"
#include "notifiers/teams/teams_address.h"
#include "notifiers/teams/teams_words.h"
#include "tests/support/run_suite.h"
#include "tests/unit/notifiers/sample_card.h"
#include <check.h>
#include <string.h>

#define LINK "https://gate.example.com"

static struct arena *arena;
static struct builder out;
static struct json_document *document;

static void set_up(void)
{
    arena = arena_create();
    builder_init(&out, 0);
    document = NULL;
}

static void tear_down(void)
{
    json_destroy(document);
    builder_finish(&out);
    arena_destroy(arena);
}

/* What was written, parsed by the strict reader. */
static const struct json *read(void)
{
    struct error error = {0};
    json_destroy(document);
    document = json_parse(out.bytes, out.length, &error);
    ck_assert_msg(document != NULL, "%s: %s", error.message, out.bytes);
    return json_root(document);
}

static const char *text_at(const struct json *object, const char *name)
{
    const char *text = json_text(json_member(object, name));
    ck_assert_msg(text != NULL, "%s in %s", name, out.bytes);
    return text;
}

static const struct json *action(const struct json *card, size_t index)
{
    return json_element(json_member(card, "actions"), index);
}

START_TEST(teams_words__a_line_of_text_is_a_message_with_status_200)
{
    int64_t status = 0;
    teams_answer_text_append(&out, "a \"quoted\" *text* \x01");
    const struct json *root = read();
    ck_assert(json_integer(json_member(root, "statusCode"), &status) && status == 200);
    ck_assert_str_eq(text_at(root, "type"), "application/vnd.microsoft.activity.message");
    ck_assert_str_eq(text_at(root, "value"), "a \"quoted\" *text* \x01");
}
END_TEST

START_TEST(teams_words__an_error_has_code_message_and_status_400)
{
    int64_t status = 0;
    teams_answer_error_append(&out, "NotSupported", "no such action");
    const struct json *root = read();
    ck_assert(json_integer(json_member(root, "statusCode"), &status) && status == 400);
    ck_assert_str_eq(text_at(root, "type"), "application/vnd.microsoft.error");
    ck_assert_str_eq(text_at(json_member(root, "value"), "code"), "NotSupported");
}
END_TEST

START_TEST(teams_words__a_card_in_answer_is_the_card_with_its_buttons)
{
    struct card card = sample_card("{}", NULL);
    teams_answer_card_append(&out, &card, arena);
    const struct json *root = read();
    ck_assert_str_eq(text_at(root, "type"), "application/vnd.microsoft.card.adaptive");
    const struct json *value = json_member(root, "value");
    ck_assert_str_eq(text_at(value, "type"), "AdaptiveCard");
    ck_assert_str_eq(text_at(action(value, 0), "verb"), "approve");
}
END_TEST

START_TEST(teams_words__the_form_carries_the_card_whose_place_it_takes)
{
    teams_answer_form_append(&out, "[x](javascript:1)", LINK, "req_1", "nonce");
    const struct json *value = json_member(read(), "value");
    const struct json *data = json_member(action(value, 0), "data");
    ck_assert_str_eq(text_at(action(value, 0), "verb"), "link");
    ck_assert_str_eq(text_at(data, "r"), "req_1");
    ck_assert_str_eq(text_at(data, "n"), "nonce");
    ck_assert_str_eq(text_at(action(value, 1), "url"), LINK);
    const struct json *said = json_element(json_member(value, "body"), 0);
    ck_assert_str_eq(text_at(said, "type"), "RichTextBlock");
    ck_assert_str_eq(text_at(json_element(json_member(said, "inlines"), 0), "type"), "TextRun");
    ck_assert_str_eq(text_at(json_element(json_member(value, "body"), 1), "id"), "code");
}
END_TEST

START_TEST(teams_words__help_is_a_message_with_the_form_of_no_card)
{
    teams_help_append(&out, LINK);
    const struct json *root = read();
    ck_assert_str_eq(text_at(root, "type"), "message");
    const struct json *card =
        json_member(json_element(json_member(root, "attachments"), 0), "content");
    ck_assert_uint_eq(json_count(json_member(action(card, 0), "data")), 0);
    ck_assert_str_eq(text_at(action(card, 0), "verb"), "link");
}
END_TEST

START_TEST(teams_words__a_note_asks_for_nothing)
{
    teams_answer_note_append(&out, "done", LINK);
    const struct json *value = json_member(read(), "value");
    ck_assert_uint_eq(json_count(json_member(value, "actions")), 1);
    ck_assert_str_eq(text_at(action(value, 0), "type"), "Action.OpenUrl");
}
END_TEST

START_TEST(teams_words__an_address_is_read_as_it_was_written_and_its_url_is_escaped)
{
    struct teams_address place = {.service = "https://smba.trafficmanager.net/emea",
                                  .conversation = "19:a@thread.tacv2;messageid=1"};
    struct teams_address read_back;
    struct error error = {0};
    ck_assert_str_eq(teams_address_url(&place, arena),
                     "https://smba.trafficmanager.net/emea/v3/conversations/"
                     "19%3Aa%40thread.tacv2%3Bmessageid%3D1/activities");
    ck_assert(teams_address_read(teams_address_write(&place, arena), arena, &read_back, &error));
    ck_assert_ptr_null(read_back.activity);
    ck_assert_str_eq(read_back.conversation, place.conversation);
    place.activity = "1/../2";
    ck_assert(strstr(teams_address_url(&place, arena), "/activities/1%2F..%2F2") != NULL);
    ck_assert(!teams_address_read("{\"service\":\"x\"}", arena, &read_back, &error));
    ck_assert_str_eq(error.code, "bad_address");
    ck_assert(!teams_address_read("{", arena, &read_back, &error));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("teams words");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, teams_words__a_line_of_text_is_a_message_with_status_200);
    tcase_add_test(cases, teams_words__an_error_has_code_message_and_status_400);
    tcase_add_test(cases, teams_words__a_card_in_answer_is_the_card_with_its_buttons);
    tcase_add_test(cases, teams_words__the_form_carries_the_card_whose_place_it_takes);
    tcase_add_test(cases, teams_words__help_is_a_message_with_the_form_of_no_card);
    tcase_add_test(cases, teams_words__a_note_asks_for_nothing);
    tcase_add_test(cases, teams_words__an_address_is_read_as_it_was_written_and_its_url_is_escaped);
    Suite *suite = suite_create("teams words");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
