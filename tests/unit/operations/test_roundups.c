#include "notifiers/card.h"
#include "operations/comment_operations.h"
#include "operations/notice_internal.h"
#include "store/choice_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/scenario.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Round-ups through the operations; nothing is sent here. */
static const struct notifier chat_kind = {
    .kind = "chat", .shows_cards = true, .changes_cards = true, .decides = true};
static const struct notifier plain_kind = {.kind = "plain", .shows_cards = true};
static const struct roundup_rule rule = {.over = 2, .within_ms = MINUTE};
static const struct operations_channel chat = {
    .name = "chat", .notifier = &chat_kind, .roundup = rule};
static const struct operations_channel plain = {
    .name = "plain", .notifier = &plain_kind, .roundup = rule};

static const char policy[] =
    "version: 1\n"
    "defaults: { verdict: deny, risk: low, approval: { groups: [ops], timeout: 1h } }\n"
    "rules:\n"
    "  - name: easy\n"
    "    match: { action: \"easy.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: low\n"
    "  - name: middling\n"
    "    match: { action: \"middling.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: medium\n"
    "  - name: risky\n"
    "    match: { action: \"risky.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: high\n"
    "  - name: climbing\n"
    "    match: { action: \"climbing.*\" }\n"
    "    verdict: require_approval\n"
    "    risk: low\n"
    "    approval: { groups: [ops], timeout: 1h, ladder: [{ after: 0s, to: [ops] }, { after: 10m, "
    "to: [leads] }] }\n";

enum { ASKED_MAX = 40, STEPS = 150, SEEDS = 25 };

static struct operations_channel channels[1];
static struct scenario s;
static struct notice_lease leases[NOTICES_LEASED_MAX];
static size_t count;
static char asked[ASKED_MAX][ID_BYTES];
static int asked_count;

/* What each round-up said last, as far as it is known to have arrived. */
static struct {
    char id[ID_BYTES];
    const char *action;
} said[ASKED_MAX];

static void begin(const struct operations_channel *channel)
{
    channels[0] = *channel;
    asked_count = 0;
    memset(said, 0, sizeof said);
    scenario_start(&s, policy);
    s.rig.operations->options.channels = channels;
    s.rig.operations->options.channel_count = 1;
}

static void set_up(void)
{
    begin(&chat);
}

static void tear_down(void)
{
    scenario_end(&s);
}

static const char *ask_for(const char *action)
{
    char args[40];
    ck_assert_int_lt(asked_count, ASKED_MAX);
    snprintf(args, sizeof args, "{\"args\":{\"n\":%d}}", asked_count);
    struct submit_result result =
        submit(&s, RUNNER, ASK(.action = action, .args = arena_text(s.arena, args)));
    memcpy(asked[asked_count], result.request, ID_BYTES);
    return asked[asked_count++];
}

/* One turn of the courier: what it is given stays in the scenario's arena. */
static size_t lease_all(void)
{
    struct notice_lease *found;
    struct operation *operation = scenario_begin_system(&s);
    ck_assert_msg(operation_lease_notices(operation, NULL, &found, &count, &s.error), "%s",
                  s.error.message);
    for (size_t i = 0; i < count; i++) {
        leases[i] = found[i];
        leases[i].row.payload = arena_text(s.arena, found[i].row.payload);
        leases[i].row.channel = arena_text(s.arena, found[i].row.channel);
        leases[i].row.event = arena_text(s.arena, found[i].row.event);
        leases[i].row.request = arena_text(s.arena, found[i].row.request);
        leases[i].row.recipient = arena_text(s.arena, found[i].row.recipient);
        leases[i].row.line = arena_text(s.arena, found[i].row.line);
        leases[i].row.roundup = arena_text(s.arena, found[i].row.roundup);
        leases[i].row.state = "waiting";
        leases[i].address = arena_text(s.arena, found[i].address);
    }
    scenario_commit(&s);
    return count;
}

static void settle(struct notice_lease *notice, struct notice_settlement settlement)
{
    struct operation *operation = scenario_begin_system(&s);
    ck_assert_msg(operation_settle_notice(operation, notice, &settlement, &s.error), "%s",
                  s.error.message);
    scenario_commit(&s);
}

static const char **said_by(const char *roundup)
{
    for (size_t i = 0; i < ASKED_MAX; i++) {
        if (said[i].id[0] == '\0') {
            snprintf(said[i].id, sizeof said[i].id, "%s", roundup);
        }
        if (strcmp(said[i].id, roundup) == 0) {
            return &said[i].action;
        }
    }
    ck_abort_msg("too many round-ups");
}

static struct card card_of(const struct notice_lease *notice);

static void sent(struct notice_lease *notice)
{
    if (notice->row.roundup != NULL) {
        *said_by(notice->row.roundup) = card_of(notice).action;
    }
    settle(notice, (struct notice_settlement){.outcome = NOTICE_SENT, .address = "{\"ts\":7}"});
}

/* Sends all that may leave now and returns how many messages that were: one that gets its buttons
 * by a change is one. */
static size_t send_all(void)
{
    size_t messages = 0;
    while (lease_all() > 0) {
        for (size_t i = 0; i < count; i++) {
            messages += leases[i].is_bare ? 0 : 1;
            sent(&leases[i]);
        }
        ck_assert_uint_lt(messages, 100);
    }
    return messages;
}

static struct card card_of(const struct notice_lease *notice)
{
    struct card card;
    ck_assert_msg(
        card_read(notice->row.payload, strlen(notice->row.payload), s.arena, &card, &s.error), "%s",
        notice->row.payload);
    return card;
}

/* The one message that leaves now. */
static struct card the_card(void)
{
    /* The first turn may only gather. */
    if (lease_all() == 0) {
        lease_all();
    }
    ck_assert_uint_eq(count, 1);
    return card_of(&leases[0]);
}

static size_t notices_in(const char *state)
{
    struct notice_row *notices;
    size_t found;
    struct notice_filter filter = {.tenant = "default", .state = state, .limit = 100};
    struct operation *operation = scenario_begin_system(&s);
    ck_assert(store_list_notices(operation->store, &filter, s.arena, &notices, &found, &s.error));
    scenario_undo(&s);
    return found;
}

/* Five of low risk at once, told as one message. */
static struct card tell_five(void)
{
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    struct card card = the_card();
    sent(&leases[0]);
    return card;
}

START_TEST(roundups__few_are_told_one_by_one)
{
    ask_for("easy.go");
    ask_for("easy.go");
    ck_assert_uint_eq(send_all(), 2);
    ck_assert_uint_eq(notices_in("gathered"), 0);
}
END_TEST

START_TEST(roundups__many_at_once_leave_as_one_message_that_decides_nothing)
{
    struct card card = tell_five();
    ck_assert_int_eq(card.moment, CARD_ROUNDUP);
    ck_assert_str_eq(card.action, "5 requests wait");
    ck_assert_str_eq(card.nonce, "");
    ck_assert(!card.decides);
    ck_assert_int_eq(card.timeout_at, s.now + HOUR);
    ck_assert_str_eq(card.link + strlen(card.link) - 1, "/");
    ck_assert_uint_eq(notices_in("gathered"), 5);
    ck_assert_uint_eq(count_entries(&s, "notice.gathered"), 5);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__the_riskiest_are_named_first_and_the_rest_are_counted)
{
    for (int i = 0; i < 6; i++) {
        ask_for("easy.go");
    }
    ask_for("middling.go");
    struct card card = the_card();
    ck_assert_str_eq(card.risk, "medium");
    ck_assert_uint_eq(card.fact_count, 6);
    ck_assert_str_eq(card.facts[0].label, "Risk medium");
    ck_assert_ptr_nonnull(strstr(card.facts[0].value, "middling.go"));
    ck_assert_str_eq(card.facts[1].label, "Risk low");
    ck_assert_str_eq(card.facts[5].label, "And more");
    ck_assert_str_eq(card.facts[5].value, "2");
}
END_TEST

START_TEST(roundups__beyond_the_first_few_all_wait_for_the_end_of_the_time)
{
    ask_for("easy.go");
    ask_for("easy.go");
    ck_assert_uint_eq(send_all(), 2);
    pass(&s, SECOND);
    ask_for("easy.go");
    ck_assert_uint_eq(lease_all(), 0);
    pass(&s, 30 * SECOND);
    ask_for("easy.go");
    ask_for("middling.go");
    ck_assert_uint_eq(lease_all(), 0);
    pass(&s, 30 * SECOND);
    ck_assert_str_eq(the_card().action, "3 requests wait");
}
END_TEST

START_TEST(roundups__one_that_waited_alone_is_told_alone)
{
    ask_for("easy.go");
    ask_for("easy.go");
    ck_assert_uint_eq(send_all(), 2);
    ask_for("easy.go");
    ck_assert_uint_eq(lease_all(), 0);
    pass(&s, MINUTE);
    ck_assert_int_eq(the_card().moment, CARD_ASKED);
}
END_TEST

START_TEST(roundups__high_risk_neither_waits_nor_hides)
{
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    const char *risky = ask_for("risky.go");
    size_t alone = 0;
    for (int turn = 0; turn < 2; turn++) {
        lease_all();
        for (size_t i = 0; i < count; i++) {
            struct card card = card_of(&leases[i]);
            alone +=
                strcmp(card.request, risky) == 0 && card.moment == CARD_ASKED && !leases[i].is_bare;
            ck_assert(card.moment == CARD_ASKED || strcmp(card.action, "5 requests wait") == 0);
            sent(&leases[i]);
        }
    }
    ck_assert_uint_eq(alone, 1);
    ask_for("risky.go");
    ck_assert_str_eq(the_card().action, "risky.go");
}
END_TEST

START_TEST(roundups__a_message_that_can_be_changed_follows_what_has_ended)
{
    tell_five();
    vote(&s, DANA, asked[0], false);
    vote(&s, DANA, asked[1], false);
    ck_assert_uint_eq(lease_all(), 0); /* changes are told together */
    pass(&s, 3 * SECOND);
    struct card card = the_card();
    ck_assert_str_eq(leases[0].address, "{\"ts\":7}");
    ck_assert_str_eq(card.action, "3 requests wait");
    ck_assert_str_eq(card.facts[card.fact_count - 1].value, "2 of 5: 2 denied");
    sent(&leases[0]);
    for (int i = 2; i < 5; i++) {
        vote(&s, DANA, asked[i], true);
    }
    pass(&s, 3 * SECOND);
    card = the_card();
    ck_assert_str_eq(card.state, "closed");
    ck_assert_str_eq(card.action, "all 5 have ended");
    ck_assert_str_eq(card.facts[0].value, "5 of 5: 3 approved, 2 denied");
    sent(&leases[0]);
    pass(&s, MINUTE);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__one_that_cannot_be_changed_is_closed_by_one_more_message)
{
    tear_down();
    begin(&plain);
    tell_five();
    for (int i = 0; i < 4; i++) {
        vote(&s, DANA, asked[i], false);
        pass(&s, 3 * SECOND);
        ck_assert_uint_eq(lease_all(), 0);
    }
    vote(&s, DANA, asked[4], false);
    struct card card = the_card();
    ck_assert_ptr_null(leases[0].address);
    ck_assert_str_eq(card.state, "closed");
    ck_assert_str_eq(card_heading(&card), "Nothing of this waits any more");
    sent(&leases[0]);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__who_is_told_of_no_ends_is_not_told_that_it_is_closed)
{
    struct operations_channel prompts = plain;
    prompts.tells = 1u << CARD_ASKED;
    tear_down();
    begin(&prompts);
    tell_five();
    for (int i = 0; i < 5; i++) {
        vote(&s, DANA, asked[i], false);
    }
    pass(&s, MINUTE);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__what_ended_before_it_left_asks_nobody)
{
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    ck_assert_uint_eq(lease_all(), 0); /* gathered */
    for (int i = 0; i < 5; i++) {
        vote(&s, DANA, asked[i], false);
    }
    ck_assert_uint_eq(lease_all(), 0);
    ck_assert_uint_eq(notices_in("waiting"), 0);
    ck_assert_uint_eq(notices_in("stale"), 1);
}
END_TEST

START_TEST(roundups__one_that_was_refused_is_composed_anew_and_one_that_was_lost_is_followed)
{
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    ck_assert_str_eq(the_card().action, "5 requests wait");
    settle(&leases[0], (struct notice_settlement){
                           .outcome = NOTICE_RETRY, .reason = "answered 503", .retry_after_ms = 1});
    vote(&s, DANA, asked[0], false);
    pass(&s, SECOND);
    ck_assert_str_eq(the_card().action, "4 requests wait");
    settle(&leases[0], (struct notice_settlement){.outcome = NOTICE_RETRY,
                                                  .reason = "timed out",
                                                  .may_have_arrived = true,
                                                  .retry_after_ms = 1});
    for (int i = 1; i < 5; i++) {
        vote(&s, DANA, asked[i], false);
    }
    pass(&s, SECOND);
    ck_assert_str_eq(the_card().state, "closed"); /* the question may stand there */
}
END_TEST

START_TEST(roundups__a_gateway_that_is_killed_before_it_was_sent_sends_it_afterwards)
{
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    ck_assert_str_eq(the_card().action, "5 requests wait");
    scenario_restart(&s); /* leased and not settled: nobody knows whether it was sent */
    s.rig.operations->options.channels = channels;
    s.rig.operations->options.channel_count = 1;
    ck_assert_uint_eq(lease_all(), 0);
    pass(&s, NOTICE_LEASE_MS + SECOND);
    ck_assert_str_eq(the_card().action, "5 requests wait");
    sent(&leases[0]);
    ck_assert_uint_eq(notices_in("waiting"), 0);
}
END_TEST

START_TEST(roundups__who_is_asked_again_has_a_card_of_its_own)
{
    for (int i = 0; i < 4; i++) {
        ask_for("easy.go");
    }
    const char *climbing = ask_for("climbing.go");
    ck_assert_str_eq(the_card().action, "5 requests wait");
    sent(&leases[0]);
    pass(&s, 11 * MINUTE);
    escalate(&s);
    struct card card = the_card();
    ck_assert_str_eq(card.request, climbing);
    ck_assert_int_eq(card.moment, CARD_ESCALATED);
    sent(&leases[0]);
    ck_assert_str_eq(the_card().request, climbing); /* with its buttons */
    sent(&leases[0]);
    pass(&s, 3 * SECOND);
    ck_assert_str_eq(the_card().action, "4 requests wait");
    sent(&leases[0]);
    vote(&s, DANA, climbing, false);
    card = the_card();
    ck_assert_str_eq(card.request, climbing);
    ck_assert_int_eq(card.moment, CARD_ENDED);
}
END_TEST

static void ask_agent(const char *request)
{
    struct comment_row comment;
    ck_assert(scenario_settle(&s, operation_comment_request(scenario_begin(&s, DANA), request,
                                                            "Which one?", &comment, &s.error)));
}

START_TEST(roundups__what_is_told_on_its_own_later_has_its_end_told_on_its_own)
{
    tear_down();
    begin(&plain);
    tell_five();
    ask_agent(asked[0]);
    struct card card = the_card();
    ck_assert_int_eq(card.moment, CARD_QUESTION);
    ck_assert_str_eq(card.request, asked[0]);
    sent(&leases[0]);
    for (int i = 1; i < 5; i++) {
        vote(&s, DANA, asked[i], false);
    }
    ck_assert_str_eq(the_card().action, "all 4 have ended");
    sent(&leases[0]);
    vote(&s, DANA, asked[0], false);
    card = the_card();
    ck_assert_int_eq(card.moment, CARD_ENDED);
    ck_assert_str_eq(card.request, asked[0]);
    sent(&leases[0]);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__where_messages_change_a_question_shows_in_the_dashboard_alone)
{
    tell_five();
    ask_agent(asked[0]);
    pass(&s, 3 * SECOND);
    ck_assert_uint_eq(lease_all(), 0);
}
END_TEST

START_TEST(roundups__no_more_are_gathered_when_they_are_configured_no_more)
{
    ask_for("easy.go");
    ask_for("easy.go");
    ck_assert_uint_eq(send_all(), 2);
    ask_for("easy.go");
    ask_for("easy.go");
    ck_assert_uint_eq(lease_all(), 0);
    channels[0].roundup = (struct roundup_rule){0};
    pass(&s, MINUTE);
    ck_assert_uint_eq(send_all(), 2);
    ck_assert_uint_eq(notices_in("gathered"), 0);
}
END_TEST

START_TEST(roundups__a_dead_one_can_be_sent_again)
{
    struct notice_row again;
    tell_five();
    vote(&s, DANA, asked[0], false);
    pass(&s, 3 * SECOND);
    the_card();
    char notice[ID_BYTES];
    memcpy(notice, leases[0].row.id, ID_BYTES);
    settle(&leases[0],
           (struct notice_settlement){.outcome = NOTICE_DEAD, .reason = "answered 404"});
    ck_assert(scenario_settle(
        &s, operation_resend_notice(scenario_begin(&s, ADA), notice, &again, &s.error)));
    ck_assert_str_eq(the_card().action, "4 requests wait");
}
END_TEST

static const struct notifier people_kind = {
    .kind = "people", .shows_cards = true, .asks_people = true};
static const struct operations_channel people = {
    .name = "people", .notifier = &people_kind, .roundup = rule};

/* dana alone is told, at an address of hers. */
static void begin_with_dana(void)
{
    tear_down();
    begin(&people);
    struct address_row address = {.kind = "people", .address = "dana@example.com"};
    memcpy(address.person, person_id(&s, DANA), sizeof address.person);
    struct operation *operation = scenario_begin_system(&s);
    ck_assert(store_put_address(operation->store, "default", &address, &s.error));
    scenario_commit(&s);
}

START_TEST(roundups__who_is_asked_no_more_is_named_nothing)
{
    begin_with_dana();
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    ck_assert_uint_eq(lease_all(), 0); /* gathered */
    set_member(&s, DANA, "ops", false);
    struct card card = the_card();
    ck_assert_str_eq(card.action, "5 requests wait");
    ck_assert_uint_eq(card.fact_count, 1);
    ck_assert_str_eq(card.facts[0].label, "And more");
    ck_assert_ptr_null(strstr(leases[0].row.payload, "easy.go"));
}
END_TEST

START_TEST(roundups__who_muted_the_channel_meanwhile_is_not_told)
{
    static const char *const muted[] = {"people"};
    struct own_channels own;
    struct channel_choice choice = {
        .sets_muted = true, .muted = muted, .muted_count = 1, .accepts_silence = true};
    begin_with_dana();
    for (int i = 0; i < 5; i++) {
        ask_for("easy.go");
    }
    ck_assert_uint_eq(lease_all(), 0);
    ck_assert(!scenario_settle(
        &s, operation_choose_channels(scenario_begin(&s, DANA), &choice, &own, &s.error)));
    ck_assert_str_eq(s.error.code, "step_up_needed");
    s.error = (struct error){0};
    struct operation *operation = scenario_begin_system(&s);
    struct choice_row row = {.tenant = "default", .quiet_hours = "", .muted = " people "};
    memcpy(row.person, person_id(&s, DANA), sizeof row.person);
    ck_assert(store_put_choice(operation->store, &row, &s.error));
    scenario_commit(&s);
    ck_assert_uint_eq(lease_all(), 0);
    ck_assert_uint_eq(count_entries(&s, "muted"), 1);
}
END_TEST

/* ---- whatever happens ---- */

static unsigned chance;

static unsigned dice(unsigned sides)
{
    chance = chance * 1103515245u + 12345u;
    return (chance >> 16) % sides;
}

static void reopen(void)
{
    scenario_restart(&s);
    s.rig.operations->options.channels = channels;
    s.rig.operations->options.channel_count = 1;
}

/* Some arrive, some are refused, of some nobody knows, and some are never heard of again. */
static void deliver_somehow(void)
{
    lease_all();
    for (size_t i = 0; i < count; i++) {
        struct notice_settlement refused = {
            .outcome = NOTICE_RETRY, .reason = "answered 503", .retry_after_ms = 2000};
        struct notice_settlement unknown = refused;
        unknown.may_have_arrived = true;
        switch (dice(8)) {
        case 0:
            settle(&leases[i], refused);
            break;
        case 1:
            settle(&leases[i], unknown);
            break;
        case 2:
            settle(&leases[i],
                   (struct notice_settlement){.outcome = NOTICE_DEFERRED, .retry_after_ms = 500});
            break;
        case 3:
            break; /* its lease runs out */
        default:
            sent(&leases[i]);
        }
    }
}

static void do_something(void)
{
    static const char *const actions[] = {"easy.go", "easy.go", "easy.go", "middling.go",
                                          "risky.go"};
    switch (dice(7)) {
    case 0:
    case 1:
    case 2:
        if (asked_count < ASKED_MAX) {
            ask_for(actions[dice(5)]);
        }
        break;
    case 3:
        if (asked_count > 0) {
            struct vote_result ignored; /* many have ended */
            (void)try_vote(&s, DANA, asked[dice((unsigned)asked_count)], dice(2) == 0, &ignored);
        }
        break;
    case 4:
        pass(&s, 1000 + (int64_t)dice(20000));
        break;
    case 5:
        if (dice(5) == 0) {
            reopen();
        }
        break;
    default:
        deliver_somehow();
    }
}

/* What a round-up says is what it would say now. */
static void check_said(struct operation *operation, const struct roundup_row *roundup)
{
    struct notice_lease now = {0};
    int pending = 0;
    ck_assert(compose_roundup(operation, roundup, &now.row.payload, &pending, &s.error));
    ck_assert_str_eq(*said_by(roundup->id), card_of(&now).action);
}

/* Where its card stands shows it as it is now, or a round-up that does. */
static void check_told(const char *request)
{
    struct card_row *cards;
    size_t found;
    struct roundup_row roundup;
    struct operation *operation = scenario_begin_system(&s);
    struct request_row row;
    ck_assert(store_read_request(operation->store, "default", request, s.arena, &row, &s.error));
    ck_assert(store_list_cards(operation->store, "default", request, "chat", s.arena, &cards,
                               &found, &s.error));
    ck_assert_uint_eq(found, 1);
    bool waits = row.state == REQUEST_PENDING;
    if (cards[0].roundup != NULL) {
        ck_assert_int_le(row.risk, POLICY_RISK_MEDIUM);
        ck_assert(store_read_roundup(operation->store, "default", cards[0].roundup, s.arena,
                                     &roundup, &s.error));
        bool is_told = strcmp(roundup.state, "posted") == 0;
        ck_assert_msg(is_told || !waits, "%s waits and is in a round-up that was not sent",
                      request);
        if (is_told) {
            check_said(operation, &roundup);
        }
    } else {
        bool is_told = strcmp(cards[0].state, "posted") == 0;
        ck_assert_msg(is_told || !waits, "%s waits and nobody was told", request);
        /* What waits has versions that are no news: a restart makes one. */
        ck_assert_msg(!is_told || waits || cards[0].version == row.version, "%s: an old card",
                      request);
    }
    scenario_undo(&s);
}

START_TEST(roundups__whatever_happens_who_waits_is_told_and_what_stands_is_true)
{
    chance = (unsigned)_i * 7919u + 1;
    for (int i = 0; i < STEPS; i++) {
        do_something();
    }
    for (int i = 0; i < 40 && notices_in("waiting") > 0; i++) {
        pass(&s, 15 * SECOND);
        (void)send_all();
    }
    ck_assert_uint_eq(notices_in("waiting"), 0);
    for (int i = 0; i < asked_count; i++) {
        check_told(asked[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roundups");
    TCase *tests = tcase_create("roundups");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, roundups__few_are_told_one_by_one);
    tcase_add_test(tests, roundups__many_at_once_leave_as_one_message_that_decides_nothing);
    tcase_add_test(tests, roundups__the_riskiest_are_named_first_and_the_rest_are_counted);
    tcase_add_test(tests, roundups__beyond_the_first_few_all_wait_for_the_end_of_the_time);
    tcase_add_test(tests, roundups__one_that_waited_alone_is_told_alone);
    tcase_add_test(tests, roundups__high_risk_neither_waits_nor_hides);
    tcase_add_test(tests, roundups__a_message_that_can_be_changed_follows_what_has_ended);
    tcase_add_test(tests, roundups__one_that_cannot_be_changed_is_closed_by_one_more_message);
    tcase_add_test(tests, roundups__who_is_told_of_no_ends_is_not_told_that_it_is_closed);
    tcase_add_test(tests, roundups__what_ended_before_it_left_asks_nobody);
    tcase_add_test(
        tests, roundups__one_that_was_refused_is_composed_anew_and_one_that_was_lost_is_followed);
    tcase_add_test(tests,
                   roundups__a_gateway_that_is_killed_before_it_was_sent_sends_it_afterwards);
    tcase_add_test(tests, roundups__who_is_asked_again_has_a_card_of_its_own);
    tcase_add_test(tests, roundups__what_is_told_on_its_own_later_has_its_end_told_on_its_own);
    tcase_add_test(tests, roundups__where_messages_change_a_question_shows_in_the_dashboard_alone);
    tcase_add_test(tests, roundups__no_more_are_gathered_when_they_are_configured_no_more);
    tcase_add_test(tests, roundups__a_dead_one_can_be_sent_again);
    tcase_add_test(tests, roundups__who_is_asked_no_more_is_named_nothing);
    tcase_add_test(tests, roundups__who_muted_the_channel_meanwhile_is_not_told);
    tcase_add_loop_test(tests, roundups__whatever_happens_who_waits_is_told_and_what_stands_is_true,
                        0, SEEDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
