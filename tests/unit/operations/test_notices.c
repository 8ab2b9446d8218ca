#include "formats/json.h"
#include "notifiers/card.h"
#include "notifiers/teams/teams_place.h"
#include "operations/chat_operations.h"
#include "operations/comment_operations.h"
#include "operations/notice_internal.h"
#include "tests/support/scenario.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kind that can change what it posted and take decisions, as chat does; nothing is sent here. */
static const struct notifier chat_kind = {
    .kind = "chat", .shows_cards = true, .changes_cards = true, .decides = true};
static const struct notifier plain_kind = {.kind = "plain", .shows_cards = true};

static struct operations_channel channels[2];
static struct scenario s;
static bool has_begun;
static struct notice_lease *leases;
static size_t count;

static void tear_down(void)
{
    scenario_end(&s);
    has_begun = false;
}

/* Also anew, with other channels. */
static void begin(const struct operations_channel *first, const struct operations_channel *second)
{
    if (has_begun) {
        tear_down();
    }
    has_begun = true;
    channels[0] = *first;
    channels[1] = second == NULL ? (struct operations_channel){0} : *second;
    scenario_start(&s, NULL);
    s.rig.operations->options.channels = channels;
    s.rig.operations->options.channel_count = second == NULL ? 1 : 2;
}

static const struct operations_channel chat = {.name = "chat", .notifier = &chat_kind};
static const struct operations_channel plain = {.name = "plain", .notifier = &plain_kind};

static void set_up(void)
{
    begin(&chat, NULL);
}

/* Leases live in the scenario's arena, as what is committed does. */
static void lease_all(void)
{
    struct notice_lease *found;
    struct operation *operation = scenario_begin_system(&s);
    ck_assert(operation_lease_notices(operation, NULL, &found, &count, &s.error));
    leases = arena_array(s.arena, count, sizeof *leases);
    for (size_t i = 0; i < count; i++) {
        leases[i] = found[i];
        leases[i].row.payload = arena_text(s.arena, found[i].row.payload);
        leases[i].row.channel = arena_text(s.arena, found[i].row.channel);
        leases[i].row.event = arena_text(s.arena, found[i].row.event);
        leases[i].row.request = arena_text(s.arena, found[i].row.request);
        leases[i].row.recipient = arena_text(s.arena, found[i].row.recipient);
        leases[i].row.line = arena_text(s.arena, found[i].row.line);
        leases[i].row.state = "waiting";
        leases[i].address = arena_text(s.arena, found[i].address);
    }
    scenario_commit(&s);
}

static void settle(struct notice_lease *notice, struct notice_settlement settlement)
{
    struct operation *operation = scenario_begin_system(&s);
    ck_assert_msg(operation_settle_notice(operation, notice, &settlement, &s.error), "%s",
                  s.error.message);
    scenario_commit(&s);
}

static void post(void)
{
    lease_all();
    ck_assert_uint_eq(count, 1);
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT, .address = "{\"ts\":1}"});
}

static struct card card_of(const struct notice_lease *notice)
{
    struct card card;
    ck_assert_msg(
        card_read(notice->row.payload, strlen(notice->row.payload), s.arena, &card, &s.error), "%s",
        notice->row.payload);
    return card;
}

static void ask_for(const char *action, char out[ID_BYTES])
{
    struct submit_result result = submit(&s, RUNNER, ASK(.action = action));
    memcpy(out, result.request, ID_BYTES);
}

START_TEST(cards__what_is_posted_is_changed_where_it_is_when_the_request_ends)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_null(leases[0].address);
    struct card card = card_of(&leases[0]);
    ck_assert_int_eq(card.moment, CARD_ASKED);
    ck_assert_str_eq(card.request, request);
    ck_assert_str_eq(card.asked[0], "ops");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT, .address = "{\"ts\":1}"});
    vote(&s, DANA, request, false);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(leases[0].address, "{\"ts\":1}");
    card = card_of(&leases[0]);
    ck_assert_int_eq(card.moment, CARD_ENDED);
    ck_assert_str_eq(card.state, "denied");
    ck_assert_uint_eq(card.decided_count, 1);
    ck_assert_str_eq(card.decided_by[0], "dana");
    ck_assert_str_eq(card.nonce, "");
}
END_TEST

START_TEST(cards__the_change_waits_for_the_post_whose_address_it_needs)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    struct notice_lease posting = leases[0];
    vote(&s, DANA, request, false);
    lease_all();
    ck_assert_uint_eq(count, 0);
    settle(&posting, (struct notice_settlement){.outcome = NOTICE_SENT, .address = "{\"ts\":2}"});
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(leases[0].address, "{\"ts\":2}");
}
END_TEST

START_TEST(cards__what_ended_before_it_was_posted_is_not_posted)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    vote(&s, DANA, request, false);
    lease_all();
    ck_assert_uint_eq(count, 0);
    lease_all();
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(count_entries(&s, "request_ended"), 2);
}
END_TEST

START_TEST(cards__what_may_have_been_posted_is_told_its_end)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_RETRY,
                                                  .reason = "timed out",
                                                  .may_have_arrived = true,
                                                  .retry_after_ms = 1});
    vote(&s, DANA, request, false);
    pass(&s, SECOND);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(card_of(&leases[0]).moment, CARD_ENDED);
}
END_TEST

START_TEST(cards__what_was_refused_for_certain_is_not_told_its_end)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    settle(&leases[0], (struct notice_settlement){
                           .outcome = NOTICE_RETRY, .reason = "answered 503", .retry_after_ms = 1});
    vote(&s, DANA, request, false);
    pass(&s, SECOND);
    lease_all();
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(cards__a_lease_that_ran_out_may_have_posted)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    vote(&s, DANA, request, false);
    pass(&s, NOTICE_LEASE_MS + SECOND);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(card_of(&leases[0]).moment, CARD_ENDED);
}
END_TEST

START_TEST(cards__one_change_shows_all_that_has_happened)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    post();
    for (int i = 0; i < 2; i++) {
        struct comment_row comment;
        ck_assert(scenario_settle(&s, operation_comment_request(scenario_begin(&s, DANA), request,
                                                                i == 0 ? "one?" : "two?", &comment,
                                                                &s.error)));
    }
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(card_of(&leases[0]).question, "two?");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT});
    lease_all();
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(count_entries(&s, "superseded"), 1);
}
END_TEST

START_TEST(cards__votes_do_not_show_before_the_end)
{
    char request[ID_BYTES];
    ask_for("critical.drop", request);
    vote(&s, DANA, request, true);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_null(strstr(leases[0].row.payload, "dana"));
    ck_assert_uint_eq(card_of(&leases[0]).decided_count, 0);
}
END_TEST

START_TEST(cards__no_approval_where_a_requirement_takes_no_approval_by_chat)
{
    char request[ID_BYTES];
    ask_for("critical.drop", request);
    lease_all();
    struct card card = card_of(&leases[0]);
    ck_assert(!card.decides); /* a denial can be given all the same */
    ck_assert_str_eq(card.why_not, "This needs somebody signed in: open the request to decide.");
}
END_TEST

static const char chat_policy[] =
    "version: 1\n"
    "defaults: { verdict: deny, risk: low, approval: { groups: [ops], timeout: 1h } }\n"
    "rules:\n"
    "  - name: easy\n"
    "    match: { action: \"two.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: low\n"
    "    approval: { groups: [ops], assurance: chat, timeout: 1h }\n";

START_TEST(cards__a_nonce_is_of_one_card_on_one_channel)
{
    char request[ID_BYTES];
    struct card_row found;
    scenario_publish(&s, chat_policy);
    ask_for("two.go", request);
    post();
    lease_all();
    struct card card = card_of(&leases[0]);
    ck_assert(card.decides);
    ck_assert_uint_eq(strlen(card.nonce), CARD_NONCE_BYTES);
    ck_assert(scenario_settle(&s, operation_find_card(scenario_begin_system(&s), "chat", "default",
                                                      request, card.nonce, &found, &s.error)));
    static const char *const wrong[][2] = {{"other", "default"}, {"chat", "elsewhere"}};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(!scenario_settle(&s, operation_find_card(scenario_begin_system(&s), wrong[i][0],
                                                           wrong[i][1], request, card.nonce, &found,
                                                           &s.error)));
        ck_assert_str_eq(s.error.code, "no_such_card");
        s.error = (struct error){0};
    }
    ck_assert(!scenario_settle(&s, operation_find_card(scenario_begin_system(&s), "chat", "default",
                                                       request, "AAAA", &found, &s.error)));
}
END_TEST

START_TEST(cards__buttons_come_with_the_first_change_when_it_is_known_where_the_card_stands)
{
    char request[ID_BYTES];
    char notice[ID_BYTES];
    scenario_publish(&s, chat_policy);
    ask_for("two.go", request);
    lease_all();
    memcpy(notice, leases[0].row.id, ID_BYTES);
    ck_assert_ptr_null(leases[0].address);
    ck_assert_str_eq(card_of(&leases[0]).nonce, "");
    /* The answer is lost: what may stand there has no buttons, nor has what is posted again. */
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_RETRY,
                                                  .reason = "no answer",
                                                  .retry_after_ms = 1,
                                                  .may_have_arrived = true});
    pass(&s, 1);
    lease_all();
    ck_assert_str_eq(card_of(&leases[0]).nonce, "");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT, .address = "{\"ts\":1}"});
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(leases[0].row.id, notice);
    ck_assert_str_eq(leases[0].address, "{\"ts\":1}");
    ck_assert_uint_eq(strlen(card_of(&leases[0]).nonce), CARD_NONCE_BYTES);
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT});
    lease_all();
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(cards__what_ends_before_its_buttons_came_never_has_any)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    post();
    vote(&s, DANA, request, false);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(card_of(&leases[0]).moment, CARD_ENDED);
    ck_assert_str_eq(card_of(&leases[0]).nonce, "");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT});
    lease_all();
    ck_assert_uint_eq(count, 0); /* nothing is left to say */
}
END_TEST

START_TEST(cards__what_cannot_be_changed_is_followed_by_another_message)
{
    char request[ID_BYTES];
    begin(&plain, NULL);
    ask_for("two.go", request);
    post();
    vote(&s, DANA, request, false);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_null(leases[0].address);
}
END_TEST

START_TEST(cards__those_of_long_requests_are_not_all_composed_at_once)
{
    enum { BIG = 300 * 1000, REQUESTS = 4 };
    size_t told = 0;
    for (int i = 0; i < REQUESTS; i++) {
        char *args = arena_alloc(s.arena, BIG + 64);
        int length = snprintf(args, 64, "{\"args\":{\"a\":\"%d", i);
        memset(args + length, 'x', BIG);
        memcpy(args + length + BIG, "\"}}", 4);
        submit(&s, RUNNER, ASK(.action = "two.go", .args = args));
    }
    for (int round = 0; round < REQUESTS && told < REQUESTS; round++) {
        lease_all();
        ck_assert_uint_ge(count, 1);
        ck_assert_uint_le(count, 2);
        for (size_t i = 0; i < count; i++) {
            ck_assert_int_eq(leases[i].row.attempts, 0);
            settle(&leases[i], (struct notice_settlement){.outcome = NOTICE_SENT});
        }
        told += count;
    }
    ck_assert_uint_eq(told, REQUESTS);
}
END_TEST

#define RISKY(risk)                                                                                \
    "version: 1\ndefaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"          \
    "rules:\n  - name: all\n    match: { action: \"ops.*\" }\n    verdict: require_approval\n"     \
    "    risk: " risk "\n    approval: { groups: [ops], timeout: 1h }\n"

START_TEST(cards__rules_that_ask_for_more_are_told_to_those_who_are_asked_then)
{
    static const char *const leads[] = {"leads"};
    struct operations_channel of_leads = plain;
    char request[ID_BYTES];
    of_leads.groups = leads;
    of_leads.group_count = 1;
    begin(&chat, &of_leads);
    ask_for("ops.go", request);
    post();
    scenario_publish(&s, "version: 1\n"
                         "defaults: { verdict: deny, approval: { groups: [ops], timeout: 1h } }\n"
                         "rules:\n"
                         "  - name: more\n"
                         "    match: { action: \"ops.*\" }\n"
                         "    verdict: require_approval\n"
                         "    risk: high\n"
                         "    approval: { groups: [leads], timeout: 1h, assurance: passkey }\n");
    lease_all();
    ck_assert_uint_eq(count, 2);
    bool is_told = false;
    bool is_changed = false;
    for (size_t i = 0; i < count; i++) {
        struct card card = card_of(&leases[i]);
        ck_assert_str_eq(card.risk, "high");
        is_told = is_told || strcmp(leases[i].row.channel, "plain") == 0;
        is_changed = is_changed || (leases[i].address != NULL && !card.decides);
    }
    ck_assert(is_told);
    ck_assert(is_changed);
}
END_TEST

START_TEST(cards__rules_that_make_it_riskier_end_the_wait_for_the_morning)
{
    struct operations_channel quiet = plain;
    char request[ID_BYTES];
    int64_t minute = s.now / MINUTE % 1440;
    quiet.quiet.from = (int)((minute + 1440 - 60) % 1440);
    quiet.quiet.to = (int)((minute + 10) % 1440);
    begin(&quiet, NULL);
    scenario_publish(&s, RISKY("low"));
    ask_for("ops.go", request);
    lease_all();
    ck_assert_uint_eq(count, 0);
    scenario_publish(&s, RISKY("high"));
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(card_of(&leases[0]).risk, "high");
}
END_TEST

START_TEST(cards__an_escalation_reaches_channels_of_those_who_are_asked_then)
{
    static const char *const leads[] = {"leads"};
    struct operations_channel of_leads = plain;
    char request[ID_BYTES];
    of_leads.groups = leads;
    of_leads.group_count = 1;
    begin(&chat, &of_leads);
    ask_for("ladder.climb", request);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(leases[0].row.channel, "chat");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_SENT});
    pass(&s, 11 * MINUTE);
    escalate(&s);
    lease_all();
    bool is_told = false;
    for (size_t i = 0; i < count; i++) {
        is_told = is_told || (strcmp(leases[i].row.channel, "plain") == 0 &&
                              card_of(&leases[i]).moment == CARD_ESCALATED);
    }
    ck_assert(is_told);
}
END_TEST

START_TEST(cards__low_risk_waits_while_it_is_quiet_and_nothing_else_does)
{
    struct operations_channel quiet = plain;
    char request[ID_BYTES];
    begin(&plain, NULL);
    scenario_publish(&s, chat_policy);
    int64_t minute = s.now / MINUTE % 1440;
    quiet.quiet.from = (int)((minute + 1440 - 60) % 1440); /* an hour of it is over */
    quiet.quiet.to = (int)((minute + 10) % 1440);
    channels[0] = quiet;
    ask_for("two.go", request);
    lease_all();
    ck_assert_uint_eq(count, 0);
    pass(&s, 10 * MINUTE);
    lease_all();
    ck_assert_uint_eq(count, 1);
    begin(&quiet, NULL);
    ask_for("critical.drop", request);
    lease_all();
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(cards__what_expires_while_it_is_quiet_is_not_asked)
{
    struct operations_channel quiet = plain;
    char request[ID_BYTES];
    begin(&plain, NULL);
    scenario_publish(&s, chat_policy);
    quiet.quiet.from = (int)(s.now / MINUTE % 1440);
    quiet.quiet.to = (quiet.quiet.from + 180) % 1440;
    channels[0] = quiet;
    ask_for("two.go", request);
    pass(&s, 2 * HOUR);
    escalate(&s);
    lease_all();
    ck_assert_uint_eq(count, 0);
    pass(&s, 2 * HOUR);
    lease_all();
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_ge(count_entries(&s, "request_ended"), 1);
}
END_TEST

START_TEST(notices__a_deferred_one_keeps_its_attempts)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    settle(&leases[0],
           (struct notice_settlement){.outcome = NOTICE_DEFERRED, .retry_after_ms = SECOND});
    lease_all();
    ck_assert_uint_eq(count, 0);
    pass(&s, SECOND);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(leases[0].row.attempts, 0);
    ck_assert_uint_eq(count_entries(&s, "notice.failed"), 0);
}
END_TEST

START_TEST(notices__a_lease_that_was_taken_over_settles_nothing)
{
    char request[ID_BYTES];
    ask_for("two.go", request);
    lease_all();
    struct notice_lease late = leases[0];
    pass(&s, NOTICE_LEASE_MS + SECOND);
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert(!scenario_settle(
        &s,
        operation_settle_notice(scenario_begin_system(&s), &late,
                                &(struct notice_settlement){.outcome = NOTICE_SENT}, &s.error)));
    ck_assert_str_eq(s.error.code, "lease_over");
}
END_TEST

START_TEST(notices__what_the_other_side_says_is_kept_visible_and_bounded)
{
    char request[ID_BYTES];
    char *long_answer = arena_alloc(s.arena, 4096);
    struct notice_row *rows;
    memset(long_answer, 'x', 4000);
    memcpy(long_answer, "500 \xe2\x80\xaeno", 9);
    ask_for("two.go", request);
    lease_all();
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_DEAD,
                                                  .reason = "answered 500",
                                                  .answer = long_answer});
    struct operation *operation = scenario_begin(&s, AUDREY);
    ck_assert(operation_list_notices(operation, &(struct notice_filter){.limit = 10}, &rows, &count,
                                     &s.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_ptr_nonnull(strstr(rows[0].answer, "\\u{202e}"));
    ck_assert_uint_le(strlen(rows[0].answer), NOTICE_ANSWER_BYTES_MAX + 8);
    scenario_commit(&s);
}
END_TEST

START_TEST(notices__a_test_is_tried_once_and_only_for_those_who_manage)
{
    struct notice_row row;
    ck_assert(!scenario_settle(
        &s, operation_test_channel(scenario_begin(&s, DANA), "chat", NULL, &row, &s.error)));
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
    s.error = (struct error){0};
    ck_assert(!scenario_settle(
        &s, operation_test_channel(scenario_begin(&s, HOST), "none", NULL, &row, &s.error)));
    ck_assert_int_eq(s.error.kind, ERROR_NOT_FOUND);
    s.error = (struct error){0};
    ck_assert(scenario_settle(
        &s, operation_test_channel(scenario_begin(&s, HOST), "chat", NULL, &row, &s.error)));
    lease_all();
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(card_of(&leases[0]).moment, CARD_TEST);
    settle(&leases[0], (struct notice_settlement){
                           .outcome = NOTICE_RETRY, .reason = "answered 503", .retry_after_ms = 1});
    pass(&s, SECOND);
    lease_all();
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(count_entries(&s, "notice.dead"), 1);
}
END_TEST

/* ---- where a bot reaches its conversation ---- */

#define PLACE "19:0@thread.tacv2"

static const struct teams_bot bot = {
    .app_id = "a1", .conversation = PLACE, .service_url = "https://smba.trafficmanager.net/teams/"};
static const struct operations_channel bots = {.name = "bots", .notifier = &chat_kind, .bot = &bot};

static bool say(const char *app, const char *place, const char *url, bool *out_is_named)
{
    struct operation *operation = scenario_begin_system(&s);
    struct chat_conversation said = {
        .service = "teams", .app = app, .conversation = place, .service_url = url};
    *out_is_named = false;
    s.error = (struct error){0};
    return scenario_settle(
        &s, operation_remember_conversation(operation, &said, out_is_named, &s.error));
}

static const char *next_to(const char *action)
{
    char request[ID_BYTES];
    ask_for(action, request);
    lease_all();
    ck_assert_uint_eq(count, 1);
    return arena_text(s.arena, leases[0].to);
}

START_TEST(bots__cards_go_where_the_service_said_last_and_else_where_the_channel_says)
{
    bool is_named = false;
    begin(&bots, NULL);
    ck_assert_ptr_null(next_to("two.go"));
    ck_assert(say("a1", PLACE ";messageid=17", "https://smba.trafficmanager.net/emea/", &is_named));
    ck_assert(is_named);
    ck_assert_str_eq(next_to("two.stay"), "https://smba.trafficmanager.net/emea/");
    ck_assert(scenario_settle(
        &s, operation_forget_conversation(
                scenario_begin_system(&s),
                &(struct chat_conversation){.service = "teams", .app = "a1", .conversation = PLACE},
                &s.error)));
    ck_assert_ptr_null(next_to("two.leave"));
}
END_TEST

START_TEST(bots__what_no_channel_names_is_not_kept_and_no_token_is_lured_away)
{
    bool is_named = true;
    begin(&bots, NULL);
    ck_assert(say("a1", "19:1@thread.tacv2", "https://smba.trafficmanager.net/emea/", &is_named));
    ck_assert(!is_named);
    ck_assert(say("a2", PLACE, "https://smba.trafficmanager.net/emea/", &is_named));
    ck_assert(!is_named);
    ck_assert(!say("a1", PLACE, "https://smba.trafficmanager.net.evil.example/", &is_named));
    ck_assert_str_eq(s.error.code, "service_not_allowed");
    ck_assert_int_eq(s.error.kind, ERROR_FORBIDDEN);
    ck_assert_ptr_null(next_to("two.go"));
}
END_TEST

START_TEST(bots__what_was_said_before_the_configuration_changed_lures_no_card)
{
    static const struct teams_bot elsewhere = {
        .app_id = "a1", .conversation = PLACE, .service_url = "https://gcc.example/teams/"};
    struct operations_channel moved = bots;
    bool is_named = false;
    moved.bot = &elsewhere;
    tear_down();
    begin(&moved, NULL);
    ck_assert(say("a1", PLACE, "https://gcc.example/gcc/", &is_named));
    ck_assert_str_eq(next_to("two.go"), "https://gcc.example/gcc/");
    channels[0].bot = &bot;
    ck_assert_ptr_null(next_to("two.stay"));
}
END_TEST

START_TEST(bots__no_person_says_where_a_conversation_is)
{
    struct chat_conversation said = {.service = "teams",
                                     .app = "a1",
                                     .conversation = PLACE,
                                     .service_url = "https://smba.trafficmanager.net/emea/"};
    bool is_named = false;
    begin(&bots, NULL);
    ck_assert(!scenario_settle(
        &s, operation_remember_conversation(scenario_begin(&s, DANA), &said, &is_named, &s.error)));
    ck_assert_str_eq(s.error.code, "not_allowed");
    s.error = (struct error){0};
    ck_assert(!scenario_settle(
        &s, operation_forget_conversation(scenario_begin(&s, DANA), &said, &s.error)));
    ck_assert_str_eq(s.error.code, "not_allowed");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notices");
    TCase *tests = tcase_create("notices");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, cards__what_is_posted_is_changed_where_it_is_when_the_request_ends);
    tcase_add_test(tests, cards__the_change_waits_for_the_post_whose_address_it_needs);
    tcase_add_test(tests, cards__what_ended_before_it_was_posted_is_not_posted);
    tcase_add_test(tests, cards__what_may_have_been_posted_is_told_its_end);
    tcase_add_test(tests, cards__what_was_refused_for_certain_is_not_told_its_end);
    tcase_add_test(tests, cards__a_lease_that_ran_out_may_have_posted);
    tcase_add_test(tests, cards__one_change_shows_all_that_has_happened);
    tcase_add_test(tests, cards__votes_do_not_show_before_the_end);
    tcase_add_test(tests, cards__no_approval_where_a_requirement_takes_no_approval_by_chat);
    tcase_add_test(tests, cards__a_nonce_is_of_one_card_on_one_channel);
    tcase_add_test(
        tests, cards__buttons_come_with_the_first_change_when_it_is_known_where_the_card_stands);
    tcase_add_test(tests, cards__what_ends_before_its_buttons_came_never_has_any);
    tcase_add_test(tests, cards__what_cannot_be_changed_is_followed_by_another_message);
    tcase_add_test(tests, cards__an_escalation_reaches_channels_of_those_who_are_asked_then);
    tcase_add_test(tests, cards__rules_that_ask_for_more_are_told_to_those_who_are_asked_then);
    tcase_add_test(tests, cards__rules_that_make_it_riskier_end_the_wait_for_the_morning);
    tcase_add_test(tests, cards__those_of_long_requests_are_not_all_composed_at_once);
    tcase_add_test(tests, cards__low_risk_waits_while_it_is_quiet_and_nothing_else_does);
    tcase_add_test(tests, cards__what_expires_while_it_is_quiet_is_not_asked);
    tcase_add_test(tests, notices__a_deferred_one_keeps_its_attempts);
    tcase_add_test(tests, notices__a_lease_that_was_taken_over_settles_nothing);
    tcase_add_test(tests, notices__what_the_other_side_says_is_kept_visible_and_bounded);
    tcase_add_test(tests, notices__a_test_is_tried_once_and_only_for_those_who_manage);
    tcase_add_test(tests,
                   bots__cards_go_where_the_service_said_last_and_else_where_the_channel_says);
    tcase_add_test(tests, bots__what_no_channel_names_is_not_kept_and_no_token_is_lured_away);
    tcase_add_test(tests, bots__what_was_said_before_the_configuration_changed_lures_no_card);
    tcase_add_test(tests, bots__no_person_says_where_a_conversation_is);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
