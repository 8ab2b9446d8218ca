#include "base/arena.h"
#include "formats/json.h"
#include "notifiers/notifier.h"
#include "notifiers/teams/teams_card.h"
#include "notifiers/teams/teams_place.h"
#include "tests/support/run_suite.h"
#include "tests/unit/notifiers/sample_card.h"
#include <check.h>
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

#define PLACE  "19:0abc@thread.tacv2"
#define APP    "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"
#define TENANT "5e6f7a8b-0000-4000-8000-5e6f7a8b9c0d"

static const struct notifier_channel channel = {
    .name = "approvals",
    .kind = "teams-bot",
    .url = TEAMS_SERVICE_URL,
    .secret = "a+b&c=d e",
    .options = {{"conversation", PLACE},
                {"app_id", APP},
                {"tenant_id", TENANT},
                {"login_url", "https://login.microsoftonline.com/"}},
    .option_count = 4};
static const char card[] =
    "{\"action\":\"a\",\"agent\":\"a\",\"digest\":\"0\",\"link\":\"https://a/\",\"moment\":"
    "\"asked\",\"request\":\"r\",\"resource\":\"r\",\"revision\":1,\"risk\":\"low\",\"state\":"
    "\"pending\",\"subject\":\"s\"}";

static struct notifier_notice notice_of(const char *to, const char *address)
{
    return (struct notifier_notice){
        .id = "ntc_1", .payload = card, .to = to, .address = address, .token = "eyJ.x"};
}

static bool compose(const char *to, const char *address, struct notifier_message *out,
                    struct error *error)
{
    struct notifier_notice notice = notice_of(to, address);
    *error = (struct error){0};
    return teams_bot_notifier.compose(&channel, &notice, 0, arena, out, error);
}

#define POSTED(service)                                                                            \
    "{\"activity\":\"17/00?1\",\"conversation\":\"a:1\",\"service\":\"" service "\"}"

START_TEST(bot__a_card_is_posted_once_and_then_changed_where_it_stands)
{
    struct notifier_message message;
    struct error error;
    ck_assert(compose(NULL, NULL, &message, &error));
    ck_assert_str_eq(message.url,
                     TEAMS_SERVICE_URL "v3/conversations/19%3A0abc%40thread.tacv2/activities");
    ck_assert(!message.is_put);
    ck_assert_str_eq(message.headers[2], "Authorization: Bearer eyJ.x");
    ck_assert(compose("https://smba.trafficmanager.net/emea", NULL, &message, &error));
    ck_assert_str_eq(message.url, "https://smba.trafficmanager.net/emea/v3/conversations/"
                                  "19%3A0abc%40thread.tacv2/activities");
    ck_assert(compose("https://smba.trafficmanager.net/emea/",
                      POSTED("https://smba.trafficmanager.net/amer/"), &message, &error));
    ck_assert_str_eq(message.url, "https://smba.trafficmanager.net/amer/v3/conversations/a%3A1/"
                                  "activities/17%2F00%3F1");
    ck_assert(message.is_put);
}
END_TEST

START_TEST(bot__a_place_that_teams_did_not_answer_is_none)
{
    static const char *const places[] = {"", "[]", "{\"ts\":\"1\"}",
                                         "{\"activity\":\"1\",\"conversation\":\"a:1\"}"};
    struct notifier_message message;
    struct error error;
    for (size_t i = 0; i < COUNT(places); i++) {
        ck_assert_msg(!compose(NULL, places[i], &message, &error), "%s", places[i]);
    }
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    ck_assert_str_eq(error.code, "bad_address");
}
END_TEST

/* ---- where the token may go ---- */

START_TEST(place__the_token_goes_to_microsofts_connectors_and_to_what_the_operator_named)
{
    static const char *const good[] = {
        "https://smba.trafficmanager.net/teams/", "https://smba.trafficmanager.net/emea/guid-1/",
        "https://smba.trafficmanager.net", "https://europe.botframework.com/",
        "http://127.0.0.1:4711/emea/"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "http://smba.trafficmanager.net/teams/",
                                      "https://smba.trafficmanager.net:8443/",
                                      "https://smba.trafficmanager.net.evil.example/",
                                      "https://evil.example/smba.trafficmanager.net/",
                                      "https://evil.example#smba.trafficmanager.net/",
                                      "https://evil.example?.botframework.com",
                                      "https://evil.example\\.botframework.com/",
                                      "https://user@smba.trafficmanager.net/",
                                      "https://smba.trafficmanager.net@evil.example/",
                                      "https://smba.trafficmanager.net:443@evil.example/",
                                      "https://evilbotframework.com/",
                                      "https://.botframework.com.evil.example/",
                                      "https://smba.trafficmanager.net/../x",
                                      "https://smba.trafficmanager.net/%2e%2e/x",
                                      "https://smba.trafficmanager.net/a?b",
                                      "https://smba.trafficmanager.net/a#b",
                                      "https://smba.trafficmanager.net/a b",
                                      "https://smba.trafficmanager.net/a\r\nX: y",
                                      " https://smba.trafficmanager.net/",
                                      "HTTPS://smba.trafficmanager.net/",
                                      "https://SMBA.trafficmanager.net/",
                                      "http://127.0.0.1:47110/emea/",
                                      "http://127.0.0.1:4711.evil.example/",
                                      "http://127.0.0.1/emea/",
                                      "https://127.0.0.1:4711/emea/",
                                      "ftp://smba.trafficmanager.net/"};
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(teams_may_serve(good[i], "http://127.0.0.1:4711/x/"), "%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!teams_may_serve(bad[i], "http://127.0.0.1:4711/x/"), "%s", bad[i]);
    }
    ck_assert(!teams_may_serve("http://127.0.0.1:4711/emea/", TEAMS_SERVICE_URL));
    ck_assert(!teams_may_serve("http://127.0.0.1:4711/emea/", NULL));
    char *endless = arena_alloc(arena, 400);
    memset(endless, 'a', 399);
    endless[399] = '\0';
    memcpy(endless, TEAMS_SERVICE_URL, strlen(TEAMS_SERVICE_URL));
    ck_assert(!teams_may_serve(endless, NULL));
}
END_TEST

START_TEST(place__what_a_notice_or_a_card_says_gets_no_token_when_it_is_elsewhere)
{
    struct notifier_message message;
    struct error error;
    ck_assert(!compose("https://evil.example/", NULL, &message, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    ck_assert_str_eq(error.code, "service_not_allowed");
    ck_assert_ptr_nonnull(strstr(error.message, "`https://evil.example/`"));
    ck_assert(!compose(TEAMS_SERVICE_URL, POSTED("https://evil.example/"), &message, &error));
    ck_assert_str_eq(error.code, "service_not_allowed");
}
END_TEST

START_TEST(place__a_conversation_is_an_id_of_teams_and_no_path)
{
    static const char *const good[] = {PLACE, "a:1_tUs-x", "19:0a_0b@unq.gbl.spaces",
                                       "19:meeting_MjdhNjM4@thread.v2"};
    static const char *const bad[] = {
        "",        "19",     "19:0/../1", "19%3a0", PLACE ";messageid=1",
        "19:0 @x", "19:0?a", "19:0\n",    ":",      "19:0\\1"};
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(teams_is_conversation(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!teams_is_conversation(bad[i]), "%s", bad[i]);
    }
}
END_TEST

/* ---- the token ---- */

START_TEST(token__is_asked_for_by_client_credentials_of_the_one_tenant)
{
    struct notifier_message message;
    struct error error = {0};
    ck_assert(teams_bot_notifier.compose_token(&channel, 0, arena, &message, &error));
    ck_assert_str_eq(message.url, "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/token");
    ck_assert_str_eq(message.body, "grant_type=client_credentials&client_id=" APP
                                   "&client_secret=a%2Bb%26c%3Dd%20e"
                                   "&scope=https%3A%2F%2Fapi.botframework.com%2F.default");
    ck_assert_str_eq(message.headers[0], "Content-Type: application/x-www-form-urlencoded");
    ck_assert_uint_eq(message.length, strlen(message.body));
}
END_TEST

static bool read_token(long status, const char *body, const char **out, int64_t *out_ms,
                       struct error *error)
{
    struct notifier_reply reply = {.status = status, .body = body, .length = strlen(body)};
    *error = (struct error){0};
    return teams_bot_notifier.read_token(&reply, arena, out, out_ms, error);
}

START_TEST(token__lives_as_long_as_the_login_server_says_and_at_most_a_day)
{
    const char *token = NULL;
    int64_t ms = 0;
    struct error error;
    ck_assert(read_token(200, "{\"access_token\":\"eyJ.a-b_c~\",\"expires_in\":3599}", &token, &ms,
                         &error));
    ck_assert_str_eq(token, "eyJ.a-b_c~");
    ck_assert_int_eq(ms, 3599000);
    ck_assert(read_token(200, "{\"access_token\":\"a\",\"expires_in\":9007199254740991}", &token,
                         &ms, &error));
    ck_assert_int_eq(ms, 24 * 3600 * 1000);
}
END_TEST

static const struct {
    long status;
    const char *body;
    const char *says;
} no_tokens[] = {
    {401,
     "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid\\u202e "
     "secret.\\r\\nTrace ID: 1\"}",
     "(401): AADSTS7000215: Invalid\\u{202e} secret."},
    {400, "{\"error\":\"unauthorized_client\"}", "(400): unauthorized_client"},
    {503, "", "(503): it does not say why"},
    {200, "<html>", "it does not say why"},
    {200, "[]", "it does not say why"},
    {200, "{\"access_token\":\"a\"}", "it does not say why"},
    {200, "{\"access_token\":\"a\",\"expires_in\":0}", "it does not say why"},
    {200, "{\"access_token\":\"a\",\"expires_in\":-5}", "it does not say why"},
    {200, "{\"access_token\":\"\",\"expires_in\":5}", "it does not say why"},
    {200, "{\"access_token\":7,\"expires_in\":5}", "it does not say why"},
    {200, "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":5}", "it does not say why"},
    {201, "{\"access_token\":\"a\",\"expires_in\":5}", "it does not say why"},
};

START_TEST(token__what_is_none_is_said_in_one_line_and_never_used)
{
    const char *token = "untouched";
    int64_t ms = -1;
    struct error error;
    ck_assert(!read_token(no_tokens[_i].status, no_tokens[_i].body, &token, &ms, &error));
    ck_assert_int_eq(error.kind, ERROR_UNAUTHENTICATED);
    ck_assert_msg(strstr(error.message, no_tokens[_i].says) != NULL, "%s", error.message);
    ck_assert_ptr_null(strstr(error.message, "Trace"));
    ck_assert_str_eq(token, "untouched");
    ck_assert_int_eq(ms, -1);
}
END_TEST

/* ---- what was answered ---- */

static struct notifier_judgement judge(const char *address, long status, const char *body)
{
    struct notifier_notice notice = notice_of(NULL, address);
    struct notifier_reply reply = {
        .status = status, .body = body, .length = strlen(body), .retry_after_ms = 3000};
    struct notifier_judgement out = {0};
    teams_bot_notifier.judge(&channel, &notice, &reply, arena, &out);
    return out;
}

START_TEST(judge__the_address_of_a_card_is_where_it_went_and_the_id_that_came_back)
{
    struct notifier_judgement posted = judge(NULL, 201, "{\"id\":\"1700\"}");
    struct notifier_message message;
    struct error error;
    ck_assert_int_eq(posted.verdict, NOTIFIER_SENT);
    ck_assert_str_eq(posted.address, "{\"activity\":\"1700\",\"conversation\":\"" PLACE
                                     "\",\"service\":\"" TEAMS_SERVICE_URL "\"}");
    ck_assert(compose(NULL, posted.address, &message, &error));
    ck_assert(message.is_put);
    struct notifier_judgement changed = judge(posted.address, 200, "{\"id\":\"other\"}");
    ck_assert_int_eq(changed.verdict, NOTIFIER_SENT);
    ck_assert_ptr_null(changed.address);
    ck_assert_int_eq(judge(posted.address, 200, "").verdict, NOTIFIER_SENT);
}
END_TEST

START_TEST(judge__a_post_without_an_id_is_none)
{
    static const char *const bodies[] = {"", "<html>", "[]", "{}", "{\"id\":\"\"}", "{\"id\":7}"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct notifier_judgement judged = judge(NULL, 200, bodies[i]);
        ck_assert_msg(judged.verdict == NOTIFIER_RETRY, "%s", bodies[i]);
        ck_assert_ptr_null(judged.address);
        ck_assert_ptr_nonnull(judged.reason);
    }
    ck_assert_int_eq(judge(NULL, 202, "").verdict, NOTIFIER_SENT); /* else it would stand twice */
    ck_assert_ptr_null(judge(NULL, 202, "").address);
    ck_assert_int_eq(judge(NULL, 202, "<html>").verdict, NOTIFIER_RETRY);
}
END_TEST

static const struct {
    long status;
    enum notifier_verdict verdict;
} verdicts[] = {
    {401, NOTIFIER_BAD_TOKEN}, {403, NOTIFIER_RETRY}, {408, NOTIFIER_RETRY}, {412, NOTIFIER_RETRY},
    {429, NOTIFIER_RETRY},     {500, NOTIFIER_RETRY}, {502, NOTIFIER_RETRY}, {504, NOTIFIER_RETRY},
    {302, NOTIFIER_RETRY},     {400, NOTIFIER_DEAD},  {404, NOTIFIER_DEAD},  {413, NOTIFIER_DEAD},
};

START_TEST(judge__what_may_pass_is_tried_again_and_what_will_not_is_dead)
{
    static const char said[] =
        "{\"error\":{\"code\":\"C\\u200bode\",\"message\":\"no\\nmore\"},\"id\":\"1\"}";
    struct notifier_judgement judged = judge(NULL, verdicts[_i].status, said);
    ck_assert_int_eq(judged.verdict, verdicts[_i].verdict);
    ck_assert_int_eq(judged.retry_after_ms, 3000);
    ck_assert_str_eq(judged.reason, "Teams says C\\u{200b}ode: no");
    ck_assert_ptr_null(judged.address);
    ck_assert_ptr_null(judge(NULL, verdicts[_i].status, "<html>").reason);
}
END_TEST

/* ---- the card ---- */

/* Of a card that is too much to be approved on it. */
static size_t message_length(struct card *shown, bool has_buttons)
{
    struct builder out BUILDER_SCOPE;
    struct error error = {0};
    builder_init(&out, 0);
    teams_message_append(&out, shown, has_buttons, arena);
    struct json_document *document JSON_SCOPE = json_parse(out.bytes, out.length, &error);
    ck_assert_msg(document != NULL, "%s", error.message);
    ck_assert_ptr_null(strstr(out.bytes, "\"verb\":\"approve\""));
    return out.length;
}

static const char *filled(size_t length, const char *with)
{
    struct builder out BUILDER_SCOPE;
    builder_init(&out, 0);
    while (out.length + strlen(with) <= length) {
        builder_text(&out, with);
    }
    return arena_copy(arena, out.bytes, out.length);
}

/* Quotes and backslashes double in JSON; what is not ASCII does not. */
START_TEST(card__fits_in_28_kb_whatever_stands_in_it)
{
    static const char *const fillings[] = {"x", "\\\"", "\xc3\xa4", "\\u{202e}", "<&>"};
    const char *with = fillings[_i];
    struct card full =
        sample_card(arena_printf(arena, "{\"a\":\"%s\"}",
                                 _i == 1 ? filled(90000, "\\\\\\\"") : filled(90000, with)),
                    filled(CARD_WHY_BYTES_MAX, with));
    full.message = filled(CARD_WHY_BYTES_MAX, with);
    full.action = full.resource = full.agent = full.subject = filled(CARD_FACT_BYTES_MAX, with);
    full.question = full.answer = filled(CARD_WHY_BYTES_MAX, with);
    full.asked_by = "dana";
    for (full.fact_count = 0; full.fact_count < CARD_FACTS_MAX; full.fact_count++) {
        full.facts[full.fact_count] =
            (struct card_fact){filled(60, with), filled(CARD_FACT_BYTES_MAX, with)};
    }
    for (full.asked_count = 0; full.asked_count < CARD_NAMES_MAX; full.asked_count++) {
        full.asked[full.asked_count] = filled(63, "g");
    }
    ck_assert_uint_le(message_length(&full, true), TEAMS_MESSAGE_BYTES_MAX);
    ck_assert_uint_le(message_length(&full, false), TEAMS_MESSAGE_BYTES_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notifiers: a bot in Teams");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, bot__a_card_is_posted_once_and_then_changed_where_it_stands);
    tcase_add_test(tests, bot__a_place_that_teams_did_not_answer_is_none);
    tcase_add_test(tests,
                   place__the_token_goes_to_microsofts_connectors_and_to_what_the_operator_named);
    tcase_add_test(tests, place__what_a_notice_or_a_card_says_gets_no_token_when_it_is_elsewhere);
    tcase_add_test(tests, place__a_conversation_is_an_id_of_teams_and_no_path);
    tcase_add_test(tests, token__is_asked_for_by_client_credentials_of_the_one_tenant);
    tcase_add_test(tests, token__lives_as_long_as_the_login_server_says_and_at_most_a_day);
    tcase_add_loop_test(tests, token__what_is_none_is_said_in_one_line_and_never_used, 0,
                        COUNT(no_tokens));
    tcase_add_test(tests, judge__the_address_of_a_card_is_where_it_went_and_the_id_that_came_back);
    tcase_add_test(tests, judge__a_post_without_an_id_is_none);
    tcase_add_loop_test(tests, judge__what_may_pass_is_tried_again_and_what_will_not_is_dead, 0,
                        COUNT(verdicts));
    tcase_add_loop_test(tests, card__fits_in_28_kb_whatever_stands_in_it, 0, 5);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
