#include "store/choice_rows.h"
#include "store/roundup_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

/* Round-ups and what people chose, as the store keeps them. */

static struct store_fixture fixture;
static const struct roundup_place place = {"main", "ops", ""};

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static struct error *fresh(void)
{
    fixture.error = (struct error){0};
    return &fixture.error;
}

/* A request with a card of one state on `ops`, told at `told_at`, and its prompt due at `due_at`.
 */
struct prompt {
    const char *request, *state, *roundup, *event;
    int64_t due_at, told_at;
    int request_state, risk, gathering;
    int64_t timeout_at;
};

static void add(struct prompt prompt)
{
    static int number;
    char id[ID_BYTES];
    struct request_row request = sample_request(prompt.request);
    request.state =
        prompt.request_state == 0 ? REQUEST_PENDING : (enum request_state)prompt.request_state;
    request.risk = prompt.risk;
    request.timeout_at = prompt.timeout_at;
    ck_assert_msg(store_insert_request(fixture.store, &request, fresh()), "%s",
                  fixture.error.message);
    struct card_row card = {.channel = "ops",
                            .recipient = "",
                            .state = prompt.state == NULL ? "wanted" : prompt.state,
                            .moment = "asked",
                            .told_at = prompt.told_at,
                            .roundup = prompt.roundup};
    snprintf(card.tenant, sizeof card.tenant, "main");
    snprintf(card.request, sizeof card.request, "%s", prompt.request);
    ck_assert(store_insert_card(fixture.store, &card, fresh()));
    snprintf(id, sizeof id, "ntc_%d", ++number);
    struct notice_row notice = sample_notice(id);
    notice.request = prompt.request;
    notice.event = prompt.event == NULL ? "request.pending" : prompt.event;
    notice.recipient = "";
    notice.line = prompt.request;
    notice.due_at = prompt.due_at;
    notice.gathering = prompt.gathering;
    ck_assert(store_insert_notice(fixture.store, &notice, fresh()));
}
#define ADD(...) add((struct prompt){__VA_ARGS__})

static struct roundup_counts counts(int64_t most)
{
    struct roundup_counts out;
    struct roundup_window window = {.since = 100, .now = 500, .until = 1000, .most = most};
    ck_assert_msg(store_count_place(fixture.store, &place, &window, &out, fresh()), "%s",
                  fixture.error.message);
    return out;
}

START_TEST(roundups__what_leaves_for_a_place_is_counted)
{
    ADD(.request = "req_1", .due_at = 400);
    ADD(.request = "req_2", .due_at = 500);
    ADD(.request = "req_3", .due_at = 501);                     /* later */
    ADD(.request = "req_4", .due_at = 400, .state = "posting"); /* under way */
    ADD(.request = "req_5", .due_at = 400, .roundup = "rnd_1"); /* told elsewhere */
    ADD(.request = "req_6", .due_at = 400, .event = "request.denied");
    ADD(.request = "req_7", .due_at = 900, .gathering = 1);
    ADD(.request = "req_8", .due_at = 700, .gathering = 1);
    ADD(.request = "req_9", .due_at = 9000, .gathering = 1);
    ADD(.request = "req_10", .due_at = 9000, .state = "posted", .told_at = 101);
    ADD(.request = "req_11", .due_at = 9000, .state = "posted", .told_at = 100);
    ck_assert_int_eq(counts(10).due, 2);
    ck_assert_int_eq(counts(10).told, 1);
    ck_assert_int_eq(counts(10).roundups, 0);
    ck_assert_int_eq(counts(10).gathering_until, 700);
    ck_assert_int_eq(counts(1).due, 1);
}
END_TEST

START_TEST(roundups__another_place_has_counts_of_its_own)
{
    struct roundup_counts out;
    static const struct roundup_place others[] = {
        {"other", "ops", ""}, {"main", "chat", ""}, {"main", "ops", "per_1"}};
    struct roundup_window window = {.now = 500, .until = 1000, .most = 10};
    ADD(.request = "req_1", .due_at = 400, .told_at = 400);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(store_count_place(fixture.store, &others[i], &window, &out, fresh()));
        ck_assert_int_eq(out.due + out.told + out.roundups + out.gathering_until, 0);
    }
}
END_TEST

START_TEST(roundups__what_may_be_gathered_is_due_or_waits_for_it)
{
    struct notice_row *notices;
    size_t count;
    ADD(.request = "req_1", .due_at = 900, .gathering = 1);
    ADD(.request = "req_2", .due_at = 400);
    ADD(.request = "req_3", .due_at = 900); /* quiet until then */
    ADD(.request = "req_4", .due_at = 400, .state = "posted");
    ck_assert(store_list_gatherable(fixture.store, &place, 500, 10, fixture.arena, &notices, &count,
                                    fresh()));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(notices[0].request, "req_2");
    ck_assert_str_eq(notices[1].request, "req_1");
    ck_assert_int_eq(notices[1].gathering, 1);
    ck_assert(store_list_gatherable(fixture.store, &place, 500, 1, fixture.arena, &notices, &count,
                                    fresh()));
    ck_assert_uint_eq(count, 1);
}
END_TEST

static struct roundup_row insert(const char *id)
{
    struct roundup_row row = {
        .channel = "ops", .recipient = "", .state = "wanted", .version = 1, .created_at = 200};
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.tenant, sizeof row.tenant, "main");
    ck_assert(store_insert_roundup(fixture.store, &row, fresh()));
    return row;
}

START_TEST(roundups__one_is_kept_and_changed)
{
    struct roundup_row found;
    struct roundup_row row = insert("rnd_1");
    row.state = "posted";
    row.address = "{\"ts\":1}";
    row.version = 3;
    row.shown = 2;
    row.changed_at = 300;
    ck_assert(store_update_roundup(fixture.store, &row, fresh()));
    ck_assert(store_read_roundup(fixture.store, "main", "rnd_1", fixture.arena, &found, fresh()));
    ck_assert_str_eq(found.state, "posted");
    ck_assert_str_eq(found.address, "{\"ts\":1}");
    ck_assert_int_eq(found.version, 3);
    ck_assert_int_eq(found.shown, 2);
    ck_assert_int_eq(found.changed_at, 300);
    ck_assert_int_eq(counts(10).roundups, 1);
    ck_assert(!store_read_roundup(fixture.store, "other", "rnd_1", fixture.arena, &found, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    snprintf(row.id, sizeof row.id, "rnd_2");
    ck_assert(!store_update_roundup(fixture.store, &row, fresh()));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(roundups__its_requests_are_tallied_and_the_riskiest_come_first)
{
    struct roundup_tally *tallies;
    struct card_row *cards;
    size_t count;
    ADD(.request = "req_1", .roundup = "rnd_1", .risk = 1, .timeout_at = 500);
    ADD(.request = "req_2", .roundup = "rnd_1", .risk = 2, .timeout_at = 900);
    ADD(.request = "req_3", .roundup = "rnd_1", .risk = 2, .timeout_at = 800);
    ADD(.request = "req_4", .roundup = "rnd_1", .risk = 1, .request_state = REQUEST_DENIED);
    ADD(.request = "req_5", .roundup = "rnd_2", .risk = 2, .timeout_at = 100);
    ck_assert(store_tally_roundup(fixture.store, "main", "rnd_1", fixture.arena, &tallies, &count,
                                  fresh()));
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        bool waits = tallies[i].state == REQUEST_PENDING;
        ck_assert_int_eq(tallies[i].count, waits ? 3 : 1);
        ck_assert(!waits || (tallies[i].risk == 2 && tallies[i].timeout_at == 500));
    }
    ck_assert(store_list_riskiest(fixture.store, "main", "rnd_1", REQUEST_PENDING, 2, fixture.arena,
                                  &cards, &count, fresh()));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(cards[0].request, "req_3");
    ck_assert_str_eq(cards[1].request, "req_2");
}
END_TEST

START_TEST(roundups__a_line_waits_while_nobody_has_leased_it)
{
    struct notice_row *notices;
    size_t count;
    bool waits = false;
    ADD(.request = "req_1", .due_at = 100);
    ck_assert(store_line_waits(fixture.store, "req_1", &waits, fresh()));
    ck_assert(waits);
    ck_assert(store_lease_notices(fixture.store, 100, 1000, 10, NULL, fixture.arena, &notices,
                                  &count, fresh()));
    ck_assert(store_line_waits(fixture.store, "req_1", &waits, fresh()));
    ck_assert(!waits);
    ck_assert(store_line_waits(fixture.store, "req_2", &waits, fresh()));
    ck_assert(!waits);
}
END_TEST

START_TEST(choices__who_chose_nothing_has_no_quiet_hours_and_mutes_nothing)
{
    struct choice_row choice;
    ck_assert(store_read_choice(fixture.store, "main", "per_1", fixture.arena, &choice, fresh()));
    ck_assert_str_eq(choice.quiet_hours, "");
    ck_assert_str_eq(choice.muted, "");
    ck_assert_int_eq(choice.accepts_silence, 0);
    ck_assert_str_eq(choice.person, "per_1");
}
END_TEST

START_TEST(choices__the_last_one_counts_and_is_one_persons_of_one_tenant)
{
    struct choice_row choice = {.tenant = "main", .person = "per_1"};
    choice.quiet_hours = "22:00-07:00";
    choice.muted = " mail ";
    choice.accepts_silence = 1;
    choice.changed_at = 10;
    ck_assert(store_put_choice(fixture.store, &choice, fresh()));
    choice.quiet_hours = "";
    choice.changed_at = 20;
    ck_assert(store_put_choice(fixture.store, &choice, fresh()));
    ck_assert(store_read_choice(fixture.store, "main", "per_1", fixture.arena, &choice, fresh()));
    ck_assert_str_eq(choice.quiet_hours, "");
    ck_assert_str_eq(choice.muted, " mail ");
    ck_assert_int_eq(choice.accepts_silence, 1);
    ck_assert_int_eq(choice.changed_at, 20);
    ck_assert(store_read_choice(fixture.store, "other", "per_1", fixture.arena, &choice, fresh()));
    ck_assert_str_eq(choice.muted, "");
}
END_TEST

START_TEST(choices__those_who_muted_a_channel_are_counted_by_its_whole_name)
{
    static const char *const muted[] = {" mail ", " mail2 mail ", " mail2 ", ""};
    int64_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        struct choice_row choice = {.tenant = "main", .quiet_hours = "", .muted = muted[i]};
        snprintf(choice.person, sizeof choice.person, "per_%zu", i);
        ck_assert(store_put_choice(fixture.store, &choice, fresh()));
    }
    ck_assert(store_count_muted(fixture.store, "main", "mail", &count, fresh()));
    ck_assert_int_eq(count, 2);
    ck_assert(store_count_muted(fixture.store, "other", "mail", &count, fresh()));
    ck_assert_int_eq(count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_roundups");
    TCase *tests = tcase_create("roundups");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, roundups__what_leaves_for_a_place_is_counted);
    tcase_add_test(tests, roundups__another_place_has_counts_of_its_own);
    tcase_add_test(tests, roundups__what_may_be_gathered_is_due_or_waits_for_it);
    tcase_add_test(tests, roundups__one_is_kept_and_changed);
    tcase_add_test(tests, roundups__its_requests_are_tallied_and_the_riskiest_come_first);
    tcase_add_test(tests, roundups__a_line_waits_while_nobody_has_leased_it);
    tcase_add_test(tests, choices__who_chose_nothing_has_no_quiet_hours_and_mutes_nothing);
    tcase_add_test(tests, choices__the_last_one_counts_and_is_one_persons_of_one_tenant);
    tcase_add_test(tests, choices__those_who_muted_a_channel_are_counted_by_its_whole_name);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
