#include "base/arena.h"
#include "base/builder.h"
#include "notifiers/teams/teams_callback.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define REQUEST      "req_01k0abcdefghjkmnpqrstvwxyz"
#define NONCE        "AbCdEfGhIjKlMnOpQrStUvWxY-_"
#define APP          "11111111-2222-4333-8444-555555555555"
#define TENANT       "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define OTHER_TENANT "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeef"
#define OBJECT       "99999999-8888-4777-8666-555555555555"
#define SERVICE      "https://smba.trafficmanager.net/emea/"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;
static struct error error;
static struct teams_activity activity;
static const struct teams_bot bot = {
    .app_id = APP, .tenant_id = TENANT, .service_url = TEAMS_SERVICE_URL};

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static bool read_text(const char *text)
{
    error = (struct error){0};
    activity = (struct teams_activity){0};
    return teams_read_activity(text, strlen(text), &bot, arena, &activity, &error);
}

/* Members of an activity as they are unless a test says otherwise. */
struct parts {
    const char *channel, *service, *id, *from, *conversation, *data, *rest;
};

static bool read_parts(struct parts parts)
{
#define OR(text, usual) ((text) != NULL ? (text) : (usual))
    return read_text(arena_printf(
        arena,
        "{\"channelId\":%s,\"serviceUrl\":%s,\"id\":%s,\"from\":%s,\"conversation\":%s,"
        "\"channelData\":%s,%s}",
        OR(parts.channel, "\"msteams\""), OR(parts.service, "\"" SERVICE "\""),
        OR(parts.id, "\"f:1\""),
        OR(parts.from, "{\"id\":\"29:u\",\"aadObjectId\":\"" OBJECT "\",\"name\":\"Dana\"}"),
        OR(parts.conversation,
           "{\"id\":\"19:a@thread.tacv2;messageid=1\",\"tenantId\":\"" TENANT "\"}"),
        OR(parts.data, "{\"tenant\":{\"id\":\"" TENANT "\"}}"),
        OR(parts.rest, "\"type\":\"message\"")));
}

#define CARD "\"n\":\"" NONCE "\",\"r\":\"" REQUEST "\""
#define PRESS(verb, data)                                                                          \
    "\"type\":\"invoke\",\"name\":\"adaptiveCard/action\",\"value\":{\"trigger\":\"manual\","      \
    "\"action\":{\"type\":\"Action.Execute\",\"verb\":\"" verb "\",\"data\":{" data "}}}"

static bool press(const char *rest)
{
    return read_parts((struct parts){.rest = rest});
}

/* ---- presses ---- */

START_TEST(teams__a_press_names_account_card_and_activity)
{
    ck_assert_msg(press(PRESS("approve", CARD)), "%s", error.message);
    ck_assert_int_eq(activity.kind, TEAMS_PRESS);
    ck_assert_int_eq(activity.callback.what, CALLBACK_APPROVE);
    ck_assert_str_eq(activity.callback.account, TENANT "/" OBJECT);
    ck_assert_str_eq(activity.callback.request, REQUEST);
    ck_assert_str_eq(activity.callback.nonce, NONCE);
    ck_assert_str_eq(activity.id, "f:1");
    ck_assert_str_eq(activity.service_url, SERVICE);
    ck_assert_str_eq(activity.conversation, "19:a@thread.tacv2;messageid=1");
}
END_TEST

START_TEST(teams__ids_of_either_case_are_one_account)
{
    ck_assert(read_parts((struct parts){
        .from = "{\"id\":\"29:u\",\"aadObjectId\":\"AAAAAAAA-8888-4777-8666-55555555555F\"}",
        .data = "{\"tenant\":{\"id\":\"AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE\"}}",
        .rest = PRESS("approve", CARD)}));
    ck_assert_str_eq(activity.callback.account, TENANT "/aaaaaaaa-8888-4777-8666-55555555555f");
}
END_TEST

START_TEST(teams__a_denial_carries_what_was_typed_with_plain_line_ends)
{
    ck_assert(press(PRESS("deny", CARD ",\"reason\":\"no\\r\\nnot\\rnow\"")));
    ck_assert_int_eq(activity.callback.what, CALLBACK_DENY);
    ck_assert_str_eq(activity.callback.reason, "no\nnot\nnow");
    ck_assert(press(PRESS("deny", CARD ",\"reason\":\"\"")));
    ck_assert_ptr_null(activity.callback.reason);
    ck_assert(press(PRESS("deny", CARD)));
    ck_assert_ptr_null(activity.callback.reason);
}
END_TEST

START_TEST(teams__what_was_typed_is_plain_and_bounded)
{
    static const char *const bad[] = {
        PRESS("deny", CARD ",\"reason\":\"a\\u0000b\""),
        PRESS("deny", CARD ",\"reason\":\"a\\u001bb\""), PRESS("deny", CARD ",\"reason\":7"),
        PRESS("link", "\"code\":\"a\\u0007\""), PRESS("link", "\"code\":[]")};
    char *text = arena_printf(arena, "%0*d", CALLBACK_REASON_BYTES_MAX + 1, 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!press(bad[i]), "%s", bad[i]);
        ck_assert_str_eq(error.code, "bad_payload");
    }
    static const char form[] =
        "\"type\":\"invoke\",\"name\":\"adaptiveCard/action\",\"value\":"
        "{\"action\":{\"type\":\"Action.Execute\",\"verb\":\"deny\",\"data\":"
        "{" CARD ",\"reason\":\"";
    ck_assert(!press(arena_printf(arena, "%s%s\"}}}", form, text)));
    ck_assert(press(arena_printf(arena, "%s%s\"}}}", form, text + 1)));
}
END_TEST

START_TEST(teams__a_code_links_with_or_without_the_card_it_took_the_place_of)
{
    ck_assert(press(PRESS("link", CARD ",\"code\":\"abcd-efgh-jkmn\"")));
    ck_assert_int_eq(activity.callback.what, CALLBACK_LINK);
    ck_assert_str_eq(activity.callback.code, "abcd-efgh-jkmn");
    ck_assert_str_eq(activity.callback.request, REQUEST);
    ck_assert(press(PRESS("link", "\"code\":\"abcd-efgh-jkmn\",\"r\":\"x\",\"n\":\"y\"")));
    ck_assert_ptr_null(activity.callback.request);
    ck_assert(press(PRESS("link", "\"x\":1")));
    ck_assert_str_eq(activity.callback.code, "");
}
END_TEST

START_TEST(teams__a_button_of_somebody_elses_is_refused)
{
    static const char *const bad[] = {
        PRESS("approve", "\"n\":\"" NONCE "\""),
        PRESS("approve", "\"r\":\"" REQUEST "\""),
        PRESS("deny", "\"r\":\"" REQUEST "\",\"n\":\"short\""),
        PRESS("approve", "\"r\":\"req_01K0ABCDEFGHJKMNPQRSTVWXYZ\",\"n\":\"" NONCE "\""),
        PRESS("approve", "\"r\":\"" REQUEST "\\u0000\",\"n\":\"" NONCE "\""),
        PRESS("approve", "\"r\":7,\"n\":\"" NONCE "\"")};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!press(bad[i]), "%s", bad[i]);
        ck_assert_str_eq(error.code, "bad_value");
    }
}
END_TEST

START_TEST(teams__what_is_no_press_of_ours_decides_nothing)
{
    static const char *const odd[] = {
        PRESS("refresh", CARD),
        "\"type\":\"invoke\",\"name\":\"task/fetch\",\"value\":{}",
        "\"type\":\"invoke\"",
        "\"type\":\"invoke\",\"name\":\"adaptiveCard/action\",\"value\":{\"action\":{\"type\":"
        "\"Action.Submit\",\"verb\":\"approve\",\"data\":{" CARD "}}}",
        "\"type\":\"invoke\",\"name\":\"adaptiveCard/action\",\"value\":{\"trigger\":\"automatic\","
        "\"action\":{\"type\":\"Action.Execute\",\"verb\":\"approve\",\"data\":{" CARD "}}}",
        "\"type\":\"invoke\",\"name\":\"adaptiveCard/action\",\"value\":{\"trigger\":7,"
        "\"action\":{\"type\":\"Action.Execute\",\"verb\":\"approve\",\"data\":{" CARD "}}}"};
    for (size_t i = 0; i < COUNT(odd); i++) {
        ck_assert_msg(press(odd[i]), "%s: %s", error.message, odd[i]);
        ck_assert_int_eq(activity.kind, TEAMS_ODD_PRESS);
        ck_assert_int_eq(activity.callback.what, CALLBACK_NONE);
    }
}
END_TEST

START_TEST(teams__a_press_without_an_id_could_be_repeated_and_is_refused)
{
    ck_assert(!read_parts((struct parts){.id = "null", .rest = PRESS("approve", CARD)}));
    ck_assert_str_eq(error.subject, "/id");
    ck_assert(!read_parts((struct parts){.id = "\"\"", .rest = PRESS("approve", CARD)}));
    ck_assert(!read_parts((struct parts){.id = "\"a b\"", .rest = PRESS("approve", CARD)}));
}
END_TEST

/* ---- who ---- */

START_TEST(teams__a_guest_a_bot_and_whoever_has_no_object_id_are_strangers)
{
#define WHO(more) "{\"id\":\"29:u\",\"aadObjectId\":\"" OBJECT "\"," more "}"
    static const char *const strangers[] = {
        "{\"id\":\"29:u\",\"name\":\"Dana\",\"email\":\"dana@example.com\"}",
        "{\"aadObjectId\":\"" OBJECT "\"}",
        "{\"id\":\"29:u\",\"aadObjectId\":\"" OBJECT "0\"}",
        "{\"id\":\"29:u\",\"aadObjectId\":\"99999999-8888-4777-8666-55555555555g\"}",
        "{\"id\":\"29:u\",\"aadObjectId\":\"99999999-8888-4777-8666_555555555555\"}",
        "{\"id\":\"29:u\",\"aadObjectId\":\"\\u0000\"}",
        "null",
        "[]",
        WHO("\"userRole\":\"guest\""),
        WHO("\"userRole\":\"anonymous\""),
        WHO("\"userRole\":null"),
        WHO("\"role\":\"bot\""),
        WHO("\"role\":\"skill\""),
        WHO("\"tenantId\":\"" OTHER_TENANT "\""),
        WHO("\"tenantId\":null")};
    for (size_t i = 0; i < COUNT(strangers); i++) {
        ck_assert(read_parts((struct parts){.from = strangers[i], .rest = PRESS("approve", CARD)}));
        ck_assert_msg(activity.kind == TEAMS_STRANGER, "%s", strangers[i]);
        ck_assert_int_eq(activity.callback.what, CALLBACK_NONE);
    }
    ck_assert(read_parts((struct parts){
        .from = WHO("\"userRole\":\"user\",\"role\":\"user\",\"tenantId\":\"" TENANT "\""),
        .rest = PRESS("approve", CARD)}));
    ck_assert_int_eq(activity.kind, TEAMS_PRESS);
}
END_TEST

START_TEST(teams__another_tenant_is_refused_wherever_it_is_named)
{
    static const struct parts bad[] = {
        {.data = "{\"tenant\":{\"id\":\"" OTHER_TENANT "\"}}"},
        {.data = "{\"tenant\":{}}"},
        {.data = "{\"tenant\":\"" TENANT "\"}"},
        {.data = "null"},
        {.data = "{\"tenant\":{\"id\":\"" TENANT "\\u0000\"}}"},
        {.conversation = "{\"id\":\"19:a\",\"tenantId\":\"" OTHER_TENANT "\"}"},
        {.conversation = "{\"id\":\"19:a\",\"tenantId\":null}"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!read_parts(bad[i]), "%zu", i);
        ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
        ck_assert_str_eq(error.code, "wrong_tenant");
    }
    ck_assert(read_parts((struct parts){.conversation = "{\"id\":\"19:a\"}"}));
}
END_TEST

START_TEST(teams__another_channel_of_the_bot_framework_is_refused)
{
    static const char *const bad[] = {"\"webchat\"", "\"MSTEAMS\"", "\"msteams\\u0000\"", "null",
                                      "\"\""};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert(!read_parts((struct parts){.channel = bad[i]}));
        ck_assert_str_eq(error.code, "wrong_channel");
    }
}
END_TEST

START_TEST(teams__an_answer_leads_only_where_the_bots_token_may_go)
{
    static const char *const bad[] = {"\"https://evil.example/\"",
                                      "\"http://smba.trafficmanager.net/\"",
                                      "\"https://smba.trafficmanager.net@evil.example/\"",
                                      "\"https://smba.trafficmanager.net.evil.example/\"", "null"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!read_parts((struct parts){.service = bad[i]}), "%s", bad[i]);
        ck_assert_str_eq(error.code, "service_not_allowed");
    }
}
END_TEST

/* ---- where the bot is ---- */

START_TEST(teams__where_the_bot_comes_and_goes_is_told_from_where_people_do)
{
    static const struct {
        const char *rest;
        enum teams_kind want;
    } cases[] = {
        {"\"type\":\"conversationUpdate\",\"membersAdded\":[{\"id\":\"29:u\"},{\"id\":\"28:" APP
         "\"}]",
         TEAMS_ADDED},
        {"\"type\":\"conversationUpdate\",\"membersRemoved\":[{\"id\":\"28:" APP "\"}]",
         TEAMS_REMOVED},
        {"\"type\":\"conversationUpdate\",\"membersRemoved\":[{\"id\":\"29:u\"}]", TEAMS_OTHER},
        {"\"type\":\"conversationUpdate\",\"membersAdded\":[{\"id\":\"28:" TENANT "\"}]",
         TEAMS_OTHER},
        {"\"type\":\"conversationUpdate\",\"membersAdded\":{\"id\":\"28:" APP "\"}", TEAMS_OTHER},
        {"\"type\":\"conversationUpdate\"", TEAMS_OTHER},
        {"\"type\":\"installationUpdate\",\"action\":\"add\"", TEAMS_ADDED},
        {"\"type\":\"installationUpdate\",\"action\":\"add-upgrade\"", TEAMS_ADDED},
        {"\"type\":\"installationUpdate\",\"action\":\"remove\"", TEAMS_REMOVED},
        {"\"type\":\"installationUpdate\",\"action\":\"remove-upgrade\"", TEAMS_REMOVED},
        {"\"type\":\"installationUpdate\"", TEAMS_OTHER},
        {"\"type\":\"message\",\"text\":\"approve " REQUEST "\"", TEAMS_MESSAGE},
        {"\"type\":\"messageReaction\"", TEAMS_OTHER},
        {"\"type\":\"Invoke\"", TEAMS_OTHER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(press(cases[i].rest), "%s", cases[i].rest);
        ck_assert_msg(activity.kind == cases[i].want, "%s", cases[i].rest);
        ck_assert_int_eq(activity.callback.what, CALLBACK_NONE);
    }
}
END_TEST

/* ---- form ---- */

START_TEST(teams__what_is_no_activity_is_refused)
{
    static const char *const bad[] = {
        "", "[]", "7", "{}x", "{\"type\":\"message\",\"type\":\"invoke\"}", "{"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!read_text(bad[i]), "%s", bad[i]);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
    }
    ck_assert(!press("\"type\":7"));
    ck_assert_str_eq(error.subject, "/type");
    ck_assert(!read_parts((struct parts){.conversation = "{\"id\":\"a b\"}"}));
    ck_assert_str_eq(error.subject, "/conversation/id");
    ck_assert(!read_text(arena_printf(arena, "%*s{}", TEAMS_BODY_BYTES_MAX, "")));
    ck_assert_str_eq(error.code, "too_long");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("teams callback");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, teams__a_press_names_account_card_and_activity);
    tcase_add_test(cases, teams__ids_of_either_case_are_one_account);
    tcase_add_test(cases, teams__a_denial_carries_what_was_typed_with_plain_line_ends);
    tcase_add_test(cases, teams__what_was_typed_is_plain_and_bounded);
    tcase_add_test(cases, teams__a_code_links_with_or_without_the_card_it_took_the_place_of);
    tcase_add_test(cases, teams__a_button_of_somebody_elses_is_refused);
    tcase_add_test(cases, teams__what_is_no_press_of_ours_decides_nothing);
    tcase_add_test(cases, teams__a_press_without_an_id_could_be_repeated_and_is_refused);
    tcase_add_test(cases, teams__a_guest_a_bot_and_whoever_has_no_object_id_are_strangers);
    tcase_add_test(cases, teams__another_tenant_is_refused_wherever_it_is_named);
    tcase_add_test(cases, teams__another_channel_of_the_bot_framework_is_refused);
    tcase_add_test(cases, teams__an_answer_leads_only_where_the_bots_token_may_go);
    tcase_add_test(cases, teams__where_the_bot_comes_and_goes_is_told_from_where_people_do);
    tcase_add_test(cases, teams__what_is_no_activity_is_refused);
    Suite *suite = suite_create("teams callback");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
