#include "operations/operations_internal.h"
#include "tests/support/rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void set_up(void)
{
    rig_make(&rig);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

/* One entry a batch. */
static void add_entries(int64_t count)
{
    struct error error = {0};
    struct refusal_note note = {
        .source = "203.0.113.7", .kind = "bad_key", .count = 3, .since_at = 1000};
    for (int64_t i = 0; i < count; i++) {
        ck_assert(operation_note_refusals(rig_begin_system(&rig), &note, 1, &error));
        rig_commit(&rig);
    }
}

/* Many entries a batch. */
static void add_many_entries(int64_t batches)
{
    struct error error = {0};
    struct refusal_note notes[200];
    for (size_t i = 0; i < 200; i++) {
        notes[i] = (struct refusal_note){
            .source = "203.0.113.7", .kind = "bad_key", .count = 3, .since_at = 1000};
    }
    for (int64_t i = 0; i < batches; i++) {
        ck_assert(operation_note_refusals(rig_begin_system(&rig), notes, 200, &error));
        rig_commit(&rig);
    }
}

static bool keep_type(void *type, const struct entry_row *entry)
{
    snprintf(type, 64, "%s", entry->type);
    return false;
}

static void read_type(int64_t epoch, int64_t seq, char type[64])
{
    struct error error = {0};
    type[0] = '\0';
    ck_assert(store_each_entry(rig.store, epoch, seq, 1, keep_type, type, &error));
}

START_TEST(start__a_first_start_begins_the_first_log)
{
    char type[64];
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 1);
    ck_assert_uint_eq(rig.operations->tree.size, 1);
    read_type(1, 0, type);
    ck_assert_str_eq(type, "gateway.started");
}
END_TEST

START_TEST(start__a_restart_keeps_the_head)
{
    rig_open(&rig);
    add_entries(300);
    struct tree tree = rig.operations->tree;
    int64_t last_at = rig.operations->place.last_at;
    rig_drop(&rig);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_uint_eq(rig.operations->tree.size, tree.size + 1); /* gateway.started */
    ck_assert_uint_eq(rig.operations->place.next_seq, tree.size + 1);
    ck_assert_int_ge(rig.operations->place.last_at, last_at);
    rig_close(&rig);
    rig_open(&rig);
    ck_assert_uint_eq(rig.operations->tree.size, tree.size + 3); /* stopped, started */
}
END_TEST

START_TEST(start__an_unclean_stop_leaves_a_store_ahead_of_its_mark)
{
    rig_open(&rig);
    add_entries(3);
    struct error error = {0};
    struct refusal_note note = {.source = "::1", .kind = "bad_key", .count = 1, .since_at = 1};
    ck_assert(operation_note_refusals(rig_begin_system(&rig), &note, 1, &error));
    ck_assert(rig.hooks.finish(rig.hooks.context, rig.store, rig.now, &error));
    ck_assert(store_commit(rig.store, &error)); /* and killed before the mark was written */
    arena_destroy(rig.arena);
    uint64_t size = rig.operations->tree.size;
    rig_drop(&rig);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 1);
    ck_assert_uint_eq(rig.operations->tree.size, size + 1);
}
END_TEST

static void expect_corrupt(const char *code, const char *seq)
{
    struct error error = {0};
    ck_assert(!rig_try_open(&rig, &error));
    ck_assert_int_eq(error.kind, ERROR_CORRUPT);
    ck_assert_str_eq(error.code, code);
    if (seq != NULL) {
        ck_assert_str_eq(error.subject, seq);
    }
}

START_TEST(start__a_changed_body_is_named)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE entries SET bytes = replace(bytes, '\"count\":3', '\"count\":4') "
                     "WHERE position & 1099511627775 = 7");
    expect_corrupt("ledger_changed", "7");
}
END_TEST

START_TEST(start__a_changed_leaf_is_named)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE entries SET leaf = zeroblob(32) "
                     "WHERE position & 1099511627775 = 5");
    expect_corrupt("ledger_changed", "5");
}
END_TEST

/* Body and leaf together: only the tree tells. */
START_TEST(start__an_entry_put_in_place_of_another_does_not_lead_to_the_head)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_tamper(&rig,
               "UPDATE entries SET (bytes, leaf) = (SELECT replace(bytes, 'zzz', ''), leaf FROM "
               "entries WHERE position & 1099511627775 = 6) "
               "WHERE position & 1099511627775 = 5");
    expect_corrupt("ledger_changed", NULL);
}
END_TEST

START_TEST(start__a_missing_entry_is_named)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_tamper(&rig, "DELETE FROM entries WHERE position & 1099511627775 = 9");
    expect_corrupt("ledger_changed", "9");
}
END_TEST

START_TEST(start__missing_last_entries_are_named)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_tamper(&rig, "DELETE FROM entries WHERE position & 1099511627775 >= 15");
    expect_corrupt("ledger_changed", "15");
}
END_TEST

START_TEST(start__an_entry_that_was_slipped_in_is_named)
{
    rig_open(&rig);
    add_entries(3); /* entries 0 to 3, then gateway.stopped */
    rig_close(&rig);
    rig_tamper(&rig, "INSERT INTO entries (position, at, tenant, type, leaf, bytes) "
                     "SELECT position + 1, at, tenant, type, leaf, bytes FROM entries "
                     "ORDER BY position DESC LIMIT 1");
    expect_corrupt("ledger_changed", "5");
}
END_TEST

START_TEST(start__a_changed_node_is_named_by_its_first_entry)
{
    rig_open(&rig);
    add_many_entries(3);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND number = 1");
    expect_corrupt("ledger_changed", "256");
}
END_TEST

/* Past the 10,000 newest leaves only nodes are read: they must still lead to the head. */
START_TEST(start__a_changed_node_of_old_entries_does_not_lead_to_the_head)
{
    rig_open(&rig);
    add_many_entries(56);
    rig_drop(&rig);
    rig_open(&rig);
    ck_assert_uint_eq(rig.operations->tree.size, 11202);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND number = 2");
    expect_corrupt("ledger_changed", NULL);
}
END_TEST

/* Its body alone: what a start does not read again is read while the gateway is idle. */
START_TEST(idle__a_changed_body_of_an_old_entry_is_found)
{
    const char *why = NULL;
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    add_many_entries(56);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE entries SET bytes = replace(bytes, '\"count\":3', '\"count\":4') "
                     "WHERE position & 1099511627775 = 700");
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    for (int i = 0; i < 2; i++) {
        ck_assert(operations_is_ready(rig.operations, &why));
        rig.hooks.idle(rig.hooks.context, rig.store, rig.now);
    }
    ck_assert(operations_is_ready(rig.operations, &why));
    rig.hooks.idle(rig.hooks.context, rig.store, rig.now);
    ck_assert(!operations_is_ready(rig.operations, &why));
    ck_assert_ptr_nonnull(strstr(why, "entry 700 of the ledger"));
}
END_TEST

START_TEST(idle__a_whole_log_stays_ready)
{
    const char *why = NULL;
    rig_open(&rig);
    add_many_entries(4);
    rig_close(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    for (int i = 0; i < 10; i++) {
        rig.hooks.idle(rig.hooks.context, rig.store, rig.now);
    }
    ck_assert(operations_is_ready(rig.operations, &why));
    ck_assert_uint_eq(rig.operations->check.tree.size, 802);
}
END_TEST

START_TEST(start__a_changed_head_is_noticed)
{
    rig_open(&rig);
    add_entries(3);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE named_values SET text = replace(text, ' ', ' 0') "
                     "WHERE name = 'ledger_head'");
    expect_corrupt("bad_head", NULL);
}
END_TEST

START_TEST(start__a_head_with_another_root_is_noticed)
{
    rig_open(&rig);
    add_entries(3);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE named_values SET text = substr(text, 1, length(text) - 1) || "
                     "CASE substr(text, -1) WHEN '0' THEN '1' ELSE '0' END "
                     "WHERE name = 'ledger_head'");
    expect_corrupt("ledger_changed", "4");
}
END_TEST

/* What an intruder without the key can do: change an entry and all hashes that follow from it. */

struct forgery {
    struct tree tree;
    int64_t seq; /* of the entry whose count of 3 becomes 4; -1: none */
    char leaf[2 * SHA256_BYTES + 1];
};

static void write_hex(const struct sha256 *hash, char out[2 * SHA256_BYTES + 1])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
    }
}

static bool forge_entry(void *context, const struct entry_row *entry)
{
    struct forgery *forgery = context;
    struct sha256 leaf = entry->leaf;
    if (entry->seq == forgery->seq) {
        char bytes[1024];
        snprintf(bytes, sizeof bytes, "%s", entry->bytes);
        char *count = strstr(bytes, "\"count\":3");
        ck_assert_ptr_nonnull(count);
        count[8] = '4';
        leaf = tree_leaf_hash(bytes, entry->length);
        write_hex(&leaf, forgery->leaf);
    }
    tree_append(&forgery->tree, &leaf, NULL, NULL);
    return true;
}

/* Of the first `size` entries alone. */
static struct forgery forge(int64_t seq, size_t size)
{
    struct forgery forgery = {.seq = seq};
    struct error error = {0};
    struct store *store =
        store_open_reader(&(struct store_options){.path = rig.store_path}, &error);
    ck_assert_ptr_nonnull(store);
    ck_assert(store_each_entry(store, 1, 0, size, forge_entry, &forgery, &error));
    store_close(store);
    struct sha256 root = tree_root(&forgery.tree);
    char hex[2 * SHA256_BYTES + 1];
    char sql[512];
    write_hex(&root, hex);
    snprintf(sql, sizeof sql,
             "UPDATE named_values SET text = '1 %zu %s' WHERE name = 'ledger_head'", size, hex);
    rig_tamper(&rig, sql);
    return forgery;
}

START_TEST(start__a_forged_log_does_not_lead_to_its_signed_checkpoint)
{
    char sql[512];
    rig_open(&rig);
    add_entries(20);
    size_t size = (size_t)rig.operations->tree.size + 1;
    rig_close(&rig);
    struct forgery forgery = forge(7, size);
    snprintf(sql, sizeof sql,
             "UPDATE entries SET bytes = replace(bytes, '\"count\":3', '\"count\":4'), leaf = "
             "x'%s' WHERE position & 1099511627775 = 7",
             forgery.leaf);
    rig_tamper(&rig, sql);
    expect_corrupt("ledger_changed", "21"); /* the last entry that was signed */
}
END_TEST

START_TEST(start__a_log_cut_short_is_less_than_was_signed)
{
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    forge(-1, 15);
    rig_tamper(&rig, "DELETE FROM entries WHERE position & 1099511627775 >= 15");
    expect_corrupt("ledger_changed", "15");
}
END_TEST

START_TEST(idle__an_entry_replaced_while_running_is_found)
{
    const char *why = NULL;
    rig_open(&rig);
    add_entries(20);
    rig_close(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    rig_tamper(&rig, "UPDATE entries SET (bytes, leaf) = (SELECT bytes, leaf FROM entries "
                     "WHERE position & 1099511627775 = 6) WHERE position & 1099511627775 = 5");
    ck_assert(operations_is_ready(rig.operations, &why));
    rig.hooks.idle(rig.hooks.context, rig.store, rig.now);
    ck_assert(!operations_is_ready(rig.operations, &why));
}
END_TEST

START_TEST(start__a_checkpoint_that_was_changed_is_noticed)
{
    rig_open(&rig);
    add_entries(3);
    rig_close(&rig);
    rig_tamper(&rig, "UPDATE checkpoints SET note = replace(note, 'gate.example', 'gate.exemple')");
    expect_corrupt("other_ledger_key", NULL);
}
END_TEST

START_TEST(start__another_ledger_key_is_refused)
{
    static const unsigned char seed[32] = "another fake seed, for tests on";
    rig_open(&rig);
    add_entries(3);
    rig_close(&rig);
    signer_close(rig.ledger_signer);
    rig.ledger_signer = signer_from_seed(SIGNER_ED25519, seed);
    expect_corrupt("other_ledger_key", NULL);
}
END_TEST

START_TEST(start__numbers_of_the_store_are_carried_on)
{
    rig_open(&rig);
    rig_begin_system(&rig);
    rig.operations->place.fence_number = 41;
    rig_commit(&rig);
    int64_t high_water = rig.operations->wall_high_water + 3600 * 1000;
    rig.operations->wall_high_water = high_water; /* the clock was an hour ahead */
    add_entries(1);
    rig_close(&rig);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->place.fence_number, 41);
    ck_assert_int_ge(rig.operations->wall_high_water, high_water);
    ck_assert_int_ge(rig_begin_system(&rig)->now, high_water);
    rig_undo(&rig);
}
END_TEST

static struct store_mark read_mark(void)
{
    struct error error = {0};
    struct store_mark mark;
    bool found;
    struct store_mark_file *file = store_mark_open(rig.mark_path, &mark, &found, &error);
    ck_assert(found);
    store_mark_close(file);
    return mark;
}

static void put_mark(const struct store_mark *mark)
{
    struct error error = {0};
    struct store_mark former;
    bool found;
    struct store_mark_file *file = store_mark_open(rig.mark_path, &former, &found, &error);
    ck_assert(store_mark_write(file, mark, &error));
    store_mark_close(file);
}

START_TEST(start__a_fence_the_store_does_not_know_is_a_rollback)
{
    rig_open(&rig);
    add_entries(1);
    rig_close(&rig);
    struct store_mark mark = read_mark();
    mark.fence_number += 1;
    put_mark(&mark);
    rig_open(&rig);
    ck_assert(rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->place.fence_number, mark.fence_number);
}
END_TEST

/* Each of the three places that remember the time suffices. */
START_TEST(start__time_is_remembered_by_mark_number_and_last_entry)
{
    rig_open(&rig);
    int64_t ahead = rig.operations->wall_high_water + 3600 * 1000;
    if (_i != 0) {
        rig.operations->wall_high_water = ahead;
    }
    add_entries(1);
    rig_drop(&rig);
    struct store_mark mark = read_mark();
    mark.wall_at = _i == 0 ? ahead : 0;
    put_mark(&mark);
    if (_i == 1) {
        rig_tamper(&rig, "UPDATE named_values SET number = 0 WHERE name = 'wall_high_water'");
    }
    rig_open(&rig);
    ck_assert_int_ge(rig.operations->wall_high_water, ahead);
}
END_TEST

START_TEST(ready__only_when_started_with_a_policy)
{
    const char *why = NULL;
    rig_open(&rig);
    ck_assert(!operations_is_ready(rig.operations, &why));
    ck_assert_str_eq(why, "no policy is in force yet");
    rig_publish(&rig, rig_policy);
    ck_assert(operations_is_ready(rig.operations, &why));
    ck_assert_ptr_null(why);
    struct error error = {0};
    ck_assert(operations_stop(rig.operations, rig.store, 0, &error));
    ck_assert(!operations_is_ready(rig.operations, &why));
    ck_assert_str_eq(why, "not started, or stopping");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/start");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, start__a_first_start_begins_the_first_log);
    tcase_add_test(tests, start__a_restart_keeps_the_head);
    tcase_add_test(tests, start__an_unclean_stop_leaves_a_store_ahead_of_its_mark);
    tcase_add_test(tests, start__a_changed_body_is_named);
    tcase_add_test(tests, start__a_changed_leaf_is_named);
    tcase_add_test(tests, start__an_entry_put_in_place_of_another_does_not_lead_to_the_head);
    tcase_add_test(tests, start__a_missing_entry_is_named);
    tcase_add_test(tests, start__missing_last_entries_are_named);
    tcase_add_test(tests, start__an_entry_that_was_slipped_in_is_named);
    tcase_add_test(tests, start__a_changed_node_is_named_by_its_first_entry);
    tcase_add_test(tests, start__a_changed_node_of_old_entries_does_not_lead_to_the_head);
    tcase_add_test(tests, idle__a_changed_body_of_an_old_entry_is_found);
    tcase_add_test(tests, idle__a_whole_log_stays_ready);
    tcase_add_test(tests, start__a_changed_head_is_noticed);
    tcase_add_test(tests, start__a_head_with_another_root_is_noticed);
    tcase_add_test(tests, start__a_forged_log_does_not_lead_to_its_signed_checkpoint);
    tcase_add_test(tests, start__a_log_cut_short_is_less_than_was_signed);
    tcase_add_test(tests, idle__an_entry_replaced_while_running_is_found);
    tcase_add_test(tests, start__a_fence_the_store_does_not_know_is_a_rollback);
    tcase_add_loop_test(tests, start__time_is_remembered_by_mark_number_and_last_entry, 0, 3);
    tcase_add_test(tests, start__a_checkpoint_that_was_changed_is_noticed);
    tcase_add_test(tests, start__another_ledger_key_is_refused);
    tcase_add_test(tests, start__numbers_of_the_store_are_carried_on);
    tcase_add_test(tests, ready__only_when_started_with_a_policy);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
