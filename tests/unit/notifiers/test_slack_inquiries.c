#include "base/arena.h"
#include "base/builder.h"
#include "notifiers/notifier.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;
static struct notifier_channel channel;

static void set_up(void)
{
    arena = arena_create();
    channel = (struct notifier_channel){
        .name = "a", .kind = "slack", .url = "https://slack.com/api/", .secret = "xoxb-EXAMPLE"};
    channel.options[channel.option_count++] = (struct template_option){"channel", "C1"};
}

static void tear_down(void)
{
    arena_destroy(arena);
}

/* ---- asking ---- */

static const char *asked_of(enum notifier_asks asks, const char *about)
{
    struct notifier_inquiry inquiry = {asks, about};
    struct notifier_message message = {0};
    struct error error = {0};
    if (!slack_notifier.compose_inquiry(&channel, &inquiry, NULL, arena, &message, &error)) {
        return error.code;
    }
    return arena_printf(arena, "%s %s %s", strrchr(message.url, '/') + 1,
                        strstr(message.headers[0], "json") != NULL ? "json" : "form", message.body);
}

START_TEST(slack__what_reads_forms_alone_is_asked_in_forms)
{
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PLACE, "C1"), "conversations.info form channel=C1");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, "E1/T1/U1"), "users.info form user=U1");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, "/T1/U1"), "users.info form user=U1");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_ADDRESS, "/T1/U1"),
                     "conversations.open json {\"users\":\"U1\"}");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_RIGHTS, ""), "auth.test form ");
}
END_TEST

START_TEST(slack__nothing_is_asked_about_what_is_no_id)
{
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, "/T1/U1&user=U2"), "bad_id");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_PERSON, "/T1/"), "bad_id");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_ADDRESS, "dana@example.com"), "bad_id");
    ck_assert_str_eq(asked_of(NOTIFIER_ASKS_NOTHING, "U1"), "no_inquiry");
}
END_TEST

/* ---- reading ---- */

static struct notifier_standing read_as(enum notifier_asks asks, const char *about, long status,
                                        const char *body, const char *scopes)
{
    struct notifier_inquiry inquiry = {asks, about};
    struct notifier_reply reply = {
        .status = status, .body = body, .length = strlen(body), .scopes = scopes};
    struct notifier_standing found = {0};
    slack_notifier.read_answer(&channel, &inquiry, &reply, &found);
    return found;
}

#define FULL                                                                                       \
    "\"id\":\"U1\",\"deleted\":false,\"is_bot\":false,\"is_restricted\":false,"                    \
    "\"is_ultra_restricted\":false"
#define USER(members) "{\"ok\":true,\"user\":{" members "}}"

static enum notifier_known judged(const char *account, const char *body)
{
    return read_as(NOTIFIER_ASKS_PERSON, account, 200, body, NULL).known;
}

START_TEST(slack__a_full_member_of_the_very_team_and_organization_is_good)
{
    ck_assert_int_eq(judged("/T1/U1", USER(FULL ",\"team_id\":\"T1\"")), NOTIFIER_GOOD);
    ck_assert_int_eq(
        judged("/T1/U1", USER(FULL ",\"team_id\":\"T1\",\"is_app_user\":true,\"is_owner\":true")),
        NOTIFIER_GOOD);
    ck_assert_int_eq(judged("E1/T1/U1", USER(FULL ",\"team_id\":\"T1\",\"enterprise_user\":{"
                                                  "\"enterprise_id\":\"E1\"}")),
                     NOTIFIER_GOOD);
    ck_assert_int_eq(judged("E1/T1/U1", USER(FULL ",\"team_id\":\"T2\",\"enterprise_user\":{"
                                                  "\"enterprise_id\":\"E1\",\"teams\":[\"T2\","
                                                  "\"T1\"]}")),
                     NOTIFIER_GOOD);
}
END_TEST

START_TEST(slack__everybody_else_is_bad)
{
#define TEAM ",\"team_id\":\"T1\""
    static const char *const bodies[] = {
        USER("\"id\":\"U1\",\"deleted\":true" TEAM),
        USER("\"id\":\"U1\",\"deleted\":false,\"is_bot\":true,\"is_restricted\":false,"
             "\"is_ultra_restricted\":false" TEAM),
        USER("\"id\":\"U1\",\"deleted\":false,\"is_bot\":false,\"is_restricted\":true,"
             "\"is_ultra_restricted\":false" TEAM),
        USER("\"id\":\"U1\",\"deleted\":false,\"is_bot\":false,\"is_restricted\":true,"
             "\"is_ultra_restricted\":true" TEAM),
        USER("\"id\":\"U1\",\"is_bot\":false,\"is_restricted\":false,"
             "\"is_ultra_restricted\":false" TEAM),
        USER("\"id\":\"U1\",\"deleted\":false,\"is_bot\":false" TEAM),
        USER(FULL TEAM ",\"is_stranger\":true"),
        USER(FULL TEAM ",\"is_workflow_bot\":true"),
        USER(FULL ",\"team_id\":\"T2\""),
        USER(FULL ",\"team_id\":\"T12\""),
        USER(FULL),
        USER(""),
        "{\"ok\":true}",
        "{\"ok\":true,\"user\":[]}",
        "{\"ok\":false,\"error\":\"user_not_found\"}",
        "{\"ok\":false,\"error\":\"missing_scope\"}",
        "{\"ok\":false,\"error\":\"invalid_auth\"}",
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        ck_assert_msg(judged("/T1/U1", bodies[i]) == NOTIFIER_BAD, "%s", bodies[i]);
    }
    ck_assert_int_eq(judged("/T1/U2", USER(FULL TEAM)), NOTIFIER_BAD);
    ck_assert_int_eq(judged("E1/T1/U1", USER(FULL TEAM)), NOTIFIER_BAD);
    ck_assert_int_eq(judged("E1/T1/U1", USER(FULL TEAM ",\"enterprise_user\":{\"enterprise_id\":"
                                                       "\"E2\"}")),
                     NOTIFIER_BAD);
}
END_TEST

START_TEST(slack__what_says_nothing_of_use_is_unanswered)
{
    static const struct {
        long status;
        const char *body;
    } replies[] = {{500, USER(FULL ",\"team_id\":\"T1\"")},
                   {429, "{\"ok\":false,\"error\":\"ratelimited\"}"},
                   {200, "{\"ok\":false,\"error\":\"internal_error\"}"},
                   {200, "{\"ok\":false}"},
                   {200, "{\"ok\":1}"},
                   {200, "[]"},
                   {200, ""},
                   {200, "<html>"}};
    for (size_t i = 0; i < COUNT(replies); i++) {
        for (enum notifier_asks asks = NOTIFIER_ASKS_PLACE; asks < NOTIFIER_ASKS_COUNT; asks++) {
            struct notifier_standing found =
                read_as(asks, "/T1/U1", replies[i].status, replies[i].body, NULL);
            ck_assert_msg(found.known == NOTIFIER_UNANSWERED, "%s", replies[i].body);
            ck_assert_ptr_null(found.problem);
        }
    }
}
END_TEST

#define PLACE(members) "{\"ok\":true,\"channel\":{\"id\":\"C1\"," members "}}"

START_TEST(slack__a_place_that_is_shared_or_may_be_is_bad_and_says_what_to_do)
{
    static const char *const shared[] = {
        PLACE("\"is_ext_shared\":true"),
        PLACE("\"is_ext_shared\":false,\"is_pending_ext_shared\":true"),
        PLACE("\"is_ext_shared\":false,\"pending_shared\":[\"T2\"]"),
        PLACE("\"is_ext_shared\":false,\"pending_connected_team_ids\":[\"T2\"]"),
        PLACE("\"is_ext_shared\":false,\"is_shared\":true"),
        PLACE("\"is_ext_shared\":false,\"is_org_shared\":true"),
        PLACE("\"is_ext_shared\":null"),
        PLACE("\"name\":\"x\""),
        "{\"ok\":true}",
        "{\"ok\":false,\"error\":\"channel_not_found\"}",
        "{\"ok\":false,\"error\":\"missing_scope\"}",
        "{\"ok\":false,\"error\":\"invalid_auth\"}"};
    for (size_t i = 0; i < COUNT(shared); i++) {
        struct notifier_standing found = read_as(NOTIFIER_ASKS_PLACE, "C1", 200, shared[i], NULL);
        ck_assert_msg(found.known == NOTIFIER_BAD && found.problem != NULL, "%s", shared[i]);
    }
    ck_assert_int_eq(
        read_as(NOTIFIER_ASKS_PLACE, "C1", 200,
                PLACE("\"is_ext_shared\":false,\"is_pending_ext_shared\":false,\"is_shared\":false,"
                      "\"is_org_shared\":false,\"pending_shared\":[]"),
                NULL)
            .known,
        NOTIFIER_GOOD);
}
END_TEST

START_TEST(slack__shared_within_a_named_organization_is_good_and_outside_still_bad)
{
    channel.options[channel.option_count++] = (struct template_option){"enterprises", "own"};
    ck_assert_int_eq(
        read_as(NOTIFIER_ASKS_PLACE, "C1", 200,
                PLACE("\"is_ext_shared\":false,\"is_org_shared\":true,\"is_shared\":true"), NULL)
            .known,
        NOTIFIER_GOOD);
    ck_assert_int_eq(
        read_as(NOTIFIER_ASKS_PLACE, "C1", 200,
                PLACE("\"is_ext_shared\":true,\"is_org_shared\":true,\"is_shared\":true"), NULL)
            .known,
        NOTIFIER_BAD);
}
END_TEST

START_TEST(slack__a_conversation_is_where_slack_says)
{
    struct notifier_standing found = read_as(NOTIFIER_ASKS_ADDRESS, "/T1/U1", 200,
                                             "{\"ok\":true,\"channel\":{\"id\":\"D1\"}}", NULL);
    ck_assert_int_eq(found.known, NOTIFIER_GOOD);
    ck_assert_str_eq(found.value, "D1");
    ck_assert_int_eq(read_as(NOTIFIER_ASKS_ADDRESS, "/T1/U1", 200,
                             "{\"ok\":true,\"channel\":{\"id\":\"D1\\n\"}}", NULL)
                         .known,
                     NOTIFIER_BAD);
    ck_assert_int_eq(read_as(NOTIFIER_ASKS_ADDRESS, "/T1/U1", 200, "{\"ok\":true}", NULL).known,
                     NOTIFIER_BAD);
}
END_TEST

static const char *missing(const char *scopes)
{
    struct notifier_standing found =
        read_as(NOTIFIER_ASKS_RIGHTS, "", 200, "{\"ok\":true}", scopes);
    return found.known == NOTIFIER_GOOD ? "none" : arena_text(arena, found.reason);
}

START_TEST(slack__the_scopes_that_a_channel_needs_are_looked_for)
{
    ck_assert_str_eq(missing("chat:write,users:read,channels:read,groups:read"), "none");
    ck_assert_str_eq(missing("groups:read, channels:read ,users:read,  chat:write"), "none");
    ck_assert_ptr_nonnull(strstr(missing("chat:write,users:read.email,channels:read,groups:read"),
                                 "the scope users:read is missing"));
    ck_assert_ptr_nonnull(strstr(missing("chat:write,users:read,channels:read"), "groups:read"));
    ck_assert_ptr_nonnull(strstr(missing(""), "chat:write"));
    ck_assert_ptr_nonnull(strstr(missing(NULL), "does not say"));
    channel.option_count = 0;
    ck_assert_str_eq(missing("chat:write,users:read,im:write"), "none");
    ck_assert_ptr_nonnull(strstr(missing("chat:write,users:read,groups:read"), "im:write"));
}
END_TEST

/* ---- which inquiries ---- */

static const char *needed(const struct notifier_notice *notice)
{
    static const char *const names[] = {"", "place", "person", "address", "rights"};
    struct notifier_inquiry inquiries[NOTIFIER_INQUIRIES_MAX];
    size_t count = slack_notifier.list_inquiries(&channel, notice, arena, inquiries);
    const char *all = "";
    for (size_t i = 0; i < count; i++) {
        all = arena_printf(arena, "%s%s:%s ", all, names[inquiries[i].asks], inquiries[i].about);
    }
    return all;
}

START_TEST(slack__what_shows_something_new_asks_about_its_place_and_what_freezes_does_not)
{
    static const char pending[] =
        "{\"action\":\"a\",\"agent\":\"a\",\"digest\":\"0\",\"link\":\"https://a/\","
        "\"moment\":\"asked\",\"request\":\"r\",\"resource\":\"r\",\"revision\":1,"
        "\"risk\":\"low\",\"state\":\"pending\",\"subject\":\"s\"}";
    static const char over[] =
        "{\"action\":\"a\",\"agent\":\"a\",\"digest\":\"0\",\"link\":\"https://a/\","
        "\"moment\":\"ended\",\"request\":\"r\",\"resource\":\"r\",\"revision\":1,"
        "\"risk\":\"low\",\"state\":\"denied\",\"subject\":\"s\"}";
    struct notifier_notice notice = {.payload = pending};
    ck_assert_str_eq(needed(NULL), "place:C1 ");
    ck_assert_str_eq(needed(&notice), "place:C1 ");
    notice.address = "{\"channel\":\"C1\",\"ts\":\"1.2\"}";
    ck_assert_str_eq(needed(&notice), "place:C1 ");
    notice.payload = over;
    ck_assert_str_eq(needed(&notice), "");
    notice.address = NULL;
    ck_assert_str_eq(needed(&notice), "place:C1 ");
    notice.is_test = true;
    ck_assert_str_eq(needed(&notice), "rights: place:C1 ");
    channel.option_count = 0;
    ck_assert_str_eq(needed(NULL), "");
    notice.to = "/T1/U1";
    ck_assert_str_eq(needed(&notice), "rights: address:/T1/U1 ");
    notice.address = "{\"channel\":\"D1\",\"ts\":\"1.2\"}";
    notice.is_test = false;
    ck_assert_str_eq(needed(&notice), "");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("slack_inquiries");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, slack__what_reads_forms_alone_is_asked_in_forms);
    tcase_add_test(tests, slack__nothing_is_asked_about_what_is_no_id);
    tcase_add_test(tests, slack__a_full_member_of_the_very_team_and_organization_is_good);
    tcase_add_test(tests, slack__everybody_else_is_bad);
    tcase_add_test(tests, slack__what_says_nothing_of_use_is_unanswered);
    tcase_add_test(tests, slack__a_place_that_is_shared_or_may_be_is_bad_and_says_what_to_do);
    tcase_add_test(tests, slack__shared_within_a_named_organization_is_good_and_outside_still_bad);
    tcase_add_test(tests, slack__a_conversation_is_where_slack_says);
    tcase_add_test(tests, slack__the_scopes_that_a_channel_needs_are_looked_for);
    tcase_add_test(tests,
                   slack__what_shows_something_new_asks_about_its_place_and_what_freezes_does_not);
    Suite *suite = suite_create("slack_inquiries");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
