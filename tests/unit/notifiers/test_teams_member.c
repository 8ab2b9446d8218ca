#include "notifiers/teams/teams_member.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define TENANT "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define OBJECT "99999999-8888-4777-8666-555555555555"
#define ABOUT  TENANT "/" OBJECT " 29:u 19:a@thread.tacv2 https://smba.trafficmanager.net/emea/"

static struct arena *arena;
static const struct notifier_channel channel = {
    .name = "a", .kind = "teams-bot", .url = "https://smba.trafficmanager.net/teams/"};

static void set_up(void)
{
    arena = arena_create();
}

static void tear_down(void)
{
    arena_destroy(arena);
}

static const char *asked_of(enum notifier_asks asks, const char *about)
{
    struct notifier_inquiry inquiry = {asks, about};
    struct notifier_message message = {0};
    struct error error = {0};
    if (!teams_compose_inquiry(&channel, &inquiry, "TOKEN", arena, &message, &error)) {
        return error.code;
    }
    ck_assert(message.is_get);
    ck_assert_str_eq(message.headers[2], "Authorization: Bearer TOKEN");
    return message.url;
}

START_TEST(teams_member__the_member_of_the_conversation_is_asked_for_where_the_activity_came_from)
{
    struct teams_activity activity = {.user = "29:a/..b",
                                      .place = "19:a@thread.tacv2",
                                      .service_url = "https://smba.trafficmanager.net/emea"};
    memcpy(activity.callback.account, TENANT "/" OBJECT, sizeof TENANT "/" OBJECT);
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, teams_member_about(&activity, arena)),
                     "https://smba.trafficmanager.net/emea/v3/conversations/19%3Aa%40thread.tacv2/"
                     "members/29%3Aa%2F..b");
}
END_TEST

START_TEST(teams_member__the_token_goes_nowhere_else_and_nothing_else_is_asked)
{
    static const char *const bad[] = {"", "a", "a b c", "a b  d", "a b c d e", " b c d"};
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, TENANT "/" OBJECT " u c https://evil.example/"),
                     "service_not_allowed");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PLACE, ABOUT), "no_question");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, bad[i]), "no_question");
    }
}
END_TEST

static enum notifier_known read_as(long status, const char *body)
{
    struct notifier_inquiry inquiry = {NOTIFIER_ASKS_PERSON, ABOUT};
    struct notifier_reply reply = {
        .status = status, .body = body, .length = strlen(body), .retry_after_ms = 7};
    struct notifier_standing found = {0};
    teams_read_answer(&channel, &inquiry, &reply, &found);
    ck_assert_msg(found.known == NOTIFIER_GOOD || found.reason[0] != '\0', "%s", body);
    ck_assert_int_eq(found.retry_after_ms, 7);
    return found.known;
}

#define MEMBER(object, tenant, role)                                                               \
    "{\"id\":\"29:u\",\"" object "\",\"tenantId\":\"" tenant "\",\"userRole\":" role "}"
#define OBJECT_ID "objectId\":\"" OBJECT

START_TEST(teams_member__a_full_member_of_the_tenant_is_one)
{
    ck_assert_int_eq(read_as(200, MEMBER(OBJECT_ID, TENANT, "\"user\"")), NOTIFIER_GOOD);
    ck_assert_int_eq(read_as(200, MEMBER(OBJECT_ID, TENANT, "\"owner\"")), NOTIFIER_GOOD);
    ck_assert_int_eq(read_as(200, MEMBER("aadObjectId\":\"" OBJECT, TENANT, "\"user\"")),
                     NOTIFIER_GOOD);
    ck_assert_int_eq(read_as(200, MEMBER("objectId\":\"99999999-8888-4777-8666-55555555555A",
                                         TENANT, "\"user\"")),
                     NOTIFIER_BAD);
    ck_assert_int_eq(
        read_as(200, MEMBER(OBJECT_ID, "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", "\"user\"")),
        NOTIFIER_GOOD);
}
END_TEST

START_TEST(teams_member__what_teams_does_not_say_plainly_is_no)
{
    static const char *const bad[] = {
        "{}",
        MEMBER(OBJECT_ID, TENANT, "\"guest\""),
        MEMBER(OBJECT_ID, TENANT, "\"anonymous\""),
        MEMBER(OBJECT_ID, TENANT, "null"),
        MEMBER(OBJECT_ID, TENANT, "\"user\\u0000\""),
        MEMBER(OBJECT_ID, OBJECT, "\"user\""),
        MEMBER("objectId\":\"" TENANT, TENANT, "\"user\""),
        MEMBER("objectId\":\"x\",\"aadObjectId\":\"" OBJECT, TENANT, "\"user\""),
        MEMBER("other\":\"" OBJECT, TENANT, "\"user\"")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(read_as(200, bad[i]) == NOTIFIER_BAD, "%s", bad[i]);
    }
    ck_assert_int_eq(read_as(404, "{}"), NOTIFIER_BAD);
    ck_assert_int_eq(read_as(403, "{}"), NOTIFIER_BAD);
}
END_TEST

START_TEST(teams_member__what_is_no_answer_is_asked_again)
{
    ck_assert_int_eq(read_as(200, "<html>"), NOTIFIER_UNANSWERED);
    ck_assert_int_eq(read_as(200, "[]"), NOTIFIER_UNANSWERED);
    ck_assert_int_eq(read_as(401, "{}"), NOTIFIER_UNANSWERED);
    ck_assert_int_eq(read_as(429, "{}"), NOTIFIER_UNANSWERED);
    ck_assert_int_eq(read_as(500, MEMBER(OBJECT_ID, TENANT, "\"user\"")), NOTIFIER_UNANSWERED);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("teams member");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(
        cases,
        teams_member__the_member_of_the_conversation_is_asked_for_where_the_activity_came_from);
    tcase_add_test(cases, teams_member__the_token_goes_nowhere_else_and_nothing_else_is_asked);
    tcase_add_test(cases, teams_member__a_full_member_of_the_tenant_is_one);
    tcase_add_test(cases, teams_member__what_teams_does_not_say_plainly_is_no);
    tcase_add_test(cases, teams_member__what_is_no_answer_is_asked_again);
    Suite *suite = suite_create("teams member");
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
