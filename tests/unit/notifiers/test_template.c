#include "base/arena.h"
#include "formats/json.h"
#include "notifiers/template/template.h"
#include "tests/support/run_suite.h"
#include "tests/unit/notifiers/sample_card.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;
static const struct template_option options[] = {{"topic", "approvals"},
                                                 {"routing_key", "not-a-real-key"}};

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const char *filled(const char *template, const struct card *card)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    ck_assert_msg(template_append(&out, template, strlen(template), card, options, COUNT(options),
                                  arena, &error),
                  "%s", error.message);
    return arena_copy(arena, out.bytes, out.length);
}

START_TEST(template__words_go_in_as_json_text)
{
    struct card card = sample_card("{}", "quote \" and \\ and\nline");
    ck_assert_str_eq(
        filled("{\"a\":\"${why}\",\"n\":\"#${priority}\",\"o\":[\"${option.topic}\",1,true,null]}",
               &card),
        "{\"a\":\"quote \\\" and \\\\ and\\nline\",\"n\":4,\"o\":[\"approvals\",1,true,null]}");
}
END_TEST

START_TEST(template__code_cannot_end_its_block)
{
    struct card card = sample_card("{\"x\":\"```@everyone\"}", NULL);
    ck_assert_str_eq(filled("\"```${arguments:code}```\"", &card),
                     "\"```{\\n  \\\"x\\\": \\\"\\\\u{60}\\\\u{60}\\\\u{60}@everyone\\\"\\n}```\"");
}
END_TEST

START_TEST(template__code_holds_nothing_that_services_exchange_before_they_look_for_it)
{
    struct card card = sample_card("{\"x\":\"<users/all> <http://e|f>\"}", NULL);
    ck_assert_str_eq(filled("\"${arguments:code}\"", &card),
                     "\"{\\n  \\\"x\\\": \\\"\\\\u{3c}users/all> "
                     "\\\\u{3c}http://e|f>\\\"\\n}\"");
}
END_TEST

START_TEST(template__the_end_of_what_grows_when_it_is_exchanged_shows)
{
    struct builder padded BUILDER_SCOPE;
    builder_init(&padded, 0);
    builder_text(&padded, "{\"a\":\"");
    for (int i = 0; i < 5000; i++) {
        builder_text(&padded, "`<x");
    }
    builder_text(&padded, "\",\"z\":\"rm -rf /\"}");
    struct card card = sample_card(padded.bytes, NULL);
    const char *text = filled("\"${arguments:code:700}\"", &card);
    ck_assert_uint_le(strlen(text), 900); /* quotes and lines grow once more in JSON */
    ck_assert_ptr_nonnull(strstr(text, "bytes are not shown here"));
    ck_assert_ptr_nonnull(strstr(text, "rm -rf /"));
}
END_TEST

static const char *const bad[] = {"\"${nothing}\"", "\"${why\"",          "\"${why:loud}\"",
                                  "\"#${why}\"",    "\"${option.none}\"", "\"${why:123456}\"",
                                  "{\"a\":"};

START_TEST(template__a_mistake_is_named)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    struct card card = sample_card("{}", "not a number");
    builder_init(&out, 0);
    ck_assert(!template_append(&out, bad[_i], strlen(bad[_i]), &card, options, COUNT(options),
                               arena, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
}
END_TEST

/* Each service's bound of one message. */
static const struct shipped {
    const char *name;
    const char *member; /* whose text is bounded */
    size_t bytes_max;
} shipped[] = {{"ntfy", "message", 4096},
               {"pagerduty", NULL, 512 * 1024},
               {"mattermost", "text", 16383},
               {"discord", "content", 2000},
               {"google-chat", "text", 4096}};

START_TEST(template__every_shipped_one_fits_its_service_however_long_the_arguments)
{
    const char *template = template_shipped(shipped[_i].name);
    struct builder long_arguments BUILDER_SCOPE;
    struct error error = {0};
    ck_assert_ptr_nonnull(template);
    builder_init(&long_arguments, 0);
    builder_text(&long_arguments, "{\"x\":\"");
    for (int i = 0; i < 100000; i++) {
        builder_text(&long_arguments, "``<@everyone>");
    }
    builder_text(&long_arguments, "\"}");
    struct card card = sample_card(long_arguments.bytes, NULL);
    const char *body = filled(template, &card);
    struct json_document *document JSON_SCOPE = json_parse(body, strlen(body), &error);
    ck_assert_msg(document != NULL, "%s", error.message);
    const struct json *text =
        json_member(json_root(document), shipped[_i].member == NULL ? "" : shipped[_i].member);
    ck_assert_uint_le(shipped[_i].member == NULL ? strlen(body) : json_text_length(text),
                      shipped[_i].bytes_max);
    ck_assert_ptr_nonnull(strstr(body, "https://gw.example/requests/req_1"));
}
END_TEST

START_TEST(template__pagerduty_resolves_what_has_ended)
{
    struct card card = sample_card("{}", NULL);
    ck_assert_ptr_nonnull(
        strstr(filled(template_shipped("pagerduty"), &card), "\"event_action\":\"trigger\""));
    card.moment = CARD_ENDED;
    card.state = "approved";
    card.ended_at = 2000;
    const char *body = filled(template_shipped("pagerduty"), &card);
    ck_assert_ptr_nonnull(strstr(body, "\"event_action\":\"resolve\""));
    ck_assert_ptr_nonnull(strstr(body, "\"dedup_key\":\"countersign-req_1\""));
}
END_TEST

START_TEST(template__an_unknown_one_is_none)
{
    ck_assert_ptr_null(template_shipped("nothing"));
    ck_assert_ptr_null(template_shipped("ntf"));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("template");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, template__words_go_in_as_json_text);
    tcase_add_test(tests, template__code_cannot_end_its_block);
    tcase_add_test(tests, template__the_end_of_what_grows_when_it_is_exchanged_shows);
    tcase_add_test(tests,
                   template__code_holds_nothing_that_services_exchange_before_they_look_for_it);
    tcase_add_loop_test(tests, template__a_mistake_is_named, 0, (int)COUNT(bad));
    tcase_add_loop_test(tests,
                        template__every_shipped_one_fits_its_service_however_long_the_arguments, 0,
                        (int)COUNT(shipped));
    tcase_add_test(tests, template__pagerduty_resolves_what_has_ended);
    tcase_add_test(tests, template__an_unknown_one_is_none);
    Suite *suite = suite_create("template");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
