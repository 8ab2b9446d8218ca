#include "tests/support/run_suite.h"
#include "tests/support/store_fixture.h"
#include <sqlite3.h>
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

static void insert(const char *id, const char *person)
{
    struct vote_row vote = sample_vote(id, "req_1");
    snprintf(vote.person, sizeof vote.person, "%s", person);
    ck_assert(store_insert_vote(fixture.store, "main", &vote, &fixture.error));
}

static struct vote_row *list(const char *tenant, const char *request, size_t *out_count)
{
    struct vote_row *votes;
    ck_assert(store_list_votes(fixture.store, tenant, request, fixture.arena, &votes, out_count,
                               &fixture.error));
    return votes;
}

START_TEST(votes__read_back_as_inserted)
{
    struct vote_row vote = sample_vote("vot_1", "req_1");
    size_t count;
    ck_assert(store_insert_vote(fixture.store, "main", &vote, &fixture.error));
    struct vote_row *found = list("main", "req_1", &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(found->id, vote.id);
    ck_assert_str_eq(found->request, vote.request);
    ck_assert_str_eq(found->person, vote.person);
    ck_assert_str_eq(found->person_name, vote.person_name);
    ck_assert_int_eq(found->revision, vote.revision);
    ck_assert_mem_eq(&found->digest, &vote.digest, SHA256_BYTES);
    ck_assert_int_eq(found->approves, vote.approves);
    ck_assert_int_eq(found->is_late, vote.is_late);
    ck_assert_int_eq(found->assurance, vote.assurance);
    ck_assert_str_eq(found->via, vote.via);
    ck_assert_str_eq(found->reason, vote.reason);
    ck_assert_int_eq(found->at, vote.at);
}
END_TEST

START_TEST(votes__come_in_the_order_in_which_they_were_cast)
{
    size_t count;
    insert("vot_3", "per_1");
    insert("vot_1", "per_2");
    insert("vot_2", "per_1");
    struct vote_row *votes = list("main", "req_1", &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(votes[0].id, "vot_3");
    ck_assert_str_eq(votes[1].id, "vot_1");
    ck_assert_str_eq(votes[2].id, "vot_2");
}
END_TEST

START_TEST(votes__of_another_request_or_tenant_are_not_listed)
{
    size_t count;
    insert("vot_1", "per_1");
    (void)list("main", "req_2", &count);
    ck_assert_uint_eq(count, 0);
    (void)list("other", "req_1", &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(votes__the_same_vote_is_inserted_once)
{
    struct vote_row vote = sample_vote("vot_1", "req_1");
    insert("vot_1", "per_1");
    ck_assert(!store_insert_vote(fixture.store, "main", &vote, &fixture.error));
    ck_assert_int_eq(fixture.error.kind, ERROR_CONFLICT);
}
END_TEST

/* What anyone with the file and the schema still in place can do. */
static const struct {
    const char *sql;
    int expected;
} outside[] = {
    {"UPDATE votes SET approves = 0", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM votes", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM votes WHERE id = 'vot_1'", SQLITE_CONSTRAINT_TRIGGER},
    {"UPDATE entries SET bytes = '{}'", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM entries", SQLITE_CONSTRAINT_TRIGGER},
    {"UPDATE nodes SET hash = zeroblob(32)", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM nodes", SQLITE_CONSTRAINT_TRIGGER},
    {"UPDATE checkpoints SET note = ''", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM checkpoints", SQLITE_CONSTRAINT_TRIGGER},
    {"UPDATE redemptions SET at = 0", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM redemptions", SQLITE_CONSTRAINT_TRIGGER},
    {"DELETE FROM denials", SQLITE_OK},
};

START_TEST(history__triggers_refuse_update_and_delete)
{
    struct entry_row entry = sample_entry(0);
    struct sha256 hash = sample_hash(1);
    struct checkpoint_row checkpoint = {.epoch = 1, .size = 1, .note = "note"};
    insert("vot_1", "per_1");
    ck_assert(store_insert_entry(fixture.store, &entry, &fixture.error));
    ck_assert(store_insert_node(fixture.store, 1, 8, 0, &hash, &fixture.error));
    ck_assert(store_insert_checkpoint(fixture.store, &checkpoint, &fixture.error));
    ck_assert(store_insert_redemption(fixture.store, "grt_1", 1, 1, &fixture.error));
    ck_assert_int_eq(store_fixture_sql(&fixture, outside[_i].sql), outside[_i].expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_votes");
    TCase *tests = tcase_create("votes");
    tcase_set_timeout(tests, SLOW_DISK_SECONDS);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, votes__read_back_as_inserted);
    tcase_add_test(tests, votes__come_in_the_order_in_which_they_were_cast);
    tcase_add_test(tests, votes__of_another_request_or_tenant_are_not_listed);
    tcase_add_test(tests, votes__the_same_vote_is_inserted_once);
    tcase_add_loop_test(tests, history__triggers_refuse_update_and_delete, 0,
                        (int)(sizeof outside / sizeof *outside));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
