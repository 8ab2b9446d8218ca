#include "base/arena.h"
#include "base/builder.h"
#include "crypto/crypto.h"
#include "notifiers/slack/slack_callback.h"
#include "notifiers/slack/slack_card.h"
#include "tests/support/run_suite.h"
#include <check.h>
#include <string.h>

#define REQUEST      "req_01k0abcdefghjkmnpqrstvwxyz"
#define NONCE        "AbCdEfGhIjKlMnOpQrStUvWxY-_"
#define VALUE        "v1." REQUEST "." NONCE
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

/* ---- signatures ---- */

static const char vector_body[] =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmib"
    "IGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
static const char vector_mac[] =
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
#define VECTOR_SECRET "8f742231b10e8888abcd99yyyzzz85a5"
#define VECTOR_AT     1531420618000LL

static const char *check(const char *timestamp, const char *signature, const char *secret,
                         int64_t now)
{
    const char *secrets[] = {"another secret than that one", secret};
    struct error error = {0};
    return slack_check_signature(timestamp, signature, vector_body, sizeof vector_body - 1, secrets,
                                 2, now, &error)
               ? "good"
               : error.code;
}

START_TEST(slack__the_published_vector_is_good_under_the_second_of_two_secrets)
{
    ck_assert_str_eq(check("1531420618", vector_mac, VECTOR_SECRET, VECTOR_AT), "good");
}
END_TEST

START_TEST(slack__a_signature_counts_for_five_minutes_either_way)
{
    ck_assert_str_eq(check("1531420618", vector_mac, VECTOR_SECRET, VECTOR_AT + 300000), "good");
    ck_assert_str_eq(check("1531420618", vector_mac, VECTOR_SECRET, VECTOR_AT - 300000), "good");
    ck_assert_str_eq(check("1531420618", vector_mac, VECTOR_SECRET, VECTOR_AT + 300001),
                     "wrong_time");
    ck_assert_str_eq(check("1531420618", vector_mac, VECTOR_SECRET, VECTOR_AT - 300001),
                     "wrong_time");
}
END_TEST

START_TEST(slack__another_secret_another_time_or_half_a_signature_is_refused)
{
    ck_assert_str_eq(check("1531420618", vector_mac, "8f742231b10e8888abcd99yyyzzz85a6", VECTOR_AT),
                     "bad_signature");
    ck_assert_str_eq(check("1531420619", vector_mac, VECTOR_SECRET, VECTOR_AT), "bad_signature");
    ck_assert_str_eq(check("1531420618", "v0=a2114d57", VECTOR_SECRET, VECTOR_AT), "bad_signature");
    ck_assert_str_eq(check("1531420618", "", VECTOR_SECRET, VECTOR_AT), "bad_signature");
}
END_TEST

START_TEST(slack__missing_headers_and_odd_times_are_refused)
{
    static const char *const odd[] = {
        "", "-1", " 1531420618", "1531420618.0", "0x5b4b", "99999999999999999999"};
    ck_assert_str_eq(check(NULL, vector_mac, VECTOR_SECRET, VECTOR_AT), "no_signature");
    ck_assert_str_eq(check("1531420618", NULL, VECTOR_SECRET, VECTOR_AT), "no_signature");
    for (size_t i = 0; i < COUNT(odd); i++) {
        ck_assert_str_eq(check(odd[i], vector_mac, VECTOR_SECRET, VECTOR_AT), "bad_timestamp");
    }
}
END_TEST

START_TEST(slack__no_secret_makes_no_signature_good)
{
    struct error error = {0};
    ck_assert(!slack_check_signature("1531420618", vector_mac, vector_body, sizeof vector_body - 1,
                                     NULL, 0, VECTOR_AT, &error));
    ck_assert_str_eq(error.code, "bad_signature");
}
END_TEST

/* ---- forms ---- */

START_TEST(slack__the_form_has_its_one_field_and_no_other)
{
    static const char *const bad[] = {"",
                                      "payload=",
                                      "payload",
                                      "payload=%7b%7d&payload=%7b%7d",
                                      "a=1&payload=%7b%7d",
                                      "Payload=%7b%7d",
                                      "payload=%7",
                                      "payload=%00",
                                      "payload=%ff",
                                      "payload=%0a"};
    struct error error = {0};
    const char *good = slack_read_form("payload=%7b%22a%22:+1%7D", 24, arena, &error);
    ck_assert_str_eq(good, "{\"a\": 1}");
    for (size_t i = 0; i < COUNT(bad); i++) {
        error = (struct error){0};
        ck_assert_ptr_null(slack_read_form(bad[i], strlen(bad[i]), arena, &error));
        ck_assert_str_eq(error.code, "invalid_form");
    }
}
END_TEST

/* ---- payloads ---- */

#define HEAD                                                                                       \
    "\"api_app_id\":\"A1\",\"team\":{\"id\":\"T1\",\"domain\":\"x\"},\"trigger_id\":\"1.2.3\","    \
    "\"container\":{\"type\":\"message\",\"channel_id\":\"C1\",\"message_ts\":\"1.2\"},"
#define BARE "\"api_app_id\":\"A1\",\"team\":{\"id\":\"T1\"},"
#define USER "\"user\":{\"id\":\"U1\",\"username\":\"dana\",\"team_id\":\"T1\"},"
#define PRESSED(action, value)                                                                     \
    "\"type\":\"block_actions\",\"actions\":[{\"action_id\":\"" action "\",\"value\":\"" value     \
    "\"}]"

static const char *const teams[] = {"T1", "T2"};
static const char *const enterprises[] = {"E1"};

static const char *read_as(const char *payload, size_t enterprise_count, struct callback *out)
{
    struct slack_app app = {.app = "A1",
                            .place = "C1",
                            .teams = teams,
                            .team_count = 2,
                            .enterprises = enterprises,
                            .enterprise_count = enterprise_count};
    struct error error = {0};
    return slack_read_payload(payload, strlen(payload), &app, arena, out, &error) ? "read"
                                                                                  : error.code;
}

static const char *read_it(const char *payload, struct callback *out)
{
    return read_as(payload, 0, out);
}

START_TEST(slack__a_press_says_who_and_on_which_card)
{
    struct callback got = {0};
    ck_assert_str_eq(read_it("{" HEAD USER PRESSED(SLACK_APPROVE, VALUE) "}", &got), "read");
    ck_assert_int_eq(got.what, CALLBACK_APPROVE);
    ck_assert_str_eq(got.account, "/T1/U1");
    ck_assert_str_eq(got.request, REQUEST);
    ck_assert_str_eq(got.nonce, NONCE);
    ck_assert_str_eq(got.place, "C1");
    ck_assert_str_eq(got.trigger, "1.2.3");
    ck_assert_str_eq(read_it("{" HEAD USER PRESSED(SLACK_DENY, VALUE) "}", &got), "read");
    ck_assert_int_eq(got.what, CALLBACK_ASK_REASON);
    ck_assert_str_eq(read_it("{" HEAD USER PRESSED(SLACK_OPEN, "") "}", &got), "read");
    ck_assert_int_eq(got.what, CALLBACK_IGNORED);
}
END_TEST

START_TEST(slack__the_enterprise_is_part_of_who_and_looked_at_where_named)
{
    struct callback got = {0};
#define GRID  "\"enterprise\":{\"id\":\"E1\"}," HEAD USER PRESSED(SLACK_APPROVE, VALUE)
#define ALIEN "\"enterprise\":{\"id\":\"E2\"}," HEAD USER PRESSED(SLACK_APPROVE, VALUE)
    ck_assert_str_eq(read_as("{" GRID "}", 1, &got), "read");
    ck_assert_str_eq(got.account, "E1/T1/U1");
    ck_assert_str_eq(read_as("{" ALIEN "}", 1, &got), "wrong_enterprise");
    ck_assert_str_eq(read_as("{" HEAD USER PRESSED(SLACK_APPROVE, VALUE) "}", 1, &got),
                     "wrong_enterprise");
}
END_TEST

START_TEST(slack__other_apps_other_teams_and_strangers_are_refused)
{
#define PRESS PRESSED(SLACK_APPROVE, VALUE) "}"
    static const char *const refused[][2] = {
        {"wrong_app", "{\"api_app_id\":\"A2\",\"team\":{\"id\":\"T1\"}," USER PRESS},
        {"wrong_app", "{\"team\":{\"id\":\"T1\"}," USER PRESS},
        {"wrong_team", "{\"api_app_id\":\"A1\",\"team\":{\"id\":\"T9\"}," USER PRESS},
        {"wrong_team", "{\"api_app_id\":\"A1\",\"team\":null," USER PRESS},
        {"stranger", "{" HEAD "\"user\":{\"id\":\"U1\",\"team_id\":\"T9\"}," PRESS},
        {"stranger", "{" HEAD "\"user\":{\"id\":\"U1\",\"username\":\"dana\"}," PRESS},
        {"bad_payload", "{" HEAD "\"user\":{\"id\":\"u/1\",\"team_id\":\"T1\"}," PRESS},
        {"bad_payload", "{" HEAD "\"user\":{\"username\":\"dana\",\"team_id\":\"T1\"}," PRESS},
    };
    struct callback got = {0};
    for (size_t i = 0; i < COUNT(refused); i++) {
        ck_assert_str_eq(read_it(refused[i][1], &got), refused[i][0]);
    }
    ck_assert_int_eq(got.what, CALLBACK_NONE);
}
END_TEST

START_TEST(slack__nobody_is_let_in_by_an_empty_list_of_teams)
{
    const char *payload = "{" HEAD USER PRESSED(SLACK_APPROVE, VALUE) "}";
    struct slack_app app = {.app = "A1"};
    struct callback got = {0};
    struct error error = {0};
    ck_assert(!slack_read_payload(payload, strlen(payload), &app, arena, &got, &error));
    ck_assert_str_eq(error.code, "wrong_team");
}
END_TEST

START_TEST(slack__a_value_of_another_form_is_no_card_of_ours)
{
    static const char *const values[] = {"",
                                         "v2." REQUEST "." NONCE,
                                         "v1." REQUEST "." NONCE "x",
                                         "v1." REQUEST ".",
                                         "v1.REQ_01k0abcdefghjkmnpqrstvwxyz." NONCE,
                                         "v1.req_../../../../etc/passwd00000." NONCE};
    struct callback got = {0};
    for (size_t i = 0; i < COUNT(values); i++) {
        const char *payload =
            arena_printf(arena,
                         "{" HEAD USER "\"type\":\"block_actions\",\"actions\":[{\"action_id\":"
                         "\"" SLACK_APPROVE "\",\"value\":\"%s\"}]}",
                         values[i]);
        ck_assert_str_eq(read_it(payload, &got), "bad_value");
    }
}
END_TEST

#define SUBMITTED(name, values)                                                                    \
    "\"type\":\"view_submission\",\"view\":{\"callback_id\":\"" name                               \
    "\",\"private_metadata\":\"" VALUE " C1\",\"state\":{\"values\":{" values "}}}"
#define TYPED(block, text) "\"" block "\":{\"" block "\":{\"type\":\"x\",\"value\":" text "}}"

START_TEST(slack__a_modal_brings_the_reason_or_the_code)
{
    struct callback got = {0};
    ck_assert_str_eq(
        read_it("{" HEAD USER SUBMITTED(SLACK_DENY, TYPED("reason", "\"no\\nreally\"")) "}", &got),
        "read");
    ck_assert_int_eq(got.what, CALLBACK_DENY);
    ck_assert_str_eq(got.reason, "no\nreally");
    ck_assert_str_eq(got.request, REQUEST);
    ck_assert_str_eq(
        read_it("{" HEAD USER SUBMITTED(SLACK_DENY, TYPED("reason", "null")) "}", &got), "read");
    ck_assert_ptr_null(got.reason);
    ck_assert_str_eq(
        read_it("{" HEAD USER SUBMITTED(SLACK_LINK, TYPED("code", "\"abc-def\"")) "}", &got),
        "read");
    ck_assert_int_eq(got.what, CALLBACK_LINK);
    ck_assert_str_eq(got.code, "abc-def");
}
END_TEST

START_TEST(slack__hostile_payloads_are_refused_whole)
{
    static const char *const refused[][2] = {
        {"invalid_json", "{" HEAD},
        {"invalid_json", ""},
        {"bad_payload", "[]"},
        {"bad_payload", "\"" VALUE "\""},
        {"duplicate_name", "{" USER USER HEAD PRESSED(SLACK_APPROVE, VALUE) "}"},
        {"bad_payload", "{" HEAD USER "\"type\":7}"},
        {"bad_payload", "{" HEAD USER "\"type\":\"block_actions\",\"actions\":[]}"},
        {"bad_payload", "{" HEAD USER "\"type\":\"block_actions\",\"actions\":[{\"action_id\":"
                        "\"countersign_deny\"},{\"action_id\":\"countersign_approve\"}]}"},
        {"bad_payload", "{" HEAD USER "\"type\":\"view_submission\",\"view\":{}}"},
        {"bad_payload", "{" HEAD USER SUBMITTED("another", "") "}"},
        {"bad_payload", "{" HEAD USER SUBMITTED(SLACK_LINK, "") "}"},
        {"bad_payload", "{" HEAD USER SUBMITTED(SLACK_DENY, TYPED("reason", "\"a\\u001bb\"")) "}"},
    };
    struct callback got = {0};
    for (size_t i = 0; i < COUNT(refused); i++) {
        ck_assert_str_eq(read_it(refused[i][1], &got), refused[i][0]);
    }
    ck_assert_int_eq(got.what, CALLBACK_NONE);
}
END_TEST

START_TEST(slack__a_shortcut_asks_for_the_code_and_all_else_for_nothing)
{
    struct callback got = {0};
    ck_assert_str_eq(
        read_it("{" HEAD USER "\"type\":\"shortcut\",\"callback_id\":\"" SLACK_LINK "\"}", &got),
        "read");
    ck_assert_int_eq(got.what, CALLBACK_ASK_CODE);
    ck_assert_str_eq(read_it("{" HEAD USER "\"type\":\"view_closed\"}", &got), "read");
    ck_assert_int_eq(got.what, CALLBACK_IGNORED);
    ck_assert_str_eq(read_it("{" HEAD USER "\"type\":\"shortcut\",\"callback_id\":\"b\"}", &got),
                     "read");
    ck_assert_int_eq(got.what, CALLBACK_IGNORED);
}
END_TEST

static const char *read_at(const char *payload, const char *place)
{
    struct slack_app app = {.app = "A1", .place = place, .teams = teams, .team_count = 2};
    struct callback got = {0};
    struct error error = {0};
    return slack_read_payload(payload, strlen(payload), &app, arena, &got, &error) ? got.place
                                                                                   : error.code;
}

#define MODAL(metadata)                                                                            \
    "{" BARE USER "\"type\":\"view_submission\",\"view\":{\"callback_id\":\"" SLACK_DENY           \
    "\",\"private_metadata\":\"" metadata "\",\"state\":{\"values\":{}}}}"
#define ACTION                                                                                     \
    "\"type\":\"block_actions\",\"actions\":[{\"action_id\":\"" SLACK_APPROVE                      \
    "\",\"value\":\"" VALUE "\"}]}"

START_TEST(slack__a_decision_comes_from_where_the_cards_stand)
{
    const char *press = "{" HEAD USER PRESSED(SLACK_APPROVE, VALUE) "}";
    const char *talk = "{" BARE USER "\"container\":{\"channel_id\":\"D1\"}," ACTION;
    const char *nowhere = "{" BARE USER ACTION;
    ck_assert_str_eq(read_at(press, "C1"), "C1");
    ck_assert_str_eq(read_at(press, "C2"), "wrong_place");
    ck_assert_str_eq(read_at(press, NULL), "wrong_place");
    ck_assert_str_eq(read_at(talk, NULL), "D1");
    ck_assert_str_eq(read_at(talk, "C1"), "wrong_place");
    ck_assert_str_eq(read_at(nowhere, "C1"), "wrong_place");
    ck_assert_str_eq(read_at(nowhere, NULL), "wrong_place");
}
END_TEST

START_TEST(slack__a_modal_says_where_the_card_stands)
{
    ck_assert_str_eq(read_at(MODAL(VALUE " C1"), "C1"), "C1");
    ck_assert_str_eq(read_at(MODAL(VALUE " D1"), NULL), "D1");
    ck_assert_str_eq(read_at(MODAL(VALUE " C2"), "C1"), "wrong_place");
    ck_assert_str_eq(read_at(MODAL(VALUE), "C1"), "bad_payload");
    ck_assert_str_eq(read_at(MODAL(VALUE " c1"), "C1"), "bad_payload");
    ck_assert_str_eq(read_at(MODAL(VALUE " C1 C1"), "C1"), "bad_payload");
    ck_assert_str_eq(read_at(MODAL(" C1"), "C1"), "bad_value");
}
END_TEST

int main(void)
{
    crypto_start();
    TCase *tests = tcase_create("slack_callback");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, slack__the_published_vector_is_good_under_the_second_of_two_secrets);
    tcase_add_test(tests, slack__a_signature_counts_for_five_minutes_either_way);
    tcase_add_test(tests, slack__another_secret_another_time_or_half_a_signature_is_refused);
    tcase_add_test(tests, slack__missing_headers_and_odd_times_are_refused);
    tcase_add_test(tests, slack__no_secret_makes_no_signature_good);
    tcase_add_test(tests, slack__the_form_has_its_one_field_and_no_other);
    tcase_add_test(tests, slack__a_press_says_who_and_on_which_card);
    tcase_add_test(tests, slack__the_enterprise_is_part_of_who_and_looked_at_where_named);
    tcase_add_test(tests, slack__other_apps_other_teams_and_strangers_are_refused);
    tcase_add_test(tests, slack__nobody_is_let_in_by_an_empty_list_of_teams);
    tcase_add_test(tests, slack__a_value_of_another_form_is_no_card_of_ours);
    tcase_add_test(tests, slack__a_modal_brings_the_reason_or_the_code);
    tcase_add_test(tests, slack__hostile_payloads_are_refused_whole);
    tcase_add_test(tests, slack__a_shortcut_asks_for_the_code_and_all_else_for_nothing);
    tcase_add_test(tests, slack__a_decision_comes_from_where_the_cards_stand);
    tcase_add_test(tests, slack__a_modal_says_where_the_card_stands);
    Suite *suite = suite_create("slack_callback");
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
