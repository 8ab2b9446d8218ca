#include "store/card_rows.h"
#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <stdio.h>
#include <string.h>

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_init(&fixture);
}

static void tear_down(void)
{
    store_fixture_finish(&fixture);
}

static void insert(int64_t epoch, int64_t seq)
{
    struct entry_row entry = sample_entry(seq);
    entry.epoch = epoch;
    ck_assert(store_insert_entry(fixture.store, &entry, &fixture.error));
}

struct visits {
    int64_t next_seq;
    int count;
    int stop_after;
};

static bool visit(void *context, const struct entry_row *entry)
{
    struct visits *visits = context;
    struct entry_row expected = sample_entry(visits->next_seq++);
    ck_assert_int_eq(entry->epoch, expected.epoch);
    ck_assert_int_eq(entry->seq, expected.seq);
    ck_assert_int_eq(entry->at, expected.at);
    ck_assert_str_eq(entry->tenant, expected.tenant);
    ck_assert_str_eq(entry->type, expected.type);
    ck_assert_pstr_eq(entry->request, expected.request);
    ck_assert_pstr_eq(entry->grant, expected.grant);
    ck_assert_uint_eq(entry->length, expected.length);
    ck_assert_mem_eq(entry->bytes, expected.bytes, expected.length);
    ck_assert_mem_eq(&entry->leaf, &expected.leaf, SHA256_BYTES);
    return ++visits->count != visits->stop_after;
}

START_TEST(entries__are_visited_in_order_from_a_seq_within_the_limit_and_epoch)
{
    struct visits visits = {.next_seq = 3};
    for (int64_t seq = 9; seq >= 0; seq--) {
        insert(1, seq);
    }
    insert(2, 0);
    ck_assert(store_each_entry(fixture.store, 1, 3, 4, visit, &visits, &fixture.error));
    ck_assert_int_eq(visits.count, 4);
    visits = (struct visits){.next_seq = 8};
    ck_assert(store_each_entry(fixture.store, 1, 8, 100, visit, &visits, &fixture.error));
    ck_assert_int_eq(visits.count, 2);
}
END_TEST

START_TEST(entries__visiting_stops_when_told)
{
    struct visits visits = {.stop_after = 2};
    for (int64_t seq = 0; seq < 5; seq++) {
        insert(1, seq);
    }
    ck_assert(store_each_entry(fixture.store, 1, 0, 100, visit, &visits, &fixture.error));
    ck_assert_int_eq(visits.count, 2);
}
END_TEST

START_TEST(entries__a_place_is_taken_once)
{
    struct entry_row entry = sample_entry(0);
    insert(1, 0);
    ck_assert(!store_insert_entry(fixture.store, &entry, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(entries__of_a_request_are_listed_in_order_within_the_tenant)
{
    struct entry_row *entries;
    size_t count;
    struct entry_row other = sample_entry(1);
    other.request = "req_2";
    struct entry_row none = sample_entry(2);
    none.request = NULL;
    struct entry_row granted = sample_entry(3);
    granted.grant = "grt_1";
    insert(1, 0);
    ck_assert(store_insert_entry(fixture.store, &other, &fixture.error));
    ck_assert(store_insert_entry(fixture.store, &none, &fixture.error));
    ck_assert(store_insert_entry(fixture.store, &granted, &fixture.error));
    ck_assert(store_list_request_entries(fixture.store, "main", "req_1", 10, fixture.arena,
                                         &entries, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(entries[0].seq, 0);
    ck_assert_int_eq(entries[1].seq, 3);
    ck_assert_str_eq(entries[1].grant, "grt_1");
    ck_assert_str_eq(entries[1].bytes, granted.bytes);
    ck_assert(store_list_request_entries(fixture.store, "main", "req_1", 1, fixture.arena, &entries,
                                         &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert(store_list_request_entries(fixture.store, "other", "req_1", 10, fixture.arena,
                                         &entries, &count, &fixture.error));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(entries__bytes_are_kept_to_their_length)
{
    struct visits visits = {.stop_after = 1};
    struct entry_row entry = sample_entry(0);
    char padded[256];
    snprintf(padded, sizeof padded, "%sbeyond", entry.bytes);
    entry.bytes = padded;
    ck_assert(store_insert_entry(fixture.store, &entry, &fixture.error));
    ck_assert(store_each_entry(fixture.store, 1, 0, 1, visit, &visits, &fixture.error));
    ck_assert_int_eq(visits.count, 1);
}
END_TEST

START_TEST(leaves__are_read_by_place)
{
    struct sha256 leaf;
    struct sha256 expected = sample_hash(5);
    insert(1, 5);
    ck_assert(store_read_leaf(fixture.store, 1, 5, &leaf, &fixture.error));
    ck_assert_mem_eq(&leaf, &expected, SHA256_BYTES);
    ck_assert(!store_read_leaf(fixture.store, 1, 6, &leaf, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    fixture.error = (struct error){0};
    ck_assert(!store_read_leaf(fixture.store, 2, 5, &leaf, &fixture.error));
}
END_TEST

START_TEST(nodes__are_read_by_place_and_inserted_once)
{
    struct sha256 node;
    struct sha256 hash = sample_hash(8);
    ck_assert(store_insert_node(fixture.store, 1, 8, 3, &hash, &fixture.error));
    ck_assert(store_read_node(fixture.store, 1, 8, 3, &node, &fixture.error));
    ck_assert_mem_eq(&node, &hash, SHA256_BYTES);
    ck_assert(!store_read_node(fixture.store, 1, 16, 3, &node, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
    fixture.error = (struct error){0};
    ck_assert(!store_read_node(fixture.store, 2, 8, 3, &node, &fixture.error));
    fixture.error = (struct error){0};
    ck_assert(!store_insert_node(fixture.store, 1, 8, 3, &hash, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

static void add_checkpoint(int64_t epoch, int64_t size)
{
    struct checkpoint_row checkpoint = {.epoch = epoch,
                                        .size = size,
                                        .at = 1000 + size,
                                        .root = sample_hash((unsigned char)size),
                                        .note = "the signed note"};
    ck_assert(store_insert_checkpoint(fixture.store, &checkpoint, &fixture.error));
}

START_TEST(checkpoints__the_latest_and_the_next_are_of_their_epoch)
{
    struct checkpoint_row found;
    bool is_found = true;
    ck_assert(store_latest_checkpoint(fixture.store, 1, fixture.arena, &found, &is_found,
                                      &fixture.error));
    ck_assert(!is_found);
    add_checkpoint(1, 10);
    add_checkpoint(1, 20);
    add_checkpoint(2, 5);
    ck_assert(store_latest_checkpoint(fixture.store, 1, fixture.arena, &found, &is_found,
                                      &fixture.error));
    ck_assert(is_found);
    ck_assert_int_eq(found.epoch, 1);
    ck_assert_int_eq(found.size, 20);
    ck_assert_int_eq(found.at, 1020);
    ck_assert_str_eq(found.note, "the signed note");
    ck_assert(store_next_checkpoint(fixture.store, 1, 9, fixture.arena, &found, &is_found,
                                    &fixture.error));
    ck_assert_int_eq(found.size, 10);
    ck_assert(store_next_checkpoint(fixture.store, 1, 10, fixture.arena, &found, &is_found,
                                    &fixture.error));
    ck_assert_int_eq(found.size, 20);
    ck_assert(store_next_checkpoint(fixture.store, 1, 20, fixture.arena, &found, &is_found,
                                    &fixture.error));
    ck_assert(!is_found);
}
END_TEST

START_TEST(epochs__are_listed_oldest_first_with_their_size)
{
    struct epoch_row *epochs;
    size_t count;
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        struct epoch_row row = {.epoch = epoch, .origin = "example/log", .began_at = epoch * 100};
        ck_assert(store_insert_epoch(fixture.store, &row, &fixture.error));
    }
    insert(1, 0);
    insert(1, 1);
    insert(3, 0);
    ck_assert(store_list_epochs(fixture.store, fixture.arena, &epochs, &count, &fixture.error));
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(epochs[0].epoch, 1);
    ck_assert_int_eq(epochs[0].size, 2);
    ck_assert_str_eq(epochs[0].origin, "example/log");
    ck_assert_int_eq(epochs[1].size, 0);
    ck_assert_int_eq(epochs[1].began_at, 200);
    ck_assert_int_eq(epochs[2].size, 1);
}
END_TEST

static void publish(const char *version, int64_t at)
{
    struct policy_row policy = {
        .version = version, .files = "{}", .published_at = at, .published_by = "per_1"};
    ck_assert(store_insert_policy(fixture.store, &policy, &fixture.error));
}

static void assert_current(const char *version, int64_t at)
{
    struct policy_row policy;
    bool is_found = false;
    ck_assert(
        store_current_policy(fixture.store, fixture.arena, &policy, &is_found, &fixture.error));
    ck_assert(is_found);
    ck_assert_str_eq(policy.version, version);
    ck_assert_int_eq(policy.published_at, at);
}

START_TEST(policies__the_last_published_is_current_also_when_it_is_an_old_one)
{
    struct policy_row policy;
    bool is_found = true;
    ck_assert(
        store_current_policy(fixture.store, fixture.arena, &policy, &is_found, &fixture.error));
    ck_assert(!is_found);
    publish("aa", 100);
    publish("bb", 100);
    assert_current("bb", 100);
    publish("aa", 100);
    assert_current("aa", 100);
    ck_assert_int_eq(store_fixture_number(&fixture, "SELECT count(*) FROM policies"), 2);
}
END_TEST

START_TEST(policies__every_version_keeps_its_files_and_is_listed_once)
{
    struct policy_row policy;
    struct policy_row *rows;
    size_t count;
    publish("aa", 100);
    publish("bb", 200);
    publish("cc", 300);
    publish("aa", 400);
    ck_assert(
        store_list_policies(fixture.store, 0, 2, fixture.arena, &rows, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].version, "aa");
    ck_assert_str_eq(rows[1].version, "cc");
    ck_assert_ptr_null(rows[0].files);
    ck_assert(store_list_policies(fixture.store, rows[1].publication, 2, fixture.arena, &rows,
                                  &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(rows[0].version, "bb");
    ck_assert(store_read_policy(fixture.store, "bb", fixture.arena, &policy, &fixture.error));
    ck_assert_str_eq(policy.files, "{}");
    ck_assert_int_eq(policy.published_at, 200);
    ck_assert(!store_read_policy(fixture.store, "dd", fixture.arena, &policy, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

static void add_notice(const char *id, int64_t due_at)
{
    struct notice_row notice = sample_notice(id);
    notice.due_at = due_at;
    ck_assert(store_insert_notice(fixture.store, &notice, &fixture.error));
}

static struct notice_row *lease(int64_t now, size_t limit, size_t *out_count)
{
    struct notice_row *notices;
    ck_assert(store_lease_notices(fixture.store, now, 1000, limit, NULL, fixture.arena, &notices,
                                  out_count, &fixture.error));
    return notices;
}

START_TEST(outbox__what_is_due_is_leased_earliest_first_to_one_courier)
{
    size_t count;
    add_notice("ntc_1", 300);
    add_notice("ntc_2", 100);
    add_notice("ntc_3", 500);
    struct notice_row *notices = lease(300, 10, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(notices[0].id, "ntc_2");
    ck_assert_str_eq(notices[1].id, "ntc_1");
    ck_assert_int_eq(notices[0].leased_until, 1300);
    ck_assert_int_eq(notices[0].fence, 1);
    ck_assert_str_eq(notices[0].payload, "{\"request\":\"req_1\"}");
    ck_assert_str_eq(notices[0].channel, "ops");
    ck_assert_str_eq(notices[0].event, "request.pending");
    (void)lease(300, 10, &count);
    ck_assert_uint_eq(count, 0);
    (void)lease(1300, 1, &count);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(outbox__an_overtaken_lease_cannot_settle)
{
    size_t count;
    add_notice("ntc_1", 100);
    struct notice_row first = *lease(100, 1, &count);
    struct notice_row second = *lease(1100, 1, &count);
    first.state = second.state = "sent";
    ck_assert(!store_settle_notice(fixture.store, &first, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert(store_settle_notice(fixture.store, &second, &fixture.error));
    fixture.error = (struct error){0};
    ck_assert(!store_settle_notice(fixture.store, &second, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

START_TEST(outbox__a_retry_comes_due_again_and_what_is_settled_does_not)
{
    size_t count;
    add_notice("ntc_1", 100);
    add_notice("ntc_2", 100);
    struct notice_row *notices = lease(100, 2, &count);
    notices[0].attempts = 1;
    notices[0].due_at = 400;
    notices[0].last_error = "503";
    notices[1].state = "dead";
    ck_assert(store_settle_notice(fixture.store, &notices[0], &fixture.error));
    ck_assert(store_settle_notice(fixture.store, &notices[1], &fixture.error));
    (void)lease(399, 2, &count);
    ck_assert_uint_eq(count, 0);
    notices = lease(400, 2, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(notices[0].attempts, 1);
    ck_assert_str_eq(notices[0].last_error, "503");
}
END_TEST

START_TEST(outbox__pages_are_newest_first_by_state_within_the_tenant)
{
    struct notice_row *notices;
    size_t count;
    struct notice_row dead = sample_notice("ntc_2");
    struct notice_row other = sample_notice("ntc_3");
    dead.state = "dead";
    strcpy(other.tenant, "other");
    add_notice("ntc_1", 100);
    ck_assert(store_insert_notice(fixture.store, &dead, &fixture.error));
    ck_assert(store_insert_notice(fixture.store, &other, &fixture.error));
    ck_assert(store_list_notices(
        fixture.store,
        &(struct notice_filter){.tenant = "main", .state = NULL, .before_id = "", .limit = 10},
        fixture.arena, &notices, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(notices[0].id, "ntc_2");
    ck_assert(store_list_notices(
        fixture.store,
        &(struct notice_filter){.tenant = "main", .state = NULL, .before_id = "ntc_2", .limit = 10},
        fixture.arena, &notices, &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert(store_list_notices(
        fixture.store,
        &(struct notice_filter){.tenant = "main", .state = "dead", .before_id = NULL, .limit = 10},
        fixture.arena, &notices, &count, &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(notices[0].id, "ntc_2");
}
END_TEST

static void add_in_line(const char *id, const char *line, int64_t due_at)
{
    struct notice_row notice = sample_notice(id);
    notice.due_at = due_at;
    notice.line = line;
    ck_assert(store_insert_notice(fixture.store, &notice, &fixture.error));
}

START_TEST(outbox__a_notice_waits_until_those_before_it_in_its_line_are_settled)
{
    size_t count;
    int64_t next;
    add_in_line("ntc_1", "req_1/ops/", 500);
    add_in_line("ntc_2", "req_1/ops/", 100);
    add_in_line("ntc_3", "req_2/ops/", 300);
    struct notice_row *notices = lease(300, 10, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(notices[0].id, "ntc_3");
    ck_assert(store_next_notice_at(fixture.store, NULL, &next, &fixture.error));
    ck_assert_int_eq(next, 500);
    notices = lease(500, 10, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(notices[0].id, "ntc_1");
    (void)lease(600, 10, &count);
    ck_assert_uint_eq(count, 0); /* the first is under way */
    notices[0].state = "dead";
    ck_assert(store_settle_notice(fixture.store, &notices[0], &fixture.error));
    notices = lease(600, 10, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(notices[0].id, "ntc_2");
}
END_TEST

START_TEST(outbox__channels_that_take_nothing_now_are_skipped_but_for_tests)
{
    size_t count;
    int64_t next;
    struct notice_row *notices;
    struct notice_row test = sample_notice("ntc_2");
    struct notice_row other = sample_notice("ntc_3");
    test.event = NOTICE_TEST_EVENT;
    test.due_at = 200;
    other.channel = "chat";
    other.due_at = 300;
    add_notice("ntc_1", 100);
    ck_assert(store_insert_notice(fixture.store, &test, &fixture.error));
    ck_assert(store_insert_notice(fixture.store, &other, &fixture.error));
    ck_assert(store_next_notice_at(fixture.store, " ops ", &next, &fixture.error));
    ck_assert_int_eq(next, 200);
    ck_assert(store_lease_notices(fixture.store, 400, 1000, 10, " mail ops ", fixture.arena,
                                  &notices, &count, &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(notices[0].id, "ntc_2");
    ck_assert_str_eq(notices[1].id, "ntc_3");
}
END_TEST

START_TEST(outbox__what_was_sent_can_be_sent_once_more_and_what_waits_cannot)
{
    size_t count;
    struct notice_row out;
    add_notice("ntc_1", 100);
    struct notice_row *notices = lease(100, 1, &count);
    ck_assert(!store_replay_notice(fixture.store, "main", "ntc_1", 150, fixture.arena, &out,
                                   &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    fixture.error = (struct error){0};
    notices[0].state = "sent";
    notices[0].settled_at = 120;
    notices[0].answer = "200 ok";
    ck_assert(store_settle_notice(fixture.store, &notices[0], &fixture.error));
    ck_assert(store_replay_notice(fixture.store, "main", "ntc_1", 150, fixture.arena, &out,
                                  &fixture.error));
    ck_assert_str_eq(out.answer, "200 ok");
    ck_assert_int_eq(out.settled_at, 120);
    notices = lease(150, 1, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(notices[0].id, "ntc_1");
    ck_assert(!store_replay_notice(fixture.store, "other", "ntc_1", 150, fixture.arena, &out,
                                   &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_NOT_FOUND);
}
END_TEST

static struct card_row sample_card(const char *channel, const char *recipient)
{
    struct card_row card = {.tenant = "main",
                            .request = "req_1",
                            .channel = channel,
                            .recipient = recipient,
                            .state = "wanted",
                            .moment = "asked"};
    return card;
}

START_TEST(cards__there_is_one_a_channel_and_recipient_and_it_is_kept_as_it_was_shown)
{
    struct card_row card = sample_card("chat", "");
    struct card_row mine = sample_card("mail", "per_1");
    struct card_row found;
    struct card_row *list;
    size_t count;
    bool is_found;
    ck_assert(store_insert_card(fixture.store, &card, &fixture.error));
    ck_assert(store_insert_card(fixture.store, &mine, &fixture.error));
    ck_assert(!store_insert_card(fixture.store, &card, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    fixture.error = (struct error){0};
    card.state = "posted";
    card.address = "{\"ts\":\"1\"}";
    card.revision = 2;
    card.version = 7;
    card.moment = "edited";
    card.changed_at = 99;
    ck_assert(store_update_card(fixture.store, &card, &fixture.error));
    ck_assert(store_find_card(fixture.store, "main", "req_1", "chat", "", fixture.arena, &found,
                              &is_found, &fixture.error));
    ck_assert(is_found);
    ck_assert_str_eq(found.address, card.address);
    ck_assert_int_eq(found.version, 7);
    ck_assert_str_eq(found.moment, "edited");
    ck_assert(store_list_cards(fixture.store, "main", "req_1", NULL, fixture.arena, &list, &count,
                               &fixture.error));
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[1].recipient, "per_1");
    ck_assert(store_list_cards(fixture.store, "main", "req_1", "mail", fixture.arena, &list, &count,
                               &fixture.error));
    ck_assert_uint_eq(count, 1);
    ck_assert(store_find_card(fixture.store, "other", "req_1", "chat", "", fixture.arena, &found,
                              &is_found, &fixture.error));
    ck_assert(!is_found);
}
END_TEST

START_TEST(addresses__a_person_has_one_of_each_kind_and_shares_it_with_nobody)
{
    const char *address;
    char person[ID_BYTES];
    struct address_row mine = {.person = "per_1", .kind = "mail", .address = "dana@example.com"};
    struct address_row hers = {.person = "per_2", .kind = "mail", .address = "dana@example.com"};
    ck_assert(store_put_address(fixture.store, "main", &mine, &fixture.error));
    ck_assert(!store_put_address(fixture.store, "main", &hers, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(fixture.error.code, "address_taken");
    fixture.error = (struct error){0};
    mine.address = "dana@example.org";
    ck_assert(store_put_address(fixture.store, "main", &mine, &fixture.error));
    ck_assert(store_put_address(fixture.store, "main", &hers, &fixture.error));
    ck_assert(store_find_address(fixture.store, "main", "per_1", "mail", fixture.arena, &address,
                                 &fixture.error));
    ck_assert_str_eq(address, "dana@example.org");
    ck_assert(store_find_person_by_address(fixture.store, "main", "mail", "dana@example.com",
                                           person, &fixture.error));
    ck_assert_str_eq(person, "per_2");
    ck_assert(store_delete_address(fixture.store, "main", "per_2", "mail", &fixture.error));
    ck_assert(store_find_person_by_address(fixture.store, "main", "mail", "dana@example.com",
                                           person, &fixture.error));
    ck_assert_str_eq(person, "");
    ck_assert(store_delete_address(fixture.store, "main", "per_2", "mail", &fixture.error));
}
END_TEST

START_TEST(outbox__an_unknown_state_is_refused_by_the_schema)
{
    struct notice_row notice = sample_notice("ntc_1");
    notice.state = "perhaps";
    ck_assert(!store_insert_notice(fixture.store, &notice, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_INTERNAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_ledger");
    TCase *tests = tcase_create("ledger");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, entries__are_visited_in_order_from_a_seq_within_the_limit_and_epoch);
    tcase_add_test(tests, entries__visiting_stops_when_told);
    tcase_add_test(tests, entries__a_place_is_taken_once);
    tcase_add_test(tests, entries__of_a_request_are_listed_in_order_within_the_tenant);
    tcase_add_test(tests, entries__bytes_are_kept_to_their_length);
    tcase_add_test(tests, leaves__are_read_by_place);
    tcase_add_test(tests, nodes__are_read_by_place_and_inserted_once);
    tcase_add_test(tests, checkpoints__the_latest_and_the_next_are_of_their_epoch);
    tcase_add_test(tests, epochs__are_listed_oldest_first_with_their_size);
    tcase_add_test(tests, policies__the_last_published_is_current_also_when_it_is_an_old_one);
    tcase_add_test(tests, policies__every_version_keeps_its_files_and_is_listed_once);
    tcase_add_test(tests, outbox__what_is_due_is_leased_earliest_first_to_one_courier);
    tcase_add_test(tests, outbox__an_overtaken_lease_cannot_settle);
    tcase_add_test(tests, outbox__a_retry_comes_due_again_and_what_is_settled_does_not);
    tcase_add_test(tests, outbox__pages_are_newest_first_by_state_within_the_tenant);
    tcase_add_test(tests, outbox__an_unknown_state_is_refused_by_the_schema);
    tcase_add_test(tests, outbox__a_notice_waits_until_those_before_it_in_its_line_are_settled);
    tcase_add_test(tests, outbox__channels_that_take_nothing_now_are_skipped_but_for_tests);
    tcase_add_test(tests, outbox__what_was_sent_can_be_sent_once_more_and_what_waits_cannot);
    tcase_add_test(tests,
                   cards__there_is_one_a_channel_and_recipient_and_it_is_kept_as_it_was_shown);
    tcase_add_test(tests, addresses__a_person_has_one_of_each_kind_and_shares_it_with_nobody);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
