#include "base/clock.h"
#include "ledger/verify.h"
#include "operations/ledger_internal.h"
#include "operations/people_operations.h"
#include "tests/support/rig.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rig rig;
static struct error error;
static struct credential runner;
static struct credential dana;

static void set_up(void)
{
    error = (struct error){0};
    rig_make(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    runner = rig_add_caller(&rig, "runner");
    dana = rig_add_person(&rig, "dana", "ops", false);
}

static void tear_down(void)
{
    rig_remove(&rig);
}

static struct request_row read_row(const char *request)
{
    struct request_row row;
    struct arena *arena = arena_create();
    ck_assert(store_read_request(rig.store, "default", request, arena, &row, &error));
    arena_destroy(arena);
    return row;
}

static enum grant_state grant_state_of(const char *grant)
{
    struct grant_row row;
    struct arena *arena = arena_create();
    ck_assert(store_read_grant(rig.store, "default", grant, arena, &row, &error));
    arena_destroy(arena);
    return row.state;
}

static bool lets_in(const struct credential *credential)
{
    struct arena *arena = arena_create();
    struct operation operation;
    struct error refused = {0};
    bool ok = operation_begin(&operation, rig.operations, rig.store, arena, rig.now, credential,
                              &refused);
    arena_destroy(arena);
    return ok;
}

struct search {
    const char *text;
    size_t count;
};

static bool count_text(void *context, const struct entry_row *entry)
{
    struct search *search = context;
    search->count += strstr(entry->bytes, search->text) != NULL;
    return true;
}

static size_t entries_with(const char *text)
{
    struct search search = {.text = text};
    ck_assert(
        store_each_entry(rig.store, rig.operations->epoch, 0, 100000, count_text, &search, &error));
    return search.count;
}

/* An approved request whose token was minted, and one that waits for people. */
struct life {
    char approved[ID_BYTES];
    char pending[ID_BYTES];
    struct grant_claims token;
};

static struct life begin_life(void)
{
    struct life life;
    rig_submit(&rig, &runner, "free.read", life.approved);
    life.token = rig_read(&rig, &runner, life.approved).token;
    rig_submit(&rig, &runner, "pay.refund", life.pending);
    return life;
}

static void restart_from_copy(void)
{
    rig_close(&rig);
    rig_put_copy_back(&rig);
    rig_open(&rig);
}

/* What must hold after any rollback was handled. */
static void expect_closed(const struct life *life, int64_t epoch)
{
    const char *why = NULL;
    ck_assert(rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, epoch);
    ck_assert(!operations_is_ready(rig.operations, &why));
    ck_assert_ptr_nonnull(strstr(why, "countersign recover"));
    ck_assert_int_eq(read_row(life->pending).state, REQUEST_CANCELLED);
    ck_assert_int_eq(read_row(life->pending).reason, REASON_ROLLED_BACK);
    ck_assert_int_eq(grant_state_of(life->token.grant), GRANT_REVOKED);
    ck_assert(!lets_in(&runner));
    ck_assert(!lets_in(&dana));
    ck_assert_uint_eq(entries_with("\"type\":\"epoch.begun\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"freeze\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"grant.revoked\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"request.cancelled\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"key.disabled\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"token.disabled\""), 1);
}

static void recover(bool trusts_credentials, int64_t expected)
{
    int64_t enabled = -1;
    ck_assert(operation_recover(rig_begin_host(&rig), trusts_credentials, "a disk was replaced",
                                &enabled, &error));
    ck_assert_int_eq(enabled, expected);
    rig_commit(&rig);
    /* A freeze has no length of nothing: what is issued in the millisecond of its end was frozen. */
    while (clock_wall_ms() <= rig.now + 1) {
    }
}

START_TEST(rollback__of_the_store_ends_everything_that_was_open)
{
    struct life life = begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig_redeem(&rig, &runner, &life.token, "free.read").refusal, GRANT_ACCEPTED);
    restart_from_copy();
    expect_closed(&life, 2);
}
END_TEST

START_TEST(rollback__a_redeemed_grant_is_not_redeemed_again)
{
    struct life life = begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    struct redeem_result first = rig_redeem(&rig, &runner, &life.token, "free.read");
    ck_assert_int_eq(first.refusal, GRANT_ACCEPTED);
    restart_from_copy();
    ck_assert_int_ge(rig.operations->place.fence_number, first.fence % (INT64_C(1) << 40));
    rig_publish(&rig, rig_policy);
    recover(true, 2);
    struct redeem_result again = rig_redeem(&rig, &runner, &life.token, "free.read");
    ck_assert(again.refusal == GRANT_REFUSED_REVOKED || again.refusal == GRANT_REFUSED_FROZEN);
    ck_assert_int_eq(grant_state_of(life.token.grant), GRANT_REVOKED);
    /* And fences go on growing. */
    char request[ID_BYTES];
    rig_submit(&rig, &runner, "free.write", request);
    struct request_view view = rig_read(&rig, &runner, request);
    struct redeem_result next = rig_redeem(&rig, &runner, &view.token, "free.write");
    ck_assert_int_eq(next.refusal, GRANT_ACCEPTED);
    ck_assert_int_gt(next.fence, first.fence);
}
END_TEST

START_TEST(rollback__nothing_is_submitted_or_decided_until_recovery)
{
    begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    rig_publish(&rig, rig_policy);
    rig_close(&rig);
    rig_open(&rig); /* another restart changes nothing */
    ck_assert(rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 2);
    rig_publish(&rig, rig_policy);
    runner = (struct credential){0};
    struct credential_row row;
    char secret[SECRET_TEXT_BYTES];
    struct credential_input input = {.kind = CREDENTIAL_API_KEY, .owner = "runner"};
    ck_assert(operation_add_credential(rig_begin_host(&rig), &input, &row, secret, &error));
    rig_commit(&rig);
    struct credential fresh = {.kind = CREDENTIAL_API_KEY,
                               .hash = crypto_sha256(secret, strlen(secret))};
    char request[ID_BYTES];
    rig_submit(&rig, &fresh, "free.read", request);
    ck_assert_int_eq(read_row(request).state, REQUEST_DENIED);
    ck_assert_int_eq(read_row(request).reason, REASON_FROZEN);
}
END_TEST

START_TEST(recover__restores_service_and_keys_on_request)
{
    const char *why;
    begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    rig_publish(&rig, rig_policy);
    recover(true, 2);
    ck_assert(operations_is_ready(rig.operations, &why));
    ck_assert(lets_in(&runner));
    ck_assert(lets_in(&dana));
    ck_assert_uint_eq(entries_with("\"type\":\"recovered\""), 1);
    ck_assert_uint_eq(entries_with("\"type\":\"thaw\""), 1);
    char request[ID_BYTES];
    rig_submit(&rig, &runner, "free.read", request);
    ck_assert_int_eq(read_row(request).state, REQUEST_APPROVED);
    rig_close(&rig);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 2);
}
END_TEST

START_TEST(recover__leaves_keys_disabled_unless_they_are_trusted)
{
    begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    recover(false, 0);
    ck_assert(!lets_in(&runner));
    recover(true, 2); /* second thoughts */
    ck_assert(lets_in(&runner));
}
END_TEST

START_TEST(recover__does_not_enable_what_a_person_disabled)
{
    struct person_view person;
    begin_life();
    ck_assert(operation_enable_person(rig_begin_host(&rig), "dana", false, &person, &error));
    rig_commit(&rig);
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    recover(true, 1);
    ck_assert(lets_in(&runner));
    ck_assert(!lets_in(&dana));
}
END_TEST

START_TEST(recover__is_for_the_host_and_for_a_rollback_alone)
{
    int64_t enabled;
    struct credential admin = rig_add_person(&rig, "erin", NULL, true);
    ck_assert(!operation_recover(rig_begin(&rig, &admin), true, "why", &enabled, &error));
    ck_assert_int_eq(error.kind, ERROR_FORBIDDEN);
    rig_undo(&rig);
    error = (struct error){0};
    ck_assert(!operation_recover(rig_begin_host(&rig), true, "why", &enabled, &error));
    ck_assert_str_eq(error.code, "nothing_to_recover");
    rig_undo(&rig);
    error = (struct error){0};
    ck_assert(!operation_recover(rig_begin_host(&rig), true, NULL, &enabled, &error));
    ck_assert_str_eq(error.code, "bad_reason");
    rig_undo(&rig);
}
END_TEST

START_TEST(recover__that_is_rolled_back_leaves_everything_frozen)
{
    int64_t enabled;
    const char *why;
    begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    rig_publish(&rig, rig_policy);
    ck_assert(operation_recover(rig_begin_host(&rig), true, "why", &enabled, &error));
    rig_undo(&rig);
    ck_assert(!operations_is_ready(rig.operations, &why));
    ck_assert(!lets_in(&runner));
}
END_TEST

START_TEST(rollback__an_admin_cannot_thaw_it)
{
    struct freeze_row *freezes;
    struct freeze_row row;
    size_t count;
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    struct operation *operation = rig_begin_host(&rig);
    ck_assert(operation_list_freezes(operation, &freezes, &count, &error));
    ck_assert_uint_eq(count, 1);
    ck_assert(!operation_thaw(operation, freezes[0].id, &row, &error));
    ck_assert_str_eq(error.code, "recover_needed");
    rig_undo(&rig);
}
END_TEST

static bool shows(const char *metric_line)
{
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    metrics_append_text(rig.metrics, &text);
    return strstr(text.bytes, metric_line) != NULL;
}

START_TEST(metrics__count_freezes_in_force_and_entries)
{
    char entries[64];
    struct freeze_row row;
    struct freeze_input input = {.scope = FREEZE_TENANT, .reason = "a drill"};
    ck_assert(shows("\ncountersign_frozen 0\n"));
    ck_assert(operation_freeze(rig_begin_host(&rig), &input, &row, &error));
    rig_undo(&rig);
    ck_assert(shows("\ncountersign_frozen 0\n"));
    ck_assert(operation_freeze(rig_begin_host(&rig), &input, &row, &error));
    rig_commit(&rig);
    ck_assert(shows("\ncountersign_frozen 1\n"));
    snprintf(entries, sizeof entries, "\ncountersign_ledger_entries %d\n",
             (int)rig.operations->tree.size);
    ck_assert(shows(entries));
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    ck_assert(shows("\ncountersign_frozen 1\n"));
    restart_from_copy();
    ck_assert(shows("\ncountersign_frozen 2\n"));
    recover(true, 2);
    ck_assert(shows("\ncountersign_frozen 1\n"));
}
END_TEST

START_TEST(rollback__a_missing_mark_is_one)
{
    struct life life = begin_life();
    rig_close(&rig);
    ck_assert_int_eq(unlink(rig.mark_path), 0);
    rig_open(&rig);
    expect_closed(&life, 2);
}
END_TEST

START_TEST(rollback__a_lost_store_is_one)
{
    begin_life();
    rig_close(&rig);
    ck_assert_int_eq(unlink(rig.store_path), 0);
    rig_open(&rig);
    ck_assert(rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 2);
    ck_assert_uint_eq(entries_with("\"type\":\"epoch.begun\""), 1);
}
END_TEST

/* Another history of the same length: a copy was put back and used under another mark. */
START_TEST(rollback__a_forked_store_is_one)
{
    struct life life = begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    rig_publish(&rig, rig_policy);
    rig_close(&rig);
    char mark_path[sizeof rig.mark_path];
    memcpy(mark_path, rig.mark_path, sizeof mark_path);
    struct store_mark mark;
    bool found;
    struct store_mark_file *file = store_mark_open(mark_path, &mark, &found, &error);
    store_mark_close(file);
    rig_put_copy_back(&rig);
    /* The other gateway believes the store, for its mark says nothing newer. */
    snprintf(rig.mark_path, sizeof rig.mark_path, "%s/mark2", rig.folder);
    struct store_mark none = {.epoch = 1, .root = crypto_sha256("", 0)};
    file = store_mark_open(rig.mark_path, &mark, &found, &error);
    ck_assert(store_mark_write(file, &none, &error));
    store_mark_close(file);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    for (int i = 0; i < 5; i++) {
        struct refusal_note note = {.source = "::1", .kind = "bad_key", .count = 1, .since_at = 1};
        ck_assert(operation_note_refusals(rig_begin_system(&rig), &note, 1, &error));
        rig_commit(&rig);
    }
    rig_close(&rig);
    memcpy(rig.mark_path, mark_path, sizeof mark_path);
    rig_open(&rig);
    expect_closed(&life, 2);
}
END_TEST

START_TEST(rollback__a_torn_mark_is_none)
{
    begin_life();
    rig_close(&rig);
    int file = open(rig.mark_path, O_RDWR);
    off_t size = lseek(file, 0, SEEK_END);
    ck_assert_int_gt(size, 0);
    /* Damage in one of its two slots: the other is at most one write older. */
    ck_assert_int_eq(pwrite(file, "\xff\xff\xff\xff", 4, 8), 4);
    close(file);
    rig_open(&rig);
    ck_assert(!rig.was_rolled_back);
    ck_assert_int_eq(rig.operations->epoch, 1);
}
END_TEST

START_TEST(rollback__a_second_one_begins_a_third_log)
{
    struct life life = begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    restart_from_copy(); /* the same copy once more: the mark is of epoch 2 */
    expect_closed(&life, 3);
    recover(true, 2);
    const char *why;
    rig_publish(&rig, rig_policy);
    ck_assert(operations_is_ready(rig.operations, &why));
}
END_TEST

static void put_mark(const struct store_mark *mark)
{
    struct store_mark former;
    bool found;
    ck_assert_int_eq(unlink(rig.mark_path), 0);
    struct store_mark_file *file = store_mark_open(rig.mark_path, &former, &found, &error);
    ck_assert(store_mark_write(file, mark, &error));
    store_mark_close(file);
}

/* Killed between any two of its transactions, the rollback goes on where it was. */
START_TEST(rollback__killed_after_any_step_is_carried_on)
{
    struct life life = begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    rig_close(&rig);
    rig_put_copy_back(&rig);
    struct error failed = {0};
    bool mark_found = false;
    struct store_mark mark;
    rig.store = store_open(&(struct store_options){.path = rig.store_path}, &failed);
    rig.mark_file = store_mark_open(rig.mark_path, &mark, &mark_found, &failed);
    rig.operations =
        operations_create(&(struct operations_options){.ledger_signer = rig.ledger_signer,
                                                       .match_secret = rig.match_secret,
                                                       .mark_file = rig.mark_file,
                                                       .mark = mark,
                                                       .mark_found = mark_found,
                                                       .issuer = "https://gate.example",
                                                       .origin = RIG_ORIGIN});
    enum ledger_standing standing;
    ck_assert(load_ledger(rig.operations, rig.store, &failed));
    ck_assert(judge_standing(rig.operations, rig.store, &standing, &failed));
    ck_assert_int_eq(standing, LEDGER_STANDING_BEHIND);
    ck_assert(begin_epoch_after_rollback(rig.operations, rig.store, rig.now, &failed));
    bool has_more = true;
    for (int step = 0; step < _i && has_more; step++) {
        ck_assert(rollback_step(rig.operations, rig.store, rig.now, &has_more, &failed));
    }
    rig_drop(&rig);
    if (_i == 0) { /* killed before even the mark was written */
        put_mark(&mark);
    }
    rig_open(&rig);
    expect_closed(&life, 2);
}
END_TEST

/* Exports. */

struct reading {
    const char *at;
    const char *end;
};

static bool read_line(void *context, const char **out_line, size_t *out_length, struct error *why)
{
    struct reading *reading = context;
    (void)why;
    if (reading->at == reading->end) {
        return false;
    }
    const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
    *out_line = reading->at;
    *out_length = (size_t)(newline - reading->at);
    reading->at = newline + 1;
    return true;
}

START_TEST(rollback__both_logs_verify_in_one_export)
{
    begin_life();
    rig_close(&rig);
    rig_save_copy(&rig);
    rig_open(&rig);
    restart_from_copy();
    rig_publish(&rig, rig_policy);
    recover(true, 2);
    struct life after;
    rig_submit(&rig, &runner, "free.again", after.approved);
    rig_close(&rig);
    rig_open(&rig);
    struct builder text BUILDER_SCOPE;
    builder_init(&text, 0);
    struct export_cursor cursor = {0};
    bool is_done = false;
    ck_assert(
        operation_export_ledger(rig_begin_host(&rig), &cursor, &text, 1 << 20, &is_done, &error));
    ck_assert(is_done);
    rig_undo(&rig);
    struct note_key key;
    ck_assert(note_key_of_signer(&key, RIG_ORIGIN, rig.ledger_signer, &error));
    struct ledger_verify_options options = {.keys = &key, .key_count = 1};
    struct reading reading = {.at = text.bytes, .end = text.bytes + text.length};
    struct ledger_verify_report report;
    ck_assert(ledger_verify(&options, read_line, &reading, &report, &error));
    ck_assert_msg(report.is_good, "line %d: %s: %s", (int)report.line,
                  report.finding == NULL ? "" : report.finding, report.message);
    ck_assert_str_eq(report.origin, RIG_ORIGIN "/e2");
    ck_assert_uint_eq(report.size, rig.operations->tree.size);
    ck_assert_uint_eq(report.covered, report.size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations/recover");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, rollback__of_the_store_ends_everything_that_was_open);
    tcase_add_test(tests, rollback__a_redeemed_grant_is_not_redeemed_again);
    tcase_add_test(tests, rollback__nothing_is_submitted_or_decided_until_recovery);
    tcase_add_test(tests, recover__restores_service_and_keys_on_request);
    tcase_add_test(tests, recover__leaves_keys_disabled_unless_they_are_trusted);
    tcase_add_test(tests, recover__does_not_enable_what_a_person_disabled);
    tcase_add_test(tests, recover__is_for_the_host_and_for_a_rollback_alone);
    tcase_add_test(tests, recover__that_is_rolled_back_leaves_everything_frozen);
    tcase_add_test(tests, rollback__an_admin_cannot_thaw_it);
    tcase_add_test(tests, metrics__count_freezes_in_force_and_entries);
    tcase_add_test(tests, rollback__a_missing_mark_is_one);
    tcase_add_test(tests, rollback__a_lost_store_is_one);
    tcase_add_test(tests, rollback__a_forked_store_is_one);
    tcase_add_test(tests, rollback__a_torn_mark_is_none);
    tcase_add_test(tests, rollback__a_second_one_begins_a_third_log);
    tcase_add_loop_test(tests, rollback__killed_after_any_step_is_carried_on, 0, 6);
    tcase_add_test(tests, rollback__both_logs_verify_in_one_export);
    suite_add_tcase(suite, tests);
    SRunner *runner_of_suite = srunner_create(suite);
    srunner_run_all(runner_of_suite, CK_NORMAL);
    int failed = srunner_ntests_failed(runner_of_suite);
    srunner_free(runner_of_suite);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
